#include "endpoint/server.h"

#include "endpoint/credentials.h"
#include "endpoint/limits.h"
#include "endpoint/link.h"
#include "endpoint/listening.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define DESCRIPTOR_ROOM 64   /* kept free for files and the loop's own */
#define RETRY_MS        100  /* when nothing can be taken now */
#define DRAIN_STEP_MS   200  /* how often a stopping server looks at what is left */
#define QUIET_MS        1000 /* a connection that does nothing for so long is not waiting for us */

/* What servers that were joined have in common. */
struct shared {
    atomic_uint users;
    atomic_uint_least64_t next_id;
    struct listening listening;
    struct credentials *credentials;
    struct limits *limits;
};

struct connection {
    struct link link;
    struct server *server;
    struct connection *next, *previous;
    struct answer answer;
    bool entered; /* the limits count it */
};

struct listener {
    uv_tcp_t tcp;
    struct server *server;
    bool waiting; /* a connection waits in the system's queue until another one ends */
};

struct server {
    struct server_config config;
    struct shared *shared;
    uv_loop_t *loop;
    struct answers answers;
    struct listener listeners[LISTENING_MAX];
    unsigned listener_count;
    uv_timer_t timer; /* RETRY_MS while a listener waits; DRAIN_STEP_MS while stopping */
    uint64_t drain_until;
    struct connection *connections;
    unsigned open;
    bool stopping;
    uint8_t scratch[LINK_SCRATCH];
};

static void accept_one(struct listener *);
static void close_listeners(struct server *);
static void retry_later(struct server *);

static void tell(struct server *s, const char *what, int status)
{
    char text[160];
    snprintf(text, sizeof(text), "%s: %s", what, uv_strerror(status));
    if (s->config.hooks.on_error)
        s->config.hooks.on_error(s->config.hooks.user, 0, text);
}

/* ---- one connection ---- */

static void accept_waiting(struct server *s)
{
    for (unsigned i = 0; i < s->listener_count && !s->stopping; i++)
        if (s->listeners[i].waiting && !limits_full(s->shared->limits)) {
            s->listeners[i].waiting = false;
            accept_one(&s->listeners[i]);
        }
}

static void timer_closed(uv_handle_t *timer)
{
    timer->data = NULL;
}

/* The last thing that keeps the loop of a stopped server going. */
static void stop_timer(struct server *s)
{
    if (s->timer.data && !uv_is_closing((uv_handle_t *)&s->timer))
        uv_close((uv_handle_t *)&s->timer, timer_closed);
}

static void connection_gone(struct link *link)
{
    struct connection *c = link->user;
    struct server *s = c->server;
    if (c->previous)
        c->previous->next = c->next;
    else
        s->connections = c->next;
    if (c->next)
        c->next->previous = c->previous;
    s->open--;
    if (c->entered)
        limits_leave(s->shared->limits, &c->link.report.peer);
    answer_free(&c->answer);
    free(c);
    accept_waiting(s);
    if (s->stopping && s->open == 0)
        stop_timer(s);
}

static void connection_ready(struct link *link)
{
    struct connection *c = link->user;
    answer_ready(&c->answer);
}

static void connection_data(struct link *link, struct slice plain)
{
    struct connection *c = link->user;
    answer_data(&c->answer, plain);
}

static void connection_peer_closed(struct link *link)
{
    struct connection *c = link->user;
    answer_peer_closed(&c->answer);
}

static void connection_writable(struct link *link)
{
    struct connection *c = link->user;
    answer_writable(&c->answer);
}

static const struct link_owner connection_owner = {
    .ready = connection_ready,
    .data = connection_data,
    .peer_closed = connection_peer_closed,
    .writable = connection_writable,
    .gone = connection_gone,
};

static struct connection *connection_new(struct server *s)
{
    struct error e = {.code = ERROR_NONE};
    struct connection *c = calloc(1, sizeof(*c));
    SSL_CTX *context = credentials_take(s->shared->credentials);
    bool opened = c && tls_pipe_open(&c->link.tls, context, TLS_SERVER, NULL, NULL, &e);
    SSL_CTX_free(context); /* the connection has its own reference */
    if (!opened || !link_init(&c->link, s->loop, &e)) {
        if (opened)
            tls_pipe_free(&c->link.tls);
        free(c);
        return NULL;
    }
    c->server = s;
    answer_open(&c->answer, &s->answers, &c->link);
    c->link.user = c;
    c->link.owner = &connection_owner;
    c->link.hooks = &s->config.hooks;
    c->link.scratch = s->scratch;
    c->link.limits = (struct link_limits){
        .handshake_ms = s->config.handshake_seconds * UINT64_C(1000),
        .idle_ms = s->config.idle_seconds * UINT64_C(1000),
        .write_ms = s->config.write_seconds * UINT64_C(1000),
        .linger_ms = 2000,
    };
    if (s->config.breakage.row)
        c->link.mischief = mischief_new(&s->config.breakage, c->link.tls.ssl);
    c->next = s->connections;
    if (c->next)
        c->next->previous = c;
    s->connections = c;
    s->open++;
    return c;
}

