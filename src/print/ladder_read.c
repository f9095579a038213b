/* Records on the tape become rungs. */
#include "print/ladder_private.h"

#define PREVIEW    44 /* columns of application data that are shown */
#define HTTP_TEXT  88 /* bytes of what an item of HTTP says */
#define HTTP_ITEMS 4  /* of a record: more are not named */

/* A record: its own events, and where the search for its decrypted data goes on. */
struct record {
    uint32_t at; /* its event */
    uint8_t source;
    uint16_t content_type, length;
    bool opaque, has_type;
    uint32_t *data_at;
};

/* ---- rungs ---- */

static bool merges(const struct rung *a, const struct rung *b)
{
    return b->key != KEY_NONE && a->key == b->key && a->kind == b->kind && a->from == b->from &&
           a->opened == b->opened && a->bad == b->bad;
}

static void count_in(struct rung *to, const struct rung *rung)
{
    to->count += rung->count;
    to->bytes[rung->from] += rung->bytes[rung->from];
}

/* Takes back the details of a rung that is none, and what the verdict has of them. */
static void forget(struct connection *c, struct piece details)
{
    struct piece *kept[] = {&c->server_name, &c->alpn, &c->certificate, &c->failure};
    if (details.len == 0)
        return;
    c->text.len = details.start;
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        if (kept[i]->start >= details.start)
            kept[i]->len = 0;
}

struct rung *ladder_rung(struct connection *c, const struct rung *rung)
{
    struct rung *last = c->count > 0 ? &c->rungs[c->count - 1] : NULL;
    bool data = rung->kind == RUNG_DATA;
    bool closing = rung->kind == RUNG_TCP || rung->kind == RUNG_ALERT;
    bool many = data && c->data_rungs >= DATA_RUNGS;
    if (last && (merges(last, rung) || (many && last->kind == RUNG_MORE_DATA))) {
        count_in(last, rung);
        if (last->details.len == 0 && last->kind != RUNG_MORE_DATA)
            last->details = rung->details;
        else
            forget(c, rung->details);
        return NULL;
    }
    if (c->count >= (closing ? MAX_RUNGS : MAX_RUNGS - RESERVED_RUNGS)) {
        c->dropped += rung->count;
        forget(c, rung->details);
        return NULL;
    }
    struct rung *r = &c->rungs[c->count++];
    *r = *rung;
    c->data_rungs += data;
    if (many)
        r->kind = RUNG_MORE_DATA;
    return r;
}

static struct rung start_rung(const struct reader *r, enum rung_kind kind)
{
    return (struct rung){.time = r->time,
                         .frame = r->d->packet->number,
                         .count = 1,
                         .kind = (uint8_t)kind,
                         .from = (uint8_t)r->end};
}

static void mark(struct reader *r, const char *text, uint16_t key)
{
    struct rung rung = start_rung(r, RUNG_MARK);
    rung.name = text;
    rung.key = key;
    ladder_rung(r->connection, &rung);
}

/* Counts a protected record; the first one is announced. */
static void protected_record(struct reader *r, bool opened)
{
    struct connection *c = r->connection;
    if (c->protected_records == 0)
        mark(r, "from here encrypted", KEY_NONE);
    c->protected_records++;
    c->opened_records += opened;
    c->opened[r->end] |= opened;
}

static bool is_decrypted(const struct reader *r, const struct record *record, uint32_t at)
{
    const struct event *e = &r->tape->events[at];
    return record->opaque || (e->source != record->source && e->source < r->tape->source_count &&
                              strncmp(r->tape->sources[e->source].name, "Decrypted", 9) == 0);
}

/* ---- what a record holds ---- */

static void both_finished(struct connection *c, unsigned end, int64_t time)
{
    c->finished[end] = true;
    if (c->finished[0] && c->finished[1] && c->complete_time < 0)
        c->complete_time = time;
}

static void sealed(struct reader *r, const struct record *record, enum rung_kind kind,
                   const char *name, uint16_t key)
{
    struct rung rung = start_rung(r, kind);
    rung.name = name;
    rung.key = key;
    rung.sealed = true;
    rung.bytes[r->end] = record->length;
    ladder_rung(r->connection, &rung);
}

