/* One run of `tlswire connect`, shared by its files: cmd_connect.c runs it, connect_talk.c says in
 * words what came of the handshake, connect_classic.c as openssl s_client does. */
#ifndef TLSWIRE_CLI_CONNECT_H
#define TLSWIRE_CLI_CONNECT_H

#include "cli/openssl_options.h"
#include "cli/recording.h"
#include "cli/views.h"
#include "endpoint/client.h"
#include "endpoint/http_reply.h"

#include <openssl/ssl.h>
#include <uv.h>

struct connecting {
    struct endpoint_options options;
    uv_loop_t loop;
    uv_timer_t idle, limit;
    struct client *client;
    struct recording recording;
    bool recording_on, ladder_shown, told, open, input_over, done, timed_out;
    bool handshake_done, trusted, truncated;
    unsigned round; /* of -reconnect: 0 is the first connection */
    SSL_SESSION *session;
    bool session_is_new; /* it came on this connection */
    char proxy_password[256];
    struct http_reply reply;
    struct buf tail; /* of what came, for -expect */
    bool expected_came;
    uint64_t sent, received; /* bytes of the connection so far */
    int keylog;              /* -1: none */
    int output_error;
    enum client_outcome outcome;
    char error[512];
};

struct tls_pipe;

/* connect_options.c: whether the options fit together; what they mean besides. */
bool connect_check_options(struct connecting *, struct error *);
void connect_help(void);

/* connect_files.c */
/* What was recorded as one of the reader's views, on stderr. */
void connect_show_view(const struct connecting *, enum lab_view);
bool connect_keep_capture(const struct connecting *, struct error *);
bool connect_keep_session(const struct connecting *, struct error *);

/* The chain, whether it is trusted and why, what was negotiated, on stderr. */
void connect_talk(const struct connecting *, const struct tls_pipe *,
                  const struct endpoint_report *);
/* As openssl s_client: the block on stdout; -brief on stderr. */
void connect_classic(const struct connecting *, const struct tls_pipe *);
void connect_brief(const struct tls_pipe *);
/* "Post-Handshake New Session Ticket arrived" */
void connect_classic_session(SSL *, const SSL_SESSION *);
/* The server's certificates as PEM on stdout. */
void connect_show_certificates(SSL *);
/* connect_watch.c: bytes of the socket for -debug, a message for -msg; on stderr. */
void connect_dump(bool sent, struct slice);
void connect_message(const struct endpoint_message *);
/* Whether the server has proved who it is. */
bool connect_is_trusted(const struct tls_pipe *);

#endif
