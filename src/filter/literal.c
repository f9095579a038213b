/* From a literal as typed to a constant of a field's type. */
#include "filter/program.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

static int shown(const struct node *n)
{
    return (int)(n->length < 100 ? n->length : 100);
}

/* The literal's text, copied for the C library; false when it is too long to be any. */
static bool copy_text(const struct compiler *c, const struct node *n, char *out, size_t size)
{
    bool quoted = n->kind == NODE_STRING;
    size_t len = quoted ? n->byte_count : n->length;
    const char *from = !quoted   ? c->text + n->at
                       : len > 0 ? (const char *)c->filter->constants.data + n->bytes
                                 : "";
    if (len >= size)
        return false;
    if (len > 0)
        memcpy(out, from, len);
    out[len] = '\0';
    return strlen(out) == len;
}

static bool set_number(struct node *n, enum field_type type, uint64_t number)
{
    n->kind = NODE_CONSTANT;
    n->type = (uint8_t)type;
    n->number = number;
    return true;
}

static bool set_bytes(struct compiler *c, struct node *n, enum field_type type, const void *bytes,
                      size_t len)
{
    struct buf *out = &c->filter->constants;
    uint32_t at = (uint32_t)out->len;
    buf_put(out, bytes, len);
    if (out->failed)
        return fail_memory(c);
    n->kind = NODE_CONSTANT;
    n->type = (uint8_t)type;
    n->bytes = at;
    n->byte_count = (uint32_t)len;
    return true;
}

/* ---- numbers
 * ----------------------------------------------------------------------------------------- */

static uint64_t number_ceiling(enum field_type type)
{
    switch (type) {
    case TYPE_UINT8:
        return UINT8_MAX;
    case TYPE_UINT16:
        return UINT16_MAX;
    case TYPE_UINT24:
        return 0xffffff;
    case TYPE_UINT32:
    case TYPE_FRAMENUM:
        return UINT32_MAX;
    case TYPE_INT8:
        return INT8_MAX;
    case TYPE_INT16:
        return INT16_MAX;
    case TYPE_INT32:
        return INT32_MAX;
    case TYPE_INT64:
        return INT64_MAX;
    case TYPE_NONE:
    case TYPE_PROTOCOL:
    case TYPE_BOOLEAN:
    case TYPE_UINT64:
    case TYPE_ABSOLUTE_TIME:
    case TYPE_RELATIVE_TIME:
    case TYPE_STRING:
    case TYPE_BYTES:
    case TYPE_IPV4:
    case TYPE_IPV6:
    case TYPE_ETHER:
    case TYPE_OID:
    case TYPE_COUNT:
        break;
    }
    return UINT64_MAX;
}

/* 12, 0x0c, 014 or 0b1100. */
static bool parse_number(const char *text, uint64_t *number)
{
    char *end = NULL;
    int base = 0;
    if (text[0] == '0' && (text[1] == 'b' || text[1] == 'B')) {
        text += 2;
        base = 2;
    }
    if (!isxdigit((unsigned char)text[0]))
        return false;
    errno = 0;
    *number = strtoull(text, &end, base);
    return *end == '\0';
}

static bool name_equal(const char *a, const char *b)
{
    while (*a && tolower((unsigned char)*a) == tolower((unsigned char)*b)) {
        a++;
        b++;
    }
    return *a == *b;
}

/* The value that a registry gives a name: the name that tshark shows before the registry's own. */
static bool find_name(enum registry registry, const char *name, uint64_t *number)
{
    const struct registry_table *table = &registries[registry];
    for (unsigned own = 0; own < 2; own++)
        for (size_t i = 0; i < table->count; i++) {
            const char *candidate = own ? table->rows[i].name : table->rows[i].compat;
            if (candidate && name_equal(candidate, name)) {
                *number = table->rows[i].first;
                return true;
            }
        }
    return false;
}

/* The text of a literal as an error shows it: with quotes when it had them. */
static int shown_text(const struct compiler *c, const struct node *n, const char **text)
{
    *text = c->text + n->at;
    if (n->kind != NODE_STRING)
        return shown(n);
    *text = n->byte_count > 0 ? (const char *)c->filter->constants.data + n->bytes : "";
    return (int)(n->byte_count < 100 ? n->byte_count : 100);
}

static bool unknown_name(struct compiler *c, const struct node *n, enum field_id field)
{
    const char *text = NULL;
    int len = shown_text(c, n, &text);
    return fail_value(c, n, fields[field].registry,
                      "\"%.*s\" cannot be found among the possible values for %s.", len, text,
                      fields[field].abbrev);
}

