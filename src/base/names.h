/* Names of addresses: from files in the form of /etc/hosts, and from captures.  Nobody is asked for one. */
#ifndef TLSWIRE_BASE_NAMES_H
#define TLSWIRE_BASE_NAMES_H

#include "base/arena.h"
#include "base/slice.h"

#include <stdint.h>

#define NAME_BYTES 63 /* of a name, as tshark keeps them; more are cut off */

struct named {
    struct named *next; /* in the same slot */
    uint8_t size;       /* 4 or 16 */
    bool met;           /* in a packet: see names_meet() */
    uint8_t address[16];
    char name[NAME_BYTES + 1]; /* escaped */
};

struct names {
    struct arena arena;
    struct named **slots; /* owned; NULL before the first */
    uint32_t count;
    bool lost; /* there was no room for one */
};

void names_free(struct names *n);
/* Adds the name of an ADDRESS of 4 or 16 bytes; a later one replaces it.  Control bytes are escaped. */
void names_add(struct names *n, struct slice address, struct slice name);
/* The name; NULL when there is none, or no table. */
const char *names_find(const struct names *n, struct slice address);
/* Notes that a packet has this address. */
void names_meet(const struct names *n, struct slice address);
/* Reads TEXT as /etc/hosts has it: an address, a name, others that are passed over; "#" begins a remark.
 * False when it names nothing. */
bool names_hosts(struct names *n, struct slice text);
/* All of them, IPv4 first, then by address; EACH is called with each. */
void names_each(const struct names *n, void (*each)(void *context, const struct named *named),
                void *context);

#endif
