/* What the files of the layers below TCP share.  Nobody else includes this. */
#ifndef TLSWIRE_DISSECT_LOWER_PRIVATE_H
#define TLSWIRE_DISSECT_LOWER_PRIVATE_H

#include "dissect/lower.h"

enum ether_type {
    ETHER_IPV4 = 0x0800,
    ETHER_BRIDGED = 0x6558, /* a whole Ethernet frame */
    ETHER_TAG = 0x8100,
    ETHER_IPV6 = 0x86dd,
    ETHER_MPLS = 0x8847,
    ETHER_MPLS_GROUP = 0x8848,
    ETHER_PPP = 0x880b,
    ETHER_PPPOE = 0x8864,
    ETHER_PROVIDER_TAG = 0x88a8,
    ETHER_OLD_TAG = 0x9100,
    ETHER_FIRST_TYPE = 1536, /* below this the number is a length (IEEE 802.3 3.2.6) */
};

enum ip_protocol {
    IP_IPV4 = 4,
    IP_TCP = 6,
    IP_UDP = 17,
    IP_IPV6 = 41,
    IP_GRE = 47,
    IP_AH = 51,
    IP_MPLS = 137,
    NEXT_HOP_BY_HOP = 0,
    NEXT_ROUTING = 43,
    NEXT_FRAGMENT = 44,
    NEXT_NONE = 59,
    NEXT_DESTINATION = 60,
};

enum { PORT_VXLAN = 4789, PORT_GENEVE = 6081 };

enum {
    GRE_HAS_CHECKSUM = 0x8000,
    GRE_HAS_ROUTING = 0x4000,
    GRE_HAS_KEY = 0x2000,
    GRE_HAS_SEQUENCE = 0x1000,
    GRE_HAS_ACK = 0x0080,
    GRE_VERSION = 0x0007,
};

/* ---- reading --------------------------------------------------------------------------------- */

/* Where reading has come to. */
struct spot {
    struct slice bytes; /* captured, from here on, as far as the layers around it let one see */
    uint32_t offset;    /* of them in the source */
    uint32_t wire;      /* end on the wire, in the source */
    uint8_t source;
};

struct lower_reader {
    struct lower *out;
    struct fragments *fragments;
    const struct lower_options *options;
    const struct packet *packet;
    uint8_t link; /* index + 1 of the last link layer whose end is not known; 0: none */
};

void lower_add_name(struct lower *out, const char *protocol);

static inline void lower_name(struct lower *out, const char *protocol)
{
    if (!out->is_unnamed)
        lower_add_name(out, protocol);
}

/* What follows is the payload, unless it is gone through. */
static inline void lower_set_payload(struct lower *out, const struct spot *at)
{
    out->has_payload = true;
    out->payload_source = at->source;
    out->payload_offset = at->offset;
    out->payload_length = at->wire > at->offset ? at->wire - at->offset : 0;
    out->payload = at->bytes;
}

/* Notes a layer with a header of LENGTH bytes and moves AT behind it; NULL when there is no room for
 * it, or when not all of the header was captured. */
static inline struct lower_layer *lower_pass(struct lower_reader *r, enum layer_kind kind,
                                             struct spot *at, uint32_t length)
{
    struct lower *out = r->out;
    if (out->layer_count == LOWER_LAYERS || at->bytes.len < length)
        return NULL;
    struct lower_layer *layer = &out->layers[out->layer_count++];
    *layer = (struct lower_layer){.kind = (uint8_t)kind,
                                  .source = at->source,
                                  .offset = at->offset,
                                  .length = length,
                                  .wire = at->wire};
    slice_skip(&at->bytes, length);
    at->offset += length;
    lower_set_payload(out, at);
    return layer;
}

/* All of them move AT on to where they have come. */
void lower_read_ethernet(struct lower_reader *r, struct spot *at);
/* What follows an EtherType. */
void lower_read_type(struct lower_reader *r, struct spot *at, uint16_t type);
/* What follows an IP header, or an extension header. */
void lower_read_protocol(struct lower_reader *r, struct spot *at, uint8_t protocol);
void lower_read_ipv4(struct lower_reader *r, struct spot *at);
void lower_read_ipv6(struct lower_reader *r, struct spot *at);
void lower_read_ppp(struct lower_reader *r, struct spot *at);
void lower_read_pppoe(struct lower_reader *r, struct spot *at);
void lower_read_mpls(struct lower_reader *r, struct spot *at);
void lower_read_gre(struct lower_reader *r, struct spot *at);
void lower_read_udp(struct lower_reader *r, struct spot *at);
void lower_read_ah(struct lower_reader *r, struct spot *at);

