#include "cli/glossary.h"

#include "cli/nearest.h"
#include "cli/reading.h"
#include "cli/reports.h"
#include "print/columns.h"
#include "schema/schema.h"
#include "stream/tls.h"

#include <inttypes.h>
#include <stdlib.h>
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
    [TYPE_INT8] = "FT_INT8",
    [TYPE_INT16] = "FT_INT16",
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
    static const uint8_t bits[] = {[SHOW_BITS_4] = 4,   [SHOW_BITS_8] = 8,   [SHOW_BITS_12] = 12,
                                   [SHOW_BITS_16] = 16, [SHOW_BITS_24] = 24, [SHOW_BITS_32] = 32};
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
    if (*field_parent(id) == '\0') {
        put_protocol(out, id);
        return;
    }
    fprintf(out, "F\t%s\t%s\t%s\t%s\t", field->label, field->abbrev, type_names[field->type],
            field_parent(id));
    put_base(out, field);
    fprintf(out, "\t0x%" PRIx64 "\t%s\n", field->mask, field->meaning ? field->meaning : "");
}

/* Where the short name is not the name for filters in capitals. */
static const char *short_name(const struct field *field)
{
    static const struct {
        const char *abbrev, *name;
    } names[] = {
        {"pkt_comment", "Pkt_Comment"},
        {"frame", "Frame"},
        {"_ws.expert", "Expert"},
        {"_ws.malformed", "Malformed packet"},
        {"_ws.string", "String errors"},
        {"_ws.short", "Short frame"},
        {"eth", "Ethernet"},
        {"raw", "Raw"},
        {"null", "Null"},
        {"ip", "IPv4"},
        {"ipv6", "IPv6"},
        {"ipv6.hopopts", "IPv6 Hop-by-Hop"},
        {"ipv6.dstopts", "IPv6 Destination"},
        {"ipv6.routing", "IPv6 Routing"},
        {"ipv6.fraghdr", "IPv6 Fragment"},
        {"data", "Data"},
        {"logotypecertextn", "LogotypeCertExtn"},
        {"pppoes", "PPPoES"},
        {"geneve", "Geneve"},
        {"ieee8021ad", "IEEE 802.1AD"},
        {"pwethcw", "Ethernet PW (with CW)"},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i].abbrev, field->abbrev) == 0)
            return names[i].name;
    return NULL;
}

static void put_protocol_names(FILE *out, enum field_id id)
{
    const struct field *field = &fields[id];
    if (field->type != TYPE_PROTOCOL)
        return;
    const char *name = short_name(field);
    fprintf(out, "%s\t", field->label);
    for (const char *c = name ? name : field->abbrev; *c; c++)
        fputc(!name && *c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c, out);
    fprintf(out, "\t%s\n", field->abbrev);
}

/* One line a field for docs/fields.md: name, type, protocol, label, whether tshark has it, meaning,
 * specification. */
