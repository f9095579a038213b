/* Certificates made on the fly, for a server that was given none. */
#ifndef TLSWIRE_ENDPOINT_CERTIFICATE_H
#define TLSWIRE_ENDPOINT_CERTIFICATE_H

#include "base/error.h"

#include <openssl/x509.h>

enum certificate_kind {
    CERTIFICATE_ECDSA_P256,
    CERTIFICATE_RSA_2048,
    CERTIFICATE_RSA_1024,
};

struct certificate {
    X509 *x509;
    EVP_PKEY *key;
};

/* What a certificate is to say.  Texts of extensions are written as OpenSSL's configuration writes
 * them (x509v3_config); NULL leaves the extension out. */
struct certificate_recipe {
    const char *common_name; /* NULL: an empty subject */
    const char *names;       /* subjectAltName */
    const char *constraints, *usage, *extended_usage, *name_constraints;
    int from_days, until_days; /* from now; of the first, an hour is taken off for slow clocks */
    enum certificate_kind kind;
    const char *digest; /* NULL: SHA-256 */
    bool version_1;     /* no extensions at all */
    bool unknown_critical;
    bool damaged;                     /* the signature does not verify */
    const struct certificate *issuer; /* NULL: it signs itself */
    EVP_PKEY *key;                    /* NULL: a new one */
};

/* Makes a certificate; the caller frees it with certificate_free, also after a failure. */
bool certificate_issue(struct certificate *, const struct certificate_recipe *, struct error *);
/* A self-signed certificate for CN=localhost with the names localhost, 127.0.0.1 and ::1, good from
 * yesterday for 30 days.  The caller frees it with certificate_free, also after a failure. */
bool certificate_make(struct certificate *, enum certificate_kind, struct error *);
/* A new key; NULL when OpenSSL cannot. */
EVP_PKEY *certificate_key(enum certificate_kind);
/* A root that issues others. */
bool certificate_make_authority(struct certificate *, enum certificate_kind, const char *name,
                                int days, struct error *);
void certificate_free(struct certificate *);
/* The certificate (not the key) as PEM; the file must not exist yet. */
bool certificate_write(const struct certificate *, const char *path, struct error *);
/* The certificate and its key as PEM, for its owner alone; the file must not exist yet. */
bool certificate_write_both(const struct certificate *, const char *path, struct error *);
/* "ECDSA P-256" or "RSA-2048". */
const char *certificate_kind_text(enum certificate_kind);

#endif
