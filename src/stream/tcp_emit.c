#include "stream/tcp_emit.h"

#include "stream/tcp_emit_options.h"
#include "stream/tcp_emit_private.h"

enum { MIN_HEADER = 20 };

/* Where the header is: everything here is relative to it. */
struct place {
    struct tape *t;
    const struct tcp_facts *facts;
    uint32_t offset;
    uint8_t source;
};

static uint32_t add(const struct place *p, enum field_id field, uint32_t at, uint32_t length,
                    uint64_t value)
{
    return tape_add(p->t, field, p->source, p->offset + at, length, value, 0);
}

static uint32_t derive(const struct place *p, enum field_id field, uint64_t value)
{
    return tape_add(p->t, field, p->source, p->offset, 0, value, EVENT_GENERATED);
}

static void remark(const struct place *p, enum expert_id id, uint32_t at, uint64_t number)
{
    tape_expert(p->t, id, p->source, p->offset + at, 0, number);
}

static enum label_id protocol_label(const struct tcp_facts *f)
{
    if (f->options_of->plain_title)
        return LABEL_TCP_PLAIN;
    if (f->captured < 16)
        return LABEL_TCP_PORTS_ONLY;
    if (f->bogus_header_len)
        return LABEL_TCP_SEQ_ONLY;
    if (f->short_segment)
        return f->flags & TCP_ACK ? LABEL_TCP_NO_LEN : LABEL_TCP_SEQ_ONLY;
    return f->flags & TCP_ACK ? LABEL_TCP : LABEL_TCP_NO_ACK;
}

static void emit_ports(const struct place *p)
{
    const struct tcp_facts *f = p->facts;
    add(p, F_tcp_srcport, 0, 2, f->source_port);
    add(p, F_tcp_dstport, 2, 2, f->destination_port);
    tape_add(p->t, F_tcp_port, p->source, p->offset, 2, f->source_port, EVENT_HIDDEN);
    tape_add(p->t, F_tcp_port, p->source, p->offset + 2, 2, f->destination_port, EVENT_HIDDEN);
}

static void emit_short(const struct place *p)
{
    uint32_t at = tape_open(p->t, F_tcp_short, p->source, p->offset, 0, 0, 0);
    remark(p, EXPERT_tcp_short_segment, 0, 0);
    tape_close(p->t, at);
}

/* Numbers are shown once, as they were sent. */
static bool is_absolute(const struct tcp_facts *f)
{
    return f->options_of->absolute || f->options_of->no_analysis;
}

static void emit_numbers(const struct place *p)
{
    const struct tcp_facts *f = p->facts;
    derive(p, F_tcp_stream, f->stream);
    derive(p, F_tcp_completeness, f->completeness);
    if (f->short_segment)
        emit_short(p);
    else
        derive(p, F_tcp_len, f->len);
    uint32_t at = add(p, F_tcp_seq, 4, 4, f->seq);
    if (is_absolute(f))
        tape_set_label(p->t, at, LABEL_TCP_NUMBER);
    else
        add(p, F_tcp_seq_raw, 4, 4, f->seq_raw);
}

static void emit_ack(const struct place *p)
{
    const struct tcp_facts *f = p->facts;
    uint32_t next = f->short_segment ? TAPE_NONE : derive(p, F_tcp_nxtseq, f->next_seq);
    if (is_absolute(f))
        tape_set_label(p->t, next, LABEL_TCP_NUMBER);
    bool valid = f->flags & TCP_ACK;
    uint32_t at = tape_open(p->t, valid ? F_tcp_ack : F_tcp_ack_plain, p->source, p->offset + 8, 4,
                            f->ack, 0);
    if (is_absolute(f) && valid)
        tape_set_label(p->t, at, LABEL_TCP_NUMBER);
    if (f->tfo_ack)
        remark(p, EXPERT_tcp_analysis_tfo_ack, 8, 0);
    if (f->tfo_ignored)
        remark(p, EXPERT_tcp_analysis_tfo_ignored, 8, 0);
    if (!valid && f->ack_raw != 0)
        remark(p, EXPERT_tcp_ack_nonzero, 8, 0);
    tape_close(p->t, at);
    if (!valid || !is_absolute(f))
        add(p, F_tcp_ack_raw, 8, 4, f->ack_raw);
}

static uint32_t open_header_len(const struct place *p)
{
    uint32_t at =
        tape_open(p->t, F_tcp_hdr_len, p->source, p->offset + 12, 1, p->facts->header_len, 0);
    tape_set_extra(p->t, at, (uint32_t)p->facts->header_len << 2);
    return at;
}

