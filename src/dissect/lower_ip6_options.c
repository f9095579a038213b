/* Options of IPv6's hop-by-hop and destination headers (RFC 8200 4.2) on the tape. */
#include "dissect/lower_private.h"

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])

enum {
    PAD_ONE = 0x00,
    PAD_MANY = 0x01,
    TUNNEL_LIMIT = 0x04,
    ROUTER_ALERT = 0x05,
    CALIPSO = 0x07,
    METRICS = 0x0f,
    QUICK_START = 0x26,
    PATH_MTU = 0x30,
    RPL = 0x63,
    ENDPOINT = 0x8a,
    NONCE = 0x8b,
    JUMBO = 0xc2,
    HOME_ADDRESS = 0xc9,
};

/* The number of SIZE bytes at AT in the header of IPv6 that the options belong to. */
static uint64_t of_header(const struct lower_view *v, uint32_t at, uint32_t size)
{
    const struct lower_layer *layer = v->layer;
    while (layer->kind != LAYER_IPV6 && layer > v->lower->layers)
        layer--;
    struct slice s = slice_sub(v->t->sources[layer->source].bytes, layer->offset + at, size);
    return slice_uint(&s, size);
}

/* ---- what the options hold: each view's header is the option ------------------------------------------ */

static void emit_calipso(const struct lower_view *v)
{
    static const struct header_row rows[] = {{F_ipv6_calipso_doi, 2, 4, false},
                                             {F_ipv6_calipso_length, 6, 1, false},
                                             {F_ipv6_calipso_level, 7, 1, false},
                                             {F_ipv6_calipso_checksum, 8, 2, false}};
    lower_emit_rows(v, rows, COUNT(rows));
    lower_add(v, F_ipv6_calipso_bitmap, 10, (uint32_t)v->header.len - 10, 0);
}

static void emit_quick_start(const struct lower_view *v)
{
    static const struct quick_start_ids ids = {
        F_ipv6_qs_func,   F_ipv6_qs_rate,  F_ipv6_qs_ttl,     F_ipv6_qs_ttl_diff,
        F_ipv6_qs_unused, F_ipv6_qs_nonce, F_ipv6_qs_reserved};
    uint8_t function = slice_at(v->header, 2) >> 4;
    lower_emit_quick_start(v, &ids, (uint8_t)of_header(v, 7, 1));
    if (function == 0 || function == 8)
        return;
    uint32_t at = lower_open(v, F_ipv6_opt_rest, 2, (uint32_t)v->header.len - 2, 0);
    tape_expert(v->t, EXPERT_ipv6_unknown_data, v->source, v->offset + 2, 0, 0);
    tape_close(v->t, at);
}

static void emit_metrics(const struct lower_view *v)
{
    static const struct header_row rows[] = {
        {F_ipv6_pdm_scale_received, 2, 1, false}, {F_ipv6_pdm_scale_sent, 3, 1, false},
        {F_ipv6_pdm_this, 4, 2, false},           {F_ipv6_pdm_last, 6, 2, false},
        {F_ipv6_pdm_received, 8, 2, false},       {F_ipv6_pdm_sent, 10, 2, false}};
    lower_emit_rows(v, rows, COUNT(rows));
}

/* The lowest bit of the second number is the flag. */
static void emit_path_mtu(const struct lower_view *v)
{
    struct slice s = slice_sub(v->header, 2, 4);
    uint16_t least = slice_u16(&s), back = slice_u16(&s);
    lower_add(v, F_ipv6_pmtu_min, 2, 2, least);
    lower_add(v, F_ipv6_pmtu_return, 4, 2, back & 0xfffe);
    lower_add(v, F_ipv6_pmtu_flag, 5, 1, back & 1);
}

static void emit_rpl(const struct lower_view *v)
{
    static const uint16_t named[] = {F_ipv6_rpl_down, F_ipv6_rpl_rank, F_ipv6_rpl_forward};
    uint8_t flags = slice_at(v->header, 2);
    struct slice rank = slice_sub(v->header, 4, 2);
    uint32_t at = lower_open(v, F_ipv6_rpl_flags, 2, 1, flags);
    lower_note_flags(v->t, at, named, COUNT(named), flags);
    for (unsigned i = 0; i < COUNT(named); i++)
        lower_add(v, named[i], 2, 1, flags >> (7 - i) & 1);
    lower_add(v, F_ipv6_rpl_reserved, 2, 1, flags & 31);
    tape_close(v->t, at);
    lower_add(v, F_ipv6_rpl_instance, 3, 1, slice_at(v->header, 3));
    lower_add(v, F_ipv6_rpl_sender_rank, 4, 2, slice_u16(&rank));
}

static void emit_jumbo(const struct lower_view *v)
{
    struct slice s = slice_sub(v->header, 2, 4);
    lower_add(v, F_ipv6_opt_jumbo, 2, 4, slice_u32(&s));
    if (of_header(v, 4, 2) != 0)
        tape_expert(v->t, EXPERT_ipv6_jumbo_prohibited, v->source, v->offset + 2, 0, 0);
}

/* ---- all ---------------------------------------------------------------------------------------------- */

enum place { ANYWHERE, HOP_BY_HOP, DESTINATION };

