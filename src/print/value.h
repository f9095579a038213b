/* The value of an event as text, in the three forms that printers use. */
#ifndef TLSWIRE_PRINT_VALUE_H
#define TLSWIRE_PRINT_VALUE_H

#include "base/pen_text.h"
#include "dissect/tape.h"
#include "print/clock_text.h"

/* As the tree writes it after "Label: ": names from registries, units, bytes cut after 36. */
void value_shown(struct buf *out, const struct tape *t, const struct event *e);
/* As the `show` attribute of PDML writes it: numbers without names, bytes with colons. Not escaped.
 */
void value_show(struct buf *out, const struct tape *t, const struct event *e);

/* The same two at a cursor with room for VALUE_ROOM bytes.  They say NULL, and what they wrote does not count, when
 * the value may be longer. */
#define VALUE_ROOM 1024
uint8_t *value_shown_at(uint8_t *to, const struct tape *t, const struct event *e);
uint8_t *value_show_at(uint8_t *to, const struct tape *t, const struct event *e);
/* Either of them for an absolute time, when several are written. */
uint8_t *value_time_at(uint8_t *to, struct clock_cache *clock, const struct tape *t,
                       const struct event *e);

/* As -T fields writes it: the same but for bytes (no colons) and headings ("1"). Not escaped. */
void value_cell(struct buf *out, const struct tape *t, const struct event *e);
/* The bytes that the event covers, in hexadecimal; "field length invalid!" when some are missing.
 */
void value_hex(struct buf *out, const struct tape *t, const struct event *e);

/* False for remarks and what they consist of, which stand nowhere, and for what is said of a whole
 * connection. */
bool value_has_place(const struct event *e);
/* A number that has a mask, in capital hexadecimal digits. */
void value_masked(struct buf *out, uint64_t value);

/* NUMBER in the base that FIELD is shown in, without a name: "5", "0x0005", "5 (0x05)". */
uint8_t *value_number_at(uint8_t *to, const struct field *field, uint64_t number);
/* "..1. .... = " for the MASK of a number WIDTH bits wide, a multiple of four; NUMBER is what the masked bits hold. */
uint8_t *value_bits_at(uint8_t *to, uint64_t number, uint64_t mask, unsigned width);
/* Bits of FIELD's picture. */
unsigned value_width(const struct field *field);

void value_ipv4(struct buf *out, struct slice bytes);
/* RFC 5952 */
void value_ipv6(struct buf *out, struct slice bytes);
/* Dotted numbers from the DER content octets (X.690 8.19); stops at the first broken one. */
void value_oid(struct buf *out, struct slice bytes);

#endif
