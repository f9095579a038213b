#include "crypto/opener.h"

#include "crypto/idea.h"
#include "crypto/modes.h"
#include "crypto/rc4.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#define NONCE_SIZE    12
#define FRAGMENT_MAX  65535 /* what a record's length field can say */
#define TAG_MAX       48
#define TRUNCATED_MAC 10 /* RFC 6066 7 */
#define PSEUDO_HEADER 13 /* seq, type, version, length: RFC 5246 6.2.3.1 and 6.2.3.3 */

/* One record on its way through; the header has been checked to be whole. */
struct record {
    uint8_t type;
    uint16_t version;
    struct slice header, fragment;
};

/* ---- setting up ---- */

bool opener_init_13(struct opener *o, struct crypto_provider *p, const struct suite *suite,
                    struct slice traffic_secret)
{
    *o = (struct opener){.provider = p, .suite = suite, .version = VERSION_TLS13};
    if (!suite || suite->key_exchange != KX_TLS13 || traffic_secret.len != hash_size(suite->hash))
        return false;
    memcpy(o->secret, traffic_secret.data, traffic_secret.len);
    o->secret_len = (uint8_t)traffic_secret.len;
    o->usable = true;
    return true;
}

void opener_set_draft(struct opener *o, unsigned draft)
{
    o->draft = (uint8_t)draft;
}

static bool is_aead(const struct cipher_info *cipher)
{
    return cipher->tag_len > 0;
}

bool opener_init_12(struct opener *o, struct crypto_provider *p, enum tls_version version,
                    const struct suite *suite, const struct key_parts *keys, unsigned features)
{
    *o = (struct opener){.provider = p, .suite = suite, .version = version};
    if (!suite || suite->key_exchange == KX_TLS13 || version > VERSION_TLS12)
        return false;
    const struct cipher_info *cipher = cipher_info(suite->cipher);
    if ((is_aead(cipher) && version < VERSION_TLS12 && version != VERSION_TLCP) ||
        cipher->kind == KIND_INTEGRITY || keys->key.len != cipher->key_len ||
        keys->mac.len != hash_size(suite->mac) ||
        keys->iv.len != key_block_iv_size(version, suite->cipher))
        return false;
    memcpy(o->key, keys->key.data, keys->key.len);
    memcpy(o->mac, keys->mac.data, keys->mac.len);
    memcpy(o->iv, keys->iv.data, keys->iv.len);
    o->mac_len = o->sent_mac_len = (uint8_t)keys->mac.len;
    if (features & OPENER_TRUNCATED_HMAC && version != VERSION_SSL3 && o->mac_len > TRUNCATED_MAC)
        o->sent_mac_len = TRUNCATED_MAC;
    /* RFC 7366 3: encrypt-then-MAC is for block ciphers only. */
    o->encrypt_then_mac = features & OPENER_ENCRYPT_THEN_MAC && cipher->kind == KIND_BLOCK;
    o->usable = true;
    return true;
}

void opener_free(struct opener *o)
{
    EVP_CIPHER_CTX_free(o->context);
    if (o->stream)
        OPENSSL_cleanse(o->stream, sizeof *o->stream);
    free(o->stream);
    OPENSSL_cleanse(o, sizeof *o);
}

static bool set_stream_key(struct opener *o, size_t len)
{
    if (!o->stream && !(o->stream = malloc(sizeof *o->stream)))
        return false;
    rc4_init(o->stream, slice_of(o->key, len));
    return true;
}

/* Gives the context its cipher and key: once per opener, and again after a KeyUpdate. */
static bool set_key(struct opener *o)
{
    const struct cipher_info *cipher = cipher_info(o->suite->cipher);
    if (o->version == VERSION_TLS13) {
        struct traffic_keys keys;
        if (!schedule_traffic_keys_draft(o->provider, o->suite, o->draft,
                                         slice_of(o->secret, o->secret_len), &keys))
            return false;
        memcpy(o->key, keys.key, sizeof o->key);
        memcpy(o->iv, keys.iv, sizeof o->iv);
        OPENSSL_cleanse(&keys, sizeof keys);
    }
    if (cipher->kind == KIND_STREAM)
        return set_stream_key(o, cipher->key_len);
    if (cipher->kind == KIND_NULL || cipher->kind == KIND_INTEGRITY ||
        o->suite->cipher == CIPHER_IDEA_CBC)
        return true;
    EVP_CIPHER *evp = provider_cipher(o->provider, o->suite->cipher);
    if (!evp || (!o->context && !(o->context = EVP_CIPHER_CTX_new())))
        return false;
    bool forwards = cipher->kind == KIND_OWN_GCM || cipher->kind == KIND_OWN_CCM ||
                    cipher->kind == KIND_EARLY_CHACHA;
    if (EVP_CipherInit_ex2(o->context, evp, NULL, NULL, forwards, NULL) != 1)
        return false;
    if (cipher->kind == KIND_CCM &&
        (EVP_CIPHER_CTX_ctrl(o->context, EVP_CTRL_AEAD_SET_IVLEN, NONCE_SIZE, NULL) != 1 ||
         EVP_CIPHER_CTX_ctrl(o->context, EVP_CTRL_AEAD_SET_TAG, cipher->tag_len, NULL) != 1))
        return false;
    if ((cipher->kind == KIND_BLOCK || forwards) && EVP_CIPHER_CTX_set_padding(o->context, 0) != 1)
        return false;
    return EVP_CipherInit_ex2(o->context, NULL, o->key, NULL, -1, NULL) == 1;
}

