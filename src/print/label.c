#include "print/label.h"

#include "print/text.h"
#include "print/value.h"

#define TRUNCATED  " [truncated]"
#define NO_NAME    SIZE_MAX
#define NOTE_BYTES (4 * LABEL_BYTES) /* more cannot show */

struct writer {
    struct buf *out;
    const struct tape *t;
    const struct event *e;
    uint32_t at;
    size_t start;            /* of this label in `out` */
    size_t name_end;         /* NO_NAME: nothing to put the mark after */
    uint64_t number;         /* the last one written, for plurals */
    const struct part *part; /* the one that is being written */
};

/* ---- the ceiling --------------------------------------------------------------------------------
 */

static bool inside_character(const struct buf *b, size_t at)
{
    return (slice_at(buf_slice(b), at) & 0xc0) == 0x80;
}

/* Cuts the label to LABEL_BYTES, at the front of a character. */
static void cut(struct writer *w)
{
    size_t end = w->start + LABEL_BYTES;
    if (w->out->len <= end)
        return;
    while (end > w->start && inside_character(w->out, end))
        end--;
    w->out->len = end;
}

/* The same with the mark after the name.  The last character that would fit goes too, as users of
 * the format expect. */
static void cut_marked(struct writer *w)
{
    struct buf *b = w->out;
    const size_t mark = sizeof TRUNCATED - 1;
    if (b->len <= w->start + LABEL_BYTES)
        return;
    if (w->name_end == NO_NAME || w->name_end - w->start > LABEL_BYTES - mark ||
        !buf_room(b, mark)) {
        cut(w);
        return;
    }
    memmove(b->data + w->name_end + mark, b->data + w->name_end, b->len - w->name_end);
    memcpy(b->data + w->name_end, TRUNCATED, mark);
    size_t end = w->start + LABEL_BYTES - 1;
    while (end > w->start && inside_character(b, end))
        end--;
    b->len = end;
}

/* ---- the usual text -----------------------------------------------------------------------------
 */

static bool has_value(const struct field *field)
{
    return field->type != TYPE_NONE && field->type != TYPE_PROTOCOL;
}

static const struct expert *expert_of(const struct event *e)
{
    return e->extra > EXPERT_NONE && e->extra < EXPERT_COUNT ? &experts[e->extra] : NULL;
}

/* "Expert Info (Warning/Sequence): …" */
static void expert_title(struct writer *w, const struct expert *expert)
{
    const char *severity = registry_compat(REG_SEVERITIES, expert->severity);
    const char *group = registry_compat(REG_EXPERT_GROUPS, expert->group);
    buf_str(w->out, fields[F__ws_expert].label);
    buf_str(w->out, " (");
    buf_str(w->out, severity ? severity : "Unknown");
    buf_char(w->out, '/');
    buf_str(w->out, group ? group : "Unknown");
    buf_str(w->out, "): ");
    expert_text(w->out, expert, w->e->value);
}

static void usual(struct writer *w)
{
    const struct field *field = &fields[w->e->field];
    const struct expert *expert = expert_of(w->e);
    if (expert && w->e->field == F__ws_expert) {
        expert_title(w, expert);
    } else if (expert && expert->field == w->e->field) {
        expert_text(w->out, expert, w->e->value);
    } else {
        if (field->mask)
            value_bits(w->out, w->e->value, field->mask, value_width(field));
        buf_put(w->out, field->label, field->label_len);
        w->name_end = w->out->len;
        if (has_value(field)) {
            buf_put(w->out, ": ", 2);
            value_shown(w->out, w->t, w->e);
        }
    }
    cut_marked(w);
}

/* ---- parts of templates -------------------------------------------------------------------------
 */

static const struct event *descendant(const struct writer *w, uint16_t field)
{
    uint32_t found = tape_find(w->t, w->at, (enum field_id)field);
    return found == TAPE_NONE ? NULL : &w->t->events[found];
}

