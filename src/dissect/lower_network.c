/* IPv4 and IPv6: their headers, extension headers and fragments. */
#include "dissect/lower_private.h"

/* IPv6's identification is enough to tell packets apart. */
#define ANY_PROTOCOL 256

enum { IPV4_HEADER = 20, IPV6_HEADER = 40, FRAGMENT_HEADER = 8 };

/* The link layer around ends where IP does: what follows is filling. */
static void end_link(struct lower_reader *r, uint32_t end)
{
    if (r->link > 0)
        r->out->layers[r->link - 1].end = end;
    r->link = 0;
}

static void set_network(struct lower *out, enum lower_network network, struct slice source,
                        struct slice destination)
{
    out->network = network;
    out->source = source;
    out->destination = destination;
}

static void read_inside(struct lower_reader *r, struct spot *at, uint8_t protocol)
{
    switch (protocol) {
    case IP_IPV4:
        lower_read_ipv4(r, at);
        break;
    case IP_IPV6:
        lower_read_ipv6(r, at);
        break;
    case IP_GRE:
        lower_read_gre(r, at);
        break;
    case IP_AH:
        lower_read_ah(r, at);
        break;
    case IP_UDP:
        lower_read_udp(r, at);
        break;
    case IP_MPLS:
        lower_read_mpls(r, at);
        break;
    default:
        break;
    }
}

void lower_read_protocol(struct lower_reader *r, struct spot *at, uint8_t protocol)
{
    r->out->protocol = protocol;
    lower_set_payload(r->out, at);
    if (protocol != IP_TCP)
        read_inside(r, at, protocol);
}

/* A piece of a packet.  True when it makes the packet whole: AT is then the packet's payload. */
static bool join(struct lower_reader *r, struct spot *at, const struct fragment_key *key,
                 uint32_t offset, bool more)
{
    struct lower *out = r->out;
    const struct fragment piece = {.bytes = at->bytes,
                                   .offset = offset,
                                   .more = more,
                                   .frame = (uint32_t)r->packet->number,
                                   .time = r->packet->time_ns};
    out->fragment = true;
    out->fragment_id = key->id;
    out->fragment_offset = offset;
    out->more_fragments = more;
    struct joined *joined = &out->joined[out->joined_count < LOWER_JOINED ? out->joined_count : 0];
    if (out->joined_count == LOWER_JOINED || at->bytes.len < at->wire - at->offset ||
        !fragment_add(r->fragments, key, &piece, joined))
        return false;
    out->fragment = false;
    joined->is_ipv6 = key->protocol == ANY_PROTOCOL;
    out->layers[out->layer_count - 1].joined = ++out->joined_count;
    *at = (struct spot){
        .bytes = joined->bytes, .wire = (uint32_t)joined->bytes.len, .source = out->joined_count};
    return true;
}

static struct fragment_key key_of(struct slice source, struct slice destination, uint16_t protocol,
                                  uint32_t id)
{
    struct fragment_key key = {.id = id, .protocol = protocol};
    size_t len = source.len;
    slice_read(&source, key.addresses, len);
    slice_read(&destination, key.addresses + 16, destination.len);
    return key;
}

/* ---- IPv4
 * ----------------------------------------------------------------------------------------- */

struct ipv4 {
    uint32_t header, total;
    uint16_t id, fragment;
    uint8_t protocol;
    struct slice source, destination;
};

/* Inline, so that nothing is checked again where all of it is known to be there. */
static inline bool parse_ipv4(struct slice s, struct ipv4 *ip)
{
    uint8_t first = slice_u8(&s);
    ip->header = (uint32_t)(first & 15) * 4;
    slice_skip(&s, 1);
    ip->total = slice_u16(&s);
    ip->id = slice_u16(&s);
    ip->fragment = slice_u16(&s);
    slice_skip(&s, 1);
    ip->protocol = slice_u8(&s);
    slice_skip(&s, 2);
    ip->source = slice_take(&s, 4);
    ip->destination = slice_take(&s, 4);
    return !s.failed && first >> 4 == 4 && ip->header >= IPV4_HEADER;
}

/* The last stop of a source route that the packet has not gone yet is where it wants to (RFC 791
 * 3.1). */
static struct slice final_destination(struct slice options, struct slice destination)
{
    size_t at = options.len > 0 ? lower_ip_route(options) : 0;
    return at > 0 ? slice_sub(options, at, 4) : destination;
}

/* The payload is a piece of a packet's.  True when the packet is whole with it: AT is then all of its payload. */
static bool read_piece(struct lower_reader *r, struct spot *at, const struct ipv4 *ip)
{
    struct lower *out = r->out;
    struct fragment_key key = key_of(ip->source, ip->destination, ip->protocol, ip->id);
    uint32_t offset = (uint32_t)(ip->fragment & 0x1fff) * 8;
    struct spot piece = *at;
    bool cut = at->bytes.len < at->wire - at->offset;
    if (r->options->keep_ipv4 || cut) {
        out->fragment = offset > 0;
        out->first_piece = offset == 0;
        out->fragment_id = ip->id;
        out->fragment_offset = offset;
    } else if (join(r, &piece, &key, offset, ip->fragment & 0x2000)) {
        *at = piece;
    }
    return !out->fragment;
}

