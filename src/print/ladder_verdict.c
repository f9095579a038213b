/* What a connection came to, in a few lines above its rungs. */
#include "print/ladder_private.h"

#define VERDICT 4 /* indent of the lines under the first */

static const char *end_name(const struct pen *p, unsigned end)
{
    if (p->c->client == NOBODY)
        return end == p->client ? "the left end" : "the right end";
    return end == p->client ? "the client" : "the server";
}

static void put_address(struct buf *out, const struct address *a, uint16_t port)
{
    if (a->kind == ADDRESS_IPV6) {
        buf_char(out, '[');
        buf_ipv6(out, slice_of(a->bytes, 16));
        buf_char(out, ']');
    } else if (a->kind == ADDRESS_IPV4) {
        buf_ipv4(out, slice_of(a->bytes, 4));
    } else {
        buf_char(out, '?');
    }
    buf_char(out, ':');
    buf_dec(out, port);
}

static void put_ms(struct buf *out, int64_t ns)
{
    buf_printf(out, "%.2f ms", (double)ns / 1e6);
}

static bool is_resumed(const struct connection *c)
{
    unsigned server = c->client == NOBODY ? 0 : 1u - c->client;
    return c->psk_taken || c->session_echoed ||
           (c->server_hello && c->version < TLS13 && c->change_cipher[server] && !c->server_done);
}

static void put_failure(const struct pen *p, struct buf *text)
{
    const struct connection *c = p->c;
    struct slice alert = pen_text(p, c->failure);
    buf_str(text, "FAILED: ");
    buf_str(text, end_name(p, c->failed_by));
    buf_str(text, " sent alert ");
    buf_slice_put(text, slice_sub(alert, 0, alert.len > 0 ? alert.len - 1 : 0));
    if (c->failed_after) {
        buf_str(text, " after ");
        buf_str(text, c->failed_after);
    }
}

/* How a handshake that neither finished nor was refused came to its end. */
static void put_unfinished(const struct pen *p, struct buf *text)
{
    const struct connection *c = p->c;
    buf_str(text, c->over ? "FAILED: handshake not finished" : "handshake not finished so far");
    if (c->last_message) {
        buf_str(text, ", last message ");
        buf_str(text, c->last_message);
    }
}

static void put_close(const struct pen *p, struct buf *text)
{
    const struct connection *c = p->c;
    bool all_seen = c->protected_records == c->opened_records;
    if (c->closed_by != NOBODY) {
        buf_str(text, "closed by ");
        buf_str(text, end_name(p, c->closed_by));
        if (all_seen && c->complete_time >= 0 && !c->close_notify[c->closed_by])
            buf_str(text, " without close_notify");
        buf_char(text, ITEM_END);
    }
    if (c->reset_by != NOBODY) {
        buf_str(text, "reset by ");
        buf_str(text, end_name(p, c->reset_by));
        buf_char(text, ITEM_END);
    }
}

/* The first line's words; the colour that they deserve. */
static enum paint put_outcome(const struct pen *p, struct buf *text)
{
    const struct connection *c = p->c;
    bool hidden = c->version == TLS13 && c->opened_records < c->protected_records;
    enum paint colour = PLAIN;
    if (c->failed_by != NOBODY) {
        put_failure(p, text);
        colour = BAD;
    } else if (c->complete_time >= 0) {
        buf_str(text, is_resumed(c) ? "OK: resumed" : "OK: full handshake");
        if (c->hello) {
            buf_str(text, " in ");
            put_ms(text, c->complete_time - c->hello_time);
        }
        colour = GOOD;
    } else if (c->number == 0) {
        buf_str(text, "no TLS seen");
    } else if (!c->hello) {
        buf_str(text,
                c->syn ? "no ClientHello that can be read" : "the beginning is not in the capture");
    } else if (hidden && c->server_hello) {
        buf_str(text, "what follows the ServerHello is encrypted");
    } else {
        put_unfinished(p, text);
        colour = c->over ? BAD : PLAIN;
    }
    buf_char(text, ITEM_END);
    put_close(p, text);
    return colour;
}

static void put_choice(const struct pen *p, struct buf *text)
{
    const struct connection *c = p->c;
    if (!c->server_hello)
        return;
    ladder_version(text, c->version);
    buf_char(text, ITEM_END);
    ladder_name(text, REG_CIPHER_SUITES, c->suite);
    buf_char(text, ITEM_END);
    if (c->named_group) {
        ladder_name(text, REG_SUPPORTED_GROUPS, c->group);
        buf_char(text, ITEM_END);
    }
    if (c->scheme) {
        ladder_name(text, REG_SIGNATURE_SCHEMES, c->scheme);
        buf_char(text, ITEM_END);
    }
    if (is_resumed(c) && c->decryption.origin > 0)
        buf_printf(text, "session of tcp.stream %u%c", c->decryption.origin - 1, ITEM_END);
    if (c->retried)
        buf_printf(text, "after HelloRetryRequest%c", ITEM_END);
}

static void put_names(const struct pen *p, struct buf *text)
{
    const struct connection *c = p->c;
    buf_slice_put(text, pen_text(p, c->server_name));
    buf_slice_put(text, pen_text(p, c->alpn));
    if (c->certificate.len > 0) {
        struct slice items = pen_text(p, c->certificate);
        buf_str(text, "certificate ");
        while (items.len > 1) { /* as one item */
            char byte = (char)slice_u8(&items);
            if (byte == ITEM_END)
                buf_str(text, ", ");
            else
                buf_char(text, byte);
        }
        buf_char(text, ITEM_END);
    }
}

