/* A server from when it listens to its end: what it gives up, its workers, its signals. */
#ifndef TLSWIRE_CLI_SERVE_RUN_H
#define TLSWIRE_CLI_SERVE_RUN_H

#include "cli/keeper.h"
#include "cli/openssl_options.h"
#include "endpoint/server.h"

#include <uv.h>

/* To be called before the server is made: its files are opened by KEEPER, which serve_run starts
 * when root is given up. */
void serve_run_prepare(struct endpoint_options *, struct file_opener *, struct keeper *);

/* Gives up what it does not need, starts the workers, calls READY, and runs LOOP until SIGINT or
 * SIGTERM has come and everything is finished: the first lets connections end, the second does not.
 * SIGHUP reads certificates and keys again.  FOLDER, which may be NULL, is read later, too. */
bool serve_run(uv_loop_t *loop, struct server *, const struct endpoint_options *, struct keeper *,
               const char *folder, void (*ready)(void *user), void *user, struct error *);

#endif
