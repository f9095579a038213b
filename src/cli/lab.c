#include "cli/lab.h"

#include "capture/live.h"
#include "cli/common.h"
#include "cli/port_owner.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SETTLE_MS      4000 /* for connections to end after the client did */
#define BROKEN_SECONDS 3    /* for a handshake with a server that misbehaves */
#define GRACE_MS       30   /* for a connection that the server has not taken yet */

/* ---- the folder ---- */

static bool make_folder(struct lab *lab, struct error *e)
{
    const char *wanted = lab->options->directory ? lab->options->directory : "tlswire-lab";
    struct stat status;
    if (*wanted == '\0' || strlen(wanted) >= sizeof(lab->directory))
        return error_set(e, ERROR_USAGE, "-dir: the folder's name is empty or too long");
    snprintf(lab->directory, sizeof(lab->directory), "%s", wanted);
    if (mkdir(wanted, 0755) != 0 && errno != EEXIST)
        return error_set(e, ERROR_FILE,
                         "cannot make the folder %.300s: %s   try: tlswire lab --dir "
                         "/tmp/tlswire-lab",
                         wanted, strerror(errno));
    if (stat(wanted, &status) != 0 || !S_ISDIR(status.st_mode))
        return error_set(e, ERROR_FILE, "%.300s is there and is not a folder", wanted);
    return true;
}

/* Files of an earlier run go away one by one, never the folder: nothing of anyone else's is
 * touched, and a program that has an old file open keeps it whole. */
static bool name_files(struct lab *lab, struct error *e)
{
    const struct {
        char *path;
        const char *name;
    } files[] = {
        {lab->capture_path, "lab.pcapng"},
        {lab->keys_path, "keys.log"},
        {lab->certificate_path, lab->breakage.row ? "ca.crt" : "server.crt"},
        {lab->client_log_path, "client.log"},
        {lab->client_keys_path, "keys-client.log"},
    };
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        snprintf(files[i].path, LAB_PATH, "%s/%s", lab->directory, files[i].name);
        if (unlink(files[i].path) != 0 && errno != ENOENT)
            return error_set(e, ERROR_FILE,
                             "cannot replace %.300s: %s   try: tlswire lab --dir another-folder",
                             files[i].path, strerror(errno));
    }
    return true;
}

