#include "stream/tcp_emit_options.h"

#include "dissect/data.h"

#include "stream/tcp_emit_private.h"

enum { MIN_HEADER = 20 };

uint64_t tcp_note_since(struct tape *t, size_t start)
{
    return (uint64_t)(t->text.len - start) << 32 | (uint32_t)start;
}

void tcp_option_add(const struct shown *o, enum field_id field, uint32_t at, uint32_t length,
                    uint64_t value)
{
    if (at + length <= o->have)
        tape_add(o->t, field, o->source, o->offset + at, length, value, 0);
}

static void derive(const struct shown *o, enum field_id field, uint32_t at, uint64_t value)
{
    if (o->option.fault == TCP_OPTION_FINE)
        tape_add(o->t, field, o->source, o->offset + at, 0, value, EVENT_GENERATED);
}

static void remark(const struct shown *o, enum expert_id id, uint32_t at, uint64_t number)
{
    tape_expert(o->t, id, o->source, o->offset + at, 0, number);
}

/* Title of an option as the list after "Options:" has it. */
static void put_title(struct buf *out, uint8_t kind)
{
    const char *title = registry_compat(REG_TCP_OPTION_TITLES, kind);
    if (title) {
        buf_str(out, title);
        return;
    }
    buf_str(out, "Unknown (0x");
    buf_hex(out, kind, 2);
    buf_char(out, ')');
}

/* What stands in an option: how long it must be, and what follows kind and length. */
struct option_row {
    uint8_t kind;
    uint8_t len; /* exact length, 0: any */
    uint16_t field;
    void (*emit)(const struct shown *o, uint32_t at);
};

static void emit_mss(const struct shown *o, uint32_t at)
{
    (void)at;
    struct slice value = o->option.value;
    tcp_option_add(o, F_tcp_options_mss_val, 2, 2, slice_u16(&value));
}

static void emit_wscale(const struct shown *o, uint32_t at)
{
    (void)at;
    uint8_t shift = slice_at(o->option.value, 0);
    uint32_t item =
        tape_open(o->t, F_tcp_options_wscale_shift, o->source, o->offset + 2, 1, shift, 0);
    if (shift > 14)
        remark(o, EXPERT_tcp_wscale_invalid, 2, 0);
    tape_close(o->t, item);
    tape_add(o->t, F_tcp_options_wscale_multiplier, o->source, o->offset + 2, 1,
             UINT64_C(1) << (shift > 14 ? 14 : shift), EVENT_GENERATED);
}

static void emit_dsack(const struct shown *o, uint32_t left, uint32_t right)
{
    tape_add(o->t, F_tcp_options_sack_dsack_le, o->source, o->offset + 2, 4, left, EVENT_GENERATED);
    tape_add(o->t, F_tcp_options_sack_dsack_re, o->source, o->offset + 6, 4, right,
             EVENT_GENERATED);
    uint32_t at = tape_open(o->t, F_tcp_dsack, o->source, o->offset + 2, 8, 0, 0);
    remark(o, EXPERT_tcp_dsack, 2, 0);
    tape_close(o->t, at);
}

static void emit_sack(const struct shown *o, uint32_t at)
{
    struct slice value = o->option.value;
    uint32_t count = 0, first_left = 0, first_right = 0;
    size_t start = o->t->text.len;
    for (; value.len >= 8; count++) {
        uint32_t left = slice_u32(&value) - o->facts->sack_base;
        uint32_t right = slice_u32(&value) - o->facts->sack_base;
        tcp_option_add(o, F_tcp_options_sack_le, 2 + count * 8, 4, left);
        tcp_option_add(o, F_tcp_options_sack_re, 6 + count * 8, 4, right);
        if (count == 0) {
            first_left = left;
            first_right = right;
        }
        if (at != TAPE_NONE) {
            buf_char(&o->t->text, ' ');
            buf_dec(&o->t->text, left);
            buf_char(&o->t->text, '-');
            buf_dec(&o->t->text, right);
        }
    }
    if (at != TAPE_NONE)
        tape_at(o->t, at)->value = tcp_note_since(o->t, start);
    derive(o, F_tcp_options_sack_count, 0, count);
    if (count > 0 && o->facts->sack_duplicate)
        emit_dsack(o, first_left, first_right);
}

static void emit_timestamps(const struct shown *o, uint32_t at)
{
    (void)at;
    struct slice value = o->option.value;
    tcp_option_add(o, F_tcp_options_timestamp_tsval, 2, 4, slice_u32(&value));
    tcp_option_add(o, F_tcp_options_timestamp_tsecr, 6, 4, slice_u32(&value));
}

static void emit_echo(const struct shown *o, uint32_t at)
{
    (void)at;
    struct slice value = o->option.value;
    tcp_option_add(o, F_tcp_options_echo_value, 2, 4, slice_u32(&value));
}

