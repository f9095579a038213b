#include "endpoint/breakage.h"

#include "endpoint/certificate.h"
#include "endpoint/context.h"

#include <openssl/core_names.h>
#include <openssl/ocsp.h>
#include <openssl/param_build.h>
#include <openssl/x509v3.h>
#include <string.h>

#define HEADING(words)             {.sentence = words},
#define BREAKAGE(word, words, ...) {.name = word, .sentence = words, __VA_ARGS__},
#define FAMILY(word, words, ...)   {.name = word, .sentence = words, .family = true, __VA_ARGS__},
static const struct breakage rows[] = {
#include "endpoint/breakages.def"
};
#undef HEADING
#undef BREAKAGE
#undef FAMILY

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static const char *const spoken_names[] = {
    [SPOKEN_ANYTHING] = "",
#define SPOKEN(id, name) [SPOKEN_##id] = name,
#include "endpoint/spoken.def"
#undef SPOKEN
};

const struct breakage *breakage_at(size_t i)
{
    return i < ROWS ? &rows[i] : NULL;
}

const char *spoken_name(enum spoken spoken)
{
    return spoken_names[spoken];
}

/* ---- names ---- */

static bool find_message(struct slice word, struct breakage_choice *choice, struct error *e)
{
    struct slice name = word;
    unsigned alert = 0, digits = 0;
    for (size_t i = 0; i < word.len; i++)
        if (slice_at(word, i) == '/')
            name = slice_sub(word, 0, i);
    for (size_t i = name.len + 1; i < word.len; i++, digits++) {
        unsigned digit = slice_at(word, i) - (unsigned)'0';
        alert = digit > 9 || alert > 255 ? 256 : alert * 10 + digit;
    }
    if (name.len < word.len && (choice->row->act != ACT_ALERT || digits == 0 || alert > 255))
        return error_set(e, ERROR_USAGE,
                         "--break: after a message comes / and an alert's number up to 255, with "
                         "alert: only, as in alert:Finished/40");
    if (name.len < word.len)
        choice->alert = (uint8_t)alert;
    for (unsigned i = 1; i < SPOKEN_COUNT; i++)
        if (slice_is(name, spoken_names[i])) {
            choice->at = i;
            return true;
        }
    struct buf list = {.ceiling = 1024};
    for (unsigned i = 1; i < SPOKEN_COUNT; i++)
        buf_printf(&list, " %s", spoken_names[i]);
    error_set(e, ERROR_USAGE, "--break %s: want a message of the server's:%.*s", choice->row->name,
              (int)list.len, (const char *)list.data);
    buf_free(&list);
    return false;
}

bool breakage_find(const char *name, struct breakage_choice *choice, struct error *e)
{
    size_t len = strcspn(name, ":");
    for (size_t i = 0; i < ROWS; i++) {
        const struct breakage *row = &rows[i];
        if (!row->name || strlen(row->name) != len || strncmp(row->name, name, len) != 0 ||
            row->family != (name[len] == ':'))
            continue;
        *choice = (struct breakage_choice){.row = row, .at = row->at, .alert = row->alert};
        return !row->family || find_message(slice_of_str(name + len + 1), choice, e);
    }
    struct buf shown = {.ceiling = 256};
    buf_escaped(&shown, slice_sub(slice_of_str(name), 0, 60));
    error_set(e, ERROR_USAGE, "--break '%.*s' is not there   see: --break list", (int)shown.len,
              shown.data ? (const char *)shown.data : "");
    buf_free(&shown);
    return false;
}

void breakage_list(struct buf *out)
{
    for (size_t i = 0; i < ROWS; i++) {
        char name[40];
        if (!rows[i].name) {
            buf_printf(out, "%s%s\n", i ? "\n" : "", rows[i].sentence);
            continue;
        }
        snprintf(name, sizeof(name), "%s%s", rows[i].name, rows[i].family ? ":MESSAGE" : "");
        buf_printf(out, "  %-26s %s\n", name, rows[i].sentence);
    }
    buf_str(out, "\nA MESSAGE is one of");
    for (unsigned i = 1; i < SPOKEN_COUNT; i++)
        buf_printf(out, "%s%s", i == 1 ? " " : (i - 1) % 5 ? ", " : ",\n", spoken_names[i]);
    buf_str(out, ".\n");
}

/* ---- settings ---- */

bool breakage_protects_anew(const struct breakage *row)
{
    enum act act = row->act;
    return (act == ACT_EDIT && row->at == SPOKEN_CERTIFICATE) || act == ACT_ALERT ||
           act == ACT_DROP || act == ACT_REPEAT || act == ACT_SWAP || act == ACT_CORRUPT ||
           act == ACT_SPLIT || act == ACT_JOIN || act == ACT_INSERT;
}

