/* TLS without a socket: bytes from the network go in, bytes for the network come out.
 *
 * A thin layer over one OpenSSL SSL that remembers what went wrong in words.  A pipe at rest holds
 * no bytes and no memory for them: a server may have thousands that do nothing. */
#ifndef TLSWIRE_ENDPOINT_TLS_PIPE_H
#define TLSWIRE_ENDPOINT_TLS_PIPE_H

#include "base/buf.h"
#include "base/error.h"
#include "base/slice.h"
#include "endpoint/context.h"
#include "endpoint/hooks.h"

#include <openssl/ssl.h>

enum tls_progress {
    TLS_AGAIN,  /* needs bytes from the network */
    TLS_DONE,   /* handshake: finished; read: bytes were read */
    TLS_CLOSED, /* the peer's close_notify came */
    TLS_FAILED, /* tls_pipe_explain says why */
};

/* What is wrong with the peer's chain, at which certificate of it (0: the leaf). */
struct tls_problem {
    int error, depth; /* X509_V_ERR_* */
};

#define TLS_PROBLEMS 8

struct tls_pipe {
    SSL *ssl;
    struct buf in, out;             /* bytes from and for the network */
    size_t taken;                   /* bytes of IN that TLS has read */
    int alert_sent, alert_received; /* description of the last fatal or warning one, or -1 */
    unsigned key_updates;           /* that the peer asked for */
    bool keep_hello;                /* a server keeps the client's first hello in HELLO */
    struct buf hello;
    bool awaits_early;      /* a server that may still get early data */
    struct buf early;       /* what came before the handshake was finished */
    struct slice early_out; /* a client's early data, borrowed; empty once it is sent */
    struct tls_problem problems[TLS_PROBLEMS];
    unsigned problem_count;
    void (*on_keylog)(void *user, const char *line);
    void (*on_state)(void *user, const char *text); /* what it does now; may be NULL */
    /* What is sent: a record's header, its inner type, a message; as SSL_set_msg_callback tells. */
    void (*on_sent)(void *user, int content_type, struct slice what);
    /* May be NULL. */
    void (*on_message)(void *user, const struct endpoint_message *);
    /* A client has got a session to resume; borrowed. */
    void (*on_session)(void *user, SSL_SESSION *);
    void *user;
    const struct sockaddr_storage *local; /* server: what the client connected to; NULL: unknown */
};

/* NAME is the client's SNI and the name to check the certificate against; NULL for a server, or for
 * none.  The pipe stays where it is until tls_pipe_free. */
bool tls_pipe_open(struct tls_pipe *, SSL_CTX *, enum tls_role, const char *sni, const char *name,
                   struct error *);
void tls_pipe_free(struct tls_pipe *);
/* Sends the secrets of pipes of CTX to their on_keylog. */
void tls_pipe_log_keys(SSL_CTX *ctx);

/* False when memory ran out or more came than TLS would read. */
bool tls_pipe_feed(struct tls_pipe *, struct slice from_network);
enum tls_progress tls_pipe_handshake(struct tls_pipe *);
/* With TLS_DONE, *LEN bytes (at least one) are in BUFFER. */
enum tls_progress tls_pipe_read(struct tls_pipe *, uint8_t *buffer, size_t size, size_t *len);
bool tls_pipe_write(struct tls_pipe *, struct slice plain);
/* Queues close_notify, once; later reads still see what the peer sends. */
void tls_pipe_close(struct tls_pipe *);
/* What waits to be sent; valid until the next call on the pipe. */
struct slice tls_pipe_output(struct tls_pipe *);
void tls_pipe_output_taken(struct tls_pipe *);

/* After TLS_FAILED: the reason in words, with the alert sent or received. */
void tls_pipe_explain(struct tls_pipe *, char *text, size_t size);
/* Fills in what the handshake has decided so far. */
void tls_pipe_report(const struct tls_pipe *, struct endpoint_report *);

#endif
