/* Where a capture reader's bytes come from: memory, a mapped file, a descriptor that is read as it
 * fills, or another source that is decompressed on the way.
 *
 * One window of bytes is kept.  source_need() makes it long enough, source_take() moves over it.
 * A window over memory is never copied; one over a descriptor slides in a bounded buffer. */
#ifndef TLSWIRE_CAPTURE_SOURCE_H
#define TLSWIRE_CAPTURE_SOURCE_H

#include "base/error.h"
#include "base/slice.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The longest run of bytes that can be asked for at once: a pcapng block of 16 MiB. */
#define SOURCE_CEILING ((size_t)16 << 20)

/* Of a mapped file, at most twice as many bytes stay in memory after they were read. */
#define SOURCE_RELEASE_STEP ((size_t)256 << 10)

struct source;
struct inflater;

/* Puts up to SIZE more bytes at TARGET; returns how many, 0 at the end, -1 with `s->error` set. */
typedef ptrdiff_t source_fetch(struct source *s, uint8_t *target, size_t size);

struct source {
    struct slice window;               /* bytes that are there and not yet taken */
    uint64_t offset;                   /* of the window's first byte in the (decompressed) file */
    source_fetch *fetch;               /* NULL: the window is all there is */
    uint8_t *buffer;                   /* owned; NULL without fetch */
    size_t capacity;                   /* of `buffer` */
    size_t start;                      /* of the window in `buffer` */
    const volatile sig_atomic_t *stop; /* when set non-zero, the input ends; may be NULL */
    void *map;                         /* mapped file, or NULL */
    size_t map_size;
    bool gives_back;         /* `whole` is a mapped file: pages that were read are released again */
    uint64_t released;       /* bytes from the start of the file that were */
    struct slice whole;      /* all the raw bytes, when they are in memory */
    struct source *upstream; /* owned: the compressed bytes; NULL when there are none */
    struct inflater *inflater; /* owned */
    struct error error;        /* a failed read or a broken compressed stream */
    int fd;                    /* -1 when there is none */
    bool owns_fd;
    bool at_end; /* fetch has nothing more */
    bool cut;    /* `error` is that a compressed stream ends too soon */
};

/* The bytes must stay until source_close(). */
void source_from_memory(struct source *s, const void *data, size_t size);
/* Maps a regular file, else reads.  Takes over FD when OWNED. */
void source_from_fd(struct source *s, int fd, bool owned);
/* When the first bytes say gzip, zstd or lz4, puts a decompressor in between.  Returns its name, NULL
 * when the bytes are not compressed or on an error (then s->error is set). */
const char *source_decompress(struct source *s);
void source_close(struct source *s);

bool source_fill(struct source *s, size_t size);
/* Releases the pages before the window, see source_take(). */
void source_release(struct source *s);

/* True when at least SIZE bytes (at most SOURCE_CEILING) are in the window; waits for them. */
static inline bool source_need(struct source *s, size_t size)
{
    return s->window.len >= size || source_fill(s, size);
}

/* Takes SIZE bytes that source_need() has found.  Good until the next source_need().
 *
 * Reading a large mapped file must not fill the memory with it.  Released bytes stay valid: they are
 * read from the file again if somebody looks at them. */
static inline struct slice source_take(struct source *s, size_t size)
{
    s->offset += size;
    s->start += size;
    if (s->gives_back && s->offset - s->released >= 2 * SOURCE_RELEASE_STEP)
        source_release(s);
    return slice_take(&s->window, size);
}

#endif
