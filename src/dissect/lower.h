/* The layers below TCP: links, tags, tunnels, IPv4, IPv6 and their fragments.  Finds what a packet
 * carries, innermost, and puts all that was passed on the tape when somebody wants it. */
#ifndef TLSWIRE_DISSECT_LOWER_H
#define TLSWIRE_DISSECT_LOWER_H

#include "base/packet.h"
#include "dissect/fragments.h"
#include "dissect/tape.h"

enum lower_network { NETWORK_NONE, NETWORK_IPV4, NETWORK_IPV6 };

#define LOWER_LAYERS 32 /* more are not gone through: the payload stays unknown */
#define LOWER_JOINED 4  /* packets put together from fragments, one inside the other */

enum layer_kind {
    LAYER_ETHERNET,
    LAYER_RAW,
    LAYER_NULL,
    LAYER_SLL,
    LAYER_SLL2,
    LAYER_TAG,          /* 802.1Q */
    LAYER_PROVIDER_TAG, /* 802.1ad */
    LAYER_LLC,
    LAYER_PPPOE,
    LAYER_PPP,
    LAYER_MPLS,
    LAYER_CONTROL_WORD, /* before an Ethernet frame inside MPLS */
    LAYER_GRE,
    LAYER_UDP,
    LAYER_VXLAN,
    LAYER_GENEVE,
    LAYER_AH,
    LAYER_IPV4,
    LAYER_IPV6,
    LAYER_IPV6_EXTENSION, /* shown inside the IPv6 layer before it, as AH is there */
};

struct lower_layer {
    uint8_t kind;   /* enum layer_kind */
    uint8_t source; /* the frame, 0, or a packet put together: its number from 1 */
    uint8_t type;   /* IPV6_EXTENSION: its protocol number */
    uint8_t joined; /* IPv4, fragment header: number from 1 of the packet it completes; 0: none */
    uint32_t offset, length; /* of its header */
    uint32_t end;            /* links: where what they carry ends, by what that says; 0: unknown */
    uint32_t wire; /* where the source ended on the wire, or the layer around this one says so */
};

/* What is below TCP in one packet.  Offsets are in the frame, or in the source that is named. */
struct lower {
    enum lower_network network; /* the innermost */
    struct slice source,
        destination;     /* addresses: 4, 16 or (Ethernet only) 6 bytes; empty when unknown */
    uint16_t ether_type; /* 0 when the link has none */
    uint8_t protocol;    /* IP protocol of the payload */
    bool fragment;       /* the payload is a piece, and what it belongs to is not complete */
    bool first_piece;    /* the payload is the beginning of a packet that is not put together */
    bool has_payload;    /* an IP payload was found */
    bool bogus_length;   /* IPv4: the total length is below that of the header */
    uint8_t payload_source;
    uint32_t payload_offset;               /* of the IP payload */
    uint32_t payload_length;               /* as IP declares it; may pass the captured bytes */
    struct slice payload;                  /* what was captured of it */
    uint32_t fragment_id, fragment_offset; /* of the last fragment met */
    bool more_fragments;
    struct slice udp_source, udp_destination; /* addresses around the last UDP layer */
    /* UDP's exchange, filled by whoever follows them, before the layers are put on the tape. */
    uint32_t udp_stream;
    int64_t udp_relative, udp_delta;
    uint8_t layer_count;
    uint8_t joined_count;
    uint8_t udp_layer; /* the UDP layer met last: its index from 1; 0: none */
    struct lower_layer layers[LOWER_LAYERS];
    struct joined joined[LOWER_JOINED]; /* good until the next packet */
    bool is_unnamed;
    uint16_t protocols_len;
    char protocols[256]; /* "eth:ethertype:ip", for frame.protocols */
};

struct lower_options {
    bool unnamed;                /* nobody asks for the names of the protocols */
    bool check_ip;               /* verify the sums of IPv4 headers */
    bool keep_ipv4, keep_ipv6;   /* leave fragments as they are */
    bool plain_ipv4, plain_ipv6; /* the tree's line tells no addresses */
    const struct names *names;   /* of addresses; borrowed, may be NULL */
    bool makers;                 /* adapters are called by their makers */
};

/* Reads the layers; emits nothing.  FRAGMENTS keeps pieces of packets until they are whole. */
void lower_read(const struct packet *packet, struct fragments *fragments,
                const struct lower_options *options, struct lower *out);
/* Puts them on the tape, whose sources 1… are the packets put together, in their order. */
void lower_emit(struct tape *t, const struct packet *packet, const struct lower_options *options,
                const struct lower *lower);

/* For a packet without TCP: puts what the Info column says, and returns the Protocol column; NULL
 * where the link's type is all that is known. */
const char *lower_info(struct buf *out, const struct lower *lower, struct slice frame);

/* The UDP layer met last, whose exchange is to be followed; NULL when there is none. */
static inline const struct lower_layer *lower_udp(const struct lower *lower)
{
    return lower->udp_layer > 0 ? &lower->layers[lower->udp_layer - 1] : NULL;
}

#endif
