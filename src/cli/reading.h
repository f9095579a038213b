/* One reading of packets: from a file or an interface, through the engine, the filter and a
 * printer. */
#ifndef TLSWIRE_CLI_READING_H
#define TLSWIRE_CLI_READING_H

#include "base/error.h"
#include "capture/made.h"
#include "cli/capture_files.h"
#include "dissect/lower.h"
#include "print/print.h"
#include "stats/stats.h"
#include "stream/tls.h"

#include <stdio.h>

/* Exit statuses of tshark. */
enum reading_status {
    READING_OK = 0,
    READING_REFUSED = 1, /* what was asked for cannot be done: options, interfaces */
    READING_FAILED = 2,  /* a file cannot be read or written, a filter is wrong */
};

/* One interface to capture from, or a pipe that brings a capture. */
struct capture_input {
    const char *interface; /* -i; "-" and paths of pipes too; NULL: the default one */
    const char *filter;    /* -f */
    const char *link_type; /* -y */
    const char *time_type; /* --time-stamp-type */
    uint32_t snaplen;      /* -s; 0: all */
    uint32_t buffer_bytes; /* -B; 0: the usual */
    bool no_promiscuous;   /* -p */
    bool monitor;          /* -I */
};

#define READING_INPUTS  64
#define READING_KEYLOGS 16

struct reading {
    struct made *made; /* packets that are read instead of those of `file`; NULL: none */
    const char *file;  /* -r; NULL: capture from `inputs` */
    struct capture_input inputs[READING_INPUTS];
    size_t input_count;                        /* at least 1 for a capture */
    const char *display_filter;                /* -Y; NULL: all */
    const char *write_file;                    /* -w */
    enum writer_format format;                 /* -F */
    const char *comments[WRITER_COMMENTS];     /* --capture-comment */
    struct file_rules change;                  /* -b */
    struct file_rules stop;                    /* -a, but for packets */
    const char *print_names;                   /* -b printname: */
    bool many_files;                           /* -b */
    bool time_first;                           /* -b nametimenum:2 */
    bool group_read;                           /* -g */
    const char *keylog_files[READING_KEYLOGS]; /* -o tls.keylog_file: */
    size_t keylog_count;
    bool write_names;            /* -W n: those of addresses, with -w */
    const char *export_keys;     /* --export-tls-session-keys */
    struct names *names;         /* gets those of the capture; NULL: none */
    const struct key_ring *ring; /* private keys and pre-shared ones; NULL: none */
    const struct printer *printer;
    struct print_options print;
    struct lower_options lower;
    struct tcp_options tcp;
    struct stats *stats;           /* -z; NULL: none */
    const struct tls_ports *ports; /* -d */
    const char *read_filter;       /* -R: what the second pass reads; NULL: all */
    bool two_pass;                 /* -2 */
    bool split_records;            /* records over several segments are not put together */
    bool split_data;               /* nor what they carry, which nothing here does anyway */
    uint64_t packet_limit;         /* -c: packets read, shown or not; 0: none */
    uint64_t reset_after; /* -M: the connections are forgotten after so many packets; 0: never */
    bool line_buffered;   /* -l */
    bool quiet;           /* -q: no count on the terminal */
    bool silent;          /* -Q: only errors on stderr */
    bool color;           /* --color, where the terminal can */
    bool no_output;       /* -w without -P, or -q: packets are not printed */
    FILE *out;
};

/* Runs it to its end; the exit status (enum reading_status).  The error is set unless that is 0, or
 * the reader of the output went away, which is nothing to tell anybody. */
int reading_run(const struct reading *, struct error *);

#endif
