#include "dissect/der.h"

#define NESTED_ENDS 64 /* indefinite lengths inside one another */

static bool read_tag(struct slice *s, struct der *out)
{
    uint8_t first = slice_u8(s);
    out->class = first >> 6;
    out->constructed = first & 0x20;
    out->tag = first & 0x1f;
    if (out->tag != 0x1f)
        return !s->failed;
    /* X.690 8.1.2.4: high tag numbers, seven bits a byte. */
    uint64_t tag = 0;
    for (unsigned n = 0; n < 5; n++) {
        uint8_t b = slice_u8(s);
        tag = tag << 7 | (b & 0x7f);
        if (!(b & 0x80)) {
            out->tag = (uint32_t)tag;
            return !s->failed && tag <= UINT32_MAX;
        }
    }
    return false;
}

static bool read_length(struct slice *s, struct der *out)
{
    uint8_t first = slice_u8(s);
    out->indefinite = first == 0x80;
    out->length = first;
    if (first & 0x80) {
        size_t count = first & 0x7f;
        if (count > 8)
            return false;
        out->length = count ? slice_uint(s, count) : 0;
    }
    return !s->failed && out->length <= UINT32_MAX;
}

/* Length of the content in front of the two zero bytes that match; SIZE_MAX when there are none. */
static size_t find_end(struct slice s)
{
    size_t total = s.len;
    unsigned open = 1;
    while (s.len > 0) {
        struct der inner = {0};
        size_t here = total - s.len;
        if (!read_tag(&s, &inner) || !read_length(&s, &inner))
            return SIZE_MAX;
        if (inner.class == DER_UNIVERSAL && inner.tag == DER_END && inner.length == 0) {
            if (--open == 0)
                return here;
        } else if (inner.indefinite) {
            if (++open > NESTED_ENDS)
                return SIZE_MAX;
        } else if (!slice_skip(&s, (size_t)inner.length)) {
            return SIZE_MAX;
        }
    }
    return SIZE_MAX;
}

struct der_view der_sub(struct der_view v, size_t offset, size_t length)
{
    struct slice part = slice_sub(v.bytes, offset, length);
    size_t skipped = offset < v.bytes.len ? offset : v.bytes.len;
    return (struct der_view){.bytes = part, .at = v.at + (uint32_t)skipped};
}

bool der_read(struct der_view v, struct der *out)
{
    struct slice s = v.bytes;
    *out = (struct der){0};
    if (!read_tag(&s, out) || !read_length(&s, out))
        return false;
    size_t header = v.bytes.len - s.len, end_mark = 0;
    if (out->indefinite) {
        size_t content = find_end(s);
        if (content == SIZE_MAX)
            return false;
        out->length = content;
        end_mark = 2;
    }
    out->cut = out->length > s.len;
    out->content = der_sub(v, header, (size_t)out->length);
    out->eaten = header + out->content.bytes.len + end_mark;
    out->whole = der_sub(v, 0, out->eaten);
    return true;
}

int64_t der_integer(struct slice content)
{
    struct slice s = content.len > 8 ? slice_sub(content, content.len - 8, 8) : content;
    if (s.len == 0)
        return 0;
    uint64_t value = slice_at(s, 0) & 0x80 ? UINT64_MAX : 0;
    while (s.len > 0)
        value = value << 8 | slice_u8(&s);
    return (int64_t)value;
}

