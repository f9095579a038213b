#include "print/text.h"

#define REPLACEMENT       0xfffd
#define REPLACEMENT_BYTES 3
#define XML_GROWTH        6 /* bytes of the longest entity */

struct range {
    uint32_t first, last;
};

/* Characters without a shape beyond ASCII: controls, format characters, surrogates, noncharacters.
 */
static const struct range shapeless[] = {
    {0x80, 0x9f},       {0xad, 0xad},       {0x600, 0x605},     {0x61c, 0x61c},
    {0x6dd, 0x6dd},     {0x70f, 0x70f},     {0x890, 0x891},     {0x8e2, 0x8e2},
    {0x180e, 0x180e},   {0x200b, 0x200f},   {0x202a, 0x202e},   {0x2060, 0x206f},
    {0xd800, 0xdfff},   {0xfdd0, 0xfdef},   {0xfeff, 0xfeff},   {0xfff0, 0xfffb},
    {0xfffe, 0xffff},   {0x110bd, 0x110bd}, {0x110cd, 0x110cd}, {0x13430, 0x1343f},
    {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0x1fffe, 0x1ffff}, {0x2fffe, 0x2ffff},
    {0x323b0, 0xe00ff}, {0xe01f0, 0xeffff}, {0xffffe, 0xfffff}, {0x10fffe, 0x10ffff},
};

static bool has_shape(uint32_t c)
{
    if (c < 0x80)
        return c >= 0x20 && c < 0x7f;
    for (size_t i = 0; i < sizeof shapeless / sizeof shapeless[0] && shapeless[i].first <= c; i++)
        if (c <= shapeless[i].last)
            return false;
    return true;
}

uint32_t text_next(struct slice *s, bool ascii)
{
    uint8_t lead = slice_u8(s);
    if (lead < 0x80)
        return lead;
    if (ascii || lead < 0xc2 || lead > 0xf4)
        return REPLACEMENT;
    unsigned more = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
    /* The second byte's range shuts out overlong forms, surrogates and what lies past U+10FFFF. */
    uint8_t low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    uint8_t high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    uint32_t c = lead & (0x3fu >> more);
    for (; more > 0; more--, low = 0x80, high = 0xbf) {
        uint8_t next = slice_at(*s, 0);
        if (next < low || next > high)
            return REPLACEMENT;
        c = c << 6 | (next & 0x3f);
        slice_skip(s, 1);
    }
    return c;
}

/* UTF-8 (RFC 3629 3). */
static uint8_t *put_character(uint8_t *to, uint32_t c)
{
    static const uint8_t leads[] = {0, 0, 0xc0, 0xe0, 0xf0};
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n; i-- > 1; c >>= 6)
        to[i] = (uint8_t)(0x80 | (c & 0x3f));
    to[0] = (uint8_t)(leads[n] | c);
    return to + n;
}

void text_put(struct buf *out, uint32_t c)
{
    if (buf_room(out, 4))
        out->len = (size_t)(put_character(out->data + out->len, c) - out->data);
}

/* How many bytes at the front are ASCII and no NUL. */
static size_t plain_run(struct slice s)
{
    const uint64_t ones = 0x0101010101010101;
    size_t n = 0;
    for (uint64_t word; n + sizeof word <= s.len; n += sizeof word) {
        memcpy(&word, s.data + n, sizeof word);
        if (((word - ones) | word) & ones * 0x80)
            break;
    }
    while (n < s.len && s.data[n] < 0x80 && s.data[n] != 0)
        n++;
    return n;
}

static uint8_t *put_plain(uint8_t *to, struct slice raw, bool ascii)
{
    while (raw.len > 0) {
        uint8_t lead = raw.data[0];
        if (!ascii && lead >= 0xc2 && lead < 0xe0 && (slice_at(raw, 1) & 0xc0) == 0x80) {
            to = pen_slice(to, slice_take(&raw, 2));
            continue;
        }
        struct slice run = slice_take(&raw, plain_run(raw));
        if (run.len > 0) {
            to = pen_slice(to, run);
            continue;
        }
        uint32_t c = text_next(&raw, ascii);
        if (c == 0)
            break;
        to = put_character(to, c);
    }
    return to;
}

