/* The Info column: what TLS says of itself, or TCP's own line, or what little is known of the layers below. */
#ifndef TLSWIRE_PRINT_INFO_H
#define TLSWIRE_PRINT_INFO_H

#include "base/buf.h"
#include "stream/dissection.h"

/* TCP is looked at where the columns say that it is there. */
void info_write(struct buf *out, const struct columns *columns, const struct tcp_facts *tcp);

#endif
