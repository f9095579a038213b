/* What was asked and answered in one connection, for views of whole connections: gathered from the tapes of its
 * packets, written one line an exchange. */
#ifndef TLSWIRE_STREAM_HTTP_SUMMARY_H
#define TLSWIRE_STREAM_HTTP_SUMMARY_H

#include "dissect/tape.h"

#define SUMMARY_EXCHANGES 12   /* the first that are kept; the others are counted */
#define SUMMARY_TEXTS     2048 /* bytes of their texts */

struct summary_text {
    uint16_t at, len;
};

struct http_exchange {
    uint64_t body; /* bytes of the answer's content */
    uint32_t stream;
    struct summary_text method, target, type;
    uint16_t code; /* 0: no answer so far */
    bool end;
};

struct http_summary {
    struct http_exchange exchanges[SUMMARY_EXCHANGES];
    uint64_t requests, responses;
    unsigned count;
    struct buf texts; /* owned */
};

/* Asks for what http_summary_add() reads. */
void http_summary_want(uint8_t *want);
/* Takes the events from FROM up to TO.  *S is made when there is something to keep. */
void http_summary_add(struct http_summary **s, const struct tape *t, uint32_t from, uint32_t to);
void http_summary_free(struct http_summary *s);
/* "GET /path → 200, text/html, 5,120 bytes" of exchange AT; with ASCII "->" for the arrow.  Texts are escaped. */
void http_summary_write(struct buf *out, const struct http_summary *s, unsigned at, bool ascii);
/* TEXT of the tape, escaped there, with '|' and what is not ASCII as \xNN, too. */
void http_summary_escape(struct buf *out, struct slice text);

#endif
