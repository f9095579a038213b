/* One TCP segment: its header, its options, and its place in its stream. */
#ifndef TLSWIRE_STREAM_TCP_H
#define TLSWIRE_STREAM_TCP_H

#include "stream/flow.h"

/* Where a segment came from. */
struct tcp_input {
    const struct address *source, *destination;
    struct slice bytes; /* header and payload, as far as captured */
    uint32_t
        len; /* header and payload, as the IP length declares, but not more than were on the wire */
    uint64_t frame;                    /* number of the packet, from 1 */
    int64_t time;                      /* ns since the epoch */
    const struct tcp_options *options; /* NULL: the usual way */
};

/* Reads the segment, finds or makes its flow and updates it.  OUT is always filled as far as the bytes go.
 * Returns false when not even the ports and flags are there, or memory is out: then *FLOW is NULL and there
 * is no stream.  *PAYLOAD is what was captured of the payload, empty when the header is bogus or cut off. */
bool tcp_segment(struct flow_table *table, const struct tcp_input *in, struct tcp_facts *out,
                 struct flow **flow, int *direction, struct slice *payload);

/* Serial number arithmetic on sequence numbers (RFC 9293 3.4). */
static inline bool seq_above(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) > 0;
}

static inline bool seq_below(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

#endif
