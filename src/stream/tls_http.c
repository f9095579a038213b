#include "stream/tls_http.h"

#include "dissect/http.h"

#include <stdlib.h>

#define MOST_TRIES 16 /* pieces that are looked at for the beginning of HTTP */

struct tls_http {
    struct http1 *one; /* owned; NULL: it is not that, or not known yet */
    struct http2 *two; /* the same */
    size_t *memory;    /* what all connections hold */
    size_t counted;    /* what of it is ours */
    uint8_t tries;
    bool off;   /* another protocol, or no memory */
    bool early; /* what was read so far is early data */
};

/* Where events go. */
struct place {
    struct tls_reader *r;
    const struct tls_content *c;
};

bool tls_http_wanted(const uint8_t *want)
{
    for (unsigned id = F_tlswire_http; id <= F_tlswire_http_note; id++)
        if (want[id])
            return true;
    return false;
}

static void forget(struct tls_http *h)
{
    http1_free(h->one);
    http2_free(h->two);
    h->one = NULL;
    h->two = NULL;
    *h->memory -= h->counted;
    h->counted = 0;
}

void tls_http_free(struct tls_http *h)
{
    if (h)
        forget(h);
    free(h);
}

/* ---- onto the tape ---- */

static void put_text(struct place *p, enum field_id field, const struct http_event *e,
                     struct slice text)
{
    struct tape *t = &p->r->d->tape;
    if (text.len == 0 || !tape_wants(t, field))
        return;
    buf_clear(p->r->tools->scratch);
    buf_escaped(p->r->tools->scratch, text);
    tape_set_text(
        t, tape_add(t, field, p->c->source, p->c->at + e->offset, e->length, 0, EVENT_GENERATED),
        buf_slice(p->r->tools->scratch));
}

static void put_number(struct place *p, enum field_id field, const struct http_event *e,
                       uint64_t number)
{
    tape_add(&p->r->d->tape, field, p->c->source, p->c->at + e->offset, e->length, number,
             EVENT_GENERATED);
}

/* "GET /path", "200 text/html", "DATA, 512 bytes". */
static void say(struct buf *out, const struct http_event *e)
{
    const struct http_head *h = &e->head;
    const char *frame =
        e->frame.is_one ? registry_name(REG_HTTP2_FRAME_TYPES, e->frame.type) : NULL;
    if (h->kind == HTTP_REQUEST) {
        buf_escaped(out, h->method);
        buf_char(out, ' ');
        buf_escaped(out, h->path.len > 0 ? h->path : h->authority);
    } else if (h->kind == HTTP_RESPONSE) {
        buf_printf(out, "%u%s", h->code, h->type.len > 0 ? " " : "");
        buf_escaped(out, h->type);
    } else if (h->kind == HTTP_TRAILERS) {
        buf_str(out, "trailers");
    } else if (e->frame.is_one) {
        buf_str(out, frame ? frame : "a frame of unknown type");
    } else if (e->note && e->body == 0) {
        buf_str(out, e->note);
    } else {
        buf_str(out, e->body > 0 || !e->end ? "content" : "end of the message");
    }
    if (e->body > 0 && !h->kind)
        buf_printf(out, ", %llu bytes", (unsigned long long)e->body);
}

static void put_head(struct place *p, const struct http_event *e)
{
    const struct http_head *h = &e->head;
    put_text(p, F_tlswire_http_version, e, h->version);
    put_text(p, F_tlswire_http_request_method, e, h->method);
    put_text(p, F_tlswire_http_request_scheme, e, h->scheme);
    put_text(p, F_tlswire_http_request_authority, e, h->authority);
    put_text(p, F_tlswire_http_request_uri, e, h->path);
    if (h->kind == HTTP_RESPONSE)
        put_number(p, F_tlswire_http_response_code, e, h->code);
    put_text(p, F_tlswire_http_content_type, e, h->type);
    if (h->has_length)
        put_number(p, F_tlswire_http_content_length, e, h->length);
    put_text(p, F_tlswire_http_upgrade, e, h->upgrade);
    if (h->cut)
        put_text(p, F_tlswire_http_note, e, slice_of_str("a text that is not shown whole"));
}

