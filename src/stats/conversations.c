/* -z conv and -z endpoints: who spoke with whom, and how much. */
#include "print/clock_text.h"
#include "stats/stats_private.h"

#include <stdlib.h>

enum layer { LAYER_ETHERNET, LAYER_IPV4, LAYER_IPV6, LAYER_TCP, LAYERS };

static const struct {
    const char *name;
    enum field_id source, destination;
    enum address_kind kind;
    uint8_t size;
} layers[] = {
    [LAYER_ETHERNET] = {"Ethernet", F_eth_src, F_eth_dst, ADDRESS_ETHER, 6},
    [LAYER_IPV4] = {"IPv4", F_ip_src, F_ip_dst, ADDRESS_IPV4, 4},
    [LAYER_IPV6] = {"IPv6", F_ipv6_src, F_ipv6_dst, ADDRESS_IPV6, 16},
    [LAYER_TCP] = {"TCP", F_NONE, F_NONE, ADDRESS_NONE, 0},
};

struct end {
    struct address address;
    uint16_t port;
};

/* The key: two ends, or one of an endpoint; cleared, so that its bytes are the same for the same. */
struct key {
    struct end ends[2];
    uint32_t stream;
};

/* 0: what the first end sent; 1: what it received. */
struct count {
    uint64_t frames[2], bytes[2];
    int64_t start, stop, start_absolute;
};

struct conversations {
    enum layer layer;
    bool endpoints;
    struct tally tally;
    struct buf scratch;
};

bool conversations_open(struct stat *s, struct error *error)
{
    struct conversations *c = stat_state(s, sizeof *c, error);
    if (!c)
        return false;
    c->layer = (enum layer)(s->kind->variant % LAYERS);
    c->endpoints = s->kind->variant >= LAYERS;
    tally_init(&c->tally, sizeof(struct count), TALLY_CEILING, &s->shared->budget);
    return stat_filter(s, stat_rest(s), c->endpoints ? "endpoint tap" : "conversations tap", error);
}

void conversations_want(const struct stat *s, uint8_t *want)
{
    const struct conversations *c = s->state;
    want[layers[c->layer].source] = want[layers[c->layer].destination] = 1;
    want[F_NONE] = 0;
}

static void count(struct conversations *c, const struct key *key, bool received,
                  const struct dissection *d)
{
    uint32_t before = c->tally.count;
    struct count *n = tally_item(&c->tally, slice_of(key, sizeof *key));
    if (!n)
        return;
    if (c->tally.count > before) {
        n->start = d->time_relative;
        n->start_absolute = d->packet->time_ns;
        n->stop = n->start;
    }
    n->frames[received]++;
    n->bytes[received] += d->packet->len;
    if (d->time_relative > n->stop)
        n->stop = d->time_relative;
    if (d->time_relative < n->start) {
        n->start = d->time_relative;
        n->start_absolute = d->packet->time_ns;
    }
}

static void add(struct conversations *c, const struct end *source, const struct end *destination,
                uint32_t stream, const struct dissection *d)
{
    struct key key;
    memset(&key, 0, sizeof key);
    if (c->endpoints) {
        key.ends[0] = *source;
        count(c, &key, false, d);
        key.ends[0] = *destination;
        count(c, &key, true, d);
        return;
    }
    /* The end that is seen to send first stands first. */
    key.stream = stream;
    key.ends[0] = *destination;
    key.ends[1] = *source;
    bool turned = memcmp(source, destination, sizeof *source) != 0 &&
                  tally_find(&c->tally, slice_of(&key, sizeof key));
    key.ends[turned] = *source;
    key.ends[!turned] = *destination;
    count(c, &key, turned, d);
}

static void set_end(struct end *end, struct slice bytes, enum layer layer)
{
    memset(end, 0, sizeof *end);
    end->address.kind = layers[layer].kind;
    (void)slice_read(&bytes, end->address.bytes, layers[layer].size);
}

