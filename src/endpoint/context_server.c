#include "endpoint/context_server.h"

#include "base/buf.h"
#include "endpoint/context.h"
#include "endpoint/identity.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <stdlib.h>
#include <strings.h>

#define STATUS_CEILING \
    65535 /* RFC 6066 8: what one message takes, and no real response is so large */
#define EARLY_CEILING 16384

/* What a context keeps for its callbacks; it goes with the context. */
struct server_data {
    const struct tls_settings *settings;
    struct identity *names; /* by settings->server.names */
    unsigned char *psk;
    long psk_len;
    unsigned char *status;
    long status_len;
};

static CRYPTO_ONCE index_once = CRYPTO_ONCE_STATIC_INIT;
static int data_index = -1;

static void free_data(void *parent, void *pointer, CRYPTO_EX_DATA *ex, int index, long argl,
                      void *argp)
{
    struct server_data *d = pointer;
    (void)parent, (void)ex, (void)index, (void)argl, (void)argp;
    if (!d)
        return;
    for (unsigned i = 0; d->names && i < d->settings->server.name_count; i++)
        identity_free(&d->names[i]);
    free(d->names);
    OPENSSL_clear_free(d->psk, (size_t)d->psk_len);
    OPENSSL_free(d->status);
    free(d);
}

static void make_index(void)
{
    data_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, free_data);
}

static const struct server_data *data_of(SSL *ssl)
{
    return SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), data_index);
}

/* ---- certificates by name ---- */

/* RFC 6125 6.4.3: a star stands for one label, the first. */
static bool name_fits(const char *pattern, const char *name)
{
    if (pattern[0] != '*' || pattern[1] != '.')
        return strcasecmp(pattern, name) == 0;
    const char *dot = strchr(name, '.');
    return dot && dot != name && strcasecmp(pattern + 1, dot) == 0;
}

static const struct identity *find_name(const struct server_data *d, const char *name, bool *known)
{
    const struct server_settings *s = &d->settings->server;
    for (int stars = 0; stars <= 1; stars++)
        for (unsigned i = 0; i < s->name_count; i++) {
            if ((s->names[i].name[0] == '*') != (stars == 1) || !name_fits(s->names[i].name, name))
                continue;
            *known = true;
            return &d->names[i];
        }
    return NULL;
}

