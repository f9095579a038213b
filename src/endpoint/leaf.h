/* A server's certificate for some names with what goes below it: the good kind, and those that no
 * client should take. */
#ifndef TLSWIRE_ENDPOINT_LEAF_H
#define TLSWIRE_ENDPOINT_LEAF_H

#include "endpoint/certificate.h"

/* A CA between the root and the certificate. */
enum middle {
    MIDDLE_NONE,
    MIDDLE_SENT,
    MIDDLE_MISSING,     /* not sent */
    MIDDLE_NOT_CA,      /* no CA at all by its basicConstraints */
    MIDDLE_CONSTRAINED, /* may not issue for such names */
    MIDDLE_TOO_LONG,    /* two of them, where the first may have none below it */
    MIDDLE_EXPIRED,
    MIDDLE_NO_SIGNING, /* its key usage is not to sign certificates */
};

#define LEAF_DAYS 90 /* browsers take no more than 398 */

/* What is wrong with it; all zero: nothing. */
struct leaf_twist {
    int from_days, until_days; /* both 0: good now */
    const char *names;         /* instead of those that were asked for */
    bool no_names, version_1, self_signed, stranger, damaged, unknown_critical, wrong_key,
        short_rsa;
    bool rsa;                 /* never ECDSA */
    bool reversed, root_sent; /* the order of what is sent; the root with it */
    const char *digest, *usage, *extended_usage;
    enum middle middle;
    unsigned strangers_sent; /* certificates that have nothing to do with it */
};

struct leaf {
    X509 *x509;
    EVP_PKEY *key;
    STACK_OF(X509) * chain; /* what is sent behind it; NULL: nothing */
};

/* A certificate for NAMES (a subjectAltName) by ROOT.  KEY is borrowed.  The caller frees *LEAF with
 * leaf_free, also after a failure. */
bool leaf_make(struct leaf *, const struct certificate *root, const char *names, EVP_PKEY *key,
               const struct leaf_twist *, struct error *);
void leaf_free(struct leaf *);

#endif
