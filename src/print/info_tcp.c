#include "print/info_tcp.h"

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

/* A literal, whose length the compiler knows: this line is written for nearly every packet. */
#define LITERAL(out, text) buf_put((out), "" text, sizeof(text) - 1)

static void number(struct buf *out, const char *name, uint64_t value)
{
    buf_str(out, name);
    buf_dec(out, value);
}

#define NUMBER(out, name, value) (LITERAL(out, name), buf_dec((out), (value)))

void info_tcp_flags(struct buf *out, uint16_t bits)
{
    static const char names[][9] = {"FIN", "SYN", "RST", "PSH", "ACK",
                                    "URG", "ECE", "CWR", "AE",  "Reserved"};
    const char *before = "";
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        unsigned mask = i == 9 ? (unsigned)TCP_RESERVED : 1u << i;
        if (!(bits & mask))
            continue;
        buf_str(out, before);
        buf_str(out, names[i]);
        before = ", ";
    }
    if (!bits)
        buf_str(out, "<None>");
}

static void flags(struct buf *out, uint16_t bits)
{
    if (bits == TCP_ACK) {
        LITERAL(out, " [ACK]");
        return;
    }
    if (bits == (TCP_PSH | TCP_ACK)) {
        LITERAL(out, " [PSH, ACK]");
        return;
    }
    LITERAL(out, " [");
    info_tcp_flags(out, bits);
    buf_char(out, ']');
}

static void sack(struct buf *out, struct slice value, uint32_t base)
{
    while (value.len >= 8) {
        NUMBER(out, " SLE=", slice_u32(&value) - base);
        NUMBER(out, " SRE=", slice_u32(&value) - base);
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
            NUMBER(out, " WS=", UINT64_C(1) << (shift > 14 ? 14 : shift));
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
            NUMBER(out, " TSval=", slice_u32(&value));
            NUMBER(out, " TSecr=", slice_u32(&value));
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

static void options_text(struct buf *out, const struct tcp_facts *facts)
{
    struct tcp_option_walk walk = tcp_options_of(facts->options, facts->header_len - 20u);
    struct tcp_option option;
    while (tcp_option_next(&walk, &option) && option.kind != TCP_OPTION_END)
        if (!option.fault)
            option_text(out, &option, facts);
}

void info_tcp(struct buf *out, const struct tcp_facts *facts)
{
    info_tcp_prefix(out, facts);
    if (facts->device)
        buf_str(out, facts->device);
    buf_dec(out, facts->source_port);
    LITERAL(out, ARROW);
    buf_dec(out, facts->destination_port);
    if (facts->captured < 16)
        return;
    flags(out, facts->flags);
    NUMBER(out, " Seq=", facts->seq);
    if (facts->flags & TCP_ACK)
        NUMBER(out, " Ack=", facts->ack);
    NUMBER(out, " Win=", facts->window);
    if (facts->bogus_header_len) {
        number(out, ", bogus TCP header length (", facts->header_len);
        buf_str(out, ", must be at least 20)");
        return;
    }
    if (facts->captured < 20)
        return;
    if (facts->checksum_state == TCP_SUM_BAD)
        LITERAL(out, " [TCP CHECKSUM INCORRECT]");
    if (facts->checksum_state == TCP_SUM_FFFF)
        LITERAL(out, " [TCP CHECKSUM 0xFFFF]");
    if (facts->flags & TCP_URG)
        NUMBER(out, " Urg=", facts->urgent);
    if (!facts->short_segment)
        NUMBER(out, " Len=", facts->len);
    options_text(out, facts);
}
