#include "stream/tcp_analysis.h"

#define MILLISECOND          INT64_C(1000000)
#define FAST_RETRANSMIT_TIME (20 * MILLISECOND)
#define REORDER_TIME         (3 * MILLISECOND) /* when the round-trip time is not known */
#define MAX_FLIGHT           2000000000u       /* a larger number is a sign of wrong bookkeeping */

/* One segment being judged. */
struct judged {
    struct flow_table *table;
    struct flow *flow;
    struct tcp_facts *facts;
    struct tcp_side *own, *peer;
    uint32_t seq, ack, len, window, frame;
    int64_t time;
    bool syn_or_fin, control; /* SYN or FIN; SYN, FIN or RST */
};

static void mark(struct judged *j, uint32_t flag)
{
    j->facts->analysis |= flag;
    j->facts->has_analysis = true;
}

static bool marked(const struct judged *j, uint32_t flag)
{
    return (j->facts->analysis & flag) != 0;
}

/* Relative numbers start at 1 unless the SYN was seen. */
static void set_bases(struct tcp_side *own, struct tcp_side *peer, const struct tcp_facts *facts)
{
    if (!own->has_base) {
        own->base_seq = facts->flags & TCP_SYN ? facts->seq_raw : facts->seq_raw - 1;
        own->has_base = true;
    }
    if (!peer->has_base && (facts->flags & TCP_ACK)) {
        peer->base_seq = facts->ack_raw - 1;
        peer->has_base = true;
    }
    if (facts->flags & TCP_ACK)
        peer->valid_flight = true;
}

void tcp_follow(struct flow *flow, const struct tcp_facts *facts)
{
    struct tcp_side *own = &flow->side[facts->direction], *peer = &flow->side[!facts->direction];
    set_bases(own, peer, facts);
    own->last_ack = facts->ack_raw;
}

/* An empty segment that says nothing new, except perhaps its window. */
static bool repeats_ack(const struct judged *j)
{
    return j->len == 0 && j->seq == j->own->next_seq && j->ack == j->own->last_ack && !j->control;
}

static bool fills_window(const struct judged *j)
{
    const struct tcp_side *peer = j->peer;
    if (j->len == 0 || j->control || peer->shift == TCP_SCALE_UNKNOWN)
        return false;
    unsigned shift = peer->first_ack || peer->shift < 0 ? 0 : (unsigned)peer->shift;
    return j->seq + j->len == peer->last_ack + (peer->window << shift);
}

/* An acknowledgment that carries news of multipath TCP says nothing of losses (RFC 8684 4). */
static bool is_signal(const struct tcp_facts *facts)
{
    return facts->signals && !facts->options_of->no_multipath;
}

static void judge_duplicate_ack(struct judged *j)
{
    j->own->dupacks = j->own->dupacks == -1 ? 1 : j->own->dupacks + 1;
    mark(j, TCP_A_DUPLICATE_ACK);
    j->facts->dupack_num = (uint32_t)j->own->dupacks;
    j->facts->dupack_frame = j->own->last_nondup_frame;
}

/* What the segment is by its place and window.  Probes and the answers to them end the questions.
 */
static void judge_place(struct judged *j)
{
    struct tcp_side *own = j->own, *peer = j->peer;
    if (j->len == 1 && j->seq == own->next_seq && peer->window == 0) {
        mark(j, TCP_A_ZERO_WINDOW_PROBE);
        return;
    }
    if (j->window == 0 && !j->control)
        mark(j, TCP_A_ZERO_WINDOW);
    if (own->next_seq && seq_above(j->seq, own->next_seq) && !(j->facts->flags & TCP_RST)) {
        mark(j, TCP_A_LOST_SEGMENT);
        own->valid_flight = false;
    }
    if (j->len <= 1 && j->seq == own->next_seq - 1 && !j->control)
        mark(j, TCP_A_KEEP_ALIVE);
    bool repeats = repeats_ack(j), same_window = j->window == own->window;
    if (repeats && j->window && !same_window)
        mark(j, TCP_A_WINDOW_UPDATE);
    if (fills_window(j))
        mark(j, TCP_A_WINDOW_FULL);
    if (!repeats || !same_window)
        return;
    if (j->window && (peer->last_flags & TCP_A_KEEP_ALIVE))
        mark(j, TCP_A_KEEP_ALIVE_ACK);
    else if (!j->window && (peer->last_flags & TCP_A_ZERO_WINDOW_PROBE))
        mark(j, TCP_A_ZERO_WINDOW_PROBE_ACK);
    else if (j->window && !is_signal(j->facts))
        judge_duplicate_ack(j);
}

