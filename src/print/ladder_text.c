#include "print/ladder_private.h"
#include "print/text.h"

#define REPLACEMENT 0xfffd

struct range {
    uint32_t first, last;
};

static bool within(const struct range *ranges, size_t count, uint32_t c)
{
    for (size_t i = 0; i < count; i++)
        if (c >= ranges[i].first && c <= ranges[i].last)
            return true;
    return false;
}

/* Columns of a character on a terminal: no table is right for all of them; these are the scripts
 * that names in certificates are written in. */
static size_t columns_of(uint32_t c)
{
    static const struct range none[] = {{0x300, 0x36f}, {0x483, 0x489}, {0x20d0, 0x20f0}};
    static const struct range two[] = {
        {0x1100, 0x115f}, {0x2e80, 0xa4cf},   {0xac00, 0xd7a3},
        {0xf900, 0xfaff}, {0xfe30, 0xfe6f},   {0xff00, 0xff60},
        {0xffe0, 0xffe6}, {0x1f300, 0x1faff}, {0x20000, 0x3fffd},
    };
    if (c < 0x300)
        return 1;
    if (within(none, sizeof none / sizeof none[0], c))
        return 0;
    return within(two, sizeof two / sizeof two[0], c) ? 2 : 1;
}

size_t ladder_columns(struct slice text)
{
    size_t columns = 0;
    while (text.len > 0)
        columns += columns_of(text_next(&text, false));
    return columns;
}

/* One character, escaped when it must not reach a terminal as it is. */
static void put_character(struct buf *out, struct slice bytes, uint32_t c, bool ascii)
{
    bool broken = c == REPLACEMENT && bytes.len != 3;
    if (broken || c == 0) {
        for (size_t i = 0; i < bytes.len; i++) {
            buf_str(out, "\\x");
            buf_hex(out, slice_at(bytes, i), 2);
        }
    } else if (c == '\\') {
        buf_str(out, "\\\\");
    } else if (c >= 0x80 && ascii) {
        buf_str(out, "\\u{");
        buf_hex(out, c, 1);
        buf_char(out, '}');
    } else {
        text_label(out, bytes, false);
    }
}

void ladder_escape(struct buf *out, struct slice raw, size_t most, bool ascii)
{
    size_t columns = 0;
    while (raw.len > 0) {
        struct slice before = raw;
        uint32_t c = text_next(&raw, false);
        size_t start = out->len;
        put_character(out, slice_sub(before, 0, before.len - raw.len), c, ascii);
        columns += ladder_columns(slice_sub(buf_slice(out), start, SIZE_MAX));
        if (columns > most) {
            out->len = start;
            buf_str(out, ascii ? "..." : "…");
            return;
        }
    }
}

/* ---- names ---- */

void ladder_version(struct buf *out, uint16_t version)
{
    static const char *const names[] = {"SSL 3.0", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3"};
    if (version >= 0x0300 && version <= TLS13) {
        buf_str(out, names[version - 0x0300]);
    } else if (version >> 8 == 0x7f) {
        buf_str(out, "TLS 1.3 draft ");
        buf_dec(out, version & 0xff);
    } else {
        buf_str(out, "0x");
        buf_hex(out, version, 4);
    }
}

void ladder_name(struct buf *out, enum registry registry, uint16_t value)
{
    const char *name = registry_name(registry, value);
    if (!name)
        name = registry_compat(registry, value);
    if (name) {
        buf_str(out, name);
        return;
    }
    buf_str(out, "0x");
    buf_hex(out, value, 4);
}

void ladder_snake(struct buf *out, enum registry registry, uint16_t value)
{
    size_t start = out->len;
    ladder_name(out, registry, value);
    for (size_t i = start; i < out->len; i++) {
        uint8_t c = out->data[i];
        out->data[i] = c == ' ' ? '_' : c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c;
    }
}

/* ---- wrapping ---- */

static void new_line(struct wrap *w)
{
    buf_char(w->out, '\n');
    buf_fill(w->out, ' ', w->indent);
    w->column = w->indent;
    w->inside = false;
}

/* As many characters as fit from the front of a word that no line can hold. */
static struct slice cut_word(struct slice *word, size_t room)
{
    struct slice whole = *word;
    size_t columns = 0, len = 0;
    while (word->len > 0) {
        struct slice before = *word;
        columns += columns_of(text_next(word, false));
        if (columns > room && len > 0) {
            *word = before;
            break;
        }
        len += before.len - word->len;
    }
    return slice_sub(whole, 0, len);
}

static void put_word(struct wrap *w, struct slice word)
{
    size_t columns = ladder_columns(word);
    if (w->inside && w->column + columns + 1 > w->width)
        new_line(w);
    else if (w->inside) {
        buf_char(w->out, ' ');
        w->column++;
    }
    while (word.len > 0) {
        struct slice part = cut_word(&word, w->width > w->column ? w->width - w->column : 1);
        buf_slice_put(w->out, part);
        w->column += ladder_columns(part);
        w->inside = true;
        if (word.len > 0)
            new_line(w);
    }
}

/* Takes what stands before the next SEPARATOR off TEXT, and the separator. */
static struct slice take_until(struct slice *text, char separator)
{
    size_t n = 0;
    while (n < text->len && slice_at(*text, n) != (uint8_t)separator)
        n++;
    struct slice head = slice_take(text, n);
    if (text->len > 0)
        slice_skip(text, 1);
    return head;
}

void ladder_wrap(struct wrap *w, struct slice text)
{
    while (text.len > 0) {
        struct slice item = take_until(&text, ITEM_END);
        const char *dot = w->ascii ? "|" : "·";
        size_t columns = ladder_columns(item);
        if (w->inside && w->column + 3 + columns <= w->width)
            put_word(w, slice_of_str(dot));
        else if (w->inside)
            new_line(w);
        while (item.len > 0)
            put_word(w, take_until(&item, ' '));
    }
}

void ladder_wrap_end(struct wrap *w)
{
    if (w->inside)
        buf_char(w->out, '\n');
    w->inside = false;
}
