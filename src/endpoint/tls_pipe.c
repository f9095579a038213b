#include "endpoint/tls_pipe.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#define IN_CEILING ((size_t)1 << 20)

/* ---- the BIO between OpenSSL and the two buffers ---- */

static int bio_read(BIO *bio, char *bytes, size_t size, size_t *len)
{
    struct tls_pipe *p = BIO_get_data(bio);
    struct slice ready = slice_sub(buf_slice(&p->in), p->taken, size);
    BIO_clear_retry_flags(bio);
    *len = ready.len;
    if (ready.len == 0) {
        BIO_set_retry_read(bio); /* empty means "later", not "over" */
        return -1;
    }
    (void)slice_read(&ready, bytes, ready.len);
    p->taken += *len;
    if (p->taken == p->in.len) {
        buf_free(&p->in);
        p->taken = 0;
    }
    return 1;
}

static int bio_write(BIO *bio, const char *bytes, size_t size, size_t *len)
{
    struct tls_pipe *p = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    buf_put(&p->out, bytes, size);
    *len = size;
    return p->out.failed ? 0 : 1;
}

static long bio_control(BIO *bio, int command, long number, void *argument)
{
    (void)bio, (void)number, (void)argument;
    return command == BIO_CTRL_FLUSH;
}

/* One for the whole process, as OpenSSL wants it; made once and never changed. */
static CRYPTO_ONCE bio_once = CRYPTO_ONCE_STATIC_INIT;
static BIO_METHOD *bio_method;

static void make_bio_method(void)
{
    bio_method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "tls_pipe");
    if (bio_method && (!BIO_meth_set_read_ex(bio_method, bio_read) ||
                       !BIO_meth_set_write_ex(bio_method, bio_write) ||
                       !BIO_meth_set_ctrl(bio_method, bio_control))) {
        BIO_meth_free(bio_method);
        bio_method = NULL;
    }
}

static BIO *bio_of(struct tls_pipe *p)
{
    if (!CRYPTO_THREAD_run_once(&bio_once, make_bio_method) || !bio_method)
        return NULL;
    BIO *bio = BIO_new(bio_method);
    if (bio) {
        BIO_set_data(bio, p);
        BIO_set_init(bio, 1);
    }
    return bio;
}

/* ---- what OpenSSL tells ---- */

/* As s_server -state words it. */
static void tell_state(const struct tls_pipe *p, const SSL *ssl, int where, int value)
{
    char text[160] = "";
    const char *side = where & SSL_ST_CONNECT  ? "SSL_connect"
                       : where & SSL_ST_ACCEPT ? "SSL_accept"
                                               : "undefined";
    if (where & SSL_CB_ALERT)
        snprintf(text, sizeof(text), "alert %s: %s %s", where & SSL_CB_READ ? "read" : "write",
                 SSL_alert_type_string_long(value), SSL_alert_desc_string_long(value));
    else if (where & SSL_CB_LOOP)
        snprintf(text, sizeof(text), "%s: %s", side, SSL_state_string_long(ssl));
    else if ((where & SSL_CB_EXIT) && value == 0)
        snprintf(text, sizeof(text), "%s: failed in %s", side, SSL_state_string_long(ssl));
    if (text[0])
        p->on_state(p->user, text);
}

