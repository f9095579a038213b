/* The ranges of slices and of layers: what stands in brackets, and after '#'. */
#include "filter/program.h"

#include <ctype.h>
#include <stdlib.h>

enum number_fault { NUMBER_GOOD, NUMBER_NONE, NUMBER_LARGE };

/* A whole number as C writes it, spaces and a sign before it, that ends at END at the latest. */
static enum number_fault range_number(const struct compiler *c, uint32_t *pos, uint32_t end,
                                      int32_t *value)
{
    uint32_t i = *pos;
    while (i < end && isspace((unsigned char)text_at(c, i)))
        i++;
    bool negative = i < end && text_at(c, i) == '-';
    i += i < end && (text_at(c, i) == '-' || text_at(c, i) == '+');
    unsigned base = 10;
    if (text_at(c, i) == '0' && i < end)
        base = tolower((unsigned char)text_at(c, i + 1)) == 'x' && i + 2 < end &&
                       is_hex(text_at(c, i + 2))
                   ? 16
                   : 8;
    i += base == 16 ? 2 : 0;
    int64_t n = 0;
    uint32_t first = i;
    bool large = false;
    for (; i < end && is_hex(text_at(c, i)); i++) {
        unsigned digit_value =
            (unsigned)(is_digit(text_at(c, i)) ? text_at(c, i) - '0'
                                               : tolower((unsigned char)text_at(c, i)) - 'a' + 10);
        if (digit_value >= base)
            break;
        n = large ? n : n * base + digit_value;
        large = large || n > INT64_C(0x80000000);
    }
    if (i == first)
        return NUMBER_NONE;
    n = negative ? -n : n;
    *pos = i;
    if (large || n > INT32_MAX || n < INT32_MIN)
        return NUMBER_LARGE;
    *value = (int32_t)n;
    return NUMBER_GOOD;
}

static void range_spaces(const struct compiler *c, uint32_t *pos, uint32_t end)
{
    while (*pos < end && isspace((unsigned char)text_at(c, *pos)))
        ++*pos;
}

/* The part behind the first number; false when it is no range. */
static bool range_second(const struct compiler *c, uint32_t *pos, uint32_t end, struct range *out)
{
    range_spaces(c, pos, end);
    if (*pos == end)
        return true;
    char sign = text_at(c, (*pos)++);
    if (sign == ':' && *pos == end) {
        out->kind = RANGE_REST;
        return true;
    }
    if (sign != ':' && sign != '-')
        return false;
    out->kind = sign == ':' ? RANGE_LENGTH : RANGE_LAST;
    if (range_number(c, pos, end, &out->end) != NUMBER_GOOD)
        return false;
    range_spaces(c, pos, end);
    return *pos == end;
}

static bool range_add(struct compiler *c, struct range range)
{
    struct filter *f = c->filter;
    if (f->range_count == c->range_room) {
        uint32_t room = c->range_room ? c->range_room * 2 : 8;
        struct range *ranges = room <= MAX_ITEMS ? realloc(f->ranges, room * sizeof *ranges) : NULL;
        if (!ranges)
            return fail_memory(c);
        f->ranges = ranges;
        c->range_room = room;
    }
    f->ranges[f->range_count++] = range;
    return true;
}

/* 3, 3:2, 3-4, 3: or :2 between FROM and END. */
static bool range_read(struct compiler *c, uint32_t from, uint32_t end)
{
    struct range range = {.kind = RANGE_LENGTH, .end = 1};
    int shown = (int)(end - from < 100 ? end - from : 100);
    const char *text = c->text + from;
    uint32_t i = from;
    enum number_fault fault =
        text_at(c, from) == ':' ? NUMBER_GOOD : range_number(c, &i, end, &range.start);
    if (fault != NUMBER_GOOD)
        return fail_at(c, from, end - from, "\"%.*s\" %s", shown, text,
                       fault == NUMBER_NONE ? "is not a valid number."
                                            : "causes an integer overflow.");
    if (!range_second(c, &i, end, &range))
        return fail_at(c, from, end - from, "\"%.*s\" is not a valid range.", shown, text);
    if (range.kind == RANGE_LENGTH && range.end <= 0)
        return fail_at(c, from, end - from,
                       "Range %.*s isn't valid because length %d isn't positive", shown, text,
                       range.end);
    if (range.kind == RANGE_LAST &&
        ((range.start < 0 && range.end > 0) || (range.start > 0 && range.end < 0)))
        return fail_at(c, from, end - from,
                       "Range %.*s isn't valid because %d and %d have different signs", shown, text,
                       range.start, range.end);
    if (range.kind == RANGE_LAST && range.start >= range.end)
        return fail_at(c, from, end - from,
                       "Range %.*s isn't valid because %d is greater or equal than %d", shown, text,
                       range.start, range.end);
    return range_add(c, range);
}

static bool range_unexpected(struct compiler *c)
{
    c->token = (struct token){.kind = TOKEN_STRANGE, .at = c->pos, .length = 1};
    return fail_unexpected(c);
}

bool lex_ranges(struct compiler *c, uint32_t *first, uint32_t *count)
{
    *first = c->filter->range_count;
    for (;;) {
        uint32_t from = c->pos;
        while (c->pos < c->len && text_at(c, c->pos) != ',' && text_at(c, c->pos) != ']')
            c->pos++;
        if (c->pos == from && c->pos < c->len)
            return range_unexpected(c);
        if (c->pos >= c->len)
            return fail_at(c, c->len, 1, "The right bracket was missing from a slice.");
        if (!range_read(c, from, c->pos))
            return false;
        if (text_at(c, c->pos++) == ']')
            break;
    }
    *count = c->filter->range_count - *first;
    return lex_next(c);
}

bool lex_layers(struct compiler *c, uint32_t *first, uint32_t *count)
{
    if (text_at(c, c->pos) == '[') {
        c->pos++;
        return lex_ranges(c, first, count);
    }
    uint32_t from = c->pos;
    while (is_digit(text_at(c, c->pos)))
        c->pos++;
    if (c->pos == from)
        return c->pos < c->len
                   ? fail_at(c, from, 1, "Expected digit or \"[\", not \"%c\"", text_at(c, from))
                   : fail(c, "Unexpected end of filter expression.");
    *first = c->filter->range_count;
    *count = 1;
    return range_read(c, from, c->pos) && lex_next(c);
}
