/* Interface clocks of pcapng: ticks of 10^-n or 2^-n seconds, plus an offset in seconds. */
#include "capture/reader_private.h"

__extension__ typedef unsigned __int128 wide;

static const struct precision {
    uint64_t units;
    uint8_t decimals;
} precisions[] = {{1000000000, 9}, {1000000, 6}, {1000, 3}, {100, 2}, {10, 1}, {0, 0}};

/* 2^63 s or 10^19 is as fine as 64 bits go; what claims more is treated as the finest there is. */
static uint64_t units_of(uint8_t tsresol)
{
    unsigned exponent = tsresol & 0x7f;
    if (tsresol & 0x80)
        return exponent < 64 ? UINT64_C(1) << exponent : UINT64_MAX;
    if (exponent >= 20)
        return UINT64_MAX;
    uint64_t units = 1;
    while (exponent-- > 0)
        units *= 10;
    return units;
}

void clock_init(struct clock *c, uint8_t tsresol, int64_t offset_seconds)
{
    c->units_per_second = units_of(tsresol);
    c->ns_per_unit = 1000000000 % c->units_per_second == 0 ? 1000000000 / c->units_per_second : 0;
    c->offset_seconds = offset_seconds;
    size_t i = 0;
    while (c->units_per_second < precisions[i].units)
        i++;
    c->decimals = precisions[i].decimals;
}

/* Nanoseconds from whole and broken seconds, held within what 64 bits can say (years 1678 to 2262).
 */
static int64_t saturate(int64_t seconds, uint64_t ns)
{
    if (seconds > INT64_MAX / 1000000000 - 1)
        return INT64_MAX;
    if (seconds < INT64_MIN / 1000000000 + 1)
        return INT64_MIN;
    return seconds * 1000000000 + (int64_t)ns;
}

int64_t clock_ns(const struct clock *c, uint64_t ticks)
{
    if (c->ns_per_unit && c->offset_seconds == 0 && ticks <= INT64_MAX / 1000000000)
        return (int64_t)(ticks * c->ns_per_unit);
    if (c->ns_per_unit == 1 && c->offset_seconds == 0 && ticks <= INT64_MAX)
        return (int64_t)ticks;
    uint64_t whole = ticks / c->units_per_second;
    uint64_t rest = ticks % c->units_per_second;
    uint64_t ns = (uint64_t)((wide)rest * 1000000000 / c->units_per_second);
    int64_t seconds = whole > INT64_MAX ? INT64_MAX : (int64_t)whole;
    if (__builtin_add_overflow(seconds, c->offset_seconds, &seconds))
        seconds = INT64_MAX; /* ticks are never negative, so it is the top that is passed */
    return saturate(seconds, ns);
}
