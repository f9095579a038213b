/* The simple types of asn1.h: numbers, object identifiers, strings of bits, bytes and characters,
 * times. */
#include "dissect/asn1.h"

#include "schema/oids.h"

#define SMALL_TEXT 256

static uint32_t add(struct asn1 *a, enum field_id field, struct der_view v, uint64_t value)
{
    if (field == F_NONE)
        return TAPE_NONE;
    return tape_add(a->tape, field, a->source, v.at, (uint32_t)v.bytes.len, value, 0);
}

/* A value whose bytes are not all there cannot be shown. */
static bool whole(struct asn1 *a, const struct der *d)
{
    if (d->cut)
        a->broken = true;
    return !d->cut;
}

/* "BER Error: TEXT NUMBER" and the like: three parts into one remark. */
static void fault(struct asn1 *a, enum expert_id id, struct der_view v, const char *before,
                  uint64_t number, const char *after)
{
    ASN1_TEXT(text, SMALL_TEXT);
    buf_str(&text, before);
    buf_dec(&text, number);
    buf_str(&text, after);
    asn1_fault(a, id, v, buf_slice(&text));
}

/* ---- numbers ------------------------------------------------------------------------------------
 */

static void no_number(struct asn1 *a, enum field_id field, struct der_view v)
{
    ASN1_TEXT(text, SMALL_TEXT);
    buf_str(&text, "BER Error: ");
    buf_str(&text, fields[field].label);
    buf_str(&text, ": length of item (0) is not valid");
    asn1_fault(a, EXPERT_ber_error_length, v, buf_slice(&text));
}

void asn1_integer(struct asn1 *a, const struct asn1_type *type, enum field_id field, bool implicit,
                  struct der_view v)
{
    (void)type;
    struct der d;
    if (!asn1_element(a, implicit, v, &d) || !whole(a, &d) || field == F_NONE)
        return;
    struct der_view c = d.content;
    uint8_t kind = fields[field].type;
    if (c.bytes.len == 0) {
        no_number(a, field, c);
    } else if (kind == TYPE_BYTES) {
        tape_set_label(a->tape, add(a, field, c, 0), LABEL_ASN1_BIG);
    } else if (c.bytes.len > 8 &&
               !(c.bytes.len == 9 && slice_at(c.bytes, 0) == 0 && kind == TYPE_UINT64)) {
        uint32_t at = add(a, F_ber_64bit_uint_as_bytes, c, 0);
        tape_set_label(a->tape, at, LABEL_ASN1_BIG_NAMED);
        if (at != TAPE_NONE)
            asn1_note(a, at, slice_of_str(fields[field].label));
    } else {
        int64_t value = der_integer(c.bytes);
        bool narrow = kind == TYPE_INT32 || kind == TYPE_UINT32;
        add(a, field, c, narrow ? (uint32_t)value : (uint64_t)value);
    }
}

void asn1_boolean(struct asn1 *a, const struct asn1_type *type, enum field_id field, bool implicit,
                  struct der_view v)
{
    (void)type;
    struct der d;
    if (!asn1_element(a, implicit, v, &d) || !whole(a, &d))
        return;
    if (d.content.bytes.len == 0)
        no_number(a, field, d.content);
    else
        add(a, field, d.content, slice_at(d.content.bytes, 0) != 0);
}

/* Some fields hold an object identifier as text. */
static void oid_in_words(struct asn1 *a, uint32_t at)
{
    ASN1_TEXT(dotted, SMALL_TEXT);
    ASN1_TEXT(name, SMALL_TEXT);
    oid_dotted(&dotted, a->oid);
    oid_text(&name, a->oid);
    tape_set_text(a->tape, at, buf_slice(&dotted));
    asn1_note_in_brackets(a, at, buf_slice(&name));
    tape_set_label(a->tape, at, LABEL_ASN1_AND_NOTE);
}

void asn1_oid(struct asn1 *a, const struct asn1_type *type, enum field_id field, bool implicit,
              struct der_view v)
{
    (void)type;
    struct der d;
    a->oid = slice_empty();
    if (!asn1_element(a, implicit, v, &d) || !whole(a, &d))
        return;
    if (!implicit && !asn1_has_tag(&d, DER_OID)) {
        asn1_unexpected(a, EXPERT_ber_error_expected_object_identifier, "Object Identifier", &d);
        return;
    }
    uint32_t at = add(a, field, d.content, 0);
    a->oid = d.content.bytes;
    if (at != TAPE_NONE && fields[field].type == TYPE_STRING)
        oid_in_words(a, at);
}

/* ---- bytes and bits -----------------------------------------------------------------------------
 */

