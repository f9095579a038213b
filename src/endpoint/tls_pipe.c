#include "endpoint/tls_pipe.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

static void remember_alert(const SSL *ssl, int where, int value)
{
    struct tls_pipe *p = SSL_get_app_data(ssl);
    if (!p || !(where & SSL_CB_ALERT))
        return;
    if (where & SSL_CB_READ)
        p->alert_received = value & 0xff;
    else
        p->alert_sent = value & 0xff;
}

static void keylog_line(const SSL *ssl, const char *line)
{
    struct tls_pipe *p = SSL_get_app_data(ssl);
    if (p && p->on_keylog)
        p->on_keylog(p->user, line);
}

void tls_pipe_log_keys(SSL_CTX *ctx)
{
    SSL_CTX_set_keylog_callback(ctx, keylog_line);
}

/* The name that the certificate must carry.  A mismatch only shows in the report unless the context
 * asks for verification. */
static bool expect_name(SSL *ssl, const char *name)
{
    unsigned char address[sizeof(struct in6_addr)];
    if (inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1)
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) == 1;
    return SSL_set1_host(ssl, name) == 1;
}

bool tls_pipe_open(struct tls_pipe *p, SSL_CTX *ctx, enum tls_role role, const char *sni,
                   const char *name, struct error *e)
{
    p->alert_sent = p->alert_received = -1;
    p->ssl = SSL_new(ctx);
    p->in = BIO_new(BIO_s_mem());
    p->out = BIO_new(BIO_s_mem());
    if (!p->ssl || !p->in || !p->out) {
        SSL_free(p->ssl);
        BIO_free(p->in);
        BIO_free(p->out);
        *p = (struct tls_pipe){.ssl = NULL};
        return error_set(e, ERROR_MEMORY, "no memory for a TLS connection");
    }
    BIO_set_mem_eof_return(p->in, -1); /* empty means "later", not "over" */
    SSL_set_bio(p->ssl, p->in, p->out);
    SSL_set_app_data(p->ssl, p);
    SSL_set_info_callback(p->ssl, remember_alert);
    if (role == TLS_SERVER) {
        SSL_set_accept_state(p->ssl);
        return true;
    }
    SSL_set_connect_state(p->ssl);
    if ((sni && SSL_set_tlsext_host_name(p->ssl, sni) != 1) || (name && !expect_name(p->ssl, name)))
        return error_set(e, ERROR_USAGE, "'%s' cannot be sent as a server name", sni ? sni : name);
    return true;
}

void tls_pipe_free(struct tls_pipe *p)
{
    SSL_free(p->ssl);
    p->ssl = NULL;
    p->in = p->out = NULL;
}

bool tls_pipe_feed(struct tls_pipe *p, struct slice bytes)
{
    size_t written = 0;
    return bytes.len == 0 ||
           (BIO_write_ex(p->in, bytes.data, bytes.len, &written) == 1 && written == bytes.len);
}

static enum tls_progress progress(struct tls_pipe *p, int result)
{
    if (result > 0)
        return TLS_DONE;
    switch (SSL_get_error(p->ssl, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return TLS_AGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return TLS_CLOSED;
    default:
        return TLS_FAILED;
    }
}

enum tls_progress tls_pipe_handshake(struct tls_pipe *p)
{
    ERR_clear_error();
    return progress(p, SSL_do_handshake(p->ssl));
}

enum tls_progress tls_pipe_read(struct tls_pipe *p, uint8_t *buffer, size_t size, size_t *len)
{
    ERR_clear_error();
    return progress(p, SSL_read_ex(p->ssl, buffer, size, len));
}

bool tls_pipe_write(struct tls_pipe *p, struct slice plain)
{
    size_t written = 0;
    ERR_clear_error();
    /* A memory BIO takes everything, so a write is never partial. */
    return plain.len == 0 || SSL_write_ex(p->ssl, plain.data, plain.len, &written) == 1;
}

void tls_pipe_close(struct tls_pipe *p)
{
    ERR_clear_error();
    if (!(SSL_get_shutdown(p->ssl) & SSL_SENT_SHUTDOWN))
        SSL_shutdown(p->ssl);
}

struct slice tls_pipe_output(struct tls_pipe *p)
{
    char *data = NULL;
    long len = BIO_get_mem_data(p->out, &data);
    return len > 0 ? slice_of(data, (size_t)len) : slice_empty();
}

void tls_pipe_output_taken(struct tls_pipe *p)
{
    (void)BIO_reset(p->out);
}

static void add_alert(char *text, size_t size, const char *whose, int alert)
{
    size_t len = strlen(text);
    snprintf(text + len, size - len, " (%s alert %d: %s)", whose, alert,
             SSL_alert_desc_string_long(alert));
}

void tls_pipe_explain(struct tls_pipe *p, char *text, size_t size)
{
    long verify = SSL_get_verify_result(p->ssl);
    unsigned long code = ERR_peek_error();
    if (ERR_GET_LIB(code) == ERR_LIB_SSL && ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED)
        snprintf(text, size, "the peer's certificate is not trusted: %s",
                 X509_verify_cert_error_string(verify));
    else
        context_reason(text, size);
    ERR_clear_error();
    if (p->alert_received > 0)
        add_alert(text, size, "received", p->alert_received);
    else if (p->alert_sent > 0)
        add_alert(text, size, "sent", p->alert_sent);
}

static void report_group(const struct tls_pipe *p, struct endpoint_report *r)
{
    int group = (int)SSL_get_negotiated_group(p->ssl);
    const char *name = group ? SSL_group_to_name(p->ssl, group) : NULL;
    /* A session that was resumed remembers a group that was not used again. */
    if (name && strcmp(name, "UNDEF") != 0)
        snprintf(r->group, sizeof(r->group), "%s", name);
}

void tls_pipe_report(const struct tls_pipe *p, struct endpoint_report *r)
{
    SSL *ssl = p->ssl;
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    const unsigned char *alpn = NULL;
    unsigned alpn_len = 0;
    r->handshake_done = SSL_is_init_finished(ssl) == 1;
    if (name)
        snprintf(r->server_name, sizeof(r->server_name), "%s", name);
    if (!r->handshake_done)
        return;
    r->resumed = SSL_session_reused(ssl) == 1;
    snprintf(r->version, sizeof(r->version), "%s", SSL_get_version(ssl));
    snprintf(r->cipher, sizeof(r->cipher), "%s", SSL_get_cipher_name(ssl));
    report_group(p, r);
    SSL_get0_alpn_selected(ssl, &alpn, &alpn_len);
    if (alpn_len > 0)
        snprintf(r->alpn, sizeof(r->alpn), "%.*s", (int)alpn_len, (const char *)alpn);
    long verify = SSL_get_verify_result(ssl);
    r->verified = verify == X509_V_OK;
    snprintf(r->verify_result, sizeof(r->verify_result), "%s",
             X509_verify_cert_error_string(verify));
}