static void add_tcp(struct conversations *c, const struct dissection *d)
{
    const struct tcp_facts *f = &d->tcp;
    struct end source, destination;
    if (!d->columns.has_tcp || f->truncated || f->bogus_header_len)
        return;
    memset(&source, 0, sizeof source);
    memset(&destination, 0, sizeof destination);
    source.address = d->columns.source;
    source.port = f->source_port;
    destination.address = d->columns.destination;
    destination.port = f->destination_port;
    add(c, &source, &destination, f->stream, d);
}

void conversations_packet(struct stat *s, const struct dissection *d)
{
    struct conversations *c = s->state;
    const struct tape *t = &d->tape;
    struct end source, destination;
    bool has_source = false, has_destination = false;
    if (c->layer == LAYER_TCP) {
        add_tcp(c, d);
        return;
    }
    for (uint32_t i = 0; i < t->count; i++) {
        const struct event *e = &t->events[i];
        if (e->field == layers[c->layer].source) {
            set_end(&source, event_bytes(t, e), c->layer);
            has_source = true;
        } else if (e->field == layers[c->layer].destination) {
            set_end(&destination, event_bytes(t, e), c->layer);
            has_destination = true;
        }
        if (has_source && has_destination) {
            add(c, &source, &destination, 0, d);
            has_source = has_destination = false;
        }
    }
}

static int more_frames(const void *a, const void *b)
{
    const struct count *x = a, *y = b;
    uint64_t p = x->frames[0] + x->frames[1], q = y->frames[0] + y->frames[1];
    return p > q ? 1 : p < q ? -1 : 0;
}

/* ---- what is written ---- */

#define RULE "================================================================================\n"

static void put_padded(struct conversations *c, struct buf *out, int width)
{
    stat_pad(out, buf_slice(&c->scratch), width);
    buf_clear(&c->scratch);
}

static void put_end(const struct stat *s, struct buf *out, const struct end *end)
{
    struct conversations *c = s->state;
    bool ports = c->layer == LAYER_TCP;
    stat_name(s, &c->scratch, &end->address);
    if (ports) {
        buf_char(&c->scratch, ':');
        buf_dec(&c->scratch, end->port);
    }
    put_padded(c, out, ports ? -26 : -20);
}

static void put_amount(struct conversations *c, struct buf *out, uint64_t frames, uint64_t bytes)
{
    buf_str(out, "  ");
    buf_dec_pad(out, frames, 6, ' ');
    buf_char(out, ' ');
    stat_size(&c->scratch, bytes);
    put_padded(c, out, -9);
}

/* A double has fewer digits than a span of decades in nanoseconds: what is left of them is shown. */
static double seconds(int64_t ns)
{
    return (double)(ns / 1000000000) + (double)(ns % 1000000000) / 1e9;
}

static void put_start(struct stat *s, struct buf *out, const struct count *n)
{
    int64_t at = n->start_absolute;
    switch (s->options->time) {
    case TIME_ABSOLUTE:
    case TIME_UTC:
        clock_text_time(out, at, s->options->time == TIME_UTC, 0);
        break;
    case TIME_DATE:
    case TIME_UTC_DATE:
        clock_text_date(out, at, s->options->time == TIME_UTC_DATE, 0);
        break;
    case TIME_DAY_OF_YEAR:
    case TIME_UTC_DAY_OF_YEAR:
        clock_text_day_of_year(out, at, s->options->time == TIME_UTC_DAY_OF_YEAR, 0);
        break;
    case TIME_EPOCH:
        buf_printf(out, "%20.9f", seconds(at));
        break;
    case TIME_RELATIVE:
    case TIME_DELTA:
    case TIME_DELTA_DISPLAYED:
        buf_printf(out, "%14.9f", seconds(n->start));
        break;
    }
}

