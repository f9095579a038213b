/* IPv4 and IPv6 on the tape, with their options and extension headers. */
#include "dissect/lower_private.h"

enum {
    OPTION_END = 0,
    OPTION_NOP = 1,
    OPTION_RECORD_ROUTE = 7,
    OPTION_TIME_STAMP = 68,
    OPTION_LOOSE_ROUTE = 131,
    OPTION_STRICT_ROUTE = 137,
    OPTION_ROUTER_ALERT = 148,
    PAD_ONE = 0,
    PAD_MANY = 1,
};

/* Options that hold a list, and a pointer into it. */
static bool has_pointer(uint8_t option)
{
    return option == OPTION_RECORD_ROUTE || option == OPTION_TIME_STAMP ||
           option == OPTION_LOOSE_ROUTE || option == OPTION_STRICT_ROUTE;
}

static void emit_host(struct tape *t, uint32_t offset, struct slice address, enum field_id id)
{
    uint32_t at =
        tape_add(t, id, 0, offset, (uint32_t)address.len, 0, EVENT_GENERATED | EVENT_HIDDEN);
    if (at == TAPE_NONE)
        return;
    size_t start = t->text.len;
    if (address.len == 4)
        buf_ipv4(&t->text, address);
    else
        buf_ipv6(&t->text, address);
    lower_text_from(t, at, start);
}

/* An address and its three hidden companions. */
static void emit_address(struct tape *t, uint32_t offset, struct slice address, enum field_id own,
                         enum field_id either, enum field_id host, enum field_id either_host)
{
    tape_add(t, own, 0, offset, (uint32_t)address.len, 0, 0);
    tape_add(t, either, 0, offset, (uint32_t)address.len, 0, EVENT_HIDDEN);
    emit_host(t, offset, address, host);
    emit_host(t, offset, address, either_host);
}

/* ---- IPv4 options
 * --------------------------------------------------------------------------------- */

static const struct ip_option {
    uint8_t type;
    uint16_t field;
    const char *name; /* as the heading lists it; NULL: it does not */
} ip_options[] = {
    {OPTION_END, F_ip_options_eol, NULL},
    {OPTION_NOP, F_ip_options_nop, NULL},
    {OPTION_RECORD_ROUTE, F_ip_options_record_route, ", Record Route"},
    {OPTION_TIME_STAMP, F_ip_options_timestamp, ", Time Stamp"},
    {130, F_ip_options_security, ", Security"},
    {OPTION_LOOSE_ROUTE, F_ip_options_lsr, ", Loose Source Route"},
    {136, F_ip_options_stream, ", Stream ID"},
    {OPTION_STRICT_ROUTE, F_ip_options_ssr, ", Strict Source Route"},
    {OPTION_ROUTER_ALERT, F_ip_options_routeralert, ", Router Alert"},
};

static const struct ip_option *option_of(uint8_t type)
{
    for (size_t i = 0; i < sizeof ip_options / sizeof ip_options[0]; i++)
        if (ip_options[i].type == type)
            return &ip_options[i];
    return NULL;
}

static void emit_option(struct tape *t, const struct ip_option *option, uint32_t offset,
                        struct slice bytes)
{
    uint64_t type = option->type;
    bool single = option->type == OPTION_END || option->type == OPTION_NOP;
    uint32_t at = tape_open(t, option->field, 0, offset, (uint32_t)bytes.len, 0, 0);
    uint32_t kind = tape_open(t, F_ip_opt_type, 0, offset, 1, type, 0);
    tape_add(t, F_ip_opt_type_copy, 0, offset, 1, type >> 7, 0);
    tape_add(t, F_ip_opt_type_class, 0, offset, 1, type >> 5 & 3, 0);
    tape_add(t, F_ip_opt_type_number, 0, offset, 1, type & 31, 0);
    tape_close(t, kind);
    slice_skip(&bytes, 1);
    if (!single)
        tape_add(t, F_ip_opt_len, 0, offset + 1, 1, slice_u8(&bytes), 0);
    if (has_pointer(option->type) && bytes.len > 0)
        tape_add(t, F_ip_opt_ptr, 0, offset + 2, 1, slice_u8(&bytes), 0);
    if (option->type == OPTION_ROUTER_ALERT && bytes.len == 2)
        tape_add(t, F_ip_opt_ra, 0, offset + 2, 2, slice_u16(&bytes), 0);
    tape_close(t, at);
}

