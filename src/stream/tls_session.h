/* What is remembered of a TLS connection, shared by the files of TLS; nobody else includes it. */
#ifndef TLSWIRE_STREAM_TLS_SESSION_H
#define TLSWIRE_STREAM_TLS_SESSION_H

#include "crypto/opener.h"
#include "stream/tls.h"
#include "stream/tls_origins.h"
#include "stream/tls_verdict.h"

#define TLS_HEADER     5
#define TLS_MAX_PLAIN  16384
#define TLS_MAX_RECORD (TLS_MAX_PLAIN + 2048) /* RFC 5246 6.2.3 */

enum tls_content_type {
    TLS_CHANGE_CIPHER_SPEC = 20,
    TLS_ALERT,
    TLS_HANDSHAKE,
    TLS_APPLICATION_DATA,
    TLS_HEARTBEAT,
    TLS_CONNECTION_ID, /* of DTLS alone (RFC 9146 3) */
};

/* Whose keys protect a direction's records. */
enum tls_epoch { EPOCH_PLAIN, EPOCH_EARLY, EPOCH_HANDSHAKE, EPOCH_APPLICATION, EPOCH_12 };

/* RFC 7250 3, RFC 6091 3.1, RFC 8902 3. */
enum tls_certificate_type { CERTIFICATE_X509, CERTIFICATE_OPENPGP, CERTIFICATE_RAW_KEY };

/* What ALPN says the records carry. */
enum tls_inside { TLS_INSIDE_UNKNOWN, TLS_INSIDE_OTHER, TLS_INSIDE_HTTP1, TLS_INSIDE_HTTP2 };

enum tls_keys_state { KEYS_UNKNOWN, KEYS_MISSING, KEYS_WRONG, KEYS_OPEN };

#define TLS_EFFORT \
    ((uint32_t)16 << 20) /* bytes that may be decrypted in vain before a record opens */

struct tls_ech;
struct tls_http;
struct tls_inflate;

struct tls_side {
    struct opener *opener;         /* owned; NULL: no key was found yet, or none is needed */
    struct tcp_gathered *fragment; /* of the handshake message that is not complete; NULL: none */
    uint32_t tried;                /* generation of the key table when no key was found, plus 1 */
    struct tls_inflate *inflate;   /* owned; NULL: records are not compressed, or there was none */
    uint32_t lost;    /* bytes of the stream that nobody read since a record was opened */
    uint32_t failed;  /* records that were here and did not open since then */
    uint32_t effort;  /* bytes that may still be decrypted in vain */
    uint8_t epoch;    /* enum tls_epoch */
    bool has_opened;  /* the opener opened a record */
    bool closed;      /* sent a close_notify, another last alert, or one that is encrypted */
    bool changed;     /* sent a ChangeCipherSpec */
    bool early_ended; /* sent an EndOfEarlyData: the server took it */
};

#define OFFERED_MAX 4 /* identities of a hello that are looked up */

/* What the client would resume, and what came of it. */
struct tls_lineage {
    struct origin_name id, ticket, identities[OFFERED_MAX];
    uint8_t random[32]; /* client random of the session's first connection */
    bool known;         /* `random` is there */
};

/* What a HelloRetryRequest asked for, and what a ServerHello has. */
struct tls_retry {
    uint16_t suite, version, group;
    bool seen, has_group;
};

struct tls_session {
    uint16_t version; /* enum tls_version; 0 unknown */
    uint16_t suite;
    bool has_client_random, has_server_random, extended_master, encrypt_then_mac;
    bool truncated_hmac;
    bool asks_early_data;
    bool abbreviated;    /* the server's flight had no key exchange so far: it takes up a session */
    uint8_t keys;        /* enum tls_keys_state: what tls_key_stats counts the connection as */
    int8_t client;       /* direction that the client sends in; -1 unknown */
    uint8_t draft;       /* of TLS 1.3; 0: the standard */
    uint8_t compression; /* method that the server chose */
    uint8_t guesses;     /* records that known secrets were tried on */
    uint8_t certificate_types
        [2]; /* enum tls_certificate_type that was chosen for the server, for the client */
    uint8_t session_id_len;
    uint8_t client_random[32], server_random[32], session_id[32];
    uint8_t inside;           /* enum tls_inside */
    uint8_t hindrance;        /* enum tls_hindrance, as counted */
    bool bare;                /* the suite encrypts nothing */
    uint16_t named_version;   /* of the last record, and what it is called; static */
    const char *version_name; /* NULL: there was none */
    const char *application;  /* name of the protocol inside, from ALPN; static; NULL unknown */
    struct tls_ech *ech;      /* owned; NULL: no keys for an encrypted hello */
    struct tls_http *http;    /* owned; NULL: nobody asks for it, or nothing was opened */
    struct tls_exchange *exchange; /* owned; NULL: nobody gave keys that need it */
    struct tls_verify *verify;     /* owned; NULL: nothing is to be proved */
    struct tls_side side[2];
    struct tls_verdict verdict;
    struct tls_lineage *lineage; /* owned; NULL: nobody asks for it */
    struct tls_retry retry;      /* of this handshake, as far as it was seen */
};

/* What was missing before a record that was opened. */
struct tls_resync {
    bool found;
    uint32_t records, bytes;
};

/* One run of bytes being read. */
struct tls_reader {
    const struct flow *flow;
    struct tls_session *session;
    struct tls_side *side;
    struct dissection *d;
    const struct tls_tools *tools;
    struct slice bytes; /* the whole source */
    uint32_t start, at, end;
    uint32_t next;                      /* where the record after this one begins */
    struct tls_data *data, **last_data; /* decrypted data of the run's records, in order */
    uint32_t missing;                   /* bytes after the end that were not captured */
    uint32_t cut;                       /* of those: of the record that is not whole */
    struct tls_resync resync;           /* before the record that was opened last */
    uint16_t module;                    /* of ASN.1, that failed: field id; 0: TLS itself */
    uint8_t source;
    bool failed;
};

