/* Live capture through libpcap: one interface, a BPF filter, nanosecond times where the kernel has
 * them. */
#ifndef TLSWIRE_CAPTURE_LIVE_H
#define TLSWIRE_CAPTURE_LIVE_H

#include "base/buf.h"
#include "base/error.h"
#include "base/packet.h"

#include <stdbool.h>
#include <stdint.h>

struct live;

enum live_result {
    LIVE_PACKET,
    LIVE_NONE, /* nothing within the time given */
    LIVE_END,  /* live_stop() was called */
    LIVE_ERROR,
};

struct live_options {
    const char *interface; /* a name, or a number as live_list() counts; NULL: the default one */
    const char *filter;    /* BPF expression, NULL for all */
    const char *link_type; /* as live_list_link_types() names it; NULL: the usual */
    const char *time_type; /* as live_list_time_types() names it; NULL: the usual */
    uint32_t snaplen;      /* 0 means 262144 */
    uint32_t buffer_bytes; /* of the kernel's ring; 0 means 2 MiB, as tshark */
    bool no_promiscuous;
    bool monitor;
    /* Hand over each packet at once.  Without it, the kernel may gather them for up to 100 ms,
     * which costs less on a busy line. */
    bool immediate;
};

struct live_stats {
    uint64_t received, dropped, dropped_by_interface;
};

/* NULL with E set: ERROR_PERMISSION, with what to do; ERROR_NETWORK for an unknown interface, with
 * the names there are; ERROR_USAGE for a filter that does not compile. */
struct live *live_open(const struct live_options *options, struct error *e);
/* The next packet, waiting up to TIMEOUT_MS (0: not at all; negative: for ever).  What it points to
 * is good until the next call. */
enum live_result live_next(struct live *l, struct packet *p, int timeout_ms, struct error *e);
/* Wakes live_next() for good.  May be called from a signal handler. */
void live_stop(struct live *l);
/* For poll and event loops: readable when live_next(…, 0, …) may have packets.  Read until
 * LIVE_NONE. */
int live_fd(const struct live *l);
const char *live_interface(const struct live *l);
uint32_t live_link_type(const struct live *l);
uint8_t live_decimals(const struct live *l);
uint32_t live_snaplen(const struct live *l);
bool live_stats(struct live *l, struct live_stats *stats);
void live_close(struct live *l);

/* "1. eth0", "3. lo (Loopback)" … a line each, in the order and the words of `tshark -D`, without
 * the external programs that tshark lists after them. */
bool live_list(struct buf *out, struct error *e);
/* The link types, and the kinds of time stamps, that an interface (NULL: the default one) can be set
 * to, as tshark -L and --list-time-stamp-types print them. */
bool live_list_link_types(const struct live_options *options, struct buf *out, struct error *e);
bool live_list_time_types(const struct live_options *options, struct buf *out, struct error *e);
/* Whether there is a link type, or a kind of time stamp, of this name at all. */
bool live_knows_link_type(const char *name);
bool live_knows_time_type(const char *name);
/* Whether there is an interface of this name or number. */
bool live_is_interface(const char *name);
/* Checks a BPF expression without opening anything; LINK_TYPE as of the capture. */
bool live_check_filter(const char *filter, uint32_t link_type, struct error *e);

#endif
