#include "cli/tshark_options.h"

#include "cli/common.h"
#include "cli/nearest.h"

#include <stdlib.h>
#include <string.h>

const char *front_shown(struct front *f, const char *argument)
{
    struct buf escaped = {.ceiling = sizeof f->shown - 1};
    buf_escaped(&escaped, slice_sub(slice_of_str(argument), 0, (sizeof f->shown - 1) / 4));
    memcpy(f->shown, escaped.data ? escaped.data : (const uint8_t *)"", escaped.len);
    f->shown[escaped.len] = '\0';
    buf_free(&escaped);
    return f->shown;
}

/* ---- where packets come from and go to
 * ------------------------------------------------------------ */

static bool take_file(struct front *f, const struct option_row *row, const char *argument)
{
    (void)row;
    f->reading.file = argument;
    return true;
}

static bool take_display_filter(struct front *f, const struct option_row *row, const char *argument)
{
    (void)row;
    f->reading.display_filter = argument;
    return true;
}

static bool take_two_pass(struct front *f, const struct option_row *row, const char *argument)
{
    (void)row, (void)argument;
    f->reading.two_pass = true;
    return true;
}

static bool take_read_filter(struct front *f, const struct option_row *row, const char *argument)
{
    (void)row;
    f->reading.read_filter = argument;
    return true;
}

bool front_positive(struct front *f, const char *what, const char *argument, uint64_t most,
                    uint64_t *value)
{
    char *end = NULL;
    const char *shown = front_shown(f, argument);
    if (*argument == '-')
        return front_refuse(f, "The specified %s \"%s\" is a negative number", what, shown);
    unsigned long long number = strtoull(argument, &end, 10);
    if (*argument < '0' || *argument > '9' || *end != '\0')
        return front_refuse(f, "The specified %s \"%s\" isn't a decimal number", what, shown);
    if (number == 0)
        return front_refuse(f, "The specified %s is zero", what);
    if (number > most)
        return front_refuse(f, "The specified %s \"%s\" is too large (greater than %llu)", what,
                            shown, (unsigned long long)most);
    *value = number;
    return true;
}

static bool take_count(struct front *f, const struct option_row *row, const char *argument)
{
    (void)row;
    return front_positive(f, "packet count", argument, INT32_MAX, &f->reading.packet_limit);
}

/* ---- what is printed of them
 * ---------------------------------------------------------------------- */

static bool take_tree(struct front *f, const struct option_row *row, const char *argument)
{
    (void)row, (void)argument;
    f->reading.print.tree = f->printing = true;
    return true;
}

static bool take_hex(struct front *f, const struct option_row *row, const char *argument)
{
    (void)row, (void)argument;
    f->reading.print.hex = f->printing = true;
    return true;
}

static bool take_hexdump(struct front *f, const struct option_row *row, const char *argument)
{
    struct hexdump_form *form = &f->reading.print.hex_form;
    if (strcmp(argument, "help") == 0) {
        f->task = TASK_HEXDUMP;
        return true;
    }
    if (strcmp(argument, "all") == 0 || strcmp(argument, "frames") == 0)
        form->frame_only = *argument == 'f';
    else if (strcmp(argument, "ascii") == 0 || strcmp(argument, "delimit") == 0 ||
             strcmp(argument, "noascii") == 0)
        form->text = *argument == 'a'   ? HEXDUMP_TEXT
                     : *argument == 'd' ? HEXDUMP_DELIMITED
                                        : HEXDUMP_NO_TEXT;
    else
        return front_refuse(f,
                            "\"%s\" is an invalid value for --hexdump <hexoption>\n"
                            "For valid <hexoption> values enter: tlswire --hexdump help",
                            front_shown(f, argument));
    return take_hex(f, row, argument);
}

static bool take_summary(struct front *f, const struct option_row *row, const char *argument)
{
    (void)row, (void)argument;
    f->summary = f->printing = true;
    return true;
}

/* Names of protocols that are not dissected here are no error, so that lists made for tshark work.
 */
static bool take_protocols(struct front *f, const struct option_row *row, const char *argument)
{
    for (const char *name = argument; *name != '\0';) {
        size_t len = strcspn(name, ",");
        enum field_id id = field_find(name, len);
        if (id != F_NONE && fields[id].type == TYPE_PROTOCOL)
            f->expanded[id] = 1;
        name += len + (name[len] == ',');
    }
    f->reading.print.expanded = f->expanded;
    return take_tree(f, row, argument);
}

