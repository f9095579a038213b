/* HTTP/2 (RFC 9113): frames, and the heads in them (HPACK, RFC 7541, by nghttp2). */
#include "dissect/http.h"

#include <nghttp2/nghttp2.h>
#include <stdlib.h>

#define PREFACE      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
#define PREFACE_SIZE 24
#define HEADER_SIZE  9
#define TABLE_USUAL  4096  /* RFC 9113 6.5.2 */
#define TABLE_MOST   65536 /* as large as browsers allow */
#define INFLATER     4096  /* what one takes beside its table, about */
#define PENDING      4     /* settings that wait for their acknowledgement */

enum frame_type {
    DATA,
    HEADERS,
    PRIORITY,
    RST_STREAM,
    SETTINGS,
    PUSH_PROMISE,
    PING,
    GOAWAY,
    WINDOW_UPDATE,
    CONTINUATION,
    ALTSVC,
    ORIGIN = 12,
    PRIORITY_UPDATE = 16
};

enum {
    FLAG_END_STREAM = 1,
    FLAG_ACK = 1,
    FLAG_END_HEADERS = 4,
    FLAG_PADDED = 8,
    FLAG_PRIORITY = 32
};

enum state { AT_PREFACE, AT_HEADER, AT_PREFIX, AT_PAYLOAD, AT_PADDING, AT_NOTHING };

struct side {
    nghttp2_hd_inflater *inflater; /* owned; NULL: none so far */
    struct buf kept;               /* texts of the present head; owned */
    struct http_text method, scheme, authority, path, type;
    uint64_t length;
    uint32_t left;        /* of the frame's payload */
    uint32_t stream;      /* of the frame */
    uint32_t head_stream; /* whose head it is; that of the request for a PUSH_PROMISE */
    uint32_t head_bytes;
    uint32_t table;            /* most that its encoder may use */
    uint32_t pending[PENDING]; /* what it was told, and has not acknowledged */
    uint8_t pending_count;
    struct http_frame frame;
    uint8_t gathered[PREFACE_SIZE];
    uint8_t have, need; /* of `gathered` */
    uint8_t padding;
    uint8_t state; /* enum state */
    uint16_t code;
    bool begun;                  /* a frame was read */
    bool void_table;             /* what heads refer to is not known any more */
    bool in_head, ends;          /* a CONTINUATION follows; the head ends its stream */
    bool has_length, cut, named; /* named: it has a method or a status */
};

struct http2 {
    struct side client, server;
};

/* A piece being read. */
struct reader {
    struct http2 *h;
    struct side *s, *other;
    const struct http_sink *sink;
    struct http_event e;
    struct slice rest;
    uint32_t size;
    bool client;
};

struct http2 *http2_new(void)
{
    struct http2 *h = calloc(1, sizeof *h);
    if (!h)
        return NULL;
    h->client.kept.ceiling = h->server.kept.ceiling = HTTP_TEXT_MAX;
    h->client.table = h->server.table = TABLE_USUAL;
    h->server.state = AT_HEADER;
    h->client.need = PREFACE_SIZE;
    h->server.need = HEADER_SIZE;
    return h;
}

void http2_free(struct http2 *h)
{
    if (!h)
        return;
    if (h->client.inflater)
        nghttp2_hd_inflate_del(h->client.inflater);
    if (h->server.inflater)
        nghttp2_hd_inflate_del(h->server.inflater);
    buf_wipe(&h->client.kept);
    buf_wipe(&h->server.kept);
    free(h);
}

static size_t side_size(const struct side *s)
{
    return s->kept.cap + (s->inflater ? INFLATER + s->table : 0);
}

size_t http2_size(const struct http2 *h)
{
    return sizeof *h + side_size(&h->client) + side_size(&h->server);
}

bool http2_is_preface(struct slice bytes)
{
    size_t n = bytes.len < PREFACE_SIZE ? bytes.len : PREFACE_SIZE;
    return n >= 14 && slice_equal(slice_sub(bytes, 0, n), slice_of(PREFACE, n));
}