static void emit_header_len(const struct place *p)
{
    uint32_t at = open_header_len(p);
    if (p->facts->bogus_header_len)
        remark(p, EXPERT_tcp_bogus_header_length, 12, p->facts->header_len);
    tape_close(p->t, at);
}

struct flag_row {
    uint16_t bit;
    uint16_t field;
    uint8_t at;
};

static void emit_flag(const struct place *p, const struct flag_row *row)
{
    uint16_t flags = p->facts->flags;
    bool set = flags & row->bit;
    uint64_t value = row->bit == TCP_RESERVED ? (flags & (unsigned)TCP_RESERVED) >> 9 : set;
    uint32_t at = tape_open(p->t, row->field, p->source, p->offset + row->at, 1, value, 0);
    if (set && row->bit == TCP_RST)
        remark(p, EXPERT_tcp_rst, 13, 0);
    if (set && row->bit == TCP_SYN)
        remark(p, flags & TCP_ACK ? EXPERT_tcp_synack : EXPERT_tcp_syn, 13,
               flags & TCP_ACK ? p->facts->source_port : p->facts->destination_port);
    if (set && row->bit == TCP_FIN)
        remark(p, EXPERT_tcp_fin, 13, 0);
    tape_close(p->t, at);
}

/* One letter a flag, a middle dot for each that is not set. */
static void emit_flag_letters(const struct place *p)
{
    static const char letters[] = "RRRACEUAPRSF";
    uint32_t at =
        tape_open(p->t, F_tcp_flags_str, p->source, p->offset + 12, 2, 0, EVENT_GENERATED);
    if (at != TAPE_NONE) {
        char text[2 * 12];
        size_t len = 0;
        for (unsigned i = 0; i < 12; i++) {
            if (p->facts->flags & 0x800u >> i) {
                text[len++] = letters[i];
            } else {
                text[len++] = '\xc2';
                text[len++] = '\xb7';
            }
        }
        tape_set_text(p->t, at, slice_of(text, len));
    }
    if (p->facts->fin_active)
        remark(p, EXPERT_tcp_fin_active, 12, 0);
    if (p->facts->fin_passive)
        remark(p, EXPERT_tcp_fin_passive, 12, 0);
    tape_close(p->t, at);
}

