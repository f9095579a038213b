/* One TCP connection with TLS on it, on a libuv loop: what a server's connection and a client
 * share.
 *
 * A link drives the handshake, moves bytes, keeps the time limits, tells the hooks, and ends so
 * that no RST is sent: close_notify, FIN, then it reads on until the peer's FIN or for a short
 * while. */
#ifndef TLSWIRE_ENDPOINT_LINK_H
#define TLSWIRE_ENDPOINT_LINK_H

#include "endpoint/hooks.h"
#include "endpoint/mischief.h"
#include "endpoint/tls_pipe.h"

#include <uv.h>

enum link_state {
    LINK_IDLE,  /* not connected yet */
    LINK_PLAIN, /* the talk before TLS: a proxy's, STARTTLS */
    LINK_HANDSHAKE,
    LINK_OPEN,
    LINK_DRAINING, /* close_notify and FIN are on their way; waiting for the peer's */
    LINK_CLOSED,
};

struct link;

/* What the owner does; only `writable` may be NULL, and `plain` of links that never are.  An owner may call any link function in them. */
struct link_owner {
    void (*ready)(struct link *);                    /* handshake finished */
    void (*data)(struct link *, struct slice plain); /* application data */
    void (*peer_closed)(struct link *);              /* no more data will come */
    /* Less than LINK_LOW bytes wait for the socket, after more did. */
    void (*writable)(struct link *);
    void (*plain)(struct link *, struct slice bytes); /* what came before TLS */
    void (*gone)(struct link *);                      /* both handles closed: free it now */
};

struct link_limits {
    uint64_t handshake_ms, idle_ms, linger_ms;
    uint64_t write_ms; /* for a peer that takes nothing of what waits for it; 0: 30 s */
};

struct link {
    uv_tcp_t tcp;
    uv_timer_t timer;
    struct tls_pipe tls;
    enum link_state state;
    struct endpoint_report report;
    const struct endpoint_hooks *hooks;
    const struct link_owner *owner;
    struct link_limits limits;
    void *user;
    uint8_t
        *scratch;    /* LINK_SCRATCH bytes, shared by the links of a loop; never held over a call */
    uint64_t active; /* when something last came or went, in the loop's time */
    size_t drained;  /* bytes read after the end */
    size_t left;     /* bytes that were queued when a limit was last looked at */
    bool opened;     /* on_open was called */
    bool fin_sent, fin_received, peer_closed;
    struct mischief *mischief; /* owned; what is done to all that goes out; NULL: nothing */
    bool held, resets;         /* … it says no more; it ends with an RST */
    bool paused;               /* the owner takes no data now */
    bool reading;              /* data are being given to the owner */
    bool full;                 /* `writable` is due when the queue has become short */
    unsigned open_handles;
};

#define LINK_SCRATCH 65536
/* An owner that moves data between two ends stops reading from one when HIGH bytes wait for the
 * other, and goes on when fewer than LOW do. */
#define LINK_HIGH ((size_t)64 << 10)
#define LINK_LOW  ((size_t)16 << 10)

/* Makes the two handles.  After a success the link lives until `gone`; after a failure it is
 * unused. */
bool link_init(struct link *, uv_loop_t *, struct error *);
/* The TCP connection stands and link->tls is open: starts the handshake. */
void link_start(struct link *);
/* The same, for a talk before TLS; link_start ends it. */
void link_start_plain(struct link *);
bool link_write_plain(struct link *, struct slice bytes);
/* Queues application data; false when the link is not open. */
bool link_write(struct link *, struct slice plain);
/* Bytes waiting for the socket. */
size_t link_queued(const struct link *);
/* No data to the owner, and no reading from the socket, until link_resume. */
void link_pause(struct link *);
void link_resume(struct link *);
/* close_notify, FIN, drain. */
void link_close(struct link *);
/* Records the error, tells the hooks, and ends like link_close. */
void link_fail(struct link *, const char *text);
/* Ends at once; RESET tells the hooks that the peer saw (or did) an RST. */
void link_abort(struct link *, bool reset);
/* Restarts the time limit of the present state. */
void link_touch(struct link *);

#endif
