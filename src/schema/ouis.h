/* Makers of network adapters by the first three bytes of their addresses. */
#ifndef TLSWIRE_SCHEMA_OUIS_H
#define TLSWIRE_SCHEMA_OUIS_H

#include <stddef.h>
#include <stdint.h>

struct oui_row {
    uint32_t value;
    uint32_t name; /* which of oui_names, times 4096, and where in it */
};

extern const struct oui_row ouis[]; /* by value */
extern const size_t oui_count;
extern const char *const oui_names[];

/* The maker's name; NULL when the number is not known. */
const char *oui_name(uint32_t value);

#endif