static bool make_ready(struct opener *o)
{
    if (o->usable && !o->keyed) {
        o->keyed = set_key(o);
        o->usable = o->keyed;
    }
    return o->usable;
}

/* ---- AEAD ---- */

static void put_u64(uint8_t *out, uint64_t value)
{
    for (size_t i = 0; i < 8; i++)
        out[i] = (uint8_t)(value >> (56 - 8 * i));
}

static void pseudo_header(uint8_t out[PSEUDO_HEADER], const struct opener *o,
                          const struct record *r, size_t length)
{
    put_u64(out, o->seq);
    out[8] = r->type;
    out[9] = (uint8_t)(r->version >> 8);
    out[10] = (uint8_t)r->version;
    out[11] = (uint8_t)(length >> 8);
    out[12] = (uint8_t)length;
}

/* CCM wants tag, nonce and length before the first byte, and verifies within the one update. */
static bool ccm_decrypt(EVP_CIPHER_CTX *context, const uint8_t nonce[NONCE_SIZE],
                        struct slice extra, struct slice sealed, struct slice tag, uint8_t *out)
{
    uint8_t copy[TAG_MAX];
    int n = 0;
    memcpy(copy, tag.data, tag.len);
    return EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, (int)tag.len, copy) == 1 &&
           EVP_DecryptInit_ex2(context, NULL, NULL, nonce, NULL) == 1 &&
           EVP_DecryptUpdate(context, NULL, &n, NULL, (int)sealed.len) == 1 &&
           EVP_DecryptUpdate(context, NULL, &n, extra.data, (int)extra.len) == 1 &&
           EVP_DecryptUpdate(context, out, &n, sealed.data, (int)sealed.len) == 1;
}

static bool aead_decrypt(EVP_CIPHER_CTX *context, const uint8_t nonce[NONCE_SIZE],
                         struct slice extra, struct slice sealed, struct slice tag, uint8_t *out)
{
    uint8_t copy[TAG_MAX];
    int n = 0;
    memcpy(copy, tag.data, tag.len);
    return EVP_DecryptInit_ex2(context, NULL, NULL, nonce, NULL) == 1 &&
           EVP_DecryptUpdate(context, NULL, &n, extra.data, (int)extra.len) == 1 &&
           EVP_DecryptUpdate(context, out, &n, sealed.data, (int)sealed.len) == 1 &&
           EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, (int)tag.len, copy) == 1 &&
           EVP_DecryptFinal_ex(context, out + n, &n) == 1;
}

/* RFC 9150 4: nothing is encrypted, the tag is an HMAC. */
static bool check_integrity(struct opener *o, const uint8_t nonce[NONCE_SIZE],
                            const struct modes_message *m)
{
    uint8_t want[HASH_MAX_SIZE];
    const struct cipher_info *cipher = cipher_info(o->suite->cipher);
    struct slice parts[] = {slice_of(nonce, NONCE_SIZE), m->extra, m->sealed};
    struct slice body = m->sealed;
    return provider_hmac(o->provider, o->suite->hash, slice_of(o->key, cipher->key_len), parts, 3,
                         want) &&
           CRYPTO_memcmp(want, m->tag.data, m->tag.len) == 0 && slice_read(&body, m->out, body.len);
}

