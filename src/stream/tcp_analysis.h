/* Sequence analysis: what a segment is in view of those before it (retransmission, lost segment, window
 * full, …), and the numbers that follow from that.  The rules are those of tshark 4.0.17. */
#ifndef TLSWIRE_STREAM_TCP_ANALYSIS_H
#define TLSWIRE_STREAM_TCP_ANALYSIS_H

#include "stream/tcp.h"

/* Judges one segment and updates its flow.  FACTS has the header's fields and `direction`; the analysis
 * fields are filled. */
void tcp_analyze(struct flow_table *table, struct flow *flow, struct tcp_facts *facts,
                 uint32_t frame, int64_t time);
/* Instead of it, where nobody looks at the analysis: only the numbers that the order of bytes is found by. */
void tcp_follow(struct flow *flow, const struct tcp_facts *facts);

#endif
