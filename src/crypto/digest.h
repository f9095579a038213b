/* Plain digests: fingerprints in hexadecimal (JA3 and the like) and the running transcript hash. */
#ifndef TLSWIRE_CRYPTO_DIGEST_H
#define TLSWIRE_CRYPTO_DIGEST_H

#include "base/slice.h"
#include "crypto/provider.h"

#include <stdbool.h>

/* Lower-case hexadecimal with a final NUL.  False, and an empty string, on failure. */
void digest_md5_hex(struct slice bytes, char out[33]);
bool digest_sha256_hex(struct crypto_provider *p, struct slice bytes, char out[65]);

/* The hash over all handshake messages so far (RFC 9846 4.4.1); one per connection that needs one.
 */
struct transcript {
    struct evp_md_ctx_st *running, *copy; /* owned */
    enum hash_id hash;
};

/* False when the hash is not to be had; the transcript then refuses everything, harmlessly. */
bool transcript_init(struct transcript *t, struct crypto_provider *p, enum hash_id hash);
void transcript_free(struct transcript *t);
bool transcript_add(struct transcript *t, struct slice message);
/* The hash up to here, hash_size() bytes into OUT; the transcript goes on. */
bool transcript_peek(struct transcript *t, uint8_t *out);
/* Replaces what was added by the synthetic message_hash message, as a HelloRetryRequest asks. */
bool transcript_retry(struct transcript *t);

#endif
