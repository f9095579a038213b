/* The option of multipath TCP (RFC 8684 3; version 0: RFC 6824 3), and what its connection is part of. */
#include "stream/multipath.h"
#include "stream/tcp_emit_private.h"

enum {
    CHECKSUM_REQUIRED = 0x80,
    ALGORITHMS_0 = 0x3f, /* the flags that name an algorithm, in version 0 */
    ALGORITHMS = 0x1f,
    HMAC = 1, /* the one that a version has */
    DATA_FIN = 0x10,
    DSN_8 = 8,
    DSN_PRESENT = 4,
    ACK_8 = 2,
    ACK_PRESENT = 1,
};

/* Where in the option reading has come to. */
struct reader {
    const struct shown *o;
    uint32_t at; /* from the option's kind on */
    bool failed; /* a number was not there */
};

static uint64_t number(struct reader *r, uint32_t size)
{
    struct slice s = slice_sub(r->o->option.value, r->at - 2, size);
    r->failed |= s.len < size;
    return r->failed ? 0 : slice_uint(&s, size);
}

/* Reads a number of SIZE bytes and shows it. */
static uint64_t show(struct reader *r, enum field_id field, uint32_t size, enum label_id label)
{
    uint64_t value = number(r, size);
    if (r->failed)
        return 0;
    uint32_t at = tape_add(r->o->t, field, r->o->source, r->o->offset + r->at, size, value, 0);
    if (label != LABEL_USUAL)
        tape_set_label(r->o->t, at, label);
    r->at += size;
    return value;
}

/* Shows SIZE bytes whose value is not a number. */
static void show_bytes(struct reader *r, enum field_id field, uint32_t size)
{
    (void)number(r, size <= 8 ? size : 1);
    if (r->failed)
        return;
    tape_add(r->o->t, field, r->o->source, r->o->offset + r->at, size, 0, 0);
    r->at += size;
}

static void derived(const struct reader *r, enum field_id field, uint32_t at, uint64_t value)
{
    tape_add(r->o->t, field, r->o->source, r->o->offset + at, 0, value, EVENT_GENERATED);
}

/* Bits of the byte at AT. */
static void show_bits(const struct reader *r, uint32_t at, uint64_t byte, const uint16_t *rows,
                      size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t mask = fields[rows[i]].mask;
        tape_add(r->o->t, rows[i], r->o->source, r->o->offset + at, 1,
                 (byte & mask) / (mask & -mask), 0);
    }
}

#define BITS_OF(rows) (rows), sizeof(rows) / sizeof(rows)[0]

/* ---- handshakes ------------------------------------------------------------------------------------- */

static void show_capable_flags(struct reader *r, unsigned version)
{
    static const uint16_t old[] = {F_mptcp_checksum_required, F_mptcp_extensibility, F_mptcp_sha1,
                                   F_mptcp_reserved_flags};
    static const uint16_t rows[] = {F_mptcp_checksum_required, F_mptcp_extensibility,
                                    F_mptcp_no_more_subflows, F_mptcp_sha256,
                                    F_mptcp_reserved_flags_1};
    const struct shown *o = r->o;
    uint64_t flags = number(r, 1);
    if (r->failed)
        return;
    uint32_t at = tape_open(o->t, F_mptcp_flags, o->source, o->offset + r->at, 1, flags, 0);
    unsigned algorithms = (unsigned)flags & (version == 1 ? ALGORITHMS : ALGORITHMS_0);
    if (version == 1)
        show_bits(r, r->at, flags, BITS_OF(rows));
    else
        show_bits(r, r->at, flags, BITS_OF(old));
    if (algorithms == 0)
        tape_expert(o->t, EXPERT_mptcp_no_algorithm, o->source, o->offset + r->at, 0, 0);
    if (algorithms != HMAC)
        tape_expert(o->t, EXPERT_mptcp_other_algorithm, o->source, o->offset + r->at, 0, 0);
    tape_close(o->t, at);
    r->at++;
}

