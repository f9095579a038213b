#include "stats/tls_sessions.h"

#include "crypto/digest.h"
#include "dissect/x509.h"

#include <string.h>
#include <strings.h>

#define MAX_TEXT       255
#define TICKET         35 /* extension session_ticket (RFC 5077 3.2) */
#define FINISHED_BYTES 53 /* header, 32 bytes of hash, type, tag: the smallest there is */

enum message {
    CLIENT_HELLO = 1,
    SERVER_HELLO = 2,
    CERTIFICATE = 11,
    SERVER_KEY_EXCHANGE = 12,
    SERVER_HELLO_DONE = 14,
    FINISHED = 20
};

/* A packet being read. */
struct reading_session {
    struct tls_sessions *all;
    struct tls_session_seen *s;
    const struct tape *t;
    unsigned from; /* direction */
    int64_t time;
};

void tls_sessions_init(struct tls_sessions *s, bool fingerprints, struct budget *budget)
{
    tally_init(&s->tally, sizeof(struct tls_session_seen), SESSIONS_CEILING, budget);
    crypto_provider_init(&s->crypto);
    s->fingerprints = fingerprints;
}

#define ASKED_SIZE (sizeof(struct http_summary) + SUMMARY_TEXTS)

static void forget_asked(struct tls_sessions *all, struct tls_session_seen *s)
{
    budget_give(all->tally.arena.budget, s->http ? ASKED_SIZE : 0);
    http_summary_free(s->http);
    s->http = NULL;
}

void tls_sessions_free(struct tls_sessions *s)
{
    for (uint32_t i = 0; i < s->tally.count; i++)
        forget_asked(s, tally_at(&s->tally, i));
    tally_free(&s->tally);
    crypto_provider_free(&s->crypto);
    buf_free(&s->scratch);
}

void tls_sessions_want(const struct tls_sessions *s, uint8_t *want)
{
    static const uint16_t wanted[] = {
        F_tls_record,
        F_tlswire_resumes,
        F_tls_record_content_type,
        F_tls_record_opaque_type,
        F_tls_record_version,
        F_tls_record_length,
        F_tls_app_data,
        F_tls_change_cipher_spec,
        F_tls_alert_message,
        F_tls_alert_message_level,
        F_tls_alert_message_desc,
        F_tls_heartbeat_message,
        F_tls_handshake,
        F_tls_handshake_type,
        F_tls_handshake_version,
        F_tls_handshake_session_id,
        F_tls_handshake_ciphersuite,
        F_tls_handshake_extension_type,
        F_tls_handshake_extension_len,
        F_tls_handshake_ja3,
        F_tls_handshake_ja3s,
        F_tls_handshake_certificate,
        F_tls_handshake_extensions_server_name,
        F_tls_handshake_extensions_alpn_str,
        F_tls_handshake_extensions_supported_version,
        F_tls_handshake_extensions_key_share_group,
        F_tls_handshake_extensions_key_share_selected_group,
        F_tls_handshake_extensions_psk_identity_selected,
        F_tls_handshake_server_named_curve,
        F_x509ce_dNSName,
        F_data,
    };
    (void)s;
    want_fields(want, wanted, sizeof wanted / sizeof wanted[0]);
    verify_summary_want(want);
    http_summary_want(want);
    enum field_id ja4 = field_find("tls.handshake.ja4", strlen("tls.handshake.ja4"));
    if (ja4 != F_NONE)
        want[ja4] = 1;
}

/* ---- what is kept ---- */

/* What stands in `scratch`, in the arena. */
static const char *keep_scratch(struct tls_sessions *all)
{
    struct slice text = buf_slice(&all->scratch);
    size_t len = text.len;
    char *copy = arena_zalloc(&all->tally.arena, len + 1);
    if (copy)
        (void)slice_read(&text, copy, len);
    all->unkept |= !copy;
    return copy;
}

/* RAW escaped and cut. */
static const char *keep(struct tls_sessions *all, struct slice raw)
{
    buf_clear(&all->scratch);
    buf_escaped(&all->scratch, slice_sub(raw, 0, MAX_TEXT / 4));
    return keep_scratch(all);
}