/* Where bytes are expected any kind of string may stand. */
static bool any_string(const struct der *d)
{
    return d->class != DER_UNIVERSAL || d->tag == DER_OCTETS || d->tag == DER_UTF8 ||
           d->tag >= DER_NUMERIC;
}

void asn1_octets(struct asn1 *a, const struct asn1_type *type, enum field_id field, bool implicit,
                 struct der_view v)
{
    (void)type;
    struct der d;
    if (!asn1_element(a, implicit, v, &d) || !whole(a, &d))
        return;
    if (!implicit && !any_string(&d)) {
        asn1_unexpected(a, EXPERT_ber_error_expected_octet_string, "OctetString", &d);
        return;
    }
    add(a, field, d.content, 0);
}

static void named_bits(struct asn1 *a, const struct asn1_type *type, struct der_view c)
{
    for (unsigned i = 0; i < type->count; i++) {
        uint8_t bits = slice_at(c.bytes, i / 8);
        /* Bits that are left out are 0; they have no place of their own. */
        struct der_view place = der_sub(c, i / 8 < c.bytes.len ? i / 8 : 0, 1);
        if (type->bits[i] != F_NONE)
            add(a, type->bits[i], place, bits >> (7 - i % 8) & 1);
    }
}

static void bits_item(struct asn1 *a, const struct asn1_type *type, enum field_id field,
                      struct der_view c, uint8_t padding)
{
    uint32_t at = tape_open(a->tape, field, a->source, c.at, (uint32_t)c.bytes.len, 0, 0);
    named_bits(a, type, c);
    unsigned last = c.bytes.len > 0 ? slice_at(c.bytes, c.bytes.len - 1) : 0;
    unsigned unused = padding < 8 ? last & ((1u << padding) - 1) : 0;
    if (unused) {
        ASN1_TEXT(text, SMALL_TEXT);
        buf_str(&text, "Bits set in padded area: 0x");
        buf_hex(&text, unused, 2);
        asn1_expert(a, EXPERT_ber_error_bits_set_padded, der_sub(c, c.bytes.len - 1, 1),
                    buf_slice(&text));
    }
    tape_close(a->tape, at);
}

static void padding_item(struct asn1 *a, struct der_view v, uint8_t padding)
{
    uint32_t at = tape_open(a->tape, F_ber_bitstring_padding, a->source, v.at, 1, padding, 0);
    if (padding > 7) {
        ASN1_TEXT(text, SMALL_TEXT);
        buf_str(&text, "Illegal padding (0 .. 7): ");
        buf_dec(&text, padding);
        asn1_expert(a, EXPERT_ber_error_illegal_padding, v, buf_slice(&text));
    }
    tape_close(a->tape, at);
}

void asn1_bits(struct asn1 *a, const struct asn1_type *type, enum field_id field, bool implicit,
               struct der_view v)
{
    struct der d;
    if (!asn1_element(a, implicit, v, &d) || !whole(a, &d))
        return;
    if (!implicit && !asn1_has_tag(&d, DER_BITS)) {
        asn1_unexpected(a, EXPERT_ber_error_expected_bitstring, "BitString", &d);
        return;
    }
    if (d.content.bytes.len == 0) {
        asn1_fault(a, EXPERT_ber_error_bits_length, d.content,
                   slice_of_str("BER Error: BitString with an illegal length of 0"));
        return;
    }
    uint8_t padding = slice_at(d.content.bytes, 0);
    struct der_view first = der_sub(d.content, 0, 1), c = der_sub(d.content, 1, SIZE_MAX);
    if (c.bytes.len == 0 && padding < 8) {
        add(a, field, first, 0);
        add(a, F_ber_bitstring_empty, first, padding);
        return;
    }
    padding_item(a, first, padding);
    if (field != F_NONE)
        bits_item(a, type, field, c, padding);
}

/* ---- characters ---------------------------------------------------------------------------------
 */

static void wide(struct buf *out, struct slice bytes, size_t width)
{
    while (bytes.len >= width) {
        uint32_t c = (uint32_t)slice_uint(&bytes, width);
        bool bad = (c >= 0xd800 && c < 0xe000) || c > 0x10ffff;
        der_put_character(out, bad ? 0xfffd : c);
    }
    if (bytes.len > 0)
        der_put_character(out, 0xfffd);
}

