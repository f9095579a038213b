/* What is kept of a key exchange, shared by the files that read it; nobody else includes it. */
#ifndef TLSWIRE_STREAM_TLS_EXCHANGE_PRIVATE_H
#define TLSWIRE_STREAM_TLS_EXCHANGE_PRIVATE_H

#include "base/buf.h"
#include "crypto/digest.h"
#include "stream/tls_exchange.h"

enum {
    HELLO_REQUEST = 0,
    CLIENT_HELLO = 1,
    SERVER_HELLO = 2,
    CLIENT_KEY_EXCHANGE = 16,
    FINISHED = 20
};
enum { HEADER = 4, RANDOM = 32 };

struct tls_exchange {
    struct buf messages;          /* since the ClientHello; emptied when they are hashed */
    struct buf client;            /* body of the ClientKeyExchange */
    struct transcript transcript; /* of TLS 1.3, from the ServerHello on */
    size_t retried;               /* bytes of the first ClientHello, when there was a retry */
    size_t hello;                 /* where the last ClientHello begins in `messages` */
    uint16_t hello_version;       /* that it names */
    bool hashed;                  /* `session_hash` is there (RFC 7627 3) */
    bool proven;                  /* a binder showed that `psk_hash` and `secret` are right */
    bool offers_psk;              /* the hello has binders */
    bool whole;                   /* `messages` begins with the ClientHello */
    bool shares_key;              /* TLS 1.3 with (EC)DHE: a pre-shared key is not enough */
    bool served;                  /* the server's Finished of TLS 1.3 was read */
    bool resumable;               /* `resumption` is there */
    uint8_t psk_hash;             /* enum hash_id */
    uint16_t identity;            /* its place in the hello */
    uint8_t session_hash[HASH_MAX_SIZE];
    uint8_t secret[HASH_MAX_SIZE];     /* of the schedule of TLS 1.3 as far as it has come */
    uint8_t resumption[HASH_MAX_SIZE]; /* resumption_master_secret (RFC 9846 7.1) */
};

static inline struct slice random_of(const uint8_t *random)
{
    return slice_of(random, RANDOM);
}

/* tls_exchange_psk.c: the schedule of TLS 1.3, as far as a pre-shared key leads.  MESSAGE has its header. */
void tls_exchange_client_hello(const struct tls_reader *r, struct tls_exchange *e,
                               struct slice message);
void tls_exchange_server_hello(const struct tls_reader *r, struct tls_exchange *e,
                               struct slice message);
/* One that comes after the ServerHello. */
void tls_exchange_13(const struct tls_reader *r, struct tls_exchange *e, uint8_t type,
                     struct slice message);

#endif
