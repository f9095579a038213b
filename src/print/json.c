#include "print/json.h"

#include "print/json_plain.h"
#include "print/json_text.h"
#include "print/label.h"
#include "print/value.h"

#define LAYERS_LEVEL 4   /* indentation of a protocol's key */
#define DEEPEST      250 /* items below are left out */
#define LINE_BYTES   512 /* of a line but for its value */

struct json {
    struct buf *out;
    const struct tape *t;
    const struct print_options *options;
    bool text, hex;   /* values; bytes */
    bool unique;      /* items of one name become an array */
    struct keep keep; /* that holds here */
};

/* ---- lines --------------------------------------------------------------------------------------
 */

/* Begins a line after the one before it, which ends with a comma unless it opened something. */
static void begin(struct json *j, unsigned level, bool *first)
{
    if (!*first)
        buf_char(j->out, ',');
    *first = false;
    json_line(j->out, level);
}

static bool is_heading(const struct event *e)
{
    return fields[e->field].abbrev[0] == '\0';
}

static void key(struct json *j, uint32_t at, const char *suffix)
{
    const struct event *e = &j->t->events[at];
    if (is_heading(e)) {
        buf_char(j->out, '"');
        size_t start = j->out->len;
        label_write(j->out, j->t, at);
        json_escape_from(j->out, start);
    } else {
        buf_put(j->out, json_keys[e->field].text, json_keys[e->field].len);
    }
    buf_str(j->out, suffix);
}

static bool has_value(const struct event *e)
{
    uint8_t type = fields[e->field].type;
    return type != TYPE_NONE && type != TYPE_PROTOCOL;
}

static bool has_children(const struct json *j, uint32_t at)
{
    const struct event *events = j->t->events;
    uint32_t child = at + 1;
    while (child < events[at].next && print_omits(j->options, &events[child]))
        child = events[child].next;
    return child < events[at].next;
}

/* ---- bytes --------------------------------------------------------------------------------------
 */

/* What readers of the format know the types by. */
static const uint8_t type_numbers[TYPE_COUNT] = {
    [TYPE_NONE] = 0,           [TYPE_PROTOCOL] = 1,       [TYPE_BOOLEAN] = 2, [TYPE_UINT8] = 4,
    [TYPE_UINT16] = 5,         [TYPE_UINT24] = 6,         [TYPE_UINT32] = 7,  [TYPE_UINT64] = 11,
    [TYPE_INT8] = 12,          [TYPE_INT16] = 13,         [TYPE_INT32] = 15,  [TYPE_INT64] = 19,
    [TYPE_ABSOLUTE_TIME] = 24, [TYPE_RELATIVE_TIME] = 25, [TYPE_STRING] = 26, [TYPE_ETHER] = 29,
    [TYPE_BYTES] = 30,         [TYPE_IPV4] = 32,          [TYPE_IPV6] = 33,   [TYPE_FRAMENUM] = 35,
    [TYPE_OID] = 37,
};

static unsigned type_number(uint16_t field)
{
    if (field == F_frame_encap_type)
        return 13; /* a number of 16 bits with a sign, which nothing else is */
    if (field == F_frame_p2p_dir)
        return 12;
    return type_numbers[fields[field].type];
}

static void number_line(struct json *j, unsigned level, uint64_t number, bool *first)
{
    begin(j, level, first);
    buf_dec(j->out, number);
}

/* [bytes, position, length, mask, type] */
static void raw(struct json *j, uint32_t at, unsigned level)
{
    const struct event *e = &j->t->events[at];
    const struct field *field = &fields[e->field];
    bool first = true;
    bool somewhere = value_has_place(e);
    buf_char(j->out, '[');
    if (somewhere || field->mask) {
        begin(j, level + 1, &first);
        buf_char(j->out, '"');
        if (field->mask)
            value_masked(j->out, e->value);
        else
            value_hex(j->out, j->t, e);
        buf_char(j->out, '"');
    }
    number_line(j, level + 1, somewhere ? e->offset : 0, &first);
    number_line(j, level + 1, somewhere ? e->length : 0, &first);
    number_line(j, level + 1, field->mask, &first);
    number_line(j, level + 1, type_number(e->field), &first);
    json_line(j->out, level);
    buf_char(j->out, ']');
}

