#include "cli/colors.h"

#include "filter/filter.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* In the order in which they are tried.  Rules for protocols that are not dissected here are left
 * out: they never hold. */
static const struct rule {
    const char *filter;
    struct ink ink;
} rules[] = {
    {"tcp.analysis.flags && !tcp.analysis.window_update && !tcp.analysis.keep_alive && "
     "!tcp.analysis.keep_alive_ack",
     {{247, 135, 135}, {18, 39, 46}}},
    {"tcp.flags.reset eq 1", {{255, 252, 156}, {164, 0, 0}}},
    {"(ip.dst != 224.0.0.0/4 && ip.ttl < 5) || (ip.dst == 224.0.0.0/24 && ip.dst != 224.0.0.251 && "
     "ip.ttl != 1)",
     {{236, 240, 235}, {164, 0, 0}}},
    {"eth.fcs.status == \"Bad\" || ip.checksum.status == \"Bad\" || tcp.checksum.status == \"Bad\"",
     {{247, 135, 135}, {18, 39, 46}}},
    {"tcp.port == 80", {{18, 39, 46}, {228, 255, 199}}},
    {"tcp.flags & 0x02 || tcp.flags.fin == 1", {{18, 39, 46}, {160, 160, 160}}},
    {"tcp", {{18, 39, 46}, {231, 230, 255}}},
    {"udp", {{18, 39, 46}, {218, 238, 255}}},
    {"eth[0] & 1", {{186, 189, 182}, {255, 255, 255}}},
};

#define RULES (sizeof rules / sizeof rules[0])

struct colors {
    struct filter *filters[RULES];
};

bool colors_possible(FILE *out)
{
    const char *no = getenv("NO_COLOR"), *depth = getenv("COLORTERM");
    return isatty(fileno(out)) && !(no && *no) && depth &&
           (strcmp(depth, "truecolor") == 0 || strcmp(depth, "24bit") == 0);
}

struct colors *colors_new(struct error *error)
{
    struct colors *c = calloc(1, sizeof *c);
    if (!c)
        error_set(error, ERROR_MEMORY, "out of memory");
    for (size_t i = 0; c && i < RULES; i++) {
        c->filters[i] = filter_compile(rules[i].filter, error);
        if (c->filters[i])
            continue;
        colors_free(c);
        c = NULL;
    }
    return c;
}

void colors_free(struct colors *c)
{
    for (size_t i = 0; c && i < RULES; i++)
        filter_free(c->filters[i]);
    free(c);
}

void colors_want(const struct colors *c, uint8_t *want)
{
    for (size_t i = 0; i < RULES; i++)
        filter_wants(c->filters[i], want);
}

const struct ink *colors_of(const struct colors *c, const struct tape *t)
{
    for (size_t i = 0; i < RULES; i++)
        if (filter_match(c->filters[i], t))
            return &rules[i].ink;
    return NULL;
}
