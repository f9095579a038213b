#include "stream/tls.h"

#include "dissect/data.h"
#include "stream/preface.h"
#include "stream/tls_ech.h"
#include "stream/tls_exchange.h"
#include "stream/tls_http.h"
#include "stream/tls_session.h"
#include "stream/tls_verify.h"

#include <stdlib.h>

void tls_default_ports(struct tls_ports *ports)
{
    /* As registered with IANA for protocols over TLS, and what Wireshark's preferences add. */
    static const uint16_t known[] = {324,  443,  465,  636,  802,  853,   993,   995,
                                     1300, 2221, 2443, 3249, 3250, 3251,  3252,  3496,
                                     5061, 5671, 5684, 5868, 8883, 11207, 19999, 27017};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        ports->says[known[i]] = TLS_PORT_YES;
}

static bool is_type(uint8_t type)
{
    return type >= TLS_CHANGE_CIPHER_SPEC && type <= TLS_CONNECTION_ID;
}

/* A header that begins a record of a version that is in use, whatever its length. */
static bool is_header(struct slice s)
{
    uint8_t type = slice_u8(&s);
    uint16_t version = slice_u16(&s);
    return s.len >= 2 && is_type(type) && tls_is_version(version);
}

/* The same where nothing else speaks for TLS: as tshark has it, a handshake or application data that is not empty;
 * and an alert in the clear, with which a server answers what was no TLS. */
static bool is_record(struct slice s)
{
    uint8_t type = slice_u8(&s);
    uint16_t version = slice_u16(&s), length = slice_u16(&s);
    if (s.failed || !(tls_is_version(version) && version != VERSION_TLS13))
        return false;
    if (type == TLS_ALERT && length == 2) {
        uint8_t level = slice_u8(&s), description = slice_u8(&s);
        return !s.failed && (level == 1 || level == 2) && registry_name(REG_ALERTS, description);
    }
    return (type == TLS_HANDSHAKE || type == TLS_APPLICATION_DATA) && length > 0 &&
           length < TLS_MAX_RECORD;
}

uint8_t tls_port_says(const struct flow *f, const struct tls_ports *ports)
{
    bool swap = f->key.low_port > f->key.high_port;
    uint8_t first = ports->says[swap ? f->key.high_port : f->key.low_port];
    return first ? first : ports->says[swap ? f->key.low_port : f->key.high_port];
}

size_t tls_start(const struct flow *f, struct slice bytes)
{
    const struct tls_session *session = f->tls;
    return session && session->version ? 0 : preface_length(bytes, f->asks_tls);
}

/* Text where a record should begin: a protocol that asks for TLS later, or none of ours. */
static bool is_text(struct slice s)
{
    size_t i = 0;
    while (i < 4 && slice_at(s, i) >= ' ' && slice_at(s, i) < 0x7f)
        i++;
    return i == 4;
}

bool tls_claims(const struct flow *f, const struct tls_ports *ports, struct slice bytes)
{
    uint8_t port = tls_port_says(f, ports);
    return bytes.len > 0 && port != TLS_PORT_NO && !(bytes.len > 4 && is_text(bytes)) &&
           (f->tls || port == TLS_PORT_YES || is_record(bytes));
}

static uint32_t record_length(struct slice s)
{
    slice_skip(&s, 3);
    return TLS_HEADER + (uint32_t)slice_u16(&s);
}

/* What stands where a record should begin. */
enum record_form { FORM_NONE, FORM_SHORT, FORM_TLS, FORM_SSL2 };

/* BEGINS: no hello was seen yet; the version may be known all the same, from a first pass. */
static enum record_form form_of(struct slice rest, uint16_t version, bool begins)
{
    if (version == VERSION_SSL2)
        return rest.len < 3 ? FORM_SHORT : FORM_SSL2;
    if ((!version || begins) && ssl2_looks(rest))
        return FORM_SSL2;
    if (rest.len < TLS_HEADER)
        return FORM_SHORT;
    return (version ? is_type(slice_at(rest, 0)) : is_header(rest)) ? FORM_TLS : FORM_NONE;
}

