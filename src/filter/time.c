/* Times as filters write them.  A date without a zone is in UTC, as in every output of this
 * program's tests: the core knows no zone. */
#include "filter/program.h"

#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

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

bool literal_span(const char *text, int64_t *ns)
{
    int64_t seconds = 0, rest = 0;
    if (!digits(&text, 1, 12, &seconds) || seconds > MAX_SECONDS)
        return false;
    if (sign(&text, '.'))
        fraction(&text, &rest);
    *ns = seconds * NS_PER_S + rest;
    return *text == '\0';
}

struct date {
    int64_t year, month, day, hour, minute, second, ns, offset;
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

static bool clock_time(const char **p, struct date *d, bool *seconds)
{
    if (!digits(p, 1, 2, &d->hour) || !sign(p, ':') || !digits(p, 1, 2, &d->minute))
        return false;
    *seconds = sign(p, ':');
    if (*seconds && !digits(p, 1, 2, &d->second))
        return false;
    if (*seconds && sign(p, '.'))
        fraction(p, &d->ns);
    return d->hour < 24 && d->minute < 60 && d->second < 62;
}

static void name_of_zone(const char **p)
{
    const char *after = *p;
    while (*after == ' ')
        after++;
    if (strncmp(after, "UTC", 3) == 0)
        *p = after + 3;
}

/* "Z", "+01:00", "+0100" or "+01"; nothing is UTC too. */
static void zone(const char **p, struct date *d)
{
    int64_t hours = 0, minutes = 0;
    const char *start = *p;
    if (sign(p, 'Z') || (**p != '+' && **p != '-'))
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
    bool seconds = false;
    if (!digits(p, 1, 4, &d->year) || !sign(p, ' ') || !clock_time(p, d, &seconds) || !seconds)
        return false;
    name_of_zone(p);
    return true;
}

static bool iso_date(const char **p, struct date *d)
{
    if (!digits(p, 4, 4, &d->year) || !sign(p, '-') || !digits(p, 1, 2, &d->month) ||
        !sign(p, '-') || !digits(p, 1, 2, &d->day))
        return false;
    const char *day = *p;
    struct date whole = *d;
    bool seconds = false;
    if ((sign(p, 'T') || sign(p, ' ')) && clock_time(p, &whole, &seconds))
        *d = whole;
    else
        *p = day; /* what follows the day is no time: the caller tells */
    if (seconds)
        zone(p, d);
    else
        name_of_zone(p);
    return true;
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
    int64_t seconds = days_from_civil(d.year, d.month, d.day) * 86400 + d.hour * 3600 +
                      d.minute * 60 + d.second - d.offset;
    if (seconds > MAX_SECONDS || seconds < -MAX_SECONDS)
        return false;
    *ns = seconds * NS_PER_S + d.ns;
    return true;
}
