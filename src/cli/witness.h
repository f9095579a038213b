/* What passes on a server's connections, seen by tlswire's own reader: written to a capture with its
 * keys, told line by line, drawn as a ladder.  Made from the bytes of the sockets, so no privilege is
 * needed.
 *
 * The functions may be called by several threads at a time. */
#ifndef TLSWIRE_CLI_WITNESS_H
#define TLSWIRE_CLI_WITNESS_H

#include "base/buf.h"
#include "base/error.h"
#include "endpoint/hooks.h"

struct witness_options {
    const char *capture;  /* file to write; NULL: none */
    bool messages, trees; /* on stderr: a line for each record or message, or all of its fields */
    bool ladders;         /* keep what witness_ladder needs */
    uint16_t port;        /* of the server */
};

struct witness;

struct witness *witness_new(const struct witness_options *, struct error *);
/* Ends the capture; false when not all of it could be written. */
bool witness_free(struct witness *, struct error *);

/* The hooks of an endpoint (endpoint/hooks.h). */
void witness_open(struct witness *, const struct endpoint_report *, int64_t time_ns);
void witness_bytes(struct witness *, uint64_t id, enum endpoint_direction, struct slice,
                   int64_t time_ns);
void witness_end(struct witness *, uint64_t id, enum endpoint_direction, bool reset,
                 int64_t time_ns);
void witness_key(struct witness *, uint64_t id, const char *line);
void witness_close(struct witness *, uint64_t id);

/* The ladder of a connection so far, as text. */
void witness_ladder(struct witness *, uint64_t id, struct buf *out);

#endif
