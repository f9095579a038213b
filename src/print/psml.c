#include "print/psml.h"

#include "print/columns.h"
#include "print/text.h"

#define CREATOR "wireshark/4.0.17" /* readers of the format ask for it */

void psml_header(struct buf *out, const struct print_options *options)
{
    buf_str(out, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
                 "<psml version=\"0\" creator=\"" CREATOR "\">\n<structure>\n");
    for (size_t i = 0; i < columns_count(options); i++) {
        buf_str(out, "<section>");
        text_xml(out, slice_of_str(columns_title(options, i)));
        buf_str(out, "</section>\n");
    }
    buf_str(out, "</structure>\n\n");
}

static void put_color(struct buf *out, const char *name, const uint8_t rgb[3])
{
    buf_char(out, ' ');
    buf_str(out, name);
    buf_str(out, "='#");
    buf_hex_bytes(out, slice_of(rgb, 3), '\0');
    buf_char(out, '\'');
}

void psml_open(struct buf *out, const struct print_options *options)
{
    buf_str(out, "<packet");
    if (options->ink) {
        put_color(out, "foreground", options->ink->letters);
        put_color(out, "background", options->ink->ground);
    }
    buf_str(out, ">\n");
}

void psml_packet(struct buf *out, const struct print_options *options, const struct dissection *d)
{
    psml_open(out, options);
    for (size_t i = 0; i < columns_count(options); i++) {
        buf_str(out, "<section>");
        size_t start = out->len;
        columns_write(out, i, options, d);
        text_xml_from(out, start);
        buf_str(out, "</section>\n");
    }
    buf_str(out, "</packet>\n\n");
}

void psml_footer(struct buf *out, const struct print_options *options)
{
    (void)options;
    buf_str(out, "</psml>\n");
}
