/* What a record carries, but for handshake messages: alerts, ChangeCipherSpec, heartbeats, data. */
#include "stream/tls_session.h"

#define HEARTBEAT_PADDING 16u /* at least (RFC 6520 4) */

/* Protocols of ports, as shown for data that a record carries; ALPN says it better. */
static const struct {
    uint16_t port;
    const char *name;
} port_names[] = {
    {324, "RPKI-Router Protocol"},
    {443, "Hypertext Transfer Protocol"},
    {465, "Simple Mail Transfer Protocol"},
    {636, "Lightweight Directory Access Protocol"},
    {802, "Modbus/TCP"},
    {853, "Domain Name System"},
    {993, "Internet Message Access Protocol"},
    {995, "Post Office Protocol"},
    {1300, "Q.931"},
    {2221, "EtherNet/IP (Industrial Protocol)"},
    {2443, "Skinny Client Control Protocol"},
    {3389, "TPKT - ISO on TCP - RFC1006"},
    {3496, "DoIP (ISO13400) Protocol"},
    {5061, "Session Initiation Protocol"},
    {5671, "Advanced Message Queuing Protocol"},
    {5684, "Constrained Application Protocol"},
    {5868, "Diameter Protocol"},
    {8883, "MQ Telemetry Transport Protocol"},
    {11207, "Couchbase Protocol"},
    {19999, "Distributed Network Protocol 3.0"},
    {27017, "Mongo Wire Protocol"},
};

static const char *application(const struct tls_reader *r)
{
    const struct tcp_facts *f = &r->d->tcp;
    if (r->session->application)
        return r->session->application;
    for (size_t i = 0; i < sizeof port_names / sizeof port_names[0]; i++)
        if (port_names[i].port == f->source_port || port_names[i].port == f->destination_port)
            return port_names[i].name;
    return NULL;
}

static void alert(struct tls_reader *r, const struct tls_content *c)
{
    struct tape *t = &r->d->tape;
    struct slice s = slice_sub(c->bytes, c->at, c->end - c->at);
    uint8_t level = slice_at(s, 0), description = slice_at(s, 1);
    const char *a = registry_compat(REG_ALERT_LEVELS, level);
    const char *b = registry_compat(REG_ALERTS, description);
    bool plain = s.len == 2; /* nothing that is protected is as short */
    r->side->closed |= !plain || description == 0 || level == 2;
    a = a ? a : "Unknown";
    b = b ? b : "Unknown";
    uint32_t item = tape_open(t, F_tls_alert_message, c->source, c->at, c->end - c->at, 0, 0);
    if (plain) {
        tape_add(t, F_tls_alert_message_level, c->source, c->at, 1, level, 0);
        tape_add(t, F_tls_alert_message_desc, c->source, c->at + 1, 1, description, 0);
        tls_info(r, (struct info_item){.kind = INFO_ALERT, .a = level, .b = description});
        TLS_NOTE(t, c->record, c->version, " Record Layer: Alert (Level: ", a, ", Description: ", b,
                 ")");
    } else {
        tape_set_label(t, item, LABEL_TLS_ENCRYPTED_ALERT);
        tls_info_text(r, "Encrypted Alert");
        TLS_NOTE(t, c->record, c->version, " Record Layer: Encrypted Alert");
    }
    tape_close(t, item);
}

static void change_cipher_spec(struct tls_reader *r, const struct tls_content *c)
{
    struct tape *t = &r->d->tape;
    TLS_NOTE(t, c->record, c->version,
             " Record Layer: Change Cipher Spec Protocol: Change Cipher Spec");
    uint32_t at = tape_open(t, F_tls_change_cipher_spec, c->source, c->at, c->end - c->at, 0, 0);
    /* Who takes a session up lets the server change its keys first (RFC 5246 7.3). */
    bool server_did = r->session->client == !r->d->tcp.direction ||
                      r->session->side[!r->d->tcp.direction].changed;
    if (r->session->abbreviated && server_did)
        tape_expert(t, EXPERT_tls_resumed, c->source, c->at, c->end - c->at, 0);
    if (c->end - c->at != 1 || slice_at(c->bytes, c->at) != 1)
        tape_expert(t, EXPERT_tls_change_cipher_spec, c->source, c->at, c->end - c->at, 0);
    if (r->session->abbreviated && r->session->client == !r->d->tcp.direction)
        tls_lineage_taken(r, c);
    tape_close(t, at);
    tls_info_text(r, "Change Cipher Spec");
    if (r->session->client == !r->d->tcp.direction)
        r->session->abbreviated = false;
    r->side->changed = true;
    if (r->session->version && r->session->version < VERSION_TLS13)
        tls_change_keys(r->side, EPOCH_12);
}

