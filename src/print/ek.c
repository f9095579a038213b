#include "print/ek.h"

#include "print/clock_text.h"
#include "print/columns.h"
#include "print/json_text.h"
#include "print/label.h"
#include "print/value.h"

/* An object holds the items of a protocol without their nesting.  Items of one name under parents
 * of one name become one key.  They are found once, in the scratch of the state, which is a stack:
 * an object inside of another puts its own on top. */

#define BUCKETS 128
#define DEEPEST 250
#define NOBODY  UINT32_MAX

struct entry {
    uint32_t event;
    uint32_t next;          /* entry of the same name; NOBODY after the last */
    uint32_t last;          /* of the chain that it heads; NOBODY: it heads none */
    uint32_t chain;         /* head of another name in the same bucket */
    uint16_t field, parent; /* the first ones of the item's name, and of that of the one above */
};

struct ek {
    struct buf *out;
    const struct tape *t;
    const struct print_options *options;
    struct print_state *state;
    bool hex;
    struct keep keep;
};

static struct entry *entry_at(const struct ek *ek, size_t base, uint32_t index)
{
    const struct buf *names = &ek->state->scratch;
    return (struct entry *)(void *)(names->data + base) + index;
}

static bool is_heading(uint16_t field)
{
    return fields[field].abbrev[0] == '\0';
}

static bool same_name(uint16_t a, uint16_t b)
{
    return a == b || (json_keys[a].len == json_keys[b].len &&
                      memcmp(json_keys[a].text, json_keys[b].text, json_keys[a].len) == 0);
}

/* ---- names --------------------------------------------------------------------------------------
 */

/* Dots would make objects of what they separate. */
static void underscored(struct buf *out, const char *name)
{
    size_t start = out->len;
    buf_str(out, name);
    for (size_t i = start; i < out->len; i++)
        if (out->data[i] == '.')
            out->data[i] = '_';
}

static void put_key(struct buf *out, uint16_t field)
{
    if (is_heading(field)) {
        buf_put(out, "text", 4);
        return;
    }
    const char *parent = field_parent((enum field_id)field);
    underscored(out, parent);
    if (*parent)
        buf_char(out, '_');
    underscored(out, fields[field].abbrev);
}

/* Writes the key behind what is in OUT, and keeps what was written. */
static void make_key(struct ek_key *key, struct buf *out, uint16_t field)
{
    size_t start = out->len;
    put_key(out, field);
    struct slice text = slice_sub(buf_slice(out), start, out->len - start);
    while (!same_name(key->same, field))
        key->same++;
    key->len = text.len <= EK_KEY_BYTES && !out->failed ? (uint8_t)text.len : 0;
    slice_read(&text, key->text, key->len);
    out->len = start;
    key->made = true;
}

static inline const struct ek_key *key_of(const struct ek *ek, uint16_t field)
{
    struct ek_key *key = &ek->state->keys[field];
    if (!key->made)
        make_key(key, ek->out, field);
    return key;
}

static void name(struct ek *ek, uint16_t field, const char *suffix)
{
    const struct ek_key *key = key_of(ek, field);
    struct buf *out = ek->out;
    bool first = out->data[out->len - 1] == '{';
    uint8_t *to = buf_pen(out, EK_KEY_BYTES + 2);
    if (!to)
        return;
    *to = ',';
    to += !first;
    *to++ = '"';
    memcpy(to, key->text, EK_KEY_BYTES);
    buf_pen_down(out, to + key->len);
    if (key->len == 0)
        put_key(out, field);
    buf_str(out, suffix);
}

/* ---- values -------------------------------------------------------------------------------------
 */

static void object(struct ek *ek, uint32_t at, uint32_t end, uint16_t parent, unsigned level);

static void label(struct ek *ek, uint32_t at)
{
    buf_char(ek->out, '"');
    size_t start = ek->out->len;
    label_write(ek->out, ek->t, at);
    json_escape_from(ek->out, start);
    buf_char(ek->out, '"');
}

/* A time that nanoseconds in 64 bits do not reach, from its digits, which were looked at when it was read. */
static void far_time(struct ek *ek, const struct event *e)
{
    static const char before[] = "---T::";
    static const uint8_t widths[] = {4, 2, 2, 2, 2, 2};
    struct slice s = event_covers(ek->t, e);
    for (size_t i = 0; i < sizeof widths; i++) {
        if (i > 0)
            buf_char(ek->out, before[i]);
        buf_slice_put(ek->out, slice_take(&s, widths[i]));
    }
    buf_str(ek->out, ".000000000Z");
}