void asn1_transcode(struct buf *out, uint32_t tag, struct slice bytes)
{
    if (tag == DER_TELETEX) {
        asn1_t61(out, bytes);
    } else if (tag == DER_BMP || tag == DER_UNIVERSAL_STRING) {
        wide(out, bytes, tag == DER_BMP ? 2 : 4);
    } else if (tag == DER_UTF8) {
        while (bytes.len > 0)
            der_put_character(out, der_character(&bytes));
    } else {
        while (bytes.len > 0) {
            uint8_t b = slice_u8(&bytes);
            der_put_character(out, b < 0x80 ? b : 0xfffd);
        }
    }
}

/* The bytes as they are will do when they are ASCII, whatever the field expects. */
static bool plain(uint32_t tag, struct slice bytes)
{
    if (tag == DER_TELETEX || tag == DER_BMP || tag == DER_UNIVERSAL_STRING)
        return false;
    for (size_t i = 0; i < bytes.len; i++)
        if (slice_at(bytes, i) >= 0x80)
            return false;
    return true;
}

static void set_text(struct asn1 *a, uint32_t at, uint32_t tag, struct slice bytes)
{
    struct tape *t = a->tape;
    if (at == TAPE_NONE || plain(tag, bytes))
        return;
    size_t start = t->text.len;
    asn1_transcode(&t->text, tag, bytes);
    t->events[at].flags |= EVENT_IN_TEXT;
    t->events[at].value = (uint64_t)(t->text.len - start) << 32 | (uint32_t)start;
    if (t->text.failed)
        t->full = true;
}

/* Bytes that the value does not show because a NUL stands in front of them. */
static void stray(struct asn1 *a, uint32_t tag, struct der_view c)
{
    if (tag == DER_TELETEX || tag == DER_BMP || tag == DER_UNIVERSAL_STRING)
        return;
    bool ended = false;
    for (size_t i = 0; i < c.bytes.len; i++) {
        uint8_t b = slice_at(c.bytes, i);
        if (ended && b) {
            asn1_expert(a, EXPERT_string_trailing_stray_characters, c,
                        slice_of_str("Trailing stray characters"));
            return;
        }
        ended |= b == 0;
    }
}

void asn1_string(struct asn1 *a, const struct asn1_type *type, enum field_id field, bool implicit,
                 struct der_view v)
{
    struct der d;
    if (!asn1_element(a, implicit, v, &d) || !whole(a, &d))
        return;
    if (!implicit && type->tag && !asn1_has_tag(&d, type->tag)) {
        ASN1_TEXT(what, SMALL_TEXT);
        buf_str(&what, "String with tag=");
        buf_dec(&what, type->tag);
        buf_char(&what, '\0');
        asn1_unexpected(a, EXPERT_ber_error_expected_string, (const char *)what.data, &d);
        return;
    }
    if (!implicit && !type->tag && !any_string(&d)) {
        asn1_unexpected(a, EXPERT_ber_error_expected_octet_string, "OctetString", &d);
        return;
    }
    uint32_t tag = type->tag || implicit ? type->tag : d.tag;
    if (field == F_NONE)
        return;
    uint32_t at =
        tape_open(a->tape, field, a->source, d.content.at, (uint32_t)d.content.bytes.len, 0, 0);
    set_text(a, at, tag, d.content.bytes);
    stray(a, tag, d.content);
    tape_close(a->tape, at);
}

/* ---- times --------------------------------------------------------------------------------------
 */

static size_t leading_digits(struct slice s)
{
    size_t n = 0;
    while (n < s.len && slice_at(s, n) >= '0' && slice_at(s, n) <= '9')
        n++;
    return n;
}

/* "2024-01-02 03:04:05 (UTC)", "… (UTC+0130)"; false when it cannot be written so. */
static bool utc_text(struct buf *out, struct slice s)
{
    size_t n = leading_digits(s) >= 12 ? 12 : 10;
    uint8_t zone = slice_at(s, n);
    size_t left = s.len - (n < s.len ? n : s.len);
    if (leading_digits(s) < 10 ||
        !((zone == 'Z' && left == 1) || ((zone == '+' || zone == '-') && left == 5)))
        return false;
    buf_str(out, slice_at(s, 0) < '5' ? "20" : "19");
    for (size_t i = 0; i < n; i += 2) {
        static const char before[] = " -- ::"; /* of year, month, day, hour, minute, second */
        if (i > 0)
            buf_char(out, before[i / 2]);
        buf_slice_put(out, slice_sub(s, i, 2));
    }
    buf_str(out, " (UTC");
    if (zone != 'Z')
        buf_slice_put(out, slice_sub(s, n, 5));
    buf_char(out, ')');
    return true;
}

