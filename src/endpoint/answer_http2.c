/* HTTP/2 (RFC 9113): nghttp2 keeps the protocol, this file the requests and their bodies. */
#include "endpoint/http.h"

#include <nghttp2/nghttp2.h>
#include <stdlib.h>

#define STREAMS 100                 /* of one connection at a time */
#define TURN    ((size_t)256 << 10) /* bytes sent in one turn of the loop */

struct http2 {
    struct turn turn; /* first */
    nghttp2_session *session;
    unsigned open;
    bool pumping;
};

struct stream {
    struct http_request request;
    struct http_response response;
    size_t head_bytes;
};

static void pump(struct answer *);

/* ---- a request comes ---- */

static int begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct answer *a = user;
    struct http2 *h = a->state;
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0;
    struct stream *s = calloc(1, sizeof(*s));
    if (!s)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    s->request.carried = "HTTP/2";
    s->response.fd = -1;
    h->open++;
    nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, s);
    return 0;
}

static int header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                  size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                  void *user)
{
    struct stream *s = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    struct slice label = slice_of(name, name_len), text = slice_of(value, value_len);
    (void)flags, (void)user;
    if (!s)
        return 0;
    s->head_bytes += name_len + value_len;
    if (s->head_bytes > REQUEST_CEILING)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE; /* resets the stream */
    if (slice_is(label, ":method"))
        snprintf(s->request.method, sizeof(s->request.method), "%.*s", (int)text.len,
                 (const char *)text.data);
    else if (slice_is(label, ":path") && !http_read_target(&s->request, text))
        s->request.status = 400;
    else if (slice_is(label, "accept"))
        snprintf(s->request.accept, sizeof(s->request.accept), "%.*s", (int)text.len,
                 (const char *)text.data);
    return 0;
}

static int stream_close(nghttp2_session *session, int32_t id, uint32_t code, void *user)
{
    struct answer *a = user;
    struct http2 *h = a->state;
    struct stream *s = nghttp2_session_get_stream_user_data(session, id);
    (void)code;
    if (!s)
        return 0;
    h->open--;
    http_response_free(&s->response);
    free(s);
    return 0;
}

/* ---- its response ---- */

static ssize_t read_body(nghttp2_session *session, int32_t id, uint8_t *bytes, size_t size,
                         uint32_t *flags, nghttp2_data_source *source, void *user)
{
    struct stream *s = source->ptr;
    (void)session, (void)id, (void)user;
    ssize_t count = http_body(&s->response, bytes, size);
    if (count < 0)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    if (s->response.sent == s->response.size)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return count;
}

static nghttp2_nv field(const char *name, const char *value)
{
    return (nghttp2_nv){.name = (uint8_t *)(uintptr_t)name,
                        .value = (uint8_t *)(uintptr_t)value,
                        .namelen = strlen(name),
                        .valuelen = strlen(value)};
}

static int respond(nghttp2_session *session, struct answer *a, int32_t id, struct stream *s)
{
    char status[12], length[24], date[40];
    nghttp2_nv fields[8];
    size_t count = 0;
    struct http_response *r = &s->response;
    http_respond(a, &s->request, r);
    http_date(date, sizeof(date));
    snprintf(status, sizeof(status), "%u", r->status);
    snprintf(length, sizeof(length), "%llu", (unsigned long long)r->size);
    fields[count++] = field(":status", status);
    fields[count++] = field("server", "tlswire");
    fields[count++] = field("date", date);
    fields[count++] = field("content-length", length);
    if (r->type)
        fields[count++] = field("content-type", r->type);
    if (r->location[0])
        fields[count++] = field("location", r->location);
    if (r->no_store)
        fields[count++] = field("cache-control", "no-store");
    nghttp2_data_provider body = {.source.ptr = s, .read_callback = read_body};
    bool head_only = strcmp(s->request.method, "HEAD") == 0;
    return nghttp2_submit_response(session, id, fields, count, head_only ? NULL : &body);
}

