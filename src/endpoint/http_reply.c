#include "endpoint/http_reply.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define LINE_CEILING ((size_t)8 << 10) /* of a chunk's size or a trailer */

void http_reply_init(struct http_reply *r)
{
    *r = (struct http_reply){.line = {.ceiling = HTTP_HEAD_CEILING}};
}

void http_reply_free(struct http_reply *r)
{
    buf_free(&r->line);
}

static void wrong(struct http_reply *r, const char *what)
{
    r->state = HTTP_WRONG;
    r->error = what;
}

static bool begins(struct slice line, const char *text)
{
    return line.len >= strlen(text) &&
           strncasecmp((const char *)line.data, text, strlen(text)) == 0;
}

static struct slice trimmed(struct slice s)
{
    while (s.len > 0 && (slice_at(s, 0) == ' ' || slice_at(s, 0) == '\t'))
        slice_skip(&s, 1);
    while (s.len > 0 && (slice_at(s, s.len - 1) == ' ' || slice_at(s, s.len - 1) == '\t'))
        s.len--;
    return s;
}

static void copy(char *to, size_t size, struct slice from)
{
    snprintf(to, size, "%.*s", (int)(from.len < size ? from.len : size - 1),
             (const char *)from.data);
}

static void take_length(struct http_reply *r, struct slice value)
{
    uint64_t length = 0;
    for (size_t i = 0; i < value.len; i++) {
        uint8_t digit = slice_at(value, i);
        if (digit < '0' || digit > '9' || length > HTTP_BODY_CEILING * 1000) {
            wrong(r, "its Content-Length is no number");
            return;
        }
        length = length * 10 + (uint64_t)(digit - '0');
    }
    if (value.len == 0 || (r->has_length && length != r->length))
        wrong(r, "it has two different lengths, or an empty one");
    r->has_length = true;
    r->length = length;
}

static void take_field(struct http_reply *r, struct slice line)
{
    if (begins(line, "content-length:"))
        take_length(r, trimmed(slice_sub(line, 15, SIZE_MAX)));
    else if (begins(line, "transfer-encoding:"))
        r->chunked = begins(trimmed(slice_sub(line, 18, SIZE_MAX)), "chunked");
    else if (begins(line, "content-type:"))
        copy(r->type, sizeof(r->type), trimmed(slice_sub(line, 13, SIZE_MAX)));
}

static void take_status(struct http_reply *r, struct slice line)
{
    struct slice code = slice_sub(line, 9, 3);
    if (!begins(line, "HTTP/1.") || code.len < 3) {
        wrong(r, "it is not HTTP/1");
        return;
    }
    r->status = 0;
    for (size_t i = 0; i < 3; i++)
        r->status = r->status * 10 + (unsigned)(slice_at(code, i) - '0') % 10u;
    copy(r->reason, sizeof(r->reason), trimmed(slice_sub(line, 12, SIZE_MAX)));
}

static void head_is_whole(struct http_reply *r)
{
    struct slice head = buf_slice(&r->line);
    bool first = true;
    r->chunked = r->has_length = false;
    while (head.len > 0 && r->state != HTTP_WRONG) {
        size_t end = 0;
        while (end < head.len && slice_at(head, end) != '\n')
            end++;
        struct slice line = slice_take(&head, end);
        slice_skip(&head, head.len ? 1 : 0);
        if (line.len > 0 && slice_at(line, line.len - 1) == '\r')
            line.len--;
        if (first)
            take_status(r, line);
        else
            take_field(r, line);
        first = false;
    }
    buf_clear(&r->line);
    if (r->state == HTTP_WRONG)
        return;
    if (r->status < 200)
        r->state = HTTP_HEAD; /* 100 Continue and the like: the response is still to come */
    else if (r->status == 204 || r->status == 304)
        r->state = HTTP_COMPLETE;
    else if (r->chunked)
        r->state = HTTP_CHUNK_SIZE;
    else if (!r->has_length)
        r->state = HTTP_TO_THE_END;
    else
        r->state = r->length ? HTTP_BODY : HTTP_COMPLETE;
    r->left = r->length;
}

