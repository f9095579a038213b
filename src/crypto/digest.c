#include "crypto/digest.h"

#include "crypto/md5.h"

#include <openssl/evp.h>

static void put_hex(const uint8_t *sum, size_t size, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < size; i++) {
        out[2 * i] = digits[sum[i] >> 4];
        out[2 * i + 1] = digits[sum[i] & 15];
    }
    out[2 * size] = '\0';
}

void digest_md5_hex(struct slice bytes, char out[33])
{
    uint8_t sum[MD5_BYTES];
    md5(bytes, sum);
    put_hex(sum, sizeof sum, out);
}

bool digest_sha256_hex(struct crypto_provider *p, struct slice bytes, char out[65])
{
    uint8_t sum[HASH_MAX_SIZE];
    out[0] = '\0';
    if (!provider_hash(p, HASH_SHA256, &bytes, 1, sum))
        return false;
    put_hex(sum, hash_size(HASH_SHA256), out);
    return true;
}

bool transcript_init(struct transcript *t, struct crypto_provider *p, enum hash_id hash)
{
    *t = (struct transcript){.hash = hash};
    EVP_MD *digest = provider_digest(p, hash);
    if (!digest)
        return false;
    t->running = EVP_MD_CTX_new();
    t->copy = EVP_MD_CTX_new();
    if (t->running && t->copy && EVP_DigestInit_ex2(t->running, digest, NULL) == 1)
        return true;
    transcript_free(t);
    return false;
}

void transcript_free(struct transcript *t)
{
    EVP_MD_CTX_free(t->running);
    EVP_MD_CTX_free(t->copy);
    t->running = t->copy = NULL;
}

bool transcript_add(struct transcript *t, struct slice message)
{
    return t->running && EVP_DigestUpdate(t->running, message.data, message.len) == 1;
}

bool transcript_peek(struct transcript *t, uint8_t *out)
{
    return t->running && EVP_MD_CTX_copy_ex(t->copy, t->running) == 1 &&
           EVP_DigestFinal_ex(t->copy, out, NULL) == 1;
}

bool transcript_retry(struct transcript *t)
{
    uint8_t message[4 + HASH_MAX_SIZE] = {254, 0, 0, (uint8_t)hash_size(t->hash)};
    return transcript_peek(t, message + 4) && EVP_DigestInit_ex2(t->running, NULL, NULL) == 1 &&
           transcript_add(t, slice_of(message, 4 + hash_size(t->hash)));
}
