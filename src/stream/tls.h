/* TLS over one TCP connection: records out of the stream, handshake messages onto the tape.
 *
 * Each direction keeps the bytes of a record that is not complete yet, up to one record.  A segment in order
 * is read where it lies; only the tail of an incomplete record is copied. */
#ifndef TLSWIRE_STREAM_TLS_H
#define TLSWIRE_STREAM_TLS_H

#include "stream/dissection.h"
#include "stream/flow.h"

struct crypto_provider;

/* What the engine lends: borrowed, for one call. */
struct tls_tools {
    struct buf *protocols; /* gets what frame.protocols lists after "tls" */
    struct buf *scratch;
    struct crypto_provider *crypto;
};

/* True when this segment belongs to TLS: its connection was known as TLS, a port says so, or its first
 * bytes look like a record. */
bool tls_claims(const struct flow *f, struct slice payload, bool port);
/* Reads one segment's payload, which stands at OFFSET of source 0, and adds to the tape and the columns of D. */
void tls_segment(struct flow_table *table, struct flow *f, struct dissection *d, uint32_t offset,
                 struct slice payload, const struct tls_tools *tools);
/* Frees what the connection holds. */
void tls_free(struct flow *f);

#endif
