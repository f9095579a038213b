#include "print/columns.h"

#include "schema/schema.h"

#include <stdlib.h>

#define COLUMNS_MAX 64
#define CUSTOM      "%Cus"

struct column_list {
    char *text; /* owned: the format, cut into titles */
    size_t count;
    struct column_spec specs[COLUMNS_MAX];
};

/* The codes, in the order that tshark lists them. */
static const struct code {
    const char *code, *what;
    enum column kind;
} codes[] = {
    {"%q", "802.1Q VLAN id", COLUMN_VLAN},
    {"%Yt", "Absolute date, as YYYY-MM-DD, and time", COLUMN_TIME_DATE},
    {"%YDOYt", "Absolute date, as YYYY/DOY, and time", COLUMN_TIME_DAY_OF_YEAR},
    {"%At", "Absolute time", COLUMN_TIME_ABSOLUTE},
    {"%V", "Cisco VSAN", COLUMN_EMPTY},
    {CUSTOM, "Custom", COLUMN_CUSTOM},
    {"%y", "DCE/RPC call (cn_call_id / dg_seqnum)", COLUMN_EMPTY},
    {"%Tt", "Delta time", COLUMN_TIME_DELTA},
    {"%Gt", "Delta time displayed", COLUMN_TIME_DELTA_DISPLAYED},
    {"%rd", "Dest addr (resolved)", COLUMN_DESTINATION},
    {"%ud", "Dest addr (unresolved)", COLUMN_DESTINATION_ADDRESS},
    {"%rD", "Dest port (resolved)", COLUMN_DESTINATION_PORT},
    {"%uD", "Dest port (unresolved)", COLUMN_DESTINATION_PORT},
    {"%d", "Destination address", COLUMN_DESTINATION},
    {"%D", "Destination port", COLUMN_DESTINATION_PORT},
    {"%a", "Expert Info Severity", COLUMN_SEVERITY},
    {"%I", "FW-1 monitor if/direction", COLUMN_EMPTY},
    {"%F", "Frequency/Channel", COLUMN_EMPTY},
    {"%hd", "Hardware dest addr", COLUMN_LINK_DESTINATION},
    {"%hs", "Hardware src addr", COLUMN_LINK_SOURCE},
    {"%rhd", "Hw dest addr (resolved)", COLUMN_LINK_DESTINATION},
    {"%uhd", "Hw dest addr (unresolved)", COLUMN_LINK_DESTINATION},
    {"%rhs", "Hw src addr (resolved)", COLUMN_LINK_SOURCE},
    {"%uhs", "Hw src addr (unresolved)", COLUMN_LINK_SOURCE},
    {"%e", "IEEE 802.11 RSSI", COLUMN_EMPTY},
    {"%x", "IEEE 802.11 TX rate", COLUMN_EMPTY},
    {"%i", "Information", COLUMN_INFO},
    {"%rnd", "Net dest addr (resolved)", COLUMN_NET_DESTINATION},
    {"%und", "Net dest addr (unresolved)", COLUMN_NET_DESTINATION_ADDRESS},
    {"%rns", "Net src addr (resolved)", COLUMN_NET_SOURCE},
    {"%uns", "Net src addr (unresolved)", COLUMN_NET_SOURCE_ADDRESS},
    {"%nd", "Network dest addr", COLUMN_NET_DESTINATION},
    {"%ns", "Network src addr", COLUMN_NET_SOURCE},
    {"%m", "Number", COLUMN_NUMBER},
    {"%L", "Packet length (bytes)", COLUMN_LENGTH},
    {"%p", "Protocol", COLUMN_PROTOCOL},
    {"%Rt", "Relative time", COLUMN_TIME_RELATIVE},
    {"%s", "Source address", COLUMN_SOURCE},
    {"%S", "Source port", COLUMN_SOURCE_PORT},
    {"%rs", "Src addr (resolved)", COLUMN_SOURCE},
    {"%us", "Src addr (unresolved)", COLUMN_SOURCE_ADDRESS},
    {"%rS", "Src port (resolved)", COLUMN_SOURCE_PORT},
    {"%uS", "Src port (unresolved)", COLUMN_SOURCE_PORT},
    {"%E", "TEI", COLUMN_EMPTY},
    {"%Yut", "UTC date, as YYYY-MM-DD, and time", COLUMN_TIME_UTC_DATE},
    {"%YDOYut", "UTC date, as YYYY/DOY, and time", COLUMN_TIME_UTC_DAY_OF_YEAR},
    {"%Aut", "UTC time", COLUMN_TIME_UTC},
    {"%t", "Time (format as specified)", COLUMN_TIME},
};

