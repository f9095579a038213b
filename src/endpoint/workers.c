#include "endpoint/workers.h"

#include <assert.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

/* ---- hooks, one at a time ---- */

/* A hook that is added must be passed on here too. */
static_assert(sizeof(struct endpoint_hooks) == 10 * sizeof(void *), "see hooks_lock");

static void on_open(void *user, const struct endpoint_report *report, int64_t time_ns)
{
    struct locked_hooks *l = user;
    pthread_mutex_lock(&l->lock);
    l->hooks.on_open(l->hooks.user, report, time_ns);
    pthread_mutex_unlock(&l->lock);
}

static void on_bytes(void *user, uint64_t id, enum endpoint_direction direction, struct slice bytes,
                     int64_t time_ns)
{
    struct locked_hooks *l = user;
    pthread_mutex_lock(&l->lock);
    l->hooks.on_bytes(l->hooks.user, id, direction, bytes, time_ns);
    pthread_mutex_unlock(&l->lock);
}

static void on_end(void *user, uint64_t id, enum endpoint_direction direction, bool reset,
                   int64_t time_ns)
{
    struct locked_hooks *l = user;
    pthread_mutex_lock(&l->lock);
    l->hooks.on_end(l->hooks.user, id, direction, reset, time_ns);
    pthread_mutex_unlock(&l->lock);
}

static void on_handshake(void *user, const struct endpoint_report *report)
{
    struct locked_hooks *l = user;
    pthread_mutex_lock(&l->lock);
    l->hooks.on_handshake(l->hooks.user, report);
    pthread_mutex_unlock(&l->lock);
}

static void on_keylog(void *user, uint64_t id, const char *line)
{
    struct locked_hooks *l = user;
    pthread_mutex_lock(&l->lock);
    l->hooks.on_keylog(l->hooks.user, id, line);
    pthread_mutex_unlock(&l->lock);
}

static void on_error(void *user, uint64_t id, const char *text)
{
    struct locked_hooks *l = user;
    pthread_mutex_lock(&l->lock);
    l->hooks.on_error(l->hooks.user, id, text);
    pthread_mutex_unlock(&l->lock);
}

static void on_close(void *user, const struct endpoint_report *report, int64_t time_ns)
{
    struct locked_hooks *l = user;
    pthread_mutex_lock(&l->lock);
    l->hooks.on_close(l->hooks.user, report, time_ns);
    pthread_mutex_unlock(&l->lock);
}

static void on_tls(void *user, const struct endpoint_report *report, struct ssl_st *ssl)
{
    struct locked_hooks *l = user;
    pthread_mutex_lock(&l->lock);
    l->hooks.on_tls(l->hooks.user, report, ssl);
    pthread_mutex_unlock(&l->lock);
}

static void on_state(void *user, uint64_t id, const char *text)
{
    struct locked_hooks *l = user;
    pthread_mutex_lock(&l->lock);
    l->hooks.on_state(l->hooks.user, id, text);
    pthread_mutex_unlock(&l->lock);
}

struct endpoint_hooks hooks_lock(struct locked_hooks *l, const struct endpoint_hooks *h)
{
    pthread_mutex_init(&l->lock, NULL);
    l->hooks = *h;
    return (struct endpoint_hooks){
        .user = l,
        .on_open = h->on_open ? on_open : NULL,
        .on_bytes = h->on_bytes ? on_bytes : NULL,
        .on_end = h->on_end ? on_end : NULL,
        .on_handshake = h->on_handshake ? on_handshake : NULL,
        .on_keylog = h->on_keylog ? on_keylog : NULL,
        .on_error = h->on_error ? on_error : NULL,
        .on_tls = h->on_tls ? on_tls : NULL,
        .on_state = h->on_state ? on_state : NULL,
        .on_close = h->on_close ? on_close : NULL,
    };
}

/* ---- threads ---- */

enum order { GO_ON, STOP, STOP_AT_ONCE };