static bool take_printer(struct front *f, const struct option_row *row, const char *argument)
{
    (void)row;
    const struct printer *printer = printer_find(argument);
    if (f->formatted)
        return front_refuse(f, "Multiple -T parameters are unsupported");
    if (strcmp(argument, "ps") == 0)
        return front_refuse(f, "-T ps (PostScript) is not there; -T text, psml and pdml are");
    if (!printer)
        return front_refuse(
            f,
            "Invalid -T parameter \"%s\"; it must be one of:\n"
            "\t\"fields\"   the values of the fields named with -e, in the manner of -E\n"
            "\t\"text\"     a line a packet, or with -V its details (as without -T)\n"
            "\t\"tabs\"     the same with a tab between columns\n"
            "\t\"psml\"     the columns of each packet, as XML\n"
            "\t\"pdml\"     every field, as XML\n"
            "\t\"json\"     every field, as JSON; with -x also its bytes and place\n"
            "\t\"jsonraw\"  the bytes and the place of every field, as JSON\n"
            "\t\"ek\"       every field, as JSON for the bulk interface of Elasticsearch\n"
            "\t\"jsonl\"    a line of JSON a packet, with typed values (tlswire's own)",
            front_shown(f, argument));
    f->formatted = f->printing = true;
    f->reading.printer = printer;
    /* Each but for text has its own idea of what is printed, which later options may change. */
    bool columns = strcmp(argument, "psml") == 0, text = printer_is_text(printer);
    if (!text && strcmp(argument, "ek") != 0) {
        f->reading.print.tree = !columns;
        f->summary = columns;
    }
    return true;
}

static bool take_kept(struct front *f, const struct option_row *row, const char *argument)
{
    f->reading.print.keep = (struct keep){.names = argument, .children = row->letter == 'J'};
    return true;
}

static bool take_color(struct front *f, const struct option_row *row, const char *argument)
{
    (void)row, (void)argument;
    f->reading.color = true;
    return true;
}

static bool take_export_keys(struct front *f, const struct option_row *row, const char *argument)
{
    (void)row;
    f->reading.export_keys = argument;
    return true;
}

static bool take_unique_keys(struct front *f, const struct option_row *row, const char *argument)
{
    (void)row, (void)argument;
    f->reading.print.unique_keys = true;
    return true;
}

static bool take_field(struct front *f, const struct option_row *row, const char *argument)
{
    (void)row;
    if (field_list_full(f->reading.print.list))
        return front_refuse(f, "-e %s: there are too many fields already; the most are %zu.",
                            front_shown(f, argument), field_list_count(f->reading.print.list));
    if (!field_list_add(f->reading.print.list, argument) && f->bad_field_count < FRONT_BAD_FIELDS)
        f->bad_fields[f->bad_field_count++] = argument;
    return true;
}

static bool take_field_option(struct front *f, const struct option_row *row, const char *argument)
{
    (void)row;
    return field_list_option(f->reading.print.list, argument) ||
           front_refuse(f,
                        "\"%s\" is not a valid field output option=value pair.\n"
                        "  bom=y|n  header=y|n  separator=/t|/s|<character>  occurrence=f|l|a\n"
                        "  aggregator=,|/s|<character>  quote=d|s|n",
                        front_shown(f, argument));
}

static bool take_separator(struct front *f, const struct option_row *row, const char *argument)
{
    (void)row;
    f->reading.print.separator = argument;
    return true;
}

static bool take_seconds(struct front *f, const struct option_row *row, const char *argument)
{
    (void)row;
    f->reading.print.spans_in_hours = strcmp(argument, "hms") == 0;
    return f->reading.print.spans_in_hours || strcmp(argument, "s") == 0 ||
           front_refuse(f,
                        "Invalid seconds type \"%s\"; it must be one of:\n"
                        "\t\"s\"   for seconds\n"
                        "\t\"hms\" for hours, minutes and seconds",
                        front_shown(f, argument));
}

static bool take_line_buffered(struct front *f, const struct option_row *row, const char *argument)
{
    (void)row, (void)argument;
    f->reading.line_buffered = true;
    return true;
}

static bool take_quiet(struct front *f, const struct option_row *row, const char *argument)
{
    (void)argument;
    f->quiet = true;
    f->reading.silent |= row->letter == 'Q';
    return true;
}

/* ---- statistics
 * ------------------------------------------------------------------------------------ */

static bool take_statistic(struct front *f, const struct option_row *row, const char *argument)
{
    (void)row;
    if (strcmp(argument, "help") == 0) {
        f->task = TASK_STATISTICS;
        return true;
    }
    if (!f->reading.stats)
        f->reading.stats = stats_new();
    if (!f->reading.stats)
        return error_set(&f->error, ERROR_MEMORY, "out of memory");
    if (stats_add(f->reading.stats, argument))
        return true;
    f->lists_statistics = true;
    return front_refuse(f,
                        "Invalid -z argument \"%s\"; it must be one of:", front_shown(f, argument));
}

