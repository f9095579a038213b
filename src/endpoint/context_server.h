/* What only a server's context has: client certificates, certificates by name, pre-shared keys,
 * early data, a stapled OCSP response. */
#ifndef TLSWIRE_ENDPOINT_CONTEXT_SERVER_H
#define TLSWIRE_ENDPOINT_CONTEXT_SERVER_H

#include "base/error.h"
#include "endpoint/settings.h"

#include <openssl/ssl.h>

/* SETTINGS must outlive the context. */
bool context_server(SSL_CTX *, const struct tls_settings *, struct error *);

#endif
