/* IPv4 on the tape, and what IPv6 shares with it.  Options are in lower_ip_options.c. */
#include "base/sum.h"
#include "dissect/lower_private.h"

/* The name, or the address when it has none, as lower_note_from() packs it. */
static uint64_t host_text(struct tape *t, struct slice address)
{
    size_t start = t->text.len;
    const char *name = names_find(t->names, address);
    if (name)
        buf_str(&t->text, name);
    else if (address.len == 4)
        buf_ipv4(&t->text, address);
    else
        buf_ipv6(&t->text, address);
    t->full |= t->text.failed;
    return lower_note_from(t, start);
}

void lower_emit_address(const struct lower_view *v, uint32_t offset, uint32_t size,
                        const struct address_ids *ids)
{
    const unsigned derived = EVENT_GENERATED | EVENT_HIDDEN | EVENT_IN_TEXT;
    struct tape *t = v->t;
    struct slice address = slice_sub(v->header, offset, size);
    uint32_t length = (uint32_t)address.len, at = v->offset + offset;
    lower_add(v, ids->own, offset, size, 0);
    if (ids->either)
        tape_add(t, ids->either, v->source, at, size, 0, EVENT_HIDDEN);
    bool either = ids->either_host && tape_wants(t, ids->either_host);
    if (!either && !tape_wants(t, ids->host))
        return;
    uint64_t text = host_text(t, address);
    tape_add(t, ids->host, v->source, at, length, text, derived);
    if (either)
        tape_add(t, ids->either_host, v->source, at, length, text, derived);
}

const struct address_ids lower_ip_destination = {F_ip_dst, F_ip_addr, F_ip_dst_host, F_ip_host};
static const struct address_ids ip_source = {F_ip_src, F_ip_addr, F_ip_src_host, F_ip_host};
static const struct address_ids ip_current = {F_ip_cur_rt, 0, F_ip_cur_rt_host, 0};

/* ---- fragments
 * ------------------------------------------------------------------------------------ */

/* The ids of the two versions. */
struct joined_ids {
    uint16_t all, piece, overlap, conflict, tails, too_long, error, count, length, data;
};

static const struct joined_ids joined_ipv4 = {
    F_ip_fragments,          F_ip_fragment,          F_ip_fragment_overlap, F_ip_fragment_conflict,
    F_ip_fragment_tails,     F_ip_fragment_too_long, F_ip_fragment_error,   F_ip_fragment_count,
    F_ip_reassembled_length, F_ip_reassembled_data};
static const struct joined_ids joined_ipv6 = {F_ipv6_fragments,          F_ipv6_fragment,
                                              F_ipv6_fragment_overlap,   F_ipv6_fragment_conflict,
                                              F_ipv6_fragment_tails,     F_ipv6_fragment_too_long,
                                              F_ipv6_fragment_error,     F_ipv6_fragment_count,
                                              F_ipv6_reassembled_length, F_ipv6_reassembled_data};

static void emit_piece(struct tape *t, const struct joined_ids *ids, uint8_t source,
                       const struct piece *p)
{
    const struct {
        uint32_t flag;
        uint16_t field;
    } rows[] = {{PIECE_OVERLAP, ids->overlap},
                {PIECE_CONFLICT, ids->conflict},
                {PIECE_MULTIPLE_TAILS, ids->tails},
                {PIECE_TOO_LONG, ids->too_long}};
    bool wrong = p->flags & (PIECE_CONFLICT | PIECE_MULTIPLE_TAILS | PIECE_TOO_LONG);
    uint32_t at = tape_open(t, wrong ? ids->error : ids->piece, source, p->offset, p->len, p->frame,
                            EVENT_GENERATED);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (p->flags & rows[i].flag)
            tape_add(t, rows[i].field, source, 0, 0, 1, EVENT_GENERATED);
    tape_close(t, at);
}

/* "#1(160), #2(149)" */
static void list_pieces(struct buf *out, struct slice pieces)
{
    struct piece p;
    for (bool first = true; slice_read(&pieces, &p, sizeof p); first = false) {
        buf_str(out, first ? "#" : ", #");
        buf_dec(out, p.frame);
        buf_char(out, '(');
        buf_dec(out, p.len);
        buf_char(out, ')');
    }
}

void lower_emit_joined(const struct lower_view *v, const struct lower_layer *layer)
{
    struct tape *t = v->t;
    bool is_ipv6 = layer->kind == LAYER_IPV6_EXTENSION;
    const struct joined_ids *ids = is_ipv6 ? &joined_ipv6 : &joined_ipv4;
    const struct joined *joined = &v->lower->joined[layer->joined - 1];
    uint8_t source = layer->joined;
    uint32_t size = (uint32_t)joined->bytes.len;
    uint32_t count = (uint32_t)(joined->pieces.len / sizeof(struct piece));
    uint32_t at = tape_open(t, ids->all, source, 0, size, count, EVENT_GENERATED);
    if (at != TAPE_NONE) {
        /* An IPv4 item has a value, the bytes: its note is behind `extra`. */
        size_t start = t->text.len;
        list_pieces(&t->text, joined->pieces);
        buf_put(&t->text, "", 1);
        t->events[at].extra = (uint32_t)start + 1;
    }
    struct slice pieces = joined->pieces;
    struct piece p;
    while (slice_read(&pieces, &p, sizeof p))
        emit_piece(t, ids, source, &p);
    tape_add(t, ids->count, source, 0, 0, count, EVENT_GENERATED);
    tape_add(t, ids->length, source, 0, 0, size, EVENT_GENERATED);
    tape_add(t, ids->data, source, 0, size, 0, EVENT_GENERATED);
    tape_close(t, at);
}

