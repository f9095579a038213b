/* The layers of -T json as most people ask for them: values without bytes, nothing left out, names
 * that repeat left alone.  It writes what json.c would, in a fraction of the time. */
#ifndef TLSWIRE_PRINT_JSON_PLAIN_H
#define TLSWIRE_PRINT_JSON_PLAIN_H

#include "print/print.h"

/* The events from START up to END, with LEVEL for their keys. */
void json_plain(struct buf *out, const struct print_options *options, const struct tape *t,
                uint32_t start, uint32_t end, unsigned level);

#endif
