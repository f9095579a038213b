#include "print/value.h"

#include "print/clock_text.h"
#include "print/text.h"

#include "schema/oids.h"

#define BYTES_SHOWN  36  /* more are cut off with an ellipsis */
#define STRING_SHOWN 240 /* no label is longer */
#define ELLIPSIS     "\xe2\x80\xa6"

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
    [TYPE_UINT8] = 8,   [TYPE_UINT16] = 16, [TYPE_UINT24] = 24,
    [TYPE_UINT32] = 32, [TYPE_UINT64] = 64, [TYPE_INT32] = 32,
    [TYPE_INT64] = 64,  [TYPE_BOOLEAN] = 8, [TYPE_FRAMENUM] = 32,
};

unsigned value_width(const struct field *field)
{
    static const uint8_t shown_bits[] = {
        [SHOW_BITS_8] = 8,   [SHOW_BITS_12] = 12, [SHOW_BITS_16] = 16,
        [SHOW_BITS_24] = 24, [SHOW_BITS_32] = 32,
    };
    if (field->display < sizeof shown_bits && shown_bits[field->display])
        return shown_bits[field->display];
    return type_bits[field->type];
}

void value_bits(struct buf *out, uint64_t number, uint64_t mask, unsigned width)
{
    unsigned shift = mask ? (unsigned)__builtin_ctzll(mask) : 0;
    uint64_t bits = number << shift;
    if (!buf_room(out, width + width / 4 + 3))
        return;
    uint8_t *to = out->data + out->len;
    for (unsigned i = width; i-- > 0;) {
        bool ours = mask >> i & 1;
        *to++ = !ours ? '.' : bits >> i & 1 ? '1' : '0';
        if (i > 0 && i % 4 == 0)
            *to++ = ' ';
    }
    memcpy(to, " = ", 3);
    out->len = (size_t)(to + 3 - out->data);
}

static void put_decimal(struct buf *out, const struct field *field, uint64_t number)
{
    if (field->type == TYPE_INT32)
        buf_sdec(out, (int32_t)number);
    else if (field->type == TYPE_INT64)
        buf_sdec(out, (int64_t)number);
    else
        buf_dec(out, number);
}

static void put_hex(struct buf *out, const struct field *field, uint64_t number)
{
    buf_str(out, "0x");
    buf_hex(out, number, (type_bits[field->type] + 3u) / 4);
}

static void put_octal(struct buf *out, uint64_t number)
{
    buf_char(out, '0');
    unsigned shift = 63;
    while (shift > 0 && number >> shift == 0)
        shift -= 3;
    for (; number > 0; shift -= 3) {
        buf_char(out, (char)('0' + (number >> shift & 7)));
        if (shift == 0)
            break;
    }
}

void value_number(struct buf *out, const struct field *field, uint64_t number)
{
    bool both = field->display == SHOW_DEC_HEX || field->display == SHOW_HEX_DEC;
    bool hex_first = field->display == SHOW_HEX || field->display == SHOW_HEX_DEC;
    if (field->display == SHOW_OCT)
        put_octal(out, number);
    else if (hex_first)
        put_hex(out, field, number);
    else
        put_decimal(out, field, number);
    if (!both)
        return;
    buf_str(out, " (");
    if (hex_first)
        put_decimal(out, field, number);
    else
        put_hex(out, field, number);
    buf_char(out, ')');
}

static void shown_unit(struct buf *out, const struct field *field, uint64_t number)
{
    static const char *const units[] = {
        [SHOW_SECONDS] = " second", [SHOW_MILLISECONDS] = " millisecond", [SHOW_BYTES] = " byte"};
    if (field->display >= sizeof units / sizeof units[0] || !units[field->display])
        return;
    buf_str(out, units[field->display]);
    if (number != 1)
        buf_char(out, 's');
}

/* In a label, the digits of some bits of a number are as many as the bits need. */
static void labelled_number(struct buf *out, const struct field *field, uint64_t number)
{
    if (field->display != SHOW_HEX || field->mask == 0) {
        value_number(out, field, number);
        return;
    }
    uint64_t bits = field->mask >> __builtin_ctzll(field->mask);
    buf_str(out, "0x");
    buf_hex(out, number, (67u - (unsigned)__builtin_clzll(bits)) / 4);
}

static void shown_number(struct buf *out, const struct tape *t, const struct event *e)
{
    const struct field *field = &fields[e->field];
    if (field->registry == REG_NONE) {
        labelled_number(out, field, e->value);
        shown_unit(out, field, e->value);
        return;
    }
    const char *name = tape_name(t, field->registry, e->value);
    buf_str(out, name ? name : "Unknown");
    if (field->display == SHOW_NONE)
        return;
    buf_str(out, " (");
    labelled_number(out, field, e->value);
    buf_char(out, ')');
}

static void show_number(struct buf *out, const struct tape *t, const struct event *e)
{
    (void)t;
    const struct field *field = &fields[e->field];
    bool hex = field->display == SHOW_HEX || field->display == SHOW_HEX_DEC;
    if (hex)
        put_hex(out, field, e->value);
    else if (field->display == SHOW_OCT)
        put_octal(out, e->value);
    else
        put_decimal(out, field, e->value);
}

