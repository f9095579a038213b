/* One run of `tlswire lab`: a server, a client, and what went between them.
 *
 * lab.c runs it, lab_capture.c gathers the packets, lab_client.c runs somebody else's client,
 * cmd_lab.c has the words. */
#ifndef TLSWIRE_CLI_LAB_H
#define TLSWIRE_CLI_LAB_H

#include "base/error.h"
#include "cli/openssl_options.h"
#include "cli/recording.h"
#include "cli/views.h"
#include "endpoint/certificate.h"
#include "endpoint/client.h"
#include "endpoint/server.h"

#include <uv.h>

#define LAB_PATH           512
#define LAB_CLIENT_SECONDS 10 /* for a client that is not our own */

enum lab_source {
    LAB_CAPTURED,
    LAB_NOT_ASKED,   /* --no-capture */
    LAB_NOT_ALLOWED, /* no privilege, or no interface */
};

struct lab {
    const struct endpoint_options *options;
    char directory[LAB_PATH - 32];
    char capture_path[LAB_PATH], keys_path[LAB_PATH], certificate_path[LAB_PATH],
        client_log_path[LAB_PATH], client_keys_path[LAB_PATH];

    uv_loop_t loop;
    uv_timer_t limit; /* for the client, then for the ends of the connections */
    uv_signal_t interrupt, terminate;
    int interrupted; /* the signal's number */

    struct certificate certificate;
    struct breakage_choice breakage; /* the server misbehaves, with certificates of … */
    struct authority *authority;     /* … this CA */
    struct server *server;
    char server_text[256]; /* "127.0.0.1:4433 and [::1]:4433" */
    uint16_t port;
    unsigned connections, handshakes;
    char server_error[256];

    struct client *client; /* our own, or … */
    uv_process_t process;  /* … somebody else's */
    bool process_live, client_done, client_stopped, time_over;
    char client_host[64]; /* what our own connects to */
    enum client_outcome outcome;
    char client_error[256];

    struct recording recording;
    enum lab_source source;
    struct live *live;
    uv_poll_t live_ready;
    bool live_watched;
};

/* Makes the folder, runs everything, writes the files.  False: it could not be done at all, and the
 * error says why; a handshake that fails is a good run.  After either, lab_free. */
bool lab_run(struct lab *, const struct endpoint_options *, struct error *);
void lab_free(struct lab *);
/* The exit status that says how the run went. */
int lab_status(const struct lab *);

/* lab_capture.c: starts to capture, or falls back to the sockets' bytes. */
void lab_capture_start(struct lab *);
/* Waits until no more packets come, and stops. */
void lab_capture_stop(struct lab *);
bool lab_capture_write(struct lab *, struct error *);
/* The server's hooks call these; they do nothing during a real capture. */
void lab_capture_hooks(struct lab *, struct endpoint_hooks *);

/* lab_client.c: runs options->client. */
bool lab_client_start(struct lab *, struct error *);
/* Ends the client and whatever it started. */
void lab_client_kill(struct lab *, int signal);

#endif
