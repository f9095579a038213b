#include "dissect/lower.h"

#define ETHER_IPV4 0x0800
#define ETHER_IPV6 0x86dd
#define ETHER_VLAN 0x8100
#define ETHER_QINQ 0x88a8
#define MAX_TAGS   4

static void add_protocol(struct lower *out, const char *name)
{
    size_t used = strlen(out->protocols), more = strlen(name);
    if (used + more + 2 > sizeof out->protocols)
        return;
    if (used)
        out->protocols[used++] = ':';
    memcpy(out->protocols + used, name, more + 1);
}

static void read_ipv4(struct lower *out, struct slice s, uint32_t offset)
{
    struct slice whole = s;
    uint8_t first = slice_u8(&s);
    uint32_t header = (uint32_t)(first & 15) * 4;
    slice_skip(&s, 1);
    uint32_t total = slice_u16(&s);
    slice_skip(&s, 2);
    uint16_t fragment = slice_u16(&s);
    slice_skip(&s, 1);
    uint8_t protocol = slice_u8(&s);
    slice_skip(&s, 2);
    struct slice source = slice_take(&s, 4), destination = slice_take(&s, 4);
    if (s.failed || first >> 4 != 4 || header < 20)
        return;
    /* Segmentation offload leaves the length at zero: then the packet is as long as the capture says. */
    if (total == 0)
        total = (uint32_t)whole.len;
    if (total < header)
        return;
    add_protocol(out, "ip");
    out->network = NETWORK_IPV4;
    out->network_offset = offset;
    out->source = source;
    out->destination = destination;
    out->protocol = protocol;
    out->fragment = (fragment & 0x3fff) != 0;
    out->payload_offset = offset + header;
    out->payload_length = total - header;
    out->payload = slice_sub(whole, header, out->payload_length);
    out->has_payload = whole.len >= header;
}

static void read_ipv6(struct lower *out, struct slice s, uint32_t offset)
{
    struct slice whole = s;
    uint8_t first = slice_u8(&s);
    slice_skip(&s, 3);
    uint32_t length = slice_u16(&s);
    uint8_t next = slice_u8(&s);
    slice_skip(&s, 1);
    struct slice source = slice_take(&s, 16), destination = slice_take(&s, 16);
    if (s.failed || first >> 4 != 6)
        return;
    if (length == 0)
        length = (uint32_t)whole.len - 40;
    add_protocol(out, "ipv6");
    out->network = NETWORK_IPV6;
    out->network_offset = offset;
    out->source = source;
    out->destination = destination;
    out->protocol = next;
    out->payload_offset = offset + 40;
    out->payload_length = length;
    out->payload = slice_sub(whole, 40, length);
    out->has_payload = true;
}

static void read_network(struct lower *out, uint16_t ether_type, struct slice s, uint32_t offset)
{
    out->ether_type = ether_type;
    if (ether_type == ETHER_IPV4)
        read_ipv4(out, s, offset);
    else if (ether_type == ETHER_IPV6)
        read_ipv6(out, s, offset);
}

static void read_ethernet(struct lower *out, struct slice s)
{
    add_protocol(out, "eth");
    out->destination = slice_take(&s, 6);
    out->source = slice_take(&s, 6);
    uint16_t type = slice_u16(&s);
    uint32_t offset = 14;
    add_protocol(out, "ethertype");
    for (int tag = 0; tag < MAX_TAGS && (type == ETHER_VLAN || type == ETHER_QINQ); tag++) {
        slice_skip(&s, 2);
        type = slice_u16(&s);
        offset += 4;
    }
    if (!s.failed)
        read_network(out, type, s, offset);
}

static void read_raw(struct lower *out, struct slice s)
{
    add_protocol(out, "raw");
    uint8_t version = slice_at(s, 0) >> 4;
    read_network(out, version == 4 ? ETHER_IPV4 : version == 6 ? ETHER_IPV6 : 0, s, 0);
}

