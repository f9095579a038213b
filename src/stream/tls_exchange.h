/* Keys from a handshake whose secret can be had without a log of it: an RSA private key opens the
 * premaster secret, or a pre-shared key is all that went into it.
 *
 * Of a connection is kept what that takes: the messages up to the key exchange (TLS 1.2 and before),
 * the hash over them (TLS 1.3).  Nothing is kept when nobody gave such keys. */
#ifndef TLSWIRE_STREAM_TLS_EXCHANGE_H
#define TLSWIRE_STREAM_TLS_EXCHANGE_H

#include "stream/tls_session.h"

struct tls_exchange;

/* A handshake message that was read, with its four bytes of header: after what it means for the
 * connection's versions is known. */
void tls_exchange_message(struct tls_reader *r, uint8_t type, struct slice message);
/* The master secret of TLS 1.2 and before, from premaster secrets that were logged, private keys and
 * pre-shared keys. */
bool tls_exchange_master(const struct tls_reader *r, const struct suite *suite,
                         uint8_t master[MASTER_SECRET_SIZE]);
/* The key that goes with a ticket of TLS 1.3 (RFC 9846 4.6.1): its length, and which hash it is for; 0 when it
 * cannot be told, which is so unless the whole schedule comes from a pre-shared key. */
uint8_t tls_exchange_ticket_psk(const struct tls_reader *r, struct slice nonce, uint8_t *hash,
                                uint8_t out[HASH_MAX_SIZE]);
/* Why the long-lived keys that were given do not open the connection. */
enum tls_hindrance tls_exchange_hindrance(const struct tls_reader *r);
/* Cleanses and frees; NULL is nothing. */
void tls_exchange_free(struct tls_exchange *e);

#endif