static void letter(struct reading_session *r, char c)
{
    struct tls_session_seen *s = r->s;
    bool client = s->client >= 0 && r->from == (unsigned)s->client;
    if (s->history_len < SESSION_HISTORY)
        s->history[s->history_len++] = client && c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

/* The first event of FIELD among those of item AT. */
static const struct event *find(const struct reading_session *r, uint32_t at, enum field_id field)
{
    uint32_t found = tape_find(r->t, at, field);
    return found == TAPE_NONE ? NULL : &r->t->events[found];
}

static const char *text_of(struct reading_session *r, uint32_t at, enum field_id field)
{
    const struct event *e = field == F_NONE ? NULL : find(r, at, field);
    return e ? keep(r->all, event_bytes(r->t, e)) : NULL;
}

/* ---- messages ---- */

static void client_hello(struct reading_session *r, uint32_t at)
{
    struct tls_session_seen *s = r->s;
    const struct event *id = find(r, at, F_tls_handshake_session_id);
    s->client = (int8_t)r->from;
    if (s->has_hello)
        return;
    s->has_hello = true;
    s->hello = r->time;
    struct slice bytes = id ? event_bytes(r->t, id) : slice_empty();
    s->session_id_len = (uint8_t)(bytes.len < 32 ? bytes.len : 32);
    (void)slice_read(&bytes, s->session_id, s->session_id_len);
    s->server_name = text_of(r, at, F_tls_handshake_extensions_server_name);
    s->ja3 = text_of(r, at, F_tls_handshake_ja3);
    s->ja4 = text_of(r, at, field_find("tls.handshake.ja4", strlen("tls.handshake.ja4")));
    const struct event *events = r->t->events;
    for (uint32_t i = at + 1; i < events[at].next; i++)
        if (events[i].field == F_tls_handshake_extension_type && events[i].value == TICKET)
            for (uint32_t j = i + 1; j < events[at].next; j++)
                if (events[j].field == F_tls_handshake_extension_len) {
                    s->offers_ticket = events[j].value > 0;
                    break;
                }
}

static void server_hello(struct reading_session *r, uint32_t at)
{
    struct tls_session_seen *s = r->s;
    const struct event *version = find(r, at, F_tls_handshake_extensions_supported_version);
    const struct event *suite = find(r, at, F_tls_handshake_ciphersuite);
    const struct event *group = find(r, at, F_tls_handshake_extensions_key_share_group);
    const struct event *id = find(r, at, F_tls_handshake_session_id);
    s->client = (int8_t)(1 - r->from);
    if (!version)
        version = find(r, at, F_tls_handshake_version);
    s->version = version ? (uint16_t)version->value : 0;
    s->suite = suite ? (uint16_t)suite->value : s->suite;
    if (find(r, at, F_tls_handshake_extensions_key_share_selected_group)) {
        s->retried = true;
        return;
    }
    s->has_server_hello = true;
    s->server_hello = r->time;
    s->group = group ? (uint16_t)group->value : 0;
    s->ja3s = text_of(r, at, F_tls_handshake_ja3s);
    s->psk = find(r, at, F_tls_handshake_extensions_psk_identity_selected) != NULL;
    s->abbreviated = s->version < SESSION_TLS13;
    struct slice bytes = id ? event_bytes(r->t, id) : slice_empty();
    if (s->psk)
        s->resumed = RESUMED_PSK;
    else if (s->version < SESSION_TLS13 && bytes.len > 0 &&
             slice_equal(bytes, slice_of(s->session_id, s->session_id_len)))
        s->resumed = s->offers_ticket ? RESUMED_TICKET : RESUMED_SESSION_ID;
}

/* NAME as certificates have it: a star stands for the whole first label (RFC 9525 6.3). */
static bool name_fits(struct slice name, const char *wanted)
{
    const char *dot = strchr(wanted, '.');
    if (slice_at(name, 0) == '*' && slice_at(name, 1) == '.' && dot) {
        slice_skip(&name, 1);
        wanted = dot;
    }
    return name.len == strlen(wanted) &&
           strncasecmp((const char *)name.data, wanted, name.len) == 0;
}

static void fingerprint(struct reading_session *r, struct slice certificate)
{
    struct session_chain *chain = &r->s->chains[r->from];
    char hex[65];
    if (!r->all->fingerprints || chain->count > SESSION_CHAIN ||
        !digest_sha256_hex(&r->all->crypto, certificate, hex))
        return;
    buf_clear(&r->all->scratch);
    if (chain->fingerprints) {
        buf_str(&r->all->scratch, chain->fingerprints);
        buf_char(&r->all->scratch, ' ');
    }
    buf_str(&r->all->scratch, hex);
    chain->fingerprints = keep_scratch(r->all);
}

static void leaf(struct reading_session *r, uint32_t at, uint32_t end)
{
    struct tls_session_seen *s = r->s;
    struct x509_facts facts;
    s->certificate_time = r->time;
    if (!x509_read(event_bytes(r->t, &r->t->events[at]), &facts))
        return;
    s->subject = keep(r->all, slice_of_str(facts.subject));
    s->issuer = keep(r->all, slice_of_str(facts.issuer));
    s->key = keep(r->all, slice_of_str(facts.key));
    s->has_validity = facts.has_times;
    s->not_before = facts.not_before;
    s->not_after = facts.not_after;
    if (!s->server_name)
        return;
    s->names_checked = true;
    for (uint32_t i = at + 1; i < end; i++) {
        const struct event *e = &r->t->events[i];
        if (e->field == F_tls_handshake_certificate)
            break;
        if (e->field == F_x509ce_dNSName && name_fits(event_bytes(r->t, e), s->server_name))
            s->name_matches = true;
    }
}

static void certificate(struct reading_session *r, uint32_t at)
{
    struct session_chain *chain = &r->s->chains[r->from];
    uint32_t end = r->t->events[at].next;
    bool server = r->s->client >= 0 && r->from != (unsigned)r->s->client;
    if (chain->count > 0) /* of a later handshake on the same connection */
        return;
    for (uint32_t i = at + 1; i < end; i++) {
        const struct event *e = &r->t->events[i];
        if (e->field != F_tls_handshake_certificate)
            continue;
        if (chain->count == 0 && server)
            leaf(r, i, end);
        chain->count++;
        fingerprint(r, event_bytes(r->t, e));
    }
}

static void finished(struct reading_session *r)
{
    struct tls_session_seen *s = r->s;
    s->done_by[r->from] = true;
    if (s->done_by[0] && s->done_by[1] && s->done == NO_TIME)
        s->done = r->time;
}

/* The letters are those of Zeek's ssl_history. */
static char message_letter(uint8_t type)
{
    static const char letters[] = {
        [0] = 'h',  [1] = 'c',  [2] = 's',  [3] = 'v',  [4] = 't',  [5] = 'e',  [6] = 'j',
        [8] = 'o',  [11] = 'x', [12] = 'k', [13] = 'r', [14] = 'n', [15] = 'y', [16] = 'g',
        [20] = 'f', [21] = 'w', [22] = 'u', [23] = 'a', [24] = 'p'};
    char c = type < sizeof letters ? letters[type] : type == 254 ? 'm' : '\0';
    return c ? c : 'z';
}

static void handshake(struct reading_session *r, uint32_t at)
{
    struct tls_session_seen *s = r->s;
    const struct event *type = find(r, at, F_tls_handshake_type);
    if (!type) {
        /* The first one that is encrypted is the Finished (RFC 5246 7.4.9). */
        if (s->changed[r->from] && s->version < SESSION_TLS13 && !s->done_by[r->from])
            finished(r);
        return;
    }
    uint8_t message = (uint8_t)type->value;
    verify_summary_add(&s->proofs, r->t, at, r->t->events[at].next, r->from);
    if (message == CLIENT_HELLO)
        client_hello(r, at);
    else if (message == SERVER_HELLO)
        server_hello(r, at);
    else if (message == CERTIFICATE)
        certificate(r, at);
    else if (message == FINISHED)
        finished(r);
    const struct event *curve = find(r, at, F_tls_handshake_server_named_curve);
    if (curve && s->group == 0)
        s->group = (uint16_t)curve->value;
    if (message >= CERTIFICATE && message <= SERVER_HELLO_DONE)
        s->abbreviated = false;
    bool retry =
        message == SERVER_HELLO && find(r, at, F_tls_handshake_extensions_key_share_selected_group);
    letter(r, retry ? 'j' : message_letter(message));
}

static void alert(struct reading_session *r, uint32_t at)
{
    struct tls_session_seen *s = r->s;
    const struct event *level = find(r, at, F_tls_alert_message_level);
    const struct event *what = find(r, at, F_tls_alert_message_desc);
    letter(r, 'l');
    s->alerts++;
    if (!level || !what) {
        s->sealed_alert = true;
        return;
    }
    uint8_t code = (uint8_t)what->value;
    s->has_alert = true;
    s->last_alert = code;
    if (code == 0) {
        s->close_notify[r->from] = true;
    } else if ((level->value == 2 || s->version == SESSION_TLS13) && code != 90 &&
               !s->has_failure) {
        s->has_failure = true;
        s->failure = code;
        s->failure_by = (uint8_t)r->from;
    }
}

static void change_cipher_spec(struct reading_session *r)
{
    struct tls_session_seen *s = r->s;
    s->changed[r->from] = true;
    if (s->abbreviated && s->client >= 0 && r->from != (unsigned)s->client && !s->resumed)
        s->resumed = s->offers_ticket ? RESUMED_TICKET : RESUMED_SESSION_ID;
    letter(r, 'i');
}

static void application_data(struct reading_session *r, uint64_t length)
{
    struct tls_session_seen *s = r->s;
    letter(r, 'd');
    if (s->data_time == NO_TIME)
        s->data_time = r->time;
    /* Sealed, the client's Finished shows by its size alone; an alert is smaller (RFC 9846 5.2). */
    if (s->version == SESSION_TLS13 && s->has_server_hello && s->client >= 0 &&
        r->from == (unsigned)s->client && length >= FINISHED_BYTES)
        s->sealed_finished = true;
}

/* ---- records ---- */

static bool is_opened(const struct reading_session *r, uint32_t at)
{
    for (uint32_t i = at + 1; i < r->t->events[at].next; i++)
        if (r->t->events[i].source != r->t->events[at].source)
            return true;
    return false;
}

static void record(struct reading_session *r, uint32_t at)
{
    struct tls_session_seen *s = r->s;
    const struct event *events = r->t->events;
    bool opaque = false, typed = false, data = false, sealed = false;
    s->records++;
    for (uint32_t i = at + 1; i < events[at].next; i = events[i].next) {
        switch (events[i].field) {
        case F_tls_record_opaque_type:
            opaque = true;
            break;
        case F_tls_record_content_type:
            typed = true;
            break;
        case F_tls_handshake:
            sealed |= !find(r, i, F_tls_handshake_type);
            handshake(r, i);
            break;
        case F_tls_alert_message:
            sealed |= !find(r, i, F_tls_alert_message_desc);
            alert(r, i);
            break;
        case F_tls_change_cipher_spec:
            change_cipher_spec(r);
            break;
        case F_tls_heartbeat_message:
            letter(r, 'b');
            break;
        case F_tls_app_data:
            data = true;
            break;
        default:
            break;
        }
    }
    const struct event *length = find(r, at, F_tls_record_length);
    bool opened = is_opened(r, at) || (opaque && typed);
    if (data && (!opaque || !typed || !is_opened(r, at)))
        application_data(r, length ? length->value : 0);
    s->protected_records += opaque || data || sealed || opened;
    s->opened_records += opened;
}

/* Data that was decrypted stands behind its records: so many of them were opened. */
static void count_opened_data(struct reading_session *r)
{
    const struct tape *t = r->t;
    for (uint32_t i = 0; i < t->count; i++)
        if (t->events[i].field == F_data && t->events[i].depth == 0 &&
            strncmp(t->sources[t->events[i].source].name, "Decrypted", 9) == 0 &&
            r->s->version < SESSION_TLS13 && r->s->opened_records < r->s->protected_records)
            r->s->opened_records++;
}

/* ---- TCP ---- */

static struct tls_session_seen *session_of(struct tls_sessions *all, const struct dissection *d)
{
    uint32_t before = all->tally.count;
    const struct tcp_facts *f = &d->tcp;
    struct tls_session_seen *s = tally_item(&all->tally, slice_of(&f->stream, sizeof f->stream));
    if (!s || all->tally.count == before)
        return s;
    unsigned from = f->direction != 0;
    s->stream = f->stream;
    s->client = -1;
    s->ends[from] = d->columns.source;
    s->ends[!from] = d->columns.destination;
    s->ports[from] = f->source_port;
    s->ports[!from] = f->destination_port;
    s->first_time = d->packet->time_ns;
    s->syn = s->syn_ack = s->rtt = s->hello = s->server_hello = s->certificate_time = s->done =
        s->data_time = NO_TIME;
    s->failure_by = s->reset_by = s->closed_by = END_NOBODY;
    return s;
}

static void follow_tcp(struct tls_session_seen *s, const struct dissection *d)
{
    const struct tcp_facts *f = &d->tcp;
    unsigned from = f->direction != 0;
    int64_t time = d->packet->time_ns;
    s->bytes[from] += f->len;
    s->last_time = time;
    if (f->flags & TCP_SYN) {
        int64_t *at = f->flags & TCP_ACK ? &s->syn_ack : &s->syn;
        *at = *at == NO_TIME ? time : *at;
    }
    if (f->initial_rtt != TCP_NO_TIME)
        s->rtt = f->initial_rtt;
    if (f->flags & TCP_FIN) {
        s->fin[from] = true;
        if (s->closed_by == END_NOBODY)
            s->closed_by = (uint8_t)from;
    }
    if (f->flags & TCP_RST && s->reset_by == END_NOBODY)
        s->reset_by = (uint8_t)from;
}

/* What record AT asked or answered. */
static void add_asked(struct reading_session *r, uint32_t at)
{
    struct tls_session_seen *s = r->s;
    bool before = s->http != NULL;
    http_summary_add(&s->http, r->t, at, r->t->events[at].next);
    if (before || !s->http || budget_take(r->all->tally.arena.budget, ASKED_SIZE))
        return;
    http_summary_free(s->http);
    s->http = NULL;
    r->all->unkept = true;
}

void tls_sessions_packet(struct tls_sessions *all, const struct dissection *d)
{
    const struct tape *t = &d->tape;
    if (!d->columns.has_tcp || d->tcp.truncated || d->tcp.bogus_header_len)
        return;
    struct tls_session_seen *s = session_of(all, d);
    if (!s)
        return;
    all->unkept = false;
    follow_tcp(s, d);
    struct reading_session r = {
        .all = all, .s = s, .t = t, .from = d->tcp.direction != 0, .time = d->packet->time_ns};
    bool any = false;
    for (uint32_t i = 0; i < t->count;) {
        bool is_record = t->events[i].field == F_tls_record;
        if (is_record)
            record(&r, i);
        if (is_record)
            add_asked(&r, i);
        any |= is_record;
        i = is_record ? t->events[i].next : i + 1;
    }
    s->is_tls |= any;
    if (d->verdict)
        s->decryption = tls_verdict_settled(d->verdict);
    s->incomplete |= t->full;
    s->unkept |= all->unkept;
    if (any)
        count_opened_data(&r);
    for (uint32_t i = 0; any && !s->alpn && i < t->count; i++)
        if (t->events[i].field == F_tls_handshake_extensions_alpn_str && s->client >= 0 &&
            r.from != (unsigned)s->client)
            s->alpn = keep(all, event_bytes(t, &t->events[i]));
}

const struct tls_session_seen *tls_sessions_next(const struct tls_sessions *s, uint32_t *index)
{
    while (*index < s->tally.count) {
        const struct tls_session_seen *session = tally_at(&s->tally, (*index)++);
        if (session->is_tls)
            return session;
    }
    return NULL;
}
