#include "crypto/modes.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

#define BLOCK 16
#define BATCH 32 /* blocks of the key stream that are made in one call */

static uint64_t read_u64(const uint8_t *bytes)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < 8; i++)
        value = value << 8 | bytes[i];
    return value;
}

static void put_u64(uint8_t *out, uint64_t value)
{
    for (unsigned i = 0; i < 8; i++)
        out[i] = (uint8_t)(value >> (56 - 8 * i));
}

static bool encrypt(EVP_CIPHER_CTX *ecb, const uint8_t *in, uint8_t *out, int len)
{
    int n = 0;
    return EVP_EncryptUpdate(ecb, out, &n, in, len) == 1 && n == len;
}

/* Counter mode: COUNTER is the block of the first byte, its last WIDTH bytes count. */
static bool count_mode(EVP_CIPHER_CTX *ecb, uint8_t counter[BLOCK], unsigned width, struct slice in,
                       uint8_t *out)
{
    uint8_t blocks[BATCH * BLOCK], stream[BATCH * BLOCK];
    bool ok = true;
    size_t done = 0;
    while (ok && in.len > 0) {
        struct slice part = slice_take(&in, in.len < sizeof stream ? in.len : sizeof stream);
        unsigned count = (unsigned)((part.len + BLOCK - 1) / BLOCK);
        for (unsigned i = 0; i < count; i++) {
            memcpy(blocks + (size_t)BLOCK * i, counter, BLOCK);
            for (unsigned k = BLOCK; k > BLOCK - width && ++counter[k - 1] == 0; k--)
                continue;
        }
        ok = encrypt(ecb, blocks, stream, (int)count * BLOCK);
        for (size_t i = 0; i < part.len; i++)
            out[done + i] = part.data[i] ^ stream[i];
        done += part.len;
    }
    OPENSSL_cleanse(stream, sizeof stream);
    return ok;
}

/* ---- GCM (NIST SP 800-38D) ---- */

struct element {
    uint64_t high, low;
};

/* Multiples of the hash key by the 16 polynomials of degree below 4, in GCM's order of bits. */
struct ghash {
    struct element table[16];
    struct element sum;
};

static struct element times_x(struct element v)
{
    bool carry = v.low & 1;
    v.low = v.low >> 1 | v.high << 63;
    v.high = v.high >> 1 ^ (carry ? 0xe100000000000000u : 0);
    return v;
}

static void ghash_init(struct ghash *g, const uint8_t key[BLOCK])
{
    *g = (struct ghash){.sum = {0, 0}};
    struct element v = {read_u64(key), read_u64(key + 8)};
    for (unsigned bit = 8; bit > 0; bit >>= 1) {
        g->table[bit] = v;
        v = times_x(v);
    }
    for (unsigned i = 2; i < 16; i <<= 1)
        for (unsigned k = 1; k < i; k++)
            g->table[i + k] = (struct element){g->table[i].high ^ g->table[k].high,
                                               g->table[i].low ^ g->table[k].low};
}

static void ghash_block(struct ghash *g, const uint8_t block[BLOCK])
{
    struct element z = {0, 0};
    uint64_t x[2] = {g->sum.high ^ read_u64(block), g->sum.low ^ read_u64(block + 8)};
    for (unsigned i = 0; i < 32; i++) {
        uint64_t *word = i < 16 ? &x[1] : &x[0];
        for (unsigned k = 0; i > 0 && k < 4; k++)
            z = times_x(z);
        z.high ^= g->table[*word & 15].high;
        z.low ^= g->table[*word & 15].low;
        *word >>= 4;
    }
    g->sum = z;
}

static void ghash_add(struct ghash *g, struct slice s)
{
    uint8_t block[BLOCK];
    while (s.len > 0) {
        size_t n = s.len < BLOCK ? s.len : BLOCK;
        memset(block, 0, sizeof block);
        slice_read(&s, block, n);
        ghash_block(g, block);
    }
}

bool modes_open_gcm(EVP_CIPHER_CTX *ecb, const uint8_t nonce[MODES_NONCE],
                    const struct modes_message *m)
{
    uint8_t block[BLOCK] = {0}, mask[BLOCK], counter[BLOCK], tag[BLOCK];
    struct ghash g;
    memcpy(counter, nonce, MODES_NONCE);
    memcpy(counter + MODES_NONCE, (const uint8_t[]){0, 0, 0, 1}, 4);
    if (!encrypt(ecb, block, block, BLOCK) || !encrypt(ecb, counter, mask, BLOCK))
        return false;
    ghash_init(&g, block);
    ghash_add(&g, m->extra);
    ghash_add(&g, m->sealed);
    put_u64(block, (uint64_t)m->extra.len * 8);
    put_u64(block + 8, (uint64_t)m->sealed.len * 8);
    ghash_block(&g, block);
    put_u64(tag, g.sum.high);
    put_u64(tag + 8, g.sum.low);
    OPENSSL_cleanse(&g, sizeof g);
    for (unsigned i = 0; i < BLOCK; i++)
        tag[i] ^= mask[i];
    counter[BLOCK - 1] = 2;
    return m->tag.len == BLOCK && CRYPTO_memcmp(tag, m->tag.data, BLOCK) == 0 &&
           count_mode(ecb, counter, 4, m->sealed, m->out);
}

