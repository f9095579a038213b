/* Which connection a session was made in, by the names that clients resume it under: session IDs, tickets.
 *
 * A table of fixed size that is made when the first name comes; a new name takes the place of the oldest in
 * its row.  Names are kept as hashes of 128 bits with a seed, secrets are overwritten when they go. */
#ifndef TLSWIRE_STREAM_TLS_ORIGINS_H
#define TLSWIRE_STREAM_TLS_ORIGINS_H

#include "base/slice.h"
#include "crypto/provider.h"

#include <stdbool.h>
#include <stdint.h>

#define ORIGIN_ROWS 1024 /* a power of two */
#define ORIGIN_ROW  8    /* names in each */

enum origin_kind { ORIGIN_SESSION_ID = 1, ORIGIN_TICKET };

/* The hash of a name; zero: none. */
struct origin_name {
    uint64_t low, high;
};

struct tls_origin {
    struct origin_name name;
    uint64_t age;       /* when it was noted */
    uint32_t stream;    /* number of the connection */
    uint8_t psk_len;    /* of TLS 1.3; 0: its key is not known */
    uint8_t psk_hash;   /* enum hash_id */
    uint8_t random[32]; /* client random of the first connection of the session */
    uint8_t psk[HASH_MAX_SIZE];
};

struct tls_origins {
    uint64_t seed, clock;
    struct tls_origin *rows; /* owned; NULL: no name so far */
};

struct origin_name tls_origin_name(const struct tls_origins *o, enum origin_kind kind,
                                   struct slice name);
static inline bool tls_origin_is(struct origin_name name)
{
    return (name.low | name.high) != 0;
}
/* NULL when the name is not known; good until the next note. */
const struct tls_origin *tls_origins_find(const struct tls_origins *o, struct origin_name name);
/* Keeps a copy of WHAT under its name, in the place of what was there. */
void tls_origins_note(struct tls_origins *o, const struct tls_origin *what);
void tls_origins_free(struct tls_origins *o);

#endif