static void emit_flags(const struct place *p)
{
    static const struct flag_row rows[] = {
        {TCP_RESERVED, F_tcp_flags_res, 12}, {TCP_AE, F_tcp_flags_ae, 12},
        {TCP_CWR, F_tcp_flags_cwr, 13},      {TCP_ECE, F_tcp_flags_ece, 13},
        {TCP_URG, F_tcp_flags_urg, 13},      {TCP_ACK, F_tcp_flags_ack, 13},
        {TCP_PSH, F_tcp_flags_push, 13},     {TCP_RST, F_tcp_flags_reset, 13},
        {TCP_SYN, F_tcp_flags_syn, 13},      {TCP_FIN, F_tcp_flags_fin, 13},
    };
    uint32_t at = tape_open(p->t, F_tcp_flags, p->source, p->offset + 12, 2, p->facts->flags, 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        emit_flag(p, &rows[i]);
    emit_flag_letters(p);
    tape_close(p->t, at);
}

static void emit_window(const struct place *p)
{
    const struct tcp_facts *f = p->facts;
    add(p, F_tcp_window_size_value, 14, 2, f->window_raw);
    tape_add(p->t, F_tcp_window_size, p->source, p->offset + 14, 2, f->window, EVENT_GENERATED);
    if (f->flags & TCP_SYN)
        return;
    uint32_t at = tape_add(p->t, F_tcp_window_size_scalefactor, p->source, p->offset + 14, 2,
                           (uint64_t)(int64_t)f->scale, EVENT_GENERATED);
    if (f->scale == TCP_SCALE_UNKNOWN)
        tape_set_label(p->t, at, LABEL_TCP_SCALE_UNKNOWN);
    if (f->scale == TCP_SCALE_NONE)
        tape_set_label(p->t, at, LABEL_TCP_SCALE_NONE);
}

static void emit_checksum(const struct place *p)
{
    static const struct {
        uint16_t label, expert, status;
    } states[] = {
        [TCP_SUM_UNVERIFIED] = {LABEL_TCP_CHECKSUM, EXPERT_NONE, 2},
        [TCP_SUM_GOOD] = {LABEL_CHECKSUM_CORRECT, EXPERT_NONE, 1},
        [TCP_SUM_BAD] = {LABEL_TCP_CHECKSUM_BAD, EXPERT_tcp_checksum_bad, 0},
        [TCP_SUM_FFFF] = {LABEL_TCP_CHECKSUM_FFFF, EXPERT_tcp_checksum_ffff, 0},
    };
    const struct tcp_facts *f = p->facts;
    unsigned state = f->checksum_state;
    uint32_t at = tape_open(p->t, F_tcp_checksum, p->source, p->offset + 16, 2, f->checksum, 0);
    tape_set_label(p->t, at, states[state].label);
    tape_set_extra(p->t, at, f->checksum_right);
    if (states[state].expert != EXPERT_NONE)
        remark(p, states[state].expert, 16, f->checksum_right);
    tape_close(p->t, at);
    tape_add(p->t, F_tcp_checksum_status, p->source, p->offset + 16, 0, states[state].status,
             EVENT_GENERATED);
    if (state != TCP_SUM_UNVERIFIED)
        tape_add(p->t, F_tcp_checksum_calculated, p->source, p->offset + 16, 2, f->checksum_right,
                 EVENT_GENERATED);
}

static void emit_urgent(const struct place *p)
{
    const struct tcp_facts *f = p->facts;
    uint32_t at = tape_open(p->t, F_tcp_urgent_pointer, p->source, p->offset + 18, 2, f->urgent, 0);
    if (f->urgent != 0 && !(f->flags & TCP_URG))
        remark(p, EXPERT_tcp_urgent_nonzero, 18, 0);
    tape_close(p->t, at);
}

static void emit_times(const struct place *p)
{
    uint32_t at = tape_open(p->t, F_tcp_timestamps, p->source, p->offset, 0, 0, EVENT_GENERATED);
    derive(p, F_tcp_time_relative, (uint64_t)p->facts->time_relative);
    derive(p, F_tcp_time_delta, (uint64_t)p->facts->time_delta);
    tape_close(p->t, at);
}

static void emit_duplicate_ack(const struct place *p, uint32_t flags_at)
{
    derive(p, F_tcp_analysis_duplicate_ack, 0);
    tape_close(p->t, flags_at);
    derive(p, F_tcp_analysis_duplicate_ack_num, p->facts->dupack_num);
    uint32_t at = tape_open(p->t, F_tcp_analysis_duplicate_ack_frame, p->source, p->offset, 0,
                            p->facts->dupack_frame, EVENT_GENERATED);
    remark(p, EXPERT_tcp_analysis_duplicate_ack, 0, p->facts->dupack_num);
    tape_close(p->t, at);
}

struct analysis_row {
    uint32_t flags; /* any of them */
    uint16_t expert;
};

/* In the order of the tree; those after the duplicate ACK never come together with it. */
static const struct analysis_row analysis_rows[] = {
    {TCP_A_REUSED_PORTS, EXPERT_tcp_analysis_reused_ports},
    {TCP_A_FAST_RETRANSMISSION, EXPERT_tcp_analysis_fast_retransmission},
    {TCP_A_SPURIOUS_RETRANSMISSION, EXPERT_tcp_analysis_spurious_retransmission},
    {TCP_A_ANY_RETRANSMISSION, EXPERT_tcp_analysis_retransmission},
    {TCP_A_OUT_OF_ORDER, EXPERT_tcp_analysis_out_of_order},
    {TCP_A_LOST_SEGMENT, EXPERT_tcp_analysis_lost_segment},
    {TCP_A_ACK_LOST_SEGMENT, EXPERT_tcp_analysis_ack_lost_segment},
    {TCP_A_WINDOW_UPDATE, EXPERT_tcp_analysis_window_update},
    {TCP_A_WINDOW_FULL, EXPERT_tcp_analysis_window_full},
    {TCP_A_KEEP_ALIVE, EXPERT_tcp_analysis_keep_alive},
    {TCP_A_KEEP_ALIVE_ACK, EXPERT_tcp_analysis_keep_alive_ack},
    {TCP_A_ZERO_WINDOW_PROBE, EXPERT_tcp_analysis_zero_window_probe},
    {TCP_A_ZERO_WINDOW, EXPERT_tcp_analysis_zero_window},
    {TCP_A_ZERO_WINDOW_PROBE_ACK, EXPERT_tcp_analysis_zero_window_probe_ack},
};

static void emit_analysis_flags(const struct place *p)
{
    const struct tcp_facts *f = p->facts;
    uint32_t at =
        tape_open(p->t, F_tcp_analysis_flags, p->source, p->offset, 0, 0, EVENT_GENERATED);
    for (size_t i = 0; i < sizeof analysis_rows / sizeof analysis_rows[0]; i++) {
        const struct analysis_row *row = &analysis_rows[i];
        if (!(f->analysis & row->flags))
            continue;
        remark(p, row->expert, 0, 0);
        if ((row->expert == EXPERT_tcp_analysis_retransmission) && f->rto_frame) {
            derive(p, F_tcp_analysis_rto, (uint64_t)f->rto);
            derive(p, F_tcp_analysis_rto_frame, f->rto_frame);
        }
    }
    if (f->analysis & TCP_A_DUPLICATE_ACK)
        emit_duplicate_ack(p, at);
    else
        tape_close(p->t, at);
}

static void emit_analysis(const struct place *p)
{
    const struct tcp_facts *f = p->facts;
    uint32_t at = tape_open(p->t, F_tcp_analysis, p->source, p->offset, 0, 0, EVENT_GENERATED);
    if (f->acks_frame) {
        derive(p, F_tcp_analysis_acks_frame, f->acks_frame);
        if (f->ack_rtt != 0)
            derive(p, F_tcp_analysis_ack_rtt, (uint64_t)f->ack_rtt);
    }
    if (f->initial_rtt != TCP_NO_TIME)
        derive(p, F_tcp_analysis_initial_rtt, (uint64_t)f->initial_rtt);
    if (f->bytes_in_flight)
        derive(p, F_tcp_analysis_bytes_in_flight, f->bytes_in_flight);
    if (f->push_bytes_sent)
        derive(p, F_tcp_analysis_push_bytes_sent, f->push_bytes_sent);
    if (f->analysis)
        emit_analysis_flags(p);
    tape_close(p->t, at);
}

static void emit_rest(const struct place *p)
{
    const struct tcp_facts *f = p->facts;
    emit_ack(p);
    emit_header_len(p);
    emit_flags(p);
    emit_window(p);
    if (f->captured >= 18)
        emit_checksum(p);
    if (f->captured < MIN_HEADER)
        return;
    emit_urgent(p);
    tcp_emit_options(p->t, p->source, p->offset, f);
    if (!f->options_of->no_times)
        emit_times(p);
    if (f->has_analysis && !f->truncated)
        emit_analysis(p);
    if (f->has_multipath)
        tcp_emit_multipath_analysis(p->t, p->source, p->offset, f);
}

uint32_t tcp_emit(struct tape *t, uint8_t source, uint32_t offset, const struct tcp_facts *facts)
{
    struct place p = {.t = t, .facts = facts, .offset = offset, .source = source};
    bool whole =
        facts->captured < 16 || facts->bogus_header_len || facts->captured < facts->header_len;
    uint32_t length = whole ? facts->captured : facts->header_len;
    uint32_t at = tape_open(t, F_tcp, source, offset, length, 0, 0);
    tape_set_label(t, at, protocol_label(facts));
    if (facts->captured >= 4)
        emit_ports(&p);
    if (facts->captured < 16)
        return at;
    emit_numbers(&p);
    if (facts->bogus_header_len)
        emit_header_len(&p);
    else
        emit_rest(&p);
    return at;
}

void tcp_emit_payload(struct tape *t, uint8_t source, uint32_t offset,
                      const struct tcp_facts *facts)
{
    uint32_t length = (uint32_t)facts->payload.len;
    if (length == 0)
        return;
    if (facts->flags & TCP_RST) {
        tape_add(t, F_tcp_reset_cause, source, offset, length, 0, 0);
        return;
    }
    uint32_t at = tape_add(t, F_tcp_payload, source, offset, length, 0, 0);
    tape_set_extra(t, at, facts->len);
    if (facts->conflict_frame == 0)
        return;
    uint32_t from = offset + facts->conflict_offset;
    uint32_t conflict = tape_open(t, F_tlswire_tcp_conflict, source, from, facts->conflict_len,
                                  facts->conflict_frame, EVENT_GENERATED);
    tape_expert(t, EXPERT_tlswire_tcp_conflict, source, from, facts->conflict_len,
                facts->conflict_offset);
    tape_close(t, conflict);
}
