#include "print/info_tcp.h"

#include "base/pen.h"
#include "schema/registries.h"
#include "stream/tcp_options.h"

#define ARROW " \xe2\x86\x92 "

struct prefix_row {
    uint32_t flag;
    const char *text; /* NULL: the duplicate ACK, which has numbers */
};

/* From the last one found to the first, as the column grows to the left. */
static const struct prefix_row prefixes[] = {
    {TCP_A_ZERO_WINDOW_PROBE_ACK, "[TCP ZeroWindowProbeAck] "},
    {TCP_A_ZERO_WINDOW, "[TCP ZeroWindow] "},
    {TCP_A_ZERO_WINDOW_PROBE, "[TCP ZeroWindowProbe] "},
    {TCP_A_DUPLICATE_ACK, NULL},
    {TCP_A_KEEP_ALIVE_ACK, "[TCP Keep-Alive ACK] "},
    {TCP_A_KEEP_ALIVE, "[TCP Keep-Alive] "},
    {TCP_A_WINDOW_FULL, "[TCP Window Full] "},
    {TCP_A_WINDOW_UPDATE, "[TCP Window Update] "},
    {TCP_A_ACK_LOST_SEGMENT, "[TCP ACKed unseen segment] "},
    {TCP_A_LOST_SEGMENT, "[TCP Previous segment not captured] "},
    {TCP_A_OUT_OF_ORDER, "[TCP Out-Of-Order] "},
    {TCP_A_SPURIOUS_RETRANSMISSION, "[TCP Spurious Retransmission] "},
    {TCP_A_FAST_RETRANSMISSION, "[TCP Fast Retransmission] "},
    {TCP_A_RETRANSMISSION, "[TCP Retransmission] "},
    {TCP_A_REUSED_PORTS, "[TCP Port numbers reused] "},
};

void info_tcp_prefix(struct buf *out, const struct tcp_facts *facts)
{
    if (!facts->analysis || facts->truncated || facts->bogus_header_len)
        return;
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        if (!(facts->analysis & prefixes[i].flag))
            continue;
        if (prefixes[i].text) {
            buf_str(out, prefixes[i].text);
            continue;
        }
        buf_str(out, "[TCP Dup ACK ");
        buf_dec(out, facts->dupack_frame);
        buf_char(out, '#');
        buf_dec(out, facts->dupack_num);
        buf_str(out, "] ");
    }
}

static void number(struct buf *out, const char *name, uint64_t value)
{
    buf_str(out, name);
    buf_dec(out, value);
}

static const char flag_names[][9] = {"FIN", "SYN", "RST", "PSH", "ACK",
                                     "URG", "ECE", "CWR", "AE",  "Reserved"};
#define FLAGS (sizeof flag_names / sizeof flag_names[0])

static uint16_t flag_mask(unsigned nth)
{
    return nth + 1 == FLAGS ? TCP_RESERVED : (uint16_t)(1u << nth);
}

void info_tcp_flags(struct buf *out, uint16_t bits)
{
    const char *before = "";
    for (unsigned i = 0; i < FLAGS; i++) {
        if (!(bits & flag_mask(i)))
            continue;
        buf_str(out, before);
        buf_str(out, flag_names[i]);
        before = ", ";
    }
    if (!bits)
        buf_str(out, "<None>");
}

static void sack(struct buf *out, struct slice value, uint32_t base)
{
    while (value.len >= 8) {
        number(out, " SLE=", slice_u32(&value) - base);
        number(out, " SRE=", slice_u32(&value) - base);
    }
}

static void acc_ecn(struct buf *out, struct slice value, bool second_order)
{
    static const char names[2][3][7] = {{" EE0B=", " ECEB=", " EE1B="},
                                        {" EE1B=", " ECEB=", " EE0B="}};
    if (value.len == 0)
        buf_str(out, " AccECN");
    for (unsigned i = 0; i < 3 && value.len >= 3; i++)
        number(out, names[second_order][i], slice_u24(&value));
}

static void experiment(struct buf *out, struct slice value)
{
    static const char digits[] = "0123456789ABCDEF";
    if (value.len < 2)
        return;
    uint16_t id = slice_u16(&value);
    if (id == TCP_EXPERIMENT_FAST_OPEN) {
        buf_str(out, value.len ? " TFO=C" : " TFO=R");
    } else if (id == TCP_EXPERIMENT_ACK_RATE) {
        if (value.len == 1)
            number(out, " TARR=", slice_u8(&value) >> 1);
    } else {
        buf_str(out, " ExID=");
        for (unsigned shift = 16; shift > 0; shift -= 4)
            buf_char(out, digits[id >> (shift - 4) & 15]);
    }
}