struct tcp_wish tls_scan(const struct flow *f, struct slice bytes)
{
    const struct tls_session *session = f->tls;
    uint16_t version = session ? session->version : 0;
    uint32_t at = 0, end = (uint32_t)bytes.len;
    while (at < end) {
        struct slice rest = slice_sub(bytes, at, end - at);
        enum record_form form = form_of(rest, version, !session || session->client < 0);
        uint32_t size = form == FORM_SSL2 ? ssl2_size(rest) : record_length(rest);
        if (form == FORM_SHORT)
            return (struct tcp_wish){.offset = at, .more = TCP_NEXT_SEGMENT};
        if (form == FORM_NONE)
            break;
        if (size > rest.len)
            return (struct tcp_wish){.offset = at, .more = size - (uint32_t)rest.len};
        at += size;
        if (!version && form == FORM_TLS)
            version = VERSION_TLS12;
    }
    return (struct tcp_wish){.offset = end};
}

void tls_free(struct tcp_pool *pool, struct flow *f)
{
    struct tls_session *s = f->tls;
    for (size_t i = 0; s && i < 2; i++) {
        tls_drop_keys(&s->side[i]);
        tcp_pool_give(pool, &s->side[i].fragment);
    }
    if (s) {
        tls_ech_free(s->ech);
        tls_exchange_free(s->exchange);
        tls_http_free(s->http);
        tls_verify_free(s);
        free(s->lineage);
    }
    f->tls = NULL;
}

void tls_note(struct tape *t, uint32_t at, const char *const *parts)
{
    if (at == TAPE_NONE)
        return;
    size_t start = t->text.len;
    for (; *parts; parts++)
        buf_str(&t->text, *parts);
    t->events[at].value = (uint64_t)(t->text.len - start) << 32 | (uint32_t)start;
}

void tls_info(struct tls_reader *r, struct info_item item)
{
    struct columns *c = &r->d->columns;
    if (c->item_count < INFO_ITEMS)
        c->items[c->item_count++] = item;
}

void tls_info_text(struct tls_reader *r, const char *text)
{
    tls_info(r, (struct info_item){.kind = INFO_TEXT, .text = text});
}

const char *tls_version_name(uint16_t version)
{
    if (version == VERSION_SSL2)
        return "SSLv2";
    const char *name = registry_compat(REG_TLS_VERSIONS_SHORT, version);
    return name ? name : "SSL";
}

/* The same, once for all records in a row of one version. */
static const char *name_version(struct tls_session *s, uint16_t version)
{
    if (!s->version_name || s->named_version != version) {
        s->version_name = tls_version_name(version);
        s->named_version = version;
    }
    return s->version_name;
}

/* Data that a record held: shown after TLS, as a protocol of its own. */
struct tls_data {
    struct tls_data *next;
    uint32_t len;
    uint8_t source;
};

static void keep_data(struct tls_reader *r, const struct tls_content *opened)
{
    struct tls_data *data = arena_alloc(r->tools->plaintext, sizeof *data);
    if (!data || opened->end == 0)
        return;
    *data = (struct tls_data){.len = opened->end, .source = opened->source};
    *r->last_data = data;
    r->last_data = &data->next;
}

static void show_data(struct tls_reader *r)
{
    struct tape *t = &r->d->tape;
    for (const struct tls_data *data = r->data; data; data = data->next) {
        data_emit(t, data->source, 0, data->len, EXPERT_NONE);
        buf_str(r->tools->protocols, ":data");
    }
}

/* Opens the record if it can be; what was inside becomes a source of its own. */
static bool open_record(struct tls_reader *r, struct slice header, struct tls_content *c)
{
    struct opened inside;
    struct slice fragment = slice_sub(c->bytes, c->at, c->end - c->at);
    if (!tls_open(r, header, fragment, &inside))
        return false;
    c->bytes = inside.plaintext;
    c->at = 0;
    c->end = (uint32_t)inside.plaintext.len;
    c->type = inside.type;
    c->opened = true;
    c->source = tape_source(&r->d->tape, inside.plaintext, "Decrypted TLS");
    return true;
}

/* The first record whose version counts sets that of the connection; a ClientHello's does not. */
static void set_version(struct tls_reader *r, uint8_t type, uint16_t stated, uint8_t first)
{
    bool hello = type == TLS_HANDSHAKE && first == 1;
    bool counts = !hello && is_type(type);
    bool early = r->session->asks_early_data && r->session->client == r->d->tcp.direction;
    if (!r->session->version && counts && tls_is_version(stated))
        r->session->version = early ? VERSION_TLS13 : stated;
}

