/* IPv6 on the tape, with its extension headers. */
#include "dissect/lower_private.h"

/* Where an extension header's rows go: the view of that header. */
static struct lower_view view_of(const struct lower_view *v, const struct lower_layer *layer)
{
    struct lower_view own = *v;
    own.layer = layer;
    own.source = layer->source;
    own.offset = layer->offset;
    own.header = slice_sub(v->t->sources[layer->source].bytes, layer->offset, layer->length);
    return own;
}

/* ---- routing headers
 * ------------------------------------------------------------------------------- */

static void emit_stops(const struct lower_view *v, enum field_id field, uint32_t from,
                       uint32_t number)
{
    for (uint32_t at = from; at + 16 <= v->header.len; at += 16)
        tape_set_extra(v->t, lower_add(v, field, at, 16, 0), number++);
}

static void emit_routing_rest(const struct lower_view *v, uint8_t type)
{
    enum { SOURCE_ROUTE = 0, HOME = 2, SEGMENTS = 4 };
    struct slice s = slice_sub(v->header, 4, 4);
    if (type == SOURCE_ROUTE || type == HOME) {
        bool home = type == HOME;
        lower_add(v, home ? F_ipv6_routing_home_reserved : F_ipv6_routing_src_reserved, 4, 4, 0);
        emit_stops(v, home ? F_ipv6_routing_home_address : F_ipv6_routing_src_addr, 8, 1);
    } else if (type == SEGMENTS) {
        lower_add(v, F_ipv6_routing_srh_last_entry, 4, 1, slice_u8(&s));
        lower_add(v, F_ipv6_routing_srh_flags, 5, 1, slice_u8(&s));
        lower_add(v, F_ipv6_routing_srh_tag, 6, 2, 0);
        emit_stops(v, F_ipv6_routing_srh_addr, 8, 0);
    } else {
        lower_add(v, F_ipv6_routing_unknown, 4, (uint32_t)v->header.len - 4, 0);
    }
}

static void emit_routing(const struct lower_view *v)
{
    uint8_t type = slice_at(v->header, 2);
    uint32_t at = lower_open(v, F_ipv6_routing_type, 2, 1, type);
    if (type == 0)
        tape_expert(v->t, EXPERT_ipv6_routing_deprecated, v->source, v->offset + 2, 0, 0);
    tape_close(v->t, at);
    lower_add(v, F_ipv6_routing_segleft, 3, 1, slice_at(v->header, 3));
    emit_routing_rest(v, type);
}

/* ---- extension headers
 * ----------------------------------------------------------------------------- */

struct extension_fields {
    uint8_t type;
    uint16_t own, next, length, octets;
};

static void emit_sized(const struct lower_view *v, const struct extension_fields *f)
{
    uint32_t at = lower_open(v, f->own, 0, v->layer->length, 0);
    lower_add(v, f->next, 0, 1, slice_at(v->header, 0));
    lower_add(v, f->length, 1, 1, slice_at(v->header, 1));
    tape_add(v->t, f->octets, v->source, v->offset + 1, 1, v->layer->length, EVENT_GENERATED);
    if (f->type == NEXT_ROUTING)
        emit_routing(v);
    else
        lower_emit_ipv6_options(v);
    tape_close(v->t, at);
}

static void emit_fragment(const struct lower_view *v)
{
    struct slice s = v->header;
    uint32_t at = lower_open(v, F_ipv6_fraghdr, 0, 8, 0);
    lower_add(v, F_ipv6_fraghdr_nxt, 0, 1, slice_u8(&s));
    lower_add(v, F_ipv6_fraghdr_reserved_octet, 1, 1, slice_u8(&s));
    uint16_t word = slice_u16(&s);
    lower_add(v, F_ipv6_fraghdr_offset, 2, 2, word >> 3);
    lower_add(v, F_ipv6_fraghdr_reserved_bits, 2, 2, word >> 1 & 3);
    lower_add(v, F_ipv6_fraghdr_more, 2, 2, word & 1);
    lower_add(v, F_ipv6_fraghdr_ident, 4, 4, slice_u32(&s));
    tape_close(v->t, at);
    if (v->layer->joined)
        lower_emit_joined(v, v->layer);
}

static void emit_extension(const struct lower_view *v)
{
    static const struct extension_fields sized[] = {
        {NEXT_HOP_BY_HOP, F_ipv6_hopopts, F_ipv6_hopopts_nxt, F_ipv6_hopopts_len,
         F_ipv6_hopopts_len_oct},
        {NEXT_ROUTING, F_ipv6_routing, F_ipv6_routing_nxt, F_ipv6_routing_len,
         F_ipv6_routing_len_oct},
        {NEXT_DESTINATION, F_ipv6_dstopts, F_ipv6_dstopts_nxt, F_ipv6_dstopts_len,
         F_ipv6_dstopts_len_oct},
    };
    if (v->layer->kind == LAYER_AH) {
        lower_emit_ah(v);
        return;
    }
    for (size_t i = 0; i < sizeof sized / sizeof sized[0]; i++)
        if (sized[i].type == v->layer->type) {
            emit_sized(v, &sized[i]);
            return;
        }
    emit_fragment(v);
}

/* ---- the header
 * ----------------------------------------------------------------------------------- */

