/* Certificates that were compressed (RFC 8879): zlib, brotli, Zstandard, in bounded memory and time.
 *
 * How much may come out depends on how much goes in, whatever the message claims; a message that wants more is
 * marked, not read. */
#ifndef TLSWIRE_DISSECT_EXPAND_H
#define TLSWIRE_DISSECT_EXPAND_H

#include "base/arena.h"
#include "base/slice.h"

#define EXPAND_A_PACKET ((uint32_t)4 << 20)

enum expand_result {
    EXPAND_DONE,     /* to the end of the data, or as far as there is any */
    EXPAND_DAMAGED,  /* it is not what the algorithm makes */
    EXPAND_TOO_MUCH, /* a limit is hit */
    EXPAND_UNKNOWN,  /* no such algorithm */
};

/* What decoders work with, kept from one certificate to the next; begins as zeros. */
struct expander {
    struct arena work;
    uint32_t left; /* bytes that may still be made in this packet */
    void *zstd;
};

/* Most bytes that LEN compressed ones may become. */
uint32_t expand_most(uint32_t len);
/* Puts what IN expands to into OUT, which has expand_most() bytes, and their number into MADE.
 * ALGORITHM: of the registry of RFC 8879 7.3. */
enum expand_result expand(struct expander *x, unsigned algorithm, struct slice in, uint8_t *out,
                          uint32_t *made);
void expander_free(struct expander *x);

#endif
