#include "stream/tcp_emit.h"

void tcp_emit_joined_in(struct tape *t, uint8_t source, uint32_t offset,
                        const struct tcp_plan *plan, uint32_t frame)
{
    bool part = false;
    for (unsigned i = 0; i < plan->waiting_count; i++)
        part |= !plan->waiting[i].repeated;
    if (part && frame)
        tape_add(t, F_tcp_reassembled_in, source, offset, 0, frame, EVENT_GENERATED);
}

void tcp_emit_waiting(struct tape *t, uint8_t source, uint32_t offset, const struct tcp_plan *plan)
{
    for (unsigned i = 0; i < plan->waiting_count; i++) {
        const struct tcp_waiting *w = &plan->waiting[i];
        uint32_t at = tape_add(t, F_tcp_segment_data, source, offset + w->offset, w->len, 0, 0);
        if (w->repeated)
            tape_set_label(t, at, LABEL_TCP_RETRANSMITTED_DATA);
    }
}

void tcp_list_parts(struct buf *out, struct slice parts)
{
    struct tcp_part part;
    for (bool first = true; slice_read(&parts, &part, sizeof part); first = false) {
        buf_str(out, first ? "#" : ", #");
        buf_dec(out, part.frame);
        buf_char(out, '(');
        buf_dec(out, part.len);
        buf_char(out, ')');
    }
}

void tcp_emit_joined(struct tape *t, uint8_t source, const struct tcp_run *run,
                     const struct tcp_plan *plan)
{
    uint32_t size = (uint32_t)run->bytes.len, offset = 0;
    struct slice parts = plan->parts;
    struct tcp_part part;
    uint32_t at = tape_open(t, F_tcp_segments, source, 0, size, 0, EVENT_GENERATED);
    if (at != TAPE_NONE) {
        size_t start = t->text.len;
        tcp_list_parts(&t->text, parts);
        t->events[at].value = (uint64_t)(t->text.len - start) << 32 | (uint32_t)start;
    }
    for (; slice_read(&parts, &part, sizeof part); offset += part.len)
        tape_add(t, F_tcp_segment, source, offset, part.len, part.frame, EVENT_GENERATED);
    tape_add(t, F_tcp_segment_count, source, 0, 0, plan->parts.len / sizeof part, EVENT_GENERATED);
    tape_add(t, F_tcp_reassembled_length, source, 0, 0, size, EVENT_GENERATED);
    tape_add(t, F_tcp_reassembled_data, source, 0, size, 0, EVENT_GENERATED);
    tape_close(t, at);
}
