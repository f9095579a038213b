/* Finding TLS again in the middle of a stream: where the capture began late, or a segment is missing. */
#ifndef TLSWIRE_STREAM_TLS_RESUME_H
#define TLSWIRE_STREAM_TLS_RESUME_H

#include "stream/reassembly.h"

/* Where in BYTES, whose first has number SEQ, a record begins: its header looks like one, and so does the
 * one that it leads to, be that here or where LOST remembers.  VERSION is that of the connection, 0 when unknown.  The length of BYTES when none is found. */
uint32_t tls_resume(struct tcp_lost *lost, struct slice bytes, uint32_t seq, uint16_t version);

#endif
