/* tshark's options for capturing: from where, until when, into which files. */
#include "capture/live.h"
#include "cli/common.h"
#include "cli/tshark_options.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- interfaces ---- */

/* What an option for an interface is said of: the last -i, or all that follow when there is none. */
static struct capture_input *current(struct front *f)
{
    size_t count = f->reading.input_count;
    return count > 0 ? &f->reading.inputs[count - 1] : &f->usual;
}

bool take_interface(struct front *f, const struct option_row *row, const char *argument)
{
    (void)row;
    struct reading *r = &f->reading;
    if (r->input_count == READING_INPUTS)
        return front_refuse(f, "More than %d interfaces; -i any sees all", READING_INPUTS);
    if (*argument == '\0')
        return front_refuse(f, "There is no interface with that adapter index");
    r->inputs[r->input_count] = f->usual;
    r->inputs[r->input_count++].interface = argument;
    return true;
}

bool take_capture_filter(struct front *f, const struct option_row *row, const char *argument)
{
    (void)row;
    current(f)->filter = argument;
    return true;
}

bool take_no_promiscuous(struct front *f, const struct option_row *row, const char *argument)
{
    (void)row, (void)argument;
    current(f)->no_promiscuous = true;
    return true;
}

bool take_monitor(struct front *f, const struct option_row *row, const char *argument)
{
    (void)row, (void)argument;
    current(f)->monitor = true;
    return true;
}

bool take_snaplen(struct front *f, const struct option_row *row, const char *argument)
{
    (void)row;
    uint64_t value = 0;
    if (strcmp(argument, "0") != 0 &&
        !front_positive(f, "snapshot length", argument, INT32_MAX, &value))
        return false;
    current(f)->snaplen = (uint32_t)value;
    return true;
}

bool take_buffer(struct front *f, const struct option_row *row, const char *argument)
{
    (void)row;
    uint64_t mebibytes = 0;
    if (!front_positive(f, "buffer size", argument, 2047, &mebibytes))
        return false;
    current(f)->buffer_bytes = (uint32_t)mebibytes << 20;
    return true;
}

bool take_link_type(struct front *f, const struct option_row *row, const char *argument)
{
    (void)row;
    current(f)->link_type = argument;
    return live_knows_link_type(argument) ||
           front_refuse(f, "The specified data link type \"%s\" isn't valid",
                        front_shown(f, argument));
}

bool take_time_type(struct front *f, const struct option_row *row, const char *argument)
{
    (void)row;
    current(f)->time_type = argument;
    return live_knows_time_type(argument) ||
           front_refuse(f,
                        "Invalid argument to option: --time-stamp-type=%s\n"
                        "  tlswire --list-time-stamp-types lists those of an interface",
                        front_shown(f, argument));
}

/* ---- when to stop, when to change the file ---- */

/* Seconds, also parts of one.  False with the error when it is no such number. */
static bool seconds(struct front *f, const char *what, const char *argument, double *value)
{
    char *end = NULL;
    *value = strtod(argument, &end);
    if (*value < 0)
        return front_refuse(f, "The specified %s \"%s\" is a negative number", what,
                            front_shown(f, argument));
    return (end != argument && *end == '\0' && *value < 1e9) ||
           front_refuse(f, "The specified %s \"%s\" isn't a number of seconds", what,
                        front_shown(f, argument));
}

/* What stands behind NAME in "NAME:value"; NULL when it is another name. */
static const char *value_of(const char *argument, const char *name)
{
    size_t len = strlen(name);
    return strncmp(argument, name, len) == 0 && argument[len] == ':' ? argument + len + 1 : NULL;
}

static bool take_size(struct front *f, const char *what, const char *argument, uint64_t *bytes)
{
    uint64_t kilobytes = 0;
    if (!front_positive(f, what, argument, UINT32_MAX, &kilobytes))
        return false;
    *bytes = kilobytes * 1000;
    return true;
}

