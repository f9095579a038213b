/* The Info column of a TCP segment. */
#ifndef TLSWIRE_PRINT_INFO_TCP_H
#define TLSWIRE_PRINT_INFO_TCP_H

#include "base/buf.h"
#include "stream/tcp_facts.h"

/* The whole line: "[TCP Retransmission] 45964 → 4433 [ACK] Seq=1 Ack=1 Win=342 Len=0 …". */
void info_tcp(struct buf *out, const struct tcp_facts *facts);
/* Only the judgements of the analysis, each in brackets with a space after it; nothing when there
 * are none. */
void info_tcp_prefix(struct buf *out, const struct tcp_facts *facts);
/* "SYN, ACK". */
void info_tcp_flags(struct buf *out, uint16_t bits);

#endif
