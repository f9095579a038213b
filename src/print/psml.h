/* -T psml: the columns of each packet, as XML. */
#ifndef TLSWIRE_PRINT_PSML_H
#define TLSWIRE_PRINT_PSML_H

#include "print/print.h"

void psml_header(struct buf *out, const struct print_options *options);
void psml_packet(struct buf *out, const struct print_options *options, const struct dissection *d);
void psml_footer(struct buf *out, const struct print_options *options);

#endif
