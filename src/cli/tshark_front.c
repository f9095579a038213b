#include "cli/tshark_front.h"

#include "capture/live.h"
#include "cli/common.h"
#include "cli/reading.h"
#include "schema/schema.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MAX_PORTS 256

struct front {
    struct reading reading;
    uint16_t ports[MAX_PORTS];
    uint8_t expanded[FIELD_COUNT];
    bool summary, list_interfaces;
    struct error error;
};

#define usage(f, ...) error_set(&(f)->error, ERROR_USAGE, __VA_ARGS__)

/* tcp.port==4433,tls */
static bool decode_as(struct front *f, const char *text)
{
    const char *layer = "tcp.port==";
    char *end = NULL;
    unsigned long port =
        strncmp(text, layer, strlen(layer)) == 0 ? strtoul(text + strlen(layer), &end, 0) : 65536;
    if (!end || port > 65535 || *end != ',')
        return usage(f, "-d %s: only \"tcp.port==<port>,tls\" is understood", text);
    if (strcmp(end + 1, "tls") != 0 && strcmp(end + 1, "ssl") != 0)
        return usage(f, "-d %s: the protocol must be tls (or ssl)", text);
    if (f->reading.tls_port_count == MAX_PORTS)
        return usage(f, "-d %s: too many of them", text);
    f->ports[f->reading.tls_port_count++] = (uint16_t)port;
    return true;
}

static bool preference(struct front *f, const char *text)
{
    static const char *const accepted[] = {
        "tcp.reassemble_out_of_order:TRUE", "tcp.desegment_tcp_streams:TRUE",
        "tls.desegment_ssl_records:TRUE", "tls.desegment_ssl_application_data:TRUE"};
    const char *keys[] = {"tls.keylog_file:", "ssl.keylog_file:"};
    for (size_t i = 0; i < 2; i++)
        if (strncmp(text, keys[i], strlen(keys[i])) == 0) {
            f->reading.keylog_file = text + strlen(keys[i]);
            return true;
        }
    for (size_t i = 0; i < sizeof accepted / sizeof accepted[0]; i++)
        if (strcasecmp(text, accepted[i]) == 0)
            return true;
    return usage(f, "-o %s: this preference is not supported yet", text);
}

static bool only_protocols(struct front *f, char *list)
{
    char *rest = list;
    for (char *name; (name = strsep(&rest, ",")) != NULL;) {
        enum field_id id = field_find(name, strlen(name));
        if (id == F_NONE || fields[id].type != TYPE_PROTOCOL)
            return usage(f, "-O: \"%s\" is not a protocol that is dissected here", name);
        f->expanded[id] = 1;
    }
    f->reading.print.expanded = f->expanded;
    f->reading.print.tree = true;
    return true;
}

static bool choose_printer(struct front *f, const char *name)
{
    f->reading.printer = printer_find(name);
    if (f->reading.printer)
        return true;
    return usage(f, "-T %s: not a format that is there yet; there are text, fields and pdml", name);
}

static bool stop_at(struct front *f, const char *text)
{
    char *end = NULL;
    if (strncmp(text, "duration:", 9) == 0) {
        f->reading.duration = strtod(text + 9, &end);
        if (end != text + 9 && *end == '\0' && f->reading.duration > 0)
            return true;
    }
    return usage(f, "-a %s: only \"duration:<seconds>\" is there yet", text);
}

static bool count(struct front *f, const char *text)
{
    char *end = NULL;
    f->reading.packet_limit = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || f->reading.packet_limit == 0)
        return usage(f, "-c %s: a number of packets above 0 is wanted", text);
    return true;
}

static bool take_option(struct front *f, int option, char *argument)
{
    struct reading *r = &f->reading;
    switch (option) {
    case 'i':
        r->interface = argument;
        return true;
    case 'f':
        r->capture_filter = argument;
        return true;
    case 'r':
        r->file = argument;
        return true;
    case 'w':
        r->write_file = argument;
        return true;
    case 'Y':
        r->display_filter = argument;
        return true;
    case 'c':
        return count(f, argument);
    case 'a':
        return stop_at(f, argument);
    case 'd':
        return decode_as(f, argument);
    case 'V':
        r->print.tree = true;
        return true;
    case 'x':
        r->print.hex = true;
        return true;
    case 'O':
        return only_protocols(f, argument);
    case 'P':
        f->summary = true;
        return true;
    case 'n':
        return true; /* names are never resolved */
    case 't':
        return print_time_option(&r->print, argument) ||
               usage(f, "-t %s: the formats are a, ad, adoy, d, dd, e, r, u, ud, udoy", argument);
    case 'T':
        return choose_printer(f, argument);
    case 'e':
        return field_list_add(r->print.list, argument) ||
               usage(f, "Some fields aren't valid:\n\t%s", argument);
    case 'E':
        return field_list_option(r->print.list, argument) ||
               usage(f, "-E %s: not an option that is known", argument);
    case 'o':
        return preference(f, argument);
    case 'l':
        r->line_buffered = true;
        return true;
    case 'q':
        r->quiet = true;
        return true;
    case 'D':
        f->list_interfaces = true;
        return true;
    default:
        return false;
    }
}

static int list_interfaces(struct front *f)
{
    struct buf out = {0};
    if (!live_list(&out, &f->error))
        return common_fail(&f->error, EXIT_RUNTIME);
    fwrite(out.data, 1, out.len, stdout);
    buf_free(&out);
    return EXIT_OK;
}

static int run(struct front *f)
{
    struct reading *r = &f->reading;
    if (f->list_interfaces)
        return list_interfaces(f);
    r->print.summary = f->summary || (!r->print.tree && !r->print.hex);
    r->no_output =
        (r->write_file && !f->summary && !r->print.tree && !r->print.hex) || (r->quiet && r->file);
    r->print.capture_name = r->file ? r->file : "";
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    r->print.started_ns = now.tv_sec * 1000000000 + now.tv_nsec;
    int status = reading_run(r, &f->error);
    return f->error.code == ERROR_NONE ? status : common_fail(&f->error, status);
}

int tshark_front(int argc, char **argv)
{
    struct front *f = calloc(1, sizeof *f);
    if (!f)
        return EXIT_RUNTIME;
    f->reading.out = stdout;
    f->reading.tls_ports = f->ports;
    f->reading.printer = printer_find("text");
    f->reading.print.time_decimals = TIME_DECIMALS_AUTO;
    f->reading.print.list = field_list_new();
    bool good = f->reading.print.list != NULL;
    opterr = 0;
    for (int option;
         good && (option = getopt(argc, argv, "+:i:f:r:w:Y:c:a:d:VxO:Pnt:T:e:E:o:lqD")) != -1;) {
        char letter[3] = {'-', (char)optopt, '\0'};
        if (option == '?')
            good = usage(f, "the option %s is not there yet; see tlswire --help", letter);
        else if (option == ':')
            good = usage(f, "the option %s needs an argument", letter);
        else
            good = take_option(f, option, optarg);
    }
    if (good && optind < argc)
        good = usage(f, "\"%s\" is neither a subcommand nor an option; see tlswire --help",
                     argv[optind]);
    int status = good ? run(f) : common_fail(&f->error, EXIT_RUNTIME);
    field_list_free(f->reading.print.list);
    free(f);
    return status;
}