/* Options with one number: kind, length that they must have, and how it is named. */
struct number_row {
    uint8_t kind, len, bytes;
    const char *name;
};

static const struct number_row numbers[] = {
    {TCP_OPTION_MSS, 4, 2, " MSS="},         {TCP_OPTION_ECHO, 6, 4, " ECHO="},
    {TCP_OPTION_ECHO_REPLY, 6, 4, " ECHO="}, {TCP_OPTION_CC, 6, 4, " CC="},
    {TCP_OPTION_CC_NEW, 6, 4, " CC="},       {TCP_OPTION_CC_ECHO, 6, 4, " CC="},
};

static void plain_option(struct buf *out, const struct tcp_option *option)
{
    struct slice value = option->value;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (numbers[i].kind == option->kind && numbers[i].len == option->len)
            number(out, numbers[i].name, slice_uint(&value, numbers[i].bytes));
}

static void option_text(struct buf *out, const struct tcp_option *option,
                        const struct tcp_facts *facts)
{
    bool quiet = facts->options_of && facts->options_of->no_info_stamps;
    struct slice value = option->value;
    switch (option->kind) {
    case TCP_OPTION_NOP:
        break;
    case TCP_OPTION_WSCALE:
        if (option->len == 3) {
            uint8_t shift = slice_u8(&value);
            number(out, " WS=", UINT64_C(1) << (shift > 14 ? 14 : shift));
        }
        break;
    case TCP_OPTION_SACK_PERM:
        buf_str(out, " SACK_PERM");
        break;
    case TCP_OPTION_SACK:
        sack(out, value, facts->sack_base);
        break;
    case TCP_OPTION_TIMESTAMPS:
        if (option->len == 10 && !quiet) {
            number(out, " TSval=", slice_u32(&value));
            number(out, " TSecr=", slice_u32(&value));
        }
        break;
    case TCP_OPTION_MD5:
        if (option->len == 18)
            buf_str(out, " MD5");
        break;
    case TCP_OPTION_USER_TIMEOUT:
        if (option->len == 4)
            number(out, " USER_TO=", slice_u16(&value) & 0x7fffu);
        break;
    case TCP_OPTION_QUICK_START:
        if (option->len == 8) {
            buf_str(out, " QSresp=");
            buf_str(out, registry_compat(REG_QUICK_START_RATES, slice_u8(&value) & 15));
        }
        break;
    case TCP_OPTION_AUTHENTICATION:
        buf_str(out, "TCP AO"); /* no space before it, as readers are used to */
        break;
    case TCP_OPTION_FAST_OPEN:
        buf_str(out, option->len > 2 ? " TFO=C" : " TFO=R");
        break;
    case TCP_OPTION_ACC_ECN_0:
    case TCP_OPTION_ACC_ECN_1:
        acc_ecn(out, value, option->kind == TCP_OPTION_ACC_ECN_1);
        break;
    case TCP_OPTION_EXPERIMENT_1:
    case TCP_OPTION_EXPERIMENT_2:
        experiment(out, value);
        break;
    default:
        plain_option(out, option);
        break;
    }
}

static void options_text(struct buf *out, const struct tcp_facts *facts, struct slice options,
                         size_t declared)
{
    struct tcp_option_walk walk = tcp_options_of(options, declared);
    struct tcp_option option;
    while (tcp_option_next(&walk, &option) && option.kind != TCP_OPTION_END)
        if (!option.fault)
            option_text(out, &option, facts);
}

/* ---- what nearly every segment has --------------------------------------------------------------
 *
 * This line is written for most packets, and its parts are short: room is asked for once. */

#define HEADER_BYTES  256                   /* of text: the longest is below 200 */
#define OPTIONS_BYTES (5 * TCP_MAX_OPTIONS) /* the worst is two bytes that give ten letters */

#define PEN_NUMBER(to, name, value) pen_small(PEN_TEXT(to, name), (value))

struct usual_flags {
    char text[20];
    uint8_t len;
};

static const struct usual_flags usual_flags[32] = {
    [TCP_SYN] = {" [SYN]", 6},
    [TCP_SYN | TCP_ACK] = {" [SYN, ACK]", 11},
    [TCP_ACK] = {" [ACK]", 6},
    [TCP_PSH | TCP_ACK] = {" [PSH, ACK]", 11},
    [TCP_FIN | TCP_ACK] = {" [FIN, ACK]", 11},
    [TCP_FIN | TCP_PSH | TCP_ACK] = {" [FIN, PSH, ACK]", 16},
    [TCP_RST] = {" [RST]", 6},
    [TCP_RST | TCP_ACK] = {" [RST, ACK]", 11},
};

