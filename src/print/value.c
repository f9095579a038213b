#include "print/value.h"

#include "print/clock_text.h"
#include "print/text.h"

#include "schema/oids.h"
#include "schema/ouis.h"

#define BYTES_SHOWN  36  /* more are cut off with an ellipsis */
#define STRING_SHOWN 240 /* no label is longer */
#define ELLIPSIS     "\xe2\x80\xa6"

/* At a cursor with room for VALUE_ROOM bytes: NULL when the value may be longer. */
typedef uint8_t *value_pen(uint8_t *to, const struct tape *t, const struct event *e);
typedef void value_writer(struct buf *out, const struct tape *t, const struct event *e);

/* ---- addresses and object identifiers ----------------------------------------------------------
 */

void value_ipv4(struct buf *out, struct slice bytes)
{
    buf_ipv4(out, bytes);
}

void value_ipv6(struct buf *out, struct slice bytes)
{
    buf_ipv6(out, bytes);
}

void value_oid(struct buf *out, struct slice bytes)
{
    oid_dotted(out, bytes);
}

/* ---- numbers ------------------------------------------------------------------------------------
 */

static const uint8_t type_bits[TYPE_COUNT] = {
    [TYPE_UINT8] = 8,   [TYPE_UINT16] = 16, [TYPE_UINT24] = 24,   [TYPE_UINT32] = 32,
    [TYPE_UINT64] = 64, [TYPE_INT8] = 8,    [TYPE_INT16] = 16,    [TYPE_INT32] = 32,
    [TYPE_INT64] = 64,  [TYPE_BOOLEAN] = 8, [TYPE_FRAMENUM] = 32,
};

unsigned value_width(const struct field *field)
{
    static const uint8_t shown_bits[] = {
        [SHOW_BITS_4] = 4,   [SHOW_BITS_8] = 8,   [SHOW_BITS_12] = 12,
        [SHOW_BITS_16] = 16, [SHOW_BITS_24] = 24, [SHOW_BITS_32] = 32,
    };
    if (field->display < sizeof shown_bits && shown_bits[field->display])
        return shown_bits[field->display];
    return type_bits[field->type];
}

/* A character for each of four bits, the highest first: '.' where MASK has none, '0' or '1'. */
static inline uint8_t *four_bits(uint8_t *to, unsigned mask, unsigned bits)
{
    static const uint8_t spread[16][4] = {{0, 0, 0, 0}, {0, 0, 0, 1}, {0, 0, 1, 0}, {0, 0, 1, 1},
                                          {0, 1, 0, 0}, {0, 1, 0, 1}, {0, 1, 1, 0}, {0, 1, 1, 1},
                                          {1, 0, 0, 0}, {1, 0, 0, 1}, {1, 0, 1, 0}, {1, 0, 1, 1},
                                          {1, 1, 0, 0}, {1, 1, 0, 1}, {1, 1, 1, 0}, {1, 1, 1, 1}};
    uint32_t ours, set;
    memcpy(&ours, spread[mask], sizeof ours);
    memcpy(&set, spread[mask & bits], sizeof set);
    /* In ASCII '.' is two below '0': four characters are reckoned at once. */
    uint32_t letters = 0x2e2e2e2e + 2 * ours + set;
    memcpy(to, &letters, sizeof letters);
    return to + sizeof letters;
}

uint8_t *value_bits_at(uint8_t *to, uint64_t number, uint64_t mask, unsigned width)
{
    uint64_t bits = number << (mask ? (unsigned)__builtin_ctzll(mask) : 0);
    for (unsigned shift = width; shift >= 4;) {
        shift -= 4;
        to = four_bits(to, mask >> shift & 15, bits >> shift & 15);
        *to++ = ' ';
    }
    memcpy(to, "= ", 2);
    return to + 2;
}

static uint8_t *put_decimal(uint8_t *to, const struct field *field, uint64_t number)
{
    bool narrow = field->type >= TYPE_INT8 && field->type <= TYPE_INT32;
    bool negative =
        (narrow && (int32_t)number < 0) || (field->type == TYPE_INT64 && (int64_t)number < 0);
    if (negative) {
        *to++ = '-';
        number = 0 - number;
    }
    return pen_dec(to, narrow ? (uint32_t)number : number);
}

static uint8_t *put_hex_digits(uint8_t *to, uint64_t number, unsigned digits)
{
    memcpy(to, "0x", 2);
    return pen_hex(to + 2, number, digits);
}

static uint8_t *put_hex(uint8_t *to, const struct field *field, uint64_t number)
{
    return put_hex_digits(to, number, (type_bits[field->type] + 3u) / 4);
}

