/* What is said of a TLS connection, in the tables of -z tls. */
#include "schema/registries.h"
#include "stats/tls_sessions.h"

bool session_established(const struct tls_session_seen *s)
{
    if (s->has_failure && s->done == NO_TIME)
        return false;
    return s->done != NO_TIME || s->sealed_finished;
}

void session_proofs(struct buf *out, const struct tls_session_seen *s)
{
    size_t start = out->len;
    verify_summary_write(out, &s->proofs, session_side(s, 0), true, ';');
    if (out->len > start)
        out->len--;
    else
        buf_char(out, '-');
}

void session_asked(struct buf *out, const struct tls_session_seen *s)
{
    const struct http_summary *http = s->http;
    for (unsigned i = 0; http && i < http->count; i++) {
        buf_str(out, i > 0 ? " | " : "");
        http_summary_write(out, http, i, true);
    }
    if (!http || http->count == 0)
        buf_char(out, '-');
    else if (http->requests > http->count)
        buf_printf(out, " | and %llu more", (unsigned long long)(http->requests - http->count));
}

const char *session_decrypted(const struct tls_session_seen *s)
{
    return s->protected_records == 0                   ? "-"
           : s->opened_records == 0                    ? "no"
           : s->opened_records >= s->protected_records ? "yes"
                                                       : "part";
}

static const char *end_name(const struct tls_session_seen *s, unsigned end)
{
    return s->client < 0 ? "one end" : end == (unsigned)s->client ? "the client" : "the server";
}

static void put_alert(struct buf *out, uint8_t code)
{
    const char *name = registry_name(REG_ALERTS, code);
    buf_str(out, name ? name : "alert");
    buf_printf(out, " (%u)", code);
}

static void put_close(struct buf *out, const struct tls_session_seen *s)
{
    if (s->reset_by != END_NOBODY) {
        buf_printf(out, "; reset by %s", end_name(s, s->reset_by));
    } else if (s->closed_by != END_NOBODY) {
        buf_printf(out, "; closed by %s", end_name(s, s->closed_by));
        bool all_read = s->opened_records >= s->protected_records && !s->sealed_alert;
        if (all_read && s->done != NO_TIME && !s->close_notify[s->closed_by])
            buf_str(out, " without close_notify");
    }
}

void session_verdict(struct buf *out, const struct tls_session_seen *s)
{
    if (s->has_failure) {
        buf_printf(out, "%s: %s sent ", s->done == NO_TIME ? "failed" : "broken off",
                   end_name(s, s->failure_by));
        put_alert(out, s->failure);
    } else if (session_established(s)) {
        buf_str(out, s->resumed ? "resumed" : "established");
    } else if (!s->has_hello) {
        buf_str(out, "capture starts after the ClientHello");
    } else if (!s->has_server_hello) {
        buf_str(out, "no ServerHello");
    } else {
        buf_str(out, "handshake not seen to its end");
    }
    put_close(out, s);
    if (s->incomplete)
        buf_str(out, "; a packet was too large to be read whole");
    if (s->unkept)
        buf_str(out, "; not all is kept: too much memory");
}

void session_version(struct buf *out, uint16_t version)
{
    static const char *const names[] = {"SSL 3.0", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3"};
    if (version == 0)
        buf_char(out, '-');
    else if (version >= 0x0300 && version <= SESSION_TLS13)
        buf_str(out, names[version - 0x0300]);
    else if (version >> 8 == 0x7f)
        buf_printf(out, "TLS 1.3 draft %u", version & 0xffu);
    else
        buf_printf(out, "0x%04x", version);
}