static bool decrypt(struct opener *o, const uint8_t nonce[NONCE_SIZE],
                    const struct modes_message *m)
{
    uint8_t seq[8];
    switch (cipher_info(o->suite->cipher)->kind) {
    case KIND_AEAD:
        return aead_decrypt(o->context, nonce, m->extra, m->sealed, m->tag, m->out);
    case KIND_CCM:
        return ccm_decrypt(o->context, nonce, m->extra, m->sealed, m->tag, m->out);
    case KIND_OWN_GCM:
        return modes_open_gcm(o->context, nonce, m);
    case KIND_OWN_CCM:
        return modes_open_ccm(o->context, nonce, m);
    case KIND_EARLY_CHACHA:
        put_u64(seq, o->seq);
        return modes_open_early_chacha(o->context, provider_poly1305(o->provider), seq, m);
    case KIND_INTEGRITY:
        return check_integrity(o, nonce, m);
    case KIND_NULL:
    case KIND_STREAM:
    case KIND_BLOCK:
        break;
    }
    return false;
}

/* Splits type and zero padding off a TLSInnerPlaintext (RFC 9846 5.2, 5.4). */
static void strip_inner(const uint8_t *inner, size_t len, struct opened *out)
{
    struct slice s = slice_of(inner, len);
    size_t end = len;
    while (end > 0 && slice_at(s, end - 1) == 0)
        end--;
    out->padding = len - end;
    out->type = end > 0 ? slice_at(s, end - 1) : 0;
    out->plaintext = slice_sub(s, 0, end > 0 ? end - 1 : 0);
}

static enum open_result open_aead(struct opener *o, const struct record *r, struct arena *arena,
                                  struct opened *out)
{
    const struct cipher_info *cipher = cipher_info(o->suite->cipher);
    bool tls13 = o->version == VERSION_TLS13;
    struct slice sealed = r->fragment;
    uint8_t nonce[NONCE_SIZE], pseudo[PSEUDO_HEADER];
    size_t sent = tls13 ? 0 : cipher->explicit_nonce;
    /* A TLS 1.3 record holds at least its type. */
    if (sealed.len < sent + cipher->tag_len + (tls13 ? 1 : 0))
        return OPEN_TOO_SHORT;
    memcpy(nonce, o->iv, sizeof nonce);
    if (sent > 0) {
        memcpy(nonce + cipher->fixed_iv_len, slice_take(&sealed, sent).data, sent);
    } else {
        uint8_t seq[8];
        put_u64(seq, o->seq);
        for (size_t i = 0; i < 8; i++)
            nonce[4 + i] ^= seq[i];
    }
    size_t len = sealed.len - cipher->tag_len;
    struct slice body = slice_take(&sealed, len);
    pseudo_header(pseudo, o, r, len);
    /* Before draft 25 the header was not covered. */
    struct slice extra = !tls13                          ? slice_of(pseudo, sizeof pseudo)
                         : o->draft > 0 && o->draft < 25 ? slice_empty()
                                                         : r->header;
    uint8_t *text = arena_alloc(arena, len + 1);
    if (!text)
        return OPEN_NO_MEMORY;
    struct modes_message m = {.extra = extra, .sealed = body, .tag = sealed, .out = text};
    if (!decrypt(o, nonce, &m))
        return OPEN_BAD_TAG;
    if (tls13)
        strip_inner(text, len, out);
    else
        *out = (struct opened){.plaintext = slice_of(text, len), .type = r->type};
    return OPEN_OK;
}

/* ---- MAC with a block, stream or no cipher ---- */

/* SSL 3.0's MAC (RFC 6101 5.2.3.1): nested hashes with the key first, no version. */
static bool ssl3_mac(struct opener *o, const uint8_t pseudo[PSEUDO_HEADER], struct slice content,
                     uint8_t *out)
{
    uint8_t pad[48], inner[HASH_MAX_SIZE];
    size_t pad_len = o->suite->mac == HASH_MD5 ? 48 : 40;
    struct slice key = slice_of(o->mac, o->mac_len);
    struct slice first[] = {key, slice_of(pad, pad_len), slice_of(pseudo, 9),
                            slice_of(pseudo + 11, 2), content};
    struct slice second[] = {key, slice_of(pad, pad_len), slice_of(inner, o->mac_len)};
    memset(pad, 0x36, sizeof pad);
    if (!provider_hash(o->provider, o->suite->mac, first, 5, inner))
        return false;
    memset(pad, 0x5c, sizeof pad);
    return provider_hash(o->provider, o->suite->mac, second, 3, out);
}

