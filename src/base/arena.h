/* Bump allocation for things that live as long as one packet, or as long as the engine.
 *
 * Blocks are kept when the arena is reset, so that an arena in steady use allocates nothing. */
#ifndef TLSWIRE_BASE_ARENA_H
#define TLSWIRE_BASE_ARENA_H

#include "base/budget.h"

#include <stdbool.h>
#include <stddef.h>

struct arena_block;

struct arena {
    struct arena_block *first, *current;
    size_t used;           /* bytes handed out from `current` */
    size_t total;          /* bytes held in all blocks */
    size_t ceiling;        /* most bytes held in all; 0 means no ceiling */
    struct budget *budget; /* borrowed; NULL: none */
};

/* SIZE bytes aligned for numbers and pointers, not cleared; NULL when the ceiling or memory says no. */
void *arena_alloc(struct arena *a, size_t size);
/* The same, cleared. */
void *arena_zalloc(struct arena *a, size_t size);
void arena_reset(struct arena *a);
void arena_free(struct arena *a);

#endif