static uint8_t *flags(uint8_t *to, uint16_t bits)
{
    const char *before = " [";
    if (bits < 32 && usual_flags[bits].len > 0) {
        memcpy(to, usual_flags[bits].text, sizeof usual_flags[bits].text);
        return to + usual_flags[bits].len;
    }
    if (bits == 0)
        return PEN_TEXT(to, " [<None>]");
    for (unsigned i = 0; i < FLAGS; i++) {
        if (!(bits & flag_mask(i)))
            continue;
        to = pen_bytes(to, before, 2);
        to = pen_bytes(to, flag_names[i], strlen(flag_names[i]));
        before = ", ";
    }
    return pen_char(to, ']');
}

/* The header's part of the line.  MORE: options may follow. */
static uint8_t *header(uint8_t *to, const struct tcp_facts *facts, bool *more)
{
    *more = false;
    to = pen_small(to, facts->source_port);
    to = PEN_TEXT(to, ARROW);
    to = pen_small(to, facts->destination_port);
    if (facts->captured < 16)
        return to;
    to = flags(to, facts->flags);
    to = PEN_NUMBER(to, " Seq=", facts->seq);
    if (facts->flags & TCP_ACK)
        to = PEN_NUMBER(to, " Ack=", facts->ack);
    to = PEN_NUMBER(to, " Win=", facts->window);
    if (facts->bogus_header_len) {
        to = PEN_NUMBER(to, ", bogus TCP header length (", facts->header_len);
        return PEN_TEXT(to, ", must be at least 20)");
    }
    if (facts->captured < 20)
        return to;
    if (facts->checksum_state == TCP_SUM_BAD)
        to = PEN_TEXT(to, " [TCP CHECKSUM INCORRECT]");
    if (facts->checksum_state == TCP_SUM_FFFF)
        to = PEN_TEXT(to, " [TCP CHECKSUM 0xFFFF]");
    if (facts->flags & TCP_URG)
        to = PEN_NUMBER(to, " Urg=", facts->urgent);
    if (!facts->short_segment)
        to = PEN_NUMBER(to, " Len=", facts->len);
    *more = true;
    return to;
}

/* True when the option at the front is whole and LEN bytes long; VALUE is what follows its length. */
static inline bool is_whole(struct slice options, size_t len, struct slice *value)
{
    if (options.len < len || slice_at(options, 1) != len)
        return false;
    *value = slice_sub(options, 2, len - 2);
    return true;
}

/* The options that nearly all segments have; stops at the first other one. */
static uint8_t *usual_options(uint8_t *to, struct slice *options, bool quiet)
{
    struct slice value;
    while (options->len > 0) {
        uint8_t kind = slice_at(*options, 0);
        if (kind == TCP_OPTION_NOP) {
            slice_skip(options, 1);
        } else if (kind == TCP_OPTION_TIMESTAMPS && is_whole(*options, 10, &value)) {
            if (!quiet) {
                to = PEN_NUMBER(to, " TSval=", slice_u32(&value));
                to = PEN_NUMBER(to, " TSecr=", slice_u32(&value));
            }
            slice_skip(options, 10);
        } else if (kind == TCP_OPTION_MSS && is_whole(*options, 4, &value)) {
            to = PEN_NUMBER(to, " MSS=", slice_u16(&value));
            slice_skip(options, 4);
        } else if (kind == TCP_OPTION_WSCALE && is_whole(*options, 3, &value)) {
            uint8_t shift = slice_u8(&value);
            to = PEN_NUMBER(to, " WS=", 1u << (shift > 14 ? 14 : shift));
            slice_skip(options, 3);
        } else if (kind == TCP_OPTION_SACK_PERM && is_whole(*options, 2, &value)) {
            to = PEN_TEXT(to, " SACK_PERM");
            slice_skip(options, 2);
        } else {
            break;
        }
    }
    return to;
}

void info_tcp(struct buf *out, const struct tcp_facts *facts)
{
    struct slice options = facts->options;
    bool more, quiet = facts->options_of && facts->options_of->no_info_stamps;
    if (facts->analysis)
        info_tcp_prefix(out, facts);
    if (facts->device)
        buf_str(out, facts->device);
    uint8_t *to = buf_pen(out, HEADER_BYTES + OPTIONS_BYTES);
    if (!to)
        return;
    to = header(to, facts, &more);
    if (more && options.len <= TCP_MAX_OPTIONS)
        to = usual_options(to, &options, quiet);
    buf_pen_down(out, to);
    size_t read = facts->options.len - options.len;
    if (more && options.len > 0)
        options_text(out, facts, options, facts->header_len - 20u - read);
}
