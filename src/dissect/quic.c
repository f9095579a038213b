/* The transport parameters of QUIC (RFC 9000 18), which ride in an extension of TLS. */
#include "dissect/walk.h"

#define GREASE_STEP  31 /* RFC 9000 18.1 */
#define GREASE_FIRST 27
#define OLD_LEAST    6 /* the old form is not looked for in less */

enum parameter_kind { NUMBER, BYTES, MARK, ADDRESS, VERSIONS, GOOGLE_VERSIONS, PAIR };

/* What a parameter's value is; SUFFIX, where there is one, ends the heading after the number. */
static const struct {
    uint64_t type;
    uint16_t field;
    uint8_t kind;
    uint8_t size; /* of bytes that have just one size */
    const char *suffix;
} parameters[] = {
    {0x00, F_tls_quic_parameter_original_destination_connection_id, BYTES, 0, NULL},
    {0x01, F_tls_quic_parameter_max_idle_timeout, NUMBER, 0, " ms"},
    {0x02, F_tls_quic_parameter_stateless_reset_token, BYTES, 16, NULL},
    {0x03, F_tls_quic_parameter_max_udp_payload_size, NUMBER, 0, ""},
    {0x04, F_tls_quic_parameter_initial_max_data, NUMBER, 0, ""},
    {0x05, F_tls_quic_parameter_initial_max_stream_data_bidi_local, NUMBER, 0, ""},
    {0x06, F_tls_quic_parameter_initial_max_stream_data_bidi_remote, NUMBER, 0, ""},
    {0x07, F_tls_quic_parameter_initial_max_stream_data_uni, NUMBER, 0, ""},
    {0x08, F_tls_quic_parameter_initial_max_streams_bidi, NUMBER, 0, ""},
    {0x09, F_tls_quic_parameter_initial_max_streams_uni, NUMBER, 0, ""},
    {0x0a, F_tls_quic_parameter_ack_delay_exponent, NUMBER, 0, NULL},
    {0x0b, F_tls_quic_parameter_max_ack_delay, NUMBER, 0, ""},
    {0x0d, F_NONE, ADDRESS, 0, NULL},
    {0x0e, F_tls_quic_parameter_active_connection_id_limit, NUMBER, 0, ""},
    {0x0f, F_tls_quic_parameter_initial_source_connection_id, BYTES, 0, NULL},
    {0x10, F_tls_quic_parameter_retry_source_connection_id, BYTES, 0, NULL},
    {0x11, F_NONE, VERSIONS, 0, NULL},
    {0x20, F_tls_quic_parameter_max_datagram_frame_size, NUMBER, 0, ""},
    {0x1000, F_NONE, PAIR, 0, NULL},
    {0x1057, F_tls_quic_parameter_loss_bits, NUMBER, 0, NULL},
    {0x3127, F_tls_quic_parameter_google_initial_rtt, NUMBER, 0, " us"},
    {0x3128, F_tls_quic_parameter_google_connection_options, BYTES, 0, NULL},
    {0x3129, F_tls_quic_parameter_google_user_agent, BYTES, 0, NULL},
    {0x312a, F_tls_quic_parameter_google_support_handshake_done, MARK, 0, NULL},
    {0x312b, F_tls_quic_parameter_google_key_update_not_yet_supported, MARK, 0, NULL},
    {0x4751, F_tls_quic_parameter_google_quic_params, BYTES, 0, NULL},
    {0x4752, F_NONE, GOOGLE_VERSIONS, 0, NULL},
    {0x7157, F_NONE, MARK, 0, NULL},
    {0x7158, F_tls_quic_parameter_enable_time_stamp_v2, NUMBER, 0, NULL},
    {0xde1a, F_tls_quic_parameter_min_ack_delay, NUMBER, 0, ""},
    {0xff00, F_tls_quic_parameter_facebook_partial_reliability, NUMBER, 0, NULL},
    {0xff03de1a, F_tls_quic_parameter_min_ack_delay, NUMBER, 0, ""},
};

struct parameter {
    struct walk *w;
    uint32_t item;
    size_t row; /* in parameters */
};

/* A number whose first two bits tell its size (RFC 9000 16). */
static uint64_t varint(struct walk *w, enum field_id field, uint32_t *event)
{
    struct slice s = slice_sub(w->bytes, w->at, w->end - w->at);
    uint32_t size = 1u << (slice_at(s, 0) >> 6);
    uint64_t value = slice_uint(&s, size) & (((uint64_t)1 << (8 * size - 2)) - 1);
    if (s.failed) {
        w->failed = true;
        return 0;
    }
    *event = tape_add(w->tape, field, w->source, w->at, size, value, 0);
    w->at += size;
    return value;
}

