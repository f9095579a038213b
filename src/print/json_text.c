#include "print/json_text.h"

#include "print/clock_text.h"
#include "print/text.h"
#include "print/value.h"

#define LONGEST_ESCAPE 6 /* \u001f */

const struct json_key json_keys[FIELD_COUNT] = {
#define KEY(id, abbrev)                                                           [F_##id] = {sizeof(abbrev), "\"" abbrev},
#define PROTOCOL(id, abbrev, name, meaning, section)                              KEY(id, abbrev)
#define FIELD(id, abbrev, label, type, display, registry, mask, meaning, section) KEY(id, abbrev)
#define FIELD_AS(id, abbrev, label, type, display, registry, mask, template, meaning, section) \
    KEY(id, abbrev)
#define EXPERT_ROW(id, abbrev, severity, group, summary, text, meaning) KEY(expert_##id, abbrev)
#include "schema/all.def"
};

/* What stands after the backslash; 0: no escape.  'u' is followed by four digits. */
static const char escapes[256] = {
    [0] = 'u',  [1] = 'u',  [2] = 'u',  [3] = 'u',  [4] = 'u',   [5] = 'u',     [6] = 'u',
    [7] = 'u',  [8] = 'b',  [9] = 't',  [10] = 'n', [11] = 'u',  [12] = 'f',    [13] = 'r',
    [14] = 'u', [15] = 'u', [16] = 'u', [17] = 'u', [18] = 'u',  [19] = 'u',    [20] = 'u',
    [21] = 'u', [22] = 'u', [23] = 'u', [24] = 'u', [25] = 'u',  [26] = 'u',    [27] = 'u',
    [28] = 'u', [29] = 'u', [30] = 'u', [31] = 'u', ['"'] = '"', ['\\'] = '\\', ['/'] = '/',
};

void json_escape(struct buf *out, struct slice text)
{
    size_t start = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        char escape = escapes[c];
        if (!escape || (c == '/' && (i == 0 || text.data[i - 1] != '<')))
            continue;
        buf_slice_put(out, slice_sub(text, start, i - start));
        start = i + 1;
        buf_char(out, '\\');
        buf_char(out, escape);
        if (escape == 'u')
            buf_hex(out, c, 4);
    }
    buf_slice_put(out, slice_sub(text, start, text.len - start));
}

size_t json_plain_length(struct slice text)
{
    size_t n = text_without_escape(text, true);
    return n == text.len || slice_at(text, n) == '\0' ? n : SIZE_MAX;
}

void json_escape_from(struct buf *out, size_t start)
{
    size_t len = out->len - start;
    struct slice text = slice_sub(buf_slice(out), start, len);
    if (text_without_escape(text, false) == len || !buf_room(out, len * LONGEST_ESCAPE))
        return;
    json_escape(out, slice_of(out->data + start, len));
    size_t escaped = out->len - start - len;
    memmove(out->data + start, out->data + start + len, escaped);
    out->len = start + escaped;
}

void json_string(struct buf *out, struct slice text)
{
    buf_char(out, '"');
    json_escape(out, text);
    buf_char(out, '"');
}

void json_value(struct buf *out, const struct tape *t, const struct event *e)
{
    buf_char(out, '"');
    size_t start = out->len;
    value_show(out, t, e);
    if (fields[e->field].type == TYPE_STRING)
        json_escape_from(out, start);
    buf_char(out, '"');
}

void json_line(struct buf *out, unsigned level)
{
    buf_char(out, '\n');
    buf_fill(out, ' ', (size_t)level * 2);
}

void json_index(struct buf *out, int64_t ns)
{
    buf_str(out, "packets-");
    clock_text_day(out, ns);
}
