/* The columns of the summary line: No., Time, Source, Destination, Protocol, Length, Info. */
#ifndef TLSWIRE_PRINT_COLUMNS_H
#define TLSWIRE_PRINT_COLUMNS_H

#include "print/print.h"

enum column {
    COLUMN_NUMBER,
    COLUMN_TIME,
    COLUMN_SOURCE,
    COLUMN_DESTINATION,
    COLUMN_PROTOCOL,
    COLUMN_LENGTH,
    COLUMN_INFO,
    COLUMN_COUNT
};

extern const char *const column_titles[COLUMN_COUNT];

/* Text of one column, without padding. */
void column_write(struct buf *out, enum column column, const struct print_options *options,
                  const struct dissection *d);
/* The summary line with its line feed. */
void summary_write(struct buf *out, const struct print_options *options,
                   const struct dissection *d);

#endif
