#include "cli/serve_run.h"

#include "cli/common.h"
#include "cli/confine.h"
#include "endpoint/workers.h"

#include <signal.h>

struct running {
    uv_loop_t *loop;
    uv_signal_t interrupt, terminate, hangup;
    struct server *server;
    struct workers *workers; /* NULL: none but this thread */
    bool stopping, dropped;  /* dropped: root was given up */
};

static void stop(uv_signal_t *signal, int number)
{
    struct running *r = signal->data;
    (void)number;
    server_stop(r->server, r->stopping); /* at once when asked again */
    workers_stop(r->workers, r->stopping);
    r->stopping = true;
    uv_unref((uv_handle_t *)&r->interrupt);
    uv_unref((uv_handle_t *)&r->terminate);
    uv_unref((uv_handle_t *)&r->hangup);
}

static void read_again(uv_signal_t *signal, int number)
{
    struct running *r = signal->data;
    struct error e = {.code = ERROR_NONE};
    (void)number;
    if (server_reload(r->server, &e))
        fputs("tlswire: certificates and keys were read again\n", stderr);
    else
        fprintf(stderr, "tlswire: everything stays as it was: %s%s\n", e.text,
                r->dropped ? " (root was given up: see --user)" : "");
}

static void watch(struct running *r, uv_signal_t *signal, uv_signal_cb what, int number)
{
    uv_signal_init(r->loop, signal);
    signal->data = r;
    uv_signal_start(signal, what, number);
}

static void add_identity(struct confinement *c, const struct identity_files *files)
{
    confine_readable(c, files->cert);
    confine_readable(c, files->key);
    confine_readable(c, files->chain);
}

static struct confinement confinement_of(const struct endpoint_options *o, const char *folder)
{
    const struct tls_settings *tls = &o->tls;
    struct confinement c = {
        .sandbox = o->sandbox,
        .user = o->user,
        .keep_root = o->no_drop,
        .programs = o->answer.name == ANSWER_EXEC,
        .connects = o->answer.name == ANSWER_PROXY || o->answer.name == ANSWER_PROXY_TLS,
    };
    add_identity(&c, &tls->own);
    add_identity(&c, &tls->second);
    for (unsigned i = 0; i < tls->server.name_count; i++)
        add_identity(&c, &tls->server.names[i].files);
    confine_readable(&c, tls->ca_file);
    confine_readable(&c, tls->ca_path);
    confine_readable(&c, tls->server.status_file);
    confine_readable(&c, o->ticket_keys);
    if (o->answer.name == ANSWER_FILES || o->answer.name == ANSWER_RESPONSES)
        confine_readable(&c, o->answer.argument);
    confine_readable(&c, folder);
    return c;
}

void serve_run_prepare(struct endpoint_options *o, struct file_opener *opener,
                       struct keeper *keeper)
{
    *keeper = (struct keeper){.socket = -1};
    *opener = (struct file_opener){.open = keeper_open, .user = keeper};
    o->tls.own.opener = o->tls.second.opener = opener;
    for (unsigned i = 0; i < o->tls.server.name_count; i++)
        o->tls.server.names[i].files.opener = opener;
}

bool serve_run(uv_loop_t *loop, struct server *server, const struct endpoint_options *o,
               struct keeper *keeper, const char *folder, void (*ready)(void *user), void *user,
               struct error *e)
{
    struct confinement limits = confinement_of(o, folder);
    struct running r = {.loop = loop, .server = server, .dropped = confine_drops_root(&limits)};
    if (r.dropped && !keeper_start(keeper, &limits, e))
        return false;
    if ((o->workers > 1 && !(r.workers = workers_new(server, o->workers - 1, e))) ||
        !confine(&limits, e) || (r.workers && !workers_start(r.workers, loop, e))) {
        workers_free(r.workers);
        return false;
    }
    watch(&r, &r.interrupt, stop, SIGINT);
    watch(&r, &r.terminate, stop, SIGTERM);
    watch(&r, &r.hangup, read_again, SIGHUP);
    ready(user);
    uv_run(loop, UV_RUN_DEFAULT);
    workers_free(r.workers);
    uv_close((uv_handle_t *)&r.interrupt, NULL);
    uv_close((uv_handle_t *)&r.terminate, NULL);
    uv_close((uv_handle_t *)&r.hangup, NULL);
    uv_run(loop, UV_RUN_DEFAULT);
    keeper_stop(keeper);
    return true;
}
