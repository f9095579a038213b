/* JA3 and JA3S: fingerprints of a ClientHello and of a ServerHello. */
#ifndef TLSWIRE_STREAM_JA3_H
#define TLSWIRE_STREAM_JA3_H

#include "base/buf.h"

/* Appends the string for the hello whose BODY (without type and length) this is.  Returns the offset of the
 * extensions' length in BODY. */
uint32_t ja3_client(struct buf *out, struct slice body);
uint32_t ja3_server(struct buf *out, struct slice body);

#endif
