/* One reading of packets: from a file or an interface, through the engine, the filter and a printer. */
#ifndef TLSWIRE_CLI_READING_H
#define TLSWIRE_CLI_READING_H

#include "base/error.h"
#include "print/print.h"

#include <stdio.h>

struct reading {
    const char *file;            /* -r; NULL: capture from `interface` */
    const char *interface;       /* -i; NULL: the default one */
    const char *capture_filter;  /* -f */
    const char *display_filter;  /* -Y; NULL: all */
    const char *write_file;      /* -w */
    const char *keylog_file;     /* -o tls.keylog_file: */
    const struct printer *printer;
    struct print_options print;
    const uint16_t *tls_ports;
    size_t tls_port_count;
    uint64_t packet_limit;       /* -c; 0: none */
    double duration;             /* -a duration:; seconds, 0: none */
    bool line_buffered;          /* -l */
    bool quiet;                  /* -q: no count of packets on stderr */
    bool no_output;              /* -w without -P, or -q: packets are not printed */
    FILE *out;
};

/* Runs it to its end; the exit status, with the error set unless that is 0. */
int reading_run(const struct reading *, struct error *);

#endif
