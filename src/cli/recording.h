/* A small capture held in memory until it is complete, so that the keys can stand before the
 * packets in the file (RFC 9850 does not ask for that order, but readers that go through a file
 * once do).
 *
 * Packets come from an interface, or are made from the bytes of an endpoint's own sockets. */
#ifndef TLSWIRE_CLI_RECORDING_H
#define TLSWIRE_CLI_RECORDING_H

#include "base/buf.h"
#include "base/error.h"
#include "base/packet.h"
#include "capture/synth.h"
#include "endpoint/hooks.h"

#define RECORDING_CEILING ((size_t)256 << 20) /* bytes of packets */

struct recorded_packet {
    size_t offset; /* into `bytes` */
    int64_t time_ns;
    uint32_t caplen, len;
};

struct recorded_flow {
    uint64_t id;
    enum synth_side own; /* the side whose socket the bytes come from */
    struct synth_flow synth;
    struct recorded_flow *next;
};

struct recording {
    struct buf bytes, keys; /* keys: key log lines */
    struct buf packets;     /* of struct recorded_packet */
    struct recorded_flow *flows;
    char interface[64];
    uint32_t link_type;
    uint8_t decimals;
    bool full;        /* the ceiling was reached: packets are missing at the end */
    synth_emit *sink; /* gets the packets of own sockets instead; NULL: they are kept */
    void *sink_context;
};

/* Ready for packets of our own sockets; a live capture overwrites interface, link_type, decimals.
 */
void recording_init(struct recording *);
void recording_free(struct recording *);
size_t recording_count(const struct recording *);

void recording_packet(struct recording *, const struct packet *);
void recording_key(struct recording *, const char *line);

/* The endpoint's hooks, as packets. */
void recording_open(struct recording *, const struct endpoint_report *, enum synth_side own,
                    int64_t time_ns);
void recording_bytes(struct recording *, uint64_t id, enum endpoint_direction, struct slice,
                     int64_t time_ns);
void recording_end(struct recording *, uint64_t id, enum endpoint_direction, bool reset,
                   int64_t time_ns);

/* Packet I of recording_count(), as far as it is kept: bytes, lengths, time; borrowed. */
void recording_at(const struct recording *, size_t i, struct packet *);
/* Writes everything as pcapng: to FD (not closed) when it is >= 0, else to PATH, which must not
 * exist and gets mode 0600: it holds secrets. */
bool recording_write(const struct recording *, const char *path, int fd, const char *comment,
                     struct error *);

/* The system that a capture says it was made on; empty when it is not known. */
#define SYSTEM_NAME_SIZE 160
void recording_system(char os[SYSTEM_NAME_SIZE]);

#endif
