/* The contents of certificate extensions (RFC 5280 4.2), and of qualifiers and the like inside
 * them. */
#include "dissect/x509_types.h"

#include "dissect/sct.h"

/* ---- key usage, constraints ---------------------------------------------------------------------
 */

BITS_OF(key_usage, F_x509ce_KeyUsage_digitalSignature, F_x509ce_KeyUsage_contentCommitment,
        F_x509ce_KeyUsage_keyEncipherment, F_x509ce_KeyUsage_dataEncipherment,
        F_x509ce_KeyUsage_keyAgreement, F_x509ce_KeyUsage_keyCertSign, F_x509ce_KeyUsage_cRLSign,
        F_x509ce_KeyUsage_encipherOnly, F_x509ce_KeyUsage_decipherOnly);
BITS_OF(reasons, F_x509ce_ReasonFlags_unused, F_x509ce_ReasonFlags_keyCompromise,
        F_x509ce_ReasonFlags_cACompromise, F_x509ce_ReasonFlags_affiliationChanged,
        F_x509ce_ReasonFlags_superseded, F_x509ce_ReasonFlags_cessationOfOperation,
        F_x509ce_ReasonFlags_certificateHold, F_x509ce_ReasonFlags_privilegeWithdrawn,
        F_x509ce_ReasonFlags_aACompromise);
BITS_OF(entrust_flags, F_x509ce_EntrustInfoFlags_keyUpdateAllowed,
        F_x509ce_EntrustInfoFlags_newExtensions, F_x509ce_EntrustInfoFlags_pKIXCertificate,
        F_x509ce_EntrustInfoFlags_enterpriseCategory, F_x509ce_EntrustInfoFlags_webCategory,
        F_x509ce_EntrustInfoFlags_sETCategory);

MEMBERS(basic, OPT(DER_BOOLEAN, x509ce_cA, asn1_type_boolean),
        OPT(DER_INTEGER, x509ce_pathLenConstraint, asn1_type_integer));
static const struct asn1_type basic = TYPE_OF(SEQUENCE, basic);

MEMBERS(purposes, OWN(DER_OID, x509ce_KeyPurposeId, asn1_type_oid));
static const struct asn1_type purposes = TYPE_OF(SEQUENCE_OF, purposes);

MEMBERS(authority_key, INSTEAD(0, x509ce_keyIdentifier, asn1_type_octets),
        INSTEAD(1, x509ce_authorityCertIssuer, x509_general_names),
        INSTEAD(2, x509ce_authorityCertSerialNumber, asn1_type_integer));
static const struct asn1_type authority_key = TYPE_OF(SEQUENCE, authority_key);

MEMBERS(key_period, INSTEAD(0, x509ce_notBefore, asn1_type_generalized_time),
        INSTEAD(1, x509ce_notAfter, asn1_type_generalized_time));
static const struct asn1_type key_period = TYPE_OF(SEQUENCE, key_period);

MEMBERS(subtree, ANY(x509ce_base, x509_general_name), INSTEAD(0, x509ce_minimum, asn1_type_integer),
        INSTEAD(1, x509ce_maximum, asn1_type_integer));
static const struct asn1_type subtree = TYPE_OF(SEQUENCE, subtree);
MEMBERS(subtrees, OWN(DER_SEQUENCE, x509ce_GeneralSubtree_element, subtree));
static const struct asn1_type subtrees = TYPE_OF(SEQUENCE_OF, subtrees);
MEMBERS(name_constraints, INSTEAD(0, x509ce_permittedSubtrees, subtrees),
        INSTEAD(1, x509ce_excludedSubtrees, subtrees));
static const struct asn1_type name_constraints = TYPE_OF(SEQUENCE, name_constraints);

MEMBERS(policy_constraints, INSTEAD(0, x509ce_requireExplicitPolicy, asn1_type_integer),
        INSTEAD(1, x509ce_inhibitPolicyMapping, asn1_type_integer));
static const struct asn1_type policy_constraints = TYPE_OF(SEQUENCE, policy_constraints);

/* ---- policies -----------------------------------------------------------------------------------
 */

