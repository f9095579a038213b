/* How many connections a server has, and how many of them each peer: the limits that keep one peer
 * from taking all.  May be used by several threads. */
#ifndef TLSWIRE_ENDPOINT_LIMITS_H
#define TLSWIRE_ENDPOINT_LIMITS_H

#include <stdbool.h>
#include <sys/socket.h>

struct limits;

enum limits_answer { LIMITS_FINE, LIMITS_FULL, LIMITS_PEER_FULL };

/* At most TOTAL connections, and PER_PEER (0: no limit) from one address; NULL without memory. */
struct limits *limits_new(unsigned total, unsigned per_peer);
void limits_free(struct limits *);
/* Asks for one more connection; FULL takes no address yet, as none is known before the accept. */
bool limits_full(struct limits *);
/* Counts a connection unless a limit forbids it.  IPv6 peers count by their /64, which is what one
 * network gets. */
enum limits_answer limits_enter(struct limits *, const struct sockaddr_storage *peer);
/* A connection that had entered is over. */
void limits_leave(struct limits *, const struct sockaddr_storage *peer);
unsigned limits_open(struct limits *);

#endif
