#include "print/tree.h"

#include "print/hexdump.h"
#include "print/label.h"

#define INDENT     4
#define INDENT_MAX 160

static bool is_plain_data(const struct event *e)
{
    return fields[e->field].type == TYPE_PROTOCOL && strcmp(fields[e->field].abbrev, "data") == 0;
}

static void put_indent(struct buf *out, unsigned depth)
{
    static const char step[INDENT] = "    ";
    if (depth > INDENT_MAX / INDENT)
        depth = INDENT_MAX / INDENT;
    if (!buf_room(out, INDENT_MAX))
        return;
    for (unsigned i = 0; i < depth; i++, out->len += INDENT)
        memcpy(out->data + out->len, step, INDENT);
}

static void line(struct buf *out, const struct tape *t, uint32_t at)
{
    const struct event *e = &t->events[at];
    bool generated = e->flags & EVENT_GENERATED;
    put_indent(out, e->depth);
    if (generated)
        buf_char(out, '[');
    label_write(out, t, at);
    buf_put(out, "]\n", generated ? 2 : 0);
    if (!generated)
        buf_char(out, '\n');
}

void tree_write(struct buf *out, const struct print_options *options, const struct dissection *d)
{
    const struct tape *t = &d->tape;
    for (uint32_t i = 0; i < t->count;) {
        const struct event *e = &t->events[i];
        if ((e->flags & EVENT_HIDDEN) || print_omits(options, e)) {
            i = e->next;
            continue;
        }
        line(out, t, i);
        /* Bytes that no protocol claims are shown in full, unless the whole packet will be. */
        bool closed = options->expanded && e->depth == 0 && !options->expanded[e->field];
        if (!options->hex && !closed && is_plain_data(e)) {
            buf_char(out, '\n');
            hexdump_bytes(out, event_covers(t, e));
        }
        i = closed ? e->next : i + 1;
    }
}
