/* Sessions for programs: the form of Zeek's ssl.log, and JSON. */
#include "print/clock_text.h"
#include "stats/stats_private.h"
#include "stats/tls_tables.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

/* One column: its name and type in Zeek, and how it is filled. */
struct column {
    const char *name, *type;
    void (*put)(struct buf *out, const struct tls_session_seen *s);
};

/* A name for the connection that is the same whenever the capture is read. */
static void put_uid(struct buf *out, const struct tls_session_seen *s)
{
    static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    struct {
        struct address ends[2];
        int64_t time;
        uint16_t ports[2];
        uint32_t stream;
    } key;
    memset(&key, 0, sizeof key);
    for (unsigned i = 0; i < 2; i++) {
        unsigned end = session_side(s, i);
        key.ends[i].kind = s->ends[end].kind;
        memcpy(key.ends[i].bytes, s->ends[end].bytes, sizeof key.ends[i].bytes);
        key.ports[i] = s->ports[end];
    }
    key.time = s->first_time;
    key.stream = s->stream;
    XXH128_hash_t hash = XXH3_128bits(&key, sizeof key);
    uint64_t parts[] = {hash.low64, hash.high64};
    buf_char(out, 'C');
    for (unsigned i = 0; i < 17; i++) {
        buf_char(out, digits[parts[i % 2] % 62]);
        parts[i % 2] /= 62;
    }
}

static void put_ts(struct buf *out, const struct tls_session_seen *s)
{
    buf_nanoseconds(out, s->hello != NO_TIME ? s->hello : s->first_time, 6);
}

static void put_client(struct buf *out, const struct tls_session_seen *s)
{
    stat_address(out, &s->ends[session_side(s, 0)]);
}

static void put_client_port(struct buf *out, const struct tls_session_seen *s)
{
    buf_dec(out, s->ports[session_side(s, 0)]);
}

static void put_server(struct buf *out, const struct tls_session_seen *s)
{
    stat_address(out, &s->ends[session_side(s, 1)]);
}

static void put_server_port(struct buf *out, const struct tls_session_seen *s)
{
    buf_dec(out, s->ports[session_side(s, 1)]);
}

static void put_version(struct buf *out, const struct tls_session_seen *s)
{
    static const char *const names[] = {"SSLv3", "TLSv10", "TLSv11", "TLSv12", "TLSv13"};
    if (!s->has_server_hello)
        return;
    if (s->version >= 0x0300 && s->version <= 0x0304)
        buf_str(out, names[s->version - 0x0300]);
    else if (s->version >> 8 == 0x7f)
        buf_printf(out, "TLSv13-draft%u", s->version & 0xffu);
    else
        buf_printf(out, "unknown-%u", s->version);
}

static void put_cipher(struct buf *out, const struct tls_session_seen *s)
{
    if (s->has_server_hello)
        table_code(out, REG_CIPHER_SUITES, s->suite);
}

static void put_curve(struct buf *out, const struct tls_session_seen *s)
{
    if (s->group)
        table_code(out, REG_SUPPORTED_GROUPS, s->group);
}

static void put_name(struct buf *out, const struct tls_session_seen *s)
{
    buf_str(out, s->server_name ? s->server_name : "");
}

static void put_bool(struct buf *out, bool value)
{
    buf_char(out, value ? 'T' : 'F');
}

static void put_resumed(struct buf *out, const struct tls_session_seen *s)
{
    put_bool(out, s->resumed != RESUMED_NO);
}

/* The name in the registry as specifications write it: "handshake_failure". */
static void put_alert(struct buf *out, const struct tls_session_seen *s)
{
    const char *name = registry_name(REG_ALERTS, s->has_failure ? s->failure : s->last_alert);
    if (!s->has_failure && (!s->has_alert || s->last_alert == 0))
        return;
    for (const char *c = name ? name : "unknown"; *c; c++)
        buf_char(out, *c == ' ' ? '_' : *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c);
}

