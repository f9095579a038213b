#include "print/label.h"

#include "print/text.h"
#include "print/value.h"

#define TRUNCATED  " [truncated]"
#define NO_NAME    SIZE_MAX
#define NOTE_BYTES (4 * LABEL_BYTES) /* more cannot show */

/* A label is written at a cursor.  Room for LABEL_ROOM bytes is asked for before; that is enough for any part behind
 * what is no longer than a label may be, for nothing is added to what is longer.  The few values of unknown length
 * ask for themselves, and for room for the next part. */

struct writer {
    struct buf *out;
    const struct tape *t;
    const struct event *e;
    struct clock_cache *clock;
    uint32_t at;
    size_t start;            /* of this label in `out` */
    size_t name_end;         /* behind the start; NO_NAME: nothing to put the mark after */
    uint64_t number;         /* the last one written, for plurals */
    const struct part *part; /* the one that is being written */
    uint32_t found;          /* the descendant that was asked for last; TAPE_NONE: none */
};

/* "Label: " of each field, as pen_phrase() wants it. */
static const char *const field_names[FIELD_COUNT] = {
    [F_NONE] = ": " PEN_PAD,
#define NAMED(id, label)                                                          [F_##id] = label ": " PEN_PAD,
#define PROTOCOL(id, abbrev, name, meaning, section)                              NAMED(id, name)
#define FIELD(id, abbrev, label, type, display, registry, mask, meaning, section) NAMED(id, label)
#define FIELD_AS(id, abbrev, label, type, display, registry, mask, template, meaning, section) \
    NAMED(id, label)
#define HEADING(id, template)                                           NAMED(id, "")
#define EXPERT_ROW(id, abbrev, severity, group, summary, text, meaning) NAMED(expert_##id, summary)
#include "schema/all.def"
};

static uint8_t *start_of(const struct writer *w)
{
    return w->out->data + w->start;
}

static size_t length_to(const struct writer *w, const uint8_t *to)
{
    return (size_t)(to - start_of(w));
}

/* Before and after something is written to the buffer itself.  NULL: there is no room to go on. */
static void put_down(struct writer *w, const uint8_t *to)
{
    w->out->len = (size_t)(to - w->out->data);
}

static uint8_t *take_up(struct writer *w)
{
    return buf_room(w->out, LABEL_ROOM) ? w->out->data + w->out->len : NULL;
}

/* ---- the ceiling --------------------------------------------------------------------------------
 */

/* Where a character begins that lies at AT, or before it. */
static uint8_t *front_of_character(const struct writer *w, uint8_t *at)
{
    while (at > start_of(w) && (*at & 0xc0) == 0x80)
        at--;
    return at;
}

/* Cuts the label to LABEL_BYTES, at the front of a character. */
static uint8_t *cut(struct writer *w, uint8_t *to)
{
    return length_to(w, to) <= LABEL_BYTES ? to : front_of_character(w, start_of(w) + LABEL_BYTES);
}

/* The same with the mark after the name.  The last character that would fit goes too, as users of
 * the format expect. */
static uint8_t *cut_long(struct writer *w, uint8_t *to)
{
    const size_t mark = sizeof TRUNCATED - 1;
    size_t len = length_to(w, to);
    if (w->name_end == NO_NAME || w->name_end > LABEL_BYTES - mark)
        return cut(w, to);
    uint8_t *behind = start_of(w) + w->name_end;
    memmove(behind + mark, behind, len - w->name_end);
    memcpy(behind, TRUNCATED, mark);
    return front_of_character(w, start_of(w) + LABEL_BYTES - 1);
}

