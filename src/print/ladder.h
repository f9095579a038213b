/* The ladder: each TLS connection as a picture of who said what to whom, with what matters of each
 * message, and a verdict on top.
 *
 * It reads the dissections of packets one after the other, from their tapes only, and writes a
 * connection down when it is over, or at the end.  What it keeps is bounded: connections at once,
 * lines and bytes of each; where a bound is hit the output says so.  Text from the wire is escaped. */
#ifndef TLSWIRE_PRINT_LADDER_H
#define TLSWIRE_PRINT_LADDER_H

#include "print/print.h"

#define LADDER_WIDTH 80 /* columns where there is no terminal */

struct ladder_options {
    unsigned width;        /* columns, 60 to 140; what lies outside is brought inside */
    bool ascii;            /* nothing but ASCII */
    bool color;            /* with escape sequences of ECMA-48 */
    const char *keys_from; /* "the file" in "decrypted with the keys from …"; NULL: there are none;
                              borrowed, not escaped */
    uint16_t tls_port;     /* a connection with this port is shown even without TLS; 0: none */
};

struct ladder;

/* NULL when there is no memory. */
struct ladder *ladder_new(const struct ladder_options *options);
void ladder_free(struct ladder *l);

/* Takes the next packet; connections that are over go to OUT. */
void ladder_packet(struct ladder *l, struct buf *out, const struct dissection *d);
/* Writes down what is left. */
void ladder_end(struct ladder *l, struct buf *out);
/* Marks the fields that it reads, in WANT of FIELD_COUNT bytes. */
void ladder_want(uint8_t *want);

/* The same as a printer, for print_options.ladder. */
extern const struct printer ladder_printer;

#endif
