#include "print/pdml.h"
#include "print/psml.h"

#include "print/clock_text.h"
#include "print/label.h"
#include "print/text.h"
#include "print/value.h"

/* Existing readers ask for this creator and for the place of this stylesheet. */
#define CREATOR    "wireshark/4.0.17"
#define STYLESHEET "pdml2html.xsl"

struct pdml {
    struct buf *out;
    const struct tape *t;
    const struct print_options *options;
    uint32_t open[256]; /* events whose end tag is to come */
    size_t depth;
    uint32_t kept_until; /* events before this one are kept, whatever -J says */
    bool wrapped;        /* the present top-level item stands in a made-up protocol */
};

void pdml_header(struct buf *out, const struct print_options *options)
{
    buf_str(out, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
                 "<?xml-stylesheet type=\"text/xsl\" href=\"" STYLESHEET "\"?>\n"
                 "<!-- You can find " STYLESHEET " in /usr/share/wireshark or at "
                 "https://gitlab.com/wireshark/wireshark/-/raw/master/" STYLESHEET ". -->\n"
                 "<pdml version=\"0\" creator=\"" CREATOR "\" time=\"");
    clock_text_ctime(out, options->started_ns);
    buf_str(out, "\" capture_file=\"");
    text_xml(out, slice_of_str(options->capture_name ? options->capture_name : ""));
    buf_str(out, "\">\n");
}

void pdml_footer(struct buf *out, const struct print_options *options)
{
    (void)options;
    buf_str(out, "</pdml>\n");
}

/* ---- attributes ---------------------------------------------------------------------------------
 */

static void number(struct buf *out, const char *name, uint64_t value)
{
    buf_str(out, name);
    buf_dec(out, value);
    buf_char(out, '"');
}

static void label(struct pdml *p, uint32_t at)
{
    size_t start = p->out->len;
    label_write(p->out, p->t, at);
    text_xml_from(p->out, start);
}

static bool is_expert(const struct event *e)
{
    return e->field == F__ws_expert;
}

/* Where an item begins; remarks have no place of their own. */
static uint32_t start_of(const struct event *e)
{
    return is_expert(e) ? 0 : e->offset;
}

/* Readers of the format expect an offset before the parent's to be counted from the parent. */
static uint64_t position(const struct pdml *p, const struct event *e)
{
    uint64_t start = start_of(e);
    if (p->depth == 0)
        return start;
    uint32_t parent = start_of(&p->t->events[p->open[p->depth - 1]]);
    return start < parent ? start + parent : start;
}

static uint32_t size_of(const struct event *e)
{
    return is_expert(e) ? 0 : e->length;
}

static void values(struct pdml *p, const struct event *e)
{
    const struct field *field = &fields[e->field];
    if (field->type == TYPE_PROTOCOL)
        return;
    if (field->type == TYPE_NONE) {
        buf_str(p->out, " show=\"\" value=\"\"");
        return;
    }
    buf_str(p->out, " show=\"");
    size_t start = p->out->len;
    value_show(p->out, p->t, e);
    if (field->type == TYPE_STRING)
        text_xml_from(p->out, start);
    buf_char(p->out, '"');
    if (e->length == 0)
        return;
    buf_str(p->out, " value=\"");
    if (field->mask) {
        value_masked(p->out, e->value);
        buf_str(p->out, "\" unmaskedvalue=\"");
    }
    value_hex(p->out, p->t, e);
    buf_char(p->out, '"');
}

/* ---- elements -----------------------------------------------------------------------------------
 */

static void indent(struct pdml *p, size_t level)
{
    buf_fill(p->out, ' ', (level + 1) * 2);
}

/* An item without a name of its own: a line of text. */
static void open_text(struct pdml *p, uint32_t at)
{
    const struct event *e = &p->t->events[at];
    buf_str(p->out, "<field name=\"\" show=\"");
    label(p, at);
    number(p->out, "\" size=\"", e->length);
    number(p->out, " pos=\"", position(p, e));
    if (e->length > 0) {
        buf_str(p->out, " value=\"");
        value_hex(p->out, p->t, e);
        buf_char(p->out, '"');
    }
}

static void open_field(struct pdml *p, uint32_t at, bool protocol)
{
    const struct event *e = &p->t->events[at];
    buf_str(p->out, protocol ? "<proto name=\"" : "<field name=\"");
    buf_str(p->out, fields[e->field].abbrev);
    buf_str(p->out, "\" showname=\"");
    label(p, at);
    if (e->flags & EVENT_HIDDEN)
        buf_str(p->out, "\" hide=\"yes");
    number(p->out, "\" size=\"", size_of(e));
    number(p->out, " pos=\"", position(p, e));
    values(p, e);
}

static bool is_plain_data(const struct field *field)
{
    return field->type == TYPE_PROTOCOL && strcmp(field->abbrev, "data") == 0;
}

static bool has_children(const struct pdml *p, uint32_t at)
{
    const struct event *events = p->t->events;
    uint32_t child = at + 1;
    while (child < events[at].next && print_omits(p->options, &events[child]))
        child = events[child].next;
    return child < events[at].next;
}

