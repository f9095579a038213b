/* Key-log text in chunks of arbitrary size: the same secrets and counts as in one piece. */
#include "crypto/keylog.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void feed_in_pieces(struct key_table *table, struct slice text, uint32_t seed, bool finish)
{
    while (text.len > 0) {
        seed = seed * 1664525 + 1013904223;
        size_t n = (seed >> 24) % 61;
        if (n >= 50)
            n = n * 97; /* now and then a long one */
        if (n > text.len)
            n = text.len;
        /* A copy of its own, so that a sanitizer sees a read outside the chunk. */
        uint8_t *copy = malloc(n + 1);
        if (!copy)
            abort();
        memcpy(copy, text.data, n);
        slice_skip(&text, n);
        keylog_feed(table, slice_of(copy, n));
        free(copy);
        if (finish && (seed >> 16 & 15) == 0)
            keylog_finish(table);
    }
    keylog_finish(table);
}

static void compare(const struct key_table *a, const struct key_table *b, bool secrets)
{
    for (const struct key_secret *s = key_table_next(a, NULL); s; s = key_table_next(a, s)) {
        const struct key_secret *other = key_table_find(b, s->label, slice_of(s->id, s->id_len));
        if (!other || (secrets && !slice_equal(key_secret_slice(s), key_secret_slice(other))))
            abort();
    }
    const struct keylog_stats *x = keylog_stats(a), *y = keylog_stats(b);
    if (x->lines != y->lines || x->valid != y->valid || x->malformed != y->malformed ||
        x->comments != y->comments || x->unknown_label != y->unknown_label ||
        x->too_long != y->too_long)
        abort();
    if (secrets && (x->duplicates != y->duplicates || x->replaced != y->replaced))
        abort();
    if (x->valid + x->malformed + x->comments + x->unknown_label + x->too_long != x->lines)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct key_table whole, pieces, live;
    struct slice text = slice_of(data, size);
    uint32_t seed = slice_u32(&text);
    key_table_init(&whole);
    key_table_init(&pieces);
    key_table_init(&live);
    keylog_feed(&whole, text);
    keylog_finish(&whole);
    feed_in_pieces(&pieces, text, seed, false);
    /* A file still being written: half a line may pass for a whole one until its rest comes. */
    feed_in_pieces(&live, text, seed, true);
    compare(&whole, &pieces, true);
    compare(&pieces, &whole, true);
    compare(&whole, &live, false);
    key_table_free(&whole);
    key_table_free(&pieces);
    key_table_free(&live);
    return 0;
}
