/* What the files of tls_verify share; nobody else includes it. */
#ifndef TLSWIRE_STREAM_TLS_VERIFY_PRIVATE_H
#define TLSWIRE_STREAM_TLS_VERIFY_PRIVATE_H

#include "stream/tls_verify.h"

/* Handshake types (RFC 9846 4, RFC 5246 7.4, RFC 6066 8, RFC 8879 4). */
enum {
    MSG_HELLO_REQUEST = 0,
    MSG_CLIENT_HELLO = 1,
    MSG_SERVER_HELLO = 2,
    MSG_NEW_SESSION_TICKET = 4,
    MSG_END_OF_EARLY_DATA = 5,
    MSG_ENCRYPTED_EXTENSIONS = 8,
    MSG_CERTIFICATE = 11,
    MSG_SERVER_KEY_EXCHANGE = 12,
    MSG_CERTIFICATE_REQUEST = 13,
    MSG_SERVER_HELLO_DONE = 14,
    MSG_CERTIFICATE_VERIFY = 15,
    MSG_CLIENT_KEY_EXCHANGE = 16,
    MSG_FINISHED = 20,
    MSG_CERTIFICATE_STATUS = 22,
    MSG_KEY_UPDATE = 24,
    MSG_COMPRESSED_CERTIFICATE = 25,
};

enum {
    EXT_SERVER_NAME = 0,
    EXT_STATUS_REQUEST = 5,
    EXT_SCT = 18,
    EXT_PADDING = 21,
    EXT_EXTENDED_MASTER_SECRET = 23,
    EXT_PRE_SHARED_KEY = 41,
    EXT_EARLY_DATA = 42,
    EXT_SUPPORTED_VERSIONS = 43,
    EXT_COOKIE = 44,
    EXT_POST_HANDSHAKE_AUTH = 49,
    EXT_SUPPORTED_GROUPS = 10,
    EXT_DRAFT_KEY_SHARE = 40, /* before draft 23 */
    EXT_KEY_SHARE = 51,
    EXT_ENCRYPTED_CLIENT_HELLO = 0xfe0d,
    EXT_RENEGOTIATION_INFO = 0xff01,
};

#define HELLO_RETRY 0xcf21ad74u /* first bytes of the random (RFC 9846 4.1.3) */

/* A message within the transcript. */
struct place {
    uint32_t at, len;
};

enum { SERVER, CLIENT }; /* indices below */

struct tls_verify {
    struct buf messages;         /* of the handshake that is under way, headers included; owned */
    struct buf first_hello;      /* the ClientHello before a HelloRetryRequest; owned */
    struct evp_pkey_st *keys[2]; /* of the sides' certificates; owned */
    struct place hello;          /* body of the ClientHello */
    struct place certificates;   /* body of the server's Certificate */
    size_t *memory;              /* what all connections hold */
    size_t counted;              /* what of it is ours */
    uint32_t handshake_len;      /* bytes up to the client's Finished, once it is there */
    uint32_t updates;            /* KeyUpdates of the client */
    uint16_t retry_suite, retry_group;
    bool retried, second;            /* a HelloRetryRequest was seen; and the hello after it */
    bool gap, full;                  /* what was not read, what did not fit */
    bool finished[2];                /* in this handshake */
    bool secure;                     /* both sides know RFC 5746 */
    bool again;                      /* a handshake was completed before this one */
    bool compressed[2];              /* the certificate was, and could not be read */
    bool certificate[2];             /* was sent */
    bool old_form;                   /* the ClientHello is of SSL 2.0's form (RFC 5246 E.2) */
    bool server_hello;               /* was read */
    bool server_done;                /* the server's flight is over, before TLS 1.3 */
    bool early;                      /* early data was taken, its end not read so far */
    uint8_t code_len[2];             /* of `codes` */
    uint8_t codes[2][HASH_MAX_SIZE]; /* what the last Finished messages held */
};

/* One message being checked. */
struct verifying {
    struct tls_reader *r;
    struct tls_verify *v;
    const struct tls_content *content;
    uint32_t at, end;
    struct slice whole, body;
    unsigned side; /* who sent it: SERVER or CLIENT */
    uint8_t type;
};

enum verify_check {
    VERIFY_FINISHED,
    VERIFY_CERTIFICATE_VERIFY,
    VERIFY_KEY_EXCHANGE,
    VERIFY_PSK_BINDER,
    VERIFY_CHAIN,
    VERIFY_HOST_NAME,
    VERIFY_DATES,
    VERIFY_OCSP,
    VERIFY_SCT,
    VERIFY_RENEGOTIATION_INFO,
    VERIFY_DOWNGRADE,
    VERIFY_SESSION_ID,
    VERIFY_EXTENDED_MASTER_SECRET,
    VERIFY_HELLO_RETRY,
    VERIFY_GREASE,
    VERIFY_OFFERED,
    VERIFY_ECH,
    VERIFY_CHECKS
};

#define WHY_BYTES 512
/* A buffer for a reason: what does not fit is left out. */
#define WHY(name)                    \
    uint8_t name##_bytes[WHY_BYTES]; \
    struct buf name = {.data = name##_bytes, .cap = WHY_BYTES, .ceiling = WHY_BYTES}

bool verify_wants(const struct verifying *x, enum verify_check check);
/* Notes the outcome; VERDICT_NONE: nothing is said. */
void verify_say(struct verifying *x, enum verify_check check, enum verdict verdict,
                struct slice why);
static inline void verify_tell(struct verifying *x, enum verify_check check, enum verdict verdict,
                               const char *why)
{
    verify_say(x, check, verdict, slice_of_str(why));
}
/* The same with a reason that the call for VERDICT writes. */
static inline void verify_found(struct verifying *x, enum verify_check check, enum verdict verdict,
                                const struct buf *why)
{
    verify_say(x, check, verdict, buf_slice(why));
}
/* The same for what depends on all messages before: it has not failed when some are missing. */
void verify_say_transcript(struct verifying *x, enum verify_check check, enum verdict verdict,
                           struct slice why);
/* Why nothing can be said that needs all messages before; NULL when all are there. */
const char *verify_obstacle(const struct verifying *x);

/* ---- tls_verify_hello.c ---- */

struct hello {
    uint16_t version;
    struct slice random, session_id, suites, compressions, extensions;
    bool broken;
    bool short_form; /* as drafts of TLS 1.3 had it */
};

struct hello hello_read(struct slice body, bool client);
/* The extension's data; `failed` is set when there is none. */
struct slice hello_extension(struct slice extensions, uint16_t type);
void verify_client_hello(struct verifying *x);
void verify_server_hello(struct verifying *x);
/* The client's hello of this handshake. */
struct hello verify_hello_of(const struct verifying *x);

/* ---- tls_verify_keys.c ---- */

void verify_finished(struct verifying *x);
void verify_certificate_verify(struct verifying *x);
void verify_server_key_exchange(struct verifying *x);
void verify_psk_binders(struct verifying *x);

/* ---- tls_verify_certificate.c ---- */

void verify_certificates(struct verifying *x);
void verify_certificate_status(struct verifying *x);

#endif
