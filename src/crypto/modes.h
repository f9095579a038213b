/* Authenticated modes that OpenSSL 3.0 has no cipher for, put together from what it has: GCM and CCM over a block
 * cipher (Camellia, SM4), and ChaCha20-Poly1305 as it was before RFC 7905.
 *
 * They read captures, they protect nothing: no care is taken that time tells nothing about keys. */
#ifndef TLSWIRE_CRYPTO_MODES_H
#define TLSWIRE_CRYPTO_MODES_H

#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

struct evp_cipher_ctx_st;
struct evp_mac_ctx_st;

#define MODES_NONCE 12
#define MODES_TAG   16

/* What is opened: SEALED.len bytes go to OUT, when TAG is right. */
struct modes_message {
    struct slice extra, sealed, tag;
    uint8_t *out;
};

/* ECB is keyed, for encryption, without padding; its block has 16 bytes.  False: another tag. */
bool modes_open_gcm(struct evp_cipher_ctx_st *ecb, const uint8_t nonce[MODES_NONCE],
                    const struct modes_message *m);
bool modes_open_ccm(struct evp_cipher_ctx_st *ecb, const uint8_t nonce[MODES_NONCE],
                    const struct modes_message *m);
/* CHACHA is keyed, POLY1305 is to be (NULL: nothing opens); SEQ is the record's sequence number (draft-agl-tls-chacha20poly1305-04). */
bool modes_open_early_chacha(struct evp_cipher_ctx_st *chacha, struct evp_mac_ctx_st *poly1305,
                             const uint8_t seq[8], const struct modes_message *m);

#endif
