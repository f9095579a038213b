/* -z follow: what both ends said on one connection, in order, as TCP carried it or as TLS hid it. */
#include "print/text.h"
#include "stats/stats_private.h"
#include "stream/tcp.h"

#include <arpa/inet.h>
#include <limits.h>
#include <stdlib.h>

#define MOST_BYTES   ((size_t)24 << 20) /* of what is said */
#define MOST_WAITING ((size_t)4 << 20)  /* of segments that came too early */

enum form { FORM_ASCII, FORM_EBCDIC, FORM_HEX, FORM_RAW, FORM_UTF8, FORM_YAML, FORMS };

static const char *const form_names[FORMS] = {"ascii", "ebcdic", "hex", "raw", "utf-8", "yaml"};

/* One piece of what was said; its bytes stand in follow.bytes. */
struct chunk {
    int64_t time;
    uint64_t frame;
    size_t start;
    uint32_t len;
    uint8_t from; /* 0: the node that is named first */
};

struct waiting {
    struct waiting *next;
    uint32_t seq, len;
    uint8_t bytes[];
};

struct side {
    uint32_t next_seq;
    bool started;
    struct waiting *waiting; /* owned; in no order */
};

struct follow {
    enum form form;
    bool tls, by_stream, has_nodes, full;
    uint32_t stream;
    struct address addresses[2]; /* without a stream */
    uint16_t ports[2];
    unsigned long first, last; /* chunks that are printed, from 1 */
    struct address nodes[2];
    uint16_t node_ports[2];
    uint8_t first_direction; /* tcp_facts.direction of the first node */
    struct side sides[2];
    size_t waiting_bytes;
    struct chunk *chunks; /* owned */
    size_t count, room;
    struct buf bytes;
    uint32_t offsets[2]; /* of the hexadecimal lines */
};

/* ---- the argument ---- */

static bool take_form(struct follow *f, struct slice word)
{
    for (size_t i = 0; i < FORMS; i++) {
        f->form = (enum form)i;
        if (slice_is(word, form_names[i]))
            return true;
    }
    return false;
}

static bool take_number(struct slice word, unsigned long *value)
{
    *value = 0;
    for (size_t i = 0; i < word.len; i++) {
        uint8_t c = slice_at(word, i);
        if (c < '0' || c > '9' || *value > UINT32_MAX)
            return false;
        *value = *value * 10 + (c - '0');
    }
    return word.len > 0 && *value <= UINT32_MAX;
}

/* "192.0.2.1:443", "[2001:db8::1]:443". */
static bool take_address(struct slice word, struct address *address, uint16_t *port)
{
    char text[64];
    unsigned long number = 0;
    if (word.len >= sizeof text)
        return false;
    memset(text, 0, sizeof text);
    struct slice copy = word;
    (void)slice_read(&copy, text, word.len);
    char *colon = strrchr(text, ':'), *start = text;
    if (!colon || !take_number(slice_of_str(colon + 1), &number) || number > UINT16_MAX)
        return false;
    *colon = '\0';
    *port = (uint16_t)number;
    if (*start == '[' && colon[-1] == ']') {
        colon[-1] = '\0';
        start++;
    }
    memset(address, 0, sizeof *address);
    address->kind = strchr(start, ':') ? ADDRESS_IPV6 : ADDRESS_IPV4;
    return inet_pton(address->kind == ADDRESS_IPV6 ? AF_INET6 : AF_INET, start, address->bytes) ==
           1;
}

static bool take_range(struct follow *f, struct slice word)
{
    size_t dash = 0;
    while (dash < word.len && slice_at(word, dash) != '-')
        dash++;
    if (!take_number(slice_sub(word, 0, dash), &f->first))
        return false;
    f->last = f->first;
    return dash == word.len || take_number(slice_sub(word, dash + 1, word.len), &f->last);
}