struct option_row {
    uint8_t type;
    uint8_t place;       /* enum place: the header that it belongs in */
    uint8_t least, most; /* bytes of its data */
    uint16_t field;      /* of all its data, when `emit` is NULL */
    uint16_t elsewhere;  /* remark where it stands in another header */
    void (*emit)(const struct lower_view *v);
};

static const struct option_row rows[] = {
    {TUNNEL_LIMIT, DESTINATION, 1, 1, F_ipv6_opt_tel, EXPERT_ipv6_place_tel, NULL},
    {ROUTER_ALERT, HOP_BY_HOP, 2, 2, F_ipv6_opt_router_alert, EXPERT_ipv6_place_router_alert, NULL},
    {CALIPSO, HOP_BY_HOP, 8, 252, 0, EXPERT_ipv6_place_calipso, emit_calipso},
    {METRICS, DESTINATION, 10, 10, 0, EXPERT_ipv6_place_pdm, emit_metrics},
    {QUICK_START, HOP_BY_HOP, 6, 6, 0, EXPERT_ipv6_place_qs, emit_quick_start},
    {PATH_MTU, HOP_BY_HOP, 4, 4, 0, EXPERT_ipv6_place_pmtu, emit_path_mtu},
    {RPL, HOP_BY_HOP, 4, 4, 0, EXPERT_ipv6_place_rpl, emit_rpl},
    {NONCE, DESTINATION, 1, 255, F_ipv6_ilnp_nonce, EXPERT_ipv6_place_ilnp, NULL},
    {JUMBO, HOP_BY_HOP, 4, 4, 0, EXPERT_ipv6_place_jumbo, emit_jumbo},
    {HOME_ADDRESS, DESTINATION, 16, 16, F_ipv6_opt_home_address, EXPERT_ipv6_place_home, NULL},
};

static const struct option_row *row_of(uint8_t type)
{
    for (size_t i = 0; i < COUNT(rows); i++)
        if (rows[i].type == type)
            return &rows[i];
    return NULL;
}

static bool is_experiment(uint8_t type)
{
    return (type & 0x1f) == 0x1e;
}

static void emit_value(const struct lower_view *v, uint8_t type, uint32_t length,
                       const struct option_row *row)
{
    struct slice s = slice_sub(v->header, 2, length);
    if (row && length >= row->least && length <= row->most) {
        if (row->emit)
            row->emit(v);
        else
            lower_add(v, row->field, 2, length, length <= 2 ? slice_uint(&s, length) : 0);
        return;
    }
    enum field_id field = type == PAD_MANY      ? F_ipv6_opt_padn
                          : is_experiment(type) ? F_ipv6_opt_experimental
                                                : F_ipv6_opt_unknown;
    uint32_t item = lower_open(v, field, 2, length, 0);
    if (field == F_ipv6_opt_padn && length == 0)
        tape_set_label(v->t, item, LABEL_IP6_PADN);
    if (field == F_ipv6_opt_unknown)
        tape_expert(v->t, EXPERT_ipv6_unknown_data, v->source, v->offset + 2, 0, 0);
    tape_close(v->t, item);
}

static void emit_option(const struct lower_view *v, uint8_t type, uint32_t length)
{
    const struct option_row *row = row_of(type);
    enum place place = v->layer->type == NEXT_HOP_BY_HOP ? HOP_BY_HOP : DESTINATION;
    uint32_t option = lower_open(v, F_ipv6_opt, 0, type == PAD_ONE ? 1 : length + 2, type);
    if (type == QUICK_START)
        tape_set_label(v->t, option, LABEL_IP6_QUICK_START);
    uint32_t kind = lower_open(v, F_ipv6_opt_type, 0, 1, type);
    if (type == PAD_ONE) {
        tape_close(v->t, kind);
        lower_add(v, F_ipv6_opt_pad1, 0, 1, 0);
        tape_close(v->t, option);
        return;
    }
    if (row && row->place != place)
        tape_expert(v->t, row->elsewhere, v->source, v->offset, 0, 0);
    lower_add(v, F_ipv6_opt_type_action, 0, 1, type >> 6);
    lower_add(v, F_ipv6_opt_type_change, 0, 1, type >> 5 & 1);
    lower_add(v, F_ipv6_opt_type_rest, 0, 1, type & 31);
    if (type == ENDPOINT)
        tape_expert(v->t, EXPERT_ipv6_option_deprecated, v->source, v->offset, 0, 0);
    tape_close(v->t, kind);
    lower_add(v, F_ipv6_opt_length, 1, 1, length);
    emit_value(v, type, length, row);
    tape_close(v->t, option);
}

void lower_emit_ipv6_options(const struct lower_view *v)
{
    struct slice list = slice_sub(v->header, 2, SIZE_MAX);
    for (uint32_t at = 2; list.len > 0;) {
        uint8_t type = slice_u8(&list);
        uint32_t length = type == PAD_ONE ? 0 : slice_u8(&list);
        if (list.failed || !slice_skip(&list, length))
            return;
        struct lower_view own = *v;
        own.offset += at;
        own.header = slice_sub(v->header, at, length + 2);
        emit_option(&own, type, length);
        at += type == PAD_ONE ? 1 : length + 2;
    }
}
