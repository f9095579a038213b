#include "schema/schema.h"

#include "base/pen_text.h"

#include <stdlib.h>
#include <string.h>

const struct field fields[FIELD_COUNT] = {
    [F_NONE] = {.abbrev = "", .label = ""},
#define PROTOCOL(id, abbrev_, name_, meaning_, section_) \
    [F_##id] = {.abbrev = abbrev_,                       \
                .abbrev_len = sizeof(abbrev_) - 1,       \
                .label = name_,                          \
                .label_len = sizeof(name_) - 1,          \
                .type = TYPE_PROTOCOL,                   \
                .meaning = meaning_,                     \
                .section = section_},
#define FIELD_ROW(id, abbrev_, label_, type_, display_, registry_, mask_, template_, more_, \
                  meaning_, section_)                                                       \
    [F_##id] = {.abbrev = abbrev_,                                                          \
                .abbrev_len = sizeof(abbrev_) - 1,                                          \
                .label = label_,                                                            \
                .label_len = sizeof(label_) - 1,                                            \
                .type = TYPE_##type_,                                                       \
                .display = SHOW_##display_,                                                 \
                .more = more_,                                                              \
                .registry = REG_##registry_,                                                \
                .mask = mask_,                                                              \
                .template = LABEL_##template_,                                              \
                .meaning = meaning_,                                                        \
                .section = section_},
#define FIELD_AS(id, abbrev, label, type, display, registry, mask, template, meaning, section) \
    FIELD_ROW(id, abbrev, label, type, display, registry, mask, template, false, meaning, section)
#define FIELD(id, abbrev, label, type, display, registry, mask, meaning, section) \
    FIELD_AS(id, abbrev, label, type, display, registry, mask, USUAL, meaning, section)
#define MORE_AS(id, abbrev, label, type, display, registry, mask, template, meaning, section) \
    FIELD_ROW(id, abbrev, label, type, display, registry, mask, template, true, meaning, section)
