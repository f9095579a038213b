/* Which secrets are of use: the names under which a capture's connections look for theirs.
 *
 * A key log may hold millions of lines for connections that nobody captured.  Whoever can read the
 * capture first notes the names here, and gives the set to the key table, which then passes over
 * all other lines at a glance.  A name that is looked for later after all (inside of other TLS, or
 * of an encrypted hello) can be fetched. */
#ifndef TLSWIRE_CRYPTO_KEY_WISHES_H
#define TLSWIRE_CRYPTO_KEY_WISHES_H

#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct key_wishes {
    uint64_t *slots; /* owned; 0: empty */
    size_t slot_count, count;
    uint64_t seed; /* makes the places unpredictable */
    bool full;     /* there was no room: every name is wished for */
    /* Reads the key logs again, for a name that is new; NULL: cannot be. */
    void (*fetch)(void *context);
    void *context;
    unsigned fetches; /* how often that may still happen */
};

void key_wishes_init(struct key_wishes *w, uint64_t seed);
void key_wishes_free(struct key_wishes *w);
/* Notes the name; true when it is new. */
bool key_wishes_add(struct key_wishes *w, struct slice id);
/* Whether the name may be wished for: seldom true for one that is not. */
bool key_wishes_has(const struct key_wishes *w, struct slice id);

#endif
