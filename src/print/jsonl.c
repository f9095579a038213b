#include "print/jsonl.h"

#include "print/clock_text.h"
#include "print/columns.h"
#include "print/json_text.h"
#include "print/label.h"
#include "print/value.h"
#include "schema/oids.h"

#define DEEPEST 250 /* items below are left out, which `more` tells */

struct jsonl {
    struct buf *out;
    const struct print_options *options;
    const struct tape *t;
};

/* KEY with its quotes, colon, and the comma before it. */
static void text_key(struct buf *out, const char *key, struct slice text)
{
    buf_str(out, key);
    json_string(out, text);
}

static void number_key(struct buf *out, const char *key, uint64_t number)
{
    buf_str(out, key);
    buf_dec(out, number);
}

/* ---- values -------------------------------------------------------------------------------------
 */

static void quoted(struct jsonl *j, const struct event *e,
                   void (*put)(struct buf *, const struct tape *, const struct event *))
{
    buf_char(j->out, '"');
    size_t start = j->out->len;
    put(j->out, j->t, e);
    json_escape_from(j->out, start);
    buf_char(j->out, '"');
}

static void value(struct jsonl *j, const struct event *e)
{
    switch (fields[e->field].type) {
    case TYPE_BOOLEAN:
        buf_str(j->out, e->value ? "true" : "false");
        return;
    case TYPE_UINT8:
    case TYPE_UINT16:
    case TYPE_UINT24:
    case TYPE_UINT32:
    case TYPE_UINT64:
    case TYPE_FRAMENUM:
        buf_dec(j->out, e->value);
        return;
    case TYPE_INT8:
    case TYPE_INT16:
    case TYPE_INT32:
        buf_sdec(j->out, (int32_t)e->value);
        return;
    case TYPE_INT64:
        buf_sdec(j->out, (int64_t)e->value);
        return;
    case TYPE_RELATIVE_TIME:
        buf_nanoseconds(j->out, (int64_t)e->value, 9);
        return;
    case TYPE_ABSOLUTE_TIME:
        buf_char(j->out, '"');
        clock_text_iso(j->out, (int64_t)e->value);
        buf_char(j->out, '"');
        return;
    case TYPE_BYTES:
        quoted(j, e, value_cell); /* hexadecimal without colons */
        return;
    default:
        quoted(j, e, value_show);
    }
}

/* What the number or the object identifier is called. */
static void name(struct jsonl *j, const struct event *e)
{
    const struct field *field = &fields[e->field];
    if (field->type == TYPE_OID) {
        buf_str(j->out, ",\"name\":\"");
        size_t start = j->out->len;
        oid_text(j->out, event_bytes(j->t, e));
        json_escape_from(j->out, start);
        buf_char(j->out, '"');
    } else if (field->registry != REG_NONE && field->type != TYPE_BOOLEAN) {
        const char *text = registry_name(field->registry, e->value);
        if (text)
            text_key(j->out, ",\"name\":", slice_of_str(text));
    }
}

/* ---- items --------------------------------------------------------------------------------------
 */

static void items(struct jsonl *j, uint32_t at, uint32_t end, unsigned level);

static void place(struct jsonl *j, const struct event *e)
{
    if (e->length == 0 || !value_has_place(e))
        return;
    if (e->source > 0)
        number_key(j->out, ",\"source\":", e->source);
    number_key(j->out, ",\"offset\":", e->offset);
    number_key(j->out, ",\"length\":", e->length);
}

static void label(struct jsonl *j, uint32_t at)
{
    buf_str(j->out, ",\"label\":\"");
    size_t start = j->out->len;
    label_write(j->out, j->t, at);
    json_escape_from(j->out, start);
    buf_char(j->out, '"');
}

static void item(struct jsonl *j, uint32_t at, unsigned level)
{
    const struct event *e = &j->t->events[at];
    const struct field *field = &fields[e->field];
    buf_str(j->out, "{\"field\":");
    if (*field->abbrev)
        buf_put(j->out, json_keys[e->field].text, json_keys[e->field].len);
    else
        buf_char(j->out, '"');
    buf_char(j->out, '"');
    if (field->type == TYPE_NONE || field->type == TYPE_PROTOCOL) {
        label(j, at);
    } else {
        buf_str(j->out, ",\"value\":");
        value(j, e);
        name(j, e);
    }
    place(j, e);
    if (e->flags & EVENT_GENERATED)
        buf_str(j->out, ",\"generated\":true");
    if (e->next > at + 1 && level < DEEPEST) {
        buf_str(j->out, ",\"items\":[");
        items(j, at + 1, e->next, level + 1);
        buf_char(j->out, ']');
    } else if (e->next > at + 1) {
        buf_str(j->out, ",\"more\":true");
    }
    buf_char(j->out, '}');
}

