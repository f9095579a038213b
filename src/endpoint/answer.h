/* What a server says on its connections: one kind of answer for a server, one file for each kind.
 *
 * The server makes connections and leaves all that is said on them to the answer; the answer says
 * when a connection is over (link_close).  A kind of answer that moves data between two ends keeps
 * neither waiting for memory: it stops reading from one while much waits for the other (LINK_HIGH,
 * LINK_LOW). */
#ifndef TLSWIRE_ENDPOINT_ANSWER_H
#define TLSWIRE_ENDPOINT_ANSWER_H

#include "base/buf.h"
#include "base/error.h"
#include "endpoint/link.h"

enum answer_name {
    ANSWER_TEST,      /* "test\n", and the end */
    ANSWER_ECHO,      /* what came */
    ANSWER_REV,       /* each line backwards, as s_server -rev */
    ANSWER_WWW,       /* HTTP: a page about the connection */
    ANSWER_FILES,     /* HTTP: files below a folder */
    ANSWER_RESPONSES, /* files below a folder that are whole responses */
    ANSWER_EXEC,      /* what a program says: one for each connection */
    ANSWER_PROXY,     /* what another server says, in plain */
    ANSWER_PROXY_TLS,
    ANSWER_COUNT,
};

/* What a server is told about its answers; texts are borrowed. */
struct answer_config {
    enum answer_name name;
    const char *argument; /* a folder, a command, host:port */
    /* Appends the connection's ladder so far; NULL: nobody draws any. */
    void (*ladder)(void *user, uint64_t id, struct buf *out);
    void *user;
    struct upstream *found;              /* what the first of joined servers has found; else NULL */
    const struct tls_settings *upstream; /* of the client's side of ANSWER_PROXY_TLS */
};

struct answer_kind;

/* The answers of a server: its settings, and what they need that lives as long as the server. */
struct answers {
    struct answer_config config;
    const struct answer_kind *kind;
    uv_loop_t *loop;
    int folder;                /* -1: none */
    struct upstream *upstream; /* of a proxy */
    bool stopping; /* the server is being stopped: no new request on a connection, only its end */
};

/* The answer on one connection. */
struct answer {
    const struct answer_kind *kind;
    struct answers *answers;
    struct link *link;
    void *state; /* the kind's own; NULL until it needs one */
};

/* Only `ready` must be there.  Nothing is called before `ready` but `free`. */
struct answer_kind {
    const char *name;
    const struct answer_kind *http2;                   /* instead, when ALPN says h2; NULL: none */
    bool wants_hello;                                  /* the pipe is to keep the ClientHello */
    bool (*prepare)(struct answers *, struct error *); /* once for the server */
    void (*ready)(struct answer *);                    /* the handshake is finished */
    void (*data)(struct answer *, struct slice plain);
    void (*peer_closed)(struct answer *); /* it says no more; NULL: then the connection is over */
    void (*writable)(struct answer *);    /* the queue of the link has become short */
    /* It owes the peer something still; NULL: never.  A server that is stopped waits for it. */
    bool (*busy)(const struct answer *);
    /* The link is gone.  A state with handles of its own closes them now and is freed later. */
    void (*free)(struct answer *);
};

extern const struct answer_kind answer_test, answer_echo, answer_rev, answer_www, answer_files,
    answer_responses, answer_http2, answer_exec, answer_proxy, answer_proxy_tls;

bool answers_prepare(struct answers *, const struct answer_config *, uv_loop_t *, struct error *);

void answers_free(struct answers *);
/* Before the handshake. */
void answer_open(struct answer *, struct answers *, struct link *);

/* For kinds: makes their state, SIZE bytes of 0; NULL: no memory, and the link is told. */
void *answer_state(struct answer *, size_t size);

/* The events of a connection, for its owner. */
void answer_ready(struct answer *);
void answer_data(struct answer *, struct slice plain);
void answer_peer_closed(struct answer *);
void answer_writable(struct answer *);
bool answer_busy(const struct answer *);
void answer_free(struct answer *);

#endif
