#include "endpoint/status_page.h"

#include "endpoint/client_offer.h"
#include "print/json_text.h"
#include "print/text.h"

#include <string.h>

#define LABEL 16 /* columns */
#define WIDTH 90

/* What is to be said, in whatever form. */
struct facts {
    const struct endpoint_report *report;
    const struct http_request *request;
    struct client_offer offer;
    bool has_offer;
    struct buf ladder; /* text, lines */
    struct {
        const char *label, *key, *value;
    } rows[16];
    unsigned row_count;
    char peer[64], early[24], certificate[400];
};

static void add_row(struct facts *f, const char *label, const char *key, const char *value)
{
    f->rows[f->row_count].label = label;
    f->rows[f->row_count].key = key;
    f->rows[f->row_count++].value = value;
}

static void gather(struct facts *f, struct answer *a, const struct http_request *request)
{
    const struct endpoint_report *r = &a->link->report;
    const struct answer_config *config = &a->answers->config;
    f->report = r;
    f->request = request;
    f->ladder = (struct buf){.ceiling = 64 * 1024};
    endpoint_address_text(&r->peer, f->peer, sizeof(f->peer));
    add_row(f, "Protocol", "protocol", r->version);
    add_row(f, "Cipher suite", "cipher", r->cipher);
    add_row(f, "Group", "group", r->group);
    add_row(f, "Server name", "server_name", r->server_name);
    add_row(f, "ALPN", "alpn", r->alpn);
    add_row(f, "Session", "session", r->resumed ? "resumed" : "new");
    if (r->early_data) {
        snprintf(f->early, sizeof(f->early), "%u bytes", r->early_data);
        add_row(f, "Early data", "early_data", f->early);
    }
    add_row(f, "Client", "client", f->peer);
    if (r->peer_name[0]) {
        snprintf(f->certificate, sizeof(f->certificate), "%s: %s", r->peer_name,
                 r->verified ? "trusted" : r->verify_result);
        add_row(f, "Certificate", "client_certificate", f->certificate);
    }
    add_row(f, "Request", "http", request->carried);
    f->has_offer = a->link->tls.hello.len > 0;
    if (f->has_offer) {
        client_offer_read(&f->offer, buf_slice(&a->link->tls.hello));
        add_row(f, "JA3", "ja3", f->offer.ja3);
        add_row(f, "JA4", "ja4", f->offer.ja4);
    }
    if (config->ladder)
        config->ladder(config->user, r->id, &f->ladder);
}

/* ---- text ---- */

static void put_text(struct buf *out, const struct facts *f)
{
    for (unsigned i = 0; i < f->row_count; i++) {
        const char *label = f->rows[i].label, *value = f->rows[i].value;
        buf_str(out, label);
        buf_fill(out, ' ', LABEL - strlen(label));
        buf_escaped(out, slice_of_str(*value ? value : "-"));
        buf_char(out, '\n');
    }
    if (f->has_offer)
        buf_str(out, "\nThe client offered\n");
    for (enum offer_kind kind = 0; f->has_offer && kind < OFFER_COUNT; kind++) {
        const struct offer_list *list = &f->offer.lists[kind];
        size_t column = LABEL;
        if (list->count == 0)
            continue;
        buf_str(out, client_offer_label(kind));
        buf_fill(out, ' ', LABEL - strlen(client_offer_label(kind)));
        for (unsigned i = 0; i < list->count; i++) {
            struct buf name = {.ceiling = 256};
            client_offer_name(&name, kind, list->numbers[i]);
            bool breaks = i > 0 && column + 1 + name.len > WIDTH;
            if (breaks) {
                buf_char(out, '\n');
                buf_fill(out, ' ', LABEL);
                column = LABEL;
            } else if (i > 0) {
                buf_char(out, ' ');
                column++;
            }
            buf_slice_put(out, buf_slice(&name));
            column += name.len;
            buf_free(&name);
        }
        buf_char(out, '\n');
    }
    if (f->offer.alpn[0]) {
        buf_str(out, "ALPN            ");
        buf_escaped(out, slice_of_str(f->offer.alpn));
        buf_char(out, '\n');
    }
    if (f->ladder.len > 0)
        buf_char(out, '\n');
    buf_slice_put(out, buf_slice(&f->ladder));
}

/* ---- HTML ---- */

static void put_html(struct buf *out, struct slice text)
{
    struct buf plain = {.ceiling = 256 * 1024};
    text_plain(&plain, text, false);
    struct slice rest = buf_slice(&plain);
    while (rest.len > 0) {
        char c = (char)slice_u8(&rest);
        if (c == '<')
            buf_str(out, "&lt;");
        else if (c == '>')
            buf_str(out, "&gt;");
        else if (c == '&')
            buf_str(out, "&amp;");
        else if (c == '"')
            buf_str(out, "&quot;");
        else if ((unsigned char)c < 0x20 && c != '\n')
            buf_printf(out, "\\x%02x", (unsigned char)c);
        else
            buf_char(out, c);
    }
    buf_free(&plain);
}