#define MORE_HEADING(id, template_) \
    [F_##id] = {.abbrev = "", .label = "", .template = LABEL_##template_, .more = true},
#define EXPERT_ROW(id, abbrev_, severity, group, summary, text, meaning_) \
    [F_expert_##id] = {.abbrev = abbrev_,                                 \
                       .abbrev_len = sizeof(abbrev_) - 1,                 \
                       .label = summary,                                  \
                       .label_len = sizeof(summary) - 1,                  \
                       .meaning = meaning_},
#define HEADING(id, template_) \
    [F_##id] = {.abbrev = "", .label = "", .template = LABEL_##template_},
#include "schema/all.def"
};

#define LABEL(id, ...) static const struct part label_##id[] = {__VA_ARGS__, {.kind = PART_END}};
/* The parts of a label as the rows write them. */
#define TEXT(t)                                                    \
    {                                                              \
        .kind = PART_TEXT, .text = t PEN_PAD, .len = sizeof(t) - 1 \
    }
#define USUAL_TEXT         \
    {                      \
        .kind = PART_USUAL \
    }
#define EXPERT_TEXT         \
    {                       \
        .kind = PART_EXPERT \
    }
#define SHOWN(f)                           \
    {                                      \
        .kind = PART_SHOWN, .field = F_##f \
    }
#define DEC(f)                           \
    {                                    \
        .kind = PART_DEC, .field = F_##f \
    }
#define HEX(f, digits)                                  \
    {                                                   \
        .kind = PART_HEX, .field = F_##f, .arg = digits \
    }
#define TIMES(f, n)                                  \
    {                                                \
        .kind = PART_TIMES, .field = F_##f, .arg = n \
    }
#define NAME(f, unknown)                                   \
    {                                                      \
        .kind = PART_NAME, .field = F_##f, .text = unknown \
    }
#define SELF                    \
    {                           \
        .kind = PART_SELF_SHOWN \
    }
#define SELF_DEC              \
    {                         \
        .kind = PART_SELF_DEC \
    }
#define SELF_HEX(digits)                     \
    {                                        \
        .kind = PART_SELF_HEX, .arg = digits \
    }
#define SELF_TIMES(n)                     \
    {                                     \
        .kind = PART_SELF_TIMES, .arg = n \
    }
#define SELF_NAME(reg, shift, width, unknown)                                                      \
    {                                                                                              \
        .kind = PART_SELF_NAME, .field = REG_##reg, .arg = (shift) << 8 | (width), .text = unknown \
    }
#define EXTRA_DEC              \
    {                          \
        .kind = PART_EXTRA_DEC \
    }
#define EXTRA_HEX(digits)                     \
    {                                         \
        .kind = PART_EXTRA_HEX, .arg = digits \
    }
#define EXTRA_NAME(reg, unknown)                                     \
    {                                                                \
        .kind = PART_EXTRA_NAME, .field = REG_##reg, .text = unknown \
    }
#define CHILDREN(f)                        \
    {                                      \
        .kind = PART_COUNT, .field = F_##f \
    }
#define PLURAL(one, many)                                                      \
    {                                                                          \
        .kind = PART_PLURAL, .text = one many PEN_PAD, .len = sizeof(one) - 1, \
        .arg = sizeof(many) - 1                                                \
    }
#define LENGTH              \
    {                       \
        .kind = PART_LENGTH \
    }
#define OWN_LABEL          \
    {                      \
        .kind = PART_LABEL \
    }
#define WHEN(f, parts)                                \
    {                                                 \
        .kind = PART_IF, .field = F_##f, .arg = parts \
    }
#define UNLESS(f, parts)                                  \
    {                                                     \
        .kind = PART_UNLESS, .field = F_##f, .arg = parts \
    }
#define WHEN_EXTRA(parts)                   \
    {                                       \
        .kind = PART_IF_EXTRA, .arg = parts \
    }
#define WHEN_LENGTH(parts)                   \
    {                                        \
        .kind = PART_IF_LENGTH, .arg = parts \
    }
#define VALUE_TEXT              \
    {                           \
        .kind = PART_VALUE_TEXT \
    }
#define NOTE              \
    {                     \
        .kind = PART_NOTE \
    }
#define EXTRA_NOTE              \
    {                           \
        .kind = PART_EXTRA_NOTE \
    }
#define BITS(width, mask)                              \
    {                                                  \
        .kind = PART_BITS, .arg = width, .field = mask \
    }
#define SELF_FLAGS(reg, none)                                     \
    {                                                             \
        .kind = PART_SELF_FLAGS, .field = REG_##reg, .text = none \
    }
#define SELF_DEC_BITS(shift, width)                           \
    {                                                         \
        .kind = PART_SELF_BITS, .arg = (shift) << 8 | (width) \
    }
#define OFFSET              \
    {                       \
        .kind = PART_OFFSET \
    }
#define LAST              \
    {                     \
        .kind = PART_LAST \
    }
#define SELF_SPAN              \
    {                          \
        .kind = PART_SELF_SPAN \
    }
#define PICTURE              \
    {                        \
        .kind = PART_PICTURE \
    }
#define COVERS              \
    {                       \
        .kind = PART_COVERS \
    }
#define WHEN_BITS(mask, parts)                            \
    {                                                     \
        .kind = PART_IF_BITS, .field = mask, .arg = parts \
    }
#include "schema/all.def"

const struct part *const labels[LABEL_COUNT] = {
    [LABEL_USUAL] = NULL,
#define LABEL(id, ...) [LABEL_##id] = label_##id,
#include "schema/all.def"
};

const struct expert experts[EXPERT_COUNT] = {
    [EXPERT_NONE] = {.text = ""},
#define EXPERT_ROW(id, abbrev, severity_, group_, summary, text_, meaning) \
    [EXPERT_##id] = {.field = F_expert_##id, .severity = severity_, .group = group_, .text = text_},
#include "schema/all.def"
};

#define BLOCK(id)           static const struct row block_##id[] = {
#define EXTENSION(code, id) BLOCK(ext_##id)
#define MESSAGE(code, id)   BLOCK(msg_##id)
#define ROW(op_, size_, field_, arg_) \
    {.op = OP_##op_, .size = size_, .field = F_##field_, .arg = (uint32_t)(arg_)},
#define END          \
    {                \
        .op = OP_END \
    }                \
    }                \
    ;
#include "schema/all.def"

const struct row *const blocks[BLOCK_COUNT] = {
    [BLOCK_NONE] = NULL,
#define BLOCK(id)           [BLOCK_##id] = block_##id,
#define EXTENSION(code, id) BLOCK(ext_##id)
#define MESSAGE(code, id)   BLOCK(msg_##id)
#include "schema/all.def"
};

/* The compiler makes a table of it, and a code that is there twice an error. */
enum block_id block_of_extension(uint16_t type)
{
    switch (type) {
#define EXTENSION(code, id) \
    case code:              \
        return BLOCK_ext_##id;
#include "schema/all.def"
    default:
        return BLOCK_NONE;
    }
}

enum block_id block_of_message(uint8_t type)
{
    switch (type) {
#define MESSAGE(code, id) \
    case code:            \
        return BLOCK_msg_##id;
#include "schema/all.def"
    default:
        return BLOCK_NONE;
    }
}

static bool same_name(enum field_id id, const char *abbrev, size_t len)
{
    return fields[id].abbrev_len == len && memcmp(fields[id].abbrev, abbrev, len) == 0;
}

enum field_id field_find(const char *abbrev, size_t len)
{
    if (len >= 3 && memcmp(abbrev, "ssl", 3) == 0 && (len == 3 || abbrev[3] == '.')) {
        char renamed[128] = "tls";
        if (len >= sizeof renamed)
            return F_NONE;
        memcpy(renamed + 3, abbrev + 3, len - 3);
        return field_find(renamed, len);
    }
    for (enum field_id id = 1; len > 0 && id < FIELD_COUNT; id++)
        if (same_name(id, abbrev, len))
            return id;
    return F_NONE;
}

enum field_id field_same_name(enum field_id id)
{
    size_t len = strlen(fields[id].abbrev);
    for (enum field_id next = id + 1; len > 0 && next < FIELD_COUNT; next++)
        if (same_name(next, fields[id].abbrev, len))
            return next;
    return F_NONE;
}

enum field_id field_protocol(enum field_id id)
{
    while (id > F_NONE && fields[id].type != TYPE_PROTOCOL)
        id--;
    return id;
}

/* An option of IP or TCP, each of which Wireshark registers as a protocol. */
static bool is_option(const struct field *field)
{
    static const char option[] = "P Option - ";
    return field->type == TYPE_BYTES && (*field->label == 'I' || *field->label == 'T') &&
           strncmp(field->label + (*field->label == 'T' ? 2 : 1), option, sizeof option - 1) == 0;
}

const char *field_parent(enum field_id id)
{
    static const char *const elsewhere[] = {"pppoe", "ieee8021ah"}; /* no rows of their own */
    const struct field *field = &fields[id];
    if (field->type == TYPE_PROTOCOL || is_option(field) || *field->abbrev == '\0')
        return "";
    size_t len = strlen(field->abbrev);
    /* Another protocol's field of the same name, as ip.version in IPv6, belongs to its neighbours. */
    if (field_find(field->abbrev, len) != id)
        return fields[field_protocol(id)].abbrev;
    while (len > 0) {
        while (len > 0 && field->abbrev[--len] != '.')
            ;
        enum field_id above = len > 0 ? field_find(field->abbrev, len) : F_NONE;
        if (above != F_NONE && fields[above].type == TYPE_PROTOCOL)
            return fields[above].abbrev;
        for (size_t i = 0; i < sizeof elsewhere / sizeof elsewhere[0] && len > 0; i++)
            if (strncmp(elsewhere[i], field->abbrev, len) == 0 && elsewhere[i][len] == '\0')
                return elsewhere[i];
    }
    return fields[field_protocol(id)].abbrev;
}

void field_want_parts(uint8_t *want)
{
    for (enum field_id id = 1; id < FIELD_COUNT; id++)
        want[F_tls_parts] |= fields[id].more && want[id];
}

#define MOST_MISSING 4 /* numbers in a row of a registry, before its rows are searched */

static const struct code_point *find(enum registry registry, uint64_t value)
{
    const struct registry_table *table = &registries[registry];
    size_t low = 0, high = table->count;
    /* Many registries begin with numbers in a row, or nearly so: the row is as many places before the one that it
     * would then be as numbers are missing. */
    uint64_t guess = high > 0 ? value - table->rows[0].first : high;
    for (unsigned i = 0; i < MOST_MISSING && guess - i < high; i++)
        if (table->rows[guess - i].first == value)
            return &table->rows[guess - i];
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (table->rows[middle].last < value)
            low = middle + 1;
        else
            high = middle;
    }
    return low < table->count && table->rows[low].first <= value ? &table->rows[low] : NULL;
}

const char *registry_compat(enum registry registry, uint64_t value)
{
    const struct code_point *row = find(registry, value);
    return row ? row->compat : NULL;
}

const char *registry_name(enum registry registry, uint64_t value)
{
    const struct code_point *row = find(registry, value);
    return row ? row->name : NULL;
}

void expert_text(struct buf *out, const struct expert *expert, uint64_t number)
{
    const char *at = expert->text;
    for (size_t plain = strcspn(at, "%{"); plain > 0 || *at; plain = strcspn(at, "%{")) {
        buf_put(out, at, plain);
        at += plain;
        if (*at == '%') {
            if (at[1] == 'x')
                buf_hex(out, number, 4);
            else
                buf_dec(out, at[1] == 'l'   ? (uint32_t)number
                             : at[1] == 'h' ? number >> 32
                                            : number);
            at += 2;
        } else if (*at == '{') {
            size_t one = strcspn(at, "|"), many = strcspn(at, "}");
            if (number == 1)
                buf_put(out, at + 1, one - 1);
            else
                buf_put(out, at + one + 1, many - one - 1);
            at += many + 1;
        }
    }
}
