/* HTTP/1.0 and HTTP/1.1 (RFC 9112). */
#include "dissect/http.h"

#include <stdlib.h>
#include <strings.h>

#define PIPELINE 64 /* requests that wait for their answer; of more the methods are forgotten */

enum state {
    START,      /* where a message begins */
    HEADERS,    /* lines up to an empty one */
    BODY,       /* `left` bytes */
    UNTIL_END,  /* a body that the end of the connection ends */
    CHUNK_SIZE, /* the line before a chunk */
    CHUNK,      /* `left` bytes */
    CHUNK_END,  /* the line end after it */
    TRAILERS,   /* lines up to an empty one */
    SEEK,       /* nothing until a message begins with a piece */
    TUNNEL,     /* another protocol */
};

/* What a request's method means for its answer (RFC 9112 6.3). */
enum method { METHOD_OTHER, METHOD_HEAD, METHOD_CONNECT };

struct side {
    struct buf line; /* what is there of the present one; owned */
    struct buf kept; /* texts of the present head; owned */
    struct http_text method, authority, path, version, type, upgrade;
    uint64_t length, left;
    uint32_t number;     /* of the exchange */
    uint32_t head_bytes; /* of the present head so far */
    uint16_t code;
    uint8_t state; /* enum state */
    bool chunked, coded, has_length, cut, long_line, contradiction;
};

struct http1 {
    struct side client, server;
    uint8_t methods[PIPELINE]; /* enum method, by exchange */
    bool lost;                 /* exchanges may have been missed: numbers are no longer sure */
};

/* A piece being read. */
struct reader {
    struct http1 *h;
    struct side *s;
    const struct http_sink *sink;
    struct http_event e; /* goes out at its end */
    struct slice rest;
    uint32_t size; /* of the piece */
    bool client;
};

struct http1 *http1_new(void)
{
    struct http1 *h = calloc(1, sizeof *h);
    if (!h)
        return NULL;
    h->client.line.ceiling = h->server.line.ceiling = HTTP_LINE_MAX;
    h->client.kept.ceiling = h->server.kept.ceiling = HTTP_TEXT_MAX;
    return h;
}

void http1_free(struct http1 *h)
{
    if (!h)
        return;
    /* Lines hold cookies and passwords. */
    buf_wipe(&h->client.line);
    buf_wipe(&h->client.kept);
    buf_wipe(&h->server.line);
    buf_wipe(&h->server.kept);
    free(h);
}

size_t http1_size(const struct http1 *h)
{
    return sizeof *h + h->client.line.cap + h->client.kept.cap + h->server.line.cap +
           h->server.kept.cap;
}

bool http_number(struct slice text, uint64_t *out)
{
    uint64_t value = 0;
    bool ok = text.len > 0 && text.len <= 18;
    while (text.len > 0 && ok) {
        uint8_t c = slice_u8(&text);
        ok = c >= '0' && c <= '9';
        value = value * 10 + (uint64_t)(c - '0');
    }
    *out = ok ? value : 0;
    return ok;
}

/* ---- texts ---- */

static bool has_prefix(struct slice text, const char *prefix)
{
    return slice_is(slice_sub(text, 0, strlen(prefix)), prefix);
}

