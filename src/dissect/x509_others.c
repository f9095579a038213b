/* Extensions that few certificates have: statements on persons (RFC 3739), logotypes (RFC 3709), addresses and
 * numbers of networks (RFC 3779), proxies (RFC 3820), and those of old browsers. */
#include "dissect/x509_types.h"

/* ---- persons ------------------------------------------------------------------------------------
 */

MEMBERS(statement, OWN(DER_OID, pkixqualified_statementId, asn1_type_oid),
        ANY_OPT(NONE, asn1_type_by_oid));
static const struct asn1_type statement = TYPE_OF(SEQUENCE, statement);
MEMBERS(statements, OWN(DER_SEQUENCE, pkixqualified_QCStatement_element, statement));
static const struct asn1_type statements = TYPE_OF(SEQUENCE_OF, statements);

MEMBERS(authorities, ANY(pkixqualified_GeneralName, x509_general_name));
static const struct asn1_type authorities = TYPE_OF(SEQUENCE_OF, authorities);
MEMBERS(semantics, OPT(DER_OID, pkixqualified_semanticsIdentifier, asn1_type_oid),
        OPT(DER_SEQUENCE, pkixqualified_nameRegistrationAuthorities, authorities));
static const struct asn1_type semantics = TYPE_OF(SEQUENCE, semantics);

/* ---- logotypes, RFC 3709 ------------------------------------------------------------------------
 */

MEMBERS(hash_value, OWN(DER_SEQUENCE, logotypecertextn_hashAlg_element, x509_algorithm),
        OWN(DER_OCTETS, logotypecertextn_hashValue, asn1_type_octets));
static const struct asn1_type hash_value = TYPE_OF(SEQUENCE, hash_value);
MEMBERS(hash_values, OWN(DER_SEQUENCE, logotypecertextn_HashAlgAndValue_element, hash_value));
static const struct asn1_type hash_values = TYPE_OF(SEQUENCE_OF, hash_values);
MEMBERS(logo_uris, OWN(DER_IA5, logotypecertextn_logotypeURI_item, asn1_type_ia5));
static const struct asn1_type logo_uris = TYPE_OF(SEQUENCE_OF, logo_uris);
MEMBERS(logo_details, OWN(DER_IA5, logotypecertextn_mediaType, asn1_type_ia5),
        OWN(DER_SEQUENCE, logotypecertextn_logotypeHash, hash_values),
        OWN(DER_SEQUENCE, logotypecertextn_logotypeURI, logo_uris));
static const struct asn1_type logo_details = TYPE_OF(SEQUENCE, logo_details);
MEMBERS(logo_resolution, CASE_INSTEAD(1, logotypecertextn_numBits, asn1_type_integer),
        CASE_INSTEAD(2, logotypecertextn_tableSize, asn1_type_integer));
static const struct asn1_type logo_resolution = TYPE_OF(CHOICE, logo_resolution);
MEMBERS(logo_image_info, INSTEAD(0, logotypecertextn_type, asn1_type_integer),
        OWN(DER_INTEGER, logotypecertextn_fileSize, asn1_type_integer),
        OWN(DER_INTEGER, logotypecertextn_xSize, asn1_type_integer),
        OWN(DER_INTEGER, logotypecertextn_ySize, asn1_type_integer),
        ANY_OPT(logotypecertextn_resolution, logo_resolution),
        INSTEAD(4, logotypecertextn_language, asn1_type_ia5));
static const struct asn1_type logo_image_info = TYPE_OF(SEQUENCE, logo_image_info);
MEMBERS(logo_image, OWN(DER_SEQUENCE, logotypecertextn_imageDetails_element, logo_details),
        OPT(DER_SEQUENCE, logotypecertextn_imageInfo_element, logo_image_info));
static const struct asn1_type logo_image = TYPE_OF(SEQUENCE, logo_image);
MEMBERS(logo_images, OWN(DER_SEQUENCE, logotypecertextn_LogotypeImage_element, logo_image));
static const struct asn1_type logo_images = TYPE_OF(SEQUENCE_OF, logo_images);
MEMBERS(logo_audio_info, OWN(DER_INTEGER, logotypecertextn_fileSize, asn1_type_integer),
        OWN(DER_INTEGER, logotypecertextn_playTime, asn1_type_integer),
        OWN(DER_INTEGER, logotypecertextn_channels, asn1_type_integer),
        INSTEAD(3, logotypecertextn_sampleRate, asn1_type_integer),
        INSTEAD(4, logotypecertextn_language, asn1_type_ia5));
static const struct asn1_type logo_audio_info = TYPE_OF(SEQUENCE, logo_audio_info);
MEMBERS(logo_audio, OWN(DER_SEQUENCE, logotypecertextn_audioDetails_element, logo_details),
        OPT(DER_SEQUENCE, logotypecertextn_audioInfo_element, logo_audio_info));