/* ---- IPv4
 * ----------------------------------------------------------------------------------------- */

static void emit_flags(const struct lower_view *v, uint16_t word)
{
    uint32_t at = lower_open(v, F_ip_flags, 6, 1, word >> 13);
    lower_add(v, F_ip_flags_rb, 6, 1, word >> 15);
    lower_add(v, F_ip_flags_df, 6, 1, word >> 14 & 1);
    lower_add(v, F_ip_flags_mf, 6, 1, word >> 13 & 1);
    tape_close(v->t, at);
    lower_add(v, F_ip_frag_offset, 6, 2, word & 0x1fff);
}

/* Bytes that the layer had on the wire from its own byte OFFSET on. */
static uint32_t framed(const struct lower_view *v, uint32_t offset)
{
    uint32_t from = v->offset + offset;
    return v->layer->wire > from ? v->layer->wire - from : 0;
}

/* False when the rest of the header makes no sense. */
static bool emit_total(const struct lower_view *v, uint16_t total, uint32_t header)
{
    uint32_t room = framed(v, 0);
    uint32_t at = tape_open(v->t, F_ip_len, v->source, v->offset + 2, 2, total ? total : room,
                            total ? 0 : EVENT_GENERATED);
    bool bogus = total > 0 && total < header;
    if (total == 0)
        tape_set_label(v->t, at, LABEL_IP_LEN_TSO);
    if (bogus) {
        tape_set_label(v->t, at, LABEL_IP_LEN_BOGUS);
        tape_set_extra(v->t, at, header);
        tape_expert(v->t, EXPERT_ip_bogus_length, v->source, v->offset + 2, 0, 0);
    } else if (total > room) {
        tape_expert(v->t, EXPERT_ip_too_long, v->source, v->offset + 2, 0, room);
    }
    tape_close(v->t, at);
    return !bogus;
}

/* A low time to live is remarked on where it lets the packet come no further than the next router
 * or two. */
static void emit_ttl(const struct lower_view *v, uint8_t ttl, struct slice destination)
{
    uint8_t first = slice_at(destination, 0);
    bool group = first >= 224 && first < 240;
    uint32_t at = lower_open(v, F_ip_ttl, 8, 1, ttl);
    if (!group && ttl < 5)
        tape_expert(v->t, EXPERT_ip_ttl_small, v->source, v->offset + 8, 0, ttl);
    tape_close(v->t, at);
}

static void emit_checksum(const struct lower_view *v, uint16_t sum)
{
    enum { BAD, GOOD, UNVERIFIED };
    struct tape *t = v->t;
    uint32_t at = lower_open(v, F_ip_checksum, 10, 2, sum);
    if (!v->options->check_ip || v->header.len < v->layer->length) {
        tape_close(t, at);
        tape_add(t, F_ip_checksum_status, v->source, v->offset + 10, 0, UNVERIFIED,
                 EVENT_GENERATED);
        return;
    }
    uint16_t rest = internet_sum_end(internet_sum(0, v->header));
    uint16_t right = sum;
    if (rest == 0) {
        tape_set_label(t, at, LABEL_CHECKSUM_CORRECT);
    } else {
        right = internet_sum_end((uint32_t)(uint16_t)~rest + (uint16_t)~sum);
        tape_set_label(t, at, LABEL_IP_CHECKSUM_BAD);
        tape_set_extra(t, at, right);
        tape_expert(t, EXPERT_ip_checksum_bad, v->source, v->offset + 10, 0, right);
    }
    tape_close(t, at);
    tape_add(t, F_ip_checksum_status, v->source, v->offset + 10, 0, rest ? BAD : GOOD,
             EVENT_GENERATED);
    tape_add(t, F_ip_checksum_calculated, v->source, v->offset + 10, 2, right, EVENT_GENERATED);
}

void lower_emit_ipv4(const struct lower_view *v)
{
    struct tape *t = v->t;
    struct slice s = v->header;
    uint8_t first = slice_u8(&s), ds = slice_u8(&s);
    uint32_t header = (uint32_t)(first & 15) * 4;
    uint32_t at = lower_open(v, F_ip, 0, header, 0);
    tape_set_extra(t, lower_add(v, F_ip_version, 0, 1, first >> 4), first);
    tape_set_extra(t, lower_add(v, F_ip_hdr_len, 0, 1, header), first);
    uint32_t field = lower_open(v, F_ip_dsfield, 1, 1, ds);
    lower_add(v, F_ip_dsfield_dscp, 1, 1, ds >> 2);
    lower_add(v, F_ip_dsfield_ecn, 1, 1, ds & 3);
    tape_close(t, field);
    if (!emit_total(v, slice_u16(&s), header)) {
        tape_set_label(t, at, LABEL_IP_BOGUS);
        tape_close(t, at);
        return;
    }
    lower_add(v, F_ip_id, 4, 2, slice_u16(&s));
    emit_flags(v, slice_u16(&s));
    emit_ttl(v, slice_u8(&s), slice_sub(v->header, 16, 4));
    lower_add(v, F_ip_proto, 9, 1, slice_u8(&s));
    emit_checksum(v, slice_u16(&s));
    lower_emit_address(v, 12, 4, &ip_source);
    bool routed = lower_ip_route(slice_sub(v->header, 20, SIZE_MAX)) > 0;
    lower_emit_address(v, 16, 4, routed ? &ip_current : &lower_ip_destination);
    if (v->options->plain_ipv4)
        tape_set_label(t, at, LABEL_IP_BOGUS);
    else if (routed)
        tape_set_label(t, at, LABEL_IP_VIA);
    if (header > 20)
        lower_emit_ipv4_options(v);
    if (v->layer->joined)
        lower_emit_joined(v, v->layer);
    tape_close(t, at);
}
