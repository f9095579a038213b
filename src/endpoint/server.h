/* A TLS server on a libuv loop: many connections at once, on one or several addresses.
 *
 * What is said on a connection is the answer's (endpoint/answer.h); then come close_notify and FIN,
 * and it is read until the peer's FIN.  SIGPIPE must be ignored by the program. */
#ifndef TLSWIRE_ENDPOINT_SERVER_H
#define TLSWIRE_ENDPOINT_SERVER_H

#include "base/error.h"
#include "endpoint/answer.h"
#include "endpoint/authority.h"
#include "endpoint/breakage.h"
#include "endpoint/certificate.h"
#include "endpoint/hooks.h"
#include "endpoint/settings.h"

#include <uv.h>

struct server_config {
    struct tls_settings settings;
    const struct certificate *certificate; /* used when settings name none; may then be NULL */
    struct authority *authority;           /* makes certificates by name; borrowed; may be NULL */
    struct breakage_choice breakage;       /* how to misbehave; a row of NULL: not at all */
    const char *host;            /* name or address; "" = 127.0.0.1 and ::1; "*" = every address */
    uint16_t port;               /* 0: any free one, the same on all addresses */
    int family;                  /* AF_UNSPEC, AF_INET or AF_INET6 */
    struct answer_config answer; /* what is said on connections */
    unsigned max_connections;    /* 0: 1000; the others wait in the system's queue */
    unsigned accepts;            /* take no more than so many connections in all; 0: no end */
    unsigned max_per_peer;       /* 0: no limit; the others are closed at once */
    unsigned handshake_seconds, idle_seconds; /* 0: 10 and 60 */
    unsigned write_seconds;                   /* 0: 30; for a peer that does not read */
    unsigned drain_seconds;  /* 0: 30; for what is under way when the server is stopped */
    uint64_t ticket_seconds; /* between two keys of session tickets; 0: 12 hours */
    const char *ticket_file; /* their keys come from this file; NULL: made here */
    struct endpoint_hooks hooks;
};

struct server;

/* Listens; NULL and an error when it cannot.  CONFIG is copied, its texts are borrowed.
 * *ADDRESS_IN_USE then tells whether the port is taken by someone else. */
struct server *server_start(uv_loop_t *, const struct server_config *, bool *address_in_use,
                            struct error *);
/* Another server on a loop of its own, which takes connections from the same sockets: they share
 * the configuration, what connections are made from, and the limits.  To be called where LOOP is
 * not running yet. */
struct server *server_join(uv_loop_t *, struct server *first, struct error *);
/* Reads certificates and keys again, for all that were joined; connections keep what they have.
 * When something is wrong with them, everything stays as it was. */
bool server_reload(struct server *, struct error *);
/* Stops listening.  Connections that shake hands or wait for the rest of an answer get their time
 * (drain_seconds); AT_ONCE all end now.  The loop must run on until it has nothing left to do; then
 * server_free. */
void server_stop(struct server *, bool at_once);
void server_free(struct server *);

uint16_t server_port(const struct server *);
/* The address that listener I (from 0) is bound to, or NULL when there are no more. */
const struct sockaddr_storage *server_address(const struct server *, unsigned i);
/* Connections that are open now, of all that were joined. */
unsigned server_open_connections(const struct server *);

#endif
