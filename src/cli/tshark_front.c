#include "cli/tshark_front.h"

#include "capture/live.h"
#include "cli/common.h"
#include "cli/glossary.h"
#include "cli/help.h"
#include "cli/nearest.h"
#include "cli/tshark_options.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MAX_ROWS   128
#define LONG_FIRST 256 /* what getopt_long() returns for the row of that index */

/* The table in the two forms that getopt_long() wants. */
struct parser {
    char letters[2 * MAX_ROWS + 3];
    struct option names[MAX_ROWS + 1];
};

static bool is_end(const struct option_row *row)
{
    return !row->letter && !row->name && !row->help;
}

static void make_parser(struct parser *p)
{
    size_t letters = 0, names = 0;
    *p = (struct parser){0};
    p->letters[letters++] = '+'; /* the first word that is no option ends them */
    p->letters[letters++] = ':'; /* we tell of errors ourselves */
    for (int i = 0; i < MAX_ROWS && !is_end(&tshark_options[i]); i++) {
        const struct option_row *row = &tshark_options[i];
        if (row->letter) {
            p->letters[letters++] = row->letter;
            if (row->argument)
                p->letters[letters++] = ':';
        }
        if (row->name)
            p->names[names++] = (struct option){
                row->name, row->argument ? required_argument : no_argument, NULL, LONG_FIRST + i};
    }
}

static const struct option_row *row_of(int option)
{
    if (option >= LONG_FIRST)
        return &tshark_options[option - LONG_FIRST];
    for (const struct option_row *row = tshark_options; !is_end(row); row++)
        if (row->letter && row->letter == option)
            return row;
    return NULL;
}

static bool unknown_option(struct front *f, const char *text)
{
    char word[64] = "";
    size_t len = strcspn(text, "=");
    memcpy(word, text, len < sizeof word ? len : sizeof word - 1);
    struct nearest near = {.wanted = word};
    for (const struct option_row *row = tshark_options; !is_end(row); row++)
        if (row->name && strlen(word) > 2)
            nearest_offer(&near, row->name);
    if (near.best)
        return front_refuse(f, "unrecognized option: %s; did you mean --%s?", front_shown(f, word),
                            near.best);
    return front_refuse(f, "unrecognized option: %s; tlswire -h lists them", front_shown(f, word));
}

static bool take_option(struct front *f, int option, char **argv)
{
    char letter[2] = {(char)optopt, '\0'};
    if (option == '?' || option == ':') {
        const char *word = optopt > 0 && optopt < LONG_FIRST ? letter : argv[optind - 1];
        word += strspn(word, "-");
        if (option == '?')
            return unknown_option(f, word);
        if (optopt == 'G') { /* alone, the list of fields is meant */
            f->task = TASK_GLOSSARY;
            f->glossary = "fields";
            return true;
        }
        if (optopt == 'F') {
            front_list_formats(f);
            return false;
        }
        return front_refuse(f, "option requires an argument: %s; see tlswire -h",
                            front_shown(f, word));
    }
    const struct option_row *row = row_of(option);
    if (!row)
        return unknown_option(f, "");
    if (row->take)
        return row->take(f, row, optarg);
    letter[0] = row->letter;
    if (row->help)
        return front_refuse(f, "the option %s%s is not there: %s", option < LONG_FIRST ? "-" : "--",
                            option < LONG_FIRST ? letter : row->name, row->help);
    return front_refuse(f, "the option %s%s is not there yet; tlswire -h lists those that are",
                        option < LONG_FIRST ? "-" : "--", option < LONG_FIRST ? letter : row->name);
}

/* ---- what the options come to together
 * -------------------------------------------------------------- */

static bool refuse_fields(struct front *f)
{
    struct buf text = {.ceiling = sizeof f->error.text - 1};
    buf_str(&text, "Some fields aren't valid:");
    for (size_t i = f->bad_field_count; i-- > 0;) {
        const char *near = nearest_field(f->bad_fields[i]);
        buf_str(&text, "\n\t");
        buf_str(&text, front_shown(f, f->bad_fields[i]));
        if (near) {
            buf_str(&text, " (did you mean ");
            buf_str(&text, near);
            buf_str(&text, "?)");
        }
    }
    front_refuse(f, "%.*s", (int)text.len, text.data ? (const char *)text.data : "");
    buf_free(&text);
    return false;
}

