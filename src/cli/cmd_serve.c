/* `tlswire serve`: the note's server, with s_server's options. */
#include "cli/cmd_serve.h"

#include "cli/cmd_ca.h"
#include "cli/common.h"
#include "cli/flood.h"
#include "cli/openssl_options.h"
#include "cli/port_owner.h"
#include "cli/serve_run.h"
#include "cli/serve_tell.h"
#include "cli/witness.h"
#include "endpoint/workers.h"

#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LONGEST_FIELD 256 /* of a line, in bytes: what a peer sends does not fill a screen */
#define FLOOD_LINES   200 /* in a second */
#define FLOOD_TOLD_MS 1000

struct serving {
    struct endpoint_options options;
    uv_loop_t loop;
    struct server *server;
    struct breakage_choice breakage;
    struct authority *authority;
    char authority_path[AUTHORITY_PATH]; /* "": a temporary one */
    struct tls_settings upstream;
    unsigned closed;         /* connections */
    uv_async_t last;         /* the last of -naccept is over */
    struct witness *witness; /* NULL: nobody looks at the bytes */
    int keylog;              /* -1: none */
    struct keeper keeper;
    struct file_opener opener;
    struct locked_hooks locked; /* when there are several workers */
    time_t last_complaint;      /* errors that are not of one connection: once a second */
    struct flood flood;         /* of connections that fail */
    uv_async_t flooded;         /* lines are being left out */
    uv_timer_t flood_timer;     /* soon to be told how many */
};

static void put_clock(FILE *out, int64_t time_ns)
{
    time_t seconds = (time_t)(time_ns / 1000000000);
    struct tm now;
    char text[16] = "";
    if (localtime_r(&seconds, &now))
        strftime(text, sizeof(text), "%H:%M:%S", &now);
    fprintf(out, "%s.%03d", text, (int)(time_ns / 1000000 % 1000));
}

static void put_word(FILE *out, const char *label, const char *value)
{
    if (!*value)
        return;
    struct buf shown = {.ceiling = LONGEST_FIELD};
    buf_escaped(&shown, slice_of_str(value));
    fprintf(out, " %s%.*s%s", label, (int)shown.len, shown.data ? (const char *)shown.data : "",
            shown.failed ? "…" : "");
    buf_free(&shown);
}

static void connection_open(void *user, const struct endpoint_report *r, int64_t time_ns)
{
    const struct serving *s = user;
    witness_open(s->witness, r, time_ns);
}

static void bytes_moved(void *user, uint64_t id, enum endpoint_direction direction,
                        struct slice bytes, int64_t time_ns)
{
    const struct serving *s = user;
    if (s->options.debug)
        serve_tell_bytes(id, direction, bytes);
    if (s->witness)
        witness_bytes(s->witness, id, direction, bytes, time_ns);
}

static void direction_over(void *user, uint64_t id, enum endpoint_direction direction, bool reset,
                           int64_t time_ns)
{
    const struct serving *s = user;
    witness_end(s->witness, id, direction, reset, time_ns);
}

static void handshake_over(void *user, const struct endpoint_report *r, struct ssl_st *ssl)
{
    const struct endpoint_options *o = &((const struct serving *)user)->options;
    if (o->brief)
        serve_tell_brief(r, ssl);
    if (o->export_label)
        serve_tell_exported(r->id, ssl, o->export_label, o->export_length ? o->export_length : 20);
}

static void state_changed(void *user, uint64_t id, const char *text)
{
    (void)user;
    fprintf(stderr, "#%llu %s\n", (unsigned long long)id, text);
}

static void draw_ladder(void *user, uint64_t id, struct buf *out)
{
    const struct serving *s = user;
    witness_ladder(s->witness, id, out);
}

static void last_is_over(uv_async_t *async)
{
    (void)async;
    raise(SIGTERM); /* here, in the thread that hears signals */
}

/* After the last of -naccept: as if it was told to stop. */
static void count_down(struct serving *s)
{
    if (s->options.accept_count && ++s->closed == s->options.accept_count)
        uv_async_send(&s->last);
}

static void tell_flood(struct serving *s)
{
    unsigned long long n = flood_take(&s->flood);
    if (n)
        fprintf(stderr, "tlswire: %llu more connection%s failed: no more than %u lines a second\n",
                n, n == 1 ? "" : "s", s->flood.limit);
}

static void flood_time(uv_timer_t *timer)
{
    tell_flood(timer->data);
}

static void flood_began(uv_async_t *async)
{
    struct serving *s = async->data;
    if (!uv_is_active((uv_handle_t *)&s->flood_timer) &&
        !uv_is_closing((uv_handle_t *)&s->flood_timer))
        uv_timer_start(&s->flood_timer, flood_time, FLOOD_TOLD_MS, 0);
}