/* What one record carries: its fragment, or what was inside when it could be opened. */
struct tls_content {
    struct slice bytes; /* the whole source */
    uint32_t at, end;
    uint32_t record; /* event of the record */
    const char *version;
    uint8_t source, type;
    bool opened;
};

/* Makes text, of the parts up to a NULL, the value of event AT, for a label to show. */
void tls_note(struct tape *t, uint32_t at, const char *const *parts);
#define TLS_NOTE(t, at, ...) tls_note((t), (at), (const char *const[]){__VA_ARGS__, NULL})
void tls_info(struct tls_reader *r, struct info_item item);
void tls_info_text(struct tls_reader *r, const char *text);

/* tls_content.c */
/* Reads what a record carries; PLAIN: the same as it came over the wire. */
void tls_content(struct tls_reader *r, const struct tls_content *plain,
                 const struct tls_content *c);

/* tls_handshake.c */
void tls_handshake(struct tls_reader *r, const struct tls_content *c);
/* How a suite exchanges keys, by its name: KEY_... of enum walk_context. */
unsigned tls_key_context(uint16_t suite);

/* tls_follow.c: what hellos mean for the connection. */
void tls_follow_hello(struct tls_reader *r, uint8_t type, struct slice body);
/* Any other message that was read, in the clear or opened. */
void tls_follow_message(struct tls_reader *r, uint8_t type);
/* Versions that drafts of TLS 1.3 had, as TLS 1.3. */
uint16_t tls_version_of(uint16_t version);
/* A version that records of the form in use since SSL 3.0 carry. */
bool tls_is_version(uint16_t version);

/* tls_exchange.c */
/* The extensions of a ClientHello or ServerHello, from its body. */
struct slice tls_hello_extensions(struct slice body, bool client);
/* The value of extension WANTED of a hello's extensions; false when it is not there. */
bool tls_find_extension(struct slice extensions, uint16_t wanted, struct slice *value);

/* tls_lineage.c: which connection this one takes its session from. */
/* A message of TYPE, which is read and whose item is open on the tape. */
void tls_lineage_message(struct tls_reader *r, uint8_t type, struct slice body,
                         const struct tls_content *c, uint32_t at);
/* The server changed its keys without a key exchange: it takes up a session (RFC 5077 3.1). */
void tls_lineage_taken(struct tls_reader *r, const struct tls_content *c);
/* The pre-shared key of an identity: that of a ticket, or one that was given; empty when none is known.  *LABEL is
 * what its binder's key is derived with (RFC 9846 7.1). */
struct slice tls_known_psk(const struct tls_reader *r, struct slice identity, const char **label);
/* The connection that made the ticket; -1: not seen. */
int64_t tls_ticket_origin(const struct tls_reader *r, struct slice identity);

/* tls_remarks.c */
/* A hello whose BODY at AT of C's source was read and followed. */
void tls_remark_hello(struct tls_reader *r, uint8_t type, bool is_retry, struct slice body,
                      const struct tls_content *c, uint32_t at);
/* A protected record of TLS 1.3 that was not opened. */
void tls_remark_closed_record(struct tls_reader *r, const struct tls_content *c);

/* tls_ssl2.c */
/* Whether S begins with a record of SSL 2.0 that carries a message in the clear. */
bool ssl2_looks(struct slice s);
/* Bytes of the record of SSL 2.0 that S begins, with its header; 0 when not even that is there. */
uint32_t ssl2_size(struct slice s);
/* Reads the record of SIZE bytes that is next. */
void ssl2_record(struct tls_reader *r, uint32_t size);

/* tls_keys.c */
/* Tries to open the record at FRAGMENT; false when it is not protected, or there is no key for it. */
bool tls_open(struct tls_reader *r, struct slice header, struct slice fragment, struct opened *out);
/* Opens the record with the keys of the side's epoch; finds the keys if there are none yet. */
bool tls_try_epoch(struct tls_reader *r, struct slice header, struct slice fragment,
                   struct opened *out);
/* The direction's next records are protected with other keys. */
void tls_change_keys(struct tls_side *side, enum tls_epoch epoch);
void tls_update_keys(struct tls_side *side);
void tls_drop_keys(struct tls_side *side);
/* For proofs: the master secret; the first traffic secret of an epoch, empty when it is not known. */
bool tls_master_secret(const struct tls_reader *r, uint8_t master[MASTER_SECRET_SIZE]);
struct slice tls_traffic_secret(const struct tls_reader *r, enum tls_epoch epoch, bool client);

/* tls_recover.c */
/* Opens the record with O, also when records before it are missing. */
bool tls_try(struct tls_reader *r, struct opener *o, struct slice header, struct slice fragment,
             struct opened *out);
/* The same with the keys that follow, when a KeyUpdate may be missing. */
bool tls_try_updated(struct tls_reader *r, struct slice header, struct slice fragment,
                     struct opened *out);
/* Where no ClientHello was captured: with the secrets of every connection that is known, one after the other. */
bool tls_try_secrets(struct tls_reader *r, struct slice header, struct slice fragment,
                     struct opened *out);

/* tls_unpack.c */
/* Makes of a compressed fragment what it was; GAP: records before it are missing.  False when that is not
 * possible; METHOD 0 changes nothing. */
bool tls_unpack(struct tls_side *side, uint8_t method, struct arena *arena, bool gap,
                struct slice *text);
void tls_unpack_free(struct tls_inflate *u);

#endif