/* Text after the heading, which its label shows as a note. */
static void suffix(struct parameter *p, uint64_t number, const char *text)
{
    struct tape *t = p->w->tape;
    if (p->item == TAPE_NONE)
        return;
    size_t start = t->text.len;
    buf_char(&t->text, ' ');
    buf_dec(&t->text, number);
    buf_str(&t->text, text);
    t->events[p->item].value = (uint64_t)(t->text.len - start) << 32 | (uint32_t)start;
}

static void number(struct parameter *p)
{
    uint32_t event;
    uint64_t value = varint(p->w, parameters[p->row].field, &event);
    if (!p->w->failed && parameters[p->row].suffix)
        suffix(p, value, parameters[p->row].suffix);
}

static void bytes(struct parameter *p)
{
    struct walk *w = p->w;
    uint32_t left = w->end - w->at, size = parameters[p->row].size ? parameters[p->row].size : left;
    if (size > left) {
        w->failed = true;
        return;
    }
    tape_add(w->tape, parameters[p->row].field, w->source, w->at, size, 0, 0);
    w->at += size;
}

static void mark(struct parameter *p)
{
    if (parameters[p->row].field != F_NONE)
        tape_add(p->w->tape, parameters[p->row].field, p->w->source, p->w->at, 0, 0, 0);
}

static void address(struct parameter *p)
{
    walk_block(p->w, BLOCK_quic_preferred_address);
}

static void versions(struct parameter *p)
{
    walk_block(p->w, BLOCK_quic_versions);
}

static void google_versions(struct parameter *p)
{
    walk_block(p->w, BLOCK_quic_google_versions);
}

/* Two numbers, which the heading repeats. */
static void pair(struct parameter *p)
{
    struct tape *t = p->w->tape;
    uint32_t event;
    uint64_t length = varint(p->w, F_tls_quic_parameter_cibir_encoding_length, &event);
    uint64_t offset =
        p->w->failed ? 0 : varint(p->w, F_tls_quic_parameter_cibir_encoding_offset, &event);
    if (p->w->failed || p->item == TAPE_NONE)
        return;
    size_t start = t->text.len;
    buf_str(&t->text, " Length: ");
    buf_dec(&t->text, length);
    buf_str(&t->text, ", Offset: ");
    buf_dec(&t->text, offset);
    t->events[p->item].value = (uint64_t)(t->text.len - start) << 32 | (uint32_t)start;
}

static void value(struct parameter *p, uint64_t type)
{
    static void (*const kinds[])(struct parameter *) = {
        [NUMBER] = number,     [BYTES] = bytes, [MARK] = mark,
        [ADDRESS] = address,   [PAIR] = pair,   [GOOGLE_VERSIONS] = google_versions,
        [VERSIONS] = versions,
    };
    struct walk *w = p->w;
    tape_add(w->tape, F_tls_quic_parameter_value, w->source, w->at, w->end - w->at, 0, 0);
    for (size_t i = 0; i < sizeof parameters / sizeof parameters[0]; i++) {
        if (parameters[i].type != type)
            continue;
        p->row = i;
        kinds[parameters[i].kind](p);
        walk_trailing(w);
        break;
    }
    w->at = w->end;
}

/* One parameter.  Drafts up to 26 wrote type and length as two bytes each. */
static void parameter(struct walk *w, bool old)
{
    uint32_t start = w->at, end = w->end, kind = TAPE_NONE, event;
    uint64_t type = 0, length = 0;
    struct parameter p = {.w = w};
    p.item = tape_open(w->tape, F_tls_quic_parameter, w->source, start, 0, 0, 0);
    if (old) {
        kind = walk_number(w, F_tls_quic_parameter_type, 2, &type);
        walk_number(w, F_tls_quic_parameter_lengt_old, 2, &length);
    } else {
        type = varint(w, F_tls_quic_parameter_type, &kind);
        length = w->failed ? 0 : varint(w, F_tls_quic_parameter_length, &event);
    }
    if (type > GREASE_FIRST && (type - GREASE_FIRST) % GREASE_STEP == 0) {
        tape_set_label(w->tape, p.item, LABEL_TLS_QUIC_GREASE);
        tape_set_label(w->tape, kind, LABEL_TLS_QUIC_TYPE_GREASE);
    }
    if (!w->failed && length <= end - w->at) {
        w->end = w->at + (uint32_t)length;
        tape_set_length(w->tape, p.item, w->end - start);
        value(&p, type);
    } else {
        tape_set_length(w->tape, p.item, w->failed ? 0 : w->end - start);
        w->failed = true;
    }
    w->end = end;
    tape_close(w->tape, p.item);
}

void quic_parameters(struct walk *w)
{
    struct slice s = slice_sub(w->bytes, w->at, w->end - w->at);
    size_t left = s.len;
    bool old = left >= OLD_LEAST && slice_u16(&s) == left - 2;
    w->failed |= left == 1;
    if (old)
        walk_number(w, F_tls_quic_len, 2, NULL);
    while (w->at < w->end && !w->failed)
        parameter(w, old);
}