/* Handles of the first thread's loop that do not keep it running. */
static void watch_flood(struct serving *s)
{
    s->flood.limit = s->options.log_limit ? s->options.log_limit : FLOOD_LINES;
    uv_async_init(&s->loop, &s->flooded, flood_began);
    uv_timer_init(&s->loop, &s->flood_timer);
    s->flooded.data = s->flood_timer.data = s;
    uv_unref((uv_handle_t *)&s->flooded);
    uv_unref((uv_handle_t *)&s->flood_timer);
}

static void connection_over(void *user, const struct endpoint_report *r, int64_t time_ns)
{
    struct serving *s = user;
    count_down(s);
    char peer[64];
    if (s->witness)
        witness_close(s->witness, r->id);
    if (s->options.quiet && !r->error[0])
        return;
    if (r->error[0] && !flood_admits(&s->flood, time_ns)) {
        uv_async_send(&s->flooded);
        return;
    }
    endpoint_address_text(&r->peer, peer, sizeof(peer));
    put_clock(stderr, time_ns);
    fprintf(stderr, " #%llu %s", (unsigned long long)r->id, peer);
    put_word(stderr, "", r->version);
    put_word(stderr, "", r->cipher);
    put_word(stderr, "", r->group);
    put_word(stderr, "sni=", r->server_name);
    put_word(stderr, "alpn=", r->alpn);
    if (r->resumed)
        fputs(" resumed", stderr);
    if (r->early_data)
        fprintf(stderr, " early-data=%u", r->early_data);
    put_word(stderr, "client=", r->peer_name);
    if (r->peer_name[0])
        put_word(stderr, "certificate=", r->verified ? "trusted" : r->verify_result);
    put_word(stderr, "", r->note);
    put_word(stderr, "FAILED: ", r->error);
    fputs(r->error[0] ? "\n" : " ok\n", stderr);
}

static void complaint(void *user, uint64_t id, const char *text)
{
    struct serving *s = user;
    time_t now = time(NULL);
    if (id != 0 || now == s->last_complaint)
        return; /* a connection's own error is in its line */
    s->last_complaint = now;
    fprintf(stderr, "tlswire: %s\n", text);
}

static void keylog_line(void *user, uint64_t id, const char *line)
{
    const struct serving *s = user;
    if (s->witness)
        witness_key(s->witness, id, line);
    if (s->keylog >= 0)
        common_keylog_line(s->keylog, line);
}

static void say_where(void *user)
{
    const struct serving *s = user;
    const struct endpoint_options *o = &s->options;
    fputs("serving on", stderr);
    for (unsigned i = 0; server_address(s->server, i); i++) {
        char text[64];
        endpoint_address_text(server_address(s->server, i), text, sizeof(text));
        fprintf(stderr, "%s %s", i ? " and" : "", text);
    }
    if (o->tls.own.cert) {
        fputs(", certificate ", stderr);
        common_put_escaped(stderr, o->tls.own.cert);
    } else if (o->tls.server.no_certificate) {
        fputs(", no certificate", stderr);
    } else {
        fputs(s->authority_path[0] ? ", certificates by the CA " : ", certificates by a CA",
              stderr);
        common_put_escaped(stderr, s->authority_path[0] ? s->authority_path : " of its own");
    }
    fputs(", stop with Ctrl-C\n", stderr);
    if (s->breakage.row)
        fprintf(stderr, "broken on purpose: %s: %s\n", o->breakage, s->breakage.row->sentence);
}

static bool start_witness(struct serving *s, struct server_config *config, struct error *e)
{
    const struct endpoint_options *o = &s->options;
    struct witness_options options = {
        .capture = o->capture,
        .messages = o->msg,
        .trees = o->trace,
        .ladders = o->answer.name == ANSWER_WWW,
        .port = o->port,
    };
    if (!options.capture && !options.messages && !options.trees && !options.ladders)
        return true;
    s->witness = witness_new(&options, e);
    config->hooks.on_open = connection_open;
    config->hooks.on_bytes = bytes_moved;
    config->hooks.on_end = direction_over;
    config->answer.ladder = draw_ladder;
    config->answer.user = s;
    return s->witness != NULL;
}

/* The other side of --proxy-tls: the versions and lists are those of this side. */
static const struct tls_settings *upstream_settings(struct serving *s)
{
    struct tls_settings *u = &s->upstream;
    *u = s->options.tls;
    u->own = u->second = (struct identity_files){.cert = NULL};
    u->choice_count = 0;
    u->alpn = NULL;
    u->verify_required = u->ca_file || u->ca_path;
    if (s->options.answer.name == ANSWER_PROXY_TLS && !u->verify_required)
        fputs("tlswire: the certificate of the server behind is not checked: give -CAfile\n",
              stderr);
    return u;
}