static void read_null(struct lower *out, struct slice s, bool network_order)
{
    add_protocol(out, "null");
    struct slice head = s;
    uint32_t family = network_order ? slice_u32(&s) : slice_le32(&s);
    if (family > 0xffff)
        family = slice_u32(&head); /* captured on a machine of the other byte order */
    bool ipv6 = family == 24 || family == 28 || family == 30;
    read_network(out, family == 2 ? ETHER_IPV4 : ipv6 ? ETHER_IPV6 : 0, s, 4);
}

static void read_sll(struct lower *out, struct slice s)
{
    add_protocol(out, "sll");
    slice_skip(&s, 14);
    uint16_t type = slice_u16(&s);
    add_protocol(out, "ethertype");
    if (!s.failed)
        read_network(out, type, s, 16);
}

static void read_sll2(struct lower *out, struct slice s)
{
    add_protocol(out, "sll");
    uint16_t type = slice_u16(&s);
    slice_skip(&s, 18);
    add_protocol(out, "ethertype");
    if (!s.failed)
        read_network(out, type, s, 20);
}

void lower_read(const struct packet *packet, struct lower *out)
{
    *out = (struct lower){.source = slice_empty(), .destination = slice_empty()};
    out->payload = slice_empty();
    switch (packet->link_type) {
    case LINK_ETHERNET:
        read_ethernet(out, packet->bytes);
        break;
    case LINK_NULL:
        read_null(out, packet->bytes, false);
        break;
    case LINK_LOOP:
        read_null(out, packet->bytes, true);
        break;
    case LINK_LINUX_SLL:
        read_sll(out, packet->bytes);
        break;
    case LINK_LINUX_SLL2:
        read_sll2(out, packet->bytes);
        break;
    case LINK_RAW:
    case LINK_RAW_BSD:
    case LINK_RAW_OPENBSD:
    case LINK_IPV4:
    case LINK_IPV6:
        read_raw(out, packet->bytes);
        break;
    default:
        break;
    }
}

/* The items that an Ethernet address opens into; SIDE gives the ids that differ for receiver and sender. */
struct ether_side {
    uint16_t address, resolved, oui, oui_resolved, lg, ig;
};

static const struct ether_side receiver = {F_eth_dst,        F_eth_dst_resolved,
                                           F_eth_dst_oui,    F_eth_dst_oui_resolved,
                                           F_eth_dst_lg,     F_eth_dst_ig};
static const struct ether_side sender = {F_eth_src,        F_eth_src_resolved,
                                         F_eth_src_oui,    F_eth_src_oui_resolved,
                                         F_eth_src_lg,     F_eth_src_ig};

static void emit_names(struct tape *t, uint32_t offset, struct slice address, uint64_t oui,
                       enum field_id resolved, enum field_id oui_field, enum field_id oui_resolved)
{
    uint32_t at = tape_add(t, resolved, 0, offset, 6, 0, EVENT_HIDDEN | EVENT_GENERATED);
    if (at != TAPE_NONE) {
        struct buf text = {0};
        char bytes[18];
        text.data = (uint8_t *)bytes;
        text.cap = text.ceiling = sizeof bytes;
        buf_hex_bytes(&text, address, ':');
        tape_set_text(t, at, buf_slice(&text));
    }
    const char *name = registry_name(REG_OUIS, oui);
    if (!name)
        return;
    tape_add(t, oui_field, 0, offset, 3, oui, EVENT_HIDDEN | EVENT_GENERATED);
    at = tape_add(t, oui_resolved, 0, offset, 6, 0, EVENT_HIDDEN | EVENT_GENERATED);
    tape_set_text(t, at, slice_of_str(name));
}