static bool check_format(struct front *f)
{
    const struct reading *r = &f->reading;
    bool has_fields = field_list_count(r->print.list) > 0;
    const char *name = r->printer->name;
    /* The form is tlswire's own: nothing is left out for tshark's sake. */
    f->reading.print.more |= strcmp(name, "jsonl") == 0;
    bool wants_fields = strcmp(name, "fields") == 0, text = printer_is_text(r->printer);
    bool json = strncmp(name, "json", 4) == 0 && strcmp(name, "jsonl") != 0;
    bool takes_fields = wants_fields || strcmp(name, "json") == 0 || strcmp(name, "ek") == 0 ||
                        strcmp(name, "pdml") == 0 || strcmp(name, "psml") == 0 ||
                        strcmp(name, "jsonl") == 0;
    if (wants_fields && !has_fields)
        return front_refuse(
            f, "\"-Tfields\" was specified, but no fields were specified with \"-e\".");
    if (has_fields && !takes_fields)
        return front_refuse(f, "Output fields were specified with \"-e\", but \"-Tek, -Tfields, "
                               "-Tjson or -Tpdml\" was not specified.");
    if (r->print.expanded && strcmp(name, "psml") == 0)
        return front_refuse(f, "-O requires -V");
    if (r->print.unique_keys && !json)
        return front_refuse(
            f, "--no-duplicate-keys can only be used with \"-T json\" and \"-T jsonraw\"");
    if (r->print.hex && !text && !json && strcmp(name, "ek") != 0 && strcmp(name, "jsonl") != 0)
        return front_refuse(f, "Raw packet hex data can only be printed as text, PostScript, JSON, "
                               "JSONRAW or EK JSON");
    return true;
}

/* Names go into copies of captures only. */
static bool check_write_names(struct front *f)
{
    struct reading *r = &f->reading;
    r->write_names &= r->write_file && r->file && r->format == WRITE_PCAPNG;
    if (!f->wants_names || !r->write_file || r->write_names)
        return true;
    if (r->format != WRITE_PCAPNG)
        return front_refuse(
            f, "The file format \"%s\" doesn't support name resolution information.", "pcap");
    return front_refuse(f, "-W n: names are written into the copy of a capture file (-r)");
}

static bool check(struct front *f)
{
    const struct reading *r = &f->reading;
    if (f->bad_field_count < FRONT_BAD_FIELDS && field_list_stray_column(&r->print))
        f->bad_fields[f->bad_field_count++] = field_list_stray_column(&r->print);
    if (f->bad_field_count > 0)
        return refuse_fields(f);
    if (r->read_filter && !r->two_pass)
        return front_refuse(f, "-R without -2 is deprecated. For single-pass filtering use -Y.");
    if (!r->file && r->two_pass)
        return front_refuse(f, "Live captures do not support two-pass analysis.");
    if (r->reset_after > 0 && r->two_pass)
        return front_refuse(f, "-M does not support two-pass analysis.");
    if (!front_check_capture(f) || !check_write_names(f))
        return false;
    if (r->write_file && strcmp(r->write_file, "-") == 0 && f->printing)
        return front_refuse(f, "You can't write both raw packet data and dissected packets to the "
                               "standard output.");
    return check_format(f);
}

