/* The layers below TCP: link, IPv4, IPv6.  Finds what a packet carries, and puts their items on the tape when
 * somebody wants them. */
#ifndef TLSWIRE_DISSECT_LOWER_H
#define TLSWIRE_DISSECT_LOWER_H

#include "base/packet.h"
#include "dissect/tape.h"

enum lower_network { NETWORK_NONE, NETWORK_IPV4, NETWORK_IPV6 };

/* What is below TCP in one packet.  Offsets are in the frame. */
struct lower {
    enum lower_network network;
    uint32_t network_offset;   /* of the IP header */
    struct slice source, destination; /* addresses: 4, 16 or (Ethernet only) 6 bytes; empty when unknown */
    uint16_t ether_type;       /* 0 when the link has none */
    uint8_t protocol;          /* IP protocol of the payload */
    bool fragment;             /* not the first fragment, or more follow: payload is not a whole segment */
    bool has_payload;          /* an IP payload was found */
    uint32_t payload_offset;   /* of the IP payload */
    uint32_t payload_length;   /* as IP declares it; may pass the captured bytes */
    struct slice payload;      /* what was captured of it */
    char protocols[48];        /* "eth:ethertype:ip", for frame.protocols */
};

/* Reads the layers; emits nothing. */
void lower_read(const struct packet *packet, struct lower *out);
/* Puts them on the tape. */
void lower_emit(struct tape *t, const struct packet *packet, const struct lower *lower);

#endif
