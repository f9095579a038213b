/* The options of IPv4 (RFC 791 3.1) on the tape. */
#include "dissect/lower_private.h"

enum {
    OPTION_END = 0,
    OPTION_NOP = 1,
    OPTION_RECORD_ROUTE = 7,
    OPTION_MTU_PROBE = 11,
    OPTION_MTU_REPLY = 12,
    OPTION_QUICK_START = 25,
    OPTION_TIME_STAMP = 68,
    OPTION_TRACEROUTE = 82,
    OPTION_SECURITY = 130,
    OPTION_LOOSE_ROUTE = 131,
    OPTION_EXTENDED_SECURITY = 133,
    OPTION_CIPSO = 134,
    OPTION_STREAM = 136,
    OPTION_STRICT_ROUTE = 137,
    OPTION_ROUTER_ALERT = 148,
    OPTION_BROADCAST = 149,
};

#define NOPS_IN_A_ROW 4

/* One option: its bytes, and where it begins in the header. */
struct option {
    const struct lower_view *v;
    struct slice bytes;
    uint32_t at;
    uint8_t type;
};

struct option_row {
    uint8_t type;
    uint8_t least, most; /* bytes, kind and length included */
    uint16_t field;
    const char *name; /* as the heading lists it; NULL: it does not */
    void (*emit)(const struct option *o);
};

/* ---- routes
 * --------------------------------------------------------------------------------------- */

static bool is_route(uint8_t type)
{
    return type == OPTION_LOOSE_ROUTE || type == OPTION_STRICT_ROUTE;
}

size_t lower_ip_route(struct slice options)
{
    size_t at = 0;
    while (at < options.len) {
        uint8_t type = slice_at(options, at), length = slice_at(options, at + 1);
        if (type == OPTION_END)
            break;
        if (type == OPTION_NOP) {
            at++;
            continue;
        }
        if (length < 2 || at + length > options.len)
            break;
        /* While the pointer is inside, the packet has stops to go. */
        if (is_route(type) && length >= 7 && slice_at(options, at + 2) >= 4 &&
            slice_at(options, at + 2) <= length - 3)
            return at + 3 + (size_t)(length - 7) / 4 * 4;
        at += length;
    }
    return 0;
}

static const struct address_ids recorded = {F_ip_rec_rt, 0, F_ip_rec_rt_host, 0};
static const struct address_ids empty = {F_ip_empty_rt, 0, F_ip_empty_rt_host, 0};
static const struct address_ids source = {F_ip_src_rt, 0, F_ip_src_rt_host, 0};

/* Addresses from the fourth byte on; the pointer, from 1, is where the next one goes or comes from. */
static void emit_route(const struct option *o)
{
    const struct lower_view *v = o->v;
    uint8_t pointer = slice_at(o->bytes, 2);
    uint32_t field = lower_open(v, F_ip_opt_ptr, o->at + 2, 1, pointer);
    if (pointer < 4)
        tape_expert(v->t, EXPERT_ip_pointer_before, v->source, v->offset + o->at + 2, 0, 0);
    else if (pointer & 3)
        tape_expert(v->t, EXPERT_ip_pointer_middle, v->source, v->offset + o->at + 2, 0, 0);
    tape_close(v->t, field);
    bool routing = is_route(o->type), over = pointer > o->bytes.len;
    for (uint32_t i = 3; i + 4 <= o->bytes.len; i += 4) {
        bool next = pointer == i + 1, passed = i + 1 < pointer;
        bool last = i + 8 > o->bytes.len;
        const struct address_ids *ids = passed          ? &recorded
                                        : !routing      ? &empty
                                        : last && !over ? &lower_ip_destination
                                                        : &source;
        uint32_t at = v->t->count;
        lower_emit_address(v, o->at + i, 4, ids);
        if (next && ids != &lower_ip_destination && at < v->t->count)
            tape_set_label(v->t, at, LABEL_IP_ROUTE_NEXT);
    }
}

static void emit_time_stamps(const struct option *o)
{
    enum { WITH_ADDRESS = 1, PRESPECIFIED = 3 };
    const struct lower_view *v = o->v;
    uint8_t flags = slice_at(o->bytes, 3);
    lower_add(v, F_ip_opt_ptr, o->at + 2, 1, slice_at(o->bytes, 2));
    lower_add(v, F_ip_opt_overflow, o->at + 3, 1, flags >> 4);
    lower_add(v, F_ip_opt_flag, o->at + 3, 1, flags & 15u);
    bool addresses = (flags & 15) == WITH_ADDRESS || (flags & 15) == PRESPECIFIED;
    for (uint32_t i = 4; i + (addresses ? 8 : 4) <= o->bytes.len; i += 4) {
        if (addresses) {
            lower_add(v, F_ip_opt_time_stamp_addr, o->at + i, 4, 0);
            i += 4;
        }
        struct slice stamp = slice_sub(o->bytes, i, 4);
        lower_add(v, F_ip_opt_time_stamp, o->at + i, 4, slice_u32(&stamp));
    }
}

