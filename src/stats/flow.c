/* -z flow: who sent what to whom, as arrows between columns of addresses. */
#include "print/columns.h"
#include "print/info_tcp.h"
#include "stats/stats_private.h"

#include <stdlib.h>

#define MAX_NODES    40 /* columns that are drawn; addresses past them stand at the edge */
#define EDGE         (MAX_NODES + 1)
#define MAX_ARROWS   100000
#define TEXT_CEILING (24 << 20) /* bytes of all texts together */
#define WIDTH        20         /* columns of a node */
#define LABEL_INDENT 9          /* from a node's begin to its text and its arrow */
#define TIME_WIDTH   9

struct arrow {
    uint32_t text; /* where its texts begin; each has its length before it */
    uint32_t conversation;
    uint16_t source_port, destination_port;
    uint8_t source, destination; /* nodes */
};

struct flow {
    bool tcp;
    bool several; /* conversations: each arrow has the number of its own */
    struct address nodes[MAX_NODES];
    uint32_t node_count, arrow_count, capacity;
    struct arrow *arrows; /* owned */
    struct buf texts, scratch, row;
    uint64_t dropped;
};

enum { FLOW_ANY, FLOW_TCP };

bool flow_open(struct stat *s, struct error *error)
{
    struct flow *f = stat_state(s, sizeof *f, error);
    const char *rest = stat_rest(s);
    if (!f)
        return false;
    f->tcp = s->kind->variant == FLOW_TCP;
    f->texts.ceiling = TEXT_CEILING;
    f->texts.budget = &s->shared->budget;
    struct slice form = stat_word(&rest);
    if (!slice_is(form, "standard") && !slice_is(form, "network"))
        return error_set(
            error, ERROR_USAGE,
            "flow - Invalid address type; the form is flow,any|tcp,standard|network[,filter]");
    return stat_filter(s, rest, "flow tap", error);
}

void flow_want(const struct stat *s, uint8_t *want)
{
    const struct flow *f = s->state;
    if (!f->tcp)
        want[F_udp_srcport] = want[F_udp_dstport] = 1;
}

static uint8_t node_of(struct flow *f, const struct address *a)
{
    for (uint32_t i = 0; i < f->node_count; i++)
        if (memcmp(&f->nodes[i], a, sizeof *a) == 0)
            return (uint8_t)i;
    if (f->node_count == MAX_NODES)
        return EDGE;
    f->nodes[f->node_count] = *a;
    return (uint8_t)f->node_count++;
}

static bool make_room(struct stat *s, struct flow *f)
{
    if (f->arrow_count < f->capacity)
        return true;
    uint32_t capacity = f->capacity ? 2 * f->capacity : 256;
    capacity = capacity < MAX_ARROWS ? capacity : MAX_ARROWS;
    struct arrow *arrows =
        f->arrow_count < MAX_ARROWS
            ? stat_enlarge(s, f->arrows, f->capacity * sizeof *arrows, capacity * sizeof *arrows)
            : NULL;
    if (!arrows)
        return false;
    f->arrows = arrows;
    f->capacity = capacity;
    return true;
}

/* The scratch becomes a text. */
static void keep(struct flow *f)
{
    uint32_t len = (uint32_t)f->scratch.len;
    buf_put(&f->texts, &len, sizeof len);
    buf_slice_put(&f->texts, buf_slice(&f->scratch));
    buf_clear(&f->scratch);
}

/* What stands at the arrow, and beside the drawing. */
static void tcp_texts(struct flow *f, const struct tcp_facts *t)
{
    info_tcp_flags(&f->scratch, t->flags);
    if (t->len > 0)
        buf_printf(&f->scratch, " - Len: %u", t->len);
    keep(f);
    buf_printf(&f->scratch, "Seq = %u", t->seq);
    if (t->flags & TCP_ACK)
        buf_printf(&f->scratch, " Ack = %u", t->ack);
    keep(f);
}

