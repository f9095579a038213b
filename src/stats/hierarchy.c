/* -z io,phs: which protocol stood in which, as a tree. */
#include "stats/stats_private.h"

#include <stdlib.h>

#define MAX_NODES 4096
#define MAX_DEPTH 40

struct node {
    uint16_t protocol;
    uint16_t child, sibling; /* 0: none */
    uint64_t frames, bytes;
};

struct hierarchy {
    struct node nodes[MAX_NODES]; /* the first stands for the frame */
    uint16_t count;
    uint64_t dropped;
};

bool hierarchy_open(struct stat *s, struct error *error)
{
    struct hierarchy *h = stat_state(s, sizeof *h, error);
    if (!h)
        return false;
    h->count = 1;
    return stat_filter(s, stat_rest(s), "io,phs tap", error);
}

void hierarchy_want(const struct stat *s, uint8_t *want)
{
    (void)s;
    for (size_t i = 1; i < FIELD_COUNT; i++)
        if (fields[i].type == TYPE_PROTOCOL)
            want[i] = 1;
    want[F_tcp_segments] = 1; /* stands beside TCP, as a protocol does */
}

/* The child of PARENT for PROTOCOL, added behind its siblings; 0 past the ceiling. */
static uint16_t child_of(struct hierarchy *h, uint16_t parent, uint16_t protocol)
{
    uint16_t *link = &h->nodes[parent].child;
    while (*link && h->nodes[*link].protocol != protocol)
        link = &h->nodes[*link].sibling;
    if (!*link && h->count < MAX_NODES) {
        *link = h->count++;
        h->nodes[*link].protocol = protocol;
    }
    return *link;
}

/* Goes on from node AT; 0 past a ceiling, and the packet is counted as such. */
static uint16_t descend(struct hierarchy *h, uint16_t at, uint16_t protocol, uint32_t bytes)
{
    at = child_of(h, at, protocol);
    if (at == 0) {
        h->dropped++;
        return 0;
    }
    h->nodes[at].frames++;
    h->nodes[at].bytes += bytes;
    return at;
}

/* The list of a stream's reassembled segments counts as a protocol, after what was in them. */
void hierarchy_packet(struct stat *s, const struct dissection *d)
{
    struct hierarchy *h = s->state;
    const struct tape *t = &d->tape;
    uint32_t depth = 0, bytes = d->packet->len;
    uint16_t at = 0;
    bool waiting = false;
    for (uint32_t i = 0; i <= t->count && depth < MAX_DEPTH; i++) {
        const struct event *e = i < t->count ? &t->events[i] : NULL;
        bool list = e && e->field == F_tcp_segments;
        if (e && (e->depth > 0 || e->field == F_frame))
            continue;
        if (waiting && (!e || list || e->source == 0)) {
            if (!(at = descend(h, at, F_tcp_segments, bytes)))
                return;
            waiting = false;
            depth++;
        }
        waiting |= list;
        if (!e || list)
            continue;
        if (!(at = descend(h, at, e->field, bytes)))
            return;
        depth++;
    }
}

static void put_nodes(const struct hierarchy *h, struct buf *out, uint16_t first, size_t depth)
{
    for (uint16_t at = first; at; at = h->nodes[at].sibling) {
        const struct node *n = &h->nodes[at];
        const char *name = fields[n->protocol].abbrev;
        size_t used = 2 * depth + strlen(name);
        buf_fill(out, ' ', 2 * depth);
        buf_str(out, name);
        buf_fill(out, ' ', used < 40 ? 40 - used : 0);
        buf_printf(out, " frames:%llu bytes:%llu\n", (unsigned long long)n->frames,
                   (unsigned long long)n->bytes);
        if (depth < MAX_DEPTH)
            put_nodes(h, out, n->child, depth + 1);
    }
}

#define RULE "===================================================================\n"

void hierarchy_end(struct stat *s, struct buf *out)
{
    const struct hierarchy *h = s->state;
    buf_str(out, "\n" RULE "Protocol Hierarchy Statistics\nFilter: ");
    buf_str(out, s->filter_text ? s->filter_text : "");
    buf_str(out, "\n\n");
    put_nodes(h, out, h->nodes[0].child, 0);
    if (h->dropped > 0)
        buf_printf(out, "[%llu packets more are nested too deep or in too many ways to be shown]\n",
                   (unsigned long long)h->dropped);
    buf_str(out, RULE);
}

void hierarchy_close(struct stat *s)
{
    free(s->state);
}
