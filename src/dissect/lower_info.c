/* What the Info column says of a packet that carries no TCP. */
#include "dissect/lower_private.h"

#define ARROW " \xe2\x86\x92 "

static void put_name(struct buf *out, enum registry registry, uint64_t number)
{
    const char *name = registry_compat(registry, number);
    buf_str(out, name ? name : "Unknown");
}

static void fragment_info(struct buf *out, const struct lower *lower)
{
    if (lower->network == NETWORK_IPV4) {
        buf_str(out, "Fragmented IP protocol (proto=");
        put_name(out, REG_IP_PROTOCOLS, lower->protocol);
        buf_char(out, ' ');
        buf_dec(out, lower->protocol);
        buf_str(out, ", off=");
        buf_dec(out, lower->fragment_offset);
        buf_str(out, ", ID=");
        buf_hex(out, lower->fragment_id, 4);
    } else {
        buf_str(out, "IPv6 fragment (off=");
        buf_dec(out, lower->fragment_offset);
        buf_str(out, lower->more_fragments ? " more=y ident=0x" : " more=n ident=0x");
        buf_hex(out, lower->fragment_id, 8);
        buf_str(out, " nxt=");
        buf_dec(out, lower->protocol);
    }
    buf_char(out, ')');
}

static void udp_info(struct buf *out, struct slice header)
{
    uint16_t source = slice_u16(&header), destination = slice_u16(&header);
    uint16_t length = slice_u16(&header);
    buf_dec(out, source);
    buf_str(out, ARROW);
    buf_dec(out, destination);
    buf_str(out, " Len=");
    buf_dec(out, length > 8 ? length - 8u : 0);
}

static void ip_info(struct buf *out, const struct lower *lower, struct slice frame)
{
    if (lower->bogus_length) {
        const struct lower_layer *ip = &lower->layers[lower->layer_count - 1];
        struct slice total = slice_sub(frame, ip->offset + 2, 2);
        buf_str(out, "Bogus IP length (");
        buf_dec(out, slice_u16(&total));
        buf_str(out, ", less than header length ");
        buf_dec(out, ip->length);
        buf_char(out, ')');
    } else if (lower->network == NETWORK_IPV6 && lower->protocol == NEXT_NONE) {
        buf_str(out, "IPv6 no next header");
    } else if (lower->has_payload) {
        put_name(out, REG_IP_PROTOCOLS, lower->protocol);
        buf_str(out, " (");
        buf_dec(out, lower->protocol);
        buf_char(out, ')');
    }
}

const char *lower_info(struct buf *out, const struct lower *lower, struct slice frame)
{
    const struct lower_layer *last =
        lower->layer_count > 0 ? &lower->layers[lower->layer_count - 1] : NULL;
    if (!last)
        return NULL;
    if (lower->fragment) {
        fragment_info(out, lower);
        return lower->network == NETWORK_IPV4 ? "IPv4" : "IPv6";
    }
    switch (last->kind) {
    case LAYER_UDP:
        if (last->source > 0)
            frame = lower->joined[last->source - 1].bytes;
        udp_info(out, slice_sub(frame, last->offset, 8));
        return "UDP";
    case LAYER_GRE:
        buf_str(out, "Encapsulated ");
        put_name(out, REG_GRE_PROTOCOLS, lower->ether_type);
        return "GRE";
    case LAYER_MPLS:
        return "MPLS";
    case LAYER_NULL:
        buf_str(out, "Null/Loopback");
        return NULL;
    case LAYER_IPV4:
    case LAYER_IPV6:
    case LAYER_IPV6_EXTENSION:
    case LAYER_AH:
        if (last->source == 0)
            ip_info(out, lower, frame);
        return lower->network == NETWORK_IPV4 ? "IPv4" : "IPv6";
    default:
        return NULL;
    }
}
