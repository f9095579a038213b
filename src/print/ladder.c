#include "print/ladder_private.h"

#include <stdlib.h>

/* ---- the connections ---- */

static struct ages *ages_of(struct ladder *l, const struct connection *c)
{
    return c->over ? &l->over : &l->live;
}

static void unlink_age(struct ladder *l, struct connection *c)
{
    struct ages *ages = ages_of(l, c);
    *(c->older ? &c->older->newer : &ages->oldest) = c->newer;
    *(c->newer ? &c->newer->older : &ages->newest) = c->older;
}

static void append_age(struct ladder *l, struct connection *c)
{
    struct ages *ages = ages_of(l, c);
    c->older = ages->newest;
    c->newer = NULL;
    *(ages->newest ? &ages->newest->newer : &ages->oldest) = c;
    ages->newest = c;
}

static struct connection **bucket_of(struct ladder *l, uint32_t stream)
{
    return &l->buckets[stream % MAX_CONNECTIONS];
}

/* Writes it down when it is one to show, and forgets it. */
static void finish(struct ladder *l, struct buf *out, struct connection *c)
{
    struct connection **at = bucket_of(l, c->stream);
    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
    unlink_age(l, c);
    l->open--;
    if (c->number > 0 || c->wanted) {
        if (l->printed)
            buf_char(out, '\n');
        l->printed = true;
        ladder_draw(l, out, c);
    }
    c->next = l->free;
    l->free = c;
}

static struct connection *find(struct ladder *l, uint32_t stream)
{
    struct connection *c = *bucket_of(l, stream);
    while (c && c->stream != stream)
        c = c->next;
    return c;
}

static struct connection *add(struct ladder *l, struct buf *out, const struct dissection *d)
{
    if (l->open == MAX_CONNECTIONS) {
        struct connection *victim = l->over.oldest ? l->over.oldest : l->live.oldest;
        victim->crowded_out = !victim->over;
        finish(l, out, victim);
    }
    struct connection *c = l->free;
    if (c)
        l->free = c->next;
    else
        c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    struct buf text = c->text;
    http_summary_free(c->http);
    struct connection **bucket = bucket_of(l, d->tcp.stream);
    unsigned from = d->tcp.direction == 0 ? 0 : 1;
    *c = (struct connection){.next = *bucket,
                             .stream = d->tcp.stream,
                             .text = text,
                             .first_time = d->packet->time_ns,
                             .client = NOBODY,
                             .reset_by = NOBODY,
                             .closed_by = NOBODY,
                             .failed_by = NOBODY,
                             .complete_time = -1};
    c->text.ceiling = MAX_TEXT;
    buf_clear(&c->text);
    c->addresses[from] = d->columns.source;
    c->addresses[1 - from] = d->columns.destination;
    c->ports[from] = d->tcp.source_port;
    c->ports[1 - from] = d->tcp.destination_port;
    c->wanted = l->options.tls_port != 0 &&
                (c->ports[0] == l->options.tls_port || c->ports[1] == l->options.tls_port);
    *bucket = c;
    append_age(l, c);
    l->open++;
    return c;
}

/* ---- TCP's own rungs ---- */

static void tcp_rung(struct connection *c, const struct dissection *d, const char *name)
{
    unsigned from = d->tcp.direction == 0 ? 0 : 1;
    struct rung rung = {.time = d->packet->time_ns - c->first_time,
                        .frame = d->packet->number,
                        .count = 1,
                        .name = name,
                        .key = (uint16_t)(d->tcp.flags & (TCP_SYN | TCP_FIN | TCP_RST)),
                        .kind = RUNG_TCP,
                        .from = (uint8_t)from};
    ladder_rung(c, &rung);
}

static void opening(struct connection *c, const struct dissection *d)
{
    unsigned from = d->tcp.direction == 0 ? 0 : 1;
    bool answer = (d->tcp.flags & TCP_ACK) != 0;
    if (!(d->tcp.flags & TCP_SYN))
        return;
    c->syn = true;
    c->client = (uint8_t)(answer ? 1 - from : from);
    tcp_rung(c, d, answer ? "SYN, ACK" : "SYN");
}

