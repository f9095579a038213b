/* -z tls: what the connections of a capture have in common, counted, and the connections themselves. */
#include "stats/tls_tables.h"
#include "print/clock_text.h"
#include "stats/grid.h"
#include "stats/stats_private.h"

#include <stdlib.h>

static const char *const resumed_by[] = {[RESUMED_NO] = "no",
                                         [RESUMED_SESSION_ID] = "session ID",
                                         [RESUMED_TICKET] = "ticket",
                                         [RESUMED_PSK] = "PSK"};

/* ---- sessions, one a line ---- */

static void put_end(struct grid *g, const struct tls_session_seen *s, unsigned side)
{
    unsigned end = session_side(s, side);
    bool bracket = s->ends[end].kind == ADDRESS_IPV6;
    buf_str(grid_cell(g), bracket ? "[" : "");
    stat_address(grid_cell(g), &s->ends[end]);
    buf_str(grid_cell(g), bracket ? "]:" : ":");
    buf_dec(grid_cell(g), s->ports[end]);
    grid_next(g);
}

void table_code(struct buf *out, enum registry registry, uint16_t code)
{
    const char *name = registry_name(registry, code);
    if (!name)
        name = registry_compat(registry, code);
    if (code == 0 && registry != REG_CIPHER_SUITES)
        buf_char(out, '-');
    else if (name)
        buf_str(out, name);
    else
        buf_printf(out, "0x%04x", code);
}

static void put_code(struct grid *g, enum registry registry, uint16_t code, bool known)
{
    if (known)
        table_code(grid_cell(g), registry, code);
    grid_next(g);
}

static void put_ms(struct grid *g, int64_t from, int64_t to)
{
    if (from != NO_TIME && to != NO_TIME)
        buf_printf(grid_cell(g), "%.3f", (double)(to - from) / 1e6);
    grid_next(g);
}

static void put_day(struct grid *g, const struct tls_session_seen *s, int64_t ns)
{
    if (s->has_validity) {
        size_t start = grid_cell(g)->len;
        clock_text_date(grid_cell(g), ns, true, 0);
        if (grid_cell(g)->len > start + 10)
            grid_cell(g)->len = start + 10;
    }
    grid_next(g);
}

static void put_alerts(struct grid *g, const struct tls_session_seen *s)
{
    if (s->has_failure)
        table_code(grid_cell(g), REG_ALERTS, s->failure);
    else if (s->has_alert)
        buf_str(grid_cell(g), s->last_alert == 0 ? "close_notify" : "");
    else if (s->sealed_alert)
        buf_str(grid_cell(g), "encrypted");
    if (s->has_alert && !s->has_failure && s->last_alert != 0)
        table_code(grid_cell(g), REG_ALERTS, s->last_alert);
    grid_next(g);
}

static void put_close(struct grid *g, const struct tls_session_seen *s)
{
    const char *word = s->reset_by < 2 ? "reset" : s->closed_by < 2 ? "FIN" : "open";
    bool by_client =
        s->client >= 0 && (unsigned)s->client == (s->reset_by < 2 ? s->reset_by : s->closed_by);
    buf_str(grid_cell(g), word);
    if (s->client >= 0 && (s->reset_by < 2 || s->closed_by < 2))
        buf_str(grid_cell(g), by_client ? " by client" : " by server");
    grid_next(g);
}

/* How, and of which connection in this capture. */
static void put_resumed(struct grid *g, const struct tls_session_seen *s)
{
    if (s->has_server_hello)
        buf_str(grid_cell(g), resumed_by[s->resumed]);
    if (s->resumed && s->decryption.origin > 0)
        buf_printf(grid_cell(g), " of %u", s->decryption.origin - 1);
    grid_next(g);
}

