#include "endpoint/server.h"

#include "endpoint/link.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define BACKLOG         1024
#define PORT_TRIES      32 /* for a port that is free in both families */
#define DESCRIPTOR_ROOM 64 /* kept free for files and the loop's own */

struct connection {
    struct link link;
    struct server *server;
    struct connection *next, *previous;
    struct answer answer;
};

struct listener {
    uv_tcp_t tcp;
    struct server *server;
    struct sockaddr_storage address;
    bool waiting; /* a connection waits in the system's queue until another one ends */
};

struct server {
    struct server_config config;
    uv_loop_t *loop;
    SSL_CTX *context;
    struct answers answers;
    struct listener listeners[SERVER_LISTENERS];
    unsigned listener_count;
    struct connection *connections;
    unsigned open, limit;
    uint64_t next_id;
    bool stopping;
    uint8_t scratch[LINK_SCRATCH];
};

static void accept_one(struct listener *);

static void tell(struct server *s, const char *what, int status)
{
    char text[160];
    snprintf(text, sizeof(text), "%s: %s", what, uv_strerror(status));
    if (s->config.hooks.on_error)
        s->config.hooks.on_error(s->config.hooks.user, 0, text);
}

/* ---- one connection ---- */

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
    answer_free(&c->answer);
    free(c);
    for (unsigned i = 0; i < s->listener_count && !s->stopping; i++)
        if (s->listeners[i].waiting && s->open < s->limit) {
            s->listeners[i].waiting = false;
            accept_one(&s->listeners[i]);
        }
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
    if (!c || !tls_pipe_open(&c->link.tls, s->context, TLS_SERVER, NULL, NULL, &e)) {
        free(c);
        return NULL;
    }
    if (!link_init(&c->link, s->loop, &e)) {
        tls_pipe_free(&c->link.tls);
        free(c);
        return NULL;
    }
    c->server = s;
    c->answer = (struct answer){.answers = &s->answers, .link = &c->link};
    c->link.user = c;
    c->link.owner = &connection_owner;
    c->link.hooks = &s->config.hooks;
    c->link.scratch = s->scratch;
    c->link.report.id = s->next_id;
    c->link.limits = (struct link_limits){
        .handshake_ms = s->config.handshake_seconds * UINT64_C(1000),
        .idle_ms = s->config.idle_seconds * UINT64_C(1000),
        .linger_ms = 2000,
    };
    c->next = s->connections;
    if (c->next)
        c->next->previous = c;
    s->connections = c;
    s->open++;
    return c;
}

/* ---- listening ---- */

static void accept_one(struct listener *listener)
{
    struct server *s = listener->server;
    struct connection *c = connection_new(s);
    if (!c) {
        listener->waiting = true; /* tried again when a connection ends */
        tell(s, "cannot take a connection", UV_ENOMEM);
        return;
    }
    int status = uv_accept((uv_stream_t *)&listener->tcp, (uv_stream_t *)&c->link.tcp);
    if (status != 0) {
        tell(s, "cannot take a connection", status);
        link_abort(&c->link, false);
        return;
    }
    s->next_id++;
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
    if (s->open >= s->limit)
        listener->waiting = true;
    else
        accept_one(listener);
}

static void set_port(struct sockaddr_storage *address, uint16_t port)
{
    struct sockaddr_in *v4 = (void *)address;
    struct sockaddr_in6 *v6 = (void *)address;
    uint8_t bytes[2] = {(uint8_t)(port >> 8), (uint8_t)port};
    memcpy(address->ss_family == AF_INET6 ? &v6->sin6_port : &v4->sin_port, bytes, 2);
}

static void listener_closed(uv_handle_t *handle)
{
    handle->data = NULL;
}

/* Takes the newest listener away again. */
static void unlisten(struct server *s)
{
    struct listener *listener = &s->listeners[s->listener_count - 1];
    uv_close((uv_handle_t *)&listener->tcp, listener_closed);
    /* Somebody may have connected already. */
    for (struct connection *c = s->connections; c; c = c->next)
        link_abort(&c->link, false);
    while (listener->tcp.data || s->open > 0)
        uv_run(s->loop, UV_RUN_NOWAIT);
    s->listener_count--;
}

/* Listens on one more address: 0 or libuv's error. */
static int listen_on(struct server *s, struct sockaddr_storage address, uint16_t port)
{
    struct listener *listener = &s->listeners[s->listener_count];
    unsigned flags = address.ss_family == AF_INET6 ? UV_TCP_IPV6ONLY : 0;
    int len = sizeof(listener->address);
    int status = uv_tcp_init_ex(s->loop, &listener->tcp, (unsigned)address.ss_family);
    if (status != 0)
        return status;
    s->listener_count++;
    listener->server = s;
    listener->tcp.data = listener;
    set_port(&address, port);
    status = uv_tcp_bind(&listener->tcp, (struct sockaddr *)&address, flags);
    if (status == 0)
        status = uv_listen((uv_stream_t *)&listener->tcp, BACKLOG, connection_waits);
    if (status == 0)
        status = uv_tcp_getsockname(&listener->tcp, (struct sockaddr *)&listener->address, &len);
    if (status != 0)
        unlisten(s);
    return status;
}

static bool missing_family(int status)
{
    return status == UV_EADDRNOTAVAIL || status == UV_EAFNOSUPPORT;
}