bool follow_open(struct stat *s, struct error *error)
{
    struct follow *f = stat_state(s, sizeof *f, error);
    const char *rest = stat_rest(s);
    unsigned long stream = 0;
    if (!f)
        return false;
    f->tls = s->kind->variant == 1;
    f->bytes.ceiling = MOST_BYTES;
    f->bytes.budget = &s->shared->budget;
    f->first = 0;
    f->last = ULONG_MAX;
    if (!take_form(f, stat_word(&rest)))
        return error_set(
            error, ERROR_USAGE,
            "follow - Invalid display mode; it is ascii, ebcdic, hex, raw, utf-8 or yaml.");
    struct slice where = stat_word(&rest);
    f->by_stream = take_number(where, &stream);
    f->stream = (uint32_t)stream;
    if (!f->by_stream && (!take_address(where, &f->addresses[0], &f->ports[0]) ||
                          !take_address(stat_word(&rest), &f->addresses[1], &f->ports[1]) ||
                          f->addresses[0].kind != f->addresses[1].kind))
        return error_set(error, ERROR_USAGE,
                         "follow - Invalid address; name a stream's number, or two ends as "
                         "192.0.2.1:443,192.0.2.2:50000.");
    if (*rest && (!take_range(f, stat_word(&rest)) || *rest))
        return error_set(error, ERROR_USAGE, "follow - Invalid range.");
    return true;
}

void follow_want(const struct stat *s, uint8_t *want)
{
    const struct follow *f = s->state;
    if (f->tls)
        want[F_data] = 1;
}

/* ---- what was said ---- */

static void add_chunk(struct stat *s, const struct dissection *d, unsigned from, struct slice bytes)
{
    struct follow *f = s->state;
    if (bytes.len == 0)
        return;
    if (f->count == f->room) {
        size_t room = f->room ? f->room * 2 : 256;
        struct chunk *grown =
            stat_enlarge(s, f->chunks, f->room * sizeof *grown, room * sizeof *grown);
        if (!grown) {
            f->full = true;
            return;
        }
        f->chunks = grown;
        f->room = room;
    }
    size_t start = f->bytes.len;
    buf_slice_put(&f->bytes, bytes);
    f->full |= f->bytes.failed;
    if (f->full)
        return;
    f->chunks[f->count++] = (struct chunk){.time = d ? d->packet->time_ns : 0,
                                           .frame = d ? d->packet->number : 0,
                                           .start = start,
                                           .len = (uint32_t)bytes.len,
                                           .from = (uint8_t)from};
}

static void wait(struct stat *s, struct side *side, uint32_t seq, struct slice bytes)
{
    struct follow *f = s->state;
    struct waiting *w = NULL;
    if (f->waiting_bytes + bytes.len <= MOST_WAITING)
        w = stat_enlarge(s, NULL, 0, sizeof *w + bytes.len);
    if (!w) {
        f->full = true;
        return;
    }
    f->waiting_bytes += bytes.len + sizeof *w;
    w->seq = seq;
    w->len = (uint32_t)bytes.len;
    (void)slice_read(&bytes, w->bytes, w->len);
    w->next = side->waiting;
    side->waiting = w;
}

/* Takes a segment off the list that is not later than the next byte wanted. */
static bool take_waiting(struct stat *s, const struct dissection *d, unsigned from)
{
    struct follow *f = s->state;
    struct side *side = &f->sides[from];
    for (struct waiting **link = &side->waiting; *link; link = &(*link)->next) {
        struct waiting *w = *link;
        if (seq_above(w->seq, side->next_seq))
            continue;
        uint32_t old = side->next_seq - w->seq;
        *link = w->next;
        f->waiting_bytes -= w->len + sizeof *w;
        if (old < w->len) {
            add_chunk(s, d, from, slice_of(w->bytes + old, w->len - old));
            side->next_seq = w->seq + w->len;
        }
        stat_release(s, w, sizeof *w + w->len);
        return true;
    }
    return false;
}

