/* Which of two readers of the same packets follows a connection.
 *
 * All that is remembered from packet to packet hangs on connections, so two engines that read the same capture can each
 * follow half of them.  Both directions of a connection fall to the same one, however its packets were wrapped up. */
#ifndef TLSWIRE_STREAM_SHARE_H
#define TLSWIRE_STREAM_SHARE_H

#include "base/packet.h"
#include "stream/dissection.h"

enum share {
    SHARE_FIRST, /* also what is no TCP */
    SHARE_SECOND,
    SHARE_UNKNOWN,
};

/* By addresses and ports. */
enum share share_of(const struct address *source, const struct address *destination,
                    uint16_t source_port, uint16_t destination_port);
/* The same for a packet that is nothing but Ethernet, IP without options or fragments, and TCP; of any other,
 * SHARE_UNKNOWN: its layers have to be read first. */
enum share share_of_packet(const struct packet *packet);

#endif
