/* HTTP in pieces of arbitrary size: heads and bytes of content are the same as in one piece. */
#include "dissect/http.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct sums {
    uint64_t heads, body, ends, codes, texts;
    size_t room; /* of the piece */
};

static void put(void *context, const struct http_event *e)
{
    struct sums *s = context;
    const struct http_head *h = &e->head;
    if ((uint64_t)e->offset + e->length > s->room || e->body > s->room)
        abort();
    s->heads += h->kind != HTTP_NO_HEAD;
    s->body += e->body;
    s->ends += e->end;
    s->codes += h->code;
    s->texts += h->method.len + h->path.len + h->type.len + h->authority.len;
}

/* Both sides: each piece's first byte says whose it is, and how long. */
static struct sums run(struct slice all, bool two, bool small)
{
    struct sums s = {0};
    struct http_sink sink = {.put = put, .context = &s};
    struct http1 *h1 = two ? NULL : http1_new();
    struct http2 *h2 = two ? http2_new() : NULL;
    if (!h1 && !h2)
        abort();
    while (all.len > 0) {
        uint8_t how = slice_u8(&all);
        struct slice turn = slice_sub(all, 0, (size_t)(how & 127) * 8);
        bool client = how & 128;
        slice_skip(&all, turn.len);
        if ((how & 127) == 127) { /* something was lost */
            if (two)
                http2_gap(h2, client);
            else
                http1_gap(h1, client);
        }
        while (turn.len > 0) {
            struct slice piece = slice_take(&turn, small ? 1 : turn.len);
            s.room = piece.len;
            if (two)
                http2_read(h2, client, piece, &sink);
            else
                http1_read(h1, client, piece, &sink);
        }
    }
    s.room = SIZE_MAX;
    if (!two) {
        http1_close(h1, true, &sink);
        http1_close(h1, false, &sink);
    }
    size_t held = two ? http2_size(h2) : http1_size(h1);
    if (held > 512 * 1024)
        abort();
    http1_free(h1);
    http2_free(h2);
    return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice all = slice_of(data, size);
    bool two = slice_u8(&all) & 1;
    (void)run(all, two, true);
    (void)run(all, two, false);
    return 0;
}
