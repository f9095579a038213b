/* Moves bytes between a connection and a stream of libuv's, both ways, without gathering them: when
 * much waits on one side nothing is read from the other. */
#ifndef TLSWIRE_ENDPOINT_PUMP_H
#define TLSWIRE_ENDPOINT_PUMP_H

#include "endpoint/answer.h"

struct pump {
    struct answer *answer;  /* NULL: the connection is gone */
    uv_stream_t *to, *from; /* what is written to and read from; may be the same */
    void (*ended)(struct pump *, int status); /* no more comes: 0, or libuv's error */
    bool reading, over;                       /* over: nothing more is sent */
};

/* Sets `data` of the two streams. */
void pump_init(struct pump *, struct answer *, uv_stream_t *to, uv_stream_t *from,
               void (*ended)(struct pump *, int status));
/* Begins to read from FROM. */
void pump_start(struct pump *);
/* Bytes from the connection; false when the stream is broken. */
bool pump_send(struct pump *, struct slice);
/* The connection takes bytes again. */
void pump_writable(struct pump *);
/* The connection says no more: TO is told, behind all that waits. */
void pump_finish(struct pump *);

#endif
