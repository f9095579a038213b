/* From the text of a filter to its words and signs. */
#include "filter/program.h"

#include <ctype.h>
#include <stdlib.h>

static bool letter(char ch)
{
    return isalnum((unsigned char)ch) || ch == '_' || ch == '-';
}

/* Length of a name or plain literal: parts of letters with single dots between them. */
static uint32_t word_length(const struct compiler *c, uint32_t from)
{
    uint32_t i = from;
    while (letter(text_at(c, i)) || (text_at(c, i) == '.' && i > from && letter(text_at(c, i + 1))))
        i++;
    return i - from;
}

/* Length of pairs of digits with colons between them, 16:03:01, with or without a colon before them;
 * that colon makes a literal of any digits. */
static uint32_t pairs_length(const struct compiler *c, uint32_t from)
{
    bool colon = text_at(c, from) == ':';
    uint32_t start = from + colon, i = start, run = start;
    while (is_hex(text_at(c, run)))
        run++;
    while (is_hex(text_at(c, i)) && is_hex(text_at(c, i + 1))) {
        i += 2;
        if (text_at(c, i) != ':' || !is_hex(text_at(c, i + 1)) || !is_hex(text_at(c, i + 2)))
            break;
        i++;
    }
    if (colon)
        return run == start ? 0 : (i > run ? i : run) - from;
    return i - start > 2 ? i - from : 0;
}

/* Length of a number from 0 to 255, as far as the digits go. */
static uint32_t octet_length(const struct compiler *c, uint32_t from)
{
    unsigned value = 0;
    uint32_t n = 0;
    while (n < 3 && is_digit(text_at(c, from + n)) &&
           value * 10 + (unsigned)(text_at(c, from + n) - '0') < 256) {
        value = value * 10 + (unsigned)(text_at(c, from + n) - '0');
        n++;
        if (value == 0)
            break;
    }
    return n;
}

static uint32_t ipv4_length(const struct compiler *c, uint32_t from)
{
    uint32_t i = from;
    for (unsigned octet = 0; octet < 4; octet++) {
        if (octet > 0 && text_at(c, i++) != '.')
            return 0;
        uint32_t n = octet_length(c, i);
        if (n == 0)
            return 0;
        i += n;
    }
    return i - from;
}

/* Length of the longest IPv6 address (RFC 3986 3.2.2) that starts here; 0 when none does. */
static uint32_t ipv6_length(const struct compiler *c, uint32_t from)
{
    uint32_t i = from, best = 0;
    unsigned groups = 0;
    bool gap = false;
    if (text_at(c, i) == ':' && text_at(c, i + 1) != ':')
        return 0;
    for (;;) {
        if (text_at(c, i) == ':' && text_at(c, i + 1) == ':' && !gap && groups < 8) {
            gap = true;
            i += 2;
            best = i - from;
        } else if (groups > 0 && text_at(c, i++) != ':') {
            break;
        }
        unsigned most = gap ? 7 : 8;
        uint32_t v4 = groups + 2 <= most && (gap || groups == 6) ? ipv4_length(c, i) : 0;
        if (v4 > 0 && i + v4 - from > best)
            best = i + v4 - from;
        uint32_t digits = 0;
        while (digits < 4 && is_hex(text_at(c, i + digits)))
            digits++;
        if (digits == 0 || groups == most)
            break;
        i += digits;
        groups++;
        if ((gap || groups == 8) && i - from > best)
            best = i - from;
    }
    return best;
}

static uint32_t mask_length(const struct compiler *c, uint32_t from, uint32_t most)
{
    uint32_t n = 0;
    if (text_at(c, from) != '/')
        return 0;
    while (n < most && is_digit(text_at(c, from + 1 + n)))
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
    {"xor", TOKEN_XOR, 0, false},
    {"bitwise_and", TOKEN_MARK, 0, false},
};

