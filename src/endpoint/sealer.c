#include "endpoint/sealer.h"

#include <openssl/crypto.h>
#include <string.h>

#define TAG_SIZE    16
#define NONCE_SIZE  12
#define PLAIN_MOST  16384
#define AAD_MOST    13
#define TYPE_OPAQUE 23 /* of all protected records of TLS 1.3 (RFC 9846 5.2) */

void sealer_init(struct sealer *s)
{
    *s = (struct sealer){.suite = NULL};
    crypto_provider_init(&s->provider);
    s->arena.ceiling = (size_t)1 << 20;
}

static void forget(struct sealer *s)
{
    opener_free(&s->opener);
    OPENSSL_cleanse(s->key, sizeof(s->key));
    OPENSSL_cleanse(s->iv, sizeof(s->iv));
    s->suite = NULL;
    s->seq = 0;
}

void sealer_free(struct sealer *s)
{
    forget(s);
    OPENSSL_cleanse(s->secret, sizeof(s->secret));
    EVP_CIPHER_CTX_free(s->context);
    arena_free(&s->arena);
    crypto_provider_free(&s->provider);
}

static bool can(const struct suite *suite)
{
    return suite && (suite->cipher == CIPHER_AES_128_GCM || suite->cipher == CIPHER_AES_256_GCM ||
                     suite->cipher == CIPHER_CHACHA20_POLY1305);
}

static bool ready(struct sealer *s, const struct suite *suite, enum tls_version version)
{
    if (!s->context)
        s->context = EVP_CIPHER_CTX_new();
    s->suite = suite;
    s->version = version;
    s->seq = 0;
    const EVP_CIPHER *cipher = provider_cipher(&s->provider, suite->cipher);
    return s->context && cipher && EVP_EncryptInit_ex(s->context, cipher, NULL, s->key, NULL) == 1;
}

/* The keys of the secret. */
static bool derive(struct sealer *s, const struct suite *suite)
{
    struct traffic_keys keys;
    if (!schedule_traffic_keys(&s->provider, suite, slice_of(s->secret, s->secret_len), &keys))
        return false;
    memcpy(s->key, keys.key, sizeof(s->key));
    memcpy(s->iv, keys.iv, sizeof(s->iv));
    OPENSSL_cleanse(&keys, sizeof(keys));
    return ready(s, suite, VERSION_TLS13);
}

bool sealer_key_13(struct sealer *s, const struct suite *suite, struct slice secret)
{
    forget(s);
    if (!can(suite) || secret.len > sizeof(s->secret))
        return false;
    s->secret_len = secret.len;
    slice_read(&secret, s->secret, secret.len);
    return opener_init_13(&s->opener, &s->provider, suite, slice_of(s->secret, s->secret_len)) &&
           derive(s, suite);
}

bool sealer_key_12(struct sealer *s, const struct suite *suite, struct slice master,
                   struct slice client_random, struct slice server_random)
{
    struct key_block block;
    forget(s);
    if (!can(suite) || !schedule_key_block(&s->provider, VERSION_TLS12, suite, master,
                                           client_random, server_random, &block))
        return false;
    struct slice key = block.server.key, iv = block.server.iv;
    bool ok = slice_read(&key, s->key, key.len) && slice_read(&iv, s->iv, iv.len) &&
              opener_init_12(&s->opener, &s->provider, VERSION_TLS12, suite, &block.server, 0) &&
              ready(s, suite, VERSION_TLS12);
    key_block_wipe(&block);
    return ok;
}

bool sealer_update(struct sealer *s)
{
    return s->suite && s->version == VERSION_TLS13 &&
           schedule_next_secret(&s->provider, s->suite, slice_of(s->secret, s->secret_len),
                                s->secret) &&
           derive(s, s->suite);
}

bool sealer_update_opener(struct sealer *s)
{
    return s->suite && opener_update_13(&s->opener);
}

bool sealer_open(struct sealer *s, struct slice header, struct slice fragment, struct opened *out)
{
    arena_reset(&s->arena);
    return s->suite && opener_open(&s->opener, header, fragment, &s->arena, out) == OPEN_OK;
}

static size_t put_number(uint8_t *to, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        to[i] = (uint8_t)(value >> 8 * (bytes - 1 - i));
    return bytes;
}

/* RFC 9846 5.3, RFC 7905 2: the number is mixed into the IV.  RFC 5288 3: it follows the IV. */
static void make_nonce(const struct sealer *s, bool follows, uint8_t nonce[NONCE_SIZE])
{
    uint8_t number[8];
    put_number(number, s->seq, sizeof(number));
    memcpy(nonce, s->iv, NONCE_SIZE);
    for (size_t i = 0; i < 8; i++)
        nonce[4 + i] = follows ? number[i] : nonce[4 + i] ^ number[i];
}

bool sealer_seal(struct sealer *s, uint8_t type, struct slice plain, struct buf *out)
{
    if (!s->suite || plain.len > PLAIN_MOST)
        return false;
    const struct cipher_info *info = cipher_info(s->suite->cipher);
    bool newest = s->version == VERSION_TLS13;
    size_t explicit_len = newest ? 0 : info->explicit_nonce, aad_len = 0;
    size_t fragment = explicit_len + plain.len + (newest ? 1 : 0) + TAG_SIZE;
    uint8_t aad[AAD_MOST], nonce[NONCE_SIZE], header[5], tag[TAG_SIZE];
    int len = 0, tail = 0;
    header[0] = newest ? TYPE_OPAQUE : type;
    put_number(header + 1, VERSION_TLS12, 2);
    put_number(header + 3, fragment, 2);
    make_nonce(s, explicit_len > 0, nonce);
    if (newest) {
        memcpy(aad, header, aad_len = sizeof(header));
    } else { /* RFC 5246 6.2.3.3 */
        aad_len = put_number(aad, s->seq, 8);
        memcpy(aad + aad_len, header, 3);
        aad_len += 3;
        aad_len += put_number(aad + aad_len, plain.len, 2);
    }
    if (!buf_room(out, sizeof(header) + fragment + EVP_MAX_BLOCK_LENGTH))
        return false;
    buf_put(out, header, sizeof(header));
    buf_put(out, nonce + NONCE_SIZE - explicit_len, explicit_len);
    bool ok =
        EVP_EncryptInit_ex(s->context, NULL, NULL, NULL, nonce) == 1 &&
        EVP_EncryptUpdate(s->context, NULL, &len, aad, (int)aad_len) == 1 &&
        EVP_EncryptUpdate(s->context, out->data + out->len, &len, plain.data, (int)plain.len) == 1;
    out->len += ok ? (size_t)len : 0;
    if (ok && newest) {
        ok = EVP_EncryptUpdate(s->context, out->data + out->len, &len, &type, 1) == 1;
        out->len += ok ? (size_t)len : 0;
    }
    ok = ok && EVP_EncryptFinal_ex(s->context, out->data + out->len, &tail) == 1 &&
         EVP_CIPHER_CTX_ctrl(s->context, EVP_CTRL_AEAD_GET_TAG, sizeof(tag), tag) == 1;
    if (ok)
        buf_put(out, tag, sizeof(tag));
    s->seq++;
    return ok;
}