MEMBERS(qualifier, OWN(DER_OID, x509ce_id, asn1_type_oid), ANY_OPT(NONE, asn1_type_by_oid));
static const struct asn1_type qualifier = TYPE_OF(SEQUENCE, qualifier);
MEMBERS(qualifiers, OWN(DER_SEQUENCE, x509ce_PolicyQualifierInfo_element, qualifier));
static const struct asn1_type qualifiers = TYPE_OF(SEQUENCE_OF, qualifiers);
MEMBERS(policy, OWN(DER_OID, x509ce_policyIdentifier, asn1_type_oid),
        OPT(DER_SEQUENCE, x509ce_policyQualifiers, qualifiers));
static const struct asn1_type policy = TYPE_OF(SEQUENCE, policy);
MEMBERS(policies, OWN(DER_SEQUENCE, x509ce_PolicyInformation_element, policy));
static const struct asn1_type policies = TYPE_OF(SEQUENCE_OF, policies);

MEMBERS(mapping, OWN(DER_OID, x509ce_issuerDomainPolicy, asn1_type_oid),
        OWN(DER_OID, x509ce_subjectDomainPolicy, asn1_type_oid));
static const struct asn1_type mapping = TYPE_OF(SEQUENCE, mapping);
MEMBERS(mappings, OWN(DER_SEQUENCE, x509ce_PolicyMappingsSyntax_item_element, mapping));
static const struct asn1_type mappings = TYPE_OF(SEQUENCE_OF, mappings);

MEMBERS(display_text, CASE(0, DER_IA5, pkix1implicit_ia5String, asn1_type_ia5),
        CASE(1, DER_VISIBLE, pkix1implicit_visibleString, asn1_type_visible),
        CASE(2, DER_BMP, pkix1implicit_bmpString, asn1_type_bmp),
        CASE(3, DER_UTF8, pkix1implicit_utf8String, asn1_type_utf8));
static const struct asn1_type display_text = TYPE_OF(CHOICE, display_text);
MEMBERS(notice_numbers, OWN(DER_INTEGER, pkix1implicit_noticeNumbers_item, asn1_type_integer));
static const struct asn1_type notice_numbers = TYPE_OF(SEQUENCE_OF, notice_numbers);
MEMBERS(notice_reference, ANY(pkix1implicit_organization, display_text),
        OWN(DER_SEQUENCE, pkix1implicit_noticeNumbers, notice_numbers));
static const struct asn1_type notice_reference = TYPE_OF(SEQUENCE, notice_reference);
MEMBERS(user_notice, OPT(DER_SEQUENCE, pkix1implicit_noticeRef_element, notice_reference),
        ANY_OPT(pkix1implicit_explicitText, display_text));
static const struct asn1_type user_notice = TYPE_OF(SEQUENCE, user_notice);

/* A string that may be of any kind; what its bytes are is seen by its tag. */
static const struct asn1_type any_string = {.kind = ASN1_STRING};

/* ---- where to find things -----------------------------------------------------------------------
 */

MEMBERS(point_name, CASE_INSTEAD(0, x509ce_fullName, x509_general_names),
        CASE_INSTEAD(1, x509ce_nameRelativeToCRLIssuer, x509_name_part));
static const struct asn1_type point_name = TYPE_OF(CHOICE, point_name);
MEMBERS(point, TAGGED(0, x509ce_distributionPoint, point_name), INSTEAD(1, x509ce_reasons, reasons),
        INSTEAD(2, x509ce_cRLIssuer, x509_general_names));
static const struct asn1_type point = TYPE_OF(SEQUENCE, point);
MEMBERS(points, OWN(DER_SEQUENCE, x509ce_DistributionPoint_element, point));
static const struct asn1_type points = TYPE_OF(SEQUENCE_OF, points);

MEMBERS(access, OWN(DER_OID, pkix1implicit_accessMethod, asn1_type_oid),
        ANY(pkix1implicit_accessLocation, x509_general_name));
static const struct asn1_type access = TYPE_OF(SEQUENCE, access);
MEMBERS(accesses, OWN(DER_SEQUENCE, pkix1implicit_AccessDescription_element, access));
const struct asn1_type x509_accesses = TYPE_OF(SEQUENCE_OF, accesses);

/* ---- others -------------------------------------------------------------------------------------
 */

