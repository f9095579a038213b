#include "dissect/lower.h"

#define ETHER_IPV4 0x0800
#define ETHER_IPV6 0x86dd
#define MAX_TAGS   4

/* Below this the number is a length (IEEE 802.3 3.2.6). */
#define ETHER_FIRST_TYPE 1536

enum { NEXT_HOP_BY_HOP = 0, NEXT_ROUTING = 43, NEXT_FRAGMENT = 44, NEXT_DESTINATION = 60 };

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
    /* Segmentation offload leaves the length at zero: then the packet is as long as the capture
     * says. */
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

/* Takes one extension header off PAYLOAD, of which the header declares LENGTH bytes.  False when
 * TYPE is none; has_payload becomes false where one is cut short. */
static bool read_extension(struct lower *out, struct slice *payload, uint8_t *type, uint32_t offset,
                           uint32_t length)
{
    const char *name = *type == NEXT_HOP_BY_HOP    ? "ipv6.hopopts"
                       : *type == NEXT_ROUTING     ? "ipv6.routing"
                       : *type == NEXT_FRAGMENT    ? "ipv6.fraghdr"
                       : *type == NEXT_DESTINATION ? "ipv6.dstopts"
                                                   : NULL;
    if (!name)
        return false;
    struct slice head = *payload;
    uint8_t next = slice_u8(&head);
    uint32_t size = *type == NEXT_FRAGMENT ? 8 : ((uint32_t)slice_u8(&head) + 1) * 8;
    out->has_payload =
        out->extension_count < LOWER_EXTENSIONS && size <= length && slice_skip(payload, size);
    if (!out->has_payload)
        return false;
    add_protocol(out, name);
    if (*type == NEXT_FRAGMENT) {
        slice_skip(&head, 1);
        out->fragment |= (slice_u16(&head) & 0xfff9) != 0;
    }
    out->extensions[out->extension_count++] =
        (struct lower_extension){.type = *type, .offset = offset, .length = size};
    *type = next;
    return true;
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
    struct slice payload = slice_sub(whole, 40, length);
    uint32_t skipped = 0;
    out->has_payload = true;
    while (out->has_payload &&
           read_extension(out, &payload, &next, offset + 40 + skipped, length)) {
        uint32_t size = out->extensions[out->extension_count - 1].length;
        skipped += size;
        length -= size;
    }
    out->protocol = next;
    out->payload_offset = offset + 40 + skipped;
    out->payload_length = length;
    out->payload = payload;
}

/* What follows a link header whose type field says TYPE, VLAN tags first. */
static void read_network(struct lower *out, uint16_t type, struct slice s, uint32_t offset)
{
    out->tag_offset = offset;
    while (lower_is_tag(type) && out->tag_count < MAX_TAGS) {
        slice_skip(&s, 2);
        type = slice_u16(&s);
        if (s.failed)
            return;
        add_protocol(out, "vlan:ethertype");
        out->tag_count++;
        offset += 4;
    }
    out->ether_type = type;
    if (type == ETHER_IPV4)
        read_ipv4(out, s, offset);
    else if (type == ETHER_IPV6)
        read_ipv6(out, s, offset);
}

static void read_ethernet(struct lower *out, struct slice s)
{
    add_protocol(out, "eth");
    struct slice destination = slice_take(&s, 6), source = slice_take(&s, 6);
    uint16_t type = slice_u16(&s);
    if (s.failed)
        return;
    out->destination = destination;
    out->source = source;
    if (type >= ETHER_FIRST_TYPE)
        add_protocol(out, "ethertype");
    read_network(out, type, s, 14);
}

static void read_raw(struct lower *out, struct slice s)
{
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
        add_protocol(out, "raw");
        read_raw(out, packet->bytes);
        break;
    case LINK_IPV4:
    case LINK_IPV6:
        read_raw(out, packet->bytes);
        break;
    default:
        break;
    }
}
