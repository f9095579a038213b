#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void buf_free(struct buf *b)
{
    free(b->data);
    budget_give(b->budget, b->cap);
    *b = (struct buf){.ceiling = b->ceiling, .budget = b->budget};
}

void buf_wipe(struct buf *b)
{
    if (b->data)
        explicit_bzero(b->data, b->cap);
    buf_free(b);
}

bool buf_grow(struct buf *b, size_t n)
{
    size_t ceiling = b->ceiling ? b->ceiling : BUF_CEILING;
    if (b->failed || n > ceiling || b->len > ceiling - n) {
        b->failed = true;
        return false;
    }
    size_t want = b->len + n;
    size_t cap = b->cap ? b->cap : 256;
    while (cap < want)
        cap *= 2;
    if (!budget_take(b->budget, cap - b->cap)) {
        b->failed = true;
        return false;
    }
    uint8_t *data = realloc(b->data, cap);
    if (!data) {
        budget_give(b->budget, cap - b->cap);
        b->failed = true;
        return false;
    }
    b->data = data;
    b->cap = cap;
    return true;
}

void buf_fill(struct buf *b, char c, size_t n)
{
    if (n > 0 && buf_room(b, n)) {
        memset(b->data + b->len, c, n);
        b->len += n;
    }
}

void buf_sdec(struct buf *b, int64_t value)
{
    uint64_t magnitude = (uint64_t)value;
    if (value < 0) {
        buf_char(b, '-');
        magnitude = 0 - magnitude;
    }
    buf_dec(b, magnitude);
}

/* Two digits at a time: numbers are most of what a summary line is made of. */
static const char digit_pairs[] =
    "00010203040506070809101112131415161718192021222324252627282930313233"
    "34353637383940414243444546474849505152535455565758596061626364656667"
    "6869707172737475767778798081828384858687888990919293949596979899";

#define MOST_DIGITS 20

/* How many digits a number above 99 has. */
static inline unsigned digits_of(uint32_t value)
{
    if (value < 100000)
        return value < 1000 ? 3 : value < 10000 ? 4 : 5;
    if (value < 10000000)
        return value < 1000000 ? 6 : 7;
    return value < 100000000 ? 8 : value < 1000000000 ? 9 : 10;
}

/* Writes the last N digits of VALUE, with zeros in front. */
static inline void put_last(uint8_t *to, uint32_t value, unsigned n)
{
    for (; n >= 2; n -= 2) {
        memcpy(to + n - 2, digit_pairs + value % 100 * 2, 2);
        value /= 100;
    }
    if (n > 0)
        *to = (uint8_t)('0' + value % 10);
}

/* 32 bits divide faster than 64. */
static inline uint8_t *put_small(uint8_t *to, uint32_t value)
{
    if (value < 10) {
        *to = (uint8_t)('0' + value);
        return to + 1;
    }
    if (value < 100) {
        memcpy(to, digit_pairs + value * 2, 2);
        return to + 2;
    }
    unsigned n = digits_of(value);
    put_last(to, value, n);
    return to + n;
}

/* In parts of nine digits. */
static uint8_t *put_large(uint8_t *to, uint64_t value)
{
    uint64_t first = value / 1000000000;
    if (first <= UINT32_MAX) {
        to = put_small(to, (uint32_t)first);
    } else {
        to = put_small(to, (uint32_t)(first / 1000000000));
        put_last(to, (uint32_t)(first % 1000000000), 9);
        to += 9;
    }
    put_last(to, (uint32_t)(value % 1000000000), 9);
    return to + 9;
}

/* Writes the digits of VALUE at TO, which has room for MOST_DIGITS of them; returns their end. */
static inline uint8_t *put_digits(uint8_t *to, uint64_t value)
{
    return value <= UINT32_MAX ? put_small(to, (uint32_t)value) : put_large(to, value);
}

void buf_dec(struct buf *b, uint64_t value)
{
    if (!buf_room(b, MOST_DIGITS))
        return;
    b->len = (size_t)(put_digits(b->data + b->len, value) - b->data);
}

void buf_dec_pad(struct buf *b, uint64_t value, size_t width, char fill)
{
    uint8_t digits[MOST_DIGITS];
    size_t n = (size_t)(put_digits(digits, value) - digits);
    if (n < width)
        buf_fill(b, fill, width - n);
    buf_put(b, digits, n);
}

static const char hex_digits[] = "0123456789abcdef";

void buf_hex(struct buf *b, uint64_t value, size_t width)
{
    char digits[16];
    size_t n = sizeof digits;
    do {
        digits[--n] = hex_digits[value & 15];
        value >>= 4;
    } while (value);
    size_t used = sizeof digits - n;
    if (used < width)
        buf_fill(b, '0', width - used);
    buf_put(b, digits + n, used);
}

void buf_hex_bytes(struct buf *b, struct slice bytes, char separator)
{
    if (bytes.len == 0 || !buf_room(b, bytes.len * 3))
        return;
    uint8_t *to = b->data + b->len;
    for (size_t i = 0; i < bytes.len; i++) {
        if (separator && i)
            *to++ = (uint8_t)separator;
        *to++ = (uint8_t)hex_digits[bytes.data[i] >> 4];
        *to++ = (uint8_t)hex_digits[bytes.data[i] & 15];
    }
    b->len = (size_t)(to - b->data);
}

void buf_printf(struct buf *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0 || !buf_room(b, (size_t)n + 1))
        return;
    va_start(args, format);
    vsnprintf((char *)b->data + b->len, (size_t)n + 1, format, args);
    va_end(args);
    b->len += (size_t)n;
}