bool breakage_settings(const struct breakage_choice *choice, struct tls_settings *s,
                       struct error *e)
{
    const struct breakage *row = choice->row;
    if (row->own_leaf && s->own.cert)
        return error_set(e, ERROR_USAGE,
                         "--break %s makes a certificate of its own: leave out -cert", row->name);
    if ((row->min_version && s->max_version && s->max_version < row->min_version) ||
        (row->max_version && s->min_version && s->min_version > row->max_version) ||
        (breakage_protects_anew(row) && s->max_version && s->max_version < VERSION_TLS1_2))
        return error_set(e, ERROR_USAGE, "--break %s is not for the TLS version asked for",
                         row->name);
    const struct {
        const char **to, *from;
    } texts[] = {{&s->ciphers, row->ciphers},
                 {&s->ciphersuites, row->ciphersuites},
                 {&s->groups, row->groups},
                 {&s->sigalgs, row->sigalgs}};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (texts[i].from && !*texts[i].to)
            *texts[i].to = texts[i].from;
    if (row->min_version > s->min_version)
        s->min_version = row->min_version;
    if (row->max_version && (!s->max_version || s->max_version > row->max_version))
        s->max_version = row->max_version;
    if (breakage_protects_anew(row) && s->min_version < VERSION_TLS1_2)
        s->min_version = VERSION_TLS1_2;
    return true;
}

/* ---- tricks ---- */

static int say_alert(SSL *ssl, int *alert, void *user)
{
    (void)ssl;
    *alert = *(const int *)user;
    return SSL_CLIENT_HELLO_ERROR;
}

static int unasked_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                            const unsigned char *in, unsigned in_len, void *user)
{
    static const unsigned char name[] = "unasked/1";
    (void)ssl, (void)in, (void)in_len, (void)user;
    *out = name;
    *out_len = sizeof(name) - 1;
    return SSL_TLSEXT_ERR_OK;
}

static int no_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                       const unsigned char *in, unsigned in_len, void *user)
{
    (void)ssl, (void)out, (void)out_len, (void)in, (void)in_len, (void)user;
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static int unknown_name(SSL *ssl, int *alert, void *user)
{
    (void)ssl;
    *alert = SSL_AD_UNRECOGNIZED_NAME;
    return *(const int *)user;
}

/* Diffie-Hellman over a prime that is too short.  That of 512 bits is the one that was in most of
 * the world's Apache servers, and is broken (weakdh.org). */
static bool use_prime(SSL_CTX *ctx, bool shortest)
{
    static const char prime_512[] = "9fdb8b8a004544f0045f1737d0ba2e0b274cdf1a9f588218fb435316a16e37"
                                    "4171fd19d8d8f37c39bf863fd60e3e300680a3030c6e4c3757d08f70e6aa87"
                                    "1033";
    BIGNUM *prime = shortest ? NULL : BN_get_rfc2409_prime_1024(NULL), *two = BN_new();
    if (shortest)
        BN_hex2bn(&prime, prime_512);
    OSSL_PARAM_BLD *list = OSSL_PARAM_BLD_new();
    OSSL_PARAM *params = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "DH", NULL);
    EVP_PKEY *key = NULL;
    bool ok = prime && two && BN_set_word(two, 2) && list && context &&
              OSSL_PARAM_BLD_push_BN(list, OSSL_PKEY_PARAM_FFC_P, prime) &&
              OSSL_PARAM_BLD_push_BN(list, OSSL_PKEY_PARAM_FFC_G, two) &&
              (params = OSSL_PARAM_BLD_to_param(list)) != NULL &&
              EVP_PKEY_fromdata_init(context) == 1 &&
              EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEY_PARAMETERS, params) == 1;
    SSL_CTX_set_dh_auto(ctx, 0);
    if (ok && SSL_CTX_set0_tmp_dh_pkey(ctx, key) != 1) {
        EVP_PKEY_free(key);
        ok = false;
    }
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(list);
    EVP_PKEY_CTX_free(context);
    BN_free(prime);
    BN_free(two);
    return ok;
}

static bool require_client_certificate(SSL_CTX *ctx, const struct certificate *root)
{
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    return !root || (SSL_CTX_add_client_CA(ctx, root->x509) == 1 &&
                     X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), root->x509) == 1);
}

/* ---- OCSP ---- */

struct status {
    const struct certificate *root;
    bool revoked;
};

static OCSP_RESPONSE *make_status(X509 *x509, const struct status *status)
{
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha1(), x509, status->root->x509);
    long from = status->revoked ? -3600 : -20L * 24 * 3600;
    long until = status->revoked ? 24L * 3600 : -10L * 24 * 3600;
    ASN1_TIME *before = X509_gmtime_adj(NULL, from), *after = X509_gmtime_adj(NULL, until);
    OCSP_RESPONSE *response = NULL;
    if (basic && id && before && after &&
        OCSP_basic_add1_status(
            basic, id, status->revoked ? V_OCSP_CERTSTATUS_REVOKED : V_OCSP_CERTSTATUS_GOOD,
            OCSP_REVOKED_STATUS_KEYCOMPROMISE, status->revoked ? before : NULL, before, after) &&
        OCSP_basic_sign(basic, status->root->x509, status->root->key, EVP_sha256(), NULL, 0) == 1)
        response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
    OCSP_BASICRESP_free(basic);
    OCSP_CERTID_free(id);
    ASN1_TIME_free(before);
    ASN1_TIME_free(after);
    return response;
}

