/* Tunnels on the tape, and the other layers between link and IP. */
#include "base/sum.h"
#include "dissect/lower_private.h"
#include "schema/ouis.h"

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])

/* One protocol item, its rows inside. */
static void emit_whole(const struct lower_view *v, enum field_id protocol, uint32_t length,
                       const struct header_row *rows, size_t count)
{
    uint32_t at = lower_open(v, protocol, 0, length, 0);
    lower_emit_rows(v, rows, count);
    tape_close(v->t, at);
}

/* ---- LLC
 * ------------------------------------------------------------------------------------------ */

static void emit_control(const struct lower_view *v)
{
    enum { UNNUMBERED = 3 };
    uint8_t control = slice_at(v->header, 2);
    bool unnumbered = (control & 3) == UNNUMBERED;
    struct slice both = slice_sub(v->header, 2, 2);
    uint32_t at = lower_open(v, F_llc_control, 2, unnumbered ? 1 : 2,
                             unnumbered ? control : slice_u16(&both));
    if (unnumbered)
        lower_add(v, F_llc_control_command, 2, 1, (control & 0xecu) >> 2);
    else
        tape_set_label(v->t, at, LABEL_LLC_CONTROL_OTHER);
    lower_add(v, F_llc_control_ftype, 2, 1, control & 3u);
    tape_close(v->t, at);
}

void lower_emit_llc(const struct lower_view *v)
{
    static const struct header_row rows[] = {
        {F_llc_dsap, 0, 1, false}, {F_llc_dsap_sap, 0, 1, true}, {F_llc_dsap_ig, 0, 1, true},
        {F_llc_ssap, 1, 1, false}, {F_llc_ssap_sap, 1, 1, true}, {F_llc_ssap_cr, 1, 1, true}};
    uint32_t at = lower_open(v, F_llc, 0, v->layer->length, 0);
    lower_emit_rows(v, rows, COUNT(rows));
    emit_control(v);
    if (v->layer->length == 8) {
        struct slice s = slice_sub(v->header, 3, 5);
        uint32_t oui = slice_u24(&s);
        lower_set_oui(v->t, lower_add(v, F_llc_oui, 3, 3, oui), oui_name(oui));
        lower_add(v, oui == 0 || oui == 0xf8 ? F_llc_type : F_llc_pid, 6, 2, slice_u16(&s));
    }
    tape_close(v->t, at);
}

/* ---- PPP
 * ------------------------------------------------------------------------------------------ */

void lower_emit_pppoe(const struct lower_view *v)
{
    static const struct header_row rows[] = {{F_pppoe_version, 0, 1, false},
                                             {F_pppoe_type, 0, 1, false},
                                             {F_pppoe_code, 1, 1, false},
                                             {F_pppoe_session_id, 2, 2, false},
                                             {F_pppoe_payload_length, 4, 2, false}};
    emit_whole(v, F_pppoes, 6, rows, COUNT(rows));
}

void lower_emit_ppp(const struct lower_view *v)
{
    struct slice s = v->header;
    uint32_t at = lower_open(v, F_ppp, 0, v->layer->length, 0), used = 0;
    if (v->layer->length > 2) {
        lower_add(v, F_ppp_address, 0, 1, slice_u8(&s));
        lower_add(v, F_ppp_control, 1, 1, slice_u8(&s));
        used = 2;
    }
    uint32_t size = v->layer->length - used;
    lower_add(v, F_ppp_protocol, used, size, slice_uint(&s, size));
    tape_close(v->t, at);
}

/* ---- MPLS
 * ----------------------------------------------------------------------------------------- */

void lower_emit_mpls(const struct lower_view *v)
{
    static const struct header_row rows[] = {
        {F_mpls_exp, 0, 4, false}, {F_mpls_bottom, 0, 4, false}, {F_mpls_ttl, 0, 4, false}};
    struct tape *t = v->t;
    struct slice s = v->header;
    uint32_t label = slice_u32(&s) >> 12;
    const char *name = registry_compat(REG_MPLS_LABELS, label);
    uint32_t at = lower_open(v, F_mpls, 0, 4, label);
    if (name && at != TAPE_NONE) {
        tape_set_extra(t, at, (uint32_t)t->text.len + 1);
        buf_str(&t->text, " (");
        buf_str(&t->text, name);
        buf_put(&t->text, ")", 2); /* with the NUL that ends it */
    }
    lower_add(v, name ? F_mpls_label_special : F_mpls_label, 0, 4, label);
    lower_emit_rows(v, rows, COUNT(rows));
    tape_close(t, at);
}

