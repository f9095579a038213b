#include "stats/tally.h"

#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define FIRST_SLOTS 64

/* The item stands right after its entry, the key after the item. */
static size_t rounded(size_t size)
{
    return (size + 15) / 16 * 16;
}

static uint8_t *item_of(struct tally_entry *e)
{
    return (uint8_t *)e + rounded(sizeof *e);
}

static struct slice key_of(const struct tally *t, struct tally_entry *e)
{
    return slice_of(item_of(e) + rounded(t->item_size), e->key_len);
}

void tally_init(struct tally *t, size_t item_size, uint32_t ceiling, struct budget *budget)
{
    *t = (struct tally){.item_size = item_size, .ceiling = ceiling, .arena = {.budget = budget}};
}

/* What the slots and the order take, when there are SLOTS of them. */
static size_t index_size(uint32_t slots)
{
    return ((size_t)slots + slots / 2) * sizeof(struct tally_entry *);
}

void tally_free(struct tally *t)
{
    arena_free(&t->arena);
    budget_give(t->arena.budget, index_size(t->slot_count));
    free(t->slots);
    free(t->order);
    t->slots = t->order = NULL;
    t->slot_count = t->count = 0;
}

/* The slot that holds the key, or the free one where it belongs. */
static struct tally_entry **slot_of(const struct tally *t, struct slice key, uint64_t hash)
{
    uint32_t at = (uint32_t)hash & (t->slot_count - 1);
    while (t->slots[at] &&
           (t->slots[at]->hash != hash || !slice_equal(key_of(t, t->slots[at]), key)))
        at = (at + 1) & (t->slot_count - 1);
    return &t->slots[at];
}

/* Room for one more, at most half of the slots used. */
static bool make_room(struct tally *t)
{
    if ((t->count + 1) * 2 <= t->slot_count)
        return true;
    uint32_t size = t->slot_count ? t->slot_count * 2 : FIRST_SLOTS;
    size_t more = index_size(size) - index_size(t->slot_count);
    if (!budget_take(t->arena.budget, more))
        return false;
    struct tally_entry **slots = calloc(size, sizeof(struct tally_entry *));
    struct tally_entry **order = realloc(t->order, size / 2 * sizeof(struct tally_entry *));
    if (order)
        t->order = order;
    if (!slots || !order) {
        free(slots);
        budget_give(t->arena.budget, more);
        return false;
    }
    free(t->slots);
    t->slots = slots;
    t->slot_count = size;
    for (uint32_t i = 0; i < t->count; i++) {
        uint32_t at = (uint32_t)order[i]->hash & (size - 1);
        while (slots[at])
            at = (at + 1) & (size - 1);
        slots[at] = order[i];
    }
    return true;
}

static uint64_t hash_of(const struct tally *t, struct slice key)
{
    /* The table's address is different in each run: enough against chosen collisions. */
    return XXH3_64bits_withSeed(key.data, key.len, (XXH64_hash_t)(uintptr_t)t);
}

void *tally_find(const struct tally *t, struct slice key)
{
    if (t->count == 0)
        return NULL;
    struct tally_entry *e = *slot_of(t, key, hash_of(t, key));
    return e ? item_of(e) : NULL;
}

void *tally_item(struct tally *t, struct slice key)
{
    void *found = tally_find(t, key);
    if (found)
        return found;
    struct tally_entry *e = NULL;
    size_t head = rounded(sizeof *e) + rounded(t->item_size);
    if (t->count < t->ceiling && make_room(t))
        e = arena_zalloc(&t->arena, head + key.len);
    if (!e) {
        t->dropped++;
        return NULL;
    }
    e->hash = hash_of(t, key);
    e->key_len = (uint32_t)key.len;
    e->number = t->count;
    (void)slice_read(&key, (uint8_t *)e + head, key.len);
    t->order[t->count++] = e;
    *slot_of(t, key_of(t, e), e->hash) = e;
    return item_of(e);
}

void *tally_at(const struct tally *t, uint32_t index)
{
    return item_of(t->order[index]);
}

struct slice tally_key(const struct tally *t, uint32_t index)
{
    return key_of(t, t->order[index]);
}

static int by_count(const void *a, const void *b, void *more)
{
    struct tally_entry *x = *(struct tally_entry *const *)a, *y = *(struct tally_entry *const *)b;
    int (**compare)(const void *, const void *) = more;
    int difference = (*compare)(item_of(x), item_of(y));
    if (difference != 0)
        return -difference;
    return x->number < y->number ? -1 : x->number > y->number;
}

void tally_sort(struct tally *t, int (*more)(const void *a, const void *b))
{
    if (t->count > 1)
        qsort_r(t->order, t->count, sizeof(struct tally_entry *), by_count, &more);
}
