/* Certificates as a whole, algorithms with their parameters, and public keys (RFC 5280 4.1, RFC
 * 3279, RFC 5480, RFC 8017). */
#include "dissect/x509_types.h"

#include "schema/oids.h"

#define RSA_ENCRYPTION "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"

/* ---- algorithms ---------------------------------------------------------------------------------
 */

void x509_titled_oid(struct asn1 *a, const struct asn1_type *type, enum field_id field,
                     bool implicit, struct der_view v)
{
    asn1_oid(a, type, field, implicit, v);
    if (a->oid.len == 0)
        return;
    ASN1_TEXT(text, 512);
    buf_str(&text, " (");
    oid_text(&text, a->oid);
    buf_char(&text, ')');
    asn1_note(a, a->item, buf_slice(&text));
}

static const struct asn1_type titled = {.kind = ASN1_CALL, .call = x509_titled_oid};
MEMBERS(algorithm, OWN(DER_OID, x509af_algorithm_id, titled), ANY_OPT(NONE, asn1_type_by_oid));
const struct asn1_type x509_algorithm = TYPE_OF(SEQUENCE, algorithm);

/* Parameters that are known to say nothing. */
static void nothing(struct asn1 *a, const struct asn1_type *type, enum field_id field,
                    bool implicit, struct der_view v)
{
    (void)a, (void)type, (void)field, (void)implicit, (void)v;
}

const struct asn1_type asn1_type_silent = {.kind = ASN1_CALL, .call = nothing};

/* ---- RSA ----------------------------------------------------------------------------------------
 */

MEMBERS(rsa_key, OWN(DER_INTEGER, pkcs1_modulus, asn1_type_integer),
        OWN(DER_INTEGER, pkcs1_publicExponent, asn1_type_integer));
static const struct asn1_type rsa_key = TYPE_OF(SEQUENCE, rsa_key);

MEMBERS(pss, TAGGED(0, pkcs1_hashAlgorithm_element, x509_algorithm),
        TAGGED(1, pkcs1_maskGenAlgorithm_element, x509_algorithm),
        TAGGED(2, pkcs1_saltLength, asn1_type_integer),
        TAGGED(3, pkcs1_trailerField, asn1_type_integer));
static const struct asn1_type pss = TYPE_OF(SEQUENCE, pss);

/* The bits of a key: an RSA key is looked into, in place of the usual line for padding. */
static void public_key(struct asn1 *a, const struct asn1_type *type, enum field_id field,
                       bool implicit, struct der_view v)
{
    struct der d;
    if (!slice_equal(a->key_algorithm, slice_of(RSA_ENCRYPTION, sizeof RSA_ENCRYPTION - 1))) {
        asn1_bits(a, type, field, implicit, v);
        return;
    }
    if (!asn1_element(a, implicit, v, &d))
        return;
    struct der inside;
    struct der_view bits = der_sub(d.content, 1, SIZE_MAX);
    if (bits.bytes.len == 0) {
        a->broken = true;
        return;
    }
    if (der_read(bits, &inside))
        bits = inside.whole;
    uint32_t at = tape_open(a->tape, field, a->source, bits.at, (uint32_t)bits.bytes.len, 0, 0);
    asn1_run(a, &rsa_key, F_NONE, false, bits);
    tape_close(a->tape, at);
}

static void key_algorithm(struct asn1 *a, const struct asn1_type *type, enum field_id field,
                          bool implicit, struct der_view v)
{
    (void)type;
    struct der d, oid;
    if (der_read(v, &d) && der_read(d.content, &oid))
        a->key_algorithm = oid.content.bytes;
    asn1_run(a, &x509_algorithm, field, implicit, v);
}

/* ---- DSA, Diffie-Hellman ------------------------------------------------------------------------
 */

MEMBERS(dss, OWN(DER_INTEGER, x509af_p, asn1_type_integer),
        OWN(DER_INTEGER, x509af_q, asn1_type_integer),
        OWN(DER_INTEGER, x509af_g, asn1_type_integer));
static const struct asn1_type dss = TYPE_OF(SEQUENCE, dss);

MEMBERS(validation, OWN(DER_BITS, pkix1explicit_seed, asn1_type_bits),
        OWN(DER_INTEGER, pkix1explicit_pgenCounter, asn1_type_integer));
