/* Packets made of bytes that came without any: TLS records, hex dumps, certificates.
 *
 * TLS bytes get a connection of their own between two addresses for documentation (RFC 5737), and a
 * packet for each piece; there is no handshake of TCP, and no time, because none is known. */
#ifndef TLSWIRE_CAPTURE_MADE_H
#define TLSWIRE_CAPTURE_MADE_H

#include "base/packet.h"
#include "capture/synth.h"

#include <stdbool.h>

struct made;

struct made *made_new(void); /* NULL: no memory */
void made_free(struct made *m);

/* TLS records, or a part of one, as one side sent them. */
void made_data(struct made *m, enum synth_side from, struct slice bytes);
/* The same in pieces as they were read, which are put together to whole records; made_stream_end() gives
 * what is left. */
void made_stream(struct made *m, enum synth_side from, struct slice bytes);
void made_stream_end(struct made *m);
/* A message without its record, of a content type (RFC 9846 5.1): it gets as many records as it needs. */
void made_message(struct made *m, enum synth_side from, uint8_t content_type, struct slice bytes);
/* TLS records of one side or of both, one behind the other; who sent what is known by the messages. */
void made_records(struct made *m, struct slice bytes);
/* The same of each side on its own: the client's and the server's are put in their order. */
void made_two_sides(struct made *m, struct slice client, struct slice server);
/* A frame as it was captured, of any link type. */
void made_frame(struct made *m, uint32_t link_type, struct slice bytes);
/* Bytes that are one of these, as they look: a frame, records, a message, a certificate.  False when
 * they are none. */
bool made_guess(struct made *m, struct slice bytes);
/* Whether DER is a request for a certificate (PKCS #10). */
bool made_is_request(struct slice der);
/* The server's Certificate message (RFC 5246 7.4.2), of certificates that made_certificate() added. */
bool made_certificate(struct made *m, struct slice der);
void made_certificates_end(struct made *m);

size_t made_count(const struct made *m);
/* Whether all of it found room. */
bool made_complete(const struct made *m);
/* The next packet; good as long as M.  False at the end. */
bool made_next(struct made *m, struct packet *p);
/* Begins again with the first. */
void made_rewind(struct made *m);

#endif
