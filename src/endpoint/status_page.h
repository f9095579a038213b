/* The page that a server with -www answers: what was negotiated on this very connection. */
#ifndef TLSWIRE_ENDPOINT_STATUS_PAGE_H
#define TLSWIRE_ENDPOINT_STATUS_PAGE_H

#include "base/buf.h"
#include "endpoint/hooks.h"

#include <openssl/ssl.h>

#define REQUEST_CEILING 8192 /* bytes of one request's head */

enum request_state { REQUEST_UNFINISHED, REQUEST_COMPLETE, REQUEST_BAD };

/* Looks whether HEAD holds the whole head of an HTTP request (or an HTTP/0.9 line). */
enum request_state status_request(struct slice head);
/* The whole HTTP/1.0 response.  HEAD_ONLY leaves the body out (the HEAD method). */
void status_page(struct buf *out, SSL *, const struct endpoint_report *, bool head_only);
/* A short answer for a request that cannot be served: CODE is 400 or 405. */
void status_refusal(struct buf *out, unsigned code);

#endif
