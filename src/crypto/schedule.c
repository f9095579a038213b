#include "crypto/schedule.h"

#include <openssl/crypto.h>
#include <string.h>

bool hkdf_extract(struct crypto_provider *p, enum hash_id hash, struct slice salt,
                  struct slice material, uint8_t *out)
{
    return provider_hmac(p, hash, salt, &material, 1, out);
}

#define EXPAND_MAX_PARTS 3

bool hkdf_expand(struct crypto_provider *p, enum hash_id hash, struct slice secret,
                 const struct slice *info, size_t info_count, uint8_t *out, size_t out_len)
{
    size_t size = hash_size(hash);
    if (size == 0 || info_count > EXPAND_MAX_PARTS || out_len > 255 * size)
        return false;
    uint8_t block[HASH_MAX_SIZE], next[HASH_MAX_SIZE], counter = 0;
    struct slice parts[EXPAND_MAX_PARTS + 2] = {slice_empty()};
    for (size_t i = 0; i < info_count; i++)
        parts[i + 1] = info[i];
    parts[info_count + 1] = slice_of(&counter, 1);
    bool ok = true;
    for (size_t done = 0; ok && done < out_len;) {
        counter++;
        ok = provider_hmac(p, hash, secret, parts, info_count + 2, next);
        memcpy(block, next, size);
        parts[0] = slice_of(block, size);
        size_t n = out_len - done < size ? out_len - done : size;
        memcpy(out + done, block, n);
        done += n;
    }
    OPENSSL_cleanse(block, sizeof block);
    OPENSSL_cleanse(next, sizeof next);
    return ok;
}

/* The prefix of labels before draft 20 was another. */
#define SHORT_PREFIX_SINCE 20

static bool expand_label(struct crypto_provider *p, enum hash_id hash, unsigned draft,
                         struct slice secret, const char *label, struct slice context, uint8_t *out,
                         size_t out_len)
{
    const char *prefix = draft > 0 && draft < SHORT_PREFIX_SINCE ? "TLS 1.3, " : "tls13 ";
    uint8_t head[3 + 255 + 1];
    size_t prefix_len = strlen(prefix), label_len = strlen(label);
    if (prefix_len + label_len > 255 || context.len > 255 || out_len > UINT16_MAX)
        return false;
    head[0] = (uint8_t)(out_len >> 8);
    head[1] = (uint8_t)out_len;
    head[2] = (uint8_t)(prefix_len + label_len);
    memcpy(head + 3, prefix, prefix_len);
    memcpy(head + 3 + prefix_len, label, label_len);
    head[3 + prefix_len + label_len] = (uint8_t)context.len;
    struct slice info[] = {slice_of(head, 3 + prefix_len + label_len + 1), context};
    return hkdf_expand(p, hash, secret, info, 2, out, out_len);
}

bool hkdf_expand_label(struct crypto_provider *p, enum hash_id hash, struct slice secret,
                       const char *label, struct slice context, uint8_t *out, size_t out_len)
{
    return expand_label(p, hash, 0, secret, label, context, out, out_len);
}

bool schedule_traffic_keys(struct crypto_provider *p, const struct suite *suite,
                           struct slice secret, struct traffic_keys *out)
{
    return schedule_traffic_keys_draft(p, suite, 0, secret, out);
}

bool schedule_traffic_keys_draft(struct crypto_provider *p, const struct suite *suite,
                                 unsigned draft, struct slice secret, struct traffic_keys *out)
{
    const struct cipher_info *cipher = cipher_info(suite->cipher);
    return secret.len == hash_size(suite->hash) &&
           expand_label(p, suite->hash, draft, secret, "key", slice_empty(), out->key,
                        cipher->key_len) &&
           expand_label(p, suite->hash, draft, secret, "iv", slice_empty(), out->iv,
                        cipher->iv_len);
}

bool schedule_next_secret(struct crypto_provider *p, const struct suite *suite, struct slice secret,
                          uint8_t *out)
{
    return schedule_next_secret_draft(p, suite, 0, secret, out);
}

bool schedule_next_secret_draft(struct crypto_provider *p, const struct suite *suite,
                                unsigned draft, struct slice secret, uint8_t *out)
{
    uint8_t next[HASH_MAX_SIZE];
    bool old = draft > 0 && draft < SHORT_PREFIX_SINCE;
    bool ok = secret.len == hash_size(suite->hash) &&
              expand_label(p, suite->hash, draft, secret,
                           old ? "application traffic secret" : "traffic upd", slice_empty(), next,
                           secret.len);
    if (ok)
        memcpy(out, next, secret.len);
    OPENSSL_cleanse(next, sizeof next);
    return ok;
}

