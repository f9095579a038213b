/* The keys that session tickets are sealed with (RFC 5077 4, RFC 9846 4.7.1).
 *
 * A ring of three: tickets are made with the newest key and taken with all of them, so that a
 * client resumes across two changes of keys.  One ring serves every context and every thread of a
 * server, and lives on when a context is replaced. */
#ifndef TLSWIRE_ENDPOINT_TICKET_KEYS_H
#define TLSWIRE_ENDPOINT_TICKET_KEYS_H

#include "base/error.h"
#include "endpoint/settings.h"

#include <openssl/ssl.h>
#include <stdint.h>

/* A key in a file of keys: name (16), AES-256 (32), HMAC-SHA256 (32); the first is the newest. */
#define TICKET_KEY_BYTES 80
#define TICKET_KEYS      3

struct ticket_keys;

/* A ring with one random key, which gets a new one every SECONDS (0: never); NULL when there is no
 * memory or no randomness.  The caller's, for ticket_keys_free; contexts must be freed before. */
struct ticket_keys *ticket_keys_new(uint64_t seconds, struct error *);
void ticket_keys_free(struct ticket_keys *);
/* Takes the keys from a file of one to three keys, which then stay; the ring is as it was when the
 * file is none.  A file that others may read is refused.  The opener may be NULL. */
bool ticket_keys_load(struct ticket_keys *, const char *path, const struct file_opener *,
                      struct error *);
/* Tickets of CTX are made and taken with RING, or with OpenSSL's own key when RING is NULL. */
bool ticket_keys_use(struct ticket_keys *ring, SSL_CTX *ctx);
/* A new key now; the oldest is forgotten. */
bool ticket_keys_rotate(struct ticket_keys *);

#endif
