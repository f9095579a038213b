/* Pieces of IP packets, kept until the packet is whole (RFC 791 3.2, RFC 8200 4.5).
 *
 * Bounded in every way: so many packets at a time, so many pieces and bytes of each, and no longer
 * than the time that a receiver waits.  What is given up was shown as pieces and stays so. */
#ifndef TLSWIRE_DISSECT_FRAGMENTS_H
#define TLSWIRE_DISSECT_FRAGMENTS_H

#include "base/buf.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

/* What is odd about one piece. */
enum piece_flag {
    PIECE_OVERLAP = 1,        /* it repeats bytes of earlier ones */
    PIECE_CONFLICT = 2,       /* and they differ */
    PIECE_MULTIPLE_TAILS = 4, /* another one ends elsewhere */
    PIECE_TOO_LONG = 8,       /* it goes past the end */
};

struct piece {
    uint32_t offset, len; /* in the packet's payload */
    uint32_t frame;
    uint32_t flags;
    uint32_t at; /* in the bytes kept */
};

/* A packet put together. */
struct joined {
    struct slice bytes;
    struct slice pieces; /* array of struct piece, in order of offset */
    bool is_ipv6;
};

struct fragment_key {
    uint8_t addresses[32]; /* source, destination */
    uint32_t id;
    uint16_t protocol; /* 256 for IPv6, where the identification is enough */
};

struct fragment {
    struct slice bytes;
    uint32_t offset;
    bool more;
    uint32_t frame;
    int64_t time;
};

struct fragments;

/* NULL when there is no memory. */
struct fragments *fragments_new(void);
void fragments_free(struct fragments *f);
/* Forgets what was handed out for the packet before: call it once a packet, before fragment_add(). */
void fragments_packet(struct fragments *f);
/* Keeps a piece.  True when it makes the packet whole: OUT is good until the next fragments_packet(). */
bool fragment_add(struct fragments *f, const struct fragment_key *key,
                  const struct fragment *fragment, struct joined *out);
/* Bytes held at present. */
size_t fragments_held(const struct fragments *f);

#endif
