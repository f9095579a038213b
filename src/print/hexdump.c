#include "print/hexdump.h"

#define PER_LINE 16
#define TEXT_COLUMN \
    (PER_LINE * 3 + 4) /* where ASCII begins, counted from the end of the offset \
                        */

/* Four digits, more when the last offset needs them. */
static size_t offset_digits(size_t len)
{
    size_t digits = 4;
    while (digits < 8 && (len - 1) >> (digits * 4) != 0)
        digits++;
    return digits;
}

static void line(struct buf *out, struct slice bytes, size_t offset, size_t digits,
                 enum hexdump_text form)
{
    static const char hex[] = "0123456789abcdef";
    uint8_t text[TEXT_COLUMN + PER_LINE + 3];
    size_t column = TEXT_COLUMN + (form == HEXDUMP_DELIMITED), end = column;
    memset(text, ' ', sizeof text);
    for (size_t i = 0; i < bytes.len; i++) {
        uint8_t byte = bytes.data[i];
        text[2 + i * 3] = (uint8_t)hex[byte >> 4];
        text[3 + i * 3] = (uint8_t)hex[byte & 15];
        text[column + i] = byte >= 0x20 && byte < 0x7f ? byte : '.';
    }
    if (form != HEXDUMP_NO_TEXT)
        end += bytes.len;
    if (form == HEXDUMP_DELIMITED)
        text[TEXT_COLUMN] = text[end++] = '|';
    text[end] = '\n';
    buf_hex(out, offset, digits);
    buf_put(out, text, end + 1);
}

static void lines(struct buf *out, struct slice bytes, enum hexdump_text form)
{
    if (bytes.len == 0)
        return;
    size_t digits = offset_digits(bytes.len);
    for (size_t at = 0; at < bytes.len; at += PER_LINE)
        line(out, slice_sub(bytes, at, PER_LINE), at, digits, form);
}

void hexdump_bytes(struct buf *out, struct slice bytes)
{
    lines(out, bytes, HEXDUMP_TEXT);
}

/* Whether there is more than the frame: an empty record that was opened is nothing to show. */
static bool has_several(const struct tape *t)
{
    unsigned shown = 0;
    for (uint32_t i = 0; i < t->source_count; i++)
        shown += t->sources[i].bytes.len > 0;
    return shown > 1;
}

void hexdump_tape(struct buf *out, const struct tape *t, struct hexdump_form form)
{
    bool several = has_several(t) && !form.frame_only;
    uint32_t count = form.frame_only && t->source_count > 1 ? 1 : t->source_count;
    for (uint32_t i = 0; i < count; i++) {
        const struct source *source = &t->sources[i];
        if (source->bytes.len == 0)
            continue;
        if (several) {
            buf_str(out, source->name);
            buf_str(out, " (");
            buf_dec(out, source->bytes.len);
            buf_str(out, source->bytes.len == 1 ? " byte):\n" : " bytes):\n");
        }
        lines(out, source->bytes, form.text);
    }
}
