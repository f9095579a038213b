/* The layers below TCP on the tape: links, tags.  IP is in lower_ip.c, tunnels in
 * lower_emit_tunnel.c. */
#include "dissect/lower_private.h"
#include "schema/ouis.h"

#define ETHER_SHORTEST 60 /* bytes without check bytes (IEEE 802.3 4A.2) */
#define FCS_BYTES      4
#define OUI_LETTERS    21 /* of a maker's name that tshark shows in an OUI's label */

/* ---- rows of numbers
 * ------------------------------------------------------------------------------ */

uint32_t lower_add(const struct lower_view *v, enum field_id field, uint32_t at, uint32_t length,
                   uint64_t value)
{
    return tape_add(v->t, field, v->source, v->offset + at, length, value, 0);
}

uint32_t lower_open(const struct lower_view *v, enum field_id field, uint32_t at, uint32_t length,
                    uint64_t value)
{
    return tape_open(v->t, field, v->source, v->offset + at, length, value, 0);
}

void lower_emit_rows(const struct lower_view *v, const struct header_row *rows, size_t count)
{
    uint32_t outer = TAPE_NONE;
    bool open = false;
    for (size_t i = 0; i < count && rows[i].at + (size_t)rows[i].size <= v->header.len; i++) {
        const struct header_row *row = &rows[i];
        struct slice s = slice_sub(v->header, row->at, row->size);
        uint64_t value = row->size <= 8 ? slice_uint(&s, row->size) : 0;
        uint64_t mask = fields[row->field].mask;
        if (mask)
            value = (value & mask) / (mask & -mask);
        if (row->inside) {
            lower_add(v, row->field, row->at, row->size, value);
            continue;
        }
        if (open)
            tape_close(v->t, outer);
        outer = lower_open(v, row->field, row->at, row->size, value);
        open = true;
    }
    if (open)
        tape_close(v->t, outer);
}

/* ---- Ethernet
 * -------------------------------------------------------------------------------------- */

/* The items that an Ethernet address opens into; SIDE gives the ids that differ for receiver and
 * sender. */
struct ether_side {
    uint16_t address, resolved, oui, oui_resolved, lg, ig;
};

static const struct ether_side receiver = {F_eth_dst,     F_eth_dst_resolved,
                                           F_eth_dst_oui, F_eth_dst_oui_resolved,
                                           F_eth_dst_lg,  F_eth_dst_ig};
static const struct ether_side sender = {F_eth_src,     F_eth_src_resolved,
                                         F_eth_src_oui, F_eth_src_oui_resolved,
                                         F_eth_src_lg,  F_eth_src_ig};

/* " (Maker)", as an item's `extra` names it. */
static uint32_t oui_note(struct tape *t, const char *name)
{
    size_t length = strlen(name);
    uint32_t note = (uint32_t)t->text.len + 1;
    buf_str(&t->text, " (");
    buf_put(&t->text, name, length < OUI_LETTERS ? length : OUI_LETTERS);
    if (length < OUI_LETTERS)
        buf_char(&t->text, ')');
    buf_put(&t->text, "", 1);
    return note;
}

void lower_set_oui(struct tape *t, uint32_t at, const char *name)
{
    if (at != TAPE_NONE && name)
        tape_set_extra(t, at, oui_note(t, name));
}

/* What several items of one address say, in the tape's text: as lower_note_from() packs it, 0 for none; the note of an
 * OUI's label as `extra` has it. */
struct ether_texts {
    uint64_t address, maker;
    uint32_t note;
};

static struct ether_texts ether_texts(struct tape *t, const struct ether_side *side,
                                      struct slice address, uint32_t oui)
{
    struct ether_texts texts = {0};
    if (tape_wants(t, side->resolved) || tape_wants(t, F_eth_addr_resolved)) {
        size_t start = t->text.len;
        if (!t->makers || !ether_name(&t->text, address))
            buf_hex_bytes(&t->text, address, ':');
        texts.address = lower_note_from(t, start);
    }
    bool maker = tape_wants(t, side->oui) || tape_wants(t, side->oui_resolved) ||
                 tape_wants(t, F_eth_addr_oui) || tape_wants(t, F_eth_addr_oui_resolved);
    const char *name = maker ? oui_name(oui) : NULL;
    if (name) {
        texts.note = oui_note(t, name);
        size_t start = t->text.len;
        buf_str(&t->text, name);
        texts.maker = lower_note_from(t, start);
    }
    t->full |= t->text.failed;
    return texts;
}

