/* The options of `openssl s_server` and `openssl s_client`, for the subcommands serve, connect and
 * lab: one table for all three, with tlswire's own options beside them.
 *
 * `-name`, `--name`, `-name value` and `--name=value` all work.  An option that OpenSSL has and
 * that is not built here is an error that says so; nothing is ever ignored. */
#ifndef TLSWIRE_CLI_OPENSSL_OPTIONS_H
#define TLSWIRE_CLI_OPENSSL_OPTIONS_H

#include "base/error.h"
#include "cli/confine.h"
#include "endpoint/answer.h"
#include "endpoint/settings.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum option_command { FOR_SERVE = 1, FOR_CONNECT = 2, FOR_LAB = 4 };

#define DEFAULT_PORT 4433 /* the one of the note, and of OpenSSL's tools */

/* What only `tlswire connect` has. */
struct connect_options {
    const char *starttls, *name;                     /* name: -name or -xmpphost */
    const char *proxy, *proxy_user, *proxy_password; /* password: a source, as -pass */
    const char *bind;
    const char *session_out;
    const char *get, *expect;
    unsigned timeout; /* seconds for everything; 0: none */
    bool classic, showcerts, reconnect, crlf, ignore_eof, stop_at_eof, insecure;
    const char *without_effect[8]; /* options that changed nothing */
    unsigned without_effect_count;
};

/* All texts are borrowed from argv. */
struct endpoint_options {
    struct tls_settings tls;
    char host[256]; /* -accept's or -connect's; "" when it was not said */
    uint16_t port;
    bool port_given;
    int family; /* AF_UNSPEC, AF_INET, AF_INET6 */
    struct answer_config answer;
    const char *answer_from; /* the option that chose it; NULL: none did */
    bool quiet, help;
    struct tls_name *second_name; /* -servername's in tls.server.names; NULL: none */
    bool status, brief, msg, trace, state, debug;
    unsigned accept_count;    /* -naccept; 0: no end */
    const char *capture;      /* --capture */
    const char *export_label; /* -keymatexport */
    unsigned export_length;   /* 0: 20 */
    const char *keylog_file;
    bool rsa;
    const char *breakage; /* --break */
    const char *color;    /* "auto", "always", "never" */
    bool ascii;
    struct connect_options connect;
    /* serve; numbers: 0 is the default */
    unsigned workers, max_connections, max_per_address;
    unsigned handshake_limit, idle_limit, write_limit, drain_limit, ticket_rotation; /* seconds */
    unsigned log_limit; /* lines in a second */
    const char *ticket_keys, *user;
    bool no_drop;
    enum sandbox sandbox;
    /* lab */
    const char *view, *client, *directory;
    bool no_capture;
};

/* Reads argv[1…]; argv[0] is the subcommand's name.  ERROR_USAGE with one clear line. */
bool openssl_options_parse(int argc, char **argv, enum option_command, struct endpoint_options *,
                           struct error *);
/* The options of a command, a line each, for its --help. */
void openssl_options_help(FILE *out, enum option_command);

#endif
