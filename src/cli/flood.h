/* How many lines of failed connections are told in a second: a peer that makes them fail on purpose
 * fills no disk.  The others are counted, and the count is told. */
#ifndef TLSWIRE_CLI_FLOOD_H
#define TLSWIRE_CLI_FLOOD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct flood {
    unsigned limit;        /* lines in one second */
    int64_t second;        /* that is counted now */
    unsigned told;         /* in it */
    atomic_ullong skipped; /* since flood_take */
};

/* Whether one more line is told at TIME_NS.  Calls must come one at a time. */
bool flood_admits(struct flood *, int64_t time_ns);
/* How many were not, since it was asked last; may be called by any thread. */
unsigned long long flood_take(struct flood *);

#endif
