/* TLS over one TCP connection: records out of the stream, handshake messages onto the tape, decrypted when
 * there are keys.
 *
 * stream/reassembly.h says which bytes are read together; here they are taken apart.  What a connection has
 * to remember is small: versions, randoms, keys, and the handshake message that is not complete yet. */
#ifndef TLSWIRE_STREAM_TLS_H
#define TLSWIRE_STREAM_TLS_H

#include "crypto/key_ring.h"
#include "crypto/keylog.h"
#include "crypto/provider.h"
#include "dissect/walk.h"
#include "stream/dissection.h"
#include "stream/foresight.h"
#include "stream/reassembly.h"

/* Why private keys and pre-shared keys do not open a connection. */
enum tls_hindrance {
    HINDRANCE_NONE,
    HINDRANCE_FORWARD_SECRET, /* the keys come from (EC)DHE: the private key only signed */
    HINDRANCE_OTHER_KEY,      /* no private key fits what the client encrypted */
    HINDRANCE_NO_EXCHANGE,    /* a resumed session, or the key exchange was not captured */
    HINDRANCE_PSK_UNKNOWN,    /* no key for this identity, or another one */
    HINDRANCE_PSK_WITH_DH,    /* (EC)DHE goes into the keys, too */
    HINDRANCE_COUNT
};

/* How the keys served the connections with protected records. */
struct tls_key_stats {
    uint64_t opened;  /* connections of which records were opened */
    uint64_t missing; /* connections for which no secret is known */
    uint64_t wrong;   /* connections that have secrets which open none of their records */
    uint64_t hindered[HINDRANCE_COUNT]; /* of those that are missing: what the keys given lack */
    uint8_t first_random[32]; /* client random of the first connection that is missing or wrong */
};

struct tls_origins;

/* What the engine lends to every call. */
struct tls_tools {
    struct crypto_provider *crypto;
    struct key_table *keys;
    const struct key_ring *ring; /* private keys and pre-shared ones; NULL: none */
    struct tls_key_stats *stats;
    struct tcp_pool *pool;
    struct arena *plaintext; /* emptied for each packet */
    struct expander *expander;
    struct tls_origins *origins; /* NULL: nobody asks who resumes what */
    struct buf *protocols;       /* gets what frame.protocols lists after "tcp" */
    struct buf *scratch;
    const struct foresight *known; /* from a first pass; NULL: there was none */
    struct foresight *learns;      /* for a second one; NULL: there is none */
    size_t *verify_memory;         /* what is kept for tlswire.verify.*; NULL: nobody asks for it */
    size_t *http_memory;           /* what is kept for tlswire.http.*; NULL: nobody asks for it */
    bool no_data;                  /* nobody looks at what application data holds */
    bool blind;                    /* nobody looks at TLS: nothing is decrypted */
    bool alone;                    /* nobody waits for the rest of a record */
    struct certificates_known *certificates; /* NULL: read each */
    const bool *silent;                      /* blocks that come to nothing: dissect/walk.h */
};

enum { TLS_PORT_UNKNOWN, TLS_PORT_YES, TLS_PORT_NO };

/* What is said of each TCP port: it is TLS without a look at the bytes, or it is not, whatever they look like. */
struct tls_ports {
    uint8_t says[65536]; /* TLS_PORT_… */
};

/* Sets the ports that carry TLS by registration. */
void tls_default_ports(struct tls_ports *ports);
/* What is said of the connection's ports, the lower one first; TLS_PORT_… */
uint8_t tls_port_says(const struct flow *f, const struct tls_ports *ports);

/* How many bytes of the run are talk that precedes TLS: stream/preface.h. */
size_t tls_start(const struct flow *f, struct slice bytes);
/* True when the run belongs to TLS: its connection is known as TLS, a port says so, or its first bytes look
 * like a record. */
bool tls_claims(const struct flow *f, const struct tls_ports *ports, struct slice bytes);
/* How much of a run of a TLS connection can be read. */
struct tcp_wish tls_scan(const struct flow *f, struct slice bytes);
/* Reads a run that tls_claims(), which stands at OFFSET of source SOURCE, and adds to the tape and the columns
 * of D. */
void tls_read(struct flow_table *table, struct flow *f, struct dissection *d,
              const struct tcp_run *run, uint8_t source, uint32_t offset,
              const struct tls_tools *tools);
/* The sender's stream ends with the segment of D, and all of it was read. */
void tls_end(const struct flow *f, struct dissection *d, uint8_t source, uint32_t offset);
/* What the Protocol column calls a version. */
const char *tls_version_name(uint16_t version);
/* Version of TLS that the connection has; 0 unknown. */
uint16_t tls_version(const struct flow *f);
/* Frees what the connection holds. */
void tls_free(struct tcp_pool *pool, struct flow *f);

#endif
