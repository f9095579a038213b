/* One reading of packets: from a file or an interface, through the engine, the filter and a
 * printer. */
#ifndef TLSWIRE_CLI_READING_H
#define TLSWIRE_CLI_READING_H

#include "base/error.h"
#include "capture/writer.h"
#include "dissect/lower.h"
#include "print/print.h"

#include <stdio.h>

/* Exit statuses of tshark. */
enum reading_status {
    READING_OK = 0,
    READING_REFUSED = 1, /* what was asked for cannot be done: options, interfaces */
    READING_FAILED = 2,  /* a file cannot be read or written, a filter is wrong */
};

struct reading {
    const char *file;           /* -r; NULL: capture from `interface` */
    const char *interface;      /* -i; NULL: the default one */
    const char *capture_filter; /* -f */
    const char *display_filter; /* -Y; NULL: all */
    const char *write_file;     /* -w */
    enum writer_format format;  /* -F */
    const char *keylog_file;    /* -o tls.keylog_file: */
    const struct printer *printer;
    struct print_options print;
    struct lower_options lower;
    struct tcp_options tcp;
    const uint16_t *tls_ports;
    size_t tls_port_count;
    uint64_t packet_limit; /* -c: packets read, shown or not; 0: none */
    double duration;       /* -a duration:; seconds, negative or 0: none */
    uint32_t snaplen;      /* -s; 0: all */
    uint32_t buffer_bytes; /* -B; 0: the usual */
    bool no_promiscuous;   /* -p */
    bool monitor;          /* -I */
    bool line_buffered;    /* -l */
    bool silent;           /* -Q: only errors on stderr */
    bool no_output;        /* -w without -P, or -q: packets are not printed */
    FILE *out;
};

/* Runs it to its end; the exit status (enum reading_status).  The error is set unless that is 0, or
 * the reader of the output went away, which is nothing to tell anybody. */
int reading_run(const struct reading *, struct error *);

#endif
