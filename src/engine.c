#include "engine.h"

#include "crypto/provider.h"
#include "dissect/data.h"
#include "dissect/expand.h"
#include "dissect/frame.h"
#include "dissect/lower.h"
#include "stream/flow.h"
#include "stream/multipath.h"
#include "stream/preface.h"
#include "stream/reassembly.h"
#include "stream/tcp.h"
#include "stream/tcp_emit.h"
#include "stream/tcp_options.h"
#include "stream/tcp_repeats.h"
#include "stream/tls.h"
#include "stream/tls_http.h"
#include "stream/tls_origins.h"
#include "stream/tls_resume.h"
#include "stream/tls_verify.h"

#include <stdlib.h>

struct engine {
    struct engine_options options;
    struct flow_table flows;
    struct flow_table datagrams; /* exchanges over UDP */
    struct fragments *fragments;
    struct lower lower; /* of the present packet */
    struct tcp_options tcp;
    struct dissection own;
    struct dissection *result; /* of the present packet: `own`, or one that somebody lent */
    struct buf scratch;
    struct crypto_provider crypto;
    struct key_table keys;
    struct tls_key_stats key_stats;
    struct certificates_known certificates;
    struct expander expander;
    struct tls_origins origins;
    struct tcp_pool pool;
    struct tcp_repeats *repeats;                          /* NULL: nobody asks */
    struct arena plaintext;                               /* what was decrypted in the packet */
    char chain[sizeof((struct lower *)0)->protocols + 8]; /* what frame.protocols begins with */
    struct buf protocols;                                 /* names that follow them there */
    struct tls_ports ports;
    struct tls_tools tools;   /* for every packet the same, but for `origins` and `alone` */
    bool silent[BLOCK_COUNT]; /* blocks that come to nothing that is wanted */
    size_t verify_memory;     /* what handshakes that are being proved hold */
    size_t http_memory;       /* what connections whose HTTP is read hold */
    bool no_data;             /* nor on what application data holds */
    bool ends_at_tcp;         /* nor on what TCP carries */
    bool blind;               /* no wish of anybody depends on what is decrypted */
    bool wants_protocols;     /* frame.protocols */
    bool wants_frame, wants_lower, wants_tcp, wants_certificates, wants_proof, wants_http;
    bool has_first, has_displayed;
    enum share share; /* SHARE_UNKNOWN: all connections */
    int64_t first_time, previous_time, before_previous, displayed_time;
};

#define PROTOCOL_TCP  6
#define PROTOCOL_UDP  17
#define MAX_DATAGRAMS ((size_t)16 << 20) /* memory for exchanges over UDP; more have no number */

/* Whether a field of any protocol from FIRST up to (not including) END is asked for. */
static bool any_wanted(const uint8_t *want, enum field_id first, enum field_id end)
{
    for (enum field_id id = first; id < end; id++)
        if (want[id])
            return true;
    return false;
}

/* Whether nothing that is asked for depends on what TCP carries, nor on how its segments are put together. */
static bool ends_at_tcp(const struct engine_options *options, bool remarks)
{
    const uint8_t *want = options->want;
    bool joined = any_wanted(want, F_tcp_segment_overlap, F_tcp_reassembled_data + 1) ||
                  any_wanted(want, F_tcp_pdu_time, F_tcp_pdu_last_frame + 1) ||
                  want[F_tcp_segment_data];
    return (options->no_columns || options->no_above) && !options->learns && !options->ring &&
           !remarks && !joined && !want[F_frame_protocols] && !want[F__ws_malformed] &&
           !want[F__ws_short] && !any_wanted(want, F_tls, FIELD_COUNT);
}

/* What every run of TLS is read with. */
static void lay_out_tools(struct engine *e)
{
    e->tools = (struct tls_tools){.crypto = &e->crypto,
                                  .keys = &e->keys,
                                  .ring = e->options.ring,
                                  .stats = &e->key_stats,
                                  .pool = &e->pool,
                                  .certificates = e->wants_certificates ? NULL : &e->certificates,
                                  .silent = e->silent,
                                  .plaintext = &e->plaintext,
                                  .expander = &e->expander,
                                  .protocols = &e->protocols,
                                  .scratch = &e->scratch,
                                  .verify_memory = e->wants_proof ? &e->verify_memory : NULL,
                                  .http_memory = e->wants_http ? &e->http_memory : NULL,
                                  .known = e->options.known,
                                  .learns = e->options.learns,
                                  .no_data = e->no_data,
                                  .blind = e->blind};
}