static int frame_came(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct answer *a = user;
    struct stream *s = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    /* The methods that are answered have no body: the head is enough. */
    if (!s || frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0;
    if (s->request.path[0] == '\0')
        s->request.status = 400;
    int status = respond(session, a, frame->hd.stream_id, s);
    return nghttp2_is_fatal(status) ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

/* ---- the connection ---- */

static nghttp2_session *new_session(struct answer *a)
{
    nghttp2_session_callbacks *c = NULL;
    nghttp2_session *session = NULL;
    if (nghttp2_session_callbacks_new(&c) != 0)
        return NULL;
    nghttp2_session_callbacks_set_on_begin_headers_callback(c, begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(c, header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(c, frame_came);
    nghttp2_session_callbacks_set_on_stream_close_callback(c, stream_close);
    if (nghttp2_session_server_new(&session, c, a) != 0)
        session = NULL;
    nghttp2_session_callbacks_del(c);
    return session;
}

static void begin(struct answer *a)
{
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, STREAMS},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, REQUEST_CEILING},
    };
    struct http2 *h = calloc(1, sizeof(*h));
    if (!h) {
        link_fail(a->link, "no memory");
        return;
    }
    turn_init(&h->turn, a, pump);
    a->state = h;
    h->session = new_session(a);
    if (!h->session || nghttp2_submit_settings(h->session, NGHTTP2_FLAG_NONE, settings, 2) != 0)
        link_fail(a->link, "no memory for HTTP/2");
    else
        pump(a);
}

/* Sends what nghttp2 has to say, as much as may wait for the peer and its share of a turn. */
static void pump(struct answer *a)
{
    struct http2 *h = a ? a->state : NULL;
    if (!h || !h->session || h->pumping || a->link->state != LINK_OPEN)
        return;
    const uint8_t *bytes = NULL;
    size_t sent = 0;
    ssize_t count = 0;
    h->pumping = true;
    if (a->answers->stopping)
        nghttp2_session_terminate_session(h->session, NGHTTP2_NO_ERROR);
    while (sent < TURN && link_queued(a->link) < LINK_HIGH &&
           (count = nghttp2_session_mem_send(h->session, &bytes)) > 0) {
        sent += (size_t)count;
        if (!link_write(a->link, slice_of(bytes, (size_t)count)))
            break;
    }
    h->pumping = false;
    if (a->link->state != LINK_OPEN)
        return;
    if (count < 0)
        link_fail(a->link, nghttp2_strerror((int)count));
    else if (!nghttp2_session_want_read(h->session) && !nghttp2_session_want_write(h->session))
        link_close(a->link);
    else if (sent >= TURN && link_queued(a->link) < LINK_HIGH)
        turn_ask(&h->turn);
    else if (link_queued(a->link) < LINK_HIGH)
        link_resume(a->link);
    if (link_queued(a->link) >= LINK_HIGH)
        link_pause(a->link); /* answers to PING and SETTINGS wait, too */
}

static void take(struct answer *a, struct slice plain)
{
    struct http2 *h = a->state;
    if (!h || !h->session)
        return;
    ssize_t count = nghttp2_session_mem_recv(h->session, plain.data, plain.len);
    if (count < 0) {
        pump(a); /* GOAWAY */
        if (a->link->state == LINK_OPEN)
            link_fail(a->link, nghttp2_strerror((int)count));
        return;
    }
    pump(a);
}

static bool busy(const struct answer *a)
{
    const struct http2 *h = a->state;
    return h && h->open > 0;
}

static void forget(struct answer *a)
{
    struct http2 *h = a->state;
    if (!h)
        return;
    nghttp2_session_del(h->session);
    a->state = NULL;
    turn_free(&h->turn);
}

const struct answer_kind answer_http2 = {
    .name = "HTTP/2", .ready = begin, .data = take, .writable = pump, .busy = busy, .free = forget};
