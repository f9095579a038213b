/* What only clients ask of a context: how to judge the server's certificate, sessions to resume,
 * pre-shared keys, early data. */
#ifndef TLSWIRE_ENDPOINT_CONTEXT_CLIENT_H
#define TLSWIRE_ENDPOINT_CONTEXT_CLIENT_H

#include "base/error.h"
#include "base/slice.h"
#include "endpoint/settings.h"

#include <openssl/ssl.h>

#define EARLY_DATA_MOST ((size_t)1 << 20) /* bytes of -early_data's file */

struct tls_pipe;

bool context_client(SSL_CTX *, const struct tls_settings *, struct error *);
/* Sessions of the context's pipes go to their on_session. */
void context_client_tell_sessions(SSL_CTX *);
/* A connection of such a context that has not begun: the names to check, the session to resume
 * (SESSION, or when it is NULL the one of the settings; borrowed), the early data. */
bool context_client_open(struct tls_pipe *, const struct tls_settings *, SSL_SESSION *session,
                         struct error *);

#endif
