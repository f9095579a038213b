/* The bytes of a TCP stream in order, for the layer above.
 *
 * Each segment gives a plan: which bytes the layer above reads now, alone or joined to bytes of earlier
 * segments, and which of them wait for the rest of a record.  What came too early is held until the hole
 * before it is filled.  A segment that needs nothing of this is read where it lies; bytes are copied only
 * when they wait.  Memory: the buffers of waiting records go back to a pool as soon as they are complete. */
#ifndef TLSWIRE_STREAM_REASSEMBLY_H
#define TLSWIRE_STREAM_REASSEMBLY_H

#include "base/buf.h"
#include "stream/flow.h"

/* Which frame brought how many bytes of a run.  Sorted by offset; parts that come again are parts too. */
struct tcp_part {
    uint32_t frame, len, offset;
    bool conflict; /* repeats bytes, differently */
};

/* Whether one of the parts does. */
bool tcp_parts_conflict(struct slice parts);

/* The parts as text: "#5(1448), #7(60)". */
void tcp_list_parts(struct buf *out, struct slice parts);

/* What the layer above makes of a run of bytes, by the headers of its records alone. */
struct tcp_wish {
    uint32_t offset; /* where the incomplete record begins; the run's length when there is none */
    uint32_t more;   /* bytes that it lacks; 0: nothing; TCP_NEXT_SEGMENT: whatever comes next */
};
#define TCP_NEXT_SEGMENT UINT32_MAX

/* CONTEXT is what tcp_reassemble() was given. */
typedef struct tcp_wish tcp_scan(void *context, const struct flow *f, struct slice bytes);

/* A direction whose bytes cannot be told apart: its beginning, or something in its middle, is missing. */
struct tcp_lost {
    bool is_lost;
    bool has_next;   /* a record may begin at `next` */
    uint32_t next;   /* sequence number */
    uint32_t passed; /* bytes gone through in vain */
};

/* Where in BYTES, from sequence number SEQ on, something can be read again; their length when nowhere. */
typedef uint32_t tcp_resume(void *context, const struct flow *f, struct tcp_lost *lost,
                            struct slice bytes, uint32_t seq);

struct tcp_run {
    struct slice bytes; /* what is read now, and the beginning of what waits */
    uint32_t offset;    /* of `bytes` in the segment's payload, when they are not joined */
    bool joined;        /* of several segments: a source of its own, made of plan->parts */
    bool stray;         /* the byte of a keep-alive behind the stream's end: none of its bytes */
    bool idle;          /* the layer above was asked and needs more before it can say anything */
    uint32_t missing;   /* bytes after the last that were not captured */
    uint32_t lost;      /* bytes of the stream before the first that nobody read */
};

/* Bytes of the segment that are not read where they lie. */
struct tcp_waiting {
    uint32_t offset, len; /* in the payload */
    bool repeated;        /* they were seen before */
};

struct tcp_plan {
    struct tcp_run runs[2];
    struct tcp_waiting waiting[2];
    unsigned run_count, waiting_count;
    struct slice parts;  /* array of struct tcp_part, of the joined run */
    bool segment_of_pdu; /* the segment gave nothing to read but beginnings or middles */
};

/* Bytes that wait for more, and where they came from. */
struct tcp_gathered {
    struct buf bytes;
    struct buf parts; /* array of struct tcp_part */
    unsigned repeats; /* of them, those that repeat bytes */
};

#define TCP_POOL 16

/* Where gathered bytes come from and go back to.  One for each engine. */
struct tcp_pool {
    struct tcp_gathered *idle[TCP_POOL];
    struct tcp_gathered *lent; /* to the plan of the last segment */
    unsigned idle_count;
    size_t held;   /* bytes of early segments, of all connections */
    bool is_share; /* another pool may hold as many */
};

void tcp_pool_free(struct tcp_pool *pool);
/* Empty, to be given back; NULL when there is no memory. */
struct tcp_gathered *tcp_pool_take(struct tcp_pool *pool);
/* Takes *GATHERED back, NULL too, and makes it NULL. */
void tcp_pool_give(struct tcp_pool *pool, struct tcp_gathered **gathered);
/* Adds bytes that FRAME brought; nothing when there are none. */
void tcp_gather(struct tcp_gathered *to, struct slice bytes, uint32_t frame);
/* Adds a segment that lies at AT, not behind the end: what is new of it; all of it becomes a part.  STRAY: bytes that repeat others may differ. */
void tcp_gather_again(struct tcp_gathered *to, uint32_t at, struct slice segment, uint32_t frame,
                      bool stray);
/* Adds the PARTS of bytes that begin FROM bytes later. */
void tcp_keep_parts(struct tcp_gathered *to, struct slice parts, uint32_t from);

/* Whether segments of the direction wait for a hole to be filled. */
bool tcp_holds(const struct flow *f, int direction);
/* Follows one segment with a payload; without one while tcp_holds(): a hole may be given up then.  RESUME may be NULL: then nobody looks for a new beginning.  PLAN is good until the next call with the same pool. */
void tcp_reassemble(struct flow_table *table, struct tcp_pool *pool, struct flow *f,
                    const struct tcp_facts *facts, uint32_t frame, tcp_scan *scan,
                    tcp_resume *resume, void *context, struct tcp_plan *plan);
/* Frees what the flow holds. */
void tcp_reassembly_free(struct tcp_pool *pool, struct flow *f);

/* Whether all that the sender of the segment sent was handed out, this segment included. */
bool tcp_all_read(const struct flow *f, const struct tcp_facts *facts);

#endif
