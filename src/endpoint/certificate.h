/* Certificates made on the fly, for a server that was given none. */
#ifndef TLSWIRE_ENDPOINT_CERTIFICATE_H
#define TLSWIRE_ENDPOINT_CERTIFICATE_H

#include "base/error.h"

#include <openssl/x509.h>

enum certificate_kind { CERTIFICATE_ECDSA_P256, CERTIFICATE_RSA_2048 };

struct certificate {
    X509 *x509;
    EVP_PKEY *key;
};

/* A self-signed certificate for CN=localhost with the names localhost, 127.0.0.1 and ::1, good from
 * yesterday for 30 days.  The caller frees it with certificate_free, also after a failure. */
bool certificate_make(struct certificate *, enum certificate_kind, struct error *);
void certificate_free(struct certificate *);
/* The certificate (not the key) as PEM; the file must not exist yet. */
bool certificate_write(const struct certificate *, const char *path, struct error *);
/* "ECDSA P-256" or "RSA-2048". */
const char *certificate_kind_text(enum certificate_kind);

#endif