/* A frame that could be one: its type, and what the type says of length and stream (RFC 9113 6). */
static bool is_plausible(uint8_t type, uint32_t length, uint32_t stream)
{
    if (stream >> 31 || length > 1u << 20)
        return false;
    switch ((enum frame_type)type) {
    case DATA:
    case HEADERS:
    case CONTINUATION:
        return stream != 0;
    case PRIORITY:
        return stream != 0 && length == 5;
    case RST_STREAM:
        return stream != 0 && length == 4;
    case SETTINGS:
        return stream == 0 && length % 6 == 0;
    case PUSH_PROMISE:
        return stream != 0 && length > 4;
    case PING:
        return stream == 0 && length == 8;
    case GOAWAY:
        return stream == 0 && length >= 8;
    case WINDOW_UPDATE:
        return length == 4;
    case ALTSVC:
    case ORIGIN:
    case PRIORITY_UPDATE:
        return true;
    default:
        return false;
    }
}

bool http2_looks(struct slice bytes)
{
    bool ok = bytes.len >= HEADER_SIZE;
    while (ok && bytes.len > 0) {
        uint32_t length = slice_u24(&bytes);
        uint8_t type = slice_u8(&bytes);
        slice_skip(&bytes, 1);
        uint32_t stream = slice_u32(&bytes);
        ok = !bytes.failed && is_plausible(type, length, stream);
        slice_skip(&bytes, length < bytes.len ? length : bytes.len);
    }
    return ok;
}

/* ---- what comes out ---- */

static uint32_t position(const struct reader *r)
{
    return r->size - (uint32_t)r->rest.len;
}

static void send(struct reader *r)
{
    struct http_event *e = &r->e;
    e->length = position(r) - e->offset;
    bool says = e->frame.is_one || e->frame.has_error || e->head.kind || e->body > 0 || e->end;
    if (says || e->note)
        r->sink->put(r->sink->context, e);
    *e = (struct http_event){.offset = position(r)};
}

static void note(struct reader *r, const char *text)
{
    if (!r->e.note)
        r->e.note = text;
}

/* ---- heads ---- */

static void begin_head(struct side *s, uint32_t stream, bool ends)
{
    buf_clear(&s->kept);
    s->method = s->scheme = s->authority = s->path = s->type = (struct http_text){0};
    s->length = s->code = 0;
    s->head_bytes = 0;
    s->has_length = s->cut = s->named = false;
    s->in_head = true;
    s->ends = ends;
    s->head_stream = stream;
}

static void lose_table(struct reader *r, const char *why)
{
    note(r, why);
    r->s->void_table = true;
}

/* The media type without its parameters. */
static struct slice media_type(struct slice value)
{
    size_t n = 0;
    while (n < value.len && slice_at(value, n) != ';' && slice_at(value, n) != ' ')
        n++;
    return slice_sub(value, 0, n);
}

static void header(struct side *s, struct slice name, struct slice value)
{
    uint64_t number = 0;
    struct http_text *to = slice_is(name, ":method")        ? &s->method
                           : slice_is(name, ":scheme")      ? &s->scheme
                           : slice_is(name, ":authority")   ? &s->authority
                           : slice_is(name, ":path")        ? &s->path
                           : slice_is(name, "content-type") ? &s->type
                                                            : NULL;
    s->named |= to == &s->method || slice_is(name, ":status");
    if (to && to->len == 0) {
        s->cut |= !http_keep(&s->kept, to, to == &s->type ? media_type(value) : value);
    } else if (slice_is(name, ":status") && http_number(value, &number)) {
        s->code = number <= 999 ? (uint16_t)number : 0;
    } else if (slice_is(name, "content-length")) {
        s->has_length = http_number(value, &s->length);
    }
}

