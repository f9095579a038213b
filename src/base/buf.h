/* A growing byte buffer with a ceiling, and the small formatters that output is made of.
 *
 * A write that would pass the ceiling, or that finds no memory, is dropped whole and sets `failed`;
 * nothing is ever written past the end.  Memory is kept when the buffer is cleared, so that a
 * buffer in steady use allocates nothing. */
#ifndef TLSWIRE_BASE_BUF_H
#define TLSWIRE_BASE_BUF_H

#include "base/budget.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
    uint8_t *data; /* owned */
    size_t len;
    size_t cap;
    size_t ceiling; /* most bytes it may hold; 0 means BUF_CEILING */
    bool failed;
    struct budget *budget; /* borrowed; NULL: none */
};

#define BUF_CEILING ((size_t)1 << 30)

void buf_free(struct buf *b);
/* Frees after overwriting the bytes: for secrets. */
void buf_wipe(struct buf *b);
/* Makes room for N more bytes; false when the ceiling or memory says no. */
bool buf_grow(struct buf *b, size_t n);

static inline void buf_clear(struct buf *b)
{
    b->len = 0;
    b->failed = false;
}

static inline struct slice buf_slice(const struct buf *b)
{
    return slice_of(b->data ? b->data : (const uint8_t *)"", b->len);
}

static inline bool buf_room(struct buf *b, size_t n)
{
    return b->cap - b->len >= n || buf_grow(b, n);
}

static inline void buf_put(struct buf *b, const void *bytes, size_t n)
{
    if (n > 0 && buf_room(b, n)) {
        memcpy(b->data + b->len, bytes, n);
        b->len += n;
    }
}

static inline void buf_char(struct buf *b, char c)
{
    if (buf_room(b, 1))
        b->data[b->len++] = (uint8_t)c;
}

static inline void buf_slice_put(struct buf *b, struct slice s)
{
    buf_put(b, s.data, s.len);
}

static inline void buf_str(struct buf *b, const char *text)
{
    buf_put(b, text, strlen(text));
}

/* N copies of C. */
void buf_fill(struct buf *b, char c, size_t n);
void buf_dec(struct buf *b, uint64_t value);
void buf_sdec(struct buf *b, int64_t value);
/* Right-justified in WIDTH columns with FILL. */
void buf_dec_pad(struct buf *b, uint64_t value, size_t width, char fill);
/* Lower-case hexadecimal, at least WIDTH digits, no prefix. */
void buf_hex(struct buf *b, uint64_t value, size_t width);
/* The bytes as two hex digits each, with SEPARATOR between them unless it is '\0'. */
void buf_hex_bytes(struct buf *b, struct slice bytes, char separator);
/* printf, for the rare line; not for the hot path. */
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Seconds with nine decimals (or DECIMALS of them, cut) from nanoseconds. */
void buf_nanoseconds(struct buf *b, int64_t ns, unsigned decimals);
/* The text as a terminal may show it: control bytes and broken UTF-8 as \xNN, nothing else changed.
 */
void buf_escaped(struct buf *b, struct slice text);

/* Addresses of 4 and 16 bytes as text: "127.0.0.1", "2001:db8::1" (RFC 5952). */
void buf_ipv4(struct buf *b, struct slice address);
void buf_ipv6(struct buf *b, struct slice address);

#endif
