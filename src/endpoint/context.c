#include "endpoint/context.h"

#include "base/slice.h"
#include "endpoint/certificate.h"
#include "endpoint/context_client.h"
#include "endpoint/context_server.h"
#include "endpoint/identity.h"

#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

#define ALPN_BYTES 256

void context_reason(char *text, size_t size)
{
    unsigned long code = ERR_get_error();
    const char *reason = code ? ERR_reason_error_string(code) : NULL;
    if (reason)
        snprintf(text, size, "%s", reason);
    else if (code)
        ERR_error_string_n(code, text, size);
    else
        snprintf(text, size, "no reason given");
    ERR_clear_error();
}

bool settings_want_old_versions(const struct tls_settings *s)
{
    return (s->min_version && s->min_version < VERSION_TLS1_2) ||
           (s->max_version && s->max_version < VERSION_TLS1_2);
}

static bool fail_as(struct error *e, enum error_code code, const char *what, const char *value)
{
    char reason[128];
    context_reason(reason, sizeof(reason));
    return error_set(e, code, "%s '%s': %s", what, value, reason);
}

static bool fail(struct error *e, const char *what, const char *value)
{
    return fail_as(e, ERROR_CRYPTO, what, value);
}

static bool set_versions(SSL_CTX *ctx, const struct tls_settings *s, struct error *e)
{
    static const struct {
        int version;
        uint64_t option;
    } without[] = {
        {VERSION_TLS1_0, SSL_OP_NO_TLSv1},
        {VERSION_TLS1_1, SSL_OP_NO_TLSv1_1},
        {VERSION_TLS1_2, SSL_OP_NO_TLSv1_2},
        {VERSION_TLS1_3, SSL_OP_NO_TLSv1_3},
    };
    if (s->min_version && s->max_version && s->min_version > s->max_version)
        return error_set(e, ERROR_USAGE, "the lowest TLS version asked for is above the highest");
    if (!SSL_CTX_set_min_proto_version(ctx, s->min_version) ||
        !SSL_CTX_set_max_proto_version(ctx, s->max_version))
        return error_set(e, ERROR_CRYPTO, "this OpenSSL does not speak the TLS version asked for");
    for (size_t i = 0; i < sizeof(without) / sizeof(without[0]); i++)
        if (s->without_versions & 1u << (without[i].version - 0x0300))
            SSL_CTX_set_options(ctx, without[i].option);
    if (settings_want_old_versions(s))
        SSL_CTX_set_security_level(ctx, 0);
    return true;
}

static bool set_choices(SSL_CTX *ctx, const struct tls_settings *s, struct error *e)
{
    if (s->ciphers && !SSL_CTX_set_cipher_list(ctx, s->ciphers))
        return fail_as(e, ERROR_USAGE, "-cipher", s->ciphers);
    if (s->ciphersuites && !SSL_CTX_set_ciphersuites(ctx, s->ciphersuites))
        return fail_as(e, ERROR_USAGE, "-ciphersuites", s->ciphersuites);
    if (s->groups && !SSL_CTX_set1_groups_list(ctx, s->groups))
        return fail_as(e, ERROR_USAGE, "-groups", s->groups);
    if (s->sigalgs && !SSL_CTX_set1_sigalgs_list(ctx, s->sigalgs))
        return fail_as(e, ERROR_USAGE, "-sigalgs", s->sigalgs);
    return true;
}

static bool use_files(SSL_CTX *ctx, const struct identity_files *files, bool lax, struct error *e)
{
    struct identity c;
    bool ok = identity_read(&c, files, lax, e) && identity_use(&c, ctx, e);
    identity_free(&c);
    return ok;
}

static bool set_certificate(SSL_CTX *ctx, const struct tls_settings *s,
                            const struct certificate *temporary, struct error *e)
{
    if (s->own.key && !s->own.cert)
        return error_set(e, ERROR_USAGE, "-key was given without -cert");
    if (s->second.key && !s->second.cert)
        return error_set(e, ERROR_USAGE, "-dkey was given without -dcert");
    if (s->server.no_certificate)
        return true;
    if (s->own.cert && !use_files(ctx, &s->own, s->lax_keys, e))
        return false;
    if (s->second.cert && !use_files(ctx, &s->second, s->lax_keys, e))
        return false;
    if (!s->own.cert && temporary &&
        (SSL_CTX_use_certificate(ctx, temporary->x509) != 1 ||
         SSL_CTX_use_PrivateKey(ctx, temporary->key) != 1))
        return fail(e, "cannot use the certificate", "temporary");
    return true;
}

