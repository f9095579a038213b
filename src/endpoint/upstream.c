#include "endpoint/upstream.h"

#include "endpoint/hooks.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct upstream *upstream_new(const char *where, struct error *e)
{
    struct upstream *u = calloc(1, sizeof(*u));
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    uint16_t port = 0;
    char service[8];
    if (!u) {
        error_set(e, ERROR_MEMORY, "out of memory");
        return NULL;
    }
    atomic_init(&u->users, 1);
    if (!endpoint_split(where, u->host, sizeof(u->host), &port) || port == 0) {
        error_set(e, ERROR_USAGE, "--proxy '%.100s': want host:port", where);
        free(u);
        return NULL;
    }
    if (u->host[0] == '\0')
        snprintf(u->host, sizeof(u->host), "localhost");
    snprintf(service, sizeof(service), "%u", port);
    int status = getaddrinfo(u->host, service, &hints, &found);
    for (struct addrinfo *a = found; a && u->count < UPSTREAM_ADDRESSES; a = a->ai_next)
        memcpy(&u->addresses[u->count++], a->ai_addr, a->ai_addrlen);
    if (found)
        freeaddrinfo(found);
    if (u->count > 0)
        return u;
    error_set(e, ERROR_NETWORK, "cannot find %.100s: %s", u->host, gai_strerror(status));
    free(u);
    return NULL;
}

struct upstream *upstream_share(struct upstream *u)
{
    atomic_fetch_add(&u->users, 1);
    return u;
}

void upstream_free(struct upstream *u)
{
    if (!u || atomic_fetch_sub(&u->users, 1) > 1)
        return;
    SSL_CTX_free(u->context);
    free(u);
}
