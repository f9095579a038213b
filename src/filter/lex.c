/* From the text of a filter to its words and signs. */
#include "filter/program.h"

#include <ctype.h>
#include <stdlib.h>

static char at(const struct compiler *c, uint32_t i)
{
    return i < c->len ? c->text[i] : '\0';
}

static bool letter(char ch)
{
    return isalnum((unsigned char)ch) || ch == '_' || ch == '-' || (unsigned char)ch >= 0x80;
}

static bool digit(char ch)
{
    return ch >= '0' && ch <= '9';
}

static bool hex(char ch)
{
    return isxdigit((unsigned char)ch) != 0;
}

/* Length of a name or plain literal: parts of letters with single dots between them. */
static uint32_t word_length(const struct compiler *c, uint32_t from)
{
    uint32_t i = from;
    while (letter(at(c, i)) || (at(c, i) == '.' && i > from && letter(at(c, i + 1))))
        i++;
    return i - from;
}

/* Length of pairs of digits with colons between them: 16:03:01. */
static uint32_t pairs_length(const struct compiler *c, uint32_t from)
{
    uint32_t i = from;
    while (hex(at(c, i)) && hex(at(c, i + 1))) {
        i += 2;
        if (at(c, i) != ':' || !hex(at(c, i + 1)) || !hex(at(c, i + 2)) || hex(at(c, i + 3)))
            break;
        i++;
    }
    return i - from > 2 ? i - from : 0;
}

/* Length of the groups of an IPv6 address: its shape, not yet its meaning. */
static uint32_t ipv6_length(const struct compiler *c, uint32_t from)
{
    uint32_t i = from;
    unsigned groups = 0;
    bool gap = false;
    for (;;) {
        uint32_t digits = 0;
        while (digits < 4 && hex(at(c, i + digits)))
            digits++;
        i += digits;
        groups += digits > 0;
        if (groups > 8 || at(c, i) != ':')
            break;
        if (at(c, i + 1) == ':') {
            if (gap)
                break;
            gap = true;
            i += 2;
            if (!hex(at(c, i)))
                break;
        } else if (digits > 0 && hex(at(c, i + 1))) {
            i++;
        } else {
            break;
        }
    }
    if (!gap && groups != 8)
        return 0;
    if (gap && at(c, i) == '.') /* the last 32 bits in the style of IPv4 */
        while (digit(at(c, i)) || (at(c, i) == '.' && digit(at(c, i + 1))))
            i++;
    return i - from;
}

static bool is_ipv4(const struct compiler *c, uint32_t from, uint32_t len)
{
    unsigned dots = 0;
    for (uint32_t i = 0; i < len; i++) {
        dots += at(c, from + i) == '.';
        if (!digit(at(c, from + i)) && at(c, from + i) != '.')
            return false;
    }
    return dots == 3;
}

static uint32_t mask_length(const struct compiler *c, uint32_t from, uint32_t most)
{
    uint32_t n = 0;
    if (at(c, from) != '/')
        return 0;
    while (n < most && digit(at(c, from + 1 + n)))
        n++;
    return n > 0 ? n + 1 : 0;
}

static const struct keyword {
    const char *text;
    enum token_kind kind;
    enum comparison cmp;
    bool all;
} keywords[] = {
    {"and", TOKEN_AND, 0, false},
    {"or", TOKEN_OR, 0, false},
    {"not", TOKEN_NOT, 0, false},
    {"in", TOKEN_IN, 0, false},
    {"any", TOKEN_ANY, 0, false},
    {"all", TOKEN_ALL, 0, false},
    {"contains", TOKEN_CONTAINS, 0, false},
    {"matches", TOKEN_MATCHES, 0, false},
    {"eq", TOKEN_COMPARE, CMP_EQ, false},
    {"any_eq", TOKEN_COMPARE, CMP_EQ, false},
    {"ne", TOKEN_COMPARE, CMP_NE, true},
    {"all_ne", TOKEN_COMPARE, CMP_NE, true},
    {"any_ne", TOKEN_COMPARE, CMP_NE, false},
    {"all_eq", TOKEN_COMPARE, CMP_EQ, true},
    {"gt", TOKEN_COMPARE, CMP_GT, false},
    {"ge", TOKEN_COMPARE, CMP_GE, false},
    {"lt", TOKEN_COMPARE, CMP_LT, false},
    {"le", TOKEN_COMPARE, CMP_LE, false},
    {"bitwise_and", TOKEN_MARK, 0, false},
};