/* Passes over a hole that will not be filled: the other side has acknowledged it, or all is over. */
static bool skip_hole(struct stat *s, const struct dissection *d, unsigned from, bool acked,
                      uint32_t ack)
{
    struct follow *f = s->state;
    struct side *side = &f->sides[from];
    char text[64];
    if (!side->waiting)
        return false;
    uint32_t lowest = side->waiting->seq;
    for (const struct waiting *w = side->waiting; w; w = w->next)
        if (seq_below(w->seq, lowest))
            lowest = w->seq;
    if (!seq_above(lowest, side->next_seq) || (acked && !seq_above(ack, lowest) && ack != lowest))
        return false;
    struct buf out = {.ceiling = sizeof text};
    buf_printf(&out, "[%u bytes missing in capture file]", lowest - side->next_seq);
    buf_char(&out, '\0');
    add_chunk(s, d, from, buf_slice(&out));
    buf_free(&out);
    side->next_seq = lowest;
    return true;
}

static void drain(struct stat *s, const struct dissection *d, unsigned from, bool acked,
                  uint32_t ack)
{
    do {
        while (take_waiting(s, d, from))
            ;
    } while (skip_hole(s, d, from, acked, ack));
}

static void tcp_data(struct stat *s, const struct dissection *d, unsigned from)
{
    struct follow *f = s->state;
    const struct tcp_facts *t = &d->tcp;
    struct side *side = &f->sides[from], *other = &f->sides[!from];
    struct slice payload = t->payload;
    uint32_t seq = t->seq_raw + (t->flags & TCP_SYN ? 1 : 0);
    if (t->flags & TCP_ACK && other->waiting)
        drain(s, d, !from, true, t->ack_raw);
    if (!side->started) {
        side->started = true;
        side->next_seq = seq;
    }
    if (payload.len == 0)
        return;
    if (seq_above(seq, side->next_seq)) {
        wait(s, side, seq, payload);
        return;
    }
    uint32_t old = side->next_seq - seq;
    if (old >= payload.len)
        return;
    slice_skip(&payload, old);
    add_chunk(s, d, from, payload);
    side->next_seq += (uint32_t)payload.len;
    while (take_waiting(s, d, from))
        ;
}

static bool same_address(const struct address *a, const struct address *b)
{
    return a->kind == b->kind && memcmp(a->bytes, b->bytes, a->kind == ADDRESS_IPV4 ? 4 : 16) == 0;
}

static bool is_followed(const struct follow *f, const struct dissection *d)
{
    const struct address *source = &d->columns.source, *destination = &d->columns.destination;
    if (!d->columns.has_tcp || d->tcp.truncated || d->tcp.bogus_header_len)
        return false;
    if (f->by_stream)
        return d->tcp.stream == f->stream;
    for (unsigned i = 0; i < 2; i++)
        if (same_address(source, &f->addresses[i]) &&
            same_address(destination, &f->addresses[!i]) && d->tcp.source_port == f->ports[i] &&
            d->tcp.destination_port == f->ports[!i])
            return true;
    return false;
}

static void take_nodes(struct follow *f, const struct dissection *d)
{
    f->has_nodes = true;
    f->first_direction = d->tcp.direction != 0;
    f->nodes[0] = d->columns.source;
    f->nodes[1] = d->columns.destination;
    f->node_ports[0] = d->tcp.source_port;
    f->node_ports[1] = d->tcp.destination_port;
}

void follow_packet(struct stat *s, const struct dissection *d)
{
    struct follow *f = s->state;
    const struct tape *t = &d->tape;
    if (!is_followed(f, d))
        return;
    if (!f->tls && !f->has_nodes)
        take_nodes(f, d);
    if (!f->tls) {
        tcp_data(s, d, (d->tcp.direction != 0) != f->first_direction);
        return;
    }
    for (uint32_t i = 0; i < t->count; i++) {
        const struct event *e = &t->events[i];
        if (e->field != F_data || e->depth > 0 ||
            strncmp(t->sources[e->source].name, "Decrypted", 9) != 0)
            continue;
        if (!f->has_nodes)
            take_nodes(f, d);
        add_chunk(s, d, (d->tcp.direction != 0) != f->first_direction, event_covers(t, e));
    }
}

