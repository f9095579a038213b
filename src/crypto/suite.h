/* What a cipher suite means for the record layer: data only, no OpenSSL.
 *
 * The rows are in suite.def (suites) and suite.c (ciphers, hashes).  Names of suites for people are
 * in the code-point registry, not here. */
#ifndef TLSWIRE_CRYPTO_SUITE_H
#define TLSWIRE_CRYPTO_SUITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tls_version {
    VERSION_SSL2 = 0x0002,
    VERSION_TLCP = 0x0101,
    VERSION_SSL3 = 0x0300,
    VERSION_TLS10 = 0x0301,
    VERSION_TLS11 = 0x0302,
    VERSION_TLS12 = 0x0303,
    VERSION_TLS13 = 0x0304,
};

enum hash_id {
    HASH_NONE,
    HASH_MD5,
    HASH_SHA1,
    HASH_SHA256,
    HASH_SHA384,
    HASH_SHA512,
    HASH_SM3,
    HASH_COUNT
};

enum key_exchange {
    KX_TLS13, /* negotiated apart from the suite */
    KX_RSA,
    KX_DH_DSS,
    KX_DH_RSA,
    KX_DH_ANON,
    KX_DHE_DSS,
    KX_DHE_RSA,
    KX_ECDH_ECDSA,
    KX_ECDH_RSA,
    KX_ECDH_ANON,
    KX_ECDHE_ECDSA,
    KX_ECDHE_RSA,
    KX_PSK,
    KX_DHE_PSK,
    KX_RSA_PSK,
    KX_ECDHE_PSK,
    KX_KRB5,
    KX_SRP_SHA,
    KX_SRP_SHA_RSA,
    KX_SRP_SHA_DSS,
    KX_ECCPWD,
    KX_ECJPAKE,
    KX_SM2, /* of TLCP: ECC, ECDHE, IBC and IBSDH */
};

enum cipher_id {
    CIPHER_NULL,
    CIPHER_RC4_128,
    CIPHER_DES_CBC,
    CIPHER_3DES_CBC,
    CIPHER_IDEA_CBC,
    CIPHER_SEED_CBC,
    CIPHER_AES_128_CBC,
    CIPHER_AES_256_CBC,
    CIPHER_CAMELLIA_128_CBC,
    CIPHER_CAMELLIA_256_CBC,
    CIPHER_ARIA_128_CBC,
    CIPHER_ARIA_256_CBC,
    CIPHER_AES_128_GCM,
    CIPHER_AES_256_GCM,
    CIPHER_CAMELLIA_128_GCM,
    CIPHER_CAMELLIA_256_GCM,
    CIPHER_ARIA_128_GCM,
    CIPHER_ARIA_256_GCM,
    CIPHER_AES_128_CCM,
    CIPHER_AES_256_CCM,
    CIPHER_AES_128_CCM_8,
    CIPHER_AES_256_CCM_8,
    CIPHER_CHACHA20_POLY1305,
    CIPHER_RC2_CBC,
    CIPHER_SM4_CBC,
    CIPHER_SM4_GCM,
    CIPHER_SM4_CCM,
    CIPHER_CHACHA20_EARLY, /* before RFC 7905 */
    CIPHER_HMAC_SHA256,    /* integrity alone: RFC 9150 */
    CIPHER_HMAC_SHA384,
    CIPHER_COUNT
};

enum cipher_kind {
    KIND_NULL,
    KIND_STREAM,
    KIND_BLOCK,
    KIND_AEAD,
    KIND_CCM,
    KIND_OWN_GCM, /* made here of the block cipher: crypto/modes.h */
    KIND_OWN_CCM,
    KIND_EARLY_CHACHA,
    KIND_INTEGRITY
};

/* All lengths in bytes. */
struct cipher_info {
    const char *name;     /* for people: "AES-128-GCM" */
    const char *evp_name; /* OpenSSL's; NULL when it has none */
    enum cipher_kind kind;
    bool legacy;            /* lives in OpenSSL's legacy provider */
    uint8_t key_len;        /* 0 to 32 */
    uint8_t iv_len;         /* the cipher's whole nonce, or the block's size */
    uint8_t fixed_iv_len;   /* TLS 1.2 AEAD: taken from the key block (RFC 5288 3, RFC 7905 2) */
    uint8_t explicit_nonce; /* TLS 1.2 AEAD: sent with each record */
    uint8_t tag_len;
};

struct suite {
    uint16_t id; /* IANA code point */
    enum key_exchange key_exchange;
    enum cipher_id cipher;
    enum hash_id mac;   /* HASH_NONE for AEAD */
    enum hash_id hash;  /* of the PRF (TLS 1.2) and HKDF (TLS 1.3) */
    uint8_t export_len; /* bytes of the secret part of an export suite's key; 0 for all others */
};

/* The suite's row; NULL when the code point is unknown or its records cannot be described. */
const struct suite *suite_find(uint16_t id);
/* How many suites there are, and the I-th: for tests and lists. */
size_t suite_count(void);
const struct suite *suite_at(size_t i);
/* Never NULL. */
const struct cipher_info *cipher_info(enum cipher_id id);
/* Bytes of the digest; 0 for HASH_NONE. */
size_t hash_size(enum hash_id id);
/* Bytes of the hash's input block, as HMAC needs it. */
size_t hash_block_size(enum hash_id id);

#endif
