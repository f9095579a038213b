#include "capture/synth.h"

enum {
    FLAG_FIN = 1,
    FLAG_SYN = 2,
    FLAG_RST = 4,
    FLAG_PSH = 8,
    FLAG_ACK = 16,
    ETHERNET = 14,
    TCP_HEADER = 20,
    TIMESTAMPS = 12, /* with the two NOPs before */
    SYN_WINDOW = 65495,
    SYN_WINDOW_PLAIN =
        65535, /* without timestamps a segment has 65495 bytes, and must not fill it */
    WINDOW_SHIFT = 7,
    SCALED_WINDOW = 4096, /* << WINDOW_SHIFT: 512 KiB */
    HOP_LIMIT = 64,
    PROTOCOL_TCP = 6,
};

struct segment {
    enum synth_side from;
    uint8_t flags;
    uint32_t sequence;
    struct slice data;
};

static void put16(struct buf *b, uint32_t v)
{
    buf_char(b, (char)(uint8_t)(v >> 8));
    buf_char(b, (char)(uint8_t)v);
}

static void put32(struct buf *b, uint32_t v)
{
    put16(b, v >> 16);
    put16(b, v & 0xffff);
}

static enum synth_side other(enum synth_side side)
{
    return side == SYNTH_CLIENT ? SYNTH_SERVER : SYNTH_CLIENT;
}

static size_t ip_header(const struct synth_flow *f)
{
    return f->options.ipv6 ? 40 : 20;
}

/* Bytes of a packet on the loopback: 65536, of which an IPv4 length can say 65535; an IPv6 length
 * leaves its own header out. */
static size_t most_bytes(const struct synth_flow *f)
{
    return f->options.ipv6 ? 65536 : 65535;
}

static size_t max_segment(const struct synth_flow *f)
{
    size_t most =
        most_bytes(f) - ip_header(f) - TCP_HEADER - (f->options.no_timestamps ? 0 : TIMESTAMPS);
    size_t wanted = f->options.segment;
    return wanted > 0 && wanted < most ? wanted : most;
}

/* RFC 1071: sum of 16-bit words, carried around. */
static uint32_t sum_words(struct slice s, uint32_t sum)
{
    while (s.len >= 2)
        sum += slice_u16(&s);
    if (s.len == 1)
        sum += (uint32_t)slice_u8(&s) << 8;
    return sum;
}