/* Options up to the first that is not known or is broken. */
static void emit_options(struct tape *t, const struct packet *packet, uint32_t offset,
                         uint32_t size)
{
    struct slice list = slice_sub(packet->bytes, offset, size);
    uint32_t heading = tape_open(t, F_ip_options_heading, 0, offset, size, 0, 0);
    char names[256];
    struct buf note = {.data = (uint8_t *)names, .cap = sizeof names, .ceiling = sizeof names};
    while (list.len > 0) {
        const struct ip_option *option = option_of(slice_at(list, 0));
        bool single = slice_at(list, 0) <= OPTION_NOP;
        uint32_t length = single ? 1 : slice_at(list, 1);
        if (!option || length > list.len || (!single && length < 2))
            break;
        emit_option(t, option, offset, slice_take(&list, length));
        offset += length;
        if (option->name)
            buf_str(&note, option->name);
        if (option->type == OPTION_END)
            break;
    }
    if (heading != TAPE_NONE) {
        t->events[heading].value = (uint64_t)note.len << 32 | (uint32_t)t->text.len;
        buf_slice_put(&t->text, buf_slice(&note));
    }
    tape_close(t, heading);
}

/* ---- IPv4
 * ------------------------------------------------------------------------------------------ */

static void emit_flags(struct tape *t, uint32_t offset, uint16_t word)
{
    uint32_t at = tape_open(t, F_ip_flags, 0, offset, 1, word >> 13, 0);
    tape_add(t, F_ip_flags_rb, 0, offset, 1, word >> 15, 0);
    tape_add(t, F_ip_flags_df, 0, offset, 1, word >> 14 & 1, 0);
    tape_add(t, F_ip_flags_mf, 0, offset, 1, word >> 13 & 1, 0);
    tape_close(t, at);
    tape_add(t, F_ip_frag_offset, 0, offset, 2, word & 0x1fff, 0);
}

/* Bytes that the frame had on the wire from OFFSET on. */
static uint32_t framed(const struct packet *packet, uint32_t offset)
{
    return packet->len > offset ? packet->len - offset : 0;
}

static void emit_total(struct tape *t, uint16_t total, const struct packet *packet,
                       const struct lower *lower)
{
    uint32_t start = lower->network_offset, room = framed(packet, start);
    uint32_t real = lower->payload_offset - start + lower->payload_length;
    uint32_t at = tape_open(t, F_ip_len, 0, start + 2, 2, total ? total : real, 0);
    if (total == 0)
        tape_set_label(t, at, LABEL_IP_LEN_TSO);
    if (total > room)
        tape_expert(t, EXPERT_ip_too_long, 0, start + 2, 0, room);
    tape_close(t, at);
}

