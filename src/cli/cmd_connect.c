/* `tlswire connect`: a client that shows its handshake and then is a pipe, with s_client's options.
 */
#include "cli/cmd_connect.h"

#include "cli/common.h"
#include "cli/openssl_options.h"
#include "cli/recording.h"
#include "cli/views.h"
#include "endpoint/client.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define IDLE_AFTER_EOF_MS 2000 /* the peer's time to answer when our input is over */
#define SENDING_CEILING \
    ((size_t)1 << 18) /* bytes waiting for the peer before input is held back \
                       */

struct connecting {
    struct endpoint_options options;
    uv_loop_t loop;
    uv_timer_t idle;
    struct client *client;
    struct recording recording;
    bool recording_on, ladder_shown, open, input_over, done;
    int keylog; /* -1: none */
    int output_error;
    enum client_outcome outcome;
    char error[256];
};

/* ---- the handshake as a ladder ---- */

static bool write_capture(struct connecting *c, char *path, struct error *e)
{
    const char *folder = getenv("TMPDIR");
    snprintf(path, 512, "%.400s/tlswire-XXXXXX.pcapng", folder && *folder ? folder : "/tmp");
    int fd = mkstemps(path, 7); /* mode 0600 */
    if (fd < 0)
        return error_set(e, ERROR_FILE, "cannot write %s: %s", path, strerror(errno));
    bool ok = recording_write(&c->recording, path, fd,
                              "synthetic TCP: made from the bytes of the client's socket", e);
    close(fd);
    return ok;
}

static void show_ladder(struct connecting *c)
{
    struct error e = {.code = ERROR_NONE};
    char path[512];
    if (c->ladder_shown)
        return;
    c->ladder_shown = true;
    c->recording_on = false;
    if (c->options.quiet || recording_count(&c->recording) == 0)
        return;
    struct view_request request = {
        .capture_path = path,
        .view = VIEW_LADDER,
        .tls_port = c->options.port,
        .color = common_color(c->options.color, stderr),
        .ascii = common_ascii(c->options.ascii),
        .out = stderr,
        .keys_from = c->recording.keys.len > 0 ? "this client" : NULL,
    };
    if (!write_capture(c, path, &e)) {
        common_fail(&e, EXIT_RUNTIME);
        return;
    }
    if (view_render(&request, &e) != 0)
        common_fail(&e, EXIT_RUNTIME);
    fflush(stderr);
    unlink(path);
}

/* ---- hooks ---- */

static void on_open(void *user, const struct endpoint_report *report, int64_t time_ns)
{
    struct connecting *c = user;
    recording_open(&c->recording, report, SYNTH_CLIENT, time_ns);
}

static void on_bytes(void *user, uint64_t id, enum endpoint_direction direction, struct slice bytes,
                     int64_t time_ns)
{
    struct connecting *c = user;
    if (c->recording_on)
        recording_bytes(&c->recording, id, direction, bytes, time_ns);
}

static void on_end(void *user, uint64_t id, enum endpoint_direction direction, bool reset,
                   int64_t time_ns)
{
    struct connecting *c = user;
    if (c->recording_on)
        recording_end(&c->recording, id, direction, reset, time_ns);
}

static void on_keylog(void *user, uint64_t id, const char *line)
{
    struct connecting *c = user;
    (void)id;
    if (c->recording_on)
        recording_key(&c->recording, line);
    if (c->keylog >= 0)
        common_keylog_line(c->keylog, line);
}

static void on_handshake(void *user, const struct endpoint_report *r)
{
    struct connecting *c = user;
    c->open = true;
    show_ladder(c);
    if (c->options.quiet)
        return;
    fprintf(stderr, "connected: %s %s %s, certificate %s", r->version, r->cipher, r->group,
            r->verified ? "trusted" : "not trusted: ");
    if (!r->verified)
        common_put_escaped(stderr, r->verify_result);
    if (r->alpn[0]) {
        fputs(", ALPN ", stderr);
        common_put_escaped(stderr, r->alpn);
    }
    fputc('\n', stderr);
}

/* ---- the pipe ---- */

static void put_all(struct connecting *c, struct slice bytes)
{
    while (bytes.len > 0 && !c->output_error) {
        ssize_t count = write(STDOUT_FILENO, bytes.data, bytes.len);
        struct pollfd wait = {.fd = STDOUT_FILENO, .events = POLLOUT};
        if (count > 0)
            slice_skip(&bytes, (size_t)count);
        else if (errno == EAGAIN)
            poll(&wait, 1, -1);
        else if (errno != EINTR)
            c->output_error = errno;
    }
    if (c->output_error)
        client_finish(c->client);
}

static void nothing_came(uv_timer_t *timer)
{
    struct connecting *c = timer->data;
    if (client_queued(c->client) > 0)
        uv_timer_start(timer, nothing_came, IDLE_AFTER_EOF_MS, 0); /* the peer is still reading */
    else
        client_finish(c->client);
}

static void wait_for_answer(struct connecting *c)
{
    if (c->input_over && !c->done)
        uv_timer_start(&c->idle, nothing_came, IDLE_AFTER_EOF_MS, 0);
}

static void on_data(void *user, struct slice plain)
{
    struct connecting *c = user;
    put_all(c, plain);
    wait_for_answer(c);
}