static void emit_names(const struct lower_view *v, uint32_t offset, uint32_t oui,
                       const struct ether_texts *texts, enum field_id resolved,
                       enum field_id oui_field, enum field_id oui_resolved)
{
    const unsigned derived = EVENT_HIDDEN | EVENT_GENERATED;
    offset += v->offset;
    tape_add(v->t, resolved, v->source, offset, 6, texts->address, derived | EVENT_IN_TEXT);
    uint32_t at = tape_add(v->t, oui_field, v->source, offset, 3, oui, derived);
    tape_set_extra(v->t, at, texts->note);
    if (texts->maker)
        tape_add(v->t, oui_resolved, v->source, offset, 6, texts->maker, derived | EVENT_IN_TEXT);
}

static void emit_ether_address(const struct lower_view *v, const struct ether_side *side,
                               uint32_t offset)
{
    struct slice address = slice_sub(v->header, offset, 6), head = address;
    uint32_t oui = slice_u24(&head);
    uint64_t lg = oui >> 17 & 1, ig = oui >> 16 & 1;
    uint32_t at = lower_open(v, side->address, offset, 6, 0);
    if (ig && side == &sender)
        tape_expert(v->t, EXPERT_eth_src_group, v->source, v->offset + offset, 3, 0);
    const struct ether_texts texts = ether_texts(v->t, side, address, oui);
    emit_names(v, offset, oui, &texts, side->resolved, side->oui, side->oui_resolved);
    lower_add(v, F_eth_addr, offset, 6, 0);
    emit_names(v, offset, oui, &texts, F_eth_addr_resolved, F_eth_addr_oui,
               F_eth_addr_oui_resolved);
    lower_add(v, side->lg, offset, 3, lg);
    tape_add(v->t, F_eth_lg, v->source, v->offset + offset, 3, lg, EVENT_HIDDEN);
    lower_add(v, side->ig, offset, 3, ig);
    tape_add(v->t, F_eth_ig, v->source, v->offset + offset, 3, ig, EVENT_HIDDEN);
    tape_close(v->t, at);
}

static bool all_zero(struct slice s)
{
    while (s.len > 0)
        if (slice_u8(&s) != 0)
            return false;
    return true;
}

/* Bytes after the IP packet: filling up to the shortest frame, a trailer, check bytes.  Whether the
 * last four are check bytes (never those of a tagged frame, as tshark has it) is a guess unless the
 * capture tells: where a frame is long enough for them. */
static void emit_tail(const struct lower_view *v, enum field_id trailer_field)
{
    struct tape *t = v->t;
    struct slice bytes = t->sources[v->source].bytes;
    uint32_t all = (uint32_t)bytes.len, end = v->layer->end, start = v->offset;
    if (end == 0 || end >= all)
        return;
    uint32_t left = all - end, shortest = start + ETHER_SHORTEST;
    if (trailer_field != F_eth_trailer)
        shortest = ETHER_SHORTEST;
    uint32_t filling = end < shortest ? shortest - end : 0;
    bool odd = filling > 0 && left >= filling && !all_zero(slice_sub(bytes, end, filling));
    if (filling > 0 && left >= filling && !odd) {
        tape_add(t, F_eth_padding, v->source, end, filling, 0, 0);
        end += filling;
        left -= filling;
    }
    bool framed = v->source == 0 && v->packet->caplen >= v->packet->len;
    bool room = trailer_field == F_eth_trailer && left >= FCS_BYTES && framed;
    bool checked = room && (v->packet->fcs_bytes == FCS_BYTES ||
                            (v->packet->fcs_bytes < 0 && all >= shortest + FCS_BYTES));
    uint32_t trailer = checked ? left - FCS_BYTES : left;
    if (trailer > 0) {
        uint32_t at = tape_open(t, trailer_field, v->source, end, trailer, 0, 0);
        if (odd)
            tape_expert(t, EXPERT_eth_padding_bad, v->source, end, 0, 0);
        tape_close(t, at);
    }
    if (!checked)
        return;
    struct slice sum = slice_sub(bytes, all - FCS_BYTES, FCS_BYTES);
    tape_add(t, F_eth_fcs, v->source, all - FCS_BYTES, FCS_BYTES, slice_u32(&sum), 0);
    tape_add(t, F_eth_fcs_status, v->source, all - FCS_BYTES, 0, 2, EVENT_GENERATED);
}

