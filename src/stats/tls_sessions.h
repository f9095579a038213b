/* What each TLS connection came to, kept for the tables of -z tls. */
#ifndef TLSWIRE_STATS_TLS_SESSIONS_H
#define TLSWIRE_STATS_TLS_SESSIONS_H

#include "crypto/provider.h"
#include "stats/tally.h"
#include "stream/dissection.h"
#include "stream/http_summary.h"
#include "stream/tls_verdict.h"
#include "stream/verify_summary.h"

#define SESSIONS_CEILING 20000
#define SESSION_HISTORY  64
#define SESSION_CHAIN    10 /* certificates of a chain that are kept */
#define NO_TIME          INT64_MIN
#define END_NOBODY       2 /* where a direction is told */
#define SESSION_TLS13    0x0304

enum session_resumed { RESUMED_NO, RESUMED_SESSION_ID, RESUMED_TICKET, RESUMED_PSK };

/* A certificate chain that an end sent. */
struct session_chain {
    const char *fingerprints; /* SHA-256 of each, a space after each but the last; NULL: none */
    unsigned count;
};

/* Texts are escaped, and live in the tally's arena; NULL: not seen.  Times are nanoseconds since 1970. */
struct tls_session_seen {
    struct address ends[2]; /* by tcp_facts.direction */
    uint16_t ports[2];
    uint32_t stream;
    int8_t client;                         /* direction that it sends in; -1 unknown */
    bool is_tls;                           /* there was a record */
    int64_t first_time, syn, syn_ack, rtt; /* rtt: a span */
    int64_t hello, server_hello, certificate_time, done, data_time, last_time;
    uint16_t version, suite, group;
    bool has_hello, has_server_hello, retried, offers_ticket, done_by[2], psk, abbreviated;
    bool changed[2], sealed_finished;
    uint8_t session_id_len, resumed;
    uint8_t session_id[32];
    const char *server_name, *alpn, *ja3, *ja3s, *ja4, *subject, *issuer, *key;
    int64_t not_before, not_after;
    bool has_validity, names_checked, name_matches;
    struct session_chain chains[2]; /* by direction */
    uint64_t bytes[2];              /* of TCP's payload, retransmissions and all */
    uint64_t records, protected_records, opened_records, alerts;
    bool has_alert, alert_is_fatal, has_failure, close_notify[2], fin[2], sealed_alert;
    uint8_t last_alert, failure, failure_by, reset_by, closed_by; /* 2: nobody */
    uint8_t history_len;
    char history[SESSION_HISTORY];
    struct verify_summary proofs;
    struct http_summary *http; /* owned; NULL: nothing was asked */
    struct tls_verdict decryption;
    bool incomplete; /* the packet's tape was full */
    bool unkept;     /* there was no memory for all of it */
};

struct tls_sessions {
    struct tally tally; /* of struct tls_session_seen */
    struct crypto_provider crypto;
    struct buf scratch;
    bool fingerprints; /* hash certificates */
    bool unkept;       /* there was no memory for a text of this packet */
};

/* BUDGET is shared, borrowed, and may be NULL. */
void tls_sessions_init(struct tls_sessions *s, bool fingerprints, struct budget *budget);
void tls_sessions_free(struct tls_sessions *s);
void tls_sessions_want(const struct tls_sessions *s, uint8_t *want);
void tls_sessions_packet(struct tls_sessions *s, const struct dissection *d);

/* The next session with records from *INDEX on, which is moved; NULL at the end. */
const struct tls_session_seen *tls_sessions_next(const struct tls_sessions *s, uint32_t *index);
/* 0 the client's side, 1 the server's, as far as it is known. */
static inline unsigned session_side(const struct tls_session_seen *s, unsigned side)
{
    unsigned client = s->client < 0 ? 0 : (unsigned)s->client;
    return side == 0 ? client : 1 - client;
}
/* "established; closed by the client", "failed: the server sent handshake_failure (40)". */
void session_verdict(struct buf *out, const struct tls_session_seen *s);
/* Whether the handshake was seen to succeed. */
bool session_established(const struct tls_session_seen *s);
/* "yes", "no", "part". */
const char *session_decrypted(const struct tls_session_seen *s);
/* What was proved, an item after the other with ", " between them; "-" when nothing was. */
void session_proofs(struct buf *out, const struct tls_session_seen *s);
/* What was asked and answered: "GET / -> 200, text/html, 5,120 bytes", " | " between; "-" when nothing was. */
void session_asked(struct buf *out, const struct tls_session_seen *s);
/* "TLS 1.3"; "-" when 0. */
void session_version(struct buf *out, uint16_t version);

#endif
