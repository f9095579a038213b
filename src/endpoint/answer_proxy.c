/* A proxy that ends TLS: plain bytes go on to another server. */
#include "endpoint/pump.h"
#include "endpoint/upstream.h"

#include <stdio.h>
#include <stdlib.h>

struct proxy {
    struct pump pump;
    uv_tcp_t tcp;
    uv_connect_t request;
    unsigned address; /* that is tried now */
    bool open;        /* `tcp` is a handle */
    bool connected, said_all;
};

static void connect_next(struct proxy *);

static bool prepare(struct answers *a, struct error *e)
{
    if (a->config.found) {
        a->upstream = upstream_share(a->config.found);
        return true;
    }
    a->upstream = upstream_new(a->config.argument, e);
    return a->upstream != NULL;
}

static void fail(struct proxy *p, const char *what, int status)
{
    char text[200];
    snprintf(text, sizeof(text), "%s: %s", what, uv_strerror(status));
    if (p->pump.answer)
        link_fail(p->pump.answer->link, text);
}

static void ended(struct pump *pump, int status)
{
    struct proxy *p = (struct proxy *)(void *)pump;
    p->said_all = true;
    if (status != 0)
        fail(p, "the server behind the proxy broke off", status);
    else
        link_close(pump->answer->link);
}

static void closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void try_another(uv_handle_t *handle)
{
    struct proxy *p = handle->data;
    p->open = false;
    if (p->pump.answer)
        connect_next(p);
    else
        free(p);
}

static void connected(uv_connect_t *request, int status)
{
    struct proxy *p = request->data;
    if (status == UV_ECANCELED || !p->pump.answer)
        return;
    if (status != 0 && ++p->address < p->pump.answer->answers->upstream->count) {
        p->tcp.data = p;
        uv_close((uv_handle_t *)&p->tcp, try_another);
        return;
    }
    if (status != 0) {
        fail(p, "cannot connect to the server behind the proxy", status);
        return;
    }
    p->connected = true;
    uv_tcp_nodelay(&p->tcp, 1);
    pump_start(&p->pump);
    link_resume(p->pump.answer->link);
}

static void connect_next(struct proxy *p)
{
    struct answer *a = p->pump.answer;
    const struct sockaddr *address =
        (const struct sockaddr *)&a->answers->upstream->addresses[p->address];
    int status = uv_tcp_init(a->answers->loop, &p->tcp);
    p->open = status == 0;
    p->tcp.data = &p->pump;
    p->request.data = p;
    if (status == 0)
        status = uv_tcp_connect(&p->request, &p->tcp, address, connected);
    if (status != 0)
        fail(p, "cannot connect to the server behind the proxy", status);
}

static void begin(struct answer *a)
{
    struct proxy *p = answer_state(a, sizeof(*p));
    if (!p)
        return;
    pump_init(&p->pump, a, (uv_stream_t *)&p->tcp, (uv_stream_t *)&p->tcp, ended);
    link_pause(a->link); /* until it is known where to put what comes */
    connect_next(p);
}

static void take(struct answer *a, struct slice plain)
{
    struct proxy *p = a->state;
    if (!pump_send(&p->pump, plain) && !p->said_all)
        link_fail(a->link, "the server behind the proxy takes no more");
}

static void peer_closed(struct answer *a)
{
    struct proxy *p = a->state;
    if (a->link->report.peer_said_close && p->connected)
        pump_finish(&p->pump);
    else
        link_close(a->link); /* torn: the server behind is not told that this was all */
}

static void go_on(struct answer *a)
{
    struct proxy *p = a->state;
    if (p->connected && !p->said_all)
        pump_writable(&p->pump);
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
    bool torn = !a->link->report.peer_said_close && p->connected && !p->said_all;
    p->pump.answer = NULL;
    if (!p->open) {
        free(p); /* it never became a handle */
    } else if (!uv_is_closing((uv_handle_t *)&p->tcp)) {
        p->tcp.data = p;
        if (!torn || uv_tcp_close_reset(&p->tcp, closed) != 0)
            uv_close((uv_handle_t *)&p->tcp, closed);
    }
}

const struct answer_kind answer_proxy = {
    .name = "proxy",
    .prepare = prepare,
    .ready = begin,
    .data = take,
    .peer_closed = peer_closed,
    .writable = go_on,
    .busy = busy,
    .free = forget,
};