static void shown_boolean(struct buf *out, const struct tape *t, const struct event *e)
{
    (void)t;
    enum registry registry = fields[e->field].registry;
    const char *name = registry_compat(registry ? registry : REG_TRUE_FALSE, e->value != 0);
    buf_str(out, name ? name : "");
}

static void show_boolean(struct buf *out, const struct tape *t, const struct event *e)
{
    (void)t;
    buf_char(out, e->value ? '1' : '0');
}

/* ---- the other types ----------------------------------------------------------------------------
 */

static void absolute_time(struct buf *out, const struct tape *t, const struct event *e)
{
    /* Out of reach of nanoseconds in 64 bits: it comes in words. */
    if (e->label == LABEL_ASN1_TIME && e->extra)
        buf_str(out, (const char *)t->text.data + e->extra - 1);
    else
        clock_text_full(out, (int64_t)e->value, fields[e->field].display == SHOW_UTC);
}

static void relative_time(struct buf *out, const struct tape *t, const struct event *e)
{
    (void)t;
    buf_nanoseconds(out, (int64_t)e->value, 9);
}

static void shown_relative_time(struct buf *out, const struct tape *t, const struct event *e)
{
    relative_time(out, t, e);
    buf_str(out, " seconds");
}

/* Values made by the program are UTF-8 already. */
static bool is_ascii(const struct event *e)
{
    return !(e->flags & EVENT_IN_TEXT) && fields[e->field].display != SHOW_UTF8;
}

static void shown_string(struct buf *out, const struct tape *t, const struct event *e)
{
    text_label(out, slice_sub(event_bytes(t, e), 0, STRING_SHOWN), is_ascii(e));
}

static void show_string(struct buf *out, const struct tape *t, const struct event *e)
{
    text_plain(out, event_bytes(t, e), is_ascii(e));
}

static void shown_bytes(struct buf *out, const struct tape *t, const struct event *e)
{
    struct slice bytes = event_bytes(t, e);
    if (bytes.len == 0)
        buf_str(out, "<MISSING>");
    buf_hex_bytes(out, slice_sub(bytes, 0, BYTES_SHOWN), '\0');
    if (bytes.len > BYTES_SHOWN)
        buf_str(out, ELLIPSIS);
}

static void show_bytes(struct buf *out, const struct tape *t, const struct event *e)
{
    buf_hex_bytes(out, event_bytes(t, e), ':');
}

static void cell_bytes(struct buf *out, const struct tape *t, const struct event *e)
{
    buf_hex_bytes(out, event_bytes(t, e), '\0');
}

static void address_ipv4(struct buf *out, const struct tape *t, const struct event *e)
{
    value_ipv4(out, event_bytes(t, e));
}

static void address_ipv6(struct buf *out, const struct tape *t, const struct event *e)
{
    value_ipv6(out, event_bytes(t, e));
}

static void put_address(struct buf *out, const struct tape *t, const struct event *e)
{
    if (fields[e->field].type == TYPE_IPV4)
        address_ipv4(out, t, e);
    else
        address_ipv6(out, t, e);
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

static void nothing(struct buf *out, const struct tape *t, const struct event *e)
{
    (void)out, (void)t, (void)e;
}

static void one(struct buf *out, const struct tape *t, const struct event *e)
{
    (void)t, (void)e;
    buf_char(out, '1');
}

static const struct {
    value_writer *shown, *show, *cell;
} writers[TYPE_COUNT] = {
    [TYPE_NONE] = {nothing, nothing, one},
    [TYPE_PROTOCOL] = {nothing, nothing, nothing},
    [TYPE_BOOLEAN] = {shown_boolean, show_boolean, show_boolean},
    [TYPE_UINT8] = {shown_number, show_number, show_number},
    [TYPE_UINT16] = {shown_number, show_number, show_number},
    [TYPE_UINT24] = {shown_number, show_number, show_number},
    [TYPE_UINT32] = {shown_number, show_number, show_number},
    [TYPE_UINT64] = {shown_number, show_number, show_number},
    [TYPE_INT32] = {shown_number, show_number, show_number},
    [TYPE_INT64] = {shown_number, show_number, show_number},
    [TYPE_ABSOLUTE_TIME] = {absolute_time, absolute_time, absolute_time},
    [TYPE_RELATIVE_TIME] = {shown_relative_time, relative_time, relative_time},
    [TYPE_STRING] = {shown_string, show_string, show_string},
    [TYPE_BYTES] = {shown_bytes, show_bytes, cell_bytes},
    [TYPE_IPV4] = {shown_address, address_ipv4, address_ipv4},
    [TYPE_IPV6] = {shown_address, address_ipv6, address_ipv6},
    [TYPE_ETHER] = {show_bytes, show_bytes, show_bytes},
    [TYPE_OID] = {shown_oid, show_oid, show_oid},
    [TYPE_FRAMENUM] = {shown_number, show_number, show_number},
};

void value_shown(struct buf *out, const struct tape *t, const struct event *e)
{
    writers[fields[e->field].type].shown(out, t, e);
}

void value_show(struct buf *out, const struct tape *t, const struct event *e)
{
    writers[fields[e->field].type].show(out, t, e);
}

void value_cell(struct buf *out, const struct tape *t, const struct event *e)
{
    writers[fields[e->field].type].cell(out, t, e);
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