static int staple(SSL *ssl, const struct certificate *root, bool revoked)
{
    const struct status status = {.root = root, .revoked = revoked};
    X509 *x509 = SSL_get_certificate(ssl);
    OCSP_RESPONSE *response = x509 ? make_status(x509, &status) : NULL;
    unsigned char *der = NULL;
    int len = response ? i2d_OCSP_RESPONSE(response, &der) : -1;
    OCSP_RESPONSE_free(response);
    if (len <= 0)
        return SSL_TLSEXT_ERR_NOACK;
    SSL_set_tlsext_status_ocsp_resp(ssl, der, len); /* it is OpenSSL's now */
    return SSL_TLSEXT_ERR_OK;
}

static int staple_revoked(SSL *ssl, void *root)
{
    return staple(ssl, root, true);
}

static int staple_old(SSL *ssl, void *root)
{
    return staple(ssl, root, false);
}

static bool staple_status(SSL_CTX *ctx, const struct certificate *root, bool revoked)
{
    return root && SSL_CTX_set_tlsext_status_cb(ctx, (revoked ? staple_revoked : staple_old)) &&
           SSL_CTX_set_tlsext_status_arg(ctx, (void *)(uintptr_t)root);
}

/* ---- the context ---- */

/* Even level 0 has its limits. */
static int allow(const SSL *ssl, const SSL_CTX *ctx, int op, int bits, int nid, void *other,
                 void *user)
{
    (void)ssl, (void)ctx, (void)op, (void)bits, (void)nid, (void)other, (void)user;
    return 1;
}

static bool play(enum trick trick, SSL_CTX *ctx, const struct certificate *root)
{
    static const int fallback = SSL_AD_INAPPROPRIATE_FALLBACK, nothing = SSL_AD_HANDSHAKE_FAILURE,
                     fatal = SSL_TLSEXT_ERR_ALERT_FATAL, warning = SSL_TLSEXT_ERR_ALERT_WARNING;
    switch (trick) {
    case TRICK_DH_512:
    case TRICK_DH_1024:
        return use_prime(ctx, trick == TRICK_DH_512);
    case TRICK_CLIENT_CERTIFICATE:
        return require_client_certificate(ctx, root);
    case TRICK_ALPN_UNASKED:
        SSL_CTX_set_alpn_select_cb(ctx, unasked_protocol, NULL);
        return true;
    case TRICK_ALPN_REFUSED:
        SSL_CTX_set_alpn_select_cb(ctx, no_protocol, NULL);
        return true;
    case TRICK_NAME_REFUSED:
    case TRICK_NAME_WARNING:
        SSL_CTX_set_tlsext_servername_callback(ctx, unknown_name);
        SSL_CTX_set_tlsext_servername_arg(
            ctx, (void *)(uintptr_t)(trick == TRICK_NAME_REFUSED ? &fatal : &warning));
        return true;
    case TRICK_REVOKED:
    case TRICK_OLD_STATUS:
        return staple_status(ctx, root, trick == TRICK_REVOKED);
    case TRICK_NO_EXTENDED_MASTER_SECRET:
        SSL_CTX_set_options(ctx, SSL_OP_NO_EXTENDED_MASTER_SECRET);
        return true;
    case TRICK_MANY_TICKETS:
        return SSL_CTX_set_num_tickets(ctx, 100) == 1;
    case TRICK_FALLBACK:
    case TRICK_NOTHING_SHARED:
        SSL_CTX_set_client_hello_cb(
            ctx, say_alert, (void *)(uintptr_t)(trick == TRICK_FALLBACK ? &fallback : &nothing));
        return true;
    case TRICK_NONE:
    case TRICK_INSECURE:
        break;
    }
    return true;
}

bool breakage_prepare(const struct breakage_choice *choice, SSL_CTX *ctx,
                      const struct certificate *root, struct error *e)
{
    const struct breakage *row = choice->row;
    if (row->trick != TRICK_NONE || row->own_leaf) {
        SSL_CTX_set_security_level(ctx, 0);
        SSL_CTX_set_security_callback(ctx, allow);
    }
    if (play(row->trick, ctx, root))
        return true;
    char reason[128];
    context_reason(reason, sizeof(reason));
    return error_set(e, ERROR_CRYPTO, "--break %s: %s", row->name, reason);
}
