/* What the connections of a server are made from: a context that can be replaced while they run.
 *
 * Connections keep the context that they were made with.  May be used by several threads. */
#ifndef TLSWIRE_ENDPOINT_CREDENTIALS_H
#define TLSWIRE_ENDPOINT_CREDENTIALS_H

#include "base/error.h"
#include "endpoint/context.h"

struct authority;
struct breakage_choice;
struct ticket_keys;

struct credentials_config {
    const struct tls_settings *settings;    /* borrowed, read again by credentials_renew */
    const struct certificate *temporary;    /* see context_new */
    struct authority *authority;            /* certificates on demand; may be NULL */
    const struct breakage_choice *breakage; /* borrowed; NULL or without a row: none */
    bool log_keys;           /* connections tell their secrets: it costs a tenth of a handshake */
    uint64_t ticket_seconds; /* between two keys of session tickets; 0: 12 hours */
    const char *ticket_file; /* the keys are in this file; NULL: made here */
};

struct credentials;

struct credentials *credentials_new(const struct credentials_config *, struct error *);
void credentials_free(struct credentials *);
/* The context of now; the caller's own reference (SSL_CTX_free). */
SSL_CTX *credentials_take(struct credentials *);
/* Reads certificates, keys and ticket keys again.  When anything is wrong with them everything stays as
 * it was and the error says what. */
bool credentials_renew(struct credentials *, struct error *);

#endif
