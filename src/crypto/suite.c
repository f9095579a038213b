#include "crypto/suite.h"

/* clang-format off */
static const struct cipher_info ciphers[CIPHER_COUNT] = {
    /*                        name                 OpenSSL's name       kind       legacy  key iv fixed explicit tag */
    [CIPHER_NULL] =          {"NULL",              NULL,                KIND_NULL,   false,  0,  0,  0, 0,  0},
    [CIPHER_RC4_128] =       {"RC4-128",           NULL,                KIND_STREAM, false, 16,  0,  0, 0,  0},
    [CIPHER_DES_CBC] =       {"DES-CBC",           "DES-CBC",           KIND_BLOCK,  true,   8,  8,  0, 0,  0},
    [CIPHER_3DES_CBC] =      {"3DES-EDE-CBC",      "DES-EDE3-CBC",      KIND_BLOCK,  false, 24,  8,  0, 0,  0},
    [CIPHER_IDEA_CBC] =      {"IDEA-CBC",          NULL,                KIND_BLOCK,  false, 16,  8,  0, 0,  0},
    [CIPHER_SEED_CBC] =      {"SEED-CBC",          "SEED-CBC",          KIND_BLOCK,  true,  16, 16,  0, 0,  0},
    [CIPHER_AES_128_CBC] =   {"AES-128-CBC",       "AES-128-CBC",       KIND_BLOCK,  false, 16, 16,  0, 0,  0},
    [CIPHER_AES_256_CBC] =   {"AES-256-CBC",       "AES-256-CBC",       KIND_BLOCK,  false, 32, 16,  0, 0,  0},
    [CIPHER_CAMELLIA_128_CBC] = {"CAMELLIA-128-CBC", "CAMELLIA-128-CBC", KIND_BLOCK, false, 16, 16,  0, 0,  0},
    [CIPHER_CAMELLIA_256_CBC] = {"CAMELLIA-256-CBC", "CAMELLIA-256-CBC", KIND_BLOCK, false, 32, 16,  0, 0,  0},
    [CIPHER_ARIA_128_CBC] =  {"ARIA-128-CBC",      "ARIA-128-CBC",      KIND_BLOCK,  false, 16, 16,  0, 0,  0},
    [CIPHER_ARIA_256_CBC] =  {"ARIA-256-CBC",      "ARIA-256-CBC",      KIND_BLOCK,  false, 32, 16,  0, 0,  0},
    [CIPHER_AES_128_GCM] =   {"AES-128-GCM",       "AES-128-GCM",       KIND_AEAD,   false, 16, 12,  4, 8, 16},
    [CIPHER_AES_256_GCM] =   {"AES-256-GCM",       "AES-256-GCM",       KIND_AEAD,   false, 32, 12,  4, 8, 16},
    [CIPHER_CAMELLIA_128_GCM] = {"CAMELLIA-128-GCM", "CAMELLIA-128-ECB", KIND_OWN_GCM, false, 16, 12, 4, 8, 16},
    [CIPHER_CAMELLIA_256_GCM] = {"CAMELLIA-256-GCM", "CAMELLIA-256-ECB", KIND_OWN_GCM, false, 32, 12, 4, 8, 16},
    [CIPHER_ARIA_128_GCM] =  {"ARIA-128-GCM",      "ARIA-128-GCM",      KIND_AEAD,   false, 16, 12,  4, 8, 16},
    [CIPHER_ARIA_256_GCM] =  {"ARIA-256-GCM",      "ARIA-256-GCM",      KIND_AEAD,   false, 32, 12,  4, 8, 16},
    [CIPHER_AES_128_CCM] =   {"AES-128-CCM",       "AES-128-CCM",       KIND_CCM,    false, 16, 12,  4, 8, 16},
    [CIPHER_AES_256_CCM] =   {"AES-256-CCM",       "AES-256-CCM",       KIND_CCM,    false, 32, 12,  4, 8, 16},
    [CIPHER_AES_128_CCM_8] = {"AES-128-CCM-8",     "AES-128-CCM",       KIND_CCM,    false, 16, 12,  4, 8,  8},
    [CIPHER_AES_256_CCM_8] = {"AES-256-CCM-8",     "AES-256-CCM",       KIND_CCM,    false, 32, 12,  4, 8,  8},
    [CIPHER_CHACHA20_POLY1305] = {"CHACHA20-POLY1305", "ChaCha20-Poly1305", KIND_AEAD, false, 32, 12, 12, 0, 16},
    [CIPHER_RC2_CBC] =       {"RC2-CBC",           "RC2-CBC",           KIND_BLOCK,  true,  16,  8,  0, 0,  0},
    [CIPHER_SM4_CBC] =       {"SM4-CBC",           "SM4-CBC",           KIND_BLOCK,  false, 16, 16,  0, 0,  0},
    [CIPHER_SM4_GCM] =       {"SM4-GCM",           "SM4-ECB",           KIND_OWN_GCM, false, 16, 12, 4, 8, 16},
    [CIPHER_SM4_CCM] =       {"SM4-CCM",           "SM4-ECB",           KIND_OWN_CCM, false, 16, 12, 4, 8, 16},
    [CIPHER_CHACHA20_EARLY] = {"CHACHA20-POLY1305 (early)", "ChaCha20", KIND_EARLY_CHACHA, false, 32, 0, 0, 0, 16},
    [CIPHER_HMAC_SHA256] =   {"HMAC-SHA256",       NULL,                KIND_INTEGRITY, false, 32, 12, 12, 0, 32},
    [CIPHER_HMAC_SHA384] =   {"HMAC-SHA384",       NULL,                KIND_INTEGRITY, false, 48, 12, 12, 0, 48},
};
/* clang-format on */

static const struct suite suites[] = {
#define SUITE(code, kx, bulk, record_mac, prf) \
    {.id = (code),                             \
     .key_exchange = KX_##kx,                  \
     .cipher = CIPHER_##bulk,                  \
     .mac = HASH_##record_mac,                 \
     .hash = HASH_##prf},
#define EXPORT(code, kx, bulk, record_mac, len) \
    {.id = (code),                              \
     .key_exchange = KX_##kx,                   \
     .cipher = CIPHER_##bulk,                   \
     .mac = HASH_##record_mac,                  \
     .hash = HASH_SHA256,                       \
     .export_len = (len)},
#include "crypto/suite.def"
#undef SUITE
#undef EXPORT
};

#define SUITE_COUNT (sizeof suites / sizeof suites[0])

const struct suite *suite_find(uint16_t id)
{
    size_t low = 0, high = SUITE_COUNT;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (suites[middle].id == id)
            return &suites[middle];
        if (suites[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

size_t suite_count(void)
{
    return SUITE_COUNT;
}

const struct suite *suite_at(size_t i)
{
    return i < SUITE_COUNT ? &suites[i] : NULL;
}

const struct cipher_info *cipher_info(enum cipher_id id)
{
    return &ciphers[id];
}

size_t hash_size(enum hash_id id)
{
    static const uint8_t sizes[HASH_COUNT] = {0, 16, 20, 32, 48, 64, 32};
    return sizes[id];
}

size_t hash_block_size(enum hash_id id)
{
    static const uint8_t sizes[HASH_COUNT] = {64, 64, 64, 64, 128, 128, 64};
    return sizes[id];
}
