/* What a client's hello offers, in numbers that the registries have names for. */
#ifndef TLSWIRE_ENDPOINT_CLIENT_OFFER_H
#define TLSWIRE_ENDPOINT_CLIENT_OFFER_H

#include "base/buf.h"
#include "schema/registries.h"

#define OFFER_MOST 256 /* numbers of a list; a hello with more is odd, and cut here */

enum offer_kind {
    OFFER_VERSIONS,
    OFFER_SUITES,
    OFFER_GROUPS,
    OFFER_SHARES,
    OFFER_SCHEMES,
    OFFER_EXTENSIONS,
    OFFER_COUNT,
};

struct offer_list {
    uint16_t numbers[OFFER_MOST];
    unsigned count;
};

struct client_offer {
    struct offer_list lists[OFFER_COUNT];
    char ja3[33], ja4[64];
    char alpn[256]; /* with commas; bytes as they were sent */
};

/* HELLO is the ClientHello message with its four bytes of type and length. */
void client_offer_read(struct client_offer *, struct slice hello);
const char *client_offer_label(enum offer_kind); /* "Cipher suites" */
const char *client_offer_key(enum offer_kind);   /* "cipher_suites" */
/* The name of a number in a list; in hexadecimal when it has none. */
void client_offer_name(struct buf *out, enum offer_kind, uint16_t number);

#endif