int64_t der_days(int64_t year, unsigned month, unsigned day)
{
    /* Years that begin in March put the leap day last. */
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

/* N decimal digits; the slice fails when there are not as many. */
static unsigned digits(struct slice *s, size_t n)
{
    unsigned value = 0;
    for (; n > 0; n--) {
        uint8_t c = slice_at(*s, 0);
        if (c < '0' || c > '9') {
            slice_take(s, SIZE_MAX);
            return 0;
        }
        value = value * 10 + (slice_u8(s) - (unsigned)'0');
    }
    return value;
}

static unsigned days_of(unsigned year, unsigned month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

/* Month to minutes, then seconds when there are any. */
static bool clock_part(struct slice *s, unsigned year, int64_t *seconds)
{
    unsigned month = digits(s, 2), day = digits(s, 2), hour = digits(s, 2), minute = digits(s, 2);
    unsigned second = 0;
    if (slice_at(*s, 0) >= '0' && slice_at(*s, 0) <= '9' && slice_at(*s, 1) >= '0' &&
        slice_at(*s, 1) <= '9')
        second = digits(s, 2);
    if (s->failed || month < 1 || month > 12 || day < 1 || day > days_of(year, month) ||
        hour > 23 || minute > 59 || second > 60)
        return false;
    *seconds = der_days(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
    return true;
}

/* "+hhmm" or "+hh": what is to be taken from local time, in seconds.  Anything else is passed over.
 */
static int64_t zone_part(struct slice s)
{
    uint8_t sign = slice_u8(&s);
    if (sign != '+' && sign != '-')
        return 0;
    unsigned hours = digits(&s, 2);
    struct slice rest = s;
    unsigned minutes = digits(&rest, 2);
    int64_t offset = (int64_t)hours * 3600 + (rest.failed ? 0 : (int64_t)minutes * 60);
    return sign == '+' ? offset : -offset;
}

static int64_t to_nanoseconds(int64_t seconds, int64_t fraction)
{
    int64_t ns;
    if (__builtin_mul_overflow(seconds, (int64_t)1000000000, &ns) ||
        __builtin_add_overflow(ns, fraction, &ns))
        return seconds < 0 ? INT64_MIN : INT64_MAX;
    return ns;
}

bool der_generalized_time(struct slice text, int64_t *ns)
{
    int64_t seconds, fraction = 0, unit = 100000000;
    unsigned year = digits(&text, 4);
    if (text.failed || !clock_part(&text, year, &seconds))
        return false;
    if (slice_at(text, 0) == '.' || slice_at(text, 0) == ',') {
        slice_u8(&text);
        for (; slice_at(text, 0) >= '0' && slice_at(text, 0) <= '9'; unit /= 10)
            fraction += (slice_u8(&text) - '0') * unit;
    }
    *ns = to_nanoseconds(seconds - zone_part(text), fraction);
    return true;
}

bool der_utc_time(struct slice text, int64_t *ns)
{
    int64_t seconds;
    unsigned year = digits(&text, 2);
    if (text.failed || !clock_part(&text, year + (year < 50 ? 2000 : 1900), &seconds))
        return false;
    *ns = to_nanoseconds(seconds - zone_part(text), 0);
    return true;
}

uint32_t der_character(struct slice *s)
{
    static const struct {
        uint8_t first, last, low, high, more; /* first byte; range of the second; how many follow */
    } forms[] = {{0xc2, 0xdf, 0x80, 0xbf, 1}, {0xe0, 0xe0, 0xa0, 0xbf, 2},
                 {0xe1, 0xec, 0x80, 0xbf, 2}, {0xed, 0xed, 0x80, 0x9f, 2},
                 {0xee, 0xef, 0x80, 0xbf, 2}, {0xf0, 0xf0, 0x90, 0xbf, 3},
                 {0xf1, 0xf3, 0x80, 0xbf, 3}, {0xf4, 0xf4, 0x80, 0x8f, 3}};
    uint8_t b = slice_u8(s);
    if (b < 0x80)
        return b;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (b < forms[i].first || b > forms[i].last)
            continue;
        uint32_t value = b & (0x3fu >> forms[i].more);
        uint8_t low = forms[i].low, high = forms[i].high;
        for (unsigned n = 0; n < forms[i].more; n++, low = 0x80, high = 0xbf) {
            uint8_t next = slice_at(*s, 0);
            if (next < low || next > high)
                return 0xfffd;
            value = value << 6 | (slice_u8(s) & 0x3f);
        }
        return value;
    }
    return 0xfffd;
}

void der_put_character(struct buf *out, uint32_t c)
{
    if (c < 0x80) {
        buf_char(out, (char)c);
        return;
    }
    unsigned more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const uint8_t marks[] = {0, 0xc0, 0xe0, 0xf0};
    buf_char(out, (char)(marks[more] | c >> (6 * more)));
    while (more-- > 0)
        buf_char(out, (char)(0x80 | (c >> (6 * more) & 0x3f)));
}