/* ---- others
 * --------------------------------------------------------------------------------------- */

static void emit_number(const struct option *o, enum field_id field)
{
    struct slice value = slice_sub(o->bytes, 2, 2);
    lower_add(o->v, field, o->at + 2, 2, slice_u16(&value));
}

static void emit_alert(const struct option *o)
{
    emit_number(o, F_ip_opt_ra);
}

static void emit_stream(const struct option *o)
{
    emit_number(o, F_ip_opt_sid);
}

static void emit_mtu(const struct option *o)
{
    emit_number(o, F_ip_opt_mtu);
}

/* The option alone, as its view. */
static struct lower_view view_of(const struct option *o)
{
    struct lower_view own = *o->v;
    own.header = o->bytes;
    own.offset += o->at;
    return own;
}

/* RFC 791 has one length and a few levels; the rest is RFC 1108's. */
static void emit_security(const struct option *o)
{
    struct slice value = slice_sub(o->bytes, 2, SIZE_MAX);
    uint16_t level = slice_u16(&value);
    if (o->bytes.len != 11 || !registry_compat(REG_IP_SECURITY_LEVELS, level)) {
        const struct lower_view own = view_of(o);
        lower_emit_security(&own);
        return;
    }
    lower_add(o->v, F_ip_opt_sec, o->at + 2, 2, level);
    lower_add(o->v, F_ip_opt_sec_compartments, o->at + 4, 2, slice_u16(&value));
    lower_add(o->v, F_ip_opt_sec_handling, o->at + 6, 2, 0);
    lower_add(o->v, F_ip_opt_sec_tcc, o->at + 8, 3, 0);
}

static void emit_rare(const struct option *o)
{
    static const struct quick_start_ids ids = {
        F_ip_opt_qs_func,   F_ip_opt_qs_rate,  F_ip_opt_qs_ttl,     F_ip_opt_qs_ttl_diff,
        F_ip_opt_qs_unused, F_ip_opt_qs_nonce, F_ip_opt_qs_reserved};
    const struct lower_view own = view_of(o);
    if (o->type == OPTION_QUICK_START)
        lower_emit_quick_start(&own, &ids, slice_at(o->v->header, 8));
    else if (o->type == OPTION_TRACEROUTE)
        lower_emit_traceroute(&own);
    else if (o->type == OPTION_EXTENDED_SECURITY)
        lower_emit_extended_security(&own);
    else if (o->type == OPTION_CIPSO)
        lower_emit_cipso(&own);
    else
        lower_emit_broadcast(&own);
}

static const struct option_row rows[] = {
    {OPTION_END, 1, 1, F_ip_options_eol, NULL, NULL},
    {OPTION_NOP, 1, 1, F_ip_options_nop, NULL, NULL},
    {OPTION_RECORD_ROUTE, 3, 255, F_ip_options_record_route, "Record Route", emit_route},
    {OPTION_MTU_PROBE, 4, 4, F_ip_options_mtu_probe, "MTU Probe", emit_mtu},
    {OPTION_MTU_REPLY, 4, 4, F_ip_options_mtu_reply, "MTU Reply", emit_mtu},
    {OPTION_QUICK_START, 8, 8, F_ip_options_qs, "Quick-Start", emit_rare},
    {OPTION_TIME_STAMP, 4, 255, F_ip_options_timestamp, "Time Stamp", emit_time_stamps},
    {OPTION_TRACEROUTE, 12, 12, F_ip_options_traceroute, "Traceroute", emit_rare},
    {OPTION_SECURITY, 3, 255, F_ip_options_security, "Security", emit_security},
    {OPTION_LOOSE_ROUTE, 3, 255, F_ip_options_lsr, "Loose Source Route", emit_route},
    {OPTION_EXTENDED_SECURITY, 3, 255, F_ip_options_ext_security, "Extended Security", emit_rare},
    {OPTION_CIPSO, 6, 255, F_ip_options_cipso, "Commercial Security", emit_rare},
    {OPTION_STREAM, 4, 4, F_ip_options_stream, "Stream ID", emit_stream},
    {OPTION_STRICT_ROUTE, 3, 255, F_ip_options_ssr, "Strict Source Route", emit_route},
    {OPTION_ROUTER_ALERT, 4, 4, F_ip_options_routeralert, "Router Alert", emit_alert},
    {OPTION_BROADCAST, 6, 255, F_ip_options_sdb, "Selective Directed Broadcast", emit_rare},
};