static void handshake(struct reader *r, const struct record *record, uint32_t at, bool opened)
{
    struct connection *c = r->connection;
    const struct event *e = &r->tape->events[at];
    uint32_t type = tape_find(r->tape, at, F_tls_handshake_type);
    if (type == TAPE_NONE) {
        sealed(r, record, RUNG_MESSAGE, "encrypted handshake record", KEY_SEALED_HANDSHAKE);
        if (c->change_cipher[r->end] && c->version < TLS13) /* there that is the Finished */
            both_finished(c, r->end, r->time);
        return;
    }
    struct rung rung = start_rung(r, RUNG_MESSAGE);
    rung.opened = opened;
    rung.bytes[r->end] = e->length;
    r->from = at + 1;
    r->to = e->next;
    uint8_t kind = (uint8_t)r->tape->events[type].value;
    verify_summary_add(&c->proofs, r->tape, r->from, r->to, r->end);
    ladder_message(r, kind, &rung);
    if (kind == 20)
        both_finished(c, r->end, r->time);
    c->last_message = rung.name;
    ladder_rung(c, &rung);
}

static void change_cipher_spec(struct reader *r, const struct record *record)
{
    struct rung rung = start_rung(r, RUNG_MESSAGE);
    rung.name = "ChangeCipherSpec";
    rung.bytes[r->end] = record->length;
    r->connection->change_cipher[r->end] = true;
    ladder_rung(r->connection, &rung);
}

static void failed(struct reader *r, const struct rung *rung)
{
    struct connection *c = r->connection;
    if (c->failed_by != NOBODY)
        return;
    c->failure = rung->details;
    c->failed_by = (uint8_t)r->end;
    c->failed_after = c->last_message;
}

static void alert(struct reader *r, const struct record *record, uint32_t at, bool opened)
{
    struct connection *c = r->connection;
    uint32_t level = tape_find(r->tape, at, F_tls_alert_message_level);
    uint32_t what = tape_find(r->tape, at, F_tls_alert_message_desc);
    struct rung rung = start_rung(r, RUNG_ALERT);
    rung.name = "Alert";
    rung.opened = opened;
    if (level == TAPE_NONE || what == TAPE_NONE) {
        rung.name = "encrypted alert";
        rung.sealed = true;
        rung.bytes[r->end] = record->length;
        ladder_rung(c, &rung);
        return;
    }
    const char *word = registry_name(REG_ALERT_LEVELS, r->tape->events[level].value);
    uint16_t code = (uint16_t)r->tape->events[what].value;
    bool harmless = code == 0 || code == 90; /* close_notify, user_canceled (RFC 9846 6.1) */
    bool fatal = r->tape->events[level].value == 2;
    rung.bytes[r->end] = 2;
    rung.bad = !harmless && (fatal || c->version == TLS13);
    rung.details.start = (uint32_t)c->text.len;
    if (!harmless || fatal)
        buf_str(&c->text, fatal ? "fatal " : word ? "warning " : "");
    ladder_snake(&c->text, REG_ALERTS, code);
    if (!harmless)
        buf_printf(&c->text, " (%u)", code);
    buf_char(&c->text, ITEM_END);
    rung.details.len = (uint32_t)(c->text.len - rung.details.start);
    if (rung.bad)
        failed(r, &rung);
    if (code == 0) {
        c->close_notify[r->end] = true;
        if (c->closed_by == NOBODY)
            c->closed_by = (uint8_t)r->end;
    }
    ladder_rung(c, &rung);
}

/* ---- application data ---- */

/* The next decrypted data of the packet that this record may hold. */
static const struct event *decrypted_data(const struct reader *r, const struct record *record)
{
    for (uint32_t at = *record->data_at; at < r->tape->count; at++) {
        const struct event *e = &r->tape->events[at];
        if (e->field != F_data_data || e->source == 0)
            continue;
        *record->data_at = at + (e->length <= record->length);
        return e->length <= record->length ? e : NULL;
    }
    *record->data_at = r->tape->count;
    return NULL;
}

static bool looks_like_text(struct slice data)
{
    size_t odd = 0;
    data = slice_sub(data, 0, PREVIEW);
    for (size_t i = 0; i < data.len; i++) {
        uint8_t c = slice_at(data, i);
        odd += c == 0x7f || (c < 0x20 && c != '\t' && c != '\n' && c != '\r');
    }
    return odd * 8 <= data.len;
}

static void preview(struct reader *r, struct slice data)
{
    struct buf *out = &r->connection->text;
    if (looks_like_text(data)) {
        buf_char(out, '"');
        ladder_escape(out, data, PREVIEW, r->ladder->options.ascii);
        buf_char(out, '"');
    } else {
        buf_hex_bytes(out, slice_sub(data, 0, 8), ' ');
        buf_str(out, data.len > 8 ? " ..." : "");
    }
    buf_char(out, ITEM_END);
}