static const char html_head[] =
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
    "'unsafe-inline'\">\n"
    "<link rel=\"icon\" href=\"data:,\">\n"
    "<title>tlswire serve: this connection</title>\n<style>\n"
    ":root{color-scheme:light dark}\n"
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}\n"
    "h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem}\n"
    "th{text-align:left;vertical-align:top;padding:.15rem 1.5rem .15rem "
    "0;white-space:nowrap;font-weight:600}\n"
    "td{font-family:ui-monospace,monospace;font-size:.9rem;overflow-wrap:anywhere}\n"
    "pre{font:.85rem/1.25 ui-monospace,monospace;overflow-x:auto;padding:1rem;border:1px solid "
    "#8886;border-radius:.4rem}\n"
    "</style></head><body>\n<h1>This connection</h1>\n<table>\n";

static void put_page(struct buf *out, const struct facts *f)
{
    buf_str(out, html_head);
    for (unsigned i = 0; i < f->row_count; i++) {
        const char *value = f->rows[i].value;
        buf_printf(out, "<tr><th>%s</th><td>", f->rows[i].label);
        put_html(out, slice_of_str(*value ? value : "-"));
        buf_str(out, "</td></tr>\n");
    }
    buf_str(out, "</table>\n");
    if (f->has_offer)
        buf_str(out, "<h2>What the client offered</h2>\n<table>\n");
    for (enum offer_kind kind = 0; f->has_offer && kind < OFFER_COUNT; kind++) {
        const struct offer_list *list = &f->offer.lists[kind];
        if (list->count == 0)
            continue;
        buf_printf(out, "<tr><th>%s</th><td>", client_offer_label(kind));
        for (unsigned i = 0; i < list->count; i++) {
            buf_str(out, i ? "<br>" : "");
            client_offer_name(out, kind, list->numbers[i]);
        }
        buf_str(out, "</td></tr>\n");
    }
    if (f->offer.alpn[0]) {
        buf_str(out, "<tr><th>ALPN</th><td>");
        put_html(out, slice_of_str(f->offer.alpn));
        buf_str(out, "</td></tr>\n");
    }
    buf_str(out, f->has_offer ? "</table>\n" : "");
    if (f->ladder.len > 0) {
        buf_str(out, "<h2>What was said</h2>\n<pre>");
        put_html(out, buf_slice(&f->ladder));
        buf_str(out, "</pre>\n");
    }
    buf_str(out, "</body></html>\n");
}

/* ---- JSON ---- */

static void put_offer(struct buf *out, const struct facts *f)
{
    buf_str(out, ",\n  \"offer\": {");
    for (enum offer_kind kind = 0; kind < OFFER_COUNT; kind++) {
        const struct offer_list *list = &f->offer.lists[kind];
        buf_printf(out, "%s\n    \"%s\": [", kind ? "," : "", client_offer_key(kind));
        for (unsigned i = 0; i < list->count; i++) {
            buf_printf(out, "%s{\"number\": %u, \"name\": \"", i ? ", " : "", list->numbers[i]);
            client_offer_name(out, kind, list->numbers[i]);
            buf_str(out, "\"}");
        }
        buf_char(out, ']');
    }
    buf_str(out, ",\n    \"alpn\": ");
    struct buf plain = {.ceiling = 4096};
    text_plain(&plain, slice_of_str(f->offer.alpn), false);
    json_string(out, buf_slice(&plain));
    buf_free(&plain);
    buf_str(out, "\n  }");
}

static void put_json(struct buf *out, const struct facts *f)
{
    struct buf plain = {.ceiling = 64 * 1024};
    buf_char(out, '{');
    for (unsigned i = 0; i < f->row_count; i++) {
        const char *value = f->rows[i].value;
        buf_printf(out, "%s\n  \"%s\": ", i ? "," : "", f->rows[i].key);
        buf_clear(&plain);
        text_plain(&plain, slice_of_str(value), false);
        if (*value)
            json_string(out, buf_slice(&plain));
        else
            buf_str(out, "null");
    }
    if (f->has_offer)
        put_offer(out, f);
    buf_str(out, ",\n  \"ladder\": [");
    struct slice rest = buf_slice(&f->ladder);
    for (bool more = false; rest.len > 0; more = true) {
        size_t len = 0;
        while (len < rest.len && slice_at(rest, len) != '\n')
            len++;
        buf_str(out, more ? ",\n    " : "\n    ");
        json_string(out, slice_take(&rest, len));
        if (rest.len > 0)
            slice_skip(&rest, 1);
    }
    buf_str(out, "\n  ]\n}\n");
    buf_free(&plain);
}

void status_page(struct answer *a, const struct http_request *request, struct http_response *r)
{
    struct facts f = {.report = NULL};
    gather(&f, a, request);
    r->status = 200;
    r->no_store = true;
    if (strstr(request->accept, "application/json")) {
        r->type = "application/json";
        put_json(&r->body, &f);
    } else if (strstr(request->accept, "text/html")) {
        r->type = "text/html; charset=utf-8";
        put_page(&r->body, &f);
    } else {
        r->type = "text/plain; charset=utf-8";
        put_text(&r->body, &f);
    }
    buf_free(&f.ladder);
}