static void write_sessions(struct tls_table *t, struct buf *out)
{
    struct grid g;
    uint32_t at = 0;
    grid_init(&g, ">Stream|Client|Server|Version|Suite|Group|SNI|ALPN|Resumed|JA3|JA3S|JA4|"
                  "Certificate|Valid until|>Handshake ms|>Bytes to server|>Bytes to client|"
                  "Alert|Close|Decryption|Verified|Verdict|>Requests|>Answers|Asked");
    for (const struct tls_session_seen *s; (s = tls_sessions_next(&t->sessions, &at));) {
        grid_number(&g, s->stream);
        put_end(&g, s, 0);
        put_end(&g, s, 1);
        session_version(grid_cell(&g), s->version);
        grid_next(&g);
        put_code(&g, REG_CIPHER_SUITES, s->suite, s->has_server_hello);
        put_code(&g, REG_SUPPORTED_GROUPS, s->group, true);
        grid_text(&g, s->server_name);
        grid_text(&g, s->alpn);
        put_resumed(&g, s);
        grid_text(&g, s->ja3);
        grid_text(&g, s->ja3s);
        grid_text(&g, s->ja4);
        grid_text(&g, s->subject);
        put_day(&g, s, s->not_after);
        put_ms(&g, s->hello, s->done);
        grid_number(&g, s->bytes[session_side(s, 0)]);
        grid_number(&g, s->bytes[session_side(s, 1)]);
        put_alerts(&g, s);
        put_close(&g, s);
        tls_verdict_put(grid_cell(&g), &s->decryption);
        grid_next(&g);
        session_proofs(grid_cell(&g), s);
        grid_next(&g);
        session_verdict(grid_cell(&g), s);
        grid_next(&g);
        grid_number(&g, s->http ? s->http->requests : 0);
        grid_number(&g, s->http ? s->http->responses : 0);
        session_asked(grid_cell(&g), s);
        grid_next(&g);
    }
    grid_write(&g, out);
    grid_free(&g);
}

/* ---- counts of one property ---- */

struct counted {
    uint64_t count, established;
};

static int more(const void *a, const void *b)
{
    const struct counted *x = a, *y = b;
    return x->count > y->count ? 1 : x->count < y->count ? -1 : 0;
}

/* Appends the property of S that the table counts; nothing when it has none. */
typedef void property(struct buf *out, const struct tls_session_seen *s);

static void put_text(struct buf *out, const char *text)
{
    buf_str(out, text ? text : "");
}

static void version_of(struct buf *out, const struct tls_session_seen *s)
{
    if (s->has_server_hello || s->version)
        session_version(out, s->version);
}

static void cipher_of(struct buf *out, const struct tls_session_seen *s)
{
    if (s->has_server_hello)
        table_code(out, REG_CIPHER_SUITES, s->suite);
}

static void sni_of(struct buf *out, const struct tls_session_seen *s)
{
    put_text(out, s->server_name);
}

static void ja3_of(struct buf *out, const struct tls_session_seen *s)
{
    put_text(out, s->ja3);
}

static void ja4_of(struct buf *out, const struct tls_session_seen *s)
{
    put_text(out, s->ja4);
}

static void alert_of(struct buf *out, const struct tls_session_seen *s)
{
    if (s->has_failure || s->has_alert)
        table_code(out, REG_ALERTS, s->has_failure ? s->failure : s->last_alert);
    else if (s->sealed_alert)
        buf_str(out, "encrypted");
    if (out->len == 1 && out->data[0] == '-') { /* 0 */
        buf_clear(out);
        buf_str(out, "Close Notify");
    }
}

static const struct {
    const char *title, *none;
    property *of;
} counts[] = {
    [TABLE_VERSIONS] = {"Version", "(no ServerHello)", version_of},
    [TABLE_CIPHERS] = {"Cipher suite", "(no ServerHello)", cipher_of},
    [TABLE_SNI] = {"Server name", "(none)", sni_of},
    [TABLE_JA3] = {"JA3", "(no ClientHello)", ja3_of},
    [TABLE_JA4] = {"JA4", "(not known)", ja4_of},
    [TABLE_ALERTS] = {"Alert", "(none)", alert_of},
};

