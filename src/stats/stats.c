#include "schema/ouis.h"
#include "stats/stats_private.h"
#include "stats/tls_tables.h"

#include <stdlib.h>
#include <string.h>

#define MAX_STATS    64
#define DRAIN_AT     ((size_t)64 * 1024)
#define TAIL_CEILING ((size_t)1 << 20) /* bytes behind one Info column */

struct stats {
    struct stat list[MAX_STATS];
    size_t count;
    struct stats_shared shared;
};

#define KIND(name, variant, functions)                                                          \
    {                                                                                           \
        name, variant, functions##_open, functions##_want, functions##_packet, functions##_end, \
            functions##_close                                                                   \
    }

/* Sorted by name. */
const struct stat_kind stat_kinds[] = {
    KIND("conv,eth", 0, conversations),
    KIND("conv,ip", 1, conversations),
    KIND("conv,ipv6", 2, conversations),
    KIND("conv,tcp", 3, conversations),
    KIND("dests,tree", 4, tree),
    KIND("endpoints,eth", 4, conversations),
    KIND("endpoints,ip", 5, conversations),
    KIND("endpoints,ipv6", 6, conversations),
    KIND("endpoints,tcp", 7, conversations),
    KIND("expert", 0, expert_info),
    KIND("flow,any", 0, flow),
    KIND("flow,tcp", 1, flow),
    KIND("follow,ssl", 1, follow),
    KIND("follow,tcp", 0, follow),
    KIND("follow,tls", 1, follow),
    KIND("hosts", 0, hosts),
    KIND("io,phs", 0, hierarchy),
    KIND("io,stat", 0, io_stat),
    KIND("ip_hosts,tree", 1, tree),
    KIND("ip_srcdst,tree", 3, tree),
    KIND("ipv6_dests,tree", 8, tree),
    KIND("ipv6_hosts,tree", 5, tree),
    KIND("ipv6_ptype,tree", 6, tree),
    KIND("ipv6_srcdst,tree", 7, tree),
    KIND("plen,tree", 0, tree),
    KIND("proto,colinfo", 0, colinfo),
    KIND("ptype,tree", 2, tree),
    KIND("tls,alerts", TABLE_ALERTS, tls_table),
    KIND("tls,certs", TABLE_CERTIFICATES, tls_table),
    KIND("tls,ciphers", TABLE_CIPHERS, tls_table),
    KIND("tls,ja3", TABLE_JA3, tls_table),
    KIND("tls,ja4", TABLE_JA4, tls_table),
    KIND("tls,sessions", TABLE_SESSIONS, tls_table),
    KIND("tls,sni", TABLE_SNI, tls_table),
    KIND("tls,timing", TABLE_TIMING, tls_table),
    KIND("tls,versions", TABLE_VERSIONS, tls_table),
    {0},
};

struct stats *stats_new(void)
{
    struct stats *stats = calloc(1, sizeof *stats);
    if (stats)
        stats->shared = (struct stats_shared){.budget.left = STATS_BUDGET,
                                              .info_tail.ceiling = TAIL_CEILING,
                                              .scratch.ceiling = TAIL_CEILING};
    return stats;
}

void stats_free(struct stats *stats)
{
    for (size_t i = 0; stats && i < stats->count; i++) {
        struct stat *s = &stats->list[i];
        s->kind->close(s);
        filter_free(s->filter);
    }
    if (stats) {
        buf_free(&stats->shared.info_tail);
        buf_free(&stats->shared.scratch);
    }
    free(stats);
}

bool stats_add(struct stats *stats, const char *argument)
{
    for (const struct stat_kind *k = stat_kinds; k->name; k++) {
        size_t len = strlen(k->name);
        if (strncmp(argument, k->name, len) != 0 || (argument[len] != ',' && argument[len] != '\0'))
            continue;
        if (stats->count < MAX_STATS)
            stats->list[stats->count++] =
                (struct stat){.kind = k, .argument = argument + len, .shared = &stats->shared};
        return stats->count < MAX_STATS;
    }
    return false;
}

bool stats_end_at_tcp(const struct stats *stats)
{
    for (size_t i = 0; i < stats->count; i++)
        if (stats->list[i].kind->packet != conversations_packet)
            return false;
    return true;
}

size_t stats_count(const struct stats *stats)
{
    return stats->count;
}

const char *stats_name(size_t index)
{
    return stat_kinds[index].name;
}

bool stats_open(struct stats *stats, const struct print_options *options, struct error *error)
{
    for (size_t i = 0; i < stats->count; i++) {
        stats->list[i].options = options;
        if (!stats->list[i].kind->open(&stats->list[i], error))
            return false;
    }
    return true;
}

void stats_want(const struct stats *stats, uint8_t *want)
{
    for (size_t i = 0; i < stats->count; i++) {
        const struct stat *s = &stats->list[i];
        if (s->kind->want)
            s->kind->want(s, want);
        if (s->filter)
            filter_wants(s->filter, want);
    }
}

