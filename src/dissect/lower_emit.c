/* The layers below TCP on the tape: links.  The network layers are in lower_ip.c. */
#include "dissect/lower_private.h"

#define ETHER_SHORTEST 60 /* bytes without check bytes (IEEE 802.3 4A.2) */
#define FCS_BYTES      4
#define OUI_LETTERS    21 /* of a maker's name that tshark shows in an OUI's label */

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

static void emit_names(struct tape *t, uint32_t offset, struct slice address, uint64_t oui,
                       enum field_id resolved, enum field_id oui_field, enum field_id oui_resolved)
{
    unsigned derived = EVENT_HIDDEN | EVENT_GENERATED;
    const char *name = registry_name(REG_OUIS, oui);
    uint32_t at = tape_add(t, resolved, 0, offset, 6, 0, derived);
    if (at != TAPE_NONE) {
        size_t start = t->text.len;
        buf_hex_bytes(&t->text, address, ':');
        lower_text_from(t, at, start);
    }
    at = tape_add(t, oui_field, 0, offset, 3, oui, derived);
    if (!name)
        return;
    tape_set_label(t, at, strlen(name) < OUI_LETTERS ? LABEL_OUI_NAMED : LABEL_OUI_CUT);
    at = tape_add(t, oui_resolved, 0, offset, 6, 0, derived);
    tape_set_text(t, at, slice_of_str(name));
}

