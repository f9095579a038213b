#include "endpoint/client.h"

#include "base/buf.h"
#include "endpoint/context_client.h"
#include "endpoint/link.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLIENT_ADDRESSES   16
#define ADDRESS_MS         3000 /* for one address while others are left to try */
#define ANSWER_TO_CLOSE_MS 1000

/* One try at one address: a link that lives on when it connects. */
struct client {
    struct client_config config;
    uv_loop_t *loop;
    SSL_CTX *context;
    uv_getaddrinfo_t lookup;
    uv_connect_t connect;
    uv_timer_t timer; /* for the name, then for each address */
    uint64_t deadline;
    struct prologue prologue;
    char host[256]; /* what is connected to: the proxy, if there is one */
    uint16_t port;
    struct sockaddr_storage addresses[CLIENT_ADDRESSES], bound;
    unsigned address_count, next_address;
    struct link link;
    bool link_live, connected, tls_began, done, aborted, got_data;
    enum client_outcome outcome;
    char error[512];
    uint8_t scratch[LINK_SCRATCH];
};

static void try_next(struct client *);

static void finish(struct client *c, enum client_outcome outcome)
{
    if (c->done)
        return;
    c->done = true;
    c->outcome = outcome;
    if (!uv_is_closing((uv_handle_t *)&c->timer))
        uv_close((uv_handle_t *)&c->timer, NULL);
    c->config.on_done(c->config.user, outcome, c->error);
}

static void not_connected(struct client *c, const char *what, const char *reason)
{
    if (c->done)
        return;
    snprintf(c->error, sizeof(c->error), "cannot connect to %s port %u: %s%s%s", c->host, c->port,
             what, *what ? ": " : "", reason);
    if (c->config.hooks.on_error)
        c->config.hooks.on_error(c->config.hooks.user, 0, c->error);
    finish(c, CLIENT_NOT_CONNECTED);
}

/* ---- the link's owner ---- */

static void link_gone(struct link *l)
{
    struct client *c = l->user;
    c->link_live = false;
    if (!c->connected) {
        try_next(c);
        return;
    }
    snprintf(c->error, sizeof(c->error), "%s", l->report.error);
    if (c->aborted && !l->report.handshake_done)
        finish(c, c->tls_began ? CLIENT_TLS_FAILED : CLIENT_NOT_CONNECTED);
    else if (!l->report.error[0])
        finish(c, CLIENT_FINISHED);
    else if (!c->tls_began)
        finish(c, CLIENT_NOT_CONNECTED);
    else
        /* In TLS 1.3 a server refuses the client's certificate only after the client's Finished. */
        finish(c, l->report.handshake_done && (c->got_data || l->report.truncated)
                      ? CLIENT_BROKEN
                      : CLIENT_TLS_FAILED);
}

static void link_is_ready(struct link *l)
{
    (void)l;
}

static void link_has_data(struct link *l, struct slice plain)
{
    struct client *c = l->user;
    c->got_data = true;
    if (c->config.on_data)
        c->config.on_data(c->config.user, plain);
}

static void link_peer_closed(struct link *l)
{
    link_close(l);
}

static void start_tls(struct client *c)
{
    c->tls_began = true;
    link_start(&c->link);
}

/* The talk before TLS. */
static void talk(struct client *c, struct slice bytes)
{
    struct buf out = {.ceiling = 4096};
    enum prologue_state state = prologue_take(&c->prologue, bytes, &out);
    if (out.len > 0 && !link_write_plain(&c->link, buf_slice(&out)))
        state = PROLOGUE_MORE; /* the link has ended and said why */
    buf_wipe(&out);            /* it may hold the proxy's password */
    if (state == PROLOGUE_READY)
        start_tls(c);
    else if (state == PROLOGUE_REFUSED)
        link_fail(&c->link, c->prologue.error);
}

static void link_has_plain(struct link *l, struct slice bytes)
{
    talk(l->user, bytes);
}

static const struct link_owner client_owner = {
    .plain = link_has_plain,
    .ready = link_is_ready,
    .data = link_has_data,
    .peer_closed = link_peer_closed,
    .gone = link_gone,
};

/* ---- connecting ---- */

