/* The bytes of a packet's sources (the frame, reassembled streams, decrypted records) as a hex
 * dump. */
#ifndef TLSWIRE_PRINT_HEXDUMP_H
#define TLSWIRE_PRINT_HEXDUMP_H

#include "dissect/tape.h"

enum hexdump_text { HEXDUMP_TEXT, HEXDUMP_DELIMITED /* with | on both sides */, HEXDUMP_NO_TEXT };

/* All zero: as -x has it. */
struct hexdump_form {
    bool frame_only; /* none of the other sources */
    enum hexdump_text text;
};

/* Lines of 16 bytes: offset, hexadecimal, ASCII. Nothing when there are no bytes. */
void hexdump_bytes(struct buf *out, struct slice bytes);
/* All sources; each with a title line when there are several. */
void hexdump_tape(struct buf *out, const struct tape *t, struct hexdump_form form);

#endif
