/* Proof of what a connection's handshake says: Finished messages, signatures, certificates, and that the
 * hellos fit each other.
 *
 * It is done for a connection when somebody asks for a field tlswire.verify.*; others cost nothing.  The
 * handshake's messages are kept until both sides have finished, up to a ceiling.  A check is an event below
 * its message: `ok`, `failed` or `not checkable`, and why.  What fails when a part of the handshake was not
 * read is not called failed. */
#ifndef TLSWIRE_STREAM_TLS_VERIFY_H
#define TLSWIRE_STREAM_TLS_VERIFY_H

#include "crypto/verify.h"
#include "stream/tls_session.h"

#define VERIFY_TRANSCRIPT_MAX ((size_t)1 << 20)  /* bytes of one handshake */
#define VERIFY_MEMORY_MAX     ((size_t)64 << 20) /* of all that are under way */

/* Whether WANT asks for any of it. */
bool tls_verify_wanted(const uint8_t *want);
/* Adds the message at AT to the transcript, checks what it holds, and adds what came of that below the item
 * that is open. */
void tls_verify_message(struct tls_reader *r, const struct tls_content *c, uint32_t at,
                        uint32_t end);
/* The same for a hello of SSL 2.0's form: MESSAGE is its record without the header. */
void tls_verify_old_hello(struct tls_reader *r, struct slice message);
/* A part of the handshake was not read. */
void tls_verify_gap(struct tls_reader *r);
void tls_verify_free(struct tls_session *s);

#endif
