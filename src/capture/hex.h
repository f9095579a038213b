/* Bytes out of text: hex dumps as xxd, hexdump, od, tshark -x, openssl s_client -debug and -msg and curl
 * --trace write them, plain hexadecimal with or without separators, arrays and strings of C and Python,
 * and base64.  The forms are told apart by what the lines look like; lines that hold no bytes are passed
 * over. */
#ifndef TLSWIRE_CAPTURE_HEX_H
#define TLSWIRE_CAPTURE_HEX_H

#include "base/buf.h"
#include "base/slice.h"

#include <stdbool.h>

enum hex_kind {
    HEX_BYTES,   /* no one knows what: see made_guess() */
    HEX_STREAM,  /* a piece of what one side sent over TCP */
    HEX_MESSAGE, /* a message of TLS without its record */
};

struct hex_chunk {
    struct slice bytes; /* borrowed for the time of the call */
    enum hex_kind kind;
    bool from_server;     /* STREAM, MESSAGE */
    uint8_t content_type; /* MESSAGE */
};

typedef void hex_emit(void *context, const struct hex_chunk *chunk);

/* Hands out all that TEXT holds, in its order.  False when it holds no bytes. */
bool hex_read(struct slice text, hex_emit *emit, void *context);
/* Whether TEXT is what openssl s_client or curl tell of a connection: then certificates in it are not what
 * it is about. */
bool hex_is_trace(struct slice text);
/* Decodes base64 (RFC 4648 4), white space in it passed over; false when it is none. */
bool base64_read(struct slice text, struct buf *bytes);

#endif
