/* Signed certificate timestamps (RFC 6962 3.2, 3.3) inside certificates and OCSP responses. */
#ifndef TLSWIRE_DISSECT_SCT_H
#define TLSWIRE_DISSECT_SCT_H

#include "dissect/der.h"
#include "dissect/tape.h"

/* Adds the list V: its length, and each timestamp with the name of its log.  False when it ends too
 * early. */
bool sct_list(struct tape *t, uint8_t source, struct der_view v);
/* Puts the name of the log ID behind the text of the timestamp at AT. */
void sct_note_log(struct tape *t, uint32_t at, struct slice id);

#endif
