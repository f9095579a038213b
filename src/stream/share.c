#include "stream/share.h"

#define ETHERNET_BYTES 14
#define IPV4_BYTES     20
#define IPV6_BYTES     40
#define TCP_BYTES      20
#define PROTOCOL_TCP   6

/* Sums know no direction. */
static uint32_t sum_of(struct slice words)
{
    uint32_t sum = 0;
    while (words.len >= 4)
        sum += slice_u32(&words);
    return sum;
}

static enum share choose(uint32_t addresses, uint32_t ports)
{
    uint32_t hash = (addresses + ports * 0x85ebca6bu) * 0x9e3779b1u;
    return hash >> 31 ? SHARE_SECOND : SHARE_FIRST;
}

/* Of a packet whose addresses and ports are where they should be. */
static enum share choose_in(struct slice bytes, size_t addresses, size_t size, size_t ports)
{
    struct slice at = slice_sub(bytes, ports, 4);
    uint32_t source = slice_u16(&at), destination = slice_u16(&at);
    return choose(sum_of(slice_sub(bytes, addresses, 2 * size)), source + destination);
}

static size_t size_of(const struct address *a)
{
    return a->kind == ADDRESS_IPV4 ? 4 : a->kind == ADDRESS_IPV6 ? 16 : 0;
}

enum share share_of(const struct address *source, const struct address *destination,
                    uint16_t source_port, uint16_t destination_port)
{
    uint32_t addresses = sum_of(slice_of(source->bytes, size_of(source))) +
                         sum_of(slice_of(destination->bytes, size_of(destination)));
    return choose(addresses, (uint32_t)source_port + destination_port);
}

enum share share_of_packet(const struct packet *packet)
{
    struct slice bytes = packet->bytes;
    if (packet->link_type != LINK_ETHERNET || bytes.len < ETHERNET_BYTES + IPV4_BYTES + TCP_BYTES)
        return SHARE_UNKNOWN;
    struct slice at = slice_sub(bytes, 12, 12);
    uint16_t type = slice_u16(&at), begin = slice_u16(&at), length = slice_u16(&at);
    if (type == 0x0800 && begin >> 8 == 0x45) {
        (void)slice_u16(&at); /* the identification */
        uint16_t fragment = slice_u16(&at), protocol = slice_u16(&at) & 0xff;
        if ((fragment & 0x3fff) != 0 || protocol != PROTOCOL_TCP ||
            length < IPV4_BYTES + TCP_BYTES || length > bytes.len - ETHERNET_BYTES)
            return SHARE_UNKNOWN;
        return choose_in(bytes, ETHERNET_BYTES + 12, 4, ETHERNET_BYTES + IPV4_BYTES);
    }
    size_t header = ETHERNET_BYTES + IPV6_BYTES;
    if (type != 0x86dd || begin >> 12 != 6 || bytes.len < header + TCP_BYTES)
        return SHARE_UNKNOWN;
    at = slice_sub(bytes, ETHERNET_BYTES + 4, 3);
    length = slice_u16(&at);
    if (slice_u8(&at) != PROTOCOL_TCP || length < TCP_BYTES || length > bytes.len - header)
        return SHARE_UNKNOWN;
    return choose_in(bytes, ETHERNET_BYTES + 8, 16, header);
}