/* Bytes acknowledged that the capture never saw; said once for each hole.  When the acknowledgment
 * goes past all that was seen, it is said again only after the peer has acknowledged something new.
 */
static void judge_ack(struct judged *j)
{
    struct tcp_side *peer = j->peer;
    if (j->ack != j->own->last_ack) {
        j->own->last_nondup_frame = j->frame;
        j->own->dupacks = 0;
    }
    if (!peer->max_to_be_acked || !(j->facts->flags & TCP_ACK) ||
        !seq_above(j->ack, peer->max_to_be_acked))
        return;
    j->facts->has_analysis = true;
    if (seq_below(peer->max_to_be_acked, peer->next_seq)) {
        peer->max_to_be_acked = peer->next_seq;
        mark(j, TCP_A_ACK_LOST_SEGMENT);
        return;
    }
    if (peer->dupacks == 0)
        mark(j, TCP_A_ACK_LOST_SEGMENT);
    peer->dupacks = -1;
}

static void measure_rto(struct judged *j)
{
    const struct tcp_unacked *oldest = j->own->oldest;
    int64_t since = oldest ? oldest->time : j->own->next_seq_time;
    j->facts->rto = j->time - since;
    j->facts->rto_frame = oldest ? oldest->frame : j->own->next_seq_frame;
    if (j->facts->rto == 0)
        j->facts->rto_frame = 0;
}

static bool is_out_of_order(const struct judged *j)
{
    int64_t limit = j->flow->initial_rtt == TCP_NO_TIME ? REORDER_TIME : j->flow->initial_rtt;
    int64_t since = j->time - j->own->next_seq_time;
    return since >= 0 && since < limit &&
           j->own->next_seq != j->seq + j->len + (j->syn_or_fin ? 1 : 0);
}

static bool is_fast_retransmission(const struct judged *j)
{
    int64_t since = j->time - j->peer->last_ack_time;
    /* -1 (see judge_ack) counts as many. */
    return (uint32_t)j->peer->dupacks >= 2 && j->peer->last_ack == j->seq && since >= 0 &&
           since < FAST_RETRANSMIT_TIME;
}

/* Something that does not move the stream on: was it sent before, or only late? */
static void judge_repetition(struct judged *j)
{
    struct tcp_side *own = j->own;
    if ((j->len == 0 && !j->syn_or_fin) || marked(j, TCP_A_KEEP_ALIVE))
        return;
    bool behind = own->next_seq && seq_below(j->seq, own->next_seq);
    /* The byte of a window probe, sent again with more behind it, is no repetition. */
    if (j->len > 1 && own->next_seq - 1 == j->seq)
        behind = false;
    if (j->len > 0 && j->peer->last_ack && !seq_above(j->seq + j->len, j->peer->last_ack))
        mark(j, TCP_A_SPURIOUS_RETRANSMISSION);
    else if (behind && is_fast_retransmission(j))
        mark(j, TCP_A_FAST_RETRANSMISSION);
    else if (behind && is_out_of_order(j))
        mark(j, TCP_A_OUT_OF_ORDER);
    else if (behind) {
        mark(j, TCP_A_RETRANSMISSION);
        measure_rto(j);
    }
}

/* Keeps the extent of what is in flight current, or has it counted anew when the list has shrunk.
 */
static void extend_flight(struct tcp_side *own, uint32_t seq, uint32_t next_seq)
{
    uint32_t first = seq - own->base_seq, last = next_seq - own->base_seq;
    if (own->unacked_count == 1 && !own->flight_stale) {
        own->flight_first = first;
        own->flight_last = last;
        return;
    }
    if (first < own->flight_first)
        own->flight_first = first;
    if (last > own->flight_last)
        own->flight_last = last;
}

