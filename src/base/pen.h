/* Writing text of bounded length without asking for room at each word.
 *
 * Whoever writes asks the buffer once for the most that a piece of text may take, and writes from buf_pen() on; each of
 * these returns where the next one goes on, and buf_pen_down() ends it.  The bound stands beside the code as a number;
 * PEN_SLACK more must be there, as short texts are moved in steps of a fixed size. */
#ifndef TLSWIRE_BASE_PEN_H
#define TLSWIRE_BASE_PEN_H

#include "base/buf.h"

#define PEN_SLACK         16
#define PEN_DIGITS        20 /* of a number, at most */
#define PEN_IPV4_BYTES    15
#define PEN_IPV6_BYTES    46
#define PEN_SECONDS_BYTES 31

/* The numbers of an octet with how many digits they have. */
extern const uint8_t pen_octets[256][4];

/* NULL when there is no room for N bytes and the slack. */
static inline uint8_t *buf_pen(struct buf *b, size_t n)
{
    return buf_room(b, n + PEN_SLACK) ? b->data + b->len : NULL;
}

static inline void buf_pen_down(struct buf *b, const uint8_t *to)
{
    b->len = (size_t)(to - b->data);
}

static inline uint8_t *pen_char(uint8_t *to, char c)
{
    *to = (uint8_t)c;
    return to + 1;
}

static inline uint8_t *pen_bytes(uint8_t *to, const char *text, size_t n)
{
    memcpy(to, text, n);
    return to + n;
}

/* A literal, whose length the compiler knows. */
#define PEN_TEXT(to, text) pen_bytes((to), "" text, sizeof(text) - 1)

/* The eight digits of VALUE, below 10^8, one a byte and the first in the lowest: halves of the number are divided side
 * by side, three times over. */
static inline uint64_t pen_digits(uint32_t value)
{
    uint32_t high = value / 10000;
    uint64_t four = high | (uint64_t)(value - high * 10000) << 32;
    uint64_t hundreds = (four * 10486 >> 20) & 0x7f0000007f;
    uint64_t two = hundreds | (four - hundreds * 100) << 16;
    uint64_t tens = (two * 103 >> 10) & 0xf000f000f000f;
    return tens | (two - tens * 10) << 8;
}

/* The eight bytes of LETTERS, the lowest first: one move where memory is in that order. */
static inline void pen_eight(uint8_t *to, uint64_t letters)
{
    for (unsigned i = 0; i < 8; i++)
        to[i] = (uint8_t)(letters >> 8 * i);
}

#define PEN_ZEROS UINT64_C(0x3030303030303030)

/* The last N (1 to 8) digits of VALUE, below 10^8, with zeros in front. */
static inline uint8_t *pen_last(uint8_t *to, uint32_t value, unsigned n)
{
    pen_eight(to, (pen_digits(value) | PEN_ZEROS) >> (64 - 8 * n));
    return to + n;
}

static inline uint8_t *pen_small(uint8_t *to, uint32_t value)
{
    if (value < 10) {
        *to = (uint8_t)('0' + value);
        return to + 1;
    }
    if (value < 100000000) {
        uint64_t digits = pen_digits(value);
        unsigned zeros = (unsigned)__builtin_ctzll(digits) / 8;
        pen_eight(to, (digits | PEN_ZEROS) >> 8 * zeros);
        return to + 8 - zeros;
    }
    uint32_t first = value / 100000000;
    to = first < 10 ? pen_char(to, (char)('0' + first)) : pen_last(to, first, 2);
    return pen_last(to, value - first * 100000000, 8);
}

/* Of more than 32 bits. */
uint8_t *pen_large(uint8_t *to, uint64_t value);

static inline uint8_t *pen_dec(uint8_t *to, uint64_t value)
{
    return value <= UINT32_MAX ? pen_small(to, (uint32_t)value) : pen_large(to, value);
}

/* The address of four bytes at OCTETS; what it is not sure of is written over later. */
static inline uint8_t *pen_ipv4(uint8_t *to, const uint8_t *octets)
{
    for (unsigned i = 0; i < 4; i++) {
        const uint8_t *octet = pen_octets[octets[i]];
        memcpy(to, octet, 4);
        to += octet[3];
        *to++ = '.';
    }
    return to - 1;
}

/* Widens what stands from AT to TO to WIDTH (at most PEN_SLACK) with spaces, behind it or before it. */
static inline uint8_t *pen_padded(uint8_t *at, uint8_t *to, size_t width, bool to_the_right)
{
    size_t used = (size_t)(to - at);
    if (used >= width)
        return to;
    if (to_the_right) {
        uint8_t text[PEN_SLACK];
        memcpy(text, at, PEN_SLACK); /* what is behind the text is written over later */
        memset(at, ' ', PEN_SLACK);
        memcpy(at + width - used, text, PEN_SLACK);
    } else {
        memset(to, ' ', PEN_SLACK);
    }
    return at + width;
}

/* Seconds and DECIMALS (0 to 9) of them, cut, from nanoseconds. */
uint8_t *pen_seconds(uint8_t *to, int64_t ns, unsigned decimals);

#endif