/* The words after the options are a filter: for the display of a file, for a capture else. */
static bool take_filter(struct front *f, struct buf *joined, char **words)
{
    for (size_t i = 0; words[i]; i++) {
        if (i > 0)
            buf_char(joined, ' ');
        buf_str(joined, words[i]);
    }
    if (joined->len == 0)
        return true;
    buf_char(joined, '\0');
    const char **filter = f->reading.file ? &f->reading.display_filter : &f->usual.filter;
    bool given = *filter != NULL;
    for (size_t i = 0; !f->reading.file && i < f->reading.input_count; i++)
        given |= f->reading.inputs[i].filter != NULL;
    if (given)
        return front_refuse(f, f->reading.file
                                   ? "Display filters were specified both with \"-Y\" and with "
                                     "additional command-line arguments."
                                   : "A capture filter was specified both with \"-f\" and with "
                                     "additional command-line arguments.");
    *filter = (const char *)joined->data;
    for (size_t i = 0; !f->reading.file && i < f->reading.input_count; i++)
        f->reading.inputs[i].filter = *filter;
    return !joined->failed || error_set(&f->error, ERROR_MEMORY, "out of memory");
}

/* ---- what is done
 * ------------------------------------------------------------------------------------ */

static int list_interfaces(struct front *f)
{
    struct buf out = {0};
    if (!live_list(&out, &f->error))
        return READING_REFUSED;
    bool good = fwrite(out.data, 1, out.len, stdout) == out.len && fflush(stdout) == 0;
    buf_free(&out);
    return good ? READING_OK : READING_FAILED;
}

static int list_of_interface(struct front *f, bool links)
{
    struct buf out = {0};
    struct live_options options = {0};
    const struct capture_input *in = f->reading.input_count > 0 ? f->reading.inputs : &f->usual;
    if (f->reading.file) {
        front_refuse(f, "You can't specify %s and a capture file to be read.",
                     links ? "-L" : "--list-time-stamp-types");
        return READING_REFUSED;
    }
    options.interface = in->interface;
    options.monitor = in->monitor;
    if (!(links ? live_list_link_types : live_list_time_types)(&options, &out, &f->error)) {
        buf_free(&out);
        return READING_FAILED;
    }
    bool good = fwrite(out.data, 1, out.len, stdout) == out.len && fflush(stdout) == 0;
    buf_free(&out);
    return good ? READING_OK : READING_FAILED;
}

/* What is to stand behind the Info column needs that column. */
static bool check_info_tail(struct front *f)
{
    const struct reading *r = &f->reading;
    bool quiet = !f->printing && (r->write_file || f->quiet);
    bool shown = (r->print.summary && !quiet) || field_list_has_columns(&r->print) ||
                 (r->stats && stats_shows_columns(r->stats));
    if (!r->stats || !stats_info_tail(r->stats) || shown)
        return true;
    return front_refuse(
        f, "the proto,colinfo tap doesn't work if the INFO column isn't being printed.");
}

static int read_packets(struct front *f)
{
    struct reading *r = &f->reading;
    struct timespec now;
    if (!check(f) || !key_options_load(&f->keys, &f->error))
        return READING_REFUSED;
    r->ring = f->keys.ring;
    r->names = &f->names;
    r->print.known_names = &f->names;
    r->print.names = r->lower.names = f->shows_names ? &f->names : NULL;
    r->print.makers = r->lower.makers = f->shows_makers;
    if (strcmp(r->printer->name, "ek") == 0)
        r->print.tree |= !f->summary;
    r->print.summary = f->summary || (!r->print.tree && !r->print.hex);
    if (r->stats && !stats_open(r->stats, &r->print, &f->error))
        return READING_REFUSED;
    if (!check_info_tail(f))
        return READING_REFUSED;
    r->print.info_tail = r->stats ? stats_info_tail(r->stats) : NULL;
    r->no_output = !f->printing && (r->write_file || f->quiet);
    r->quiet = f->quiet;
    r->print.capture_name = r->file ? r->file : "";
    r->print.terminal = isatty(STDOUT_FILENO);
    clock_gettime(CLOCK_REALTIME, &now);
    r->print.started_ns = now.tv_sec * 1000000000 + now.tv_nsec;
    return reading_run(r, &f->error);
}