static void put(void *context, const struct http_event *e)
{
    struct place *p = context;
    struct tape *t = &p->r->d->tape;
    uint32_t item = tape_open(t, F_tlswire_http, p->c->source, p->c->at + e->offset, e->length, 0,
                              EVENT_GENERATED);
    if (item != TAPE_NONE) {
        buf_clear(p->r->tools->scratch);
        say(p->r->tools->scratch, e);
        tape_set_text(t, item, buf_slice(p->r->tools->scratch));
    }
    put_number(p, F_tlswire_http_stream, e, e->stream);
    if (e->frame.is_one) {
        put_number(p, F_tlswire_http_frame_type, e, e->frame.type);
        put_number(p, F_tlswire_http_frame_flags, e, e->frame.flags);
        put_number(p, F_tlswire_http_frame_length, e, e->frame.length);
    }
    if (e->frame.has_error)
        put_number(p, F_tlswire_http_frame_error, e, e->frame.error);
    if (e->head.kind)
        put_head(p, e);
    if (e->body > 0)
        put_number(p, F_tlswire_http_body, e, e->body);
    if (e->end)
        put_number(p, F_tlswire_http_end, e, 1);
    if (e->note)
        put_text(p, F_tlswire_http_note, e, slice_of_str(e->note));
    tape_close(t, item);
}

/* ---- which protocol ---- */

static struct tls_http *state_of(struct tls_reader *r)
{
    struct tls_session *s = r->session;
    if (!s->http)
        s->http = calloc(1, sizeof *s->http);
    if (s->http)
        s->http->memory = r->tools->http_memory;
    return s->http;
}

static void begin(struct tls_http *h, const struct tls_reader *r, bool client, struct slice bytes)
{
    bool known = r->session->inside != TLS_INSIDE_UNKNOWN;
    bool two = r->session->inside == TLS_INSIDE_HTTP2 ||
               (!known && ((client && http2_is_preface(bytes)) || http2_looks(bytes)));
    bool one = !two && (r->session->inside == TLS_INSIDE_HTTP1 || (!known && http1_looks(bytes)));
    h->off = (known && !one && !two) || (!one && !two && ++h->tries >= MOST_TRIES);
    if (two)
        h->two = http2_new();
    else if (one)
        h->one = http1_new();
    h->off |= (two && !h->two) || (one && !h->one);
}

/* Counts what the connection holds; past the ceiling it is given up, and said so. */
static void account(struct tls_http *h, struct place *p)
{
    size_t now = h->one ? http1_size(h->one) : h->two ? http2_size(h->two) : 0;
    *h->memory += now - h->counted;
    h->counted = now;
    if (*h->memory <= HTTP_MEMORY_MAX || h->off)
        return;
    struct http_event e = {.note = "from here on not read as HTTP: the memory for it is full"};
    put(p, &e);
    forget(h);
    h->off = true;
}

/* Early data that the server refused is sent again (RFC 9846 4.2.10). */
static void notice_early(struct tls_http *h, const struct tls_reader *r, bool client)
{
    if (!client)
        return;
    if (h->early && r->side->epoch == EPOCH_APPLICATION && !r->side->early_ended)
        forget(h);
    h->early = r->side->epoch == EPOCH_EARLY;
}

static void lost(struct tls_http *h, bool client)
{
    if (h->one)
        http1_gap(h->one, client);
    if (h->two)
        http2_gap(h->two, client);
}

static void read_data(struct tls_http *h, struct place *p, bool client)
{
    struct slice bytes = slice_sub(p->c->bytes, p->c->at, p->c->end - p->c->at);
    const struct http_sink sink = {.put = put, .context = p};
    notice_early(h, p->r, client);
    if (bytes.len == 0)
        return;
    if (!h->one && !h->two)
        begin(h, p->r, client, bytes);
    if (h->one)
        http1_read(h->one, client, bytes, &sink);
    if (h->two)
        http2_read(h->two, client, bytes, &sink);
    account(h, p);
}

static bool is_close_notify(const struct tls_content *c)
{
    return c->type == TLS_ALERT && c->end - c->at == 2 && slice_at(c->bytes, c->at + 1) == 0;
}

void tls_http_record(struct tls_reader *r, const struct tls_content *c)
{
    if (!r->tools->http_memory)
        return;
    bool client = r->session->client == r->d->tcp.direction;
    struct place p = {.r = r, .c = c};
    bool data = c->type == TLS_APPLICATION_DATA;
    if (r->session->client < 0 || (!data && !is_close_notify(c)))
        return;
    struct tls_http *h = r->session->http;
    if (!c->opened) {
        if (h && data)
            lost(h, client);
        return;
    }
    h = state_of(r);
    if (!h || h->off)
        return;
    if (r->resync.found)
        lost(h, client);
    if (data) {
        read_data(h, &p, client);
    } else if (h->one) {
        const struct http_sink sink = {.put = put, .context = &p};
        http1_close(h->one, client, &sink);
    }
}
