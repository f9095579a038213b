/* Printing beside dissecting: packets are printed by a second thread while the next ones are read.
 *
 * Results travel in batches, and the engine writes them where they travel.  The reader fills one batch after the
 * other; whoever is free prints the oldest full one, the second thread or the reader itself when it has run far enough ahead; the texts are put
 * together in the order of the packets.  Only for printers that keep nothing between packets (printer_apart()), and
 * only where the packets' bytes stay: a file that is mapped. */
#ifndef TLSWIRE_CLI_LANES_H
#define TLSWIRE_CLI_LANES_H

#include "print/print.h"

struct lanes;

/* Whether a second thread would run beside this one. */
bool lanes_second_processor(void);

/* NULL when there is only one processor to run on, or no memory or thread to be had: print directly then. */
struct lanes *lanes_new(const struct printer *printer);
void lanes_free(struct lanes *l);
/* Where the next packet's result is to be put (engine_into()): the same until lanes_put(); NULL when memory is out. */
struct dissection *lanes_place(struct lanes *l);
/* Has what is there printed, as OPTIONS say now; what they point to stays.  Text that is ready, of earlier packets, goes
 * to OUT. */
void lanes_put(struct lanes *l, const struct print_options *options, struct buf *out);
/* Waits for all that was put; its text goes to OUT. */
void lanes_finish(struct lanes *l, struct buf *out);

#endif
