#include "stream/tcp.h"

#include "base/sum.h"

#include "stream/multipath.h"
#include "stream/tcp_analysis.h"
#include "stream/tcp_options.h"

#define MIN_HEADER      20
#define PROTOCOL_TCP    6
#define FOLLOWED_HEADER 16 /* up to the window: enough to follow the stream */
#define MAX_SHIFT       14 /* RFC 7323 2.3 */

static void read_sack(struct slice value, struct tcp_facts *out)
{
    out->sack_count = 0;
    while (value.len >= 8 && out->sack_count < TCP_MAX_SACK_BLOCKS) {
        struct tcp_sack_block *block = &out->sack[out->sack_count++];
        block->left = slice_u32(&value);
        block->right = slice_u32(&value);
    }
}

static void read_option(struct tcp_option option, struct tcp_facts *out)
{
    struct slice value = option.value;
    switch (option.kind) {
    case TCP_OPTION_MSS:
        out->has_mss = true;
        if (option.len == 4)
            out->mss = slice_u16(&value);
        break;
    case TCP_OPTION_WSCALE:
        if (option.len == 3) {
            out->has_wscale = true;
            out->wscale = slice_u8(&value);
        }
        break;
    case TCP_OPTION_SACK_PERM:
        out->has_sack_perm = true;
        break;
    case TCP_OPTION_SACK:
        read_sack(value, out);
        break;
    case TCP_OPTION_TIMESTAMPS:
        if (option.len == 10) {
            out->has_timestamps = true;
            out->tsval = slice_u32(&value);
            out->tsecr = slice_u32(&value);
        }
        break;
    case TCP_OPTION_RIVERBED_PROBE:
        if (option.len >= 10 && slice_at(value, 0) == 0x01)
            out->device = "S+, ";
        else if (option.len >= 14 && slice_at(value, 0) == 0x11)
            out->device = "SA+, ";
        break;
    case TCP_OPTION_RIVERBED_PATH:
        out->device = "TRPY, ";
        break;
    case TCP_OPTION_MULTIPATH:
        out->has_multipath = true;
        out->signals |= value.len > 0 && slice_at(value, 0) >> 4 != MULTIPATH_DSS;
        break;
    case TCP_OPTION_FAST_OPEN:
        out->has_cookie = option.len > 2;
        break;
    case TCP_OPTION_EXPERIMENT_1:
    case TCP_OPTION_EXPERIMENT_2:
        if (slice_u16(&value) == TCP_EXPERIMENT_FAST_OPEN)
            out->has_cookie = option.len > 4;
        break;
    default:
        break;
    }
}

/* What nearly all segments carry, laid out as RFC 7323 A recommends. */
static bool has_timestamps_alone(struct slice options, struct tcp_facts *out)
{
    const uint32_t head =
        TCP_OPTION_NOP << 24 | TCP_OPTION_NOP << 16 | TCP_OPTION_TIMESTAMPS << 8 | 10;
    if (options.len != 12 || slice_u32(&options) != head)
        return false;
    out->has_timestamps = true;
    out->tsval = slice_u32(&options);
    out->tsecr = slice_u32(&options);
    return true;
}

static void read_options(struct tcp_facts *out)
{
    if (out->options.len == 0 || has_timestamps_alone(out->options, out))
        return;
    struct tcp_option_walk walk = tcp_options_of(out->options, out->options.len);
    struct tcp_option option;
    while (tcp_option_next(&walk, &option) && option.kind != TCP_OPTION_END)
        if (option.fault == TCP_OPTION_FINE)
            read_option(option, out);
}

