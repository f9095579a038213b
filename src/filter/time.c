/* Times as filters write them.  A date without a zone is in that of TZ, as `frame.time` is shown. */
#include "filter/program.h"

#include <ctype.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>

#define NS_PER_S    1000000000
#define MAX_SECONDS 9000000000 /* what 64 bits of nanoseconds hold, rounded down */

/* Takes up to MOST digits, at least LEAST. */
static bool digits(const char **p, unsigned least, unsigned most, int64_t *out)
{
    unsigned n = 0;
    *out = 0;
    while (n < most && isdigit((unsigned char)**p)) {
        *out = *out * 10 + (**p - '0');
        (*p)++;
        n++;
    }
    return n >= least;
}

static bool sign(const char **p, char c)
{
    bool there = **p == c;
    *p += there;
    return there;
}

/* The digits behind the point, as nanoseconds; those behind the ninth count for nothing. */
static void fraction(const char **p, int64_t *ns)
{
    const char *start = *p;
    digits(p, 0, 9, ns);
    for (long n = *p - start; n < 9; n++)
        *ns *= 10;
    while (isdigit((unsigned char)**p))
        (*p)++;
}

/* What is further away than 64 bits of nanoseconds reach is as far as they do: it is compared. */
static int64_t nanoseconds(int64_t seconds, int64_t rest)
{
    if (seconds > MAX_SECONDS)
        return INT64_MAX;
    return seconds < -MAX_SECONDS ? INT64_MIN : seconds * NS_PER_S + rest;
}

bool literal_span(const char *text, int64_t *ns)
{
    int64_t seconds = 0, rest = 0;
    if (!digits(&text, 1, 18, &seconds))
        return false;
    if (sign(&text, '.'))
        fraction(&text, &rest);
    *ns = nanoseconds(seconds, rest);
    return *text == '\0';
}

struct date {
    int64_t year, month, day, hour, minute, second, ns, offset;
    bool zoned; /* a zone stands there; without one it is that of TZ */
};

/* Days since 1970-01-01 in the Gregorian calendar: years from March, so that the leap day ends one.
 */
static int64_t days_from_civil(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* What is there of a time of day: hour, minute, second, and its fraction behind a point or a comma. */
enum clock_part { CLOCK_NONE, CLOCK_HOUR, CLOCK_MINUTE, CLOCK_SECOND };

static enum clock_part clock_time(const char **p, struct date *d)
{
    const char *at = *p;
    enum clock_part part = CLOCK_NONE;
    if (digits(&at, 1, 2, &d->hour)) {
        part = CLOCK_HOUR;
        *p = at;
        if (sign(&at, ':') && digits(&at, 1, 2, &d->minute)) {
            part = CLOCK_MINUTE;
            *p = at;
            if (sign(&at, ':') && digits(&at, 1, 2, &d->second)) {
                part = CLOCK_SECOND;
                *p = at;
            }
        }
    }
    if (part == CLOCK_SECOND && (sign(p, '.') || sign(p, ',')))
        fraction(p, &d->ns);
    return d->hour < 24 && d->minute < 60 && d->second < 62 ? part : CLOCK_NONE;
}

static void name_of_zone(const char **p, struct date *d)
{
    const char *after = *p;
    while (*after == ' ')
        after++;
    if (strncmp(after, "UTC", 3) == 0) {
        *p = after + 3;
        d->zoned = true;
    }
}

/* "Z", "+01:00", "+0100" or "+01". */
static void zone(const char **p, struct date *d)
{
    int64_t hours = 0, minutes = 0;
    const char *start = *p;
    d->zoned = sign(p, 'Z');
    if (d->zoned || (**p != '+' && **p != '-'))
        return;
    int64_t east = *(*p)++ == '+' ? 1 : -1;
    if (!digits(p, 1, 2, &hours)) {
        *p = start;
        return;
    }
    const char *colon = *p;
    sign(p, ':');
    if (!digits(p, 2, 2, &minutes))
        *p = colon;
    d->offset = east * (hours * 3600 + minutes * 60);
    d->zoned = true;
}

static bool month_name(const char **p, struct date *d)
{
    static const char *const names[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    for (unsigned i = 0; i < 12; i++)
        if (strncasecmp(*p, names[i], 3) == 0) {
            d->month = i + 1;
            *p += 3;
            return true;
        }
    return false;
}

static bool written_date(const char **p, struct date *d)
{
    if (!month_name(p, d) || **p != ' ')
        return false;
    while (sign(p, ' '))
        continue;
    if (!digits(p, 1, 2, &d->day) || !sign(p, ','))
        return false;
    while (sign(p, ' '))
        continue;
    if (!digits(p, 1, 4, &d->year) || **p != ' ')
        return false;
    while (sign(p, ' '))
        continue;
    if (clock_time(p, d) != CLOCK_SECOND)
        return false;
    name_of_zone(p, d);
    return true;
}

static bool iso_date(const char **p, struct date *d)
{
    if (!digits(p, 1, 4, &d->year) || !sign(p, '-') || !digits(p, 1, 2, &d->month) ||
        !sign(p, '-') || !digits(p, 1, 2, &d->day))
        return false;
    const char *day = *p;
    struct date whole = *d;
    bool letter = sign(p, 'T');
    while (!letter && sign(p, ' '))
        continue;
    enum clock_part part = *p > day ? clock_time(p, &whole) : CLOCK_NONE;
    if (part == CLOCK_NONE || (letter && part == CLOCK_HOUR))
        *p = day; /* what follows the day is no time: the caller tells */
    else
        *d = whole;
    const char *before = *p;
    if (part >= CLOCK_MINUTE)
        zone(p, d);
    if (*p == before)
        name_of_zone(p, d);
    return true;
}

/* Seconds that the zone of TZ is ahead of UTC at this time of its clocks. */
static int64_t local_offset(const struct date *d)
{
    struct tm parts = {.tm_year = (int)d->year - 1900,
                       .tm_mon = (int)d->month - 1,
                       .tm_mday = (int)d->day,
                       .tm_hour = (int)d->hour,
                       .tm_min = (int)d->minute,
                       .tm_sec = (int)d->second,
                       .tm_isdst = -1};
    struct tm as_utc = parts;
    time_t local = mktime(&parts);
    return local == (time_t)-1 ? 0 : timegm(&as_utc) - local;
}

bool literal_date(const char *text, int64_t *ns, const char **rest)
{
    struct date d = {0};
    while (*text == ' ')
        text++;
    bool ok = isdigit((unsigned char)*text) ? iso_date(&text, &d) : written_date(&text, &d);
    if (!ok || d.month < 1 || d.month > 12 || d.day < 1 || d.day > 31)
        return false;
    while (*text == ' ')
        text++;
    *rest = text;
    if (!d.zoned)
        d.offset = local_offset(&d);
    int64_t seconds = days_from_civil(d.year, d.month, d.day) * 86400 + d.hour * 3600 +
                      d.minute * 60 + d.second - d.offset;
    *ns = nanoseconds(seconds, d.ns);
    return true;
}
