/* Multipath TCP (RFC 8684, and its version 0, RFC 6824): which connections of TCP are subflows of one, by
 * the keys and tokens of their handshakes. */
#ifndef TLSWIRE_STREAM_MULTIPATH_H
#define TLSWIRE_STREAM_MULTIPATH_H

#include "crypto/provider.h"
#include "stream/flow.h"
#include "stream/tcp_facts.h"

/* What one end chose. */
struct multipath_end {
    uint64_t key;
    uint64_t first; /* initial data sequence number: the hash's last eight bytes */
    uint32_t token; /* its first four */
    bool has_key;
    bool has_first; /* and the token: the version says with which hash */
};

struct multipath_subflow {
    struct multipath_subflow *next; /* joined before */
    uint32_t stream;
};

struct multipath {
    uint32_t number; /* mptcp.stream, from 0 */
    uint32_t master; /* stream that it began with */
    bool has_master;
    struct multipath_end ends[2];
    struct multipath_subflow *subflows;
};

/* A flow's place. */
struct multipath_link {
    struct multipath *of;
    uint8_t first; /* which of the ends sends in the flow's direction 0 */
};

/* The end that sends in DIRECTION. */
static inline const struct multipath_end *multipath_end_of(const struct multipath_link *link,
                                                           int direction)
{
    return &link->of->ends[(link->first ^ (unsigned)direction) & 1];
}

/* The forms of the option, by subtype. */
enum multipath_subtype {
    MULTIPATH_CAPABLE,
    MULTIPATH_JOIN,
    MULTIPATH_DSS,
    MULTIPATH_ADD_ADDRESS,
    MULTIPATH_REMOVE_ADDRESS,
    MULTIPATH_PRIORITY,
    MULTIPATH_FAIL,
    MULTIPATH_FAST_CLOSE,
    MULTIPATH_RESET,
};

/* Follows the options of a segment and fills `multipath` and `key_mismatch` of FACTS. */
void multipath_follow(struct flow_table *table, struct crypto_provider *crypto, struct flow *flow,
                      struct tcp_facts *facts);

#endif
