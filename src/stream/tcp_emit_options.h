/* The options subtree of `tcp`. */
#ifndef TLSWIRE_STREAM_TCP_EMIT_OPTIONS_H
#define TLSWIRE_STREAM_TCP_EMIT_OPTIONS_H

#include "dissect/tape.h"
#include "stream/tcp_facts.h"

/* Adds tcp.options and what is in it; nothing when the header has none.  HEADER_OFFSET is that of the header. */
void tcp_emit_options(struct tape *t, uint8_t source, uint32_t header_offset,
                      const struct tcp_facts *facts);

#endif