static void take_head(struct http_reply *r, struct slice *bytes)
{
    while (bytes->len > 0 && r->state == HTTP_HEAD) {
        buf_char(&r->line, (char)slice_u8(bytes));
        struct slice head = buf_slice(&r->line);
        size_t n = head.len;
        if (r->line.failed)
            wrong(r, "its header fields are too long (64 KiB)");
        else if (n >= 2 && slice_at(head, n - 1) == '\n' &&
                 (slice_at(head, n - 2) == '\n' ||
                  (n >= 3 && slice_at(head, n - 2) == '\r' && slice_at(head, n - 3) == '\n')))
            head_is_whole(r);
    }
}

/* A line of the body's framing; true when it is whole, in r->line, without its end. */
static bool take_line(struct http_reply *r, struct slice *bytes)
{
    while (bytes->len > 0) {
        char c = (char)slice_u8(bytes);
        if (c == '\n') {
            while (r->line.len > 0 && slice_at(buf_slice(&r->line), r->line.len - 1) == '\r')
                r->line.len--;
            return true;
        }
        buf_char(&r->line, c);
        if (r->line.failed || r->line.len > LINE_CEILING) {
            wrong(r, "a line of its framing is too long");
            return false;
        }
    }
    return false;
}

static void chunk_begins(struct http_reply *r)
{
    uint64_t size = 0;
    size_t digits = 0;
    struct slice line = buf_slice(&r->line);
    for (; digits < line.len && digits < 9; digits++) {
        uint8_t c = slice_at(line, digits) | 0x20u;
        if (c >= '0' && c <= '9')
            size = size << 4 | (uint64_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            size = size << 4 | (uint64_t)(c - 'a' + 10);
        else
            break;
    }
    buf_clear(&r->line);
    if (digits == 0 || digits == 9) {
        wrong(r, "a chunk has no size");
        return;
    }
    r->left = size;
    r->state = size ? HTTP_CHUNK : HTTP_TRAILER;
}

static void take_framing(struct http_reply *r, struct slice *bytes)
{
    if (!take_line(r, bytes))
        return;
    if (r->state == HTTP_CHUNK_SIZE) {
        chunk_begins(r);
        return;
    }
    bool empty = r->line.len == 0;
    buf_clear(&r->line);
    if (r->state == HTTP_CHUNK_END && !empty)
        wrong(r, "a chunk is longer than it says");
    else if (r->state == HTTP_CHUNK_END)
        r->state = HTTP_CHUNK_SIZE;
    else if (empty)
        r->state = HTTP_COMPLETE;
}

static struct slice take_body(struct http_reply *r, struct slice *bytes)
{
    bool counted = r->state != HTTP_TO_THE_END;
    size_t len = counted && r->left < bytes->len ? (size_t)r->left : bytes->len;
    struct slice body = slice_take(bytes, len);
    r->body_len += len;
    if (r->body_len > HTTP_BODY_CEILING)
        wrong(r, "its body is too long (1 GiB)");
    else if (counted && (r->left -= len) == 0)
        r->state = r->state == HTTP_CHUNK ? HTTP_CHUNK_END : HTTP_COMPLETE;
    return body;
}

struct slice http_reply_take(struct http_reply *r, struct slice *bytes)
{
    switch (r->state) {
    case HTTP_HEAD:
        take_head(r, bytes);
        break;
    case HTTP_BODY:
    case HTTP_TO_THE_END:
    case HTTP_CHUNK:
        return take_body(r, bytes);
    case HTTP_CHUNK_SIZE:
    case HTTP_CHUNK_END:
    case HTTP_TRAILER:
        take_framing(r, bytes);
        break;
    case HTTP_COMPLETE:
    case HTTP_WRONG:
        break;
    }
    return slice_empty();
}

bool http_reply_ended(struct http_reply *r)
{
    if (r->state == HTTP_TO_THE_END)
        r->state = HTTP_COMPLETE;
    return r->state == HTTP_COMPLETE;
}