static void remember_sent(struct judged *j)
{
    struct tcp_side *own = j->own;
    uint32_t next_seq = j->seq + j->len;
    if (j->len > 0 || j->syn_or_fin) {
        uint32_t end = next_seq + (j->syn_or_fin ? 1 : 0);
        struct tcp_unacked sent = {
            .time = j->time, .frame = j->frame, .seq = j->seq, .next_seq = end};
        if (flow_unacked_add(j->table, own, sent)) {
            extend_flight(own, j->seq, end);
            own->swept = false;
            next_seq = end;
        }
    }
    bool probe = marked(j, TCP_A_ZERO_WINDOW_PROBE);
    if ((!own->next_seq || seq_above(next_seq, own->next_seq)) && !probe) {
        own->next_seq = next_seq;
        own->next_seq_frame = j->frame;
        own->next_seq_time = j->time;
    }
    if ((!own->max_to_be_acked || j->seq == own->max_to_be_acked) && !probe)
        own->max_to_be_acked = own->next_seq;
    own->window = j->window;
    own->last_ack = j->ack;
    own->last_ack_time = j->time;
    own->last_flags = j->facts->analysis;
}

/* Takes what this segment acknowledges off the peer's list. */
static void sweep_acked(struct judged *j)
{
    struct tcp_side *peer = j->peer;
    if (peer->swept && peer->last_ack_tried == j->ack)
        return;
    struct tcp_unacked *previous = NULL, *next;
    for (struct tcp_unacked *u = peer->oldest; u; u = next) {
        next = u->next;
        bool exact = j->ack == u->next_seq;
        if (exact && !j->facts->acks_frame) {
            j->facts->acks_frame = u->frame;
            j->facts->ack_rtt = j->time - u->time;
            j->facts->has_analysis = true;
        }
        if (!exact && seq_above(u->next_seq, j->ack)) {
            if (seq_above(j->ack, u->seq)) {
                u->seq = j->ack;
                peer->flight_stale = true;
            }
            previous = u;
            continue;
        }
        *(previous ? &previous->next : &peer->oldest) = next;
        if (peer->youngest == u)
            peer->youngest = previous;
        peer->unacked_count--;
        peer->flight_stale = true;
        flow_unacked_free(j->table, u);
    }
    peer->swept = true;
    peer->last_ack_tried = j->ack;
}

static uint32_t flight_of(struct tcp_side *own)
{
    if (own->flight_stale) {
        own->flight_first = UINT32_MAX;
        own->flight_last = 0;
        for (const struct tcp_unacked *u = own->oldest; u; u = u->next) {
            uint32_t first = u->seq - own->base_seq, last = u->next_seq - own->base_seq;
            own->flight_first = first < own->flight_first ? first : own->flight_first;
            own->flight_last = last > own->flight_last ? last : own->flight_last;
        }
        own->flight_stale = false;
    }
    return own->flight_last - own->flight_first;
}

static void measure_flight(struct judged *j)
{
    struct tcp_side *own = j->own;
    if (j->len == 0 || !own->oldest || !own->valid_flight)
        return;
    uint32_t flight = flight_of(own) - j->peer->sacked;
    /* The count goes on through the segment with PSH and starts again after it. */
    bool push = j->facts->flags & TCP_PSH;
    own->push_bytes = own->push_last ? j->len : own->push_bytes + j->len;
    own->push_last = push;
    j->facts->has_analysis = true;
    if (flight == 0 || flight >= MAX_FLIGHT)
        return;
    j->facts->bytes_in_flight = flight - (j->syn_or_fin ? 1 : 0);
    j->facts->push_bytes_sent = own->push_bytes;
}

void tcp_analyze(struct flow_table *table, struct flow *flow, struct tcp_facts *facts,
                 uint32_t frame, int64_t time)
{
    struct judged j = {.table = table,
                       .flow = flow,
                       .facts = facts,
                       .own = &flow->side[facts->direction],
                       .peer = &flow->side[!facts->direction],
                       .seq = facts->seq_raw,
                       .ack = facts->ack_raw,
                       .len = facts->len,
                       .window = facts->window_raw,
                       .frame = frame,
                       .time = time,
                       .syn_or_fin = facts->flags & (TCP_SYN | TCP_FIN),
                       .control = facts->flags & (TCP_SYN | TCP_FIN | TCP_RST)};
    set_bases(j.own, j.peer, facts);
    judge_place(&j);
    judge_ack(&j);
    judge_repetition(&j);
    remember_sent(&j);
    sweep_acked(&j);
    measure_flight(&j);
}