/* The heads and frames that the record holds, instead of its bytes.  What goes on with a content does not show. */
static bool http(struct reader *r, uint32_t at, uint32_t end)
{
    struct buf *out = &r->connection->text;
    unsigned said = 0;
    for (; at < end && said <= HTTP_ITEMS; at++) {
        const struct event *e = &r->tape->events[at];
        if (e->field != F_tlswire_http)
            continue;
        if (said++ == HTTP_ITEMS)
            buf_str(out, "...");
        else
            http_summary_escape(out, slice_sub(event_bytes(r->tape, e), 0, HTTP_TEXT));
        buf_char(out, ITEM_END);
    }
    return said > 0;
}

/* In TLS 1.0 some senders put an empty record before each other one, so that nobody can foresee its
 * initialization vector (RFC 4346 1.1): decrypted, it leaves nothing on the tape. */
static bool is_empty(const struct reader *r, const struct record *record)
{
    const struct connection *c = r->connection;
    return c->version <= TLS10 && c->opened[r->end] && record->length <= 64;
}

static void application_data(struct reader *r, const struct record *record)
{
    struct connection *c = r->connection;
    const struct event *data = decrypted_data(r, record);
    uint32_t end = r->tape->events[record->at].next;
    bool opened = data || (record->opaque && record->has_type) || is_empty(r, record);
    struct rung rung = start_rung(r, RUNG_DATA);
    protected_record(r, opened);
    if (!opened && record->opaque) {
        sealed(r, record, RUNG_DATA, "encrypted record", KEY_SEALED);
        return;
    }
    rung.name = opened ? "application data" : "encrypted application data";
    rung.opened = opened;
    rung.sealed = !opened;
    rung.key = KEY_DATA;
    rung.bytes[r->end] = opened ? (data ? data->length : 0) : record->length;
    rung.details.start = (uint32_t)c->text.len;
    if (data && !http(r, record->at, end))
        preview(r, event_bytes(r->tape, data));
    rung.details.len = (uint32_t)(c->text.len - rung.details.start);
    ladder_rung(c, &rung);
}

/* ---- records ---- */

static void record_header(const struct reader *r, struct record *record, uint32_t end)
{
    for (uint32_t at = record->at + 1; at < end; at = r->tape->events[at].next) {
        const struct event *e = &r->tape->events[at];
        if (e->field == F_tls_record_opaque_type) {
            record->opaque = true;
        } else if (e->field == F_tls_record_content_type) {
            record->has_type = true;
            record->content_type = (uint16_t)e->value;
        } else if (e->field == F_tls_record_length) {
            record->length = (uint16_t)e->value;
        }
    }
}

static void read_record(struct reader *r, uint32_t at, uint32_t *data_at)
{
    const struct event *e = &r->tape->events[at];
    struct record record = {.at = at, .source = e->source, .data_at = data_at};
    uint32_t end = e->next;
    bool counted = false;
    record_header(r, &record, end);
    http_summary_add(&r->connection->http, r->tape, at, end);
    bool inner = record.opaque && record.has_type; /* decrypted, and what it is */
    for (uint32_t i = at + 1; i < end; i = r->tape->events[i].next) {
        uint16_t field = r->tape->events[i].field;
        bool plain = tape_find(r->tape, i, F_tls_handshake_type) != TAPE_NONE ||
                     tape_find(r->tape, i, F_tls_alert_message_level) != TAPE_NONE;
        bool opened = plain && is_decrypted(r, &record, i);
        if ((field == F_tls_handshake || field == F_tls_alert_message) && !counted &&
            (opened || !plain)) {
            protected_record(r, opened);
            counted = true;
        }
        if (field == F_tls_handshake)
            handshake(r, &record, i, opened);
        else if (field == F_tls_alert_message)
            alert(r, &record, i, opened);
        else if (field == F_tls_change_cipher_spec)
            change_cipher_spec(r, &record);
        else if (field == F_tls_app_data && (!inner || record.content_type == 23))
            application_data(r, &record);
    }
}

void ladder_read(struct ladder *l, struct connection *c, const struct dissection *d)
{
    const struct tape *t = &d->tape;
    struct reader r = {.ladder = l,
                       .connection = c,
                       .d = d,
                       .tape = t,
                       .end = d->tcp.direction == 0 ? 0 : 1,
                       .time = d->packet->time_ns - c->first_time};
    uint32_t data_at = 0;
    c->full_tape |= t->full;
    if (d->verdict)
        c->decryption = tls_verdict_settled(d->verdict);
    if (c->number > 0 && d->tcp.len > 0 && (d->tcp.analysis & TCP_A_LOST_SEGMENT))
        mark(&r, "packets are missing here", KEY_GAP);
    for (uint32_t at = 0; at < t->count;) {
        if (t->events[at].field != F_tls_record) {
            at++;
            continue;
        }
        if (c->number == 0)
            c->number = ++l->numbered;
        uint32_t next = t->events[at].next;
        read_record(&r, at, &data_at);
        at = next > at ? next : at + 1;
    }
}