/* The layers after this one that are its extension headers. */
static unsigned extensions_of(const struct lower_view *v)
{
    unsigned first = (unsigned)(v->layer - v->lower->layers) + 1, i = first;
    while (i < v->lower->layer_count && (v->lower->layers[i].kind == LAYER_IPV6_EXTENSION ||
                                         v->lower->layers[i].kind == LAYER_AH))
        i++;
    return i - first;
}

static void emit_length(const struct lower_view *v, uint16_t length, uint8_t next)
{
    struct tape *t = v->t;
    uint32_t from = v->offset + 40;
    uint32_t room = v->layer->wire > from ? v->layer->wire - from : 0;
    bool offloaded = length == 0 && next != NEXT_NONE && room > 0;
    uint32_t at = tape_open(t, F_ipv6_plen, v->source, v->offset + 4, 2, offloaded ? room : length,
                            offloaded ? EVENT_GENERATED : 0);
    if (offloaded)
        tape_set_label(t, at, LABEL_IP_LEN_TSO);
    if (length > room)
        tape_expert(t, EXPERT_ipv6_too_long, v->source, v->offset + 4, 0, room);
    tape_close(t, at);
}

/* An address behind the well-known prefix of translators holds one of IPv4 (RFC 6052 2.1). */
static void emit_embedded(const struct lower_view *v, uint32_t at, enum field_id field)
{
    struct slice s = slice_sub(v->header, at, 12);
    if (slice_u64(&s) != UINT64_C(0x0064ff9b00000000) || slice_u32(&s) != 0)
        return;
    uint32_t offset = v->offset + at;
    tape_add(v->t, F_ipv6_embed_ipv4_prefix, v->source, offset, 12, 0, EVENT_GENERATED);
    tape_add(v->t, field, v->source, offset + 12, 4, 0, EVENT_GENERATED);
    tape_add(v->t, F_ipv6_embed_ipv4, v->source, offset + 12, 4, 0, EVENT_GENERATED);
}

/* An address that was made of a hardware address shows it (RFC 4291 appendix A). */
static void emit_hardware(const struct lower_view *v, uint32_t at, enum field_id field)
{
    struct slice s = slice_sub(v->header, at + 8, 8), middle = slice_sub(s, 3, 2);
    if (!(slice_at(s, 0) & 2) || slice_u16(&middle) != 0xfffe)
        return;
    const uint8_t mac[6] = {slice_at(s, 0) ^ 2, slice_at(s, 1), slice_at(s, 2),
                            slice_at(s, 5),     slice_at(s, 6), slice_at(s, 7)};
    for (unsigned i = 0; i < 2; i++) {
        uint32_t item = tape_add(v->t, i ? F_ipv6_slaac_mac : field, v->source, v->offset + at + 8,
                                 8, 0, i ? EVENT_GENERATED | EVENT_HIDDEN : EVENT_GENERATED);
        tape_set_text(v->t, item, slice_of(mac, sizeof mac));
    }
}

void lower_emit_ipv6(const struct lower_view *v)
{
    static const struct address_ids from = {F_ipv6_src, F_ipv6_addr, F_ipv6_src_host, F_ipv6_host};
    static const struct address_ids to = {F_ipv6_dst, F_ipv6_addr, F_ipv6_dst_host, F_ipv6_host};
    struct tape *t = v->t;
    struct slice s = v->header;
    uint32_t word = slice_u32(&s), size = 40;
    unsigned extensions = extensions_of(v);
    /* A piece that stays one ends the header before its extensions. */
    bool piece =
        v->lower->fragment && v->layer + extensions + 1 == v->lower->layers + v->lower->layer_count;
    for (unsigned i = 1; i <= extensions && !piece; i++)
        size += v->layer[i].length;
    uint32_t at = lower_open(v, F_ipv6, 0, size, 0);
    if (v->options->plain_ipv6)
        tape_set_label(t, at, LABEL_IP6_PLAIN);
    tape_set_extra(t, lower_add(v, F_ipv6_version, 0, 1, word >> 28), word >> 24);
    tape_add(t, F_ipv6_ip_version, v->source, v->offset, 1, word >> 28, EVENT_HIDDEN);
    uint32_t field = lower_open(v, F_ipv6_tclass, 0, 4, word >> 20 & 0xff);
    lower_add(v, F_ipv6_tclass_dscp, 0, 4, word >> 22 & 0x3f);
    lower_add(v, F_ipv6_tclass_ecn, 0, 4, word >> 20 & 3);
    tape_close(t, field);
    lower_add(v, F_ipv6_flow, 1, 3, word & 0xfffff);
    uint16_t length = slice_u16(&s);
    uint8_t next = slice_u8(&s);
    emit_length(v, length, next);
    lower_add(v, F_ipv6_nxt, 6, 1, next);
    lower_add(v, F_ipv6_hlim, 7, 1, slice_u8(&s));
    lower_emit_address(v, 8, 16, &from);
    lower_emit_address(v, 24, 16, &to);
    emit_embedded(v, 8, F_ipv6_src_embed_ipv4);
    emit_embedded(v, 24, F_ipv6_dst_embed_ipv4);
    emit_hardware(v, 8, F_ipv6_src_slaac_mac);
    emit_hardware(v, 24, F_ipv6_dst_slaac_mac);
    for (unsigned i = 1; i <= extensions; i++) {
        struct lower_view own = view_of(v, &v->layer[i]);
        emit_extension(&own);
    }
    tape_close(t, at);
}