static void put_keys(const struct pen *p, struct buf *text)
{
    const struct connection *c = p->c;
    uint8_t status = c->decryption.status;
    if (c->protected_records == 0)
        return;
    if (c->opened_records == 0) {
        bool absent = status == DECRYPT_NONE || status == DECRYPT_NO_KEY;
        if (!absent) {
            buf_str(text, "not decrypted: ");
            tls_verdict_put(text, &c->decryption);
        } else {
            buf_str(text, p->options->keys_from ? "not decrypted: its keys are not in "
                                                : "no keys: what is encrypted is shown as such");
        }
        if (absent && p->options->keys_from)
            ladder_escape(text, slice_of_str(p->options->keys_from), 200, p->options->ascii);
        buf_char(text, ITEM_END);
        return;
    }
    if (c->opened_records < c->protected_records)
        buf_printf(text, "%llu of %llu protected records ", (unsigned long long)c->opened_records,
                   (unsigned long long)c->protected_records);
    buf_str(text, "decrypted");
    if (p->options->keys_from) {
        buf_str(text, " with the keys from ");
        ladder_escape(text, slice_of_str(p->options->keys_from), 200, p->options->ascii);
    }
    buf_printf(text, " (* was encrypted)%c", ITEM_END);
    if (status != DECRYPT_NONE && (status != DECRYPT_OPENED || c->decryption.guessed)) {
        tls_verdict_put(text, &c->decryption);
        buf_char(text, ITEM_END);
    }
}

static void put_proofs(const struct pen *p, struct buf *text)
{
    const struct verify_summary *proofs = &p->c->proofs;
    size_t start = text->len;
    buf_str(text, verify_summary_failed(proofs) ? "NOT AS IT SHOULD BE: " : "verified: ");
    size_t said = text->len;
    verify_summary_write(text, proofs, p->client, p->options->ascii, ITEM_END);
    if (text->len == said)
        text->len = start;
}

/* What stands in `scratch`. */
static void write_line(const struct pen *p)
{
    struct wrap w = {.out = p->out,
                     .indent = VERDICT,
                     .width = p->options->width,
                     .column = VERDICT,
                     .ascii = p->options->ascii};
    buf_fill(p->out, ' ', VERDICT);
    ladder_wrap(&w, buf_slice(p->scratch));
    ladder_wrap_end(&w);
}

static void verdict_line(const struct pen *p, void (*put)(const struct pen *p, struct buf *text))
{
    buf_clear(p->scratch);
    put(p, p->scratch);
    if (p->scratch->len > 0)
        write_line(p);
}

/* What was asked and answered, a line each. */
static void put_exchanges(const struct pen *p)
{
    const struct http_summary *http = p->c->http;
    for (unsigned i = 0; http && i < http->count; i++) {
        buf_clear(p->scratch);
        http_summary_write(p->scratch, http, i, p->options->ascii);
        buf_char(p->scratch, ITEM_END);
        write_line(p);
    }
    if (!http || http->requests <= http->count)
        return;
    buf_clear(p->scratch);
    buf_printf(p->scratch, "and %llu more requests%c",
               (unsigned long long)(http->requests - http->count), ITEM_END);
    write_line(p);
}

/* Both addresses, on two lines when they are too long; the column after them. */
static size_t put_ends(const struct pen *p, size_t column)
{
    const struct connection *c = p->c;
    bool known = c->client != NOBODY;
    buf_clear(p->scratch);
    put_address(p->scratch, &c->addresses[p->client], c->ports[p->client]);
    size_t first = p->scratch->len;
    buf_str(p->scratch, known ? pen_glyph(p, " → ", " -> ") : pen_glyph(p, " ↔ ", " <-> "));
    put_address(p->scratch, &c->addresses[1 - p->client], c->ports[1 - p->client]);
    struct slice text = buf_slice(p->scratch), rest = slice_sub(text, first, SIZE_MAX);
    if (column + ladder_columns(text) <= p->options->width) {
        buf_slice_put(p->out, text);
        return column + ladder_columns(text);
    }
    buf_slice_put(p->out, slice_sub(text, 0, first));
    buf_str(p->out, "\n   ");
    buf_slice_put(p->out, rest);
    return VERDICT - 1 + ladder_columns(rest);
}

void ladder_verdict(const struct pen *p)
{
    const struct connection *c = p->c;
    struct buf *out = p->out;
    size_t start = out->len;
    if (c->number > 0)
        buf_printf(out, "#%u  ", c->number);
    size_t column = put_ends(p, ladder_columns(slice_sub(buf_slice(out), start, SIZE_MAX)));
    buf_clear(p->scratch);
    enum paint colour = put_outcome(p, p->scratch);
    struct slice text = buf_slice(p->scratch);
    bool fits = column + 3 + ladder_columns(text) <= p->options->width;
    struct wrap w = {.out = out,
                     .indent = VERDICT,
                     .width = p->options->width,
                     .column = fits ? column + 3 : VERDICT,
                     .ascii = p->options->ascii};
    buf_str(out, fits ? "   " : "\n    ");
    pen_paint(p, colour);
    ladder_wrap(&w, text);
    if (colour != PLAIN)
        pen_paint(p, PLAIN);
    ladder_wrap_end(&w);
    verdict_line(p, put_choice);
    verdict_line(p, put_names);
    verdict_line(p, put_keys);
    verdict_line(p, put_proofs);
    put_exchanges(p);
}