static void send_head(struct reader *r)
{
    struct side *s = r->s;
    bool promised = s->frame.type == PUSH_PROMISE;
    r->e.head = (struct http_head){.kind = !s->named           ? HTTP_TRAILERS
                                           : s->method.len > 0 ? HTTP_REQUEST
                                                               : HTTP_RESPONSE,
                                   .method = http_text(&s->kept, s->method),
                                   .scheme = http_text(&s->kept, s->scheme),
                                   .authority = http_text(&s->kept, s->authority),
                                   .path = http_text(&s->kept, s->path),
                                   .version = slice_of_str("HTTP/2"),
                                   .type = http_text(&s->kept, s->type),
                                   .code = s->code,
                                   .length = s->length,
                                   .has_length = s->has_length,
                                   .cut = s->cut};
    r->e.stream = s->head_stream;
    r->e.end |= s->ends && !promised;
    s->in_head = false;
}

static bool ready(struct reader *r)
{
    struct side *s = r->s;
    if (s->inflater || s->void_table)
        return s->inflater && !s->void_table;
    if (nghttp2_hd_inflate_new(&s->inflater) != 0 ||
        nghttp2_hd_inflate_change_table_size(s->inflater, s->table) != 0)
        lose_table(r, "no memory for the heads");
    return !s->void_table;
}

/* A part of a header block; LAST ends it. */
static void head_part(struct reader *r, struct slice part, bool last)
{
    struct side *s = r->s;
    s->head_bytes += (uint32_t)part.len;
    if (s->head_bytes > HTTP_HEAD_MAX && !s->void_table)
        lose_table(r, "a head that is too long to be read");
    bool usable = ready(r);
    for (bool more = usable; more;) {
        nghttp2_nv nv;
        int flags = 0;
        ssize_t used = nghttp2_hd_inflate_hd2(s->inflater, &nv, &flags, part.data, part.len, last);
        if (used < 0 || !slice_skip(&part, (size_t)used)) {
            lose_table(r, "a head that cannot be decompressed");
            usable = false;
            break;
        }
        if (flags & NGHTTP2_HD_INFLATE_EMIT)
            header(s, slice_of(nv.name, nv.namelen), slice_of(nv.value, nv.valuelen));
        if (flags & NGHTTP2_HD_INFLATE_FINAL)
            nghttp2_hd_inflate_end_headers(s->inflater);
        more = !(flags & NGHTTP2_HD_INFLATE_FINAL) &&
               (part.len > 0 || (flags & NGHTTP2_HD_INFLATE_EMIT));
    }
    if (!last)
        return;
    if (usable) {
        send_head(r);
    } else {
        note(r, "a head that cannot be read: what it refers to was lost");
        r->e.end |= s->ends;
        s->in_head = false;
    }
}

/* ---- settings ---- */

static void set_table(struct side *s, uint32_t size)
{
    size = size < TABLE_MOST ? size : TABLE_MOST;
    s->table = size;
    if (s->inflater && !s->void_table &&
        nghttp2_hd_inflate_change_table_size(s->inflater, size) != 0)
        s->void_table = true;
}

/* SETTINGS_HEADER_TABLE_SIZE is what the other side's encoder may use: a larger table at once, a smaller one
 * when it says that it has heard of it (RFC 9113 6.5.3). */
static void setting(struct reader *r)
{
    enum { HEADER_TABLE_SIZE = 1 };
    struct slice s = slice_of(r->s->gathered, 6);
    uint16_t id = slice_u16(&s);
    uint32_t value = slice_u32(&s);
    struct side *encoder = r->other;
    if (id != HEADER_TABLE_SIZE)
        return;
    if (encoder->pending_count < PENDING)
        encoder->pending[encoder->pending_count++] = value;
    else
        encoder->pending[PENDING - 1] = value;
    if (value > encoder->table && encoder->pending_count == 1)
        set_table(encoder, value);
}

static void acknowledged(struct reader *r)
{
    struct side *encoder = r->s;
    uint32_t least = UINT32_MAX;
    for (unsigned i = 0; i < encoder->pending_count; i++)
        least = encoder->pending[i] < least ? encoder->pending[i] : least;
    if (encoder->pending_count == 0)
        return;
    uint32_t last = encoder->pending[encoder->pending_count - 1];
    if (least < encoder->table)
        set_table(encoder, least);
    set_table(encoder, last);
    encoder->pending_count = 0;
}