static void write_counts(struct tls_table *t, struct buf *out)
{
    struct tally tally;
    struct buf key = {0};
    struct grid g;
    uint32_t at = 0;
    uint64_t total = 0;
    tally_init(&tally, sizeof(struct counted), SESSIONS_CEILING, NULL);
    for (const struct tls_session_seen *s; (s = tls_sessions_next(&t->sessions, &at));) {
        buf_clear(&key);
        counts[t->form].of(&key, s);
        if (key.len == 0)
            buf_str(&key, counts[t->form].none);
        struct counted *c = tally_item(&tally, buf_slice(&key));
        if (!c)
            continue;
        c->count++;
        c->established += session_established(s);
        total++;
    }
    tally_sort(&tally, more);
    buf_clear(&key);
    buf_printf(&key, ">Sessions|>Share|>Established|%s", counts[t->form].title);
    buf_char(&key, '\0');
    grid_init(&g, (const char *)key.data);
    for (uint32_t i = 0; i < tally.count; i++) {
        const struct counted *c = tally_at(&tally, i);
        grid_number(&g, c->count);
        buf_printf(grid_cell(&g), "%.1f%%", 100.0 * (double)c->count / (double)total);
        grid_next(&g);
        grid_number(&g, c->established);
        buf_slice_put(grid_cell(&g), tally_key(&tally, i));
        grid_next(&g);
    }
    grid_write(&g, out);
    grid_free(&g);
    buf_free(&key);
    tally_free(&tally);
}

/* ---- certificates ---- */

static void write_certificates(struct tls_table *t, struct buf *out)
{
    struct tally tally;
    struct grid g;
    uint32_t at = 0;
    struct one {
        struct counted counted;
        const struct tls_session_seen *s;
    };
    tally_init(&tally, sizeof(struct one), SESSIONS_CEILING, NULL);
    for (const struct tls_session_seen *s; (s = tls_sessions_next(&t->sessions, &at));) {
        const char *prints = s->chains[session_side(s, 1)].fingerprints;
        if (!prints)
            continue;
        struct one *c = tally_item(&tally, slice_of(prints, strcspn(prints, " ")));
        if (!c)
            continue;
        c->counted.count++;
        c->s = s;
    }
    tally_sort(&tally, more);
    grid_init(&g, ">Sessions|Subject|Issuer|Key|Valid from|Valid until|>Chain|SHA-256");
    for (uint32_t i = 0; i < tally.count; i++) {
        const struct one *c = tally_at(&tally, i);
        grid_number(&g, c->counted.count);
        grid_text(&g, c->s->subject);
        grid_text(&g, c->s->issuer);
        grid_text(&g, c->s->key);
        put_day(&g, c->s, c->s->not_before);
        put_day(&g, c->s, c->s->not_after);
        grid_number(&g, c->s->chains[session_side(c->s, 1)].count);
        buf_slice_put(grid_cell(&g), tally_key(&tally, i));
        grid_next(&g);
    }
    grid_write(&g, out);
    grid_free(&g);
    tally_free(&tally);
}

/* ---- timing ---- */

enum span { SPAN_TCP, SPAN_SERVER_HELLO, SPAN_CERTIFICATE, SPAN_DONE, SPAN_DATA, SPANS };

static int64_t span_of(const struct tls_session_seen *s, enum span span)
{
    const int64_t from[SPANS] = {[SPAN_TCP] = s->rtt == NO_TIME ? NO_TIME : 0,
                                 [SPAN_SERVER_HELLO] = s->hello,
                                 [SPAN_CERTIFICATE] = s->hello,
                                 [SPAN_DONE] = s->hello,
                                 [SPAN_DATA] = s->hello};
    const int64_t to[SPANS] = {[SPAN_TCP] = s->rtt,
                               [SPAN_SERVER_HELLO] = s->server_hello,
                               [SPAN_CERTIFICATE] = s->certificate_time,
                               [SPAN_DONE] = s->done,
                               [SPAN_DATA] = s->data_time};
    return from[span] == NO_TIME || to[span] == NO_TIME ? NO_TIME : to[span] - from[span];
}

static const char *const span_names[SPANS] = {
    "TCP round trip (SYN to ACK)", "ClientHello to ServerHello", "ClientHello to Certificate",
    "ClientHello to both Finished", "ClientHello to application data"};

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

/* The nearest-rank percentile of sorted SPANS. */
static void put_percentile(struct grid *g, const int64_t *spans, size_t count, unsigned percent)
{
    size_t rank = (count * percent + 99) / 100;
    put_ms(g, 0, spans[rank > 0 ? rank - 1 : 0]);
}

