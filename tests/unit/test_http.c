/* HTTP inside application data: what is asked and answered, in pieces of every size. */
#include "unit.h"

#include "dissect/http.h"

#include <nghttp2/nghttp2.h>
#include <stdlib.h>

static struct buf said, raw;

static void put(void *context, const struct http_event *e)
{
    const struct http_head *h = &e->head;
    (void)context;
    if (h->kind) {
        buf_printf(&said, "%u%c", e->stream,
                   h->kind == HTTP_REQUEST    ? '>'
                   : h->kind == HTTP_RESPONSE ? '<'
                                              : '+');
        buf_slice_put(&said, h->method);
        if (h->kind == HTTP_REQUEST)
            buf_char(&said, ' ');
        buf_slice_put(&said, h->authority);
        buf_slice_put(&said, h->path);
        if (h->code)
            buf_dec(&said, h->code);
        buf_str(&said, h->type.len > 0 ? " " : "");
        buf_slice_put(&said, h->type);
        if (h->has_length)
            buf_printf(&said, " %llu", (unsigned long long)h->length);
        buf_char(&said, '\n');
    }
    if (e->frame.has_error)
        buf_printf(&said, "%u! %u\n", e->stream, e->frame.error);
    if (e->note)
        buf_printf(&said, "%u? %s\n", e->stream, e->note);
    if (e->end)
        buf_printf(&said, "%u.\n", e->stream);
}

static uint64_t body;

static void put_body(void *context, const struct http_event *e)
{
    body += e->body;
    put(context, e);
}

static const struct http_sink sink = {.put = put_body};

static const char *result(void)
{
    buf_char(&said, '\0');
    return (const char *)said.data;
}

static void start(void)
{
    buf_clear(&said);
    body = 0;
}

/* Feeds TEXT in pieces of SIZE. */
static void feed1(struct http1 *h, bool client, const char *text, size_t size)
{
    struct slice s = slice_of_str(text);
    while (s.len > 0)
        http1_read(h, client, slice_take(&s, size < s.len ? size : s.len), &sink);
}

/* An exchange of HTTP/1.x, whole and byte by byte. */
static void exchange(const char *request, const char *response, uint64_t bytes,
                     const char *expected)
{
    for (size_t size = 1; size < 9000; size = size * 5 + 2) {
        struct http1 *h = http1_new();
        start();
        feed1(h, true, request, size);
        feed1(h, false, response, size);
        http1_close(h, true, &sink);
        http1_close(h, false, &sink);
        CHECK_STR(expected, result());
        CHECK_EQ(bytes, body);
        http1_free(h);
    }
}

static void test_bodies(void)
{
    exchange("GET /a HTTP/1.1\r\nHost: h.example\r\nCookie: secret\r\n\r\n",
             "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: "
             "5\r\n\r\nhello",
             5, "1>GET h.example/a\n1.\n1<200 text/html 5\n1.\n");
    exchange("GET /c HTTP/1.1\r\n\r\n",
             "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, "
             "chunked\r\n\r\n4;x=y\r\nwiki\r\nA\r\n0123456789\r\n0\r\nX: y\r\n\r\n",
             14, "1>GET /c\n1.\n1<200\n1.\n");
    exchange("GET /e HTTP/1.0\n\n", "HTTP/1.0 200 OK\n\nto the end", 10,
             "1>GET /e\n1.\n1<200\n1.\n");
    exchange("POST /p HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcGET /n HTTP/1.1\r\n\r\n",
             "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 304 "
             "N\r\nContent-Length: 9\r\n\r\n",
             3, "1>POST /p 3\n1.\n2>GET /n\n2.\n1<100\n1.\n1<204\n1.\n2<304 9\n2.\n");
    exchange("HEAD /h HTTP/1.1\r\n\r\nGET /g HTTP/1.1\r\n\r\n",
             "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nHTTP/1.1 404 No\r\nContent-Length: "
             "1\r\n\r\nx",
             1, "1>HEAD /h\n1.\n2>GET /g\n2.\n1<200 99\n1.\n2<404 1\n2.\n");
}

static void test_switches(void)
{
    exchange("CONNECT a.example:443 HTTP/1.1\r\n\r\n",
             "HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 500 no\r\n\r\n", 19,
             "1>CONNECT a.example:443\n1.\n1<200\n1? from here on another protocol\n");
    exchange("GET /w HTTP/1.1\r\nUpgrade: websocket\r\n\r\n",
             "HTTP/1.1 101 S\r\nUpgrade: websocket\r\n\r\n\x81\x01x", 3,
             "1>GET /w\n1.\n1<101\n1? from here on another protocol\n");
}

