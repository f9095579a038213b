/* The layers below TCP: links, and what follows a type.  IP is in lower_network.c, tunnels in
 * lower_tunnel.c. */
#include "dissect/lower_private.h"

void lower_add_name(struct lower *out, const char *name)
{
    size_t used = out->protocols_len, more = strlen(name);
    if (used + more + 2 > sizeof out->protocols)
        return;
    if (used)
        out->protocols[used++] = ':';
    memcpy(out->protocols + used, name, more + 1);
    out->protocols_len = (uint16_t)(used + more);
}

/* ---- what follows a type
 * -------------------------------------------------------------------------- */

static void read_tag(struct lower_reader *r, struct spot *at, uint16_t kind)
{
    bool provider = kind == ETHER_PROVIDER_TAG;
    struct slice head = at->bytes;
    slice_skip(&head, 2);
    uint16_t type = slice_u16(&head);
    if (!lower_pass(r, provider ? LAYER_PROVIDER_TAG : LAYER_TAG, at, 4))
        return;
    lower_name(r->out, provider ? "ieee8021ad" : "vlan");
    r->link = r->out->layer_count;
    lower_read_type(r, at, type);
}

/* IEEE 802.2: the protocol by its service's number, or by a type of its own (SNAP). */
static void read_llc(struct lower_reader *r, struct spot *at)
{
    enum { SAP_SNAP = 0xaa, SAP_IP = 0x06, UNNUMBERED = 3 };
    struct slice head = at->bytes;
    uint8_t service = slice_u8(&head);
    slice_skip(&head, 1);
    uint8_t control = slice_u8(&head);
    bool unnumbered = (control & 3) == UNNUMBERED;
    bool snap = service == SAP_SNAP && unnumbered;
    uint32_t organization = slice_u24(&head);
    uint16_t type = slice_u16(&head);
    if (!lower_pass(r, LAYER_LLC, at, snap ? 8 : unnumbered ? 3 : 4))
        return;
    lower_name(r->out, "llc");
    /* RFC 1042 networks use organization 0, bridges of 802.1H 0x0000f8. */
    if (snap && (organization == 0 || organization == 0xf8)) {
        r->out->ether_type = type;
        if (type == ETHER_IPV4)
            lower_read_ipv4(r, at);
        else if (type == ETHER_IPV6)
            lower_read_ipv6(r, at);
    } else if (service == SAP_IP && unnumbered) {
        lower_read_ipv4(r, at);
    }
}

void lower_read_type(struct lower_reader *r, struct spot *at, uint16_t type)
{
    if (type < ETHER_FIRST_TYPE && r->link > 0) {
        struct lower_layer *link = &r->out->layers[r->link - 1];
        if (type < at->bytes.len)
            at->bytes = slice_sub(at->bytes, 0, type);
        if (at->offset + type < at->wire) {
            at->wire = at->offset + type;
            link->end = at->wire;
        }
        r->link = 0;
        read_llc(r, at);
        return;
    }
    lower_name(r->out, "ethertype");
    r->out->ether_type = type;
    switch (type) {
    case ETHER_IPV4:
        lower_read_ipv4(r, at);
        break;
    case ETHER_IPV6:
        lower_read_ipv6(r, at);
        break;
    case ETHER_TAG:
    case ETHER_OLD_TAG:
    case ETHER_PROVIDER_TAG:
        read_tag(r, at, type);
        break;
    case ETHER_PPPOE:
        lower_read_pppoe(r, at);
        break;
    case ETHER_MPLS:
    case ETHER_MPLS_GROUP:
        lower_read_mpls(r, at);
        break;
    default:
        break;
    }
}

/* ---- links
 * ---------------------------------------------------------------------------------------- */

enum { ETHERNET_HEADER = 14 };

void lower_read_ethernet(struct lower_reader *r, struct spot *at)
{
    struct slice s = slice_of(at->bytes.data, ETHERNET_HEADER);
    if (!lower_pass(r, LAYER_ETHERNET, at, ETHERNET_HEADER))
        return;
    struct slice destination = slice_take(&s, 6), source = slice_take(&s, 6);
    uint16_t type = slice_u16(&s);
    lower_name(r->out, "eth");
    r->out->destination = destination;
    r->out->source = source;
    r->link = r->out->layer_count;
    lower_read_type(r, at, type);
}

static void read_raw(struct lower_reader *r, struct spot *at)
{
    uint8_t version = slice_at(at->bytes, 0) >> 4;
    if (version == 4)
        lower_read_ipv4(r, at);
    else if (version == 6)
        lower_read_ipv6(r, at);
}

static void read_null(struct lower_reader *r, struct spot *at)
{
    struct slice s = at->bytes, head = s;
    lower_name(r->out, "null");
    uint32_t family = r->packet->link_type == LINK_LOOP ? slice_u32(&s) : slice_le32(&s);
    if (family > 0xffff)
        family = slice_u32(&head); /* captured on a machine of the other byte order */
    if (!lower_pass(r, LAYER_NULL, at, 4))
        return;
    bool ipv6 = family == 24 || family == 28 || family == 30;
    if (family == 2) {
        r->out->ether_type = ETHER_IPV4;
        lower_read_ipv4(r, at);
    } else if (ipv6) {
        r->out->ether_type = ETHER_IPV6;
        lower_read_ipv6(r, at);
    }
}

static void read_cooked(struct lower_reader *r, struct spot *at, bool second)
{
    struct slice s = at->bytes;
    lower_name(r->out, "sll");
    slice_skip(&s, second ? 0 : 14);
    uint16_t type = slice_u16(&s);
    if (!lower_pass(r, second ? LAYER_SLL2 : LAYER_SLL, at, second ? 20 : 16)) {
        lower_name(r->out, "ethertype");
        return;
    }
    r->link = second ? 0 : r->out->layer_count;
    if (type < ETHER_FIRST_TYPE)
        r->link = 0;
    lower_read_type(r, at, type);
}

static void read_link(struct lower_reader *r, struct spot *at)
{
    switch (r->packet->link_type) {
    case LINK_ETHERNET:
        lower_read_ethernet(r, at);
        break;
    case LINK_NULL:
    case LINK_LOOP:
        read_null(r, at);
        break;
    case LINK_LINUX_SLL:
        read_cooked(r, at, false);
        break;
    case LINK_LINUX_SLL2:
        read_cooked(r, at, true);
        break;
    case LINK_PPP:
    case LINK_PPP_HDLC:
        lower_read_ppp(r, at);
        break;
    case LINK_RAW:
    case LINK_RAW_BSD:
    case LINK_RAW_OPENBSD:
        lower_name(r->out, "raw");
        read_raw(r, at);
        break;
    case LINK_IPV4:
    case LINK_IPV6:
        read_raw(r, at);
        break;
    default:
        break;
    }
}

void lower_read(const struct packet *packet, struct fragments *fragments,
                const struct lower_options *options, struct lower *out)
{
    /* The arrays are filled as far as their counts say. */
    out->network = NETWORK_NONE;
    out->source = out->destination = out->payload = slice_empty();
    out->ether_type = 0;
    out->protocol = 0;
    out->fragment = out->first_piece = out->has_payload = out->bogus_length = false;
    out->layer_count = out->joined_count = out->udp_layer = 0;
    out->protocols[0] = '\0';
    out->protocols_len = 0;
    out->is_unnamed = options->unnamed;
    fragments_packet(fragments);
    struct lower_reader r = {
        .out = out, .fragments = fragments, .options = options, .packet = packet};
    read_link(&r, &(struct spot){.bytes = packet->bytes, .wire = packet->len});
}
