/* HTTP/1.0 and 1.1: one request after the other. */
#include "endpoint/http.h"

#include <stdlib.h>

#define HEAD_MS 10000               /* for the head of a request, from its first byte */
#define TURN    ((size_t)256 << 10) /* bytes of a body in one turn of the loop */
#define PIECE   ((size_t)64 << 10)

struct http1 {
    struct turn turn; /* first */
    struct buf in;    /* requests that were not answered yet */
    uint64_t head_since;
    bool answering, last; /* a response is on its way; the connection ends with it */
    bool peer_done;
    struct http_response response;
};

static void go_on(struct answer *);

static void begin(struct answer *a)
{
    struct http1 *h = calloc(1, sizeof(*h));
    if (!h) {
        link_fail(a->link, "no memory");
        return;
    }
    h->in.ceiling = 4 * REQUEST_CEILING;
    h->response.fd = -1;
    turn_init(&h->turn, a, go_on);
    a->state = h;
}

static void put_head(struct answer *a, const struct http1 *h, const struct http_request *request)
{
    const struct http_response *r = &h->response;
    struct buf head = {.ceiling = 8192};
    char date[40];
    http_date(date, sizeof(date));
    buf_printf(&head, "HTTP/1.%c %u %s\r\nServer: tlswire\r\nDate: %s\r\n",
               request->http_1_1 ? '1' : '0', r->status, http_reason(r->status), date);
    if (r->type)
        buf_printf(&head, "Content-Type: %s\r\nX-Content-Type-Options: nosniff\r\n", r->type);
    if (r->location[0])
        buf_printf(&head, "Location: %s\r\n", r->location);
    if (r->status == 405)
        buf_str(&head, "Allow: GET, HEAD\r\n");
    if (r->no_store)
        buf_str(&head, "Cache-Control: no-store\r\n");
    buf_printf(&head, "Content-Length: %llu\r\nConnection: %s\r\n\r\n", (unsigned long long)r->size,
               h->last ? "close" : "keep-alive");
    link_write(a->link, buf_slice(&head));
    buf_free(&head);
}

/* Sends as much of the body as may wait for the peer, and no more than its share of a turn. */
static void send_body(struct answer *a, struct http1 *h)
{
    static const size_t most = PIECE;
    uint8_t *piece = malloc(most);
    size_t sent = 0;
    ssize_t count = 0;
    while (piece && sent < TURN && link_queued(a->link) < LINK_HIGH &&
           (count = http_body(&h->response, piece, most)) > 0) {
        sent += (size_t)count;
        if (!link_write(a->link, slice_of(piece, (size_t)count)))
            break;
    }
    free(piece);
    if (!piece || count < 0)
        link_fail(a->link, piece ? "a file became shorter while it was sent" : "no memory");
    if (a->link->state != LINK_OPEN)
        return;
    if (h->response.sent < h->response.size) {
        if (link_queued(a->link) < LINK_HIGH)
            turn_ask(&h->turn);
        return; /* else `writable` goes on */
    }
    http_response_free(&h->response);
    h->answering = false;
    if (h->last)
        link_close(a->link);
}

static void answer_request(struct answer *a, struct http1 *h, const struct http_request *request)
{
    http_respond(a, request, &h->response);
    h->answering = true;
    h->last = request->close || a->answers->stopping || h->response.raw;
    if (!h->response.raw)
        put_head(a, h, request);
    if (strcmp(request->method, "HEAD") == 0)
        h->response.sent = h->response.size;
    send_body(a, h);
}

/* The next request among the bytes that came, if it is whole. */
static bool next_request(struct answer *a, struct http1 *h)
{
    struct http_request request = {.status = 400, .close = true};
    size_t len = 0;
    enum request_state state = http_head(buf_slice(&h->in), &len);
    if (state == REQUEST_UNFINISHED && uv_now(a->answers->loop) - h->head_since > HEAD_MS) {
        request.status = 408;
        state = REQUEST_BAD;
    }
    if (h->in.len == 0 || state == REQUEST_UNFINISHED)
        return false;
    if (state == REQUEST_COMPLETE)
        http_read_head(&request, slice_sub(buf_slice(&h->in), 0, len));
    struct buf rest = {.ceiling = h->in.ceiling};
    buf_slice_put(&rest, slice_sub(buf_slice(&h->in), len, SIZE_MAX));
    buf_free(&h->in);
    h->in = rest;
    h->head_since = uv_now(a->answers->loop);
    answer_request(a, h, &request);
    return true;
}

static void go_on(struct answer *a)
{
    struct http1 *h = a ? a->state : NULL;
    if (!h || a->link->state != LINK_OPEN)
        return;
    if (h->answering)
        send_body(a, h);
    while (!h->answering && a->link->state == LINK_OPEN && next_request(a, h))
        continue;
    if (a->link->state != LINK_OPEN)
        return;
    if (h->peer_done && !h->answering)
        link_close(a->link);
    else if (!h->answering)
        link_resume(a->link);
}

static void take(struct answer *a, struct slice plain)
{
    struct http1 *h = a->state;
    if (h->in.len == 0)
        h->head_since = uv_now(a->answers->loop);
    buf_slice_put(&h->in, plain);
    if (h->in.failed) {
        link_fail(a->link, "too many requests at once");
        return;
    }
    if (!h->answering)
        go_on(a);
    if (h->answering)
        link_pause(a->link); /* one after the other */
}

static void peer_closed(struct answer *a)
{
    struct http1 *h = a->state;
    h->peer_done = true;
    if (!h->answering)
        link_close(a->link);
}

static bool busy(const struct answer *a)
{
    const struct http1 *h = a->state;
    return h && (h->answering || h->in.len > 0);
}

static void forget(struct answer *a)
{
    struct http1 *h = a->state;
    if (!h)
        return;
    buf_free(&h->in);
    http_response_free(&h->response);
    turn_free(&h->turn);
}

#define HTTP1_EVENTS                                                                           \
    .ready = begin, .data = take, .peer_closed = peer_closed, .writable = go_on, .busy = busy, \
    .free = forget

const struct answer_kind answer_www = {
    .name = "www", .wants_hello = true, .http2 = &answer_http2, HTTP1_EVENTS};
const struct answer_kind answer_files = {
    .name = "WWW", .prepare = http_files_prepare, .http2 = &answer_http2, HTTP1_EVENTS};
const struct answer_kind answer_responses = {
    .name = "HTTP", .prepare = http_files_prepare, HTTP1_EVENTS};