/* ---- frames ---- */

static void next_header(struct side *s)
{
    s->state = AT_HEADER;
    s->have = 0;
    s->need = HEADER_SIZE;
}

static void end_frame(struct reader *r)
{
    struct side *s = r->s;
    const struct http_frame *f = &s->frame;
    bool head = f->type == HEADERS || f->type == PUSH_PROMISE || f->type == CONTINUATION;
    if (head && s->in_head && f->flags & FLAG_END_HEADERS)
        head_part(r, slice_empty(), true);
    if (f->type == DATA && f->flags & FLAG_END_STREAM)
        r->e.end = true;
    if (f->type == SETTINGS && f->flags & FLAG_ACK)
        acknowledged(r);
    send(r);
    next_header(s);
}

/* After the frame's header, or a part of what comes first in its payload. */
static void go_on(struct reader *r)
{
    struct side *s = r->s;
    s->have = 0;
    s->state = s->left > s->padding ? AT_PAYLOAD : AT_PADDING;
    if (s->frame.type == SETTINGS && s->left >= 6 && !(s->frame.flags & FLAG_ACK)) {
        s->need = 6;
        s->state = AT_PREFIX;
    }
    if (s->left == 0)
        end_frame(r);
}

/* Bytes that come before the payload proper. */
static uint8_t prefix_size(const struct http_frame *f)
{
    unsigned padded = f->flags & FLAG_PADDED ? 1 : 0;
    switch ((enum frame_type)f->type) {
    case DATA:
        return (uint8_t)padded;
    case HEADERS:
        return (uint8_t)(padded + (f->flags & FLAG_PRIORITY ? 5u : 0u));
    case PUSH_PROMISE:
        return (uint8_t)(padded + 4);
    case RST_STREAM:
        return 4;
    case GOAWAY:
        return 8;
    case SETTINGS:
        return f->flags & FLAG_ACK ? 0 : 6;
    case PRIORITY:
    case PING:
    case WINDOW_UPDATE:
    case CONTINUATION:
    case ALTSVC:
    case ORIGIN:
    case PRIORITY_UPDATE:
    default:
        return 0;
    }
}

static void frame_header(struct reader *r)
{
    struct side *s = r->s;
    struct http_frame *f = &s->frame;
    struct slice h = slice_of(s->gathered, HEADER_SIZE);
    *f = (struct http_frame){.length = slice_u24(&h), .is_one = true};
    f->type = slice_u8(&h);
    f->flags = slice_u8(&h);
    s->stream = slice_u32(&h) & 0x7fffffff;
    s->left = f->length;
    s->padding = 0;
    if (!s->begun && !is_plausible(f->type, f->length, s->stream)) {
        note(r, "no HTTP/2 where it should begin");
        send(r);
        s->state = AT_NOTHING;
        return;
    }
    s->begun = true;
    r->e.stream = s->stream;
    bool continues = f->type == CONTINUATION;
    if (s->in_head != continues ||
        (continues && s->stream != s->head_stream && s->head_stream % 2 == 1)) {
        lose_table(r, continues ? "a continuation of nothing" : "a head without its end");
        s->in_head = false;
    }
    if (f->type == HEADERS || f->type == PUSH_PROMISE)
        begin_head(s, s->stream, f->type == HEADERS && f->flags & FLAG_END_STREAM);
    s->need = prefix_size(f);
    r->e.frame = *f;
    if (s->need > s->left) {
        if (f->type != SETTINGS || s->left > 0)
            note(r, "a frame that is too short");
        if (s->in_head)
            lose_table(r, "a head without its beginning");
        s->need = 0;
    }
    s->have = 0;
    s->state = AT_PREFIX;
    if (s->need == 0)
        go_on(r);
}

