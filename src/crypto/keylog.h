/* Key-log text (RFC 9850, and the older forms in use before it) into a table of secrets.
 *
 * Text comes in chunks of any size; a line split between chunks is put together again.  Accepted
 * beyond the specification: CRLF and stray blanks, a byte-order mark, hexadecimal digits of either
 * case, the "QUIC_" label prefix of early QUIC stacks, and the RSA, Master-Key and
 * PMS_CLIENT_RANDOM lines of older libraries.  Nothing is printed: what was odd is counted.
 *
 * Memory has a ceiling; past it the first secrets are kept and later ones counted as dropped. */
#ifndef TLSWIRE_CRYPTO_KEYLOG_H
#define TLSWIRE_CRYPTO_KEYLOG_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/slice.h"
#include "crypto/key_wishes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KEYLOG_LINE_MAX   8192 /* bytes of a line without its end; longer ones are skipped */
#define KEYLOG_SECRET_MAX (KEYLOG_LINE_MAX / 2)
#define KEYLOG_ID_MAX     32

/* The identifier is the 32-byte client random unless said otherwise. */
enum key_label {
    KEY_CLIENT_RANDOM, /* the master secret of TLS 1.2 and earlier */
    KEY_CLIENT_EARLY_TRAFFIC_SECRET,
    KEY_CLIENT_HANDSHAKE_TRAFFIC_SECRET,
    KEY_SERVER_HANDSHAKE_TRAFFIC_SECRET,
    KEY_CLIENT_TRAFFIC_SECRET_0,
    KEY_SERVER_TRAFFIC_SECRET_0,
    KEY_EXPORTER_SECRET,
    KEY_EARLY_EXPORTER_SECRET,
    KEY_PMS_CLIENT_RANDOM, /* a premaster secret */
    KEY_ECH_SECRET,
    KEY_ECH_CONFIG,
    KEY_RSA,        /* premaster secret by the first 8 bytes of the encrypted one */
    KEY_SESSION_ID, /* master secret by session ID, 1 to 32 bytes */
    KEY_LABEL_COUNT
};

struct key_secret {
    struct key_secret *next; /* the one first seen after this */
    uint64_t line;           /* 1-based number of the line that set it, all text counted as one */
    enum key_label label;
    uint16_t secret_len, room;
    uint8_t id_len;
    bool seen; /* key_table_see() */
    uint8_t id[KEYLOG_ID_MAX];
    uint8_t bytes[]; /* the secret */
};

struct keylog_stats {
    uint64_t lines;         /* all, blank ones and comments too */
    uint64_t valid;         /* lines that gave a secret, duplicates included */
    uint64_t comments;      /* blank lines and comments */
    uint64_t unknown_label; /* a word that is none of ours */
    uint64_t malformed;     /* our label, but not its form */
    uint64_t too_long;
    uint64_t duplicates; /* same label, identifier and secret again */
    uint64_t replaced;   /* same label and identifier, another secret: the later holds */
    uint64_t dropped;    /* valid, but no room */
    uint64_t unwanted;   /* of those that are valid by their looks: nobody wishes for them */
};

/* Treat as opaque. */
struct key_slot {
    uint64_t hash;
    struct key_secret *secret;
};

struct key_table {
    struct arena arena; /* owns the secrets: their addresses never change */
    struct key_slot *slots;
    size_t slot_count; /* a power of two, or 0 */
    size_t count;
    size_t max_count; /* most secrets kept; may be set after key_table_init */
    struct key_secret *first, *last;
    struct keylog_stats stats, stats_before;
    uint64_t generation;
    /* Borrowed.  `survey` gets the names that are looked for.  Lines for names that are not among
     * `wishes` are passed over; NULL: all are kept.  May be set after key_table_init. */
    struct key_wishes *survey, *wishes;
    size_t premasters; /* of them, premaster secrets */
    size_t pending;    /* bytes of an unfinished line in `line` */
    bool skipping;     /* the unfinished line is too long already */
    bool finished;     /* keylog_finish has counted the unfinished line */
    uint8_t line[KEYLOG_LINE_MAX];
    uint8_t secret[KEYLOG_SECRET_MAX];
};

void key_table_init(struct key_table *table);
/* Overwrites all secrets, then frees; the table is then as after key_table_init. */
void key_table_free(struct key_table *table);

void keylog_feed(struct key_table *table, struct slice chunk);
/* Takes the unfinished last line as it is.  More text may follow: if it goes on with that line, the
 * line is judged again when whole.  May be called any number of times. */
void keylog_finish(struct key_table *table);

/* Adds one secret without text.  False when a length is wrong for the label or there is no room. */
bool key_table_add(struct key_table *table, enum key_label label, struct slice id,
                   struct slice secret);
/* NULL when there is none.  Its address stays good until key_table_free, but a later line may give
 * it another secret. */
const struct key_secret *key_table_find(const struct key_table *table, enum key_label label,
                                        struct slice id);
/* Notes that the session of this secret was seen.  Nothing happens when there is no such secret. */
void key_table_see(struct key_table *table, enum key_label label, struct slice id);
/* In the order first seen: pass NULL to start; NULL at the end. */
const struct key_secret *key_table_next(const struct key_table *table,
                                        const struct key_secret *after);
static inline struct slice key_secret_slice(const struct key_secret *s)
{
    return slice_of(s->bytes, s->secret_len);
}
/* How many connections the secrets are for: each writes several lines in TLS 1.3, one before. */
size_t key_table_sessions(const struct key_table *table);
/* Changes whenever a secret was added or replaced: a cheap "is there anything new?". */
uint64_t key_table_generation(const struct key_table *table);
const struct keylog_stats *keylog_stats(const struct key_table *table);
/* "CLIENT_RANDOM" and so on; "RSA Session-ID" for KEY_SESSION_ID. */
const char *key_label_name(enum key_label label);
/* The key log of the sessions seen: for each the lines whose identifier is its client random, in the
 * order first seen.  A premaster secret is left out: the master secret that it came to is there. */
void keylog_write(const struct key_table *table, struct buf *out);

#endif
