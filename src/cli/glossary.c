#include "cli/glossary.h"

#include "cli/nearest.h"
#include "cli/reading.h"
#include "schema/schema.h"

#include <inttypes.h>
#include <string.h>

static const char *const type_names[TYPE_COUNT] = {
    [TYPE_NONE] = "FT_NONE",
    [TYPE_PROTOCOL] = "FT_PROTOCOL",
    [TYPE_BOOLEAN] = "FT_BOOLEAN",
    [TYPE_UINT8] = "FT_UINT8",
    [TYPE_UINT16] = "FT_UINT16",
    [TYPE_UINT24] = "FT_UINT24",
    [TYPE_UINT32] = "FT_UINT32",
    [TYPE_UINT64] = "FT_UINT64",
    [TYPE_INT32] = "FT_INT32",
    [TYPE_INT64] = "FT_INT64",
    [TYPE_ABSOLUTE_TIME] = "FT_ABSOLUTE_TIME",
    [TYPE_RELATIVE_TIME] = "FT_RELATIVE_TIME",
    [TYPE_STRING] = "FT_STRING",
    [TYPE_BYTES] = "FT_BYTES",
    [TYPE_IPV4] = "FT_IPv4",
    [TYPE_IPV6] = "FT_IPv6",
    [TYPE_ETHER] = "FT_ETHER",
    [TYPE_OID] = "FT_OID",
    [TYPE_FRAMENUM] = "FT_FRAMENUM",
};

static bool is_integer(const struct field *field)
{
    return field->type >= TYPE_UINT8 && field->type <= TYPE_INT64;
}

/* How many bits the picture of a display is wide; 0: none. */
static unsigned picture_bits(const struct field *field)
{
    static const uint8_t bits[] = {[SHOW_BITS_8] = 8,
                                   [SHOW_BITS_12] = 12,
                                   [SHOW_BITS_16] = 16,
                                   [SHOW_BITS_24] = 24,
                                   [SHOW_BITS_32] = 32};
    return field->display < sizeof bits ? bits[field->display] : 0;
}

static void put_base(FILE *out, const struct field *field)
{
    static const char *const bases[] = {
        [SHOW_NONE] = "BASE_NONE",       [SHOW_DEC] = "BASE_DEC",
        [SHOW_HEX] = "BASE_HEX",         [SHOW_OCT] = "BASE_OCT",
        [SHOW_DEC_HEX] = "BASE_DEC_HEX", [SHOW_HEX_DEC] = "BASE_HEX_DEC",
        [SHOW_PORT] = "BASE_PT_TCP"};
    bool named = field->display < sizeof bases / sizeof bases[0] && bases[field->display];
    if (field->type == TYPE_BOOLEAN)
        fprintf(out, "%u", picture_bits(field));
    else if (is_integer(field))
        fputs(field->template == LABEL_OUI ? "BASE_OUI"
              : named                      ? bases[field->display]
                                           : "BASE_DEC",
              out);
}

/* Several rows may share a name: the first one stands for all. */
static bool is_listed(enum field_id id)
{
    const char *abbrev = fields[id].abbrev;
    return *abbrev && field_find(abbrev, strlen(abbrev)) == id;
}

static void put_protocol(FILE *out, enum field_id id)
{
    fprintf(out, "P\t%s\t%s\n", fields[id].label, fields[id].abbrev);
}

static void put_field(FILE *out, enum field_id id)
{
    const struct field *field = &fields[id];
    if (field->type == TYPE_PROTOCOL) {
        put_protocol(out, id);
        return;
    }
    fprintf(out, "F\t%s\t%s\t%s\t%s\t", field->label, field->abbrev, type_names[field->type],
            fields[field_protocol(id)].abbrev);
    put_base(out, field);
    fprintf(out, "\t0x%" PRIx64 "\t%s\n", field->mask, field->meaning ? field->meaning : "");
}

static void put_protocol_names(FILE *out, enum field_id id)
{
    if (fields[id].type == TYPE_PROTOCOL)
        fprintf(out, "%s\t%s\t%s\n", fields[id].label, fields[id].label, fields[id].abbrev);
}

static void put_values(FILE *out, enum field_id id)
{
    const struct field *field = &fields[id];
    const struct registry_table *table = &registries[field->registry];
    if (field->registry == REG_NONE)
        return;
    if (field->type == TYPE_BOOLEAN) {
        const char *yes = registry_compat(field->registry, 1),
                   *no = registry_compat(field->registry, 0);
        fprintf(out, "T\t%s\t%s\t%s\n", field->abbrev, yes ? yes : "", no ? no : "");
        return;
    }
    const char *form = field->display == SHOW_HEX || field->display == SHOW_HEX_DEC ? "0x%x" : "%u";
    for (size_t i = 0; i < table->count; i++) {
        const struct code_point *row = &table->rows[i];
        const char *name = row->compat ? row->compat : row->name;
        bool range = row->first != row->last;
        fprintf(out, "%c\t%s\t", range ? 'R' : 'V', field->abbrev);
        fprintf(out, *form == '0' ? "0x%x" : "%u", row->first);
        if (range) {
            fputc('\t', out);
            fprintf(out, *form == '0' ? "0x%x" : "%u", row->last);
        }
        fprintf(out, "\t%s\n", name ? name : "");
    }
}

static const struct glossary {
    const char *name;
    void (*put)(FILE *out, enum field_id id);
} glossaries[] = {
    {"fields", put_field},
    {"protocols", put_protocol_names},
    {"values", put_values},
};

int glossary_print(FILE *out, const char *what, struct error *error)
{
    struct nearest near = {.wanted = what};
    for (size_t i = 0; i < sizeof glossaries / sizeof glossaries[0]; i++) {
        nearest_offer(&near, glossaries[i].name);
        if (strcmp(what, glossaries[i].name) != 0)
            continue;
        for (enum field_id id = 1; id < FIELD_COUNT; id++)
            if (is_listed(id))
                glossaries[i].put(out, id);
        return fflush(out) == 0 ? READING_OK : READING_FAILED;
    }
    error_set(error, ERROR_USAGE, "-G %s%.40s\"; there are fields, protocols and values",
              near.best ? "knows no such report; did you mean \"" : "knows no report \"",
              near.best ? near.best : what);
    return READING_REFUSED;
}