/* ---- items --------------------------------------------------------------------------------------
 */

static void members(struct json *j, uint32_t at, uint32_t end, unsigned level);

static bool is_kept(struct json *j, uint32_t at)
{
    const struct event *e = &j->t->events[at];
    if (!is_heading(e))
        return keep_has(&j->keep, slice_of_str(fields[e->field].abbrev));
    size_t start = j->out->len;
    label_write(j->out, j->t, at);
    bool kept = keep_has(&j->keep, slice_of(j->out->data + start, j->out->len - start));
    j->out->len = start;
    return kept;
}

/* Neither a value nor anything below: protocols have their line of text. */
static void empty(struct json *j, uint32_t at, unsigned level)
{
    (void)level;
    buf_char(j->out, '"');
    size_t start = j->out->len;
    if (fields[j->t->events[at].field].type == TYPE_PROTOCOL)
        label_write(j->out, j->t, at);
    json_escape_from(j->out, start);
    buf_char(j->out, '"');
}

static void children(struct json *j, uint32_t at, unsigned level)
{
    const struct event *e = &j->t->events[at];
    if (!has_children(j, at)) {
        empty(j, at, level);
        return;
    }
    buf_char(j->out, '{');
    if (j->keep.names && !is_kept(j, at)) {
        json_line(j->out, level + 1);
        buf_str(j->out, "\"filtered\": ");
        key(j, at, "\"");
    } else if (level < DEEPEST) {
        struct keep outside = j->keep;
        j->keep = keep_inside(&outside);
        members(j, at + 1, e->next, level + 1);
        j->keep = outside;
    }
    json_line(j->out, level);
    buf_char(j->out, '}');
}

static void value(struct json *j, uint32_t at, unsigned level)
{
    (void)level;
    json_value(j->out, j->t, &j->t->events[at]);
}

static bool same_key(struct json *j, uint32_t a, uint32_t b)
{
    const struct event *x = &j->t->events[a], *y = &j->t->events[b];
    if (!is_heading(x) || !is_heading(y))
        return x->field == y->field ||
               (!is_heading(x) && strcmp(fields[x->field].abbrev, fields[y->field].abbrev) == 0);
    size_t start = j->out->len;
    label_write(j->out, j->t, a);
    size_t middle = j->out->len;
    label_write(j->out, j->t, b);
    bool same = !j->out->failed && j->out->len - middle == middle - start &&
                memcmp(j->out->data + start, j->out->data + middle, middle - start) == 0;
    j->out->len = start;
    return same;
}

/* The next item of AT's name among its neighbours up to END; END when there is none. */
static uint32_t next_same(struct json *j, uint32_t at, uint32_t end)
{
    uint32_t i = j->unique ? j->t->events[at].next : end;
    while (i < end && (print_omits(j->options, &j->t->events[i]) || !same_key(j, at, i)))
        i = j->t->events[i].next;
    return i < end ? i : end;
}

/* One key, with what PUT makes of each item of this name. */
static void member(struct json *j, uint32_t at, uint32_t end, unsigned level, bool *first,
                   const char *suffix, void (*put)(struct json *, uint32_t, unsigned))
{
    begin(j, level, first);
    key(j, at, suffix);
    uint32_t next = next_same(j, at, end);
    if (next == end) {
        put(j, at, level);
        return;
    }
    bool first_item = true;
    buf_char(j->out, '[');
    for (uint32_t i = at; i < end; i = next_same(j, i, end)) {
        begin(j, level + 1, &first_item);
        put(j, i, level + 1);
    }
    json_line(j->out, level);
    buf_char(j->out, ']');
}

static bool any_has_children(struct json *j, uint32_t at, uint32_t end)
{
    for (uint32_t i = at; i < end; i = next_same(j, i, end))
        if (has_children(j, i))
            return true;
    return false;
}

