/* The page that -www answers with: what was negotiated, what the client offered, the ladder; as HTML,
 * text or JSON, as the client prefers. */
#ifndef TLSWIRE_ENDPOINT_STATUS_PAGE_H
#define TLSWIRE_ENDPOINT_STATUS_PAGE_H

#include "endpoint/http.h"

void status_page(struct answer *, const struct http_request *, struct http_response *);

#endif
