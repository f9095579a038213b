#include "stream/http_summary.h"

#include <stdlib.h>

void http_summary_want(uint8_t *want)
{
    static const uint16_t wanted[] = {
        F_tlswire_http,
        F_tlswire_http_stream,
        F_tlswire_http_request_method,
        F_tlswire_http_request_authority,
        F_tlswire_http_request_uri,
        F_tlswire_http_response_code,
        F_tlswire_http_content_type,
        F_tlswire_http_body,
        F_tlswire_http_end,
    };
    want_fields(want, wanted, sizeof wanted / sizeof wanted[0]);
}

void http_summary_free(struct http_summary *s)
{
    if (s)
        buf_free(&s->texts);
    free(s);
}

/* ---- what is kept ---- */

static const struct event *child(const struct tape *t, uint32_t item, enum field_id field)
{
    uint32_t at = tape_find(t, item, field);
    return at == TAPE_NONE ? NULL : &t->events[at];
}

static struct summary_text keep(struct http_summary *s, struct slice text)
{
    struct summary_text kept = {.at = (uint16_t)s->texts.len};
    struct slice part = slice_sub(text, 0, SUMMARY_TEXTS - s->texts.len);
    part = slice_sub(part, 0, 256);
    buf_slice_put(&s->texts, part);
    kept.len = (uint16_t)(s->texts.len - kept.at);
    return kept;
}

static struct summary_text keep_child(struct http_summary *s, const struct tape *t, uint32_t item,
                                      enum field_id field)
{
    const struct event *e = child(t, item, field);
    return e ? keep(s, event_bytes(t, e)) : (struct summary_text){0};
}

static struct http_exchange *find(struct http_summary *s, uint32_t stream)
{
    for (unsigned i = s->count; i > 0; i--)
        if (s->exchanges[i - 1].stream == stream)
            return &s->exchanges[i - 1];
    return NULL;
}

static struct http_exchange *exchange_of(struct http_summary *s, uint32_t stream)
{
    struct http_exchange *x = find(s, stream);
    if (x || s->count == SUMMARY_EXCHANGES || s->texts.len == SUMMARY_TEXTS)
        return x;
    x = &s->exchanges[s->count++];
    *x = (struct http_exchange){.stream = stream};
    return x;
}

static void request(struct http_summary *s, const struct tape *t, uint32_t item, uint32_t stream)
{
    s->requests++;
    struct http_exchange *x = exchange_of(s, stream);
    if (!x || x->method.len > 0)
        return;
    x->method = keep_child(s, t, item, F_tlswire_http_request_method);
    x->target = keep_child(s, t, item, F_tlswire_http_request_uri);
    if (x->target.len == 0)
        x->target = keep_child(s, t, item, F_tlswire_http_request_authority);
}

static void response(struct http_summary *s, const struct tape *t, uint32_t item, uint32_t stream,
                     uint16_t code)
{
    if (code < 200 && code != 101)
        return; /* the proper one follows */
    s->responses++;
    struct http_exchange *x = exchange_of(s, stream);
    if (!x || x->code)
        return;
    x->code = code;
    x->type = keep_child(s, t, item, F_tlswire_http_content_type);
}

/* Content after the answer's head is the answer's: a request is complete before that, as a rule. */
static void content(struct http_summary *s, const struct tape *t, uint32_t item, uint32_t stream)
{
    const struct event *body = child(t, item, F_tlswire_http_body);
    const struct event *end = child(t, item, F_tlswire_http_end);
    struct http_exchange *x = find(s, stream);
    if (!x || !x->code)
        return;
    x->body += body ? body->value : 0;
    x->end |= end != NULL;
}

void http_summary_add(struct http_summary **kept, const struct tape *t, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++) {
        if (t->events[i].field != F_tlswire_http)
            continue;
        const struct event *stream = child(t, i, F_tlswire_http_stream);
        const struct event *method = child(t, i, F_tlswire_http_request_method);
        const struct event *code = child(t, i, F_tlswire_http_response_code);
        if (!*kept && (method || code)) {
            *kept = calloc(1, sizeof **kept);
            if (*kept)
                (*kept)->texts.ceiling = SUMMARY_TEXTS;
        }
        if (!*kept || !stream)
            continue;
        if (method)
            request(*kept, t, i, (uint32_t)stream->value);
        if (code)
            response(*kept, t, i, (uint32_t)stream->value, (uint16_t)code->value);
        content(*kept, t, i, (uint32_t)stream->value);
    }
}

/* ---- how it is written ---- */

void http_summary_escape(struct buf *out, struct slice text)
{
    while (text.len > 0) {
        uint8_t c = slice_u8(&text);
        if (c >= ' ' && c < 0x7f && c != '|') {
            buf_char(out, (char)c);
        } else {
            buf_str(out, "\\x");
            buf_hex(out, c, 2);
        }
    }
}

static void put(struct buf *out, const struct http_summary *s, struct summary_text text)
{
    http_summary_escape(out, slice_sub(buf_slice(&s->texts), text.at, text.len));
}

/* 5,120 */
static void put_grouped(struct buf *out, uint64_t number)
{
    if (number >= 1000) {
        put_grouped(out, number / 1000);
        buf_char(out, ',');
        buf_dec_pad(out, number % 1000, 3, '0');
    } else {
        buf_dec(out, number);
    }
}

void http_summary_write(struct buf *out, const struct http_summary *s, unsigned at, bool ascii)
{
    const struct http_exchange *x = &s->exchanges[at];
    if (x->method.len > 0) {
        put(out, s, x->method);
        buf_char(out, ' ');
        put(out, s, x->target);
    } else {
        buf_str(out, "(request not seen)");
    }
    buf_str(out, ascii ? " -> " : " \xe2\x86\x92 ");
    if (!x->code) {
        buf_str(out, "no answer seen");
        return;
    }
    buf_dec(out, x->code);
    if (x->type.len > 0) {
        buf_str(out, ", ");
        put(out, s, x->type);
    }
    if (x->code == 101)
        return;
    buf_str(out, ", ");
    put_grouped(out, x->body);
    buf_str(out, x->body == 1 ? " byte" : " bytes");
    if (!x->end)
        buf_str(out, " so far");
}
