/* Extensions and statements of certificates that tshark 4.0.17 does not know: qualified certificates (ETSI EN
 * 319 412-5), the number of an organization (CA/Browser Forum), and some others.  Shown when asked for. */
#include "dissect/x509_types.h"

MEMBERS(organization, OWN(DER_PRINTABLE, x509_more_scheme, asn1_type_printable),
        OWN(DER_PRINTABLE, x509_more_country, asn1_type_printable),
        INSTEAD(0, x509_more_state, asn1_type_printable),
        OWN(DER_UTF8, x509_more_reference, asn1_type_utf8));
static const struct asn1_type organization = TYPE_OF(SEQUENCE, organization);

/* The currency by its letters or its number (ISO 4217). */
static const struct asn1_type any_string = {.kind = ASN1_STRING};
MEMBERS(limit, ANY(x509_more_currency, any_string),
        OWN(DER_INTEGER, x509_more_amount, asn1_type_integer),
        OWN(DER_INTEGER, x509_more_exponent, asn1_type_integer));
static const struct asn1_type limit = TYPE_OF(SEQUENCE, limit);

MEMBERS(place, OWN(DER_IA5, x509_more_url, asn1_type_ia5),
        OWN(DER_PRINTABLE, x509_more_language, asn1_type_printable));
static const struct asn1_type place = TYPE_OF(SEQUENCE, place);
MEMBERS(places, OWN(DER_SEQUENCE, x509_more_place, place));
static const struct asn1_type places = TYPE_OF(SEQUENCE_OF, places);

MEMBERS(types, OWN(DER_OID, x509_more_type, asn1_type_oid));
static const struct asn1_type types = TYPE_OF(SEQUENCE_OF, types);
MEMBERS(laws, OWN(DER_PRINTABLE, x509_more_law, asn1_type_printable));
static const struct asn1_type laws = TYPE_OF(SEQUENCE_OF, laws);

#define MORE_OF(oid, type, field) KNOWN(oid, type, x509_more_##field, NONE)

/* By the text of the identifier. */
const struct asn1_known x509_known_more[] = {
    MORE_OF("0.4.0.1862.1.2", limit, limit),
    MORE_OF("0.4.0.1862.1.3", asn1_type_integer, retention),
    MORE_OF("0.4.0.1862.1.5", places, places),
    MORE_OF("0.4.0.1862.1.6", types, types),
    MORE_OF("0.4.0.1862.1.7", laws, laws),
    MORE_OF("1.3.6.1.4.1.311.25.2", x509_general_names, sid),
    MORE_OF("1.3.6.1.5.5.7.1.11", x509_accesses, subject_access),
    MORE_OF("1.3.6.1.5.5.7.1.31", asn1_type_octets, acme),
    MORE_OF("2.23.140.3.1", organization, organization),
};
const size_t x509_known_more_count = sizeof x509_known_more / sizeof x509_known_more[0];
