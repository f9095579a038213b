#include "dissect/x509.h"

#include "dissect/asn1.h"
#include "schema/oids.h"

static const struct {
    const char *oid;
    size_t len;
    const char *name;
} keys[] = {
    {"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01", 9, "RSA"},
    {"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a", 9, "RSA-PSS"},
    {"\x2a\x86\x48\xce\x3d\x02\x01", 7, "ECDSA"},
    {"\x2a\x86\x48\xce\x38\x04\x01", 7, "DSA"},
    {"\x2a\x86\x48\xce\x3d\x03\x01\x01", 8, "P-192"},
    {"\x2a\x86\x48\xce\x3d\x03\x01\x07", 8, "P-256"},
    {"\x2b\x81\x04\x00\x21", 5, "P-224"},
    {"\x2b\x81\x04\x00\x22", 5, "P-384"},
    {"\x2b\x81\x04\x00\x23", 5, "P-521"},
    {"\x2b\x81\x04\x00\x0a", 5, "secp256k1"},
    {"\x2b\x65\x6e", 3, "X25519"},
    {"\x2b\x65\x6f", 3, "X448"},
    {"\x2b\x65\x70", 3, "Ed25519"},
    {"\x2b\x65\x71", 3, "Ed448"},
};

static void put_name(struct buf *out, struct slice oid)
{
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (slice_equal(slice_of(keys[i].oid, keys[i].len), oid)) {
            buf_str(out, keys[i].name);
            return;
        }
    }
    oid_text(out, oid);
}

/* Takes the element at the front of V; an empty one when there is none. */
static struct der take(struct der_view *v)
{
    struct der d;
    if (!der_read(*v, &d) || d.cut) {
        v->bytes = slice_empty();
        return (struct der){.content.bytes = slice_empty(), .whole.bytes = slice_empty()};
    }
    *v = der_sub(*v, d.eaten, SIZE_MAX);
    return d;
}

/* Copies what fits, whole characters only. */
static void finish(char *to, struct buf *text)
{
    size_t n = text->len < X509_TEXT_BYTES - 1 ? text->len : X509_TEXT_BYTES - 1;
    while (n > 0 && n < text->len && (text->data[n] & 0xc0) == 0x80)
        n--;
    memcpy(to, text->data, n);
    to[n] = '\0';
}

/* The common name of NAME, or the last attribute when it has none. */
static void common_name(struct buf *out, struct der_view name)
{
    while (name.bytes.len > 0) {
        struct der_view part = take(&name).content;
        while (part.bytes.len > 0) {
            struct der_view attribute = take(&part).content;
            struct der type = take(&attribute), value = take(&attribute);
            bool common = slice_is(type.content.bytes, "\x55\x04\x03");
            if (value.class != DER_UNIVERSAL || value.content.bytes.len == 0)
                continue;
            buf_clear(out);
            asn1_transcode(out, value.tag, slice_sub(value.content.bytes, 0, X509_TEXT_BYTES));
            if (common)
                return;
        }
    }
}

static bool read_time(struct der d, int64_t *ns)
{
    return d.tag == DER_UTC_TIME ? der_utc_time(d.content.bytes, ns)
                                 : der_generalized_time(d.content.bytes, ns);
}

/* Bits of the modulus of an RSA key. */
static size_t modulus_bits(struct der_view bits)
{
    struct der_view inside = der_sub(bits, 1, SIZE_MAX), members = take(&inside).content;
    struct slice modulus = take(&members).content.bytes;
    while (modulus.len > 0 && slice_at(modulus, 0) == 0)
        slice_u8(&modulus);
    size_t n = modulus.len * 8;
    for (uint8_t top = slice_at(modulus, 0); n > 0 && !(top & 0x80); top = (uint8_t)(top << 1))
        n--;
    return n;
}

static void describe_key(struct buf *out, struct der_view info)
{
    struct der_view algorithm = take(&info).content;
    struct der bits = take(&info), oid = take(&algorithm), parameter = take(&algorithm);
    put_name(out, oid.content.bytes);
    if (slice_is(buf_slice(out), "ECDSA") && parameter.tag == DER_OID) {
        buf_char(out, ' ');
        put_name(out, parameter.content.bytes);
    } else if (slice_is(slice_sub(buf_slice(out), 0, 3), "RSA")) {
        buf_char(out, ' ');
        buf_dec(out, modulus_bits(bits.content));
    }
}

bool x509_read(struct slice certificate, struct x509_facts *out)
{
    *out = (struct x509_facts){.serial = slice_empty()};
    struct der_view all = {.bytes = certificate}, members = take(&all).content;
    struct der tbs = take(&members), algorithm = take(&members);
    if (tbs.tag != DER_SEQUENCE || algorithm.tag != DER_SEQUENCE)
        return false;
    struct der_view rest = tbs.content, validity;
    struct der next = take(&rest);
    if (next.class == DER_CONTEXT) /* the version */
        next = take(&rest);
    out->serial = next.content.bytes;
    take(&rest);
    struct der issuer = take(&rest);
    validity = take(&rest).content;
    struct der subject = take(&rest), key = take(&rest);
    if (key.tag != DER_SEQUENCE || subject.tag != DER_SEQUENCE)
        return false;
    struct der before = take(&validity), after = take(&validity);
    out->has_times = read_time(before, &out->not_before) && read_time(after, &out->not_after);
    out->self_issued = slice_equal(subject.whole.bytes, issuer.whole.bytes);
    ASN1_TEXT(text, 1024);
    common_name(&text, subject.content);
    finish(out->subject, &text);
    buf_clear(&text);
    common_name(&text, issuer.content);
    finish(out->issuer, &text);
    buf_clear(&text);
    describe_key(&text, key.content);
    finish(out->key, &text);
    buf_clear(&text);
    oid_text(&text, take(&algorithm.content).content.bytes);
    finish(out->signature, &text);
    return true;
}

bool x509_names(struct slice certificate, struct buf *subject, struct buf *issuer)
{
    struct x509_facts facts;
    if (!x509_read(certificate, &facts))
        return false;
    buf_str(subject, facts.subject);
    buf_str(issuer, facts.issuer);
    return true;
}
