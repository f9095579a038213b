/* -z hosts: the names of addresses that are known, in the form of /etc/hosts. */
#include "stats/stats_private.h"

#include <stdlib.h>

struct hosts {
    bool ipv4, ipv6;
    struct buf *out; /* while it is written */
};

bool hosts_open(struct stat *s, struct error *error)
{
    struct hosts *h = stat_state(s, sizeof *h, error);
    const char *rest = stat_rest(s);
    if (!h)
        return false;
    h->ipv4 = h->ipv6 = *rest == '\0';
    while (*rest) {
        struct slice word = stat_word(&rest);
        bool four = slice_is(word, "ip") || slice_is(word, "ipv4"), six = slice_is(word, "ipv6");
        if (!four && !six)
            return error_set(error, ERROR_USAGE,
                             "invalid \"-z hosts[,ip][,ipv4][,ipv6]\" argument");
        h->ipv4 |= four;
        h->ipv6 |= six;
    }
    return true;
}

void hosts_want(const struct stat *s, uint8_t *want)
{
    (void)s, (void)want;
}

void hosts_packet(struct stat *s, const struct dissection *d)
{
    (void)s, (void)d;
}

static void put_host(void *context, const struct named *named)
{
    struct hosts *h = context;
    struct slice address = slice_of(named->address, named->size);
    if (named->size == 4 ? !h->ipv4 : !h->ipv6)
        return;
    if (named->size == 4)
        buf_ipv4(h->out, address);
    else
        buf_ipv6(h->out, address);
    buf_char(h->out, '\t');
    buf_str(h->out, named->name);
    buf_char(h->out, '\n');
}

void hosts_end(struct stat *s, struct buf *out)
{
    struct hosts *h = s->state;
    const struct print_options *options = s->options;
    h->out = out;
    buf_str(out, "# TShark hosts output\n#\n# Host data gathered from ");
    buf_escaped(out, slice_of_str(options->capture_name ? options->capture_name : ""));
    buf_str(out, "\n\n");
    if (options->known_names)
        names_each(options->known_names, put_host, h);
    if (options->known_names && options->known_names->lost)
        buf_str(out, "# more names were met than are kept\n");
}

void hosts_close(struct stat *s)
{
    free(s->state);
}
