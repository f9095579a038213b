/* What carries packets inside packets: PPP, MPLS, GRE, UDP with VXLAN and Geneve, AH. */
#include "dissect/lower_private.h"

/* ---- PPP
 * ------------------------------------------------------------------------------------------ */

void lower_read_ppp(struct lower_reader *r, struct spot *at)
{
    enum { ADDRESS_CONTROL = 0xff03, PPP_IPV4 = 0x21, PPP_IPV6 = 0x57, PPP_MPLS = 0x281 };
    struct slice head = at->bytes, first = head;
    uint32_t length = 0;
    if (slice_u16(&first) == ADDRESS_CONTROL) {
        slice_skip(&head, 2);
        length = 2;
    }
    /* An odd first byte is all of the number (RFC 1661 2). */
    uint16_t protocol = slice_u8(&head);
    length++;
    if (!(protocol & 1)) {
        protocol = (uint16_t)(protocol << 8 | slice_u8(&head));
        length++;
    }
    if (!lower_pass(r, LAYER_PPP, at, length))
        return;
    lower_name(r->out, "ppp");
    if (protocol == PPP_IPV4)
        lower_read_ipv4(r, at);
    else if (protocol == PPP_IPV6)
        lower_read_ipv6(r, at);
    else if (protocol == PPP_MPLS)
        lower_read_mpls(r, at);
}

void lower_read_pppoe(struct lower_reader *r, struct spot *at)
{
    struct slice head = slice_sub(at->bytes, 4, 2);
    uint32_t length = slice_u16(&head);
    if (!lower_pass(r, LAYER_PPPOE, at, 6))
        return;
    lower_name(r->out, "pppoes");
    r->link = 0;
    at->bytes = slice_sub(at->bytes, 0, length);
    if (at->offset + length < at->wire)
        at->wire = at->offset + length;
    lower_read_ppp(r, at);
}

/* ---- MPLS
 * ----------------------------------------------------------------------------------------- */

/* Whether the bytes look like an Ethernet frame that carries something that is known here. */
static bool looks_like_ethernet(struct slice bytes)
{
    struct slice type_at = slice_sub(bytes, 12, 2);
    uint16_t type = slice_u16(&type_at);
    return type == ETHER_IPV4 || type == ETHER_IPV6 || type == ETHER_TAG ||
           type == ETHER_PROVIDER_TAG || type == ETHER_PPPOE || type == ETHER_MPLS;
}

/* Behind the last label no field tells what follows: IP shows its version (RFC 4928 2), a pseudowire
 * carries Ethernet, with a control word or without (RFC 4448 4.6). */
void lower_read_mpls(struct lower_reader *r, struct spot *at)
{
    bool last = false;
    r->link = 0;
    while (!last) {
        last = slice_at(at->bytes, 2) & 1;
        if (!lower_pass(r, LAYER_MPLS, at, 4))
            return;
    }
    lower_name(r->out, "mpls");
    uint8_t version = slice_at(at->bytes, 0) >> 4;
    if (version == 4) {
        lower_read_ipv4(r, at);
    } else if (version == 6) {
        lower_read_ipv6(r, at);
    } else if (version == 0 && looks_like_ethernet(slice_sub(at->bytes, 4, SIZE_MAX)) &&
               lower_pass(r, LAYER_CONTROL_WORD, at, 4)) {
        lower_name(r->out, "pwethcw");
        lower_read_ethernet(r, at);
    } else if (looks_like_ethernet(at->bytes)) {
        lower_name(r->out, "pwethnocw");
        lower_read_ethernet(r, at);
    }
}

/* ---- GRE
 * ------------------------------------------------------------------------------------------ */

static uint32_t gre_length(uint16_t flags)
{
    uint32_t length = 4;
    length += flags & (GRE_HAS_CHECKSUM | GRE_HAS_ROUTING) ? 4 : 0;
    length += flags & GRE_HAS_KEY ? 4 : 0;
    length += flags & GRE_HAS_SEQUENCE ? 4 : 0;
    length += (flags & GRE_VERSION) == 1 && flags & GRE_HAS_ACK ? 4 : 0;
    return length;
}

void lower_read_gre(struct lower_reader *r, struct spot *at)
{
    struct slice head = at->bytes;
    uint16_t flags = slice_u16(&head), type = slice_u16(&head);
    if (!lower_pass(r, LAYER_GRE, at, gre_length(flags)))
        return;
    lower_name(r->out, "gre");
    r->out->ether_type = type;
    if (flags & GRE_HAS_ROUTING)
        return; /* nobody has sent routes since RFC 2784 */
    switch (type) {
    case ETHER_IPV4:
        lower_read_ipv4(r, at);
        break;
    case ETHER_IPV6:
        lower_read_ipv6(r, at);
        break;
    case ETHER_BRIDGED:
        lower_read_ethernet(r, at);
        break;
    case ETHER_MPLS:
    case ETHER_MPLS_GROUP:
        lower_read_mpls(r, at);
        break;
    case ETHER_PPP:
        lower_read_ppp(r, at);
        break;
    default:
        break;
    }
}

/* ---- UDP
 * ------------------------------------------------------------------------------------------ */

static void read_vxlan(struct lower_reader *r, struct spot *at)
{
    if (!lower_pass(r, LAYER_VXLAN, at, 8))
        return;
    lower_name(r->out, "vxlan");
    lower_read_ethernet(r, at);
}

static void read_geneve(struct lower_reader *r, struct spot *at)
{
    struct slice head = at->bytes;
    uint8_t first = slice_u8(&head);
    slice_skip(&head, 1);
    uint16_t type = slice_u16(&head);
    if (first >> 6 != 0 || !lower_pass(r, LAYER_GENEVE, at, 8 + (uint32_t)(first & 0x3f) * 4))
        return;
    lower_name(r->out, "geneve");
    r->out->ether_type = type;
    if (type == ETHER_BRIDGED)
        lower_read_ethernet(r, at);
    else if (type == ETHER_IPV4)
        lower_read_ipv4(r, at);
    else if (type == ETHER_IPV6)
        lower_read_ipv6(r, at);
}

void lower_read_udp(struct lower_reader *r, struct spot *at)
{
    struct slice head = at->bytes;
    uint16_t source = slice_u16(&head), destination = slice_u16(&head);
    uint32_t length = slice_u16(&head);
    struct lower *out = r->out;
    if (!lower_pass(r, LAYER_UDP, at, 8))
        return;
    out->udp_layer = out->layer_count;
    lower_name(out, "udp");
    out->udp_source = out->source;
    out->udp_destination = out->destination;
    if (length >= 8 && at->offset + length - 8 < at->wire) {
        at->wire = at->offset + length - 8;
        at->bytes = slice_sub(at->bytes, 0, length - 8);
    }
    lower_set_payload(out, at);
    if (source == PORT_VXLAN || destination == PORT_VXLAN)
        read_vxlan(r, at);
    else if (source == PORT_GENEVE || destination == PORT_GENEVE)
        read_geneve(r, at);
}

/* ---- AH
 * ------------------------------------------------------------------------------------------- */

void lower_read_ah(struct lower_reader *r, struct spot *at)
{
    struct slice head = at->bytes;
    uint8_t next = slice_u8(&head);
    uint32_t length = ((uint32_t)slice_u8(&head) + 2) * 4;
    if (length < 12 || !lower_pass(r, LAYER_AH, at, length))
        return;
    lower_name(r->out, "ah");
    lower_read_protocol(r, at, next);
}
