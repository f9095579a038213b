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

bool dissection_trim(struct dissection *d, uint32_t most_events)
{
    if (d->tape.capacity <= most_events)
        return true;
    tape_free(&d->tape);
    return tape_init(&d->tape);
}

/* Where the layer above the link begins, which is where a reader is sent to for what is malformed. */
static uint32_t network_layer(const struct tape *t)
{
    for (uint32_t i = 0; i < t->count; i = t->events[i].next)
        if (t->events[i].field == F_ip || t->events[i].field == F_ipv6)
            return t->events[i].offset;
    return 0;
}

static void name_module(struct tape *t, uint32_t at, const char *module)
{
    size_t start = t->text.len;
    if (at == TAPE_NONE)
        return;
    buf_str(&t->text, module);
    t->events[at].value = (uint64_t)(t->text.len - start) << 32 | (uint32_t)start;
}

void dissection_remark(struct dissection *d, const char *text)
{
    struct columns *c = &d->columns;
    if (c->item_count < INFO_ITEMS)
        c->items[c->item_count++] = (struct info_item){.kind = INFO_TEXT, .text = text};
}

void dissection_stop(struct dissection *d, const char *module, bool cut)
{
    struct tape *t = &d->tape;
    uint32_t depth = t->depth, place = network_layer(t);
    t->depth = 0;
    if (cut) {
        name_module(t, tape_add(t, F__ws_short, 0, 0, 0, 0, 0), module);
    } else {
        uint32_t at = tape_open(t, F__ws_malformed, 0, place, 0, 0, 0);
        name_module(t, at, module);
        tape_expert(t, EXPERT_malformed, 0, place, 0, 0);
        tape_close(t, at);
    }
    t->depth = depth;
    dissection_remark(d, cut ? "[Packet size limited during capture]" : "[Malformed Packet]");
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
