/* Names in certificates: distinguished names (X.501, RFC 5280 4.1.2.4), the attributes in them
 * (X.520, RFC 4519), and general names (RFC 5280 4.2.1.6). */
#include "dissect/x509_types.h"

#include "schema/oids.h"

#define OID_BYTES 256  /* of dotted text; no known one is longer */
#define NAME_TEXT 2048 /* of an attribute; labels show less */

const struct asn1_type asn1_type_integer = {.kind = ASN1_INTEGER, .tag = DER_INTEGER};
const struct asn1_type asn1_type_boolean = {.kind = ASN1_BOOLEAN, .tag = DER_BOOLEAN};
const struct asn1_type asn1_type_oid = {.kind = ASN1_OID, .tag = DER_OID};
const struct asn1_type asn1_type_octets = {.kind = ASN1_OCTETS, .tag = DER_OCTETS};
const struct asn1_type asn1_type_bits = {.kind = ASN1_BITS, .tag = DER_BITS};
const struct asn1_type asn1_type_enumerated = {.kind = ASN1_INTEGER, .tag = DER_ENUMERATED};
const struct asn1_type asn1_type_null = {.kind = ASN1_NULL, .tag = DER_NULL};
const struct asn1_type asn1_type_by_oid = {.kind = ASN1_BY_OID};
const struct asn1_type asn1_type_utc_time = {.kind = ASN1_UTC_TIME, .tag = DER_UTC_TIME};
const struct asn1_type asn1_type_generalized_time = {.kind = ASN1_GENERALIZED_TIME,
                                                     .tag = DER_GENERALIZED_TIME};
const struct asn1_type asn1_type_numeric = {.kind = ASN1_STRING, .tag = DER_NUMERIC};
const struct asn1_type asn1_type_printable = {.kind = ASN1_STRING, .tag = DER_PRINTABLE};
const struct asn1_type asn1_type_teletex = {.kind = ASN1_STRING, .tag = DER_TELETEX};
const struct asn1_type asn1_type_ia5 = {.kind = ASN1_STRING, .tag = DER_IA5};
const struct asn1_type asn1_type_utf8 = {.kind = ASN1_STRING, .tag = DER_UTF8};
const struct asn1_type asn1_type_bmp = {.kind = ASN1_STRING, .tag = DER_BMP};
const struct asn1_type asn1_type_universal = {.kind = ASN1_STRING, .tag = DER_UNIVERSAL_STRING};
const struct asn1_type asn1_type_graphic = {.kind = ASN1_STRING, .tag = DER_GRAPHIC};
const struct asn1_type asn1_type_visible = {.kind = ASN1_STRING, .tag = DER_VISIBLE};
const struct asn1_type asn1_type_general = {.kind = ASN1_STRING, .tag = DER_GENERAL};

/* ---- the text of a name -------------------------------------------------------------------------
 */

static void append(char *text, size_t ceiling, size_t *len, struct slice more)
{
    size_t room = ceiling - 1 - *len;
    struct slice part = slice_sub(more, 0, room);
    if (part.len > 0)
        memcpy(text + *len, part.data, part.len);
    *len += part.len;
}

/* Control characters as in a C string; the rest as UTF-8. */
static void put_escaped(struct buf *out, struct slice bytes)
{
    static const char names[] = "abtnvfr"; /* of 7 to 13 */
    while (bytes.len > 0) {
        uint32_t c = der_character(&bytes);
        if (c >= 0x20 && c != 0x7f) {
            der_put_character(out, c);
            continue;
        }
        buf_char(out, '\\');
        if (c >= 7 && c <= 13) {
            buf_char(out, names[c - 7]);
            continue;
        }
        for (unsigned shift = 9; shift > 0; shift -= 3)
            buf_char(out, (char)('0' + (c >> (shift - 3) & 7)));
    }
}

/* The bytes that are shown of a value: those of any string, whatever its kind. */
static bool shown_value(struct der_view v, struct slice *bytes)
{
    struct der d;
    if (!der_read(v, &d) || d.cut)
        return false;
    *bytes = d.content.bytes;
    return d.class == DER_APPLICATION || d.class == DER_PRIVATE || d.class == DER_CONTEXT ||
           d.tag == DER_OCTETS || d.tag == DER_UTF8 || d.tag >= DER_NUMERIC;
}

static void attribute_type(struct asn1 *a, const struct asn1_type *type, enum field_id field,
                           bool implicit, struct der_view v)
{
    asn1_oid(a, type, field, implicit, v);
    ASN1_TEXT(text, NAME_TEXT);
    buf_str(&text, " (");
    oid_text(&text, a->oid);
    buf_char(&text, '=');
    asn1_note(a, a->item, buf_slice(&text));
    if (a->rdn_len > 0)
        append(a->rdn, sizeof a->rdn, &a->rdn_len, slice_of_str("+"));
    append(a->rdn, sizeof a->rdn, &a->rdn_len, slice_sub(buf_slice(&text), 2, SIZE_MAX));
}