static void put_heading(struct stat *s, struct buf *out)
{
    const struct conversations *c = s->state;
    const char *over = "   Relative    ", *under = "    Start     ", *unit = "Bytes";
    size_t indent = c->layer == LAYER_TCP ? 59 : 47;
    switch (s->options->time) {
    case TIME_ABSOLUTE:
    case TIME_UTC:
        over = "Absolute Time  ", under = "    Start     ", unit = "Size ";
        break;
    case TIME_DATE:
    case TIME_DAY_OF_YEAR:
    case TIME_UTC_DATE:
    case TIME_UTC_DAY_OF_YEAR:
        over = "Absolute Date  ", under = "   Start      ", unit = "Size ";
        break;
    case TIME_EPOCH:
        over = "      Relative       ", under = "       Start        ";
        break;
    case TIME_RELATIVE:
    case TIME_DELTA:
    case TIME_DELTA_DISPLAYED:
        break;
    }
    buf_fill(out, ' ', indent);
    buf_printf(out, "|       <-      | |       ->      | |     Total     | %s|   Duration   |\n",
               over);
    buf_fill(out, ' ', indent);
    buf_printf(out, "| Frames  %s | | Frames  %s | | Frames  %s |  %s|              |\n", unit,
               unit, unit, under);
}

static void put_conversations(struct stat *s, struct buf *out)
{
    struct conversations *c = s->state;
    put_heading(s, out);
    for (uint32_t i = 0; i < c->tally.count; i++) {
        struct key key;
        struct slice bytes = tally_key(&c->tally, i);
        const struct count *n = tally_at(&c->tally, i);
        (void)slice_read(&bytes, &key, sizeof key);
        put_end(s, out, &key.ends[0]);
        buf_str(out, " <-> ");
        put_end(s, out, &key.ends[1]);
        put_amount(c, out, n->frames[1], n->bytes[1]);
        put_amount(c, out, n->frames[0], n->bytes[0]);
        put_amount(c, out, n->frames[0] + n->frames[1], n->bytes[0] + n->bytes[1]);
        buf_str(out, "  ");
        put_start(s, out, n);
        buf_printf(out, "   %12.4f\n", seconds(n->stop) - seconds(n->start));
        stat_drain(s, out);
    }
}

static void put_endpoints(struct stat *s, struct buf *out)
{
    struct conversations *c = s->state;
    bool ports = c->layer == LAYER_TCP;
    buf_str(out, ports ? "                       |  Port  ||" : "                       |");
    buf_str(out,
            "  Packets  | |  Bytes  | | Tx Packets | | Tx Bytes | | Rx Packets | | Rx Bytes |\n");
    for (uint32_t i = 0; i < c->tally.count; i++) {
        struct key key;
        struct slice bytes = tally_key(&c->tally, i);
        const struct count *n = tally_at(&c->tally, i);
        (void)slice_read(&bytes, &key, sizeof key);
        stat_name(s, &c->scratch, &key.ends[0].address);
        put_padded(c, out, -20);
        if (ports)
            buf_printf(out, "      %5u     ", key.ends[0].port);
        else
            buf_str(out, "      ");
        buf_dec_pad(out, n->frames[0] + n->frames[1], 6, ' ');
        buf_str(out, "     ");
        buf_dec_pad(out, n->bytes[0] + n->bytes[1], 9, ' ');
        for (unsigned way = 0; way < 2; way++) {
            buf_str(out, way == 0 ? "     " : "      ");
            buf_dec_pad(out, n->frames[way], 6, ' ');
            buf_str(out, "       ");
            buf_dec_pad(out, n->bytes[way], 9, ' ');
        }
        buf_str(out, "   \n");
        stat_drain(s, out);
    }
}

void conversations_end(struct stat *s, struct buf *out)
{
    struct conversations *c = s->state;
    tally_sort(&c->tally, more_frames);
    buf_str(out, RULE);
    buf_printf(out, "%s %s\n", layers[c->layer].name, c->endpoints ? "Endpoints" : "Conversations");
    buf_str(out, "Filter:");
    buf_str(out, s->filter_text ? s->filter_text : *s->argument ? "" : "<No Filter>");
    buf_char(out, '\n');
    if (c->endpoints)
        put_endpoints(s, out);
    else
        put_conversations(s, out);
    stat_dropped(out, &c->tally, c->endpoints ? "endpoints" : "conversations");
    buf_str(out, RULE);
}

void conversations_close(struct stat *s)
{
    struct conversations *c = s->state;
    if (!c)
        return;
    tally_free(&c->tally);
    buf_free(&c->scratch);
    free(c);
}
