/* --export-tls-session-keys: a key log of the sessions that were seen, in a file of its own.
 *
 * The file is opened before anything is read, so that one that cannot be written is told at once, and
 * emptied only when it is written: it may be the key log that is read. */
#ifndef TLSWIRE_CLI_KEYS_EXPORT_H
#define TLSWIRE_CLI_KEYS_EXPORT_H

#include "base/error.h"
#include "engine.h"

/* Opens PATH, made with mode 0600; the descriptor, or -1 and the error. */
int keys_export_open(const char *path, struct error *error);
/* Writes the keys and closes FD; false and the error when it cannot. */
bool keys_export_write(int fd, const char *path, const struct engine *e, struct error *error);

#endif