void buf_nanoseconds(struct buf *b, int64_t ns, unsigned decimals)
{
    uint64_t magnitude = (uint64_t)ns;
    if (ns < 0) {
        buf_char(b, '-');
        magnitude = 0 - magnitude;
    }
    buf_dec(b, magnitude / 1000000000u);
    if (decimals == 0)
        return;
    uint64_t fraction = magnitude % 1000000000u;
    for (unsigned i = decimals; i < 9; i++)
        fraction /= 10;
    if (!buf_room(b, 10))
        return;
    b->data[b->len++] = '.';
    unsigned shown = decimals > 9 ? 9 : decimals;
    put_last(b->data + b->len, (uint32_t)fraction, shown);
    b->len += shown;
}

/* Length of the well-formed UTF-8 sequence at the front of S, 0 when there is none (RFC 3629 4). */
static size_t utf8_sequence(struct slice s)
{
    uint8_t lead = slice_at(s, 0);
    size_t n = lead < 0x80 ? 1 : lead >= 0xc2 && lead < 0xe0 ? 2 : (lead & 0xf0) == 0xe0 ? 3 : 4;
    if (n == 1)
        return 1;
    if (lead < 0xc2 || lead > 0xf4 || s.len < n)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((s.data[i] & 0xc0) != 0x80)
            return 0;
    uint8_t second = s.data[1];
    bool overlong = (lead == 0xe0 && second < 0xa0) || (lead == 0xf0 && second < 0x90);
    bool outside = (lead == 0xed && second > 0x9f) || (lead == 0xf4 && second > 0x8f);
    bool c1_control = lead == 0xc2 && second < 0xa0;
    return overlong || outside || c1_control ? 0 : n;
}

void buf_escaped(struct buf *b, struct slice text)
{
    while (text.len > 0) {
        size_t n = utf8_sequence(text);
        uint8_t c = text.data[0];
        if (n == 0 || (n == 1 && (c < 0x20 || c == 0x7f))) {
            buf_str(b, "\\x");
            buf_hex(b, c, 2);
            n = 1;
        } else {
            buf_put(b, text.data, n);
        }
        slice_skip(&text, n);
    }
}

#define TEN_OCTETS(tens)                                                                    \
    tens "0.", tens "1.", tens "2.", tens "3.", tens "4.", tens "5.", tens "6.", tens "7.", \
        tens "8.", tens "9."

/* Each byte with the dot behind it. */
static const char octets[256][4] = {
    TEN_OCTETS(""),   TEN_OCTETS("1"),  TEN_OCTETS("2"),  TEN_OCTETS("3"),  TEN_OCTETS("4"),
    TEN_OCTETS("5"),  TEN_OCTETS("6"),  TEN_OCTETS("7"),  TEN_OCTETS("8"),  TEN_OCTETS("9"),
    TEN_OCTETS("10"), TEN_OCTETS("11"), TEN_OCTETS("12"), TEN_OCTETS("13"), TEN_OCTETS("14"),
    TEN_OCTETS("15"), TEN_OCTETS("16"), TEN_OCTETS("17"), TEN_OCTETS("18"), TEN_OCTETS("19"),
    TEN_OCTETS("20"), TEN_OCTETS("21"), TEN_OCTETS("22"), TEN_OCTETS("23"), TEN_OCTETS("24"),
    "250.",           "251.",           "252.",           "253.",           "254.",
    "255.",
};

void buf_ipv4(struct buf *out, struct slice bytes)
{
    if (!buf_room(out, 4 * sizeof *octets))
        return;
    uint8_t *to = out->data + out->len;
    for (size_t i = 0; i < 4; i++) {
        uint8_t octet = slice_at(bytes, i);
        memcpy(to, octets[octet], sizeof *octets);
        to += octet < 10 ? 2 : octet < 100 ? 3 : 4;
    }
    out->len = (size_t)(to - out->data) - 1;
}

struct zero_run {
    size_t at, len;
};

static struct zero_run longest_zeros(const uint16_t groups[8])
{
    struct zero_run best = {8, 1}; /* RFC 5952 4.2.2: one group alone is not shortened */
    for (size_t i = 0; i < 8; i++) {
        size_t len = 0;
        while (i + len < 8 && groups[i + len] == 0)
            len++;
        if (len > best.len)
            best = (struct zero_run){i, len};
        i += len;
    }
    return best;
}

void buf_ipv6(struct buf *out, struct slice bytes)
{
    uint16_t groups[8];
    struct slice rest = bytes;
    for (size_t i = 0; i < 8; i++)
        groups[i] = slice_u16(&rest);
    struct zero_run zeros = longest_zeros(groups);
    /* RFC 5952 5: mapped and compatible addresses end in dotted form. */
    bool mapped = zeros.at == 0 && ((zeros.len == 5 && groups[5] == 0xffff) || zeros.len == 6);
    for (size_t i = 0; i < 8; i++) {
        if (i == zeros.at) {
            buf_str(out, "::");
            i += zeros.len - 1;
            continue;
        }
        if (mapped && i == 6) {
            if (zeros.len == 5)
                buf_char(out, ':');
            buf_ipv4(out, slice_sub(bytes, 12, 4));
            return;
        }
        if (i > 0 && i != zeros.at + zeros.len)
            buf_char(out, ':');
        buf_hex(out, groups[i], 1);
    }
}