struct engine *engine_new(const struct engine_options *options)
{
    struct engine *e = calloc(1, sizeof *e);
    if (!e)
        return NULL;
    e->fragments = fragments_new();
    if (!e->fragments || !tape_init(&e->own.tape)) {
        fragments_free(e->fragments);
        free(e);
        return NULL;
    }
    e->options = *options;
    e->result = &e->own;
    e->share = SHARE_UNKNOWN;
    crypto_provider_init(&e->crypto);
    key_table_init(&e->keys);
    e->keys.survey = options->survey;
    e->keys.wishes = options->wishes;
    flow_table_init(&e->flows, options->seed);
    flow_table_init(&e->datagrams, options->seed);
    e->datagrams.arena.ceiling = MAX_DATAGRAMS;
    tls_default_ports(&e->ports);
    for (size_t i = 0; i < options->tls_port_count; i++)
        e->ports.says[options->tls_ports[i]] = TLS_PORT_YES;
    for (size_t i = 0; options->ports && i < sizeof options->ports->says; i++) {
        uint8_t says = options->ports->says[i];
        e->ports.says[i] = says != TLS_PORT_UNKNOWN ? says : e->ports.says[i];
    }
    e->wants_protocols = options->want[F_frame_protocols];
    e->options.lower.unnamed = !e->wants_protocols;
    e->wants_frame = any_wanted(options->want, F_pkt_comment, F__ws_expert);
    bool remarks = any_wanted(options->want, F__ws_expert, F__ws_malformed);
    e->wants_lower = remarks || any_wanted(options->want, F_expert_malformed + 1, F_tcp);
    e->wants_certificates = remarks || options->want[F_frame_protocols] ||
                            any_wanted(options->want, F__ws_string, FIELD_COUNT) ||
                            options->want[F_tls_handshake_certificate] ||
                            any_wanted(options->want, F_tls_sct_scts_length, F_tls_segment);
    e->certificates.seed = e->origins.seed = options->seed;
    if (remarks || options->want[F_tlswire_tcp_conflict])
        e->repeats = tcp_repeats_new();
    e->wants_proof = tls_verify_wanted(options->want);
    e->wants_http = tls_http_wanted(options->want);
    e->blind = options->no_columns && !options->learns && !remarks &&
               !options->want[F_frame_protocols] && !any_wanted(options->want, F_tls, FIELD_COUNT);
    e->no_data = options->no_bytes && !options->learns && !remarks &&
                 !options->want[F_frame_protocols] &&
                 !any_wanted(options->want, F_tls, FIELD_COUNT);
    e->ends_at_tcp = ends_at_tcp(options, remarks);
    e->wants_tcp = remarks || any_wanted(options->want, F_tcp, F_tls);
    e->options.tcp.unasked =
        options->no_columns && !e->wants_tcp && !e->repeats && !e->wants_proof && !options->learns;
    walk_find_silent(options->want, e->wants_certificates, e->silent);
    lay_out_tools(e);
    return e;
}

static void forget_flows(struct engine *e)
{
    for (struct flow *f = e->flows.flows; f; f = f->next) {
        tls_free(&e->pool, f);
        tcp_reassembly_free(&e->pool, f);
    }
}

void engine_reset(struct engine *e)
{
    forget_flows(e);
    tls_origins_free(&e->origins); /* their numbers begin again */
    flow_table_free(&e->flows);
    flow_table_init(&e->flows, e->options.seed);
}

void engine_free(struct engine *e)
{
    if (!e)
        return;
    forget_flows(e);
    tcp_pool_free(&e->pool);
    tcp_repeats_free(e->repeats);
    arena_free(&e->plaintext);
    expander_free(&e->expander);
    tls_origins_free(&e->origins);
    key_table_free(&e->keys);
    flow_table_free(&e->flows);
    flow_table_free(&e->datagrams);
    fragments_free(e->fragments);
    tape_free(&e->own.tape);
    buf_free(&e->protocols);
    buf_free(&e->scratch);
    crypto_provider_free(&e->crypto);
    free(e);
}

void engine_keys(struct engine *e, struct slice text)
{
    keylog_feed(&e->keys, text);
    keylog_finish(&e->keys);
}

size_t engine_key_count(const struct engine *e)
{
    return keylog_stats(&e->keys)->valid;
}

size_t engine_key_sessions(const struct engine *e)
{
    return keylog_stats(&e->keys)->unwanted > 0 ? 0 : key_table_sessions(&e->keys);
}

