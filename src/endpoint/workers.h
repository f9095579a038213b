/* More threads for a server: each has a loop and a server that joined the first one.
 *
 * The hooks of the server are called from all of them; hooks_lock makes that one at a time. */
#ifndef TLSWIRE_ENDPOINT_WORKERS_H
#define TLSWIRE_ENDPOINT_WORKERS_H

#include "base/error.h"
#include "endpoint/hooks.h"
#include "endpoint/server.h"

#include <pthread.h>

#define WORKERS_MAX 64

/* Hooks that call others, one at a time.  The caller's, for as long as the server. */
struct locked_hooks {
    pthread_mutex_t lock;
    struct endpoint_hooks hooks;
};

/* Hooks for a server that call *HOOKS, which is copied to LOCKED. */
struct endpoint_hooks hooks_lock(struct locked_hooks *locked, const struct endpoint_hooks *hooks);

struct workers;

/* COUNT more servers that join FIRST, on loops of their own that do not run yet.  NULL and an error
 * when one cannot be had. */
struct workers *workers_new(struct server *first, unsigned count, struct error *);
/* Gives each a thread; LOOP, which is FIRST's, does not end before them. */
bool workers_start(struct workers *, uv_loop_t *loop, struct error *);
/* As server_stop, for all of them; FIRST is stopped by itself. */
void workers_stop(struct workers *, bool at_once);
/* When LOOP has ended, or before workers_start; before FIRST is freed. */
void workers_free(struct workers *);

#endif
