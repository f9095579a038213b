#include "cli/reports.h"

#include "base/buf.h"
#include "cli/tshark_options.h"
#include "schema/schema.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FOLDER_ROOM 4096

/* Several rows may share a name: the first one stands for all. */
static bool is_first(enum field_id id)
{
    return field_find(fields[id].abbrev, strlen(fields[id].abbrev)) == id;
}

void report_field_count(FILE *out, const struct front *f)
{
    size_t all = 0, protocols = 0, again = 0;
    (void)f;
    for (enum field_id id = 1; id < FIELD_COUNT; id++) {
        if (*fields[id].abbrev == '\0')
            continue;
        all++;
        protocols += *field_parent(id) == '\0';
        again += !is_first(id);
    }
    fprintf(out,
            "There are %zu header fields registered, of which:\n\t0 are deregistered\n"
            "\t%zu are protocols\n\t%zu have the same name as another field\n\n"
            "The fields themselves consume %zu KiB of memory.\n",
            all, protocols, again, FIELD_COUNT * sizeof fields[0] / 1024);
}

void report_dissector_tables(FILE *out, const struct front *f)
{
    (void)f;
    fputs("ethertype\tEthertype\tFT_UINT16\tBASE_HEX\tEthertype\tDecode As not supported\n"
          "ip.proto\tIP protocol\tFT_UINT8\tBASE_DEC\tIPv4\tDecode As not supported\n"
          "null.type\tNull type\tFT_UINT32\tBASE_DEC\tNull\tDecode As not supported\n"
          "ppp.protocol\tPPP protocol\tFT_UINT16\tBASE_HEX\tPPP\tDecode As not supported\n"
          "tcp.port\tTCP port\tFT_UINT16\tBASE_DEC\tTCP\tDecode As supported\n"
          "wtap_encap\tWiretap encapsulation type\tFT_UINT32\tBASE_DEC\tFrame\tDecode As not "
          "supported\n",
          out);
}

void report_heuristics(FILE *out, const struct front *f)
{
    (void)f;
    fputs("tcp\ttls\tT\n", out);
}

void report_plugins(FILE *out, const struct front *f)
{
    (void)out, (void)f; /* there are none */
}

/* ---- -G folders ---- */

static void put_folder(FILE *out, const char *title, const char *path)
{
    fprintf(out, "%-20s\t%s\n", title, path);
}

void report_folders(FILE *out, const struct front *f)
{
    char path[FOLDER_ROOM];
    const char *temporary = getenv("TMPDIR");
    (void)f;
    put_folder(out, "Temp:", temporary && *temporary ? temporary : "/tmp");
    put_folder(out, "Personal configuration:",
               front_config_folder(path, sizeof path) ? path
                                                      : "(neither XDG_CONFIG_HOME nor HOME)");
    ssize_t len = readlink("/proc/self/exe", path, sizeof path - 1);
    path[len > 0 ? len : 0] = '\0';
    char *slash = strrchr(path, '/');
    if (slash)
        *slash = '\0';
    put_folder(out, "Program:", path);
}

/* ---- -G elastic-mapping ---- */

/* The kind of value that a field is to Elasticsearch; NULL: none of its own, which is a text. */
static const char *const elastic_types[TYPE_COUNT] = {
    [TYPE_BOOLEAN] = "boolean",    [TYPE_UINT8] = "short",   [TYPE_UINT16] = "integer",
    [TYPE_UINT24] = "integer",     [TYPE_UINT32] = "long",   [TYPE_UINT64] = "long",
    [TYPE_INT8] = "integer",       [TYPE_INT16] = "integer", [TYPE_INT32] = "integer",
    [TYPE_INT64] = "long",         [TYPE_BYTES] = "byte",    [TYPE_ABSOLUTE_TIME] = "date",
    [TYPE_RELATIVE_TIME] = "date", [TYPE_IPV4] = "ip",       [TYPE_IPV6] = "ip",
    [TYPE_FRAMENUM] = "long",
};

static void put_underscored(FILE *out, const char *name)
{
    for (; *name; name++)
        fputc(*name == '.' ? '_' : *name, out);
}

/* Whether LIST, with commas, has NAME; NULL has all. */
static bool is_among(const char *list, const char *name)
{
    for (size_t len; list && *list; list += len + (list[len] == ',')) {
        len = strcspn(list, ",");
        if (len == strlen(name) && strncmp(list, name, len) == 0)
            return true;
    }
    return !list;
}

static void put_layer(FILE *out, const char *layer, const char *const *parents, bool first)
{
    bool any = false;
    fprintf(out, "%s\n          \"%s\": {\n            \"properties\": {", first ? "" : ",", layer);
    for (enum field_id id = 1; id < FIELD_COUNT; id++) {
        const char *type = elastic_types[fields[id].type];
        if (!type || !parents[id] || strcmp(parents[id], layer) != 0)
            continue;
        fprintf(out, "%s\n              \"", any ? "," : "");
        put_underscored(out, layer);
        fputc('_', out);
        put_underscored(out, fields[id].abbrev);
        fprintf(out, "\": {\n                \"type\": \"%s\"\n              }", type);
        any = true;
    }
    fprintf(out, "%s}\n          }", any ? "\n            " : "");
}

void report_elastic_mapping(FILE *out, const struct front *f)
{
    static const char head[] =
        "{\n  \"settings\": {\n    \"index.mapping.total_fields.limit\": 1000000\n  },\n"
        "  \"mappings\": {\n    \"dynamic\": false,\n    \"properties\": {\n"
        "      \"timestamp\": {\n        \"type\": \"date\"\n      },\n"
        "      \"layers\": {\n        \"properties\": {";
    const char **parents = calloc(FIELD_COUNT, sizeof *parents);
    bool first = true;
    if (!parents)
        return;
    for (enum field_id id = 1; id < FIELD_COUNT; id++)
        if (*fields[id].abbrev && is_first(id))
            parents[id] = field_parent(id);
    fputs(head, out);
    for (enum field_id id = 1; id < FIELD_COUNT; id++) {
        if (!parents[id] || *parents[id] || !is_among(f->elastic_filter, fields[id].abbrev))
            continue;
        put_layer(out, fields[id].abbrev, parents, first);
        first = false;
    }
    fprintf(out, "%s}\n      }\n    }\n  }\n}\n", first ? "" : "\n        ");
    free(parents);
}