static void open_event(struct pdml *p, uint32_t at)
{
    const struct event *e = &p->t->events[at];
    const struct field *field = &fields[e->field];
    bool data = is_plain_data(field);
    bool parent = has_children(p, at);
    if (p->depth == 0) {
        p->wrapped = field->type != TYPE_PROTOCOL || data;
        if (p->wrapped)
            buf_str(p->out, "  <proto name=\"fake-field-wrapper\">\n");
    }
    indent(p, p->depth + p->wrapped);
    if (field->abbrev[0] == '\0') {
        open_text(p, at);
    } else if (data) {
        buf_str(p->out, "<field name=\"data\" value=\"");
        value_hex(p->out, p->t, e);
        buf_char(p->out, '"');
    } else {
        open_field(p, at, field->type == TYPE_PROTOCOL && !is_expert(e));
    }
    buf_str(p->out, parent || data ? ">\n" : "/>\n");
    p->open[p->depth++] = at;
}

static void close_event(struct pdml *p)
{
    uint32_t at = p->open[--p->depth];
    const struct event *e = &p->t->events[at];
    const struct field *field = &fields[e->field];
    /* The wrapper does not count for the indentation of the end tags of what stands directly in it.
     */
    bool wraps = p->depth == 0 && p->wrapped;
    if (has_children(p, at)) {
        indent(p, p->depth + (p->wrapped && !wraps));
        bool protocol = field->type == TYPE_PROTOCOL && !is_expert(e) && !is_plain_data(field);
        buf_str(p->out, protocol ? "</proto>\n" : "</field>\n");
    }
    if (wraps) {
        buf_str(p->out, "  </proto>\n");
        p->wrapped = false;
    }
}

static void general_item(struct buf *out, const char *name, const char *title, uint64_t value,
                         uint32_t size)
{
    buf_str(out, "    <field name=\"");
    buf_str(out, name);
    number(out, "\" pos=\"0\" show=\"", value);
    buf_str(out, " showname=\"");
    buf_str(out, title);
    buf_str(out, "\" value=\"");
    buf_hex(out, value, 1);
    number(out, "\" size=\"", size);
    buf_str(out, "/>\n");
}

static void general_information(struct buf *out, const struct dissection *d)
{
    const struct packet *packet = d->packet;
    uint32_t size = d->tape.count > 0 && d->tape.events[0].field == F_frame
                        ? d->tape.events[0].length
                        : packet->caplen;
    number(out, "  <proto name=\"geninfo\" pos=\"0\" showname=\"General information\" size=\"",
           size);
    buf_str(out, ">\n");
    general_item(out, "num", "Number", packet->number, size);
    general_item(out, "len", "Frame Length", packet->len, size);
    general_item(out, "caplen", "Captured Length", packet->caplen, size);
    buf_str(out, "    <field name=\"timestamp\" pos=\"0\" show=\"");
    clock_text_full(out, packet->time_ns, false);
    buf_str(out, "\" showname=\"Captured Time\" value=\"");
    buf_nanoseconds(out, packet->time_ns, 9);
    number(out, "\" size=\"", size);
    buf_str(out, "/>\n");
    buf_str(out, "  </proto>\n");
}

/* With -j and -J: true when what is in the item AT is left out, which is told in its place. */
static bool left_out(struct pdml *p, const struct print_options *options, uint32_t at)
{
    const struct event *e = &p->t->events[at];
    const struct field *field = &fields[e->field];
    const char *name = *field->abbrev ? field->abbrev : "text";
    if (!options->keep.names || at < p->kept_until || (e->next == at + 1 && !is_plain_data(field)))
        return false;
    if (keep_has(&options->keep, slice_of_str(name))) {
        p->kept_until = options->keep.children ? e->next : 0;
        return false;
    }
    indent(p, p->depth + p->wrapped);
    buf_str(p->out, "<field name=\"filtered\" value=\"");
    buf_str(p->out, name);
    buf_str(p->out, "\" />\n");
    return true;
}

/* The fields of -e. */
static void asked(struct buf *out, const struct print_options *options, const struct dissection *d)
{
    field_list_fill(options, d);
    for (size_t i = 0; i < field_list_count(options->list); i++) {
        struct field_values values = field_list_values(options->list, i);
        struct slice text;
        while (field_values_next(&values, &text)) {
            buf_str(out, "  <field name=\"");
            text_xml(out, slice_of_str(field_list_name(options->list, i)));
            buf_str(out, "\" value=\"");
            text_xml(out, text);
            buf_str(out, "\"/>\n");
        }
    }
}

static void tree(struct pdml *p, const struct print_options *options)
{
    for (uint32_t i = 0; i < p->t->count;) {
        while (p->depth > 0 && (i >= p->t->events[p->open[p->depth - 1]].next ||
                                p->depth == sizeof p->open / sizeof p->open[0]))
            close_event(p);
        if (print_omits(options, &p->t->events[i])) {
            i = p->t->events[i].next;
            continue;
        }
        open_event(p, i);
        i = left_out(p, options, i) ? p->t->events[i].next : i + 1;
    }
    while (p->depth > 0)
        close_event(p);
}

void pdml_packet(struct buf *out, const struct print_options *options, const struct dissection *d)
{
    struct pdml p = {.out = out, .t = &d->tape, .options = options};
    psml_open(out, options);
    general_information(out, d);
    if (field_list_count(options->list) > 0)
        asked(out, options, d);
    else
        tree(&p, options);
    buf_str(out, "</packet>\n\n\n");
}