static bool mac_matches(struct opener *o, const struct record *r, struct slice content,
                        struct slice mac)
{
    uint8_t pseudo[PSEUDO_HEADER], want[HASH_MAX_SIZE];
    pseudo_header(pseudo, o, r, content.len);
    struct slice parts[] = {slice_of(pseudo, sizeof pseudo), content};
    bool ok = o->version == VERSION_SSL3
                  ? ssl3_mac(o, pseudo, content, want)
                  : provider_hmac(o->provider, o->suite->mac, slice_of(o->mac, o->mac_len), parts,
                                  2, want);
    return ok && mac.len == o->sent_mac_len && CRYPTO_memcmp(want, mac.data, mac.len) == 0;
}

/* Content and MAC, no padding: what a stream cipher or none leaves. */
static enum open_result check_content(struct opener *o, const struct record *r, struct slice text,
                                      struct opened *out)
{
    if (text.len < o->sent_mac_len)
        return OPEN_TOO_SHORT;
    struct slice content = slice_take(&text, text.len - o->sent_mac_len);
    if (!mac_matches(o, r, content, text))
        return OPEN_BAD_TAG;
    out->plaintext = content;
    out->type = r->type;
    return OPEN_OK;
}

static enum open_result open_null(struct opener *o, const struct record *r, struct arena *arena,
                                  struct opened *out)
{
    uint8_t *text = arena_alloc(arena, r->fragment.len + 1);
    if (!text)
        return OPEN_NO_MEMORY;
    memcpy(text, r->fragment.data, r->fragment.len);
    return check_content(o, r, slice_of(text, r->fragment.len), out);
}

static enum open_result open_stream(struct opener *o, const struct record *r, struct arena *arena,
                                    struct opened *out)
{
    uint8_t *text = arena_alloc(arena, r->fragment.len + 1);
    if (!text)
        return OPEN_NO_MEMORY;
    rc4_crypt(o->stream, r->fragment, text);
    enum open_result result = check_content(o, r, slice_of(text, r->fragment.len), out);
    if (result != OPEN_OK)
        rc4_back(o->stream, r->fragment.len);
    return result;
}

/* Takes CBC padding off TEXT.  False when it is not padding. */
static bool strip_padding(const struct opener *o, struct slice *text, size_t block, size_t *padding)
{
    size_t n = slice_at(*text, text->len - 1);
    if (n + 1 > text->len || (o->version == VERSION_SSL3 && n >= block))
        return false;
    /* SSL 3.0 leaves the padding's content open (RFC 6101 5.2.3.2). */
    for (size_t i = 2; o->version != VERSION_SSL3 && i <= n + 1; i++) {
        if (slice_at(*text, text->len - i) != n)
            return false;
    }
    *text = slice_sub(*text, 0, text->len - n - 1);
    *padding = n;
    return true;
}

static bool cbc_decrypt(struct opener *o, struct slice iv, struct slice sealed, uint8_t *out)
{
    int n = 0;
    if (o->suite->cipher == CIPHER_IDEA_CBC) {
        idea_cbc_decrypt(o->key, iv.data, sealed.data, out, sealed.len);
        return true;
    }
    return EVP_DecryptInit_ex2(o->context, NULL, NULL, iv.data, NULL) == 1 &&
           EVP_DecryptUpdate(o->context, out, &n, sealed.data, (int)sealed.len) == 1;
}

static enum open_result open_block(struct opener *o, const struct record *r, struct arena *arena,
                                   struct opened *out)
{
    size_t block = cipher_info(o->suite->cipher)->iv_len;
    struct slice sealed = r->fragment, iv = slice_of(o->iv, block);
    if (o->encrypt_then_mac) {
        if (sealed.len < o->sent_mac_len)
            return OPEN_TOO_SHORT;
        struct slice covered = slice_take(&sealed, sealed.len - o->sent_mac_len);
        if (!mac_matches(o, r, covered, sealed))
            return OPEN_BAD_TAG;
        sealed = covered;
    }
    if (!schedule_chains_iv(o->version))
        iv = slice_take(&sealed, block);
    if (iv.failed || sealed.len == 0 || sealed.len % block != 0)
        return OPEN_TOO_SHORT;
    uint8_t *bytes = arena_alloc(arena, sealed.len + block);
    if (!bytes)
        return OPEN_NO_MEMORY;
    struct slice text = slice_of(bytes, sealed.len);
    if (!cbc_decrypt(o, iv, sealed, bytes) || !strip_padding(o, &text, block, &out->padding))
        return OPEN_BAD_TAG;
    if (o->encrypt_then_mac) {
        out->plaintext = text;
        out->type = r->type;
        return OPEN_OK;
    }
    enum open_result result = check_content(o, r, text, out);
    /* Bad padding and a bad MAC are the same to the caller: the record is not ours. */
    return result == OPEN_TOO_SHORT ? OPEN_BAD_TAG : result;
}