bool engine_first_time(const struct engine *e, int64_t *time_ns)
{
    *time_ns = e->first_time;
    return e->has_first;
}

void engine_export_keys(const struct engine *e, struct buf *out)
{
    keylog_write(&e->keys, out);
}

const struct tls_key_stats *engine_key_stats(const struct engine *e)
{
    return &e->key_stats;
}

void engine_learned(struct engine *e)
{
    foresight_streams(e->options.learns, &e->flows, tls_version);
}

void engine_passed_over(struct engine *e)
{
    e->previous_time = e->before_previous;
}

void engine_displayed(struct engine *e)
{
    e->has_displayed = true;
    e->displayed_time = e->previous_time;
}

static void set_address(struct address *to, struct slice bytes)
{
    *to = (struct address){.kind = ADDRESS_NONE};
    if (bytes.len == 4) {
        to->kind = ADDRESS_IPV4;
        slice_read(&bytes, to->bytes, 4);
    } else if (bytes.len == 16) {
        to->kind = ADDRESS_IPV6;
        slice_read(&bytes, to->bytes, 16);
    } else if (bytes.len == 6) {
        to->kind = ADDRESS_ETHER;
        slice_read(&bytes, to->bytes, 6);
    }
}

static void take_times(struct engine *e, const struct packet *p)
{
    struct dissection *d = e->result;
    if (!e->has_first) {
        e->has_first = true;
        e->first_time = e->previous_time = p->time_ns;
    }
    d->time_relative = p->time_ns - e->first_time;
    d->time_delta = p->time_ns - e->previous_time;
    e->before_previous = e->previous_time;
    d->time_delta_displayed = e->has_displayed ? p->time_ns - e->displayed_time : 0;
    e->previous_time = p->time_ns;
}

static void begin_chain(struct engine *e, bool is_tcp)
{
    size_t used = e->lower.protocols_len;
    memcpy(e->chain, e->lower.protocols, used + 1);
    if (is_tcp)
        memcpy(e->chain + used, ":tcp", 5);
}

/* frame.protocols is known only when all has been read. */
static void name_protocols(struct engine *e)
{
    struct tape *t = &e->result->tape;
    uint32_t at = 0, end = t->count;
    while (at < end && t->events[at].field != F_frame_protocols)
        at++;
    if (at == end || e->protocols.len == 0)
        return;
    buf_clear(&e->scratch);
    buf_str(&e->scratch, e->chain);
    buf_slice_put(&e->scratch, buf_slice(&e->protocols));
    tape_set_text(t, at, buf_slice(&e->scratch));
}

static struct tcp_wish scan(void *context, const struct flow *f, struct slice bytes)
{
    const struct engine *e = context;
    uint32_t start = (uint32_t)tls_start(f, bytes);
    struct slice rest = slice_sub(bytes, start, SIZE_MAX);
    if (!tls_claims(f, &e->ports, rest))
        return (struct tcp_wish){.offset = (uint32_t)bytes.len};
    struct tcp_wish wish = tls_scan(f, rest);
    if (e->options.split_records)
        return (struct tcp_wish){.offset = (uint32_t)bytes.len};
    wish.offset += start;
    return wish;
}

/* Only what is known as TLS is searched for it. */
static uint32_t resume(void *context, const struct flow *f, struct tcp_lost *lost,
                       struct slice bytes, uint32_t seq)
{
    const struct engine *e = context;
    bool known = f->tls || tls_port_says(f, &e->ports) == TLS_PORT_YES;
    if (!known || tls_start(f, bytes) > 0)
        return 0;
    return tls_resume(lost, bytes, seq, tls_version(f));
}

/* The tree of TCP, with what the reassembly says of the payload. */
static void emit_tcp(struct engine *e, const struct lower *lower, const struct tcp_plan *plan)
{
    struct dissection *d = e->result;
    uint32_t payload = lower->payload_offset + d->tcp.header_len;
    uint8_t source = lower->payload_source;
    if (!e->wants_tcp || d->tcp.captured < 4) /* not even the ports */
        return;
    uint32_t at = tcp_emit(&d->tape, source, lower->payload_offset, &d->tcp);
    tcp_emit_payload(&d->tape, source, payload, &d->tcp);
    tcp_emit_waiting(&d->tape, source, payload, lower->payload_offset, plan,
                     foresight_joined_in(e->options.known, (uint32_t)d->packet->number));
    tape_close(&d->tape, at);
}

