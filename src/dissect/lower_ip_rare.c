/* Options of IPv4 that few packets carry: security labels (RFC 1108, CIPSO), Quick-Start (RFC 4782), traceroute
 * (RFC 1393), directed broadcast (RFC 1770).  Each view's header is the option, its type the first byte. */
#include "dissect/lower_private.h"

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])

/* ---- security ---------------------------------------------------------------------------------------- */

/* Names the flags of VALUE that are set, for a label's note. */
void lower_note_flags(struct tape *t, uint32_t at, const uint16_t *rows, size_t count,
                      uint8_t value)
{
    if (at == TAPE_NONE)
        return;
    tape_set_extra(t, at, (uint32_t)t->text.len + 1);
    for (size_t i = 0; i < count; i++) {
        if (value & fields[rows[i]].mask) {
            buf_str(&t->text, ", ");
            buf_str(&t->text, fields[rows[i]].label);
        }
    }
    buf_put(&t->text, "", 1);
}

/* The authorities, as many bytes as say that another follows. */
void lower_emit_security(const struct lower_view *v)
{
    static const uint16_t named[] = {F_ip_opt_sec_genser, F_ip_opt_sec_siop, F_ip_opt_sec_sci,
                                     F_ip_opt_sec_nsa, F_ip_opt_sec_doe};
    static const uint16_t last[] = {F_ip_opt_sec_fti};
    enum { MORE = 1 };
    uint32_t size = (uint32_t)v->header.len, i = 3;
    bool more = size > 3;
    lower_add(v, F_ip_opt_sec_cl, 2, 1, slice_at(v->header, 2));
    for (; more && i < size; i++) {
        uint8_t flags = slice_at(v->header, i);
        uint32_t at = lower_open(v, F_ip_opt_sec_flags, i, 1, flags);
        const uint16_t all[] = {named[0], named[1], named[2], named[3], named[4], last[0]};
        lower_note_flags(v->t, at, i == 3 ? all : last, i == 3 ? COUNT(all) : 1, flags);
        for (unsigned n = 0; n < COUNT(named) && i == 3; n++)
            lower_add(v, named[n], i, 1, flags >> (7 - n) & 1);
        if (i == 3)
            lower_add(v, F_ip_opt_sec_unassigned, i, 1, flags >> 1 & 3);
        else
            lower_add(v, F_ip_opt_sec_unassigned_more, i, 1, flags >> 1);
        more = flags & MORE;
        lower_add(v, F_ip_opt_sec_fti, i, 1, more);
        tape_close(v->t, at);
    }
    if (more)
        tape_expert(v->t, EXPERT_ip_security_fti, v->source, v->offset, 0, 0);
    else if (i < size)
        tape_expert(v->t, EXPERT_ip_security_rest, v->source, v->offset, 0, 0);
}

void lower_emit_extended_security(const struct lower_view *v)
{
    lower_add(v, F_ip_opt_ext_format, 2, 1, slice_at(v->header, 2));
    if (v->header.len > 3)
        lower_add(v, F_ip_opt_ext_info, 3, (uint32_t)v->header.len - 3, 0);
}

/* ---- CIPSO ------------------------------------------------------------------------------------------- */

enum { TAG_PADDING, TAG_BITMAP, TAG_LIST, TAG_RANGES = 5, TAG_PERMISSIVE, TAG_FREE };

static void put_number(struct buf *out, size_t start, char separator, uint32_t number)
{
    if (out->len > start)
        buf_char(out, separator);
    buf_dec(out, number);
}

/* The categories that BODY names, in the form of TYPE. */
static void put_categories(struct buf *out, uint8_t type, struct slice body)
{
    size_t start = out->len;
    for (uint32_t bit = 0; type == TAG_BITMAP && bit < body.len * 8; bit++)
        if (slice_at(body, bit / 8) & 0x80u >> bit % 8)
            put_number(out, start, ',', bit);
    while (type == TAG_LIST && body.len >= 2)
        put_number(out, start, ',', slice_u16(&body));
    while (type == TAG_RANGES && body.len >= 2) {
        put_number(out, start, ',', slice_u16(&body));
        /* The lower end of the last range is zero when it is left out. */
        buf_char(out, '-');
        buf_dec(out, body.len >= 2 ? slice_u16(&body) : 0);
    }
}

