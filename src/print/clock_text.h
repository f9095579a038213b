/* Times as text.  All take nanoseconds since 1970-01-01 00:00 UTC. */
#ifndef TLSWIRE_PRINT_CLOCK_TEXT_H
#define TLSWIRE_PRINT_CLOCK_TEXT_H

#include "base/buf.h"
#include "base/pen_text.h"

#define CLOCK_ZONE 63 /* bytes of a zone's name; more are cut off */
#define CLOCK_ROOM 256

/* A second whose text was written last: most packets lie in the same one as their forerunner.  All zero at first. */
struct clock_cache {
    int64_t second;
    bool known, utc;
    uint8_t len;
    char text[PEN_STEP]; /* "Nov 22, 2017 17:47:29." */
    char zone[CLOCK_ZONE + 1];
};

/* "Nov 22, 2017 17:47:29.378755399 UTC", in the zone of TZ unless UTC is asked for. */
void clock_text_full(struct buf *out, int64_t ns, bool utc);
/* The same at a cursor with room for CLOCK_ROOM bytes. */
uint8_t *clock_text_full_at(uint8_t *to, struct clock_cache *cache, int64_t ns, bool utc);
/* "17:47:29.378755", DECIMALS 0 to 9 cut. */
void clock_text_time(struct buf *out, int64_t ns, bool utc, unsigned decimals);
/* "2017-11-22 17:47:29.378755". */
void clock_text_date(struct buf *out, int64_t ns, bool utc, unsigned decimals);
/* "+0100": how far the zone of TZ is ahead of UTC at that time. */
void clock_text_offset(struct buf *out, int64_t ns);
/* "2017-11-22", in the zone of TZ. */
void clock_text_day(struct buf *out, int64_t ns);
/* "2017-11-22T17:47:29.378755399Z": ISO 8601, in UTC. */
void clock_text_iso(struct buf *out, int64_t ns);
/* "2017/326 17:47:29.378755". */
void clock_text_day_of_year(struct buf *out, int64_t ns, bool utc, unsigned decimals);
/* "55h 33m 10.000001s": a span. */
void clock_text_span(struct buf *out, int64_t ns, unsigned decimals);
/* "Wed Nov 22 17:47:29 2017", as ctime(3) without the line feed. */
void clock_text_ctime(struct buf *out, int64_t ns);

#endif
