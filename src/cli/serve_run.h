/* A server from when it listens to its end: what it gives up, its workers, its signals. */
#ifndef TLSWIRE_CLI_SERVE_RUN_H
#define TLSWIRE_CLI_SERVE_RUN_H

#include "cli/openssl_options.h"
#include "endpoint/server.h"

#include <uv.h>

/* Gives up what it does not need, starts the workers, calls READY, and runs LOOP until SIGINT or
 * SIGTERM has come and everything is finished: the first lets connections end, the second does not.
 * SIGHUP reads certificates and keys again.  FOLDER, which may be NULL, is read later, too. */
bool serve_run(uv_loop_t *loop, struct server *, const struct endpoint_options *,
               const char *folder, void (*ready)(void *user), void *user, struct error *);

#endif
