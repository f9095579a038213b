/* Protects TLS records anew after they were opened and changed: one direction of one connection, with
 * the AEAD suites of TLS 1.2 and 1.3 that go through OpenSSL's AES-GCM and ChaCha20-Poly1305. */
#ifndef TLSWIRE_ENDPOINT_SEALER_H
#define TLSWIRE_ENDPOINT_SEALER_H

#include "base/arena.h"
#include "base/buf.h"
#include "crypto/opener.h"

#include <openssl/evp.h>

struct sealer {
    struct crypto_provider provider;
    struct arena arena; /* emptied for each record */
    struct opener opener;
    const struct suite *suite; /* NULL: no keys yet */
    EVP_CIPHER_CTX *context;
    enum tls_version version;
    uint8_t key[KEY_MAX_SIZE], iv[IV_MAX_SIZE];
    uint8_t secret[HASH_MAX_SIZE]; /* TLS 1.3 */
    size_t secret_len;
    uint64_t seq;
};

void sealer_init(struct sealer *);
/* Cleanses the keys. */
void sealer_free(struct sealer *);
/* New keys; false when the suite is none of those above. */
bool sealer_key_13(struct sealer *, const struct suite *, struct slice secret);
bool sealer_key_12(struct sealer *, const struct suite *, struct slice master,
                   struct slice client_random, struct slice server_random);
/* After a KeyUpdate that goes out; what OpenSSL protects changes with one of its own. */
bool sealer_update(struct sealer *);
bool sealer_update_opener(struct sealer *);
/* What is in a record that OpenSSL protected: lies in the arena until the next call. */
bool sealer_open(struct sealer *, struct slice header, struct slice fragment, struct opened *);
/* Adds a whole record with PLAIN, of the content type TYPE, to OUT. */
bool sealer_seal(struct sealer *, uint8_t type, struct slice plain, struct buf *out);

#endif
