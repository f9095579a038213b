/* Options of TCP that hardly anybody sends: those of Riverbed's devices, and Quick-Start (RFC 4782). */
#include "stream/tcp_emit_private.h"

enum { QUERY = 0, RESPONSE = 1, QUERY_INFO = 6, RESPONSE_INFO = 7, QUERY_INFO_STORE = 9 };

/* One bit of a field of flags. */
struct flag {
    uint16_t field;
    uint8_t bit;
};

/* Leaves the item open, for what follows to be in it. */
static uint32_t open_flags(const struct shown *o, enum field_id field, uint32_t size,
                           uint64_t value, const struct flag *bits, size_t count)
{
    uint32_t at =
        tape_open(o->t, field, o->source, o->offset + (size == 1 ? 3 : 2), size, value, 0);
    for (size_t i = 0; i < count; i++)
        tcp_option_add(o, bits[i].field, size == 1 ? 3 : 2, size, value >> bits[i].bit & 1);
    return at;
}

static void put_end(struct buf *out, struct slice address, unsigned port)
{
    buf_ipv4(out, address);
    buf_char(out, ':');
    buf_dec(out, port);
}

/* A probe of the first version: who looks, and who answers. */
static void probe_1(const struct shown *o, struct buf *note, uint8_t kind)
{
    struct slice value = o->option.value;
    tcp_option_add(o, F_tcp_options_rvbd_probe_type1, 2, 1, kind);
    tcp_option_add(o, F_tcp_options_rvbd_probe_version, 2, 1, slice_u8(&value) & 15);
    tcp_option_add(o, F_tcp_options_rvbd_probe_reserved, 3, 1, slice_u8(&value));
    struct slice prober = slice_take(&value, 4);
    if (kind > RESPONSE || prober.failed)
        return;
    tcp_option_add(o, F_tcp_options_rvbd_probe_prober, 4, 4, 0);
    if (kind == QUERY) {
        tcp_option_add(o, F_tcp_options_rvbd_probe_appli_ver, 8, 2, slice_u16(&value));
        buf_str(note, ": Probe Query, CSH IP: ");
        buf_ipv4(note, prober);
        return;
    }
    struct slice proxy = slice_take(&value, 4);
    uint16_t port = slice_u16(&value);
    if (value.failed)
        return;
    tcp_option_add(o, F_tcp_options_rvbd_probe_proxy_ip, 8, 4, 0);
    tcp_option_add(o, F_tcp_options_rvbd_probe_proxy_port, 12, 2, port);
    buf_str(note, ": Probe Response, Server Steelhead: ");
    put_end(note, proxy, port);
}

/* One of the second: what the device wants besides. */
static void probe_2(const struct shown *o, struct buf *note, uint8_t kind)
{
    static const struct flag query[] = {{F_tcp_options_rvbd_probe_flags_notcfe, 2},
                                        {F_tcp_options_rvbd_probe_flags_last, 0}};
    static const struct flag response[] = {{F_tcp_options_rvbd_probe_flags_probe, 4},
                                           {F_tcp_options_rvbd_probe_flags_ssl, 1},
                                           {F_tcp_options_rvbd_probe_flags_server, 0}};
    tcp_option_add(o, F_tcp_options_rvbd_probe_type2, 2, 1, kind);
    tcp_option_add(o, F_tcp_options_rvbd_probe_version_raw, 2, 1, 0);
    tape_add(o->t, F_tcp_options_rvbd_probe_version, o->source, o->offset + 2, 1, 2, EVENT_HIDDEN);
    if (o->have < 4)
        return;
    uint8_t value = slice_at(o->option.value, 1);
    if (kind == QUERY_INFO || kind == QUERY_INFO_STORE) {
        struct slice store = slice_sub(o->option.value, 2, 4);
        uint32_t at = open_flags(o, F_tcp_options_rvbd_probe_flags, 1, value, query, 2);
        buf_str(note, kind == QUERY_INFO ? ": Probe Query Info" : ": Probe Query Info Store ID");
        if (kind == QUERY_INFO_STORE)
            tcp_option_add(o, F_tcp_options_rvbd_probe_storeid, 4, 4, slice_u32(&store));
        tape_close(o->t, at);
    } else if (kind == RESPONSE_INFO) {
        tape_close(o->t, open_flags(o, F_tcp_options_rvbd_probe_flags, 1, value, response, 3));
        buf_str(note, ": Probe Response Info");
    }
}

/* The first byte tells the version: the second has its lowest bit clear. */
void tcp_emit_probe(const struct shown *o, uint32_t at)
{
    size_t start = o->t->text.len;
    uint8_t first = slice_at(o->option.value, 0);
    if (first & 15 & 1)
        probe_1(o, &o->t->text, first >> 4);
    else
        probe_2(o, &o->t->text, first >> 1);
    if (at != TAPE_NONE)
        tape_at(o->t, at)->value = tcp_note_since(o->t, start);
}

void tcp_emit_transparency(const struct shown *o, uint32_t at)
{
    static const struct flag bits[] = {
        {F_tcp_options_rvbd_trpy_flags_fw_rst_probe, 10},
        {F_tcp_options_rvbd_trpy_flags_fw_rst_inner, 9},
        {F_tcp_options_rvbd_trpy_flags_fw_rst, 8},
        {F_tcp_options_rvbd_trpy_flags_chksum, 2},
        {F_tcp_options_rvbd_trpy_flags_oob, 1},
        {F_tcp_options_rvbd_trpy_flags_mode, 0},
    };
    struct slice value = o->option.value;
    uint16_t word = slice_u16(&value);
    tape_close(o->t, open_flags(o, F_tcp_options_rvbd_trpy_flags, 2, word, bits,
                                sizeof bits / sizeof bits[0]));
    struct slice from = slice_take(&value, 4), to = slice_take(&value, 4);
    uint16_t from_port = slice_u16(&value), to_port = slice_u16(&value);
    tcp_option_add(o, F_tcp_options_rvbd_trpy_src_ip, 4, 4, 0);
    tcp_option_add(o, F_tcp_options_rvbd_trpy_dst_ip, 8, 4, 0);
    tcp_option_add(o, F_tcp_options_rvbd_trpy_src_port, 12, 2, from_port);
    tcp_option_add(o, F_tcp_options_rvbd_trpy_dst_port, 14, 2, to_port);
    if (at == TAPE_NONE || value.failed)
        return;
    size_t start = o->t->text.len;
    buf_char(&o->t->text, ' ');
    put_end(&o->t->text, from, from_port);
    buf_str(&o->t->text, " -> ");
    put_end(&o->t->text, to, to_port);
    tape_at(o->t, at)->value = tcp_note_since(o->t, start);
}

void tcp_emit_quick_start(const struct shown *o, uint32_t at)
{
    (void)at;
    tcp_option_add(o, F_tcp_options_qs_rate, 2, 1, slice_at(o->option.value, 0) & 15);
    tcp_option_add(o, F_tcp_options_qs_ttl_diff, 3, 1, slice_at(o->option.value, 1));
}