static uint8_t *put_octal(uint8_t *to, uint64_t number)
{
    *to++ = '0';
    unsigned shift = 63;
    while (shift > 0 && number >> shift == 0)
        shift -= 3;
    for (; number > 0; shift -= 3) {
        *to++ = (uint8_t)('0' + (number >> shift & 7));
        if (shift == 0)
            break;
    }
    return to;
}

uint8_t *value_number_at(uint8_t *to, const struct field *field, uint64_t number)
{
    switch (field->display) {
    case SHOW_OCT:
        return put_octal(to, number);
    case SHOW_HEX:
        return put_hex(to, field, number);
    case SHOW_HEX_DEC:
        to = pen_char(pen_char(put_hex(to, field, number), ' '), '(');
        return pen_char(put_decimal(to, field, number), ')');
    case SHOW_DEC_HEX:
        to = pen_char(pen_char(put_decimal(to, field, number), ' '), '(');
        return pen_char(put_hex(to, field, number), ')');
    default:
        return put_decimal(to, field, number);
    }
}

static uint8_t *put_unit(uint8_t *to, const struct field *field, uint64_t number)
{
    static const struct {
        uint8_t len;
        char text[PEN_STEP];
    } units[] = {
        [SHOW_SECONDS] = {8, " seconds"},
        [SHOW_MILLISECONDS] = {13, " milliseconds"},
        [SHOW_BYTES] = {6, " bytes"},
    };
    if (field->display >= sizeof units / sizeof units[0] || units[field->display].len == 0)
        return to;
    return pen_phrase(to, units[field->display].text, units[field->display].len) - (number == 1);
}

/* In a label, the digits of some bits of a number are as many as the bits need. */
static uint8_t *labelled_number(uint8_t *to, const struct field *field, uint64_t number)
{
    if (field->display != SHOW_HEX || field->mask == 0)
        return value_number_at(to, field, number);
    uint64_t bits = field->mask >> __builtin_ctzll(field->mask);
    return put_hex_digits(to, number, (67u - (unsigned)__builtin_clzll(bits)) / 4);
}

static uint8_t *shown_number(uint8_t *to, const struct tape *t, const struct event *e)
{
    const struct field *field = &fields[e->field];
    if (field->registry == REG_NONE)
        return put_unit(labelled_number(to, field, e->value), field, e->value);
    const char *name = tape_name(t, field->registry, e->value);
    to = pen_str(to, name ? name : "Unknown");
    if (field->display == SHOW_NONE)
        return to;
    memcpy(to, " (", 2);
    return pen_char(labelled_number(to + 2, field, e->value), ')');
}

static uint8_t *show_number(uint8_t *to, const struct tape *t, const struct event *e)
{
    (void)t;
    const struct field *field = &fields[e->field];
    switch (field->display) {
    case SHOW_HEX:
    case SHOW_HEX_DEC:
        return put_hex(to, field, e->value);
    case SHOW_OCT:
        return put_octal(to, e->value);
    default:
        return put_decimal(to, field, e->value);
    }
}

static uint8_t *shown_boolean(uint8_t *to, const struct tape *t, const struct event *e)
{
    (void)t;
    enum registry registry = fields[e->field].registry;
    const char *name = registry_compat(registry ? registry : REG_TRUE_FALSE, e->value != 0);
    return name ? pen_str(to, name) : to;
}

static uint8_t *show_boolean(uint8_t *to, const struct tape *t, const struct event *e)
{
    (void)t;
    return pen_char(to, e->value ? '1' : '0');
}

/* ---- the other types ----------------------------------------------------------------------------
 */

uint8_t *value_time_at(uint8_t *to, struct clock_cache *clock, const struct tape *t,
                       const struct event *e)
{
    /* Out of reach of nanoseconds in 64 bits: it comes in words. */
    if (e->label == LABEL_ASN1_TIME && e->extra)
        return pen_str(to, (const char *)t->text.data + e->extra - 1);
    return clock_text_full_at(to, clock, (int64_t)e->value, fields[e->field].display == SHOW_UTC);
}

static uint8_t *absolute_time(uint8_t *to, const struct tape *t, const struct event *e)
{
    struct clock_cache clock = {0};
    return value_time_at(to, &clock, t, e);
}

static uint8_t *relative_time(uint8_t *to, const struct tape *t, const struct event *e)
{
    (void)t;
    return pen_seconds(to, (int64_t)e->value, 9);
}

static uint8_t *shown_relative_time(uint8_t *to, const struct tape *t, const struct event *e)
{
    return pen_phrase(relative_time(to, t, e), " seconds" PEN_PAD, 8);
}

