/* `tlswire connect`: a client that shows its handshake and then is a pipe, with s_client's options.
 */
#include "cli/cmd_connect.h"

#include "cli/common.h"
#include "cli/connect.h"
#include "cli/views.h"
#include "endpoint/tls_pipe.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define IDLE_AFTER_EOF_MS 2000 /* the peer's time to answer when our input is over */
#define TICKET_MS         1000 /* the server's time to give a session, for -reconnect */
#define RECONNECTIONS     5
#define SENDING_CEILING \
    ((size_t)1 << 18) /* bytes waiting for the peer before input is held back \
                       */

/* ---- the ladder ---- */

static bool says_little(const struct connecting *c)
{
    return c->options.quiet || c->options.brief || c->options.connect.classic;
}

static void show_ladder(struct connecting *c)
{
    if (c->ladder_shown)
        return;
    c->ladder_shown = true;
    c->recording_on = c->options.capture != NULL || c->options.trace;
    if (!says_little(c) && c->round == 0 && recording_count(&c->recording) > 0)
        connect_show_view(c, VIEW_LADDER);
}

/* ---- hooks ---- */

static void on_open(void *user, const struct endpoint_report *report, int64_t time_ns)
{
    struct connecting *c = user;
    struct endpoint_report numbered = *report;
    numbered.id = c->round + 1u;
    if (c->recording_on)
        recording_open(&c->recording, &numbered, SYNTH_CLIENT, time_ns);
}

static void on_bytes(void *user, uint64_t id, enum endpoint_direction direction, struct slice bytes,
                     int64_t time_ns)
{
    struct connecting *c = user;
    (void)id;
    *(direction == ENDPOINT_SENT ? &c->sent : &c->received) += bytes.len;
    if (c->recording_on)
        recording_bytes(&c->recording, c->round + 1u, direction, bytes, time_ns);
    if (c->options.debug)
        connect_dump(direction == ENDPOINT_SENT, bytes);
}

