/* The only reader of bytes.
 *
 * A slice borrows a run of bytes; it never owns or copies them.  Reading takes from its front.  A read
 * that asks for more than is there takes nothing, returns zero, empties the slice and sets `failed`, so
 * that every later read fails harmlessly: a parser reads straight through and asks once, at the end.
 *
 * No other file does pointer arithmetic, memcpy or byte-order conversion on bytes from outside. */
#ifndef TLSWIRE_BASE_SLICE_H
#define TLSWIRE_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
    const uint8_t *data;
    size_t len;
    bool failed; /* a read went past the end */
};

static inline struct slice slice_of(const void *data, size_t len)
{
    return (struct slice){.data = data, .len = len, .failed = false};
}

static inline struct slice slice_of_str(const char *text)
{
    return slice_of(text, strlen(text));
}

static inline struct slice slice_empty(void)
{
    return (struct slice){.data = (const uint8_t *)"", .len = 0, .failed = false};
}

/* Takes the first N bytes as a slice of its own; an empty, failed one when there are fewer. */
static inline struct slice slice_take(struct slice *s, size_t n)
{
    if (n > s->len) {
        s->data =
            s->len > 0 ? s->data + s->len : s->data; /* it may be NULL: a slice that was zeroed */
        s->len = 0;
        s->failed = true;
        return (struct slice){.data = s->data, .len = 0, .failed = true};
    }
    struct slice head = {.data = s->data, .len = n, .failed = false};
    s->data = n > 0 ? s->data + n : s->data;
    s->len -= n;
    return head;
}

static inline bool slice_skip(struct slice *s, size_t n)
{
    return !slice_take(s, n).failed;
}

static inline uint8_t slice_u8(struct slice *s)
{
    struct slice b = slice_take(s, 1);
    return b.failed ? 0 : b.data[0];
}

static inline uint16_t slice_u16(struct slice *s)
{
    struct slice b = slice_take(s, 2);
    return b.failed ? 0 : (uint16_t)((unsigned)b.data[0] << 8 | b.data[1]);
}

static inline uint32_t slice_u24(struct slice *s)
{
    struct slice b = slice_take(s, 3);
    return b.failed ? 0 : (uint32_t)b.data[0] << 16 | (uint32_t)b.data[1] << 8 | b.data[2];
}

static inline uint32_t slice_u32(struct slice *s)
{
    struct slice b = slice_take(s, 4);
    return b.failed ? 0
                    : (uint32_t)b.data[0] << 24 | (uint32_t)b.data[1] << 16 |
                          (uint32_t)b.data[2] << 8 | b.data[3];
}

static inline uint64_t slice_u64(struct slice *s)
{
    if (s->len < 8)
        return slice_take(s, 8).len; /* fails, 0 */
    uint64_t high = slice_u32(s);
    return high << 32 | slice_u32(s);
}

/* Unsigned big-endian number of N bytes, 1 to 8. */
static inline uint64_t slice_uint(struct slice *s, size_t n)
{
    struct slice b = slice_take(s, n);
    uint64_t value = 0;
    for (size_t i = 0; i < b.len; i++)
        value = value << 8 | b.data[i];
    return value;
}

static inline uint16_t slice_le16(struct slice *s)
{
    struct slice b = slice_take(s, 2);
    return b.failed ? 0 : (uint16_t)((unsigned)b.data[1] << 8 | b.data[0]);
}

static inline uint32_t slice_le32(struct slice *s)
{
    struct slice b = slice_take(s, 4);
    return b.failed ? 0
                    : (uint32_t)b.data[3] << 24 | (uint32_t)b.data[2] << 16 |
                          (uint32_t)b.data[1] << 8 | b.data[0];
}

static inline uint64_t slice_le64(struct slice *s)
{
    if (s->len < 8)
        return slice_take(s, 8).len;
    uint64_t low = slice_le32(s);
    return (uint64_t)slice_le32(s) << 32 | low;
}

/* Copies the first N bytes to TO and takes them; false, and nothing copied, when there are fewer. */
static inline bool slice_read(struct slice *s, void *to, size_t n)
{
    struct slice bytes = slice_take(s, n);
    if (!bytes.failed && n > 0)
        memcpy(to, bytes.data, n);
    return !bytes.failed;
}

/* Byte I without taking it; 0 past the end. */
static inline uint8_t slice_at(struct slice s, size_t i)
{
    return i < s.len ? s.data[i] : 0;
}

/* The part from OFFSET on, of LEN bytes, clipped to what is there; never fails. */
static inline struct slice slice_sub(struct slice s, size_t offset, size_t len)
{
    if (offset > s.len)
        offset = s.len;
    if (len > s.len - offset)
        len = s.len - offset;
    return slice_of(offset > 0 ? s.data + offset : s.data, len);
}

static inline bool slice_equal(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline bool slice_is(struct slice s, const char *text)
{
    return slice_equal(s, slice_of_str(text));
}

#endif