MEMBERS(features, OWN(DER_INTEGER, pkix1explicit_Features_item, asn1_type_integer));
static const struct asn1_type features = TYPE_OF(SEQUENCE_OF, features);

MEMBERS(template, OWN(DER_OID, x509ce_templateID, asn1_type_oid),
        OPT(DER_INTEGER, x509ce_templateMajorVersion, asn1_type_integer),
        OPT(DER_INTEGER, x509ce_templateMinorVersion, asn1_type_integer));
static const struct asn1_type template = TYPE_OF(SEQUENCE, template);

MEMBERS(entrust, OPT(DER_GENERAL, x509ce_entrustVers, asn1_type_general),
        OPT(DER_BITS, x509ce_entrustVersInfoFlags, entrust_flags));
static const struct asn1_type entrust = TYPE_OF(SEQUENCE, entrust);

MEMBERS(values, ANY(NONE, asn1_type_by_oid));
static const struct asn1_type values = TYPE_OF(SET_OF, values);
MEMBERS(attribute, OWN(DER_OID, x509if_oid, asn1_type_oid), OPT(DER_SET, x509if_values, values));
static const struct asn1_type attribute = TYPE_OF(SEQUENCE, attribute);
MEMBERS(attributes, OWN(DER_SEQUENCE, x509ce_Attribute_element, attribute));
static const struct asn1_type attributes = TYPE_OF(SEQUENCE_OF, attributes);

static void timestamps(struct asn1 *a, const struct asn1_type *type, enum field_id field,
                       bool implicit, struct der_view v)
{
    (void)type, (void)field;
    struct der d;
    if (asn1_element(a, implicit, v, &d))
        a->broken |= !sct_list(a->tape, a->source, d.content);
}

static const struct asn1_type timestamp_list = {.kind = ASN1_CALL, .call = timestamps};

/* ---- revocation lists -----------------------------------------------------------------------------
 */

MEMBERS(issuing, TAGGED(0, x509ce_distributionPoint, point_name),
        INSTEAD(1, x509ce_onlyContainsUserPublicKeyCerts, asn1_type_boolean),
        INSTEAD(2, x509ce_onlyContainsCACerts, asn1_type_boolean),
        INSTEAD(3, x509ce_onlySomeReasons, reasons),
        INSTEAD(4, x509ce_indirectCRL, asn1_type_boolean));
static const struct asn1_type issuing = TYPE_OF(SEQUENCE, issuing);

MEMBERS(attribute_issuing, TAGGED(0, x509ce_distributionPoint, point_name),
        INSTEAD(1, x509ce_onlySomeReasons, reasons),
        INSTEAD(2, x509ce_indirectCRL, asn1_type_boolean),
        INSTEAD(3, x509ce_containsUserAttributeCerts, asn1_type_boolean),
        INSTEAD(4, x509ce_containsAACerts, asn1_type_boolean),
        INSTEAD(5, x509ce_containsSOAPublicKeyCerts, asn1_type_boolean));
static const struct asn1_type attribute_issuing = TYPE_OF(SEQUENCE, attribute_issuing);

MEMBERS(delta, ANY(x509ce_deltaLocation, x509_general_name),
        OPT(DER_GENERALIZED_TIME, x509ce_nextDelta, asn1_type_generalized_time));
static const struct asn1_type delta = TYPE_OF(SEQUENCE, delta);

/* ---- the table ----------------------------------------------------------------------------------
 */

#define EXTENSION_OF(oid, type, field) KNOWN(oid, type, x509ce_##field, x509ce)