static const struct asn1_type logo_audio = TYPE_OF(SEQUENCE, logo_audio);
MEMBERS(logo_audios, OWN(DER_SEQUENCE, logotypecertextn_LogotypeAudio_element, logo_audio));
static const struct asn1_type logo_audios = TYPE_OF(SEQUENCE_OF, logo_audios);
MEMBERS(logo_data, OPT(DER_SEQUENCE, logotypecertextn_image, logo_images),
        INSTEAD(1, logotypecertextn_audio, logo_audios));
static const struct asn1_type logo_data = TYPE_OF(SEQUENCE, logo_data);
MEMBERS(ref_uris, OWN(DER_IA5, logotypecertextn_refStructURI_item, asn1_type_ia5));
static const struct asn1_type ref_uris = TYPE_OF(SEQUENCE_OF, ref_uris);
MEMBERS(logo_reference, OWN(DER_SEQUENCE, logotypecertextn_refStructHash, hash_values),
        OWN(DER_SEQUENCE, logotypecertextn_refStructURI, ref_uris));
static const struct asn1_type logo_reference = TYPE_OF(SEQUENCE, logo_reference);
MEMBERS(logo_info, CASE_INSTEAD(0, logotypecertextn_direct_element, logo_data),
        CASE_INSTEAD(1, logotypecertextn_indirect_element, logo_reference));
static const struct asn1_type logo_info = TYPE_OF(CHOICE, logo_info);
MEMBERS(logo_infos, ANY(logotypecertextn_LogotypeInfo, logo_info));
static const struct asn1_type logo_infos = TYPE_OF(SEQUENCE_OF, logo_infos);
MEMBERS(logo_other, OWN(DER_OID, logotypecertextn_logotypeType, asn1_type_oid),
        ANY(logotypecertextn_info, logo_info));
static const struct asn1_type logo_other = TYPE_OF(SEQUENCE, logo_other);
MEMBERS(logo_others, OWN(DER_SEQUENCE, logotypecertextn_OtherLogotypeInfo_element, logo_other));
static const struct asn1_type logo_others = TYPE_OF(SEQUENCE_OF, logo_others);
MEMBERS(logotype, TAGGED(0, logotypecertextn_communityLogos, logo_infos),
        TAGGED(1, logotypecertextn_issuerLogo, logo_info),
        TAGGED(2, logotypecertextn_subjectLogo, logo_info),
        TAGGED(3, logotypecertextn_otherLogos, logo_others));
static const struct asn1_type logotype = TYPE_OF(SEQUENCE, logotype);

/* ---- biometrics, RFC 3739 3.2.5 -----------------------------------------------------------------
 */

MEMBERS(biometric_type,
        CASE(0, DER_INTEGER, pkixqualified_predefinedBiometricType, asn1_type_integer),
        CASE(1, DER_OID, pkixqualified_biometricDataOid, asn1_type_oid));
static const struct asn1_type biometric_type = TYPE_OF(CHOICE, biometric_type);
MEMBERS(biometric, ANY(pkixqualified_typeOfBiometricData, biometric_type),
        OWN(DER_SEQUENCE, pkixqualified_hashAlgorithm_element, x509_algorithm),
        OWN(DER_OCTETS, pkixqualified_biometricDataHash, asn1_type_octets),
        OPT(DER_IA5, pkixqualified_sourceDataUri, asn1_type_ia5));
static const struct asn1_type biometric = TYPE_OF(SEQUENCE, biometric);
MEMBERS(biometrics, OWN(DER_SEQUENCE, pkixqualified_BiometricData_element, biometric));
static const struct asn1_type biometrics = TYPE_OF(SEQUENCE_OF, biometrics);

/* ---- networks, RFC 3779 -------------------------------------------------------------------------
 */

MEMBERS(address_range, OWN(DER_BITS, pkix1explicit_min, asn1_type_bits),
        OWN(DER_BITS, pkix1explicit_max, asn1_type_bits));
static const struct asn1_type address_range = TYPE_OF(SEQUENCE, address_range);
MEMBERS(address_form, CASE(0, DER_BITS, pkix1explicit_addressPrefix, asn1_type_bits),
        CASE(1, DER_SEQUENCE, pkix1explicit_addressRange_element, address_range));
static const struct asn1_type address_form = TYPE_OF(CHOICE, address_form);
MEMBERS(address_list, ANY(pkix1explicit_IPAddressOrRange, address_form));
static const struct asn1_type address_list = TYPE_OF(SEQUENCE_OF, address_list);
MEMBERS(address_choice, CASE(0, DER_NULL, pkix1explicit_inherit_element, asn1_type_null),
        CASE(1, DER_SEQUENCE, pkix1explicit_addressesOrRanges, address_list));