static bool write_keys(struct lab *lab, struct error *e)
{
    struct slice keys = buf_slice(&lab->recording.keys);
    int fd = open(lab->keys_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool ok = fd >= 0;
    while (ok && keys.len > 0) {
        ssize_t count = write(fd, keys.data, keys.len);
        ok = count > 0 && slice_skip(&keys, (size_t)count);
    }
    if (fd >= 0 && close(fd) != 0)
        ok = false;
    return ok || error_set(e, ERROR_FILE, "cannot write %s: %s", lab->keys_path, strerror(errno));
}

/* ---- the server ---- */

static void server_handshake(void *user, const struct endpoint_report *report)
{
    struct lab *lab = user;
    (void)report;
    lab->handshakes++;
}

static void server_said(void *user, uint64_t id, const char *text)
{
    struct lab *lab = user;
    (void)id;
    if (!lab->server_error[0])
        snprintf(lab->server_error, sizeof(lab->server_error), "%s", text);
}

static bool start_server(struct lab *lab, struct error *e)
{
    const struct endpoint_options *o = lab->options;
    bool in_use = false;
    struct server_config config = {
        .settings = o->tls,
        .certificate = lab->authority ? NULL : &lab->certificate,
        .authority = lab->authority,
        .breakage = lab->breakage,
        .host = "",
        .port = o->port,
        .family = o->family,
        .answer = o->answer,
        .hooks = {.on_handshake = server_handshake, .on_error = server_said},
    };
    config.settings.ca_file = config.settings.ca_path = NULL; /* the client's */
    if (lab->breakage.row)
        config.handshake_seconds = BROKEN_SECONDS;
    lab_capture_hooks(lab, &config.hooks);
    lab->server = server_start(&lab->loop, &config, &in_use, e);
    if (in_use)
        port_owner_explain(e, o->port, "lab");
    if (!lab->server)
        return false;
    lab->port = server_port(lab->server);
    for (unsigned i = 0; server_address(lab->server, i); i++) {
        size_t len = strlen(lab->server_text);
        char text[64];
        endpoint_address_text(server_address(lab->server, i), text, sizeof(text));
        snprintf(lab->server_text + len, sizeof(lab->server_text) - len, "%s%s", i ? " and " : "",
                 text);
    }
    return true;
}

/* ---- our own client ---- */

static void client_handshake(void *user, const struct endpoint_report *report)
{
    struct lab *lab = user;
    (void)report;
    if (lab->options->answer.name == ANSWER_WWW)
        client_write(lab->client, slice_of_str("GET / HTTP/1.0\r\nHost: localhost\r\n\r\n"));
}

static void client_over(void *user, enum client_outcome outcome, const char *error)
{
    struct lab *lab = user;
    lab->outcome = outcome;
    lab->client_done = true;
    snprintf(lab->client_error, sizeof(lab->client_error), "%s", error);
}

static bool start_own_client(struct lab *lab, struct error *e)
{
    const struct endpoint_options *o = lab->options;
    uint16_t port;
    struct client_config config = {
        .settings = o->tls,
        .host = lab->client_host,
        .port = lab->port,
        .hooks = {.user = lab, .on_handshake = client_handshake},
        .user = lab,
        .on_done = client_over,
    };
    char address[64];
    endpoint_address_text(server_address(lab->server, 0), address, sizeof(address));
    endpoint_split(address, lab->client_host, sizeof(lab->client_host), &port);
    config.settings.own = (struct identity_files){.cert = NULL}; /* the server's */
    if (!config.settings.servername)
        config.settings.servername = "localhost";
    if (!o->tls.own.cert && !o->tls.ca_file && !o->tls.ca_path)
        config.settings.ca_file = lab->certificate_path;
    if (lab->breakage.row) {
        config.settings.verify_required = config.settings.client.status = true;
        if (!config.settings.alpn)
            config.settings.alpn = "h2,http/1.1"; /* for those that are about it */
        /* Longer than the server waits, so that its end is seen. */
        config.handshake_seconds = BROKEN_SECONDS + 2;
        config.idle_seconds = BROKEN_SECONDS + 2;
    }
    lab->client = client_start(&lab->loop, &config, e);
    return lab->client != NULL;
}

/* ---- the run ---- */

static void limit_reached(uv_timer_t *timer)
{
    struct lab *lab = timer->data;
    lab->time_over = true;
}

static void interrupted(uv_signal_t *signal, int number)
{
    struct lab *lab = signal->data;
    lab->interrupted = number;
}

/* Runs until DONE (which the callbacks change) or for MS. */
static void run_for(struct lab *lab, uint64_t ms, bool (*done)(const struct lab *))
{
    lab->time_over = false;
    uv_update_time(&lab->loop);
    uv_timer_start(&lab->limit, limit_reached, ms, 0);
    while (!lab->time_over && !lab->interrupted && !(done && done(lab)))
        uv_run(&lab->loop, UV_RUN_ONCE);
    uv_timer_stop(&lab->limit);
}

static bool client_is_done(const struct lab *lab)
{
    return lab->client_done;
}

static bool connections_are_over(const struct lab *lab)
{
    return server_open_connections(lab->server) == 0;
}

/* Ends a client that did not end by itself. */
static void stop_client(struct lab *lab)
{
    static const int signals[] = {SIGTERM, SIGKILL};
    int interrupted_by = lab->interrupted;
    lab->client_stopped = true;
    if (lab->client)
        client_abort(lab->client);
    for (size_t i = 0; i < 2 && !lab->client_done; i++) {
        lab->interrupted = 0; /* to run on once more */
        lab_client_kill(lab, signals[i]);
        run_for(lab, 500, client_is_done);
    }
    if (interrupted_by)
        lab->interrupted = interrupted_by;
}

static void run_client(struct lab *lab)
{
    /* Our own client keeps its limits by itself; this is for one that is not. */
    run_for(lab, (lab->client ? 30 : LAB_CLIENT_SECONDS) * UINT64_C(1000), client_is_done);
    if (!lab->client_done)
        stop_client(lab);
    lab_client_kill(lab, SIGKILL); /* whatever it left running */
}

static void watch(struct lab *lab, uv_signal_t *signal, int number)
{
    uv_signal_init(&lab->loop, signal);
    signal->data = lab;
    uv_signal_start(signal, interrupted, number);
}

/* What the server shows, and the file that a client may trust. */
static bool make_certificate(struct lab *lab, struct error *e)
{
    const struct endpoint_options *o = lab->options;
    enum certificate_kind kind = o->rsa ? CERTIFICATE_RSA_2048 : CERTIFICATE_ECDSA_P256;
    if (o->tls.own.cert)
        return true;
    if (!lab->breakage.row)
        return certificate_make(&lab->certificate, kind, e) &&
               certificate_write(&lab->certificate, lab->certificate_path, e);
    lab->authority = authority_new_temporary(o->rsa, e);
    return lab->authority &&
           certificate_write(authority_root(lab->authority), lab->certificate_path, e);
}

static bool run(struct lab *lab, struct error *e)
{
    const struct endpoint_options *o = lab->options;
    if (!make_certificate(lab, e) || !start_server(lab, e))
        return false;
    lab_capture_start(lab); /* before anything connects */
    if (!(o->client ? lab_client_start(lab, e) : start_own_client(lab, e)))
        return false;
    run_client(lab);
    run_for(lab, GRACE_MS, NULL);
    run_for(lab, SETTLE_MS, connections_are_over);
    if (lab->interrupted)
        return error_set(e, ERROR_NETWORK, "stopped by signal %d", lab->interrupted);
    return true;
}

static void close_handle(uv_handle_t *handle, void *user)
{
    (void)user;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

/* Lets the loop come to its end, whatever happened before. */
static void wind_down(struct lab *lab)
{
    uv_handle_t *own[] = {(uv_handle_t *)&lab->limit, (uv_handle_t *)&lab->interrupt,
                          (uv_handle_t *)&lab->terminate};
    if (lab->server)
        server_stop(lab->server, true);
    if (lab->client && !lab->client_done)
        client_abort(lab->client);
    if (lab->process_live)
        close_handle((uv_handle_t *)&lab->process, NULL);
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
        close_handle(own[i], NULL);
    lab_capture_stop(lab);
    uv_run(&lab->loop, UV_RUN_DEFAULT);
    uv_loop_close(&lab->loop);
}

bool lab_run(struct lab *lab, const struct endpoint_options *options, struct error *e)
{
    *lab = (struct lab){.options = options};
    recording_init(&lab->recording);
    if ((options->breakage && !breakage_find(options->breakage, &lab->breakage, e)) ||
        !make_folder(lab, e) || !name_files(lab, e))
        return false;
    if (uv_loop_init(&lab->loop) != 0)
        return error_set(e, ERROR_MEMORY, "cannot make an event loop");
    uv_timer_init(&lab->loop, &lab->limit);
    lab->limit.data = lab;
    watch(lab, &lab->interrupt, SIGINT);
    watch(lab, &lab->terminate, SIGTERM);
    bool ok = run(lab, e);
    wind_down(lab);
    return ok && write_keys(lab, e) && lab_capture_write(lab, e);
}

void lab_free(struct lab *lab)
{
    client_free(lab->client);
    server_free(lab->server);
    certificate_free(&lab->certificate);
    authority_free(lab->authority);
    recording_free(&lab->recording);
    if (lab->live)
        live_close(lab->live);
}

int lab_status(const struct lab *lab)
{
    if (lab->outcome == CLIENT_NOT_CONNECTED || lab->connections == 0)
        return EXIT_NOT_CONNECTED;
    if (lab->outcome == CLIENT_TLS_FAILED || lab->handshakes < lab->connections)
        return EXIT_TLS_FAILED;
    return lab->outcome == CLIENT_FINISHED ? EXIT_OK : EXIT_RUNTIME;
}
