/* The layers below TCP: link, IPv4, IPv6.  Finds what a packet carries, and puts their items on the
 * tape when somebody wants them. */
#ifndef TLSWIRE_DISSECT_LOWER_H
#define TLSWIRE_DISSECT_LOWER_H

#include "base/packet.h"
#include "dissect/tape.h"

enum lower_network { NETWORK_NONE, NETWORK_IPV4, NETWORK_IPV6 };

#define LOWER_EXTENSIONS 8 /* more are not gone through: the payload stays unknown */

struct lower_extension {
    uint8_t type; /* IP protocol number */
    uint32_t offset, length;
};

/* What is below TCP in one packet.  Offsets are in the frame. */
struct lower {
    enum lower_network network;
    uint32_t network_offset; /* of the IP header */
    struct slice source,
        destination;     /* addresses: 4, 16 or (Ethernet only) 6 bytes; empty when unknown */
    uint16_t ether_type; /* 0 when the link has none */
    uint8_t protocol;    /* IP protocol of the payload */
    bool fragment;    /* not the first fragment, or more follow: payload is not a whole segment */
    bool has_payload; /* an IP payload was found */
    uint32_t payload_offset; /* of the IP payload */
    uint32_t payload_length; /* as IP declares it; may pass the captured bytes */
    struct slice payload;    /* what was captured of it */
    uint32_t tag_offset;     /* of the first VLAN tag */
    uint8_t tag_count;
    uint8_t extension_count; /* IPv6 extension headers */
    struct lower_extension extensions[LOWER_EXTENSIONS];
    char protocols[96]; /* "eth:ethertype:ip", for frame.protocols */
};

/* Whether an EtherType is that of a VLAN tag: 802.1Q, 802.1ad and what came before it. */
static inline bool lower_is_tag(uint16_t ether_type)
{
    return ether_type == 0x8100 || ether_type == 0x88a8 || ether_type == 0x9100;
}

/* Reads the layers; emits nothing. */
void lower_read(const struct packet *packet, struct lower *out);
/* Puts them on the tape. */
void lower_emit(struct tape *t, const struct packet *packet, const struct lower *lower);

#endif