static const struct asn1_type address_choice = TYPE_OF(CHOICE, address_choice);

/* Two bytes say which addresses, a third for which use. */
static void family(struct asn1 *a, const struct asn1_type *type, enum field_id field, bool implicit,
                   struct der_view v)
{
    (void)type;
    struct der d;
    if (!asn1_element(a, implicit, v, &d))
        return;
    struct tape *t = a->tape;
    struct slice s = d.content.bytes;
    uint32_t at = tape_open(t, field, a->source, d.content.at, (uint32_t)s.len, 0, 0);
    if (s.len >= 2)
        tape_add(t, F_pkix1explicit_afn, a->source, d.content.at, 2, slice_u16(&s), 0);
    if (s.len == 1 && d.content.bytes.len == 3)
        tape_add(t, F_pkix1explicit_safi, a->source, d.content.at + 2, 1, slice_u8(&s), 0);
    tape_close(t, at);
}

static const struct asn1_type family_type = {.kind = ASN1_CALL, .tag = DER_OCTETS, .call = family};
MEMBERS(address_block, OWN(DER_OCTETS, pkix1explicit_addressFamily, family_type),
        ANY(pkix1explicit_ipAddressChoice, address_choice));
static const struct asn1_type address_block = TYPE_OF(SEQUENCE, address_block);
MEMBERS(address_blocks, OWN(DER_SEQUENCE, pkix1explicit_IPAddressFamily_element, address_block));
static const struct asn1_type address_blocks = TYPE_OF(SEQUENCE_OF, address_blocks);

MEMBERS(system_range, OWN(DER_INTEGER, pkix1explicit_as_min, asn1_type_integer),
        OWN(DER_INTEGER, pkix1explicit_as_max, asn1_type_integer));
static const struct asn1_type system_range = TYPE_OF(SEQUENCE, system_range);
MEMBERS(system_form, CASE(0, DER_INTEGER, pkix1explicit_as_id, asn1_type_integer),
        CASE(1, DER_SEQUENCE, pkix1explicit_range_element, system_range));
static const struct asn1_type system_form = TYPE_OF(CHOICE, system_form);
MEMBERS(system_list, ANY(pkix1explicit_ASIdOrRange, system_form));
static const struct asn1_type system_list = TYPE_OF(SEQUENCE_OF, system_list);
MEMBERS(system_choice, CASE(0, DER_NULL, pkix1explicit_inherit_element, asn1_type_null),
        CASE(1, DER_SEQUENCE, pkix1explicit_asIdsOrRanges, system_list));
static const struct asn1_type system_choice = TYPE_OF(CHOICE, system_choice);
MEMBERS(systems, TAGGED(0, pkix1explicit_asnum, system_choice),
        TAGGED(1, pkix1explicit_rdi, system_choice));
static const struct asn1_type systems = TYPE_OF(SEQUENCE, systems);

/* ---- proxies, RFC 3820 --------------------------------------------------------------------------
 */

MEMBERS(proxy_policy, OWN(DER_OID, pkixproxy_policyLanguage, asn1_type_oid),
        OPT(DER_OCTETS, pkixproxy_policy, asn1_type_octets));
static const struct asn1_type proxy_policy = TYPE_OF(SEQUENCE, proxy_policy);
MEMBERS(proxy, OPT(DER_INTEGER, pkixproxy_pCPathLenConstraint, asn1_type_integer),
        OWN(DER_SEQUENCE, pkixproxy_proxyPolicy_element, proxy_policy));
static const struct asn1_type proxy = TYPE_OF(SEQUENCE, proxy);

/* ---- the table ----------------------------------------------------------------------------------
 */

BITS_OF(netscape_type, F_ns_cert_exts_CertType_ssl_client, F_ns_cert_exts_CertType_ssl_server,
        F_ns_cert_exts_CertType_smime, F_ns_cert_exts_CertType_object_signing,
        F_ns_cert_exts_CertType_reserved_for_future_use, F_ns_cert_exts_CertType_ssl_ca,
        F_ns_cert_exts_CertType_smime_ca, F_ns_cert_exts_CertType_object_signing_ca);

#define NETSCAPE(oid, field) KNOWN(oid, asn1_type_ia5, ns_cert_exts_##field, ns_cert_exts)
/* Purposes and the like, which are names alone. */
#define NOTHING(oid) KNOWN(oid, asn1_type_null, pkix1implicit_Dummy_element, pkix1implicit)

