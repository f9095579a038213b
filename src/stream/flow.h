/* The flow table: which TCP connection a segment belongs to, and what is remembered of each.
 *
 * One lookup a segment, by addresses and ports without regard to direction.  Flows come from an arena and
 * live as long as the table; a connection that reuses the ports of an earlier one takes its place in the
 * table.  All of them stay on the list `flows`, so that owners of attached state can free it. */
#ifndef TLSWIRE_STREAM_FLOW_H
#define TLSWIRE_STREAM_FLOW_H

#include "base/arena.h"
#include "stream/dissection.h"

#include <stdbool.h>
#include <stdint.h>

/* Both ends, the lower one first, so that both directions give the same key. */
struct flow_key {
    uint64_t low[2], high[2]; /* addresses as numbers; IPv4 in [1] */
    uint16_t low_port, high_port;
    uint32_t kind; /* enum address_kind */
};

/* Bytes that were sent and not acknowledged yet. */
struct tcp_unacked {
    struct tcp_unacked *next; /* younger */
    int64_t time;
    uint32_t frame;
    uint32_t seq, next_seq;
};

#define TCP_MAX_UNACKED 10000 /* a direction; beyond, sent bytes are not tracked */

/* What one end of a connection has sent.  Raw sequence numbers; 0 in next_seq, max_to_be_acked and
 * last_ack means "not seen", as the rules of the analysis have it. */
struct tcp_side {
    struct tcp_unacked *oldest, *youngest;
    uint32_t base_seq;
    uint32_t next_seq; /* highest seen */
    uint32_t next_seq_frame;
    uint32_t max_to_be_acked; /* end of what was seen without a hole */
    int64_t next_seq_time;
    int64_t last_ack_time;
    uint32_t last_ack;
    uint32_t last_ack_tried; /* the ack that `oldest`… was last swept with */
    uint32_t last_nondup_frame;
    int32_t dupacks;     /* -1: an unseen segment was acked by dup acks */
    uint32_t last_flags; /* analysis flags of the last segment */
    uint32_t window;     /* raw; UINT32_MAX before the first segment */
    uint32_t push_bytes;
    uint32_t flight_first, flight_last; /* extent of the list, relative, when !flight_stale */
    uint32_t fin_frame;
    uint32_t sacked; /* bytes that the last segment's SACK blocks cover */
    uint16_t unacked_count;
    int8_t shift; /* window scale; TCP_SCALE_UNKNOWN, TCP_SCALE_NONE */
    bool has_base : 1;
    bool flight_stale : 1;
    bool swept : 1;        /* nothing was added since the sweep with last_ack_tried */
    bool valid_flight : 1; /* bytes in flight can be told */
    bool push_last : 1;
    bool first_ack : 1; /* the first plain ACK after SYN, whose window is not scaled yet */
    bool closes : 1;    /* sent the first FIN */
};

struct flow {
    struct flow_key key;
    struct flow *next; /* on the table's list of all flows */
    uint32_t hash;
    uint32_t stream;
    uint16_t server_port; /* 0 unknown */
    uint8_t completeness; /* enum tcp_completeness */
    bool tfo_syn_data;    /* the SYN carried data */
    bool asks_tls;        /* PostgreSQL's request for TLS was seen last */
    int64_t first_time, last_time;
    int64_t syn_time;    /* of the latest SYN; TCP_NO_TIME */
    int64_t initial_rtt; /* TCP_NO_TIME */
    struct tcp_side side[2];
    /* State of the layers above: owned and freed by them, NULL at first. */
    void *tls;
    void *side_data[2];
    struct multipath_link *multipath; /* from the table's arena; NULL: plain TCP */
};

struct flow_table {
    struct flow **slots; /* owned; open addressing */
    uint32_t capacity;   /* power of two, 0 before the first flow */
    uint32_t count;
    uint32_t streams; /* connections seen: the next stream index */
    uint64_t seed;
    struct arena arena;
    struct tcp_unacked *free_unacked;
    struct flow *flows;                /* all, latest first */
    struct multipath_table *multipath; /* from the arena; NULL until the first of them */
};

/* SEED makes the hash unpredictable.  A ceiling for memory may be set in arena.ceiling. */
void flow_table_init(struct flow_table *t, uint64_t seed);
void flow_table_free(struct flow_table *t);

static inline void flow_address_number(const struct address *a, uint64_t number[2])
{
    struct slice bytes = slice_of(a->bytes, sizeof a->bytes);
    if (a->kind == ADDRESS_IPV4) {
        number[0] = 0;
        number[1] = slice_u32(&bytes);
        return;
    }
    number[0] = slice_u64(&bytes);
    number[1] = slice_u64(&bytes);
}

static inline bool flow_end_above(const uint64_t a[2], uint16_t a_port, const uint64_t b[2],
                                  uint16_t b_port)
{
    if (a[0] != b[0])
        return a[0] > b[0];
    if (a[1] != b[1])
        return a[1] > b[1];
    return a_port > b_port;
}

/* The key of a segment, and in *DIRECTION 0 when the source is its low end, else 1. */
static inline struct flow_key flow_key_of(const struct address *source,
                                          const struct address *destination, uint16_t source_port,
                                          uint16_t destination_port, int *direction)
{
    uint64_t from[2], to[2];
    flow_address_number(source, from);
    flow_address_number(destination, to);
    *direction = flow_end_above(from, source_port, to, destination_port);
    const uint64_t *low = *direction ? to : from, *high = *direction ? from : to;
    return (struct flow_key){.low = {low[0], low[1]},
                             .high = {high[0], high[1]},
                             .low_port = *direction ? destination_port : source_port,
                             .high_port = *direction ? source_port : destination_port,
                             .kind = (uint32_t)source->kind};
}

/* The flow in the table, NULL when there is none. */
struct flow *flow_find(const struct flow_table *t, const struct flow_key *key);
/* A new connection, which replaces one with the same key; NULL when out of memory. */
struct flow *flow_add(struct flow_table *t, const struct flow_key *key);

/* Remembers sent bytes at the young end of SIDE's list; false when it is full or memory is out. */
bool flow_unacked_add(struct flow_table *t, struct tcp_side *side, struct tcp_unacked segment);
/* Gives a removed entry back. */
void flow_unacked_free(struct flow_table *t, struct tcp_unacked *segment);

#endif
