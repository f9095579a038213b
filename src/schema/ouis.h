/* Makers of network adapters, by what the adapters' addresses begin with. */
#ifndef TLSWIRE_SCHEMA_OUIS_H
#define TLSWIRE_SCHEMA_OUIS_H

#include "base/buf.h"

struct oui_row {
    uint64_t value : 36;
    uint64_t
        name : 28; /* which of oui_names, times 4096, and where in it: the short name, 0, the long one */
};

/* Assignments of 24, 28 and 36 bits, by value. */
extern const struct oui_row ouis[], ouis_28[], ouis_36[];
extern const size_t ouis_count, ouis_28_count, ouis_36_count;
extern const char *const oui_names[];

/* The name of the maker that has the 24 bits; NULL when they are not known. */
const char *oui_name(uint32_t value);

/* Puts how an address of 6 bytes is called: by the group that it stands for, or by its maker's short name and what is left
 * of it ("Apple_65:85:8f"), as tshark does.  False when it has no such name: then OUT is as it was. */
bool ether_name(struct buf *out, struct slice address);

#endif