static const struct option_row *row_of(uint8_t type)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].type == type)
            return &rows[i];
    return NULL;
}

static void emit_option(const struct option *o, const struct option_row *row)
{
    const struct lower_view *v = o->v;
    uint64_t type = o->type;
    uint32_t length = (uint32_t)o->bytes.len, at = lower_open(v, row->field, o->at, length, 0);
    uint32_t kind = lower_open(v, F_ip_opt_type, o->at, 1, type);
    lower_add(v, F_ip_opt_type_copy, o->at, 1, type >> 7);
    lower_add(v, F_ip_opt_type_class, o->at, 1, type >> 5 & 3);
    lower_add(v, F_ip_opt_type_number, o->at, 1, type & 31);
    tape_close(v->t, kind);
    if (o->type != OPTION_END && o->type != OPTION_NOP) {
        uint32_t field = lower_open(v, F_ip_opt_len, o->at + 1, 1, length);
        bool fits = length >= row->least && length <= row->most;
        if (!fits)
            tape_expert(v->t, EXPERT_ip_option_length, v->source, v->offset + o->at + 1, 0,
                        row->least);
        tape_close(v->t, field);
        if (fits && row->emit)
            row->emit(o);
    }
    tape_close(v->t, at);
}

/* An option that is not known, or does not end where it may: a heading that says so, with a remark
 * where it is wrong. */
static void emit_fault(const struct option *o, const struct option_row *row, uint8_t length,
                       uint32_t size)
{
    struct tape *t = o->v->t;
    size_t start = t->text.len;
    bool wrong = length < 2 || length > size;
    if (row && row->name) {
        buf_str(&t->text, row->name);
    } else {
        buf_str(&t->text, "Unknown (0x");
        buf_hex(&t->text, o->type, 2);
        buf_char(&t->text, ')');
    }
    buf_str(&t->text, !wrong       ? " ("
                      : length < 2 ? " (with too-short option length = "
                                   : " (option length = ");
    buf_dec(&t->text, length);
    buf_str(&t->text, length == 1 ? " byte" : " bytes");
    buf_str(&t->text, wrong && length >= 2 ? " says option goes past end of options)" : ")");
    uint64_t note = lower_note_from(t, start);
    uint32_t at = lower_open(o->v, F_ip_option_fault, o->at, wrong ? 2 : length, note);
    uint32_t first = t->count;
    if (wrong)
        tape_expert(t, EXPERT_ip_option_fault, o->v->source, o->v->offset + o->at, 0, 0);
    for (uint32_t i = first; i < t->count; i++) {
        struct event *e = &t->events[i];
        if (e->field == F__ws_expert || e->field == F_expert_ip_option_fault) {
            e->value = note;
            e->label = e->field == F__ws_expert ? LABEL_IP_FAULT_EXPERT : LABEL_TCP_FAULT;
        }
        if (e->field == F__ws_expert_message)
            e->value = note;
    }
    tape_close(t, at);
}

void lower_emit_ipv4_options(const struct lower_view *v)
{
    struct tape *t = v->t;
    uint32_t size = v->layer->length - 20, nops = 0;
    struct slice list = slice_sub(v->header, 20, size);
    uint32_t heading = lower_open(v, F_ip_options_heading, 20, size, 0);
    char text[256];
    struct buf names = {.data = (uint8_t *)text, .cap = sizeof text, .ceiling = sizeof text};
    for (uint32_t at = 20; list.len > 0;) {
        struct option o = {.v = v, .at = at, .type = slice_at(list, 0)};
        const struct option_row *row = row_of(o.type);
        bool single = o.type <= OPTION_NOP;
        uint8_t length = single ? 1 : slice_at(list, 1);
        nops = o.type == OPTION_NOP ? nops + 1 : 0;
        if (nops == NOPS_IN_A_ROW)
            tape_expert(t, EXPERT_ip_nop, v->source, v->offset + 20, 0, 0);
        if (!single && (!row || length < 2 || length > list.len)) {
            emit_fault(&o, row, length, (uint32_t)list.len);
            if (length < 2 || !slice_skip(&list, length))
                break;
            at += length;
            continue;
        }
        o.bytes = slice_take(&list, length);
        at += length;
        emit_option(&o, row);
        if (row->name) {
            buf_str(&names, ", ");
            buf_str(&names, row->name);
        }
        if (o.type == OPTION_END)
            break;
    }
    if (heading != TAPE_NONE) {
        t->events[heading].value = (uint64_t)names.len << 32 | (uint32_t)t->text.len;
        buf_slice_put(&t->text, buf_slice(&names));
    }
    tape_close(t, heading);
}
