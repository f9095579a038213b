#include "stream/reassembly.h"

#include "stream/tcp.h"

#include <stdlib.h>

#define MAX_HELD      ((size_t)1 << 22) /* bytes of one direction that wait for a hole to be filled */
#define MAX_ALL       ((size_t)1 << 26)   /* of all connections */
#define GIVE_UP_BYTES 4096                /* held behind a hole that was acknowledged */
#define MAX_LOST      ((uint32_t)1 << 20) /* bytes searched for a new beginning */

/* A segment that came before its turn. */
struct held {
    struct held *next; /* higher sequence number */
    uint32_t seq, len, frame;
    uint8_t bytes[];
};

/* One direction of one connection. */
struct tcp_reassembly {
    struct tcp_gathered *waiting; /* the record that is not complete; NULL: none */
    struct held *held;
    uint32_t held_bytes;
    uint32_t end;      /* the waiting record ends before this sequence number, as far as is known */
    uint32_t next_seq; /* the first byte that was not seen */
    uint32_t unread;   /* bytes that were passed over since the last run */
    struct tcp_lost lost;
    uint32_t cut_end;  /* where a record ends of which the capture has not all bytes */
    bool is_cut;       /* `cut_end` is ahead */
    bool next_segment; /* all of the next segment belongs to the waiting record */
    bool ended;        /* sent its FIN */
    uint32_t fin_seq;  /* the number of it */
};

/* One call of tcp_reassemble(). */
struct turn {
    struct tcp_pool *pool;
    struct tcp_reassembly *r;
    struct tcp_plan *plan;
    const struct flow *flow;
    tcp_scan *scan;
    tcp_resume *resume;
    void *context;
    struct slice payload;
    uint32_t frame, seq, next;
    uint32_t again; /* bytes before `seq` that the waiting record has already */
    bool stray;     /* a keep-alive: its byte is none of the stream's (RFC 9293 3.8.4) */
};

static void drop_waiting(struct tcp_pool *pool, struct tcp_reassembly *r)
{
    tcp_pool_give(pool, &r->waiting);
    r->next_segment = false;
}

static void drop_first_held(struct tcp_pool *pool, struct tcp_reassembly *r)
{
    struct held *h = r->held;
    r->held = h->next;
    r->held_bytes -= h->len;
    pool->held -= h->len;
    free(h);
}

bool tcp_holds(const struct flow *f, int direction)
{
    const struct tcp_reassembly *r = f->side_data[direction];
    return r && r->held;
}

void tcp_reassembly_free(struct tcp_pool *pool, struct flow *f)
{
    for (size_t i = 0; i < 2; i++) {
        struct tcp_reassembly *r = f->side_data[i];
        if (!r)
            continue;
        drop_waiting(pool, r);
        while (r->held)
            drop_first_held(pool, r);
    }
}

/* What waits is dropped: nobody is going to read it. */
static void lose_waiting(struct tcp_pool *pool, struct tcp_reassembly *r)
{
    r->unread += r->waiting ? (uint32_t)r->waiting->bytes.len : 0;
    drop_waiting(pool, r);
}

static void wait_bytes(const struct turn *t, uint32_t offset, uint32_t len, bool repeated)
{
    if (len > 0)
        t->plan->waiting[t->plan->waiting_count++] =
            (struct tcp_waiting){.offset = offset, .len = len, .repeated = repeated};
}

/* Begins to wait for the rest of the record whose first bytes are BYTES. */
static void start_waiting(const struct turn *t, struct slice bytes)
{
    tcp_pool_give(t->pool, &t->r->waiting); /* what was announced longer than it became */
    t->r->waiting = tcp_pool_take(t->pool);
    if (t->r->waiting)
        tcp_gather(t->r->waiting, bytes, t->frame);
}

/* Lacking MORE bytes after all that was seen. */
static void expect(struct tcp_reassembly *r, uint32_t more)
{
    r->next_segment = more == TCP_NEXT_SEGMENT;
    r->end = r->next_seq + (r->next_segment ? 1 : more);
}