static void emit_cc(const struct shown *o, uint32_t at)
{
    (void)at;
    struct slice value = o->option.value;
    tcp_option_add(o, F_tcp_options_cc_value, 2, 4, slice_u32(&value));
}

static void emit_md5(const struct shown *o, uint32_t at)
{
    (void)at;
    tcp_option_add(o, F_tcp_options_md5_digest, 2, 16, 0);
}

static void emit_user_timeout(const struct shown *o, uint32_t at)
{
    (void)at;
    struct slice value = o->option.value;
    uint16_t word = slice_u16(&value);
    tcp_option_add(o, F_tcp_options_user_to_granularity, 2, 2, word >> 15);
    tcp_option_add(o, F_tcp_options_user_to_val, 2, 2, word & 0x7fff);
}

static void emit_authentication(const struct shown *o, uint32_t at)
{
    (void)at;
    if (o->option.len < 4) {
        remark(o, EXPERT_tcp_option_short, 1, o->option.len);
        return;
    }
    tcp_option_add(o, F_tcp_options_ao_keyid, 2, 1, slice_at(o->option.value, 0));
    tcp_option_add(o, F_tcp_options_ao_rnextkeyid, 3, 1, slice_at(o->option.value, 1));
    if (o->option.len > 4)
        tcp_option_add(o, F_tcp_options_ao_mac, 4, o->option.len - 4u, 0);
}

