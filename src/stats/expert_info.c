/* -z expert: the remarks on the packets, each once with how often it was made. */
#include "stats/stats_private.h"

#include <stdlib.h>

#define MAX_REMARKS 10000

static const struct {
    const char *word; /* after -z expert, */
    const char *title;
    uint32_t severity;
} levels[] = {
    {"error", "Errors", SEVERITY_ERROR},       {"warn", "Warns", SEVERITY_WARN},
    {"note", "Notes", SEVERITY_NOTE},          {"chat", "Chats", SEVERITY_CHAT},
    {"comment", "Comments", SEVERITY_COMMENT},
};

#define LEVELS (sizeof levels / sizeof levels[0])

struct remark {
    uint64_t count;
    uint16_t id;       /* enum expert_id */
    uint16_t protocol; /* enum field_id */
};

struct expert_info {
    size_t lowest; /* of `levels` that is shown */
    struct tally tally;
    struct buf scratch;
};

bool expert_info_open(struct stat *s, struct error *error)
{
    struct expert_info *x = stat_state(s, sizeof *x, error);
    const char *rest = stat_rest(s), *after = rest;
    if (!x)
        return false;
    tally_init(&x->tally, sizeof(struct remark), MAX_REMARKS, &s->shared->budget);
    x->lowest = LEVELS - 1;
    struct slice word = stat_word(&after);
    for (size_t i = 0; i < LEVELS; i++) {
        if (!slice_is(word, levels[i].word))
            continue;
        x->lowest = i;
        rest = after;
    }
    return stat_filter(s, rest, "expert tap", error);
}

void expert_info_want(const struct stat *s, uint8_t *want)
{
    (void)s;
    want[F__ws_expert] = 1;
    for (size_t i = 1; i < FIELD_COUNT; i++)
        if (fields[i].type == TYPE_PROTOCOL)
            want[i] = 1;
}

/* Told apart by protocol, severity, group and text, as they are shown. */
static void add(struct expert_info *x, uint16_t protocol, const struct event *e)
{
    const struct expert *expert = &experts[e->extra];
    struct remark *r;
    buf_clear(&x->scratch);
    buf_put(&x->scratch, &protocol, sizeof protocol);
    buf_put(&x->scratch, &expert->severity, sizeof expert->severity);
    buf_put(&x->scratch, &expert->group, sizeof expert->group);
    expert_text(&x->scratch, expert, e->value);
    r = tally_item(&x->tally, buf_slice(&x->scratch));
    if (!r)
        return;
    r->count++;
    r->id = (uint16_t)e->extra;
    r->protocol = protocol;
}

void expert_info_packet(struct stat *s, const struct dissection *d)
{
    struct expert_info *x = s->state;
    const struct tape *t = &d->tape;
    uint16_t protocol = F_frame;
    for (uint32_t i = 0; i < t->count; i++) {
        const struct event *e = &t->events[i];
        if (e->field == F__ws_expert && e->extra < EXPERT_COUNT)
            add(x, protocol, e);
        else if (e->depth == 0 && e->field != F__ws_malformed && e->field != F__ws_short)
            protocol = e->field;
    }
}

/* How columns call protocols. */
static const char *protocol_name(uint16_t protocol)
{
    static const struct {
        uint16_t field;
        const char *name;
    } names[] = {
        {F_frame, "Frame"}, {F_eth, "Ethernet"}, {F_ip, "IPv4"},   {F_ipv6, "IPv6"},
        {F_tcp, "TCP"},     {F_tls, "TLS"},      {F_data, "Data"},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (names[i].field == protocol)
            return names[i].name;
    return fields[protocol].abbrev;
}

static void put_level(const struct expert_info *x, struct buf *out, size_t level)
{
    uint64_t total = 0;
    for (uint32_t i = 0; i < x->tally.count; i++) {
        const struct remark *r = tally_at(&x->tally, i);
        total += experts[r->id].severity == levels[level].severity ? r->count : 0;
    }
    if (total == 0)
        return;
    buf_printf(out, "\n%s (%llu)\n=============\n", levels[level].title, (unsigned long long)total);
    buf_str(out, "   Frequency      Group           Protocol  Summary\n");
    for (uint32_t i = 0; i < x->tally.count; i++) {
        const struct remark *r = tally_at(&x->tally, i);
        const struct expert *expert = &experts[r->id];
        if (expert->severity != levels[level].severity)
            continue;
        const char *group = registry_name(REG_EXPERT_GROUPS, expert->group);
        size_t skip = sizeof(uint16_t) + 2 * sizeof(uint32_t);
        struct slice text = tally_key(&x->tally, i);
        slice_skip(&text, skip);
        buf_printf(out, "%12llu %10s %18s  ", (unsigned long long)r->count, group ? group : "",
                   protocol_name(r->protocol));
        buf_slice_put(out, text);
        buf_char(out, '\n');
    }
}

void expert_info_end(struct stat *s, struct buf *out)
{
    const struct expert_info *x = s->state;
    for (size_t i = 0; i <= x->lowest; i++)
        put_level(x, out, i);
    stat_dropped(out, &x->tally, "remarks");
}

void expert_info_close(struct stat *s)
{
    struct expert_info *x = s->state;
    if (!x)
        return;
    tally_free(&x->tally);
    buf_free(&x->scratch);
    free(x);
}