/* What the sender's key makes known of its end. */
static void show_sender(const struct reader *r, uint64_t key)
{
    const struct shown *o = r->o;
    if (!o->facts->multipath)
        return;
    const struct multipath_end *end = multipath_end_of(o->facts->multipath, o->facts->direction);
    if (end->has_first && end->key == key) {
        derived(r, F_mptcp_expected_token, r->at, end->token);
        uint32_t at = tape_open(o->t, F_mptcp_expected_idsn, o->source, o->offset + r->at, 0,
                                end->first, EVENT_GENERATED);
        if (o->facts->key_mismatch)
            tape_expert(o->t, EXPERT_mptcp_key_mismatch, o->source, o->offset + r->at, 0, 0);
        tape_close(o->t, at);
    }
}

static void show_capable(struct reader *r)
{
    unsigned len = r->o->option.len, version = slice_at(r->o->option.value, 0) & 15u;
    tcp_option_add(r->o, F_mptcp_version, 2, 1, version);
    r->at = 3;
    show_capable_flags(r, version);
    if (len == 12 || len == 20 || len == 22 || len == 24)
        show_sender(r, show(r, F_mptcp_sender_key, 8, LABEL_USUAL));
    if (len == 20 || len == 22 || len == 24)
        show(r, F_mptcp_receiver_key, 8, LABEL_USUAL);
    if (len == 22 || len == 24)
        show(r, F_mptcp_length, 2, LABEL_USUAL);
    if (len == 24)
        show(r, F_mptcp_checksum, 2, LABEL_USUAL);
}

static void show_backup(struct reader *r)
{
    static const uint16_t rows[] = {F_mptcp_backup};
    const struct shown *o = r->o;
    uint8_t flags = slice_at(o->option.value, 0);
    uint32_t at = tape_open(o->t, F_mptcp_flags, o->source, o->offset + 2, 1, flags, 0);
    show_bits(r, 2, flags, BITS_OF(rows));
    tape_close(o->t, at);
    r->at = 3;
}

static void show_reserved(struct reader *r)
{
    uint64_t word = number(r, 2);
    if (!r->failed)
        tcp_option_add(r->o, F_mptcp_reserved, 2, 2, word & 0xfff);
    r->at = 4;
}

static void show_join(struct reader *r)
{
    unsigned len = r->o->option.len;
    if (len == 12 || len == 16) {
        show_backup(r);
        show(r, F_mptcp_address_id, 1, LABEL_USUAL);
        if (len == 12)
            show(r, F_mptcp_receiver_token, 4, LABEL_USUAL);
        else
            show(r, F_mptcp_truncated_hmac, 8, LABEL_USUAL);
        show(r, F_mptcp_sender_random, 4, LABEL_USUAL);
    } else if (len == 24) {
        show_reserved(r);
        show_bytes(r, F_mptcp_hmac, 20);
    }
}

/* ---- data ------------------------------------------------------------------------------------------- */

/* A number of four bytes is the lower half of one of eight (RFC 8684 3.3.1). */
static void show_relative(const struct reader *r, enum field_id field, int direction,
                          uint64_t value, bool whole)
{
    const struct tcp_facts *facts = r->o->facts;
    if (!facts->multipath)
        return;
    const struct multipath_end *end = multipath_end_of(facts->multipath, direction);
    if (!end->has_first)
        return;
    uint64_t relative = value - end->first;
    derived(r, field, 0, whole ? relative : (uint32_t)relative);
}

static void show_mapping(struct reader *r, unsigned flags)
{
    const struct shown *o = r->o;
    bool whole = flags & DSN_8;
    uint64_t value = whole ? show(r, F_mptcp_raw_dsn, 8, LABEL_MPTCP_DSN_8)
                           : show(r, F_mptcp_raw_dsn, 4, LABEL_MPTCP_DSN_4);
    show(r, F_mptcp_subflow_seq, 4, LABEL_USUAL);
    uint64_t length = number(r, 2);
    if (r->failed)
        return;
    uint32_t at = tape_add(o->t, F_mptcp_length, o->source, o->offset + r->at, 2, length, 0);
    (void)at;
    if (length == 0)
        tape_expert(o->t, EXPERT_mptcp_infinite, o->source, o->offset + r->at, 0, 0);
    r->at += 2;
    if (o->option.len >= r->at + 2)
        show(r, F_mptcp_checksum, 2, LABEL_USUAL);
    show_relative(r, F_mptcp_dss_dsn, o->facts->direction, value, whole);
}

