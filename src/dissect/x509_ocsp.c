/* OCSP responses (RFC 6960 4.2), as servers staple them to their certificates. */
#include "dissect/x509_types.h"

#include "schema/oids.h"

/* ---- one answer ---------------------------------------------------------------------------------
 */

MEMBERS(cert_id, OWN(DER_SEQUENCE, ocsp_hashAlgorithm_element, x509_algorithm),
        OWN(DER_OCTETS, ocsp_issuerNameHash, asn1_type_octets),
        OWN(DER_OCTETS, ocsp_issuerKeyHash, asn1_type_octets),
        OWN(DER_INTEGER, ocsp_serialNumber, asn1_type_integer));
static const struct asn1_type cert_id = TYPE_OF(SEQUENCE, cert_id);

MEMBERS(revoked, OWN(DER_GENERALIZED_TIME, ocsp_revocationTime, asn1_type_generalized_time),
        TAGGED(0, ocsp_revocationReason, asn1_type_enumerated));
static const struct asn1_type revoked = TYPE_OF(SEQUENCE, revoked);

MEMBERS(status, CASE_INSTEAD(0, ocsp_good_element, asn1_type_null),
        CASE_INSTEAD(1, ocsp_revoked_element, revoked),
        CASE_INSTEAD(2, ocsp_unknown_element, asn1_type_null));
static const struct asn1_type status = TYPE_OF(CHOICE, status);

static const struct asn1_type contained = {.kind = ASN1_ENCLOSED, .tag = DER_OCTETS};
MEMBERS(extension, OWN(DER_OID, pkix1explicit_id, asn1_type_oid),
        OPT(DER_BOOLEAN, pkix1explicit_critical, asn1_type_boolean),
        OWN(DER_OCTETS, NONE, contained));
static const struct asn1_type extension = TYPE_OF(SEQUENCE, extension);
MEMBERS(extensions, OWN(DER_SEQUENCE, pkix1explicit_Extension_element, extension));
const struct asn1_type x509_extensions = TYPE_OF(SEQUENCE_OF, extensions);

MEMBERS(single, OWN(DER_SEQUENCE, ocsp_certID_element, cert_id), ANY(ocsp_certStatus, status),
        OWN(DER_GENERALIZED_TIME, ocsp_thisUpdate, asn1_type_generalized_time),
        TAGGED(0, ocsp_nextUpdate, asn1_type_generalized_time),
        TAGGED(1, ocsp_singleExtensions, x509_extensions));
static const struct asn1_type single = TYPE_OF(SEQUENCE, single);

/* ---- the response -------------------------------------------------------------------------------
 */

MEMBERS(responder, CASE_TAGGED(1, ocsp_byName, x509_name),
        CASE_TAGGED(2, ocsp_byKey, asn1_type_octets));
static const struct asn1_type responder = TYPE_OF(CHOICE, responder);
MEMBERS(singles, OWN(DER_SEQUENCE, ocsp_SingleResponse_element, single));
static const struct asn1_type singles = TYPE_OF(SEQUENCE_OF, singles);

MEMBERS(signed_part, TAGGED(0, ocsp_version, asn1_type_integer), ANY(ocsp_responderID, responder),
        OWN(DER_GENERALIZED_TIME, ocsp_producedAt, asn1_type_generalized_time),
        OWN(DER_SEQUENCE, ocsp_responses, singles),
        TAGGED(1, ocsp_responseExtensions, x509_extensions));
static const struct asn1_type signed_part = TYPE_OF(SEQUENCE, signed_part);

/* A certificate inside of the response; its item gets the subject's name. */
static void certificate(struct asn1 *a, const struct asn1_type *type, enum field_id field,
                        bool implicit, struct der_view v)
{
    (void)type;
    uint32_t at = tape_wants(a->tape, field) ? a->tape->count : TAPE_NONE;
    a->subject_done = false;
    asn1_run(a, &x509_certificate_type, field, implicit, v);
    if (at < a->tape->count && a->subject_done)
        asn1_note_in_brackets(a, at, slice_of(a->subject, a->subject_len));
}

static const struct asn1_type contained_certificate = {
    .kind = ASN1_CALL, .tag = DER_SEQUENCE, .call = certificate};
MEMBERS(certificates, OWN(DER_SEQUENCE, ocsp_Certificate_element, contained_certificate));
static const struct asn1_type certificates = TYPE_OF(SEQUENCE_OF, certificates);

MEMBERS(basic, OWN(DER_SEQUENCE, ocsp_tbsResponseData_element, signed_part),
        OWN(DER_SEQUENCE, ocsp_signatureAlgorithm_element, x509_algorithm),
        OWN(DER_BITS, ocsp_signature, asn1_type_bits), TAGGED(0, ocsp_certs, certificates));
static const struct asn1_type basic = TYPE_OF(SEQUENCE, basic);

MEMBERS(response_bytes, OWN(DER_OID, ocsp_responseType_id, asn1_type_oid),
        OWN(DER_OCTETS, NONE, contained));
static const struct asn1_type response_bytes = TYPE_OF(SEQUENCE, response_bytes);
MEMBERS(response, OWN(DER_ENUMERATED, ocsp_responseStatus, asn1_type_enumerated),
        TAGGED(0, ocsp_responseBytes_element, response_bytes));
const struct asn1_type x509_ocsp_response_type = TYPE_OF(SEQUENCE, response);

/* ---- extensions of RFC 6960 4.4 -----------------------------------------------------------------
 */

MEMBERS(kinds, OWN(DER_OID, ocsp_AcceptableResponses_item, asn1_type_oid));
static const struct asn1_type kinds = TYPE_OF(SEQUENCE_OF, kinds);

MEMBERS(list_id, TAGGED(0, ocsp_crlUrl, asn1_type_ia5), TAGGED(1, ocsp_crlNum, asn1_type_integer),
        TAGGED(2, ocsp_crlTime, asn1_type_generalized_time));
static const struct asn1_type list_id = TYPE_OF(SEQUENCE, list_id);

MEMBERS(service, ANY(ocsp_issuer, x509_name), OPT(DER_SEQUENCE, ocsp_locator, x509_accesses));
static const struct asn1_type service = TYPE_OF(SEQUENCE, service);

#define OCSP(oid, type, field) KNOWN(oid, type, ocsp_##field, ocsp)

const struct asn1_known x509_known_ocsp[] = {
    OCSP("1.3.6.1.5.5.7.48.1.1", basic, BasicOCSPResponse_element),
    OCSP("1.3.6.1.5.5.7.48.1.2", asn1_type_octets, ReOcspNonce),
    OCSP("1.3.6.1.5.5.7.48.1.3", list_id, CrlID_element),
    OCSP("1.3.6.1.5.5.7.48.1.4", kinds, AcceptableResponses),
    OCSP("1.3.6.1.5.5.7.48.1.5", asn1_type_null, NULL_element),
    OCSP("1.3.6.1.5.5.7.48.1.6", asn1_type_generalized_time, ArchiveCutoff),
    OCSP("1.3.6.1.5.5.7.48.1.7", service, ServiceLocator_element),
};
const size_t x509_known_ocsp_count = sizeof x509_known_ocsp / sizeof x509_known_ocsp[0];
