/* A TLS client on a libuv loop: resolves, tries every address, shakes hands, moves data both ways.
 *
 * SIGPIPE must be ignored by the program. */
#ifndef TLSWIRE_ENDPOINT_CLIENT_H
#define TLSWIRE_ENDPOINT_CLIENT_H

#include "base/error.h"
#include "endpoint/hooks.h"
#include "endpoint/prologue.h"
#include "endpoint/settings.h"

#include <openssl/ssl.h>
#include <uv.h>

enum client_outcome {
    CLIENT_RUNNING,
    CLIENT_NOT_CONNECTED, /* name, address, TCP, and the talk before TLS */
    CLIENT_TLS_FAILED,    /* during the handshake, or refused by the peer before any data came */
    CLIENT_BROKEN,        /* after the handshake: the connection broke or TLS failed */
    CLIENT_FINISHED,
};

struct client_config {
    struct tls_settings settings;
    const char *host; /* name or address */
    uint16_t port;
    int family;                                  /* AF_UNSPEC, AF_INET or AF_INET6 */
    unsigned connect_seconds, handshake_seconds; /* 0: 10 each; the first is for all addresses */
    unsigned idle_seconds;                       /* 0: no limit */
    const char *proxy; /* an HTTP proxy to go through, "host:port"; NULL: none */
    const char *bind;  /* where to connect from, "address" or "address:port"; NULL: anywhere */
    struct prologue_config prologue; /* proxy, host and port in it are filled in here */
    SSL_SESSION *session;            /* to resume, instead of the settings'; borrowed */
    struct endpoint_hooks hooks;
    void *user;
    /* A session to resume; take a reference to keep it.  May be NULL. */
    void (*on_session)(void *user, SSL_SESSION *);
    /* Each message; may be NULL. */
    void (*on_message)(void *user, const struct endpoint_message *);
    /* Data from the peer; may be NULL. */
    void (*on_data)(void *user, struct slice plain);
    /* The end; called once, from the loop.  ERROR is "" unless something went wrong. */
    void (*on_done)(void *user, enum client_outcome, const char *error);
};

struct client;
struct tls_pipe;

/* CONFIG is copied, its texts are borrowed.  NULL when the settings do not work. */
struct client *client_start(uv_loop_t *, const struct client_config *, struct error *);
/* Queues data for the peer; false when there is no open connection. */
bool client_write(struct client *, struct slice plain);
size_t client_queued(const struct client *);
/* Says close_notify, ends the connection properly. */
void client_finish(struct client *);
/* Ends at once. */
void client_abort(struct client *);
/* The connection's TLS, from the handshake to on_close; else NULL.  To look at. */
const struct tls_pipe *client_tls(const struct client *);
const struct endpoint_report *client_report(const struct client *);
/* After on_done, when the loop has nothing of the client left (uv_run returned). */
void client_free(struct client *);

#endif
