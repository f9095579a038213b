#include "cli/views.h"

#include "cli/common.h"
#include "cli/reading.h"
#include "print/ladder.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Columns of the terminal that OUT goes to. */
static unsigned width_of(FILE *out)
{
    struct winsize size;
    if (!isatty(fileno(out)) || ioctl(fileno(out), TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return LADDER_WIDTH;
    return size.ws_col;
}

/* Where the locale's letters are two columns wide, terminals draw arrows and lines as wide as
 * letters or half as wide, as they please: ASCII is safe. */
static bool has_wide_lines(void)
{
    const char *names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *locale = getenv(names[i]);
        if (locale && *locale)
            return strncmp(locale, "ja", 2) == 0 || strncmp(locale, "ko", 2) == 0 ||
                   strncmp(locale, "zh", 2) == 0;
    }
    return false;
}

static int run(struct reading *reading, const struct view_request *request, struct error *error)
{
    struct ladder_options options = {
        .width = width_of(request->out),
        .ascii = request->ascii || has_wide_lines(),
        .color = request->color,
        .keys_from = request->keys_from,
        .tls_port = request->tls_port,
    };
    if (request->view != VIEW_LADDER)
        return reading_run(reading, error);
    reading->printer = &ladder_printer;
    reading->print.ladder = ladder_new(&options);
    if (!reading->print.ladder) {
        error_set(error, ERROR_MEMORY, "out of memory");
        return READING_FAILED;
    }
    int status = reading_run(reading, error);
    ladder_free(reading->print.ladder);
    return status;
}

int view_render(const struct view_request *request, struct error *error)
{
    struct tls_ports ports = {0};
    ports.says[request->tls_port] = TLS_PORT_YES;
    struct reading reading = {.file = request->capture_path,
                              .keylog_files = {request->keylog_path},
                              .keylog_count = request->keylog_path ? 1 : 0,
                              .printer = printer_find("text"),
                              .ports = &ports,
                              .out = request->out};
    reading.print = (struct print_options){.time_decimals = TIME_DECIMALS_AUTO,
                                           .capture_name = request->capture_path,
                                           .terminal = true};
    /* As in the note: only TLS, but for the view that is all of TCP. */
    if (request->view != VIEW_TCP && request->view != VIEW_LADDER)
        reading.display_filter = "tls";
    reading.print.hex = request->view == VIEW_HEX;
    reading.print.tree = request->view == VIEW_VERBOSE;
    reading.print.summary = !reading.print.hex && !reading.print.tree;
    return run(&reading, request, error);
}
