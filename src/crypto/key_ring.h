/* Long-lived keys that open connections: RSA private keys of servers, and pre-shared keys.
 *
 * A ring is filled before the first packet and then only asked: readings may share it.  Secrets are
 * overwritten when it is freed, and no message of this room holds any. */
#ifndef TLSWIRE_CRYPTO_KEY_RING_H
#define TLSWIRE_CRYPTO_KEY_RING_H

#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RING_PRIVATE_MAX  256  /* private keys; more are refused */
#define RING_PSK_MAX      4096 /* pre-shared keys; more are refused */
#define RING_SECRET_MAX   512  /* bytes of a pre-shared key */
#define RING_IDENTITY_MAX 1024 /* bytes of an identity */
#define PREMASTER_SIZE    48   /* of the RSA key exchange (RFC 5246 7.4.7.1) */

struct key_ring;

enum ring_result {
    RING_TAKEN,
    RING_NO_KEY,       /* the bytes hold no private key in a form that is known */
    RING_BAD_PASSWORD, /* there is one, and the password does not open it; or none was given */
    RING_NOT_RSA,      /* there is one, but it can only sign */
    RING_FULL,         /* or no memory */
};

/* NULL when there is no memory. */
struct key_ring *key_ring_new(void);
void key_ring_free(struct key_ring *ring);

/* Takes the RSA private keys of a file: PEM, DER, PKCS #8 or PKCS #12.  PASSWORD may be NULL. */
enum ring_result key_ring_private(struct key_ring *ring, struct slice file, const char *password);
/* Takes a pre-shared key.  Without an identity (NULL) it is tried for every one that has no key of
 * its own; the last one counts.  False when it is too long or there is no room. */
bool key_ring_psk(struct key_ring *ring, const struct slice *identity, struct slice key);

size_t key_ring_private_count(const struct key_ring *ring);
size_t key_ring_psk_count(const struct key_ring *ring);

/* What ENCRYPTED hides, by whichever private key fits; the proof is the padding and the client's
 * version at its place.  HELLO_VERSION is the one that the client's hello names, 0 when unknown;
 * VERSION the one in use, which old clients put there instead. */
bool key_ring_premaster(const struct key_ring *ring, struct slice encrypted, uint16_t hello_version,
                        uint16_t version, uint8_t out[PREMASTER_SIZE]);
/* The key of IDENTITY; empty when there is none. */
struct slice key_ring_find_psk(const struct key_ring *ring, struct slice identity);

#endif