void lower_emit_control_word(const struct lower_view *v)
{
    static const struct header_row rows[] = {{F_pwethcw_sequence, 2, 2, false}};
    emit_whole(v, F_pwethcw, 4, rows, COUNT(rows));
}

/* ---- GRE
 * ------------------------------------------------------------------------------------------ */

/* The sum over header and payload, taken for right unless all of it is there to be wrong. */
static void emit_gre_checksum(const struct lower_view *v, uint32_t at)
{
    struct tape *t = v->t;
    struct slice s = slice_sub(v->header, at, 2);
    struct slice all = slice_sub(t->sources[v->source].bytes, v->offset,
                                 v->layer->wire > v->offset ? v->layer->wire - v->offset : 0);
    bool whole = v->offset + all.len >= v->layer->wire;
    uint16_t rest = internet_sum_end(internet_sum(0, all));
    bool good = rest == 0;
    uint16_t sum = slice_u16(&s);
    uint32_t field = lower_open(v, F_gre_checksum, at, 2, sum);
    if (!whole) {
        tape_set_label(t, field, LABEL_GRE_CHECKSUM_UNVERIFIED);
    } else if (!good) {
        /* What it should be: the complement of the sum without it. */
        uint32_t others = (uint32_t)(uint16_t)~rest + (uint16_t)~sum;
        tape_set_label(t, field, LABEL_GRE_CHECKSUM_BAD);
        tape_set_extra(t, field, (uint32_t)t->text.len + 1);
        buf_hex(&t->text, internet_sum_end(others), 4);
        buf_put(&t->text, "", 1);
        tape_expert(t, EXPERT_gre_checksum_bad, v->source, v->offset + at, 0, 0);
    }
    tape_close(t, field);
    tape_add(t, F_gre_checksum_status, v->source, v->offset + at, 0, !whole ? 2 : (uint64_t)good,
             EVENT_GENERATED);
}

static void emit_gre_rest(const struct lower_view *v, uint16_t flags)
{
    uint32_t at = 4;
    bool pptp = (flags & GRE_VERSION) == 1;
    if (flags & (GRE_HAS_CHECKSUM | GRE_HAS_ROUTING)) {
        struct slice s = slice_sub(v->header, at + 2, 2);
        emit_gre_checksum(v, at);
        lower_add(v, F_gre_offset, at + 2, 2, slice_u16(&s));
        at += 4;
    }
    if (flags & GRE_HAS_KEY) {
        struct slice s = slice_sub(v->header, at, 4), halves = s;
        uint32_t key = lower_open(v, F_gre_key, at, 4, slice_u32(&s));
        if (pptp) {
            lower_add(v, F_gre_key_length, at, 2, slice_u16(&halves));
            lower_add(v, F_gre_key_call, at + 2, 2, slice_u16(&halves));
        }
        tape_close(v->t, key);
        at += 4;
    }
    if (flags & GRE_HAS_SEQUENCE) {
        struct slice s = slice_sub(v->header, at, 4);
        lower_add(v, F_gre_sequence, at, 4, slice_u32(&s));
        at += 4;
    }
    if (pptp && flags & GRE_HAS_ACK) {
        struct slice s = slice_sub(v->header, at, 4);
        lower_add(v, F_gre_ack, at, 4, slice_u32(&s));
    }
}

