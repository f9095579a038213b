/* The interpreter of the layout rows: bytes of one message in, events on the tape out.
 *
 * It reads what the rows of schema/tls.def say, inside the scopes that length prefixes open, and stops at
 * the first field that is not there.  What it cannot say in rows is in calls.c. */
#ifndef TLSWIRE_DISSECT_WALK_H
#define TLSWIRE_DISSECT_WALK_H

#include "base/arena.h"
#include "dissect/tape.h"

#define CERTIFICATES_KNOWN 256 /* a power of two */

/* Certificates that were read without a fault, by a hash of their bytes: when nobody asks for their fields, one
 * that comes again need not be read again. */
struct certificates_known {
    uint64_t seed; /* makes the hash unpredictable */
    uint64_t hashes[CERTIFICATES_KNOWN];
};

struct expander;

struct walk {
    struct tape *tape;
    struct slice bytes;               /* the whole source */
    struct buf *protocols;            /* gets the modules of certificates, for frame.protocols */
    struct certificates_known *known; /* NULL: certificates are always read */
    const bool *silent;               /* of each block: walk_find_silent(); NULL: none is */
    struct expander *expander;        /* for compressed certificates; NULL: they stay so */
    struct arena *room;               /* what they expand to lives here, as long as the packet */
    uint32_t at, end;         /* offsets in the source: the next byte, the end of the scope */
    uint32_t lacks;           /* how many bytes were not there, when something was not */
    uint32_t oid_at, oid_len; /* the object identifier that was read last */
    uint64_t value;           /* the register: the last number that a row kept */
    unsigned context;         /* enum walk_context */
    uint16_t module;          /* field id of the PROTOCOL row whose reader failed; 0: TLS itself */
    uint8_t source;
    uint8_t depth; /* of blocks that run each other */
    bool failed;   /* something was not there: the rest is not shown */
};

/* Runs a block from w->at on.  False when the bytes ended too early. */
bool walk_block(struct walk *w, enum block_id block);

/* For the escape hatches: a number or bytes as an event, the position moved on. */
uint32_t walk_number(struct walk *w, enum field_id field, uint32_t size, uint64_t *value);
/* The escape hatches of schema/calls.def. */
void walk_call(struct walk *w, enum call_id call);
/* Whether somebody asks for what CALL_signature_algorithm shows. */
bool walk_wants_signature_algorithm(const uint8_t *want);
/* Finds the blocks that come to nothing that is wanted: what they say need not be read, only whether all of it is
 * there.  CERTIFICATES: somebody asks for what DER holds. */
void walk_find_silent(const uint8_t *want, bool certificates, bool silent[BLOCK_COUNT]);
/* Passes over the extensions at the front of the scope that are silent. */
void walk_pass_extensions(struct walk *w);
/* Runs a block over the rest of the scope when more than tshark's fields is asked for: OP_PARTS. */
void walk_parts(struct walk *w, enum block_id block);
/* quic.c */
void quic_parameters(struct walk *w);
/* Shows what is left of the scope as trailing bytes, and passes over it. */
void walk_trailing(struct walk *w);
/* What is read lacks bytes, which take nothing from what follows: that begins at END. */
void walk_too_short(struct walk *w, uint32_t end);

#endif
