/* MD5 (RFC 1321), which JA3 names hellos by.  It protects nothing: libcrypto, which is slow to wake up and takes 2 MB when
 * it has, is left alone until something is to be decrypted. */
#ifndef TLSWIRE_CRYPTO_MD5_H
#define TLSWIRE_CRYPTO_MD5_H

#include "base/slice.h"

#define MD5_BYTES 16

void md5(struct slice bytes, uint8_t out[MD5_BYTES]);

#endif