void lower_emit_gre(const struct lower_view *v)
{
    static const struct header_row first[] = {
        {F_gre_flags, 0, 2, false},          {F_gre_flags_checksum, 0, 2, true},
        {F_gre_flags_routing, 0, 2, true},   {F_gre_flags_key, 0, 2, true},
        {F_gre_flags_sequence, 0, 2, true},  {F_gre_flags_strict, 0, 2, true},
        {F_gre_flags_recursion, 0, 2, true}, {F_gre_flags_reserved, 0, 2, true},
        {F_gre_flags_version, 0, 2, true},   {F_gre_proto, 2, 2, false}};
    static const struct header_row second[] = {
        {F_gre_flags, 0, 2, false},          {F_gre_flags_checksum, 0, 2, true},
        {F_gre_flags_routing, 0, 2, true},   {F_gre_flags_key, 0, 2, true},
        {F_gre_flags_sequence, 0, 2, true},  {F_gre_flags_strict, 0, 2, true},
        {F_gre_flags_recursion, 0, 2, true}, {F_gre_flags_ack, 0, 2, true},
        {F_gre_flags_reserved1, 0, 2, true}, {F_gre_flags_version, 0, 2, true},
        {F_gre_proto, 2, 2, false}};
    struct slice s = v->header;
    uint16_t flags = slice_u16(&s);
    uint32_t at = lower_open(v, F_gre, 0, v->layer->length, 0);
    if ((flags & GRE_VERSION) == 1)
        lower_emit_rows(v, second, COUNT(second));
    else
        lower_emit_rows(v, first, COUNT(first));
    emit_gre_rest(v, flags);
    tape_close(v->t, at);
}

/* ---- UDP
 * ------------------------------------------------------------------------------------------ */

static void emit_udp_checksum(const struct lower_view *v, bool is_ipv6)
{
    enum { ABSENT = 3, ILLEGAL = 4, UNVERIFIED = 2 };
    struct slice s = slice_sub(v->header, 6, 2);
    uint16_t sum = slice_u16(&s);
    uint32_t at = lower_open(v, F_udp_checksum, 6, 2, sum);
    if (sum != 0) {
        tape_close(v->t, at);
        tape_add(v->t, F_udp_checksum_status, v->source, v->offset + 6, 0, UNVERIFIED,
                 EVENT_GENERATED);
        return;
    }
    tape_set_label(v->t, at, is_ipv6 ? LABEL_UDP_CHECKSUM_ILLEGAL : LABEL_UDP_CHECKSUM_IGNORED);
    if (is_ipv6)
        tape_expert(v->t, EXPERT_udp_checksum_zero, v->source, v->offset + 6, 0, 0);
    tape_add(v->t, F_udp_checksum_status, v->source, v->offset + 6, 2, is_ipv6 ? ILLEGAL : ABSENT,
             EVENT_GENERATED);
    tape_close(v->t, at);
}

void lower_emit_udp(const struct lower_view *v)
{
    struct tape *t = v->t;
    struct slice s = v->header, bytes = t->sources[v->source].bytes;
    bool is_ipv6 = false;
    for (const struct lower_layer *l = v->lower->layers; l < v->layer; l++)
        if (l->kind == LAYER_IPV4 || l->kind == LAYER_IPV6)
            is_ipv6 = l->kind == LAYER_IPV6;
    uint32_t at = lower_open(v, F_udp, 0, 8, 0);
    uint16_t source = slice_u16(&s), destination = slice_u16(&s), length = slice_u16(&s);
    lower_add(v, F_udp_srcport, 0, 2, source);
    lower_add(v, F_udp_dstport, 2, 2, destination);
    tape_add(t, F_udp_port, v->source, v->offset, 2, source, EVENT_HIDDEN);
    tape_add(t, F_udp_port, v->source, v->offset + 2, 2, destination, EVENT_HIDDEN);
    lower_add(v, F_udp_length, 4, 2, length);
    emit_udp_checksum(v, is_ipv6);
    if (v->layer == lower_udp(v->lower)) {
        tape_add(t, F_udp_stream, v->source, v->offset + 8, 0, v->lower->udp_stream,
                 EVENT_GENERATED);
        uint32_t times =
            tape_open(t, F_udp_timestamps, v->source, v->offset, 0, 0, EVENT_GENERATED);
        tape_add(t, F_udp_time_relative, v->source, v->offset, 0, (uint64_t)v->lower->udp_relative,
                 EVENT_GENERATED);
        tape_add(t, F_udp_time_delta, v->source, v->offset, 0, (uint64_t)v->lower->udp_delta,
                 EVENT_GENERATED);
        tape_close(t, times);
    }
    uint32_t payload = length > 8 ? length - 8u : 0, start = v->offset + 8;
    if (start + payload > bytes.len)
        payload = (uint32_t)bytes.len - start;
    if (payload > 0)
        lower_add(v, F_udp_payload, 8, payload, 0);
    tape_close(t, at);
}