static void emit_cookie(const struct shown *o, uint32_t from)
{
    if (o->option.len <= from) {
        tcp_option_add(o, F_tcp_options_tfo_request, from - 2, 2, 0);
        return;
    }
    uint32_t at = tape_open(o->t, F_tcp_options_tfo_cookie, o->source, o->offset + from,
                            o->have - from, 0, 0);
    if ((o->facts->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN)
        remark(o, EXPERT_tcp_analysis_tfo_syn, from, 0);
    tape_close(o->t, at);
}

static void emit_fast_open(const struct shown *o, uint32_t at)
{
    (void)at;
    emit_cookie(o, 2);
}

static void emit_experiment(const struct shown *o, uint32_t at)
{
    (void)at;
    struct slice value = o->option.value;
    if (o->option.len < 4)
        return;
    uint16_t id = slice_u16(&value);
    tcp_option_add(o, F_tcp_options_experimental_exid, 2, 2, id);
    if (id == TCP_EXPERIMENT_FAST_OPEN) {
        emit_cookie(o, 4);
    } else if (id == TCP_EXPERIMENT_ACK_RATE && o->option.len == 5) {
        tcp_option_add(o, F_tcp_options_tarr_rate, 4, 1, slice_at(value, 0) >> 1);
        tcp_option_add(o, F_tcp_options_tar_reserved, 4, 1, slice_at(value, 0) & 1);
    } else if (value.len > 0) {
        tcp_option_add(o, F_tcp_options_experimental_data, 4, (uint32_t)value.len, 0);
    }
}

static void emit_acc_ecn(const struct shown *o, uint32_t at)
{
    static const uint16_t order[2][3] = {
        {F_tcp_options_acc_ecn_ee0b, F_tcp_options_acc_ecn_eceb, F_tcp_options_acc_ecn_ee1b},
        {F_tcp_options_acc_ecn_ee1b, F_tcp_options_acc_ecn_eceb, F_tcp_options_acc_ecn_ee0b},
    };
    static const char names[2][3][7] = {{": EE0B ", ", ECEB ", ", EE1B "},
                                        {": EE1B ", ", ECEB ", ", EE0B "}};
    struct slice value = o->option.value;
    bool second = o->option.kind == TCP_OPTION_ACC_ECN_1;
    size_t start = o->t->text.len;
    if (at != TAPE_NONE)
        buf_str(&o->t->text, second ? " (Order 1)" : " (Order 0)");
    for (uint32_t i = 0; i < 3 && value.len >= 3; i++) {
        uint32_t count = slice_u24(&value);
        tcp_option_add(o, order[second][i], 2 + 3 * i, 3, count);
        if (at != TAPE_NONE) {
            buf_put(&o->t->text, names[second][i], sizeof names[second][i]);
            buf_dec(&o->t->text, count);
        }
    }
    if (at != TAPE_NONE)
        tape_at(o->t, at)->value = tcp_note_since(o->t, start);
}

static void emit_unknown(const struct shown *o, uint32_t at)
{
    (void)at;
    if (o->option.value.len > 0)
        tcp_option_add(o, F_tcp_options_unknown_payload, 2, (uint32_t)o->option.value.len, 0);
}

static const struct option_row option_rows[] = {
    {TCP_OPTION_MSS, 4, F_tcp_options_mss, emit_mss},
    {TCP_OPTION_WSCALE, 3, F_tcp_options_wscale, emit_wscale},
    {TCP_OPTION_SACK_PERM, 2, F_tcp_options_sack_perm, NULL},
    {TCP_OPTION_SACK, 0, F_tcp_options_sack, emit_sack},
    {TCP_OPTION_ECHO, 6, F_tcp_options_echo, emit_echo},
    {TCP_OPTION_ECHO_REPLY, 6, F_tcp_options_echoreply, emit_echo},
    {TCP_OPTION_TIMESTAMPS, 10, F_tcp_options_timestamp, emit_timestamps},
    {TCP_OPTION_CC, 6, F_tcp_options_cc, emit_cc},
    {TCP_OPTION_CC_NEW, 6, F_tcp_options_ccnew, emit_cc},
    {TCP_OPTION_CC_ECHO, 6, F_tcp_options_ccecho, emit_cc},
    {TCP_OPTION_MD5, 18, F_tcp_options_md5, emit_md5},
    {TCP_OPTION_QUICK_START, 8, F_tcp_options_qs, tcp_emit_quick_start},
    {TCP_OPTION_RIVERBED_PROBE, 0, F_tcp_options_rvbd_probe, tcp_emit_probe},
    {TCP_OPTION_RIVERBED_PATH, 16, F_tcp_options_rvbd_trpy, tcp_emit_transparency},
    {TCP_OPTION_USER_TIMEOUT, 4, F_tcp_options_user_to, emit_user_timeout},
    {TCP_OPTION_AUTHENTICATION, 0, F_tcp_options_ao, emit_authentication},
    {TCP_OPTION_FAST_OPEN, 0, F_tcp_options_tfo, emit_fast_open},
    {TCP_OPTION_ACC_ECN_0, 0, F_tcp_options_acc_ecn, emit_acc_ecn},
    {TCP_OPTION_ACC_ECN_1, 0, F_tcp_options_acc_ecn, emit_acc_ecn},
    {TCP_OPTION_EXPERIMENT_1, 0, F_tcp_options_experimental, emit_experiment},
    {TCP_OPTION_EXPERIMENT_2, 0, F_tcp_options_experimental, emit_experiment},
};

static const struct option_row *row_of(uint8_t kind)
{
    static const struct option_row unknown = {.field = F_tcp_options_unknown, .emit = emit_unknown};
    for (size_t i = 0; i < sizeof option_rows / sizeof option_rows[0]; i++)
        if (option_rows[i].kind == kind)
            return &option_rows[i];
    return &unknown;
}

static void emit_length(const struct shown *o, const struct option_row *row)
{
    const struct tcp_option *option = &o->option;
    uint32_t at = tape_open(o->t, F_tcp_option_len, o->source, o->offset + 1, 1, option->len, 0);
    if (row->len != 0 && option->len != row->len)
        remark(o, EXPERT_tcp_option_length, 1, row->len);
    if (row->field == F_tcp_options_experimental && option->len < 4)
        remark(o, EXPERT_tcp_option_short, 1, option->len);
    tape_close(o->t, at);
}

static void emit_option(const struct shown *o)
{
    const struct tcp_option *option = &o->option;
    if (option->kind == TCP_OPTION_NOP || option->kind == TCP_OPTION_END) {
        enum field_id field =
            option->kind == TCP_OPTION_NOP ? F_tcp_options_nop : F_tcp_options_eol;
        uint32_t at = tape_open(o->t, field, o->source, o->offset, 1, 0, 0);
        tcp_option_add(o, F_tcp_option_kind, 0, 1, option->kind);
        tape_close(o->t, at);
        return;
    }
    if (option->kind == TCP_OPTION_MULTIPATH) {
        if (o->facts->options_of->no_multipath)
            data_emit(o->t, o->source, o->offset, o->have, EXPERT_NONE);
        else
            tcp_emit_multipath(o);
        return;
    }
    const struct option_row *row = row_of(option->kind);
    uint32_t at = tape_open(o->t, row->field, o->source, o->offset, o->have, 0, 0);
    if (option->kind == TCP_OPTION_MSS && !(o->facts->flags & TCP_SYN))
        remark(o, EXPERT_tcp_mss_present, 0, 0);
    tcp_option_add(o, F_tcp_option_kind, 0, 1, option->kind);
    emit_length(o, row);
    if (row->emit && o->have > 2 && (row->len == 0 || option->len == row->len))
        row->emit(o, at);
    else if (row->emit == emit_fast_open && option->len == 2)
        emit_fast_open(o, at);
    tape_close(o->t, at);
}

/* An option that ends too early or too late: a heading with a remark that says it again. */
static void put_fault(struct buf *out, const struct tcp_option *option, uint32_t length)
{
    put_title(out, option->kind);
    if (option->fault == TCP_OPTION_SHORT && length < 2) {
        buf_str(out, " (length byte past end of options)");
        return;
    }
    bool is_short = option->fault == TCP_OPTION_SHORT;
    buf_str(out, is_short ? " (with too-short option length = " : " (option length = ");
    buf_dec(out, option->len);
    buf_str(out, option->len == 1 ? " byte" : " bytes");
    buf_str(out, is_short ? ")" : " says option goes past end of options)");
}

static void emit_fault(const struct shown *o, uint32_t length)
{
    struct tape *t = o->t;
    size_t start = t->text.len;
    put_fault(&t->text, &o->option, length);
    uint64_t note = tcp_note_since(t, start);
    uint32_t at = tape_open(t, F_tcp_option_fault, o->source, o->offset, length, note, 0);
    uint32_t first = t->count;
    remark(o, EXPERT_tcp_option_fault, 0, 0);
    for (uint32_t i = first; i < t->count; i++) {
        struct event *e = &t->events[i];
        if (e->field == F__ws_expert || e->field == F_expert_tcp_option_fault) {
            e->value = note;
            e->label = e->field == F__ws_expert ? LABEL_TCP_FAULT_EXPERT : LABEL_TCP_FAULT;
        }
        if (e->field == F__ws_expert_message)
            e->value = note;
    }
    tape_close(t, at);
}

static bool is_zero(struct slice s)
{
    while (s.len > 0)
        if (slice_u8(&s) != 0)
            return false;
    return true;
}

/* Names the options after "Options: (12 bytes)". */
static uint64_t list_titles(struct tape *t, struct tcp_option_walk walk)
{
    struct tcp_option option;
    size_t start = t->text.len;
    while (tcp_option_next(&walk, &option) && !option.fault) {
        buf_str(&t->text, ", ");
        put_title(&t->text, option.kind);
        if (option.kind == TCP_OPTION_END && !is_zero(walk.rest))
            break;
    }
    return tcp_note_since(t, start);
}

/* Something other than zeros after the end of the options. */
static void emit_padding(const struct shown *o, uint32_t length)
{
    uint32_t at = tape_open(o->t, F_tcp_padding, o->source, o->offset + 1, length, 0, 0);
    remark(o, EXPERT_tcp_bytes_after_eol, 1, 0);
    tape_close(o->t, at);
}

/* Shows one option; false when what follows cannot be read as options. */
static bool emit_any(struct shown *o, const struct tcp_option_walk *walk)
{
    uint32_t captured = (uint32_t)walk->options.len - o->option.offset;
    uint32_t left = captured + (uint32_t)walk->missing;
    o->have = o->option.len < captured ? o->option.len : captured;
    if (o->option.fault == TCP_OPTION_CUT) {
        if (captured >= 2)
            emit_option(o);
        return false;
    }
    if (o->option.fault) {
        uint32_t length = o->option.fault == TCP_OPTION_SHORT ? 2 : left - 2;
        emit_fault(o, length < captured ? length : captured);
        return false;
    }
    emit_option(o);
    if (o->option.kind != TCP_OPTION_END || is_zero(walk->rest))
        return true;
    emit_padding(o, (uint32_t)walk->rest.len);
    return false;
}

void tcp_emit_options(struct tape *t, uint8_t source, uint32_t header_offset,
                      const struct tcp_facts *facts)
{
    if (facts->header_len <= MIN_HEADER)
        return;
    struct slice options = facts->options;
    uint32_t offset = header_offset + MIN_HEADER, nops = 0;
    uint32_t all = tape_open(t, F_tcp_options, source, offset, (uint32_t)options.len, 0, 0);
    tape_set_extra(t, all, facts->header_len - (uint32_t)MIN_HEADER);
    struct shown o = {.t = t, .facts = facts, .source = source};
    struct tcp_option_walk walk = tcp_options_of(options, facts->header_len - (uint32_t)MIN_HEADER);
    if (all != TAPE_NONE)
        tape_at(t, all)->value = list_titles(t, walk);
    bool readable = true;
    while (readable && tcp_option_next(&walk, &o.option)) {
        o.offset = offset + o.option.offset;
        nops = o.option.kind == TCP_OPTION_NOP ? nops + 1 : 0;
        if (nops == 4)
            tape_expert(t, EXPERT_tcp_nop, source, offset, 0, 0);
        readable = emit_any(&o, &walk);
    }
    if (readable && (facts->flags & TCP_SYN) && !facts->has_mss)
        tape_expert(t, EXPERT_tcp_mss_absent, source, offset, 0, 0);
    tape_close(t, all);
}