static void on_end(void *user, uint64_t id, enum endpoint_direction direction, bool reset,
                   int64_t time_ns)
{
    struct connecting *c = user;
    (void)id;
    if (c->recording_on)
        recording_end(&c->recording, c->round + 1u, direction, reset, time_ns);
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

static void on_message(void *user, const struct endpoint_message *message)
{
    (void)user;
    connect_message(message);
}

static void on_state(void *user, uint64_t id, const char *text)
{
    (void)user, (void)id;
    fprintf(stderr, "%s\n", text);
}

/* What is known of the server, once. */
static void tell(struct connecting *c, const struct endpoint_report *r)
{
    const struct tls_pipe *tls = client_tls(c->client);
    if (c->told || !tls)
        return;
    c->told = true;
    c->handshake_done = r->handshake_done;
    c->trusted = connect_is_trusted(tls);
    if (c->round > 0) {
        if (!c->options.quiet)
            fprintf(stderr, "reconnected %u of %d: %s %s, %s\n", c->round, RECONNECTIONS,
                    r->version, r->cipher, r->resumed ? "resumed" : "NOT resumed");
        return;
    }
    if (c->options.connect.classic)
        connect_classic(c, tls);
    else if (c->options.brief && r->handshake_done)
        connect_brief(tls);
    else if (!c->options.quiet)
        connect_talk(c, tls, r);
    if (c->options.connect.showcerts && !c->options.connect.classic)
        connect_show_certificates(tls->ssl);
    fflush(stdout);
}

static void begin_reading(struct connecting *);

static void on_handshake(void *user, const struct endpoint_report *r)
{
    struct connecting *c = user;
    show_ladder(c);
    tell(c, r);
    begin_reading(c);
}

static void on_session(void *user, SSL_SESSION *session);

static void on_close(void *user, const struct endpoint_report *r, int64_t time_ns)
{
    struct connecting *c = user;
    (void)time_ns;
    c->truncated = r->truncated;
    const struct tls_pipe *tls = client_tls(c->client);
    show_ladder(c);
    tell(c, r);
    if (tls && r->handshake_done && !c->session_is_new)
        on_session(c, SSL_get0_session(tls->ssl)); /* it was resumed, and can be again */
    if (c->options.connect.classic && r->peer_said_close) {
        puts("closed");
        fflush(stdout);
    }
}

static void on_session(void *user, SSL_SESSION *session)
{
    struct connecting *c = user;
    const struct tls_pipe *tls = client_tls(c->client);
    if (!session || !SSL_SESSION_is_resumable(session))
        return;
    SSL_SESSION_up_ref(session);
    SSL_SESSION_free(c->session);
    c->session = session;
    c->session_is_new = true;
    if (c->options.connect.classic && tls && c->open)
        connect_classic_session(tls->ssl, session);
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

static bool more_rounds(const struct connecting *c)
{
    return c->options.connect.reconnect && c->round < RECONNECTIONS;
}

static void nothing_came(uv_timer_t *timer)
{
    struct connecting *c = timer->data;
    if (more_rounds(c))
        client_finish(c->client);
    else if (client_queued(c->client) > 0)
        uv_timer_start(timer, nothing_came, IDLE_AFTER_EOF_MS, 0); /* the peer is still reading */
    else if (!c->options.connect.ignore_eof)
        client_finish(c->client);
}

static void wait_for_answer(struct connecting *c)
{
    if (c->input_over && !c->done && !c->options.connect.get)
        uv_timer_start(&c->idle, nothing_came,
                       c->options.connect.stop_at_eof ? 0 : IDLE_AFTER_EOF_MS, 0);
}

/* Looks for -expect's text in what came, also where it lies across two pieces. */
static void look_for_expected(struct connecting *c, struct slice bytes)
{
    const char *text = c->options.connect.expect;
    if (!text || c->expected_came)
        return;
    size_t len = strlen(text);
    buf_slice_put(&c->tail, bytes);
    c->expected_came = memmem(buf_slice(&c->tail).data, c->tail.len, text, len) != NULL;
    if (c->tail.len >= len && !c->expected_came) {
        struct buf kept = {.ceiling = 0};
        buf_slice_put(&kept, slice_sub(buf_slice(&c->tail), c->tail.len - len + 1, len));
        buf_free(&c->tail);
        c->tail = kept;
    }
    if (c->expected_came && c->input_over && !c->options.connect.get)
        client_finish(c->client);
}

static void take_reply(struct connecting *c, struct slice bytes)
{
    struct http_reply *r = &c->reply;
    while (bytes.len > 0 && r->state != HTTP_COMPLETE && r->state != HTTP_WRONG)
        put_all(c, http_reply_take(r, &bytes));
    if (r->state == HTTP_COMPLETE || r->state == HTTP_WRONG)
        client_finish(c->client);
}

static void on_data(void *user, struct slice plain)
{
    struct connecting *c = user;
    if (more_rounds(c))
        return;
    if (c->options.connect.get)
        take_reply(c, plain);
    else
        put_all(c, plain);
    look_for_expected(c, plain);
    wait_for_answer(c);
}

static void ask(struct connecting *c)
{
    const struct endpoint_options *o = &c->options;
    const char *host = o->tls.servername ? o->tls.servername : o->host;
    bool v6 = strchr(host, ':') != NULL;
    struct buf request = {.ceiling = 16384};
    buf_printf(&request, "GET %s HTTP/1.1\r\nHost: %s%s%s", o->connect.get, v6 ? "[" : "", host,
               v6 ? "]" : "");
    if (o->port != 443)
        buf_printf(&request, ":%u", o->port);
    buf_str(&request, "\r\nUser-Agent: tlswire/" TLSWIRE_VERSION
                      "\r\nAccept: */*\r\nConnection: close\r\n\r\n");
    client_write(c->client, buf_slice(&request));
    buf_free(&request);
}

static void begin_reading(struct connecting *c)
{
    c->open = !more_rounds(c);
    if (!c->open)
        uv_timer_start(&c->idle, nothing_came, c->session_is_new ? 0 : TICKET_MS, 0);
    else if (c->options.connect.get)
        ask(c);
}

static void on_done(void *user, enum client_outcome outcome, const char *error)
{
    struct connecting *c = user;
    c->done = true;
    c->open = false;
    c->outcome = outcome;
    snprintf(c->error, sizeof(c->error), "%s", error);
    uv_timer_stop(&c->idle);
}

static void send_input(struct connecting *c, struct slice bytes)
{
    struct buf lines = {.ceiling = 65536};
    if (!c->options.connect.crlf) {
        client_write(c->client, bytes);
        return;
    }
    while (bytes.len > 0) {
        char byte = (char)slice_u8(&bytes);
        if (byte == '\n')
            buf_char(&lines, '\r');
        buf_char(&lines, byte);
    }
    client_write(c->client, buf_slice(&lines));
    buf_free(&lines);
}

static void read_input(struct connecting *c)
{
    uint8_t bytes[16384];
    ssize_t count = read(STDIN_FILENO, bytes, sizeof(bytes));
    if (count > 0) {
        send_input(c, slice_of(bytes, (size_t)count));
        return;
    }
    if (count < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    c->input_over = true;
    if (c->options.connect.expect && c->expected_came)
        client_finish(c->client);
    else if (isatty(STDIN_FILENO) && !c->options.connect.ignore_eof)
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
        bool reading = c->open && !c->input_over && !c->options.connect.get &&
                       client_queued(c->client) < SENDING_CEILING;
        struct pollfd wait[2] = {
            {.fd = uv_backend_fd(&c->loop), .events = POLLIN},
            {.fd = reading ? STDIN_FILENO : -1, .events = POLLIN},
        };
        if (poll(wait, 2, uv_backend_timeout(&c->loop)) > 0 && wait[1].revents)
            read_input(c);
    }
}

/* ---- the end ---- */

static void put_error(const char *text)
{
    fputs("tlswire: ", stderr);
    common_put_escaped(stderr, text);
    fputc('\n', stderr);
}

static void put_http_status(const struct connecting *c)
{
    const struct http_reply *r = &c->reply;
    if (c->options.quiet || r->status == 0)
        return;
    fprintf(stderr, "HTTP %u ", r->status);
    common_put_escaped(stderr, r->reason);
    fprintf(stderr, ", %llu bytes", (unsigned long long)r->body_len);
    if (r->type[0]) {
        fputs(" of ", stderr);
        common_put_escaped(stderr, r->type);
    }
    fputc('\n', stderr);
}

/* A response knows by itself whether it is whole; what ends with the connection does not. */
static int http_result(struct connecting *c)
{
    struct http_reply *r = &c->reply;
    char text[160];
    bool counted = r->state != HTTP_TO_THE_END;
    put_http_status(c);
    if (r->state == HTTP_WRONG) {
        snprintf(text, sizeof(text), "the HTTP response is wrong: %s", r->error);
        put_error(text);
        return EXIT_RUNTIME;
    }
    if (!http_reply_ended(r)) {
        put_error("the connection ended before the HTTP response was whole");
        return EXIT_TRUNCATED;
    }
    if (counted)
        c->truncated = false;
    return EXIT_OK;
}

static int outcome_result(struct connecting *c)
{
    static const int codes[] = {
        [CLIENT_RUNNING] = EXIT_RUNTIME,       [CLIENT_NOT_CONNECTED] = EXIT_NOT_CONNECTED,
        [CLIENT_TLS_FAILED] = EXIT_TLS_FAILED, [CLIENT_BROKEN] = EXIT_RUNTIME,
        [CLIENT_FINISHED] = EXIT_OK,
    };
    char text[96];
    if (c->timed_out) {
        snprintf(text, sizeof(text), "not finished within %u s (-timeout)",
                 c->options.connect.timeout);
        put_error(text);
        return codes[c->outcome] ? codes[c->outcome] : EXIT_RUNTIME;
    }
    if (c->error[0])
        put_error(c->error);
    if (c->output_error && c->output_error != EPIPE) {
        snprintf(text, sizeof(text), "cannot write to standard output: %s",
                 strerror(c->output_error));
        put_error(text);
        return EXIT_RUNTIME;
    }
    if (c->outcome == CLIENT_TLS_FAILED && c->told && !c->handshake_done && !c->trusted &&
        c->options.tls.verify_required)
        return EXIT_NOT_TRUSTED; /* that was the reason */
    return c->outcome == CLIENT_BROKEN && c->truncated ? EXIT_TRUNCATED : codes[c->outcome];
}

static int result(struct connecting *c)
{
    int code = outcome_result(c);
    show_ladder(c); /* as far as it got */
    if (code == EXIT_OK && c->options.connect.get)
        code = http_result(c);
    if (code == EXIT_OK && c->options.connect.expect && !c->expected_came) {
        put_error("the server did not say what -expect waits for");
        code = EXIT_NOT_EXPECTED;
    }
    if (code == EXIT_OK && c->truncated) {
        put_error(
            "the server ended the connection without close_notify: what came may be only a part");
        code = EXIT_TRUNCATED;
    }
    if (code == EXIT_OK && !c->trusted && !c->options.connect.insecure)
        code = EXIT_NOT_TRUSTED;
    return code;
}

/* What is written when all is over; CODE, or another when that fails. */
static int leave_files(struct connecting *c, int code)
{
    struct error e = {.code = ERROR_NONE};
    if (c->options.trace)
        connect_show_view(c, VIEW_VERBOSE);
    if (c->options.capture && !connect_keep_capture(c, &e))
        code = common_fail(&e, code ? code : EXIT_RUNTIME);
    e.code = ERROR_NONE;
    if (c->options.connect.session_out && c->handshake_done && !connect_keep_session(c, &e))
        code = common_fail(&e, code ? code : EXIT_RUNTIME);
    return code;
}

/* ---- the run ---- */

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

static bool start_client(struct connecting *c, struct error *e)
{
    const struct connect_options *o = &c->options.connect;
    struct client_config config = {
        .settings = c->options.tls,
        .host = c->options.host,
        .port = c->options.port,
        .family = c->options.family,
        .connect_seconds = o->timeout,
        .handshake_seconds = o->timeout,
        .proxy = o->proxy,
        .bind = o->bind,
        .prologue = {.protocol = o->starttls,
                     .name = o->name,
                     .proxy_user = o->proxy_user,
                     .proxy_password = c->proxy_password},
        .session = c->round ? c->session : NULL,
        .hooks = {.user = c,
                  .on_open = on_open,
                  .on_bytes = on_bytes,
                  .on_end = on_end,
                  .on_handshake = on_handshake,
                  .on_keylog = on_keylog,
                  .on_state = c->options.state ? on_state : NULL,
                  .on_close = on_close},
        .user = c,
        .on_session = on_session,
        .on_message = c->options.msg ? on_message : NULL,
        .on_data = on_data,
        .on_done = on_done,
    };
    c->ladder_shown = c->round > 0;
    c->told = c->done = c->session_is_new = c->truncated = c->handshake_done = false;
    c->sent = c->received = 0;
    c->client = client_start(&c->loop, &config, e);
    return c->client != NULL;
}

static void time_is_up(uv_timer_t *timer)
{
    struct connecting *c = timer->data;
    c->timed_out = true;
    if (!c->done)
        client_abort(c->client);
}

static void close_timers(struct connecting *c)
{
    uv_close((uv_handle_t *)&c->idle, NULL);
    uv_close((uv_handle_t *)&c->limit, NULL);
    uv_run(&c->loop, UV_RUN_DEFAULT);
}

static int run(struct connecting *c)
{
    struct error e = {.code = ERROR_NONE};
    int code = EXIT_OK;
    if (!open_keylog(c, &e))
        return common_fail(&e, EXIT_RUNTIME);
    uv_timer_init(&c->loop, &c->idle);
    uv_timer_init(&c->loop, &c->limit);
    c->idle.data = c->limit.data = c;
    uv_unref((uv_handle_t *)&c->limit);
    if (c->options.connect.timeout)
        uv_timer_start(&c->limit, time_is_up, c->options.connect.timeout * UINT64_C(1000), 0);
    for (;;) {
        if (!start_client(c, &e)) {
            code = common_fail(&e, e.code == ERROR_USAGE ? EXIT_USAGE : EXIT_RUNTIME);
            break;
        }
        pump(c);
        if (!more_rounds(c) || c->outcome != CLIENT_FINISHED || c->timed_out) {
            code = leave_files(c, result(c));
            client_free(c->client);
            break;
        }
        client_free(c->client);
        c->round++;
    }
    close_timers(c);
    return code;
}

int cmd_connect(int argc, char **argv)
{
    struct connecting c = {.keylog = -1, .recording_on = true};
    struct error e = {.code = ERROR_NONE};
    if (!openssl_options_parse(argc, argv, FOR_CONNECT, &c.options, &e))
        return common_fail(&e, EXIT_USAGE);
    if (c.options.help) {
        connect_help();
        return EXIT_OK;
    }
    if (!connect_check_options(&c, &e))
        return common_fail(&e, EXIT_USAGE);
    common_prepare();
    recording_init(&c.recording);
    http_reply_init(&c.reply);
    if (uv_loop_init(&c.loop) != 0) {
        error_set(&e, ERROR_MEMORY, "cannot make an event loop");
        return common_fail(&e, EXIT_RUNTIME);
    }
    int code = run(&c);
    uv_loop_close(&c.loop);
    recording_free(&c.recording);
    http_reply_free(&c.reply);
    buf_free(&c.tail);
    SSL_SESSION_free(c.session);
    OPENSSL_cleanse(c.proxy_password, sizeof(c.proxy_password));
    if (c.keylog >= 0)
        close(c.keylog);
    return code;
}