static void attribute_value(struct asn1 *a, const struct asn1_type *type, enum field_id field,
                            bool implicit, struct der_view v)
{
    (void)type, (void)field, (void)implicit;
    uint32_t item = a->item;
    struct slice oid = a->oid, bytes;
    asn1_by_oid(a, v);
    if (a->broken || !shown_value(v, &bytes))
        return;
    ASN1_TEXT(text, NAME_TEXT);
    buf_str(&text, " (");
    oid_text(&text, oid);
    buf_char(&text, '=');
    size_t start = text.len;
    put_escaped(&text, slice_sub(bytes, 0, 1024));
    append(a->rdn, sizeof a->rdn, &a->rdn_len, slice_sub(buf_slice(&text), start, SIZE_MAX));
    buf_char(&text, ')');
    asn1_note(a, item, buf_slice(&text));
}

void asn1_note_in_brackets(struct asn1 *a, uint32_t at, struct slice inner)
{
    ASN1_TEXT(text, ASN1_NAMES_BYTES + 16);
    buf_str(&text, " (");
    buf_slice_put(&text, inner);
    buf_char(&text, ')');
    asn1_note(a, at, buf_slice(&text));
}

void x509_name_part_done(struct asn1 *a, uint32_t at)
{
    char names[ASN1_NAMES_BYTES];
    size_t len = 0;
    asn1_note_in_brackets(a, at, slice_of(a->rdn, a->rdn_len));
    if (!a->names_open)
        return;
    append(names, sizeof names, &len, slice_of(a->rdn, a->rdn_len));
    if (a->names_begun)
        append(names, sizeof names, &len, slice_of_str(","));
    append(names, sizeof names, &len, slice_of(a->names, a->names_len));
    memcpy(a->names, names, len);
    a->names_len = len;
    a->names_begun = true;
}

void x509_name_done(struct asn1 *a, uint32_t at)
{
    if (a->names_open && a->names_begun)
        asn1_note_in_brackets(a, at, slice_of(a->names, a->names_len));
}

/* A copy, for there are more names in the extensions. */
void x509_subject_done(struct asn1 *a)
{
    memcpy(a->subject, a->names, a->names_len);
    a->subject_len = a->names_len;
    a->subject_done = true;
}

/* ---- distinguished names ------------------------------------------------------------------------
 */

static void relative_name(struct asn1 *a, const struct asn1_type *type, enum field_id field,
                          bool implicit, struct der_view v);
static void whole_name(struct asn1 *a, const struct asn1_type *type, enum field_id field,
                       bool implicit, struct der_view v);

static const struct asn1_type type_of_attribute = {.kind = ASN1_CALL, .call = attribute_type};
static const struct asn1_type value_of_attribute = {.kind = ASN1_CALL, .call = attribute_value};
MEMBERS(attribute, OWN(DER_OID, x509if_oid, type_of_attribute), ANY(NONE, value_of_attribute));
static const struct asn1_type attribute = TYPE_OF(SEQUENCE, attribute);

MEMBERS(rdn, OWN(DER_SEQUENCE, x509if_RelativeDistinguishedName_item_element, attribute));
static const struct asn1_type rdn = TYPE_OF(SET_OF, rdn);
const struct asn1_type x509_name_part = {.kind = ASN1_CALL,
                                         .tag = DER_SET,
                                         .members = &(const struct asn1_member){.type = &rdn},
                                         .call = relative_name};

MEMBERS(names, OWN(DER_SET, x509if_RDNSequence_item, x509_name_part));
static const struct asn1_type names = TYPE_OF(SEQUENCE_OF, names);
const struct asn1_type x509_name_rdn = {.kind = ASN1_CALL,
                                        .tag = DER_SEQUENCE,
                                        .members = &(const struct asn1_member){.type = &names},
                                        .call = whole_name};

MEMBERS(name, CASE(0, DER_SEQUENCE, x509if_rdnSequence, x509_name_rdn));
const struct asn1_type x509_name = TYPE_OF(CHOICE, name);

static void relative_name(struct asn1 *a, const struct asn1_type *type, enum field_id field,
                          bool implicit, struct der_view v)
{
    (void)type;
    a->rdn_len = 0;
    asn1_run(a, &rdn, field, implicit, v);
}

/* A name may stand inside a name: the texts of the outer one are put aside. */
struct put_aside {
    char rdn[ASN1_NAME_BYTES], names[ASN1_NAMES_BYTES];
    size_t rdn_len, names_len;
    bool begun, open;
};

static void swap_names(struct asn1 *a, struct put_aside *p, bool back)
{
    if (back) {
        memcpy(a->rdn, p->rdn, p->rdn_len);
        memcpy(a->names, p->names, p->names_len);
        a->rdn_len = p->rdn_len;
        a->names_len = p->names_len;
        a->names_begun = p->begun;
        a->names_open = p->open;
        return;
    }
    memcpy(p->rdn, a->rdn, a->rdn_len);
    memcpy(p->names, a->names, a->names_len);
    p->rdn_len = a->rdn_len;
    p->names_len = a->names_len;
    p->begun = a->names_begun;
    p->open = a->names_open;
}

