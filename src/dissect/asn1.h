/* ASN.1 as data: the types of a module are tables, and one interpreter turns BER or DER bytes into
 * events.
 *
 * What it shows, and how it words what is wrong, follows what users of Wireshark's BER fields know.
 * The nesting that an input can cause and the number of elements looked at have ceilings; a hit
 * leaves a remark on the tape.  Types are X.680's; class and tag rules X.690's. */
#ifndef TLSWIRE_DISSECT_ASN1_H
#define TLSWIRE_DISSECT_ASN1_H

#include "dissect/der.h"
#include "dissect/tape.h"

enum asn1_kind {
    ASN1_SEQUENCE,
    ASN1_SEQUENCE_OF,
    ASN1_SET_OF,
    ASN1_CHOICE,
    ASN1_INTEGER, /* ENUMERATED too: `tag` says which */
    ASN1_BOOLEAN,
    ASN1_OID,
    ASN1_OCTETS,
    ASN1_BITS,
    ASN1_STRING, /* of `tag`; tag 0: any string */
    ASN1_UTC_TIME,
    ASN1_GENERALIZED_TIME,
    ASN1_NULL,
    ASN1_BY_OID,   /* the type that the object identifier read last stands for */
    ASN1_ENCLOSED, /* an OCTET STRING that holds such a type */
    ASN1_CALL,     /* the function `call` */
    ASN1_KIND_COUNT
};

struct asn1;
struct asn1_type;

/* Reads V.  IMPLICIT: V is the content alone, its tag and length are taken off already. */
typedef void asn1_call(struct asn1 *a, const struct asn1_type *type, enum field_id field,
                       bool implicit, struct der_view v);

struct asn1_type {
    uint8_t kind;  /* enum asn1_kind */
    uint8_t tag;   /* the universal tag that it has */
    uint8_t count; /* of members, or of named bits */
    const struct asn1_member *members;
    const uint16_t *bits; /* ASN1_BITS: enum field_id of bit 0, 1, … */
    asn1_call *call;      /* runs instead of the kind's own reader */
};

enum asn1_flags {
    ASN1_OPTIONAL = 1,
    ASN1_IMPLICIT = 2, /* the tag stands in the place of the type's own */
    ASN1_OWN_TAG = 4,  /* the member has the type's own tag: hand on tag and length too */
    ASN1_ANY_TAG = 8,  /* do not look at the tag */
};

struct asn1_member {
    uint8_t class;
    uint8_t tag;
    uint8_t flags;
    uint16_t field;
    const struct asn1_type *type;
    uint16_t value; /* in a CHOICE: what the item shows */
};

/* A buffer NAME for a short text on the stack; what does not fit is left out. */
#define ASN1_TEXT(name, size)   \
    uint8_t name##_space[size]; \
    struct buf name = {.data = name##_space, .cap = (size), .ceiling = (size)}

/* What an object identifier stands for: contents of an extension, an attribute value, parameters.
 */
struct asn1_known {
    const char *oid; /* dotted */
    size_t len;
    const struct asn1_type *type;
    uint16_t field;
    uint16_t protocol; /* field id of the PROTOCOL row */
};

#define ASN1_NAME_BYTES \
    128 /* of one relative distinguished name, with a place for NUL; more is cut off */
#define ASN1_NAMES_BYTES 1024

struct asn1 {
    struct tape *tape;
    uint8_t source;
    struct slice oid; /* the one read last */
    struct slice key_algorithm;
    uint32_t item; /* event of the SEQUENCE that is open, or TAPE_NONE */
    unsigned depth;
    uint32_t budget;       /* elements that may still be read */
    bool broken;           /* the bytes ended inside an element, or a ceiling was hit */
    uint16_t protocol;     /* whose bytes are being read */
    uint32_t limit;        /* end of the bytes that elements lie in, whatever their lengths say */
    struct der_view fault; /* the element that is cut, when `broken` */
    uint64_t fault_length; /* that it claims; 0: not even its head is whole */
    bool beyond;           /* it claims bytes behind the limit */
    uint16_t malformed;    /* the first module that met such an element, and went on behind it */
    struct buf *protocols; /* names of the modules entered, ":x509sat:x509ce"; may be NULL */
    /* The distinguished name so far; the first one stands last, as users expect. */
    char rdn[ASN1_NAME_BYTES], names[ASN1_NAMES_BYTES];
    size_t rdn_len, names_len;
    bool names_begun, names_open;
    char subject[ASN1_NAMES_BYTES]; /* a copy of `names` when that was the certificate's subject */
    size_t subject_len;
    bool subject_done;
};

void asn1_run(struct asn1 *a, const struct asn1_type *type, enum field_id field, bool implicit,
              struct der_view v);
/* The value V of the object identifier read last. */
void asn1_by_oid(struct asn1 *a, struct der_view v);

/* Appends TEXT to the label of event AT, which must not have any yet. */
void asn1_note(struct asn1 *a, uint32_t at, struct slice text);
/* The same for " (INNER)". */
void asn1_note_in_brackets(struct asn1 *a, uint32_t at, struct slice inner);
/* A line of text with the remark ID below, both saying TEXT. */
void asn1_fault(struct asn1 *a, enum expert_id id, struct der_view v, struct slice text);
/* The remark alone. */
void asn1_expert(struct asn1 *a, enum expert_id id, struct der_view v, struct slice text);
/* "BER Error: WHAT expected but class:UNIVERSAL(0) Primitive tag:12 was unexpected". */
void asn1_unexpected(struct asn1 *a, enum expert_id id, const char *what, const struct der *found);
/* True when FOUND has TAG of class UNIVERSAL or is of a class that says nothing. */
bool asn1_has_tag(const struct der *found, uint32_t tag);

/* The readers of simple types, in asn1_value.c. */
asn1_call asn1_integer, asn1_boolean, asn1_oid, asn1_octets, asn1_bits, asn1_string, asn1_utc_time,
    asn1_generalized_time;
/* Tag, length and content of V; V itself as content when IMPLICIT.  False (and `broken`) when cut
 * short. */
bool asn1_element(struct asn1 *a, bool implicit, struct der_view v, struct der *out);
/* The byte in front of the content. */
struct der_view asn1_last_of_header(const struct der *d);
/* Bytes of a string type as UTF-8. */
void asn1_transcode(struct buf *out, uint32_t tag, struct slice bytes);
void asn1_t61(struct buf *out, struct slice bytes);
/* Whether an alternative of the CHOICE has the tag of D. */
bool asn1_choice_takes(const struct asn1_type *type, const struct der *d);

#endif
