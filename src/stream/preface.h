/* What stands in a stream before TLS begins: the talk of a protocol that asks for TLS (STARTTLS), the word of a
 * proxy.  Most protocols let TLS begin with a segment of its own; this is for those that do not wait, and for
 * ports that were said to be TLS and begin with something else. */
#ifndef TLSWIRE_STREAM_PREFACE_H
#define TLSWIRE_STREAM_PREFACE_H

#include "base/slice.h"
#include "stream/flow.h"

/* How many bytes in front of BYTES belong to such a protocol, when TLS or nothing follows them; 0: none.
 * ASKED: the other end asked for TLS by PostgreSQL's request, which is answered with one letter. */
size_t preface_length(struct slice bytes, bool asked);
/* Whether BYTES are PostgreSQL's request for TLS or GSSAPI. */
bool preface_asks(struct slice bytes);
/* Whether BYTES are HTTP: a request line or a status line. */
bool preface_is_http(struct slice bytes);

#endif