static bool take_number(struct front *f, const char *what, const char *argument, uint32_t *number)
{
    uint64_t value = 0;
    if (!front_positive(f, what, argument, INT32_MAX, &value))
        return false;
    *number = (uint32_t)value;
    return true;
}

bool take_stop(struct front *f, const struct option_row *row, const char *argument)
{
    (void)row;
    struct file_rules *stop = &f->reading.stop;
    const char *value;
    if ((value = value_of(argument, "packets")))
        return front_positive(f, "packet write count", value, INT32_MAX, &f->reading.packet_limit);
    if ((value = value_of(argument, "filesize")))
        return take_size(f, "autostop filesize", value, &stop->bytes);
    if ((value = value_of(argument, "files")))
        return take_number(f, "autostop files", value, &stop->files);
    if (!(value = value_of(argument, "duration")))
        return front_refuse(f,
                            "Invalid or unknown -a flag \"%s\"\n"
                            "  there are duration:N, filesize:N, files:N and packets:N",
                            front_shown(f, argument));
    f->stops_by_time = true;
    return seconds(f, "autostop duration", value, &stop->seconds);
}

/* The most files that a ring may keep. */
#define RING_FILES 65536

bool take_change(struct front *f, const struct option_row *row, const char *argument)
{
    (void)row;
    struct reading *r = &f->reading;
    struct file_rules *change = &r->change;
    const char *value;
    r->many_files = true;
    if ((value = value_of(argument, "duration")))
        return seconds(f, "ring buffer duration", value, &change->seconds);
    if ((value = value_of(argument, "interval")))
        return front_positive(f, "ring buffer interval", value, INT32_MAX, &change->interval);
    if ((value = value_of(argument, "filesize")))
        return take_size(f, "ring buffer filesize", value, &change->bytes);
    if ((value = value_of(argument, "packets")))
        return front_positive(f, "ring buffer packet count", value, INT32_MAX, &change->packets);
    if ((value = value_of(argument, "files")))
        return take_number(f, "number of ring buffer files", value, &change->files) &&
               (change->files <= RING_FILES ||
                front_refuse(
                    f, "The specified number of ring buffer files is too large (greater than %d)",
                    RING_FILES));
    if ((value = value_of(argument, "printname"))) {
        r->print_names = value;
        return true;
    }
    if ((value = value_of(argument, "nametimenum"))) {
        uint64_t order = 0;
        bool good = front_positive(f, "ring buffer nametimenum", value, 2, &order);
        r->time_first = order == 2;
        return good;
    }
    return front_refuse(f,
                        "Invalid or unknown -b arg \"%s\"\n"
                        "  there are duration:N, interval:N, filesize:N, packets:N, files:N, "
                        "printname:FILE and nametimenum:1|2",
                        front_shown(f, argument));
}

/* ---- the file that is written ---- */

bool take_write(struct front *f, const struct option_row *row, const char *argument)
{
    (void)row;
    f->reading.write_file = argument;
    return true;
}

static void list_formats(void)
{
    fputs("tlswire: The available capture file types for the \"-F\" flag are:\n", stderr);
    for (const struct writer_type *type = writer_types; type->name; type++)
        fprintf(stderr, "    %s - %s\n", type->name, type->description);
}

bool take_format(struct front *f, const struct option_row *row, const char *argument)
{
    (void)row;
    for (const struct writer_type *type = writer_types; type->name; type++) {
        if (strcmp(argument, type->name) == 0) {
            f->reading.format = type->format;
            return true;
        }
    }
    if (*argument != '\0')
        fprintf(stderr, "tlswire: \"%s\" isn't a valid capture file type\n",
                front_shown(f, argument));
    list_formats();
    f->told = true;
    return false;
}

void front_list_formats(struct front *f)
{
    fputs("tlswire: option requires an argument: F\n", stderr);
    list_formats();
    f->told = true;
}