/* The waiting record is complete, as far as was known: lends it to the plan. */
static void hand_over(const struct turn *t, uint32_t len)
{
    struct tcp_reassembly *r = t->r;
    struct tcp_pool *pool = t->pool;
    struct slice bytes = buf_slice(&r->waiting->bytes);
    struct tcp_wish wish = t->scan(t->context, t->flow, bytes);
    struct tcp_run *run = &t->plan->runs[t->plan->run_count++];
    wait_bytes(t, (uint32_t)t->payload.len - (t->next - t->seq) - t->again, len + t->again, false);
    *run = (struct tcp_run){.bytes = bytes, .joined = true};
    if (wish.more > 0 && wish.offset == 0) {
        run->idle = true;
        t->plan->segment_of_pdu = true;
        expect(r, wish.more);
        return;
    }
    tcp_pool_give(pool, &pool->lent);
    pool->lent = r->waiting;
    r->waiting = NULL;
    r->next_segment = false;
    t->plan->parts = buf_slice(&pool->lent->parts);
    if (wish.more == 0)
        return;
    r->waiting = tcp_pool_take(pool);
    if (r->waiting) {
        buf_slice_put(&r->waiting->bytes, slice_sub(bytes, wish.offset, SIZE_MAX));
        tcp_keep_parts(r->waiting, t->plan->parts, wish.offset);
        expect(r, wish.more);
    }
}

/* Looks for something to read in BYTES from number SEQ on: how many bytes are to be passed over. */
static uint32_t find_again(const struct turn *t, struct slice bytes, uint32_t seq)
{
    struct tcp_lost *lost = &t->r->lost;
    uint32_t len = (uint32_t)bytes.len;
    if (!lost->is_lost || !t->resume)
        return 0;
    uint32_t passed = t->resume(t->context, t->flow, lost, bytes, seq);
    lost->is_lost = passed == len && lost->passed < MAX_LOST;
    lost->passed = lost->is_lost ? lost->passed + len : 0;
    return passed;
}

/* Reads what is left of the payload where it lies. */
static void read_in_place(struct turn *t)
{
    uint32_t before = t->next - t->seq, from = (uint32_t)t->payload.len - before;
    uint32_t passed = find_again(t, slice_sub(t->payload, from, before), t->seq);
    if (passed > 0) {
        t->plan->runs[t->plan->run_count++] =
            (struct tcp_run){.bytes = slice_sub(t->payload, from, passed), .offset = from};
        t->seq += passed;
        if (passed == before)
            return;
    }
    uint32_t left = t->next - t->seq, offset = (uint32_t)t->payload.len - left;
    struct slice bytes = slice_sub(t->payload, offset, left);
    struct tcp_wish wish = t->scan(t->context, t->flow, bytes);
    t->plan->runs[t->plan->run_count++] = (struct tcp_run){
        .bytes = bytes, .offset = offset, .idle = wish.more > 0 && wish.offset == 0};
    if (wish.more == 0)
        return;
    struct slice rest = slice_sub(bytes, wish.offset, SIZE_MAX);
    wait_bytes(t, offset + wish.offset, (uint32_t)rest.len, false);
    t->plan->segment_of_pdu |= wish.offset == 0 && t->plan->run_count == 1;
    start_waiting(t, rest);
    expect(t->r, wish.more);
}

/* Keeps LEN bytes of the segment from OFFSET on until the hole before them is filled. */
static bool hold_bytes(const struct turn *t, uint32_t offset, uint32_t len)
{
    struct tcp_reassembly *r = t->r;
    struct held **place = &r->held;
    uint32_t seq = t->seq + offset;
    while (*place && !seq_above((*place)->seq, seq))
        place = &(*place)->next;
    struct held *h = malloc(sizeof *h + len);
    if (!h)
        return false;
    *h = (struct held){.next = *place, .seq = seq, .len = len, .frame = t->frame};
    struct slice bytes = slice_sub(t->payload, offset, len);
    slice_read(&bytes, h->bytes, len);
    *place = h;
    r->held_bytes += len;
    t->pool->held += len;
    wait_bytes(t, offset, len, false);
    return true;
}

/* Keeps a segment until the hole before it is filled, in two pieces where the waiting record ends in it; false when
 * there is no room. */
static bool hold(const struct turn *t)
{
    const struct tcp_reassembly *r = t->r;
    uint32_t len = (uint32_t)t->payload.len, first = len;
    if (r->held_bytes + len > MAX_HELD ||
        t->pool->held + len > (t->pool->is_share ? MAX_ALL / 2 : MAX_ALL))
        return false;
    if (r->waiting && !r->next_segment && seq_above(r->end, t->seq) && seq_below(r->end, t->next))
        first = r->end - t->seq;
    return hold_bytes(t, 0, first) && (first == len || hold_bytes(t, first, len - first));
}