static void field_value(struct ek *ek, uint32_t at)
{
    const struct event *e = &ek->t->events[at];
    switch (fields[e->field].type) {
    case TYPE_NONE:
        if (is_heading(e->field))
            label(ek, at);
        else
            buf_put(ek->out, "null", 4);
        return;
    case TYPE_BOOLEAN:
        buf_str(ek->out, e->value ? "true" : "false");
        return;
    case TYPE_ABSOLUTE_TIME:
        buf_char(ek->out, '"');
        if (e->label == LABEL_ASN1_TIME)
            far_time(ek, e);
        else
            clock_text_iso(ek->out, (int64_t)e->value);
        buf_char(ek->out, '"');
        return;
    default:
        json_value(ek->out, ek->t, e);
    }
}

static void filtered(struct ek *ek, uint16_t field)
{
    buf_str(ek->out, "{\"filtered\":");
    if (is_heading(field))
        buf_str(ek->out, "\"text\"}");
    else
        buf_put(ek->out, json_keys[field].text, json_keys[field].len);
    if (!is_heading(field))
        buf_str(ek->out, "\"}");
}

static bool is_kept(const struct ek *ek, uint16_t field)
{
    return keep_has(&ek->keep, slice_of_str(is_heading(field) ? "text" : fields[field].abbrev));
}

static void value(struct ek *ek, uint32_t at, unsigned level)
{
    const struct event *e = &ek->t->events[at];
    struct keep outside = ek->keep;
    if (outside.names && !is_kept(ek, e->field)) {
        filtered(ek, e->field);
        return;
    }
    ek->keep = keep_inside(&outside);
    if (fields[e->field].type != TYPE_PROTOCOL)
        field_value(ek, at);
    else
        object(ek, at + 1, e->next, e->field, level + 1);
    ek->keep = outside;
}

static void raw(struct ek *ek, uint32_t at)
{
    const struct event *e = &ek->t->events[at];
    buf_char(ek->out, '"');
    if (fields[e->field].mask)
        value_masked(ek->out, e->value);
    else
        value_hex(ek->out, ek->t, e);
    buf_char(ek->out, '"');
}

/* ---- objects ------------------------------------------------------------------------------------
 */

struct gathering {
    size_t base;    /* of the entries in the scratch */
    size_t buckets; /* where the heads of the chains are */
    uint32_t count;
};

/* PARENT and FIELD stand for their names, as ek_key's `same`. */
static uint32_t *bucket_of(const struct ek *ek, const struct gathering *g, uint16_t parent,
                           uint16_t field)
{
    const struct buf *names = &ek->state->scratch;
    return (uint32_t *)(void *)(names->data + g->buckets) + (parent * 31u + field) % BUCKETS;
}

static void add(struct ek *ek, struct gathering *g, uint32_t at, uint16_t parent)
{
    uint16_t field = key_of(ek, ek->t->events[at].field)->same;
    parent = key_of(ek, parent)->same;
    if (!buf_room(&ek->state->scratch, sizeof(struct entry)))
        return;
    ek->state->scratch.len += sizeof(struct entry);
    uint32_t index = g->count++;
    struct entry *e = entry_at(ek, g->base, index);
    uint32_t *bucket = bucket_of(ek, g, parent, field);
    *e = (struct entry){at, NOBODY, NOBODY, NOBODY, field, parent};
    for (uint32_t i = *bucket; i != NOBODY; i = entry_at(ek, g->base, i)->chain) {
        struct entry *head = entry_at(ek, g->base, i);
        if (head->field != field || head->parent != parent)
            continue;
        entry_at(ek, g->base, head->last)->next = index;
        head->last = index;
        return;
    }
    e->last = index;
    e->chain = *bucket;
    *bucket = index;
}

static void gather(struct ek *ek, struct gathering *g, uint32_t at, uint32_t end, uint16_t parent)
{
    const struct event *events = ek->t->events;
    uint32_t above[DEEPEST];
    size_t depth = 0;
    while (at < end) {
        const struct event *e = &events[at];
        while (depth > 0 && events[above[depth - 1]].next <= at)
            depth--;
        if (print_omits(ek->options, e)) {
            at = e->next;
            continue;
        }
        add(ek, g, at, depth > 0 ? events[above[depth - 1]].field : parent);
        bool inside = fields[e->field].type != TYPE_PROTOCOL && e->next > at + 1 &&
                      (!ek->keep.names || is_kept(ek, e->field));
        if (inside && depth < DEEPEST)
            above[depth++] = at;
        at = inside ? at + 1 : e->next;
    }
}

