/* Proof with public keys: signatures of handshake messages, certificates, their chain, OCSP responses.
 *
 * Nothing here trusts anything: what is checked is whether the messages of one connection agree with each
 * other and with the capture's clock.  Each function says in WHY, in one sentence, what it found; text of
 * the sender's may be in it, which whoever prints it escapes.  All of it allocates, for as long as the call
 * lasts: it is done a few times in a connection, when somebody asks. */
#ifndef TLSWIRE_CRYPTO_VERIFY_H
#define TLSWIRE_CRYPTO_VERIFY_H

#include "base/buf.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

enum verdict { VERDICT_NONE, VERDICT_OK, VERDICT_FAILED, VERDICT_UNCHECKABLE };

struct evp_pkey_st;

/* ---- verify_signature.c ---- */

/* The key of a DER certificate, or a raw public key (RFC 7250), which *RAW tells; NULL when OpenSSL reads
 * neither. */
struct evp_pkey_st *verify_key(struct slice certificate, bool *raw);
void verify_key_free(struct evp_pkey_st *key);

#define SCHEME_BEFORE_12 0 /* MD5 and SHA-1 with RSA, SHA-1 with the others (RFC 4346 7.4.3) */

/* Whether SIGNATURE is the key's over MESSAGE.  SCHEME is a code point of TLS (RFC 9846 4.2.3). */
enum verdict verify_signature(struct evp_pkey_st *key, uint16_t scheme, struct slice message,
                              struct slice signature, struct buf *why);

/* ---- verify_chain.c ---- */

#define VERIFY_CERTIFICATES 32 /* of one message; a mark in WHY tells of more */

/* Certificates as they were sent, in that order: the first is the sender's own. */
struct certificate_chain {
    struct slice certificates[VERIFY_CERTIFICATES];
    size_t count;
    bool more; /* than fit */
};

/* Each certificate's signature, by the key of its issuer among the others. */
enum verdict verify_chain(const struct certificate_chain *chain, struct buf *why);
/* Whether NOW, nanoseconds since 1970, is within the dates of all. */
enum verdict verify_dates(const struct certificate_chain *chain, int64_t now, struct buf *why);
/* Whether the first is for the name that the client asked for (RFC 9525). */
enum verdict verify_host(const struct certificate_chain *chain, struct slice name, struct buf *why);

/* ---- verify_stapled.c ---- */

/* The OCSP response for certificate AT of the chain: signature, which certificate it is for, dates, and what
 * it says (RFC 6960 3.2). */
enum verdict verify_ocsp(const struct certificate_chain *chain, size_t at, struct slice response,
                         int64_t now, struct buf *why);

/* ---- verify_sct.c ---- */

/* What timestamps are of: the first certificate of the chain, before they were put into it when they are embedded. */
struct sct_subject {
    const struct certificate_chain *chain;
    struct slice
        log_key; /* SubjectPublicKeyInfo of one more log than the table has; may be empty */
    bool embedded;
};

/* A list of SCTs (RFC 6962 3.3): signatures of the logs whose keys are known, and times. */
enum verdict verify_scts(const struct sct_subject *subject, struct slice list, int64_t now,
                         struct buf *why);
/* The list inside the first certificate; empty when it has none.  It lies in OUT. */
struct slice verify_embedded_scts(const struct certificate_chain *chain, struct buf *out);

#endif