void text_plain(struct buf *out, struct slice raw, bool ascii)
{
    if (buf_room(out, raw.len * REPLACEMENT_BYTES + PEN_STEP))
        buf_pen_down(out, put_plain(out->data + out->len, raw, ascii));
}

/* How many bytes at the front are printable ASCII: eight at a time. */
static size_t printable(struct slice s)
{
    const uint64_t ones = 0x0101010101010101;
    size_t n = 0;
    for (uint64_t word; n + sizeof word <= s.len; n += sizeof word) {
        memcpy(&word, s.data + n, sizeof word);
        /* The top bit of a byte tells that it is below 0x20, 0x7f, or beyond ASCII. */
        if (((word - ones * 0x20) | (word + ones) | word) & ones * 0x80)
            break;
    }
    while (n < s.len && s.data[n] >= 0x20 && s.data[n] < 0x7f)
        n++;
    return n;
}

/* U+00AE to U+05FF, as the middle dot that stands for a flag that is not set: all have a shape. */
static bool is_common_pair(struct slice s)
{
    uint8_t lead = slice_at(s, 0), next = slice_at(s, 1);
    return lead >= 0xc2 && lead < 0xd8 && (next & 0xc0) == 0x80 && (lead > 0xc2 || next >= 0xae);
}

static uint8_t *put_octal(uint8_t *to, uint32_t c)
{
    *to++ = '\\';
    for (unsigned shift = 9; shift > 0; shift -= 3)
        *to++ = (uint8_t)('0' + (c >> (shift - 3) & 7));
    return to;
}

static uint8_t *put_code(uint8_t *to, uint32_t c)
{
    static const char digits[] = "0123456789ABCDEF";
    *to++ = '\\';
    *to++ = c < 0x10000 ? 'u' : 'U';
    for (unsigned shift = c < 0x10000 ? 16 : 32; shift > 0; shift -= 4)
        *to++ = (uint8_t)digits[c >> (shift - 4) & 15];
    return to;
}

/* A character that is not printable ASCII. */
static uint8_t *put_odd(uint8_t *to, uint32_t c)
{
    static const char short_forms[] = "abtnvfr"; /* from 7, BEL */
    if (has_shape(c))
        return put_character(to, c);
    if (c >= 7 && c <= 13) {
        *to++ = '\\';
        return pen_char(to, short_forms[c - 7]);
    }
    return c < 0x80 ? put_octal(to, c) : put_code(to, c);
}

/* How many bytes at the front stand for themselves: printable ASCII and common pairs. */
static size_t unchanged(struct slice raw, bool ascii)
{
    struct slice rest = raw;
    slice_skip(&rest, printable(rest));
    while (!ascii && is_common_pair(rest)) {
        slice_skip(&rest, 2);
        if (!is_common_pair(rest))
            slice_skip(&rest, printable(rest));
    }
    return raw.len - rest.len;
}

uint8_t *text_label_at(uint8_t *to, struct slice raw, bool ascii)
{
    while (raw.len > 0) {
        to = pen_slice(to, slice_take(&raw, unchanged(raw, ascii)));
        if (raw.len == 0)
            break;
        uint32_t c = text_next(&raw, ascii);
        if (c == 0)
            break;
        to = put_odd(to, c);
    }
    return to;
}

void text_label(struct buf *out, struct slice raw, bool ascii)
{
    if (buf_room(out, raw.len * TEXT_GROWTH + PEN_STEP))
        out->len = (size_t)(text_label_at(out->data + out->len, raw, ascii) - out->data);
}

typedef uint8_t sixteen __attribute__((vector_size(16)));
typedef uint64_t halves __attribute__((vector_size(16)));

/* Whether one of sixteen bytes is no character that stands for itself up to LAST. */
static inline bool needs_escape(const uint8_t *bytes, uint8_t last)
{
    sixteen b;
    memcpy(&b, bytes, sizeof b);
    halves odd = (halves)((b < 0x20) | (b > last) | (b == '"') | (b == '\\') | (b == '<'));
    return odd[0] | odd[1];
}