/* ---- listening ---- */

/* Counts the connection that was just taken, or says why it is not wanted. */
static bool enter(struct server *s, struct connection *c)
{
    int len = sizeof(c->link.report.peer);
    (void)uv_tcp_getpeername(&c->link.tcp, (struct sockaddr *)&c->link.report.peer, &len);
    enum limits_answer answer = limits_enter(s->shared->limits, &c->link.report.peer);
    c->entered = answer == LIMITS_FINE;
    if (answer == LIMITS_PEER_FULL && s->config.hooks.on_error) {
        char text[160], peer[64];
        endpoint_address_text(&c->link.report.peer, peer, sizeof(peer));
        snprintf(text, sizeof(text), "refused %s: it has %u connections already", peer,
                 s->config.max_per_peer);
        s->config.hooks.on_error(s->config.hooks.user, 0, text);
    }
    return c->entered;
}

static void accept_one(struct listener *listener)
{
    struct server *s = listener->server;
    struct connection *c = connection_new(s);
    if (!c) {
        listener->waiting = true;
        retry_later(s);
        tell(s, "cannot take a connection", UV_ENOMEM);
        return;
    }
    int status = uv_accept((uv_stream_t *)&listener->tcp, (uv_stream_t *)&c->link.tcp);
    if (status != 0) {
        if (status != UV_EAGAIN) /* another worker was quicker, or the peer is gone */
            tell(s, "cannot take a connection", status);
        link_abort(&c->link, false);
        return;
    }
    if (!enter(s, c)) {
        link_abort(&c->link, false);
        return;
    }
    c->link.report.id = atomic_fetch_add(&s->shared->next_id, 1);
    if (s->config.accepts && c->link.report.id >= s->config.accepts)
        close_listeners(s);
    if (s->config.accepts && c->link.report.id > s->config.accepts)
        link_abort(&c->link, false);
    else
        link_start(&c->link);
}

static void connection_waits(uv_stream_t *stream, int status)
{
    struct listener *listener = stream->data;
    struct server *s = listener->server;
    if (status != 0) {
        tell(s, "cannot take a connection", status);
        return;
    }
    /* Not taken now means that libuv stops listening until it is: the system's queue holds the
     * rest. */
    if (limits_full(s->shared->limits)) {
        listener->waiting = true;
        retry_later(s);
    } else {
        accept_one(listener);
    }
}

/* Another worker's connection may be the one that ends. */
static void look_again(uv_timer_t *timer)
{
    struct server *s = timer->data;
    accept_waiting(s);
    for (unsigned i = 0; i < s->listener_count; i++)
        if (s->listeners[i].waiting)
            retry_later(s);
}

static void retry_later(struct server *s)
{
    if (!s->stopping)
        uv_timer_start(&s->timer, look_again, RETRY_MS, 0);
}

static void listener_closed(uv_handle_t *handle)
{
    handle->data = NULL;
}

static void close_listeners(struct server *s)
{
    for (unsigned i = 0; i < s->listener_count; i++) {
        s->listeners[i].waiting = false;
        if (s->listeners[i].tcp.data && !uv_is_closing((uv_handle_t *)&s->listeners[i].tcp))
            uv_close((uv_handle_t *)&s->listeners[i].tcp, listener_closed);
    }
}

static bool start_listening(struct server *s, struct error *e)
{
    const struct listening *l = &s->shared->listening;
    for (unsigned i = 0; i < l->count; i++) {
        struct listener *listener = &s->listeners[i];
        int fd = fcntl(atomic_load(&l->sockets[i]), F_DUPFD_CLOEXEC, 0);
        int status = fd < 0 ? -errno : uv_tcp_init(s->loop, &listener->tcp);
        if (status == 0) {
            s->listener_count++;
            listener->server = s;
            listener->tcp.data = listener;
            status = uv_tcp_open(&listener->tcp, fd);
        }
        if (status != 0 && fd >= 0)
            close(fd);
        if (status == 0)
            status = uv_listen((uv_stream_t *)&listener->tcp, SOMAXCONN, connection_waits);
        if (status != 0)
            return error_set(e, ERROR_NETWORK, "cannot listen: %s", uv_strerror(status));
    }
    return true;
}

/* ---- the server ---- */

static unsigned connection_limit(const struct server_config *config)
{
    unsigned limit = config->max_connections ? config->max_connections : 1000;
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur != RLIM_INFINITY) {
        rlim_t room = files.rlim_cur > DESCRIPTOR_ROOM + 1 ? files.rlim_cur - DESCRIPTOR_ROOM : 1;
        if (room < limit)
            limit = (unsigned)room;
    }
    return limit;
}

static void shared_free(struct shared *shared)
{
    if (atomic_fetch_sub(&shared->users, 1) > 1)
        return;
    listening_close(&shared->listening);
    credentials_free(shared->credentials);
    limits_free(shared->limits);
    free(shared);
}

