/* The "frame" layer: what the capture says of a packet before its bytes are looked at. */
#ifndef TLSWIRE_DISSECT_FRAME_H
#define TLSWIRE_DISSECT_FRAME_H

#include "base/packet.h"
#include "dissect/tape.h"

/* Nanoseconds since the first packet, the one before, and the last one that passed the filter. */
struct frame_times {
    int64_t relative, delta, delta_displayed;
};

/* Puts the layer on the tape.  PROTOCOLS is frame.protocols, "eth:ethertype:ip:tcp"; copied. */
void frame_emit(struct tape *t, const struct packet *packet, const struct frame_times *times,
                const char *protocols);

#endif