static void put_protocol(struct buf *out, const struct tls_session_seen *s)
{
    buf_str(out, s->alpn ? s->alpn : "");
}

static void put_established(struct buf *out, const struct tls_session_seen *s)
{
    put_bool(out, session_established(s));
}

static void put_history(struct buf *out, const struct tls_session_seen *s)
{
    buf_put(out, s->history, s->history_len);
}

static void put_chain(struct buf *out, const struct session_chain *chain)
{
    for (const char *c = chain->fingerprints ? chain->fingerprints : ""; *c; c++)
        buf_char(out, *c == ' ' ? ',' : *c);
}

static void put_server_chain(struct buf *out, const struct tls_session_seen *s)
{
    put_chain(out, &s->chains[session_side(s, 1)]);
}

static void put_client_chain(struct buf *out, const struct tls_session_seen *s)
{
    put_chain(out, &s->chains[session_side(s, 0)]);
}

static void put_matches(struct buf *out, const struct tls_session_seen *s)
{
    if (s->names_checked)
        put_bool(out, s->name_matches);
}

static void put_ja3(struct buf *out, const struct tls_session_seen *s)
{
    buf_str(out, s->ja3 ? s->ja3 : "");
}

static void put_ja3s(struct buf *out, const struct tls_session_seen *s)
{
    buf_str(out, s->ja3s ? s->ja3s : "");
}

static void put_ja4(struct buf *out, const struct tls_session_seen *s)
{
    buf_str(out, s->ja4 ? s->ja4 : "");
}

static void put_resumes(struct buf *out, const struct tls_session_seen *s)
{
    if (s->decryption.origin > 0)
        buf_dec(out, s->decryption.origin - 1);
}

static void put_decryption(struct buf *out, const struct tls_session_seen *s)
{
    tls_verdict_put(out, &s->decryption);
}

static const struct column columns[] = {
    {"ts", "time", put_ts},
    {"uid", "string", put_uid},
    {"id.orig_h", "addr", put_client},
    {"id.orig_p", "port", put_client_port},
    {"id.resp_h", "addr", put_server},
    {"id.resp_p", "port", put_server_port},
    {"version", "string", put_version},
    {"cipher", "string", put_cipher},
    {"curve", "string", put_curve},
    {"server_name", "string", put_name},
    {"resumed", "bool", put_resumed},
    {"last_alert", "string", put_alert},
    {"next_protocol", "string", put_protocol},
    {"established", "bool", put_established},
    {"ssl_history", "string", put_history},
    {"cert_chain_fps", "vector[string]", put_server_chain},
    {"client_cert_chain_fps", "vector[string]", put_client_chain},
    {"sni_matches_cert", "bool", put_matches},
    {"ja3", "string", put_ja3},
    {"ja3s", "string", put_ja3s},
    {"ja4", "string", put_ja4},
    {"resumes", "count", put_resumes},
    {"decryption", "string", put_decryption},
};

#define COLUMNS (sizeof columns / sizeof columns[0])

static void put_header(struct buf *out, const char *name, size_t word)
{
    buf_str(out, name);
    for (size_t i = 0; i < COLUMNS; i++) {
        buf_char(out, '\t');
        buf_str(out, word == 0 ? columns[i].name : columns[i].type);
    }
    buf_char(out, '\n');
}

static void put_clock(struct buf *out, const char *name, int64_t ns)
{
    buf_printf(out, "#%s\t", name);
    size_t start = out->len;
    clock_text_date(out, ns, true, 0);
    for (size_t i = start; i < out->len; i++)
        if (out->data[i] == ' ' || out->data[i] == ':')
            out->data[i] = '-';
    buf_char(out, '\n');
}

/* Kept texts hold no control bytes; a value that looks like a mark is told from it, as Zeek does. */
static void put_value(struct buf *out, struct slice value)
{
    if (value.len == 0)
        buf_char(out, '-');
    else if (slice_is(value, "-"))
        buf_str(out, "\\x2d");
    else
        buf_slice_put(out, value);
}

