#include "base/pen_text.h"

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

/* In parts of eight digits. */
uint8_t *pen_large(uint8_t *to, uint64_t value)
{
    uint64_t first = value / 100000000;
    if (first <= UINT32_MAX) {
        to = pen_small(to, (uint32_t)first);
    } else {
        to = pen_small(to, (uint32_t)(first / 100000000));
        to = pen_last(to, (uint32_t)(first % 100000000), 8);
    }
    return pen_last(to, (uint32_t)(value % 100000000), 8);
}

uint8_t *pen_seconds(uint8_t *to, int64_t ns, unsigned decimals)
{
    uint64_t magnitude = (uint64_t)ns;
    if (ns < 0) {
        *to++ = '-';
        magnitude = 0 - magnitude;
    }
    uint64_t seconds = magnitude / 1000000000;
    uint32_t fraction = (uint32_t)(magnitude - seconds * 1000000000);
    to = pen_dec(to, seconds);
    if (decimals == 0)
        return to;
    *to++ = '.';
    if (decimals == 6)
        return pen_last(to, fraction / 1000, 6);
    uint8_t *end = to + (decimals < 9 ? decimals : 9);
    to = pen_char(to, (char)('0' + fraction / 100000000));
    (void)pen_last(to, fraction % 100000000, 8); /* those that are not asked for are written over */
    return end;
}

void buf_dec(struct buf *b, uint64_t value)
{
    uint8_t *to = buf_pen(b, PEN_DIGITS);
    if (to)
        buf_pen_down(b, pen_dec(to, value));
}

void buf_dec_pad(struct buf *b, uint64_t value, size_t width, char fill)
{
    uint8_t digits[PEN_DIGITS + PEN_SLACK];
    size_t n = (size_t)(pen_dec(digits, value) - digits);
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
    if (bytes.len == 0 || !buf_room(b, bytes.len * 3 + 1))
        return;
    uint8_t *start = b->data + b->len;
    if (separator == '\0') {
        buf_pen_down(b, pen_hex_bytes(start, bytes));
        return;
    }
    uint8_t *end = pen_hex_colons(start, bytes);
    if (separator != ':')
        for (uint8_t *at = start + 2; at < end; at += 3)
            *at = (uint8_t)separator;
    buf_pen_down(b, end);
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
    uint8_t *to = buf_pen(b, PEN_SECONDS_BYTES);
    if (to)
        buf_pen_down(b, pen_seconds(to, ns, decimals));
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

#define TEN_OF(hundreds, tens)                                                        \
    {hundreds, tens, '0', 3}, {hundreds, tens, '1', 3}, {hundreds, tens, '2', 3},     \
        {hundreds, tens, '3', 3}, {hundreds, tens, '4', 3}, {hundreds, tens, '5', 3}, \
        {hundreds, tens, '6', 3}, {hundreds, tens, '7', 3}, {hundreds, tens, '8', 3}, \
    {                                                                                 \
        hundreds, tens, '9', 3                                                        \
    }
#define TEN_BELOW(tens)                                                                            \
    {tens, '0', 0, 2}, {tens, '1', 0, 2}, {tens, '2', 0, 2}, {tens, '3', 0, 2}, {tens, '4', 0, 2}, \
        {tens, '5', 0, 2}, {tens, '6', 0, 2}, {tens, '7', 0, 2}, {tens, '8', 0, 2},                \
    {                                                                                              \
        tens, '9', 0, 2                                                                            \
    }

const uint8_t pen_octets[256][4] = {
    {'0', 0, 0, 1},     {'1', 0, 0, 1},     {'2', 0, 0, 1},     {'3', 0, 0, 1},
    {'4', 0, 0, 1},     {'5', 0, 0, 1},     {'6', 0, 0, 1},     {'7', 0, 0, 1},
    {'8', 0, 0, 1},     {'9', 0, 0, 1},     TEN_BELOW('1'),     TEN_BELOW('2'),
    TEN_BELOW('3'),     TEN_BELOW('4'),     TEN_BELOW('5'),     TEN_BELOW('6'),
    TEN_BELOW('7'),     TEN_BELOW('8'),     TEN_BELOW('9'),     TEN_OF('1', '0'),
    TEN_OF('1', '1'),   TEN_OF('1', '2'),   TEN_OF('1', '3'),   TEN_OF('1', '4'),
    TEN_OF('1', '5'),   TEN_OF('1', '6'),   TEN_OF('1', '7'),   TEN_OF('1', '8'),
    TEN_OF('1', '9'),   TEN_OF('2', '0'),   TEN_OF('2', '1'),   TEN_OF('2', '2'),
    TEN_OF('2', '3'),   TEN_OF('2', '4'),   {'2', '5', '0', 3}, {'2', '5', '1', 3},
    {'2', '5', '2', 3}, {'2', '5', '3', 3}, {'2', '5', '4', 3}, {'2', '5', '5', 3},
};

void buf_ipv4(struct buf *out, struct slice bytes)
{
    const uint8_t octets[4] = {slice_at(bytes, 0), slice_at(bytes, 1), slice_at(bytes, 2),
                               slice_at(bytes, 3)};
    uint8_t *to = buf_pen(out, PEN_IPV4_BYTES);
    if (to)
        buf_pen_down(out, pen_ipv4(to, octets));
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

/* At most four digits. */
static uint8_t *pen_group(uint8_t *to, uint16_t value)
{
    unsigned digits = value < 0x100 ? value < 0x10 ? 1 : 2 : value < 0x1000 ? 3 : 4;
    for (unsigned i = digits; i-- > 0; value >>= 4)
        to[i] = (uint8_t)hex_digits[value & 15];
    return to + digits;
}

static uint8_t *pen_ipv6(uint8_t *to, const uint16_t groups[8])
{
    struct zero_run zeros = longest_zeros(groups);
    /* RFC 5952 5: mapped and compatible addresses end in dotted form. */
    bool mapped = zeros.at == 0 && ((zeros.len == 5 && groups[5] == 0xffff) || zeros.len == 6);
    for (size_t i = 0; i < 8; i++) {
        if (i == zeros.at) {
            to = PEN_TEXT(to, "::");
            i += zeros.len - 1;
            continue;
        }
        if (mapped && i == 6) {
            if (zeros.len == 5)
                *to++ = ':';
            const uint8_t octets[4] = {(uint8_t)(groups[6] >> 8), (uint8_t)groups[6],
                                       (uint8_t)(groups[7] >> 8), (uint8_t)groups[7]};
            return pen_ipv4(to, octets);
        }
        if (i > 0 && i != zeros.at + zeros.len)
            *to++ = ':';
        to = pen_group(to, groups[i]);
    }
    return to;
}

void buf_ipv6(struct buf *out, struct slice bytes)
{
    uint16_t groups[8];
    for (size_t i = 0; i < 8; i++)
        groups[i] = slice_u16(&bytes);
    uint8_t *to = buf_pen(out, PEN_IPV6_BYTES);
    if (to)
        buf_pen_down(out, pen_ipv6(to, groups));
}
