/* What one TCP segment came to: its header, its options and what following the stream made of it.
 *
 * Filled by tcp_segment() in stream/tcp.h; read by the tree (stream/tcp_emit.h), by the Info column
 * (print/info_tcp.h) and by everything that works on streams.  Holds no pointers but the slices of the
 * packet it was read from. */
#ifndef TLSWIRE_STREAM_TCP_FACTS_H
#define TLSWIRE_STREAM_TCP_FACTS_H

#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

enum tcp_flag {
    TCP_FIN = 0x001,
    TCP_SYN = 0x002,
    TCP_RST = 0x004,
    TCP_PSH = 0x008,
    TCP_ACK = 0x010,
    TCP_URG = 0x020,
    TCP_ECE = 0x040,
    TCP_CWR = 0x080,
    TCP_AE = 0x100,
    TCP_RESERVED = 0xe00,
};

/* Results of the sequence analysis, the bits of tcp_facts.analysis. */
enum tcp_analysis {
    TCP_A_RETRANSMISSION = 1 << 0,
    TCP_A_LOST_SEGMENT = 1 << 1, /* previous segment not captured */
    TCP_A_ACK_LOST_SEGMENT = 1 << 2,
    TCP_A_KEEP_ALIVE = 1 << 3,
    TCP_A_DUPLICATE_ACK = 1 << 4,
    TCP_A_ZERO_WINDOW = 1 << 5,
    TCP_A_ZERO_WINDOW_PROBE = 1 << 6,
    TCP_A_ZERO_WINDOW_PROBE_ACK = 1 << 7,
    TCP_A_KEEP_ALIVE_ACK = 1 << 8,
    TCP_A_OUT_OF_ORDER = 1 << 9,
    TCP_A_FAST_RETRANSMISSION = 1 << 10,
    TCP_A_WINDOW_UPDATE = 1 << 11,
    TCP_A_WINDOW_FULL = 1 << 12,
    TCP_A_REUSED_PORTS = 1 << 13,
    TCP_A_SPURIOUS_RETRANSMISSION = 1 << 14,
};

/* Any kind of bytes that were sent before: such a segment is not handed to TLS. */
#define TCP_A_ANY_RETRANSMISSION \
    (TCP_A_RETRANSMISSION | TCP_A_FAST_RETRANSMISSION | TCP_A_SPURIOUS_RETRANSMISSION)

/* Conversation completeness, the bits of tcp.completeness. */
enum tcp_completeness {
    TCP_SAW_SYN = 1,
    TCP_SAW_SYN_ACK = 2,
    TCP_SAW_ACK = 4,
    TCP_SAW_DATA = 8,
    TCP_SAW_FIN = 16,
    TCP_SAW_RST = 32,
};

/* What is done with segments; all false is the usual way. */
struct tcp_options {
    bool absolute;       /* sequence numbers as they were sent */
    bool no_analysis;    /* nothing is said of retransmissions and their like */
    bool no_flight;      /* bytes in flight are not counted */
    bool no_times;       /* nor are the times within the connection told */
    bool check;          /* checksums are verified */
    bool no_desegment;   /* records over several segments are not put together */
    bool no_reorder;     /* segments are read in the order of the capture */
    bool plain_title;    /* the tree's line of TCP tells no numbers */
    bool no_info_stamps; /* the Info column tells no timestamps */
    bool no_multipath;   /* the option of multipath TCP is bytes */
    bool unasked;        /* nobody looks at what the analysis finds: it is not made */
};

enum tcp_checksum_state { TCP_SUM_UNVERIFIED, TCP_SUM_GOOD, TCP_SUM_BAD, TCP_SUM_FFFF };

#define TCP_SCALE_UNKNOWN   (-1)
#define TCP_SCALE_NONE      (-2)
#define TCP_MAX_OPTIONS     40        /* bytes: the header has at most 60 (RFC 9293 3.1) */
#define TCP_MAX_SACK_BLOCKS 4         /* as many as the 40 bytes of options hold (RFC 2018 3) */
#define TCP_NO_TIME         INT64_MIN /* for times that are not known */

struct tcp_sack_block {
    uint32_t left, right; /* relative when the other side's base is known, else raw */
};