static void test_odd(void)
{
    exchange("POST /s HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
             "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc", 3,
             "1>POST /s\n1? lengths that contradict each other\n1.\n1<200 3\n"
             "1? lengths that contradict each other\n1.\n");
    exchange("GET /t HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", 3,
             "1>GET /t\n1.\n1<200 9\n1? the connection ended before the message did\n");
    exchange("GET /b HTTP/1.1\r\n\r\n",
             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nHTTP/1.1 ", 0,
             "1>GET /b\n1.\n1<200\n1? no chunk where one should begin\n");
    exchange("\x16\x03\x01 nothing\n", "220 mail\r\n", 0,
             "0? no request where one should begin\n0? no response where one should begin\n");
}

static void test_ceilings(void)
{
    struct http1 *h = http1_new();
    start();
    feed1(h, true, "GET /", 5);
    for (unsigned i = 0; i < 2000; i++)
        feed1(h, true, "aaaaaaaaaa", 10);
    feed1(h, true, " HTTP/1.1\r\nHost: x\r\n\r\n", 100);
    CHECK(strncmp(result(), "1>GET x/aaaaaaa", 15) == 0); /* cut, and so would be the host */
    CHECK(said.len > 8000 && said.len < 8300);
    CHECK(strstr((const char *)said.data, "1.\n") != NULL);
    CHECK(http1_size(h) < 100000);
    start();
    feed1(h, true, "GET / HTTP/1.1\r\n", 99);
    for (unsigned i = 0; i < 30000; i++)
        feed1(h, true, "X: 0123456789\r\n", 99);
    CHECK_STR("2? a head that is too long to be read\n", result());
    start();
    feed1(h, true, "GET /again HTTP/1.1\r\n\r\n", 99);
    CHECK_STR("3>GET /again\n3.\n", result());
    http1_free(h);
}

