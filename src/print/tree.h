/* The tree of a packet as indented lines: -V and -O. */
#ifndef TLSWIRE_PRINT_TREE_H
#define TLSWIRE_PRINT_TREE_H

#include "print/print.h"

/* Marks the fields that trees show, in WANT of FIELD_COUNT bytes. */
void tree_wants(const struct print_options *options, uint8_t *want);
void tree_write(struct buf *out, const struct print_options *options, const struct dissection *d);

#endif
