/* Settings → an OpenSSL context, with errors in words. */
#ifndef TLSWIRE_ENDPOINT_CONTEXT_H
#define TLSWIRE_ENDPOINT_CONTEXT_H

#include "base/error.h"
#include "endpoint/settings.h"

#include <openssl/ssl.h>
#include <stddef.h>

enum tls_role { TLS_CLIENT, TLS_SERVER };

struct certificate;

/* A context of the caller's (SSL_CTX_free), or NULL.  TEMPORARY may be NULL; it is used by a server
 * whose settings name no certificate, and is not kept.  SETTINGS must outlive the context. */
SSL_CTX *context_new(const struct tls_settings *settings, enum tls_role,
                     const struct certificate *temporary, struct error *);
/* The reason of the oldest error in OpenSSL's queue, in words; empties the queue. */
void context_reason(char *text, size_t size);
/* True when the settings ask for TLS 1.0 or 1.1, which OpenSSL 3 speaks at security level 0 only.
 */
bool settings_want_old_versions(const struct tls_settings *);

#endif
