#include "endpoint/context_client.h"

#include "base/buf.h"
#include "endpoint/context.h"
#include "endpoint/stapled.h"
#include "endpoint/tls_pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/ct.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <unistd.h>

#define PSK_IDENTITY "Client_identity" /* as OpenSSL's tools have it */

/* What a context keeps for its connections; it goes with the context. */
struct client_data {
    const struct tls_settings *settings;
    unsigned char *psk;
    long psk_len;
    SSL_SESSION *psk_session, *session;
    struct buf early;
};

static CRYPTO_ONCE index_once = CRYPTO_ONCE_STATIC_INIT;
static int data_index = -1;

static void free_data(void *parent, void *pointer, CRYPTO_EX_DATA *ex, int index, long argl,
                      void *argp)
{
    struct client_data *d = pointer;
    (void)parent, (void)ex, (void)index, (void)argl, (void)argp;
    if (!d)
        return;
    OPENSSL_clear_free(d->psk, (size_t)d->psk_len);
    SSL_SESSION_free(d->psk_session);
    SSL_SESSION_free(d->session);
    buf_wipe(&d->early);
    free(d);
}

static void make_index(void)
{
    data_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, free_data);
}

static struct client_data *data_of(SSL *ssl)
{
    return SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), data_index);
}

static bool fail(struct error *e, const char *what, const char *value)
{
    char reason[128];
    context_reason(reason, sizeof(reason));
    return error_set(e, ERROR_CRYPTO, "%s '%s': %s", what, value, reason);
}

/* ---- the server's certificate ---- */

/* All that is wrong is gathered; only who asked for it ends the handshake at the first. */
static int judge(int ok, X509_STORE_CTX *store)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct tls_pipe *p = ssl ? SSL_get_app_data(ssl) : NULL;
    if (ok || !p)
        return ok;
    if (p->problem_count < TLS_PROBLEMS)
        p->problems[p->problem_count++] = (struct tls_problem){
            X509_STORE_CTX_get_error(store), X509_STORE_CTX_get_error_depth(store)};
    return (SSL_get_verify_mode(ssl) & SSL_VERIFY_PEER) == 0;
}

static bool set_purpose(X509_VERIFY_PARAM *param, const char *name, struct error *e)
{
    int index = X509_PURPOSE_get_by_sname(name);
    if (index < 0)
        return error_set(e, ERROR_USAGE,
                         "-purpose '%.60s': want one of sslclient, sslserver, nssslserver, "
                         "smimesign, smimeencrypt, crlsign, any, ocsphelper, timestampsign",
                         name);
    X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_get_id(X509_PURPOSE_get0(index)));
    return true;
}

static bool load_crls(SSL_CTX *ctx, const char *path, struct error *e)
{
    X509_LOOKUP *files = X509_STORE_add_lookup(SSL_CTX_get_cert_store(ctx), X509_LOOKUP_file());
    if (!files || X509_load_crl_file(files, path, X509_FILETYPE_PEM) <= 0)
        return fail(e, "cannot read -CRL", path);
    return true;
}

static bool set_verification(SSL_CTX *ctx, const struct tls_settings *s, struct error *e)
{
    const struct client_settings *c = &s->client;
    X509_VERIFY_PARAM *param = SSL_CTX_get0_param(ctx);
    SSL_CTX_set_verify(ctx, s->verify_required ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, judge);
    X509_VERIFY_PARAM_set_flags(param, c->verify_flags);
    if (c->depth)
        X509_VERIFY_PARAM_set_depth(param, (int)c->depth);
    if (c->time)
        X509_VERIFY_PARAM_set_time(param, (time_t)c->time);
    if (c->security)
        X509_VERIFY_PARAM_set_auth_level(param, (int)c->security - 1);
    if (c->purpose && !set_purpose(param, c->purpose, e))
        return false;
    if (c->ca_store && SSL_CTX_load_verify_store(ctx, c->ca_store) != 1)
        return fail(e, "cannot read -CAstore", c->ca_store);
    return !c->crl_file || load_crls(ctx, c->crl_file, e);
}

