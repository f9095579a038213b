#include "stream/tcp_repeats.h"

#include "stream/tcp.h"

#include <stdlib.h>

#define SPACE   ((uint32_t)2 << 20) /* bytes kept */
#define ENTRIES 4096

struct entry {
    uint64_t flow_and_way; /* tcp.stream and direction; UINT64_MAX: none */
    uint32_t seq, len, frame;
    uint32_t at;     /* in `bytes` */
    uint64_t passed; /* bytes written to the ring before it */
};

struct tcp_repeats {
    uint64_t written; /* bytes ever */
    uint64_t count;   /* entries ever */
    struct entry entries[ENTRIES];
    uint8_t bytes[SPACE];
};

struct tcp_repeats *tcp_repeats_new(void)
{
    return calloc(1, sizeof(struct tcp_repeats));
}

void tcp_repeats_free(struct tcp_repeats *r)
{
    free(r);
}

/* Bytes OFFSET… of the entry: they lie in one piece. */
static struct slice kept(const struct tcp_repeats *r, const struct entry *e, uint32_t offset,
                         uint32_t len)
{
    return slice_sub(slice_of(r->bytes, SPACE), e->at + offset, len);
}

/* First byte in which two runs differ; their length when they do not. */
static uint32_t first_difference(struct slice a, struct slice b)
{
    uint32_t at = 0;
    if (slice_equal(a, b))
        return (uint32_t)a.len;
    while (at < a.len && at < b.len && slice_at(a, at) == slice_at(b, at))
        at++;
    return at;
}

static void compare(const struct tcp_repeats *r, const struct entry *e, struct tcp_facts *facts,
                    uint32_t seq)
{
    uint32_t len = (uint32_t)facts->payload.len;
    uint32_t from = seq_above(e->seq, seq) ? e->seq : seq;
    uint32_t to = seq_below(e->seq + e->len, seq + len) ? e->seq + e->len : seq + len;
    if (!seq_above(to, from))
        return;
    struct slice mine = slice_sub(facts->payload, from - seq, to - from);
    uint32_t same = first_difference(mine, kept(r, e, from - e->seq, to - from));
    if (same == to - from)
        return;
    facts->conflict_frame = e->frame;
    facts->conflict_offset = from - seq + same;
    facts->conflict_len = to - from - same;
}

static void keep(struct tcp_repeats *r, uint64_t flow_and_way, struct slice payload, uint32_t seq,
                 uint32_t frame)
{
    uint32_t len = (uint32_t)payload.len, at = (uint32_t)(r->written % SPACE);
    if (len > SPACE / 4)
        return;
    if (at + len > SPACE) { /* no payload goes around the end */
        r->written += SPACE - at;
        at = 0;
    }
    r->entries[r->count++ % ENTRIES] = (struct entry){.flow_and_way = flow_and_way,
                                                      .seq = seq,
                                                      .len = len,
                                                      .frame = frame,
                                                      .at = at,
                                                      .passed = r->written};
    slice_read(&payload, r->bytes + at, len);
    r->written += len;
}

void tcp_repeats_check(struct tcp_repeats *r, const struct flow *f, struct tcp_facts *facts,
                       uint32_t seq, uint32_t frame)
{
    uint64_t way = (uint64_t)f->stream << 1 | (unsigned)facts->direction;
    uint32_t len = (uint32_t)facts->payload.len;
    /* The byte of a keep-alive is none of the stream's (RFC 9293 3.8.4). */
    if (len == 0 || facts->analysis & TCP_A_KEEP_ALIVE)
        return;
    uint64_t oldest = r->count > ENTRIES ? r->count - ENTRIES : 0;
    bool behind = facts->analysis & (TCP_A_ANY_RETRANSMISSION | TCP_A_OUT_OF_ORDER) ||
                  seq_below(seq, f->side[facts->direction].next_seq - len);
    for (uint64_t i = r->count; behind && i > oldest && facts->conflict_frame == 0; i--) {
        const struct entry *e = &r->entries[(i - 1) % ENTRIES];
        if (r->written - e->passed > SPACE)
            break;
        if (e->flow_and_way != way)
            continue;
        compare(r, e, facts, seq);
        if (!seq_above(e->seq, seq) && !seq_below(e->seq + e->len, seq + len))
            break; /* all of it was there: what came before was compared with that */
    }
    keep(r, way, facts->payload, seq, frame);
}