static void show_dss(struct reader *r)
{
    static const uint16_t rows[] = {F_mptcp_data_fin, F_mptcp_dsn_8, F_mptcp_dsn_present,
                                    F_mptcp_ack_8, F_mptcp_ack_present};
    const struct shown *o = r->o;
    r->at = 3;
    unsigned flags = (unsigned)number(r, 1);
    if (r->failed)
        return;
    uint32_t at = tape_open(o->t, F_mptcp_flags, o->source, o->offset + r->at, 1, flags, 0);
    show_bits(r, r->at, flags, BITS_OF(rows));
    tape_close(o->t, at);
    r->at++;
    if (flags & ACK_PRESENT) {
        bool whole = flags & ACK_8;
        uint64_t ack = whole ? show(r, F_mptcp_raw_ack, 8, LABEL_MPTCP_ACK_8)
                             : show(r, F_mptcp_raw_ack, 4, LABEL_USUAL);
        if (!r->failed)
            show_relative(r, F_mptcp_ack, !o->facts->direction, ack, whole);
    }
    if (flags & DSN_PRESENT)
        show_mapping(r, flags);
}

/* ---- addresses and ends ------------------------------------------------------------------------------ */

/* In version 0 the half byte is the address's version, 4 or 6; later it is flags. */
static void show_add_address(struct reader *r)
{
    unsigned half = slice_at(r->o->option.value, 0) & 15u, len = r->o->option.len;
    if (half == 4 || half == 6)
        tcp_option_add(r->o, F_mptcp_ip_version, 2, 1, half);
    else
        tcp_option_add(r->o, F_mptcp_echo, 2, 1, half & 1);
    r->at = 3;
    show(r, F_mptcp_address_id, 1, LABEL_USUAL);
    if (len == 8 || len == 10 || len == 16 || len == 18)
        show_bytes(r, F_mptcp_ipv4, 4);
    else if (len == 20 || len == 22 || len == 28 || len == 30)
        show_bytes(r, F_mptcp_ipv6, 16);
    else
        return;
    if (len % 4 == 2)
        show(r, F_mptcp_port, 2, LABEL_USUAL);
    if (len > r->at)
        show(r, F_mptcp_address_hmac, 8, LABEL_USUAL);
}

static void show_remove_address(struct reader *r)
{
    uint32_t count = r->o->option.len - 3u;
    tape_add(r->o->t, F_mptcp_removed, r->o->source, r->o->offset + 2, 1, count, EVENT_GENERATED);
    r->at = 3;
    for (; count > 0 && !r->failed; count--)
        show(r, F_mptcp_address_id, 1, LABEL_USUAL);
}

static void show_priority(struct reader *r)
{
    show_backup(r);
    if (r->o->option.len == 4)
        show(r, F_mptcp_address_id, 1, LABEL_USUAL);
}

static void show_fail(struct reader *r)
{
    show_reserved(r);
    show(r, F_mptcp_raw_dsn, 8, LABEL_USUAL);
}

static void show_fast_close(struct reader *r)
{
    show_reserved(r);
    show(r, F_mptcp_receiver_key, 8, LABEL_USUAL);
}