static void remember_alert(const SSL *ssl, int where, int value)
{
    struct tls_pipe *p = SSL_get_app_data(ssl);
    if (p && p->on_state)
        tell_state(p, ssl, where, value);
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

/* RFC 9846 4.7.3: each of them costs us a new set of keys. */
static void see_message(int sent, int version, int type, const void *bytes, size_t len, SSL *ssl,
                        void *user)
{
    struct tls_pipe *p = user;
    (void)ssl;
    struct slice message = slice_of(bytes, len);
    if (sent && p->on_sent)
        p->on_sent(p->user, type, message);
    if (p->keep_hello && !sent && type == SSL3_RT_HANDSHAKE && p->hello.len == 0 &&
        slice_at(message, 0) == SSL3_MT_CLIENT_HELLO)
        buf_slice_put(&p->hello, message);
    if (p->on_message) {
        struct endpoint_message seen = {sent != 0, version, type, message};
        p->on_message(p->user, &seen);
    }
    if (!sent && type == SSL3_RT_HANDSHAKE && slice_u8(&message) == SSL3_MT_KEY_UPDATE)
        p->key_updates++;
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
    p->in = (struct buf){.ceiling = IN_CEILING};
    p->out = (struct buf){.ceiling = 0};
    p->taken = 0;
    p->key_updates = 0;
    p->awaits_early = role == TLS_SERVER && SSL_CTX_get_max_early_data(ctx) > 0;
    p->early = (struct buf){.ceiling = SSL_CTX_get_max_early_data(ctx)};
    p->ssl = SSL_new(ctx);
    BIO *bio = bio_of(p);
    if (!p->ssl || !bio) {
        SSL_free(p->ssl);
        BIO_free(bio);
        p->ssl = NULL;
        return error_set(e, ERROR_MEMORY, "no memory for a TLS connection");
    }
    SSL_set_bio(p->ssl, bio, bio);
    SSL_set_app_data(p->ssl, p);
    SSL_set_info_callback(p->ssl, remember_alert);
    SSL_set_msg_callback(p->ssl, see_message);
    SSL_set_msg_callback_arg(p->ssl, p);
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
    p->taken = 0;
    buf_free(&p->in);
    buf_free(&p->out);
    buf_free(&p->early);
    buf_free(&p->hello);
}

bool tls_pipe_feed(struct tls_pipe *p, struct slice bytes)
{
    if (p->taken > 0) {
        struct buf rest = {.ceiling = IN_CEILING};
        buf_slice_put(&rest, slice_sub(buf_slice(&p->in), p->taken, SIZE_MAX));
        buf_free(&p->in);
        p->in = rest;
        p->taken = 0;
    }
    buf_slice_put(&p->in, bytes);
    return !p->in.failed;
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

/* Gathers early data until there are no more, or the handshake needs bytes. */
static enum tls_progress take_early(struct tls_pipe *p)
{
    uint8_t piece[4096];
    for (;;) {
        size_t len = 0;
        int result = SSL_read_early_data(p->ssl, piece, sizeof(piece), &len);
        if (result == SSL_READ_EARLY_DATA_ERROR)
            return progress(p, -1);
        buf_put(&p->early, piece, len);
        if (result == SSL_READ_EARLY_DATA_FINISH)
            break;
    }
    p->awaits_early = false;
    return TLS_DONE;
}

enum tls_progress tls_pipe_handshake(struct tls_pipe *p)
{
    ERR_clear_error();
    if (p->early_out.len > 0) {
        size_t written = 0;
        int sent = SSL_write_early_data(p->ssl, p->early_out.data, p->early_out.len, &written);
        p->early_out = slice_empty();
        if (sent != 1)
            return progress(p, sent);
    }
    if (p->awaits_early) {
        enum tls_progress early = take_early(p);
        if (early != TLS_DONE)
            return early;
    }
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
    /* The buffer takes everything, so a write is never partial. */
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
    return buf_slice(&p->out);
}

void tls_pipe_output_taken(struct tls_pipe *p)
{
    buf_free(&p->out);
}

static void add_alert(char *text, size_t size, const char *whose, int alert)
{
    size_t len = strlen(text);
    /* Two that OpenSSL 3.0 has no words for. */
    const char *words = alert == SSL_AD_INAPPROPRIATE_FALLBACK ? "inappropriate fallback"
                        : alert == SSL_AD_CERTIFICATE_REQUIRED ? "certificate required"
                                                               : SSL_alert_desc_string_long(alert);
    snprintf(text + len, size - len, " (%s alert %d: %s)", whose, alert, words);
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

static void report_client(const struct tls_pipe *p, struct endpoint_report *r)
{
    X509 *x509 = SSL_is_server(p->ssl) ? SSL_get0_peer_certificate(p->ssl) : NULL;
    BIO *text = x509 ? BIO_new(BIO_s_mem()) : NULL;
    if (!text)
        return;
    X509_NAME_print_ex(text, X509_get_subject_name(x509), 0,
                       XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
    int len = BIO_read(text, r->peer_name, sizeof(r->peer_name) - 1);
    r->peer_name[len > 0 ? len : 0] = '\0';
    if (len <= 0)
        snprintf(r->peer_name, sizeof(r->peer_name), "(no name)");
    BIO_free(text);
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
    r->early_data = (unsigned)p->early.len;
    report_client(p, r);
    long verify = SSL_get_verify_result(ssl);
    r->verified = verify == X509_V_OK;
    snprintf(r->verify_result, sizeof(r->verify_result), "%s",
             X509_verify_cert_error_string(verify));
}