/* What nothing here takes apart. */
static void show_data(struct engine *e, uint8_t source, uint32_t offset, uint32_t len,
                      enum expert_id remark)
{
    if (len > 0)
        buf_str(&e->protocols, ":data");
    data_emit(&e->result->tape, source, offset, len, remark);
}

/* Bytes of a connection that are not TLS: before it begins, or not at all. */
static void show_plain(struct engine *e, struct flow *flow, struct slice bytes, uint8_t source,
                       uint32_t offset)
{
    bool expected = tls_port_says(flow, &e->ports) == TLS_PORT_YES;
    if (bytes.len > 0)
        flow->asks_tls = preface_asks(bytes);
    show_data(e, source, offset, (uint32_t)bytes.len,
              expected && preface_is_http(bytes) ? EXPERT_tls_plain_http : EXPERT_NONE);
}

/* One run: what precedes TLS, then TLS. */
static void read_run(struct engine *e, struct flow *flow, const struct tcp_run *run, uint8_t source,
                     uint32_t offset)
{
    uint32_t start = (uint32_t)tls_start(flow, run->bytes);
    struct tcp_run rest = *run;
    rest.bytes = slice_sub(run->bytes, start, SIZE_MAX);
    if (run->stray || !tls_claims(flow, &e->ports, rest.bytes)) {
        show_plain(e, flow, run->bytes, source, offset);
        return;
    }
    if (start > 0) {
        struct tcp_wish wish = tls_scan(flow, rest.bytes);
        rest.idle = wish.more > 0 && wish.offset == 0;
        show_plain(e, flow, slice_sub(run->bytes, 0, start), source, offset);
    }
    tls_read(&e->flows, flow, e->result, &rest, source, offset + start, &e->tools);
}

/* The frames that began what this one completes. */
static void note_joined(struct engine *e, struct slice parts)
{
    struct tcp_part part;
    while (e->options.learns && slice_read(&parts, &part, sizeof part))
        foresight_joined(e->options.learns, part.frame, (uint32_t)e->result->packet->number);
}

/* Sessions are linked for whoever shows it, and where keys of one connection open another. */
static bool asks_origins(const struct engine *e)
{
    return !e->blind && (e->options.want[F_tlswire_resumes] || e->keys.count > 0 ||
                         e->wants_proof || key_ring_psk_count(e->options.ring) > 0);
}

/* What TCP carries. */
static void read_runs(struct engine *e, struct flow *flow, const struct tcp_plan *plan)
{
    struct dissection *d = e->result;
    uint32_t payload = e->lower.payload_offset + d->tcp.header_len;
    struct tls_tools *tools = &e->tools;
    tools->origins = asks_origins(e) ? &e->origins : NULL;
    tools->alone =
        e->options.split_records || e->tcp.no_desegment || d->tcp.checksum_state == TCP_SUM_BAD;
    d->columns.segment_of_pdu = plan->segment_of_pdu;
    for (unsigned i = 0; i < plan->run_count; i++) {
        const struct tcp_run *run = &plan->runs[i];
        uint8_t source = e->lower.payload_source;
        uint32_t offset = payload + run->offset;
        if (run->idle && e->options.known)
            continue; /* known to be a part: nobody has to be asked */
        if (run->joined && !run->idle) {
            note_joined(e, plan->parts);
            source = tape_source(&d->tape, run->bytes, "Reassembled TCP");
            offset = 0;
            tcp_emit_joined(&d->tape, source, run, plan);
        }
        read_run(e, flow, run, source, offset);
        if (run->joined && !run->idle && tcp_parts_conflict(plan->parts))
            dissection_remark(d, "[Illegal Segments]");
        /* TLS that may not wait for the rest of its record is TLS all the same. */
        if (tools->alone && d->columns.asked && columns_of_tcp(&d->columns))
            d->columns.protocol = tls_version_name(tls_version(flow));
    }
}

/* What is shown of the connection's end when that is known already. */
static void foresee(const struct engine *e, struct tcp_facts *facts)
{
    const struct stream_end *end =
        e->options.known ? foresight_of_stream(e->options.known, facts->stream) : NULL;
    if (!end)
        return;
    facts->completeness = end->completeness;
    facts->initial_rtt = end->initial_rtt;
}