static void prefix(struct reader *r)
{
    struct side *s = r->s;
    struct slice p = slice_of(s->gathered, s->need);
    bool pads = s->frame.type == DATA || s->frame.type == HEADERS || s->frame.type == PUSH_PROMISE;
    s->left -= s->need;
    if (s->frame.type == SETTINGS) {
        setting(r);
    } else if (pads && s->frame.flags & FLAG_PADDED) {
        s->padding = slice_u8(&p);
    }
    if (s->frame.type == PUSH_PROMISE)
        s->head_stream = slice_u32(&p) & 0x7fffffff;
    if (s->frame.type == GOAWAY)
        slice_skip(&p, 4);
    if (s->frame.type == RST_STREAM || s->frame.type == GOAWAY) {
        s->frame.error = slice_u32(&p);
        s->frame.has_error = true;
        r->e.frame = s->frame;
    }
    if (s->padding > s->left) { /* RFC 9113 6.1: a connection error */
        note(r, "more padding than there is room for");
        if (s->in_head)
            lose_table(r, "a head without its end");
        s->padding = 0;
    }
    go_on(r);
}

static void gather(struct reader *r)
{
    struct side *s = r->s;
    size_t n = (size_t)(s->need - s->have);
    n = n < r->rest.len ? n : r->rest.len;
    slice_read(&r->rest, s->gathered + s->have, n);
    s->have = (uint8_t)(s->have + n);
    if (s->have < s->need)
        return;
    if (s->state == AT_PREFACE) {
        if (!slice_equal(slice_of(s->gathered, PREFACE_SIZE), slice_of(PREFACE, PREFACE_SIZE))) {
            note(r, "no HTTP/2 where it should begin");
            send(r);
            s->state = AT_NOTHING;
            return;
        }
        r->e.offset = position(r);
        next_header(s);
    } else if (s->state == AT_HEADER) {
        frame_header(r);
    } else {
        prefix(r);
    }
}

static void payload(struct reader *r)
{
    struct side *s = r->s;
    uint32_t room = s->state == AT_PAYLOAD ? s->left - s->padding : s->left;
    uint32_t n = room < r->rest.len ? room : (uint32_t)r->rest.len;
    struct slice part = slice_take(&r->rest, n);
    if (s->state == AT_PAYLOAD && s->frame.type == DATA)
        r->e.body += n;
    else if (s->state == AT_PAYLOAD && s->in_head)
        head_part(r, part, false);
    s->left -= n;
    if (s->left <= s->padding)
        s->state = AT_PADDING;
    if (s->left == 0)
        end_frame(r);
}

void http2_read(struct http2 *h, bool client, struct slice bytes, const struct http_sink *sink)
{
    struct reader r = {.h = h,
                       .s = client ? &h->client : &h->server,
                       .other = client ? &h->server : &h->client,
                       .sink = sink,
                       .rest = bytes,
                       .size = (uint32_t)bytes.len,
                       .client = client};
    struct side *s = r.s;
    if (s->state == AT_NOTHING && http2_looks(bytes))
        next_header(s);
    if (s->state == AT_PREFACE && s->have == 0 && !http2_is_preface(bytes) && http2_looks(bytes)) {
        next_header(s); /* the beginning is not in the capture */
        s->void_table = true;
        h->server.void_table = true;
    }
    if (s->state > AT_HEADER && s->state != AT_NOTHING) {
        r.e.stream = s->stream;
        r.e.frame = s->frame;
        r.e.frame.is_one = r.e.frame.has_error = false; /* it was told where it begins */
    }
    while (r.rest.len > 0 && s->state != AT_NOTHING) {
        if (s->state == AT_PAYLOAD || s->state == AT_PADDING)
            payload(&r);
        else
            gather(&r);
    }
    if (s->state != AT_NOTHING)
        send(&r);
}

void http2_gap(struct http2 *h, bool client)
{
    struct side *s = client ? &h->client : &h->server;
    s->state = AT_NOTHING;
    s->void_table = true;
    s->in_head = false;
}