/* Longest first. */
static const struct keyword signs[] = {
    {"===", TOKEN_COMPARE, CMP_EQ, true}, {"!==", TOKEN_COMPARE, CMP_NE, false},
    {"==", TOKEN_COMPARE, CMP_EQ, false}, {"!=", TOKEN_COMPARE, CMP_NE, true},
    {"~=", TOKEN_COMPARE, CMP_NE, false}, {">=", TOKEN_COMPARE, CMP_GE, false},
    {"<=", TOKEN_COMPARE, CMP_LE, false}, {"&&", TOKEN_AND, 0, false},
    {"||", TOKEN_OR, 0, false},           {"^^", TOKEN_XOR, 0, false},
    {"..", TOKEN_MARK, 0, false},         {">", TOKEN_COMPARE, CMP_GT, false},
    {"<", TOKEN_COMPARE, CMP_LT, false},  {"!", TOKEN_NOT, 0, false},
    {"~", TOKEN_MATCHES, 0, false},
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
             v4 = ipv4_length(c, c->pos), v6 = ipv6_length(c, c->pos);
    uint32_t v4_mask = v4 > 0 ? mask_length(c, c->pos + v4, 2) : 0;
    uint32_t len = word;
    v6 += v6 > 0 ? mask_length(c, c->pos + v6, 3) : 0;
    v4 += v4_mask;
    c->token.kind = TOKEN_WORD;
    if (pairs > len || v6 > len || (v4_mask > 0 && v4 > len)) {
        c->token.kind = TOKEN_LITERAL;
        len = pairs > v6 ? pairs : v6;
        len = v4_mask > 0 && v4 > len ? v4 : len;
    }
    for (size_t i = 0; c->token.kind == TOKEN_WORD && i < sizeof keywords / sizeof *keywords; i++)
        if (strlen(keywords[i].text) == len && memcmp(c->text + c->pos, keywords[i].text, len) == 0)
            return take_keyword(c, &keywords[i], len);
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
    while (n < most && is_hex(text_at(c, from + n)) && (base == 16 || text_at(c, from + n) < '8')) {
        char ch = (char)tolower((unsigned char)text_at(c, from + n));
        if (base == 8 && !is_digit(ch))
            break;
        *value = *value * base + (uint32_t)(is_digit(ch) ? ch - '0' : ch - 'a' + 10);
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

/* Whether C gives such a name to the character. */
static bool universal(uint32_t value)
{
    bool basic = value < 0xa0 && value != '$' && value != '@' && value != '`';
    return !basic && value <= 0x10ffff && !(value >= 0xd800 && value < 0xe000);
}

/* What \u1234 and \U00012345 mean, c->pos at the backslash. */
static bool lex_universal(struct compiler *c, uint32_t *value)
{
    uint32_t start = c->pos, most = text_at(c, start + 1) == 'u' ? 4 : 8;
    uint32_t digits = escaped_number(c, start + 2, 16, most, value);
    if (digits != most || !universal(*value))
        return fail_at(c, start, 2 + digits, "%.*s is not a valid universal character name",
                       (int)(2 + digits), c->text + start);
    c->pos += 2 + digits;
    return true;
}

static const char plain_escapes[] = "abfnrtv\\'\"?", plain_meanings[] = "\a\b\f\n\r\t\v\\'\"?";

/* The escape behind the backslash at c->pos. */
static bool lex_escape(struct compiler *c)
{
    struct buf *out = &c->filter->constants;
    uint32_t start = c->pos, value = 0, digits;
    char ch = text_at(c, start + 1);
    const char *known = ch ? strchr(plain_escapes, ch) : NULL;
    if (known) {
        buf_char(out, plain_meanings[known - plain_escapes]);
        c->pos += 2;
        return true;
    }
    if (ch == 'u' || ch == 'U') {
        if (!lex_universal(c, &value))
            return false;
        put_utf8(out, value);
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

static bool missing_quote(struct compiler *c, const char *of)
{
    return fail_at(c, c->len, 1, "The final quote was missing from a %s.", of);
}

static bool lex_string(struct compiler *c, bool raw)
{
    struct buf *out = &c->filter->constants;
    c->token.kind = TOKEN_STRING;
    c->token.bytes = (uint32_t)out->len;
    c->pos += raw ? 2 : 1;
    while (c->pos < c->len && text_at(c, c->pos) != '"') {
        bool escape = text_at(c, c->pos) == '\\';
        if (escape && c->pos + 1 == c->len)
            return missing_quote(c, "quoted string");
        if (escape && !raw) {
            if (!lex_escape(c))
                return false;
            continue;
        }
        /* A raw string keeps its backslashes, the one before a quote too. */
        if (escape && text_at(c, c->pos + 1) == '"')
            buf_char(out, text_at(c, c->pos++));
        buf_char(out, text_at(c, c->pos++));
    }
    if (c->pos >= c->len)
        return missing_quote(c, "quoted string");
    c->pos++;
    c->token.byte_count = (uint32_t)out->len - c->token.bytes;
    c->token.length = c->pos - c->token.at;
    return !out->failed || fail_memory(c);
}

static bool bad_char(struct compiler *c, const char *what)
{
    int len = (int)(c->token.length < 100 ? c->token.length : 100);
    return fail_at(c, c->token.at, c->token.length, "%.*s %s valid character constant.", len,
                   c->text + c->token.at, what);
}

/* The value of the text between two quotes, and how many bytes of it stand for that. */
static bool char_value(struct compiler *c, uint32_t from, uint32_t *used)
{
    uint32_t *value = &c->token.number;
    char ch = text_at(c, from + 1);
    const char *known = strchr(plain_escapes, ch);
    *used = 1;
    *value = (unsigned char)text_at(c, from);
    if (*value != '\\') {
        return (*value >= ' ' && *value < 0x7f) ||
               fail_at(c, c->token.at, c->token.length,
                       "Non-printable value '0x%02x' in character constant.", *value);
    }
    *used = 2;
    if (known && ch != '?') {
        *value = (unsigned char)plain_meanings[known - plain_escapes];
        return true;
    }
    if (ch == 'u' || ch == 'U') {
        *used = 2 + escaped_number(c, from + 2, 16, ch == 'u' ? 4 : 8, value);
        return (*used == (ch == 'u' ? 6 : 10) && universal(*value)) ||
               fail_at(c, c->token.at, c->token.length,
                       "%.*s is not a valid universal character name",
                       (int)(c->token.length < 100 ? c->token.length : 100), c->text + c->token.at);
    }
    uint32_t octal = escaped_number(c, from + 1, 8, 3, value);
    if (octal > 0) {
        *used = 1 + octal;
        if (octal < 3 && text_at(c, from + *used) != '\'')
            return bad_char(c, "isn't a");
        return *value < 256 || bad_char(c, "is too large to be a");
    }
    uint32_t digits = ch == 'x' ? escaped_number(c, from + 2, 16, 2, value) : 0;
    *used = 2 + digits;
    if (digits == 0 || (digits == 1 && text_at(c, from + 3) != '\''))
        return bad_char(c, "isn't a");
    return true;
}

static bool lex_char(struct compiler *c)
{
    uint32_t start = ++c->pos, used = 0;
    c->token.kind = TOKEN_CHAR;
    while (c->pos < c->len && text_at(c, c->pos) != '\'')
        c->pos += text_at(c, c->pos) == '\\' ? 2 : 1;
    if (c->pos >= c->len)
        return missing_quote(c, "character constant");
    uint32_t end = c->pos++;
    c->token.length = c->pos - c->token.at;
    if (start == end)
        return fail_at(c, c->token.at, c->token.length, "Empty character constant.");
    return char_value(c, start, &used) &&
           (start + used == end || bad_char(c, "is too long to be a"));
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
    char ch = text_at(c, c->pos);
    if ((unsigned char)ch >= 0x80 || (unsigned char)ch < 0x20 || ch == 0x7f)
        return fail_at(c, c->pos, 1,
                       "Non-printable ASCII characters may only appear inside double-quotes.");
    c->token.kind = strchr("(){}[],#+-*/%&$@", ch) ? TOKEN_MARK : TOKEN_STRANGE;
    c->token.mark = ch;
    c->token.length = 1;
    c->pos++;
    return true;
}

bool lex_next(struct compiler *c)
{
    while (c->pos < c->len && isspace((unsigned char)text_at(c, c->pos)))
        c->pos++;
    c->token = (struct token){.kind = TOKEN_END, .at = c->pos, .length = 1};
    if (c->pos >= c->len)
        return true;
    char ch = text_at(c, c->pos), after = text_at(c, c->pos + 1);
    if (ch == '"')
        return lex_string(c, false);
    if (ch == '\'')
        return lex_char(c);
    if ((ch == 'r' || ch == 'R') && after == '"')
        return lex_string(c, true);
    if (ch == '.' && letter(after) && after != '-') {
        c->token.kind = TOKEN_DOTTED;
        c->token.length = 1 + word_length(c, c->pos + 1);
        c->pos += c->token.length;
        return field_find(c->text + c->token.at + 1, c->token.length - 1) != F_NONE ||
               fail_name(c, c->token.at, c->token.length,
                         "\"%.*s\" is not a valid protocol or protocol field.",
                         (int)(c->token.length - 1 < 100 ? c->token.length - 1 : 100),
                         c->text + c->token.at + 1);
    }
    if ((letter(ch) && ch != '-') ||
        (ch == ':' && (ipv6_length(c, c->pos) > 0 || pairs_length(c, c->pos) > 0)))
        return lex_word(c);
    return lex_sign(c);
}
