#include "crypto/verify.h"

#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

enum padding { NO_PADDING, PKCS1, PSS };

/* What a scheme asks of the key; DIGEST is OpenSSL's name, NULL: the algorithm has its own. */
struct scheme {
    uint16_t id;
    const char *key, *digest;
    enum padding padding;
};

static const struct scheme schemes[] = {
    {0x0101, "RSA", "MD5", PKCS1},           {0x0201, "RSA", "SHA1", PKCS1},
    {0x0301, "RSA", "SHA2-224", PKCS1},      {0x0401, "RSA", "SHA2-256", PKCS1},
    {0x0501, "RSA", "SHA2-384", PKCS1},      {0x0601, "RSA", "SHA2-512", PKCS1},
    {0x0202, "DSA", "SHA1", NO_PADDING},     {0x0302, "DSA", "SHA2-224", NO_PADDING},
    {0x0402, "DSA", "SHA2-256", NO_PADDING}, {0x0502, "DSA", "SHA2-384", NO_PADDING},
    {0x0602, "DSA", "SHA2-512", NO_PADDING}, {0x0203, "EC", "SHA1", NO_PADDING},
    {0x0303, "EC", "SHA2-224", NO_PADDING},  {0x0403, "EC", "SHA2-256", NO_PADDING},
    {0x0503, "EC", "SHA2-384", NO_PADDING},  {0x0603, "EC", "SHA2-512", NO_PADDING},
    {0x0804, "RSA", "SHA2-256", PSS},        {0x0805, "RSA", "SHA2-384", PSS},
    {0x0806, "RSA", "SHA2-512", PSS},        {0x0807, "ED25519", NULL, NO_PADDING},
    {0x0808, "ED448", NULL, NO_PADDING},     {0x0809, "RSA-PSS", "SHA2-256", PSS},
    {0x080a, "RSA-PSS", "SHA2-384", PSS},    {0x080b, "RSA-PSS", "SHA2-512", PSS},
    {0x081a, "EC", "SHA2-256", NO_PADDING},  {0x081b, "EC", "SHA2-384", NO_PADDING},
    {0x081c, "EC", "SHA2-512", NO_PADDING},
};

/* Before TLS 1.2 the key alone says how it signs. */
static const struct scheme before_12[] = {
    {SCHEME_BEFORE_12, "RSA", "MD5-SHA1", PKCS1},
    {SCHEME_BEFORE_12, "DSA", "SHA1", NO_PADDING},
    {SCHEME_BEFORE_12, "EC", "SHA1", NO_PADDING},
};

EVP_PKEY *verify_key(struct slice certificate, bool *raw)
{
    const unsigned char *at = certificate.data;
    *raw = false;
    if (certificate.len == 0 || certificate.len > LONG_MAX)
        return NULL;
    X509 *x = d2i_X509(NULL, &at, (long)certificate.len);
    EVP_PKEY *key = x ? X509_get_pubkey(x) : NULL;
    if (!x) {
        at = certificate.data;
        key = d2i_PUBKEY(NULL, &at, (long)certificate.len);
        *raw = key != NULL;
    }
    X509_free(x);
    ERR_clear_error();
    return key;
}

void verify_key_free(EVP_PKEY *key)
{
    EVP_PKEY_free(key);
}

static const struct scheme *find(EVP_PKEY *key, uint16_t id)
{
    size_t count = sizeof schemes / sizeof schemes[0];
    for (size_t i = 0; id != SCHEME_BEFORE_12 && i < count; i++)
        if (schemes[i].id == id)
            return &schemes[i];
    for (size_t i = 0; id == SCHEME_BEFORE_12 && i < sizeof before_12 / sizeof before_12[0]; i++)
        if (EVP_PKEY_is_a(key, before_12[i].key))
            return &before_12[i];
    return NULL;
}

/* 1: it is; 0: it is not; below: OpenSSL cannot tell. */
static int check(EVP_MD_CTX *context, EVP_PKEY *key, const struct scheme *scheme,
                 struct slice message, struct slice signature)
{
    EVP_PKEY_CTX *parameters = NULL;
    if (!context ||
        EVP_DigestVerifyInit_ex(context, &parameters, scheme->digest, NULL, NULL, key, NULL) != 1)
        return -1;
    /* The salt is as long as the digest (RFC 9846 4.2.3). */
    if (scheme->padding == PSS &&
        (EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) != 1 ||
         EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) != 1))
        return -1;
    return EVP_DigestVerify(context, signature.data, signature.len, message.data, message.len) == 1;
}

enum verdict verify_signature(EVP_PKEY *key, uint16_t id, struct slice message,
                              struct slice signature, struct buf *why)
{
    const struct scheme *scheme = find(key, id);
    const char *type = EVP_PKEY_get0_type_name(key);
    if (!scheme) {
        buf_printf(why, "no way is known to check signature scheme 0x%04x", id);
        return VERDICT_UNCHECKABLE;
    }
    if (!EVP_PKEY_is_a(key, scheme->key)) {
        buf_printf(why, "the scheme is for a key of type %s, the certificate's is %s", scheme->key,
                   type ? type : "another");
        return VERDICT_FAILED;
    }
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int result = check(context, key, scheme, message, signature);
    EVP_MD_CTX_free(context);
    ERR_clear_error();
    if (result < 0)
        buf_str(why, "OpenSSL cannot check a signature of this kind");
    else if (result == 0)
        buf_str(why, "the signature does not fit the messages before it and the certificate's key");
    else
        buf_str(why, "signed with the key of the sender's certificate");
    return result < 0 ? VERDICT_UNCHECKABLE : result == 0 ? VERDICT_FAILED : VERDICT_OK;
}
