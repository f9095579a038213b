/* A process that stays root when the server gives it up, to open again the files that the server was
 * started with: a key that only root may read can then be replaced while the server runs.
 *
 * It does nothing but open these files for reading; it is confined to them, and it ends with the
 * server. */
#ifndef TLSWIRE_CLI_KEEPER_H
#define TLSWIRE_CLI_KEEPER_H

#include "base/error.h"

#include <stdbool.h>
#include <sys/types.h>

struct confinement;

struct keeper {
    int socket; /* -1: there is none; files are opened by this process */
    pid_t process;
    const struct confinement *files; /* what may be read; borrowed */
};

bool keeper_start(struct keeper *, const struct confinement *, struct error *);
/* A descriptor for reading, or -1 with errno; for struct file_opener (USER is the keeper). */
int keeper_open(void *user, const char *path);
void keeper_stop(struct keeper *);

#endif
