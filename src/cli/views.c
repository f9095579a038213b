#include "cli/views.h"

#include "cli/common.h"
#include "cli/reading.h"

int view_render(const struct view_request *request, struct error *error)
{
    struct reading reading = {.file = request->capture_path,
                              .keylog_file = request->keylog_path,
                              .printer = printer_find("text"),
                              .tls_ports = &request->tls_port,
                              .tls_port_count = 1,
                              .out = request->out};
    reading.print = (struct print_options){.time_decimals = TIME_DECIMALS_AUTO,
                                           .capture_name = request->capture_path,
                                           .terminal = true};
    reading.print.hex = request->view == VIEW_HEX;
    reading.print.tree = request->view == VIEW_VERBOSE;
    reading.print.summary = !reading.print.hex && !reading.print.tree;
    return reading_run(&reading, error);
}