/* Longest first. */
static const struct keyword signs[] = {
    {"===", TOKEN_COMPARE, CMP_EQ, true}, {"!==", TOKEN_COMPARE, CMP_NE, false},
    {"==", TOKEN_COMPARE, CMP_EQ, false}, {"!=", TOKEN_COMPARE, CMP_NE, true},
    {"~=", TOKEN_COMPARE, CMP_NE, false}, {">=", TOKEN_COMPARE, CMP_GE, false},
    {"<=", TOKEN_COMPARE, CMP_LE, false}, {"&&", TOKEN_AND, 0, false},
    {"||", TOKEN_OR, 0, false},           {"..", TOKEN_MARK, 0, false},
    {">", TOKEN_COMPARE, CMP_GT, false},  {"<", TOKEN_COMPARE, CMP_LT, false},
    {"!", TOKEN_NOT, 0, false},           {"~", TOKEN_MATCHES, 0, false},
};

static bool take_keyword(struct compiler *c, const struct keyword *k, uint32_t len)
{
    c->token.kind = k->kind;
    c->token.cmp = k->cmp;
    c->token.all = k->all;
    c->token.mark = k->text[0] == 'b' ? '&' : '.'; /* bitwise_and, or ".." */
    c->token.length = len;
    c->pos += len;
    return true;
}

static bool lex_word(struct compiler *c)
{
    uint32_t word = word_length(c, c->pos), pairs = pairs_length(c, c->pos),
             v6 = ipv6_length(c, c->pos);
    uint32_t len = word;
    c->token.kind = TOKEN_WORD;
    if (pairs > len || v6 > len) {
        c->token.kind = TOKEN_LITERAL;
        len = pairs > v6 ? pairs : v6;
        if (v6 >= pairs)
            len += mask_length(c, c->pos + len, 3);
    } else if (is_ipv4(c, c->pos, len)) {
        c->token.kind = TOKEN_LITERAL;
        len += mask_length(c, c->pos + len, 2);
    }
    for (size_t i = 0; c->token.kind == TOKEN_WORD && i < sizeof keywords / sizeof *keywords; i++)
        if (strlen(keywords[i].text) == len && memcmp(c->text + c->pos, keywords[i].text, len) == 0)
            return take_keyword(c, &keywords[i], len);
    /* A number ends at a sign even when a letter could follow: 1-2 is one word, as in names. */
    c->token.length = len;
    c->pos += len;
    return true;
}

/* ---- strings
 * ----------------------------------------------------------------------------------------- */

static uint32_t escaped_number(const struct compiler *c, uint32_t from, unsigned base,
                               uint32_t most, uint32_t *value)
{
    uint32_t n = 0;
    *value = 0;
    while (n < most && hex(at(c, from + n)) && (base == 16 || at(c, from + n) < '8')) {
        char ch = (char)tolower((unsigned char)at(c, from + n));
        if (base == 8 && !digit(ch))
            break;
        *value = *value * base + (uint32_t)(digit(ch) ? ch - '0' : ch - 'a' + 10);
        n++;
    }
    return n;
}

static void put_utf8(struct buf *b, uint32_t code)
{
    static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    unsigned count = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (unsigned i = 0; i < count; i++) {
        uint32_t bits = code >> 6 * (count - 1 - i);
        buf_char(b,
                 (char)(i == 0 ? (bits | lead[count == 1 ? 0 : count]) : ((bits & 0x3f) | 0x80)));
    }
}