/* Values made by the program are UTF-8 already. */
static bool is_ascii(const struct event *e)
{
    return !(e->flags & EVENT_IN_TEXT) && fields[e->field].display != SHOW_UTF8;
}

static uint8_t *shown_string(uint8_t *to, const struct tape *t, const struct event *e)
{
    return text_label_at(to, slice_sub(event_bytes(t, e), 0, STRING_SHOWN), is_ascii(e));
}

static void show_string(struct buf *out, const struct tape *t, const struct event *e)
{
    text_plain(out, event_bytes(t, e), is_ascii(e));
}

static uint8_t *shown_bytes(uint8_t *to, const struct tape *t, const struct event *e)
{
    struct slice bytes = event_bytes(t, e);
    if (bytes.len == 0)
        return pen_str(to, "<MISSING>");
    to = pen_hex_bytes(to, slice_sub(bytes, 0, BYTES_SHOWN));
    return bytes.len > BYTES_SHOWN ? pen_str(to, ELLIPSIS) : to;
}

static void show_bytes(struct buf *out, const struct tape *t, const struct event *e)
{
    buf_hex_bytes(out, event_bytes(t, e), ':');
}

/* A cell is never silent about bytes that are there and none. */
static void cell_bytes(struct buf *out, const struct tape *t, const struct event *e)
{
    struct slice bytes = event_bytes(t, e);
    if (bytes.len == 0)
        buf_str(out, fields[e->field].display == SHOW_EMPTY ? "<none>" : "<MISSING>");
    else
        buf_hex_bytes(out, bytes, '\0');
}

/* Bytes with colons, as hardware addresses are shown. */
static uint8_t *few_bytes(uint8_t *to, const struct tape *t, const struct event *e)
{
    struct slice bytes = event_bytes(t, e);
    return bytes.len <= BYTES_SHOWN ? pen_hex_colons(to, bytes) : NULL;
}

static uint8_t *show_ipv4(uint8_t *to, const struct tape *t, const struct event *e)
{
    struct slice bytes = event_bytes(t, e);
    const uint8_t octets[4] = {slice_at(bytes, 0), slice_at(bytes, 1), slice_at(bytes, 2),
                               slice_at(bytes, 3)};
    return pen_ipv4(to, octets);
}

static void show_ipv6(struct buf *out, const struct tape *t, const struct event *e)
{
    value_ipv6(out, event_bytes(t, e));
}

static uint8_t *shown_ipv4(uint8_t *to, const struct tape *t, const struct event *e)
{
    return t->names ? NULL : show_ipv4(to, t, e);
}

static void put_address(struct buf *out, const struct tape *t, const struct event *e)
{
    if (fields[e->field].type == TYPE_IPV4)
        value_ipv4(out, event_bytes(t, e));
    else
        show_ipv6(out, t, e);
}

/* "name (address)" where names are shown; what has none is called by its address. */
static void shown_address(struct buf *out, const struct tape *t, const struct event *e)
{
    const char *name = names_find(t->names, event_bytes(t, e));
    if (name)
        buf_str(out, name);
    else
        put_address(out, t, e);
    if (!t->names)
        return;
    buf_str(out, " (");
    put_address(out, t, e);
    buf_char(out, ')');
}

static uint8_t *plain_ether(uint8_t *to, const struct tape *t, const struct event *e)
{
    return t->makers ? NULL : few_bytes(to, t, e);
}

/* The same for adapters: by group or maker. */
static void shown_ether(struct buf *out, const struct tape *t, const struct event *e)
{
    if (!t->makers) {
        show_bytes(out, t, e);
        return;
    }
    if (!ether_name(out, event_bytes(t, e)))
        show_bytes(out, t, e);
    buf_str(out, " (");
    show_bytes(out, t, e);
    buf_char(out, ')');
}

static void show_oid(struct buf *out, const struct tape *t, const struct event *e)
{
    value_oid(out, event_bytes(t, e));
}

static void shown_oid(struct buf *out, const struct tape *t, const struct event *e)
{
    struct slice bytes = event_bytes(t, e);
    value_oid(out, bytes);
    buf_str(out, " (");
    oid_text(out, bytes);
    buf_char(out, ')');
}

static uint8_t *nothing(uint8_t *to, const struct tape *t, const struct event *e)
{
    (void)t, (void)e;
    return to;
}

/* What a value is written by.  Those of unknown length come second, and are asked when the first says NULL. */
struct writers {
    value_pen *pen;
    value_writer *writer;
};