/* With -j and -J: layers that are not named are left out. */
static bool is_left_out(const struct jsonl *j, const struct event *e)
{
    return e->depth == 0 && j->options->keep.names &&
           !keep_has(&j->options->keep, slice_of_str(fields[e->field].abbrev));
}

static void items(struct jsonl *j, uint32_t at, uint32_t end, unsigned level)
{
    bool first = true;
    for (; at < end; at = j->t->events[at].next) {
        if (is_left_out(j, &j->t->events[at]))
            continue;
        if (!first)
            buf_char(j->out, ',');
        first = false;
        item(j, at, level);
    }
}

/* ---- fields of -e -------------------------------------------------------------------------------
 */

static void column(struct jsonl *j, const struct dissection *d, const char *title)
{
    size_t index = columns_find(j->options, title);
    if (index == columns_count(j->options))
        return;
    buf_char(j->out, '"');
    size_t start = j->out->len;
    columns_write(j->out, index, j->options, d);
    json_escape_from(j->out, start);
    buf_char(j->out, '"');
}

static void values_of(struct jsonl *j, size_t cell)
{
    bool first = true;
    for (uint32_t i = 0; i < j->t->count; i++) {
        const struct event *e = &j->t->events[i];
        if (!field_list_is_of(j->options->list, cell, e->field))
            continue;
        if (!first)
            buf_char(j->out, ',');
        first = false;
        if (fields[e->field].type == TYPE_NONE || fields[e->field].type == TYPE_PROTOCOL)
            buf_str(j->out, "true");
        else
            value(j, e);
    }
}

/* Each field has its key, and an array of its values, in every line. */
static void asked(struct jsonl *j, const struct dissection *d)
{
    const struct field_list *list = j->options->list;
    buf_str(j->out, ",\"fields\":{");
    for (size_t i = 0; i < field_list_count(list); i++) {
        if (i > 0)
            buf_char(j->out, ',');
        json_string(j->out, slice_of_str(field_list_name(list, i)));
        buf_str(j->out, ":[");
        if (field_list_title(list, i))
            column(j, d, field_list_title(list, i));
        else
            values_of(j, i);
        buf_char(j->out, ']');
    }
    buf_char(j->out, '}');
}

/* ---- packets ------------------------------------------------------------------------------------
 */

static void column_key(struct jsonl *j, const struct dissection *d, const char *key,
                       enum column kind)
{
    size_t before = j->out->len;
    buf_str(j->out, key);
    buf_char(j->out, '"');
    size_t start = j->out->len;
    column_write(j->out, kind, j->options, d);
    if (j->out->len == start) {
        j->out->len = before;
        return;
    }
    json_escape_from(j->out, start);
    buf_char(j->out, '"');
}

static void sources(struct jsonl *j)
{
    buf_str(j->out, ",\"sources\":[");
    for (uint32_t i = 0; i < j->t->source_count; i++) {
        const struct source *source = &j->t->sources[i];
        text_key(j->out, i > 0 ? ",{\"name\":" : "{\"name\":", slice_of_str(source->name));
        number_key(j->out, ",\"length\":", source->bytes.len);
        if (j->options->hex) {
            buf_str(j->out, ",\"bytes\":\"");
            buf_hex_bytes(j->out, source->bytes, '\0');
            buf_char(j->out, '"');
        }
        buf_char(j->out, '}');
    }
    buf_char(j->out, ']');
}

void jsonl_want(const struct print_options *options, uint8_t *want)
{
    if (field_list_count(options->list) > 0)
        fields_want(options, want);
    else
        memset(want, 1, FIELD_COUNT);
}

void jsonl_packet(struct buf *out, const struct print_options *options, const struct dissection *d)
{
    struct jsonl j = {.out = out, .options = options, .t = &d->tape};
    const struct packet *packet = d->packet;
    number_key(out, "{\"frame\":", packet->number);
    if (packet->has_time) {
        buf_str(out, ",\"time\":\"");
        clock_text_iso(out, packet->time_ns);
        buf_str(out, "\",\"epoch\":");
        buf_nanoseconds(out, packet->time_ns, 9);
    }
    number_key(out, ",\"length\":", packet->len);
    number_key(out, ",\"captured\":", packet->caplen);
    column_key(&j, d, ",\"source\":", COLUMN_SOURCE_ADDRESS);
    column_key(&j, d, ",\"destination\":", COLUMN_DESTINATION_ADDRESS);
    column_key(&j, d, ",\"protocol\":", COLUMN_PROTOCOL);
    column_key(&j, d, ",\"info\":", COLUMN_INFO);
    if (field_list_count(options->list) > 0) {
        asked(&j, d);
    } else {
        sources(&j);
        buf_str(out, ",\"layers\":[");
        items(&j, 0, j.t->count, 0);
        buf_char(out, ']');
    }
    buf_str(out, "}\n");
}