static void closing(struct connection *c, const struct dissection *d)
{
    unsigned from = d->tcp.direction == 0 ? 0 : 1;
    if ((d->tcp.flags & TCP_FIN) && !c->fin[from]) {
        c->fin[from] = true;
        if (c->closed_by == NOBODY)
            c->closed_by = (uint8_t)from;
        tcp_rung(c, d, "FIN");
    }
    if (d->tcp.flags & TCP_RST) {
        if (c->reset_by == NOBODY)
            c->reset_by = (uint8_t)from;
        tcp_rung(c, d, "RST");
    }
}

/* ---- the public part ---- */

struct ladder *ladder_new(const struct ladder_options *options)
{
    struct ladder *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    l->options = *options;
    l->options.width = options->width < 60 ? 60 : options->width > 140 ? 140 : options->width;
    return l;
}

static void release(struct connection *c)
{
    while (c) {
        struct connection *next = c->next;
        buf_free(&c->text);
        http_summary_free(c->http);
        free(c);
        c = next;
    }
}

void ladder_free(struct ladder *l)
{
    if (!l)
        return;
    for (size_t i = 0; i < MAX_CONNECTIONS; i++)
        release(l->buckets[i]);
    release(l->free);
    buf_free(&l->scratch);
    free(l);
}

void ladder_packet(struct ladder *l, struct buf *out, const struct dissection *d)
{
    if (!d->columns.has_tcp || d->tcp.truncated)
        return;
    while (l->over.oldest && d->packet->time_ns - l->over.oldest->last_time > LINGER_NS)
        finish(l, out, l->over.oldest);
    struct connection *c = find(l, d->tcp.stream);
    if (!c)
        c = add(l, out, d);
    if (!c)
        return;
    c->last_time = d->packet->time_ns;
    opening(c, d);
    ladder_read(l, c, d);
    closing(c, d);
    unlink_age(l, c);
    c->over = c->reset_by != NOBODY || (c->fin[0] && c->fin[1]);
    append_age(l, c);
}

/* The one that began first. */
static struct connection *first_left(struct ladder *l)
{
    struct connection *starts[] = {l->over.oldest, l->live.oldest}, *first = NULL;
    for (size_t i = 0; i < 2; i++)
        for (struct connection *c = starts[i]; c; c = c->newer)
            if (!first || c->number < first->number)
                first = c;
    return first;
}

void ladder_end(struct ladder *l, struct buf *out)
{
    for (struct connection *c = first_left(l); c; c = first_left(l))
        finish(l, out, c);
    if (!l->printed)
        buf_str(out, "no TLS connection\n");
}

void ladder_want(uint8_t *want)
{
    static const uint16_t wanted[] = {
        F_tls_record,
        F_tls_record_content_type,
        F_tls_record_opaque_type,
        F_tls_record_length,
        F_tls_app_data,
        F_tls_change_cipher_spec,
        F_tls_handshake,
        F_tls_handshake_type,
        F_tls_alert_message,
        F_tls_alert_message_level,
        F_tls_alert_message_desc,
        F_data_data,
    };
    want_fields(want, wanted, sizeof wanted / sizeof wanted[0]);
    ladder_message_want(want);
    verify_summary_want(want);
    http_summary_want(want);
    want[F_tlswire_resumes] = 1;
}

/* ---- as a printer ---- */

static void header(struct buf *out, const struct print_options *options)
{
    (void)out, (void)options;
}

static void packet(struct buf *out, const struct print_options *options, const struct dissection *d)
{
    ladder_packet(options->ladder, out, d);
}

static void footer(struct buf *out, const struct print_options *options)
{
    ladder_end(options->ladder, out);
}

static void want_of(const struct print_options *options, uint8_t *want)
{
    (void)options;
    ladder_want(want);
}

const struct printer ladder_printer = {"ladder", header, packet, footer, want_of};