/* The option of multipath TCP: names that frame.protocols has, and what the connection is part of. */
static void note_multipath(struct engine *e, struct flow *flow)
{
    struct tcp_facts *facts = &e->result->tcp;
    struct tcp_option_walk walk = tcp_options_of(facts->options, facts->options.len);
    struct tcp_option option;
    bool none = e->tcp.no_multipath;
    while (tcp_option_next(&walk, &option) && option.kind != TCP_OPTION_END && !option.fault)
        if (option.kind == TCP_OPTION_MULTIPATH)
            buf_str(&e->protocols, none ? ":data" : ":mptcp");
    if (!none)
        e->result->columns.protocol = "MPTCP";
    if (flow && e->wants_tcp && !none && !e->tcp.no_analysis)
        multipath_follow(&e->flows, &e->crypto, flow, facts);
}

static void read_tcp(struct engine *e, const struct packet *packet, const struct lower *lower)
{
    struct dissection *d = e->result;
    struct columns *c = &d->columns;
    e->tcp = e->options.tcp;
    e->tcp.no_desegment |= lower->first_piece;
    struct tcp_input in = {.source = &c->source,
                           .destination = &c->destination,
                           .bytes = lower->payload,
                           .len = lower->payload_length,
                           .frame = packet->number,
                           .time = packet->time_ns,
                           .options = &e->tcp};
    struct flow *flow = NULL;
    struct slice payload;
    struct tcp_plan plan;
    int direction;
    c->has_tcp = true;
    c->protocol = "TCP";
    plan.run_count = plan.waiting_count = 0;
    plan.segment_of_pdu = false;
    bool above = !e->ends_at_tcp || e->keys.count > 0; /* how keys serve is told */
    if (tcp_segment(&e->flows, &in, &d->tcp, &flow, &direction, &payload) && above &&
        (payload.len > 0 || (d->tcp.flags & TCP_FIN) || tcp_holds(flow, direction)) &&
        !(d->tcp.flags & TCP_RST)) {
        uint32_t first = d->tcp.seq_raw + (d->tcp.flags & TCP_SYN ? 1 : 0);
        if (e->repeats && payload.len > 0)
            tcp_repeats_check(e->repeats, flow, &d->tcp, first, (uint32_t)packet->number);
        tcp_reassemble(&e->flows, &e->pool, flow, &d->tcp, (uint32_t)packet->number, scan, resume,
                       e, &plan);
    }
    foresee(e, &d->tcp);
    if (d->tcp.has_multipath)
        note_multipath(e, flow);
    emit_tcp(e, lower, &plan);
    if (d->tcp.captured < 4) { /* nothing of TCP shows */
        c->has_tcp = false;
        c->protocol = lower->network == NETWORK_IPV6 ? "IPv6" : "IPv4";
    }
    if (d->tcp.cut_header)
        dissection_stop(d, "TCP", d->tcp.cut_by_capture);
    if (plan.run_count > 0 || plan.segment_of_pdu)
        read_runs(e, flow, &plan);
    if (d->tcp.has_multipath && c->segment_of_pdu && columns_of_tcp(c))
        c->protocol = "TCP";
    if (flow && above && d->tcp.flags & TCP_FIN && tcp_all_read(flow, &d->tcp))
        tls_end(flow, d, lower->payload_source, lower->payload_offset);
}

/* Numbers the exchange that a datagram belongs to, as TCP's connections are numbered. */
static void follow_datagram(struct engine *e, const struct lower_layer *udp)
{
    struct lower *lower = &e->lower;
    struct slice bytes = e->result->tape.sources[udp->source].bytes;
    struct address source, destination;
    set_address(&source, lower->udp_source);
    set_address(&destination, lower->udp_destination);
    struct slice ports = slice_sub(bytes, udp->offset, 4);
    uint16_t from = slice_u16(&ports), to = slice_u16(&ports);
    int64_t now = e->result->packet->time_ns;
    int direction;
    struct flow_key key = flow_key_of(&source, &destination, from, to, &direction);
    struct flow *f = flow_find(&e->datagrams, &key);
    lower->udp_stream = 0;
    lower->udp_relative = lower->udp_delta = 0;
    if (!f && (f = flow_add(&e->datagrams, &key)))
        f->first_time = f->last_time = now;
    if (!f)
        return;
    lower->udp_stream = f->stream;
    lower->udp_relative = now - f->first_time;
    lower->udp_delta = now - f->last_time;
    f->last_time = now;
}