static bool set_names(SSL *ssl, const struct client_settings *c, struct error *e)
{
    X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
    if (c->host || c->address || c->email) {
        /* What was asked for by name stands in the place of what was connected to. */
        X509_VERIFY_PARAM_set1_host(param, NULL, 0);
        X509_VERIFY_PARAM_set1_ip(param, NULL, 0);
    }
    if (c->host && X509_VERIFY_PARAM_set1_host(param, c->host, 0) != 1)
        return error_set(e, ERROR_USAGE, "-verify_hostname '%.200s': no host name", c->host);
    if (c->address && X509_VERIFY_PARAM_set1_ip_asc(param, c->address) != 1)
        return error_set(e, ERROR_USAGE, "-verify_ip '%.100s': no IP address", c->address);
    if (c->email && X509_VERIFY_PARAM_set1_email(param, c->email, 0) != 1)
        return error_set(e, ERROR_USAGE, "-verify_email '%.200s': no mail address", c->email);
    return true;
}

/* ---- sessions, early data ---- */

static SSL_SESSION *read_session(const char *path, const char *option, struct error *e)
{
    BIO *file = BIO_new_file(path, "r");
    SSL_SESSION *session = file ? PEM_read_bio_SSL_SESSION(file, NULL, NULL, NULL) : NULL;
    BIO_free(file);
    if (!session)
        fail(e, option, path);
    return session;
}

static bool read_early(struct client_data *d, const char *path, struct error *e)
{
    uint8_t bytes[4096];
    ssize_t count = -1;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_set(e, ERROR_FILE, "cannot read -early_data %s: %s", path, strerror(errno));
    d->early.ceiling = EARLY_DATA_MOST;
    while (!d->early.failed && (count = read(fd, bytes, sizeof(bytes))) > 0)
        buf_put(&d->early, bytes, (size_t)count);
    int problem = errno;
    close(fd);
    if (d->early.failed)
        return error_set(e, ERROR_USAGE, "-early_data %s: more than 1 MiB", path);
    return count == 0 ||
           error_set(e, ERROR_FILE, "cannot read -early_data %s: %s", path, strerror(problem));
}

static bool read_files(struct client_data *d, const struct client_settings *c, struct error *e)
{
    if (c->session && !(d->session = read_session(c->session, "cannot read -sess_in", e)))
        return false;
    if (c->psk_session &&
        !(d->psk_session = read_session(c->psk_session, "cannot read -psk_session", e)))
        return false;
    return !c->early_file || read_early(d, c->early_file, e);
}

/* ---- pre-shared keys ---- */

static unsigned give_psk(SSL *ssl, const char *hint, char *identity, unsigned identity_size,
                         unsigned char *key, unsigned key_size)
{
    const struct client_data *d = data_of(ssl);
    const struct client_settings *c = &d->settings->client;
    (void)hint;
    int len =
        snprintf(identity, identity_size, "%s", c->psk_identity ? c->psk_identity : PSK_IDENTITY);
    if (len < 0 || (unsigned)len >= identity_size || (size_t)d->psk_len > key_size)
        return 0;
    memcpy(key, d->psk, (size_t)d->psk_len);
    return (unsigned)d->psk_len;
}

static int give_psk_session(SSL *ssl, const EVP_MD *digest, const unsigned char **id,
                            size_t *id_len, SSL_SESSION **session)
{
    const struct client_data *d = data_of(ssl);
    const char *identity = d->settings->client.psk_identity;
    const SSL_CIPHER *cipher = SSL_SESSION_get0_cipher(d->psk_session);
    *session = NULL;
    *id = (const unsigned char *)(identity ? identity : PSK_IDENTITY);
    *id_len = strlen((const char *)*id);
    if (digest && cipher && SSL_CIPHER_get_handshake_digest(cipher) != digest)
        return 1; /* it cannot be used with what was chosen */
    SSL_SESSION_up_ref(d->psk_session);
    *session = d->psk_session;
    return 1;
}