/* Joins what was held and follows without a hole. */
static void join_held(const struct turn *t)
{
    struct tcp_reassembly *r = t->r;
    while (r->held && !seq_above(r->held->seq, r->next_seq)) {
        const struct held *h = r->held;
        struct slice bytes = slice_of(h->bytes, h->len);
        uint32_t seen = r->next_seq - h->seq, waiting = (uint32_t)r->waiting->bytes.len;
        if (seen <= waiting)
            tcp_gather_again(r->waiting, waiting - seen, bytes, h->frame, false);
        else if (seen < h->len)
            tcp_gather(r->waiting, slice_sub(bytes, seen, SIZE_MAX), h->frame);
        if (seen < h->len)
            r->next_seq = h->seq + h->len;
        drop_first_held(t->pool, r);
    }
}

static bool fills_hole(const struct turn *t)
{
    return t->r->held && !seq_above(t->r->held->seq, t->next);
}

/* Gives LEN bytes of the payload from OFFSET on to the record that waits, and those before them that it has already. */
static void gather(const struct turn *t, uint32_t offset, uint32_t len)
{
    struct tcp_gathered *to = t->r->waiting;
    tcp_gather_again(to, (uint32_t)to->bytes.len - t->again,
                     slice_sub(t->payload, offset - t->again, len + t->again), t->frame, t->stray);
}

/* A segment whose bytes follow those seen before. */
static void in_order(struct turn *t)
{
    struct tcp_reassembly *r = t->r;
    uint32_t len = t->next - t->seq, offset = (uint32_t)t->payload.len - len;
    t->again = r->waiting && offset <= r->waiting->bytes.len ? offset : 0;
    if (fills_hole(t)) {
        bool knows_end = r->waiting && !r->next_segment;
        if (!r->waiting)
            start_waiting(t, slice_empty());
        if (!r->waiting)
            return;
        gather(t, offset, len);
        join_held(t);
        if (knows_end && seq_below(r->next_seq, r->end)) {
            wait_bytes(t, offset - t->again, len + t->again, false);
            t->plan->segment_of_pdu = true;
        } else {
            hand_over(t, len);
        }
        return;
    }
    if (r->waiting) {
        uint32_t lacks = r->end - t->seq, take = r->next_segment || lacks > len ? len : lacks;
        gather(t, offset, take);
        if (!r->next_segment && take < lacks) {
            wait_bytes(t, offset - t->again, len + t->again, false);
            t->plan->segment_of_pdu = true;
            return;
        }
        hand_over(t, take);
        t->seq += take;
    }
    if (t->seq != t->next)
        read_in_place(t);
}

/* Without waiting for anything. */
static void read_alone(const struct turn *t)
{
    uint32_t left = t->next - t->seq, offset = (uint32_t)t->payload.len - left;
    t->plan->runs[t->plan->run_count++] =
        (struct tcp_run){.bytes = slice_sub(t->payload, offset, left), .offset = offset};
}

/* The receiver has acknowledged what is missing here, and much came after it, or, in TLS, nothing more
 * will: it was not captured. */
static bool is_given_up(const struct turn *t, const struct tcp_facts *facts)
{
    const struct held *h = t->r->held;
    uint32_t acknowledged = t->flow->side[!facts->direction].last_ack;
    if (!t->resume || !h || acknowledged == 0 || !seq_below(t->r->next_seq, h->seq))
        return false;
    return (t->r->ended && t->flow->tls && !seq_below(acknowledged, h->seq)) ||
           (h->next && t->r->held_bytes >= GIVE_UP_BYTES && !seq_below(acknowledged, t->seq));
}