/* One try at all the addresses.  A family that this machine lacks is left out while another works.
 */
static int listen_on_all(struct server *s, const struct sockaddr_storage *addresses, unsigned count,
                         uint16_t port, unsigned *culprit)
{
    int missing = 0;
    unsigned good = 0;
    for (unsigned i = 0; i < count; i++) {
        int status = listen_on(s, addresses[i], port);
        if (status != 0 && missing_family(status) && count > 1) {
            missing = status;
            *culprit = i;
            continue;
        }
        if (status != 0) {
            *culprit = i;
            return status;
        }
        good++;
        if (port == 0)
            port = endpoint_port(&s->listeners[s->listener_count - 1].address);
    }
    return good > 0 ? 0 : missing;
}

static unsigned resolve(const struct server_config *config, struct sockaddr_storage *addresses,
                        struct error *e)
{
    static const char *const loopback[] = {"127.0.0.1", "::1"}, *const any[] = {"0.0.0.0", "::"};
    const char *const *fixed = config->host[0] == '\0'          ? loopback
                               : strcmp(config->host, "*") == 0 ? any
                                                                : NULL;
    const char *single[1] = {config->host};
    unsigned names = fixed ? 2 : 1, count = 0;
    for (unsigned i = 0; i < names; i++) {
        struct addrinfo hints = {.ai_family = config->family, .ai_socktype = SOCK_STREAM};
        struct addrinfo *found = NULL;
        if (fixed) {
            int family = i == 0 ? AF_INET : AF_INET6;
            if (config->family != AF_UNSPEC && config->family != family)
                continue;
            hints.ai_flags = AI_NUMERICHOST;
        }
        const char *name = fixed ? fixed[i] : single[i];
        int status = getaddrinfo(name, NULL, &hints, &found);
        if (status != 0) {
            error_set(e, ERROR_NETWORK, "cannot listen on '%s': %s", name, gai_strerror(status));
            return 0;
        }
        for (struct addrinfo *a = found; a && count < SERVER_LISTENERS; a = a->ai_next)
            memcpy(&addresses[count++], a->ai_addr, a->ai_addrlen);
        freeaddrinfo(found);
    }
    return count;
}

static bool start_listening(struct server *s, bool *in_use, struct error *e)
{
    struct sockaddr_storage addresses[SERVER_LISTENERS] = {{.ss_family = AF_UNSPEC}};
    unsigned count = resolve(&s->config, addresses, e), culprit = 0;
    if (count == 0)
        return false;
    int status = UV_EADDRINUSE;
    /* With port 0 the port that the first family got may be taken in the second: take another. */
    for (unsigned try = 0; try < PORT_TRIES && status == UV_EADDRINUSE; try++) {
        status = listen_on_all(s, addresses, count, s->config.port, &culprit);
        if (status == 0)
            return true;
        while (s->listener_count > 0)
            unlisten(s);
        if (s->config.port != 0)
            break;
    }
    char text[64];
    set_port(&addresses[culprit], s->config.port);
    endpoint_address_text(&addresses[culprit], text, sizeof(text));
    *in_use = status == UV_EADDRINUSE;
    return error_set(e, status == UV_EACCES ? ERROR_PERMISSION : ERROR_NETWORK,
                     "cannot listen on %s: %s", text, uv_strerror(status));
}

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

struct server *server_start(uv_loop_t *loop, const struct server_config *config, bool *in_use,
                            struct error *e)
{
    struct server *s = calloc(1, sizeof(*s));
    *in_use = false;
    if (!s) {
        error_set(e, ERROR_MEMORY, "no memory for a server");
        return NULL;
    }
    s->config = *config;
    if (s->config.handshake_seconds == 0)
        s->config.handshake_seconds = 10;
    if (s->config.idle_seconds == 0)
        s->config.idle_seconds = 60;
    s->loop = loop;
    s->next_id = 1;
    s->limit = connection_limit(config);
    s->context = context_new(&s->config.settings, TLS_SERVER, config->certificate, e);
    if (!s->context || !answers_prepare(&s->answers, &config->answer, loop, e) ||
        !start_listening(s, in_use, e)) {
        server_free(s);
        return NULL;
    }
    tls_pipe_log_keys(s->context);
    if (s->config.authority)
        authority_serve(s->config.authority, s->context);
    return s;
}

void server_stop(struct server *s, bool at_once)
{
    if (!s->stopping)
        for (unsigned i = 0; i < s->listener_count; i++)
            uv_close((uv_handle_t *)&s->listeners[i].tcp, listener_closed);
    s->stopping = true;
    for (struct connection *c = s->connections, *next; c; c = next) {
        next = c->next; /* connections are freed by the loop later, never in these calls */
        if (at_once)
            link_abort(&c->link, false);
        else
            link_close(&c->link);
    }
}

void server_free(struct server *s)
{
    if (!s)
        return;
    SSL_CTX_free(s->context);
    free(s);
}

uint16_t server_port(const struct server *s)
{
    return s->listener_count ? endpoint_port(&s->listeners[0].address) : 0;
}

const struct sockaddr_storage *server_address(const struct server *s, unsigned i)
{
    return i < s->listener_count ? &s->listeners[i].address : NULL;
}

unsigned server_open_connections(const struct server *s)
{
    return s->open;
}