static bool set_psk(SSL_CTX *ctx, struct client_data *d, struct error *e)
{
    const struct client_settings *c = &d->settings->client;
    if (d->psk_session)
        SSL_CTX_set_psk_use_session_callback(ctx, give_psk_session);
    if (!c->psk)
        return c->psk_identity == NULL || d->psk_session ||
               error_set(e, ERROR_USAGE, "-psk_identity was given without -psk");
    d->psk = OPENSSL_hexstr2buf(c->psk, &d->psk_len);
    ERR_clear_error();
    if (!d->psk || d->psk_len == 0 || d->psk_len > PSK_MAX_PSK_LEN) /* the key is not shown */
        return error_set(e, ERROR_USAGE, "-psk: want 1 to %d bytes in hexadecimal",
                         PSK_MAX_PSK_LEN);
    SSL_CTX_set_psk_client_callback(ctx, give_psk);
    return true;
}

/* ---- all of it ---- */

static bool set_stapling(SSL_CTX *ctx, const struct client_settings *c, struct error *e)
{
    if (c->ct_logs && SSL_CTX_set_ctlog_list_file(ctx, c->ct_logs) != 1)
        return fail(e, "cannot read -ctlogfile", c->ct_logs);
    if (c->ct && !c->ct_logs)
        SSL_CTX_set_default_ctlog_list_file(
            ctx); /* often there is none: the logs are unknown then */
    ERR_clear_error();
    if (c->ct && SSL_CTX_enable_ct(ctx, SSL_CT_VALIDATION_PERMISSIVE) != 1)
        return fail(e, "cannot ask for", "certificate timestamps");
    if (c->status)
        (void)(SSL_CTX_set_tlsext_status_type(ctx, TLSEXT_STATUSTYPE_ocsp) &&
               SSL_CTX_set_tlsext_status_cb(ctx, stapled_check));
    return true;
}

static int new_session(SSL *ssl, SSL_SESSION *session)
{
    struct tls_pipe *p = SSL_get_app_data(ssl);
    if (p && p->on_session)
        p->on_session(p->user, session);
    return 0; /* whoever wants it takes a reference of its own */
}

void context_client_tell_sessions(SSL_CTX *ctx)
{
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
    SSL_CTX_sess_set_new_cb(ctx, new_session);
}

bool context_client(SSL_CTX *ctx, const struct tls_settings *s, struct error *e)
{
    if (!CRYPTO_THREAD_run_once(&index_once, make_index) || data_index < 0)
        return error_set(e, ERROR_MEMORY, "no memory for a context");
    struct client_data *d = calloc(1, sizeof(*d));
    if (!d || SSL_CTX_set_ex_data(ctx, data_index, d) != 1) {
        free(d);
        return error_set(e, ERROR_MEMORY, "no memory for a context");
    }
    d->settings = s;
    return set_verification(ctx, s, e) && set_stapling(ctx, &s->client, e) &&
           read_files(d, &s->client, e) && set_psk(ctx, d, e);
}

bool context_client_open(struct tls_pipe *p, const struct tls_settings *s, SSL_SESSION *session,
                         struct error *e)
{
    struct client_data *d = data_of(p->ssl);
    SSL_SESSION *resumed = session ? session : d->session;
    if (!set_names(p->ssl, &s->client, e))
        return false;
    if (resumed && SSL_set_session(p->ssl, resumed) != 1)
        return fail(e, "OpenSSL does not take", "the session");
    SSL_SESSION *early = resumed ? resumed : d->psk_session;
    if (d->early.len > 0 && early && SSL_SESSION_get_max_early_data(early) > 0)
        p->early_out = buf_slice(&d->early);
    return true;
}