static void show_reset(struct reader *r)
{
    static const uint16_t rows[] = {F_mptcp_flag_u, F_mptcp_flag_v, F_mptcp_flag_w, F_mptcp_flag_t};
    const struct shown *o = r->o;
    struct tape *t = o->t;
    uint8_t flags = slice_at(o->option.value, 0);
    uint32_t at = tape_open(t, F_mptcp_flags, o->source, o->offset + 2, 1, flags, 0);
    if (at != TAPE_NONE) {
        tape_set_label(t, at, LABEL_MPTCP_RESET_FLAGS);
        tape_set_extra(t, at, (uint32_t)t->text.len + 1);
        for (unsigned i = 0; i < 4; i++) {
            if (flags & 8u >> i) {
                buf_str(&t->text, ", ");
                buf_str(&t->text, fields[rows[i]].label);
            }
        }
        buf_put(&t->text, "", 1);
    }
    show_bits(r, 2, flags, BITS_OF(rows));
    tape_close(t, at);
    r->at = 3;
    show(r, F_mptcp_rst_reason, 1, LABEL_USUAL);
}

/* ---- all --------------------------------------------------------------------------------------------- */

void tcp_emit_multipath(const struct shown *o)
{
    static void (*const forms[])(struct reader * r) = {
        [MULTIPATH_CAPABLE] = show_capable,
        [MULTIPATH_JOIN] = show_join,
        [MULTIPATH_DSS] = show_dss,
        [MULTIPATH_ADD_ADDRESS] = show_add_address,
        [MULTIPATH_REMOVE_ADDRESS] = show_remove_address,
        [MULTIPATH_PRIORITY] = show_priority,
        [MULTIPATH_FAIL] = show_fail,
        [MULTIPATH_FAST_CLOSE] = show_fast_close,
        [MULTIPATH_RESET] = show_reset,
    };
    struct reader r = {.o = o, .at = 2, .failed = o->option.value.len == 0};
    uint32_t at = tape_open(o->t, F_mptcp, o->source, o->offset, o->have, 0, 0);
    tcp_option_add(o, F_tcp_option_kind, 0, 1, o->option.kind);
    tcp_option_add(o, F_tcp_option_len, 1, 1, o->option.len);
    if (!r.failed) {
        unsigned subtype = slice_at(o->option.value, 0) >> 4;
        tcp_option_add(o, F_mptcp_subtype, 2, 1, subtype);
        if (subtype < sizeof forms / sizeof forms[0])
            forms[subtype](&r);
    }
    if (r.failed && o->option.fault == TCP_OPTION_FINE)
        tape_expert(o->t, EXPERT_mptcp_short, o->source, o->offset, 0, 0);
    tape_close(o->t, at);
}

static void list_subflows(struct tape *t, uint32_t at, const struct multipath *m)
{
    enum { MOST = 100 };
    if (at == TAPE_NONE)
        return;
    size_t start = t->text.len;
    unsigned left = MOST;
    const struct multipath_subflow *s = m->subflows;
    for (; s && left > 0; s = s->next, left--) {
        buf_dec(&t->text, s->stream);
        buf_char(&t->text, ' ');
    }
    if (s)
        buf_str(&t->text, "\xe2\x80\xa6");
    t->events[at].flags |= EVENT_IN_TEXT;
    t->events[at].value = tcp_note_since(t, start);
}

void tcp_emit_multipath_analysis(struct tape *t, uint8_t source, uint32_t offset,
                                 const struct tcp_facts *facts)
{
    const struct multipath *m = facts->multipath ? facts->multipath->of : NULL;
    if (!m)
        return;
    uint32_t at = tape_open(t, F_mptcp_analysis, source, offset, 0, 0, EVENT_GENERATED);
    uint32_t master = tape_add(t, F_mptcp_master, source, offset, 0,
                               m->has_master && m->master == facts->stream, EVENT_GENERATED);
    if (m->has_master) {
        tape_set_label(t, master, LABEL_MPTCP_MASTER);
        tape_set_extra(t, master, m->master);
    }
    tape_add(t, F_mptcp_stream, source, offset, 0, m->number, EVENT_GENERATED);
    list_subflows(t, tape_add(t, F_mptcp_analysis_subflows, source, offset, 0, 0, EVENT_GENERATED),
                  m);
    tape_close(t, at);
}
