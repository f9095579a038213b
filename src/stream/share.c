#include "stream/share.h"

#define ETHERNET_BYTES 14
#define IPV4_BYTES     20
#define IPV6_BYTES     40
#define TCP_BYTES      20
#define PROTOCOL_TCP   6

/* Sums know no direction. */
static enum share choose(uint32_t addresses, uint32_t ports)
{
    uint32_t hash = (addresses + ports * 0x85ebca6bu) * 0x9e3779b1u;
    return hash >> 31 ? SHARE_SECOND : SHARE_FIRST;
}

static uint32_t sum_of(const struct address *a)
{
    size_t size = a->kind == ADDRESS_IPV4 ? 4 : a->kind == ADDRESS_IPV6 ? 16 : 0;
    struct slice bytes = slice_of(a->bytes, size);
    uint32_t sum = 0;
    while (bytes.len > 0)
        sum += slice_u32(&bytes);
    return sum;
}

enum share share_of(const struct address *source, const struct address *destination,
                    uint16_t source_port, uint16_t destination_port)
{
    return choose(sum_of(source) + sum_of(destination), (uint32_t)source_port + destination_port);
}

/* The header is read in words (RFC 791 3.1, RFC 8200 3). */
static enum share of_ipv4(struct slice at)
{
    size_t room = at.len;
    uint32_t first = slice_u32(&at), second = slice_u32(&at), third = slice_u32(&at);
    uint32_t length = first & 0xffff, fragment = second & 0x3fff, protocol = third >> 16 & 0xff;
    if (first >> 24 != 0x45 || fragment != 0 || protocol != PROTOCOL_TCP ||
        length < IPV4_BYTES + TCP_BYTES || length > room)
        return SHARE_UNKNOWN;
    uint32_t addresses = slice_u32(&at);
    addresses += slice_u32(&at);
    uint32_t ports = slice_u32(&at);
    return choose(addresses, (ports >> 16) + (ports & 0xffff));
}

static enum share of_ipv6(struct slice at)
{
    size_t room = at.len;
    uint32_t first = slice_u32(&at), second = slice_u32(&at);
    uint32_t length = second >> 16, protocol = second >> 8 & 0xff;
    if (first >> 28 != 6 || protocol != PROTOCOL_TCP || length < TCP_BYTES || room < IPV6_BYTES ||
        length > room - IPV6_BYTES)
        return SHARE_UNKNOWN;
    uint32_t addresses = 0;
    for (unsigned i = 0; i < 8; i++)
        addresses += slice_u32(&at);
    uint32_t ports = slice_u32(&at);
    return choose(addresses, (ports >> 16) + (ports & 0xffff));
}

enum share share_of_packet(const struct packet *packet)
{
    struct slice at = packet->bytes;
    if (packet->link_type != LINK_ETHERNET || at.len < ETHERNET_BYTES + IPV4_BYTES + TCP_BYTES)
        return SHARE_UNKNOWN;
    slice_skip(&at, ETHERNET_BYTES - 2);
    uint16_t type = slice_u16(&at);
    return type == 0x0800 ? of_ipv4(at) : type == 0x86dd ? of_ipv6(at) : SHARE_UNKNOWN;
}