static void any_texts(struct flow *f, const struct print_options *options,
                      const struct dissection *d)
{
    column_write(&f->scratch, COLUMN_INFO, options, d);
    keep(f);
    column_write(&f->scratch, COLUMN_PROTOCOL, options, d);
    buf_str(&f->scratch, ": ");
    column_write(&f->scratch, COLUMN_INFO, options, d);
    keep(f);
}

static void set_ports(struct arrow *a, const struct dissection *d)
{
    const struct tape *t = &d->tape;
    if (d->columns.has_tcp) {
        a->source_port = d->tcp.source_port;
        a->destination_port = d->tcp.destination_port;
        return;
    }
    for (uint32_t i = 0; i < t->count; i++) {
        const struct event *e = &t->events[i];
        if (e->field == F_udp_srcport)
            a->source_port = (uint16_t)e->value;
        if (e->field == F_udp_dstport)
            a->destination_port = (uint16_t)e->value;
    }
}

void flow_packet(struct stat *s, const struct dissection *d)
{
    struct flow *f = s->state;
    const struct tcp_facts *t = &d->tcp;
    if (f->tcp && (!d->columns.has_tcp || t->truncated || t->bogus_header_len))
        return;
    if (d->columns.source.kind == ADDRESS_NONE)
        return; /* nowhere to draw it from */
    size_t before = f->texts.len;
    struct arrow a = {.text = (uint32_t)before, .conversation = f->tcp ? t->stream : 0};
    column_write(&f->scratch, COLUMN_TIME, s->options, d);
    keep(f);
    if (f->tcp)
        tcp_texts(f, t);
    else
        any_texts(f, s->options, d);
    if (f->texts.failed || !make_room(s, f)) {
        f->texts.len = before;
        f->texts.failed = false;
        f->dropped++;
        return;
    }
    set_ports(&a, d);
    a.source = node_of(f, &d->columns.source);
    a.destination = node_of(f, &d->columns.destination);
    f->several |= f->tcp && f->arrow_count > 0 && a.conversation != f->arrows[0].conversation;
    f->arrows[f->arrow_count++] = a;
}

/* ---- what is drawn ---- */

static struct slice take_text(struct slice *texts)
{
    uint32_t len = 0;
    (void)slice_read(texts, &len, sizeof len);
    return slice_take(texts, len);
}

static size_t characters(struct slice text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++)
        count += (text.data[i] & 0xc0) != 0x80;
    return count;
}

/* The first COUNT characters. */
static struct slice cut(struct slice text, size_t count)
{
    size_t at = 0;
    for (; at < text.len; at++)
        if ((text.data[at] & 0xc0) != 0x80 && count-- == 0)
            break;
    return slice_sub(text, 0, at);
}

/* The row without arrows: "                   |" for each node. */
static void empty_row(struct flow *f)
{
    buf_clear(&f->row);
    for (uint32_t i = 0; i < f->node_count; i++) {
        buf_fill(&f->row, ' ', WIDTH - 1);
        buf_char(&f->row, '|');
    }
}

/* Writes TEXT over the row from column AT on.  Where it would pass the end it moves the rest away, and a place past
 * the end is the end: so tshark draws what goes from the last node to itself, or past the last that is drawn. */
static void overlay(struct flow *f, size_t at, struct slice text)
{
    struct slice old = buf_slice(&f->row);
    size_t over = characters(text);
    at = at < old.len ? at : old.len;
    over = at + over <= old.len ? over : 0;
    buf_clear(&f->scratch);
    buf_slice_put(&f->scratch, slice_sub(old, 0, at));
    buf_slice_put(&f->scratch, text);
    buf_slice_put(&f->scratch, slice_sub(old, at + over, old.len - at - over));
    struct buf turn = f->row;
    f->row = f->scratch;
    f->scratch = turn;
    buf_clear(&f->scratch);
}

static void overlay_port(struct flow *f, size_t at, uint16_t port)
{
    uint8_t room[8];
    struct buf text = {.data = room, .cap = sizeof room, .ceiling = sizeof room};
    buf_printf(&text, "(%u)", port);
    overlay(f, at, buf_slice(&text));
}

