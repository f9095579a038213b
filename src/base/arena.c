#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct arena_block {
    struct arena_block *next;
    size_t size;
    alignas(max_align_t) unsigned char bytes[];
};

#define BLOCK_SIZE ((size_t)64 * 1024)

static struct arena_block *next_block(struct arena *a, size_t size)
{
    struct arena_block *next = a->current ? a->current->next : a->first;
    if (next && next->size >= size)
        return next;
    size_t want = size > BLOCK_SIZE ? size : BLOCK_SIZE;
    if (a->ceiling && (want > a->ceiling || a->total > a->ceiling - want))
        return NULL;
    if (!budget_take(a->budget, want))
        return NULL;
    struct arena_block *block = malloc(sizeof *block + want);
    if (!block) {
        budget_give(a->budget, want);
        return NULL;
    }
    block->size = want;
    block->next = next;
    a->total += want;
    if (a->current)
        a->current->next = block;
    else
        a->first = block;
    return block;
}

void *arena_alloc(struct arena *a, size_t size)
{
    size_t align = alignof(uint64_t); /* nothing here holds wider types; connections are many */
    if (size > (size_t)-1 - align)
        return NULL;
    size = (size + align - 1) & ~(align - 1);
    if (!a->current || a->current->size - a->used < size) {
        struct arena_block *block = next_block(a, size);
        if (!block)
            return NULL;
        a->current = block;
        a->used = 0;
    }
    void *at = a->current->bytes + a->used;
    a->used += size;
    return at;
}

void *arena_zalloc(struct arena *a, size_t size)
{
    void *at = arena_alloc(a, size);
    return at ? memset(at, 0, size) : NULL;
}

void arena_reset(struct arena *a)
{
    a->current = NULL;
    a->used = 0;
}

void arena_free(struct arena *a)
{
    for (struct arena_block *b = a->first; b;) {
        struct arena_block *next = b->next;
        free(b);
        b = next;
    }
    budget_give(a->budget, a->total);
    *a = (struct arena){.ceiling = a->ceiling, .budget = a->budget};
}