/* What OpenSSL itself knows how to do by its tools' options. */
static bool set_conf(SSL_CTX *ctx, const struct tls_settings *s, enum tls_role role,
                     struct error *e)
{
    SSL_CONF_CTX *conf = SSL_CONF_CTX_new();
    bool ok = conf || error_set(e, ERROR_MEMORY, "no memory");
    if (conf) {
        SSL_CONF_CTX_set_flags(conf,
                               SSL_CONF_FLAG_CMDLINE | (role == TLS_SERVER ? SSL_CONF_FLAG_SERVER
                                                                           : SSL_CONF_FLAG_CLIENT));
        SSL_CONF_CTX_set_ssl_ctx(conf, ctx);
    }
    for (unsigned i = 0; ok && i < s->choice_count; i++) {
        const struct tls_choice *choice = &s->choices[i];
        if (strcmp(choice->name, "-client_renegotiation") == 0 ||
            strcmp(choice->name, "-legacy_renegotiation") == 0)
            SSL_CTX_clear_options(ctx, SSL_OP_NO_RENEGOTIATION);
        if (SSL_CONF_cmd(conf, choice->name, choice->value) <= 0)
            ok = error_set(e, ERROR_USAGE, "OpenSSL does not take %s '%.200s'", choice->name,
                           choice->value ? choice->value : "");
    }
    SSL_CONF_CTX_finish(conf);
    SSL_CONF_CTX_free(conf);
    ERR_clear_error();
    return ok;
}

/* "h2,http/1.1" as RFC 7301 3.1 writes it: each name behind its length.  0 when it does not fit. */
static size_t alpn_wire(const char *names, unsigned char *wire, size_t size)
{
    size_t at = 0;
    for (const char *name = names;;) {
        size_t len = strcspn(name, ",");
        if (len == 0 || len > 255 || at + 1 + len > size)
            return 0;
        wire[at++] = (unsigned char)len;
        for (size_t i = 0; i < len; i++)
            wire[at++] = (unsigned char)name[i];
        if (name[len] == '\0')
            return at;
        name += len + 1;
    }
}

static int choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                       const unsigned char *in, unsigned in_len, void *user)
{
    (void)ssl;
    const struct tls_settings *s = user;
    /* OUT must point at memory that lives on, so the choice is looked up in the client's list. */
    unsigned char mine[ALPN_BYTES];
    size_t mine_len = alpn_wire(s->alpn, mine, sizeof(mine));
    for (size_t i = 0; i < mine_len; i += 1u + mine[i]) {
        struct slice want = slice_of(mine + i + 1, mine[i]);
        struct slice offers = slice_of(in, in_len);
        while (offers.len > 0) {
            struct slice offer = slice_take(&offers, slice_u8(&offers));
            if (!offer.failed && slice_equal(offer, want)) {
                *out = offer.data;
                *out_len = (unsigned char)offer.len;
                return SSL_TLSEXT_ERR_OK;
            }
        }
    }
    if (s->alpn_soft)
        return SSL_TLSEXT_ERR_NOACK;
    return SSL_TLSEXT_ERR_ALERT_FATAL; /* RFC 7301 3.2: no_application_protocol */
}

static bool set_alpn(SSL_CTX *ctx, const struct tls_settings *s, enum tls_role role,
                     struct error *e)
{
    unsigned char wire[ALPN_BYTES];
    if (!s->alpn)
        return true;
    size_t len = alpn_wire(s->alpn, wire, sizeof(wire));
    if (len == 0)
        return error_set(e, ERROR_USAGE,
                         "-alpn '%s': want names of 1 to 255 bytes with commas between, %d in all",
                         s->alpn, ALPN_BYTES);
    if (role == TLS_SERVER)
        SSL_CTX_set_alpn_select_cb(ctx, choose_alpn, (void *)(uintptr_t)s);
    else if (SSL_CTX_set_alpn_protos(ctx, wire, (unsigned)len) != 0)
        return fail(e, "-alpn", s->alpn);
    return true;
}

static bool set_trust(SSL_CTX *ctx, const struct tls_settings *s, enum tls_role role,
                      struct error *e)
{
    if (s->ca_file && SSL_CTX_load_verify_file(ctx, s->ca_file) != 1)
        return fail(e, "cannot read -CAfile", s->ca_file);
    if (s->ca_path && SSL_CTX_load_verify_dir(ctx, s->ca_path) != 1)
        return fail(e, "cannot read -CApath", s->ca_path);
    if (!s->ca_file && !s->ca_path && !s->client.ca_store && !s->client.no_default_trust &&
        role == TLS_CLIENT)
        SSL_CTX_set_default_verify_paths(ctx);
    /* A certificate that was named as trusted is trusted, also when it is no CA's own. */
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(ctx), X509_V_FLAG_PARTIAL_CHAIN);
    return true;
}

SSL_CTX *context_new(const struct tls_settings *s, enum tls_role role,
                     const struct certificate *temporary, struct error *e)
{
    ERR_clear_error();
    SSL_CTX *ctx = SSL_CTX_new(role == TLS_SERVER ? TLS_server_method() : TLS_client_method());
    if (!ctx) {
        fail(e, "cannot make a context of", "OpenSSL");
        return NULL;
    }
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION);
    if (role == TLS_SERVER) {
        SSL_CTX_set_dh_auto(ctx, !s->server.no_dhe);
        SSL_CTX_sess_set_cache_size(ctx, 1024);
    }
    if (set_versions(ctx, s, e) && set_choices(ctx, s, e) &&
        set_certificate(ctx, s, temporary, e) && set_alpn(ctx, s, role, e) &&
        set_trust(ctx, s, role, e) && set_conf(ctx, s, role, e) &&
        (role == TLS_CLIENT ? context_client(ctx, s, e) : context_server(ctx, s, e)))
        return ctx;
    SSL_CTX_free(ctx);
    return NULL;
}
