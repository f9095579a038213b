/* Opening protected records, one direction of one connection at a time.
 *
 * An opener is given keys, then records in order.  A record that verifies moves the sequence number
 * on; one that does not leaves the opener as it was, so that another record, another sequence
 * number or another opener may be tried.  Nothing unverified is ever handed out.
 *
 * Setting one up only copies the secret: keys are derived and OpenSSL is asked for a context at the
 * first record, once.  An AEAD record allocates nothing.  Where a MAC is computed, OpenSSL 3.0
 * makes a small context for each digest that no caller can keep. */
#ifndef TLSWIRE_CRYPTO_OPENER_H
#define TLSWIRE_CRYPTO_OPENER_H

#include "base/arena.h"
#include "base/slice.h"
#include "crypto/provider.h"
#include "crypto/schedule.h"
#include "crypto/suite.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECORD_HEADER_SIZE 5

enum open_result {
    OPEN_OK,
    OPEN_BAD_TAG,     /* not protected with this key and sequence number, or damaged */
    OPEN_TOO_SHORT,   /* shorter than the protection alone, or not whole blocks */
    OPEN_UNSUPPORTED, /* OpenSSL lacks the cipher, or suite, version and key do not fit together */
    OPEN_NO_MEMORY,
};

struct evp_cipher_ctx_st;
struct rc4;

/* Treat as opaque. */
struct opener {
    struct crypto_provider *provider; /* borrowed, must outlive the opener */
    const struct suite *suite;
    struct evp_cipher_ctx_st *context; /* owned; NULL until the first record */
    struct rc4 *stream;                /* owned; RC4 only */
    enum tls_version version;
    uint64_t seq;
    bool usable, keyed, encrypt_then_mac;
    uint8_t draft; /* of TLS 1.3; 0: the standard */
    uint8_t secret_len;
    uint8_t mac_len; /* of the key */
    uint8_t sent_mac_len;
    uint8_t secret[HASH_MAX_SIZE]; /* TLS 1.3 traffic secret */
    uint8_t mac[HASH_MAX_SIZE];
    uint8_t key[KEY_MAX_SIZE];
    uint8_t iv[IV_MAX_SIZE]; /* fixed or whole IV; TLS 1.0 CBC: the next record's */
};

struct opened {
    struct slice plaintext; /* in the caller's arena; empty unless OPEN_OK */
    uint8_t type;   /* content type; TLS 1.3: the inner one, 0 when there was only padding */
    size_t padding; /* TLS 1.3: zero bytes stripped; CBC: padding_length; otherwise 0 */
};

/* Both forget whatever *O was (a zeroed one is right) and copy the keys.  False when the suite
 * cannot be used with this version or the secret has the wrong length; opening then says
 * OPEN_UNSUPPORTED. SUITE may be NULL. */
bool opener_init_13(struct opener *o, struct crypto_provider *p, const struct suite *suite,
                    struct slice traffic_secret);
/* The records are those of a draft of TLS 1.3, 18 to 28; to be called before the first is opened. */
void opener_set_draft(struct opener *o, unsigned draft);

/* What was negotiated beside the suite. */
enum { OPENER_ENCRYPT_THEN_MAC = 1, OPENER_TRUNCATED_HMAC = 2 };
/* SSL 3.0 to TLS 1.2, and TLCP.  KEYS are this direction's parts of schedule_key_block(), FEATURES the
 * sum of OPENER_… */
bool opener_init_12(struct opener *o, struct crypto_provider *p, enum tls_version version,
                    const struct suite *suite, const struct key_parts *keys, unsigned features);
/* Cleanses the keys of a copy, whose contexts another opener owns. */
void opener_wipe(struct opener *copy);
/* Cleanses the keys; safe on a zeroed opener, and twice. */
void opener_free(struct opener *o);

/* Opens one record.  HEADER is its 5 bytes as they were sent, FRAGMENT what followed. */
enum open_result opener_open(struct opener *o, struct slice header, struct slice fragment,
                             struct arena *arena, struct opened *out);
/* The same, but when it fails tries the next LIMIT sequence numbers too, for when records were not
 * captured.  *SKIPPED is how many were missing; 0 when none were or when it fails. */
enum open_result opener_open_ahead(struct opener *o, struct slice header, struct slice fragment,
                                   struct arena *arena, unsigned limit, struct opened *out,
                                   unsigned *skipped);
/* The same when LOST bytes of the stream are missing between the last record and this one, headers and all:
 * RC4's key stream goes on with each of them. */
enum open_result opener_open_gap(struct opener *o, struct slice header, struct slice fragment,
                                 struct arena *arena, unsigned limit, uint64_t lost,
                                 struct opened *out, unsigned *skipped);
/* What a record of TYPE holds where the suite encrypts nothing (RFC 5246 A.5, RFC 9150), without the keys that would show
 * whether it is what was sent.  False for other suites.  FEATURES as in opener_init_12(). */
bool opener_read_bare(const struct suite *suite, enum tls_version version, unsigned features,
                      uint8_t type, struct slice fragment, struct opened *out);
/* Lets one record of this key go by unopened.  What TLS 1.0's CBC chaining and RC4 need to go on
 * after a record that was there but could not be opened; a plain skip for all others. */
void opener_pass(struct opener *o, struct slice fragment);
/* Lets N records that were not seen go by. */
void opener_skip(struct opener *o, uint64_t n);
/* Whether records are tied to those before by more than their number: RC4, and CBC until TLS 1.0. */
bool opener_chains(const struct opener *o);
/* Whether the suite protects records from being changed alone, not from being read. */
bool suite_is_bare(const struct suite *suite);
/* Whether OpenSSL, and what is made here, can open records of the suite. */
bool opener_can(struct crypto_provider *p, const struct suite *suite);
/* The sequence number the next record is expected to have. */
uint64_t opener_seq(const struct opener *o);
/* After a KeyUpdate from this direction's sender (RFC 9846 7.2): next secret, sequence number 0. */
bool opener_update_13(struct opener *o);

#endif
