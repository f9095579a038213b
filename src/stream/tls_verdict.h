/* What came of decrypting a connection, and why not more of it. */
#ifndef TLSWIRE_STREAM_TLS_VERDICT_H
#define TLSWIRE_STREAM_TLS_VERDICT_H

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

enum tls_decrypt_status {
    DECRYPT_NONE,         /* nothing that is protected was seen */
    DECRYPT_OPENED,       /* everything */
    DECRYPT_PARTLY,       /* some records, though none is missing */
    DECRYPT_RESYNCED,     /* records are missing; those after them were opened again */
    DECRYPT_NO_EARLY_KEY, /* everything but the early data */
    DECRYPT_NO_KEY,       /* no secret is known for the client random */
    DECRYPT_WRONG_KEY,    /* there are secrets, but they open nothing */
    DECRYPT_NO_HANDSHAKE, /* the hellos were not captured, and no known secret fits */
    DECRYPT_NO_SUITE,     /* a cipher suite that cannot be opened */
    DECRYPT_STATUS_COUNT
};

struct crypto_provider;

/* Lives as long as its connection. */
struct tls_verdict {
    struct crypto_provider *crypto; /* borrowed from the engine; NULL: no protected record yet */
    uint64_t opened, closed;        /* protected records, and how many of them stayed closed */
    uint64_t early_closed;          /* of those: early data */
    uint64_t resyncs,
        lost_records;    /* how often the sequence number was found again, and how far away */
    uint64_t lost_bytes; /* of the stream, before records that were opened again */
    uint32_t first_opened, first_closed; /* frames; 0: none */
    uint32_t origin; /* number of the connection that this one resumes, plus 1; 0: unknown */
    uint16_t suite;  /* 0: not known */
    uint8_t status;  /* enum tls_decrypt_status */
    bool guessed;    /* the secrets were found by trying: the hello was not captured */
};

/* The verdict as it is to be read: DECRYPT_NO_SUITE, too, for which OpenSSL has to be asked.  That loads
 * its configuration, and so waits until somebody reads.  While the engine lives. */
struct tls_verdict tls_verdict_settled(const struct tls_verdict *v);
/* "opened", "no key for this client random", …; static. */
const char *tls_verdict_name(uint8_t status);
/* The same with its particulars: from which frame on, how much is missing. */
void tls_verdict_put(struct buf *out, const struct tls_verdict *v);

#endif