struct tcp_facts {
    /* The header. */
    uint16_t source_port, destination_port;
    uint32_t seq_raw, ack_raw;
    uint32_t seq, ack;   /* relative; equal to the raw ones when !relative */
    uint32_t next_seq;   /* relative, SYN and FIN counted */
    uint32_t len;        /* payload bytes that the IP length declares */
    uint16_t header_len; /* bytes, 0 to 60; below 20 it is bogus */
    uint16_t flags;      /* 12 bits, enum tcp_flag */
    uint16_t window_raw; /* as in the header */
    uint32_t window;     /* scaled when the scale is known */
    int32_t scale;       /* multiplier 1, 2, 4 …; TCP_SCALE_UNKNOWN, TCP_SCALE_NONE */
    uint16_t checksum;
    uint16_t checksum_right; /* what it should be; when it was verified */
    uint8_t checksum_state;  /* enum tcp_checksum_state */
    uint16_t urgent;
    struct slice options;  /* option bytes, as far as they were captured */
    struct slice payload;  /* as far as it was captured: payload.len <= len */
    bool bogus_header_len; /* header_len is below 20 */
    bool short_segment;    /* the IP length says that the segment ends inside its header */
    bool truncated;        /* the bytes end inside the header: only what came before is filled */
    bool cut_header;       /* something of the header is not there that should be */
    bool cut_by_capture;   /* the bytes of the segment are not all there */
    uint32_t captured;     /* bytes of the segment that are there, header included */

    /* Options that the stream is followed with, as far as they were well formed; the last of each kind. */
    bool has_mss, has_wscale, has_sack_perm, has_timestamps;
    const char *device; /* word on Riverbed's devices that goes before the ports; NULL: none */
    bool has_cookie;    /* fast open, RFC 7413 */
    bool has_multipath; /* RFC 8684 */
    bool signals;       /* and it is not about data: such an empty segment repeats nothing */
    bool key_mismatch;  /* it sends back another key than was sent */
    const struct multipath_link *multipath; /* what it is part of; NULL: not known, or not asked */
    uint16_t mss;
    uint8_t wscale; /* shift count as sent, may be above 14 */
    uint32_t tsval, tsecr;
    uint8_t sack_count;
    struct tcp_sack_block sack[TCP_MAX_SACK_BLOCKS];
    uint32_t sack_base; /* what to subtract from raw SACK edges to make them relative */

    const struct tcp_options *options_of; /* how it was looked at; never NULL */

    /* The stream. */
    uint32_t stream;       /* tcp.stream, from 0 */
    int direction;         /* 0 from the lower (address, port) of the flow's key, 1 the other way */
    uint8_t completeness;  /* enum tcp_completeness, before this segment */
    bool relative;         /* seq and ack are relative numbers */
    bool is_first;         /* first segment of its stream */
    int64_t time_relative; /* ns since the stream's first segment */
    int64_t time_delta;    /* ns since the stream's previous segment */
    uint16_t server_port;  /* for the connection's remarks: the port that did not send the SYN */

    /* Sequence analysis; 0 means absent unless said otherwise. */
    uint32_t analysis; /* bits of enum tcp_analysis */
    bool has_analysis; /* there is something to say, be it only an acknowledgement */
    uint32_t acks_frame;
    int64_t ack_rtt;     /* ns; meaningful when acks_frame */
    int64_t initial_rtt; /* ns; TCP_NO_TIME: unknown */
    uint32_t bytes_in_flight;
    uint32_t push_bytes_sent;
    int64_t rto; /* ns; meaningful when rto_frame */
    uint32_t rto_frame;
    uint32_t dupack_num, dupack_frame;
    uint32_t fin_retransmission;            /* frame of the first FIN that this one repeats */
    uint32_t conflict_frame;                /* that had other bytes for the same numbers */
    uint32_t conflict_offset, conflict_len; /* in the payload */
    bool sack_duplicate;                    /* the first SACK block is a D-SACK (RFC 2883) */
    bool tfo_ack,
        tfo_ignored; /* this SYN+ACK takes, or ignores, data sent with the SYN (RFC 7413) */
    bool fin_active, fin_passive; /* this FIN begins, or answers, the closing */
};

#endif
