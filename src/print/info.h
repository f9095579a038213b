/* The Info column: what TLS says of itself, or TCP's own line, or what little is known of the layers below. */
#ifndef TLSWIRE_PRINT_INFO_H
#define TLSWIRE_PRINT_INFO_H

#include "base/buf.h"
#include "stream/dissection.h"

/* TCP is looked at where the columns say that it is there. */
void info_write(struct buf *out, const struct columns *columns, const struct tcp_facts *tcp);

/* What -z proto,colinfo adds to it; NULL: nothing. */
static inline void info_tail(struct buf *out, const struct buf *tail)
{
    if (!tail)
        return;
    buf_slice_put(out, buf_slice(tail));
    if (tail->failed)
        buf_str(out, " [more is not shown]");
}

#endif