/* ---- on the tape ------------------------------------------------------------------------------ */

/* What the functions that put one layer on the tape are given. */
struct lower_view {
    struct tape *t;
    const struct packet *packet;
    const struct lower *lower;
    const struct lower_options *options;
    const struct lower_layer *layer;
    struct slice header; /* the bytes of the layer's header */
    uint8_t source;
    uint32_t offset;
};

/* A number of a header: where it stands, as the schema's row says how it is masked. */
struct header_row {
    uint16_t field;
    uint8_t at, size;
    bool inside; /* shown under the last row that is not */
};

/* Puts the rows on the tape, as far as the header was captured. */
void lower_emit_rows(const struct lower_view *v, const struct header_row *rows, size_t count);
uint32_t lower_add(const struct lower_view *v, enum field_id field, uint32_t at, uint32_t length,
                   uint64_t value);
uint32_t lower_open(const struct lower_view *v, enum field_id field, uint32_t at, uint32_t length,
                    uint64_t value);

/* An address, its hidden companion for filters, and their texts; 0 where there is none. */
struct address_ids {
    uint16_t own, either, host, either_host;
};
extern const struct address_ids lower_ip_destination;
void lower_emit_address(const struct lower_view *v, uint32_t offset, uint32_t size,
                        const struct address_ids *ids);
/* Where in the OPTIONS the last stop of a source route stands that is not gone yet; 0: nowhere. */
size_t lower_ip_route(struct slice options);

/* lower_ip_rare.c: options of IP whose bytes are the view's header. */
struct quick_start_ids {
    uint16_t function, rate, ttl, difference, unused, nonce, reserved;
};
void lower_emit_security(const struct lower_view *v);
void lower_emit_extended_security(const struct lower_view *v);
void lower_emit_cipso(const struct lower_view *v);
void lower_emit_traceroute(const struct lower_view *v);
void lower_emit_broadcast(const struct lower_view *v);
/* HOPS is what the packet may still go. */
void lower_emit_quick_start(const struct lower_view *v, const struct quick_start_ids *ids,
                            uint8_t hops);
/* Lists the labels of the flags that are set, for EXTRA_NOTE of event AT. */
void lower_note_flags(struct tape *t, uint32_t at, const uint16_t *rows, size_t count,
                      uint8_t value);
/* lower_ip6_options.c: those of a hop-by-hop or destination header, which is the view's. */
void lower_emit_ipv6_options(const struct lower_view *v);

/* Gives an OUI's label its maker's name. */
void lower_set_oui(struct tape *t, uint32_t at, const char *name);

void lower_emit_llc(const struct lower_view *v);
void lower_emit_pppoe(const struct lower_view *v);
void lower_emit_ppp(const struct lower_view *v);
void lower_emit_mpls(const struct lower_view *v);
void lower_emit_control_word(const struct lower_view *v);
void lower_emit_gre(const struct lower_view *v);
void lower_emit_udp(const struct lower_view *v);
void lower_emit_vxlan(const struct lower_view *v);
void lower_emit_geneve(const struct lower_view *v);
void lower_emit_ah(const struct lower_view *v);
void lower_emit_ipv4(const struct lower_view *v);
void lower_emit_ipv4_options(const struct lower_view *v);
void lower_emit_ipv6(const struct lower_view *v);
/* "[2 IPv4 Fragments (…): #1(160), #2(149)]" */
void lower_emit_joined(const struct lower_view *v, const struct lower_layer *layer);

/* Makes what was added to the tape's text since START the value of event AT. */
static inline void lower_text_from(struct tape *t, uint32_t at, size_t start)
{
    if (at == TAPE_NONE)
        return;
    t->events[at].flags |= EVENT_IN_TEXT;
    t->events[at].value = (uint64_t)(t->text.len - start) << 32 | (uint32_t)start;
    if (t->text.failed)
        t->full = true;
}

/* The same for a label's note. */
static inline uint64_t lower_note_from(const struct tape *t, size_t start)
{
    return (uint64_t)(t->text.len - start) << 32 | (uint32_t)start;
}

#endif