static bool not_from_string(struct compiler *c, const struct node *n, enum field_type type)
{
    const char *text = NULL;
    int len = shown_text(c, n, &text);
    return fail_at(c, n->at, n->length, "%s cannot be converted from a string (\"%.*s\").",
                   type_name(type), len, text);
}

static bool convert_number(struct compiler *c, struct node *n, enum field_type type,
                           enum field_id field)
{
    char text[256];
    uint64_t number = 0, ceiling = number_ceiling(type);
    enum registry registry = field == F_NONE ? REG_NONE : (enum registry)fields[field].registry;
    bool fits = copy_text(c, n, text, sizeof text);
    bool is_number = n->kind == NODE_WORD && fits && parse_number(text, &number);
    if (is_number && errno == 0 && number <= ceiling)
        return set_number(n, type, number);
    if (registry != REG_NONE)
        return fits && find_name(registry, text, &number) ? set_number(n, type, number)
                                                          : unknown_name(c, n, field);
    if (n->kind == NODE_STRING)
        return not_from_string(c, n, type);
    if (!is_number)
        return fail_at(c, n->at, n->length, "\"%.*s\" is not a valid number.", shown(n),
                       c->text + n->at);
    if (errno != 0)
        return fail_at(c, n->at, n->length, "\"%.*s\" causes an integer overflow.", shown(n),
                       c->text + n->at);
    return fail_at(c, n->at, n->length, "\"%.*s\" too big for this field, maximum %llu.", shown(n),
                   c->text + n->at, (unsigned long long)ceiling);
}

static bool convert_boolean(struct compiler *c, struct node *n, enum field_id field)
{
    char text[64];
    uint64_t number = 0;
    bool fits = copy_text(c, n, text, sizeof text);
    if (n->kind == NODE_WORD && fits && parse_number(text, &number) && errno == 0)
        return set_number(n, TYPE_BOOLEAN, number != 0);
    enum registry registry = field != F_NONE && fields[field].registry != REG_NONE
                                 ? (enum registry)fields[field].registry
                                 : REG_TRUE_FALSE;
    if (fits && find_name(registry, text, &number))
        return set_number(n, TYPE_BOOLEAN, number != 0);
    if (fits && n->kind == NODE_WORD && (strcmp(text, "True") == 0 || strcmp(text, "TRUE") == 0))
        return set_number(n, TYPE_BOOLEAN, 1);
    if (fits && n->kind == NODE_WORD && (strcmp(text, "False") == 0 || strcmp(text, "FALSE") == 0))
        return set_number(n, TYPE_BOOLEAN, 0);
    return field != F_NONE ? unknown_name(c, n, field)
                           : fail_at(c, n->at, n->length, "\"%.*s\" is not a valid number.",
                                     shown(n), c->text + n->at);
}

/* ---- bytes and addresses
 * ----------------------------------------------------------------------------- */

static unsigned hex_value(char ch)
{
    return (unsigned)(isdigit((unsigned char)ch) ? ch - '0'
                                                 : tolower((unsigned char)ch) - 'a' + 10);
}

/* Pairs of digits, with or without a separator; a single digit where a separator or the end
 * follows. */
static bool parse_hex(const char *text, size_t len, struct buf *out)
{
    size_t i = 0;
    if (len == 4 && text[0] == '0' && text[1] == 'x')
        i = 2;
    if (len == 0)
        return false;
    while (i < len) {
        if (!isxdigit((unsigned char)text[i]))
            return false;
        unsigned byte = hex_value(text[i++]);
        if (i < len && isxdigit((unsigned char)text[i]))
            byte = byte << 4 | hex_value(text[i++]);
        buf_char(out, (char)byte);
        if (i < len && strchr(":-.", text[i]) && ++i == len)
            return false;
    }
    return true;
}

/* The hexadecimal literal as the constant's bytes; false, and nothing changed, when it is none. */
static bool take_hex(struct compiler *c, struct node *n, enum field_type type)
{
    struct buf *out = &c->filter->constants;
    size_t start = out->len;
    uint32_t skip = c->text[n->at] == ':';
    if (!parse_hex(c->text + n->at + skip, n->length - skip, out)) {
        out->len = start;
        return false;
    }
    n->kind = NODE_CONSTANT;
    n->type = (uint8_t)type;
    n->bytes = (uint32_t)start;
    n->byte_count = (uint32_t)(out->len - start);
    return true;
}