static struct shared *shared_new(const struct server_config *config, bool *in_use, struct error *e)
{
    struct credentials_config credentials = {
        .settings = &config->settings,
        .temporary = config->certificate,
        .authority = config->authority,
        .breakage = &config->breakage,
        .log_keys = config->hooks.on_keylog || config->breakage.row,
        .ticket_seconds = config->ticket_seconds,
        .ticket_file = config->ticket_file,
    };
    struct shared *shared = calloc(1, sizeof(*shared));
    if (!shared) {
        error_set(e, ERROR_MEMORY, "no memory for a server");
        return NULL;
    }
    atomic_init(&shared->users, 1);
    atomic_init(&shared->next_id, 1);
    shared->credentials = credentials_new(&credentials, e);
    shared->limits = limits_new(connection_limit(config), config->max_per_peer);
    if (shared->credentials && !shared->limits)
        error_set(e, ERROR_MEMORY, "no memory for a server");
    if (!shared->credentials || !shared->limits ||
        !listening_open(&shared->listening, config->host, config->family, config->port, in_use,
                        e)) {
        shared_free(shared);
        return NULL;
    }
    return shared;
}

/* A server that does not listen yet. */
static struct server *server_new(uv_loop_t *loop, const struct server_config *config,
                                 struct error *e)
{
    struct server *s = calloc(1, sizeof(*s));
    if (!s) {
        error_set(e, ERROR_MEMORY, "no memory for a server");
        return NULL;
    }
    s->config = *config;
    if (s->config.handshake_seconds == 0)
        s->config.handshake_seconds = 10;
    if (s->config.idle_seconds == 0)
        s->config.idle_seconds = 60;
    if (s->config.drain_seconds == 0)
        s->config.drain_seconds = 30;
    s->loop = loop;
    return s;
}

static struct server *begin(struct server *s, struct error *e)
{
    if (!answers_prepare(&s->answers, &s->config.answer, s->loop, e)) {
        server_free(s);
        return NULL;
    }
    s->config.answer.found = s->answers.upstream;
    uv_timer_init(s->loop, &s->timer);
    s->timer.data = s;
    if (start_listening(s, e))
        return s;
    server_stop(s, true);
    while (s->timer.data || (s->listener_count > 0 && s->listeners[0].tcp.data))
        uv_run(s->loop, UV_RUN_NOWAIT);
    server_free(s);
    return NULL;
}

struct server *server_start(uv_loop_t *loop, const struct server_config *config, bool *in_use,
                            struct error *e)
{
    *in_use = false;
    struct server *s = server_new(loop, config, e);
    if (!s)
        return NULL;
    const struct breakage_choice *breakage = &s->config.breakage;
    if (!breakage->row || breakage_settings(breakage, &s->config.settings, e))
        s->shared = shared_new(&s->config, in_use, e);
    if (!s->shared) {
        free(s);
        return NULL;
    }
    return begin(s, e);
}

struct server *server_join(uv_loop_t *loop, struct server *first, struct error *e)
{
    struct server *s = server_new(loop, &first->config, e);
    if (!s)
        return NULL;
    s->shared = first->shared;
    atomic_fetch_add(&s->shared->users, 1);
    return begin(s, e);
}

bool server_reload(struct server *s, struct error *e)
{
    return credentials_renew(s->shared->credentials, e);
}

/* ---- the end ---- */

static bool is_quiet(const struct connection *c, uint64_t now)
{
    return c->link.state == LINK_OPEN && link_queued(&c->link) == 0 &&
           now - c->link.active >= QUIET_MS && !answer_busy(&c->answer);
}

static void drain_step(uv_timer_t *timer)
{
    struct server *s = timer->data;
    uint64_t now = uv_now(s->loop);
    bool late = now >= s->drain_until;
    for (struct connection *c = s->connections, *next; c; c = next) {
        next = c->next; /* connections are freed by the loop later, never in these calls */
        if (late || c->link.held)
            link_abort(&c->link, false);
        else if (is_quiet(c, now))
            link_close(&c->link);
    }
    if (s->open == 0)
        stop_timer(s);
}

void server_stop(struct server *s, bool at_once)
{
    uv_update_time(s->loop);
    uint64_t now = uv_now(s->loop);
    if (!s->stopping) {
        close_listeners(s);
        listening_close(&s->shared->listening);
        s->drain_until = now + s->config.drain_seconds * UINT64_C(1000);
        uv_timer_start(&s->timer, drain_step, DRAIN_STEP_MS, DRAIN_STEP_MS);
    }
    s->stopping = s->answers.stopping = true;
    if (at_once)
        s->drain_until = now;
    drain_step(&s->timer);
}

void server_free(struct server *s)
{
    if (!s)
        return;
    shared_free(s->shared);
    answers_free(&s->answers);
    free(s);
}

uint16_t server_port(const struct server *s)
{
    return s->shared->listening.count ? endpoint_port(&s->shared->listening.addresses[0]) : 0;
}

const struct sockaddr_storage *server_address(const struct server *s, unsigned i)
{
    return i < s->shared->listening.count ? &s->shared->listening.addresses[i] : NULL;
}

unsigned server_open_connections(const struct server *s)
{
    return limits_open(s->shared->limits);
}