static void emit_ether_address(struct tape *t, const struct ether_side *side, uint32_t offset,
                               struct slice address)
{
    struct slice head = address;
    uint32_t oui = slice_u24(&head);
    uint64_t lg = oui >> 17 & 1, ig = oui >> 16 & 1;
    uint32_t at = tape_open(t, side->address, 0, offset, 6, 0, 0);
    if (ig && side == &sender)
        tape_expert(t, EXPERT_eth_src_group, 0, offset, 3, 0);
    emit_names(t, offset, address, oui, side->resolved, side->oui, side->oui_resolved);
    tape_add(t, F_eth_addr, 0, offset, 6, 0, 0);
    emit_names(t, offset, address, oui, F_eth_addr_resolved, F_eth_addr_oui,
               F_eth_addr_oui_resolved);
    tape_add(t, side->lg, 0, offset, 3, lg, 0);
    tape_add(t, F_eth_lg, 0, offset, 3, lg, EVENT_HIDDEN);
    tape_add(t, side->ig, 0, offset, 3, ig, 0);
    tape_add(t, F_eth_ig, 0, offset, 3, ig, EVENT_HIDDEN);
    tape_close(t, at);
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
static void emit_tail(struct tape *t, const struct packet *packet, uint32_t end,
                      enum field_id trailer_field)
{
    uint32_t all = (uint32_t)packet->bytes.len, left = all - end;
    uint32_t filling = end < ETHER_SHORTEST ? ETHER_SHORTEST - end : 0;
    bool odd = filling > 0 && left >= filling && !all_zero(slice_sub(packet->bytes, end, filling));
    if (filling > 0 && left >= filling && !odd) {
        tape_add(t, F_eth_padding, 0, end, filling, 0, 0);
        end += filling;
        left -= filling;
    }
    bool room =
        trailer_field == F_eth_trailer && left >= FCS_BYTES && packet->caplen >= packet->len;
    bool checked = room && (packet->fcs_bytes == FCS_BYTES ||
                            (packet->fcs_bytes < 0 && all >= ETHER_SHORTEST + FCS_BYTES));
    uint32_t trailer = checked ? left - FCS_BYTES : left;
    if (trailer > 0) {
        uint32_t at = tape_open(t, trailer_field, 0, end, trailer, 0, 0);
        if (odd)
            tape_expert(t, EXPERT_eth_padding_bad, 0, end, 0, 0);
        tape_close(t, at);
    }
    if (!checked)
        return;
    struct slice sum = slice_sub(packet->bytes, all - FCS_BYTES, FCS_BYTES);
    tape_add(t, F_eth_fcs, 0, all - FCS_BYTES, FCS_BYTES, slice_u32(&sum), 0);
    tape_add(t, F_eth_fcs_status, 0, all - FCS_BYTES, 0, 2, EVENT_GENERATED);
}

static bool has_tail(const struct packet *packet, const struct lower *lower)
{
    return lower->has_payload &&
           packet->bytes.len > lower->payload_offset + (size_t)lower->payload_length;
}

static void emit_ethernet(struct tape *t, const struct packet *packet, const struct lower *lower)
{
    if (lower->source.len == 0 && packet->bytes.len < 14)
        return;
    struct slice type_at = slice_sub(packet->bytes, 12, 2);
    uint16_t type = slice_u16(&type_at);
    bool typed = type >= 1536;
    uint32_t at = tape_open(t, F_eth, 0, 0, 14, 0, 0);
    if (!typed)
        tape_set_label(t, at, LABEL_ETH_802_3);
    emit_ether_address(t, &receiver, 0, slice_sub(packet->bytes, 0, 6));
    emit_ether_address(t, &sender, 6, slice_sub(packet->bytes, 6, 6));
    tape_add(t, typed ? F_eth_type : F_eth_len, 0, 12, 2, type, 0);
    if (lower->tag_count == 0 && has_tail(packet, lower))
        emit_tail(t, packet, lower->payload_offset + lower->payload_length, F_eth_trailer);
    tape_close(t, at);
}

static void emit_tags(struct tape *t, const struct packet *packet, const struct lower *lower)
{
    bool ethernet = packet->link_type == LINK_ETHERNET;
    for (uint32_t i = 0; i < lower->tag_count; i++) {
        uint32_t offset = lower->tag_offset + i * 4;
        struct slice s = slice_sub(packet->bytes, offset, 4);
        uint16_t tag = slice_u16(&s);
        uint32_t at = tape_open(t, F_vlan, 0, offset, 4, 0, 0);
        tape_add(t, F_vlan_priority, 0, offset, 2, tag >> 13, 0);
        tape_add(t, F_vlan_dei, 0, offset, 2, tag >> 12 & 1, 0);
        tape_add(t, F_vlan_id, 0, offset, 2, tag & 0xfff, 0);
        tape_add(t, F_vlan_etype, 0, offset + 2, 2, slice_u16(&s), 0);
        if (ethernet && i + 1u == lower->tag_count && has_tail(packet, lower))
            emit_tail(t, packet, lower->payload_offset + lower->payload_length, F_vlan_trailer);
        tape_close(t, at);
    }
}

/* The sender's address in its field of eight bytes, and what is left of that. */
static void emit_sll_source(struct tape *t, uint32_t offset, uint16_t length)
{
    uint32_t used = length < 8 ? length : 8;
    if (length == 6)
        tape_add(t, F_sll_src_eth, 0, offset, 6, 0, 0);
    else if (length == 4)
        tape_add(t, F_sll_src_ipv4, 0, offset, 4, 0, 0);
    else if (length > 0)
        tape_add(t, F_sll_src_other, 0, offset, used, 0, 0);
    if (used < 8)
        tape_add(t, F_sll_unused, 0, offset + used, 8 - used, 0, 0);
}

static void emit_sll2(struct tape *t, struct slice s)
{
    if (s.len < 20)
        return;
    uint32_t at = tape_open(t, F_sll, 0, 0, 20, 0, 0);
    tape_set_label(t, at, LABEL_SLL2);
    tape_add(t, F_sll_etype, 0, 0, 2, slice_u16(&s), 0);
    slice_skip(&s, 2);
    tape_add(t, F_sll_ifindex, 0, 4, 4, slice_u32(&s), 0);
    tape_add(t, F_sll_hatype, 0, 8, 2, slice_u16(&s), 0);
    tape_add(t, F_sll_pkttype, 0, 10, 1, slice_u8(&s), 0);
    uint8_t length = slice_u8(&s);
    tape_add(t, F_sll_halen, 0, 11, 1, length, 0);
    emit_sll_source(t, 12, length);
    tape_close(t, at);
}

static void emit_sll(struct tape *t, const struct packet *packet, const struct lower *lower)
{
    struct slice s = packet->bytes;
    if (s.len < 16)
        return;
    uint32_t at = tape_open(t, F_sll, 0, 0, 16, 0, 0);
    tape_add(t, F_sll_pkttype, 0, 0, 2, slice_u16(&s), 0);
    tape_add(t, F_sll_hatype, 0, 2, 2, slice_u16(&s), 0);
    uint16_t length = slice_u16(&s);
    tape_add(t, F_sll_halen, 0, 4, 2, length, 0);
    emit_sll_source(t, 6, length);
    slice_skip(&s, 8);
    tape_add(t, F_sll_etype, 0, 14, 2, slice_u16(&s), 0);
    if (lower->tag_count == 0 && has_tail(packet, lower))
        emit_tail(t, packet, lower->payload_offset + lower->payload_length, F_sll_trailer);
    tape_close(t, at);
}

static void emit_null(struct tape *t, const struct packet *packet)
{
    struct slice s = packet->bytes, other = s;
    if (s.len < 4)
        return;
    uint32_t family = packet->link_type == LINK_LOOP ? slice_u32(&s) : slice_le32(&s);
    if (family > 0xffff)
        family = slice_u32(&other); /* captured on a machine of the other byte order */
    uint32_t at = tape_open(t, F_null, 0, 0, 4, 0, 0);
    tape_add(t, F_null_family, 0, 0, 4, family, 0);
    tape_close(t, at);
}

void lower_emit(struct tape *t, const struct packet *packet, const struct lower *lower)
{
    switch (packet->link_type) {
    case LINK_ETHERNET:
        emit_ethernet(t, packet, lower);
        break;
    case LINK_LINUX_SLL:
        emit_sll(t, packet, lower);
        break;
    case LINK_LINUX_SLL2:
        emit_sll2(t, packet->bytes);
        break;
    case LINK_NULL:
    case LINK_LOOP:
        emit_null(t, packet);
        break;
    case LINK_IPV4:
    case LINK_IPV6:
        break;
    default:
        tape_add(t, F_raw, 0, 0, (uint32_t)packet->bytes.len, 0, 0);
        break;
    }
    emit_tags(t, packet, lower);
    if (lower->network == NETWORK_IPV4)
        lower_emit_ipv4(t, packet, lower);
    else if (lower->network == NETWORK_IPV6)
        lower_emit_ipv6(t, packet, lower);
}
