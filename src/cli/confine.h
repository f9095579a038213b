/* What a server gives up before it talks to strangers: root, new privileges, files, system calls.
 *
 * Linux only.  What the kernel lacks is left out with SANDBOX_TRY and an error with
 * SANDBOX_REQUIRE. */
#ifndef TLSWIRE_CLI_CONFINE_H
#define TLSWIRE_CLI_CONFINE_H

#include "base/error.h"

#include <stdbool.h>

#define CONFINE_PATHS 32

enum sandbox { SANDBOX_TRY, SANDBOX_REQUIRE, SANDBOX_OFF };

struct confinement {
    enum sandbox sandbox;
    const char *user; /* become this user when started as root; NULL: nobody */
    bool keep_root;
    bool programs; /* programs will be started: they get no new privileges, and nothing else of this
                      would let them work */
    bool connects; /* outgoing connections are made */
    unsigned readable_count;
    const char *readable[CONFINE_PATHS]; /* files and folders that are read later; borrowed */
};

/* Adds a path (NULL is none) to what may be read later.  For a file its folder too: a certificate
 * that is replaced is a new file. */
void confine_readable(struct confinement *, const char *path);
/* To be called when sockets and files are open and before threads are made.  All or nothing is
 * promised for the user: when root cannot be given up it is an error.  Empty paths of the list that
 * do not exist are left out. */
bool confine(const struct confinement *, struct error *);
/* True when this process runs as root and confine would change that. */
bool confine_drops_root(const struct confinement *);

#endif