static void write_timing(struct tls_table *t, struct buf *out)
{
    static const unsigned percents[] = {50, 90, 95, 99, 100};
    int64_t *spans = calloc(t->sessions.tally.count + 1, sizeof *spans);
    struct grid g;
    if (!spans) {
        buf_str(out, "[no memory for the timing]\n");
        return;
    }
    grid_init(&g, "Milliseconds|>Sessions|>Least|>Median|>90 %|>95 %|>99 %|>Most");
    for (enum span span = 0; span < SPANS; span++) {
        size_t count = 0;
        uint32_t at = 0;
        for (const struct tls_session_seen *s; (s = tls_sessions_next(&t->sessions, &at));)
            if ((spans[count] = span_of(s, span)) != NO_TIME)
                count++;
        qsort(spans, count, sizeof *spans, by_size);
        grid_text(&g, span_names[span]);
        grid_number(&g, count);
        if (count > 0)
            put_percentile(&g, spans, count, 0);
        else
            grid_text(&g, NULL);
        for (size_t i = 0; i < sizeof percents / sizeof percents[0]; i++) {
            if (count > 0)
                put_percentile(&g, spans, count, percents[i]);
            else
                grid_text(&g, NULL);
        }
    }
    grid_write(&g, out);
    grid_free(&g);
    free(spans);
    struct grid each;
    uint32_t at = 0;
    grid_init(&each, ">Stream|Server name|>TCP|>ServerHello|>Certificate|>Finished|>Data");
    for (const struct tls_session_seen *s; (s = tls_sessions_next(&t->sessions, &at));) {
        grid_number(&each, s->stream);
        grid_text(&each, s->server_name);
        for (enum span span = 0; span < SPANS; span++)
            put_ms(&each, 0, span_of(s, span));
    }
    buf_char(out, '\n');
    grid_write(&each, out);
    grid_free(&each);
}

/* ---- the statistic ---- */

static const struct {
    const char *title;
    void (*write)(struct tls_table *t, struct buf *out);
} tables[] = {
    [TABLE_SESSIONS] = {"TLS sessions", write_sessions},
    [TABLE_VERSIONS] = {"TLS versions", write_counts},
    [TABLE_CIPHERS] = {"TLS cipher suites", write_counts},
    [TABLE_SNI] = {"TLS server names", write_counts},
    [TABLE_JA3] = {"TLS clients by JA3", write_counts},
    [TABLE_JA4] = {"TLS clients by JA4", write_counts},
    [TABLE_ALERTS] = {"TLS alerts", write_counts},
    [TABLE_CERTIFICATES] = {"TLS certificates", write_certificates},
    [TABLE_TIMING] = {"TLS timing", write_timing},
    [TABLE_ZEEK] = {NULL, table_zeek},
    [TABLE_JSON] = {NULL, table_json},
};

bool tls_table_open(struct stat *s, struct error *error)
{
    struct tls_table *t = stat_state(s, sizeof *t, error);
    const char *rest = stat_rest(s), *after = rest;
    if (!t)
        return false;
    t->form = (enum table_form)s->kind->variant;
    struct slice word = stat_word(&after);
    if (t->form == TABLE_SESSIONS && (slice_is(word, "zeek") || slice_is(word, "json"))) {
        t->form = slice_is(word, "zeek") ? TABLE_ZEEK : TABLE_JSON;
        rest = after;
    }
    tls_sessions_init(&t->sessions, true, &s->shared->budget);
    return stat_filter(s, rest, "tls tap", error);
}

void tls_table_want(const struct stat *s, uint8_t *want)
{
    const struct tls_table *t = s->state;
    tls_sessions_want(&t->sessions, want);
}

void tls_table_packet(struct stat *s, const struct dissection *d)
{
    struct tls_table *t = s->state;
    if (!t->has_start) {
        t->has_start = true;
        t->start = d->packet->time_ns;
    }
    t->stop = d->packet->time_ns;
    tls_sessions_packet(&t->sessions, d);
}

#define RULE "================================================================================\n"

void tls_table_end(struct stat *s, struct buf *out)
{
    struct tls_table *t = s->state;
    const char *title = tables[t->form].title;
    if (title) {
        buf_printf(out, RULE "%s\nFilter:", title);
        buf_str(out, s->filter_text ? s->filter_text : "<No Filter>");
        buf_char(out, '\n');
    }
    tables[t->form].write(t, out);
    if (title) {
        stat_dropped(out, &t->sessions.tally, "connections");
        buf_str(out, RULE);
    }
}

void tls_table_close(struct stat *s)
{
    struct tls_table *t = s->state;
    if (t)
        tls_sessions_free(&t->sessions);
    free(t);
}
