/* A finished capture file as one of the note's views, for the subcommands that make captures. */
#ifndef TLSWIRE_CLI_VIEWS_H
#define TLSWIRE_CLI_VIEWS_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Summary, hex and verbose show TLS packets, tcp all of them. */
enum lab_view { VIEW_LADDER, VIEW_SUMMARY, VIEW_TCP, VIEW_HEX, VIEW_VERBOSE };

struct view_request {
    const char *capture_path;
    enum lab_view view;
    uint16_t tls_port;       /* taken as TLS, whatever else is known of that port */
    const char *keylog_path; /* NULL: the keys are in the capture file */
    const char *keys_from;   /* what holds the keys, in words; NULL: there are none */
    bool color, ascii;
    FILE *out;
};

/* Renders on request->out; 0, or a status to exit with and the error set. */
int view_render(const struct view_request *, struct error *);

#endif