bool schedule_finished_13(struct crypto_provider *p, const struct suite *suite,
                          struct slice base_secret, struct slice transcript_hash, uint8_t *out)
{
    uint8_t key[HASH_MAX_SIZE];
    size_t size = hash_size(suite->hash);
    bool ok =
        hkdf_expand_label(p, suite->hash, base_secret, "finished", slice_empty(), key, size) &&
        provider_hmac(p, suite->hash, slice_of(key, size), &transcript_hash, 1, out);
    OPENSSL_cleanse(key, sizeof key);
    return ok;
}

/* P_hash (RFC 5246 5), XORed into OUT so that the two halves of the old PRF combine. */
static bool p_hash(struct crypto_provider *p, enum hash_id hash, struct slice secret,
                   const struct slice seed[3], uint8_t *out, size_t out_len)
{
    size_t size = hash_size(hash);
    uint8_t a[HASH_MAX_SIZE], next[HASH_MAX_SIZE], block[HASH_MAX_SIZE];
    bool ok = provider_hmac(p, hash, secret, seed, 3, a);
    for (size_t done = 0; ok && done < out_len; done += size) {
        struct slice parts[] = {slice_of(a, size), seed[0], seed[1], seed[2]};
        ok = provider_hmac(p, hash, secret, parts, 4, block) &&
             provider_hmac(p, hash, secret, parts, 1, next);
        memcpy(a, next, size);
        for (size_t i = 0; i < size && done + i < out_len; i++)
            out[done + i] ^= block[i];
    }
    OPENSSL_cleanse(a, sizeof a);
    OPENSSL_cleanse(next, sizeof next);
    OPENSSL_cleanse(block, sizeof block);
    return ok;
}

bool schedule_has_own_hash(enum tls_version version)
{
    return version >= VERSION_TLS12 || version == VERSION_TLCP;
}

bool schedule_prf(struct crypto_provider *p, enum tls_version version, enum hash_id hash,
                  struct slice secret, const char *label, struct slice seed1, struct slice seed2,
                  uint8_t *out, size_t out_len)
{
    const struct slice seed[3] = {slice_of_str(label), seed1, seed2};
    memset(out, 0, out_len);
    if (schedule_has_own_hash(version))
        return p_hash(p, hash, secret, seed, out, out_len);
    /* RFC 2246 5: halves that share the middle byte when the length is odd. */
    size_t half = (secret.len + 1) / 2;
    return p_hash(p, HASH_MD5, slice_sub(secret, 0, half), seed, out, out_len) &&
           p_hash(p, HASH_SHA1, slice_sub(secret, secret.len - half, half), seed, out, out_len);
}

/* SSL 3.0: MD5(secret + SHA1("A" + secret + seed)), then "BB", "CCC"… (RFC 6101 6.1, 6.2.2). */
static bool ssl3_prf(struct crypto_provider *p, struct slice secret, struct slice seed1,
                     struct slice seed2, uint8_t *out, size_t out_len)
{
    uint8_t salt[26], inner[20], block[16];
    bool ok = out_len <= sizeof salt * sizeof block;
    for (size_t done = 0, round = 0; ok && done < out_len; done += sizeof block, round++) {
        memset(salt, (int)('A' + round), round + 1);
        struct slice first[] = {slice_of(salt, round + 1), secret, seed1, seed2};
        struct slice second[] = {secret, slice_of(inner, sizeof inner)};
        ok = provider_hash(p, HASH_SHA1, first, 4, inner) &&
             provider_hash(p, HASH_MD5, second, 2, block);
        memcpy(out + done, block, out_len - done < sizeof block ? out_len - done : sizeof block);
    }
    OPENSSL_cleanse(inner, sizeof inner);
    OPENSSL_cleanse(block, sizeof block);
    return ok;
}

bool schedule_master(struct crypto_provider *p, enum tls_version version, const struct suite *suite,
                     struct slice premaster, struct slice client_random, struct slice server_random,
                     uint8_t out[MASTER_SECRET_SIZE])
{
    if (version == VERSION_SSL3)
        return ssl3_prf(p, premaster, client_random, server_random, out, MASTER_SECRET_SIZE);
    return schedule_prf(p, version, suite->hash, premaster, "master secret", client_random,
                        server_random, out, MASTER_SECRET_SIZE);
}

bool schedule_extended_master(struct crypto_provider *p, enum tls_version version,
                              const struct suite *suite, struct slice premaster,
                              struct slice session_hash, uint8_t out[MASTER_SECRET_SIZE])
{
    return version != VERSION_SSL3 &&
           schedule_prf(p, version, suite->hash, premaster, "extended master secret", session_hash,
                        slice_empty(), out, MASTER_SECRET_SIZE);
}

