/* Bytes that TCP sends twice, and differently: a damaged copy, or somebody who wants two readers of a
 * stream to see different things.  The last payloads of all connections are kept in a ring. */
#ifndef TLSWIRE_STREAM_TCP_REPEATS_H
#define TLSWIRE_STREAM_TCP_REPEATS_H

#include "stream/flow.h"

struct tcp_repeats;

/* NULL when there is no memory: then nothing is found. */
struct tcp_repeats *tcp_repeats_new(void);
void tcp_repeats_free(struct tcp_repeats *r);
/* Compares the payload with what was kept of the same connection and direction, notes in FACTS where
 * it differs first, and keeps it.  SEQ is the number of its first byte. */
void tcp_repeats_check(struct tcp_repeats *r, const struct flow *f, struct tcp_facts *facts,
                       uint32_t seq, uint32_t frame);

#endif