struct worker {
    struct workers *all;
    uv_thread_t thread;
    uv_loop_t loop;
    uv_async_t wake; /* the one thing that another thread may touch */
    struct server *server;
    _Atomic(enum order) order;
    bool has_loop, has_thread;
};

struct workers {
    uv_async_t over; /* on the first server's loop: a worker has ended */
    atomic_uint running;
    unsigned count;
    struct worker each[];
};

static void obey(uv_async_t *wake)
{
    struct worker *w = wake->data;
    enum order order = atomic_load(&w->order);
    if (order == GO_ON)
        return;
    server_stop(w->server, order == STOP_AT_ONCE);
    uv_unref((uv_handle_t *)wake);
}

static void work(void *user)
{
    struct worker *w = user;
    sigset_t all;
    sigfillset(&all); /* the first thread takes the signals */
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    atomic_fetch_sub(&w->all->running, 1);
    uv_async_send(&w->all->over);
}

static void one_is_over(uv_async_t *over)
{
    struct workers *ws = over->data;
    if (atomic_load(&ws->running) == 0 && !uv_is_closing((uv_handle_t *)over))
        uv_close((uv_handle_t *)over, NULL);
}

static bool prepare(struct workers *ws, struct worker *w, struct server *first, struct error *e)
{
    w->all = ws;
    if (uv_loop_init(&w->loop) != 0)
        return error_set(e, ERROR_MEMORY, "cannot make an event loop");
    w->has_loop = true;
    if (uv_async_init(&w->loop, &w->wake, obey) != 0)
        return error_set(e, ERROR_MEMORY, "cannot make an event loop");
    w->wake.data = w;
    w->server = server_join(&w->loop, first, e);
    return w->server != NULL;
}

struct workers *workers_new(struct server *first, unsigned count, struct error *e)
{
    struct workers *ws = calloc(1, sizeof(*ws) + count * sizeof(struct worker));
    if (!ws) {
        error_set(e, ERROR_MEMORY, "no memory for %u workers", count);
        return NULL;
    }
    while (ws->count < count)
        if (!prepare(ws, &ws->each[ws->count++], first, e)) {
            workers_free(ws);
            return NULL;
        }
    return ws;
}

bool workers_start(struct workers *ws, uv_loop_t *loop, struct error *e)
{
    if (uv_async_init(loop, &ws->over, one_is_over) != 0)
        return error_set(e, ERROR_MEMORY, "cannot make an event loop");
    ws->over.data = ws;
    for (unsigned i = 0; i < ws->count; i++) {
        struct worker *w = &ws->each[i];
        atomic_fetch_add(&ws->running, 1);
        w->has_thread = uv_thread_create(&w->thread, work, w) == 0;
        if (!w->has_thread) {
            atomic_fetch_sub(&ws->running, 1);
            workers_stop(ws, true);
            return error_set(e, ERROR_MEMORY, "cannot start %u workers", ws->count);
        }
    }
    return true;
}

void workers_stop(struct workers *ws, bool at_once)
{
    if (!ws)
        return;
    for (unsigned i = 0; i < ws->count; i++) {
        struct worker *w = &ws->each[i];
        if (!w->has_thread)
            continue;
        atomic_store(&w->order, at_once ? STOP_AT_ONCE : STOP);
        uv_async_send(&w->wake);
    }
}

static void finish(struct worker *w)
{
    if (w->has_thread)
        uv_thread_join(&w->thread);
    else if (w->server)
        server_stop(w->server, true);
    if (!w->has_loop)
        return;
    if (w->wake.data)
        uv_close((uv_handle_t *)&w->wake, NULL);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    server_free(w->server);
    uv_loop_close(&w->loop);
}

void workers_free(struct workers *ws)
{
    if (!ws)
        return;
    for (unsigned i = 0; i < ws->count; i++)
        finish(&ws->each[i]);
    if (ws->over.data && !uv_is_closing((uv_handle_t *)&ws->over)) {
        uv_loop_t *loop = ws->over.loop;
        uv_close((uv_handle_t *)&ws->over, NULL);
        uv_run(loop, UV_RUN_NOWAIT);
    }
    free(ws);
}