static bool is_address(const char *host)
{
    unsigned char address[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

/* RFC 6066 3: an address is never sent as a server name. */
static const char *server_name(const struct client_config *config)
{
    if (config->settings.no_servername)
        return NULL;
    if (config->settings.servername)
        return config->settings.servername;
    return is_address(config->host) ? NULL : config->host;
}

static void session_is_here(void *user, SSL_SESSION *session)
{
    struct link *l = user;
    struct client *c = l->user;
    if (c->config.on_session)
        c->config.on_session(c->config.user, session);
}

static void message_is_seen(void *user, const struct endpoint_message *message)
{
    const struct link *l = user;
    const struct client *c = l->user;
    c->config.on_message(c->config.user, message);
}

static void connected(uv_connect_t *request, int status)
{
    struct client *c = request->data;
    if (c->link.state == LINK_CLOSED)
        return; /* timed out or aborted; the link is on its way out */
    if (status != 0) {
        snprintf(c->error, sizeof(c->error), "%s", uv_strerror(status));
        link_abort(&c->link, false);
        return;
    }
    struct error e = {.code = ERROR_NONE};
    const char *sni = server_name(&c->config);
    const char *name =
        c->config.settings.servername ? c->config.settings.servername : c->config.host;
    uv_timer_stop(&c->timer);
    c->connected = true;
    c->error[0] = '\0';
    if (!tls_pipe_open(&c->link.tls, c->context, TLS_CLIENT, sni, name, &e)) {
        snprintf(c->link.report.error, sizeof(c->link.report.error), "%.255s", e.text);
        link_abort(&c->link, false);
        return;
    }
    c->link.tls.on_session = session_is_here;
    c->link.tls.on_message = c->config.on_message ? message_is_seen : NULL;
    if (!context_client_open(&c->link.tls, &c->config.settings, c->config.session, &e)) {
        snprintf(c->link.report.error, sizeof(c->link.report.error), "%.255s", e.text);
        link_abort(&c->link, false);
        return;
    }
    if (!prologue_is_needed(&c->prologue.config)) {
        start_tls(c);
        return;
    }
    link_start_plain(&c->link);
    talk(c, slice_empty());
}

static void address_is_slow(uv_timer_t *timer)
{
    struct client *c = timer->data;
    if (c->done)
        return;
    if (!c->link_live) { /* the name is still being looked up */
        uv_cancel((uv_req_t *)&c->lookup);
        not_connected(c, "looking up the name", "no answer in time");
        return;
    }
    snprintf(c->error, sizeof(c->error), "no answer in time");
    link_abort(&c->link, false); /* link_gone tries the next address */
}

static void begin(struct client *c, const struct sockaddr_storage *address)
{
    struct error e = {.code = ERROR_NONE};
    c->link = (struct link){
        .owner = &client_owner, .hooks = &c->config.hooks, .user = c, .scratch = c->scratch};
    c->link.report.id = 1;
    c->link.limits = (struct link_limits){
        .handshake_ms = c->config.handshake_seconds * UINT64_C(1000),
        .idle_ms = c->config.idle_seconds * UINT64_C(1000),
        .linger_ms = ANSWER_TO_CLOSE_MS,
    };
    if (!link_init(&c->link, c->loop, &e)) {
        not_connected(c, "", e.text);
        return;
    }
    c->link_live = true;
    c->connect.data = c;
    int status = 0;
    if (c->bound.ss_family == address->ss_family)
        status = uv_tcp_bind(&c->link.tcp, (const struct sockaddr *)&c->bound, 0);
    else if (c->config.bind)
        status = UV_EAFNOSUPPORT;
    if (status != 0) {
        snprintf(c->error, sizeof(c->error), "-bind %.100s: %s", c->config.bind,
                 uv_strerror(status));
        link_abort(&c->link, false);
        return;
    }
    status = uv_tcp_connect(&c->connect, &c->link.tcp, (const struct sockaddr *)address, connected);
    if (status != 0) {
        snprintf(c->error, sizeof(c->error), "%s", uv_strerror(status));
        link_abort(&c->link, false);
    }
}

static void try_next(struct client *c)
{
    uint64_t now = uv_now(c->loop);
    char reason[128];
    if (c->done)
        return;
    if (c->aborted || c->next_address >= c->address_count || now >= c->deadline) {
        snprintf(reason, sizeof(reason), "%.120s", c->error);
        not_connected(c, "", c->aborted ? "stopped" : reason);
        return;
    }
    uint64_t left = c->deadline - now;
    if (c->next_address + 1 < c->address_count && left > ADDRESS_MS)
        left = ADDRESS_MS;
    uv_timer_start(&c->timer, address_is_slow, left, 0);
    begin(c, &c->addresses[c->next_address++]);
}

static void looked_up(uv_getaddrinfo_t *request, int status, struct addrinfo *found)
{
    struct client *c = request->data;
    if (c->done) {
        uv_freeaddrinfo(found);
        return;
    }
    for (struct addrinfo *a = found; a && c->address_count < CLIENT_ADDRESSES; a = a->ai_next)
        memcpy(&c->addresses[c->address_count++], a->ai_addr, a->ai_addrlen);
    uv_freeaddrinfo(found);
    if (status != 0 || c->address_count == 0) {
        not_connected(c, "", status ? uv_strerror(status) : "the name has no address");
        return;
    }
    /* The resolver has sorted them (RFC 6724); the first try of each is the best one. */
    try_next(c);
}

static bool look_up(struct client *c, struct error *e)
{
    char port[8];
    struct addrinfo hints = {
        .ai_family = c->config.family, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    snprintf(port, sizeof(port), "%u", c->port);
    c->lookup.data = c;
    int status = uv_getaddrinfo(c->loop, &c->lookup, looked_up, c->host, port, &hints);
    if (status != 0)
        return error_set(e, ERROR_NETWORK, "cannot look up '%s': %s", c->host, uv_strerror(status));
    return true;
}

/* "192.0.2.1", "192.0.2.1:5000", "2001:db8::1" or "[2001:db8::1]:5000". */
static bool set_bound(struct client *c, struct error *e)
{
    char host[INET6_ADDRSTRLEN + 1];
    const char *text = c->config.bind, *address = text;
    uint16_t port = 0;
    if (!text || is_address(text))
        ;
    else if (endpoint_split(text, host, sizeof(host), &port))
        address = host;
    if (!text || uv_ip4_addr(address, port, (struct sockaddr_in *)&c->bound) == 0 ||
        uv_ip6_addr(address, port, (struct sockaddr_in6 *)&c->bound) == 0)
        return true;
    return error_set(e, ERROR_USAGE, "-bind '%.100s': want an address, or address:port", text);
}

/* Where to, from where, and what is to be said first. */
static bool set_way(struct client *c, struct error *e)
{
    struct prologue_config talk = c->config.prologue;
    talk.proxy = c->config.proxy != NULL;
    talk.host = c->config.host;
    talk.port = c->config.port;
    bool own_name = talk.protocol && strcasestr(talk.protocol, "mtp"); /* SMTP and LMTP */
    if (!talk.name && !own_name)
        talk.name = c->config.settings.servername ? c->config.settings.servername : c->config.host;
    snprintf(c->host, sizeof(c->host), "%s", c->config.host);
    c->port = c->config.port;
    if (c->config.proxy &&
        (!endpoint_split(c->config.proxy, c->host, sizeof(c->host), &c->port) || !c->host[0]))
        return error_set(e, ERROR_USAGE, "-proxy '%.200s': want host:port", c->config.proxy);
    prologue_init(&c->prologue, &talk);
    return set_bound(c, e);
}

struct client *client_start(uv_loop_t *loop, const struct client_config *config, struct error *e)
{
    struct client *c = calloc(1, sizeof(*c));
    if (!c) {
        error_set(e, ERROR_MEMORY, "no memory for a client");
        return NULL;
    }
    c->config = *config;
    if (c->config.connect_seconds == 0)
        c->config.connect_seconds = 10;
    if (c->config.handshake_seconds == 0)
        c->config.handshake_seconds = 10;
    if (c->config.prologue.protocol && !prologue_knows(c->config.prologue.protocol)) {
        char names[256];
        prologue_names(names, sizeof(names));
        error_set(e, ERROR_USAGE, "-starttls '%.40s': want one of %s", config->prologue.protocol,
                  names);
        free(c);
        return NULL;
    }
    c->loop = loop;
    c->context = context_new(&c->config.settings, TLS_CLIENT, NULL, e);
    if (!c->context || !set_way(c, e) || !look_up(c, e)) {
        SSL_CTX_free(c->context);
        free(c);
        return NULL;
    }
    tls_pipe_log_keys(c->context);
    if (c->config.on_session)
        context_client_tell_sessions(c->context);
    uv_timer_init(loop, &c->timer);
    c->timer.data = c;
    uv_update_time(loop);
    c->deadline = uv_now(loop) + c->config.connect_seconds * UINT64_C(1000);
    uv_timer_start(&c->timer, address_is_slow, c->config.connect_seconds * UINT64_C(1000), 0);
    return c;
}

bool client_write(struct client *c, struct slice plain)
{
    return c->link_live && link_write(&c->link, plain);
}

size_t client_queued(const struct client *c)
{
    return c->link_live ? link_queued(&c->link) : 0;
}

void client_finish(struct client *c)
{
    if (c->link_live && c->connected)
        link_close(&c->link);
    else
        client_abort(c);
}

void client_abort(struct client *c)
{
    c->aborted = true;
    if (c->link_live)
        link_abort(&c->link, false);
    else if (!c->done) {
        uv_cancel((uv_req_t *)&c->lookup);
        not_connected(c, "", "stopped");
    }
}

const struct tls_pipe *client_tls(const struct client *c)
{
    return c->link_live && c->link.tls.ssl ? &c->link.tls : NULL;
}

const struct endpoint_report *client_report(const struct client *c)
{
    return &c->link.report;
}

void client_free(struct client *c)
{
    if (!c)
        return;
    prologue_free(&c->prologue);
    SSL_CTX_free(c->context);
    free(c);
}
