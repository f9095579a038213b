#include "print/usual_line.h"

#include "base/pen.h"
#include "print/columns.h"
#include "print/info.h"

#define ARROW          "\xe2\x86\x92"
#define PROTOCOL_BYTES 32 /* names are shorter */
#define FRONT_BYTES \
    160 /* all that comes before the Info column: 20 + 31 + 2 * 15 + 32 + 10, and what is between */

/* A column as the table of columns has it: for what is seldom met. */
static uint8_t *by_table(struct buf *out, uint8_t *to, enum column column, size_t width,
                         const struct print_options *options, const struct dissection *d)
{
    size_t start = (size_t)(to - out->data);
    buf_pen_down(out, to);
    column_write(out, column, options, d);
    to = buf_pen(out, FRONT_BYTES);
    return to ? pen_padded(out->data + start, to, width, column != COLUMN_DESTINATION) : NULL;
}

static inline uint8_t *time_column(struct buf *out, uint8_t *to,
                                   const struct print_options *options, const struct dissection *d)
{
    const struct packet *p = d->packet;
    if (options->time != TIME_RELATIVE || options->spans_in_hours || !p->has_time)
        return by_table(out, to, COLUMN_TIME, 10, options, d);
    unsigned decimals =
        options->time_decimals == TIME_DECIMALS_AUTO ? p->time_decimals : options->time_decimals;
    return pen_padded(to, pen_seconds(to, d->time_relative, decimals), 10, true);
}

static inline uint8_t *address_column(struct buf *out, uint8_t *to, enum column column,
                                      const struct print_options *options,
                                      const struct dissection *d)
{
    bool source = column == COLUMN_SOURCE;
    const struct address *a = source ? &d->columns.source : &d->columns.destination;
    if (a->kind != ADDRESS_IPV4 || d->tape.names)
        return by_table(out, to, column, 12, options, d);
    return pen_padded(to, pen_ipv4(to, a->bytes), 12, source);
}

static inline uint8_t *protocol_column(struct buf *out, uint8_t *to,
                                       const struct print_options *options,
                                       const struct dissection *d)
{
    const char *name = d->columns.protocol;
    size_t len = name ? strlen(name) : 0;
    if (!name || len > PROTOCOL_BYTES)
        return by_table(out, to, COLUMN_PROTOCOL, 0, options, d);
    return pen_bytes(to, name, len);
}

/* False when there is no room. */
static bool front(struct buf *out, const struct print_options *options, const struct dissection *d,
                  char delimiter)
{
    uint8_t *to = buf_pen(out, FRONT_BYTES);
    if (!to)
        return false;
    to = pen_padded(to, pen_dec(to, d->packet->number), 5, true);
    to = time_column(out, pen_char(to, delimiter), options, d);
    if (to)
        to = address_column(out, pen_char(to, delimiter), COLUMN_SOURCE, options, d);
    if (to) {
        to = PEN_TEXT(pen_char(to, delimiter), ARROW);
        to = address_column(out, pen_char(to, delimiter), COLUMN_DESTINATION, options, d);
    }
    if (to)
        to = protocol_column(out, pen_char(to, delimiter), options, d);
    if (to) {
        to = pen_small(pen_char(to, delimiter), d->packet->len);
        buf_pen_down(out, pen_char(to, delimiter));
    }
    return to != NULL;
}

void usual_line(struct buf *out, const struct print_options *options, const struct dissection *d,
                char delimiter)
{
    if (!front(out, options, d, delimiter))
        return;
    info_write(out, &d->columns, &d->tcp);
    info_tail(out, options->info_tail);
    buf_char(out, '\n');
}
