#include "endpoint/status_page.h"

#include <string.h>

enum request_state status_request(struct slice head)
{
    /* Anything that is not a word at the start is not HTTP; do not wait for more of it. */
    for (size_t i = 0; i < head.len && i < 3; i++)
        if (slice_at(head, i) < 'A' || slice_at(head, i) > 'Z')
            return REQUEST_BAD;
    for (size_t i = 0; i < head.len; i++) {
        if (slice_at(head, i) != '\n')
            continue;
        uint8_t next = slice_at(head, i + 1);
        if (next == '\n' || (next == '\r' && slice_at(head, i + 2) == '\n'))
            return REQUEST_COMPLETE;
    }
    return head.len < REQUEST_CEILING ? REQUEST_UNFINISHED : REQUEST_BAD;
}

static void put_text(struct buf *out, const char *text)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '<')
            buf_str(out, "&lt;");
        else if (c == '>')
            buf_str(out, "&gt;");
        else if (c == '&')
            buf_str(out, "&amp;");
        else if (c == '"')
            buf_str(out, "&quot;");
        else if (c < 0x20 || c >= 0x7f)
            buf_printf(out, "\\x%02x", c);
        else
            buf_char(out, (char)c);
    }
}

static void put_row(struct buf *out, const char *label, const char *value)
{
    buf_str(out, label);
    buf_fill(out, ' ', strlen(label) < 16 ? 16 - strlen(label) : 1);
    put_text(out, *value ? value : "-");
    buf_char(out, '\n');
}

static void put_offered(struct buf *out, SSL *ssl)
{
    STACK_OF(SSL_CIPHER) *offered = SSL_get_client_ciphers(ssl);
    int count = sk_SSL_CIPHER_num(offered); /* -1 for none, as in a resumed session */
    buf_printf(out, "\nCipher suites that the client offered and this server knows: %d\n",
               count < 0 ? 0 : count);
    for (int i = 0; i < count; i++) {
        buf_str(out, "  ");
        put_text(out, SSL_CIPHER_get_name(sk_SSL_CIPHER_value(offered, i)));
        buf_char(out, '\n');
    }
}

static void put_response(struct buf *out, const char *status, const char *type,
                         const struct buf *body, bool head_only)
{
    buf_printf(out,
               "HTTP/1.0 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
               "Cache-Control: no-store\r\nConnection: close\r\n\r\n",
               status, type, body->len);
    if (!head_only)
        buf_slice_put(out, buf_slice(body));
}

void status_page(struct buf *out, SSL *ssl, const struct endpoint_report *r, bool head_only)
{
    struct buf body = {.ceiling = 256 * 1024};
    char peer[64];
    endpoint_address_text(&r->peer, peer, sizeof(peer));
    buf_str(&body, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                   "<title>tlswire serve</title></head><body><pre>\n");
    put_row(&body, "Protocol", r->version);
    put_row(&body, "Cipher suite", r->cipher);
    put_row(&body, "Group", r->group);
    put_row(&body, "Server name", r->server_name);
    put_row(&body, "ALPN", r->alpn);
    put_row(&body, "Session", r->resumed ? "resumed" : "new");
    put_row(&body, "Client", peer);
    put_offered(&body, ssl);
    buf_str(&body, "</pre></body></html>\n");
    put_response(out, "200 OK", "text/html; charset=utf-8", &body, head_only);
    buf_free(&body);
}

void status_refusal(struct buf *out, unsigned code)
{
    struct buf body = {.ceiling = 256};
    const char *status = code == 405 ? "405 Method Not Allowed" : "400 Bad Request";
    buf_printf(&body, "%s\n", status);
    put_response(out, status, "text/plain", &body, false);
    buf_free(&body);
}