bool take_comment(struct front *f, const struct option_row *row, const char *argument)
{
    (void)row;
    for (size_t i = 0; i < WRITER_COMMENTS; i++) {
        if (f->reading.comments[i])
            continue;
        f->reading.comments[i] = argument;
        return true;
    }
    return front_refuse(f, "More than %d capture comments", WRITER_COMMENTS);
}

bool take_group_read(struct front *f, const struct option_row *row, const char *argument)
{
    (void)row, (void)argument;
    f->reading.group_read = true;
    return true;
}

/* Nothing temporary is written, but a folder that is not there is told. */
bool take_folder(struct front *f, const struct option_row *row, const char *argument)
{
    (void)row;
    struct stat status;
    if (stat(argument, &status) != 0)
        return front_refuse(f, "Can't set temporary directory %s: No such file or directory",
                            front_shown(f, argument));
    return S_ISDIR(status.st_mode) ||
           front_refuse(f, "Can't set temporary directory %s: Not a directory",
                        front_shown(f, argument));
}

/* ---- together ---- */

static bool check_comments(struct front *f)
{
    const struct reading *r = &f->reading;
    if (!r->comments[0])
        return true;
    if (!r->write_file)
        return front_refuse(f, r->file
                                   ? "Capture comments were specified, but you aren't writing a "
                                     "capture file."
                                   : "Capture comments were specified, but the capture isn't "
                                     "being saved to a file.");
    if (r->format == WRITE_PCAPNG)
        return true;
    if (!r->file)
        return front_refuse(f, "Capture comments can only be written to a pcapng file.");
    return front_refuse(f, "Capture comments can only be written to files of the following types:\n"
                           "    pcapng - Wireshark/... - pcapng");
}

static bool check_reading(struct front *f)
{
    const struct reading *r = &f->reading;
    if (f->usual.filter)
        return front_refuse(f, "Only read filters, not capture filters, can be specified when "
                               "reading a capture file.");
    if (f->stops_by_time)
        return front_refuse(
            f, "A maximum capture time was specified, but a capture isn't being done.");
    if (r->many_files || r->stop.files > 0)
        return front_refuse(f, "Multiple capture files requested, but a capture isn't being done.");
    if (r->stop.bytes > 0)
        return front_refuse(
            f, "A maximum capture file size was specified, but a capture isn't being done.");
    return check_comments(f);
}

static bool check_files(struct front *f)
{
    const struct reading *r = &f->reading;
    const struct file_rules *change = &r->change;
    bool many = r->many_files || r->stop.files > 0;
    if (!r->write_file && (change->bytes > 0 || r->stop.bytes > 0))
        return front_refuse(
            f, "Maximum capture file size specified, but capture isn't being saved to a file.");
    if (!r->write_file && many)
        return front_refuse(
            f, "Multiple capture files requested, but the capture isn't being saved to a file.");
    if (many && strcmp(r->write_file, "-") == 0)
        return front_refuse(f, "Multiple capture files requested, but the capture is being written "
                               "to the standard output.");
    bool ruled = change->seconds > 0 || change->interval > 0 || change->bytes > 0 ||
                 change->packets > 0 || r->stop.bytes > 0;
    if (many && !ruled)
        return front_refuse(f,
                            "Multiple capture files requested, but no maximum capture file size, "
                            "duration, interval or packets were specified.");
    f->reading.many_files = many;
    return true;
}

bool front_check_capture(struct front *f)
{
    struct reading *r = &f->reading;
    if (r->file)
        return check_reading(f);
    if (r->input_count == 0)
        r->inputs[r->input_count++] = f->usual;
    if (r->write_file && r->display_filter)
        return front_refuse(f, "Display filters aren't supported when capturing and saving the "
                               "captured packets.");
    if (r->write_file && r->format != WRITE_PCAPNG && r->format != WRITE_PCAP)
        return front_refuse(f, "Live captures can only be saved in pcap or pcapng format.");
    return check_files(f) && check_comments(f);
}
