/* The bytes of a packet's sources (the frame, reassembled streams, decrypted records) as a hex
 * dump. */
#ifndef TLSWIRE_PRINT_HEXDUMP_H
#define TLSWIRE_PRINT_HEXDUMP_H

#include "dissect/tape.h"

/* Lines of 16 bytes: offset, hexadecimal, ASCII. Nothing when there are no bytes. */
void hexdump_bytes(struct buf *out, struct slice bytes);
/* All sources; each with a title line when there are several. */
void hexdump_tape(struct buf *out, const struct tape *t);

#endif