bool schedule_finished_12(struct crypto_provider *p, enum tls_version version,
                          const struct suite *suite, struct slice master, bool from_client,
                          struct slice handshake_hash, uint8_t out[12])
{
    return version != VERSION_SSL3 &&
           schedule_prf(p, version, suite->hash, master,
                        from_client ? "client finished" : "server finished", handshake_hash,
                        slice_empty(), out, 12);
}

bool schedule_chains_iv(enum tls_version version)
{
    return version == VERSION_SSL3 || version == VERSION_TLS10;
}

size_t key_block_iv_size(enum tls_version version, enum cipher_id cipher)
{
    const struct cipher_info *info = cipher_info(cipher);
    /* From TLS 1.1 on a block cipher's IV comes with each record. */
    return info->kind == KIND_BLOCK && schedule_chains_iv(version) ? info->iv_len
                                                                   : info->fixed_iv_len;
}

/* An export suite's final key, of the few secret bytes and the randoms (RFC 2246 6.3.1, RFC 6101 6.2.2). */
static bool export_key(struct crypto_provider *p, enum tls_version version, struct slice secret,
                       bool client, const struct slice randoms[2], uint8_t *out, size_t size)
{
    uint8_t digest[HASH_MAX_SIZE];
    struct slice parts[] = {secret, randoms[!client], randoms[client]};
    if (version != VERSION_SSL3)
        return schedule_prf(p, version, HASH_SHA256, secret,
                            client ? "client write key" : "server write key", randoms[0],
                            randoms[1], out, size);
    bool ok = size <= 16 && provider_hash(p, HASH_MD5, parts, 3, digest);
    if (ok)
        memcpy(out, digest, size);
    OPENSSL_cleanse(digest, sizeof digest);
    return ok;
}

/* Both IVs of an export suite, which are no secret. */
static bool export_ivs(struct crypto_provider *p, enum tls_version version,
                       const struct slice randoms[2], uint8_t *out, size_t size)
{
    uint8_t digest[HASH_MAX_SIZE];
    if (version != VERSION_SSL3)
        return schedule_prf(p, version, HASH_SHA256, slice_empty(), "IV block", randoms[0],
                            randoms[1], out, 2 * size);
    for (unsigned i = 0; i < 2 && size <= 16; i++) {
        struct slice parts[] = {randoms[i], randoms[!i]};
        if (!provider_hash(p, HASH_MD5, parts, 2, digest))
            return false;
        memcpy(out + i * size, digest, size);
    }
    return size <= 16;
}

static bool make_export(struct crypto_provider *p, enum tls_version version,
                        const struct suite *suite, const struct slice randoms[2],
                        struct key_block *out)
{
    const struct cipher_info *cipher = cipher_info(suite->cipher);
    size_t key = cipher->key_len, iv = key_block_iv_size(version, suite->cipher);
    struct slice rest = slice_of(out->final, sizeof out->final);
    struct slice client = slice_take(&rest, key), server = slice_take(&rest, key);
    struct slice ivs = slice_sub(rest, 0, 2 * iv);
    bool ok = export_key(p, version, out->client.key, true, randoms, out->final, key) &&
              export_key(p, version, out->server.key, false, randoms, out->final + key, key) &&
              (iv == 0 || export_ivs(p, version, randoms, out->final + 2 * key, iv));
    out->client.key = client;
    out->server.key = server;
    out->client.iv = slice_take(&ivs, iv);
    out->server.iv = slice_take(&ivs, iv);
    return ok;
}

bool schedule_key_block(struct crypto_provider *p, enum tls_version version,
                        const struct suite *suite, struct slice master, struct slice client_random,
                        struct slice server_random, struct key_block *out)
{
    const struct cipher_info *cipher = cipher_info(suite->cipher);
    size_t mac = hash_size(suite->mac), key = cipher->key_len;
    size_t iv = suite->export_len ? 0 : key_block_iv_size(version, suite->cipher);
    if (suite->export_len)
        key = suite->export_len;
    size_t size = 2 * (mac + key + iv);
    bool ok = version == VERSION_SSL3
                  ? ssl3_prf(p, master, server_random, client_random, out->bytes, size)
                  : schedule_prf(p, version, suite->hash, master, "key expansion", server_random,
                                 client_random, out->bytes, size);
    struct slice rest = slice_of(out->bytes, size);
    out->client.mac = slice_take(&rest, mac);
    out->server.mac = slice_take(&rest, mac);
    out->client.key = slice_take(&rest, key);
    out->server.key = slice_take(&rest, key);
    out->client.iv = slice_take(&rest, iv);
    out->server.iv = slice_take(&rest, iv);
    const struct slice randoms[2] = {client_random, server_random};
    return ok && (!suite->export_len || make_export(p, version, suite, randoms, out));
}

void key_block_wipe(struct key_block *block)
{
    OPENSSL_cleanse(block, sizeof *block);
}
