#include "crypto/key_wishes.h"

#include <stdlib.h>

#define FIRST_SLOTS ((size_t)256)
#define MOST_SLOTS  ((size_t)1 << 22) /* 32 MiB: more connections wish for all there is */
#define FETCHES     16

void key_wishes_init(struct key_wishes *w, uint64_t seed)
{
    *w = (struct key_wishes){.seed = seed, .fetches = FETCHES};
}

void key_wishes_free(struct key_wishes *w)
{
    free(w->slots);
    *w = (struct key_wishes){0};
}

/* The first eight bytes tell names apart: randoms are random.  0 is kept for empty slots. */
static uint64_t name_of(struct slice id)
{
    struct slice head = slice_sub(id, 0, 8);
    uint64_t name = slice_uint(&head, head.len);
    return name ? name : 1;
}

static size_t place(const struct key_wishes *w, uint64_t name)
{
    uint64_t mixed = (name ^ w->seed) * 0x9e3779b97f4a7c15u;
    return (size_t)(mixed >> 32) & (w->slot_count - 1);
}

/* The slot of the name, or the empty one where it belongs; a quarter of them is always empty. */
static uint64_t *slot_of(const struct key_wishes *w, uint64_t name)
{
    size_t at = place(w, name);
    while (w->slots[at] && w->slots[at] != name)
        at = (at + 1) & (w->slot_count - 1);
    return &w->slots[at];
}

static bool grow(struct key_wishes *w)
{
    struct key_wishes larger = *w;
    larger.slot_count = w->slot_count ? 2 * w->slot_count : FIRST_SLOTS;
    larger.slots =
        larger.slot_count <= MOST_SLOTS ? calloc(larger.slot_count, sizeof *larger.slots) : NULL;
    if (!larger.slots)
        return false;
    for (size_t i = 0; i < w->slot_count; i++)
        if (w->slots[i])
            *slot_of(&larger, w->slots[i]) = w->slots[i];
    free(w->slots);
    *w = larger;
    return true;
}

bool key_wishes_add(struct key_wishes *w, struct slice id)
{
    if ((w->count + 1) * 4 > w->slot_count * 3 && !grow(w)) {
        w->full = true;
        return false;
    }
    uint64_t name = name_of(id), *slot = slot_of(w, name);
    if (*slot)
        return false;
    *slot = name;
    w->count++;
    return true;
}

bool key_wishes_has(const struct key_wishes *w, struct slice id)
{
    return w->full || (w->slot_count > 0 && *slot_of(w, name_of(id)) != 0);
}
