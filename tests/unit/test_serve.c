/* What a server reads of its clients: requests of HTTP, and their hello. */
#include "endpoint/client_offer.h"
#include "endpoint/http.h"
#include "unit.h"

static void test_heads(void)
{
    static const struct {
        const char *head, *method, *path, *accept;
        unsigned status;
        bool close;
    } rows[] = {
        {"GET / HTTP/1.1\r\n\r\n", "GET", "/", "", 0, false},
        {"GET / HTTP/1.0\r\n\r\n", "GET", "/", "", 0, true},
        {"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", "GET", "/", "", 0, false},
        {"GET /a%20b?c=%2f HTTP/1.1\r\nConnection: close\r\n\r\n", "GET", "/a b", "", 0, true},
        {"HEAD /x HTTP/1.1\r\naccept:  text/html\r\n\r\n", "HEAD", "/x", "text/html", 0, false},
        {"GET /x HTTP/1.1\r\nContent-Length: 5\r\n\r\n", "GET", "/x", "", 0, true},
        {"GET /x HTTP/1.1\r\nContent-Length: 0\r\n\r\n", "GET", "/x", "", 0, false},
        {"GET /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", "GET", "/x", "", 0, true},
        {"GET /%00 HTTP/1.1\r\n\r\n", "GET", NULL, "", 400, true},
        {"GET /%4 HTTP/1.1\r\n\r\n", "GET", NULL, "", 400, true},
        {"GET x HTTP/1.1\r\n\r\n", "GET", NULL, "", 400, true},
        {"GET / HTTP/2.0\r\n\r\n", "GET", NULL, "", 505, true},
        {"GETGETGETGETGETGET / HTTP/1.1\r\n\r\n", NULL, NULL, "", 400, true},
        {"GET /\n\n", "GET", "/", "", 0, true},
        {"GET / HTTP/1.1\r\nno colon\r\n: empty\r\n\r\n", "GET", "/", "", 0, false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct http_request r;
        size_t len = 0;
        struct slice head = slice_of_str(rows[i].head);
        CHECK_EQ(REQUEST_COMPLETE, http_head(head, &len));
        CHECK_EQ(head.len, len);
        http_read_head(&r, head);
        CHECK_EQ(rows[i].status, r.status);
        CHECK_EQ(rows[i].close, r.close);
        CHECK_STR(rows[i].accept, r.accept);
        if (rows[i].method)
            CHECK_STR(rows[i].method, r.method);
        if (rows[i].path)
            CHECK_STR(rows[i].path, r.path);
    }
}

static void test_long_targets(void)
{
    struct http_request r;
    struct buf target = {.ceiling = 8192};
    buf_fill(&target, '/', 2047);
    CHECK(http_read_target(&r, buf_slice(&target)));
    CHECK_EQ(2047, strlen(r.path));
    buf_char(&target, '/');
    CHECK(!http_read_target(&r, buf_slice(&target)));
    buf_free(&target);
}

static const uint8_t hello[] = {
    0x01, 0x00, 0x00, 0x67, 0x03, 0x03, 0,    0,    0,    0,    0,    0,    0,    0,
    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,
    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0, /* version, random, no session id */
    0x00, 0x06, 0x2a, 0x2a, 0x13, 0x01, 0xc0, 0x2b,                /* suites */
    0x01, 0x00, 0x00, 0x38,                                        /* compression; extensions */
    0x00, 0x0a, 0x00, 0x06, 0x00, 0x04, 0x00, 0x1d, 0x00, 0x17,    /* supported_groups */
    0x00, 0x0d, 0x00, 0x04, 0x00, 0x02, 0x04, 0x03,                /* signature_algorithms */
    0x00, 0x10, 0x00, 0x0e, 0x00, 0x0c, 0x02, 0x68, 0x32, 0x08, 0x68, 0x74, 0x74, 0x70,
    0x2f, 0x31, 0x2e, 0x31,                                           /* h2, http/1.1 */
    0x00, 0x2b, 0x00, 0x05, 0x04, 0x03, 0x04, 0x03, 0x03,             /* supported_versions */
    0x00, 0x33, 0x00, 0x07, 0x00, 0x05, 0x00, 0x1d, 0x00, 0x01, 0x09, /* key_share */
};

static void test_offer(void)
{
    struct client_offer o;
    struct buf name = {.ceiling = 256};
    client_offer_read(&o, slice_of(hello, sizeof(hello)));
    CHECK_EQ(3, o.lists[OFFER_SUITES].count);
    CHECK_EQ(0x1301, o.lists[OFFER_SUITES].numbers[1]);
    CHECK_EQ(2, o.lists[OFFER_GROUPS].count);
    CHECK_EQ(2, o.lists[OFFER_VERSIONS].count);
    CHECK_EQ(1, o.lists[OFFER_SHARES].count);
    CHECK_EQ(29, o.lists[OFFER_SHARES].numbers[0]);
    CHECK_EQ(5, o.lists[OFFER_EXTENSIONS].count);
    CHECK_STR("h2,http/1.1", o.alpn);
    CHECK_EQ(32, strlen(o.ja3));
    CHECK(strncmp(o.ja4, "t13i0205h2_", 11) == 0);
    client_offer_name(&name, OFFER_SUITES, 0x2a2a);
    buf_char(&name, ' ');
    client_offer_name(&name, OFFER_SCHEMES, 0x0403);
    buf_char(&name, ' ');
    client_offer_name(&name, OFFER_EXTENSIONS, 0xfff0);
    buf_char(&name, '\0');
    CHECK_STR("GREASE ecdsa_secp256r1_sha256 0xfff0", (const char *)name.data);
    buf_free(&name);
    /* A hello that is cut anywhere, or empty, gives what is there. */
    for (size_t len = 0; len < sizeof(hello); len++) {
        client_offer_read(&o, slice_of(hello, len));
        CHECK(o.lists[OFFER_SUITES].count <= 3);
    }
}

int main(void)
{
    static const struct unit_test tests[] = {
        {"heads of requests", test_heads},
        {"long targets", test_long_targets},
        {"what a hello offers", test_offer},
    };
    return UNIT_RUN(tests);
}