static void emit_ether_address(struct tape *t, const struct ether_side *side, uint32_t offset,
                               struct slice address)
{
    struct slice head = address;
    uint32_t oui = slice_u24(&head);
    uint64_t lg = oui >> 17 & 1, ig = oui >> 16 & 1;
    uint32_t at = tape_open(t, side->address, 0, offset, 6, 0, 0);
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

static void emit_ethernet(struct tape *t, const struct packet *packet, const struct lower *lower)
{
    uint32_t at = tape_open(t, F_eth, 0, 0, 14, 0, 0);
    emit_ether_address(t, &receiver, 0, slice_sub(packet->bytes, 0, 6));
    emit_ether_address(t, &sender, 6, slice_sub(packet->bytes, 6, 6));
    tape_add(t, F_eth_type, 0, 12, 2, lower->ether_type, 0);
    uint32_t end = lower->payload_offset + lower->payload_length;
    if (lower->network != NETWORK_NONE && packet->bytes.len > end)
        tape_add(t, F_eth_padding, 0, end, (uint32_t)packet->bytes.len - end, 0, 0);
    tape_close(t, at);
}

static void emit_sll(struct tape *t, const struct packet *packet, bool second_version)
{
    struct slice s = packet->bytes;
    uint32_t at = tape_open(t, F_sll, 0, 0, second_version ? 20 : 16, 0, 0);
    tape_set_label(t, at, second_version ? LABEL_SLL2 : LABEL_SLL);
    if (second_version) {
        tape_add(t, F_sll_etype, 0, 0, 2, slice_u16(&s), 0);
        slice_skip(&s, 2);
        tape_add(t, F_sll_ifindex, 0, 4, 4, slice_u32(&s), 0);
        tape_add(t, F_sll_hatype, 0, 8, 2, slice_u16(&s), 0);
        tape_add(t, F_sll_pkttype, 0, 10, 1, slice_u8(&s), 0);
        uint8_t length = slice_u8(&s);
        tape_add(t, F_sll_halen, 0, 11, 1, length, 0);
        if (length == 6)
            tape_add(t, F_sll_src_eth, 0, 12, 6, 0, 0);
    } else {
        tape_add(t, F_sll_pkttype, 0, 0, 2, slice_u16(&s), 0);
        tape_add(t, F_sll_hatype, 0, 2, 2, slice_u16(&s), 0);
        uint16_t length = slice_u16(&s);
        tape_add(t, F_sll_halen, 0, 4, 2, length, 0);
        if (length == 6) {
            tape_add(t, F_sll_src_eth, 0, 6, 6, 0, 0);
            tape_add(t, F_sll_unused, 0, 12, 2, 0, 0);
        }
        slice_skip(&s, 8);
        tape_add(t, F_sll_etype, 0, 14, 2, slice_u16(&s), 0);
    }
    tape_close(t, at);
}

/* An address and its three hidden companions. */
static void emit_address(struct tape *t, uint32_t offset, uint32_t size, enum field_id own,
                         enum field_id either, enum field_id host, enum field_id either_host)
{
    unsigned derived = EVENT_GENERATED | EVENT_HIDDEN;
    tape_add(t, own, 0, offset, size, 0, 0);
    tape_add(t, either, 0, offset, size, 0, EVENT_HIDDEN);
    tape_add(t, host, 0, offset, size, 0, derived);
    tape_add(t, either_host, 0, offset, size, 0, derived);
}

static void emit_ipv4(struct tape *t, const struct packet *packet, const struct lower *lower)
{
    uint32_t o = lower->network_offset;
    struct slice s = slice_sub(packet->bytes, o, packet->bytes.len);
    uint8_t first = slice_u8(&s), ds = slice_u8(&s);
    uint32_t at = tape_open(t, F_ip, 0, o, lower->payload_offset - o, 0, 0);
    tape_set_extra(t, tape_add(t, F_ip_version, 0, o, 1, first >> 4, 0), first);
    tape_set_extra(t, tape_add(t, F_ip_hdr_len, 0, o, 1, (uint64_t)(first & 15) * 4, 0), first);
    uint32_t field = tape_open(t, F_ip_dsfield, 0, o + 1, 1, ds, 0);
    tape_add(t, F_ip_dsfield_dscp, 0, o + 1, 1, ds >> 2, 0);
    tape_add(t, F_ip_dsfield_ecn, 0, o + 1, 1, ds & 3, 0);
    tape_close(t, field);
    tape_add(t, F_ip_len, 0, o + 2, 2, slice_u16(&s), 0);
    tape_add(t, F_ip_id, 0, o + 4, 2, slice_u16(&s), 0);
    uint16_t fragment = slice_u16(&s);
    field = tape_open(t, F_ip_flags, 0, o + 6, 1, fragment >> 13, 0);
    tape_add(t, F_ip_flags_rb, 0, o + 6, 1, fragment >> 15, 0);
    tape_add(t, F_ip_flags_df, 0, o + 6, 1, fragment >> 14 & 1, 0);
    tape_add(t, F_ip_flags_mf, 0, o + 6, 1, fragment >> 13 & 1, 0);
    tape_close(t, field);
    tape_add(t, F_ip_frag_offset, 0, o + 6, 2, (uint64_t)(fragment & 0x1fff) * 8, 0);
    tape_add(t, F_ip_ttl, 0, o + 8, 1, slice_u8(&s), 0);
    tape_add(t, F_ip_proto, 0, o + 9, 1, slice_u8(&s), 0);
    tape_add(t, F_ip_checksum, 0, o + 10, 2, slice_u16(&s), 0);
    tape_add(t, F_ip_checksum_status, 0, o + 10, 0, 2, EVENT_GENERATED);
    emit_address(t, o + 12, 4, F_ip_src, F_ip_addr, F_ip_src_host, F_ip_host);
    emit_address(t, o + 16, 4, F_ip_dst, F_ip_addr, F_ip_dst_host, F_ip_host);
    tape_close(t, at);
}

static void emit_ipv6(struct tape *t, const struct packet *packet, const struct lower *lower)
{
    uint32_t o = lower->network_offset;
    struct slice s = slice_sub(packet->bytes, o, packet->bytes.len);
    uint32_t word = slice_u32(&s);
    uint32_t at = tape_open(t, F_ipv6, 0, o, lower->payload_offset - o, 0, 0);
    tape_set_extra(t, tape_add(t, F_ipv6_version, 0, o, 1, word >> 28, 0), word >> 24);
    tape_add(t, F_ipv6_ip_version, 0, o, 1, word >> 28, EVENT_HIDDEN);
    uint32_t field = tape_open(t, F_ipv6_tclass, 0, o, 4, word >> 20 & 0xff, 0);
    tape_add(t, F_ipv6_tclass_dscp, 0, o, 4, word >> 22 & 0x3f, 0);
    tape_add(t, F_ipv6_tclass_ecn, 0, o, 4, word >> 20 & 3, 0);
    tape_close(t, field);
    tape_add(t, F_ipv6_flow, 0, o + 1, 3, word & 0xfffff, 0);
    tape_add(t, F_ipv6_plen, 0, o + 4, 2, slice_u16(&s), 0);
    tape_add(t, F_ipv6_nxt, 0, o + 6, 1, slice_u8(&s), 0);
    tape_add(t, F_ipv6_hlim, 0, o + 7, 1, slice_u8(&s), 0);
    emit_address(t, o + 8, 16, F_ipv6_src, F_ipv6_addr, F_ipv6_src_host, F_ipv6_host);
    emit_address(t, o + 24, 16, F_ipv6_dst, F_ipv6_addr, F_ipv6_dst_host, F_ipv6_host);
    tape_close(t, at);
}

void lower_emit(struct tape *t, const struct packet *packet, const struct lower *lower)
{
    if (packet->link_type == LINK_ETHERNET) {
        emit_ethernet(t, packet, lower);
    } else if (packet->link_type == LINK_LINUX_SLL || packet->link_type == LINK_LINUX_SLL2) {
        emit_sll(t, packet, packet->link_type == LINK_LINUX_SLL2);
    } else if (packet->link_type == LINK_NULL || packet->link_type == LINK_LOOP) {
        struct slice s = packet->bytes;
        uint32_t at = tape_open(t, F_null, 0, 0, 4, 0, 0);
        tape_add(t, F_null_family, 0, 0, 4,
                 packet->link_type == LINK_LOOP ? slice_u32(&s) : slice_le32(&s), 0);
        tape_close(t, at);
    } else {
        uint32_t at = tape_open(t, F_raw, 0, 0, (uint32_t)packet->bytes.len, 0, 0);
        tape_add(t, F_raw_body, 0, 0, 0, 0, 0);
        tape_close(t, at);
    }
    if (lower->network == NETWORK_IPV4)
        emit_ipv4(t, packet, lower);
    else if (lower->network == NETWORK_IPV6)
        emit_ipv6(t, packet, lower);
}