void lower_emit_vxlan(const struct lower_view *v)
{
    static const struct header_row rows[] = {
        {F_vxlan_flags, 0, 2, false},   {F_vxlan_flag_g, 0, 2, true},
        {F_vxlan_flag_i, 0, 2, true},   {F_vxlan_flag_d, 0, 2, true},
        {F_vxlan_flag_a, 0, 2, true},   {F_vxlan_flags_reserved, 0, 2, true},
        {F_vxlan_gbp, 2, 2, false},     {F_vxlan_vni, 4, 3, false},
        {F_vxlan_reserved, 7, 1, false}};
    emit_whole(v, F_vxlan, 8, rows, COUNT(rows));
}

static void emit_geneve_option(const struct lower_view *v, uint32_t at, uint32_t length)
{
    struct tape *t = v->t;
    struct slice s = slice_sub(v->header, at, length);
    uint16_t class = slice_u16(&s);
    uint8_t type = slice_u8(&s), flags = slice_u8(&s);
    uint32_t option = lower_open(v, F_geneve_option, at, length, 0);
    tape_set_extra(t, option, type >> 7);
    lower_add(v, F_geneve_option_class, at, 2, class);
    lower_add(v, F_geneve_option_type, at + 2, 1, type);
    tape_add(t, F_geneve_option_critical, v->source, v->offset + at + 2, 1, type >> 7,
             EVENT_HIDDEN);
    uint32_t reserved = tape_open(t, F_geneve_option_flags, v->source, v->offset + at + 3, 1,
                                  flags >> 5, EVENT_HIDDEN);
    lower_add(v, F_geneve_option_reserved, at + 3, 1, flags >> 5);
    tape_close(t, reserved);
    lower_add(v, F_geneve_option_length, at + 3, 1, length);
    if (length > 4)
        lower_add(v, F_geneve_option_data, at + 4, length - 4, 0);
    tape_close(t, option);
}

void lower_emit_geneve(const struct lower_view *v)
{
    static const struct header_row rows[] = {
        {F_geneve_flags, 1, 1, false},         {F_geneve_flags_oam, 1, 1, true},
        {F_geneve_flags_critical, 1, 1, true}, {F_geneve_flags_reserved, 1, 1, true},
        {F_geneve_proto, 2, 2, false},         {F_geneve_vni, 4, 3, false}};
    struct tape *t = v->t;
    uint32_t length = v->layer->length, at = lower_open(v, F_geneve, 0, length, 0);
    lower_add(v, F_geneve_version, 0, 1, slice_at(v->header, 0) >> 6);
    lower_add(v, F_geneve_length, 0, 1, length - 8);
    lower_emit_rows(v, rows, COUNT(rows));
    tape_add(t, F_geneve_reserved, v->source, v->offset + 7, 1, slice_at(v->header, 7),
             EVENT_HIDDEN);
    if (length > 8) {
        uint32_t options = lower_open(v, F_geneve_options, 8, length - 8, 0);
        for (uint32_t i = 8; i + 4 <= length;) {
            uint32_t size = 4 + (uint32_t)(slice_at(v->header, i + 3) & 0x1f) * 4;
            if (i + size > length)
                break;
            emit_geneve_option(v, i, size);
            i += size;
        }
        tape_close(t, options);
    }
    tape_close(t, at);
}

/* ---- AH
 * ------------------------------------------------------------------------------------------- */

void lower_emit_ah(const struct lower_view *v)
{
    struct slice s = v->header;
    uint32_t at = lower_open(v, F_ah, 0, v->layer->length, 0);
    lower_add(v, F_ah_next, 0, 1, slice_u8(&s));
    uint32_t length = lower_add(v, F_ah_length, 1, 1, slice_u8(&s));
    tape_set_extra(v->t, length, v->layer->length);
    slice_skip(&s, 2);
    lower_add(v, F_ah_reserved, 2, 2, 0);
    lower_add(v, F_ah_spi, 4, 4, slice_u32(&s));
    lower_add(v, F_ah_sequence, 8, 4, slice_u32(&s));
    if (v->layer->length > 12)
        lower_add(v, F_ah_icv, 12, v->layer->length - 12, 0);
    tape_close(v->t, at);
}