static int choose_name(SSL *ssl, int *alert, void *user)
{
    const struct server_data *d = user;
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    bool known = false;
    const struct identity *c = name ? find_name(d, name, &known) : NULL;
    if (c && c->x509) {
        SSL_certs_clear(ssl);
        SSL_set_cert_cb(ssl, NULL, NULL); /* nobody makes another one for this name */
        if (SSL_use_cert_and_key(ssl, c->x509, c->key, c->chain, 1) != 1) {
            *alert = SSL_AD_INTERNAL_ERROR;
            return SSL_TLSEXT_ERR_ALERT_FATAL;
        }
    }
    if (name && !known && d->settings->server.name_fatal) {
        *alert = SSL_AD_UNRECOGNIZED_NAME;
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    return known ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

static bool set_names(SSL_CTX *ctx, struct server_data *d, struct error *e)
{
    const struct server_settings *s = &d->settings->server;
    if (s->name_count == 0)
        return true;
    d->names = calloc(s->name_count, sizeof(*d->names));
    if (!d->names)
        return error_set(e, ERROR_MEMORY, "no memory for %u names", s->name_count);
    for (unsigned i = 0; i < s->name_count; i++)
        if (s->names[i].files.cert &&
            !identity_read(&d->names[i], &s->names[i].files, d->settings->lax_keys, e))
            return false;
    SSL_CTX_set_tlsext_servername_callback(ctx, choose_name);
    SSL_CTX_set_tlsext_servername_arg(ctx, d);
    return true;
}

/* ---- the client's certificate ---- */

static int judge(int ok, X509_STORE_CTX *store)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    /* As s_server: what is wrong is told, and only -verify_return_error makes it fatal. */
    return ok || !data_of(ssl)->settings->verify_required;
}

static bool set_verify(SSL_CTX *ctx, const struct tls_settings *s, struct error *e)
{
    if (!s->server.ask)
        return true;
    int mode = SSL_VERIFY_PEER | SSL_VERIFY_CLIENT_ONCE;
    SSL_CTX_set_verify(ctx, s->server.demand ? mode | SSL_VERIFY_FAIL_IF_NO_PEER_CERT : mode,
                       judge);
    SSL_CTX_set_verify_depth(ctx, s->server.depth);
    if (!s->ca_file || s->server.no_ca_names)
        return true;
    STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(s->ca_file);
    if (!names)
        return error_set(e, ERROR_CRYPTO, "cannot read -CAfile '%.300s'", s->ca_file);
    SSL_CTX_set_client_CA_list(ctx, names); /* takes it */
    return true;
}

/* ---- pre-shared keys ---- */

/* Of TLS 1.2, and of TLS 1.3, where tickets are asked about, too: they are no identity of ours. */
static unsigned give_psk(SSL *ssl, const char *identity, unsigned char *psk, unsigned size)
{
    const struct server_data *d = data_of(ssl);
    const char *mine = d->settings->server.psk_identity;
    if (!identity || strcmp(identity, mine ? mine : "Client_identity") != 0 ||
        d->psk_len > (long)size)
        return 0;
    memcpy(psk, d->psk, (size_t)d->psk_len);
    return (unsigned)d->psk_len;
}

static bool set_psk(SSL_CTX *ctx, struct server_data *d, struct error *e)
{
    const struct server_settings *s = &d->settings->server;
    if (!s->psk && (s->psk_identity || s->psk_hint))
        return error_set(e, ERROR_USAGE, "-psk_%s needs -psk", s->psk_hint ? "hint" : "identity");
    if (!s->psk)
        return true;
    d->psk = OPENSSL_hexstr2buf(s->psk, &d->psk_len);
    if (!d->psk || d->psk_len == 0 || d->psk_len > PSK_MAX_PSK_LEN)
        return error_set(e, ERROR_USAGE, "-psk: want 1 to %d bytes in hexadecimal",
                         PSK_MAX_PSK_LEN);
    SSL_CTX_set_psk_server_callback(ctx, give_psk);
    if (s->psk_hint && SSL_CTX_use_psk_identity_hint(ctx, s->psk_hint) != 1)
        return error_set(e, ERROR_USAGE, "-psk_hint: longer than OpenSSL takes");
    return true;
}

/* ---- the stapled response ---- */

static int staple(SSL *ssl, void *user)
{
    const struct server_data *d = user;
    unsigned char *copy = OPENSSL_memdup(d->status, (size_t)d->status_len);
    if (!copy)
        return SSL_TLSEXT_ERR_NOACK;
    SSL_set_tlsext_status_ocsp_resp(ssl, copy, (int)d->status_len); /* takes it */
    return SSL_TLSEXT_ERR_OK;
}

static bool set_status(SSL_CTX *ctx, struct server_data *d, struct error *e)
{
    const char *path = d->settings->server.status_file;
    if (!path)
        return true;
    BIO *file = BIO_new_file(path, "rb");
    OCSP_RESPONSE *response = file ? d2i_OCSP_RESPONSE_bio(file, NULL) : NULL;
    BIO_free(file);
    if (!response)
        return error_set(e, ERROR_FILE, "-status_file '%.300s': %s", path,
                         file ? "no OCSP response in DER" : strerror(errno));
    d->status_len = i2d_OCSP_RESPONSE(response, &d->status);
    OCSP_RESPONSE_free(response);
    if (d->status_len <= 0 || d->status_len > STATUS_CEILING)
        return error_set(e, ERROR_FILE, "-status_file '%.300s' is too large", path);
    SSL_CTX_set_tlsext_status_cb(ctx, staple);
    SSL_CTX_set_tlsext_status_arg(ctx, d);
    return true;
}

/* ---- sessions ---- */

static bool set_sessions(SSL_CTX *ctx, const struct server_settings *s, struct error *e)
{
    const char *context = s->context ? s->context : "tlswire";
    if (SSL_CTX_set_session_id_context(ctx, (const unsigned char *)context,
                                       (unsigned)strlen(context)) != 1)
        return error_set(e, ERROR_USAGE, "-context: at most 32 bytes");
    if (s->no_cache)
        SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    /* Each ticket for early data serves once (RFC 9846 8.1), which the session cache is for. */
    if (s->max_early_data && s->no_cache)
        return error_set(e, ERROR_USAGE,
                         "-early_data needs the session cache, which keeps it from being replayed");
    if (s->max_early_data > EARLY_CEILING)
        return error_set(e, ERROR_USAGE, "-max_early_data: at most %d", EARLY_CEILING);
    if (SSL_CTX_set_max_early_data(ctx, s->max_early_data) != 1 ||
        SSL_CTX_set_recv_max_early_data(ctx, s->max_early_data) != 1)
        return error_set(e, ERROR_CRYPTO, "-max_early_data: OpenSSL does not take it");
    return true;
}

/* What no scanner has anything to say against: forward secrecy, no CBC, no shared DH group.  Whoever
 * asks for anything else in particular gets OpenSSL's own list. */
static void set_usual_suites(SSL_CTX *ctx, const struct tls_settings *s)
{
    bool particular = s->ciphers || settings_want_old_versions(s) || s->server.psk ||
                      s->server.no_certificate || s->choice_count > 0;
    if (particular)
        return;
    (void)SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20");
    /* None of them is for older versions; now these clients learn that it is the version. */
    if (!s->min_version)
        (void)SSL_CTX_set_min_proto_version(ctx, VERSION_TLS1_2);
}

bool context_server(SSL_CTX *ctx, const struct tls_settings *s, struct error *e)
{
    struct server_data *d = calloc(1, sizeof(*d));
    if (d)
        d->settings = s;
    if (!d || !CRYPTO_THREAD_run_once(&index_once, make_index) || data_index < 0 ||
        SSL_CTX_set_ex_data(ctx, data_index, d) != 1) {
        free(d);
        return error_set(e, ERROR_MEMORY, "no memory for a server");
    }
    set_usual_suites(ctx, s);
    return set_names(ctx, d, e) && set_verify(ctx, s, e) && set_psk(ctx, d, e) &&
           set_status(ctx, d, e) && set_sessions(ctx, &s->server, e);
}