/* The last first, as tshark does: where one adds to the Info column, those before it find that there. */
void stats_packet(struct stats *stats, const struct dissection *d)
{
    stats->shared.info_tail.failed = false;
    buf_clear(&stats->shared.info_tail);
    for (size_t i = stats->count; i-- > 0;) {
        struct stat *s = &stats->list[i];
        if (!s->filter || filter_match(s->filter, &d->tape))
            s->kind->packet(s, d);
    }
}

static bool has_kind(const struct stats *stats, bool (*open)(struct stat *s, struct error *error))
{
    for (size_t i = 0; i < stats->count; i++)
        if (stats->list[i].kind->open == open)
            return true;
    return false;
}

const struct buf *stats_info_tail(const struct stats *stats)
{
    return has_kind(stats, colinfo_open) ? &stats->shared.info_tail : NULL;
}

bool stats_shows_columns(const struct stats *stats)
{
    return has_kind(stats, flow_open);
}

void stats_end(struct stats *stats, struct buf *out, stats_drain *drain, void *context)
{
    stats->shared.drain = drain;
    stats->shared.context = context;
    for (size_t i = stats->count; i-- > 0;)
        stats->list[i].kind->end(&stats->list[i], out);
}

bool stats_spent(const struct stats *stats)
{
    return stats->shared.budget.refused;
}

/* ---- what the kinds share ---- */

bool stat_tap_filter(struct stat *s, const char *text, const char *before, const char *what,
                     const char *after, struct error *error)
{
    struct error wrong = {0};
    if (*text == '\0')
        return true;
    s->filter_text = text;
    s->filter = filter_compile(text, &wrong);
    if (s->filter)
        return true;
    return error_set(error, wrong.code, "%s%s%s: Filter \"%.100s\" is invalid - %s", before, what,
                     after, text, wrong.text);
}

bool stat_filter(struct stat *s, const char *text, const char *what, struct error *error)
{
    return stat_tap_filter(s, text, "Couldn't register ", what, "", error);
}

void *stat_state(struct stat *s, size_t size, struct error *error)
{
    s->state = calloc(1, size);
    if (!s->state)
        error_set(error, ERROR_MEMORY, "out of memory");
    return s->state;
}

void *stat_enlarge(struct stat *s, void *old, size_t old_size, size_t size)
{
    struct budget *budget = &s->shared->budget;
    if (!budget_take(budget, size - old_size))
        return NULL;
    void *grown = realloc(old, size);
    if (!grown)
        budget_give(budget, size - old_size);
    return grown;
}

void stat_release(struct stat *s, void *old, size_t size)
{
    budget_give(&s->shared->budget, old ? size : 0);
    free(old);
}

void stat_drain(const struct stat *s, struct buf *out)
{
    if (out->len >= DRAIN_AT && s->shared->drain)
        s->shared->drain(s->shared->context, out);
}

const char *stat_rest(const struct stat *s)
{
    return s->argument + (*s->argument == ',');
}

struct slice stat_word(const char **rest)
{
    size_t len = strcspn(*rest, ",");
    struct slice word = slice_of(*rest, len);
    *rest += len + ((*rest)[len] == ',');
    return word;
}

void stat_size(struct buf *out, uint64_t bytes)
{
    static const char *const units[] = {" bytes", " kB", " MB", " GB", " TB"};
    size_t unit = 0;
    uint64_t shown = bytes;
    for (uint64_t power = 1000; unit < 4 && bytes / power >= 10; power *= 1000) {
        shown = bytes / power;
        unit++;
    }
    buf_dec(out, shown);
    buf_str(out, units[unit]);
}

void stat_pad(struct buf *out, struct slice text, int width)
{
    size_t room = (size_t)(width < 0 ? -width : width);
    size_t missing = text.len < room ? room - text.len : 0;
    if (width > 0)
        buf_fill(out, ' ', missing);
    buf_slice_put(out, text);
    if (width < 0)
        buf_fill(out, ' ', missing);
}

void stat_address(struct buf *out, const struct address *a)
{
    switch (a->kind) {
    case ADDRESS_IPV4:
        buf_ipv4(out, slice_of(a->bytes, 4));
        break;
    case ADDRESS_IPV6:
        buf_ipv6(out, slice_of(a->bytes, 16));
        break;
    case ADDRESS_ETHER:
        buf_hex_bytes(out, slice_of(a->bytes, 6), ':');
        break;
    case ADDRESS_NONE:
        break;
    }
}

void stat_name(const struct stat *s, struct buf *out, const struct address *a)
{
    size_t size = a->kind == ADDRESS_IPV4 ? 4 : a->kind == ADDRESS_IPV6 ? 16 : 0;
    const char *name = names_find(s->options->names, slice_of(a->bytes, size));
    if (name)
        buf_str(out, name);
    else if (a->kind != ADDRESS_ETHER || !s->options->makers ||
             !ether_name(out, slice_of(a->bytes, 6)))
        stat_address(out, a);
}

void stat_dropped(struct buf *out, const struct tally *tally, const char *what)
{
    if (tally->dropped > 0)
        buf_printf(out, "[%llu packets more of %s past the first %u, which are all that is kept]\n",
                   (unsigned long long)tally->dropped, what, tally->count);
}
