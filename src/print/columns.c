#include "print/columns.h"

#include "print/clock_text.h"
#include "print/info_tcp.h"
#include "print/value.h"

#define ARROW      "\xe2\x86\x92"
#define INFO_BYTES 4096 /* the column's own ceiling */

const char *const column_titles[COLUMN_COUNT] = {
    "No.", "Time", "Source", "Destination", "Protocol", "Length", "Info",
};

static void column_number(struct buf *out, const struct print_options *options,
                          const struct dissection *d)
{
    (void)options;
    buf_dec(out, d->packet->number);
}

static void span(struct buf *out, const struct print_options *options, int64_t ns,
                 unsigned decimals)
{
    if (options->spans_in_hours)
        clock_text_span(out, ns, decimals);
    else
        buf_nanoseconds(out, ns, decimals);
}

static void column_time(struct buf *out, const struct print_options *options,
                        const struct dissection *d)
{
    const struct packet *p = d->packet;
    unsigned decimals =
        options->time_decimals == TIME_DECIMALS_AUTO ? p->time_decimals : options->time_decimals;
    bool utc = options->time >= TIME_UTC;
    if (!p->has_time)
        return;
    switch (options->time) {
    case TIME_RELATIVE:
        span(out, options, d->time_relative, decimals);
        return;
    case TIME_DELTA:
        span(out, options, d->time_delta, decimals);
        return;
    case TIME_DELTA_DISPLAYED:
        span(out, options, d->time_delta_displayed, decimals);
        return;
    case TIME_EPOCH:
        buf_nanoseconds(out, p->time_ns, decimals);
        return;
    case TIME_ABSOLUTE:
    case TIME_UTC:
        clock_text_time(out, p->time_ns, utc, decimals);
        return;
    case TIME_DATE:
    case TIME_UTC_DATE:
        clock_text_date(out, p->time_ns, utc, decimals);
        return;
    case TIME_DAY_OF_YEAR:
    case TIME_UTC_DAY_OF_YEAR:
        clock_text_day_of_year(out, p->time_ns, utc, decimals);
        return;
    }
}

static void address(struct buf *out, const struct address *a)
{
    struct slice bytes = slice_of(a->bytes, sizeof a->bytes);
    switch (a->kind) {
    case ADDRESS_NONE:
        return;
    case ADDRESS_ETHER:
        buf_hex_bytes(out, slice_sub(bytes, 0, 6), ':');
        return;
    case ADDRESS_IPV4:
        value_ipv4(out, bytes);
        return;
    case ADDRESS_IPV6:
        value_ipv6(out, bytes);
        return;
    }
}

static void column_source(struct buf *out, const struct print_options *options,
                          const struct dissection *d)
{
    (void)options;
    address(out, &d->columns.source);
}

static void column_destination(struct buf *out, const struct print_options *options,
                               const struct dissection *d)
{
    (void)options;
    address(out, &d->columns.destination);
}

static void column_protocol(struct buf *out, const struct print_options *options,
                            const struct dissection *d)
{
    (void)options;
    if (d->columns.protocol) {
        buf_str(out, d->columns.protocol);
        return;
    }
    buf_str(out, "0x");
    buf_hex(out, d->columns.ether_type, 4);
}

static void column_length(struct buf *out, const struct print_options *options,
                          const struct dissection *d)
{
    (void)options;
    buf_dec(out, d->packet->len);
}

static void alert(struct buf *out, const struct info_item *item)
{
    static const char *const levels[] = {"Unknown", "Warning", "Fatal"}; /* RFC 5246 7.2 */
    const char *description = registry_compat(REG_ALERTS, item->b);
    buf_str(out, "Alert (Level: ");
    buf_str(out, levels[item->a < 3 ? item->a : 0]);
    buf_str(out, ", Description: ");
    buf_str(out, description ? description : "Unknown");
    buf_char(out, ')');
}