void table_zeek(struct tls_table *t, struct buf *out)
{
    struct buf cell = {0};
    uint32_t at = 0;
    buf_str(out, "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n"
                 "#unset_field\t-\n#path\tssl\n");
    put_clock(out, "open", t->start);
    put_header(out, "#fields", 0);
    put_header(out, "#types", 1);
    for (const struct tls_session_seen *s; (s = tls_sessions_next(&t->sessions, &at));) {
        for (size_t i = 0; i < COLUMNS; i++) {
            buf_clear(&cell);
            columns[i].put(&cell, s);
            buf_str(out, i > 0 ? "\t" : "");
            put_value(out, buf_slice(&cell));
        }
        buf_char(out, '\n');
    }
    if (t->sessions.tally.dropped > 0)
        buf_printf(out, "#dropped\t%llu\n", (unsigned long long)t->sessions.tally.dropped);
    put_clock(out, "close", t->stop);
    buf_free(&cell);
}

/* ---- JSON, an object a line ---- */

static void put_json_string(struct buf *out, struct slice value)
{
    buf_char(out, '"');
    for (size_t i = 0; i < value.len; i++) {
        uint8_t c = slice_at(value, i);
        if (c == '"' || c == '\\')
            buf_char(out, '\\');
        buf_char(out, (char)c);
    }
    buf_char(out, '"');
}

static void put_json_list(struct buf *out, struct slice value)
{
    buf_char(out, '[');
    while (value.len > 0) {
        size_t len = 0;
        while (len < value.len && slice_at(value, len) != ',')
            len++;
        put_json_string(out, slice_take(&value, len));
        buf_str(out, value.len > 0 ? "," : "");
        slice_skip(&value, value.len > 0);
    }
    buf_char(out, ']');
}

static void put_json(struct buf *out, const char *type, struct slice value)
{
    if (strcmp(type, "bool") == 0)
        buf_str(out, slice_is(value, "T") ? "true" : "false");
    else if (strcmp(type, "time") == 0 || strcmp(type, "port") == 0 || strcmp(type, "count") == 0)
        buf_slice_put(out, value);
    else if (strncmp(type, "vector", 6) == 0)
        put_json_list(out, value);
    else
        put_json_string(out, value);
}

void table_json(struct tls_table *t, struct buf *out)
{
    struct buf cell = {0};
    uint32_t at = 0;
    for (const struct tls_session_seen *s; (s = tls_sessions_next(&t->sessions, &at));) {
        buf_char(out, '{');
        for (size_t i = 0; i < COLUMNS; i++) {
            buf_clear(&cell);
            columns[i].put(&cell, s);
            if (cell.len == 0)
                continue;
            buf_str(out, i > 0 ? ",\"" : "\"");
            buf_str(out, columns[i].name);
            buf_str(out, "\":");
            put_json(out, columns[i].type, buf_slice(&cell));
        }
        buf_printf(out, ",\"tcp_stream\":%u,\"decrypted\":\"%s\",\"verified\":", s->stream,
                   session_decrypted(s));
        buf_clear(&cell);
        session_proofs(&cell, s);
        put_json_string(out, buf_slice(&cell));
        buf_printf(out, ",\"requests\":%llu,\"answers\":%llu,\"asked\":",
                   (unsigned long long)(s->http ? s->http->requests : 0),
                   (unsigned long long)(s->http ? s->http->responses : 0));
        buf_clear(&cell);
        session_asked(&cell, s);
        put_json_string(out, buf_slice(&cell));
        buf_str(out, ",\"verdict\":");
        buf_clear(&cell);
        session_verdict(&cell, s);
        put_json_string(out, buf_slice(&cell));
        buf_str(out, "}\n");
    }
    if (t->sessions.tally.dropped > 0)
        buf_printf(out, "{\"dropped_packets\":%llu}\n",
                   (unsigned long long)t->sessions.tally.dropped);
    buf_free(&cell);
}