static inline uint8_t *cut_marked(struct writer *w, uint8_t *to)
{
    return length_to(w, to) <= LABEL_BYTES ? to : cut_long(w, to);
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

static uint8_t *put_expert_text(struct writer *w, uint8_t *to, const struct expert *expert)
{
    put_down(w, to);
    expert_text(w->out, expert, w->e->value);
    return take_up(w);
}

/* "Expert Info (Warning/Sequence): …" */
static uint8_t *expert_title(struct writer *w, uint8_t *to, const struct expert *expert)
{
    const char *severity = registry_compat(REG_SEVERITIES, expert->severity);
    const char *group = registry_compat(REG_EXPERT_GROUPS, expert->group);
    to = pen_str(to, fields[F__ws_expert].label);
    to = pen_str(to, " (");
    to = pen_str(to, severity ? severity : "Unknown");
    *to++ = '/';
    to = pen_str(to, group ? group : "Unknown");
    to = pen_str(to, "): ");
    return put_expert_text(w, to, expert);
}

static uint8_t *put_shown(struct writer *w, uint8_t *to, const struct event *e)
{
    uint8_t *end = fields[e->field].type == TYPE_ABSOLUTE_TIME
                       ? value_time_at(to, w->clock, w->t, e)
                       : value_shown_at(to, w->t, e);
    if (end)
        return end;
    put_down(w, to);
    value_shown(w->out, w->t, e);
    return take_up(w);
}

static uint8_t *put_picture(struct writer *w, uint8_t *to, const struct field *field)
{
    return value_bits_at(to, w->e->value, field->mask, value_width(field));
}

static uint8_t *usual(struct writer *w, uint8_t *to)
{
    uint16_t id = w->e->field;
    const struct field *field = &fields[id];
    const struct expert *expert = expert_of(w->e);
    if (expert && (id == F__ws_expert || expert->field == id)) {
        to = id == F__ws_expert ? expert_title(w, to, expert) : put_expert_text(w, to, expert);
    } else {
        if (field->mask)
            to = put_picture(w, to, field);
        to = pen_phrase(to, field_names[id], field->label_len + 2) - 2;
        w->name_end = length_to(w, to);
        if (has_value(field))
            to = put_shown(w, to + 2, w->e); /* ": " stands behind the name */
    }
    return to ? cut_marked(w, to) : NULL;
}

/* ---- parts of templates -------------------------------------------------------------------------
 */

static const struct event *descendant(struct writer *w, uint16_t field)
{
    /* A length is shown in bytes and bits: the one that was found is found again. */
    if (w->found == TAPE_NONE || w->t->events[w->found].field != field)
        w->found = tape_find(w->t, w->at, (enum field_id)field);
    return w->found == TAPE_NONE ? NULL : &w->t->events[w->found];
}

static uint8_t *put_number(struct writer *w, uint8_t *to, uint64_t number)
{
    w->number = number;
    return pen_dec(to, number);
}

static uint8_t *put_hex(struct writer *w, uint8_t *to, uint64_t number)
{
    w->number = number;
    memcpy(to, "0x", 2);
    return pen_hex(to + 2, number, w->part->arg);
}

/* TEXT with %u or %x for the number. */
static uint8_t *put_unknown(uint8_t *to, const char *text, uint64_t number)
{
    const char *place = text ? strchr(text, '%') : NULL;
    if (!place)
        return pen_str(to, text ? text : "Unknown");
    to = pen_few(to, text, (size_t)(place - text));
    unsigned width = 0;
    for (place++; *place >= '0' && *place <= '9'; place++)
        width = width * 10 + (unsigned)(*place - '0');
    if (*place == 'x') {
        to = pen_hex(to, number, width < 16 ? width : 16);
    } else {
        uint8_t digits[PEN_DIGITS + PEN_STEP];
        size_t n = (size_t)(pen_dec(digits, number) - digits);
        for (; n < width && width <= PEN_DIGITS; width--)
            *to++ = '0';
        to = pen_few(to, digits, n);
    }
    return *place ? pen_str(to, place + 1) : to;
}

static uint8_t *put_name(struct writer *w, uint8_t *to, uint16_t registry, uint64_t number)
{
    const char *name = tape_name(w->t, (enum registry)registry, number);
    w->number = number;
    return name ? pen_str(to, name) : put_unknown(to, w->part->text, number);
}

static uint8_t *part_usual(struct writer *w, uint8_t *to)
{
    return usual(w, to);
}

static uint8_t *part_expert(struct writer *w, uint8_t *to)
{
    const struct expert *expert = expert_of(w->e);
    return expert ? put_expert_text(w, to, expert) : to;
}

static uint8_t *part_shown(struct writer *w, uint8_t *to)
{
    const struct event *d = descendant(w, w->part->field);
    return d ? put_shown(w, to, d) : to;
}

static uint8_t *part_dec(struct writer *w, uint8_t *to)
{
    const struct event *d = descendant(w, w->part->field);
    return d ? put_number(w, to, d->value) : to;
}

static uint8_t *part_hex(struct writer *w, uint8_t *to)
{
    const struct event *d = descendant(w, w->part->field);
    return d ? put_hex(w, to, d->value) : to;
}

static uint8_t *part_times(struct writer *w, uint8_t *to)
{
    const struct event *d = descendant(w, w->part->field);
    return d ? put_number(w, to, d->value * w->part->arg) : to;
}

static uint8_t *part_name(struct writer *w, uint8_t *to)
{
    const struct event *d = descendant(w, w->part->field);
    return d ? put_name(w, to, fields[d->field].registry, d->value) : to;
}

static uint8_t *part_self_shown(struct writer *w, uint8_t *to)
{
    w->number = w->e->value;
    return put_shown(w, to, w->e);
}

static uint8_t *part_self_dec(struct writer *w, uint8_t *to)
{
    return put_number(w, to, w->e->value);
}

static uint8_t *part_self_hex(struct writer *w, uint8_t *to)
{
    return put_hex(w, to, w->e->value);
}

static uint8_t *part_self_times(struct writer *w, uint8_t *to)
{
    return put_number(w, to, w->e->value * w->part->arg);
}

static uint8_t *put_unit(uint8_t *to, bool *more, uint64_t count, const char *unit)
{
    if (count == 0)
        return to;
    if (*more)
        to = pen_str(to, ", ");
    *more = true;
    to = pen_str(pen_char(pen_dec(to, count), ' '), unit);
    return count != 1 ? pen_char(to, 's') : to;
}

/* " (1 day, 2 hours, 5 seconds)" of the item's own value in seconds; nothing for less than a minute. */
static uint8_t *part_self_span(struct writer *w, uint8_t *to)
{
    uint64_t seconds = w->e->value;
    bool more = false;
    if (seconds < 60)
        return to;
    to = pen_str(to, " (");
    to = put_unit(to, &more, seconds / 86400, "day");
    to = put_unit(to, &more, seconds / 3600 % 24, "hour");
    to = put_unit(to, &more, seconds / 60 % 60, "minute");
    to = put_unit(to, &more, seconds % 60, "second");
    return pen_char(to, ')');
}

/* Bits arg>>8 … (arg&255 of them) of the item's own value. */
static uint64_t part_bits_of(const struct writer *w)
{
    unsigned shift = w->part->arg >> 8, width = w->part->arg & 255;
    uint64_t number = shift < 64 ? w->e->value >> shift : 0;
    return width > 0 && width < 64 ? number & (((uint64_t)1 << width) - 1) : number;
}

static uint8_t *part_self_name(struct writer *w, uint8_t *to)
{
    return put_name(w, to, w->part->field, part_bits_of(w));
}

static uint8_t *part_extra_dec(struct writer *w, uint8_t *to)
{
    return put_number(w, to, w->e->extra);
}

static uint8_t *part_extra_hex(struct writer *w, uint8_t *to)
{
    return pen_hex(to, w->e->extra, w->part->arg);
}

static uint8_t *part_extra_name(struct writer *w, uint8_t *to)
{
    return put_name(w, to, w->part->field, w->e->extra);
}

static uint8_t *part_count(struct writer *w, uint8_t *to)
{
    uint64_t count = 0;
    const struct event *events = w->t->events;
    for (uint32_t i = w->at + 1; i < w->e->next; i = events[i].next)
        count += events[i].field == w->part->field;
    return put_number(w, to, count);
}

static uint8_t *part_plural(struct writer *w, uint8_t *to)
{
    const struct part *part = w->part;
    return w->number == 1 ? pen_phrase(to, part->text, part->len)
                          : pen_phrase(to, part->text + part->len, part->arg);
}

static uint8_t *part_length(struct writer *w, uint8_t *to)
{
    return put_number(w, to, w->e->length);
}

static uint8_t *part_label(struct writer *w, uint8_t *to)
{
    to = pen_phrase(to, field_names[w->e->field], fields[w->e->field].label_len);
    if (w->name_end == NO_NAME)
        w->name_end = length_to(w, to);
    return to;
}

static uint8_t *put_note(uint8_t *to, struct slice note, bool ascii)
{
    return text_label_at(to, slice_sub(note, 0, LABEL_BYTES + 1), ascii);
}

static uint8_t *part_value_text(struct writer *w, uint8_t *to)
{
    return put_note(to, event_bytes(w->t, w->e),
                    !(w->e->flags & EVENT_IN_TEXT) && fields[w->e->field].display != SHOW_UTF8);
}

/* Text that the item's number names, as tape_set_text() packs it. */
static uint8_t *part_note(struct writer *w, uint8_t *to)
{
    uint64_t packed = w->e->value;
    return put_note(to, slice_sub(buf_slice(&w->t->text), (uint32_t)packed, (size_t)(packed >> 32)),
                    false);
}

/* The same by `extra`, for items whose number is their own. */
static uint8_t *part_extra_note(struct writer *w, uint8_t *to)
{
    if (w->e->extra == 0)
        return to;
    return put_note(to, slice_sub(buf_slice(&w->t->text), w->e->extra - 1, NOTE_BYTES), false);
}

static uint8_t *part_bits(struct writer *w, uint8_t *to)
{
    uint64_t mask = w->part->field;
    unsigned shift = mask ? (unsigned)__builtin_ctzll(mask) : 0;
    return value_bits_at(to, (w->e->extra & mask) >> shift, mask, w->part->arg);
}

static uint8_t *part_self_flags(struct writer *w, uint8_t *to)
{
    const char *before = NULL;
    for (uint64_t left = w->e->value; left && length_to(w, to) <= LABEL_BYTES; left &= left - 1) {
        const char *name =
            registry_compat((enum registry)w->part->field, (uint64_t)__builtin_ctzll(left));
        if (!name || (before && strcmp(before, name) == 0))
            continue;
        if (before)
            to = pen_str(to, ", ");
        to = pen_str(to, name);
        before = name;
    }
    return !before && w->part->text ? pen_str(to, w->part->text) : to;
}

static uint8_t *part_self_bits(struct writer *w, uint8_t *to)
{
    return put_number(w, to, part_bits_of(w));
}

static uint8_t *part_offset(struct writer *w, uint8_t *to)
{
    return put_number(w, to, w->e->offset);
}

static uint8_t *part_last(struct writer *w, uint8_t *to)
{
    return put_number(w, to,
                      w->e->length > 0 ? (uint64_t)w->e->offset + w->e->length - 1 : w->e->offset);
}

/* Passes over the next `arg` parts. */
static uint8_t *skip_when(struct writer *w, uint8_t *to, bool skip)
{
    for (uint16_t n = skip ? w->part->arg : 0; n > 0 && w->part[1].kind != PART_END; n--)
        w->part++;
    return to;
}

static uint8_t *part_picture(struct writer *w, uint8_t *to)
{
    return put_picture(w, to, &fields[w->e->field]);
}

static uint8_t *part_covers(struct writer *w, uint8_t *to)
{
    return pen_hex_colons(to, slice_sub(event_covers(w->t, w->e), 0, LABEL_BYTES));
}

static uint8_t *part_if_bits(struct writer *w, uint8_t *to)
{
    return skip_when(w, to, (w->e->value & w->part->field) == 0);
}

static uint8_t *part_if(struct writer *w, uint8_t *to)
{
    return skip_when(w, to, !descendant(w, w->part->field));
}

static uint8_t *part_unless(struct writer *w, uint8_t *to)
{
    return skip_when(w, to, descendant(w, w->part->field) != NULL);
}

static uint8_t *part_if_extra(struct writer *w, uint8_t *to)
{
    return skip_when(w, to, w->e->extra == 0);
}

static uint8_t *part_if_length(struct writer *w, uint8_t *to)
{
    return skip_when(w, to, w->e->length == 0);
}

typedef uint8_t *part_writer(struct writer *w, uint8_t *to);

static part_writer *const part_writers[] = {
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

/* Until the label is as long as it may be: what follows would be cut. */
static uint8_t *by_template(struct writer *w, const struct part *parts, uint8_t *to)
{
    w->part = parts;
    for (; w->part->kind != PART_END && to && length_to(w, to) <= LABEL_BYTES; w->part++) {
        if (w->part->kind == PART_TEXT)
            to = pen_phrase(to, w->part->text, w->part->len);
        else
            to = part_writers[w->part->kind](w, to);
    }
    if (!to)
        return NULL;
    return parts[0].kind == PART_LABEL ? cut_marked(w, to) : cut(w, to);
}

uint8_t *label_at(struct buf *out, uint8_t *to, struct clock_cache *clock, const struct tape *t,
                  uint32_t at)
{
    struct writer w;
    w.out = out;
    w.t = t;
    w.e = &t->events[at];
    w.clock = clock;
    w.at = at;
    w.start = (size_t)(to - out->data);
    w.name_end = NO_NAME;
    w.number = 0;
    w.found = TAPE_NONE;
    const struct part *parts = template_of(w.e);
    return parts ? by_template(&w, parts, to) : usual(&w, to);
}

void label_write(struct buf *out, const struct tape *t, uint32_t at)
{
    struct clock_cache clock = {0};
    size_t start = out->len;
    uint8_t *end =
        buf_room(out, LABEL_ROOM) ? label_at(out, out->data + start, &clock, t, at) : NULL;
    out->len = end ? (size_t)(end - out->data) : start;
}

bool label_has_text(const struct event *e)
{
    return template_of(e) || expert_of(e);
}

bool label_is_own(enum label_id id)
{
    static const uint8_t own[] = {
        PART_TEXT,      PART_USUAL,      PART_EXPERT,    PART_SELF_SHOWN, PART_SELF_DEC,
        PART_SELF_HEX,  PART_SELF_TIMES, PART_SELF_NAME, PART_SELF_FLAGS, PART_SELF_BITS,
        PART_SELF_SPAN, PART_EXTRA_DEC,  PART_EXTRA_HEX, PART_EXTRA_NAME, PART_PLURAL,
        PART_LABEL,     PART_BITS,       PART_PICTURE,   PART_IF_BITS,    PART_IF_EXTRA};
    for (const struct part *part = labels[id]; part && part->kind != PART_END; part++)
        if (!memchr(own, part->kind, sizeof own))
            return false;
    return true;
}

/* Kinds whose `field` is a descendant's. */
static bool names_field(uint8_t kind)
{
    static const uint8_t kinds[] = {PART_SHOWN, PART_DEC,   PART_HEX, PART_TIMES,
                                    PART_NAME,  PART_COUNT, PART_IF,  PART_UNLESS};
    return memchr(kinds, kind, sizeof kinds) != NULL;
}

/* Whether a label is one of those that a protocol's line may have: they begin with its name. */
static bool is_line_of(const struct part *parts, const struct field *protocol)
{
    return protocol->type == TYPE_PROTOCOL && parts && parts->kind == PART_TEXT &&
           strncmp(parts->text, protocol->label, protocol->label_len) == 0;
}

void label_want(enum field_id id, uint8_t *want)
{
    for (unsigned label = 0; label < LABEL_COUNT; label++) {
        const struct part *part = labels[label];
        if (label != fields[id].template && !is_line_of(part, &fields[id]))
            continue;
        for (; part && part->kind != PART_END; part++)
            if (names_field(part->kind) && part->field < FIELD_COUNT)
                want[part->field] = 1;
    }
}
