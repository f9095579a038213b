/* The block cipher IDEA (RFC 3058 names where it is written down; its patents are gone), which most builds of
 * OpenSSL leave out.  For reading old captures alone. */
#ifndef TLSWIRE_CRYPTO_IDEA_H
#define TLSWIRE_CRYPTO_IDEA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IDEA_BLOCK 8
#define IDEA_KEY   16

/* Decrypts LEN bytes, whole blocks, chained from IV on (CBC).  OUT may be IN. */
void idea_cbc_decrypt(const uint8_t key[IDEA_KEY], const uint8_t iv[IDEA_BLOCK], const uint8_t *in,
                      uint8_t *out, size_t len);

#endif