size_t text_without_escape(struct slice raw, bool ascii)
{
    const uint8_t last = ascii ? 0x7f : 0xff;
    size_t n = 0;
    while (n + 16 <= raw.len && !needs_escape(raw.data + n, last))
        n += 16;
    /* The last ones are looked at together, too, though some of them were. */
    if (n > 0 && n + 16 > raw.len && !needs_escape(raw.data + raw.len - 16, last))
        return raw.len;
    for (; n < raw.len; n++) {
        uint8_t c = raw.data[n];
        if (c < 0x20 || c == '"' || c == '\\' || c == '<' || c > last)
            break;
    }
    return n;
}

void text_xml(struct buf *out, struct slice raw)
{
    static const char *const entities[128] = {
        ['&'] = "&amp;", ['<'] = "&lt;", ['>'] = "&gt;", ['"'] = "&quot;", ['\''] = "&#x27;"};
    size_t start = 0;
    for (size_t i = 0; i <= raw.len; i++) {
        uint8_t c = slice_at(raw, i);
        bool control = c < 0x20 && c != '\t' && c != '\n' && c != '\r';
        if (i < raw.len && !control && (c >= 128 || !entities[c]))
            continue;
        buf_slice_put(out, slice_sub(raw, start, i - start));
        start = i + 1;
        if (i == raw.len)
            break;
        if (control) {
            buf_str(out, "\\x");
            buf_hex(out, c, 1);
        } else {
            buf_str(out, entities[c]);
        }
    }
}

/* Whether sixteen bytes stand for themselves in an attribute; line breaks and tabs are not counted among those that do. */
static inline bool is_plain_xml(const uint8_t *bytes)
{
    sixteen b;
    memcpy(&b, bytes, sizeof b);
    halves odd =
        (halves)((b < 0x20) | (b == '&') | (b == '<') | (b == '>') | (b == '"') | (b == '\''));
    return !(odd[0] | odd[1]);
}

/* Nearly all texts are: they stay where they are.  The last bytes are looked at together, though some of them were. */
static bool needs_no_entity(struct slice s)
{
    size_t n = 0;
    while (n + 16 <= s.len && is_plain_xml(s.data + n))
        n += 16;
    if (n > 0 && n + 16 > s.len)
        return n == s.len || is_plain_xml(s.data + s.len - 16);
    for (; n < s.len && s.len < 16; n++)
        if (s.data[n] < 0x20 || memchr("&<>\"'", s.data[n], 5))
            return false;
    return n == s.len;
}

/* What stands behind the LEN bytes at START takes their place. */
static void take_place(struct buf *out, size_t start, size_t len)
{
    size_t escaped = out->len - start - len;
    memmove(out->data + start, out->data + start + len, escaped);
    out->len = start + escaped;
}

void text_xml_from(struct buf *out, size_t start)
{
    size_t len = out->len - start;
    if (needs_no_entity(slice_sub(buf_slice(out), start, len)) || !buf_room(out, len * XML_GROWTH))
        return;
    text_xml(out, slice_of(out->data + start, len));
    take_place(out, start, len);
}

void text_label_from(struct buf *out, size_t start)
{
    size_t len = out->len - start;
    if (len == 0 || !buf_room(out, len * TEXT_GROWTH + PEN_STEP))
        return;
    text_label(out, slice_of(out->data + start, len), false);
    take_place(out, start, len);
}

void text_cell(struct buf *out, struct slice raw, bool terminal)
{
    static const char codes[] = {'b', 't', 'n', 0, 'f', 'r'}; /* from 8, backspace */
    for (size_t i = 0; i < raw.len; i++) {
        uint8_t c = raw.data[i];
        if (c >= 8 && c <= 13 && codes[c - 8]) {
            buf_char(out, '\\');
            buf_char(out, codes[c - 8]);
        } else if (terminal && (c < 0x20 || c == 0x7f)) {
            buf_str(out, "\\x");
            buf_hex(out, c, 2);
        } else {
            buf_char(out, (char)c);
        }
    }
}
