/* Telling the user what is wrong with a filter: the line, a mark under the place, the name that was
 * meant. */
#include "filter/program.h"

#include <stdarg.h>
#include <stdio.h>

#define SHOWN_TEXT 150 /* longest piece of the filter that an error shows */

static const struct {
    const char *name, *code;
} types[TYPE_COUNT] = {
    [TYPE_NONE] = {"Label", "FT_NONE"},
    [TYPE_PROTOCOL] = {"Protocol", "FT_PROTOCOL"},
    [TYPE_BOOLEAN] = {"Boolean", "FT_BOOLEAN"},
    [TYPE_UINT8] = {"Unsigned integer (1 byte)", "FT_UINT8"},
    [TYPE_UINT16] = {"Unsigned integer (2 bytes)", "FT_UINT16"},
    [TYPE_UINT24] = {"Unsigned integer (3 bytes)", "FT_UINT24"},
    [TYPE_UINT32] = {"Unsigned integer (4 bytes)", "FT_UINT32"},
    [TYPE_UINT64] = {"Unsigned integer (8 bytes)", "FT_UINT64"},
    [TYPE_INT32] = {"Signed integer (4 bytes)", "FT_INT32"},
    [TYPE_INT64] = {"Signed integer (8 bytes)", "FT_INT64"},
    [TYPE_ABSOLUTE_TIME] = {"Date and time", "FT_ABSOLUTE_TIME"},
    [TYPE_RELATIVE_TIME] = {"Time offset", "FT_RELATIVE_TIME"},
    [TYPE_STRING] = {"Character string", "FT_STRING"},
    [TYPE_BYTES] = {"Byte sequence", "FT_BYTES"},
    [TYPE_IPV4] = {"IPv4 address", "FT_IPv4"},
    [TYPE_IPV6] = {"IPv6 address", "FT_IPv6"},
    [TYPE_ETHER] = {"Ethernet or other MAC address", "FT_ETHER"},
    [TYPE_OID] = {"ASN.1 object identifier", "FT_OID"},
    [TYPE_FRAMENUM] = {"Frame number", "FT_FRAMENUM"},
};

const char *type_name(enum field_type type)
{
    return types[type].name;
}

const char *type_code(enum field_type type)
{
    return types[type].code;
}

bool fail_memory(struct compiler *c)
{
    c->failed = true;
    return error_set(c->error, ERROR_MEMORY, "Not enough memory for this filter.");
}

/* The piece of the text around the place, and the mark under it, control bytes as '?'. */
static void show_place(const struct compiler *c, uint32_t at, uint32_t length, char *line,
                       char *mark)
{
    uint32_t from = 0, len = c->len;
    if (len > SHOWN_TEXT) {
        from = at > SHOWN_TEXT / 2 ? at - SHOWN_TEXT / 2 : 0;
        if (from > c->len - SHOWN_TEXT)
            from = c->len - SHOWN_TEXT;
        len = SHOWN_TEXT;
    }
    for (uint32_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)c->text[from + i];
        line[i] = byte < 0x20 || byte == 0x7f ? '?' : c->text[from + i];
    }
    line[len] = '\0';
    uint32_t column = at - from, n = 0;
    for (; n < column; n++)
        mark[n] = ' ';
    mark[n++] = '^';
    for (uint32_t i = 1; i < length && n < len; i++)
        mark[n++] = '~';
    mark[n] = '\0';
}