static void emit_tag(const struct lower_view *v, uint32_t at, uint8_t type, uint32_t size,
                     bool fits)
{
    struct tape *t = v->t;
    bool labelled = type == TAG_BITMAP || type == TAG_LIST || type == TAG_RANGES;
    uint32_t item = lower_open(v, F_ip_cipso_tag_type, at, 1, type);
    bool wrong = labelled && (!fits || size < 4 || (type != TAG_BITMAP && size % 2 != 0));
    if (wrong)
        tape_expert(t, EXPERT_ip_cipso_malformed, v->source, v->offset + at, 0, 0);
    if (!labelled && type != TAG_PERMISSIVE && type != TAG_FREE) {
        tape_set_label(t, item, LABEL_IP_CIPSO_UNKNOWN);
        tape_set_extra(t, item, slice_at(v->header, at + 1));
    }
    tape_close(t, item);
    if (!labelled && size > 2 && (type == TAG_PERMISSIVE || type == TAG_FREE))
        lower_add(v, F_ip_cipso_data, at + 2, size - 2, 0);
    if (!labelled || wrong)
        return;
    lower_add(v, F_ip_cipso_level, at + 3, 1, slice_at(v->header, at + 3));
    if (size == 4)
        return;
    uint32_t list = lower_add(v, F_ip_cipso_categories, at + 4, size - 4, 0);
    if (list != TAPE_NONE) {
        size_t start = t->text.len;
        put_categories(&t->text, type, slice_sub(v->header, at + 4, size - 4));
        lower_text_from(t, list, start);
    }
}

void lower_emit_cipso(const struct lower_view *v)
{
    struct slice doi = slice_sub(v->header, 2, 4);
    lower_add(v, F_ip_cipso_doi, 2, 4, slice_u32(&doi));
    for (uint32_t at = 6; at < v->header.len;) {
        uint32_t left = (uint32_t)v->header.len - at;
        uint8_t type = slice_at(v->header, at), size = slice_at(v->header, at + 1);
        if (type == TAG_PADDING) {
            lower_add(v, F_ip_cipso_tag_type, at++, 1, type);
            continue;
        }
        bool fits = left >= 2 && size >= 2 && size <= left;
        emit_tag(v, at, type, fits ? size : left, fits);
        at += fits ? size : left;
    }
}

/* ---- others ------------------------------------------------------------------------------------------- */

void lower_emit_traceroute(const struct lower_view *v)
{
    static const struct header_row rows[] = {{F_ip_opt_id_number, 2, 2, false},
                                             {F_ip_opt_ohc, 4, 2, false},
                                             {F_ip_opt_rhc, 6, 2, false},
                                             {F_ip_opt_originator, 8, 4, false}};
    lower_emit_rows(v, rows, COUNT(rows));
}

void lower_emit_broadcast(const struct lower_view *v)
{
    uint32_t size = (uint32_t)v->header.len, at = 2;
    for (; at + 4 <= size; at += 4)
        lower_add(v, F_ip_opt_addr, at, 4, 0);
    if (at < size)
        lower_add(v, F_ip_opt_padding, at, size - at, 0);
}

void lower_emit_quick_start(const struct lower_view *v, const struct quick_start_ids *ids,
                            uint8_t hops)
{
    enum { REQUEST = 0, REPORT = 8 };
    uint8_t first = slice_at(v->header, 2), ttl = slice_at(v->header, 3);
    struct slice tail = slice_sub(v->header, 4, 4);
    uint32_t nonce = slice_u32(&tail);
    lower_add(v, ids->function, 2, 1, first >> 4);
    if (first >> 4 != REQUEST && first >> 4 != REPORT)
        return;
    lower_add(v, ids->rate, 2, 1, first & 15);
    if (first >> 4 == REQUEST) {
        lower_add(v, ids->ttl, 3, 1, ttl);
        tape_add(v->t, ids->difference, v->source, v->offset + 3, 1, (hops - ttl) & 255,
                 EVENT_GENERATED);
    } else {
        lower_add(v, ids->unused, 3, 1, ttl);
    }
    lower_add(v, ids->nonce, 4, 4, nonce >> 2);
    lower_add(v, ids->reserved, 4, 4, nonce & 3);
}
