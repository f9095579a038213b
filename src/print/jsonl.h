/* -T jsonl, tlswire's own: a line of JSON a packet, with typed values, names beside codes, and the
 * place of every item.  docs/jsonl.schema.json says what a line may hold. */
#ifndef TLSWIRE_PRINT_JSONL_H
#define TLSWIRE_PRINT_JSONL_H

#include "print/print.h"

void jsonl_packet(struct buf *out, const struct print_options *options, const struct dissection *d);
void jsonl_want(const struct print_options *options, uint8_t *want);

#endif
