/* The ClientHello inside an encrypted one (RFC 9849), opened with the secrets of a key log (ECH_SECRET and
 * ECH_CONFIG, RFC 9850), and whether the server took it: then it is the one that the connection goes by. */
#ifndef TLSWIRE_STREAM_TLS_ECH_H
#define TLSWIRE_STREAM_TLS_ECH_H

#include "stream/tls_session.h"

#define ECH_TRANSCRIPT_MAX ((size_t)1 << 17)

enum ech_status {
    ECH_NONE,     /* no such extension, or nobody has keys */
    ECH_OPENED,   /* what the server says to it is not known yet */
    ECH_ACCEPTED, /* the server's random says so (RFC 9849 7.2) */
    ECH_REJECTED,
    ECH_WRONG_KEY, /* there are keys, and they do not fit */
    ECH_BROKEN,    /* opened, and it is no hello */
};

struct tls_ech {
    uint8_t inner_random[32];
    uint8_t outer_random[32];
    struct buf
        transcript;    /* the inner hello, with what goes before it; until tls_ech_show() has seen
                              * the server's hello.  Owned */
    uint32_t hello_at; /* the last inner hello in it */
    uint8_t status;    /* enum ech_status */
    uint8_t hellos;    /* sealed under one key so far */
    uint16_t kdf, aead;
};

/* Takes notice of a hello, MESSAGE with its header.  Returns the inner one, as a message that lasts as long as the
 * packet; empty when there is none. */
struct slice tls_ech_hello(struct tls_reader *r, uint8_t type, struct slice message);
/* Adds what the inner hello says below the item that is open; MESSAGE is what tls_ech_hello() returned. */
void tls_ech_show(struct tls_reader *r, const struct tls_content *c, uint8_t type,
                  struct slice message, unsigned context);
void tls_ech_free(struct tls_ech *e);

#endif