/* The escape behind the backslash at c->pos. */
static bool lex_escape(struct compiler *c)
{
    static const char plain[] = "abfnrtv\\'\"?", meaning[] = "\a\b\f\n\r\t\v\\'\"?";
    struct buf *out = &c->filter->constants;
    uint32_t start = c->pos, value = 0, digits;
    char ch = at(c, start + 1);
    const char *known = ch ? strchr(plain, ch) : NULL;
    if (known) {
        buf_char(out, meaning[known - plain]);
        c->pos += 2;
        return true;
    }
    if (ch == 'u' || ch == 'U') {
        uint32_t most = ch == 'u' ? 4 : 8;
        digits = escaped_number(c, start + 2, 16, most, &value);
        if (digits != most || value > 0x10ffff || (value >= 0xd800 && value < 0xe000))
            return fail_at(c, start, 2, "\\%c is not a valid universal character name", ch);
        put_utf8(out, value);
        c->pos += 2 + digits;
        return true;
    }
    bool octal = ch >= '0' && ch <= '7';
    uint32_t skip = octal ? 1 : 2;
    digits = octal       ? escaped_number(c, start + 1, 8, 3, &value)
             : ch == 'x' ? escaped_number(c, start + 2, 16, 2, &value)
                         : 0;
    if (digits == 0)
        return fail_at(c, start, start + 1 < c->len ? 2 : 1,
                       "\\%c is not a valid character escape sequence", ch ? ch : ' ');
    if (value > 255)
        return fail_at(c, start, skip + digits, "\\%.*s is larger than 255.", (int)digits,
                       c->text + start + 1);
    buf_char(out, (char)value);
    c->pos += skip + digits;
    return true;
}

static bool lex_quoted(struct compiler *c, char quote, bool raw)
{
    struct buf *out = &c->filter->constants;
    c->token.kind = quote == '"' ? TOKEN_STRING : TOKEN_CHAR;
    c->token.bytes = (uint32_t)out->len;
    c->pos += raw ? 2 : 1;
    while (c->pos < c->len && at(c, c->pos) != quote) {
        if (at(c, c->pos) == '\\' && !raw) {
            if (!lex_escape(c))
                return false;
        } else {
            /* A raw string keeps its backslashes, the one before a quote too. */
            if (at(c, c->pos) == '\\' && at(c, c->pos + 1) == quote)
                buf_char(out, at(c, c->pos++));
            buf_char(out, at(c, c->pos++));
        }
    }
    if (c->pos >= c->len)
        return fail_at(c, c->len, 1, "The final quote was missing from a %s.",
                       quote == '"' ? "quoted string" : "character constant");
    c->pos++;
    c->token.byte_count = (uint32_t)out->len - c->token.bytes;
    c->token.length = c->pos - c->token.at;
    if (out->failed)
        return fail_memory(c);
    const char *text = c->text + c->token.at;
    if (quote == '\'' && c->token.byte_count == 0)
        return fail_at(c, c->token.at, c->token.length, "Empty character constant.");
    if (quote == '\'' && c->token.byte_count > 1)
        return fail_at(c, c->token.at, c->token.length,
                       "%.*s is too long to be a valid character constant.",
                       (int)(c->token.length < 100 ? c->token.length : 100), text);
    return true;
}

/* ---- the tokens
 * -------------------------------------------------------------------------------------- */

static bool lex_sign(struct compiler *c)
{
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        size_t len = strlen(signs[i].text);
        if (c->len - c->pos >= len && memcmp(c->text + c->pos, signs[i].text, len) == 0)
            return take_keyword(c, &signs[i], (uint32_t)len);
    }
    char ch = at(c, c->pos);
    if (ch == '$' && at(c, c->pos + 1) == '{')
        return fail_at(c, c->pos, 2, "A reference to a field, ${...}, is not supported yet.");
    c->token.kind = ch && strchr("(){}[],#+-*/%&", ch) ? TOKEN_MARK : TOKEN_STRANGE;
    c->token.mark = ch;
    c->token.length = 1;
    while (ch == ':' &&
           (hex(at(c, c->pos + c->token.length)) || at(c, c->pos + c->token.length) == ':'))
        c->token.length++;
    c->pos += c->token.length;
    return true;
}

