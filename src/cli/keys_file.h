/* Key-log files as they grow: read once before the first packet, and again whenever a live capture
 * goes on, from the beginning when a file was replaced or emptied.
 *
 * A file that is missing or holds no key is told on stderr and does no harm: packets are shown
 * undecrypted, as tshark does, and a live capture takes the file up when it appears. */
#ifndef TLSWIRE_CLI_KEYS_FILE_H
#define TLSWIRE_CLI_KEYS_FILE_H

#include "base/slice.h"
#include "crypto/keylog.h"

#include <stdbool.h>
#include <sys/types.h>

/* Is handed the text in pieces, each of whole lines, borrowed for the time of the call. */
typedef void keys_taker(void *context, struct slice text);

struct keys_file {
    keys_taker *take;
    void *context;    /* for `take` */
    const char *path; /* NULL: none */
    int fd;           /* -1 until it could be opened */
    dev_t device;     /* of the file that is open */
    ino_t node;
    off_t seen;     /* bytes read of it */
    size_t pending; /* bytes of a line that has no end yet */
    char line[KEYLOG_LINE_MAX + 2];
};

/* Reads what is there.  TAKE and CONTEXT stay for keys_file_poll().  LIVE: the file may be a pipe
 * that fills later. */
void keys_file_open(struct keys_file *k, const char *path, bool live, keys_taker *take,
                    void *context);
/* Reads what was added.  Cheap when there is nothing. */
void keys_file_poll(struct keys_file *k);
/* Reads all of it once more. */
void keys_file_again(struct keys_file *k);
void keys_file_close(struct keys_file *k);

#endif
