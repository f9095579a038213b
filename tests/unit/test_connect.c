/* What servers say to `tlswire connect` outside TLS, cut into pieces of every size. */
#include "endpoint/http_reply.h"
#include "endpoint/prologue.h"
#include "unit.h"

#include <string.h>

static enum prologue_state talk(struct prologue *p, const char *protocol, const char *said,
                                size_t piece, struct buf *out)
{
    struct prologue_config config = {
        .protocol = protocol, .name = "me", .host = "far.example", .port = 25};
    struct slice rest = slice_of_str(said);
    prologue_init(p, &config);
    enum prologue_state state = prologue_take(p, slice_empty(), out);
    while (state == PROLOGUE_MORE && rest.len > 0)
        state = prologue_take(p, slice_take(&rest, rest.len < piece ? rest.len : piece), out);
    prologue_free(p);
    return state;
}

static void test_dialogues(void)
{
    static const char smtp[] = "220-a\r\n220 b\r\n250-x\r\n250 STARTTLS\r\n220 go\r\n";
    for (size_t piece = 1; piece <= sizeof(smtp); piece++) {
        struct prologue p;
        struct buf out = {.ceiling = 4096};
        CHECK_EQ(PROLOGUE_READY, talk(&p, "smtp", smtp, piece, &out));
        CHECK(slice_is(buf_slice(&out), "EHLO me\r\nSTARTTLS\r\n"));
        buf_clear(&out);
        CHECK_EQ(PROLOGUE_REFUSED, talk(&p, "pop3", "+OK\r\n-ERR no\r\n", piece, &out));
        CHECK(strcmp(p.error, "the server refuses: -ERR no") == 0);
        CHECK_EQ(PROLOGUE_MORE, talk(&p, "imap", "* OK\r\na OK\r", piece, &out));
        buf_free(&out);
    }
    struct prologue p;
    struct buf out = {.ceiling = 4096};
    CHECK_EQ(PROLOGUE_REFUSED, talk(&p, "pop3", "+OK\r\n+OK\r\nmore", SIZE_MAX, &out));
    CHECK(strstr(p.error, "in the clear") != NULL);
    CHECK_EQ(PROLOGUE_REFUSED, talk(&p, "imap", "* OK\r\na OK\r\n", SIZE_MAX, &out));
    CHECK(strstr(p.error, "does not offer TLS") != NULL);
    CHECK(prologue_knows("XMPP") && !prologue_knows("gopher") && !prologue_knows(NULL));
    buf_free(&out);
}

static void test_replies(void)
{
    static const char text[] =
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 Fine\r\nTransfer-Encoding: chunked\r\n"
        "Content-Type:  text/plain \r\n\r\n5;x=y\r\nhello\r\n1\r\n!\r\n0\r\nT: u\r\n\r\nrest";
    for (size_t piece = 1; piece <= sizeof(text); piece++) {
        struct http_reply r;
        struct slice rest = slice_of_str(text);
        struct buf body = {.ceiling = 64};
        http_reply_init(&r);
        while (rest.len > 0 && r.state != HTTP_COMPLETE && r.state != HTTP_WRONG) {
            struct slice bytes = slice_take(&rest, rest.len < piece ? rest.len : piece);
            while (bytes.len > 0 && r.state != HTTP_COMPLETE && r.state != HTTP_WRONG)
                buf_slice_put(&body, http_reply_take(&r, &bytes));
        }
        CHECK_EQ(HTTP_COMPLETE, r.state);
        CHECK_EQ(200, r.status);
        CHECK(slice_is(buf_slice(&body), "hello!"));
        CHECK(strcmp(r.reason, "Fine") == 0 && strcmp(r.type, "text/plain") == 0);
        buf_free(&body);
        http_reply_free(&r);
    }
}

static void test_wrong_replies(void)
{
    static const char *const texts[] = {
        "SSH-2.0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 12x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffff\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct http_reply r;
        struct slice bytes = slice_of_str(texts[i]);
        http_reply_init(&r);
        while (bytes.len > 0 && r.state != HTTP_WRONG)
            (void)http_reply_take(&r, &bytes);
        CHECK_EQ(HTTP_WRONG, r.state);
        CHECK(r.error != NULL && !http_reply_ended(&r));
        http_reply_free(&r);
    }
}

int main(void)
{
    static const struct unit_test tests[] = {
        {"dialogues in pieces", test_dialogues},
        {"HTTP responses in pieces", test_replies},
        {"HTTP responses that are wrong", test_wrong_replies},
    };
    return UNIT_RUN(tests);
}
