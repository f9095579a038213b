/* DER and BER, X.690: the tag and length in front of a value, and values that fit in a number.
 *
 * A view is a slice that knows where in its source it begins, so that what is read can be shown at
 * its place.  Nothing here looks at what the values mean. */
#ifndef TLSWIRE_DISSECT_DER_H
#define TLSWIRE_DISSECT_DER_H

#include "base/buf.h"
#include "base/slice.h"

struct der_view {
    struct slice bytes;
    uint32_t at; /* offset of the first byte in its source */
};

enum der_class { DER_UNIVERSAL, DER_APPLICATION, DER_CONTEXT, DER_PRIVATE };

enum der_tag {
    DER_END = 0,
    DER_BOOLEAN = 1,
    DER_INTEGER = 2,
    DER_BITS = 3,
    DER_OCTETS = 4,
    DER_NULL = 5,
    DER_OID = 6,
    DER_ENUMERATED = 10,
    DER_UTF8 = 12,
    DER_SEQUENCE = 16,
    DER_SET = 17,
    DER_NUMERIC = 18,
    DER_PRINTABLE = 19,
    DER_TELETEX = 20,
    DER_IA5 = 22,
    DER_UTC_TIME = 23,
    DER_GENERALIZED_TIME = 24,
    DER_GRAPHIC = 25,
    DER_VISIBLE = 26,
    DER_GENERAL = 27,
    DER_UNIVERSAL_STRING = 28,
    DER_BMP = 30,
};

/* One tag and length, with what follows them. */
struct der {
    uint8_t class; /* enum der_class */
    bool constructed;
    bool indefinite; /* BER: the content ends at two zero bytes */
    bool cut;        /* the length says more than there is: `content` is clipped */
    uint32_t tag;
    uint64_t length; /* as written; without the end mark when indefinite */
    struct der_view content;
    struct der_view whole; /* with tag, length and end mark; clipped as well */
    size_t eaten;          /* bytes that it takes of the view, `whole.bytes.len` */
};

/* Reads the element at the front of V, which is left alone.  False when tag or length themselves
 * are cut short, when a number is too large for 32 bits, or when an indefinite length finds no end.
 */
bool der_read(struct der_view v, struct der *out);

/* V from OFFSET on, of LENGTH bytes at most. */
struct der_view der_sub(struct der_view v, size_t offset, size_t length);

/* Two's complement of up to eight bytes; of more, the last eight. */
int64_t der_integer(struct slice content);

/* Days since 1970-01-01 of a date in the Gregorian calendar; MONTH from 1. */
int64_t der_days(int64_t year, unsigned month, unsigned day);

/* GeneralizedTime and UTCTime as nanoseconds since 1970; false when it is not one.  UTCTime years
 * from 50 are 19xx (RFC 5280 4.1.2.5.1). */
bool der_generalized_time(struct slice text, int64_t *ns);
bool der_utc_time(struct slice text, int64_t *ns);

/* Takes one character of UTF-8 from the front of S, which must not be empty; U+FFFD for each
 * maximal ill-formed part (Unicode 15, 3.9). */
uint32_t der_character(struct slice *s);
/* Appends it as UTF-8. */
void der_put_character(struct buf *out, uint32_t character);

#endif