/* Inline, so that nothing is checked again where all of it is known to be there. */
static inline void read_fixed(struct slice s, struct tcp_facts *out)
{
    out->source_port = slice_u16(&s);
    out->destination_port = slice_u16(&s);
    out->seq = out->seq_raw = slice_u32(&s);
    out->ack = out->ack_raw = slice_u32(&s);
    uint16_t word = slice_u16(&s);
    out->header_len = (uint16_t)((word >> 12) * 4);
    out->flags = word & 0xfff;
    out->window_raw = slice_u16(&s);
    out->window = out->window_raw;
    out->scale = TCP_SCALE_UNKNOWN;
    out->checksum = slice_u16(&s);
    out->urgent = slice_u16(&s);
}

/* Reads the fixed header and cuts the segment into options and payload. */
static void read_header(const struct tcp_input *in, struct tcp_facts *out)
{
    struct slice whole = slice_sub(in->bytes, 0, in->len);
    if (whole.len >= MIN_HEADER)
        read_fixed(slice_of(whole.data, MIN_HEADER), out);
    else
        read_fixed(whole, out);
    size_t header_len = out->header_len < MIN_HEADER ? MIN_HEADER : out->header_len;
    out->captured = (uint32_t)whole.len;
    out->truncated = whole.len < header_len;
    out->bogus_header_len = out->header_len < MIN_HEADER && whole.len >= FOLLOWED_HEADER;
    out->short_segment = in->len < out->header_len;
    out->cut_header = out->truncated && !out->bogus_header_len;
    out->cut_by_capture = whole.len < in->len;
    out->len = out->short_segment ? 0 : in->len - out->header_len;
    out->options = slice_empty();
    out->payload = slice_empty();
    if (out->bogus_header_len)
        return;
    out->options = slice_sub(whole, MIN_HEADER, header_len - MIN_HEADER);
    if (!out->truncated)
        out->payload = slice_sub(whole, header_len, out->len);
    read_options(out);
}

/* The sum over a pseudo header, header and data (RFC 9293 3.1). */
static void verify(const struct tcp_input *in, struct tcp_facts *out)
{
    struct slice whole = slice_sub(in->bytes, 0, in->len);
    size_t size = in->source->kind == ADDRESS_IPV6 ? 16 : 4;
    if (whole.len < in->len || out->truncated || out->bogus_header_len || out->short_segment)
        return;
    uint32_t sum = PROTOCOL_TCP + (in->len >> 16) + (in->len & 0xffff);
    sum = internet_sum(sum, slice_of(in->source->bytes, size));
    sum = internet_sum(sum, slice_of(in->destination->bytes, size));
    uint16_t rest = internet_sum_end(internet_sum(sum, whole));
    out->checksum_right = internet_sum_end((uint32_t)(uint16_t)~rest + (uint16_t)~out->checksum);
    if (rest != 0)
        out->checksum_state = TCP_SUM_BAD;
    else if (out->checksum == 0xffff)
        out->checksum_state = TCP_SUM_FFFF;
    else
        out->checksum_state = TCP_SUM_GOOD;
}

