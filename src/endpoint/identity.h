/* A certificate chain and its private key, from files: PEM, DER or PKCS #12, told apart by their
 * bytes, with a passphrase from where OpenSSL's tools take one. */
#ifndef TLSWIRE_ENDPOINT_IDENTITY_H
#define TLSWIRE_ENDPOINT_IDENTITY_H

#include "base/error.h"
#include "endpoint/settings.h"

#include <openssl/ssl.h>

struct identity {
    X509 *x509;
    EVP_PKEY *key;
    STACK_OF(X509) * chain; /* without the leaf; NULL: none */
};

/* Reads the files; a key that does not belong to the certificate is an error, and so is, unless
 * LAX, a key file that others than its owner may read.  The caller frees it (identity_free), also
 * after a failure. */
bool identity_read(struct identity *, const struct identity_files *, bool lax, struct error *);
void identity_free(struct identity *);
/* Gives it to a context, beside those of other kinds of key. */
bool identity_use(const struct identity *, SSL_CTX *, struct error *);
/* The passphrase that SOURCE ("pass:…", "env:NAME", "file:PATH", "fd:N", "stdin") names, of at most
 * SIZE - 1 bytes; wipe it after use. */
bool identity_passphrase(const char *source, char *text, size_t size, struct error *);

#endif
