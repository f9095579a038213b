/* TCP/IP packets made from the bytes that our own sockets sent and received, so that a capture
 * needs no privilege.  The result looks as Linux's loopback would: Ethernet with zero addresses,
 * correct lengths, sequence numbers and checksums.  Whoever writes them to a file says in the
 * section comment that the packets are synthetic: real losses, timing and segment boundaries are
 * not in them. */
#ifndef TLSWIRE_CAPTURE_SYNTH_H
#define TLSWIRE_CAPTURE_SYNTH_H

#include "base/buf.h"
#include "base/packet.h"

#include <stdbool.h>
#include <stdint.h>

enum synth_side { SYNTH_CLIENT, SYNTH_SERVER };

struct synth_address {
    uint8_t ip[16]; /* network order; IPv4 uses the first 4 */
    uint16_t port;
};

/* PACKET is borrowed for the time of the call; `number` is 0, for the sink to set. */
typedef void synth_emit(void *context, const struct packet *packet);

struct synth_options {
    struct synth_address address[2]; /* by enum synth_side */
    bool ipv6;
    bool no_timestamps; /* leave out the TCP timestamps option */
    uint16_t segment;   /* most data bytes in a segment; 0 or too much: what loopback does */
    uint32_t first_sequence[2]; /* initial sequence numbers */
    uint32_t interface;         /* for packet.interface */
    const char *interface_name;
    synth_emit *emit;
    void *context;
};

struct synth_end {
    uint32_t next;         /* next sequence number to send */
    uint32_t acknowledged; /* what this side has acknowledged of the other's */
    uint32_t window;       /* bytes, as announced last */
    uint16_t ip_id;
    bool finished;
};

struct synth_flow {
    struct synth_options options;
    struct synth_end end[2];
    struct buf frame; /* owned */
    int64_t time_ns;  /* of the last packet: time never runs backwards in a flow */
    bool open, reset;
};

/* Times are nanoseconds since the epoch. */
void synth_init(struct synth_flow *f, const struct synth_options *options);
void synth_free(struct synth_flow *f);
/* SYN, SYN/ACK, ACK. */
void synth_open(struct synth_flow *f, int64_t time_ns);
/* Bytes that FROM has sent, in as many segments as they need, and the other side's ACK. */
void synth_data(struct synth_flow *f, enum synth_side from, struct slice bytes, int64_t time_ns);
/* FROM closes.  The first FIN is acknowledged by whatever the other side sends next, as Linux does
 * when both close at once; call synth_ack() when that may take long. */
void synth_fin(struct synth_flow *f, enum synth_side from, int64_t time_ns);
void synth_rst(struct synth_flow *f, enum synth_side from, int64_t time_ns);
/* FROM acknowledges all it has; nothing when it has already. */
void synth_ack(struct synth_flow *f, enum synth_side from, int64_t time_ns);

#endif