const struct asn1_known x509_known_extensions[] = {
    EXTENSION_OF("1.2.840.113533.7.65.0", entrust, EntrustVersionInfo_element),
    KNOWN("1.2.840.113549.1.9.14", x509_extensions, pkix1explicit_Extensions, pkix1explicit),
    KNOWN("1.3.6.1.4.1.11129.2.4.2", timestamp_list, NONE, tls),
    KNOWN("1.3.6.1.4.1.11129.2.4.5", timestamp_list, NONE, tls),
    KNOWN("1.3.6.1.4.1.311.20.2", asn1_type_bmp, x509sat_BMPString, x509sat),
    KNOWN("1.3.6.1.4.1.311.21.1", asn1_type_integer, x509sat_Integer, x509sat),
    EXTENSION_OF("1.3.6.1.4.1.311.21.10", policies, CertificatePoliciesSyntax),
    KNOWN("1.3.6.1.4.1.311.21.2", asn1_type_octets, x509sat_OctetString, x509sat),
    KNOWN("1.3.6.1.4.1.311.21.3", asn1_type_integer, x509sat_Integer, x509sat),
    KNOWN("1.3.6.1.4.1.311.21.4", asn1_type_utc_time, x509sat_UTCTime, x509sat),
    EXTENSION_OF("1.3.6.1.4.1.311.21.7", template, CertificateTemplate_element),
    KNOWN("1.3.6.1.5.5.7.1.1", x509_accesses, pkix1implicit_AuthorityInfoAccessSyntax,
          pkix1implicit),
    KNOWN("1.3.6.1.5.5.7.1.24", features, pkix1explicit_Features, pkix1explicit),
    KNOWN("1.3.6.1.5.5.7.2.1", any_string, pkix1explicit_DirectoryString, pkix1explicit),
    KNOWN("1.3.6.1.5.5.7.2.2", user_notice, pkix1implicit_UserNotice_element, pkix1implicit),
    EXTENSION_OF("2.5.29.14", asn1_type_octets, SubjectKeyIdentifier),
    EXTENSION_OF("2.5.29.15", key_usage, KeyUsage),
    EXTENSION_OF("2.5.29.16", key_period, PrivateKeyUsagePeriod_element),
    EXTENSION_OF("2.5.29.17", x509_general_names, GeneralNames),
    EXTENSION_OF("2.5.29.18", x509_general_names, GeneralNames),
    EXTENSION_OF("2.5.29.19", basic, BasicConstraintsSyntax_element),
    EXTENSION_OF("2.5.29.20", asn1_type_integer, CRLNumber),
    EXTENSION_OF("2.5.29.21", asn1_type_integer, CRLReason),
    EXTENSION_OF("2.5.29.23", asn1_type_oid, HoldInstruction),
    EXTENSION_OF("2.5.29.24", asn1_type_generalized_time, invalidityDate),
    EXTENSION_OF("2.5.29.27", asn1_type_integer, BaseCRLNumber),
    EXTENSION_OF("2.5.29.28", issuing, IssuingDistPointSyntax_element),
    EXTENSION_OF("2.5.29.29", x509_general_names, GeneralNames),
    EXTENSION_OF("2.5.29.3", policies, CertificatePoliciesSyntax),
    EXTENSION_OF("2.5.29.30", name_constraints, NameConstraintsSyntax_element),
    EXTENSION_OF("2.5.29.31", points, CRLDistPointsSyntax),
    EXTENSION_OF("2.5.29.32", policies, CertificatePoliciesSyntax),
    EXTENSION_OF("2.5.29.33", mappings, PolicyMappingsSyntax),
    EXTENSION_OF("2.5.29.35", authority_key, AuthorityKeyIdentifier_element),
    EXTENSION_OF("2.5.29.36", policy_constraints, PolicyConstraintsSyntax_element),
    EXTENSION_OF("2.5.29.37", purposes, KeyPurposeIDs),
    EXTENSION_OF("2.5.29.40", asn1_type_integer, CRLStreamIdentifier),
    EXTENSION_OF("2.5.29.46", points, CRLDistPointsSyntax),
    EXTENSION_OF("2.5.29.47", asn1_type_enumerated, OrderedListSyntax),
    EXTENSION_OF("2.5.29.51", asn1_type_generalized_time, id_ce_baseUpdateTime),
    EXTENSION_OF("2.5.29.53", delta, DeltaInformation_element),
    EXTENSION_OF("2.5.29.54", asn1_type_integer, SkipCerts),
    EXTENSION_OF("2.5.29.60", asn1_type_generalized_time, ExpiredCertsOnCRL),
    EXTENSION_OF("2.5.29.61", attribute_issuing, AAIssuingDistPointSyntax_element),
    EXTENSION_OF("2.5.29.9", attributes, AttributesSyntax),
};
const size_t x509_known_extensions_count =
    sizeof x509_known_extensions / sizeof x509_known_extensions[0];
