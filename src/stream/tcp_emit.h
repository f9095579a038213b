/* The `tcp` part of a packet's tape, made from the facts of its segment. */
#ifndef TLSWIRE_STREAM_TCP_EMIT_H
#define TLSWIRE_STREAM_TCP_EMIT_H

#include "dissect/tape.h"
#include "stream/reassembly.h"
#include "stream/tcp_facts.h"

/* Adds the protocol, header, options, times and analysis.  The header stands at OFFSET of source SOURCE.
 * The protocol's item stays open, for the payload to follow: the
 * caller passes what is returned to tape_close().  Check facts->truncated and facts->bogus_header_len to know
 * whether there can be a payload. */
uint32_t tcp_emit(struct tape *t, uint8_t source, uint32_t offset, const struct tcp_facts *facts);

/* Adds tcp.payload, or tcp.reset_cause for the payload of a reset; nothing when none was captured.
 * The payload stands at OFFSET of source SOURCE. */
void tcp_emit_payload(struct tape *t, uint8_t source, uint32_t offset,
                      const struct tcp_facts *facts);

/* Adds the bytes of the payload that wait for the rest of a record, or were seen before; and the FRAME that has the
 * rest, when it is known (not 0).  OFFSET: of the payload; HEADER: of TCP's. */
void tcp_emit_waiting(struct tape *t, uint8_t source, uint32_t offset, uint32_t header,
                      const struct tcp_plan *plan, uint32_t frame);
/* Adds the segments that a run was put together from; they make up SOURCE. */
void tcp_emit_joined(struct tape *t, uint8_t source, const struct tcp_run *run,
                     const struct tcp_plan *plan);

#endif
