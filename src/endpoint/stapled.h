/* What a client makes of a stapled OCSP response (RFC 6960, RFC 6066 8). */
#ifndef TLSWIRE_ENDPOINT_STAPLED_H
#define TLSWIRE_ENDPOINT_STAPLED_H

#include <openssl/ssl.h>

/* For SSL_CTX_set_tlsext_status_cb: where the certificate is to be verified, a response that says it is
 * revoked, that is not good now, or that is not of its issuer ends the handshake.  None at all does not.
 */
int stapled_check(SSL *, void *);

#endif
