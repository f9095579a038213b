/* Single fields of a server's messages, wrong on purpose. */
#ifndef TLSWIRE_ENDPOINT_MISCHIEF_EDIT_H
#define TLSWIRE_ENDPOINT_MISCHIEF_EDIT_H

#include "endpoint/breakage.h"

/* The handshake message MESSAGE with the field changed, into OUT; as it was when it has no such field.
 * NEWEST: of TLS 1.3. */
void mischief_edit(enum edit, struct slice message, bool newest, struct buf *out);

#endif
