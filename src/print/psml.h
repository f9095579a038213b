/* -T psml: the columns of each packet, as XML. */
#ifndef TLSWIRE_PRINT_PSML_H
#define TLSWIRE_PRINT_PSML_H

#include "print/print.h"

void psml_header(struct buf *out, const struct print_options *options);
void psml_packet(struct buf *out, const struct print_options *options, const struct dissection *d);
/* The tag that begins a packet in either XML, with its colours. */
void psml_open(struct buf *out, const struct print_options *options);
void psml_footer(struct buf *out, const struct print_options *options);

#endif