static void put_number(struct writer *w, uint64_t number)
{
    w->number = number;
    buf_dec(w->out, number);
}

static void put_hex(struct writer *w, uint64_t number)
{
    w->number = number;
    buf_str(w->out, "0x");
    buf_hex(w->out, number, w->part->arg);
}

/* TEXT with %u or %x for the number. */
static void put_unknown(struct writer *w, const char *text, uint64_t number)
{
    const char *place = text ? strchr(text, '%') : NULL;
    if (!place) {
        buf_str(w->out, text ? text : "Unknown");
        return;
    }
    buf_put(w->out, text, (size_t)(place - text));
    size_t width = 0;
    for (place++; *place >= '0' && *place <= '9'; place++)
        width = width * 10 + (size_t)(*place - '0');
    if (*place == 'x')
        buf_hex(w->out, number, width);
    else
        buf_dec_pad(w->out, number, width, '0');
    if (*place)
        buf_str(w->out, place + 1);
}

static void put_name(struct writer *w, uint16_t registry, uint64_t number)
{
    const char *name = tape_name(w->t, (enum registry)registry, number);
    w->number = number;
    if (name)
        buf_str(w->out, name);
    else
        put_unknown(w, w->part->text, number);
}

static void part_text(struct writer *w)
{
    buf_put(w->out, w->part->text, w->part->len);
}

static void part_usual(struct writer *w)
{
    usual(w);
}

static void part_expert(struct writer *w)
{
    const struct expert *expert = expert_of(w->e);
    if (expert)
        expert_text(w->out, expert, w->e->value);
}

static void part_shown(struct writer *w)
{
    const struct event *d = descendant(w, w->part->field);
    if (d)
        value_shown(w->out, w->t, d);
}

static void part_dec(struct writer *w)
{
    const struct event *d = descendant(w, w->part->field);
    if (d)
        put_number(w, d->value);
}

static void part_hex(struct writer *w)
{
    const struct event *d = descendant(w, w->part->field);
    if (d)
        put_hex(w, d->value);
}

static void part_times(struct writer *w)
{
    const struct event *d = descendant(w, w->part->field);
    if (d)
        put_number(w, d->value * w->part->arg);
}

static void part_name(struct writer *w)
{
    const struct event *d = descendant(w, w->part->field);
    if (d)
        put_name(w, fields[d->field].registry, d->value);
}

static void part_self_shown(struct writer *w)
{
    value_shown(w->out, w->t, w->e);
    w->number = w->e->value;
}

static void part_self_dec(struct writer *w)
{
    put_number(w, w->e->value);
}

static void part_self_hex(struct writer *w)
{
    put_hex(w, w->e->value);
}

static void part_self_times(struct writer *w)
{
    put_number(w, w->e->value * w->part->arg);
}

static void put_unit(struct writer *w, bool *more, uint64_t count, const char *unit)
{
    if (count == 0)
        return;
    if (*more)
        buf_str(w->out, ", ");
    *more = true;
    buf_dec(w->out, count);
    buf_char(w->out, ' ');
    buf_str(w->out, unit);
    if (count != 1)
        buf_char(w->out, 's');
}

/* " (1 day, 2 hours, 5 seconds)" of the item's own value in seconds; nothing for less than a minute. */
static void part_self_span(struct writer *w)
{
    uint64_t seconds = w->e->value;
    bool more = false;
    if (seconds < 60)
        return;
    buf_str(w->out, " (");
    put_unit(w, &more, seconds / 86400, "day");
    put_unit(w, &more, seconds / 3600 % 24, "hour");
    put_unit(w, &more, seconds / 60 % 60, "minute");
    put_unit(w, &more, seconds % 60, "second");
    buf_char(w->out, ')');
}

/* Bits arg>>8 … (arg&255 of them) of the item's own value. */
static uint64_t part_bits_of(const struct writer *w)
{
    unsigned shift = w->part->arg >> 8, width = w->part->arg & 255;
    uint64_t number = shift < 64 ? w->e->value >> shift : 0;
    return width > 0 && width < 64 ? number & (((uint64_t)1 << width) - 1) : number;
}

