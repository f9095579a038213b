#include "stream/multipath.h"

#include "stream/tcp_options.h"

#define BUCKETS     256
#define MAX_SOUGHT  1000 /* of one bucket; tokens are meant to be random */
#define KEY_SIZE    8
#define CAPABLE_ONE 12 /* bytes of the option with one key */
#define CAPABLE_TWO 20 /* with both; two or four more with data */
#define JOIN_ASKS   12

/* A token that an end goes by. */
struct multipath_name {
    struct multipath_name *next;
    struct multipath *of;
    uint32_t token;
    uint8_t end;
};

struct multipath_table {
    uint32_t count;
    struct multipath_name *buckets[BUCKETS];
};

static struct multipath_table *table_of(struct flow_table *t)
{
    if (!t->multipath && (t->multipath = arena_alloc(&t->arena, sizeof *t->multipath)))
        *t->multipath = (struct multipath_table){0};
    return t->multipath;
}

static const struct multipath_name *find(const struct multipath_table *all, uint32_t token)
{
    unsigned budget = MAX_SOUGHT;
    for (const struct multipath_name *n = all->buckets[token % BUCKETS]; n && budget > 0;
         n = n->next)
        if (budget--, n->token == token)
            return n;
    return NULL;
}

static void give_name(struct flow_table *t, struct multipath *m, unsigned end, uint32_t token)
{
    struct multipath_name *n = arena_alloc(&t->arena, sizeof *n);
    if (!n)
        return;
    struct multipath_name **bucket = &t->multipath->buckets[token % BUCKETS];
    *n = (struct multipath_name){.next = *bucket, .of = m, .token = token, .end = (uint8_t)end};
    *bucket = n;
}

static struct multipath *begin(struct flow_table *t)
{
    struct multipath *m = arena_alloc(&t->arena, sizeof *m);
    if (m)
        *m = (struct multipath){.number = t->multipath->count++};
    return m;
}

/* Makes the flow one of M's, END being the one that sends in its direction. */
static bool link_to(struct flow_table *t, struct flow *flow, struct multipath *m, unsigned end,
                    int direction)
{
    struct multipath_link *link = m ? arena_alloc(&t->arena, sizeof *link) : NULL;
    if (!link)
        return false;
    *link = (struct multipath_link){.of = m, .first = (uint8_t)((end ^ (unsigned)direction) & 1)};
    flow->multipath = link;
    return true;
}

static void add_subflow(struct flow_table *t, struct multipath *m, uint32_t stream)
{
    if (m->subflows && m->subflows->stream == stream)
        return;
    struct multipath_subflow *s = arena_alloc(&t->arena, sizeof *s);
    if (!s)
        return;
    *s = (struct multipath_subflow){.next = m->subflows, .stream = stream};
    m->subflows = s;
}

/* Token and first number come from the key's hash (RFC 8684 3.2, RFC 6824 3.2). */
static void derive(struct crypto_provider *crypto, unsigned version, struct slice key,
                   struct multipath_end *end)
{
    uint8_t sum[HASH_MAX_SIZE];
    enum hash_id hash = version == 0 ? HASH_SHA1 : HASH_SHA256;
    struct slice whole = slice_of(sum, hash_size(hash)), last;
    *end = (struct multipath_end){.has_key = true, .key = 0};
    if (version <= 1 && provider_hash(crypto, hash, &key, 1, sum)) {
        last = slice_sub(whole, whole.len - 8, 8);
        end->token = slice_u32(&whole);
        end->first = slice_u64(&last);
        end->has_first = true;
    }
    end->key = slice_u64(&key);
}

static void set_end(struct flow_table *t, struct multipath *m, unsigned which,
                    const struct multipath_end *end)
{
    struct multipath_end *own = &m->ends[which];
    bool known = own->has_key && own->key == end->key && own->has_first == end->has_first;
    *own = *end;
    if (!known && end->has_first)
        give_name(t, m, which, end->token);
}

static void follow_capable(struct flow_table *t, struct crypto_provider *crypto, struct flow *flow,
                           struct tcp_facts *facts, const struct tcp_option *option)
{
    unsigned version = slice_at(option->value, 0) & 15u;
    struct multipath_end sender, receiver;
    derive(crypto, version, slice_sub(option->value, 2, KEY_SIZE), &sender);
    if (!flow->multipath) {
        const struct multipath_name *n = sender.has_first ? find(t->multipath, sender.token) : NULL;
        if (!link_to(t, flow, n ? n->of : begin(t), n ? n->end : 0, facts->direction))
            return;
    }
    struct multipath *m = flow->multipath->of;
    unsigned end = (flow->multipath->first ^ (unsigned)facts->direction) & 1;
    set_end(t, m, end, &sender);
    m->master = flow->stream;
    m->has_master = true;
    add_subflow(t, m, flow->stream);
    if (option->len < CAPABLE_TWO)
        return;
    derive(crypto, version, slice_sub(option->value, 2 + KEY_SIZE, KEY_SIZE), &receiver);
    const struct multipath_end *peer = &m->ends[!end];
    facts->key_mismatch = peer->has_key && peer->key != receiver.key;
    if (!peer->has_key)
        set_end(t, m, !end, &receiver);
}

static void follow_join(struct flow_table *t, struct flow *flow, const struct tcp_facts *facts,
                        const struct tcp_option *option)
{
    struct slice at = slice_sub(option->value, 2, 4);
    uint32_t token = slice_u32(&at);
    const struct multipath_name *n = find(t->multipath, token);
    struct multipath *m = n ? n->of : begin(t);
    unsigned receiver = n ? n->end : 1;
    if (!n && m) {
        m->ends[receiver].token = token;
        give_name(t, m, receiver, token);
    }
    if (link_to(t, flow, m, !receiver, facts->direction))
        add_subflow(t, m, flow->stream);
}

static void follow(struct flow_table *t, struct crypto_provider *crypto, struct flow *flow,
                   struct tcp_facts *facts, const struct tcp_option *option)
{
    unsigned subtype = slice_at(option->value, 0) >> 4, len = option->len;
    bool keys = len == CAPABLE_ONE || len == CAPABLE_TWO || len == CAPABLE_TWO + 2 ||
                len == CAPABLE_TWO + 4;
    if (option->value.len == 0)
        return;
    if (subtype == MULTIPATH_CAPABLE) {
        if (keys)
            follow_capable(t, crypto, flow, facts, option);
    } else if (flow->multipath) {
        return;
    } else if (subtype == MULTIPATH_JOIN && len == JOIN_ASKS) {
        follow_join(t, flow, facts, option);
    } else {
        link_to(t, flow, begin(t), 0, facts->direction);
    }
}

void multipath_follow(struct flow_table *table, struct crypto_provider *crypto, struct flow *flow,
                      struct tcp_facts *facts)
{
    struct tcp_option_walk walk = tcp_options_of(facts->options, facts->options.len);
    struct tcp_option option;
    if (!table_of(table))
        return;
    while (tcp_option_next(&walk, &option) && option.kind != TCP_OPTION_END)
        if (option.kind == TCP_OPTION_MULTIPATH && option.fault == TCP_OPTION_FINE)
            follow(table, crypto, flow, facts, &option);
    facts->multipath = flow->multipath;
}
