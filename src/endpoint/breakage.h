/* Servers that misbehave on purpose: what `--break NAME` can ask for.
 *
 * breakages.def is the table.  What OpenSSL can be made to do is settings, a certificate of another
 * kind, or a trick of breakage.c; the rest is done on the wire (mischief.h). */
#ifndef TLSWIRE_ENDPOINT_BREAKAGE_H
#define TLSWIRE_ENDPOINT_BREAKAGE_H

#include "base/buf.h"
#include "base/error.h"
#include "endpoint/leaf.h"
#include "endpoint/settings.h"

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

/* What a server says, in the order in which it does. */
enum spoken {
    SPOKEN_ANYTHING,
#define SPOKEN(id, name) SPOKEN_##id,
#include "endpoint/spoken.def"
#undef SPOKEN
    SPOKEN_COUNT
};

/* What is made of OpenSSL's context, beyond settings. */
enum trick {
    TRICK_NONE,
    TRICK_DH_512,
    TRICK_DH_1024,
    TRICK_CLIENT_CERTIFICATE,
    TRICK_ALPN_UNASKED,
    TRICK_ALPN_REFUSED,
    TRICK_NAME_REFUSED,
    TRICK_NAME_WARNING,
    TRICK_REVOKED,
    TRICK_OLD_STATUS,
    TRICK_NO_EXTENDED_MASTER_SECRET,
    TRICK_MANY_TICKETS,
    TRICK_FALLBACK,
    TRICK_NOTHING_SHARED,
    TRICK_INSECURE, /* OpenSSL's security level 0 and nothing else */
};

/* What is done to what is on its way to the socket, at the message BREAKAGE.at. */
enum act {
    ACT_NONE,
    ACT_STALL,    /* say no more, keep the connection */
    ACT_FIN,      /* end it */
    ACT_RESET,    /* end it with an RST */
    ACT_ALERT,    /* a fatal alert instead, and the end */
    ACT_DROP,     /* leave it out */
    ACT_REPEAT,   /* say it twice */
    ACT_SWAP,     /* after the next */
    ACT_CORRUPT,  /* turn over the last bit, under good protection */
    ACT_GARBLE,   /* turn over a bit of the record as it is sent */
    ACT_CUT,      /* half of the record, then the end */
    ACT_SPLIT,    /* in records of a few bytes */
    ACT_SEGMENTS, /* in TCP segments of a few bytes */
    ACT_JOIN,     /* with all that follows in one record */
    ACT_TEXT,     /* BREAKAGE.text instead of TLS, and the end */
    ACT_INSERT, /* BREAKAGE.text, BREAKAGE.count times, as records of type BREAKAGE.type before it */
    ACT_EDIT,   /* one field of it: BREAKAGE.edit */
};

enum edit {
    EDIT_NONE,
    EDIT_RECORD_VERSION,
    EDIT_RECORD_LENGTH,
    EDIT_MESSAGE_LENGTH,
    EDIT_VERSION,
    EDIT_SESSION_ID,
    EDIT_SENTINEL,
    EDIT_SUITE,
    EDIT_COMPRESSION,
    EDIT_EXTENSION,
    EDIT_KEY_SHARE,
    EDIT_NO_RENEGOTIATION_INFO,
    EDIT_EMPTY_CERTIFICATE,
};

struct breakage {
    const char *name;
    const char *sentence; /* what it does, for --break list and the manual */
    bool family;          /* the name takes ":MESSAGE", where it happens */
    int min_version, max_version;
    const char *ciphers, *ciphersuites, *groups, *sigalgs; /* as in tls_settings */
    struct leaf_twist leaf;                                /* how its certificate is not good */
    bool own_leaf;                                         /* … which -cert would contradict */
    enum trick trick;
    enum act act;
    enum edit edit;
    enum spoken at;
    uint8_t type, alert;
    const char *text;
    size_t text_len;
    unsigned count;
};

/* What was asked for: a row, and of a family the message. */
struct breakage_choice {
    const struct breakage *row; /* NULL: nothing is broken */
    enum spoken at;
    uint8_t alert;
};

/* The rows in order; NULL past the end. */
const struct breakage *breakage_at(size_t i);
/* "expired", "stall:ServerHello", "alert:Finished/40". */
bool breakage_find(const char *name, struct breakage_choice *, struct error *);
/* All names with their sentences, for people. */
void breakage_list(struct buf *out);
/* The message's name in RFC 9846 and RFC 5246. */
const char *spoken_name(enum spoken);

/* Whether it changes messages that are protected, which must then be protected anew. */
bool breakage_protects_anew(const struct breakage *);
/* Changes what the server would do by itself; false where SETTINGS ask for what contradicts it. */
bool breakage_settings(const struct breakage_choice *, struct tls_settings *, struct error *);
struct certificate;
/* After the settings were applied.  ROOT is the CA's, borrowed. */
bool breakage_prepare(const struct breakage_choice *, SSL_CTX *, const struct certificate *root,
                      struct error *);

#endif
