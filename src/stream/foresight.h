/* What a first pass over a capture found, for a second one to know beforehand: how each connection ended, and in
 * which frame what began in one was complete. */
#ifndef TLSWIRE_STREAM_FORESIGHT_H
#define TLSWIRE_STREAM_FORESIGHT_H

#include "base/buf.h"
#include "stream/flow.h"

/* How a connection was in the end. */
struct stream_end {
    int64_t initial_rtt; /* TCP_NO_TIME */
    uint16_t version;    /* of TLS; 0 unknown */
    uint8_t completeness;
};

/* All zero at first. */
struct foresight {
    struct stream_end *streams; /* owned; by the stream's index */
    uint32_t stream_count;
    bool failed; /* there was no memory */
    struct buf
        joined; /* uint32_t by frame: where the record that it leaves unfinished was complete; 0: nowhere */
    struct buf messages; /* the same for handshake messages over several records */
};

void foresight_free(struct foresight *f);

/* Notes that what FRAME left unfinished was complete in LATER. */
void foresight_joined(struct foresight *f, uint32_t frame, uint32_t later);
void foresight_message(struct foresight *f, uint32_t frame, uint32_t later);
/* Notes how the connections of the table are now; VERSION_OF tells a connection's version of TLS. */
void foresight_streams(struct foresight *f, const struct flow_table *table,
                       uint16_t (*version_of)(const struct flow *));

/* What was noted; NULL and 0: nothing.  F may be NULL. */
const struct stream_end *foresight_of_stream(const struct foresight *f, uint32_t stream);
uint32_t foresight_joined_in(const struct foresight *f, uint32_t frame);
uint32_t foresight_message_in(const struct foresight *f, uint32_t frame);
/* True when there was no memory for all of it. */
bool foresight_failed(const struct foresight *f);

#endif