static bool start(struct serving *s, struct error *e)
{
    const struct endpoint_options *o = &s->options;
    bool in_use = false;
    if (o->keylog_file && (s->keylog = common_keylog_open(o->keylog_file, e)) < 0)
        return false;
    if (!o->tls.own.cert && !o->tls.own.key && !o->tls.server.no_certificate &&
        !(s->authority = ca_open(o->rsa, s->authority_path, e)))
        return false;
    struct server_config config = {
        .settings = o->tls,
        .authority = s->authority,
        .breakage = s->breakage,
        .host = o->host,
        .port = o->port,
        .family = o->family,
        .answer = o->answer,
        .max_connections = o->max_connections,
        .max_per_peer = o->max_per_address,
        .handshake_seconds = o->handshake_limit,
        .idle_seconds = o->idle_limit,
        .write_seconds = o->write_limit,
        .drain_seconds = o->drain_limit,
        .ticket_seconds = o->ticket_rotation,
        .ticket_file = o->ticket_keys,
        .hooks = {.user = s, .on_error = complaint, .on_close = connection_over},
    };
    if (!start_witness(s, &config, e))
        return false;
    if (s->witness || s->keylog >= 0)
        config.hooks.on_keylog = keylog_line;
    config.accepts = o->accept_count;
    if (o->debug)
        config.hooks.on_bytes = bytes_moved;
    if (o->brief || o->export_label)
        config.hooks.on_tls = handshake_over;
    if (o->state)
        config.hooks.on_state = state_changed;
    config.answer.upstream = upstream_settings(s);
    if (o->workers > 1)
        config.hooks = hooks_lock(&s->locked, &config.hooks);
    s->server = server_start(&s->loop, &config, &in_use, e);
    if (in_use)
        port_owner_explain(e, o->port, "serve");
    return s->server != NULL;
}

/* Whatever of it was begun is over then. */
static void end(struct serving *s)
{
    uv_close((uv_handle_t *)&s->last, NULL);
    uv_close((uv_handle_t *)&s->flooded, NULL);
    uv_close((uv_handle_t *)&s->flood_timer, NULL);
    uv_run(&s->loop, UV_RUN_DEFAULT);
    server_free(s->server);
}

static int serve(struct serving *s)
{
    struct error e = {.code = ERROR_NONE};
    serve_run_prepare(&s->options, &s->opener, &s->keeper);
    uv_async_init(&s->loop, &s->last, last_is_over);
    s->last.data = s;
    uv_unref((uv_handle_t *)&s->last);
    watch_flood(s);
    bool good = start(s, &e);
    const char *folder = s->authority_path[0] ? s->authority_path : NULL;
    good =
        good && serve_run(&s->loop, s->server, &s->options, &s->keeper, folder, say_where, s, &e);
    if (!good && s->server)
        server_stop(s->server, true);
    tell_flood(s);
    end(s);
    if (good)
        return witness_free(s->witness, &e) ? EXIT_OK : common_fail(&e, EXIT_RUNTIME);
    witness_free(s->witness, &(struct error){.code = ERROR_NONE});
    return common_fail(&e, e.code == ERROR_USAGE ? EXIT_USAGE : EXIT_RUNTIME);
}

int cmd_serve(int argc, char **argv)
{
    struct serving s = {.keylog = -1};
    struct error e = {.code = ERROR_NONE};
    if (!openssl_options_parse(argc, argv, FOR_SERVE, &s.options, &e))
        return common_fail(&e, EXIT_USAGE);
    if (s.options.help) {
        puts("usage: tlswire serve [options]\n"
             "A TLS server that answers `test` to every connection, on 127.0.0.1 and ::1 unless\n"
             "-accept says otherwise.  The options are those of openssl s_server, and more:\n"
             "\n"
             "  tlswire serve -www                       a page about each connection\n"
             "  tlswire serve -accept '*:8443' -WWW .    files of this folder, for everybody\n"
             "  tlswire serve --proxy localhost:8080     TLS in front of another server\n"
             "  tlswire serve --exec 'date; cat'         a program for each connection\n"
             "  tlswire serve --capture all.pcapng -msg  all that passes, with its keys\n"
             "  tlswire serve -Verify 3 -CAfile ca.pem -verify_return_error\n"
             "                                           only for clients with a certificate\n");
        openssl_options_help(stdout, FOR_SERVE);
        return EXIT_OK;
    }
    if (s.options.breakage && strcmp(s.options.breakage, "list") == 0)
        return common_put_breakages();
    if (s.options.breakage && !breakage_find(s.options.breakage, &s.breakage, &e))
        return common_fail(&e, EXIT_USAGE);
    common_prepare();
    if (uv_loop_init(&s.loop) != 0) {
        error_set(&e, ERROR_MEMORY, "cannot make an event loop");
        return common_fail(&e, EXIT_RUNTIME);
    }
    int code = serve(&s);
    uv_loop_close(&s.loop);
    authority_free(s.authority);
    if (s.keylog >= 0)
        close(s.keylog);
    return code;
}
