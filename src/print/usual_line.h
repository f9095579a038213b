/* The summary line of the usual columns, which is written for every packet. */
#ifndef TLSWIRE_PRINT_USUAL_LINE_H
#define TLSWIRE_PRINT_USUAL_LINE_H

#include "print/print.h"

/* The same that summary_write() would make of a list of these columns, with its line feed. */
void usual_line(struct buf *out, const struct print_options *options, const struct dissection *d,
                char delimiter);

#endif