/* ---- what is written ---- */

static void put_printable(struct buf *out, struct slice bytes, bool lines)
{
    for (size_t i = 0; i < bytes.len; i++) {
        uint8_t c = slice_at(bytes, i);
        bool kept = (c >= ' ' && c < 0x7f) || (lines && (c == '\n' || c == '\r'));
        buf_char(out, kept ? (char)c : '.');
    }
}

static void put_hex(struct follow *f, struct buf *out, const struct chunk *c, struct slice bytes)
{
    while (bytes.len > 0) {
        struct slice line = slice_take(&bytes, bytes.len < 16 ? bytes.len : 16);
        buf_str(out, c->from ? "\t" : "");
        buf_printf(out, "%08X  ", f->offsets[c->from]);
        for (size_t i = 0; i < 16; i++) {
            if (i < line.len)
                buf_hex(out, slice_at(line, i), 2);
            else
                buf_str(out, "  ");
            buf_str(out, i == 7 ? "  " : " ");
        }
        buf_char(out, ' ');
        put_printable(out, slice_sub(line, 0, 8), false);
        if (line.len > 8) {
            buf_char(out, ' ');
            put_printable(out, slice_sub(line, 8, 8), false);
        }
        while (out->len > 0 && out->data[out->len - 1] == ' ')
            out->len--;
        buf_char(out, '\n');
        f->offsets[c->from] += (uint32_t)line.len;
    }
}

static void put_base64(struct buf *out, struct slice bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (unsigned column = 0; bytes.len > 0; column = (column + 4) % 76) {
        size_t len = bytes.len < 3 ? bytes.len : 3;
        struct slice three = slice_take(&bytes, len);
        uint32_t bits = (uint32_t)slice_at(three, 0) << 16 | (uint32_t)slice_at(three, 1) << 8 |
                        slice_at(three, 2);
        if (column == 0)
            buf_str(out, "      ");
        for (unsigned i = 0; i < 4; i++)
            buf_char(out, i <= len ? digits[bits >> (18 - 6 * i) & 63] : '=');
        if (column == 72 || bytes.len == 0)
            buf_char(out, '\n');
    }
}

static void put_yaml(struct buf *out, const struct chunk *c, struct slice bytes)
{
    int64_t seconds = c->time / 1000000000, rest = c->time % 1000000000;
    buf_printf(out,
               "  - packet: %llu\n    peer: %u\n    timestamp: %lld.%09lld\n    data: !!binary |\n",
               (unsigned long long)c->frame, c->from, (long long)seconds, (long long)rest);
    put_base64(out, bytes);
}

/* EBCDIC, code page 037, in ASCII: what has no letter there is a dot. */
static const char ebcdic[] = ".............\r.......\n.........."
                             ".....\n.........................."
                             " ...........<(+|&.........!$*);."
                             "-/.........,%_>\?.........`:#@'=\""
                             ".abcdefghi.......jklmnopqr......"
                             ".~stuvwxyz......^.........[]...."
                             "{ABCDEFGHI......}JKLMNOPQR......"
                             "\\.STUVWXYZ......0123456789......";

static void put_ebcdic(struct buf *out, struct slice bytes)
{
    while (bytes.len > 0)
        buf_char(out, ebcdic[slice_u8(&bytes)]);
}

