#include "dissect/frame.h"

#define MAX_COMMENTS 16 /* more are not shown */

/* Number that frame.encap_type has for a link type. */
static uint32_t encapsulation(uint32_t link_type)
{
    static const uint16_t rows[][2] = {
        {LINK_ETHERNET, 1}, {LINK_NULL, 15},       {LINK_LOOP, 174},     {LINK_RAW, 7},
        {LINK_RAW_BSD, 7},  {LINK_RAW_OPENBSD, 7}, {LINK_LINUX_SLL, 25}, {LINK_LINUX_SLL2, 210},
        {LINK_IPV4, 129},   {LINK_IPV6, 130},      {LINK_PPP, 4},        {LINK_PPP_HDLC, 4}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i][0] == link_type)
            return rows[i][1];
    return 0;
}

/* ---- comments -----------------------------------------------------------------------------------
 */

static void emit_comment(struct tape *t, struct slice text)
{
    uint32_t at = tape_open(t, F_frame_comment, 0, 0, 0, 0, 0);
    tape_set_text(t, at, text);
    /* The expert names the same text, whether the comment itself is wanted or not. */
    uint64_t note = (uint64_t)text.len << 32 | (uint32_t)t->text.len;
    if (at != TAPE_NONE)
        note = t->events[at].value;
    else
        buf_slice_put(&t->text, text);
    uint32_t expert = tape_open(t, F__ws_expert, 0, 0, 0, note, EVENT_GENERATED);
    tape_set_label(t, expert, LABEL_COMMENT_EXPERT);
    tape_add(t, F_frame_comment_expert, 0, 0, 0, note, EVENT_GENERATED);
    uint32_t message =
        tape_add(t, F__ws_expert_message, 0, 0, 0, note, EVENT_HIDDEN | EVENT_GENERATED);
    if (message != TAPE_NONE)
        t->events[message].flags |= EVENT_IN_TEXT;
    tape_add(t, F__ws_expert_severity, 0, 0, 0, SEVERITY_COMMENT, EVENT_GENERATED);
    tape_add(t, F__ws_expert_group, 0, 0, 0, GROUP_COMMENTS, EVENT_GENERATED);
    tape_close(t, expert);
    tape_close(t, at);
}

static void emit_comments(struct tape *t, const struct packet *p)
{
    struct slice text;
    if (!packet_option(p, PACKET_OPTION_COMMENT, 0, &text))
        return;
    uint32_t at = tape_open(t, F_pkt_comment, 0, 0, 0, 0, 0);
    for (size_t i = 0; i < MAX_COMMENTS && packet_option(p, PACKET_OPTION_COMMENT, i, &text); i++)
        emit_comment(t, text);
    tape_close(t, at);
}

/* ---- what pcapng says of a packet
 * -------------------------------------------------------------------- */

static void emit_interface(struct tape *t, const struct packet *p)
{
    const char *name = p->interface_name          ? p->interface_name
                       : p->interface_description ? p->interface_description
                                                  : "unknown";
    tape_add(t, F_frame_section_number, 0, 0, 0, p->section, 0);
    uint32_t at = tape_open(t, F_frame_interface_id, 0, 0, 0, p->interface_in_section, 0);
    tape_set_text(t, tape_add(t, F_frame_interface_name, 0, 0, 0, 0, 0), slice_of_str(name));
    if (p->interface_description)
        tape_set_text(t, tape_add(t, F_frame_interface_description, 0, 0, 0, 0, 0),
                      slice_of_str(p->interface_description));
    tape_close(t, at);
}

static void emit_flags(struct tape *t, uint64_t flags)
{
    static const uint16_t parts[] = {F_frame_packet_flags_direction,
                                     F_frame_packet_flags_reception_type,
                                     F_frame_packet_flags_fcs_length,
                                     F_frame_packet_flags_reserved,
                                     F_frame_packet_flags_crc_error,
                                     F_frame_packet_flags_packet_too_error,
                                     F_frame_packet_flags_packet_too_short_error,
                                     F_frame_packet_flags_wrong_inter_frame_gap_error,
                                     F_frame_packet_flags_unaligned_frame_error,
                                     F_frame_packet_flags_start_frame_delimiter_error,
                                     F_frame_packet_flags_preamble_error,
                                     F_frame_packet_flags_symbol_error};
    uint32_t at = tape_open(t, F_frame_packet_flags, 0, 0, 0, flags, 0);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        uint64_t mask = fields[parts[i]].mask;
        tape_add(t, parts[i], 0, 0, 0, (flags & mask) / (mask & -mask), 0);
    }
    tape_close(t, at);
}

/* The options of the packet's block that come before the time.  Its direction, 0 when it is not
 * told. */
static uint32_t emit_options(struct tape *t, const struct packet *p)
{
    uint64_t number, flags = 0;
    if (packet_option_number(p, PACKET_OPTION_QUEUE, 4, &number))
        tape_add(t, F_frame_interface_queue, 0, 0, 0, number, 0);
    if (packet_option_number(p, PACKET_OPTION_FLAGS, 4, &flags))
        emit_flags(t, flags);
    if (packet_option_number(p, PACKET_OPTION_ID, 8, &number))
        tape_add(t, F_frame_packet_id, 0, 0, 0, number, 0);
    uint32_t direction = (uint32_t)flags & 3;
    return direction == 3 ? 0 : direction;
}

static void emit_times(struct tape *t, const struct packet *p, const struct frame_times *times)
{
    unsigned made = EVENT_GENERATED;
    tape_add(t, F_frame_time, 0, 0, 0, (uint64_t)p->time_ns, 0);
    tape_add(t, F_frame_offset_shift, 0, 0, 0, 0, made);
    tape_add(t, F_frame_time_epoch, 0, 0, 0, (uint64_t)p->time_ns, 0);
    tape_add(t, F_frame_time_delta, 0, 0, 0, (uint64_t)times->delta, made);
    tape_add(t, F_frame_time_delta_displayed, 0, 0, 0, (uint64_t)times->delta_displayed, made);
    tape_add(t, F_frame_time_relative, 0, 0, 0, (uint64_t)times->relative, made);
}

void frame_emit(struct tape *t, const struct packet *p, const struct frame_times *times,
                const char *protocols)
{
    unsigned made = EVENT_GENERATED;
    uint32_t direction = 0;
    uint64_t drops;
    emit_comments(t, p);
    uint32_t at = tape_open(t, F_frame, 0, 0, p->caplen, 0, 0);
    if (p->interface != PACKET_NO_INTERFACE) {
        emit_interface(t, p);
        direction = emit_options(t, p);
    }
    tape_set_extra(t, at, direction);
    tape_add(t, F_frame_encap_type, 0, 0, 0, encapsulation(p->link_type), 0);
    if (p->has_time)
        emit_times(t, p, times);
    tape_add(t, F_frame_number, 0, 0, 0, p->number, 0);
    tape_add(t, F_frame_len, 0, 0, 0, p->len, 0);
    tape_add(t, F_frame_cap_len, 0, 0, 0, p->caplen, 0);
    if (packet_option_number(p, PACKET_OPTION_DROP_COUNT, 8, &drops))
        tape_add(t, F_frame_drop_count, 0, 0, 0, drops, 0);
    tape_add(t, F_frame_marked, 0, 0, 0, 0, made);
    tape_add(t, F_frame_ignored, 0, 0, 0, 0, made);
    if (direction)
        tape_add(t, F_frame_p2p_dir, 0, 0, 0, direction == 1, 0);
    tape_set_text(t, tape_add(t, F_frame_protocols, 0, 0, 0, 0, made), slice_of_str(protocols));
    tape_close(t, at);
}
