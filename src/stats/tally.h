/* Things told apart by a key of bytes, in the order first seen: what statistics count in.
 *
 * Items come from an arena and keep their address.  There is a ceiling: what would pass it is
 * counted in `dropped`. */
#ifndef TLSWIRE_STATS_TALLY_H
#define TLSWIRE_STATS_TALLY_H

#include "base/arena.h"
#include "base/slice.h"

#include <stdint.h>

#define TALLY_CEILING 100000

struct tally_entry {
    uint64_t hash;
    uint32_t key_len;
    uint32_t number; /* place in the order, from 0 */
};

struct tally {
    struct arena arena;         /* owns keys and items */
    struct tally_entry **slots; /* owned; a power of two, or NULL */
    struct tally_entry **order; /* owned */
    uint32_t slot_count, count;
    size_t item_size;
    uint32_t ceiling; /* most items */
    uint64_t dropped; /* times that a new item was not taken */
};

/* BUDGET is shared, borrowed, and may be NULL. */
void tally_init(struct tally *t, size_t item_size, uint32_t ceiling, struct budget *budget);
void tally_free(struct tally *t);
/* The item of KEY, made and cleared when it is not there; NULL past the ceiling. */
void *tally_item(struct tally *t, struct slice key);
/* The same, but never made. */
void *tally_find(const struct tally *t, struct slice key);
/* Item INDEX in the order first seen, and its key. */
void *tally_at(const struct tally *t, uint32_t index);
struct slice tally_key(const struct tally *t, uint32_t index);
/* Sorts the items: MORE says how much more A counts than B, in its sign.  Those that count alike stay in
 * their order. */
void tally_sort(struct tally *t, int (*more)(const void *a, const void *b));

#endif
