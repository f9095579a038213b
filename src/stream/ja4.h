/* JA4: a fingerprint of a ClientHello that does not depend on the order of its lists. */
#ifndef TLSWIRE_STREAM_JA4_H
#define TLSWIRE_STREAM_JA4_H

#include "base/arena.h"
#include "base/buf.h"
#include "crypto/provider.h"

/* Appends the fingerprint of the ClientHello whose BODY (without type and length) this is, over TCP:
 * "t13d1516h2_8daaf6152771_e5627efa2ab1"; with CRYPTO NULL the lists themselves instead of their hashes
 * (JA4_r).  MEMORY holds the lists while they are sorted.  False when there is no memory, or no hash. */
bool ja4_client(struct buf *out, struct slice body, struct arena *memory,
                struct crypto_provider *crypto);

#endif
