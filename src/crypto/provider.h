/* The one place that knows how to ask OpenSSL for algorithms: fetched once, kept, reused.
 *
 * An engine owns one crypto_provider and hands it to everything in this room; nothing here is
 * global, so engines on different threads never meet.  A provider may not be used by two threads at
 * once: it holds the hash contexts that digests and HMACs are computed in.
 *
 * Nothing is fetched before it is first needed.  Ciphers of OpenSSL's legacy provider (RC4, DES,
 * SEED, IDEA) are loaded into a library context of their own, so that the process's default one, in
 * which the endpoints live, is left as it is. */
#ifndef TLSWIRE_CRYPTO_PROVIDER_H
#define TLSWIRE_CRYPTO_PROVIDER_H

#include "base/slice.h"
#include "crypto/suite.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct evp_cipher_st;
struct evp_md_st;
struct evp_md_ctx_st;
struct evp_mac_ctx_st;
struct ossl_lib_ctx_st;
struct ossl_provider_st;

#define HASH_MAX_SIZE 64 /* bytes of the longest digest */

struct crypto_provider {
    struct evp_cipher_st *ciphers[CIPHER_COUNT]; /* owned; NULL until asked for */
    bool cipher_missing[CIPHER_COUNT];           /* asked for, and OpenSSL has it not */
    struct evp_md_st *digests[HASH_COUNT];       /* owned */
    struct evp_md_ctx_st *contexts[HASH_COUNT];  /* owned; one per hash, so that none is re-made */
    struct evp_mac_ctx_st *poly1305;             /* owned; NULL until asked for */
    struct ossl_lib_ctx_st *legacy; /* owned; NULL until a legacy cipher is asked for */
    struct ossl_provider_st *legacy_provider, *legacy_default;
};

void crypto_provider_init(struct crypto_provider *p);
void crypto_provider_free(struct crypto_provider *p);

/* The cipher, borrowed; NULL when OpenSSL does not have it. */
struct evp_cipher_st *provider_cipher(struct crypto_provider *p, enum cipher_id id);
/* The digest, borrowed; NULL when OpenSSL does not have it. */
struct evp_md_st *provider_digest(struct crypto_provider *p, enum hash_id id);

/* To be given a key and used at once, borrowed; NULL when OpenSSL does not have it. */
struct evp_mac_ctx_st *provider_poly1305(struct crypto_provider *p);

/* The hash of the parts one after the other; OUT holds hash_size(id) bytes.  False on failure. */
bool provider_hash(struct crypto_provider *p, enum hash_id id, const struct slice *parts,
                   size_t count, uint8_t *out);
/* HMAC (RFC 2104) over the parts one after the other.  OUT may not overlap KEY or the parts. */
bool provider_hmac(struct crypto_provider *p, enum hash_id id, struct slice key,
                   const struct slice *parts, size_t count, uint8_t *out);

#endif
