/* Bytes that no protocol claims. */
#ifndef TLSWIRE_DISSECT_DATA_H
#define TLSWIRE_DISSECT_DATA_H

#include "dissect/tape.h"

/* Adds the protocol `data` for LEN bytes at OFFSET of SOURCE, with a remark unless that is EXPERT_NONE; nothing
 * when there are none. */
void data_emit(struct tape *t, uint8_t source, uint32_t offset, uint32_t len,
               enum expert_id remark);

#endif
