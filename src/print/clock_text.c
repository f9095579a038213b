#include "print/clock_text.h"

#include <time.h>

#define NS_PER_S 1000000000

struct moment {
    struct tm parts;
    uint32_t ns; /* within the second */
};

static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

/* The second that NS lies in, rounded down; what is left over goes to REST. */
static int64_t second_of(int64_t ns, uint32_t *rest)
{
    int64_t second = ns / NS_PER_S, left = ns % NS_PER_S;
    *rest = (uint32_t)(left < 0 ? left + NS_PER_S : left);
    return left < 0 ? second - 1 : second;
}

static struct moment moment_of(int64_t ns, bool utc)
{
    struct moment m = {0};
    time_t when = (time_t)second_of(ns, &m.ns);
    if (utc)
        gmtime_r(&when, &m.parts);
    else
        localtime_r(&when, &m.parts);
    return m;
}

static void put_fraction(struct buf *out, uint32_t ns, unsigned decimals)
{
    if (decimals == 0)
        return;
    for (unsigned i = decimals; i < 9; i++)
        ns /= 10;
    buf_char(out, '.');
    buf_dec_pad(out, ns, decimals < 9 ? decimals : 9, '0');
}

static void put_hours(struct buf *out, const struct moment *m, unsigned decimals)
{
    buf_dec_pad(out, (uint64_t)m->parts.tm_hour, 2, '0');
    buf_char(out, ':');
    buf_dec_pad(out, (uint64_t)m->parts.tm_min, 2, '0');
    buf_char(out, ':');
    buf_dec_pad(out, (uint64_t)m->parts.tm_sec, 2, '0');
    put_fraction(out, m->ns, decimals);
}

static void fill_cache(struct clock_cache *cache, int64_t ns, bool utc)
{
    struct moment m = moment_of(ns, utc);
    uint8_t text[CLOCK_ROOM] = {0}, *to = pen_str(text, months[m.parts.tm_mon]);
    *to++ = ' ';
    to = pen_last(to, (uint32_t)m.parts.tm_mday, 2);
    if (m.parts.tm_mday < 10)
        to[-2] = ' ';
    to = pen_dec(pen_str(to, ", "), (uint64_t)(m.parts.tm_year + 1900));
    *to++ = ' ';
    to = pen_char(pen_last(to, (uint32_t)m.parts.tm_hour, 2), ':');
    to = pen_char(pen_last(to, (uint32_t)m.parts.tm_min, 2), ':');
    to = pen_char(pen_last(to, (uint32_t)m.parts.tm_sec, 2), '.');
    cache->len = (uint8_t)(to - text);
    memcpy(cache->text, text, sizeof cache->text);
    const char *zone = utc ? "UTC" : m.parts.tm_zone;
    size_t len = strnlen(zone, CLOCK_ZONE);
    memcpy(cache->zone, zone, len);
    cache->zone[len] = '\0';
    cache->second = second_of(ns, &m.ns);
    cache->utc = utc;
    cache->known = true;
}

uint8_t *clock_text_full_at(uint8_t *to, struct clock_cache *cache, int64_t ns, bool utc)
{
    uint32_t rest;
    int64_t second = second_of(ns, &rest);
    if (!cache->known || cache->second != second || cache->utc != utc)
        fill_cache(cache, ns, utc);
    to = pen_phrase(to, cache->text, cache->len);
    to = pen_char(to, (char)('0' + rest / 100000000));
    to = pen_char(pen_last(to, rest % 100000000, 8), ' ');
    return pen_str(to, cache->zone);
}

void clock_text_full(struct buf *out, int64_t ns, bool utc)
{
    struct clock_cache cache = {0};
    if (buf_room(out, CLOCK_ROOM))
        out->len = (size_t)(clock_text_full_at(out->data + out->len, &cache, ns, utc) - out->data);
}

void clock_text_time(struct buf *out, int64_t ns, bool utc, unsigned decimals)
{
    struct moment m = moment_of(ns, utc);
    put_hours(out, &m, decimals);
}

static void put_day(struct buf *out, const struct moment *m)
{
    buf_dec_pad(out, (uint64_t)(m->parts.tm_year + 1900), 4, '0');
    buf_char(out, '-');
    buf_dec_pad(out, (uint64_t)m->parts.tm_mon + 1, 2, '0');
    buf_char(out, '-');
    buf_dec_pad(out, (uint64_t)m->parts.tm_mday, 2, '0');
}

void clock_text_offset(struct buf *out, int64_t ns)
{
    struct moment m = moment_of(ns, false);
    long minutes = m.parts.tm_gmtoff / 60, ahead = minutes < 0 ? -minutes : minutes;
    buf_char(out, minutes < 0 ? '-' : '+');
    buf_dec_pad(out, (uint64_t)(ahead / 60 * 100 + ahead % 60), 4, '0');
}

void clock_text_day(struct buf *out, int64_t ns)
{
    struct moment m = moment_of(ns, false);
    put_day(out, &m);
}

void clock_text_iso(struct buf *out, int64_t ns)
{
    struct moment m = moment_of(ns, true);
    put_day(out, &m);
    buf_char(out, 'T');
    put_hours(out, &m, 9);
    buf_char(out, 'Z');
}

void clock_text_date(struct buf *out, int64_t ns, bool utc, unsigned decimals)
{
    struct moment m = moment_of(ns, utc);
    put_day(out, &m);
    buf_char(out, ' ');
    put_hours(out, &m, decimals);
}

void clock_text_day_of_year(struct buf *out, int64_t ns, bool utc, unsigned decimals)
{
    struct moment m = moment_of(ns, utc);
    buf_dec_pad(out, (uint64_t)(m.parts.tm_year + 1900), 4, '0');
    buf_char(out, '/');
    buf_dec_pad(out, (uint64_t)m.parts.tm_yday + 1, 3, '0');
    buf_char(out, ' ');
    put_hours(out, &m, decimals);
}

void clock_text_span(struct buf *out, int64_t ns, unsigned decimals)
{
    uint64_t magnitude = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
    if (ns < 0)
        buf_str(out, "- ");
    uint64_t seconds = magnitude / NS_PER_S;
    uint64_t hours = seconds / 3600, minutes = seconds / 60 % 60;
    size_t width = 0; /* of what follows a greater unit */
    if (hours > 0) {
        buf_dec(out, hours);
        buf_str(out, "h ");
        width = 2;
    }
    if (hours > 0 || minutes > 0) {
        buf_dec_pad(out, minutes, width, ' ');
        buf_str(out, "m ");
        width = 2;
    }
    buf_dec_pad(out, seconds % 60, width, ' ');
    put_fraction(out, (uint32_t)(magnitude % NS_PER_S), decimals);
    buf_char(out, 's');
}

void clock_text_ctime(struct buf *out, int64_t ns)
{
    struct moment m = moment_of(ns, false);
    buf_str(out, days[m.parts.tm_wday]);
    buf_char(out, ' ');
    buf_str(out, months[m.parts.tm_mon]);
    buf_char(out, ' ');
    buf_dec_pad(out, (uint64_t)m.parts.tm_mday, 2, ' ');
    buf_char(out, ' ');
    put_hours(out, &m, 0);
    buf_char(out, ' ');
    buf_sdec(out, m.parts.tm_year + 1900);
}
