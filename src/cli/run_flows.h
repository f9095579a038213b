/* Which TCP connections of a capture are those of a program and of what it started.
 *
 * A connection is the program's when at its SYN one of these processes held the socket, or when the
 * random of its ClientHello is in the key log that the program wrote. */
#ifndef TLSWIRE_CLI_RUN_FLOWS_H
#define TLSWIRE_CLI_RUN_FLOWS_H

#include "base/packet.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define FLOWS_MOST 4096

/* The two ends, the one that sent the SYN first. */
struct flow_ends {
    uint8_t address[2][16]; /* an IPv4 address in the last four */
    uint16_t port[2];
};

struct run_flow {
    struct flow_ends ends;
    bool own, has_random;
    uint8_t random[32];
};

struct flows {
    struct run_flow *list;
    unsigned count, room;
    uint16_t tls_port; /* of the first own connection with a ClientHello; 0: none */
};

void flows_free(struct flows *);
/* Notes a packet of the capture; CHILD is the program, alive or waiting to be reaped. */
void flows_see(struct flows *, const struct packet *, pid_t child);
/* A line of the key log. */
void flows_key(struct flows *, const char *line);
bool flows_has(const struct flows *, const struct packet *);
/* How many are the program's, or ALL. */
unsigned flows_count(const struct flows *, bool all);

#endif
