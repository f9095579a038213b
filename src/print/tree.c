#include "print/tree.h"

#include "print/hexdump.h"
#include "print/label.h"

#define INDENT     4
#define INDENT_MAX 160

/* Fields that are made for filters alone: none of their events is ever shown, so that a tree can do without. */
static const uint16_t unseen[] = {F_eth_dst_resolved,
                                  F_eth_dst_oui,
                                  F_eth_dst_oui_resolved,
                                  F_eth_src_resolved,
                                  F_eth_src_oui,
                                  F_eth_src_oui_resolved,
                                  F_eth_addr_resolved,
                                  F_eth_addr_oui,
                                  F_eth_addr_oui_resolved,
                                  F_eth_lg,
                                  F_eth_ig,
                                  F_ip_addr,
                                  F_ip_host,
                                  F_ip_src_host,
                                  F_ip_dst_host,
                                  F_ipv6_addr,
                                  F_ipv6_host,
                                  F_ipv6_src_host,
                                  F_ipv6_dst_host,
                                  F_tcp_port,
                                  F_udp_port,
                                  F__ws_expert_message};

void tree_wants(const struct print_options *options, uint8_t *want)
{
    bool seen[FIELD_COUNT];
    memset(seen, true, sizeof seen);
    for (size_t i = 0; i < sizeof unseen / sizeof unseen[0]; i++)
        seen[unseen[i]] = false;
    for (unsigned id = 0; id < FIELD_COUNT; id++)
        want[id] |= seen[id] && (options->more || !fields[id].more);
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
    size_t start = out->len;
    if (!buf_room(out, INDENT_MAX + LABEL_ROOM))
        return;
    uint8_t *to = indentation(out->data + start, e->depth);
    *to = '[';
    to = label_at(out, to + generated, clock, t, at);
    if (!to) {
        out->len = start;
        return;
    }
    *to = ']';
    to += generated;
    *to = '\n';
    buf_pen_down(out, to + 1);
}

/* Lines are written at a cursor: TO is where the next one begins, END the end of the room. */
struct lines {
    struct buf *out;
    struct print_state *state;
    uint8_t *to, *end;
};

static void take_up(struct lines *l)
{
    l->to = l->out->data + l->out->len;
    l->end = l->out->data + l->out->cap;
}

static void line_anew(struct lines *l, struct kept_line *kept, uint64_t number,
                      const struct tape *t, uint32_t at)
{
    struct buf *out = l->out;
    buf_pen_down(out, l->to);
    size_t start = out->len;
    line(out, &l->state->clock, t, at);
    if (kept && !out->failed)
        line_cache_keep(kept, &t->events[at], number,
                        slice_sub(buf_slice(out), start, out->len - start));
    take_up(l);
}

/* A line as it was written before, or anew. */
static inline void line_again(struct lines *l, enum line_fit fit, const struct tape *t, uint32_t at)
{
    const struct event *e = &t->events[at];
    uint64_t number;
    struct kept_line *kept = line_cache_place(&l->state->lines, fit, t, e, &number);
    if (kept && line_cache_has(kept, e, number) && l->end - l->to >= LINE_CACHE_TEXT)
        l->to = line_cache_copy(l->to, kept);
    else
        line_anew(l, kept, number, t, at);
}

/* Bytes that no protocol claims are shown in full, unless the whole packet will be. */
static void all_bytes(struct lines *l, const struct tape *t, const struct event *e)
{
    buf_pen_down(l->out, l->to);
    buf_char(l->out, '\n');
    hexdump_bytes(l->out, event_covers(t, e));
    take_up(l);
}

void tree_write(struct buf *out, const struct print_options *options, const struct dissection *d)
{
    const struct tape *t = &d->tape;
    const uint8_t *expanded = options->expanded;
    struct print_state *state = options->state;
    struct lines l = {.out = out, .state = state};
    line_cache_begin(&state->lines, t, options->more);
    if (!buf_room(out, LINE_CACHE_TEXT))
        return;
    take_up(&l);
    for (uint32_t i = 0; i < t->count;) {
        const struct event *e = &t->events[i];
        enum line_fit fit = state->lines.fields[e->field];
        if ((e->flags & EVENT_HIDDEN) || fit == LINE_LEFT_OUT) {
            i = e->next;
            continue;
        }
        line_again(&l, fit, t, i);
        bool closed = expanded && e->depth == 0 && !expanded[e->field];
        if (e->field == F_data && !options->hex && !closed)
            all_bytes(&l, t, e);
        i = closed ? e->next : i + 1;
    }
    buf_pen_down(out, l.to);
}
