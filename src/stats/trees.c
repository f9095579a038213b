/* -z …,tree: packets counted by length, address, protocol or port, with rates and bursts, as tshark's trees. */
#include "stats/stats_private.h"

#include <stdlib.h>

#define TREE_CEILING 50000 /* nodes */
#define MAX_DEPTH    4
#define NO_NODE      UINT32_MAX

/* A burst is what falls into a window of 100 ms, which is seen in steps of 5 ms. */
#define STEP_NS      5000000
#define WINDOW_MS    100
#define WINDOW_STEPS 20

enum { UNUSED = 0, TREE_TEXT = 64 };

struct step {
    uint32_t count;
    uint32_t first; /* ns after the step's begin, plus 1, of the first packet in it; UNUSED */
};

struct burst {
    int64_t head, tail; /* the oldest and the youngest step that is used */
    struct step steps[WINDOW_STEPS];
    uint32_t count, most;
    int64_t most_start; /* ns */
};

struct node {
    uint32_t number, first_child, last_child, next; /* NO_NODE: none */
    uint64_t count, total;
    uint32_t least, most;
    struct burst burst;
};

struct tree {
    const struct tree_kind *kind;
    struct tally tally;
    uint32_t roots[2];
    int64_t first, now; /* ns */
    bool begun;
    struct buf text;
};

enum tree_of { OF_LENGTHS, OF_HOSTS, OF_PROTOCOLS, OF_ENDS, OF_PORTS };

static const struct tree_kind {
    const char *title;
    enum tree_of of;
    bool is_ipv6;
    const char *roots[2];
} kinds[] = {
    {"Packet Lengths", OF_LENGTHS, false, {"Packet Lengths", NULL}},
    {"IPv4 Statistics/All Addresses", OF_HOSTS, false, {"All Addresses", NULL}},
    {"IPv4 Statistics/IP Protocol Types", OF_PROTOCOLS, false, {"IP Protocol Types", NULL}},
    {"IPv4 Statistics/Source and Destination Addresses",
     OF_ENDS,
     false,
     {"Source IPv4 Addresses", "Destination IPv4 Addresses"}},
    {"IPv4 Statistics/Destinations and Ports", OF_PORTS, false, {"Destinations and Ports", NULL}},
    {"IPv6 Statistics/All Addresses", OF_HOSTS, true, {"All Addresses", NULL}},
    {"IPv6 Statistics/IP Protocol Types", OF_PROTOCOLS, true, {"IP Protocol Types", NULL}},
    {"IPv6 Statistics/Source and Destination Addresses",
     OF_ENDS,
     true,
     {"Source IPv6 Addresses", "Destination IPv6 Addresses"}},
    {"IPv6 Statistics/Destinations and Ports", OF_PORTS, true, {"Destinations and Ports", NULL}},
};

static const struct {
    const char *name;
    uint32_t most;
} lengths[] = {
    {"0-19", 19},        {"20-39", 39},
    {"40-79", 79},       {"80-159", 159},
    {"160-319", 319},    {"320-639", 639},
    {"640-1279", 1279},  {"1280-2559", 2559},
    {"2560-5119", 5119}, {"5120 and greater", UINT32_MAX},
};

#define LENGTHS (sizeof lengths / sizeof lengths[0])

/* ---- counting ---- */

static struct node *node_at(const struct tree *t, uint32_t number)
{
    return tally_at(&t->tally, number);
}

/* The node NAME below PARENT; NULL past the ceiling. */
static struct node *node_of(struct tree *t, uint32_t parent, struct slice name)
{
    uint32_t before = t->tally.count;
    buf_clear(&t->text);
    buf_put(&t->text, &parent, sizeof parent);
    buf_slice_put(&t->text, name);
    struct node *n = tally_item(&t->tally, buf_slice(&t->text));
    if (!n || t->tally.count == before)
        return n;
    n->number = before;
    n->first_child = n->last_child = n->next = NO_NODE;
    n->least = UINT32_MAX;
    n->burst.steps[0].first = UNUSED + 1; /* the window begins with the capture */
    if (parent == NO_NODE)
        return n;
    struct node *p = node_at(t, parent);
    if (p->first_child == NO_NODE)
        p->first_child = before;
    else
        node_at(t, p->last_child)->next = before;
    p->last_child = before;
    return n;
}

static struct node *node_named(struct tree *t, uint32_t parent, const char *name)
{
    return node_of(t, parent, slice_of_str(name));
}

