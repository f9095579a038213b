#include "stream/flow.h"

#include <stdlib.h>

#define FIRST_CAPACITY 256
#define MAX_CAPACITY   ((uint32_t)1 << 28)

void flow_table_init(struct flow_table *t, uint64_t seed)
{
    *t = (struct flow_table){.seed = seed};
}

void flow_table_free(struct flow_table *t)
{
    free(t->slots);
    arena_free(&t->arena);
    *t = (struct flow_table){0};
}

static uint64_t mix(uint64_t a, uint64_t b)
{
    __extension__ unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint32_t key_hash(const struct flow_table *t, const struct flow_key *k)
{
    uint64_t ports = (uint64_t)k->low_port << 48 | (uint64_t)k->high_port << 32 | k->kind;
    ports = mix(ports ^ t->seed, 0x8ebc6af09c88c6e3); /* ports in a row would stand in a row */
    uint64_t h = mix(t->seed ^ k->low[1] ^ 0x9e3779b97f4a7c15, k->high[1] ^ 0xbf58476d1ce4e5b9);
    if (k->kind != ADDRESS_IPV4)
        h ^= mix(t->seed ^ k->low[0] ^ 0x94d049bb133111eb, k->high[0] ^ 0xd6e8feb86659fd93);
    return (uint32_t)mix(h ^ 0xa0761d6478bd642f, ports ^ 0xe7037ed1a0b428db);
}

static bool same_key(const struct flow_key *a, const struct flow_key *b)
{
    return a->low[1] == b->low[1] && a->high[1] == b->high[1] && a->low_port == b->low_port &&
           a->high_port == b->high_port && a->low[0] == b->low[0] && a->high[0] == b->high[0] &&
           a->kind == b->kind;
}

/* The slot that holds KEY, or the free one where it would go. */
static struct flow **slot_of(const struct flow_table *t, const struct flow_key *key, uint32_t hash)
{
    uint32_t mask = t->capacity - 1;
    for (uint32_t i = hash & mask;; i = (i + 1) & mask) {
        struct flow *f = t->slots[i];
        if (!f || (f->hash == hash && same_key(&f->key, key)))
            return &t->slots[i];
    }
}

struct flow *flow_find(const struct flow_table *t, const struct flow_key *key)
{
    return t->capacity ? *slot_of(t, key, key_hash(t, key)) : NULL;
}

/* At most half full, so that the search for a slot always ends. */
static bool make_room(struct flow_table *t)
{
    if ((t->count + 1) * 2 <= t->capacity)
        return true;
    uint32_t capacity = t->capacity ? t->capacity * 2 : FIRST_CAPACITY;
    struct flow **slots = capacity <= MAX_CAPACITY ? calloc(capacity, sizeof *slots) : NULL;
    if (!slots)
        return false;
    struct flow **old = t->slots;
    uint32_t old_capacity = t->capacity;
    t->slots = slots;
    t->capacity = capacity;
    for (uint32_t i = 0; i < old_capacity; i++)
        if (old[i])
            *slot_of(t, &old[i]->key, old[i]->hash) = old[i];
    free(old);
    return true;
}

static void side_init(struct tcp_side *side)
{
    side->window = UINT32_MAX;
    side->shift = TCP_SCALE_UNKNOWN;
    side->valid_flight = true;
}

struct flow *flow_add(struct flow_table *t, const struct flow_key *key)
{
    struct flow *f = make_room(t) ? arena_zalloc(&t->arena, sizeof *f) : NULL;
    if (!f)
        return NULL;
    f->key = *key;
    f->hash = key_hash(t, key);
    f->stream = t->streams++;
    f->syn_time = f->initial_rtt = TCP_NO_TIME;
    side_init(&f->side[0]);
    side_init(&f->side[1]);
    f->next = t->flows;
    t->flows = f;
    struct flow **slot = slot_of(t, key, f->hash);
    t->count += !*slot;
    *slot = f;
    return f;
}

bool flow_unacked_add(struct flow_table *t, struct tcp_side *side, struct tcp_unacked segment)
{
    struct tcp_unacked *u = t->free_unacked;
    if (side->unacked_count >= TCP_MAX_UNACKED)
        return false;
    if (u)
        t->free_unacked = u->next;
    else if (!(u = arena_alloc(&t->arena, sizeof *u)))
        return false;
    *u = segment;
    u->next = NULL;
    if (side->youngest)
        side->youngest->next = u;
    else
        side->oldest = u;
    side->youngest = u;
    side->unacked_count++;
    return true;
}

void flow_unacked_free(struct flow_table *t, struct tcp_unacked *segment)
{
    segment->next = t->free_unacked;
    t->free_unacked = segment;
}
