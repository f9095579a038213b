/* Opening what HPKE sealed (RFC 9180, base mode), from the shared secret that its key encapsulation came to.
 *
 * OpenSSL 3.0 has no HPKE; with the shared secret at hand, only HKDF and an AEAD are left of it. */
#ifndef TLSWIRE_CRYPTO_HPKE_H
#define TLSWIRE_CRYPTO_HPKE_H

#include "crypto/provider.h"

#define HPKE_TAG 16

struct hpke {
    uint16_t kem, kdf, aead; /* code points (RFC 9180 7) */
    struct slice shared;     /* secret */
    struct slice info;
};

/* Opens message number SEQ: SEALED.len - HPKE_TAG bytes go to OUT.  False when it is not what was sealed, or the
 * algorithms are not known. */
bool hpke_open(struct crypto_provider *p, const struct hpke *h, uint64_t seq, struct slice extra,
               struct slice sealed, uint8_t *out);

#endif