static void overlay_line(struct flow *f, size_t at, size_t len, bool leftward)
{
    uint8_t room[(EDGE + 2) * WIDTH];
    struct buf line = {.data = room, .cap = sizeof room, .ceiling = sizeof room};
    if (leftward)
        buf_char(&line, '<');
    buf_fill(&line, '-', len - 1);
    if (!leftward)
        buf_char(&line, '>');
    overlay(f, at, buf_slice(&line));
}

static void put_arrow(struct flow *f, struct buf *out, const struct arrow *a)
{
    struct slice texts = buf_slice(&f->texts);
    slice_skip(&texts, a->text);
    struct slice time = take_text(&texts), label = take_text(&texts), comment = take_text(&texts);
    size_t low = a->source, high = a->destination;
    bool leftward = low > high;
    if (leftward)
        low = a->destination, high = a->source;
    high += low == high;
    if (f->several)
        buf_printf(out, "%-5u", a->conversation);
    buf_char(out, '|');
    stat_pad(out, time, -TIME_WIDTH);
    buf_char(out, '|');
    empty_row(f);
    overlay(f, low * WIDTH + LABEL_INDENT, cut(label, (high - low) * WIDTH));
    buf_slice_put(out, buf_slice(&f->row));
    buf_slice_put(out, comment);
    buf_str(out, f->several ? "\n     |         |" : "\n|         |");
    empty_row(f);
    size_t len = (high - low) * WIDTH - 1;
    overlay_line(f, low * WIDTH + LABEL_INDENT, len, leftward);
    overlay_port(f, low * WIDTH, leftward ? a->destination_port : a->source_port);
    overlay_port(f, high * WIDTH + LABEL_INDENT + 1,
                 leftward ? a->source_port : a->destination_port);
    buf_slice_put(out, buf_slice(&f->row));
    buf_char(out, '\n');
}

/* The addresses: the odd ones in a row of their own, so that each has the room of two. */
static void put_heading(const struct stat *s, struct buf *out)
{
    struct flow *f = s->state;
    buf_str(out, f->several ? "Conv.| Time    " : "|Time     ");
    for (uint32_t i = 0; i < f->node_count; i += 2) {
        buf_str(&f->scratch, "| ");
        stat_name(s, &f->scratch, &f->nodes[i]);
        stat_pad(out, buf_slice(&f->scratch), -2 * WIDTH);
        buf_clear(&f->scratch);
    }
    buf_str(out, f->several ? "|\n     |         |                   "
                            : "|\n|         |                   ");
    for (uint32_t i = 1; i < f->node_count; i += 2) {
        buf_str(&f->scratch, "| ");
        stat_name(s, &f->scratch, &f->nodes[i]);
        if (f->scratch.len < WIDTH) {
            buf_fill(&f->scratch, ' ', WIDTH - f->scratch.len);
            buf_char(&f->scratch, '|');
        }
        stat_pad(out, buf_slice(&f->scratch), -2 * WIDTH);
        buf_clear(&f->scratch);
    }
    buf_char(out, '\n');
}

void flow_end(struct stat *s, struct buf *out)
{
    struct flow *f = s->state;
    if (f->arrow_count > 0)
        put_heading(s, out);
    for (uint32_t i = 0; i < f->arrow_count; i++) {
        if (f->several && i > 0 && f->arrows[i].conversation != f->arrows[i - 1].conversation) {
            buf_fill(out, '-', 17 + f->node_count * WIDTH);
            buf_char(out, '\n');
        }
        put_arrow(f, out, &f->arrows[i]);
        stat_drain(s, out);
    }
    if (f->dropped > 0)
        buf_printf(out, "[%llu packets more, past the first %u, are not drawn]\n",
                   (unsigned long long)f->dropped, f->arrow_count);
}

void flow_close(struct stat *s)
{
    struct flow *f = s->state;
    if (!f)
        return;
    stat_release(s, f->arrows, f->capacity * sizeof *f->arrows);
    buf_free(&f->texts);
    buf_free(&f->scratch);
    buf_free(&f->row);
    free(f);
}