static void emit_ethernet(const struct lower_view *v)
{
    struct slice type_at = slice_sub(v->header, 12, 2);
    uint16_t type = slice_u16(&type_at);
    bool typed = type >= ETHER_FIRST_TYPE;
    uint32_t at = lower_open(v, F_eth, 0, 14, 0);
    if (!typed)
        tape_set_label(v->t, at, LABEL_ETH_802_3);
    emit_ether_address(v, &receiver, 0);
    emit_ether_address(v, &sender, 6);
    uint32_t field = lower_open(v, typed ? F_eth_type : F_eth_len, 12, 2, type);
    if (!typed && v->offset + 14 + type > v->layer->wire)
        tape_expert(v->t, EXPERT_eth_len_past_end, v->source, v->offset + 12, 0, 0);
    tape_close(v->t, field);
    emit_tail(v, F_eth_trailer);
    tape_close(v->t, at);
}

/* ---- tags
 * ------------------------------------------------------------------------------------------ */

static void emit_tag(const struct lower_view *v)
{
    static const struct header_row rows[] = {
        {F_vlan_priority, 0, 2, false}, {F_vlan_dei, 0, 2, false}, {F_vlan_id, 0, 2, false}};
    struct slice type_at = slice_sub(v->header, 2, 2);
    uint16_t type = slice_u16(&type_at);
    uint32_t at = lower_open(v, F_vlan, 0, 4, 0);
    lower_emit_rows(v, rows, sizeof rows / sizeof rows[0]);
    lower_add(v, type >= ETHER_FIRST_TYPE ? F_vlan_etype : F_vlan_len, 2, 2, type);
    if (v->packet->link_type == LINK_ETHERNET)
        emit_tail(v, F_vlan_trailer);
    tape_close(v->t, at);
}

static void emit_provider_tag(const struct lower_view *v)
{
    struct slice s = v->header;
    uint16_t tag = slice_u16(&s), type = slice_u16(&s);
    uint32_t at = lower_open(v, F_ad, 0, 4, 0);
    lower_add(v, F_ad_priority, 0, 1, tag >> 13);
    lower_add(v, F_ad_dei, 0, 1, tag >> 12 & 1);
    lower_add(v, F_ad_id, 0, 2, tag & 0xfff);
    lower_add(v, F_ad_etype, 2, 2, type);
    tape_close(v->t, at);
}

/* ---- Linux cooked captures, BSD loopback
 * ----------------------------------------------------------- */

/* The sender's address in its field of eight bytes, and what is left of that. */
static void emit_sll_source(const struct lower_view *v, uint32_t offset, uint16_t length)
{
    uint32_t used = length < 8 ? length : 8;
    if (length == 6)
        lower_add(v, F_sll_src_eth, offset, 6, 0);
    else if (length == 4)
        lower_add(v, F_sll_src_ipv4, offset, 4, 0);
    else if (length > 0)
        lower_add(v, F_sll_src_other, offset, used, 0);
    if (used < 8)
        lower_add(v, F_sll_unused, offset + used, 8 - used, 0);
}

static void emit_sll2(const struct lower_view *v)
{
    static const struct header_row rows[] = {{F_sll_etype, 0, 2, false},
                                             {F_sll_ifindex, 4, 4, false},
                                             {F_sll_hatype, 8, 2, false},
                                             {F_sll_pkttype, 10, 1, false},
                                             {F_sll_halen, 11, 1, false}};
    uint32_t at = lower_open(v, F_sll, 0, 20, 0);
    tape_set_label(v->t, at, LABEL_SLL2);
    lower_emit_rows(v, rows, sizeof rows / sizeof rows[0]);
    emit_sll_source(v, 12, slice_at(v->header, 11));
    tape_close(v->t, at);
}

