#include "print/json_plain.h"

#include "print/json_text.h"
#include "print/label.h"
#include "print/value.h"

/* A line is written without asking for room before each part of it: LINE_ROOM bytes are there when
 * it begins. */

#define LINE_ROOM 2048 /* VALUE_ROOM and the rest of the line */
#define DEEPEST   200
#define SPACES    (2 * DEEPEST)

struct plain {
    struct buf *out;
    const struct print_options *options;
    const struct tape *t;
    struct clock_cache *clock;
};

#define SPACES_16 "                "
#define SPACES_64 SPACES_16 SPACES_16 SPACES_16 SPACES_16
static const char line_start[] =
    "\n" SPACES_64 SPACES_64 SPACES_64 SPACES_64 SPACES_64 SPACES_64 SPACES_64 SPACES_64;

static inline uint8_t *begin(uint8_t *to, unsigned level, bool first)
{
    *to = ',';
    to += !first;
    return pen_phrase(to, line_start, 1 + 2 * (size_t)level);
}

static inline uint8_t *key(uint8_t *to, uint16_t field)
{
    return pen_phrase(to, json_keys[field].text, json_keys[field].len);
}

/* What has no name of its own has its line of text. */
static void heading(struct plain *p, uint32_t at)
{
    buf_char(p->out, '"');
    size_t start = p->out->len;
    label_write(p->out, p->t, at);
    json_escape_from(p->out, start);
}

static inline uint8_t *end_of(const struct buf *out)
{
    return out->data + out->len;
}

static inline void ends_at(struct buf *out, const uint8_t *to)
{
    out->len = (size_t)(to - out->data);
}

/* ---- values -------------------------------------------------------------------------------------
 */

static bool plain_string(struct plain *p, const struct event *e)
{
    struct slice text = event_bytes(p->t, e);
    size_t len = json_plain_length(text);
    if (len == SIZE_MAX)
        return false;
    buf_slice_put(p->out, slice_sub(text, 0, len));
    return true;
}

static inline uint8_t *number(uint8_t *to, const struct field *field, const struct event *e)
{
    static const uint8_t digits[TYPE_COUNT] = {
        [TYPE_UINT8] = 2,  [TYPE_UINT16] = 4,  [TYPE_UINT24] = 6,
        [TYPE_UINT32] = 8, [TYPE_UINT64] = 16, [TYPE_FRAMENUM] = 8};
    if (field->display != SHOW_HEX && field->display != SHOW_HEX_DEC)
        return pen_dec(to, e->value);
    memcpy(to, "0x", 2);
    return pen_hex(to + 2, e->value, digits[field->type]);
}

/* A value of unknown length behind the quote that TO is at. */
static void long_value(struct plain *p, uint8_t *to, const struct event *e)
{
    ends_at(p->out, to);
    size_t start = p->out->len;
    if (fields[e->field].type != TYPE_STRING) {
        value_show(p->out, p->t, e);
    } else if (!plain_string(p, e)) {
        value_show(p->out, p->t, e);
        json_escape_from(p->out, start);
    }
    buf_char(p->out, '"');
}

/* ---- items --------------------------------------------------------------------------------------
 */

/* The line of an item's value; false when there is no memory. */
static inline bool value_line(struct plain *p, const struct event *e, unsigned level, bool first)
{
    const struct field *field = &fields[e->field];
    struct buf *out = p->out;
    if (!buf_room(out, LINE_ROOM))
        return false;
    uint8_t *to = key(begin(end_of(out), level, first), e->field);
    memcpy(to, "\": \"", 4);
    to += 4;
    uint8_t *end;
    switch (field->type) {
    case TYPE_BOOLEAN:
        end = pen_char(to, e->value ? '1' : '0');
        break;
    case TYPE_UINT8:
    case TYPE_UINT16:
    case TYPE_UINT24:
    case TYPE_UINT32:
    case TYPE_UINT64:
    case TYPE_FRAMENUM:
        end = field->display == SHOW_OCT ? value_show_at(to, p->t, e) : number(to, field, e);
        break;
    case TYPE_ABSOLUTE_TIME:
        end = value_time_at(to, p->clock, p->t, e);
        break;
    default:
        end = value_show_at(to, p->t, e);
    }
    if (!end) {
        long_value(p, to, e);
        return !out->failed;
    }
    ends_at(out, pen_char(end, '"'));
    return true;
}

static void items(struct plain *p, uint32_t at, uint32_t end, unsigned level);

/* The line of an item that has no value, up to the colon. */
static void name_line(struct plain *p, uint32_t at, unsigned level, bool first)
{
    const struct event *e = &p->t->events[at];
    ends_at(p->out, begin(end_of(p->out), level, first));
    if (fields[e->field].abbrev[0] == '\0')
        heading(p, at);
    else
        buf_put(p->out, json_keys[e->field].text, json_keys[e->field].len);
    buf_put(p->out, "\": ", 3);
}

static void below(struct plain *p, uint32_t at, unsigned level)
{
    buf_char(p->out, '{');
    if (level < DEEPEST)
        items(p, at + 1, p->t->events[at].next, level + 1);
    if (buf_room(p->out, LINE_ROOM))
        ends_at(p->out, begin(end_of(p->out), level, true));
    buf_char(p->out, '}');
}

static bool has_children(const struct plain *p, uint32_t at)
{
    const struct event *events = p->t->events;
    uint32_t child = at + 1;
    while (child < events[at].next && print_omits(p->options, &events[child]))
        child = events[child].next;
    return child < events[at].next;
}

/* Neither a value nor anything below: protocols have their line of text. */
static void empty(struct plain *p, uint32_t at)
{
    if (fields[p->t->events[at].field].type == TYPE_PROTOCOL)
        heading(p, at);
    else
        buf_char(p->out, '"');
    buf_char(p->out, '"');
}

static void items(struct plain *p, uint32_t at, uint32_t end, unsigned level)
{
    bool first = true;
    for (; at < end; at = p->t->events[at].next) {
        const struct event *e = &p->t->events[at];
        uint8_t type = fields[e->field].type;
        bool valued = type != TYPE_NONE && type != TYPE_PROTOCOL;
        if (print_omits(p->options, e))
            continue;
        if (valued && !value_line(p, e, level, first))
            return;
        first = first && !valued;
        bool parent = e->next > at + 1 && has_children(p, at);
        if ((valued && !parent) || !buf_room(p->out, LINE_ROOM))
            continue;
        if (valued) {
            uint8_t *to = key(begin(end_of(p->out), level, false), e->field);
            memcpy(to, "_tree\": ", 8);
            ends_at(p->out, to + 8);
        } else {
            name_line(p, at, level, first);
        }
        first = false;
        if (parent)
            below(p, at, level);
        else
            empty(p, at);
    }
}

void json_plain(struct buf *out, const struct print_options *options, const struct tape *t,
                uint32_t start, uint32_t end, unsigned level)
{
    struct clock_cache clock = {0};
    struct plain p = {.out = out,
                      .options = options,
                      .t = t,
                      .clock = options->state ? &options->state->clock : &clock};
    items(&p, start, end, level);
}