static const struct asn1_type validation = TYPE_OF(SEQUENCE, validation);
MEMBERS(domain, OWN(DER_INTEGER, pkix1explicit_p, asn1_type_integer),
        OWN(DER_INTEGER, pkix1explicit_g, asn1_type_integer),
        OWN(DER_INTEGER, pkix1explicit_q, asn1_type_integer),
        OPT(DER_INTEGER, pkix1explicit_j, asn1_type_integer),
        OPT(DER_SEQUENCE, pkix1explicit_validationParms_element, validation));
static const struct asn1_type domain = TYPE_OF(SEQUENCE, domain);

/* ---- elliptic curves ----------------------------------------------------------------------------
 */

MEMBERS(field_id, OWN(DER_OID, pkcs1_fieldType, asn1_type_oid), ANY(NONE, asn1_type_by_oid));
static const struct asn1_type field_id = TYPE_OF(SEQUENCE, field_id);
MEMBERS(curve, OWN(DER_OCTETS, pkcs1_a, asn1_type_octets),
        OWN(DER_OCTETS, pkcs1_b, asn1_type_octets), OPT(DER_BITS, pkcs1_seed, asn1_type_bits));
static const struct asn1_type curve = TYPE_OF(SEQUENCE, curve);
MEMBERS(specified, OWN(DER_INTEGER, pkcs1_version, asn1_type_integer),
        OWN(DER_SEQUENCE, pkcs1_fieldID_element, field_id),
        OWN(DER_SEQUENCE, pkcs1_curve_element, curve),
        OWN(DER_OCTETS, pkcs1_base, asn1_type_octets),
        OWN(DER_INTEGER, pkcs1_order, asn1_type_integer),
        OPT(DER_INTEGER, pkcs1_cofactor, asn1_type_integer));
static const struct asn1_type specified = TYPE_OF(SEQUENCE, specified);
MEMBERS(ec_parameters, CASE(0, DER_SEQUENCE, pkcs1_specifiedCurve_element, specified),
        CASE(1, DER_OID, pkcs1_namedCurve, asn1_type_oid));
static const struct asn1_type ec_parameters = TYPE_OF(CHOICE, ec_parameters);

#define SILENT(oid)                                            \
    {                                                          \
        oid, sizeof oid - 1, &asn1_type_silent, F_NONE, F_NONE \
    }

/* By the text of the identifier. */
const struct asn1_known x509_known_algorithms[] = {
    KNOWN("1.2.840.10040.4.1", dss, x509af_DSS_Params_element, x509af),
    KNOWN("1.2.840.10045.1.1", asn1_type_integer, pkcs1_Prime_p, pkcs1),
    KNOWN("1.2.840.10045.2.1", ec_parameters, pkcs1_ECParameters, pkcs1),
    KNOWN("1.2.840.10045.2.13", ec_parameters, pkcs1_ECParameters, pkcs1),
    SILENT("1.2.840.10045.4.1"),
    SILENT("1.2.840.10045.4.3.1"),
    SILENT("1.2.840.10045.4.3.2"),
    SILENT("1.2.840.10045.4.3.3"),
    SILENT("1.2.840.10045.4.3.4"),
    KNOWN("1.2.840.10046.2.1", domain, pkix1explicit_DomainParameters_element, pkix1explicit),
    SILENT("1.2.840.113549.1.1.1"),
    KNOWN("1.2.840.113549.1.1.10", pss, pkcs1_RSASSA_PSS_params_element, pkcs1),
    SILENT("1.2.840.113549.1.1.11"),
    SILENT("1.2.840.113549.1.1.12"),
    SILENT("1.2.840.113549.1.1.13"),
    SILENT("1.2.840.113549.1.1.14"),
    SILENT("1.2.840.113549.1.1.2"),
    SILENT("1.2.840.113549.1.1.3"),
    SILENT("1.2.840.113549.1.1.4"),
    SILENT("1.2.840.113549.1.1.5"),
    SILENT("1.2.840.113549.1.1.6"),
    KNOWN("1.2.840.113549.1.1.8", x509_algorithm, pkcs1_HashAlgorithm_element, pkcs1),
    SILENT("1.2.840.113549.2.2"),
    SILENT("1.2.840.113549.2.4"),
    SILENT("1.2.840.113549.2.5"),
    KNOWN("1.3.132.1.12", ec_parameters, pkcs1_ECParameters, pkcs1),
    SILENT("1.3.14.3.2.11"),
    SILENT("1.3.14.3.2.14"),
    SILENT("1.3.14.3.2.15"),
    SILENT("1.3.14.3.2.16"),
    SILENT("1.3.14.3.2.17"),
    SILENT("1.3.14.3.2.18"),
    SILENT("1.3.14.3.2.19"),
    SILENT("1.3.14.3.2.2"),
    SILENT("1.3.14.3.2.20"),
    SILENT("1.3.14.3.2.21"),
    SILENT("1.3.14.3.2.22"),
    SILENT("1.3.14.3.2.23"),
    SILENT("1.3.14.3.2.24"),
    SILENT("1.3.14.3.2.25"),
    SILENT("1.3.14.3.2.26"),
    SILENT("1.3.14.3.2.27"),
    SILENT("1.3.14.3.2.28"),
    SILENT("1.3.14.3.2.29"),
    SILENT("1.3.14.3.2.3"),
    SILENT("1.3.14.3.2.4"),
    SILENT("1.3.14.3.2.6"),
    KNOWN("2.16.840.1.101.2.1.1.22", asn1_type_octets, pkcs1_KEA_Params_Id, pkcs1),
    SILENT("2.16.840.1.101.3.4.3.1"),
    SILENT("2.16.840.1.101.3.4.3.2"),
};
const size_t x509_known_algorithms_count =
    sizeof x509_known_algorithms / sizeof x509_known_algorithms[0];

