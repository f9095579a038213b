#include "crypto/provider.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <string.h>

static const char *const digest_names[HASH_COUNT] = {
    [HASH_MD5] = "MD5",         [HASH_SHA1] = "SHA1",       [HASH_SHA256] = "SHA2-256",
    [HASH_SHA384] = "SHA2-384", [HASH_SHA512] = "SHA2-512", [HASH_SM3] = "SM3",
};

void crypto_provider_init(struct crypto_provider *p)
{
    *p = (struct crypto_provider){0};
}

void crypto_provider_free(struct crypto_provider *p)
{
    for (size_t i = 0; i < CIPHER_COUNT; i++)
        EVP_CIPHER_free(p->ciphers[i]);
    for (size_t i = 0; i < HASH_COUNT; i++) {
        EVP_MD_CTX_free(p->contexts[i]);
        EVP_MD_free(p->digests[i]);
    }
    EVP_MAC_CTX_free(p->poly1305);
    if (p->legacy_provider)
        OSSL_PROVIDER_unload(p->legacy_provider);
    if (p->legacy_default)
        OSSL_PROVIDER_unload(p->legacy_default);
    OSSL_LIB_CTX_free(p->legacy);
    *p = (struct crypto_provider){0};
}

static OSSL_LIB_CTX *legacy_context(struct crypto_provider *p)
{
    if (!p->legacy) {
        p->legacy = OSSL_LIB_CTX_new();
        if (!p->legacy)
            return NULL;
        p->legacy_provider = OSSL_PROVIDER_load(p->legacy, "legacy");
        p->legacy_default = OSSL_PROVIDER_load(p->legacy, "default");
    }
    return p->legacy;
}

EVP_CIPHER *provider_cipher(struct crypto_provider *p, enum cipher_id id)
{
    if (p->ciphers[id] || p->cipher_missing[id])
        return p->ciphers[id];
    const struct cipher_info *info = cipher_info(id);
    OSSL_LIB_CTX *context = info->legacy ? legacy_context(p) : NULL;
    if (info->evp_name && (context || !info->legacy))
        p->ciphers[id] = EVP_CIPHER_fetch(context, info->evp_name, NULL);
    p->cipher_missing[id] = !p->ciphers[id];
    return p->ciphers[id];
}

EVP_MD *provider_digest(struct crypto_provider *p, enum hash_id id)
{
    if (!p->digests[id] && digest_names[id])
        p->digests[id] = EVP_MD_fetch(NULL, digest_names[id], NULL);
    return p->digests[id];
}

EVP_MAC_CTX *provider_poly1305(struct crypto_provider *p)
{
    if (!p->poly1305) {
        EVP_MAC *mac = EVP_MAC_fetch(NULL, "POLY1305", NULL);
        p->poly1305 = mac ? EVP_MAC_CTX_new(mac) : NULL;
        EVP_MAC_free(mac);
    }
    return p->poly1305;
}

/* The hash's context, freshly started; NULL on failure. */
static EVP_MD_CTX *hash_start(struct crypto_provider *p, enum hash_id id)
{
    EVP_MD *digest = provider_digest(p, id);
    if (!digest)
        return NULL;
    if (!p->contexts[id])
        p->contexts[id] = EVP_MD_CTX_new();
    if (!p->contexts[id] || EVP_DigestInit_ex2(p->contexts[id], digest, NULL) != 1)
        return NULL;
    return p->contexts[id];
}

static bool hash_parts(EVP_MD_CTX *context, const struct slice *parts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (EVP_DigestUpdate(context, parts[i].data, parts[i].len) != 1)
            return false;
    }
    return true;
}

bool provider_hash(struct crypto_provider *p, enum hash_id id, const struct slice *parts,
                   size_t count, uint8_t *out)
{
    EVP_MD_CTX *context = hash_start(p, id);
    return context && hash_parts(context, parts, count) &&
           EVP_DigestFinal_ex(context, out, NULL) == 1;
}

#define HMAC_MAX_BLOCK 128 /* bytes of the longest input block, SHA-384's and SHA-512's */

/* Hashes one padded key block and then the parts: half an HMAC. */
static bool hmac_pass(struct crypto_provider *p, enum hash_id id, const uint8_t *block, uint8_t pad,
                      const struct slice *parts, size_t count, uint8_t *out)
{
    uint8_t padded[HMAC_MAX_BLOCK];
    size_t size = hash_block_size(id);
    for (size_t i = 0; i < size; i++)
        padded[i] = block[i] ^ pad;
    EVP_MD_CTX *context = hash_start(p, id);
    bool ok = context && EVP_DigestUpdate(context, padded, size) == 1 &&
              hash_parts(context, parts, count) && EVP_DigestFinal_ex(context, out, NULL) == 1;
    OPENSSL_cleanse(padded, sizeof padded);
    return ok;
}

/* Written out over the plain digest: a schedule uses many keys once each, and keying an EVP_MAC
 * context of OpenSSL 3.0 costs several allocations where this costs one for each digest. */
bool provider_hmac(struct crypto_provider *p, enum hash_id id, struct slice key,
                   const struct slice *parts, size_t count, uint8_t *out)
{
    uint8_t block[HMAC_MAX_BLOCK] = {0};
    uint8_t inner[HASH_MAX_SIZE];
    bool ok = true;
    if (key.len > hash_block_size(id))
        ok = provider_hash(p, id, &key, 1, block);
    else if (key.len > 0)
        memcpy(block, key.data, key.len);
    ok = ok && hmac_pass(p, id, block, 0x36, parts, count, inner);
    struct slice middle = slice_of(inner, hash_size(id));
    ok = ok && hmac_pass(p, id, block, 0x5c, &middle, 1, out);
    OPENSSL_cleanse(block, sizeof block);
    OPENSSL_cleanse(inner, sizeof inner);
    return ok;
}
