/* Statistics over a whole reading: what -z asks for.
 *
 * A statistic says which fields it wants on the tapes, is shown every packet whatever the display
 * filter says, and writes its text when all are read.  It knows no file and reads no bytes but
 * those of the tape.  Memory has a ceiling in each, and one for all together (STATS_BUDGET); what passes it is
 * counted, and the text says so. */
#ifndef TLSWIRE_STATS_STATS_H
#define TLSWIRE_STATS_STATS_H

#include "base/error.h"
#include "print/print.h"
#include "stream/dissection.h"

struct stats;

#define STATS_BUDGET ((size_t)32 << 20)

/* NULL when there is no memory. */
struct stats *stats_new(void);
void stats_free(struct stats *);
/* Adds a -z ARGUMENT, which is borrowed.  False when there is no statistic of this name. */
bool stats_add(struct stats *, const char *argument);
size_t stats_count(const struct stats *);
/* The names that may follow -z, sorted; NULL after the last. */
const char *stats_name(size_t index);
/* Reads the arguments; OPTIONS are borrowed.  Call it once, when all is added. */
bool stats_open(struct stats *, const struct print_options *options, struct error *);
/* Marks the fields that the packets' tapes must hold, in WANT of FIELD_COUNT bytes. */
void stats_want(const struct stats *, uint8_t *want);
void stats_packet(struct stats *, const struct dissection *d);
/* What a statistic adds to the Info column of the packet shown last; NULL when none does so. */
const struct buf *stats_info_tail(const struct stats *);
/* Whether one prints columns of packets. */
bool stats_shows_columns(const struct stats *);
/* Takes what stands in OUT, and empties it. */
typedef void stats_drain(void *context, struct buf *out);
/* Writes all that was asked for, the last first, as tshark does.  DRAIN is called whenever there is much; the
 * rest stays in OUT.  Without it, NULL, all does. */
void stats_end(struct stats *, struct buf *out, stats_drain *drain, void *context);
/* Whether the memory that all share was spent, so that something is missing. */
bool stats_spent(const struct stats *);
/* Whether all of them count addresses, ports and bytes, and look no further. */
bool stats_end_at_tcp(const struct stats *);

#endif
