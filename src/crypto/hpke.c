#include "crypto/hpke.h"

#include "base/buf.h"
#include "crypto/schedule.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#define NONCE    12
#define INFO_MAX ((size_t)1 << 16)

/* The secrets on the way to a key (RFC 9180 5.1). */
struct schedule {
    struct crypto_provider *p;
    const struct hpke *h;
    enum hash_id hash;
};

static void put_u16(struct buf *b, unsigned number)
{
    buf_char(b, (char)(number >> 8));
    buf_char(b, (char)number);
}

/* "HPKE-v1", the algorithms, LABEL: what goes before all that is hashed (RFC 9180 4). */
static void put_label(struct buf *b, const struct hpke *h, const char *label)
{
    buf_str(b, "HPKE-v1HPKE");
    put_u16(b, h->kem);
    put_u16(b, h->kdf);
    put_u16(b, h->aead);
    buf_str(b, label);
}

static bool extract(const struct schedule *s, struct slice salt, const char *label,
                    struct slice material, uint8_t *out)
{
    struct buf labeled = {.ceiling = INFO_MAX};
    put_label(&labeled, s->h, label);
    buf_slice_put(&labeled, material);
    bool ok = !labeled.failed && hkdf_extract(s->p, s->hash, salt, buf_slice(&labeled), out);
    buf_wipe(&labeled);
    return ok;
}

static bool expand(const struct schedule *s, struct slice secret, const char *label,
                   struct slice context, uint8_t *out, size_t size)
{
    struct buf labeled = {.ceiling = INFO_MAX};
    put_u16(&labeled, (unsigned)size);
    put_label(&labeled, s->h, label);
    buf_slice_put(&labeled, context);
    struct slice info = buf_slice(&labeled);
    bool ok = !labeled.failed && hkdf_expand(s->p, s->hash, secret, &info, 1, out, size);
    buf_wipe(&labeled);
    return ok;
}

/* KeySchedule() of RFC 9180 5.1, base mode: no pre-shared key. */
static bool derive(const struct schedule *s, uint8_t *key, size_t key_size, uint8_t nonce[NONCE])
{
    uint8_t context[1 + 2 * HASH_MAX_SIZE] = {0}, secret[HASH_MAX_SIZE];
    size_t size = hash_size(s->hash);
    struct slice all = slice_of(context, 1 + 2 * size);
    bool ok = extract(s, slice_empty(), "psk_id_hash", slice_empty(), context + 1) &&
              extract(s, slice_empty(), "info_hash", s->h->info, context + 1 + size) &&
              extract(s, s->h->shared, "secret", slice_empty(), secret) &&
              expand(s, slice_of(secret, size), "key", all, key, key_size) &&
              expand(s, slice_of(secret, size), "base_nonce", all, nonce, NONCE);
    OPENSSL_cleanse(secret, sizeof secret);
    return ok;
}

static bool open_sealed(const EVP_CIPHER *cipher, const uint8_t *key, const uint8_t *nonce,
                        struct slice extra, struct slice sealed, uint8_t *out)
{
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    struct slice text = slice_take(&sealed, sealed.len - HPKE_TAG);
    uint8_t tag[HPKE_TAG];
    int n = 0;
    slice_read(&sealed, tag, sizeof tag);
    bool ok = c && EVP_DecryptInit_ex2(c, cipher, key, nonce, NULL) == 1 &&
              EVP_DecryptUpdate(c, NULL, &n, extra.data, (int)extra.len) == 1 &&
              EVP_DecryptUpdate(c, out, &n, text.data, (int)text.len) == 1 &&
              EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, HPKE_TAG, tag) == 1 &&
              EVP_DecryptFinal_ex(c, out + n, &n) == 1;
    EVP_CIPHER_CTX_free(c);
    return ok;
}

bool hpke_open(struct crypto_provider *p, const struct hpke *h, uint64_t seq, struct slice extra,
               struct slice sealed, uint8_t *out)
{
    static const enum hash_id hashes[] = {0, HASH_SHA256, HASH_SHA384, HASH_SHA512};
    static const enum cipher_id ciphers[] = {0, CIPHER_AES_128_GCM, CIPHER_AES_256_GCM,
                                             CIPHER_CHACHA20_POLY1305};
    uint8_t key[32], nonce[NONCE];
    if (h->kdf < 1 || h->kdf > 3 || h->aead < 1 || h->aead > 3 || sealed.len < HPKE_TAG ||
        sealed.len > INT_MAX || extra.len > INT_MAX)
        return false;
    struct schedule s = {.p = p, .h = h, .hash = hashes[h->kdf]};
    const EVP_CIPHER *cipher = provider_cipher(p, ciphers[h->aead]);
    bool ok = cipher && derive(&s, key, h->aead == 1 ? 16 : 32, nonce);
    for (unsigned i = 0; ok && i < 8; i++)
        nonce[NONCE - 1 - i] ^= (uint8_t)(seq >> 8 * i);
    ok = ok && open_sealed(cipher, key, nonce, extra, sealed, out);
    OPENSSL_cleanse(key, sizeof key);
    return ok;
}