static void emit_sll(const struct lower_view *v)
{
    static const struct header_row rows[] = {
        {F_sll_pkttype, 0, 2, false}, {F_sll_hatype, 2, 2, false}, {F_sll_halen, 4, 2, false}};
    struct slice length = slice_sub(v->header, 4, 2), type = slice_sub(v->header, 14, 2);
    uint32_t at = lower_open(v, F_sll, 0, 16, 0);
    lower_emit_rows(v, rows, sizeof rows / sizeof rows[0]);
    emit_sll_source(v, 6, slice_u16(&length));
    lower_add(v, F_sll_etype, 14, 2, slice_u16(&type));
    emit_tail(v, F_sll_trailer);
    tape_close(v->t, at);
}

static void emit_null(const struct lower_view *v)
{
    struct slice s = v->header, other = s;
    uint32_t family = v->packet->link_type == LINK_LOOP ? slice_u32(&s) : slice_le32(&s);
    if (family > 0xffff)
        family = slice_u32(&other); /* captured on a machine of the other byte order */
    uint32_t at = lower_open(v, F_null, 0, 4, 0);
    lower_add(v, F_null_family, 0, 4, family);
    tape_close(v->t, at);
}

/* ---- all
 * ------------------------------------------------------------------------------------------ */

static void (*const emitters[])(const struct lower_view *v) = {
    [LAYER_ETHERNET] = emit_ethernet,
    [LAYER_NULL] = emit_null,
    [LAYER_SLL] = emit_sll,
    [LAYER_SLL2] = emit_sll2,
    [LAYER_TAG] = emit_tag,
    [LAYER_PROVIDER_TAG] = emit_provider_tag,
    [LAYER_LLC] = lower_emit_llc,
    [LAYER_PPPOE] = lower_emit_pppoe,
    [LAYER_PPP] = lower_emit_ppp,
    [LAYER_MPLS] = lower_emit_mpls,
    [LAYER_CONTROL_WORD] = lower_emit_control_word,
    [LAYER_GRE] = lower_emit_gre,
    [LAYER_UDP] = lower_emit_udp,
    [LAYER_VXLAN] = lower_emit_vxlan,
    [LAYER_GENEVE] = lower_emit_geneve,
    [LAYER_AH] = lower_emit_ah,
    [LAYER_IPV4] = lower_emit_ipv4,
    [LAYER_IPV6] = lower_emit_ipv6,
    [LAYER_IPV6_EXTENSION] = NULL, /* lower_emit_ipv6() does them */
};

/* AH after IPv6 is one of its extension headers. */
static bool belongs_to_ipv6(const struct lower *lower, unsigned i)
{
    return lower->layers[i].kind == LAYER_IPV6_EXTENSION ||
           (lower->layers[i].kind == LAYER_AH && i > 0 &&
            (lower->layers[i - 1].kind == LAYER_IPV6 ||
             lower->layers[i - 1].kind == LAYER_IPV6_EXTENSION));
}

void lower_emit(struct tape *t, const struct packet *packet, const struct lower_options *options,
                const struct lower *lower)
{
    uint32_t link = packet->link_type;
    bool raw = link == LINK_RAW || link == LINK_RAW_BSD || link == LINK_RAW_OPENBSD;
    if (raw || (lower->layer_count == 0 && link != LINK_ETHERNET && link != LINK_NULL &&
                link != LINK_LOOP && link != LINK_IPV4 && link != LINK_IPV6 && link != LINK_PPP &&
                link != LINK_LINUX_SLL && link != LINK_LINUX_SLL2))
        tape_add(t, F_raw, 0, 0, (uint32_t)packet->bytes.len, 0, 0);
    for (unsigned i = 0; i < lower->layer_count; i++) {
        const struct lower_layer *layer = &lower->layers[i];
        const struct lower_view v = {
            .t = t,
            .packet = packet,
            .lower = lower,
            .options = options,
            .layer = layer,
            .header = slice_sub(t->sources[layer->source].bytes, layer->offset, layer->length),
            .source = layer->source,
            .offset = layer->offset};
        if (!belongs_to_ipv6(lower, i))
            emitters[layer->kind](&v);
    }
}
