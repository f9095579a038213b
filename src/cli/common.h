/* What the endpoint subcommands share: exit codes, the terminal, the key log file. */
#ifndef TLSWIRE_CLI_COMMON_H
#define TLSWIRE_CLI_COMMON_H

#include "base/error.h"

#include <stdbool.h>
#include <stdio.h>

enum exit_code {
    EXIT_OK = 0,
    EXIT_RUNTIME = 1,
    EXIT_USAGE = 2,
    EXIT_NOT_EXPECTED = 11,
    EXIT_TLS_FAILED = 12,
    EXIT_NOT_CONNECTED = 13,
    EXIT_TRUNCATED = 16,
    EXIT_NOT_TRUSTED = 17,
};

/* Opens /dev/null on whichever of descriptors 0 to 2 are closed, so that no socket lands there, and
 * ignores SIGPIPE. */
void common_prepare(void);
/* Whether to colour OUT: WHEN is "auto", "always" or "never"; NO_COLOR and a dumb terminal mean no.
 */
bool common_color(const char *when, FILE *out);
/* Whether to keep to ASCII: when asked, and where the locale is not UTF-8. */
bool common_ascii(bool asked);
/* "tlswire: TEXT" on stderr; returns CODE. */
int common_fail(const struct error *, int code);
/* TEXT with control bytes escaped. */
void common_put_escaped(FILE *out, const char *text);

/* --break list. */
int common_put_breakages(void);

/* Opens a key log for adding lines, created with mode 0600; the descriptor, or -1 and the error. */
int common_keylog_open(const char *path, struct error *);
/* Adds a line; each is written at once, whole. */
void common_keylog_line(int fd, const char *line);

#endif
