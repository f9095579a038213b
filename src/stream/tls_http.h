/* HTTP inside a connection's application data: what was asked and answered, for tlswire's own views.
 *
 * It is read when somebody asks for a field tlswire.http.*; others cost nothing.  The protocol is what ALPN
 * said, or what the first bytes look like. */
#ifndef TLSWIRE_STREAM_TLS_HTTP_H
#define TLSWIRE_STREAM_TLS_HTTP_H

#include "stream/tls_session.h"

#define HTTP_MEMORY_MAX ((size_t)64 << 20) /* of all connections */

/* Whether WANT asks for any of it. */
bool tls_http_wanted(const uint8_t *want);
/* Takes notice of a record of the reader's direction, C what was inside, and adds what it says below the item that
 * is open. */
void tls_http_record(struct tls_reader *r, const struct tls_content *c);
void tls_http_free(struct tls_http *h);

#endif