static void info_item(struct buf *out, const struct info_item *item)
{
    const char *name = item->text;
    switch (item->kind) {
    case INFO_ALERT:
        alert(out, item);
        return;
    case INFO_HANDSHAKE:
        name = registry_compat(REG_HANDSHAKE_TYPES, item->a);
        buf_str(out, name ? name : "Encrypted Handshake Message");
        return;
    case INFO_FRAGMENT:
        name = registry_compat(REG_HANDSHAKE_TYPES, item->a);
        buf_char(out, '[');
        buf_str(out, name ? name : "Unknown");
        buf_str(out, " Fragment]");
        return;
    case INFO_HEARTBEAT:
        buf_str(out, "Heartbeat ");
        name = registry_compat(REG_HEARTBEAT_TYPES, item->a);
        buf_str(out, name ? name : "");
        return;
    case INFO_TEXT:
        buf_str(out, name ? name : "");
        return;
    }
}

/* "[Malformed Packet]", "[Packet size limited during capture]": a judgement on the packet, which
 * follows whatever stands before it without a separator and says nothing of its contents. */
static bool is_remark(const struct info_item *item)
{
    return item->kind == INFO_TEXT && item->text &&
           (strncmp(item->text, "[Malformed", 10) == 0 ||
            strncmp(item->text, "[Packet size", 12) == 0);
}

/* True when the line is TCP's own: nothing above TCP took it over. */
static bool is_plain_tcp(const struct columns *c)
{
    return c->has_tcp && !c->asked && (c->item_count == 0 || is_remark(&c->items[0])) &&
           (!c->protocol || strcmp(c->protocol, "TCP") == 0);
}

static void column_info(struct buf *out, const struct print_options *options,
                        const struct dissection *d)
{
    (void)options;
    const struct columns *c = &d->columns;
    size_t start = out->len;
    if (is_plain_tcp(c)) {
        info_tcp(out, &d->tcp);
    } else if (c->has_tcp) {
        info_tcp_prefix(out, &d->tcp);
    } else if (!c->protocol && c->item_count == 0) {
        const char *name = registry_compat(REG_ETHER_TYPES, c->ether_type);
        buf_str(out, name ? name : "");
    }
    for (uint16_t i = 0; i < c->item_count && out->len - start < INFO_BYTES; i++) {
        if (out->len > start && !is_remark(&c->items[i]))
            buf_put(out, ", ", 2);
        info_item(out, &c->items[i]);
    }
    if (c->segment_of_pdu && c->item_count == 0) {
        if (out->len > start)
            buf_char(out, ' ');
        buf_str(out, "[TCP segment of a reassembled PDU]");
    }
    if (out->len - start > INFO_BYTES - 1)
        out->len = start + INFO_BYTES - 1;
}

static const struct {
    void (*write)(struct buf *out, const struct print_options *options, const struct dissection *d);
    uint8_t width;
    bool to_the_right;
} columns[COLUMN_COUNT] = {
    [COLUMN_NUMBER] = {column_number, 5, true},
    [COLUMN_TIME] = {column_time, 10, true},
    [COLUMN_SOURCE] = {column_source, 12, true},
    [COLUMN_DESTINATION] = {column_destination, 12, false},
    [COLUMN_PROTOCOL] = {column_protocol, 0, false},
    [COLUMN_LENGTH] = {column_length, 0, false},
    [COLUMN_INFO] = {column_info, 0, false},
};

void column_write(struct buf *out, enum column column, const struct print_options *options,
                  const struct dissection *d)
{
    columns[column].write(out, options, d);
}

/* Pads what was written since START to WIDTH. */
static void pad(struct buf *out, size_t start, size_t width, bool to_the_right)
{
    size_t used = out->len - start;
    if (used >= width)
        return;
    size_t gap = width - used;
    buf_fill(out, ' ', gap);
    if (to_the_right && !out->failed) {
        memmove(out->data + start + gap, out->data + start, used);
        memset(out->data + start, ' ', gap);
    }
}

void summary_write(struct buf *out, const struct print_options *options, const struct dissection *d)
{
    for (enum column i = 0; i < COLUMN_COUNT; i++) {
        size_t start = out->len;
        columns[i].write(out, options, d);
        pad(out, start, columns[i].width, columns[i].to_the_right);
        if (i == COLUMN_SOURCE)
            buf_put(out, " " ARROW " ", sizeof ARROW + 1);
        else if (i + 1 < COLUMN_COUNT)
            buf_char(out, ' ');
    }
    buf_char(out, '\n');
}