static void put_chunk(struct follow *f, struct buf *out, const struct chunk *c)
{
    struct slice bytes = slice_sub(buf_slice(&f->bytes), c->start, c->len);
    const char *indent = c->from ? "\t" : "";
    switch (f->form) {
    case FORM_ASCII:
        buf_printf(out, "%s%u\n", indent, c->len);
        put_printable(out, bytes, true);
        buf_char(out, '\n');
        break;
    case FORM_EBCDIC:
        buf_printf(out, "%s%u\n", indent, c->len);
        put_ebcdic(out, bytes);
        buf_char(out, '\n');
        break;
    case FORM_UTF8:
        buf_printf(out, "%s%u\n", indent, c->len);
        while (bytes.len > 0) {
            uint32_t letter = text_next(&bytes, false);
            bool control = (letter < ' ' && letter != '\n' && letter != '\t') ||
                           (letter >= 0x7f && letter < 0xa0);
            text_put(out, control ? '.' : letter);
        }
        buf_char(out, '\n');
        break;
    case FORM_HEX:
        put_hex(f, out, c, bytes);
        break;
    case FORM_RAW:
        buf_str(out, indent);
        buf_hex_bytes(out, bytes, '\0');
        buf_char(out, '\n');
        break;
    case FORM_YAML:
        put_yaml(out, c, bytes);
        break;
    case FORMS:
        break;
    }
}

static void put_node(const struct follow *f, struct buf *out, unsigned i)
{
    bool bracket = f->nodes[i].kind == ADDRESS_IPV6;
    buf_printf(out, "Node %u: %s", i, bracket ? "[" : "");
    stat_address(out, &f->nodes[i]);
    buf_printf(out, "%s:%u\n", bracket ? "]" : "", f->node_ports[i]);
}

static void put_filter(const struct follow *f, struct buf *out)
{
    const char *ip = f->addresses[0].kind == ADDRESS_IPV6 ? "ipv6" : "ip";
    if (f->by_stream) {
        buf_printf(out, "tcp.stream eq %u", f->stream);
        return;
    }
    for (unsigned i = 0; i < 2; i++) {
        buf_printf(out, "%s((%s.src eq ", i ? " or " : "", ip);
        stat_address(out, &f->addresses[i]);
        buf_printf(out, " and tcp.srcport eq %u) and (%s.dst eq ", f->ports[i], ip);
        stat_address(out, &f->addresses[!i]);
        buf_printf(out, " and tcp.dstport eq %u))", f->ports[!i]);
    }
}

#define RULE "===================================================================\n"

static void put_heading(const struct follow *f, struct buf *out)
{
    if (f->form == FORM_YAML) {
        buf_str(out, "peers:\n");
        for (unsigned i = 0; i < 2; i++) {
            buf_printf(out, "  - peer: %u\n    host: ", i);
            stat_address(out, &f->nodes[i]);
            buf_printf(out, "\n    port: %u\n", f->node_ports[i]);
        }
        buf_str(out, "packets:\n");
        return;
    }
    buf_printf(out, "\n" RULE "Follow: %s,%s\nFilter: ", f->tls ? "tls" : "tcp",
               form_names[f->form]);
    put_filter(f, out);
    buf_char(out, '\n');
    put_node(f, out, 0);
    put_node(f, out, 1);
}

void follow_end(struct stat *s, struct buf *out)
{
    struct follow *f = s->state;
    for (unsigned from = 0; from < 2; from++)
        drain(s, NULL, from, false, 0);
    put_heading(f, out);
    for (size_t i = 0; i < f->count; i++)
        if (i + 1 >= f->first && i + 1 <= f->last)
            put_chunk(f, out, &f->chunks[i]), stat_drain(s, out);
        else
            f->offsets[f->chunks[i].from] += f->chunks[i].len;
    if (f->full)
        buf_str(out, f->form == FORM_YAML ? "# more than is kept was said; the rest is missing\n"
                                          : "[more than is kept was said; the rest is missing]\n");
    if (f->form != FORM_YAML)
        buf_str(out, RULE);
}

void follow_close(struct stat *s)
{
    struct follow *f = s->state;
    for (unsigned i = 0; f && i < 2; i++) {
        while (f->sides[i].waiting) {
            struct waiting *next = f->sides[i].waiting->next;
            stat_release(s, f->sides[i].waiting,
                         sizeof *f->sides[i].waiting + f->sides[i].waiting->len);
            f->sides[i].waiting = next;
        }
    }
    if (f) {
        stat_release(s, f->chunks, f->room * sizeof *f->chunks);
        buf_wipe(&f->bytes);
    }
    free(f);
}