static void test_gap(void)
{
    struct http1 *h = http1_new();
    start();
    feed1(h, true, "GET /1 HTTP/1.1\r\n\r\n", 99);
    feed1(h, false, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc", 99);
    http1_gap(h, false);
    feed1(h, false, "the rest of something", 99);
    feed1(h, true, "GET /2 HTTP/1.1\r\n\r\nGET /3 HTTP/1.1\r\n\r\n", 99);
    feed1(h, false, "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", 99);
    CHECK_STR("1>GET /1\n1.\n1<200 100\n2>GET /2\n2.\n3>GET /3\n3.\n3<404 0\n3.\n", result());
    http1_free(h);
}

/* ---- HTTP/2 ---- */

static void frame(unsigned type, unsigned flags, uint32_t stream, struct slice payload)
{
    uint8_t head[9] = {(uint8_t)(payload.len >> 16),
                       (uint8_t)(payload.len >> 8),
                       (uint8_t)payload.len,
                       (uint8_t)type,
                       (uint8_t)flags,
                       0,
                       0,
                       (uint8_t)(stream >> 8),
                       (uint8_t)stream};
    buf_put(&raw, head, sizeof head);
    buf_slice_put(&raw, payload);
}

#define BYTES(...) \
    slice_of(((const uint8_t[]){__VA_ARGS__}), sizeof((const uint8_t[]){__VA_ARGS__}))

static nghttp2_nv nv(const char *name, const char *value)
{
    return (nghttp2_nv){(uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, strlen(name),
                        strlen(value), 0};
}

static uint8_t block[65536];

static struct slice deflate(nghttp2_hd_deflater *d, const nghttp2_nv *fields, size_t count)
{
    ssize_t len = nghttp2_hd_deflate_hd(d, block, sizeof block, fields, count);
    return slice_of(block, len > 0 ? (size_t)len : 0);
}

static void feed2(struct http2 *h, bool client, size_t size)
{
    struct slice s = buf_slice(&raw);
    while (s.len > 0)
        http2_read(h, client, slice_take(&s, size < s.len ? size : s.len), &sink);
    buf_clear(&raw);
}

/* A request in three frames with padding and priority, answers with a table that shrinks and grows. */
static void talk2(size_t size)
{
    nghttp2_hd_deflater *client, *server;
    struct http2 *h = http2_new();
    nghttp2_hd_deflate_new(&client, 4096);
    nghttp2_hd_deflate_new(&server, 65536);
    nghttp2_nv asked[] = {nv(":method", "GET"), nv(":scheme", "https"),
                          nv(":authority", "h.example"), nv(":path", "/x"), nv("cookie", "secret")};
    nghttp2_nv answered[] = {nv(":status", "200"), nv("content-type", "image/png; a=b"),
                             nv("content-length", "7"), nv("x-more", "kept in the table")};
    nghttp2_nv trailers[] = {nv("x-sum", "0")};
    start();
    buf_str(&raw, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    frame(4, 0, 0, BYTES(0, 3, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0)); /* the server's table: none */
    for (uint32_t stream = 1; stream <= 3; stream += 2) {
        uint8_t first[64] = {3, 0, 0, 0, 0, 16};
        struct slice all = deflate(client, asked, 5), part = slice_take(&all, 4);
        slice_read(&part, first + 6, 4);
        frame(1, 1 | 8 | 32, stream, slice_of(first, 6 + 4 + 3));
        part = slice_take(&all, 1);
        frame(9, 0, stream, part);
        frame(9, 4, stream, all);
    }
    feed2(h, true, size);
    nghttp2_hd_deflate_change_table_size(server, 0);
    frame(4, 1, 0, slice_empty());
    for (uint32_t stream = 1; stream <= 3; stream += 2) {
        frame(1, 4, stream, deflate(server, answered, 4));
        frame(0, 8, stream, BYTES(2, 'a', 'b', 'c', 'd', 0, 0));
        frame(0, 0, stream, BYTES('e', 'f', 'g'));
        frame(1, 5, stream, deflate(server, trailers, 1));
    }
    frame(3, 0, 5, BYTES(0, 0, 0, 8));
    frame(7, 0, 0, BYTES(0, 0, 0, 3, 0, 0, 0, 11, 'b', 'y', 'e'));
    feed2(h, false, size);
    CHECK_STR("1>GET h.example/x\n1.\n3>GET h.example/x\n3.\n"
              "1<200 image/png 7\n1+\n1.\n3<200 image/png 7\n3+\n3.\n5! 8\n0! 11\n",
              result());
    CHECK_EQ(14, body);
    CHECK(http2_size(h) < 200000);
    http2_free(h);
    nghttp2_hd_deflate_del(client);
    nghttp2_hd_deflate_del(server);
}

static void test_http2(void)
{
    for (size_t size = 1; size < 2000; size = size * 3 + 1)
        talk2(size);
}

static void test_http2_gap(void)
{
    nghttp2_hd_deflater *server;
    struct http2 *h = http2_new();
    nghttp2_hd_deflate_new(&server, 4096);
    nghttp2_nv answered[] = {nv(":status", "200"), nv("x", "y")};
    start();
    frame(1, 4, 1, deflate(server, answered, 2));
    feed2(h, false, 9999);
    http2_gap(h, false);
    buf_str(&raw, "in the middle of a frame");
    feed2(h, false, 9999);
    frame(1, 4, 3, deflate(server, answered, 2));
    frame(0, 1, 3, BYTES('e', 'n', 'd'));
    feed2(h, false, 9999);
    CHECK_STR("1<200\n3? a head that cannot be read: what it refers to was lost\n3.\n", result());
    CHECK_EQ(3, body);
    http2_free(h);
    nghttp2_hd_deflate_del(server);
}

static void hostile(const char *expected)
{
    struct http2 *h = http2_new();
    start();
    feed2(h, false, 9999);
    CHECK_STR(expected, result());
    http2_free(h);
}

static void test_http2_hostile(void)
{
    frame(0, 8, 1, BYTES(9, 'a'));
    frame(0, 1, 1, slice_empty());
    hostile("1? more padding than there is room for\n1.\n");
    frame(9, 4, 1, BYTES(0x88));
    hostile("1? a continuation of nothing\n");
    frame(1, 0, 1, BYTES(0x88));
    frame(6, 0, 0, BYTES(1, 2, 3, 4, 5, 6, 7, 8));
    frame(1, 4, 3, BYTES(0x88));
    hostile(
        "0? a head without its end\n3? a head that cannot be read: what it refers to was lost\n");
    frame(1, 4, 1, BYTES(0xff, 0xff, 0xff, 0xff, 0xff, 0xff));
    hostile("1? a head that cannot be decompressed\n");
    frame(1, 32 | 4, 1, BYTES(1));
    frame(1, 4, 3, BYTES(0x88));
    hostile("1? a frame that is too short\n3? a head that cannot be read: what it refers to was "
            "lost\n");
    CHECK(!http2_looks(slice_of_str("GET / HTTP/1.1\r\n")));
    CHECK(http1_looks(slice_of_str("GET / HTTP/1.1\r\n")) &&
          http1_looks(slice_of_str("HTTP/1.1 200")));
    CHECK(!http1_looks(slice_of_str("EHLO")) && !http1_looks(slice_of_str("\x16\x03\x01")));
}

int main(void)
{
    static const struct unit_test tests[] = {
        {"HTTP/1: where bodies end", test_bodies},
        {"HTTP/1: other protocols", test_switches},
        {"HTTP/1: contradictions", test_odd},
        {"HTTP/1: ceilings", test_ceilings},
        {"HTTP/1: gaps", test_gap},
        {"HTTP/2: frames and heads", test_http2},
        {"HTTP/2: gaps", test_http2_gap},
        {"HTTP/2: hostile", test_http2_hostile},
    };
    int status = UNIT_RUN(tests);
    buf_free(&said);
    buf_free(&raw);
    return status;
}