static struct step *step_of(struct burst *b, int64_t number)
{
    int64_t at = number % WINDOW_STEPS;
    return &b->steps[at < 0 ? at + WINDOW_STEPS : at];
}

/* Moves the window so that TAIL is its last step; what it leaves is forgotten. */
static void burst_move(struct burst *b, int64_t tail)
{
    for (unsigned i = 0; i < WINDOW_STEPS && b->head <= tail - WINDOW_STEPS; b->head++, i++) {
        struct step *s = step_of(b, b->head);
        b->count -= s->count;
        *s = (struct step){0};
    }
    if (b->head <= tail - WINDOW_STEPS)
        b->head = tail;
    b->tail = tail;
}

static void burst_add(struct burst *b, int64_t now)
{
    int64_t number = now / STEP_NS - (now % STEP_NS < 0);
    if (number <= b->tail - WINDOW_STEPS)
        return; /* too late for the window */
    if (number > b->tail)
        burst_move(b, number);
    if (number < b->head)
        b->head = number;
    struct step *s = step_of(b, number);
    uint32_t first = (uint32_t)(now - number * STEP_NS) + 1;
    if (s->first == UNUSED || first < s->first)
        s->first = first;
    s->count++;
    b->count++;
    while (b->head < b->tail && step_of(b, b->head)->first == UNUSED)
        b->head++;
    if (b->count > b->most) {
        b->most = b->count;
        b->most_start = b->head * STEP_NS + step_of(b, b->head)->first - 1;
    }
}

/* Counts a packet in N and returns its number, under which its children are. */
static uint32_t tick(const struct tree *t, struct node *n)
{
    if (!n)
        return NO_NODE;
    n->count++;
    burst_add(&n->burst, t->now);
    return n->number;
}

static void tick_length(const struct tree *t, struct node *n, uint32_t length)
{
    (void)tick(t, n);
    n->total += length;
    n->least = length < n->least ? length : n->least;
    n->most = length > n->most ? length : n->most;
}

static void count_length(struct tree *t, uint32_t length)
{
    size_t at = 0;
    while (length > lengths[at].most)
        at++;
    tick_length(t, node_at(t, t->roots[0]), length);
    tick_length(t, node_named(t, t->roots[0], lengths[at].name), length);
}

static uint32_t tick_address(struct tree *t, uint32_t parent, const struct address *a)
{
    uint8_t room[TREE_TEXT];
    struct buf name = {.data = room, .cap = sizeof room, .ceiling = sizeof room};
    stat_address(&name, a);
    return tick(t, node_of(t, parent, buf_slice(&name)));
}

/* Which ports the packet has; those of the layer that was read last, as the addresses. */
static const char *ports_of(const struct dissection *d, uint64_t *destination)
{
    const struct tape *t = &d->tape;
    bool udp = false;
    *destination = 0;
    if (d->columns.has_tcp) {
        *destination = d->tcp.destination_port;
        return "TCP";
    }
    for (uint32_t i = 0; i < t->count; i++)
        if (t->events[i].field == F_udp_dstport) {
            *destination = t->events[i].value;
            udp = true;
        }
    return udp ? "UDP" : "NONE";
}

static void count_ip(struct tree *t, const struct dissection *d)
{
    const struct columns *c = &d->columns;
    uint64_t port;
    const char *type = ports_of(d, &port);
    uint32_t at = tick(t, node_at(t, t->roots[0]));
    switch (t->kind->of) {
    case OF_HOSTS:
        (void)tick_address(t, at, &c->source);
        (void)tick_address(t, at, &c->destination);
        break;
    case OF_PROTOCOLS:
        (void)tick(t, node_named(t, at, type));
        break;
    case OF_ENDS:
        (void)tick_address(t, at, &c->source);
        (void)tick_address(t, tick(t, node_at(t, t->roots[1])), &c->destination);
        break;
    case OF_PORTS:
        at = tick_address(t, at, &c->destination);
        at = at == NO_NODE ? at : tick(t, node_named(t, at, type));
        if (at != NO_NODE) {
            uint8_t room[TREE_TEXT];
            struct buf name = {.data = room, .cap = sizeof room, .ceiling = sizeof room};
            buf_dec(&name, port);
            (void)tick(t, node_of(t, at, buf_slice(&name)));
        }
        break;
    case OF_LENGTHS:
        break;
    }
}

