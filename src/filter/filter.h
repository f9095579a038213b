/* Display filters: the language that users of tshark 4.0 know, from text to a yes or no for each
 * packet.
 *
 * A filter is compiled once, against the schema.  It says which fields it reads, so that the
 * dissector can leave out the rest, and then judges the tape of each packet.  Judging allocates
 * nothing once its buffers have grown to their size, and has a budget of steps for each packet. */
#ifndef TLSWIRE_FILTER_FILTER_H
#define TLSWIRE_FILTER_FILTER_H

#include "base/error.h"
#include "dissect/tape.h"

#include <stdbool.h>
#include <stdint.h>

struct filter;

/* Compiles TEXT; the caller frees it.  NULL when it is wrong (ERROR_USAGE) or memory ran out
 * (ERROR_MEMORY): the error's first line says what, the next two show where, and a fourth may name
 * a field that was meant.  An empty text is a filter that every packet passes. */
struct filter *filter_compile(const char *text, struct error *error);
void filter_free(struct filter *f);

/* As tshark has it where it shows no tree: the bytes of TCP and of some layers below it go on to the
 * end of what they were given, tcp[20] is the first byte of what TCP carries. */
void filter_open_ended(struct filter *f);

/* Sets WANT[id] to 1 for each field that the filter reads; WANT has FIELD_COUNT bytes. */
void filter_wants(const struct filter *f, uint8_t *want);

/* Whether the packet on the tape passes.  A filter works for one thread at a time: its scratch
 * memory is its own. */
bool filter_match(const struct filter *f, const struct tape *tape);
/* Whether the last filter_match() ran out of steps, so that its answer is no more than "no". */
bool filter_exhausted(const struct filter *f);

#endif
