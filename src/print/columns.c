#include "print/columns.h"

#include "base/pen.h"
#include "print/clock_text.h"
#include "print/info.h"
#include "print/text.h"
#include "print/usual_line.h"
#include "print/value.h"
#include "schema/ouis.h"

#define ARROW      "\xe2\x86\x92"
#define ARROW_BACK "\xe2\x86\x90"
#define CHECK_MARK "\xe2\x9c\x93" /* there is such an item */

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

static void put_time(struct buf *out, const struct print_options *options,
                     const struct dissection *d, enum time_format format)
{
    const struct packet *p = d->packet;
    unsigned decimals =
        options->time_decimals == TIME_DECIMALS_AUTO ? p->time_decimals : options->time_decimals;
    bool utc = format >= TIME_UTC;
    if (!p->has_time)
        return;
    switch (format) {
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

static void column_time(struct buf *out, const struct print_options *options,
                        const struct dissection *d)
{
    put_time(out, options, d, options->time);
}

/* Columns that are one form of time, whatever -t says. */
#define TIME_COLUMN(name, format)                                          \
    static void name(struct buf *out, const struct print_options *options, \
                     const struct dissection *d)                           \
    {                                                                      \
        put_time(out, options, d, format);                                 \
    }

TIME_COLUMN(column_absolute, TIME_ABSOLUTE)
TIME_COLUMN(column_date, TIME_DATE)
TIME_COLUMN(column_day_of_year, TIME_DAY_OF_YEAR)
TIME_COLUMN(column_utc, TIME_UTC)
TIME_COLUMN(column_utc_date, TIME_UTC_DATE)
TIME_COLUMN(column_utc_day_of_year, TIME_UTC_DAY_OF_YEAR)
TIME_COLUMN(column_relative, TIME_RELATIVE)
TIME_COLUMN(column_delta, TIME_DELTA)
TIME_COLUMN(column_delta_displayed, TIME_DELTA_DISPLAYED)

static void plain_address(struct buf *out, const struct address *a)
{
    struct slice bytes = slice_of(a->bytes, sizeof a->bytes);
    switch (a->kind) {
    case ADDRESS_NONE:
        buf_str(out, "N/A");
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

/* The name, where names are shown and there is one. */
static void address(struct buf *out, const struct tape *t, const struct address *a)
{
    struct slice bytes = slice_of(a->bytes, sizeof a->bytes);
    size_t size = a->kind == ADDRESS_IPV4 ? 4 : a->kind == ADDRESS_IPV6 ? 16 : 0;
    const char *name = names_find(t->names, slice_sub(bytes, 0, size));
    if (name)
        buf_str(out, name);
    else if (!t->makers || a->kind != ADDRESS_ETHER || !ether_name(out, slice_sub(bytes, 0, 6)))
        plain_address(out, a);
}

static void column_source(struct buf *out, const struct print_options *options,
                          const struct dissection *d)
{
    (void)options;
    address(out, &d->tape, &d->columns.source);
}

static void column_destination(struct buf *out, const struct print_options *options,
                               const struct dissection *d)
{
    (void)options;
    address(out, &d->tape, &d->columns.destination);
}

static void column_source_address(struct buf *out, const struct print_options *options,
                                  const struct dissection *d)
{
    (void)options;
    plain_address(out, &d->columns.source);
}

static void column_destination_address(struct buf *out, const struct print_options *options,
                                       const struct dissection *d)
{
    (void)options;
    plain_address(out, &d->columns.destination);
}

static void column_protocol(struct buf *out, const struct print_options *options,
                            const struct dissection *d)
{
    (void)options;
    if (d->columns.protocol) {
        buf_str(out, d->columns.protocol);
        return;
    }
    if (d->columns.ether_type == 0 && d->columns.source.kind == ADDRESS_NONE) {
        buf_str(out, "N/A");
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

static void column_info(struct buf *out, const struct print_options *options,
                        const struct dissection *d)
{
    info_write(out, &d->columns, &d->tcp);
    info_tail(out, options->info_tail);
}

/* ---- columns that read the tape -----------------------------------------------------------------
 */

static void first_value(struct buf *out, const struct tape *t, uint16_t field)
{
    for (uint32_t i = 0; i < t->count; i++) {
        if (t->events[i].field != field)
            continue;
        value_cell(out, t, &t->events[i]);
        return;
    }
}

static void column_link_source(struct buf *out, const struct print_options *options,
                               const struct dissection *d)
{
    (void)options;
    first_value(out, &d->tape, F_eth_src);
}

static void column_link_destination(struct buf *out, const struct print_options *options,
                                    const struct dissection *d)
{
    (void)options;
    first_value(out, &d->tape, F_eth_dst);
}

static void column_vlan(struct buf *out, const struct print_options *options,
                        const struct dissection *d)
{
    (void)options;
    first_value(out, &d->tape, F_vlan_id);
}

/* The gravest of the packet's remarks. */
static void column_severity(struct buf *out, const struct print_options *options,
                            const struct dissection *d)
{
    (void)options;
    uint64_t gravest = 0;
    for (uint32_t i = 0; i < d->tape.count; i++) {
        const struct event *e = &d->tape.events[i];
        if (e->field == F__ws_expert_severity && e->value > gravest)
            gravest = e->value;
    }
    const char *name = registry_compat(REG_SEVERITIES, gravest);
    buf_str(out, name && gravest > 0 ? name : "");
}

static void column_source_port(struct buf *out, const struct print_options *options,
                               const struct dissection *d)
{
    (void)options;
    if (d->columns.has_tcp)
        buf_dec(out, d->tcp.source_port);
}

static void column_destination_port(struct buf *out, const struct print_options *options,
                                    const struct dissection *d)
{
    (void)options;
    if (d->columns.has_tcp)
        buf_dec(out, d->tcp.destination_port);
}

static void column_nothing(struct buf *out, const struct print_options *options,
                           const struct dissection *d)
{
    (void)out, (void)options, (void)d;
}

/* True when the NTH field of the column is EVENT's, or one of the same name. */
static bool is_of(const struct column_spec *spec, size_t nth, const struct event *e)
{
    return spec->fields[nth] == e->field ||
           strcmp(fields[spec->fields[nth]].abbrev, fields[e->field].abbrev) == 0;
}

/* Only as many digits as the bits of a masked number need. */
static void custom_number(struct buf *out, const struct field *field, const struct tape *t,
                          const struct event *e)
{
    if (field->mask == 0 || field->display != SHOW_HEX) {
        value_cell(out, t, e);
        return;
    }
    buf_str(out, "0x");
    buf_hex(out, e->value, ((size_t)__builtin_popcountll(field->mask) + 3) / 4);
}

static void custom_value(struct buf *out, const struct column_spec *spec, const struct tape *t,
                         const struct event *e)
{
    const struct field *field = &fields[e->field];
    const char *name = NULL;
    size_t start = out->len;
    if (!spec->plain && (field->type == TYPE_BOOLEAN || field->registry != REG_NONE))
        name = registry_compat(field->registry ? field->registry : REG_TRUE_FALSE, e->value);
    if (name)
        buf_str(out, name);
    else if (field->type == TYPE_BYTES)
        value_shown(out, t, e);
    else if (field->type >= TYPE_UINT8 && field->type <= TYPE_UINT64)
        custom_number(out, field, t, e);
    else
        value_cell(out, t, e);
    if (field->type == TYPE_STRING)
        text_label_from(out, start); /* controls are escaped, as on a line of the tree */
}

/* The values of one field.  What has none is only told to be there. */
static void custom_field(struct buf *out, const struct column_spec *spec, size_t nth,
                         const struct tape *t, size_t start)
{
    uint8_t type = fields[spec->fields[nth]].type;
    int total = 0, index = 0;
    for (uint32_t i = 0; i < t->count; i++)
        total += is_of(spec, nth, &t->events[i]);
    int only = spec->occurrence < 0 ? total + spec->occurrence + 1 : spec->occurrence;
    for (uint32_t i = 0; i < t->count; i++) {
        if (!is_of(spec, nth, &t->events[i]))
            continue;
        index++;
        if (spec->occurrence != 0 && index != only)
            continue;
        if (out->len > start)
            buf_char(out, ',');
        if (type == TYPE_NONE || type == TYPE_PROTOCOL) {
            buf_str(out, CHECK_MARK);
            return;
        }
        custom_value(out, spec, t, &t->events[i]);
    }
}

static void custom(struct buf *out, const struct column_spec *spec, const struct tape *t)
{
    size_t start = out->len;
    for (size_t k = 0; k < COLUMN_FIELDS && spec->fields[k] != F_NONE; k++)
        if (k == 0 || strcmp(fields[spec->fields[k]].abbrev, fields[spec->fields[k - 1]].abbrev))
            custom_field(out, spec, k, t, start);
}

/* ---- the line -----------------------------------------------------------------------------------
 */

/* Columns of one group stand beside each other with an arrow between. */
enum group { GROUP_NONE, GROUP_ADDRESS, GROUP_LINK, GROUP_NET };

static const struct {
    void (*write)(struct buf *out, const struct print_options *options, const struct dissection *d);
    uint8_t width;
    bool to_the_right;
    uint8_t group; /* enum group */
} columns[COLUMN_COUNT] = {
    [COLUMN_NUMBER] = {column_number, 5, true, GROUP_NONE},
    [COLUMN_TIME] = {column_time, 10, true, GROUP_NONE},
    [COLUMN_SOURCE] = {column_source, 12, true, GROUP_ADDRESS},
    [COLUMN_DESTINATION] = {column_destination, 12, false, GROUP_ADDRESS},
    [COLUMN_PROTOCOL] = {column_protocol, 0, false, GROUP_NONE},
    [COLUMN_LENGTH] = {column_length, 0, false, GROUP_NONE},
    [COLUMN_INFO] = {column_info, 0, false, GROUP_NONE},
    [COLUMN_SOURCE_PORT] = {column_source_port, 0, false, GROUP_NONE},
    [COLUMN_DESTINATION_PORT] = {column_destination_port, 0, false, GROUP_NONE},
    [COLUMN_LINK_SOURCE] = {column_link_source, 12, true, GROUP_LINK},
    [COLUMN_LINK_DESTINATION] = {column_link_destination, 12, false, GROUP_LINK},
    [COLUMN_NET_SOURCE] = {column_source, 12, true, GROUP_NET},
    [COLUMN_NET_DESTINATION] = {column_destination, 12, false, GROUP_NET},
    [COLUMN_SOURCE_ADDRESS] = {column_source_address, 12, true, GROUP_ADDRESS},
    [COLUMN_DESTINATION_ADDRESS] = {column_destination_address, 12, false, GROUP_ADDRESS},
    [COLUMN_NET_SOURCE_ADDRESS] = {column_source_address, 12, true, GROUP_NET},
    [COLUMN_NET_DESTINATION_ADDRESS] = {column_destination_address, 12, false, GROUP_NET},
    [COLUMN_TIME_ABSOLUTE] = {column_absolute, 10, true, GROUP_NONE},
    [COLUMN_TIME_DATE] = {column_date, 10, true, GROUP_NONE},
    [COLUMN_TIME_DAY_OF_YEAR] = {column_day_of_year, 10, true, GROUP_NONE},
    [COLUMN_TIME_UTC] = {column_utc, 10, true, GROUP_NONE},
    [COLUMN_TIME_UTC_DATE] = {column_utc_date, 10, true, GROUP_NONE},
    [COLUMN_TIME_UTC_DAY_OF_YEAR] = {column_utc_day_of_year, 10, true, GROUP_NONE},
    [COLUMN_TIME_RELATIVE] = {column_relative, 10, true, GROUP_NONE},
    [COLUMN_TIME_DELTA] = {column_delta, 0, false, GROUP_NONE},
    [COLUMN_TIME_DELTA_DISPLAYED] = {column_delta_displayed, 0, false, GROUP_NONE},
    [COLUMN_VLAN] = {column_vlan, 0, false, GROUP_NONE},
    [COLUMN_SEVERITY] = {column_severity, 0, false, GROUP_NONE},
    [COLUMN_CUSTOM] = {column_nothing, 0, false, GROUP_NONE},
    [COLUMN_EMPTY] = {column_nothing, 0, false, GROUP_NONE},
};

static const struct column_spec usual[] = {
    {.kind = COLUMN_NUMBER, .title = "No."},
    {.kind = COLUMN_TIME, .title = "Time"},
    {.kind = COLUMN_SOURCE, .title = "Source"},
    {.kind = COLUMN_DESTINATION, .title = "Destination"},
    {.kind = COLUMN_PROTOCOL, .title = "Protocol"},
    {.kind = COLUMN_LENGTH, .title = "Length"},
    {.kind = COLUMN_INFO, .title = "Info"},
};

static const struct column_spec *spec_at(const struct print_options *options, size_t index)
{
    return options->columns ? column_list_at(options->columns, index) : &usual[index];
}

size_t columns_count(const struct print_options *options)
{
    return options->columns ? column_list_count(options->columns) : sizeof usual / sizeof usual[0];
}

const char *columns_title(const struct print_options *options, size_t index)
{
    return spec_at(options, index)->title;
}

size_t columns_find(const struct print_options *options, const char *title)
{
    size_t count = columns_count(options), i = 0;
    while (i < count && strcmp(columns_title(options, i), title) != 0)
        i++;
    return i;
}

void columns_want(const struct print_options *options, uint8_t *want)
{
    static const uint16_t fields_of[COLUMN_COUNT] = {
        [COLUMN_LINK_SOURCE] = F_eth_src,
        [COLUMN_LINK_DESTINATION] = F_eth_dst,
        [COLUMN_VLAN] = F_vlan_id,
    };
    for (size_t i = 0; options->columns && i < columns_count(options); i++) {
        const struct column_spec *spec = spec_at(options, i);
        for (size_t k = 0; k < COLUMN_FIELDS && spec->fields[k] != F_NONE; k++)
            want[spec->fields[k]] = 1;
        if (fields_of[spec->kind] != F_NONE)
            want[fields_of[spec->kind]] = 1;
        if (spec->kind == COLUMN_SEVERITY)
            memset(want, 1, FIELD_COUNT); /* a remark may hang on anything */
    }
}

void column_write(struct buf *out, enum column column, const struct print_options *options,
                  const struct dissection *d)
{
    columns[column].write(out, options, d);
}

static void write_spec(struct buf *out, const struct column_spec *spec,
                       const struct print_options *options, const struct dissection *d)
{
    if (spec->kind == COLUMN_CUSTOM)
        custom(out, spec, &d->tape);
    else
        columns[spec->kind].write(out, options, d);
}

void columns_write(struct buf *out, size_t index, const struct print_options *options,
                   const struct dissection *d)
{
    write_spec(out, spec_at(options, index), options, d);
}

/* Pads what was written since START to WIDTH. */
static void pad(struct buf *out, size_t start, size_t width, bool to_the_right)
{
    uint8_t *to = buf_pen(out, width);
    if (to)
        buf_pen_down(out, pen_padded(out->data + start, to, width, to_the_right));
}

/* The arrow between two columns of one group. */
static void arrow(struct buf *out, enum column kind, enum column next, char delimiter)
{
    if (columns[kind].group != columns[next].group ||
        columns[kind].to_the_right == columns[next].to_the_right)
        return;
    buf_str(out, columns[kind].to_the_right ? ARROW : ARROW_BACK);
    buf_char(out, delimiter);
}

void summary_write(struct buf *out, const struct print_options *options, const struct dissection *d)
{
    char delimiter = options->delimiter ? options->delimiter : ' ';
    if (!options->columns) {
        usual_line(out, options, d, delimiter);
        return;
    }
    size_t count = columns_count(options);
    const struct column_spec *spec = count > 0 ? spec_at(options, 0) : NULL;
    for (size_t i = 0; i < count; i++) {
        enum column kind = spec->kind;
        size_t start = out->len;
        write_spec(out, spec, options, d);
        pad(out, start, columns[kind].width, columns[kind].to_the_right);
        if (i + 1 == count)
            break;
        spec = spec_at(options, i + 1);
        buf_char(out, delimiter);
        if (columns[kind].group != GROUP_NONE)
            arrow(out, kind, spec->kind, delimiter);
    }
    buf_char(out, '\n');
}