/* ---- the certificate ----------------------------------------------------------------------------
 */

MEMBERS(time, CASE(0, DER_UTC_TIME, x509af_utcTime, asn1_type_utc_time),
        CASE(1, DER_GENERALIZED_TIME, x509af_generalizedTime, asn1_type_generalized_time));
static const struct asn1_type time_choice = TYPE_OF(CHOICE, time);
MEMBERS(validity, ANY(x509af_notBefore, time_choice), ANY(x509af_notAfter, time_choice));
static const struct asn1_type validity = TYPE_OF(SEQUENCE, validity);

MEMBERS(subject, CASE(0, DER_SEQUENCE, x509af_rdnSequence, x509_name_rdn));
static const struct asn1_type subject_name = TYPE_OF(CHOICE, subject);

static void subject_of(struct asn1 *a, const struct asn1_type *type, enum field_id field,
                       bool implicit, struct der_view v)
{
    (void)type;
    a->names_len = 0;
    asn1_run(a, &subject_name, field, implicit, v);
    x509_subject_done(a);
}

static const struct asn1_type subject = {.kind = ASN1_CALL, .call = subject_of};

static const struct asn1_type key_bits = {.kind = ASN1_CALL, .tag = DER_BITS, .call = public_key};
static const struct asn1_type key_kind = {
    .kind = ASN1_CALL, .tag = DER_SEQUENCE, .call = key_algorithm};
MEMBERS(key, OWN(DER_SEQUENCE, x509af_algorithm_element, key_kind),
        OWN(DER_BITS, x509af_subjectPublicKey, key_bits));
const struct asn1_type x509_key_type = TYPE_OF(SEQUENCE, key);

static const struct asn1_type contained = {.kind = ASN1_ENCLOSED, .tag = DER_OCTETS};
MEMBERS(extension, OWN(DER_OID, x509af_extension_id, titled),
        OPT(DER_BOOLEAN, x509af_critical, asn1_type_boolean), OWN(DER_OCTETS, NONE, contained));
static const struct asn1_type extension = TYPE_OF(SEQUENCE, extension);
MEMBERS(extensions, OWN(DER_SEQUENCE, x509af_Extension_element, extension));
static const struct asn1_type extensions = TYPE_OF(SEQUENCE_OF, extensions);

MEMBERS(signed_part, TAGGED(0, x509af_version, asn1_type_integer),
        OWN(DER_INTEGER, x509af_serialNumber, asn1_type_integer),
        OWN(DER_SEQUENCE, x509af_signature_element, x509_algorithm), ANY(x509af_issuer, x509_name),
        OWN(DER_SEQUENCE, x509af_validity_element, validity), ANY(x509af_subject, subject),
        OWN(DER_SEQUENCE, x509af_subjectPublicKeyInfo_element, x509_key_type),
        INSTEAD(1, x509af_issuerUniqueIdentifier, asn1_type_bits),
        INSTEAD(2, x509af_subjectUniqueIdentifier, asn1_type_bits),
        TAGGED(3, x509af_extensions, extensions));
static const struct asn1_type signed_part = TYPE_OF(SEQUENCE, signed_part);

MEMBERS(certificate, OWN(DER_SEQUENCE, x509af_signedCertificate_element, signed_part),
        OWN(DER_SEQUENCE, x509af_algorithmIdentifier_element, x509_algorithm),
        OWN(DER_BITS, x509af_encrypted, asn1_type_bits));
const struct asn1_type x509_certificate_type = TYPE_OF(SEQUENCE, certificate);