static int run(struct front *f)
{
    switch (f->task) {
    case TASK_HELP:
        return help_print(stdout);
    case TASK_VERSION:
        return help_version(stdout);
    case TASK_INTERFACES:
        return list_interfaces(f);
    case TASK_LINK_TYPES:
    case TASK_TIME_TYPES:
        return list_of_interface(f, f->task == TASK_LINK_TYPES);
    case TASK_GLOSSARY:
        return glossary_print(stdout, f->glossary, f, &f->error);
    case TASK_HEXDUMP:
        return help_hexdump(stdout);
    case TASK_STATISTICS:
        fputs("tlswire: The available statistics for the \"-z\" option are:\n", stderr);
        return help_statistics(stderr);
    case TASK_READ:
        break;
    }
    return read_packets(f);
}

/* tlswire read: the file, which is made into packets unless it is a capture. */
static bool open_material(struct front *f)
{
    struct reading *r = &f->reading;
    bool two = f->material == MATERIAL_RECORDS;
    if (r->file || r->input_count > 0)
        return front_refuse(f, "tlswire read takes the file without -r, and captures from nowhere");
    if (f->file_count == 0)
        return front_refuse(f, "tlswire read: name a file, or - for standard input");
    if (f->file_count > 1 && !two)
        return front_refuse(f, "tlswire read: one file at a time; two are the client's and the "
                               "server's --raw-records");
    r->file = f->files[0];
    r->made =
        material_open(f->files[0], f->file_count > 1 ? f->files[1] : NULL, f->material, &f->error);
    if (r->made && r->write_file && r->format == WRITE_PCAPNG && !r->comments[0])
        r->comments[0] =
            "The packets around the TLS bytes are made up: the bytes came without any.";
    return f->error.code == ERROR_NONE;
}

/* A word that is no option. */
static bool take_word(struct front *f, const char *word)
{
    if (f->file_count == sizeof f->files / sizeof f->files[0])
        return front_refuse(f, "tlswire read: more than two files");
    f->files[f->file_count++] = word;
    return true;
}

static int parse_and_run(struct front *f, int argc, char **argv)
{
    struct parser parser;
    struct buf filter = {0};
    bool good = true;
    int option;
    make_parser(&parser);
    if (f->reads)
        parser.letters[0] = '-'; /* words between the options are handed out as option 1 */
    opterr = 0;
    while (good && f->task != TASK_HELP &&
           (option = getopt_long(argc, argv, parser.letters, parser.names, NULL)) != -1)
        good = option == 1 ? take_word(f, optarg) : take_option(f, option, argv);
    bool read = f->task == TASK_READ;
    int status = READING_REFUSED;
    for (int i = optind; good && f->reads && i < argc; i++)
        good = take_word(f, argv[i]);
    if (good && f->reads && read && !open_material(f))
        status = f->error.code == ERROR_USAGE ? READING_REFUSED : READING_FAILED;
    else if (good && (f->reads || !read || take_filter(f, &filter, argv + optind)))
        status = run(f);
    made_free(f->reading.made);
    buf_free(&filter);
    if (f->error.code != ERROR_NONE)
        status = common_fail(&f->error, status);
    if (f->lists_statistics)
        (void)help_statistics(stderr);
    return status;
}

static int front(int argc, char **argv, bool reads, enum material_kind kind)
{
    struct front *f = calloc(1, sizeof *f);
    int status = READING_FAILED;
    if (!f)
        return status;
    f->reads = reads;
    f->material = kind;
    f->reading.out = stdout;
    f->reading.ports = &f->ports;
    f->reading.printer = printer_find("text");
    f->shows_makers = true;
    f->reading.print.time_decimals = TIME_DECIMALS_AUTO;
    f->reading.print.list = field_list_new();
    if (f->reading.print.list)
        status = parse_and_run(f, argc, argv);
    field_list_free(f->reading.print.list);
    column_list_free(f->columns);
    for (size_t i = 0; i < f->kept_count; i++)
        free(f->kept[i]);
    key_options_free(&f->keys);
    names_free(&f->names);
    stats_free(f->reading.stats);
    free(f);
    return status;
}

int tshark_front(int argc, char **argv)
{
    return front(argc, argv, false, MATERIAL_ANY);
}

int tshark_front_read(int argc, char **argv, enum material_kind kind)
{
    return front(argc, argv, true, kind);
}