#define CODES (sizeof codes / sizeof codes[0])

void column_formats(void (*put)(void *to, const char *format, const char *what), void *to)
{
    for (size_t i = 0; i < CODES; i++)
        put(to, codes[i].code, codes[i].what);
}

/* Fields with "||" or "or" between them; a name that nobody knows stays empty. */
static void custom_fields(struct column_spec *spec, const char *names, size_t len)
{
    size_t count = 0;
    for (size_t at = 0; at < len && count < COLUMN_FIELDS;) {
        size_t word = strcspn(names + at, " |:");
        if (word > len - at)
            word = len - at;
        enum field_id id = field_find(names + at, word);
        for (; id != F_NONE && count < COLUMN_FIELDS; id = field_same_name(id))
            spec->fields[count++] = (uint16_t)id;
        at += word;
        at += strspn(names + at, " |");
    }
}

/* "<fields>:<occurrence>:<R or U>", the last two may be missing. */
static bool custom(struct column_spec *spec, const char *text)
{
    size_t names = strcspn(text, ":");
    custom_fields(spec, text, names);
    if (text[names] == '\0')
        return names > 0;
    char *end = NULL;
    long occurrence = strtol(text + names + 1, &end, 10);
    spec->occurrence = occurrence > INT16_MAX || occurrence < INT16_MIN ? 0 : (int)occurrence;
    spec->plain = strcmp(end, ":U") == 0;
    return names > 0 && (*end == '\0' || *end == ':');
}

static bool set_format(struct column_spec *spec, const char *format)
{
    size_t prefix = sizeof CUSTOM - 1;
    if (strncmp(format, CUSTOM ":", prefix + 1) == 0) {
        spec->kind = COLUMN_CUSTOM;
        return custom(spec, format + prefix + 1);
    }
    for (size_t i = 0; i < CODES; i++) {
        spec->kind = codes[i].kind;
        if (strcmp(codes[i].code, format) == 0)
            return spec->kind != COLUMN_CUSTOM;
    }
    return false;
}

/* Takes the next word, quoted or not, from *AT, which then is behind the comma after it. */
static char *next_word(char **at)
{
    char *from = *at + strspn(*at, " \t\n"), *to = from, *word = from;
    bool quoted = *from == '"';
    if (*from == '\0')
        return NULL;
    for (from += quoted; *from != '\0' && *from != (quoted ? '"' : ','); from++) {
        if (*from == '\\' && from[1] != '\0')
            from++;
        if (quoted || !strchr(" \t\n", *from))
            *to++ = *from;
    }
    if (quoted && *from == '"')
        from++;
    from += strspn(from, " \t\n");
    *at = *from == ',' ? from + 1 : from;
    bool good = *from == ',' || *from == '\0';
    *to = '\0';
    return good ? word : NULL;
}

static bool parse(struct column_list *list)
{
    char *at = list->text;
    while (*at != '\0') {
        struct column_spec *spec = &list->specs[list->count];
        if (list->count == COLUMNS_MAX)
            return false;
        spec->title = next_word(&at);
        const char *format = spec->title ? next_word(&at) : NULL;
        if (!format || !set_format(spec, format))
            return false;
        list->count++;
    }
    return list->count > 0;
}

struct column_list *column_list_new(const char *format)
{
    struct column_list *list = calloc(1, sizeof *list);
    if (!list)
        return NULL;
    list->text = strdup(format);
    if (list->text && parse(list))
        return list;
    column_list_free(list);
    return NULL;
}

void column_list_free(struct column_list *list)
{
    if (list)
        free(list->text);
    free(list);
}

size_t column_list_count(const struct column_list *list)
{
    return list->count;
}

const struct column_spec *column_list_at(const struct column_list *list, size_t index)
{
    return &list->specs[index];
}
