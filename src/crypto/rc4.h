/* The stream cipher RC4 (RFC 6229 has its vectors; RFC 7465 forbids it in TLS).  For reading old captures alone.
 *
 * Made here because a state must be copied for every record that may turn out not to be the next, and taken back by
 * some bytes: both cost nothing on plain memory, and an allocation each with OpenSSL. */
#ifndef TLSWIRE_CRYPTO_RC4_H
#define TLSWIRE_CRYPTO_RC4_H

#include "base/slice.h"

#include <stdint.h>

struct rc4 {
    uint8_t s[256], i, j;
};

/* KEY has 1 to 256 bytes. */
void rc4_init(struct rc4 *r, struct slice key);
/* Encrypts, or decrypts, IN; OUT has as many bytes and may be IN. */
void rc4_crypt(struct rc4 *r, struct slice in, uint8_t *out);
/* Lets N bytes of the key stream go by. */
void rc4_skip(struct rc4 *r, uint64_t n);
/* Takes the state back to where it was N bytes before. */
void rc4_back(struct rc4 *r, uint64_t n);

#endif
