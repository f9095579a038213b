/* What JSON is made of: strings with their escapes, keys of fields, lines with their indentation.
 *
 * Escapes are tshark's: control characters, '"' and '\', and the '/' of "</", so that the text may
 * stand in a web page.  What is written is valid JSON whatever the bytes are. */
#ifndef TLSWIRE_PRINT_JSON_TEXT_H
#define TLSWIRE_PRINT_JSON_TEXT_H

#include "dissect/tape.h"

#define JSON_KEY_BYTES 128

/* A field's name behind an opening quote: nothing in it needs an escape.  At least 32 bytes of the
 * array lie behind it. */
struct json_key {
    uint8_t len;
    char text[JSON_KEY_BYTES - 1];
};

extern const struct json_key json_keys[FIELD_COUNT];

/* UTF-8 without its quotes. */
void json_escape(struct buf *out, struct slice text);
/* The same of what was written since START. */
void json_escape_from(struct buf *out, size_t start);
/* How many bytes of a text are to be written, when they are ASCII and need no escape; SIZE_MAX when they may.  It ends
 * at a NUL. */
size_t json_plain_length(struct slice text);
/* With quotes. */
void json_string(struct buf *out, struct slice text);
/* A number or a text between quotes, as the `show` of a field has it. */
void json_value(struct buf *out, const struct tape *t, const struct event *e);
/* A line feed and two spaces for each LEVEL. */
void json_line(struct buf *out, unsigned level);

/* Where the day of the index that a packet belongs to is named: "packets-2017-11-22". */
void json_index(struct buf *out, int64_t ns);

#endif
