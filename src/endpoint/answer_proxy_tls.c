/* A proxy that ends TLS and begins it anew: a TLS connection of its own to another server. */
#include "endpoint/answer.h"
#include "endpoint/context.h"
#include "endpoint/upstream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct proxy {
    struct link link;      /* to the server behind */
    struct answer *answer; /* NULL: the connection is gone */
    uv_connect_t request;
    unsigned address;
    bool open; /* `link` lives */
    bool said_all;
    struct endpoint_hooks hooks; /* none */
};

static void connect_next(struct proxy *);

static bool prepare(struct answers *a, struct error *e)
{
    const struct tls_settings *s = a->config.upstream;
    if (a->config.found) {
        a->upstream = upstream_share(a->config.found);
        return true;
    }
    a->upstream = upstream_new(a->config.argument, e);
    if (a->upstream)
        a->upstream->context = context_new(s, TLS_CLIENT, NULL, e);
    return a->upstream && a->upstream->context;
}

static void fail(struct proxy *p, const char *what, const char *why)
{
    char text[256];
    snprintf(text, sizeof(text), "%s: %.180s", what, why);
    if (p->answer)
        link_fail(p->answer->link, text);
}

/* ---- what the server behind says ---- */

static void behind_ready(struct link *link)
{
    struct proxy *p = link->user;
    if (p->answer)
        link_resume(p->answer->link);
}

static void behind_data(struct link *link, struct slice plain)
{
    struct proxy *p = link->user;
    if (!p->answer)
        return;
    link_write(p->answer->link, plain);
    if (link_queued(p->answer->link) >= LINK_HIGH)
        link_pause(link);
}

static void behind_closed(struct link *link)
{
    struct proxy *p = link->user;
    p->said_all = true;
    if (p->answer && !link->report.peer_said_close)
        fail(p, "the server behind the proxy", "closed without close_notify");
    else if (p->answer)
        link_close(p->answer->link);
    link_close(link);
}

static void behind_writable(struct link *link)
{
    struct proxy *p = link->user;
    if (p->answer)
        link_resume(p->answer->link);
}

static void behind_gone(struct link *link)
{
    struct proxy *p = link->user;
    p->open = false;
    if (!p->answer)
        free(p);
    else if (link->report.error[0])
        fail(p, "the server behind the proxy", link->report.error);
    else if (!p->said_all && ++p->address < p->answer->answers->upstream->count)
        connect_next(p);
    else if (!p->said_all)
        fail(p, "the server behind the proxy", "cannot be reached");
    else
        link_close(p->answer->link);
}

static const struct link_owner behind = {
    .ready = behind_ready,
    .data = behind_data,
    .peer_closed = behind_closed,
    .writable = behind_writable,
    .gone = behind_gone,
};

static void connected(uv_connect_t *request, int status)
{
    struct proxy *p = request->data;
    if (status == UV_ECANCELED || p->link.state == LINK_CLOSED)
        return;
    if (status != 0)
        link_abort(&p->link, false); /* `gone` tries another address */
    else
        link_start(&p->link);
}

/* The same application protocol behind as before. */
static void offer_alpn(struct proxy *p)
{
    unsigned char wire[256];
    const char *name = p->answer->link->report.alpn;
    size_t len = strlen(name);
    if (len == 0 || len > 255)
        return;
    wire[0] = (unsigned char)len;
    memcpy(wire + 1, name, len);
    SSL_set_alpn_protos(p->link.tls.ssl, wire, (unsigned)len + 1);
}

static void connect_next(struct proxy *p)
{
    struct answers *a = p->answer->answers;
    const struct upstream *u = a->upstream;
    struct error e = {.code = ERROR_NONE};
    unsigned char address[16];
    bool is_name = uv_inet_pton(AF_INET, u->host, address) != 0 &&
                   uv_inet_pton(AF_INET6, u->host, address) != 0;
    p->link = (struct link){.user = p,
                            .owner = &behind,
                            .hooks = &p->hooks,
                            .scratch = p->answer->link->scratch,
                            .limits = p->answer->link->limits};
    if (!tls_pipe_open(&p->link.tls, u->context, TLS_CLIENT, is_name ? u->host : NULL, u->host,
                       &e) ||
        !link_init(&p->link, a->loop, &e)) {
        tls_pipe_free(&p->link.tls);
        fail(p, "no connection to the server behind", e.text);
        return;
    }
    p->open = true;
    offer_alpn(p);
    p->request.data = p;
    int status = uv_tcp_connect(&p->request, &p->link.tcp,
                                (const struct sockaddr *)&u->addresses[p->address], connected);
    if (status != 0)
        link_abort(&p->link, false);
}

/* ---- what the client says ---- */

static void begin(struct answer *a)
{
    struct proxy *p = answer_state(a, sizeof(*p));
    if (!p)
        return;
    p->answer = a;
    link_pause(a->link);
    connect_next(p);
}

static void take(struct answer *a, struct slice plain)
{
    struct proxy *p = a->state;
    if (!p->open || !link_write(&p->link, plain))
        return; /* `gone` says why */
    if (link_queued(&p->link) >= LINK_HIGH)
        link_pause(a->link);
}

static void peer_closed(struct answer *a)
{
    struct proxy *p = a->state;
    if (!a->link->report.peer_said_close || !p->open) {
        link_close(a->link);
        return;
    }
    tls_pipe_close(&p->link.tls); /* half of it: what the server still says is passed on */
    link_write(&p->link, slice_empty());
}

static void go_on(struct answer *a)
{
    struct proxy *p = a->state;
    if (p->open)
        link_resume(&p->link);
}

static bool busy(const struct answer *a)
{
    const struct proxy *p = a->state;
    return p && !p->said_all;
}

static void forget(struct answer *a)
{
    struct proxy *p = a->state;
    if (!p)
        return;
    p->answer = NULL;
    if (!p->open)
        free(p);
    else
        link_abort(&p->link, false);
}

const struct answer_kind answer_proxy_tls = {
    .name = "proxy-tls",
    .prepare = prepare,
    .ready = begin,
    .data = take,
    .peer_closed = peer_closed,
    .writable = go_on,
    .busy = busy,
    .free = forget,
};