/* The length that a record states, and whether it may have it (RFC 5246 6.2, RFC 9846 5.1). */
static void record_length_item(struct tls_reader *r, uint8_t type, uint16_t version,
                               uint32_t stated)
{
    static const enum expert_id empty[TLS_HEARTBEAT + 1] = {
        [TLS_CHANGE_CIPHER_SPEC] = EXPERT_tls_empty_ccs,
        [TLS_ALERT] = EXPERT_tls_empty_alert,
        [TLS_HANDSHAKE] = EXPERT_tls_empty_handshake};
    struct tape *t = &r->d->tape;
    uint32_t expansion = version == VERSION_TLS13 ? 256 : 2048;
    uint32_t at = tape_open(t, F_tls_record_length, r->source, r->at + 3, 2, stated, 0);
    if (stated == 0 && type <= TLS_HEARTBEAT && empty[type])
        tape_expert(t, empty[type], r->source, r->at + 3, 0, 0);
    else if (stated > TLS_MAX_PLAIN + expansion)
        tape_expert(t, EXPERT_tls_record_length, r->source, r->at + 3, 0, expansion);
    tape_close(t, at);
}

/* What is missing before the record that was just opened. */
static void show_resync(struct tls_reader *r)
{
    struct tape *t = &r->d->tape;
    tape_add(t, F_tlswire_decrypt_resync, r->source, r->at, 0, r->resync.records, EVENT_GENERATED);
    tape_add(t, F_tlswire_decrypt_lost_bytes, r->source, r->at, 0, r->resync.bytes,
             EVENT_GENERATED);
}

static void record(struct tls_reader *r, uint32_t length)
{
    struct tape *t = &r->d->tape;
    uint32_t at = r->at, body = at + TLS_HEADER;
    struct slice header = slice_sub(r->bytes, at, TLS_HEADER), s = header;
    uint8_t type = slice_u8(&s);
    uint16_t stated = slice_u16(&s);
    set_version(r, type, stated, slice_at(r->bytes, body));
    uint16_t version = r->session->version ? r->session->version : stated;
    bool opaque = type == TLS_APPLICATION_DATA && r->session->version == VERSION_TLS13;
    uint32_t item = tape_open(t, F_tls_record, r->source, at, TLS_HEADER + length, 0, 0);
    tape_add(t, opaque ? F_tls_record_opaque_type : F_tls_record_content_type, r->source, at, 1,
             type, 0);
    tape_add(t, F_tls_record_version, r->source, at + 1, 2, stated, 0);
    record_length_item(r, type, version, slice_u16(&s));
    const char *name = name_version(r->session, version);
    r->d->columns.protocol = name;
    r->next = body + length;
    struct tls_content plain = {.bytes = r->bytes,
                                .at = body,
                                .end = body + length,
                                .record = item,
                                .version = name,
                                .source = r->source,
                                .type = type};
    struct tls_content inner = plain;
    bool opened = open_record(r, header, &inner);
    if (opened && opaque)
        tape_add(t, F_tls_record_content_type, r->source, at, 1, inner.type, EVENT_GENERATED);
    else if (!opened && opaque && r->side->epoch != EPOCH_EARLY)
        tls_verify_gap(r);
    if (!opened && opaque)
        tls_remark_closed_record(r, &plain);
    if (opened && r->resync.found)
        show_resync(r);
    tls_content(r, &plain, &inner);
    if (r->tools->http_memory)
        tls_http_record(r, &inner);
    tape_close(t, item);
    if (opened && inner.type == TLS_APPLICATION_DATA)
        keep_data(r, &inner);
    r->d->columns.protocol =
        name_version(r->session, r->session->version ? r->session->version : stated);
    r->at = body + length;
}

/* Bytes where a record should begin, and none does. */
static void no_record(struct tls_reader *r)
{
    struct tape *t = &r->d->tape;
    r->d->columns.protocol = tls_version_name(r->session->version);
    if (r->session->version) {
        uint32_t item = tape_open(t, F_tls_unknown, r->source, r->at, r->end - r->at, 0, 0);
        tape_expert(t, EXPERT_tls_unknown_record, r->source, r->at, 0, 0);
        tape_close(t, item);
        r->failed = r->missing > 0;
        if (!r->failed)
            tls_info_text(r, "Ignored Unknown Record");
    } else {
        tls_info_text(r, "Continuation Data");
    }
    r->side->lost += r->end - r->at;
    r->at = r->end;
}

