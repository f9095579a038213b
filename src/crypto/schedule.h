/* From secrets to keys: the TLS 1.3 schedule (RFC 9846 7), the PRF of TLS 1.0 to 1.2 (RFC 5246 5)
 * and SSL 3.0's derivation (RFC 6101 6).
 *
 * Every function returns false when a length is out of range or OpenSSL refuses, and then has
 * written nothing that may be used.  The caller cleanses what it keeps. */
#ifndef TLSWIRE_CRYPTO_SCHEDULE_H
#define TLSWIRE_CRYPTO_SCHEDULE_H

#include "base/slice.h"
#include "crypto/provider.h"
#include "crypto/suite.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MASTER_SECRET_SIZE 48
#define KEY_MAX_SIZE       48
#define IV_MAX_SIZE        16
#define KEY_BLOCK_MAX      (2 * (HASH_MAX_SIZE + KEY_MAX_SIZE + IV_MAX_SIZE))

/* HKDF (RFC 5869).  OUT of hkdf_extract holds hash_size(hash) bytes. */
bool hkdf_extract(struct crypto_provider *p, enum hash_id hash, struct slice salt,
                  struct slice material, uint8_t *out);
/* INFO is the parts one after the other, at most three; OUT_LEN at most 255 times the hash. */
bool hkdf_expand(struct crypto_provider *p, enum hash_id hash, struct slice secret,
                 const struct slice *info, size_t info_count, uint8_t *out, size_t out_len);
/* HKDF-Expand-Label (RFC 9846 7.1); LABEL without its "tls13 " prefix. */
bool hkdf_expand_label(struct crypto_provider *p, enum hash_id hash, struct slice secret,
                       const char *label, struct slice context, uint8_t *out, size_t out_len);

/* One direction's TLS 1.3 record keys. */
struct traffic_keys {
    uint8_t key[KEY_MAX_SIZE]; /* cipher_info.key_len bytes */
    uint8_t iv[IV_MAX_SIZE];   /* cipher_info.iv_len bytes */
};

bool schedule_traffic_keys(struct crypto_provider *p, const struct suite *suite,
                           struct slice secret, struct traffic_keys *out);
/* application_traffic_secret_N+1 (RFC 9846 7.2); OUT holds SECRET.len bytes and may be SECRET. */
bool schedule_next_secret(struct crypto_provider *p, const struct suite *suite, struct slice secret,
                          uint8_t *out);
/* The same for drafts 18 to 28 of TLS 1.3; 0 is the standard. */
bool schedule_traffic_keys_draft(struct crypto_provider *p, const struct suite *suite,
                                 unsigned draft, struct slice secret, struct traffic_keys *out);
bool schedule_next_secret_draft(struct crypto_provider *p, const struct suite *suite,
                                unsigned draft, struct slice secret, uint8_t *out);
/* verify_data of a TLS 1.3 Finished (RFC 9846 4.4.4): hash_size(suite->hash) bytes. */
bool schedule_finished_13(struct crypto_provider *p, const struct suite *suite,
                          struct slice base_secret, struct slice transcript_hash, uint8_t *out);

/* The TLS 1.0, 1.1 or 1.2 PRF; HASH matters for 1.2 only.  SEED is split in two for convenience. */
bool schedule_prf(struct crypto_provider *p, enum tls_version version, enum hash_id hash,
                  struct slice secret, const char *label, struct slice seed1, struct slice seed2,
                  uint8_t *out, size_t out_len);
/* Also for SSL 3.0. */
bool schedule_master(struct crypto_provider *p, enum tls_version version, const struct suite *suite,
                     struct slice premaster, struct slice client_random, struct slice server_random,
                     uint8_t out[MASTER_SECRET_SIZE]);
/* RFC 7627 4; SESSION_HASH is over the messages up to and including ClientKeyExchange. */
bool schedule_extended_master(struct crypto_provider *p, enum tls_version version,
                              const struct suite *suite, struct slice premaster,
                              struct slice session_hash, uint8_t out[MASTER_SECRET_SIZE]);
/* verify_data of a TLS 1.0 to 1.2 Finished: 12 bytes. */
bool schedule_finished_12(struct crypto_provider *p, enum tls_version version,
                          const struct suite *suite, struct slice master, bool from_client,
                          struct slice handshake_hash, uint8_t out[12]);

struct key_parts {
    struct slice mac, key, iv; /* borrowed from the key_block */
};

struct key_block {
    uint8_t bytes[KEY_BLOCK_MAX];
    uint8_t final[KEY_BLOCK_MAX]; /* what export suites make of it */
    struct key_parts client, server;
};

/* Whether messages are hashed with the suite's hash; before, MD5 and SHA-1 stood side by side. */
bool schedule_has_own_hash(enum tls_version version);
/* Whether a block cipher's IV is the last block of the record before (SSL 3.0, TLS 1.0). */
bool schedule_chains_iv(enum tls_version version);
/* Bytes of IV a direction takes from the key block. */
size_t key_block_iv_size(enum tls_version version, enum cipher_id cipher);
/* The write keys of both directions (RFC 5246 6.3); also for SSL 3.0.  Do not copy *OUT: its parts
 * point into it.  Cleanse it with key_block_wipe. */
bool schedule_key_block(struct crypto_provider *p, enum tls_version version,
                        const struct suite *suite, struct slice master, struct slice client_random,
                        struct slice server_random, struct key_block *out);
void key_block_wipe(struct key_block *block);

#endif
