#include "dissect/x509.h"

#include "dissect/x509_types.h"

#define ELEMENTS_MAX 200000 /* that one certificate may have */

/* Whether somebody asks for a field of the X.509 modules, whose rows stand together. */
static bool wanted(const struct tape *t)
{
    for (unsigned id = F__ws_string; id <= F_ocsp_crlTime; id++)
        if (t->want[id])
            return true;
    return t->want[F_tls_sct] || t->want[F_tls_sct_sct_logid];
}

static struct asn1 begin(struct tape *t, uint8_t source, struct buf *protocols,
                         enum field_id protocol)
{
    return (struct asn1){.tape = t,
                         .source = source,
                         .oid = slice_empty(),
                         .key_algorithm = slice_empty(),
                         .item = TAPE_NONE,
                         .budget = ELEMENTS_MAX,
                         .limit =
                             source < t->source_count ? (uint32_t)t->sources[source].bytes.len : 0,
                         .protocol = (uint16_t)protocol,
                         .protocols = protocols};
}

static struct der_view view_of(const struct tape *t, uint8_t source, uint32_t offset,
                               uint32_t length)
{
    struct slice bytes = source < t->source_count ? t->sources[source].bytes : slice_empty();
    return (struct der_view){.bytes = slice_sub(bytes, offset, length), .at = offset};
}

/* The module that failed, F_NONE when none did.  What is cut as a whole, is cut before a value within it is
 * handed to the module that knows it: then OUTER failed, or what called it. */
static enum field_id failed_in(const struct asn1 *a, struct der_view v, enum field_id outer)
{
    struct der whole;
    if (!a->broken)
        return (enum field_id)a->malformed;
    bool cut = !der_read(v, &whole) || whole.cut;
    return cut && a->protocol != F_tls ? outer : (enum field_id)a->protocol;
}

/* A key alone begins with its algorithm, which begins with an object identifier. */
static bool is_public_key(struct der_view v)
{
    struct der whole, algorithm, kind;
    return der_read(v, &whole) && whole.tag == DER_SEQUENCE &&
           der_read(whole.content, &algorithm) && algorithm.class == DER_UNIVERSAL &&
           algorithm.tag == DER_SEQUENCE && der_read(algorithm.content, &kind) &&
           kind.class == DER_UNIVERSAL && kind.tag == DER_OID;
}

enum field_id x509_certificate(struct tape *t, uint32_t item, uint8_t source, uint32_t offset,
                               uint32_t length, struct buf *protocols)
{
    if (!wanted(t) && !protocols)
        return F_NONE;
    struct asn1 a = begin(t, source, protocols, F_tls);
    a.item = item;
    struct der_view v = view_of(t, source, offset, length);
    asn1_run(&a, is_public_key(v) ? &x509_key_type : &x509_certificate_type, F_NONE, false, v);
    ASN1_TEXT(text, ASN1_NAMES_BYTES + 8);
    buf_str(&text, " (");
    buf_slice_put(&text, slice_of(a.subject, a.subject_len));
    buf_char(&text, ')');
    struct der whole;
    bool read = der_read(v, &whole);
    if (read && !whole.cut)
        tape_set_length(t, item, (uint32_t)whole.eaten);
    if (read && whole.tag == DER_SEQUENCE && whole.length == 0) {
        asn1_note(&a, item, slice_of_str(" [0 length]"));
        tape_set_label(t, item, LABEL_ASN1_AND_NOTE);
    } else if (a.subject_done) {
        asn1_note(&a, item, buf_slice(&text));
        tape_set_label(t, item, LABEL_ASN1_AND_NOTE);
    }
    return failed_in(&a, v, F_tls);
}

enum field_id x509_ocsp_response(struct tape *t, uint8_t source, uint32_t offset, uint32_t length,
                                 struct buf *protocols)
{
    if (!wanted(t) && !protocols)
        return F_NONE;
    struct asn1 a = begin(t, source, protocols, F_tls);
    uint32_t at = tape_open(t, F_ocsp, source, offset, length, 0, 0);
    tape_set_label(t, at, LABEL_OCSP_RESPONSE);
    a.item = at;
    struct der_view v = view_of(t, source, offset, length);
    asn1_run(&a, &x509_ocsp_response_type, F_NONE, false, v);
    tape_close(t, at);
    return failed_in(&a, v, F_ocsp);
}

enum field_id x509_distinguished_name(struct tape *t, enum field_id field, uint8_t source,
                                      uint32_t offset, uint32_t length, struct buf *protocols)
{
    if (!wanted(t) && !t->want[field] && !protocols)
        return F_NONE;
    struct asn1 a = begin(t, source, protocols, F_tls);
    struct der_view v = view_of(t, source, offset, length);
    asn1_run(&a, &x509_name_rdn, field, false, v);
    return failed_in(&a, v, F_tls);
}

enum field_id x509_public_key(struct tape *t, uint8_t source, uint32_t offset, uint32_t length,
                              struct buf *protocols)
{
    if (!wanted(t) && !protocols)
        return F_NONE;
    struct asn1 a = begin(t, source, protocols, F_tls);
    asn1_run(&a, &x509_key_type, F_NONE, false, view_of(t, source, offset, length));
    return a.broken ? a.protocol : a.malformed;
}

void x509_extension_value(struct tape *t, struct slice oid, uint8_t source, uint32_t offset,
                          uint32_t length, struct buf *protocols)
{
    if ((!wanted(t) && !protocols) || !x509_known(oid, false))
        return;
    struct asn1 a = begin(t, source, protocols, F_tls);
    a.oid = oid;
    asn1_by_oid(&a, view_of(t, source, offset, length));
}
