/* What servers say to `tlswire connect` outside TLS: the talk of every STARTTLS protocol and of a proxy ends within its
 * ceiling, and an HTTP response is the same in one piece and byte by byte. */
#include "endpoint/http_reply.h"
#include "endpoint/prologue.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const protocols[] = {"smtp",     "pop3",  "imap", "ftp",  "ldap",  "xmpp", "irc",
                                        "postgres", "mysql", "lmtp", "nntp", "sieve", NULL};
#define PROTOCOLS (sizeof(protocols) / sizeof(protocols[0]))

static enum prologue_state talk(struct slice said, unsigned how, size_t piece)
{
    struct prologue_config config = {.protocol = protocols[how % PROTOCOLS],
                                     .proxy = (how & 64) != 0 || !protocols[how % PROTOCOLS],
                                     .host = "host",
                                     .port = 1};
    struct prologue p;
    struct buf out = {.ceiling = 4096};
    prologue_init(&p, &config);
    enum prologue_state state = prologue_take(&p, slice_empty(), &out);
    while (state == PROLOGUE_MORE && said.len > 0) {
        state = prologue_take(&p, slice_take(&said, said.len < piece ? said.len : piece), &out);
        if (p.in.len > PROLOGUE_CEILING || out.failed)
            abort();
    }
    if ((state == PROLOGUE_REFUSED) != (p.error[0] != '\0'))
        abort();
    prologue_free(&p);
    buf_free(&out);
    return state;
}

static uint64_t reply(struct slice said, size_t piece, struct http_reply *r)
{
    uint64_t sum = 0;
    http_reply_init(r);
    while (said.len > 0 && r->state != HTTP_COMPLETE && r->state != HTTP_WRONG) {
        struct slice bytes = slice_take(&said, said.len < piece ? said.len : piece);
        while (bytes.len > 0 && r->state != HTTP_COMPLETE && r->state != HTTP_WRONG) {
            struct slice body = http_reply_take(r, &bytes);
            while (body.len > 0)
                sum = sum * 31 + slice_u8(&body);
        }
    }
    http_reply_free(r);
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice all = slice_of(data, size);
    struct http_reply one, two;
    unsigned how = slice_u8(&all);
    (void)talk(all, how, SIZE_MAX);
    if (all.len < 2000)
        (void)talk(all, how, 1);
    uint64_t sum = reply(all, SIZE_MAX, &one);
    if (sum != reply(all, 1, &two) || one.state != two.state || one.body_len != two.body_len ||
        one.status != two.status)
        abort();
    return 0;
}
