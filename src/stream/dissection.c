#include "stream/dissection.h"

#include <stdlib.h>

struct dissection *dissection_new(void)
{
    struct dissection *d = calloc(1, sizeof *d);
    if (d && !tape_init(&d->tape)) {
        free(d);
        return NULL;
    }
    return d;
}

void dissection_free(struct dissection *d)
{
    if (!d)
        return;
    tape_free(&d->tape);
    arena_free(&d->kept.bytes);
    free(d);
}

/* The bytes of all sources but the frame's own, which stay where the packet is. */
static bool copy_sources(struct dissection *to)
{
    struct dissection_kept *kept = &to->kept;
    arena_reset(&kept->bytes);
    for (uint32_t i = 1; i < to->tape.source_count; i++) {
        struct slice *bytes = &to->tape.sources[i].bytes, from = *bytes;
        uint8_t *copy = arena_alloc(&kept->bytes, from.len ? from.len : 1);
        if (!copy)
            return false;
        *bytes = slice_of(copy, from.len);
        slice_read(&from, copy, from.len);
    }
    return true;
}

static void copy_columns(struct columns *to, const struct columns *from)
{
    memcpy(to, from, offsetof(struct columns, items) + from->item_count * sizeof from->items[0]);
}

bool dissection_copy(struct dissection *to, const struct dissection *from)
{
    struct dissection_kept *kept = &to->kept;
    if (!tape_copy(&to->tape, &from->tape) || !copy_sources(to))
        return false;
    copy_columns(&to->columns, &from->columns);
    to->verdict = NULL; /* belongs to the engine, which goes on */
    to->time_relative = from->time_relative;
    to->time_delta = from->time_delta;
    to->time_delta_displayed = from->time_delta_displayed;
    kept->packet = *from->packet;
    to->packet = &kept->packet;
    if (from->columns.has_tcp) {
        to->tcp = from->tcp;
        struct slice options = slice_sub(from->tcp.options, 0, sizeof kept->tcp_options);
        to->tcp.options = slice_of(kept->tcp_options, options.len);
        slice_read(&options, kept->tcp_options, options.len);
        if (to->tcp.options_of) {
            kept->tcp_settings = *to->tcp.options_of;
            to->tcp.options_of = &kept->tcp_settings;
        }
        to->tcp.payload = slice_empty(); /* what it held is on the tape */
    }
    return true;
}