void lower_read_ipv4(struct lower_reader *r, struct spot *at)
{
    struct lower *out = r->out;
    const struct slice whole = at->bytes;
    const uint32_t begin = at->offset, wire = at->wire;
    struct ipv4 ip;
    if (whole.len < IPV4_HEADER || !parse_ipv4(slice_of(whole.data, IPV4_HEADER), &ip))
        return;
    struct lower_layer *layer =
        lower_pass(r, LAYER_IPV4, at, whole.len < ip.header ? IPV4_HEADER : ip.header);
    if (!layer)
        return;
    lower_name(out, "ip");
    out->network = NETWORK_IPV4;
    out->has_payload = false;
    out->fragment = false;
    layer->type = ip.protocol;
    /* Segmentation offload leaves the length at zero: then the packet is as long as the capture
     * says. */
    if (ip.total == 0)
        ip.total = wire > begin ? wire - begin : 0;
    if (ip.total < ip.header) {
        out->bogus_length = true;
        return;
    }
    end_link(r, begin + ip.total);
    struct slice options = slice_sub(whole, IPV4_HEADER, ip.header - IPV4_HEADER);
    set_network(out, NETWORK_IPV4, ip.source, final_destination(options, ip.destination));
    if (whole.len < ip.header)
        return;
    at->bytes = slice_sub(at->bytes, 0, ip.total - ip.header);
    at->wire = begin + ip.total < wire ? begin + ip.total : wire;
    out->protocol = ip.protocol;
    if (ip.fragment & 0x3fff && !read_piece(r, at, &ip))
        lower_set_payload(out, at);
    else
        lower_read_protocol(r, at, ip.protocol);
}

/* ---- IPv6
 * ----------------------------------------------------------------------------------------- */

static const char *extension_name(uint8_t type)
{
    switch (type) {
    case NEXT_HOP_BY_HOP:
        return "ipv6.hopopts";
    case NEXT_ROUTING:
        return "ipv6.routing";
    case NEXT_FRAGMENT:
        return "ipv6.fraghdr";
    case NEXT_DESTINATION:
        return "ipv6.dstopts";
    default:
        return NULL;
    }
}

/* A fragment header.  False when the packet ends with it. */
static bool read_fragment(struct lower_reader *r, struct spot *at, struct slice head)
{
    struct lower *out = r->out;
    slice_skip(&head, 2);
    uint16_t word = slice_u16(&head);
    uint32_t id = slice_u32(&head), offset = word & 0xfff8u;
    if ((word & 0xfff9) == 0)
        return true;
    struct fragment_key key = key_of(out->source, out->destination, ANY_PROTOCOL, id);
    bool cut = at->bytes.len < at->wire - at->offset;
    out->fragment_id = id;
    out->fragment_offset = offset;
    out->more_fragments = word & 1;
    out->fragment = offset > 0;
    if (r->options->keep_ipv6 || cut) {
        out->first_piece = offset == 0;
        return !out->fragment;
    }
    return join(r, at, &key, offset, word & 1);
}

/* Passes the extension header of TYPE and gives the type of what follows; false when there is none,
 * or nothing can follow. */
static bool read_extension(struct lower_reader *r, struct spot *at, uint8_t *type)
{
    struct lower *out = r->out;
    const char *name = extension_name(*type);
    if (!name)
        return false;
    struct slice head = at->bytes, whole = head;
    uint8_t next = slice_u8(&head);
    uint32_t size = *type == NEXT_FRAGMENT ? FRAGMENT_HEADER : ((uint32_t)slice_u8(&head) + 1) * 8;
    struct lower_layer *layer =
        size <= at->wire - at->offset ? lower_pass(r, LAYER_IPV6_EXTENSION, at, size) : NULL;
    out->has_payload = layer != NULL;
    if (!layer)
        return false;
    lower_name(out, name);
    layer->type = *type;
    bool goes_on = *type != NEXT_FRAGMENT || read_fragment(r, at, whole);
    *type = next;
    return goes_on;
}

void lower_read_ipv6(struct lower_reader *r, struct spot *at)
{
    struct lower *out = r->out;
    const uint32_t wire = at->wire;
    struct slice s = at->bytes;
    uint8_t first = slice_u8(&s);
    slice_skip(&s, 3);
    uint32_t length = slice_u16(&s);
    uint8_t next = slice_u8(&s);
    slice_skip(&s, 1);
    struct slice source = slice_take(&s, 16), destination = slice_take(&s, 16);
    if (s.failed || first >> 4 != 6 || !lower_pass(r, LAYER_IPV6, at, IPV6_HEADER))
        return;
    lower_name(out, "ipv6");
    set_network(out, NETWORK_IPV6, source, destination);
    out->fragment = false;
    uint32_t room = wire > at->offset ? wire - at->offset : 0;
    if (length == 0 && next != NEXT_NONE)
        length = room;
    at->bytes = slice_sub(at->bytes, 0, length);
    end_link(r, at->offset + length);
    if (at->offset + length < at->wire)
        at->wire = at->offset + length;
    out->has_payload = true;
    while (read_extension(r, at, &next))
        ;
    if (!out->has_payload)
        return;
    out->protocol = next;
    if (out->fragment)
        lower_set_payload(out, at);
    else
        lower_read_protocol(r, at, next);
}