/* By the text of the identifier. */
const struct asn1_known x509_known_others[] = {
    NOTHING("1.3.6.1.4.1.311.10.12.1"),
    NOTHING("1.3.6.1.4.1.311.10.3.1"),
    NOTHING("1.3.6.1.4.1.311.10.3.10"),
    NOTHING("1.3.6.1.4.1.311.10.3.11"),
    NOTHING("1.3.6.1.4.1.311.10.3.12"),
    NOTHING("1.3.6.1.4.1.311.10.3.13"),
    NOTHING("1.3.6.1.4.1.311.10.3.2"),
    NOTHING("1.3.6.1.4.1.311.10.3.4"),
    NOTHING("1.3.6.1.4.1.311.10.3.4.1"),
    NOTHING("1.3.6.1.4.1.311.10.3.5"),
    NOTHING("1.3.6.1.4.1.311.10.3.6"),
    NOTHING("1.3.6.1.4.1.311.10.3.7"),
    NOTHING("1.3.6.1.4.1.311.10.3.8"),
    NOTHING("1.3.6.1.4.1.311.10.3.9"),
    NOTHING("1.3.6.1.4.1.311.10.5.1"),
    NOTHING("1.3.6.1.4.1.311.10.6.1"),
    NOTHING("1.3.6.1.4.1.311.10.6.2"),
    NOTHING("1.3.6.1.4.1.311.20.1"),
    NOTHING("1.3.6.1.4.1.311.20.2.1"),
    NOTHING("1.3.6.1.4.1.311.20.2.2"),
    NOTHING("1.3.6.1.4.1.311.21.19"),
    NOTHING("1.3.6.1.4.1.311.21.5"),
    NOTHING("1.3.6.1.4.1.311.21.6"),
    KNOWN("1.3.6.1.5.5.7.1.12", logotype, logotypecertextn_LogotypeExtn_element, logotypecertextn),
    KNOWN("1.3.6.1.5.5.7.1.14", proxy, pkixproxy_ProxyCertInfoExtension_element, pkixproxy),
    KNOWN("1.3.6.1.5.5.7.1.2", biometrics, pkixqualified_BiometricSyntax, pkixqualified),
    KNOWN("1.3.6.1.5.5.7.1.3", statements, pkixqualified_QCStatements, pkixqualified),
    KNOWN("1.3.6.1.5.5.7.1.7", address_blocks, pkix1explicit_IPAddrBlocks, pkix1explicit),
    KNOWN("1.3.6.1.5.5.7.1.8", systems, pkix1explicit_ASIdentifiers_element, pkix1explicit),
    KNOWN("1.3.6.1.5.5.7.11.1", semantics, pkixqualified_SemanticsInformation_element,
          pkixqualified),
    KNOWN("1.3.6.1.5.5.7.11.2", semantics, pkixqualified_SemanticsInformation_element,
          pkixqualified),
    KNOWN("1.3.6.1.5.5.7.20.1", logotype, logotypecertextn_LogotypeExtn_element, logotypecertextn),
    KNOWN("1.3.6.1.5.5.7.20.2", logotype, logotypecertextn_LogotypeExtn_element, logotypecertextn),
    NOTHING("1.3.6.1.5.5.7.3.1"),
    NOTHING("1.3.6.1.5.5.7.3.2"),
    NOTHING("1.3.6.1.5.5.7.3.3"),
    NOTHING("1.3.6.1.5.5.7.3.4"),
    NOTHING("1.3.6.1.5.5.7.3.5"),
    NOTHING("1.3.6.1.5.5.7.3.6"),
    NOTHING("1.3.6.1.5.5.7.3.7"),
    NOTHING("1.3.6.1.5.5.7.3.8"),
    NOTHING("1.3.6.1.5.5.7.3.9"),
    NOTHING("1.3.6.1.5.5.7.48.1"),
    NOTHING("1.3.6.1.5.5.7.48.2"),
    NOTHING("1.3.6.1.5.5.8.2.2"),
    KNOWN("2.16.840.1.113730.1.1", netscape_type, ns_cert_exts_CertType, ns_cert_exts),
    NETSCAPE("2.16.840.1.113730.1.12", SslServerName),
    NETSCAPE("2.16.840.1.113730.1.13", Comment),
    NETSCAPE("2.16.840.1.113730.1.2", BaseUrl),
    NETSCAPE("2.16.840.1.113730.1.3", RevocationUrl),
    NETSCAPE("2.16.840.1.113730.1.4", CaRevocationUrl),
    NETSCAPE("2.16.840.1.113730.1.7", CertRenewalUrl),
    NETSCAPE("2.16.840.1.113730.1.8", CaPolicyUrl),
};
const size_t x509_known_others_count = sizeof x509_known_others / sizeof x509_known_others[0];
