/* Texts and bytes at a cursor (base/pen.h), for lines that are made of many short pieces.
 *
 * They are moved in whole steps: up to PEN_STEP bytes behind what a function returns may be written over, and the room
 * that was asked for has so many more. */
#ifndef TLSWIRE_BASE_PEN_TEXT_H
#define TLSWIRE_BASE_PEN_TEXT_H

#include "base/pen.h"

#define PEN_STEP 32
/* Behind a constant text that pen_phrase() takes: it is read in whole steps, too. */
#define PEN_PAD "                                "

extern const char pen_hex_digits[17];    /* "0" to "f" */
extern const char pen_hex_pairs[256][4]; /* "00:" to "ff:" */

/* TEXT has PEN_PAD behind its LEN bytes. */
static inline uint8_t *pen_phrase(uint8_t *to, const char *text, size_t len)
{
    memcpy(to, text, PEN_STEP);
    for (size_t i = PEN_STEP; i < len; i += PEN_STEP)
        memcpy(to + i, text + i, PEN_STEP);
    return to + len;
}

/* Exactly N bytes are read, and written: the last move may lie over the one before.  For a few dozen of them. */
static inline uint8_t *pen_few(uint8_t *to, const void *bytes, size_t n)
{
    const uint8_t *from = bytes;
    if (n >= 16) {
        for (size_t i = 0; i + 16 < n; i += 16)
            memcpy(to + i, from + i, 16);
        memcpy(to + n - 16, from + n - 16, 16);
    } else if (n >= 8) {
        memcpy(to, from, 8);
        memcpy(to + n - 8, from + n - 8, 8);
    } else if (n >= 4) {
        memcpy(to, from, 4);
        memcpy(to + n - 4, from + n - 4, 4);
    } else if (n > 0) {
        to[0] = from[0];
        to[n / 2] = from[n / 2];
        to[n - 1] = from[n - 1];
    }
    return to + n;
}

static inline uint8_t *pen_slice(uint8_t *to, struct slice s)
{
    return pen_few(to, s.data, s.len);
}

static inline uint8_t *pen_str(uint8_t *to, const char *text)
{
    return pen_few(to, text, strlen(text));
}

/* Lower-case hexadecimal, at least DIGITS of them, no prefix. */
static inline uint8_t *pen_hex(uint8_t *to, uint64_t value, unsigned digits)
{
    while (digits < 16 && value >> (4 * digits) != 0)
        digits++;
    if (digits == 0)
        digits = 1;
    if (digits & 1)
        *to++ = (uint8_t)pen_hex_digits[value >> (4 * --digits) & 15];
    while (digits > 0) {
        digits -= 2;
        memcpy(to, pen_hex_pairs[value >> (4 * digits) & 255], 2);
        to += 2;
    }
    return to;
}

/* Two hexadecimal digits for each byte. */
static inline uint8_t *pen_hex_bytes(uint8_t *to, struct slice bytes)
{
    for (size_t i = 0; i < bytes.len; i++, to += 2)
        memcpy(to, pen_hex_pairs[bytes.data[i]], 2);
    return to;
}

/* The same with colons between them. */
static inline uint8_t *pen_hex_colons(uint8_t *to, struct slice bytes)
{
    for (size_t i = 0; i < bytes.len; i++, to += 3)
        memcpy(to, pen_hex_pairs[bytes.data[i]], 4);
    return bytes.len > 0 ? to - 1 : to;
}

#endif