/* A SYN on known ports: is it the same connection (a repeated SYN), or a new one? */
static bool is_new_connection(const struct flow *f, const struct tcp_facts *facts)
{
    const struct tcp_side *own = &f->side[facts->direction];
    return (facts->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN && own->has_base &&
           facts->seq_raw != own->base_seq;
}

static struct flow *find_flow(struct flow_table *table, const struct tcp_input *in,
                              struct tcp_facts *facts)
{
    struct flow_key key = flow_key_of(in->source, in->destination, facts->source_port,
                                      facts->destination_port, &facts->direction);
    struct flow *f = flow_find(table, &key);
    if (f && is_new_connection(f, facts)) {
        facts->analysis |= TCP_A_REUSED_PORTS;
        facts->has_analysis = true;
        f = NULL;
    } else if (f && (facts->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN) {
        struct tcp_side *own = &f->side[facts->direction];
        if (own->has_base) {
            /* A reset may have carried a sequence number far ahead (RFC 9293 3.5.2). */
            own->next_seq = own->max_to_be_acked;
            facts->has_analysis = true;
        }
    } else if (f && (facts->flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK)) {
        struct tcp_side *own = &f->side[facts->direction];
        if (own->has_base && facts->seq_raw != own->base_seq) {
            own->base_seq = facts->seq_raw;
            own->flight_stale = true;
            facts->analysis |= TCP_A_REUSED_PORTS;
            facts->has_analysis = true;
        }
    }
    if (f)
        return f;
    f = flow_add(table, &key);
    if (f) {
        f->completeness = facts->analysis & TCP_A_REUSED_PORTS ? TCP_SAW_SYN : 0;
        f->first_time = f->last_time = in->time;
        facts->is_first = true;
    }
    return f;
}

static void update_completeness(struct flow *f, const struct tcp_facts *facts)
{
    unsigned kind = facts->flags & (TCP_SYN | TCP_ACK), seen = 0;
    if (kind == TCP_SYN && facts->is_first && !f->completeness)
        seen |= TCP_SAW_SYN | (facts->len > 0 ? TCP_SAW_DATA : 0u);
    if (!facts->is_first) {
        if (kind == (TCP_SYN | TCP_ACK))
            seen |= TCP_SAW_SYN_ACK;
        if (kind == TCP_ACK)
            seen |= facts->len > 0 ? TCP_SAW_DATA : TCP_SAW_ACK;
        if ((facts->flags & (TCP_FIN | TCP_ACK)) == (TCP_FIN | TCP_ACK))
            seen |= TCP_SAW_FIN;
        if (facts->flags & TCP_RST)
            seen |= TCP_SAW_RST;
    }
    f->completeness |= (uint8_t)seen;
}

static void make_relative(const struct flow *f, struct tcp_facts *facts)
{
    const struct tcp_side *own = &f->side[facts->direction];
    const struct tcp_side *peer = &f->side[!facts->direction];
    facts->relative = true;
    facts->seq = facts->seq_raw - own->base_seq;
    if (facts->flags & TCP_ACK)
        facts->ack = facts->ack_raw - peer->base_seq;
    facts->next_seq = facts->seq + facts->len + ((facts->flags & (TCP_SYN | TCP_FIN)) ? 1 : 0);
    if (!(facts->flags & TCP_SYN) && own->shift > 0)
        facts->window = (uint32_t)facts->window_raw << own->shift;
}

/* SYN, FIN and what they start. */
static void follow_flags(struct flow *f, struct tcp_facts *facts, int64_t time)
{
    struct tcp_side *own = &f->side[facts->direction], *peer = &f->side[!facts->direction];
    bool ack = facts->flags & TCP_ACK, syn = facts->flags & TCP_SYN;
    if (syn && ack && facts->relative) {
        facts->tfo_ack = facts->ack > 1;
        facts->tfo_ignored = !facts->tfo_ack && f->tfo_syn_data;
    }
    if (syn) {
        f->server_port = ack ? facts->source_port : facts->destination_port;
        if (!ack) {
            f->syn_time = time;
            f->tfo_syn_data |= facts->has_cookie && facts->len > 0;
        }
        own->first_ack = true;
    }
    if (facts->flags & TCP_FIN) {
        own->closes |= !peer->closes;
        facts->fin_active = !peer->closes;
        facts->fin_passive = peer->closes;
    }
    if (ack && !syn) {
        if (f->syn_time != TCP_NO_TIME && f->initial_rtt == TCP_NO_TIME && time != f->syn_time)
            f->initial_rtt = time - f->syn_time;
        own->first_ack = false;
    }
    facts->server_port = f->server_port;
    facts->initial_rtt = f->initial_rtt;
}

/* Window scaling holds only when both ends offer it (RFC 7323 2.2). */
static void follow_scale(struct flow *f, const struct tcp_facts *facts)
{
    struct tcp_side *own = &f->side[facts->direction], *peer = &f->side[!facts->direction];
    if (facts->has_wscale)
        own->shift = (int8_t)(facts->wscale > MAX_SHIFT ? MAX_SHIFT : facts->wscale);
    if (!(facts->flags & TCP_SYN) || facts->truncated)
        return; /* an option that was not captured may have said it */
    if (own->shift == TCP_SCALE_UNKNOWN)
        own->shift = peer->shift = TCP_SCALE_NONE;
    else if ((facts->flags & TCP_ACK) && peer->shift == TCP_SCALE_NONE)
        own->shift = TCP_SCALE_NONE;
}

/* The first SACK block reports bytes that had come before: it is acknowledged already, or lies
 * inside the second block (RFC 2883 4). */
static bool repeats_received(const struct tcp_facts *facts)
{
    const struct tcp_sack_block *first = &facts->sack[0], *second = &facts->sack[1];
    if (!seq_above(first->right, facts->ack))
        return true;
    return facts->sack_count > 1 && first->left >= second->left && first->right <= second->right;
}

static void follow_sack(struct flow *f, struct tcp_facts *facts)
{
    struct tcp_side *own = &f->side[facts->direction];
    facts->sack_base = f->side[!facts->direction].base_seq;
    own->sacked = 0;
    if (facts->sack_count == 0)
        return;
    for (unsigned i = 0; i < facts->sack_count; i++) {
        own->sacked += facts->sack[i].right - facts->sack[i].left;
        facts->sack[i].left -= facts->sack_base;
        facts->sack[i].right -= facts->sack_base;
    }
    facts->sack_duplicate = repeats_received(facts);
}

/* Takes back what nobody wants to see. */
static void as_asked(struct tcp_facts *facts)
{
    const struct tcp_options *options = facts->options_of;
    if (options->no_analysis) {
        facts->analysis = 0;
        facts->has_analysis = false;
    }
    if (options->no_flight && facts->bytes_in_flight | facts->push_bytes_sent) {
        facts->bytes_in_flight = facts->push_bytes_sent = 0;
        facts->has_analysis = facts->analysis != 0 || facts->acks_frame != 0;
    }
    if ((options->absolute || options->no_analysis) && facts->relative) {
        facts->next_seq += facts->seq_raw - facts->seq;
        facts->seq = facts->seq_raw;
        facts->ack = facts->ack_raw;
        facts->relative = false;
        for (unsigned i = 0; i < facts->sack_count; i++) {
            facts->sack[i].left += facts->sack_base;
            facts->sack[i].right += facts->sack_base;
        }
        facts->sack_base = 0;
    }
}

bool tcp_segment(struct flow_table *table, const struct tcp_input *in, struct tcp_facts *out,
                 struct flow **flow, int *direction, struct slice *payload)
{
    static const struct tcp_options usual = {.absolute = false};
    *out = (struct tcp_facts){.initial_rtt = TCP_NO_TIME};
    out->options_of = in->options ? in->options : &usual;
    read_header(in, out);
    if (out->options_of->check)
        verify(in, out);
    *payload = out->payload;
    *flow = NULL;
    *direction = 0;
    struct flow *f = out->captured < FOLLOWED_HEADER ? NULL : find_flow(table, in, out);
    if (!f)
        return false;
    *flow = f;
    *direction = out->direction;
    out->stream = f->stream;
    out->completeness = f->completeness;
    out->time_relative = in->time - f->first_time;
    out->time_delta = in->time - f->last_time;
    f->last_time = in->time;
    if (!out->short_segment) {
        if (out->options_of->unasked)
            tcp_follow(f, out);
        else
            tcp_analyze(table, f, out, (uint32_t)in->frame, in->time);
        make_relative(f, out);
    }
    int32_t shift = f->side[out->direction].shift;
    out->scale = shift < 0 ? shift : (int32_t)1 << shift;
    if (out->bogus_header_len)
        return true;
    update_completeness(f, out);
    follow_flags(f, out, in->time);
    follow_scale(f, out);
    if (!out->truncated)
        follow_sack(f, out);
    as_asked(out);
    return true;
}
