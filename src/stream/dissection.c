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
static bool keep_sources(struct dissection *d)
{
    struct arena *kept = &d->kept.bytes;
    arena_reset(kept);
    for (uint32_t i = 1; i < d->tape.source_count; i++) {
        struct slice *bytes = &d->tape.sources[i].bytes, from = *bytes;
        uint8_t *copy = arena_alloc(kept, from.len ? from.len : 1);
        if (!copy)
            return false;
        *bytes = slice_of(copy, from.len);
        slice_read(&from, copy, from.len);
    }
    return true;
}

bool dissection_keep(struct dissection *d, bool bytes)
{
    struct dissection_kept *kept = &d->kept;
    if (bytes && !keep_sources(d))
        return false;
    d->verdict = NULL; /* belongs to the engine, which goes on */
    kept->packet = *d->packet;
    d->packet = &kept->packet;
    if (d->columns.has_tcp) {
        struct slice options = slice_sub(d->tcp.options, 0, sizeof kept->tcp_options);
        d->tcp.options = slice_of(kept->tcp_options, options.len);
        slice_read(&options, kept->tcp_options, options.len);
        if (d->tcp.options_of) {
            kept->tcp_settings = *d->tcp.options_of;
            d->tcp.options_of = &kept->tcp_settings;
        }
        d->tcp.payload = slice_empty(); /* what it held is on the tape */
    }
    return true;
}