/* Goes on behind the hole, with all that was held, where a record begins. */
static void resume_held(struct turn *t)
{
    struct tcp_reassembly *r = t->r;
    lose_waiting(t->pool, r);
    r->unread += r->held->seq - r->next_seq;
    r->next_seq = r->held->seq;
    r->lost = (struct tcp_lost){.is_lost = true};
    uint32_t first = r->next_seq;
    start_waiting(t, slice_empty());
    struct tcp_gathered *found = r->waiting ? tcp_pool_take(t->pool) : NULL;
    if (!found)
        return;
    join_held(t);
    struct slice bytes = buf_slice(&r->waiting->bytes);
    uint32_t passed = find_again(t, bytes, first);
    r->unread += passed;
    buf_slice_put(&found->bytes, slice_sub(bytes, passed, SIZE_MAX));
    tcp_keep_parts(found, buf_slice(&r->waiting->parts), passed);
    drop_waiting(t->pool, r);
    uint32_t len = (uint32_t)t->payload.len;
    if (passed == bytes.len) {
        tcp_pool_give(t->pool, &found);
        wait_bytes(t, 0, len, false);
        return;
    }
    r->waiting = found;
    if (seq_below(r->next_seq, t->next)) { /* another hole before this segment */
        wait_bytes(t, 0, len, false);
        len = 0;
    }
    hand_over(t, len);
}

/* The hole is not going to be filled, or there is no room to wait for it: goes on behind it. */
static void skip_hole(struct turn *t, bool alone)
{
    lose_waiting(t->pool, t->r);
    while (t->r->held)
        drop_first_held(t->pool, t->r);
    if (seq_above(t->seq, t->r->next_seq))
        t->r->unread += t->seq - t->r->next_seq;
    t->r->next_seq = t->next;
    t->r->lost = (struct tcp_lost){.is_lost = true};
    if (alone)
        read_alone(t);
    else
        read_in_place(t);
}

/* Where the record ends that goes on behind a segment which was not captured whole, as far as it is known. */
static void note_cut(struct turn *t, const struct tcp_facts *facts)
{
    struct tcp_reassembly *r = t->r;
    uint32_t end = t->seq + facts->len;
    if (seq_above(t->seq, r->next_seq)) {
        r->is_cut = false;
        return;
    }
    if (r->waiting && !r->next_segment) {
        r->cut_end = r->end;
    } else if (!r->is_cut && !r->waiting) {
        struct tcp_wish wish = t->scan(t->context, t->flow, t->payload);
        bool known = wish.more > 0 && wish.more != TCP_NEXT_SEGMENT;
        r->cut_end = t->seq + (uint32_t)t->payload.len + (known ? wish.more : 0);
    }
    r->is_cut = seq_above(r->cut_end, end);
}

/* The rest of a record of which bytes were not captured: true when that is all of the segment. */
static bool pass_cut(struct turn *t, bool alone)
{
    struct tcp_reassembly *r = t->r;
    uint32_t begin = r->next_seq, left = t->next - begin;
    if (!r->is_cut || alone || seq_above(t->seq, begin))
        return false;
    uint32_t rest = r->cut_end - begin, passed = rest < left ? rest : left;
    r->is_cut = passed < rest;
    wait_bytes(t, (uint32_t)t->payload.len - left, passed, false);
    r->next_seq = begin + passed;
    t->plan->segment_of_pdu = passed == left;
    return passed == left;
}

/* A segment that was not captured whole cannot be joined to anything. */
static void read_cut(struct turn *t, const struct tcp_facts *facts)
{
    note_cut(t, facts);
    lose_waiting(t->pool, t->r);
    if (seq_above(t->seq, t->r->next_seq))
        t->r->unread += t->seq - t->r->next_seq;
    t->plan->runs[t->plan->run_count++] =
        (struct tcp_run){.bytes = t->payload, .missing = facts->len - (uint32_t)t->payload.len};
    if (!seq_below(t->seq + facts->len, t->r->next_seq))
        t->r->next_seq = t->seq + facts->len;
}

/* Whether the SYN of the segment's sender was seen: what precedes the first data is then known to be missing. */
static bool began(const struct flow *f, const struct tcp_facts *facts)
{
    bool server = f->server_port != 0 && f->server_port == facts->source_port;
    return f->completeness & (server ? TCP_SAW_SYN_ACK : TCP_SAW_SYN);
}

static struct tcp_reassembly *side_of(struct flow_table *table, struct flow *f,
                                      const struct tcp_facts *facts)
{
    int direction = facts->direction;
    struct tcp_reassembly *r = f->side_data[direction];
    if (!r && (r = arena_zalloc(&table->arena, sizeof *r))) {
        r->lost.is_lost = !began(f, facts);
        r->next_seq = r->lost.is_lost ? facts->seq_raw : f->side[direction].base_seq + 1;
        f->side_data[direction] = r;
    }
    return r;
}

