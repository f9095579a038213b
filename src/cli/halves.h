/* Reading a file by halves: a second thread reads it, too, and follows one half of the connections (stream/share.h), the
 * first thread the other.
 *
 * Each makes the lines of its own packets.  The second hands its lines over in chunks, each for as many packets of the
 * file; the first writes them where they belong.  Who has run too far ahead, or waits for the other, sleeps until there
 * is work for several chunks, so that threads are woken seldom.
 *
 * For printers of which printer_by_halves() says that they may, where engine_may_share(), and where the packets' bytes
 * stay: a file that is mapped. */
#ifndef TLSWIRE_CLI_HALVES_H
#define TLSWIRE_CLI_HALVES_H

#include "capture/reader.h"
#include "engine.h"
#include "print/print.h"

struct halves;

struct halves_options {
    const struct reader *reader;         /* the caller's */
    const struct engine_options *engine; /* of the caller's engine */
    const struct printer *printer;
    const struct print_options *print;
    const char *filter; /* what packets must pass to be printed; NULL: all do */
    /* Packets up to this number are still the caller's alone, who follows only its own share of the connections from
     * then on (engine_share()). */
    uint64_t after;
};

/* What the second thread met. */
struct halves_said {
    uint64_t given_up, first_given_up; /* packets on which the filter spent its budget */
};

/* NULL when there is only one processor to run on, no memory or no thread to be had. */
struct halves *halves_new(const struct halves_options *options);
/* Ends the second thread and frees all. */
struct halves_said halves_end(struct halves *h);
/* Before each packet from then on, and after it. */
void halves_packet(struct halves *h);
void halves_past(struct halves *h, const struct packet *packet);
/* What the second thread printed of the packet, which is not the caller's; false: it failed. */
bool halves_print(struct halves *h, struct buf *out);

#endif
