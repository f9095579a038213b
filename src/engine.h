/* The engine: packets in, dissections out.  Ties the rooms together; all state of one reading hangs off it.
 *
 * It knows no file, clock or terminal: whoever drives it fetches packets and prints what comes back. */
#ifndef TLSWIRE_ENGINE_H
#define TLSWIRE_ENGINE_H

#include "base/error.h"
#include "base/packet.h"
#include "dissect/lower.h"
#include "stream/dissection.h"
#include "stream/foresight.h"
#include "stream/share.h"
#include "stream/tls.h"

struct engine;

struct engine_options {
    const uint8_t *want;       /* FIELD_COUNT bytes, borrowed: which fields somebody asks for */
    const uint16_t *tls_ports; /* -d tcp.port==N,tls: always TLS; borrowed */
    size_t tls_port_count;
    const struct tls_ports
        *ports;               /* more of that, also ports that are not TLS; borrowed, may be NULL */
    struct foresight *learns; /* gets what a second pass needs to know; may be NULL */
    const struct foresight *known; /* from a first pass; borrowed, may be NULL */
    bool split_records;            /* each segment's TLS is read alone */
    bool more; /* numbers are called by names that tshark 4.0.17 does not know, too */
    struct key_wishes *survey;   /* gets the names that secrets are looked for; may be NULL */
    struct key_wishes *wishes;   /* borrowed: the only secrets that are kept; NULL: all */
    const struct key_ring *ring; /* private keys and pre-shared ones; borrowed, may be NULL */
    bool no_columns; /* nobody reads the dissection's columns, nor the bytes of its sources */
    bool no_bytes;   /* nobody reads the bytes of its sources */
    bool no_above;   /* of the columns nobody reads more than addresses and ports */
    struct lower_options lower;
    struct tcp_options tcp;
    uint64_t seed; /* makes hashing unpredictable */
};

/* NULL when there is no memory. */
struct engine *engine_new(const struct engine_options *options);
void engine_free(struct engine *e);
/* Forgets all connections; keys and times stay. */
void engine_reset(struct engine *e);
/* Key-log text, in any pieces; the last line may be without its end. */
void engine_keys(struct engine *e, struct slice text);
/* How many secrets are known. */
size_t engine_key_count(const struct engine *e);
/* How many connections they are for; 0 when that cannot be told, as only some of them were kept. */
size_t engine_key_sessions(const struct engine *e);
/* Time of the first packet; false when there was none. */
bool engine_first_time(const struct engine *e, int64_t *time_ns);
/* Writes the secrets of the sessions seen so far as a key log.  Wipe the buffer. */
void engine_export_keys(const struct engine *e, struct buf *out);
/* How they served so far. */
const struct tls_key_stats *engine_key_stats(const struct engine *e);
/* Dissects the next packet.  The result is good until the next call; NULL: it is not ours, see engine_share(). */
const struct dissection *engine_packet(struct engine *e, const struct packet *packet);
/* Results go to D from now on, and are good as long as D and the packet are; NULL: to the engine's own again. */
void engine_into(struct engine *e, struct dissection *d);
/* From now on only the connections of SHARE are followed, and what is no TCP belongs to the first: engine_packet() gives
 * NULL for the others, of which another engine that reads the same packets takes care. */
void engine_share(struct engine *e, enum share share);
/* Whether the two give what one would: nobody asks for what joins connections, as their numbers, resumption and keys. */
bool engine_may_share(const struct engine *e);
/* Ends a first pass: notes how the connections ended. */
void engine_learned(struct engine *e);
/* Says that the packet just dissected is not shown and does not count: times go on from the one before. */
void engine_passed_over(struct engine *e);
/* Says that the packet just dissected passed the display filter: later ones count their time from it. */
void engine_displayed(struct engine *e);

#endif