static uint16_t fold(uint32_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static void patch16(struct buf *b, size_t at, uint16_t v)
{
    if (b->failed)
        return;
    b->data[at] = (uint8_t)(v >> 8);
    b->data[at + 1] = (uint8_t)v;
}

static struct slice address_of(const struct synth_flow *f, enum synth_side side)
{
    return slice_of(f->options.address[side].ip, f->options.ipv6 ? 16 : 4);
}

static void put_ip(struct synth_flow *f, const struct segment *s, size_t payload)
{
    struct buf *b = &f->frame;
    size_t start = b->len;
    if (f->options.ipv6) {
        put32(b, 0x60000000);
        put16(b, (uint32_t)payload);
        buf_char(b, PROTOCOL_TCP);
        buf_char(b, HOP_LIMIT);
    } else {
        /* Linux gives the SYN/ACK identification 0, and counts from a start of its own after it. */
        bool zero = (s->flags & FLAG_SYN) && s->from == SYNTH_SERVER;
        put16(b, 0x4500);
        put16(b, (uint32_t)(payload + ip_header(f)));
        put16(b, zero ? 0 : f->end[s->from].ip_id++);
        put16(b, 0x4000); /* do not fragment */
        buf_char(b, HOP_LIMIT);
        buf_char(b, PROTOCOL_TCP);
        put16(b, 0);
    }
    buf_slice_put(b, address_of(f, s->from));
    buf_slice_put(b, address_of(f, other(s->from)));
    if (!f->options.ipv6)
        patch16(b, start + 10, fold(sum_words(slice_sub(buf_slice(b), start, 20), 0)));
}

static void put_options(struct synth_flow *f, const struct segment *s)
{
    struct buf *b = &f->frame;
    bool syn = s->flags & FLAG_SYN;
    bool stamped = !f->options.no_timestamps;
    if (syn) {
        put32(b, 0x02040000u | (uint32_t)(most_bytes(f) - ip_header(f) - TCP_HEADER));
        put16(b, stamped ? 0x0402 : 0x0101); /* SACK permitted, or NOPs to keep the alignment */
        if (!stamped)
            put16(b, 0x0402);
    } else if (stamped) {
        put16(b, 0x0101);
    }
    if (stamped) {
        uint32_t now = (uint32_t)(f->time_ns / 1000000);
        put16(b, 0x080a);
        put32(b, now);
        put32(b, syn && s->from == SYNTH_CLIENT ? 0 : now);
    }
    if (syn)
        put32(b, 0x01030300u | WINDOW_SHIFT);
}

static size_t options_len(const struct synth_flow *f, bool syn)
{
    if (f->options.no_timestamps)
        return syn ? 12 : 0;
    return syn ? 20 : TIMESTAMPS;
}

static void put_tcp(struct synth_flow *f, const struct segment *s)
{
    struct buf *b = &f->frame;
    struct synth_end *from = &f->end[s->from];
    bool syn = s->flags & FLAG_SYN;
    size_t start = b->len;
    size_t header = TCP_HEADER + options_len(f, syn);
    put16(b, f->options.address[s->from].port);
    put16(b, f->options.address[other(s->from)].port);
    put32(b, s->sequence);
    put32(b, s->flags & FLAG_ACK ? from->acknowledged : 0);
    put16(b, (uint32_t)(header / 4) << 12 | s->flags);
    uint32_t syn_window = f->options.no_timestamps ? SYN_WINDOW_PLAIN : SYN_WINDOW;
    put16(b, s->flags & FLAG_RST ? 0 : syn ? syn_window : SCALED_WINDOW);
    from->window = syn ? syn_window : (uint32_t)SCALED_WINDOW << WINDOW_SHIFT;
    put32(b, 0); /* checksum and urgent pointer */
    put_options(f, s);
    buf_slice_put(b, s->data);
    uint32_t sum = PROTOCOL_TCP + (uint32_t)(b->len - start);
    sum = sum_words(address_of(f, SYNTH_CLIENT), sum);
    sum = sum_words(address_of(f, SYNTH_SERVER), sum);
    sum = sum_words(slice_sub(buf_slice(b), start, b->len), sum);
    patch16(b, start + 16, fold(sum));
}

static void emit(struct synth_flow *f, const struct segment *s)
{
    struct buf *b = &f->frame;
    bool syn = s->flags & FLAG_SYN;
    buf_clear(b);
    buf_fill(b, '\0', ETHERNET - 2);
    put16(b, f->options.ipv6 ? 0x86dd : 0x0800);
    put_ip(f, s, TCP_HEADER + options_len(f, syn) + s->data.len);
    put_tcp(f, s);
    if (b->failed)
        return;
    struct packet p = {
        .bytes = buf_slice(b),
        .time_ns = f->time_ns,
        .caplen = (uint32_t)b->len,
        .len = (uint32_t)b->len,
        .link_type = LINK_ETHERNET,
        .interface = f->options.interface,
        .interface_name = f->options.interface_name,
        .section = 1,
        .comment = slice_empty(),
        .options = slice_empty(),
        .time_decimals = 9,
        .has_time = true,
    };
    f->options.emit(f->options.context, &p);
}

/* Sends from where the side stands; SYN and FIN take a sequence number each (RFC 9293 3.4). */
static void transmit(struct synth_flow *f, enum synth_side from, uint8_t flags, struct slice data)
{
    struct synth_end *end = &f->end[from];
    struct segment s = {.from = from, .flags = flags, .sequence = end->next, .data = data};
    if (flags & FLAG_ACK)
        end->acknowledged = f->end[other(from)].next;
    end->next += (uint32_t)data.len + ((flags & (FLAG_SYN | FLAG_FIN)) != 0);
    emit(f, &s);
}

static void advance(struct synth_flow *f, int64_t time_ns)
{
    if (time_ns > f->time_ns)
        f->time_ns = time_ns;
}

void synth_init(struct synth_flow *f, const struct synth_options *options)
{
    *f = (struct synth_flow){.options = *options};
    for (int side = 0; side < 2; side++) {
        f->end[side].next = options->first_sequence[side];
        f->end[side].ip_id = (uint16_t)(options->first_sequence[side] >> 7 | 1);
    }
}

void synth_free(struct synth_flow *f)
{
    buf_wipe(&f->frame);
}

void synth_open(struct synth_flow *f, int64_t time_ns)
{
    if (f->open)
        return;
    f->open = true;
    advance(f, time_ns);
    transmit(f, SYNTH_CLIENT, FLAG_SYN, slice_empty());
    transmit(f, SYNTH_SERVER, FLAG_SYN | FLAG_ACK, slice_empty());
    transmit(f, SYNTH_CLIENT, FLAG_ACK, slice_empty());
}

void synth_ack(struct synth_flow *f, enum synth_side from, int64_t time_ns)
{
    if (!f->open || f->reset || f->end[from].acknowledged == f->end[other(from)].next)
        return;
    advance(f, time_ns);
    transmit(f, from, FLAG_ACK, slice_empty());
}

/* A sender that fills the receiver's window is a finding of its own in an analysis, so each stays
 * below the window, and is acknowledged every second segment, as RFC 9293 3.8.6.3 has it. */
static bool wants_ack(const struct synth_flow *f, enum synth_side from, size_t next_len)
{
    uint32_t flying = f->end[from].next - f->end[other(from)].acknowledged;
    return flying > 0 &&
           (flying + next_len >= f->end[other(from)].window || flying >= 2 * max_segment(f));
}

void synth_data(struct synth_flow *f, enum synth_side from, struct slice bytes, int64_t time_ns)
{
    if (!f->open || f->reset || f->end[from].finished || bytes.len == 0)
        return;
    advance(f, time_ns);
    size_t most = max_segment(f);
    while (bytes.len > 0) {
        size_t len = bytes.len < most ? bytes.len : most;
        if (wants_ack(f, from, len))
            synth_ack(f, other(from), time_ns);
        struct slice data = slice_take(&bytes, len);
        transmit(f, from, bytes.len == 0 ? FLAG_PSH | FLAG_ACK : FLAG_ACK, data);
    }
    synth_ack(f, other(from), time_ns);
}

void synth_fin(struct synth_flow *f, enum synth_side from, int64_t time_ns)
{
    if (!f->open || f->reset || f->end[from].finished)
        return;
    advance(f, time_ns);
    f->end[from].finished = true;
    transmit(f, from, FLAG_FIN | FLAG_ACK, slice_empty());
    if (f->end[other(from)].finished)
        synth_ack(f, other(from), time_ns);
}

void synth_rst(struct synth_flow *f, enum synth_side from, int64_t time_ns)
{
    if (!f->open || f->reset)
        return;
    advance(f, time_ns);
    transmit(f, from, FLAG_RST | FLAG_ACK, slice_empty());
    f->reset = true;
}
