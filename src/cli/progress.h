/* How far a long reading has come: a line on the terminal that erases itself. */
#ifndef TLSWIRE_CLI_PROGRESS_H
#define TLSWIRE_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    uint64_t size; /* bytes to go through; 0: says nothing */
    uint64_t calls;
    int64_t next_ms; /* when to write again */
    bool shown;
};

/* Quiet unless stderr is a terminal, the output goes elsewhere, and PATH is a file with a size. */
void progress_start(struct progress *p, const char *path);
/* True now and then: then it is worth finding out the offset for progress_show(). */
static inline bool progress_due(struct progress *p)
{
    return p->size > 0 && (++p->calls & 1023) == 0;
}
/* OFFSET: bytes done. */
void progress_show(struct progress *p, uint64_t offset);
void progress_end(struct progress *p);

#endif