static const struct {
    struct writers shown, show;
} writers[TYPE_COUNT] = {
    [TYPE_NONE] = {{nothing, NULL}, {nothing, NULL}},
    [TYPE_PROTOCOL] = {{nothing, NULL}, {nothing, NULL}},
    [TYPE_BOOLEAN] = {{shown_boolean, NULL}, {show_boolean, NULL}},
    [TYPE_UINT8] = {{shown_number, NULL}, {show_number, NULL}},
    [TYPE_UINT16] = {{shown_number, NULL}, {show_number, NULL}},
    [TYPE_UINT24] = {{shown_number, NULL}, {show_number, NULL}},
    [TYPE_UINT32] = {{shown_number, NULL}, {show_number, NULL}},
    [TYPE_UINT64] = {{shown_number, NULL}, {show_number, NULL}},
    [TYPE_INT8] = {{shown_number, NULL}, {show_number, NULL}},
    [TYPE_INT16] = {{shown_number, NULL}, {show_number, NULL}},
    [TYPE_INT32] = {{shown_number, NULL}, {show_number, NULL}},
    [TYPE_INT64] = {{shown_number, NULL}, {show_number, NULL}},
    [TYPE_ABSOLUTE_TIME] = {{absolute_time, NULL}, {absolute_time, NULL}},
    [TYPE_RELATIVE_TIME] = {{shown_relative_time, NULL}, {relative_time, NULL}},
    [TYPE_STRING] = {{shown_string, NULL}, {NULL, show_string}},
    [TYPE_BYTES] = {{shown_bytes, NULL}, {few_bytes, show_bytes}},
    [TYPE_IPV4] = {{shown_ipv4, shown_address}, {show_ipv4, NULL}},
    [TYPE_IPV6] = {{NULL, shown_address}, {NULL, show_ipv6}},
    [TYPE_ETHER] = {{plain_ether, shown_ether}, {few_bytes, show_bytes}},
    [TYPE_OID] = {{NULL, shown_oid}, {NULL, show_oid}},
    [TYPE_FRAMENUM] = {{shown_number, NULL}, {show_number, NULL}},
};

uint8_t *value_shown_at(uint8_t *to, const struct tape *t, const struct event *e)
{
    value_pen *pen = writers[fields[e->field].type].shown.pen;
    return pen ? pen(to, t, e) : NULL;
}

uint8_t *value_show_at(uint8_t *to, const struct tape *t, const struct event *e)
{
    value_pen *pen = writers[fields[e->field].type].show.pen;
    return pen ? pen(to, t, e) : NULL;
}

static void write_value(struct buf *out, const struct writers *by, const struct tape *t,
                        const struct event *e)
{
    if (!buf_room(out, VALUE_ROOM))
        return;
    uint8_t *end = by->pen ? by->pen(out->data + out->len, t, e) : NULL;
    if (end)
        out->len = (size_t)(end - out->data);
    else if (by->writer)
        by->writer(out, t, e);
}

void value_shown(struct buf *out, const struct tape *t, const struct event *e)
{
    write_value(out, &writers[fields[e->field].type].shown, t, e);
}

void value_show(struct buf *out, const struct tape *t, const struct event *e)
{
    write_value(out, &writers[fields[e->field].type].show, t, e);
}

void value_cell(struct buf *out, const struct tape *t, const struct event *e)
{
    switch (fields[e->field].type) {
    case TYPE_NONE:
        buf_char(out, '1');
        return;
    case TYPE_BYTES:
        cell_bytes(out, t, e);
        return;
    default:
        value_show(out, t, e);
    }
}

void value_hex(struct buf *out, const struct tape *t, const struct event *e)
{
    struct slice bytes = event_covers(t, e);
    if (bytes.len < e->length)
        buf_str(out, "field length invalid!");
    else
        buf_hex_bytes(out, bytes, '\0');
}

void value_masked(struct buf *out, uint64_t value)
{
    static const char digits[] = "0123456789ABCDEF";
    unsigned shift = 60;
    while (shift > 0 && value >> shift == 0)
        shift -= 4;
    for (;; shift -= 4) {
        buf_char(out, digits[value >> shift & 15]);
        if (shift == 0)
            return;
    }
}

bool value_has_place(const struct event *e)
{
    static const uint16_t nowhere[] = {F__ws_expert, F__ws_expert_message, F__ws_expert_severity,
                                       F__ws_expert_group, F_tcp_completeness};
    for (size_t i = 0; i < sizeof nowhere / sizeof nowhere[0]; i++)
        if (e->field == nowhere[i])
            return false;
    if (e->field == F__ws_malformed && (e->flags & EVENT_HIDDEN))
        return false;
    return e->extra == EXPERT_NONE || e->extra >= EXPERT_COUNT ||
           experts[e->extra].field != e->field;
}
