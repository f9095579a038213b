/* Files that are no captures but hold TLS all the same, made into packets: hex dumps, records,
 * certificates.  See capture/made.h for what the packets look like. */
#ifndef TLSWIRE_CAPTURE_MATERIAL_H
#define TLSWIRE_CAPTURE_MATERIAL_H

#include "base/error.h"
#include "capture/made.h"

enum material_kind {
    MATERIAL_ANY,     /* by its bytes */
    MATERIAL_HEX,     /* text; see capture/hex.h */
    MATERIAL_RECORDS, /* TLS records as they are */
};

/* The largest file that is read. */
#define MATERIAL_CEILING ((size_t)16 << 20)

/* Reads PATH ("-": standard input); SECOND, or NULL, holds what the server sent when PATH holds what the
 * client sent (MATERIAL_RECORDS).  NULL with E set; with MATERIAL_ANY also NULL without, when the file is
 * a capture. */
struct made *material_open(const char *path, const char *second, enum material_kind kind,
                           struct error *e);

#endif
