/* What the proofs of one connection came to, for views of whole connections: gathered from the tapes of its
 * packets, written as one line. */
#ifndef TLSWIRE_STREAM_VERIFY_SUMMARY_H
#define TLSWIRE_STREAM_VERIFY_SUMMARY_H

#include "crypto/verify.h"
#include "dissect/tape.h"

#define SUMMARY_CHECKS (F_tlswire_verify_reason - F_tlswire_verify_finished)

struct verify_summary {
    uint8_t verdicts[2][SUMMARY_CHECKS]; /* enum verdict, by direction; the worst that was seen */
};

/* Asks for what verify_summary_add() reads. */
void verify_summary_want(uint8_t *want);
/* Takes the events from FROM up to TO, of what DIRECTION sent. */
void verify_summary_add(struct verify_summary *s, const struct tape *t, uint32_t from, uint32_t to,
                        unsigned direction);
/* True when a check failed. */
bool verify_summary_failed(const struct verify_summary *s);
/* Appends one item for each check that has something to say, SEPARATOR after each: "Finished ok ok", the
 * client's first; with ASCII unset, marks for words. */
void verify_summary_write(struct buf *out, const struct verify_summary *s, unsigned client,
                          bool ascii, char separator);

#endif