/* What a message on damage calls the module that met it. */
static const char *module_name(uint16_t module)
{
    static const struct {
        uint16_t module;
        const char *name;
    } names[] = {{F_pkix1explicit, "PKIX1EXPLICIT"},
                 {F_pkix1implicit, "PKIX1IMPLICIT"},
                 {F_pkixqualified, "PKIXQUALIFIED"},
                 {F_pkixproxy, "PKIXPROXY"},
                 {F_ns_cert_exts, "NS_CERT_EXTS"},
                 {F_logotypecertextn, "LogotypeCertExtn"},
                 {F_ocsp, "OCSP"},
                 {F_ber, "BER"},
                 {F_x509af, "X509AF"},
                 {F_x509ce, "X509CE"},
                 {F_x509if, "X509IF"},
                 {F_x509sat, "X509SAT"},
                 {F_pkcs1, "PKCS-1"}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (names[i].module == module)
            return names[i].name;
    return "TLS";
}

static void records(struct tls_reader *r)
{
    while (r->at < r->end && !r->failed) {
        struct slice rest = slice_sub(r->bytes, r->at, r->end - r->at);
        enum record_form form = form_of(rest, r->session->version, r->session->client < 0);
        if (form == FORM_SHORT) {
            r->failed = rest.len + r->missing >= TLS_HEADER;
            return;
        }
        if (form == FORM_NONE) {
            no_record(r);
            return;
        }
        uint32_t size = form == FORM_SSL2 ? ssl2_size(rest) : record_length(rest);
        if (size > rest.len && !r->missing) {
            bool waited = !r->tools->alone && r->at == r->start;
            if (waited && form == FORM_SSL2 && !r->session->version)
                no_record(
                    r); /* TCP did not wait for the rest: only the length looked like SSL 2.0 */
            return;
        }
        r->failed = size > rest.len;
        r->cut = r->failed ? size - (uint32_t)rest.len : 0;
        uint32_t there = size < rest.len ? size : (uint32_t)rest.len;
        if (form == FORM_SSL2)
            ssl2_record(r, there);
        else
            record(r, there - TLS_HEADER);
    }
    r->failed |= r->missing > 0 && r->at > r->start; /* what follows was not captured */
}

uint16_t tls_version(const struct flow *f)
{
    const struct tls_session *session = f->tls;
    return session ? session->version : 0;
}

static struct tls_session *session_of(struct flow_table *table, struct flow *f,
                                      const struct foresight *known)
{
    const struct stream_end *end = foresight_of_stream(known, f->stream);
    if (!f->tls) {
        struct tls_session *s = arena_zalloc(&table->arena, sizeof *s);
        if (s) {
            s->client = -1;
            s->side[0].effort = s->side[1].effort = TLS_EFFORT;
            s->version = end ? end->version : 0;
        }
        f->tls = s;
    }
    return f->tls;
}

/* The verdict, where it becomes another one. */
static void show_verdict(struct tls_reader *r, const struct tls_verdict *before)
{
    struct tape *t = &r->d->tape;
    struct tls_verdict v = tls_verdict_settled(&r->session->verdict);
    if (v.status == tls_verdict_settled(before).status)
        return;
    buf_clear(r->tools->scratch);
    tls_verdict_put(r->tools->scratch, &v);
    tape_set_text(t,
                  tape_add(t, F_tlswire_decrypt_status, r->source, r->start, 0, 0, EVENT_GENERATED),
                  buf_slice(r->tools->scratch));
}

void tls_read(struct flow_table *table, struct flow *f, struct dissection *d,
              const struct tcp_run *run, uint8_t source, uint32_t offset,
              const struct tls_tools *tools)
{
    struct tls_session *session = session_of(table, f, tools->known);
    if (!session)
        return;
    struct tls_reader r = {.flow = f,
                           .session = session,
                           .side = &session->side[d->tcp.direction],
                           .d = d,
                           .tools = tools,
                           .bytes = d->tape.sources[source].bytes,
                           .start = offset,
                           .at = offset,
                           .end = offset + (uint32_t)run->bytes.len,
                           .source = source,
                           .missing = run->missing};
    r.last_data = &r.data;
    d->columns.asked = true;
    buf_str(tools->protocols, ":tls");
    uint32_t item = tape_open(&d->tape, F_tls, source, offset, (uint32_t)run->bytes.len, 0, 0);
    bool asks_verdict = tape_wants(&d->tape, F_tlswire_decrypt_status);
    struct tls_verdict before = asks_verdict ? session->verdict : (struct tls_verdict){0};
    d->verdict = &session->verdict;
    r.side->lost += run->lost;
    if (!run->idle)
        records(&r);
    r.side->lost += r.missing > r.cut ? r.missing - r.cut : 0; /* the cut record counts itself */
    if (asks_verdict)
        show_verdict(&r, &before);
    tape_close(&d->tape, item);
    show_data(&r);
    if (r.failed || r.module)
        dissection_stop(d, r.missing ? "TLS" : module_name(r.module), r.missing > 0);
}