/* The layers up to IP's payload, and the columns as far as they tell. */
static void read_lower(struct engine *e, const struct packet *packet)
{
    struct columns *c = &e->result->columns;
    struct lower *lower = &e->lower;
    lower_read(packet, e->fragments, &e->options.lower, lower);
    for (unsigned i = 0; i < lower->joined_count; i++)
        tape_source(&e->result->tape, lower->joined[i].bytes,
                    lower->joined[i].is_ipv6 ? "Reassembled IPv6" : "Reassembled IPv4");
    set_address(&c->source, lower->source);
    set_address(&c->destination, lower->destination);
    c->ether_type = lower->ether_type;
    c->protocol = lower->network == NETWORK_IPV4   ? "IPv4"
                  : lower->network == NETWORK_IPV6 ? "IPv6"
                                                   : NULL;
    c->has_tcp = c->segment_of_pdu = c->asked = false;
    c->item_count = c->lower_info_len = 0;
    const struct lower_layer *udp = lower_udp(lower);
    if (udp && e->share != SHARE_SECOND) /* the first engine has them all */
        follow_datagram(e, udp);
}

/* The columns of a packet that carries no TCP. */
static void describe_lower(struct engine *e)
{
    struct columns *c = &e->result->columns;
    struct buf text = {.data = (uint8_t *)c->lower_info, .cap = LOWER_INFO, .ceiling = LOWER_INFO};
    const char *protocol = lower_info(&text, &e->lower, e->result->packet->bytes);
    if (protocol)
        c->protocol = protocol;
    c->lower_info_len = (uint16_t)text.len;
}

void engine_into(struct engine *e, struct dissection *d)
{
    e->result = d ? d : &e->own;
}

void engine_share(struct engine *e, enum share share)
{
    e->share = share;
    e->pool.is_share = share != SHARE_UNKNOWN;
}

bool engine_may_share(const struct engine *e)
{
    const uint8_t *want = e->options.want;
    bool numbers = want[F_tcp_stream] || want[F_udp_stream] || want[F_expert_mptcp_key_mismatch] ||
                   any_wanted(want, F_mptcp_ack, F_tls);
    return !numbers && !asks_origins(e) && !e->wants_proof && !e->wants_http && !e->repeats &&
           e->keys.count == 0 && !e->options.ring && !e->options.known && !e->options.learns;
}

static bool carries_tcp(const struct lower *lower)
{
    return lower->has_payload && lower->protocol == PROTOCOL_TCP && !lower->fragment;
}

/* Whose the packet is, whose layers below TCP were read. */
static enum share share_by_layers(const struct engine *e)
{
    const struct columns *c = &e->result->columns;
    struct slice tcp = slice_sub(e->lower.payload, 0, 4);
    uint16_t source = slice_u16(&tcp), destination = slice_u16(&tcp);
    return carries_tcp(&e->lower) ? share_of(&c->source, &c->destination, source, destination)
                                  : SHARE_FIRST;
}

const struct dissection *engine_packet(struct engine *e, const struct packet *packet)
{
    struct dissection *d = e->result;
    const struct lower *lower = &e->lower;
    enum share share = e->share == SHARE_UNKNOWN ? e->share : share_of_packet(packet);
    if (share != e->share && share != SHARE_UNKNOWN) {
        take_times(e, packet);
        return NULL;
    }
    d->packet = packet;
    tape_reset(&d->tape, e->options.want);
    d->verdict = NULL;
    d->tape.more = e->options.more;
    d->tape.names = e->options.lower.names;
    d->tape.makers = e->options.lower.makers;
    tape_source(&d->tape, packet->bytes, "Frame");
    arena_reset(&e->plaintext);
    e->expander.left = EXPAND_A_PACKET;
    buf_clear(&e->protocols);
    take_times(e, packet);
    read_lower(e, packet);
    if (share != e->share && share_by_layers(e) != e->share)
        return NULL;

    bool is_tcp = carries_tcp(lower);
    if (e->wants_protocols)
        begin_chain(e, is_tcp);
    if (e->wants_frame) {
        struct frame_times times = {.relative = d->time_relative,
                                    .delta = d->time_delta,
                                    .delta_displayed = d->time_delta_displayed};
        frame_emit(&d->tape, packet, &times, e->chain);
    }
    if (e->wants_lower)
        lower_emit(&d->tape, packet, &e->options.lower, lower);
    if (!is_tcp)
        describe_lower(e);
    if (is_tcp)
        read_tcp(e, packet, lower);
    else if (lower->has_payload)
        show_data(e, lower->payload_source, lower->payload_offset, (uint32_t)lower->payload.len,
                  EXPERT_NONE);
    if (e->wants_protocols)
        name_protocols(e);
    return d;
}
