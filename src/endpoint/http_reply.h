/* An HTTP/1 response as it comes: a status, header fields, and a body whose end its own framing
 * tells (RFC 9112 6).  For `tlswire connect --get`. */
#ifndef TLSWIRE_ENDPOINT_HTTP_REPLY_H
#define TLSWIRE_ENDPOINT_HTTP_REPLY_H

#include "base/buf.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

#define HTTP_HEAD_CEILING ((size_t)64 << 10)
#define HTTP_BODY_CEILING ((uint64_t)1 << 30)

enum http_state {
    HTTP_HEAD,
    HTTP_BODY,       /* `left` bytes */
    HTTP_TO_THE_END, /* of the connection */
    HTTP_CHUNK_SIZE,
    HTTP_CHUNK,
    HTTP_CHUNK_END,
    HTTP_TRAILER,
    HTTP_COMPLETE,
    HTTP_WRONG, /* `error` says what */
};

struct http_reply {
    enum http_state state;
    struct buf line; /* what of a line, or of the head, has come */
    unsigned status;
    char reason[128]; /* as the server says it: not escaped */
    char type[128];   /* Content-Type */
    uint64_t left, body_len, length;
    bool chunked, has_length;
    const char *error;
};

void http_reply_init(struct http_reply *);
void http_reply_free(struct http_reply *);
/* Takes from the front of BYTES what belongs together, and returns what of it is body; call until BYTES
 * is empty or the state is HTTP_COMPLETE or HTTP_WRONG. */
struct slice http_reply_take(struct http_reply *, struct slice *bytes);
/* The connection has ended: whether all has come. */
bool http_reply_ended(struct http_reply *);

#endif
