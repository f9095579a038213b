/* HTTP inside application data, as a stream in pieces of any size: HTTP/1.x (RFC 9112) and HTTP/2 (RFC 9113).
 *
 * What is asked and answered comes out as one `struct http_event` for each head, each run of a body within a
 * piece, each frame.  Of a head only what names the exchange is kept: method, authority, path, status, media
 * type, length; cookies and credentials are passed over.  Memory has a ceiling for each connection, and what
 * does not fit is marked. */
#ifndef TLSWIRE_DISSECT_HTTP_H
#define TLSWIRE_DISSECT_HTTP_H

#include "base/buf.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

#define HTTP_LINE_MAX ((size_t)8192)      /* bytes of a line that are looked at */
#define HTTP_TEXT_MAX ((size_t)8192)      /* bytes that are kept of one head */
#define HTTP_HEAD_MAX ((uint32_t)1 << 18) /* bytes of one head: more is no HTTP */

enum http_head_kind { HTTP_NO_HEAD, HTTP_REQUEST, HTTP_RESPONSE, HTTP_TRAILERS };

/* What names an exchange; the texts lie in the parser, and are raw bytes of the sender's. */
struct http_head {
    struct slice method, scheme, authority, path, version, type, upgrade;
    uint64_t length; /* of the content, as announced */
    uint16_t code;
    uint8_t kind; /* enum http_head_kind */
    bool has_length;
    bool cut; /* a text was too long to be kept whole */
};

struct http_frame {
    uint32_t length, error; /* payload; error code of RST_STREAM and GOAWAY */
    uint8_t type, flags;
    bool is_one, has_error; /* is_one: it begins in this piece */
};

struct http_event {
    uint32_t stream; /* HTTP/2's; for HTTP/1.x the exchange's number in the connection, from 1 */
    uint32_t offset, length; /* in the piece */
    uint64_t body;           /* bytes of the content in this piece */
    struct http_head head;
    struct http_frame frame;
    const char *note; /* static: what is odd; NULL: nothing */
    bool end;         /* the message is complete */
};

struct http_sink {
    void (*put)(void *context, const struct http_event *e);
    void *context;
};

/* A text kept in a buffer. */
struct http_text {
    uint32_t at, len;
};

/* Keeps TEXT in KEPT; false when it had to be cut. */
static inline bool http_keep(struct buf *kept, struct http_text *to, struct slice text)
{
    size_t room = kept->ceiling - kept->len;
    struct slice part = slice_sub(text, 0, room);
    to->at = (uint32_t)kept->len;
    buf_slice_put(kept, part);
    to->len = (uint32_t)(kept->len - to->at);
    return to->len == text.len;
}

static inline struct slice http_text(const struct buf *kept, struct http_text text)
{
    return slice_sub(buf_slice(kept), text.at, text.len);
}

/* The decimal number that TEXT is; false when it is none, or too large. */
bool http_number(struct slice text, uint64_t *out);

/* ---- http1.c ---- */

struct http1;

/* NULL when there is no memory. */
struct http1 *http1_new(void);
void http1_free(struct http1 *h);
/* Bytes that it holds. */
size_t http1_size(const struct http1 *h);
/* Whether the bytes begin like a request, or a response. */
bool http1_looks(struct slice bytes);
/* The next bytes that the client, or the server, sent. */
void http1_read(struct http1 *h, bool client, struct slice bytes, const struct http_sink *sink);
/* Bytes of that side are missing: reading goes on where a message begins. */
void http1_gap(struct http1 *h, bool client);
/* The side sends no more: ends a body that only this ends. */
void http1_close(struct http1 *h, bool client, const struct http_sink *sink);

/* ---- http2.c ---- */

struct http2;

struct http2 *http2_new(void);
void http2_free(struct http2 *h);
size_t http2_size(const struct http2 *h);
/* Whether the bytes are what a client begins HTTP/2 with. */
bool http2_is_preface(struct slice bytes);
/* Whether the bytes are frames up to their last one. */
bool http2_looks(struct slice bytes);
void http2_read(struct http2 *h, bool client, struct slice bytes, const struct http_sink *sink);
/* Bytes of that side are missing: reading goes on where frames begin; the texts of heads stay compressed. */
void http2_gap(struct http2 *h, bool client);

#endif
