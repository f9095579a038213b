/* The types of certificates, as tables for asn1.h, and the few functions that they call. */
#ifndef TLSWIRE_DISSECT_X509_TYPES_H
#define TLSWIRE_DISSECT_X509_TYPES_H

#include "dissect/asn1.h"

/* How the tables are written.  OWN has the type's own tag; TAGGED is [n] EXPLICIT, INSTEAD [n]
 * IMPLICIT. */
#define OWN(tag_, field_, type_)                                                           \
    {                                                                                      \
        .class = DER_UNIVERSAL, .tag = (tag_), .flags = ASN1_OWN_TAG, .field = F_##field_, \
        .type = &(type_)                                                                   \
    }
#define OPT(tag_, field_, type_)                                                      \
    {                                                                                 \
        .class = DER_UNIVERSAL, .tag = (tag_), .flags = ASN1_OWN_TAG | ASN1_OPTIONAL, \
        .field = F_##field_, .type = &(type_)                                         \
    }
#define TAGGED(n, field_, type_)                                                       \
    {                                                                                  \
        .class = DER_CONTEXT, .tag = (n), .flags = ASN1_OPTIONAL, .field = F_##field_, \
        .type = &(type_)                                                               \
    }
#define INSTEAD(n, field_, type_)                                                 \
    {                                                                             \
        .class = DER_CONTEXT, .tag = (n), .flags = ASN1_OPTIONAL | ASN1_IMPLICIT, \
        .field = F_##field_, .type = &(type_)                                     \
    }
#define ANY(field_, type_)                                                          \
    {                                                                               \
        .flags = ASN1_OWN_TAG | ASN1_ANY_TAG, .field = F_##field_, .type = &(type_) \
    }
#define ANY_OPT(field_, type_)                                                     \
    {                                                                              \
        .flags = ASN1_OWN_TAG | ASN1_ANY_TAG | ASN1_OPTIONAL, .field = F_##field_, \
        .type = &(type_)                                                           \
    }
/* Alternatives of a CHOICE, with the number that its item shows. */
#define CASE(value_, tag_, field_, type_)                                                  \
    {                                                                                      \
        .class = DER_UNIVERSAL, .tag = (tag_), .flags = ASN1_OWN_TAG, .field = F_##field_, \
        .type = &(type_), .value = (value_)                                                \
    }
#define CASE_TAGGED(n, field_, type_)                                                         \
    {                                                                                         \
        .class = DER_CONTEXT, .tag = (n), .field = F_##field_, .type = &(type_), .value = (n) \
    }
#define CASE_INSTEAD(n, field_, type_)                                                 \
    {                                                                                  \
        .class = DER_CONTEXT, .tag = (n), .flags = ASN1_IMPLICIT, .field = F_##field_, \
        .type = &(type_), .value = (n)                                                 \
    }

/* A BIT STRING whose bits have names: fields of bit 0, 1, … */
#define BITS_OF(name, ...)                                                                       \
    static const uint16_t name##_names[] = {__VA_ARGS__};                                        \
    static const struct asn1_type name = {.kind = ASN1_BITS,                                     \
                                          .tag = DER_BITS,                                       \
                                          .count = sizeof name##_names / sizeof name##_names[0], \
                                          .bits = name##_names}

#define MEMBERS(name, ...) static const struct asn1_member name##_members[] = {__VA_ARGS__}
#define TYPE_OF(kind_, name)                                                             \
    {                                                                                    \
        .kind = ASN1_##kind_, .count = sizeof name##_members / sizeof name##_members[0], \
        .members = name##_members                                                        \
    }
#define KNOWN(oid_, type_, field_, protocol_)                      \
    {                                                              \
        oid_, sizeof oid_ - 1, &(type_), F_##field_, F_##protocol_ \
    }

/* Simple types. */
extern const struct asn1_type asn1_type_integer, asn1_type_boolean, asn1_type_oid, asn1_type_octets,
    asn1_type_bits, asn1_type_enumerated, asn1_type_null, asn1_type_by_oid, asn1_type_utc_time,
    asn1_type_generalized_time, asn1_type_silent;
extern const struct asn1_type asn1_type_numeric, asn1_type_printable, asn1_type_teletex,
    asn1_type_ia5, asn1_type_utf8, asn1_type_bmp, asn1_type_universal, asn1_type_visible,
    asn1_type_general, asn1_type_graphic;

/* x509_names.c */
extern const struct asn1_type x509_name, x509_name_rdn, x509_name_part, x509_directory_string,
    x509_general_name, x509_general_names;
/* x509_algorithms.c */
extern const struct asn1_type x509_algorithm, x509_certificate_type, x509_key_type;
/* x509_extensions.c */
extern const struct asn1_type x509_accesses;
/* x509_ocsp.c */
extern const struct asn1_type x509_ocsp_response_type, x509_extensions;

/* Tables of what object identifiers stand for, each in the order of the identifiers' texts. */
#define X509_TABLES 6 /* the last one: what only we know */
extern const struct asn1_known x509_known_attributes[], x509_known_extensions[],
    x509_known_algorithms[], x509_known_others[], x509_known_ocsp[], x509_known_more[];
extern const size_t x509_known_attributes_count, x509_known_extensions_count,
    x509_known_algorithms_count, x509_known_others_count, x509_known_ocsp_count,
    x509_known_more_count;
struct x509_table {
    const struct asn1_known *rows;
    size_t count;
};
struct x509_table x509_table(size_t index);
/* MORE: only what tshark 4.0.17 does not know; else only what it does. */
const struct asn1_known *x509_known(struct slice oid, bool more);

/* An object identifier whose name is put behind the name of the SEQUENCE around it. */
asn1_call x509_titled_oid;
/* Called when a relative distinguished name, or a whole one, is done; AT is its item. */
void x509_name_part_done(struct asn1 *a, uint32_t at);
void x509_name_done(struct asn1 *a, uint32_t at);
void x509_subject_done(struct asn1 *a);

#endif
