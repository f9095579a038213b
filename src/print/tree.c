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
    if (!buf_room(out, INDENT_MAX + PEN_STEP))
        return;
    uint8_t *to = indentation(out->data + out->len, e->depth);
    *to = '[';
    buf_pen_down(out, to + generated);
    label_put(out, clock, t, at);
    if (!buf_room(out, 2))
        return;
    to = out->data + out->len;
    *to = ']';
    to += generated;
    *to = '\n';
    buf_pen_down(out, to + 1);
}

/* A line as it was written before, or anew. */
static inline void line_again(struct buf *out, struct print_state *state, const struct tape *t,
                              uint32_t at)
{
    const struct event *e = &t->events[at];
    uint64_t number;
    struct kept_line *kept = line_cache_place(&state->lines, t, e, &number);
    if (kept && line_cache_has(kept, e, number) && buf_room(out, LINE_CACHE_TEXT)) {
        buf_pen_down(out, line_cache_copy(out->data + out->len, kept));
        return;
    }
    size_t start = out->len;
    line(out, &state->clock, t, at);
    if (kept && !out->failed)
        line_cache_keep(kept, e, number, slice_sub(buf_slice(out), start, out->len - start));
}

void tree_write(struct buf *out, const struct print_options *options, const struct dissection *d)
{
    const struct tape *t = &d->tape;
    struct clock_cache clock = {0};
    if (options->state)
        line_cache_begin(&options->state->lines, t);
    for (uint32_t i = 0; i < t->count;) {
        const struct event *e = &t->events[i];
        if ((e->flags & EVENT_HIDDEN) || print_omits(options, e)) {
            i = e->next;
            continue;
        }
        if (options->state)
            line_again(out, options->state, t, i);
        else
            line(out, &clock, t, i);
        bool closed = options->expanded && e->depth == 0 && !options->expanded[e->field];
        /* Bytes that no protocol claims are shown in full, unless the whole packet will be. */
        if (e->field == F_data && !options->hex && !closed) {
            buf_char(out, '\n');
            hexdump_bytes(out, event_covers(t, e));
        }
        i = closed ? e->next : i + 1;
    }
}
