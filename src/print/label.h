/* The text of an event, as a line of the tree shows it (without indentation and brackets).
 *
 * Usually "Label: value"; fields and events whose text is more have a template (schema/schema.h,
 * enum part_kind), which is interpreted here.  No text is longer than LABEL_BYTES. */
#ifndef TLSWIRE_PRINT_LABEL_H
#define TLSWIRE_PRINT_LABEL_H

#include "dissect/tape.h"
#include "print/clock_text.h"

#define LABEL_BYTES \
    239 /* what is longer is cut, with " [truncated]" after the name where there is one */

/* The same at TO, behind what is in OUT, with room for LABEL_ROOM bytes.  Returns the end, behind which there is room for
 * PEN_STEP more; NULL when there is no room.  OUT may have moved.  CLOCK is kept between calls. */
#define LABEL_ROOM 2048
uint8_t *label_at(struct buf *out, uint8_t *to, struct clock_cache *clock, const struct tape *t,
                  uint32_t at);
void label_write(struct buf *out, const struct tape *t, uint32_t at);
/* Marks in WANT, which has FIELD_COUNT bytes, the fields that the text of field ID is made of. */
void label_want(enum field_id id, uint8_t *want);
/* True when the text of that label depends on the event's own numbers alone, if the field's value does. */
bool label_is_own(enum label_id id);
/* True when the field's text is more than its name. */
bool label_has_text(const struct event *e);

#endif