void lower_emit_ipv4(struct tape *t, const struct packet *packet, const struct lower *lower)
{
    uint32_t o = lower->network_offset, header = lower->payload_offset - o;
    struct slice s = slice_sub(packet->bytes, o, packet->bytes.len);
    uint8_t first = slice_u8(&s), ds = slice_u8(&s);
    uint32_t at = tape_open(t, F_ip, 0, o, header, 0, 0);
    tape_set_extra(t, tape_add(t, F_ip_version, 0, o, 1, first >> 4, 0), first);
    tape_set_extra(t, tape_add(t, F_ip_hdr_len, 0, o, 1, (uint64_t)(first & 15) * 4, 0), first);
    uint32_t field = tape_open(t, F_ip_dsfield, 0, o + 1, 1, ds, 0);
    tape_add(t, F_ip_dsfield_dscp, 0, o + 1, 1, ds >> 2, 0);
    tape_add(t, F_ip_dsfield_ecn, 0, o + 1, 1, ds & 3, 0);
    tape_close(t, field);
    emit_total(t, slice_u16(&s), packet, lower);
    tape_add(t, F_ip_id, 0, o + 4, 2, slice_u16(&s), 0);
    emit_flags(t, o + 6, slice_u16(&s));
    tape_add(t, F_ip_ttl, 0, o + 8, 1, slice_u8(&s), 0);
    tape_add(t, F_ip_proto, 0, o + 9, 1, slice_u8(&s), 0);
    tape_add(t, F_ip_checksum, 0, o + 10, 2, slice_u16(&s), 0);
    tape_add(t, F_ip_checksum_status, 0, o + 10, 0, 2, EVENT_GENERATED);
    emit_address(t, o + 12, lower->source, F_ip_src, F_ip_addr, F_ip_src_host, F_ip_host);
    emit_address(t, o + 16, lower->destination, F_ip_dst, F_ip_addr, F_ip_dst_host, F_ip_host);
    if (header > 20)
        emit_options(t, packet, o + 20, header - 20);
    tape_close(t, at);
}

/* ---- IPv6 extension headers
 * ------------------------------------------------------------------------ */

static void emit_option6(struct tape *t, uint32_t offset, uint8_t type, uint32_t length)
{
    uint32_t whole = type == PAD_ONE ? 1 : length + 2;
    uint32_t at = tape_open(t, F_ipv6_opt, 0, offset, whole, type, 0);
    uint32_t kind = tape_open(t, F_ipv6_opt_type, 0, offset, 1, type, 0);
    tape_add(t, F_ipv6_opt_type_action, 0, offset, 1, type >> 6, 0);
    tape_add(t, F_ipv6_opt_type_change, 0, offset, 1, type >> 5 & 1, 0);
    tape_add(t, F_ipv6_opt_type_rest, 0, offset, 1, type & 31, 0);
    tape_close(t, kind);
    if (type != PAD_ONE) {
        tape_add(t, F_ipv6_opt_length, 0, offset + 1, 1, length, 0);
        tape_add(t, type == PAD_MANY ? F_ipv6_opt_padn : F_ipv6_opt_unknown, 0, offset + 2, length,
                 0, 0);
    }
    tape_close(t, at);
}

static void emit_options6(struct tape *t, struct slice list, uint32_t offset)
{
    while (list.len > 0) {
        uint8_t type = slice_u8(&list);
        uint32_t length = type == PAD_ONE ? 0 : slice_u8(&list);
        if (list.failed || !slice_skip(&list, length))
            return;
        emit_option6(t, offset, type, length);
        offset += type == PAD_ONE ? 1 : length + 2;
    }
}

struct extension_fields {
    uint8_t type;
    uint16_t own, next, length, octets;
};

static void emit_sized(struct tape *t, const struct extension_fields *f, struct slice s,
                       const struct lower_extension *e)
{
    uint32_t at = tape_open(t, f->own, 0, e->offset, e->length, 0, 0);
    tape_add(t, f->next, 0, e->offset, 1, slice_u8(&s), 0);
    tape_add(t, f->length, 0, e->offset + 1, 1, slice_u8(&s), 0);
    tape_add(t, f->octets, 0, e->offset + 1, 1, e->length, 0);
    if (f->own == F_ipv6_routing) {
        tape_add(t, F_ipv6_routing_type, 0, e->offset + 2, 1, slice_u8(&s), 0);
        tape_add(t, F_ipv6_routing_segleft, 0, e->offset + 3, 1, slice_u8(&s), 0);
    } else {
        emit_options6(t, s, e->offset + 2);
    }
    tape_close(t, at);
}

