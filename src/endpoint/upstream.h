/* Where a proxy forwards to: found once, when the server starts. */
#ifndef TLSWIRE_ENDPOINT_UPSTREAM_H
#define TLSWIRE_ENDPOINT_UPSTREAM_H

#include "base/error.h"

#include <openssl/ssl.h>
#include <stdatomic.h>
#include <sys/socket.h>

#define UPSTREAM_ADDRESSES 8

struct upstream {
    atomic_uint users; /* servers that were joined have it together */
    char host[256];
    struct sockaddr_storage addresses[UPSTREAM_ADDRESSES];
    unsigned count;
    SSL_CTX *context; /* for TLS; NULL: plain */
};

/* WHERE is "host:port".  NULL and the error when it cannot be found. */
struct upstream *upstream_new(const char *where, struct error *);
struct upstream *upstream_share(struct upstream *);
void upstream_free(struct upstream *);

#endif
