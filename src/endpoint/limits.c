#include "endpoint/limits.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct peer {
    uint64_t address; /* see key_of; 0: this place is free */
    unsigned count;
};

/* Open addressing, at most half full: there are no more peers than connections. */
struct limits {
    pthread_mutex_t lock;
    unsigned total, per_peer, open;
    size_t places; /* a power of two */
    struct peer peers[];
};

struct limits *limits_new(unsigned total, unsigned per_peer)
{
    size_t places = 16;
    while (places < 2 * (size_t)total && places < (size_t)1 << 24)
        places *= 2;
    struct limits *l = calloc(1, sizeof(*l) + places * sizeof(struct peer));
    if (!l)
        return NULL;
    pthread_mutex_init(&l->lock, NULL);
    l->total = total < places ? total : (unsigned)places - 1;
    l->per_peer = per_peer;
    l->places = places;
    return l;
}

void limits_free(struct limits *l)
{
    if (!l)
        return;
    pthread_mutex_destroy(&l->lock);
    free(l);
}

static uint64_t key_of(const struct sockaddr_storage *peer)
{
    uint64_t key = 0;
    if (peer->ss_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const void *)peer;
        memcpy(&key, v6->sin6_addr.s6_addr, sizeof(key));
        if (key == 0) /* ::1 and the like */
            memcpy(&key, v6->sin6_addr.s6_addr + 8, sizeof(key));
    } else if (peer->ss_family == AF_INET) {
        const struct sockaddr_in *v4 = (const void *)peer;
        key = UINT64_C(0xffff00000000) | v4->sin_addr.s_addr;
    }
    return key ? key : 1;
}

static size_t place_of(const struct limits *l, uint64_t key)
{
    return (size_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (l->places - 1);
}

static struct peer *find(struct limits *l, uint64_t key)
{
    size_t at = place_of(l, key);
    for (size_t i = 0; i < l->places; i++, at = (at + 1) & (l->places - 1))
        if (l->peers[at].address == key || l->peers[at].address == 0)
            return &l->peers[at];
    return NULL;
}

/* Closes the hole that a peer leaves, so that searches still end at the first free place. */
static void forget(struct limits *l, struct peer *gone)
{
    size_t hole = (size_t)(gone - l->peers), mask = l->places - 1;
    for (size_t at = (hole + 1) & mask; l->peers[at].address != 0; at = (at + 1) & mask) {
        size_t home = place_of(l, l->peers[at].address);
        if (((at - home) & mask) >= ((at - hole) & mask)) {
            l->peers[hole] = l->peers[at];
            hole = at;
        }
    }
    l->peers[hole] = (struct peer){.address = 0};
}

bool limits_full(struct limits *l)
{
    pthread_mutex_lock(&l->lock);
    bool full = l->open >= l->total;
    pthread_mutex_unlock(&l->lock);
    return full;
}

enum limits_answer limits_enter(struct limits *l, const struct sockaddr_storage *peer)
{
    uint64_t key = key_of(peer);
    enum limits_answer answer = LIMITS_FINE;
    pthread_mutex_lock(&l->lock);
    struct peer *p = find(l, key);
    if (!p || l->open >= l->total)
        answer = LIMITS_FULL;
    else if (l->per_peer > 0 && p->count >= l->per_peer)
        answer = LIMITS_PEER_FULL;
    if (answer == LIMITS_FINE) {
        p->address = key;
        p->count++;
        l->open++;
    }
    pthread_mutex_unlock(&l->lock);
    return answer;
}

void limits_leave(struct limits *l, const struct sockaddr_storage *peer)
{
    pthread_mutex_lock(&l->lock);
    struct peer *p = find(l, key_of(peer));
    if (p && p->count > 0) {
        l->open--;
        if (--p->count == 0)
            forget(l, p);
    }
    pthread_mutex_unlock(&l->lock);
}

unsigned limits_open(struct limits *l)
{
    pthread_mutex_lock(&l->lock);
    unsigned open = l->open;
    pthread_mutex_unlock(&l->lock);
    return open;
}