static void part_self_name(struct writer *w)
{
    put_name(w, w->part->field, part_bits_of(w));
}

static void part_extra_dec(struct writer *w)
{
    put_number(w, w->e->extra);
}

static void part_extra_hex(struct writer *w)
{
    buf_hex(w->out, w->e->extra, w->part->arg);
}

static void part_extra_name(struct writer *w)
{
    put_name(w, w->part->field, w->e->extra);
}

static void part_count(struct writer *w)
{
    uint64_t count = 0;
    const struct event *events = w->t->events;
    for (uint32_t i = w->at + 1; i < w->e->next; i = events[i].next)
        count += events[i].field == w->part->field;
    put_number(w, count);
}

static void part_plural(struct writer *w)
{
    const char *many = strchr(w->part->text, '|');
    if (!many)
        return;
    if (w->number == 1)
        buf_put(w->out, w->part->text, (size_t)(many - w->part->text));
    else
        buf_str(w->out, many + 1);
}

static void part_length(struct writer *w)
{
    put_number(w, w->e->length);
}

static void part_label(struct writer *w)
{
    buf_put(w->out, fields[w->e->field].label, fields[w->e->field].label_len);
    if (w->name_end == NO_NAME)
        w->name_end = w->out->len;
}

static void part_value_text(struct writer *w)
{
    text_label(w->out, slice_sub(event_bytes(w->t, w->e), 0, LABEL_BYTES + 1),
               !(w->e->flags & EVENT_IN_TEXT) && fields[w->e->field].display != SHOW_UTF8);
}

/* Text that the item's number names, as tape_set_text() packs it. */
static void part_note(struct writer *w)
{
    uint64_t packed = w->e->value;
    struct slice note = slice_sub(buf_slice(&w->t->text), (uint32_t)packed, (size_t)(packed >> 32));
    text_label(w->out, slice_sub(note, 0, LABEL_BYTES + 1), false);
}

/* The same by `extra`, for items whose number is their own. */
static void part_extra_note(struct writer *w)
{
    if (w->e->extra > 0)
        text_label(w->out, slice_sub(buf_slice(&w->t->text), w->e->extra - 1, NOTE_BYTES), false);
}

static void part_bits(struct writer *w)
{
    uint64_t mask = w->part->field;
    unsigned shift = mask ? (unsigned)__builtin_ctzll(mask) : 0;
    value_bits(w->out, (w->e->extra & mask) >> shift, mask, w->part->arg);
}

static void part_self_flags(struct writer *w)
{
    const char *before = NULL;
    for (unsigned bit = 0; bit < 64; bit++) {
        const char *name =
            w->e->value >> bit & 1 ? registry_compat((enum registry)w->part->field, bit) : NULL;
        if (!name || (before && strcmp(before, name) == 0))
            continue;
        if (before)
            buf_put(w->out, ", ", 2);
        buf_str(w->out, name);
        before = name;
    }
    if (!before && w->part->text)
        buf_str(w->out, w->part->text);
}

static void part_self_bits(struct writer *w)
{
    put_number(w, part_bits_of(w));
}

static void part_offset(struct writer *w)
{
    put_number(w, w->e->offset);
}

static void part_last(struct writer *w)
{
    put_number(w, w->e->length > 0 ? (uint64_t)w->e->offset + w->e->length - 1 : w->e->offset);
}

/* Passes over the next `arg` parts. */
static void skip_when(struct writer *w, bool skip)
{
    for (uint16_t n = skip ? w->part->arg : 0; n > 0 && w->part[1].kind != PART_END; n--)
        w->part++;
}

static void part_picture(struct writer *w)
{
    const struct field *field = &fields[w->e->field];
    value_bits(w->out, w->e->value, field->mask, value_width(field));
}

static void part_covers(struct writer *w)
{
    buf_hex_bytes(w->out, event_covers(w->t, w->e), ':');
}