/* ---- instead of reading
 * ---------------------------------------------------------------------------- */

static bool take_interfaces(struct front *f, const struct option_row *row, const char *argument)
{
    (void)row, (void)argument;
    f->task = TASK_INTERFACES;
    return true;
}

static bool take_links(struct front *f, const struct option_row *row, const char *argument)
{
    (void)row, (void)argument;
    f->task = TASK_LINK_TYPES;
    return true;
}

static bool take_clocks(struct front *f, const struct option_row *row, const char *argument)
{
    (void)row, (void)argument;
    f->task = TASK_TIME_TYPES;
    return true;
}

static bool take_reset(struct front *f, const struct option_row *row, const char *argument)
{
    (void)row;
    return front_positive(f, "epan reset count", argument, INT32_MAX, &f->reading.reset_after);
}

static bool take_glossary(struct front *f, const struct option_row *row, const char *argument)
{
    (void)row;
    f->task = TASK_GLOSSARY;
    f->glossary = argument;
    return true;
}

static bool take_elastic_filter(struct front *f, const struct option_row *row, const char *argument)
{
    (void)row;
    f->elastic_filter = argument;
    return true;
}

static bool take_help(struct front *f, const struct option_row *row, const char *argument)
{
    (void)argument;
    f->task = row->letter == 'v' ? TASK_VERSION : TASK_HELP;
    return true;
}

#define HEADING_ROW(text) \
    {                     \
        .help = text      \
    }
/* One that makes no sense here, and why. */
#define NEVER(letter, name, argument, why) \
    {                                      \
        letter, name, argument, NULL, why  \
    }
#define NO_LOG "there is no log; what goes wrong is told on stderr"