/* Says what is wrong with a UTCTime. */
static void utc_fault(struct asn1 *a, struct der_view c)
{
    struct slice s = c.bytes;
    size_t n = leading_digits(s);
    if (s.len < 10 || s.len > 19)
        fault(a, EXPERT_ber_error_utctime, c, "BER Error: UTCTime invalid length: ", s.len, "");
    else if (n < 10)
        asn1_fault(a, EXPERT_ber_error_utctime, c,
                   slice_of_str("BER Error: malformed UTCTime encoding, first 10 octets have to "
                                "contain YYMMDDhhmm in digits"));
    else
        fault(a, EXPERT_ber_error_utctime, c,
              "BER Error: malformed UTCTime encoding, unexpected character in ", n < 12 ? 11 : 13,
              "th octet, must be 'Z', '+' or '-'");
}

void asn1_utc_time(struct asn1 *a, const struct asn1_type *type, enum field_id field, bool implicit,
                   struct der_view v)
{
    (void)type;
    struct der d;
    if (!asn1_element(a, implicit, v, &d) || !whole(a, &d))
        return;
    if (!implicit && !asn1_has_tag(&d, DER_UTC_TIME)) {
        asn1_unexpected(a, EXPERT_ber_error_expected_utctime, "UTCTime", &d);
        return;
    }
    struct tape *t = a->tape;
    struct der_view c = d.content;
    ASN1_TEXT(text, SMALL_TEXT);
    uint32_t at = tape_open(t, field, a->source, c.at, (uint32_t)c.bytes.len, 0, 0);
    if (utc_text(&text, c.bytes))
        tape_set_text(t, at, buf_slice(&text));
    else
        utc_fault(a, c);
    tape_close(t, at);
}

static void bad_generalized_time(struct asn1 *a, struct der_view c)
{
    ASN1_TEXT(text, SMALL_TEXT);
    buf_str(&text, "BER Error: GeneralizedTime invalid format: ");
    asn1_transcode(&text, DER_IA5, slice_sub(c.bytes, 0, 32));
    asn1_fault(a, EXPERT_ber_error_generalized_time, c, buf_slice(&text));
}

/* Years that nanoseconds in 64 bits do not reach are shown all the same; their number is as near as
 * can be. */
static void time_item(struct asn1 *a, enum field_id field, struct der_view c, int64_t ns)
{
    uint32_t at = add(a, field, c, (uint64_t)ns);
    if (at == TAPE_NONE || (ns != INT64_MAX && ns != INT64_MIN))
        return;
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct slice year = slice_sub(c.bytes, 0, 4), s = slice_sub(c.bytes, 4, SIZE_MAX);
    while (year.len > 1 && slice_at(year, 0) == '0')
        slice_u8(&year);
    size_t month = (slice_at(s, 0) - (size_t)'0') * 10 + slice_at(s, 1) - '0';
    ASN1_TEXT(text, SMALL_TEXT);
    buf_put(&text, &months[(month - 1) % 12 * 3], 3);
    buf_char(&text, ' ');
    buf_char(&text, slice_at(s, 2) == '0' ? ' ' : (char)slice_at(s, 2));
    buf_char(&text, (char)slice_at(s, 3));
    buf_str(&text, ", ");
    buf_slice_put(&text, year);
    for (size_t i = 4; i < 10; i += 2) {
        buf_char(&text, i == 4 ? ' ' : ':');
        buf_slice_put(&text, slice_sub(s, i, 2));
    }
    buf_str(&text, ".000000000 UTC");
    asn1_note(a, at, buf_slice(&text));
    tape_set_label(a->tape, at, LABEL_ASN1_TIME);
}

/* The byte in front of the content. */
struct der_view asn1_last_of_header(const struct der *d)
{
    size_t header = d->content.at - d->whole.at;
    return header > 0 ? der_sub(d->whole, header - 1, 1) : der_sub(d->whole, 0, 1);
}

void asn1_generalized_time(struct asn1 *a, const struct asn1_type *type, enum field_id field,
                           bool implicit, struct der_view v)
{
    (void)type;
    struct der d;
    if (!asn1_element(a, implicit, v, &d) || !whole(a, &d))
        return;
    struct der_view c = d.content;
    int64_t ns;
    if (!implicit && !asn1_has_tag(&d, DER_GENERALIZED_TIME))
        asn1_unexpected(a, EXPERT_ber_error_expected_generalized_time, "GeneralizedTime", &d);
    else if (c.bytes.len < 12)
        fault(a, EXPERT_ber_error_length, asn1_last_of_header(&d),
              "BER Error: GeneralizedTime invalid length: ", c.bytes.len, "");
    else if (der_generalized_time(c.bytes, &ns))
        time_item(a, field, c, ns);
    else
        bad_generalized_time(a, c);
}
