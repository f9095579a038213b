/* What the files of the ladder share.  Nobody else includes this.
 *
 * ladder.c follows connections, ladder_read.c makes rungs of records, ladder_message.c knows what
 * matters of each handshake message, ladder_verdict.c sums up, ladder_draw.c draws, ladder_text.c
 * escapes, names, measures and wraps. */
#ifndef TLSWIRE_PRINT_LADDER_PRIVATE_H
#define TLSWIRE_PRINT_LADDER_PRIVATE_H

#include "print/ladder.h"
#include "stream/http_summary.h"
#include "stream/tls_verdict.h"
#include "stream/verify_summary.h"

#define MAX_CONNECTIONS 1024  /* followed at once */
#define MAX_RUNGS       64    /* lines of a connection … */
#define RESERVED_RUNGS  12    /* … of which the last are kept for how it ends */
#define MAX_TEXT        16384 /* bytes of details of a connection */
#define DATA_RUNGS      6     /* of application data, before the rest becomes one line */
#define LINGER_NS       INT64_C(1000000000) /* for stragglers of a connection that is over */
#define ITEM_END        '\n'                /* after each detail; escaped text holds none */

/* A piece of a connection's text. */
struct piece {
    uint32_t start, len;
};

enum rung_kind {
    RUNG_TCP,
    RUNG_MESSAGE,
    RUNG_ALERT,
    RUNG_DATA,
    RUNG_MORE_DATA, /* both ways */
    RUNG_MARK,      /* no message: a word on what follows */
};

/* Values of rung.key; 1 to 7 are the flags of TCP. */
enum rung_key {
    KEY_NONE,
    KEY_MESSAGE = 0x100, /* and the handshake message's type */
    KEY_SEALED = 0x200,
    KEY_SEALED_HANDSHAKE,
    KEY_DATA,
    KEY_GAP,
};

struct rung {
    int64_t time; /* ns since the connection's first packet */
    uint64_t frame;
    uint64_t bytes[2]; /* from each end */
    uint32_t count;    /* messages that it stands for */
    struct piece details;
    const char *name; /* static */
    uint16_t key;     /* neighbours of one key, kind and end become one rung; KEY_NONE: never */
    uint8_t kind;     /* enum rung_kind */
    uint8_t from;     /* tcp_facts.direction */
    bool opened;      /* was encrypted */
    bool sealed;      /* is encrypted */
    bool bad;         /* a failure */
};

#define NOBODY 2
#define TLS10  0x0301
#define TLS13  0x0304

/* What one connection has shown; ends are 0 and 1 as tcp_facts.direction has them, NOBODY: unknown. */
struct connection {
    struct connection *next; /* in its bucket, or among the free ones */
    struct connection *older, *newer;
    uint32_t stream;
    uint32_t number; /* from 1, in the order of the first record; 0: no TLS so far */
    struct address addresses[2];
    uint16_t ports[2];
    int64_t first_time, last_time;
    uint8_t client;
    bool syn, fin[2], over, wanted; /* over: in ladder.over */
    uint8_t reset_by;

    bool hello, server_hello, server_done, retried, psk_taken, session_echoed, named_group;
    bool change_cipher[2], finished[2], close_notify[2], opened[2];
    uint8_t closed_by;
    int64_t hello_time, complete_time; /* the latter negative until both have finished */
    uint16_t version, suite, group, scheme;
    uint8_t session_id_len;
    uint8_t session_id[32];
    struct piece server_name, alpn, certificate, failure;
    uint8_t failed_by;
    const char *last_message, *failed_after; /* static */
    uint64_t protected_records, opened_records;
    struct verify_summary proofs;
    struct http_summary *http; /* owned; NULL: nothing was asked */
    struct tls_verdict decryption;

    struct rung rungs[MAX_RUNGS];
    unsigned count, data_rungs;
    uint64_t dropped; /* rungs past the ceiling */
    bool full_tape, crowded_out;
    struct buf text; /* owned */
};

/* Connections by their last packet. */
struct ages {
    struct connection *oldest, *newest;
};

struct ladder {
    struct ladder_options options;
    struct connection *buckets[MAX_CONNECTIONS];
    struct ages live, over;
    struct connection *free;
    unsigned open;
    uint32_t numbered;
    bool printed;
    struct buf scratch; /* owned */
};

/* ---- ladder_read.c ---- */

/* Adds what the packet's records are. */
void ladder_read(struct ladder *l, struct connection *c, const struct dissection *d);
/* Adds a rung, or counts it in with the one before; NULL when it is not a rung of its own. */
struct rung *ladder_rung(struct connection *c, const struct rung *rung);

/* ---- ladder_message.c ---- */

/* A place on the tape, and where the words go. */
struct reader {
    struct ladder *ladder;
    struct connection *connection;
    const struct dissection *d;
    const struct tape *tape;
    uint32_t from, to; /* events of the message */
    unsigned end;      /* who says it */
    int64_t time;
};

/* Describes the handshake message of TYPE in *rung: its name, details, key. */
void ladder_message(struct reader *r, uint8_t type, struct rung *rung);
void ladder_message_want(uint8_t *want);

/* ---- ladder_draw.c ---- */

enum paint { PLAIN, GOOD, BAD, FAINT, CLIENT, SERVER };

struct pen {
    struct buf *out;
    const struct ladder_options *options;
    const struct connection *c;
    unsigned client; /* the end on the left */
    struct buf *scratch;
};

void ladder_draw(struct ladder *l, struct buf *out, const struct connection *c);
void pen_paint(const struct pen *p, enum paint paint);

static inline const char *pen_glyph(const struct pen *p, const char *fine, const char *ascii)
{
    return p->options->ascii ? ascii : fine;
}

static inline struct slice pen_text(const struct pen *p, struct piece piece)
{
    return slice_sub(buf_slice(&p->c->text), piece.start, piece.len);
}

/* ---- ladder_verdict.c ---- */

void ladder_verdict(const struct pen *p);

/* ---- ladder_text.c ---- */

/* Appends at most MOST columns of RAW, escaped, "..." or its character after what was cut. */
void ladder_escape(struct buf *out, struct slice raw, size_t most, bool ascii);
/* Columns that escaped text takes. */
size_t ladder_columns(struct slice text);
/* "TLS 1.3", "0x7f1c". */
void ladder_version(struct buf *out, uint16_t version);
/* The registry's name, or 0x and four digits. */
void ladder_name(struct buf *out, enum registry registry, uint16_t value);
/* The registry's name as the specification writes it: "handshake_failure". */
void ladder_snake(struct buf *out, enum registry registry, uint16_t value);
/* Where text that is wrapped goes: lines begin with INDENT spaces and end before WIDTH. */
struct wrap {
    struct buf *out;
    size_t indent, width, column;
    bool ascii;
    bool inside; /* something stands on the line */
};
/* Writes the items of TEXT, each ended by ITEM_END, with a dot between them, on lines of their own. */
void ladder_wrap(struct wrap *w, struct slice text);
void ladder_wrap_end(struct wrap *w);

#endif