bool lex_next(struct compiler *c)
{
    while (c->pos < c->len && isspace((unsigned char)at(c, c->pos)))
        c->pos++;
    c->token = (struct token){.kind = TOKEN_END, .at = c->pos, .length = 1};
    if (c->pos >= c->len)
        return true;
    char ch = at(c, c->pos), after = at(c, c->pos + 1);
    if (ch == '"' || ch == '\'')
        return lex_quoted(c, ch, false);
    if ((ch == 'r' || ch == 'R') && after == '"')
        return lex_quoted(c, '"', true);
    if (ch == '.' && letter(after) && after != '-') {
        c->token.kind = TOKEN_DOTTED;
        c->token.length = 1 + word_length(c, c->pos + 1);
        c->pos += c->token.length;
        return true;
    }
    if ((letter(ch) && ch != '-') || (ch == ':' && ipv6_length(c, c->pos) > 0))
        return lex_word(c);
    return lex_sign(c);
}

/* ---- ranges
 * ------------------------------------------------------------------------------------------ */

static bool range_number(struct compiler *c, uint32_t *pos, int32_t *value)
{
    uint32_t i = *pos;
    bool negative = at(c, i) == '-';
    i += negative;
    int64_t n = 0;
    uint32_t first = i;
    for (; digit(at(c, i)) && n < INT32_MAX; i++)
        n = n * 10 + (at(c, i) - '0');
    if (i == first || n > INT32_MAX)
        return false;
    *value = (int32_t)(negative ? -n : n);
    *pos = i;
    return true;
}

static bool range_parse(struct compiler *c, uint32_t from, uint32_t end, struct range *out)
{
    uint32_t i = from;
    *out = (struct range){.kind = RANGE_LENGTH, .end = 1};
    bool started = range_number(c, &i, &out->start);
    if (i == end)
        return started;
    char sign = at(c, i++);
    if (sign == ':' && started && i == end) {
        out->kind = RANGE_REST;
        return true;
    }
    if ((sign != ':' && sign != '-') || (sign == '-' && !started))
        return false;
    out->kind = sign == ':' ? RANGE_LENGTH : RANGE_LAST;
    return range_number(c, &i, &out->end) && i == end;
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

static bool range_read(struct compiler *c, uint32_t from, uint32_t end)
{
    struct range range;
    while (from < end && isspace((unsigned char)at(c, from)))
        from++;
    while (end > from && isspace((unsigned char)at(c, end - 1)))
        end--;
    if (from == end) {
        c->token = (struct token){.kind = TOKEN_STRANGE, .at = end, .length = 1};
        return fail_unexpected(c);
    }
    int shown = (int)(end - from < 60 ? end - from : 60);
    if (!range_parse(c, from, end, &range))
        return fail_at(c, from, end - from, "\"%.*s\" is not a valid range.", shown,
                       c->text + from);
    if (range.kind == RANGE_LENGTH && range.end <= 0)
        return fail_at(c, from, end - from,
                       "Range %.*s isn't valid because length %d isn't positive", shown,
                       c->text + from, range.end);
    if (range.kind == RANGE_LAST && (range.start < 0) == (range.end < 0) && range.start > range.end)
        return fail_at(c, from, end - from, "Range %.*s isn't valid because %d is greater than %d",
                       shown, c->text + from, range.start, range.end);
    return range_add(c, range);
}

bool lex_ranges(struct compiler *c, uint32_t *first, uint32_t *count)
{
    *first = c->filter->range_count;
    uint32_t from = c->pos;
    for (uint32_t i = from;; i++) {
        char ch = at(c, i);
        if (i >= c->len || ch == '[')
            return fail_at(c, c->len, 1, "The right bracket was missing from a slice.");
        if (ch != ',' && ch != ']')
            continue;
        if (!range_read(c, from, i))
            return false;
        from = i + 1;
        if (ch == ']')
            break;
    }
    c->pos = from;
    *count = c->filter->range_count - *first;
    return lex_next(c);
}

bool lex_layers(struct compiler *c, uint32_t *first, uint32_t *count)
{
    if (at(c, c->pos) == '[') {
        c->pos++;
        return lex_ranges(c, first, count);
    }
    uint32_t from = c->pos;
    while (digit(at(c, c->pos)))
        c->pos++;
    if (c->pos == from)
        return c->pos < c->len
                   ? fail_at(c, from, 1, "Expected digit or \"[\", not \"%c\"", at(c, from))
                   : fail(c, "Unexpected end of filter expression.");
    *first = c->filter->range_count;
    *count = 1;
    return range_read(c, from, c->pos) && lex_next(c);
}
