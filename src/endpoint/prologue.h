/* What is said on a connection before TLS: to a proxy (HTTP CONNECT), and in the protocols that ask
 * for TLS in the clear (STARTTLS).  No sockets here: bytes in, bytes out.
 *
 * A protocol is a few rows of a table: what to send, what must come.  The peer may say 32 KiB in all
 * until then. */
#ifndef TLSWIRE_ENDPOINT_PROLOGUE_H
#define TLSWIRE_ENDPOINT_PROLOGUE_H

#include "base/buf.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

#define PROLOGUE_CEILING 32768

struct prologue_config {
    const char *protocol; /* of STARTTLS; NULL: none */
    const char *name;     /* what the client or, for XMPP, the server is called */
    bool proxy;
    const char *host; /* for the proxy: where to */
    uint16_t port;
    const char *proxy_user, *proxy_password; /* NULL: none */
};

enum prologue_state {
    PROLOGUE_MORE,    /* needs more bytes */
    PROLOGUE_READY,   /* now TLS */
    PROLOGUE_REFUSED, /* `error` says how */
};

struct prologue_step;

struct prologue {
    struct prologue_config config;
    const struct prologue_step *step;
    bool proxy_done;
    struct buf in;
    size_t total; /* bytes that the peer has said */
    char error[256];
};

/* Whether there is such a protocol. */
bool prologue_knows(const char *protocol);
/* The names, with commas between. */
void prologue_names(char *text, size_t size);
/* CONFIG's texts are borrowed. */
void prologue_init(struct prologue *, const struct prologue_config *);
void prologue_free(struct prologue *);
/* Whether there is anything to say at all. */
bool prologue_is_needed(const struct prologue_config *);
/* Takes what came (nothing at first), appends what is to be sent to OUT. */
enum prologue_state prologue_take(struct prologue *, struct slice bytes, struct buf *out);

#endif