static void on_done(void *user, enum client_outcome outcome, const char *error)
{
    struct connecting *c = user;
    c->done = true;
    c->open = false;
    c->outcome = outcome;
    snprintf(c->error, sizeof(c->error), "%s", error);
    uv_close((uv_handle_t *)&c->idle, NULL);
}

static void read_input(struct connecting *c)
{
    uint8_t bytes[16384];
    ssize_t count = read(STDIN_FILENO, bytes, sizeof(bytes));
    if (count > 0) {
        client_write(c->client, slice_of(bytes, (size_t)count));
        return;
    }
    if (count < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    c->input_over = true;
    if (isatty(STDIN_FILENO))
        client_finish(c->client); /* somebody has pressed Ctrl-D */
    else
        wait_for_answer(c);
}

/* Not on the event loop: libuv would make stdin non-blocking, which the shell and every program
 * that shares the terminal would inherit, and cannot watch plain files. */
static void pump(struct connecting *c)
{
    for (;;) {
        int alive = uv_run(&c->loop, UV_RUN_NOWAIT);
        if (!alive)
            return;
        bool reading = c->open && !c->input_over && client_queued(c->client) < SENDING_CEILING;
        struct pollfd wait[2] = {
            {.fd = uv_backend_fd(&c->loop), .events = POLLIN},
            {.fd = reading ? STDIN_FILENO : -1, .events = POLLIN},
        };
        if (poll(wait, 2, uv_backend_timeout(&c->loop)) > 0 && wait[1].revents)
            read_input(c);
    }
}

static int result(struct connecting *c)
{
    static const int codes[] = {
        [CLIENT_RUNNING] = EXIT_RUNTIME,       [CLIENT_NOT_CONNECTED] = EXIT_NOT_CONNECTED,
        [CLIENT_TLS_FAILED] = EXIT_TLS_FAILED, [CLIENT_BROKEN] = EXIT_RUNTIME,
        [CLIENT_FINISHED] = EXIT_OK,
    };
    show_ladder(c); /* as far as it got */
    if (c->error[0]) {
        fputs("tlswire: ", stderr);
        common_put_escaped(stderr, c->error);
        fputc('\n', stderr);
    }
    if (c->output_error && c->output_error != EPIPE) {
        fprintf(stderr, "tlswire: cannot write to standard output: %s\n",
                strerror(c->output_error));
        return EXIT_RUNTIME;
    }
    return codes[c->outcome];
}

/* A key log that was asked for must work; one from the environment may be meant for others. */
static bool open_keylog(struct connecting *c, struct error *e)
{
    struct error ignored = {.code = ERROR_NONE};
    const char *from_environment = getenv("SSLKEYLOGFILE");
    if (c->options.keylog_file)
        return (c->keylog = common_keylog_open(c->options.keylog_file, e)) >= 0;
    if (from_environment && *from_environment &&
        (c->keylog = common_keylog_open(from_environment, &ignored)) < 0)
        fprintf(stderr, "tlswire: SSLKEYLOGFILE: %s\n", ignored.text);
    return true;
}

static int run(struct connecting *c)
{
    struct error e = {.code = ERROR_NONE};
    struct client_config config = {
        .settings = c->options.tls,
        .host = c->options.host,
        .port = c->options.port,
        .family = c->options.family,
        .hooks = {.user = c,
                  .on_open = on_open,
                  .on_bytes = on_bytes,
                  .on_end = on_end,
                  .on_handshake = on_handshake,
                  .on_keylog = on_keylog},
        .user = c,
        .on_data = on_data,
        .on_done = on_done,
    };
    if (!open_keylog(c, &e))
        return common_fail(&e, EXIT_RUNTIME);
    c->client = client_start(&c->loop, &config, &e);
    if (!c->client)
        return common_fail(&e, e.code == ERROR_USAGE ? EXIT_USAGE : EXIT_RUNTIME);
    uv_timer_init(&c->loop, &c->idle);
    c->idle.data = c;
    pump(c);
    int code = result(c);
    client_free(c->client);
    return code;
}

int cmd_connect(int argc, char **argv)
{
    struct connecting c = {.keylog = -1, .recording_on = true};
    struct error e = {.code = ERROR_NONE};
    if (!openssl_options_parse(argc, argv, FOR_CONNECT, &c.options, &e))
        return common_fail(&e, EXIT_USAGE);
    if (c.options.help) {
        puts("usage: tlswire connect [options] host:port\n"
             "Shakes hands, shows how on stderr, then sends stdin and prints what comes.\n"
             "The options are those of openssl s_client.\n");
        openssl_options_help(stdout, FOR_CONNECT);
        return EXIT_OK;
    }
    if (c.options.host[0] == '\0' && !c.options.port_given) {
        error_set(&e, ERROR_USAGE, "where to?   try: tlswire connect localhost:%d", DEFAULT_PORT);
        return common_fail(&e, EXIT_USAGE);
    }
    if (c.options.host[0] == '\0')
        snprintf(c.options.host, sizeof(c.options.host), "localhost");
    common_prepare();
    recording_init(&c.recording);
    if (uv_loop_init(&c.loop) != 0) {
        error_set(&e, ERROR_MEMORY, "cannot make an event loop");
        return common_fail(&e, EXIT_RUNTIME);
    }
    int code = run(&c);
    uv_loop_close(&c.loop);
    recording_free(&c.recording);
    if (c.keylog >= 0)
        close(c.keylog);
    return code;
}
