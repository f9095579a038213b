#include "stream/tcp_emit.h"

void tcp_emit_waiting(struct tape *t, uint8_t source, uint32_t offset, uint32_t header,
                      const struct tcp_plan *plan, uint32_t frame)
{
    /* The end of one record, and the beginning of the next, which FRAME has the rest of. */
    bool two = plan->waiting_count == 2 && plan->run_count > 0;
    for (unsigned i = 0; i < plan->waiting_count; i++) {
        const struct tcp_waiting *w = &plan->waiting[i];
        if (frame && !w->repeated && i == two)
            tape_add(t, F_tcp_reassembled_in, source, header, 0, frame, EVENT_GENERATED);
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

bool tcp_parts_conflict(struct slice parts)
{
    struct tcp_part part = {.conflict = false};
    while (!part.conflict && slice_read(&parts, &part, sizeof part))
        ;
    return part.conflict;
}

/* One segment of those that were joined; END: where those before it end. */
static void emit_part(struct tape *t, uint8_t source, const struct tcp_part *part, uint32_t end)
{
    uint16_t field = part->conflict ? F_tcp_segment_error : F_tcp_segment;
    uint32_t at =
        tape_open(t, field, source, part->offset, part->len, part->frame, EVENT_GENERATED);
    if (part->offset < end)
        tape_add(t, F_tcp_segment_overlap, source, part->offset, 0, 1, EVENT_GENERATED);
    if (part->conflict)
        tape_add(t, F_tcp_segment_overlap_conflict, source, part->offset, 0, 1, EVENT_GENERATED);
    tape_close(t, at);
}

void tcp_emit_joined(struct tape *t, uint8_t source, const struct tcp_run *run,
                     const struct tcp_plan *plan)
{
    uint32_t size = (uint32_t)run->bytes.len, end = 0;
    struct slice parts = plan->parts;
    struct tcp_part part;
    uint32_t at = tape_open(t, F_tcp_segments, source, 0, size, 0, EVENT_GENERATED);
    if (at != TAPE_NONE) {
        size_t start = t->text.len;
        tcp_list_parts(&t->text, parts);
        t->events[at].value = (uint64_t)(t->text.len - start) << 32 | (uint32_t)start;
    }
    while (slice_read(&parts, &part, sizeof part)) {
        emit_part(t, source, &part, end);
        if (part.offset + part.len > end)
            end = part.offset + part.len;
    }
    tape_add(t, F_tcp_segment_count, source, 0, 0, plan->parts.len / sizeof part, EVENT_GENERATED);
    tape_add(t, F_tcp_reassembled_length, source, 0, 0, size, EVENT_GENERATED);
    tape_add(t, F_tcp_reassembled_data, source, 0, size, 0, EVENT_GENERATED);
    tape_close(t, at);
}