bool tree_open(struct stat *s, struct error *error)
{
    struct tree *t = stat_state(s, sizeof *t, error);
    if (!t)
        return false;
    t->kind = &kinds[s->kind->variant];
    tally_init(&t->tally, sizeof(struct node), TREE_CEILING, &s->shared->budget);
    for (size_t i = 0; i < 2; i++) {
        struct node *root = t->kind->roots[i] ? node_named(t, NO_NODE, t->kind->roots[i]) : NULL;
        t->roots[i] = root ? root->number : NO_NODE;
    }
    for (size_t i = 0; t->kind->of == OF_LENGTHS && i < LENGTHS; i++)
        (void)node_named(t, t->roots[0], lengths[i].name);
    if (t->tally.dropped > 0)
        return error_set(error, ERROR_MEMORY, "out of memory");
    return stat_tap_filter(s, stat_rest(s), "stats_tree for: ", t->kind->title,
                           " failed to attach to the tap", error);
}

void tree_want(const struct stat *s, uint8_t *want)
{
    const struct tree *t = s->state;
    if (t->kind->of == OF_LENGTHS)
        return;
    want[t->kind->is_ipv6 ? F_ipv6 : F_ip] = 1;
    want[F_udp_dstport] = 1;
}

/* Rates are over the time from the first packet counted to the last. */
static void begin(struct tree *t, const struct dissection *d)
{
    t->now = d->time_relative;
    if (!t->begun)
        t->first = t->now;
    t->begun = true;
}

/* Not a header that is no good, nor a piece of an IPv6 packet that is not whole yet. */
static bool counts(const struct tree *t, const struct columns *c)
{
    static const char piece[] = "IPv6 fragment ";
    if (c->source.kind != ADDRESS_IPV4 && c->source.kind != ADDRESS_IPV6)
        return false;
    return !t->kind->is_ipv6 || c->has_tcp ||
           !slice_is(slice_sub(slice_of(c->lower_info, c->lower_info_len), 0, sizeof piece - 1),
                     piece);
}

void tree_packet(struct stat *s, const struct dissection *d)
{
    struct tree *t = s->state;
    if (t->kind->of == OF_LENGTHS) {
        begin(t, d);
        count_length(t, d->packet->len);
        return;
    }
    for (uint32_t i = 0; i < d->tape.count && counts(t, &d->columns); i++)
        if (d->tape.events[i].field == (t->kind->is_ipv6 ? F_ipv6 : F_ip)) {
            begin(t, d);
            count_ip(t, d);
        }
}

/* ---- what is written ---- */

#define CELL 14

static struct slice name_of(const struct tree *t, uint32_t number)
{
    struct slice key = tally_key(&t->tally, number);
    slice_skip(&key, sizeof(uint32_t));
    return key;
}

static size_t widest(const struct tree *t, uint32_t first, size_t depth)
{
    size_t width = 0;
    for (uint32_t at = first; at != NO_NODE; at = node_at(t, at)->next) {
        const struct node *n = node_at(t, at);
        size_t own = name_of(t, at).len + depth;
        size_t below = depth < MAX_DEPTH ? widest(t, n->first_child, depth + 1) : 0;
        own = below > own ? below : own;
        width = own > width ? own : width;
    }
    return width;
}

/* What was counted more often stands first; of the same number, what is later in the alphabet. */
static int by_count(const void *a, const void *b, void *tree)
{
    const struct tree *t = tree;
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    uint64_t p = node_at(t, x)->count, q = node_at(t, y)->count;
    if (p != q)
        return p > q ? -1 : 1;
    struct slice m = name_of(t, x), n = name_of(t, y);
    int order = memcmp(m.data, n.data, m.len < n.len ? m.len : n.len);
    return order != 0 ? -order : m.len < n.len ? 1 : m.len > n.len ? -1 : 0;
}

static void sort_children(struct tree *t, struct node *parent, size_t depth)
{
    uint32_t count = 0, at;
    for (at = parent->first_child; at != NO_NODE; at = node_at(t, at)->next)
        count++;
    uint32_t *order = count > 0 ? calloc(count, sizeof *order) : NULL;
    if (!order)
        return;
    count = 0;
    for (at = parent->first_child; at != NO_NODE; at = node_at(t, at)->next) {
        order[count++] = at;
        if (depth < MAX_DEPTH)
            sort_children(t, node_at(t, at), depth + 1);
    }
    qsort_r(order, count, sizeof *order, by_count, t);
    parent->first_child = order[0];
    for (uint32_t i = 0; i < count; i++)
        node_at(t, order[i])->next = i + 1 < count ? order[i + 1] : NO_NODE;
    free(order);
}

