/* Decompression of capture files: gzip (RFC 1952), Zstandard (RFC 8878) and lz4 frames, streamed,
 * never whole.  xz and bzip2 are recognised, and refused with what to do. */
#ifndef TLSWIRE_CAPTURE_INFLATE_H
#define TLSWIRE_CAPTURE_INFLATE_H

#include "base/error.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct inflater;

struct inflate_step {
    size_t used, made; /* bytes taken from the input, bytes put in the output */
    const char *error; /* NULL when all is well */
    bool cut;          /* the error is that the input ends too soon */
};

/* By the first bytes of a file; NULL when they are of no compressed kind, or with E set. */
struct inflater *inflater_for(struct slice first, struct error *e);
const char *inflater_name(const struct inflater *in);
/* LAST: no input follows.  What comes out before damage is handed out first, then the error. */
struct inflate_step inflate_step(struct inflater *in, struct slice input, bool last,
                                 uint8_t *target, size_t size);
void inflater_free(struct inflater *in);

#endif