/* ---- records ---- */

typedef enum open_result open_function(struct opener *o, const struct record *r,
                                       struct arena *arena, struct opened *out);

static open_function *const open_functions[] = {
    [KIND_NULL] = open_null,    [KIND_STREAM] = open_stream,     [KIND_BLOCK] = open_block,
    [KIND_AEAD] = open_aead,    [KIND_CCM] = open_aead,          [KIND_OWN_GCM] = open_aead,
    [KIND_OWN_CCM] = open_aead, [KIND_EARLY_CHACHA] = open_aead, [KIND_INTEGRITY] = open_aead,
};

/* TLS 1.0 and SSL 3.0 chain CBC over records: the last block sent is the next IV. */
static void chain_iv(struct opener *o, struct slice fragment)
{
    const struct cipher_info *cipher = cipher_info(o->suite->cipher);
    if (cipher->kind != KIND_BLOCK || !schedule_chains_iv(o->version))
        return;
    if (o->encrypt_then_mac)
        fragment = slice_sub(fragment, 0,
                             fragment.len > o->sent_mac_len ? fragment.len - o->sent_mac_len : 0);
    if (fragment.len >= cipher->iv_len)
        memcpy(o->iv, slice_sub(fragment, fragment.len - cipher->iv_len, cipher->iv_len).data,
               cipher->iv_len);
}

enum open_result opener_open(struct opener *o, struct slice header, struct slice fragment,
                             struct arena *arena, struct opened *out)
{
    *out = (struct opened){.plaintext = slice_empty()};
    struct slice rest = header;
    struct record r = {.header = header, .fragment = fragment};
    r.type = slice_u8(&rest);
    r.version = slice_u16(&rest);
    if (header.len != RECORD_HEADER_SIZE || fragment.len > FRAGMENT_MAX)
        return OPEN_TOO_SHORT;
    if (!make_ready(o))
        return OPEN_UNSUPPORTED;
    struct arena before = *arena;
    enum cipher_kind kind = cipher_info(o->suite->cipher)->kind;
    enum open_result result = open_functions[kind](o, &r, arena, out);
    if (result == OPEN_OK) {
        o->seq++;
        chain_iv(o, fragment);
        return result;
    }
    /* Nothing unverified is kept, and many trials cost no memory. */
    arena->current = before.current;
    arena->used = before.used;
    *out = (struct opened){.plaintext = slice_empty()};
    return result;
}

bool suite_is_bare(const struct suite *suite)
{
    enum cipher_kind kind = suite ? cipher_info(suite->cipher)->kind : KIND_AEAD;
    return kind == KIND_NULL || kind == KIND_INTEGRITY;
}

bool opener_read_bare(const struct suite *suite, enum tls_version version, unsigned features,
                      uint8_t type, struct slice fragment, struct opened *out)
{
    bool tls13 = version == VERSION_TLS13;
    if (!suite_is_bare(suite) || tls13 != (suite->key_exchange == KX_TLS13))
        return false;
    size_t mac = tls13 ? cipher_info(suite->cipher)->tag_len : hash_size(suite->mac);
    if (features & OPENER_TRUNCATED_HMAC && version != VERSION_SSL3 && mac > TRUNCATED_MAC)
        mac = TRUNCATED_MAC;
    if (fragment.len < mac)
        return false;
    struct slice text = slice_sub(fragment, 0, fragment.len - mac);
    *out = (struct opened){.plaintext = text, .type = type};
    if (tls13)
        strip_inner(text.data, text.len, out);
    return true;
}

void opener_pass(struct opener *o, struct slice fragment)
{
    o->seq++;
    if (!o->suite || fragment.len > FRAGMENT_MAX || !make_ready(o))
        return;
    chain_iv(o, fragment);
    if (o->stream)
        rc4_skip(o->stream, fragment.len);
}

void opener_skip(struct opener *o, uint64_t n)
{
    o->seq += n;
}

uint64_t opener_seq(const struct opener *o)
{
    return o->seq;
}

bool opener_update_13(struct opener *o)
{
    if (o->version != VERSION_TLS13 || !o->usable ||
        !schedule_next_secret_draft(o->provider, o->suite, o->draft,
                                    slice_of(o->secret, o->secret_len), o->secret))
        return false;
    o->seq = 0;
    o->keyed = false;
    return true;
}