static void item(struct json *j, uint32_t at, uint32_t end, unsigned level, bool *first)
{
    const struct event *e = &j->t->events[at];
    bool valued = has_value(e), parent = any_has_children(j, at, end);
    bool unnamed = is_heading(e);
    if (j->hex && !unnamed && (!j->text || (e->length > 0 && value_has_place(e))))
        member(j, at, end, level, first, "_raw\": ", raw);
    if (j->text && valued)
        member(j, at, end, level, first, "\": ", value);
    if (parent)
        member(j, at, end, level, first, valued ? "_tree\": " : "\": ", children);
    if (!valued && !parent && (j->text || (j->hex && unnamed)))
        member(j, at, end, level, first, "\": ", empty);
}

/* True when an item of AT's name stands before it, from START on. */
static bool is_repeated(struct json *j, uint32_t start, uint32_t at)
{
    for (uint32_t i = start; j->unique && i < at; i = j->t->events[i].next)
        if (same_key(j, i, at))
            return true;
    return false;
}

static void members(struct json *j, uint32_t start, uint32_t end, unsigned level)
{
    bool first = true;
    for (uint32_t at = start; at < end; at = j->t->events[at].next)
        if (!print_omits(j->options, &j->t->events[at]) && !is_repeated(j, start, at))
            item(j, at, end, level, &first);
}

/* ---- packets ------------------------------------------------------------------------------------
 */

void json_header(struct buf *out, const struct print_options *options)
{
    (void)options;
    buf_char(out, '[');
}

/* The fields of -e. */
static void asked(struct json *j, struct field_list *list)
{
    bool first = true;
    for (size_t i = 0; i < field_list_count(list); i++) {
        struct field_values values = field_list_values(list, i);
        struct slice text;
        bool first_value = true;
        if (values.left == 0)
            continue;
        begin(j, LAYERS_LEVEL, &first);
        json_string(j->out, slice_of_str(field_list_name(list, i)));
        buf_str(j->out, ": [");
        while (field_values_next(&values, &text)) {
            begin(j, LAYERS_LEVEL + 1, &first_value);
            json_string(j->out, text);
        }
        json_line(j->out, LAYERS_LEVEL);
        buf_char(j->out, ']');
    }
}

static void packet(struct json *j, const struct print_options *options, const struct dissection *d)
{
    buf_str(j->out,
            options->printed == 0 ? "\n  {\n    \"_index\": \"" : ",\n  {\n    \"_index\": \"");
    json_index(j->out, d->packet->time_ns);
    buf_str(j->out, "\",\n    \"_type\": \"doc\",\n    \"_score\": null,\n"
                    "    \"_source\": {\n      \"layers\": {");
    size_t start = j->out->len;
    if (field_list_count(options->list) > 0) {
        field_list_fill(options, d);
        asked(j, options->list);
    } else if (!j->hex && !j->unique && !j->keep.names) {
        json_plain(j->out, options, j->t, 0, j->t->count, LAYERS_LEVEL);
    } else {
        members(j, 0, j->t->count, LAYERS_LEVEL);
    }
    if (j->out->len > start)
        json_line(j->out, LAYERS_LEVEL - 1);
    buf_str(j->out, "}\n    }\n  }");
}

void json_packet(struct buf *out, const struct print_options *options, const struct dissection *d)
{
    struct json j = {.out = out,
                     .t = &d->tape,
                     .options = options,
                     .text = true,
                     .hex = options->hex,
                     .unique = options->unique_keys,
                     .keep = options->keep};
    packet(&j, options, d);
}

void json_raw_packet(struct buf *out, const struct print_options *options,
                     const struct dissection *d)
{
    struct json j = {.out = out,
                     .t = &d->tape,
                     .options = options,
                     .hex = true,
                     .unique = options->unique_keys,
                     .keep = options->keep};
    packet(&j, options, d);
}

void json_footer(struct buf *out, const struct print_options *options)
{
    buf_str(out, options->printed > 0 ? "\n]\n" : "]\n");
}