static void part_if_bits(struct writer *w)
{
    skip_when(w, (w->e->value & w->part->field) == 0);
}

static void part_if(struct writer *w)
{
    skip_when(w, !descendant(w, w->part->field));
}

static void part_unless(struct writer *w)
{
    skip_when(w, descendant(w, w->part->field) != NULL);
}

static void part_if_extra(struct writer *w)
{
    skip_when(w, w->e->extra == 0);
}

static void part_if_length(struct writer *w)
{
    skip_when(w, w->e->length == 0);
}

static void (*const part_writers[])(struct writer *) = {
    [PART_TEXT] = part_text,
    [PART_USUAL] = part_usual,
    [PART_EXPERT] = part_expert,
    [PART_SHOWN] = part_shown,
    [PART_DEC] = part_dec,
    [PART_HEX] = part_hex,
    [PART_TIMES] = part_times,
    [PART_NAME] = part_name,
    [PART_SELF_SHOWN] = part_self_shown,
    [PART_SELF_DEC] = part_self_dec,
    [PART_SELF_HEX] = part_self_hex,
    [PART_SELF_TIMES] = part_self_times,
    [PART_SELF_NAME] = part_self_name,
    [PART_EXTRA_DEC] = part_extra_dec,
    [PART_EXTRA_HEX] = part_extra_hex,
    [PART_EXTRA_NAME] = part_extra_name,
    [PART_COUNT] = part_count,
    [PART_PLURAL] = part_plural,
    [PART_LENGTH] = part_length,
    [PART_LABEL] = part_label,
    [PART_IF] = part_if,
    [PART_UNLESS] = part_unless,
    [PART_IF_EXTRA] = part_if_extra,
    [PART_IF_LENGTH] = part_if_length,
    [PART_VALUE_TEXT] = part_value_text,
    [PART_NOTE] = part_note,
    [PART_EXTRA_NOTE] = part_extra_note,
    [PART_BITS] = part_bits,
    [PART_SELF_FLAGS] = part_self_flags,
    [PART_SELF_BITS] = part_self_bits,
    [PART_OFFSET] = part_offset,
    [PART_LAST] = part_last,
    [PART_SELF_SPAN] = part_self_span,
    [PART_PICTURE] = part_picture,
    [PART_COVERS] = part_covers,
    [PART_IF_BITS] = part_if_bits,
};

static const struct part *template_of(const struct event *e)
{
    uint16_t label = e->label ? e->label : fields[e->field].template;
    return labels[label];
}

void label_write(struct buf *out, const struct tape *t, uint32_t at)
{
    struct writer w = {
        .out = out, .t = t, .e = &t->events[at], .at = at, .start = out->len, .name_end = NO_NAME};
    const struct part *parts = template_of(w.e);
    if (!parts) {
        usual(&w);
        return;
    }
    bool named = parts[0].kind == PART_LABEL;
    for (w.part = parts; w.part->kind != PART_END; w.part++)
        if (w.part->kind < sizeof part_writers / sizeof part_writers[0] &&
            part_writers[w.part->kind])
            part_writers[w.part->kind](&w);
    if (named)
        cut_marked(&w);
    else
        cut(&w);
}

bool label_has_text(const struct event *e)
{
    return template_of(e) || expert_of(e);
}

/* Kinds whose `field` is a descendant's. */
static bool names_field(uint8_t kind)
{
    static const uint8_t kinds[] = {PART_SHOWN, PART_DEC,   PART_HEX, PART_TIMES,
                                    PART_NAME,  PART_COUNT, PART_IF,  PART_UNLESS};
    return memchr(kinds, kind, sizeof kinds) != NULL;
}

void label_want(enum field_id id, uint8_t *want)
{
    const struct part *parts = labels[fields[id].template];
    for (; parts && parts->kind != PART_END; parts++)
        if (names_field(parts->kind) && parts->field < FIELD_COUNT)
            want[parts->field] = 1;
}
