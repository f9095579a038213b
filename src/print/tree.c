#include "print/tree.h"

#include "print/hexdump.h"
#include "print/label.h"

#define INDENT     4
#define INDENT_MAX 160

static bool is_plain_data(const struct event *e)
{
    return fields[e->field].type == TYPE_PROTOCOL && strcmp(fields[e->field].abbrev, "data") == 0;
}

/* Four spaces for each level. */
static uint8_t *indentation(uint8_t *to, unsigned depth)
{
    if (depth > INDENT_MAX / INDENT)
        depth = INDENT_MAX / INDENT;
    for (unsigned i = 0; i < depth * INDENT; i += PEN_STEP)
        memcpy(to + i, PEN_PAD, PEN_STEP);
    return to + (size_t)depth * INDENT;
}

static void line(struct buf *out, struct clock_cache *clock, const struct tape *t, uint32_t at)
{
    const struct event *e = &t->events[at];
    bool generated = e->flags & EVENT_GENERATED;
    if (!buf_room(out, INDENT_MAX + PEN_STEP))
        return;
    uint8_t *to = indentation(out->data + out->len, e->depth);
    *to = '[';
    out->len = (size_t)(to - out->data) + generated;
    label_put(out, clock, t, at);
    if (!buf_room(out, 2))
        return;
    to = out->data + out->len;
    *to = ']';
    to += generated;
    *to = '\n';
    out->len += 1u + generated;
}

void tree_write(struct buf *out, const struct print_options *options, const struct dissection *d)
{
    const struct tape *t = &d->tape;
    struct clock_cache own = {0};
    struct clock_cache *clock = options->state ? &options->state->clock : &own;
    for (uint32_t i = 0; i < t->count;) {
        const struct event *e = &t->events[i];
        if ((e->flags & EVENT_HIDDEN) || print_omits(options, e)) {
            i = e->next;
            continue;
        }
        line(out, clock, t, i);
        /* Bytes that no protocol claims are shown in full, unless the whole packet will be. */
        bool closed = options->expanded && e->depth == 0 && !options->expanded[e->field];
        if (!options->hex && !closed && is_plain_data(e)) {
            buf_char(out, '\n');
            hexdump_bytes(out, event_covers(t, e));
        }
        i = closed ? e->next : i + 1;
    }
}