static bool convert_bytes(struct compiler *c, struct node *n, enum field_type type)
{
    if (n->kind != NODE_WORD) {
        n->kind = NODE_CONSTANT;
        n->type = (uint8_t)type;
        return true;
    }
    uint32_t skip = c->text[n->at] == ':';
    return take_hex(c, n, type) ||
           fail_at(c, n->at, n->length, "\"%.*s\" is not a valid byte string.",
                   shown(n) - (int)skip, c->text + n->at + skip);
}

static bool convert_ether(struct compiler *c, struct node *n, bool partial)
{
    if (n->kind != NODE_WORD)
        return not_from_string(c, n, TYPE_ETHER);
    struct node before = *n;
    if (!take_hex(c, n, TYPE_ETHER))
        return fail_at(c, n->at, n->length, "\"%.*s\" is not a valid Ethernet address.", shown(n),
                       c->text + n->at);
    if (partial || n->byte_count == 6)
        return true;
    return fail_at(c, before.at, before.length,
                   "\"%.*s\" contains too %s bytes to be a valid Ethernet address.", shown(&before),
                   c->text + before.at, n->byte_count < 6 ? "few" : "many");
}

/* Cuts "/24" off an address: 1 + the bits, 0 without a mask. */
static unsigned long take_mask(char *text)
{
    char *slash = strchr(text, '/');
    if (!slash)
        return 0;
    *slash = '\0';
    return 1 + strtoul(slash + 1, NULL, 10);
}

static bool convert_address(struct compiler *c, struct node *n, enum field_type type)
{
    char text[64];
    uint8_t bytes[16];
    bool v4 = type == TYPE_IPV4;
    unsigned long bits = v4 ? 32 : 128;
    if (n->kind != NODE_WORD)
        return not_from_string(c, n, type);
    bool fits = copy_text(c, n, text, sizeof text);
    unsigned long mask = fits ? take_mask(text) : 0;
    if (!fits || inet_pton(v4 ? AF_INET : AF_INET6, text, bytes) != 1)
        return fail_at(c, n->at, n->length, "\"%.*s\" is not a valid hostname or %s.",
                       fits && v4 ? (int)strlen(text) : shown(n), c->text + n->at, type_name(type));
    if (mask > bits + 1)
        return fail_at(c, n->at, n->length,
                       v4 ? "Netmask bits in a CIDR IPv4 address should be <= 32, not %lu"
                          : "Prefix in a IPv6 address should be <= 128, not %lu",
                       mask - 1);
    n->prefix = (uint8_t)(mask == bits + 1 ? 0 : mask);
    return set_bytes(c, n, type, bytes, bits / 8);
}

/* 1.2.840.113549 as the bytes that stand in a certificate; false when it is no such list of
 * numbers. */
static bool parse_oid(const char *text, struct buf *out)
{
    uint64_t first = 0;
    for (unsigned i = 0; *text; i++) {
        char *end = NULL;
        if (!isdigit((unsigned char)*text))
            return false;
        errno = 0;
        uint64_t arc = strtoull(text, &end, 10);
        if (errno != 0 || (*end && (*end != '.' || !end[1])) || arc > UINT64_MAX - 80)
            return false;
        text = *end ? end + 1 : end;
        if (i == 0) {
            first = arc;
            if (arc > 2 || !*text)
                return false;
            continue;
        }
        if (i == 1)
            arc += first * 40;
        for (unsigned shift = 63; shift > 0; shift -= 7)
            if (arc >> shift)
                buf_char(out, (char)(0x80 | ((arc >> shift) & 0x7f)));
        buf_char(out, (char)(arc & 0x7f));
    }
    return true;
}

static bool convert_oid(struct compiler *c, struct node *n)
{
    char text[256];
    struct buf *out = &c->filter->constants;
    size_t start = out->len;
    if (n->kind != NODE_WORD)
        return not_from_string(c, n, TYPE_OID);
    if (!copy_text(c, n, text, sizeof text) || !parse_oid(text, out)) {
        out->len = start;
        return fail_at(c, n->at, n->length, "\"%.*s\" is not a valid OBJECT IDENTIFIER.", shown(n),
                       c->text + n->at);
    }
    n->kind = NODE_CONSTANT;
    n->type = TYPE_OID;
    n->bytes = (uint32_t)start;
    n->byte_count = (uint32_t)(out->len - start);
    return true;
}

static bool convert_string(struct compiler *c, struct node *n)
{
    if (n->kind == NODE_WORD)
        return set_bytes(c, n, TYPE_STRING, c->text + n->at, n->length);
    n->kind = NODE_CONSTANT;
    n->type = TYPE_STRING;
    return true;
}