static void whole_name(struct asn1 *a, const struct asn1_type *type, enum field_id field,
                       bool implicit, struct der_view v)
{
    (void)type;
    struct put_aside outer;
    bool inside = a->names_open;
    if (inside)
        swap_names(a, &outer, false);
    a->names_len = 0;
    a->names_begun = false;
    a->names_open = true;
    asn1_run(a, &names, field, implicit, v);
    a->names_open = false;
    if (inside)
        swap_names(a, &outer, true);
}

MEMBERS(directory_string, CASE(0, DER_TELETEX, x509sat_teletexString, asn1_type_teletex),
        CASE(1, DER_PRINTABLE, x509sat_printableString, asn1_type_printable),
        CASE(2, DER_UNIVERSAL_STRING, x509sat_universalString, asn1_type_universal),
        CASE(3, DER_BMP, x509sat_bmpString, asn1_type_bmp),
        CASE(4, DER_UTF8, x509sat_uTF8String, asn1_type_utf8));
const struct asn1_type x509_directory_string = TYPE_OF(CHOICE, directory_string);

/* ---- general names ------------------------------------------------------------------------------
 */

static void ip_address(struct asn1 *a, const struct asn1_type *type, enum field_id field,
                       bool implicit, struct der_view v)
{
    (void)type, (void)field;
    struct der d;
    if (!asn1_element(a, implicit, v, &d))
        return;
    struct der_view c = d.content;
    uint32_t length = (uint32_t)c.bytes.len;
    if (length == 4)
        tape_add(a->tape, F_x509ce_IPAddress_ipv4, a->source, c.at, length, 0, 0);
    else if (length == 16)
        tape_add(a->tape, F_x509ce_IPAddress_ipv6, a->source, c.at, length, 0, 0);
}

static const struct asn1_type address = {.kind = ASN1_CALL, .call = ip_address};

MEMBERS(other_name, OWN(DER_OID, x509ce_type_id, asn1_type_oid), TAGGED(0, NONE, asn1_type_by_oid));
static const struct asn1_type other_name = TYPE_OF(SEQUENCE, other_name);

MEMBERS(edi_party, TAGGED(0, x509ce_nameAssigner, x509_directory_string),
        TAGGED(1, x509ce_partyName, x509_directory_string));
static const struct asn1_type edi_party = TYPE_OF(SEQUENCE, edi_party);

/* X.400 addresses are not looked into. */
static const struct asn1_type x400_address = {.kind = ASN1_OCTETS, .tag = DER_SEQUENCE};

MEMBERS(general_name, CASE_INSTEAD(0, x509ce_otherName_element, other_name),
        CASE_INSTEAD(1, x509ce_rfc822Name, asn1_type_ia5),
        CASE_INSTEAD(2, x509ce_dNSName, asn1_type_ia5),
        CASE_INSTEAD(3, x509ce_x400Address_element, x400_address),
        CASE_TAGGED(4, x509ce_directoryName, x509_name),
        CASE_INSTEAD(5, x509ce_ediPartyName_element, edi_party),
        CASE_INSTEAD(6, x509ce_uniformResourceIdentifier, asn1_type_ia5),
        CASE_INSTEAD(7, NONE, address), CASE_INSTEAD(8, x509ce_registeredID, asn1_type_oid));
const struct asn1_type x509_general_name = TYPE_OF(CHOICE, general_name);

MEMBERS(general_names, ANY(x509ce_GeneralName, x509_general_name));
const struct asn1_type x509_general_names = TYPE_OF(SEQUENCE_OF, general_names);

/* ---- by object identifier -----------------------------------------------------------------------
 */

/* As memcmp, a beginning of the other one first. */
static int compare(struct slice a, struct slice b)
{
    int order = memcmp(a.data, b.data, a.len < b.len ? a.len : b.len);
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static const struct asn1_known *look(struct x509_table table, struct slice dotted)
{
    size_t low = 0, high = table.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct asn1_known *row = &table.rows[middle];
        int order = compare(dotted, slice_of(row->oid, row->len));
        if (order == 0)
            return row;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

struct x509_table x509_table(size_t index)
{
    switch (index) {
    case 0:
        return (struct x509_table){x509_known_attributes, x509_known_attributes_count};
    case 1:
        return (struct x509_table){x509_known_extensions, x509_known_extensions_count};
    case 2:
        return (struct x509_table){x509_known_algorithms, x509_known_algorithms_count};
    case 3:
        return (struct x509_table){x509_known_others, x509_known_others_count};
    case 4:
        return (struct x509_table){x509_known_ocsp, x509_known_ocsp_count};
    default:
        return (struct x509_table){x509_known_more, x509_known_more_count};
    }
}

const struct asn1_known *x509_known(struct slice oid, bool more)
{
    if (oid.len > OID_BYTES / 4)
        return NULL;
    ASN1_TEXT(text, OID_BYTES);
    oid_dotted(&text, oid);
    if (more)
        return look(x509_table(X509_TABLES - 1), buf_slice(&text));
    const struct asn1_known *found = NULL;
    for (size_t i = 0; !found && i < X509_TABLES - 1; i++)
        found = look(x509_table(i), buf_slice(&text));
    return found;
}
