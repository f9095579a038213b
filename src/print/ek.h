/* -T ek: two lines of JSON a packet, for the bulk interface of Elasticsearch. */
#ifndef TLSWIRE_PRINT_EK_H
#define TLSWIRE_PRINT_EK_H

#include "print/print.h"

void ek_packet(struct buf *out, const struct print_options *options, const struct dissection *d);

#endif
