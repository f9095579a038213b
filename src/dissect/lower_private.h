/* What lower_emit.c and lower_ip.c share.  Nobody else includes this. */
#ifndef TLSWIRE_DISSECT_LOWER_PRIVATE_H
#define TLSWIRE_DISSECT_LOWER_PRIVATE_H

#include "dissect/lower.h"

void lower_emit_ipv4(struct tape *t, const struct packet *packet, const struct lower *lower);
void lower_emit_ipv6(struct tape *t, const struct packet *packet, const struct lower *lower);

/* Makes what was added to the tape's text since START the value of event AT. */
static inline void lower_text_from(struct tape *t, uint32_t at, size_t start)
{
    if (at == TAPE_NONE)
        return;
    t->events[at].flags |= EVENT_IN_TEXT;
    t->events[at].value = (uint64_t)(t->text.len - start) << 32 | (uint32_t)start;
    if (t->text.failed)
        t->full = true;
}

#endif
