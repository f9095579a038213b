#include "dissect/data.h"

void data_emit(struct tape *t, uint8_t source, uint32_t offset, uint32_t len, enum expert_id remark)
{
    if (len == 0)
        return;
    uint32_t item = tape_open(t, F_data, source, offset, len, 0, 0);
    tape_add(t, F_data_data, source, offset, len, 0, 0);
    tape_add(t, F_data_len, source, offset, 0, len, EVENT_GENERATED);
    if (remark != EXPERT_NONE)
        tape_expert(t, remark, source, offset, 0, 0);
    tape_close(t, item);
}
