/* A key-log file as it grows: read once before the first packet, and again whenever a live capture
 * goes on.
 *
 * A file that is missing or holds no key is told on stderr and does no harm: packets are shown
 * undecrypted, as tshark does, and a live capture takes the file up when it appears. */
#ifndef TLSWIRE_CLI_KEYS_FILE_H
#define TLSWIRE_CLI_KEYS_FILE_H

#include "base/slice.h"

#include <stdbool.h>

/* Is handed the text in pieces, borrowed for the time of the call. */
typedef void keys_taker(void *context, struct slice text);

struct keys_file {
    keys_taker *take;
    void *context;    /* for `take` */
    const char *path; /* NULL: none */
    int fd;           /* -1 until it could be opened */
};

/* Reads what is there.  TAKE and CONTEXT stay for keys_file_poll().  LIVE: the file may be a pipe
 * that fills later. */
void keys_file_open(struct keys_file *k, const char *path, bool live, keys_taker *take,
                    void *context);
/* Reads what was added.  Cheap when there is nothing. */
void keys_file_poll(struct keys_file *k);
void keys_file_close(struct keys_file *k);

#endif