/* clang-format off: a table reads best as one */
const struct option_row tshark_options[] = {
    HEADING_ROW("Capture interface"),
    {'i', "interface", "<interface>", take_interface,
     "name or number of interface (default: first non-loopback)"},
    {'f', NULL, "<capture filter>", take_capture_filter, "packet filter in libpcap filter syntax"},
    {'y', "linktype", "<link type>", take_link_type,
     "link type to capture (default: the usual one)"},
    {'\0', "time-stamp-type", "<type>", take_time_type, "where time stamps come from"},
    {'s', "snapshot-length", "<snaplen>", take_snaplen, "bytes kept of a packet (default: all)"},
    {'p', "no-promiscuous-mode", NULL, take_no_promiscuous, "don't capture in promiscuous mode"},
    {'I', "monitor-mode", NULL, take_monitor, "capture in monitor mode, if available"},
    {'B', "buffer-size", "<MiB>", take_buffer, "size of the kernel's buffer (default: 2)"},
    {'D', "list-interfaces", NULL, take_interfaces, "print the interfaces and exit"},
    {'L', "list-data-link-types", NULL, take_links,
     "print the link types of the interface and exit"},
    {'\0', "list-time-stamp-types", NULL, take_clocks, "print its kinds of time stamps and exit"},
    HEADING_ROW("Capture stop conditions and files"),
    {'c', NULL, "<count>", take_count, "stop after so many packets"},
    {'a', "autostop", "<condition>", take_stop,
     "duration:<seconds>, packets:<n>, filesize:<kB> or files:<n>"},
    {'b', "ring-buffer", "<condition>", take_change,
     "next file at duration:, interval:, filesize:, packets:; files:<n> are kept"},
    HEADING_ROW("Input"),
    {'r', "read-file", "<file>", take_file, "read a capture file ('-': stdin)"},
    HEADING_ROW("Processing"),
    {'Y', "display-filter", "<filter>", take_display_filter, "show only packets that pass"},
    {'M', NULL, "<count>", take_reset, "forget the connections after so many packets"},
    {'2', NULL, NULL, take_two_pass, "read a file twice: ends are known from the start"},
    {'R', "read-filter", "<filter>", take_read_filter,
     "with -2: packets that the second pass reads"},
    {'n', NULL, NULL, take_no_names, "no names of addresses"},
    {'N', NULL, "<letters>", take_names,
     "show names: n, those of -H and of the capture; m, makers of adapters (d, v: none)"},
    {'H', NULL, "<hosts file>", take_hosts, "names of addresses, shown with -N n; implies -W n"},
    {'d', NULL, "<layer>==<ports>,<protocol>", take_decode_as,
     "tcp.port==4433,tls  tcp.port==8000-8010,tls"},
    {'o', NULL, "<name>:<value>", take_preference, "a preference: tls.keylog_file:keys.log"},
    {'\0', "enable-protocol", "<protocol>", take_protocol, "all there are are dissected"},
    {'\0', "disable-protocol", "<protocol>", take_protocol,
     "of use for others only, as tls is always dissected"},
    {'\0', "enable-heuristic", "<name>", take_heuristic,
     "tls_tcp: TLS is known by its bytes, on any port"},
    {'\0', "disable-heuristic", "<name>", take_heuristic, "any but tls_tcp"},
    HEADING_ROW("Output"),
    {'w', NULL, "<file>", take_write, "write packets to a file ('-': stdout)"},
    {'F', NULL, "<type>", take_format, "type of that file: pcapng (default), pcap, nsecpcap …"},
    {'\0', "capture-comment", "<comment>", take_comment, "add a comment to that file (pcapng)"},
    {'g', NULL, NULL, take_group_read, "let the group read that file"},
    {'W', NULL, "n", take_write_names, "with -r and -w: also the names of addresses (pcapng)"},
    {'\0', "temp-dir", "<folder>", take_folder, "nothing temporary is written"},
    {'V', NULL, NULL, take_tree, "the details of each packet"},
    {'O', NULL, "<protocols>", take_protocols,
     "details of these protocols only, with commas between"},
    {'P', "print", NULL, take_summary, "the summary line, also with -w, -V or -x"},
    {'S', NULL, "<separator>", take_separator, "line between packets"},
    {'x', NULL, NULL, take_hex, "the bytes of each packet"},
    {'\0', "hexdump", "<option>", take_hexdump,
     "the same: all, frames, ascii, delimit, noascii; help tells more"},
    {'T', NULL, "<format>", take_printer,
     "text, tabs, fields, psml, pdml, json, jsonraw, ek, jsonl (default: text)"},
    {'j', NULL, "<protocols>", take_kept,
     "with -T json, ek, pdml, jsonl: only what is in these, with spaces between"},
    {'J', NULL, "<protocols>", take_kept, "the same, and all that is below them"},
    {'\0', "no-duplicate-keys", NULL, take_unique_keys,
     "with -T json: items of one name become an array"},
    {'\0', "color", NULL, take_color, "colour the lines, where the terminal has all colours"},
    {'e', NULL, "<field>", take_field,
     "field to print, with -T fields, json, ek, pdml; also _ws.col.Info"},
    {'E', NULL, "<option>=<value>", take_field_option,
     "header=y separator=/t occurrence=a aggregator=, quote=n bom=n"},
    {'t', NULL, "a|ad|adoy|d|dd|e|r|u|ud|udoy", take_time_format, "form of times (default: r)"},
    {'u', NULL, "s|hms", take_seconds, "form of spans of time"},
    {'l', NULL, NULL, take_line_buffered, "hand on the output after each packet"},
    {'q', NULL, NULL, take_quiet, "don't print packets"},
    {'Q', NULL, NULL, take_quiet, "nor anything but errors"},
    {'z', NULL, "<statistic>", take_statistic,
     "conv,tcp  io,stat,1  follow,tls,ascii,0 ... -z help lists them"},
    {'\0', "export-tls-session-keys", "<file>", take_export_keys,
     "write the keys of the sessions seen to a key log"},
    HEADING_ROW("Miscellaneous"),
    {'C', NULL, "<profile>", take_profile, "take the preferences of this profile; see tlswire(1)"},
    {'\0', "log-level", "<level>", take_log_level,
     "critical, error, warning or message: all is said"},
    {'G', NULL, "<report>", take_glossary,
     "print what is known: fields, protocols, values, currentprefs …; -G help lists them"},
    {'\0', "elastic-mapping-filter", "<protocols>", take_elastic_filter,
     "with -G elastic-mapping: only these, with commas between"},
    {'h', "help", NULL, take_help, "print this and exit"},
    {'v', "version", NULL, take_help, "print the version and exit"},
    NEVER('K', NULL, "",
          "Kerberos is not decrypted here; keys of TLS come with -o tls.keylog_file:FILE"),
    NEVER('U', NULL, "", "PDUs are not exported; -V, -x and -z follow show what was decrypted"),
    NEVER('X', NULL, "", "there is no Lua, and the format of a file is known by its bytes"),
    NEVER('\0', "export-objects", "",
          "what TLS carries is not taken apart; -z follow,tls shows it"),
    NEVER('\0', "log-debug", "", NO_LOG),
    NEVER('\0', "log-domains", "", NO_LOG),
    NEVER('\0', "log-fatal", "", NO_LOG),
    NEVER('\0', "log-file", "", NO_LOG),
    NEVER('\0', "log-noisy", "", NO_LOG),
    {0},
};
/* clang-format on */
