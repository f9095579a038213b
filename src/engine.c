#include "engine.h"

#include "crypto/provider.h"
#include "dissect/frame.h"
#include "dissect/lower.h"
#include "stream/flow.h"
#include "stream/tcp.h"
#include "stream/tcp_emit.h"
#include "stream/tls.h"

#include <stdlib.h>

struct engine {
    struct engine_options options;
    struct flow_table flows;
    struct dissection result;
    struct buf scratch;
    struct crypto_provider crypto;
    struct buf protocols; /* modules that certificates needed */
    bool wants_frame, wants_lower, wants_tcp;
    bool has_first, has_displayed;
    int64_t first_time, previous_time, displayed_time;
};

#define PROTOCOL_TCP 6

/* Whether a field of any protocol from FIRST up to (not including) END is asked for. */
static bool any_wanted(const uint8_t *want, enum field_id first, enum field_id end)
{
    for (enum field_id id = first; id < end; id++)
        if (want[id])
            return true;
    return false;
}

struct engine *engine_new(const struct engine_options *options)
{
    struct engine *e = calloc(1, sizeof *e);
    if (!e || !tape_init(&e->result.tape)) {
        free(e);
        return NULL;
    }
    e->options = *options;
    crypto_provider_init(&e->crypto);
    flow_table_init(&e->flows, options->seed);
    e->wants_frame = any_wanted(options->want, F_pkt_comment, F__ws_expert);
    e->wants_lower = any_wanted(options->want, F__ws_expert, F_tcp);
    e->wants_tcp = any_wanted(options->want, F__ws_expert, FIELD_COUNT);
    return e;
}

void engine_free(struct engine *e)
{
    if (!e)
        return;
    for (struct flow *f = e->flows.flows; f; f = f->next)
        tls_free(f);
    flow_table_free(&e->flows);
    tape_free(&e->result.tape);
    buf_free(&e->protocols);
    buf_free(&e->scratch);
    crypto_provider_free(&e->crypto);
    free(e);
}

void engine_keys(struct engine *e, struct slice text)
{
    (void)e;
    (void)text;
}

void engine_displayed(struct engine *e)
{
    e->has_displayed = true;
    e->displayed_time = e->result.packet->time_ns;
}

static void set_address(struct address *to, struct slice bytes)
{
    *to = (struct address){.kind = bytes.len == 4    ? ADDRESS_IPV4
                                   : bytes.len == 16 ? ADDRESS_IPV6
                                   : bytes.len == 6  ? ADDRESS_ETHER
                                                     : ADDRESS_NONE};
    if (to->kind != ADDRESS_NONE)
        memcpy(to->bytes, bytes.data, bytes.len);
}

static void take_times(struct engine *e, const struct packet *p)
{
    struct dissection *d = &e->result;
    if (!e->has_first) {
        e->has_first = true;
        e->first_time = e->previous_time = p->time_ns;
    }
    d->time_relative = p->time_ns - e->first_time;
    d->time_delta = p->time_ns - e->previous_time;
    d->time_delta_displayed = e->has_displayed ? p->time_ns - e->displayed_time : 0;
    e->previous_time = p->time_ns;
}

/* frame.protocols is known only when all has been read. */
static void name_protocols(struct tape *t, const char *lower, struct buf *modules)
{
    uint32_t at = 0;
    while (at < t->count && t->events[at].field != F_frame_protocols)
        at++;
    if (at == t->count)
        return;
    struct buf text = {.ceiling = 4096};
    buf_str(&text, lower);
    buf_str(&text, ":tls");
    buf_slice_put(&text, buf_slice(modules));
    tape_set_text(t, at, buf_slice(&text));
    buf_free(&text);
}

const struct dissection *engine_packet(struct engine *e, const struct packet *packet)
{
    struct dissection *d = &e->result;
    struct columns *c = &d->columns;
    d->packet = packet;
    tape_reset(&d->tape, e->options.want);
    tape_source(&d->tape, packet->bytes, "Frame");
    take_times(e, packet);

    struct lower lower;
    lower_read(packet, &lower);
    set_address(&c->source, lower.source);
    set_address(&c->destination, lower.destination);
    c->ether_type = lower.ether_type;
    c->protocol = lower.network == NETWORK_IPV4   ? "IPv4"
                  : lower.network == NETWORK_IPV6 ? "IPv6"
                                                  : NULL;
    c->has_tcp = c->segment_of_pdu = false;
    c->item_count = 0;

    struct flow *flow = NULL;
    int direction = 0;
    struct slice payload = slice_empty();
    bool is_tcp = lower.has_payload && lower.protocol == PROTOCOL_TCP && !lower.fragment;
    if (is_tcp) {
        struct tcp_input in = {.source = &c->source,
                               .destination = &c->destination,
                               .bytes = lower.payload,
                               .len = lower.payload_length,
                               .frame = packet->number,
                               .time = packet->time_ns};
        tcp_segment(&e->flows, &in, &d->tcp, &flow, &direction, &payload);
        c->has_tcp = true;
        c->protocol = "TCP";
    }

    char protocols[sizeof lower.protocols + 16];
    size_t used = strlen(lower.protocols);
    memcpy(protocols, lower.protocols, used + 1);
    if (is_tcp)
        memcpy(protocols + used, ":tcp", 5);
    if (e->wants_frame) {
        struct frame_times times = {.relative = d->time_relative,
                                    .delta = d->time_delta,
                                    .delta_displayed = d->time_delta_displayed};
        frame_emit(&d->tape, packet, &times, protocols);
    }
    if (e->wants_lower)
        lower_emit(&d->tape, packet, &lower);
    if (is_tcp && e->wants_tcp) {
        uint32_t at = tcp_emit(&d->tape, 0, lower.payload_offset, &d->tcp);
        tcp_emit_payload(&d->tape, 0, lower.payload_offset + d->tcp.header_len, &d->tcp);
        tape_close(&d->tape, at);
    }
    if (is_tcp && flow && tls_claims(flow, payload, false)) {
        struct buf *list = &e->protocols;
        struct tls_tools tools = {.protocols = list, .scratch = &e->scratch, .crypto = &e->crypto};
        buf_clear(list);
        tls_segment(&e->flows, flow, d, lower.payload_offset + d->tcp.header_len, payload, &tools);
        if (c->item_count > 0 && e->wants_frame)
            name_protocols(&d->tape, protocols, list);
    }
    return d;
}