static void put_manual(FILE *out, enum field_id id)
{
    const struct field *field = &fields[id];
    fprintf(out, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", field->abbrev, type_names[field->type],
            field->type == TYPE_PROTOCOL ? field->abbrev : field_parent(id), field->label,
            field->more ? "tlswire" : "tshark", field->meaning ? field->meaning : "",
            field->section ? field->section : "");
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

static void put_column_format(void *to, const char *format, const char *what)
{
    fprintf(to, "%s\t%s\n", format, what);
}

static void put_column_formats(FILE *out)
{
    column_formats(put_column_format, out);
    fputs("\nFor example, to print the usual columns:\n\n"
          "tlswire -o 'gui.column.format:\"No.\",\"%m\",\"Time\",\"%t\",\"Source\",\"%s\","
          "\"Destination\",\"%d\",\"Protocol\",\"%p\",\"Length\",\"%L\",\"Info\",\"%i\"'\n",
          out);
}

/* Which number of a layer leads to which protocol. */
static void put_decodes(FILE *out)
{
    static const struct {
        const char *table;
        unsigned selector;
        const char *protocol;
    } decodes[] = {
        {"null.type", 2, "ip"},       {"null.type", 24, "ipv6"},      {"null.type", 28, "ipv6"},
        {"null.type", 30, "ipv6"},    {"ip.proto", 4, "ip"},          {"ip.proto", 6, "tcp"},
        {"ip.proto", 41, "ipv6"},     {"ethertype", 2048, "ip"},      {"ethertype", 33024, "vlan"},
        {"ethertype", 34525, "ipv6"}, {"ethertype", 34916, "pppoes"}, {"ppp.protocol", 33, "ip"},
        {"ppp.protocol", 87, "ipv6"}, {"wtap_encap", 1, "eth"},       {"wtap_encap", 4, "ppp"},
        {"wtap_encap", 15, "null"},   {"wtap_encap", 25, "sll"},      {"wtap_encap", 129, "ip"},
        {"wtap_encap", 130, "ipv6"},  {"wtap_encap", 210, "sll"},
    };
    struct tls_ports *ports = calloc(1, sizeof *ports);
    for (size_t i = 0; i < sizeof decodes / sizeof decodes[0]; i++)
        fprintf(out, "%s\t%u\t%s\n", decodes[i].table, decodes[i].selector, decodes[i].protocol);
    if (!ports)
        return;
    tls_default_ports(ports);
    for (unsigned port = 0; port < sizeof ports->says / sizeof ports->says[0]; port++)
        if (ports->says[port] == TLS_PORT_YES)
            fprintf(out, "tcp.port\t%u\ttls\n", port);
    free(ports);
}

static void put_types(FILE *out)
{
    static const char *const names[TYPE_COUNT] = {
        [TYPE_NONE] = "Label",
        [TYPE_PROTOCOL] = "Protocol",
        [TYPE_BOOLEAN] = "Boolean",
        [TYPE_UINT8] = "Unsigned integer (1 byte)",
        [TYPE_UINT16] = "Unsigned integer (2 bytes)",
        [TYPE_UINT24] = "Unsigned integer (3 bytes)",
        [TYPE_UINT32] = "Unsigned integer (4 bytes)",
        [TYPE_UINT64] = "Unsigned integer (8 bytes)",
        [TYPE_INT8] = "Signed integer (1 byte)",
        [TYPE_INT16] = "Signed integer (2 bytes)",
        [TYPE_INT32] = "Signed integer (4 bytes)",
        [TYPE_INT64] = "Signed integer (8 bytes)",
        [TYPE_ABSOLUTE_TIME] = "Date and time",
        [TYPE_RELATIVE_TIME] = "Time offset",
        [TYPE_STRING] = "Character string",
        [TYPE_BYTES] = "Byte sequence",
        [TYPE_IPV4] = "IPv4 address",
        [TYPE_IPV6] = "IPv6 address",
        [TYPE_ETHER] = "Ethernet or other MAC address",
        [TYPE_OID] = "ASN.1 object identifier",
        [TYPE_FRAMENUM] = "Frame number",
    };
    for (size_t i = 0; i < TYPE_COUNT; i++)
        fprintf(out, "%s\t%s\n", type_names[i], names[i]);
}

static const struct glossary {
    const char *name;
    const char *what;                         /* in tshark's words; NULL: is not listed by help */
    void (*put)(FILE *out, enum field_id id); /* for every field */
    void (*put_all)(FILE *out);               /* or at once */
    report *put_report;                       /* or from what the options say */
    bool about_settings;
} glossaries[] = {
    {"column-formats", "dump column format codes and exit", NULL, put_column_formats, NULL, false},
    {"decodes", "dump \"layer type\"/\"decode as\" associations and exit", NULL, put_decodes, NULL,
     false},
    {"dissector-tables", "dump dissector table names, types, and properties", NULL, NULL,
     report_dissector_tables, false},
    {"elastic-mapping", "dump ElasticSearch mapping file", NULL, NULL, report_elastic_mapping,
     false},
    {"fieldcount", "dump count of header fields and exit", NULL, NULL, report_field_count, false},
    {"fields", "dump fields glossary and exit", put_field, NULL, NULL, false},
    {"ftypes", "dump field type basic and descriptive names", NULL, put_types, NULL, false},
    {"heuristic-decodes", "dump heuristic dissector tables", NULL, NULL, report_heuristics, false},
    {"manual", "dump fields with meaning and specification (tlswire's own)", put_manual, NULL, NULL,
     false},
    {"plugins", "dump installed plugins and exit (there are none)", NULL, NULL, report_plugins,
     false},
    {"protocols", "dump protocols in registration database and exit", put_protocol_names, NULL,
     NULL, false},
    {"values", "dump value, range, true/false strings and exit", put_values, NULL, NULL, false},
    {"currentprefs", "dump current preferences and exit", NULL, NULL, report_preferences, true},
    {"defaultprefs", "dump default preferences and exit", NULL, NULL, report_usual_preferences,
     true},
    {"folders", "dump about:folders", NULL, NULL, report_folders, true},
};

#define GLOSSARIES (sizeof glossaries / sizeof glossaries[0])

static void put_list(FILE *out)
{
    fputs("tlswire " TLSWIRE_VERSION "\n\nUsage: tlswire -G [report]\n\nGlossary table reports:\n",
          out);
    for (size_t i = 0; i < GLOSSARIES; i++) {
        if (i > 0 && glossaries[i].about_settings != glossaries[i - 1].about_settings)
            fputs("\nPreference reports:\n", out);
        fprintf(out, "  -G %-22s%s\n", glossaries[i].name, glossaries[i].what);
    }
    fputc('\n', out);
}

static void refuse(const char *what, const char *near, struct error *error)
{
    char shown[64];
    struct buf text = {.ceiling = sizeof shown - 1};
    buf_escaped(&text, slice_sub(slice_of_str(what), 0, 15));
    (void)snprintf(shown, sizeof shown, "%.*s", (int)text.len,
                   text.data ? (const char *)text.data : "");
    buf_free(&text);
    error_set(error, ERROR_USAGE,
              "Invalid \"%s\" option for -G flag, enter -G help for more help.%s%s%s", shown,
              near ? "\n  did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

int glossary_print(FILE *out, const char *what, const struct front *f, struct error *error)
{
    struct nearest near = {.wanted = what};
    bool found = strcmp(what, "help") == 0;
    if (found)
        put_list(out);
    for (size_t i = 0; i < GLOSSARIES && !found; i++) {
        nearest_offer(&near, glossaries[i].name);
        if (strcmp(what, glossaries[i].name) != 0)
            continue;
        found = true;
        if (glossaries[i].put_all)
            glossaries[i].put_all(out);
        if (glossaries[i].put_report)
            glossaries[i].put_report(out, f);
        for (enum field_id id = 1; id < FIELD_COUNT && glossaries[i].put; id++)
            if (is_listed(id))
                glossaries[i].put(out, id);
    }
    if (found)
        return fflush(out) == 0 ? READING_OK : READING_FAILED;
    refuse(what, near.best, error);
    return READING_REFUSED;
}