/* Bytes of the record that waits come again: they are parts of it, as the first ones are. */
static bool repeats_waiting(struct turn *t)
{
    struct tcp_reassembly *r = t->r;
    uint32_t behind = r->next_seq - t->seq;
    if (!r->waiting || behind > r->waiting->bytes.len)
        return false;
    tcp_gather_again(r->waiting, (uint32_t)r->waiting->bytes.len - behind, t->payload, t->frame,
                     t->stray);
    t->plan->segment_of_pdu = true;
    return true;
}

/* A keep-alive whose byte has the number of the FIN; known without the analysis, which not all ask for. */
static bool repeats_fin(const struct tcp_reassembly *r, const struct tcp_facts *facts)
{
    return r->ended && facts->seq_raw == r->fin_seq && facts->len == 1 &&
           !(facts->flags & (TCP_SYN | TCP_FIN | TCP_RST)) && !facts->options_of->no_analysis;
}

static void take_segment(struct turn *t, const struct tcp_facts *facts)
{
    struct tcp_reassembly *r = t->r;
    bool alone = facts->options_of->no_desegment || facts->checksum_state == TCP_SUM_BAD;
    if (r->next_seq == t->seq && repeats_fin(r, facts)) {
        t->plan->runs[t->plan->run_count++] = (struct tcp_run){.bytes = t->payload, .stray = true};
        r->next_seq = t->next; /* from now on it comes again */
        return;
    }
    if (!seq_above(t->next, r->next_seq)) {
        wait_bytes(t, 0, (uint32_t)t->payload.len, alone || !repeats_waiting(t));
    } else if (facts->payload.len < facts->len) {
        read_cut(t, facts);
    } else if (pass_cut(t, alone)) {
        return;
    } else if (seq_above(t->seq, r->next_seq)) {
        bool hopeful = !alone && !facts->options_of->no_reorder;
        if (!alone && !hopeful && r->waiting)
            r->next_seq = t->next;
        else if (!hopeful || !hold(t)) {
            t->plan->waiting_count = 0;
            skip_hole(t, alone);
            return;
        }
        if (hopeful && is_given_up(t, facts)) {
            t->plan->waiting_count = 0;
            resume_held(t);
            return;
        }
        if (t->plan->waiting_count == 0)
            wait_bytes(t, 0, (uint32_t)t->payload.len, false);
        t->plan->segment_of_pdu = true;
    } else {
        t->seq = r->next_seq;
        r->next_seq = t->next;
        if (alone)
            read_alone(t);
        else
            in_order(t);
    }
}

void tcp_reassemble(struct flow_table *table, struct tcp_pool *pool, struct flow *f,
                    const struct tcp_facts *facts, uint32_t frame, tcp_scan *scan,
                    tcp_resume *resume, void *context, struct tcp_plan *plan)
{
    plan->run_count = plan->waiting_count = 0; /* the arrays are filled as far as these say */
    plan->parts = slice_empty();
    plan->segment_of_pdu = false;
    struct turn t = {.pool = pool,
                     .r = side_of(table, f, facts),
                     .plan = plan,
                     .flow = f,
                     .scan = scan,
                     .resume = resume,
                     .context = context,
                     .payload = facts->payload,
                     .frame = frame,
                     .stray = facts->analysis & TCP_A_KEEP_ALIVE,
                     .seq = facts->seq_raw + (facts->flags & TCP_SYN ? 1 : 0),
                     .next = facts->seq_raw + (uint32_t)facts->payload.len};
    t.next += t.seq - facts->seq_raw; /* a SYN takes a number too; data may go with it (RFC 7413) */
    if (!t.r)
        return;
    if (facts->flags & TCP_FIN) {
        t.r->ended = true;
        t.r->fin_seq = facts->seq_raw + facts->len;
    }
    if (t.payload.len > 0)
        take_segment(&t, facts);
    else if (t.r->ended && is_given_up(&t, facts))
        resume_held(&t);
    if (plan->run_count > 0) {
        plan->runs[0].lost = t.r->unread;
        t.r->unread = 0;
    }
}

bool tcp_all_read(const struct flow *f, const struct tcp_facts *facts)
{
    const struct tcp_reassembly *r = f->side_data[facts->direction];
    return r && !r->held && !r->waiting && !r->is_cut && r->next_seq == facts->seq_raw + facts->len;
}