static void application_data(struct tls_reader *r, const struct tls_content *c)
{
    struct tape *t = &r->d->tape;
    const char *name = application(r);
    tls_info_text(r, "Application Data");
    TLS_NOTE(t, c->record, c->version,
             " Record Layer: Application Data Protocol: ", name ? name : "Application Data");
    tape_add(t, F_tls_app_data, c->source, c->at, c->end - c->at, 0, 0);
    if (name)
        tape_set_text(t,
                      tape_add(t, F_tls_app_data_proto, r->source, r->start, 0, 0, EVENT_GENERATED),
                      slice_of_str(name));
}

/* A length that leaves no room for the padding is a lie, told to get at memory that is not the sender's: the
 * payload is what is there. */
static void heartbeat_length(struct tls_reader *r, const struct tls_content *c, uint16_t claimed,
                             uint32_t room, bool lie)
{
    struct tape *t = &r->d->tape;
    uint32_t at =
        tape_open(t, F_tls_heartbeat_message_payload_length, c->source, c->at + 1, 2, claimed, 0);
    if (lie) {
        tape_set_label(t, at, LABEL_TLS_HEARTBEAT_LIE);
        tape_set_extra(t, at, room);
        tape_expert(t, EXPERT_tls_heartbeat_length, c->source, c->at + 1, 0, claimed);
    }
    tape_close(t, at);
}

static void heartbeat(struct tls_reader *r, const struct tls_content *c)
{
    struct tape *t = &r->d->tape;
    struct slice s = slice_sub(c->bytes, c->at, c->end - c->at);
    uint32_t size = (uint32_t)s.len, at = c->at;
    uint8_t type = slice_u8(&s);
    uint16_t payload = slice_u16(&s);
    const char *name = registry_compat(REG_HEARTBEAT_TYPES, type);
    bool plain = name && (c->opened || !r->side->changed);
    if (size < 3) {
        tape_set_label(t, c->record, LABEL_TLS_RECORD);
        r->failed = true;
        return;
    }
    uint32_t item = tape_open(t, F_tls_heartbeat_message, c->source, c->at, size, 0, 0);
    if (plain) {
        uint32_t there = payload < size - 3 ? payload : size - 3;
        TLS_NOTE(t, c->record, c->version, " Record Layer: Heartbeat ", name);
        tls_info(r, (struct info_item){.kind = INFO_HEARTBEAT, .a = type});
        tape_add(t, F_tls_heartbeat_message_type, c->source, at, 1, type, 0);
        heartbeat_length(r, c, payload, there, payload + HEARTBEAT_PADDING + 3 > size);
        tape_add(t, F_tls_heartbeat_message_payload, c->source, at + 3, there, 0, 0);
        if (there < size - 3)
            tape_add(t, F_tls_heartbeat_message_padding, c->source, at + 3 + there,
                     size - 3 - there, 0, 0);
    } else {
        tape_set_label(t, item, LABEL_TLS_ENCRYPTED_HEARTBEAT);
        TLS_NOTE(t, c->record, c->version, " Record Layer: Encrypted Heartbeat");
        tls_info_text(r, "Encrypted Heartbeat");
    }
    tape_close(t, item);
}

void tls_content(struct tls_reader *r, const struct tls_content *plain, const struct tls_content *c)
{
    static void (*const kinds[])(struct tls_reader *, const struct tls_content *) = {
        [TLS_CHANGE_CIPHER_SPEC] = change_cipher_spec,
        [TLS_ALERT] = alert,
        [TLS_HANDSHAKE] = tls_handshake,
        [TLS_HEARTBEAT] = heartbeat,
    };
    if (c->type == TLS_CONNECTION_ID && c->at < c->end)
        tape_add(&r->d->tape, F_tlswire_tls12_cid, c->source, c->at, c->end - c->at, 0, 0);
    if (c->type == TLS_CONNECTION_ID || (c->type == TLS_HANDSHAKE && c->at == c->end))
        tape_set_label(&r->d->tape, c->record, LABEL_TLS_RECORD);
    else if (c->type < sizeof kinds / sizeof kinds[0] && kinds[c->type])
        kinds[c->type](r, c);
    else
        application_data(r, plain);
}
