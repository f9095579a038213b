/* What the files that show TCP's options share. */
#ifndef TLSWIRE_STREAM_TCP_EMIT_PRIVATE_H
#define TLSWIRE_STREAM_TCP_EMIT_PRIVATE_H

#include "dissect/tape.h"
#include "stream/tcp_facts.h"
#include "stream/tcp_options.h"

/* The option being shown. */
struct shown {
    struct tape *t;
    const struct tcp_facts *facts;
    struct tcp_option option;
    uint32_t offset; /* of the option in the source */
    uint32_t have;   /* bytes of it that were captured */
    uint8_t source;
};

/* Adds a field of LENGTH bytes, AT bytes into the option, when they are there. */
void tcp_option_add(const struct shown *o, enum field_id field, uint32_t at, uint32_t length,
                    uint64_t value);
/* The text since START, for an event's value. */
uint64_t tcp_note_since(struct tape *t, size_t start);

/* tcp_emit_rare.c: options of one maker, or hardly ever sent.  AT is the option's item. */
void tcp_emit_probe(const struct shown *o, uint32_t at);
void tcp_emit_transparency(const struct shown *o, uint32_t at);
void tcp_emit_quick_start(const struct shown *o, uint32_t at);

/* tcp_emit_multipath.c: the option, and what the connection is part of, at OFFSET. */
void tcp_emit_multipath(const struct shown *o);
void tcp_emit_multipath_analysis(struct tape *t, uint8_t source, uint32_t offset,
                                 const struct tcp_facts *facts);

#endif
