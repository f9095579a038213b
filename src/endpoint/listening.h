/* The sockets that a server listens on, before a loop has them. */
#ifndef TLSWIRE_ENDPOINT_LISTENING_H
#define TLSWIRE_ENDPOINT_LISTENING_H

#include "base/error.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#define LISTENING_MAX 8

struct listening {
    unsigned count;
    atomic_int sockets[LISTENING_MAX]; /* not blocking, closed on exec; -1: closed */
    struct sockaddr_storage addresses[LISTENING_MAX];
};

/* Listens on HOST ("" for 127.0.0.1 and ::1, "*" for every address, or a name or address) in FAMILY
 * (AF_UNSPEC: both; one that this machine lacks is left out).  PORT 0 is a free one, the same on all
 * addresses.  After a failure nothing is open, and *IN_USE tells whether the port is somebody's. */
bool listening_open(struct listening *, const char *host, int family, uint16_t port, bool *in_use,
                    struct error *);
/* May be called by several threads: each socket is closed once. */
void listening_close(struct listening *);

#endif
