#include "print/print.h"

#include "print/columns.h"
#include "print/ek.h"
#include "print/hexdump.h"
#include "print/json.h"
#include "print/jsonl.h"
#include "print/pdml.h"
#include "print/psml.h"
#include "print/tree.h"

static void nothing(struct buf *out, const struct print_options *options)
{
    (void)out, (void)options;
}

/* ---- -T text ------------------------------------------------------------------------------------
 */

static void separator(struct buf *out, const struct print_options *options)
{
    if (options->separator)
        buf_str(out, options->separator);
    buf_char(out, '\n');
}

static void put_ink(struct buf *out, const char *what, const uint8_t rgb[3])
{
    buf_str(out, what);
    for (size_t i = 0; i < 3; i++) {
        buf_dec(out, rgb[i]);
        buf_char(out, i < 2 ? ';' : 'm');
    }
}

/* The summary line, to the edge of the screen in its colours (ECMA-48 8.3.41, 8.3.117). */
static void colored_summary(struct buf *out, const struct print_options *options,
                            const struct dissection *d)
{
    if (options->ink) {
        put_ink(out, "\x1b[38;2;", options->ink->letters);
        put_ink(out, "\x1b[48;2;", options->ink->ground);
    }
    summary_write(out, options, d);
    if (!options->ink || out->len == 0)
        return;
    out->len--; /* the line feed comes last */
    buf_str(out, "\x1b[K\n\x1b[0m");
}

static void text_packet(struct buf *out, const struct print_options *options,
                        const struct dissection *d)
{
    if (options->summary)
        colored_summary(out, options, d);
    if (options->tree) {
        tree_write(out, options, d);
        if (!options->hex)
            separator(out, options);
    }
    if (options->hex) {
        if (options->summary || options->tree)
            buf_char(out, '\n');
        hexdump_tape(out, &d->tape, options->hex_form);
        separator(out, options);
    }
}

static void tabs_packet(struct buf *out, const struct print_options *options,
                        const struct dissection *d)
{
    struct print_options with_tabs = *options;
    with_tabs.delimiter = '\t';
    text_packet(out, &with_tabs, d);
}

static void want_all(const struct print_options *options, uint8_t *want)
{
    for (unsigned id = 0; id < FIELD_COUNT; id++)
        want[id] |= options->more || !fields[id].more;
}

static void text_want(const struct print_options *options, uint8_t *want)
{
    if (options->tree)
        tree_wants(options, want);
    if (options->summary)
        columns_want(options, want);
}

/* Every field, or with -e those. */
static void want_asked(const struct print_options *options, uint8_t *want)
{
    if (options->summary)
        columns_want(options, want);
    if (field_list_count(options->list) > 0)
        fields_want(options, want);
    else if (options->tree)
        want_all(options, want);
}

/* ---- the table ----------------------------------------------------------------------------------
 */

static const struct printer printers[] = {
    {"text", nothing, text_packet, nothing, text_want},
    {"fields", fields_header, fields_packet, fields_footer, fields_want},
    {"json", json_header, json_packet, json_footer, want_asked},
    {"jsonraw", json_header, json_raw_packet, json_footer, want_asked},
    {"ek", nothing, ek_packet, nothing, want_asked},
    {"jsonl", nothing, jsonl_packet, nothing, jsonl_want},
    {"pdml", pdml_header, pdml_packet, pdml_footer, want_asked},
    {"psml", psml_header, psml_packet, psml_footer, text_want},
    {"tabs", nothing, tabs_packet, nothing, text_want},
};

#define PRINTERS (sizeof printers / sizeof printers[0])

const struct printer *printer_find(const char *name)
{
    for (size_t i = 0; i < PRINTERS; i++)
        if (strcmp(printers[i].name, name) == 0)
            return &printers[i];
    return NULL;
}

bool printer_is_lines(const struct printer *printer)
{
    return printer->want == text_want;
}

bool printer_is_text(const struct printer *printer)
{
    return printer->want == text_want && printer->header == nothing;
}

bool printer_is_xml(const struct printer *printer)
{
    return printer->packet == pdml_packet || printer->packet == psml_packet;
}

bool printer_apart(const struct printer *printer, const struct print_options *options)
{
    bool text = printer->want == text_want;
    if (field_list_count(options->list) > 0 || options->ladder || options->info_tail)
        return false; /* which are worked in */
    return text ? options->tree || options->hex : printer->want != fields_want;
}

bool printer_by_halves(const struct printer *printer, const struct print_options *options)
{
    bool line = printer->want == text_want && options->summary && !options->tree;
    return (line || printer->want == fields_want) && !options->hex && !options->ladder;
}

const char *printer_name(size_t index)
{
    return index < PRINTERS ? printers[index].name : NULL;
}

bool print_time_option(struct print_options *options, const char *text)
{
    static const char *const names[] = {
        [TIME_RELATIVE] = "r",  [TIME_ABSOLUTE] = "a",
        [TIME_DATE] = "ad",     [TIME_DAY_OF_YEAR] = "adoy",
        [TIME_DELTA] = "d",     [TIME_DELTA_DISPLAYED] = "dd",
        [TIME_EPOCH] = "e",     [TIME_UTC] = "u",
        [TIME_UTC_DATE] = "ud", [TIME_UTC_DAY_OF_YEAR] = "udoy",
    };
    const char *dot = strchr(text, '.');
    size_t len = dot ? (size_t)(dot - text) : strlen(text);
    if (dot && (dot[1] < '0' || dot[1] > '9' || dot[2] != '\0'))
        return false;
    bool known = dot && len == 0;
    for (unsigned i = 0; i < sizeof names / sizeof names[0] && len > 0; i++) {
        if (strlen(names[i]) == len && strncmp(names[i], text, len) == 0) {
            options->time = (enum time_format)i;
            known = true;
        }
    }
    if (known && dot)
        options->time_decimals = (uint8_t)(dot[1] - '0');
    return known;
}
