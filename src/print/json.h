/* -T json and -T jsonraw: an array of packets, each with its layers as objects. */
#ifndef TLSWIRE_PRINT_JSON_H
#define TLSWIRE_PRINT_JSON_H

#include "print/print.h"

void json_header(struct buf *out, const struct print_options *options);
void json_packet(struct buf *out, const struct print_options *options, const struct dissection *d);
/* Bytes and places instead of values. */
void json_raw_packet(struct buf *out, const struct print_options *options,
                     const struct dissection *d);
void json_footer(struct buf *out, const struct print_options *options);

#endif