/* ---- CCM (RFC 3610) ---- */

static bool cbc_mac(EVP_CIPHER_CTX *ecb, uint8_t sum[BLOCK], struct slice s, size_t at)
{
    uint8_t waste[BLOCK];
    bool ok = true;
    while (ok && s.len > 0) {
        sum[at++] ^= slice_u8(&s);
        if (at == BLOCK || s.len == 0) {
            ok = encrypt(ecb, sum, waste, BLOCK);
            memcpy(sum, waste, BLOCK);
            at = 0;
        }
    }
    return ok;
}

bool modes_open_ccm(EVP_CIPHER_CTX *ecb, const uint8_t nonce[MODES_NONCE],
                    const struct modes_message *m)
{
    enum { LENGTH = 15 - MODES_NONCE }; /* bytes that count blocks, and those of the length */
    uint8_t counter[BLOCK] = {LENGTH - 1}, sum[BLOCK] = {0}, mask[BLOCK], first[BLOCK];
    size_t tag = m->tag.len, len = m->sealed.len, extra = m->extra.len;
    memcpy(counter + 1, nonce, MODES_NONCE);
    if (tag < 4 || tag > BLOCK || extra == 0 || extra >= 0xff00 ||
        !encrypt(ecb, counter, mask, BLOCK))
        return false;
    memcpy(first, counter, BLOCK);
    first[0] = (uint8_t)(0x40 | (tag - 2) / 2 << 3 | (LENGTH - 1));
    first[13] = (uint8_t)(len >> 16);
    first[14] = (uint8_t)(len >> 8);
    first[15] = (uint8_t)len;
    counter[BLOCK - 1] = 1;
    bool ok = count_mode(ecb, counter, LENGTH, m->sealed, m->out) &&
              cbc_mac(ecb, sum, slice_of(first, BLOCK), 0);
    sum[0] ^= (uint8_t)(extra >> 8);
    sum[1] ^= (uint8_t)extra;
    ok = ok && cbc_mac(ecb, sum, m->extra, 2) && cbc_mac(ecb, sum, slice_of(m->out, len), 0);
    for (unsigned i = 0; i < BLOCK; i++)
        sum[i] ^= mask[i];
    return ok && CRYPTO_memcmp(sum, m->tag.data, tag) == 0;
}

/* ---- ChaCha20-Poly1305 before RFC 7905 ---- */

static bool check_value(EVP_MAC_CTX *c, const uint8_t key[32], const struct modes_message *m,
                        uint8_t out[MODES_TAG])
{
    uint8_t lengths[2][8];
    size_t size = 0;
    for (unsigned i = 0; i < 8; i++) { /* little endian */
        lengths[0][i] = (uint8_t)((uint64_t)m->extra.len >> 8 * i);
        lengths[1][i] = (uint8_t)((uint64_t)m->sealed.len >> 8 * i);
    }
    return c && EVP_MAC_init(c, key, 32, NULL) == 1 &&
           EVP_MAC_update(c, m->extra.data, m->extra.len) == 1 &&
           EVP_MAC_update(c, lengths[0], 8) == 1 &&
           EVP_MAC_update(c, m->sealed.data, m->sealed.len) == 1 &&
           EVP_MAC_update(c, lengths[1], 8) == 1 && EVP_MAC_final(c, out, &size, MODES_TAG) == 1 &&
           size == MODES_TAG;
}

bool modes_open_early_chacha(EVP_CIPHER_CTX *chacha, EVP_MAC_CTX *poly1305, const uint8_t seq[8],
                             const struct modes_message *m)
{
    uint8_t iv[16] = {0}, key[64] = {0},
            tag[MODES_TAG]; /* IV: a counter of 64 bits, then the nonce */
    int n = 0;
    memcpy(iv + 8, seq, 8);
    bool ok = EVP_EncryptInit_ex2(chacha, NULL, NULL, iv, NULL) == 1 &&
              EVP_EncryptUpdate(chacha, key, &n, key, sizeof key) == 1 &&
              check_value(poly1305, key, m, tag) && m->tag.len == MODES_TAG &&
              CRYPTO_memcmp(tag, m->tag.data, MODES_TAG) == 0 &&
              EVP_EncryptUpdate(chacha, m->out, &n, m->sealed.data, (int)m->sealed.len) == 1;
    OPENSSL_cleanse(key, sizeof key);
    return ok;
}