static void put_cell(struct tree *t, struct buf *out)
{
    stat_pad(out, buf_slice(&t->text), -CELL);
    buf_clear(&t->text);
}

static void put_node(struct tree *t, struct buf *out, const struct node *n,
                     const struct node *parent)
{
    bool lengths_too = t->kind->of == OF_LENGTHS, none = n->count == 0;
    double elapsed = (double)(t->now - t->first) / 1e6;
    buf_printf(&t->text, "%llu", (unsigned long long)n->count);
    put_cell(t, out);
    if (lengths_too && !none)
        buf_printf(&t->text, "%.2f", (double)((float)n->total / (float)n->count));
    else
        buf_str(&t->text, lengths_too ? "-" : "");
    put_cell(t, out);
    for (unsigned i = 0; i < 2; i++) {
        if (lengths_too && !none)
            buf_dec(&t->text, i == 0 ? n->least : n->most);
        else
            buf_str(&t->text, lengths_too ? "-" : "");
        put_cell(t, out);
    }
    if (elapsed > 0)
        buf_printf(&t->text, "%.4f", (double)((float)n->count / (float)elapsed));
    put_cell(t, out);
    if (parent)
        buf_printf(&t->text, "%.2f%%",
                   parent->count > 0 ? (double)n->count * 100 / (double)parent->count : 0.0);
    else
        buf_str(&t->text, "100%");
    put_cell(t, out);
    if (n->burst.most > 0)
        buf_printf(&t->text, "%.4f", (double)n->burst.most / WINDOW_MS);
    else
        buf_char(&t->text, '-');
    put_cell(t, out);
    if (n->burst.most > 0)
        buf_printf(&t->text, "%.3f", (double)n->burst.most_start / 1e9);
    else
        buf_char(&t->text, '-');
    stat_pad(out, buf_slice(&t->text), -(CELL - 1));
    buf_clear(&t->text);
    buf_char(out, '\n');
}

static void put_nodes(const struct stat *s, struct buf *out, uint32_t first,
                      const struct node *parent, size_t depth, size_t width)
{
    struct tree *t = s->state;
    for (uint32_t at = first; at != NO_NODE; at = node_at(t, at)->next) {
        const struct node *n = node_at(t, at);
        struct slice name = name_of(t, at);
        buf_fill(out, ' ', depth);
        buf_slice_put(out, name);
        buf_fill(out, ' ', width - depth - name.len);
        put_node(t, out, n, parent);
        stat_drain(s, out);
        if (depth < MAX_DEPTH)
            put_nodes(s, out, n->first_child, n, depth + 1, width);
    }
}

void tree_end(struct stat *s, struct buf *out)
{
    static const char *const titles[] = {"Count",     "Average", "Min Val",    "Max Val",
                                         "Rate (ms)", "Percent", "Burst Rate", "Burst Start"};
    struct tree *t = s->state;
    size_t width = t->kind->of == OF_ENDS ? 31 : strlen("Topic / Item");
    for (size_t i = 0; i < 2 && t->roots[i] != NO_NODE; i++) {
        size_t used = widest(t, t->roots[i], 0);
        width = used > width ? used : width;
        if (t->kind->of != OF_LENGTHS)
            sort_children(t, node_at(t, t->roots[i]), 0);
    }
    width += 2;
    size_t all = width + 8 * CELL - 1;
    buf_char(out, '\n');
    buf_fill(out, '=', all);
    buf_printf(out, "\n%s:\n", t->kind->title);
    stat_pad(out, slice_of_str("Topic / Item"), -(int)width);
    for (size_t i = 0; i < 8; i++)
        stat_pad(out, slice_of_str(titles[i]), -(i < 7 ? CELL : CELL - 1));
    buf_char(out, '\n');
    buf_fill(out, '-', all);
    buf_char(out, '\n');
    buf_clear(&t->text);
    for (size_t i = 0; i < 2 && t->roots[i] != NO_NODE; i++)
        put_nodes(s, out, t->roots[i], NULL, 0, width);
    stat_dropped(out, &t->tally, "what is counted");
    buf_char(out, '\n');
    buf_fill(out, '-', all);
    buf_char(out, '\n');
}

void tree_close(struct stat *s)
{
    struct tree *t = s->state;
    if (!t)
        return;
    tally_free(&t->tally);
    buf_free(&t->text);
    free(t);
}