bool literal_negative(struct compiler *c, const struct node *n)
{
    bool narrow = n->type != TYPE_UINT64 && n->type != TYPE_INT64;
    if (n->type == TYPE_RELATIVE_TIME || n->number <= (narrow ? INT32_MAX : INT64_MAX))
        return true;
    return fail_at(c, n->at, n->length, "%.*s: %llu overflows %s", shown(n), c->text + n->at,
                   (unsigned long long)n->number, narrow ? "gint32" : "gint64");
}

/* ---- the whole
 * --------------------------------------------------------------------------------------- */

static bool convert_span(struct compiler *c, struct node *n)
{
    char text[64];
    int64_t ns = 0;
    if (n->kind != NODE_WORD)
        return not_from_string(c, n, TYPE_RELATIVE_TIME);
    if (!copy_text(c, n, text, sizeof text) || !literal_span(text, &ns))
        return fail_at(c, n->at, n->length, "\"%.*s\" is not a valid time.", shown(n),
                       c->text + n->at);
    return set_number(n, TYPE_RELATIVE_TIME, (uint64_t)ns);
}

static bool convert_date(struct compiler *c, struct node *n)
{
    char text[64];
    int64_t ns = 0;
    const char *rest = "";
    if (!copy_text(c, n, text, sizeof text) || !literal_date(text, &ns, &rest)) {
        const char *typed = NULL;
        int len = shown_text(c, n, &typed);
        return fail_at(c, n->at, n->length,
                       "\"%.*s\" is not a valid absolute time. Example: \"Nov 12, 1999 "
                       "08:55:44.123\" or \"2011-07-04 12:34:56\"",
                       len, typed);
    }
    if (*rest)
        return fail_at(c, n->at, n->length, "Unexpected data after time value.");
    return set_number(n, TYPE_ABSOLUTE_TIME, (uint64_t)ns);
}

/* 'a' is a number, and a byte. */
static bool convert_char(struct compiler *c, struct node *n, enum field_type type)
{
    uint64_t value = n->number;
    uint8_t byte = (uint8_t)value;
    bool octets = type == TYPE_STRING || type == TYPE_PROTOCOL || type == TYPE_BYTES;
    if (type == TYPE_BOOLEAN)
        return set_number(n, type, value != 0);
    if (type_can(type) & CAN_TIMES)
        return set_number(n, type, value);
    if (octets && value > 255)
        return fail_at(c, n->at, n->length, "%llu is too large for a byte value",
                       (unsigned long long)value);
    if (octets)
        return set_bytes(c, n, type, &byte, 1);
    return value >= ' ' && value < 0x7f
               ? fail_at(c, n->at, n->length,
                         "Character constant '%c' (0x%llx) cannot be converted to %s.", (char)byte,
                         (unsigned long long)value, type_name(type))
               : fail_at(c, n->at, n->length,
                         "Character constant 0x%llx cannot be converted to %s.",
                         (unsigned long long)value, type_name(type));
}

bool literal_convert(struct compiler *c, struct node *n, enum field_type type, enum field_id field,
                     bool partial)
{
    if (n->kind == NODE_CHAR)
        return convert_char(c, n, type);
    switch (type) {
    case TYPE_BOOLEAN:
        return convert_boolean(c, n, field);
    case TYPE_UINT8:
    case TYPE_UINT16:
    case TYPE_UINT24:
    case TYPE_UINT32:
    case TYPE_UINT64:
    case TYPE_INT8:
    case TYPE_INT16:
    case TYPE_INT32:
    case TYPE_INT64:
    case TYPE_FRAMENUM:
        return convert_number(c, n, type, field);
    case TYPE_ABSOLUTE_TIME:
        return convert_date(c, n);
    case TYPE_RELATIVE_TIME:
        return convert_span(c, n);
    case TYPE_STRING:
        return convert_string(c, n);
    case TYPE_PROTOCOL:
    case TYPE_BYTES:
        return convert_bytes(c, n, type);
    case TYPE_IPV4:
    case TYPE_IPV6:
        return convert_address(c, n, type);
    case TYPE_ETHER:
        return convert_ether(c, n, partial);
    case TYPE_OID:
        return convert_oid(c, n);
    case TYPE_NONE:
    case TYPE_COUNT:
        break;
    }
    return fail_at(c, n->at, n->length, "\"%.*s\" has nothing to be compared with.", shown(n),
                   c->text + n->at);
}