/* Up to the first SEPARATOR, which is taken too; all there is when there is none. */
static struct slice take_word(struct slice *text, uint8_t separator)
{
    size_t n = 0;
    while (n < text->len && slice_at(*text, n) != separator)
        n++;
    struct slice word = slice_take(text, n);
    if (text->len > 0)
        slice_skip(text, 1);
    return word;
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

static struct slice trim(struct slice text)
{
    while (text.len > 0 && is_blank(slice_at(text, 0)))
        slice_skip(&text, 1);
    while (text.len > 0 && is_blank(slice_at(text, text.len - 1)))
        text = slice_sub(text, 0, text.len - 1);
    return text;
}

static bool same_word(struct slice text, const char *word)
{
    size_t n = strlen(word);
    bool same = text.len == n;
    for (size_t i = 0; same && i < n; i++) {
        uint8_t c = slice_at(text, i);
        same = (c >= 'A' && c <= 'Z' ? c + 32 : c) == word[i];
    }
    return same;
}

/* A method, as all that are in use are written. */
static bool is_method(struct slice word)
{
    bool ok = word.len >= 2 && word.len <= 24;
    for (size_t i = 0; ok && i < word.len; i++) {
        uint8_t c = slice_at(word, i);
        ok = (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
    }
    return ok;
}

bool http1_looks(struct slice bytes)
{
    if (has_prefix(bytes, "HTTP/1."))
        return true;
    struct slice method = take_word(&bytes, ' ');
    uint8_t next = slice_at(bytes, 0);
    return is_method(method) && next > ' ' && next < 0x7f;
}

/* ---- what comes out ---- */

static uint32_t position(const struct reader *r)
{
    return r->size - (uint32_t)r->rest.len;
}

/* Sends the event that was gathered, and begins the next. */
static void send(struct reader *r)
{
    struct http_event *e = &r->e;
    if (e->head.kind || e->body > 0 || e->note || e->end) {
        e->length = position(r) - e->offset;
        r->sink->put(r->sink->context, e);
    }
    *e = (struct http_event){.offset = position(r), .stream = r->s->number};
}

static void note(struct reader *r, const char *text)
{
    r->e.note = text;
}

static void lose(struct reader *r, const char *text)
{
    note(r, text);
    send(r);
    r->s->state = SEEK;
    r->h->lost = true;
}

static void end_message(struct reader *r)
{
    r->e.end = true;
    send(r);
    r->s->state = START;
}

static void send_head(struct reader *r)
{
    const struct side *s = r->s;
    struct http_head *head = &r->e.head;
    *head = (struct http_head){.kind = r->client ? HTTP_REQUEST : HTTP_RESPONSE,
                               .method = http_text(&s->kept, s->method),
                               .authority = http_text(&s->kept, s->authority),
                               .path = http_text(&s->kept, s->path),
                               .version = http_text(&s->kept, s->version),
                               .type = http_text(&s->kept, s->type),
                               .upgrade = http_text(&s->kept, s->upgrade),
                               .code = s->code,
                               .length = s->length,
                               .has_length = s->has_length && !s->chunked,
                               .cut = s->cut};
    r->e.stream = s->number;
    if (s->contradiction)
        note(r, "lengths that contradict each other");
}

/* ---- heads ---- */

static void begin_head(struct side *s)
{
    buf_clear(&s->kept);
    s->method = s->authority = s->path = s->version = s->type = s->upgrade = (struct http_text){0};
    s->chunked = s->coded = s->has_length = s->cut = s->contradiction = false;
    s->length = 0;
    s->code = 0;
}

static void keep(struct side *s, struct http_text *to, struct slice text)
{
    s->cut |= !http_keep(&s->kept, to, text);
}

static bool request_line(struct reader *r, struct slice line)
{
    struct side *s = r->s;
    struct slice method = take_word(&line, ' ');
    struct slice target = take_word(&line, ' ');
    if (s->long_line) { /* the version was cut off with the rest */
        s->cut = true;
    } else if (!has_prefix(line, "HTTP/1.")) {
        return false;
    }
    if (!is_method(method) || target.len == 0)
        return false;
    s->number++;
    if (r->h->lost && s->number <= r->h->server.number)
        s->number = r->h->server.number + 1;
    r->h->methods[s->number % PIPELINE] = slice_is(method, "HEAD")      ? METHOD_HEAD
                                          : slice_is(method, "CONNECT") ? METHOD_CONNECT
                                                                        : METHOD_OTHER;
    keep(s, &s->method, method);
    keep(s, &s->version, line);
    keep(s, slice_is(method, "CONNECT") ? &s->authority : &s->path, target);
    return true;
}

static bool status_line(struct reader *r, struct slice line)
{
    struct side *s = r->s;
    struct slice version = take_word(&line, ' ');
    uint64_t code = 0;
    if (!has_prefix(version, "HTTP/1.") || !http_number(take_word(&line, ' '), &code) ||
        code < 100 || code > 999)
        return false;
    s->code = (uint16_t)code;
    keep(s, &s->version, version);
    return true;
}

/* The answer after an interim one is to the same request (RFC 9110 15.2). */
static void number_response(struct reader *r, uint16_t before)
{
    struct side *s = r->s;
    if (s->number > 0 && before >= 100 && before < 200)
        return;
    s->number++;
    /* All but the last request were answered, or nobody could know which one this is for. */
    if (r->h->lost && r->h->client.number > s->number) {
        s->number = r->h->client.number;
        r->h->lost = false;
    }
}

static void start_line(struct reader *r, struct slice line)
{
    struct side *s = r->s;
    uint16_t before = s->code;
    if (line.len == 0) /* RFC 9112 2.2: an empty line or more may come before */
        return;
    begin_head(s);
    if (r->client ? !request_line(r, line) : !status_line(r, line)) {
        lose(r, r->client ? "no request where one should begin"
                          : "no response where one should begin");
        return;
    }
    if (!r->client)
        number_response(r, before);
    r->e.stream = s->number;
    s->state = HEADERS;
}

static void content_length(struct side *s, struct slice value)
{
    uint64_t length = 0;
    bool first = true;
    while (value.len > 0) { /* a list of the same number is one (RFC 9110 8.6) */
        bool ok = http_number(trim(take_word(&value, ',')), &length);
        s->contradiction |= !ok || ((s->has_length || !first) && length != s->length);
        first = false;
        if (!ok)
            return;
        s->length = length;
        s->has_length = true;
    }
}

/* Only what comes last says how the message ends (RFC 9112 6.3). */
static void transfer_encoding(struct side *s, struct slice value)
{
    while (value.len > 0)
        s->chunked = same_word(trim(take_word(&value, ',')), "chunked");
    s->coded = true;
}

static void header_line(struct reader *r, struct slice line)
{
    struct side *s = r->s;
    if (is_blank(slice_at(line, 0)))
        return; /* a line that goes on: none that matters does */
    struct slice name = take_word(&line, ':');
    struct slice value = trim(line);
    if (same_word(name, "content-length"))
        content_length(s, value);
    else if (same_word(name, "transfer-encoding"))
        transfer_encoding(s, value);
    else if (same_word(name, "content-type") && s->type.len == 0)
        keep(s, &s->type, trim(take_word(&value, ';')));
    else if (same_word(name, "host") && r->client && s->authority.len == 0)
        keep(s, &s->authority, value);
    else if (same_word(name, "upgrade") && s->upgrade.len == 0)
        keep(s, &s->upgrade, value);
}

/* ---- where a body ends (RFC 9112 6.3) ---- */

static void tunnel(struct reader *r)
{
    r->h->client.state = r->h->server.state = TUNNEL;
    note(r, "from here on another protocol");
}

static bool has_no_body(const struct reader *r)
{
    const struct side *s = r->s;
    uint8_t method = r->h->methods[s->number % PIPELINE];
    return !r->client &&
           (s->code < 200 || s->code == 204 || s->code == 304 || method == METHOD_HEAD);
}

static void end_of_head(struct reader *r)
{
    struct side *s = r->s;
    uint8_t method = r->h->methods[s->number % PIPELINE];
    s->head_bytes = 0;
    s->contradiction |= s->chunked && s->has_length;
    send_head(r);
    if (!r->client && (s->code == 101 || (method == METHOD_CONNECT && s->code / 100 == 2))) {
        tunnel(r);
        send(r);
        return;
    }
    if (has_no_body(r)) {
        end_message(r);
        return;
    }
    s->left = s->has_length ? s->length : 0;
    if (s->chunked)
        s->state = CHUNK_SIZE;
    else if (s->coded)
        s->state = UNTIL_END;
    else if (s->has_length || r->client)
        s->state = BODY;
    else
        s->state = UNTIL_END;
    if (s->state == BODY && s->left == 0)
        end_message(r);
    else
        send(r);
}

static void chunk_size(struct reader *r, struct slice line)
{
    struct side *s = r->s;
    struct slice digits = trim(take_word(&line, ';'));
    uint64_t size = 0;
    bool ok = digits.len > 0 && digits.len <= 15;
    while (digits.len > 0 && ok) {
        uint8_t c = slice_u8(&digits);
        uint8_t low = c | 0x20;
        ok = (c >= '0' && c <= '9') || (low >= 'a' && low <= 'f');
        size = size << 4 | (uint64_t)(c <= '9' ? c - '0' : low - 'a' + 10);
    }
    if (!ok) {
        lose(r, "no chunk where one should begin");
        return;
    }
    s->left = size;
    s->state = size > 0 ? CHUNK : TRAILERS;
}

static void line_read(struct reader *r, struct slice line)
{
    struct side *s = r->s;
    if (line.len > 0 && slice_at(line, line.len - 1) == '\r')
        line = slice_sub(line, 0, line.len - 1);
    switch ((enum state)s->state) {
    case START:
        start_line(r, line);
        break;
    case HEADERS:
        if (line.len > 0)
            header_line(r, line);
        else
            end_of_head(r);
        break;
    case CHUNK_SIZE:
        chunk_size(r, line);
        break;
    case CHUNK_END:
        if (line.len > 0)
            lose(r, "a chunk that is longer than it says");
        else
            s->state = CHUNK_SIZE;
        break;
    case TRAILERS:
        if (line.len == 0) {
            s->head_bytes = 0;
            end_message(r);
        }
        break;
    case BODY:
    case UNTIL_END:
    case CHUNK:
    case SEEK:
    case TUNNEL:
        break;
    }
}

/* Takes a line, or what there is of it. */
static void take_line(struct reader *r)
{
    struct side *s = r->s;
    size_t n = 0;
    while (n < r->rest.len && slice_at(r->rest, n) != '\n')
        n++;
    bool whole = n < r->rest.len;
    struct slice part = slice_take(&r->rest, n);
    size_t room = HTTP_LINE_MAX - s->line.len;
    s->long_line |= part.len > room;
    s->head_bytes += (uint32_t)part.len + 1;
    if (s->head_bytes > HTTP_HEAD_MAX) {
        s->head_bytes = 0;
        buf_clear(&s->line);
        s->long_line = false;
        lose(r, "a head that is too long to be read");
        r->rest = slice_sub(r->rest, r->rest.len, 0);
        return;
    }
    buf_slice_put(&s->line, slice_sub(part, 0, room));
    if (!whole)
        return;
    slice_skip(&r->rest, 1);
    line_read(r, buf_slice(&s->line));
    buf_clear(&s->line);
    s->long_line = false;
}

static void take_body(struct reader *r)
{
    struct side *s = r->s;
    bool endless = s->state == UNTIL_END || s->state == TUNNEL;
    size_t n = !endless && s->left < r->rest.len ? (size_t)s->left : r->rest.len;
    slice_skip(&r->rest, n);
    r->e.body += n;
    if (endless)
        return;
    s->left -= n;
    if (s->left > 0)
        return;
    if (s->state == CHUNK)
        s->state = CHUNK_END;
    else
        end_message(r);
}

void http1_read(struct http1 *h, bool client, struct slice bytes, const struct http_sink *sink)
{
    struct side *s = client ? &h->client : &h->server;
    struct reader r = {.h = h,
                       .s = s,
                       .sink = sink,
                       .rest = bytes,
                       .size = (uint32_t)bytes.len,
                       .client = client,
                       .e = {.stream = s->number}};
    if (s->state == SEEK && http1_looks(bytes))
        s->state = START;
    while (r.rest.len > 0 && s->state != SEEK) {
        bool body =
            s->state == BODY || s->state == UNTIL_END || s->state == CHUNK || s->state == TUNNEL;
        if (body)
            take_body(&r);
        else
            take_line(&r);
    }
    send(&r);
}

void http1_gap(struct http1 *h, bool client)
{
    struct side *s = client ? &h->client : &h->server;
    if (s->state == TUNNEL || s->state == UNTIL_END)
        return;
    s->state = SEEK;
    s->head_bytes = 0;
    s->long_line = false;
    buf_clear(&s->line);
    h->lost = true;
}

void http1_close(struct http1 *h, bool client, const struct http_sink *sink)
{
    struct side *s = client ? &h->client : &h->server;
    struct http_event e = {.stream = s->number, .end = true};
    bool inside = s->state != START && s->state != SEEK && s->state != TUNNEL;
    if (s->state != UNTIL_END && inside)
        e.note = "the connection ended before the message did";
    e.end = s->state == UNTIL_END;
    if (inside)
        sink->put(sink->context, &e);
    s->state = s->state == TUNNEL ? TUNNEL : SEEK;
}