__attribute__((format(printf, 6, 0))) static bool fail_list(struct compiler *c, bool place,
                                                            uint32_t at, uint32_t length,
                                                            const char *hint, const char *format,
                                                            va_list args)
{
    char message[220], line[SHOWN_TEXT + 2], mark[SHOWN_TEXT + 2];
    if (c->failed)
        return false;
    c->failed = true;
    int written = vsnprintf(message, sizeof message, format, args);
    if (written < 0)
        return error_set(c->error, ERROR_USAGE, "Bad filter.");
    for (char *p = message; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = '?';
    if (!place)
        return error_set(c->error, ERROR_USAGE, "%s", message);
    show_place(c, at, length, line, mark);
    return error_set(c->error, ERROR_USAGE, "%s\n    %s\n    %s%s%s%s", message, line, mark,
                     hint ? "\ndid you mean " : "", hint ? hint : "", hint ? "?" : "");
}

bool fail(struct compiler *c, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fail_list(c, false, 0, 0, NULL, format, args);
    va_end(args);
    return false;
}

bool fail_at(struct compiler *c, uint32_t at, uint32_t length, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fail_list(c, true, at, length, NULL, format, args);
    va_end(args);
    return false;
}

bool fail_unexpected(struct compiler *c)
{
    const struct token *t = &c->token;
    if (c->failed)
        return false;
    if (t->kind == TOKEN_END)
        return fail(c, "Unexpected end of filter expression.");
    return fail_at(c, t->at, t->length, "\"%.*s\" was unexpected in this context.",
                   (int)(t->length < 120 ? t->length : 120), c->text + t->at);
}

/* ---- names that are nearly right
 * --------------------------------------------------------------------- */

#define NAME_MAX_LEN 64

static unsigned least(unsigned a, unsigned b, unsigned c)
{
    unsigned m = a < b ? a : b;
    return m < c ? m : c;
}

/* How many letters must be changed, added or taken away to make one name of the other. */
static unsigned distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    unsigned row[NAME_MAX_LEN + 1];
    for (size_t j = 0; j <= b_len; j++)
        row[j] = (unsigned)j;
    for (size_t i = 0; i < a_len; i++) {
        unsigned corner = row[0];
        row[0] = (unsigned)i + 1;
        for (size_t j = 0; j < b_len; j++) {
            char left = a[i] >= 'A' && a[i] <= 'Z' ? (char)(a[i] + 32) : a[i];
            char right = b[j] >= 'A' && b[j] <= 'Z' ? (char)(b[j] + 32) : b[j];
            unsigned changed = corner + (left != right);
            corner = row[j + 1];
            row[j + 1] = least(row[j] + 1, row[j + 1] + 1, changed);
        }
    }
    return row[b_len];
}

static bool ends_with(const char *name, size_t name_len, const char *tail, size_t tail_len)
{
    return name_len > tail_len && name[name_len - tail_len - 1] == '.' &&
           memcmp(name + name_len - tail_len, tail, tail_len) == 0;
}

/* The field whose name is nearest to what was typed, or ends in its last part; NULL when none is
 * near. */
static const char *nearest(const char *typed, size_t len)
{
    const char *best = NULL;
    unsigned best_distance = (unsigned)len / 4 + 1;
    size_t tail = len;
    while (tail > 0 && typed[tail - 1] != '.')
        tail--;
    if (len < 2 || len > NAME_MAX_LEN)
        return NULL;
    for (enum field_id id = 1; id < FIELD_COUNT; id++) {
        size_t have = strlen(fields[id].abbrev);
        if (have == 0 || have > NAME_MAX_LEN)
            continue;
        unsigned d = distance(typed, len, fields[id].abbrev, have);
        if (d < best_distance) {
            best = fields[id].abbrev;
            best_distance = d;
        }
    }
    for (enum field_id id = 1; !best && len - tail >= 3 && id < FIELD_COUNT; id++)
        if (ends_with(fields[id].abbrev, strlen(fields[id].abbrev), typed + tail, len - tail))
            best = fields[id].abbrev;
    return best;
}

bool fail_name(struct compiler *c, const struct node *n, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *hint =
        n->kind == NODE_WORD && !n->literal ? nearest(c->text + n->at, n->length) : NULL;
    fail_list(c, true, n->at, n->length, hint, format, args);
    va_end(args);
    return false;
}
