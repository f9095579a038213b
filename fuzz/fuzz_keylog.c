/* Key-log text in chunks of arbitrary size: the same secrets and counts as in one piece. */
#include "crypto/keylog.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void feed_in_pieces(struct key_table *table, struct slice text, uint32_t seed)
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
        if ((seed >> 16 & 15) == 0)
            keylog_finish(table);
    }
    keylog_finish(table);
}

static void compare(const struct key_table *a, const struct key_table *b)
{
    for (const struct key_secret *s = key_table_next(a, NULL); s; s = key_table_next(a, s)) {
        const struct key_secret *other = key_table_find(b, s->label, slice_of(s->id, s->id_len));
        if (!other || !slice_equal(key_secret_slice(s), key_secret_slice(other)))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct key_table whole, pieces;
    struct slice text = slice_of(data, size);
    uint32_t seed = slice_u32(&text);
    key_table_init(&whole);
    key_table_init(&pieces);
    keylog_feed(&whole, text);
    keylog_finish(&whole);
    feed_in_pieces(&pieces, text, seed);
    compare(&whole, &pieces);
    const struct keylog_stats *a = keylog_stats(&whole), *b = keylog_stats(&pieces);
    if (a->lines != b->lines || a->valid != b->valid || a->malformed != b->malformed ||
        a->comments != b->comments || a->unknown_label != b->unknown_label ||
        a->too_long != b->too_long)
        abort();
    if (a->valid + a->malformed + a->comments + a->unknown_label + a->too_long != a->lines)
        abort();
    key_table_free(&whole);
    key_table_free(&pieces);
    return 0;
}