static void attribute(struct ek *ek, size_t base, uint32_t head, unsigned level)
{
    uint32_t at = entry_at(ek, base, head)->event;
    const struct event *e = &ek->t->events[at];
    bool many = entry_at(ek, base, head)->next != NOBODY;
    if (ek->hex && !is_heading(e->field) && e->length > 0 && value_has_place(e)) {
        name(ek, e->field, many ? "_raw\":[" : "_raw\":");
        for (uint32_t i = head; i != NOBODY; i = entry_at(ek, base, i)->next) {
            if (i != head)
                buf_char(ek->out, ',');
            raw(ek, entry_at(ek, base, i)->event);
        }
        if (many)
            buf_char(ek->out, ']');
    }
    name(ek, e->field, many ? "\":[" : "\":");
    for (uint32_t i = head; i != NOBODY; i = entry_at(ek, base, i)->next) {
        if (i != head)
            buf_char(ek->out, ',');
        value(ek, entry_at(ek, base, i)->event, level);
    }
    if (many)
        buf_char(ek->out, ']');
}

static void object(struct ek *ek, uint32_t at, uint32_t end, uint16_t parent, unsigned level)
{
    struct buf *names = &ek->state->scratch;
    size_t before = names->len;
    struct gathering g = {.buckets = before};
    buf_char(ek->out, '{');
    if (level < DEEPEST && buf_room(names, BUCKETS * sizeof(uint32_t))) {
        memset(names->data + before, 0xff, BUCKETS * sizeof(uint32_t));
        names->len += BUCKETS * sizeof(uint32_t);
        g.base = names->len;
        gather(ek, &g, at, end, parent);
        for (uint32_t i = 0; i < g.count; i++)
            if (entry_at(ek, g.base, i)->last != NOBODY)
                attribute(ek, g.base, i, level);
    }
    names->len = before;
    buf_char(ek->out, '}');
}

/* ---- packets ------------------------------------------------------------------------------------
 */

static void column_name(struct buf *out, const char *title)
{
    size_t start = out->len;
    json_string(out, slice_of_str(title));
    for (size_t i = start; i < out->len; i++) {
        uint8_t c = out->data[i];
        out->data[i] = c == '.' ? '_' : c >= 'A' && c <= 'Z' ? (uint8_t)(c + 'a' - 'A') : c;
    }
    buf_char(out, ':');
}

static void summary(struct buf *out, const struct print_options *options,
                    const struct dissection *d)
{
    for (size_t i = 0; i < columns_count(options); i++) {
        buf_char(out, ',');
        column_name(out, columns_title(options, i));
        buf_char(out, '"');
        size_t start = out->len;
        columns_write(out, i, options, d);
        json_escape_from(out, start);
        buf_char(out, '"');
    }
}

/* The fields of -e. */
static void asked(struct buf *out, const struct print_options *options, const struct dissection *d)
{
    bool first = true;
    field_list_fill(options, d);
    buf_char(out, '{');
    for (size_t i = 0; i < field_list_count(options->list); i++) {
        struct field_values values = field_list_values(options->list, i);
        struct slice text;
        bool first_value = true;
        if (values.left == 0)
            continue;
        if (!first)
            buf_char(out, ',');
        first = false;
        size_t start = out->len;
        json_string(out, slice_of_str(field_list_name(options->list, i)));
        for (; start < out->len; start++)
            if (out->data[start] == '.')
                out->data[start] = '_';
        buf_str(out, ":[");
        for (; field_values_next(&values, &text); first_value = false) {
            if (!first_value)
                buf_char(out, ',');
            json_string(out, text);
        }
        buf_char(out, ']');
    }
    buf_char(out, '}');
}

void ek_packet(struct buf *out, const struct print_options *options, const struct dissection *d)
{
    struct ek ek = {.out = out,
                    .t = &d->tape,
                    .options = options,
                    .state = options->state,
                    .hex = options->hex,
                    .keep = options->keep};
    int64_t ms = d->packet->time_ns / 1000000;
    buf_str(out, "{\"index\":{\"_index\":\"");
    json_index(out, d->packet->time_ns);
    buf_str(out, "\",\"_type\":\"doc\"}}\n{\"timestamp\":\"");
    buf_sdec(out, ms);
    buf_char(out, '"');
    if (options->summary)
        summary(out, options, d);
    if (options->tree) {
        buf_str(out, ",\"layers\":");
        buf_clear(&ek.state->scratch);
        if (field_list_count(options->list) > 0)
            asked(out, options, d);
        else
            object(&ek, 0, ek.t->count, F_NONE, 0);
    }
    buf_str(out, "}\n");
}
