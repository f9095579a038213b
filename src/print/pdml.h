/* -T pdml: every field of every protocol as XML. */
#ifndef TLSWIRE_PRINT_PDML_H
#define TLSWIRE_PRINT_PDML_H

#include "print/print.h"

void pdml_header(struct buf *out, const struct print_options *options);
void pdml_packet(struct buf *out, const struct print_options *options, const struct dissection *d);
void pdml_footer(struct buf *out, const struct print_options *options);

#endif