static void emit_fragment(struct tape *t, struct slice s, uint32_t o)
{
    uint32_t at = tape_open(t, F_ipv6_fraghdr, 0, o, 8, 0, 0);
    tape_add(t, F_ipv6_fraghdr_nxt, 0, o, 1, slice_u8(&s), 0);
    tape_add(t, F_ipv6_fraghdr_reserved_octet, 0, o + 1, 1, slice_u8(&s), 0);
    uint16_t word = slice_u16(&s);
    tape_add(t, F_ipv6_fraghdr_offset, 0, o + 2, 2, word >> 3, 0);
    tape_add(t, F_ipv6_fraghdr_reserved_bits, 0, o + 2, 2, word >> 1 & 3, 0);
    tape_add(t, F_ipv6_fraghdr_more, 0, o + 2, 2, word & 1, 0);
    tape_add(t, F_ipv6_fraghdr_ident, 0, o + 4, 4, slice_u32(&s), 0);
    tape_close(t, at);
}

static void emit_extension(struct tape *t, const struct packet *packet,
                           const struct lower_extension *e)
{
    static const struct extension_fields sized[] = {
        {0, F_ipv6_hopopts, F_ipv6_hopopts_nxt, F_ipv6_hopopts_len, F_ipv6_hopopts_len_oct},
        {43, F_ipv6_routing, F_ipv6_routing_nxt, F_ipv6_routing_len, F_ipv6_routing_len_oct},
        {60, F_ipv6_dstopts, F_ipv6_dstopts_nxt, F_ipv6_dstopts_len, F_ipv6_dstopts_len_oct},
    };
    struct slice s = slice_sub(packet->bytes, e->offset, e->length);
    for (size_t i = 0; i < sizeof sized / sizeof sized[0]; i++)
        if (sized[i].type == e->type) {
            emit_sized(t, &sized[i], s, e);
            return;
        }
    emit_fragment(t, s, e->offset);
}

void lower_emit_ipv6(struct tape *t, const struct packet *packet, const struct lower *lower)
{
    uint32_t o = lower->network_offset;
    struct slice s = slice_sub(packet->bytes, o, packet->bytes.len);
    uint32_t word = slice_u32(&s);
    uint32_t at = tape_open(t, F_ipv6, 0, o, lower->payload_offset - o, 0, 0);
    tape_set_extra(t, tape_add(t, F_ipv6_version, 0, o, 1, word >> 28, 0), word >> 24);
    tape_add(t, F_ipv6_ip_version, 0, o, 1, word >> 28, EVENT_HIDDEN);
    uint32_t field = tape_open(t, F_ipv6_tclass, 0, o, 4, word >> 20 & 0xff, 0);
    tape_add(t, F_ipv6_tclass_dscp, 0, o, 4, word >> 22 & 0x3f, 0);
    tape_add(t, F_ipv6_tclass_ecn, 0, o, 4, word >> 20 & 3, 0);
    tape_close(t, field);
    tape_add(t, F_ipv6_flow, 0, o + 1, 3, word & 0xfffff, 0);
    uint16_t length = slice_u16(&s);
    field = tape_open(t, F_ipv6_plen, 0, o + 4, 2, length, 0);
    if (length > framed(packet, o + 40))
        tape_expert(t, EXPERT_ipv6_too_long, 0, o + 4, 0, framed(packet, o + 40));
    tape_close(t, field);
    tape_add(t, F_ipv6_nxt, 0, o + 6, 1, slice_u8(&s), 0);
    tape_add(t, F_ipv6_hlim, 0, o + 7, 1, slice_u8(&s), 0);
    emit_address(t, o + 8, lower->source, F_ipv6_src, F_ipv6_addr, F_ipv6_src_host, F_ipv6_host);
    emit_address(t, o + 24, lower->destination, F_ipv6_dst, F_ipv6_addr, F_ipv6_dst_host,
                 F_ipv6_host);
    for (size_t i = 0; i < lower->extension_count; i++)
        emit_extension(t, packet, &lower->extensions[i]);
    tape_close(t, at);
}
