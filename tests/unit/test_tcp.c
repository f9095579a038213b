#include "dissect/tape.h"
#include "print/info_tcp.h"
#include "stream/tcp.h"
#include "stream/tcp_emit.h"
#include "unit.h"

#include <stdlib.h>

/* ---- segments made here -----------------------------------------------------------------------
 */

#define MS         INT64_C(1000000)
#define CLIENT_ISN 1000u
#define SERVER_ISN 5000u

enum { CLIENT, SERVER };

struct segment {
    int from;
    int64_t ms;
    uint32_t seq, ack; /* relative to the ends' first numbers */
    uint16_t flags, window;
    uint32_t len;
    const char *options; /* hexadecimal */
};

struct wire {
    struct flow_table table;
    struct tcp_facts facts; /* of the segment sent last */
    struct flow *flow;
    int direction;
    uint32_t isn[2];
    uint16_t client_port;
    uint64_t frame;
    uint8_t bytes[20 + 40 + 2000];
    size_t len; /* of the bytes */
};

static const struct address addresses[2] = {{ADDRESS_IPV4, {10, 0, 0, 1}},
                                            {ADDRESS_IPV4, {10, 0, 0, 2}}};

static void wire_open(struct wire *w)
{
    *w = (struct wire){.isn = {CLIENT_ISN, SERVER_ISN}, .client_port = 40000};
    flow_table_init(&w->table, 1);
}

static void put16(uint8_t *to, uint16_t value)
{
    to[0] = (uint8_t)(value >> 8);
    to[1] = (uint8_t)value;
}

static void put32(uint8_t *to, uint32_t value)
{
    put16(to, (uint16_t)(value >> 16));
    put16(to + 2, (uint16_t)value);
}

static size_t put_hex(uint8_t *to, const char *text)
{
    size_t n = 0;
    for (; text && text[0] && text[1]; text += 2) {
        const char pair[3] = {text[0], text[1], '\0'};
        to[n++] = (uint8_t)strtoul(pair, NULL, 16);
    }
    return n;
}

static bool feed(struct wire *w, int from, int64_t ms, size_t captured)
{
    struct tcp_input in = {.source = &addresses[from],
                           .destination = &addresses[!from],
                           .bytes = slice_of(w->bytes, captured),
                           .len = (uint32_t)w->len,
                           .frame = ++w->frame,
                           .time = ms * MS};
    struct slice payload;
    return tcp_segment(&w->table, &in, &w->facts, &w->flow, &w->direction, &payload);
}

static void build(struct wire *w, const struct segment *s)
{
    uint8_t *b = w->bytes;
    memset(b, 0, sizeof w->bytes);
    size_t options = put_hex(b + 20, s->options);
    size_t header = 20 + (options + 3) / 4 * 4;
    put16(b, s->from == CLIENT ? w->client_port : 443);
    put16(b + 2, s->from == CLIENT ? 443 : w->client_port);
    put32(b + 4, w->isn[s->from] + s->seq);
    put32(b + 8, s->flags & TCP_ACK ? w->isn[!s->from] + s->ack : 0);
    put16(b + 12, (uint16_t)(header / 4 << 12 | s->flags));
    put16(b + 14, s->window);
    w->len = header + s->len;
}

static void send_segment(struct wire *w, const struct segment *s)
{
    build(w, s);
    CHECK(feed(w, s->from, s->ms, w->len));
}

/* SYN, SYN+ACK, ACK at 0, 10 and 20 ms: frames 1 to 3. */
static void handshake(struct wire *w)
{
    static const struct segment three[] = {
        {CLIENT, 0, 0, 0, TCP_SYN, 1000, 0, NULL},
        {SERVER, 10, 0, 1, TCP_SYN | TCP_ACK, 1000, 0, NULL},
        {CLIENT, 20, 1, 1, TCP_ACK, 1000, 0, NULL},
    };
    for (size_t i = 0; i < 3; i++)
        send_segment(w, &three[i]);
}

/* ---- the judgements -----------------------------------------------------------------------------
 */

#define ACK TCP_ACK
#define DATA(from, ms, seq, ack, len)                \
    {                                                \
        from, ms, seq, ack, TCP_ACK, 1000, len, NULL \
    }
#define BARE(from, ms, seq, ack, window)             \
    {                                                \
        from, ms, seq, ack, TCP_ACK, window, 0, NULL \
    }

/* After a handshake; what the last segment is judged to be. */
static const struct scenario {
    const char *name;
    struct segment steps[8];
    uint32_t want;
    const char *prefix;
} scenarios[] = {
    {"plain", {DATA(CLIENT, 30, 1, 1, 100)}, 0, ""},
    {"retransmission",
     {DATA(CLIENT, 30, 1, 1, 100), DATA(CLIENT, 330, 1, 1, 100)},
     TCP_A_RETRANSMISSION,
     "[TCP Retransmission] "},
    {"lost segment",
     {DATA(CLIENT, 30, 101, 1, 100)},
     TCP_A_LOST_SEGMENT,
     "[TCP Previous segment not captured] "},
    {"acknowledged, never seen",
     {DATA(CLIENT, 30, 1, 1, 100), BARE(SERVER, 40, 1, 201, 1000)},
     TCP_A_ACK_LOST_SEGMENT,
     "[TCP ACKed unseen segment] "},
    {"keep-alive",
     {DATA(CLIENT, 30, 1, 1, 100), BARE(SERVER, 40, 1, 101, 1000), BARE(CLIENT, 50, 100, 1, 1000)},
     TCP_A_KEEP_ALIVE,
     "[TCP Keep-Alive] "},
    {"keep-alive answered",
     {DATA(CLIENT, 30, 1, 1, 100), BARE(SERVER, 40, 1, 101, 1000), BARE(CLIENT, 50, 100, 1, 1000),
      BARE(SERVER, 60, 1, 101, 1000)},
     TCP_A_KEEP_ALIVE_ACK,
     "[TCP Keep-Alive ACK] "},
    {"duplicate ACK",
     {DATA(CLIENT, 30, 1, 1, 100), BARE(SERVER, 40, 1, 101, 1000), BARE(SERVER, 41, 1, 101, 1000)},
     TCP_A_DUPLICATE_ACK,
     "[TCP Dup ACK 5#1] "},
    {"zero window",
     {DATA(CLIENT, 30, 1, 1, 100), BARE(SERVER, 40, 1, 101, 0)},
     TCP_A_ZERO_WINDOW,
     "[TCP ZeroWindow] "},
    {"zero-window probe",
     {DATA(CLIENT, 30, 1, 1, 100), BARE(SERVER, 40, 1, 101, 0), DATA(CLIENT, 50, 101, 1, 1)},
     TCP_A_ZERO_WINDOW_PROBE,
     "[TCP ZeroWindowProbe] "},
    {"zero-window probe answered",
     {DATA(CLIENT, 30, 1, 1, 100), BARE(SERVER, 40, 1, 101, 0), DATA(CLIENT, 50, 101, 1, 1),
      BARE(SERVER, 60, 1, 101, 0)},
     TCP_A_ZERO_WINDOW | TCP_A_ZERO_WINDOW_PROBE_ACK,
     "[TCP ZeroWindowProbeAck] [TCP ZeroWindow] "},
    {"out of order",
     {DATA(CLIENT, 30, 101, 1, 100), DATA(CLIENT, 33, 1, 1, 100)},
     TCP_A_OUT_OF_ORDER,
     "[TCP Out-Of-Order] "},
    {"late, not out of order",
     {DATA(CLIENT, 30, 101, 1, 100), DATA(CLIENT, 51, 1, 1, 100)},
     TCP_A_RETRANSMISSION,
     "[TCP Retransmission] "},
    {"fast retransmission",
     {DATA(CLIENT, 30, 1, 1, 100), BARE(SERVER, 31, 1, 101, 1000), DATA(CLIENT, 32, 201, 1, 100),
      BARE(SERVER, 33, 1, 101, 1000), BARE(SERVER, 34, 1, 101, 1000),
      DATA(CLIENT, 35, 101, 1, 100)},
     TCP_A_FAST_RETRANSMISSION,
     "[TCP Fast Retransmission] "},
    {"window update", {BARE(SERVER, 30, 1, 1, 2000)}, TCP_A_WINDOW_UPDATE, "[TCP Window Update] "},
    {"window full", {DATA(CLIENT, 30, 1, 1, 1000)}, TCP_A_WINDOW_FULL, "[TCP Window Full] "},
    {"window nearly full", {DATA(CLIENT, 30, 1, 1, 999)}, 0, ""},
    {"ports used again",
     {{CLIENT, 9000, 70000, 0, TCP_SYN, 1000, 0, NULL}},
     TCP_A_REUSED_PORTS,
     "[TCP Port numbers reused] "},
    {"spurious retransmission",
     {DATA(CLIENT, 30, 1, 1, 100), BARE(SERVER, 40, 1, 101, 1000), DATA(CLIENT, 50, 1, 1, 100)},
     TCP_A_SPURIOUS_RETRANSMISSION,
     "[TCP Spurious Retransmission] "},
};

static void run_scenario(struct wire *w, const struct scenario *s)
{
    wire_open(w);
    handshake(w);
    for (size_t i = 0; i < 8 && (s->steps[i].flags || i == 0); i++)
        send_segment(w, &s->steps[i]);
}

static void test_judgements(void)
{
    static struct wire w;
    uint32_t seen = 0;
    for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++) {
        const struct scenario *s = &scenarios[i];
        run_scenario(&w, s);
        if (w.facts.analysis != s->want)
            printf("# in \"%s\"\n", s->name);
        CHECK_EQ(s->want, w.facts.analysis);
        struct buf out = {0};
        info_tcp_prefix(&out, &w.facts);
        buf_char(&out, '\0');
        CHECK_STR(s->prefix, (const char *)out.data);
        buf_free(&out);
        seen |= w.facts.analysis;
        flow_table_free(&w.table);
    }
    CHECK_EQ((1 << 15) - 1, seen);
}

static const struct scenario *scenario(const char *name)
{
    for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++)
        if (strcmp(scenarios[i].name, name) == 0)
            return &scenarios[i];
    return NULL;
}

static void test_numbers_of_the_analysis(void)
{
    static struct wire w;
    run_scenario(&w, scenario("retransmission"));
    CHECK_EQ(300 * MS, w.facts.rto);
    CHECK_EQ(4, w.facts.rto_frame);
    CHECK_EQ(20 * MS, w.facts.initial_rtt);
    CHECK_EQ(100, w.facts.bytes_in_flight);
    flow_table_free(&w.table);

    run_scenario(&w, scenario("duplicate ACK"));
    CHECK_EQ(1, w.facts.dupack_num);
    CHECK_EQ(5, w.facts.dupack_frame);
    flow_table_free(&w.table);

    wire_open(&w);
    handshake(&w);
    send_segment(&w, &(struct segment)DATA(CLIENT, 30, 1, 1, 100));
    CHECK_EQ(100, w.facts.bytes_in_flight);
    send_segment(&w, &(struct segment)DATA(CLIENT, 31, 101, 1, 50));
    CHECK_EQ(150, w.facts.bytes_in_flight);
    CHECK_EQ(150, w.facts.push_bytes_sent);
    send_segment(&w, &(struct segment)BARE(SERVER, 47, 1, 101, 1000));
    CHECK_EQ(4, w.facts.acks_frame);
    CHECK_EQ(17 * MS, w.facts.ack_rtt);
    send_segment(&w, &(struct segment)DATA(CLIENT, 48, 151, 1, 10));
    CHECK_EQ(60, w.facts.bytes_in_flight);
    CHECK_EQ(48 * MS, w.facts.time_relative);
    CHECK_EQ(1 * MS, w.facts.time_delta);
    flow_table_free(&w.table);
}

/* ---- numbers of the stream ----------------------------------------------------------------------
 */

/* The same conversation gives the same relative numbers wherever the real ones start. */
static void test_wraparound(void)
{
    static const uint32_t starts[] = {1,          0x7fffff00, 0x7fffffff,
                                      0xfffffe00, 0xfffffffe, 0xffffffff};
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        struct wire w;
        wire_open(&w);
        w.isn[CLIENT] = starts[i];
        w.isn[SERVER] = starts[i] - 77;
        handshake(&w);
        CHECK_EQ(1, w.facts.seq);
        CHECK_EQ(1, w.facts.ack);
        for (uint32_t sent = 1; sent < 20000; sent += 1000) {
            send_segment(&w, &(struct segment){CLIENT, 30, sent, 1, ACK, 5000, 1000, NULL});
            CHECK_EQ(sent, w.facts.seq);
            CHECK_EQ(sent + 1000, w.facts.next_seq);
            CHECK_EQ(1000, w.facts.bytes_in_flight);
            CHECK_EQ(0, w.facts.analysis & ~(unsigned)TCP_A_WINDOW_FULL);
            send_segment(&w, &(struct segment)BARE(SERVER, 31, 1, sent + 1000, 1000));
            CHECK_EQ(sent + 1000, w.facts.ack);
            CHECK_EQ(w.frame - 1, w.facts.acks_frame);
        }
        send_segment(&w, &(struct segment)DATA(CLIENT, 600, 1, 1, 1000));
        CHECK_EQ(TCP_A_SPURIOUS_RETRANSMISSION, w.facts.analysis);
        flow_table_free(&w.table);
    }
}

static void test_joined_late(void)
{
    struct wire w;
    wire_open(&w);
    send_segment(&w, &(struct segment)DATA(SERVER, 0, 500, 300, 10));
    CHECK_EQ(1, w.facts.seq); /* the numbers start at 1 where the SYN was not seen */
    CHECK_EQ(1, w.facts.ack);
    CHECK_EQ(11, w.facts.next_seq);
    CHECK_EQ(TCP_SCALE_UNKNOWN, w.facts.scale);
    CHECK(w.facts.initial_rtt == TCP_NO_TIME);
    send_segment(&w, &(struct segment)DATA(CLIENT, 1, 300, 510, 20));
    CHECK_EQ(1, w.facts.seq);
    CHECK_EQ(11, w.facts.ack);
    CHECK_EQ(1, w.facts.acks_frame);
    flow_table_free(&w.table);
}

static void test_syn_and_fin_count(void)
{
    struct wire w;
    wire_open(&w);
    send_segment(&w, &(struct segment){CLIENT, 0, 0, 0, TCP_SYN, 1000, 0, NULL});
    CHECK_EQ(1, w.facts.next_seq);
    flow_table_free(&w.table);
    wire_open(&w);
    handshake(&w);
    send_segment(&w, &(struct segment){CLIENT, 30, 1, 1, TCP_FIN | ACK, 1000, 5, NULL});
    CHECK_EQ(7, w.facts.next_seq);
    CHECK(w.facts.fin_active && !w.facts.fin_passive);
    send_segment(&w, &(struct segment){SERVER, 31, 1, 7, TCP_FIN | ACK, 1000, 0, NULL});
    CHECK(w.facts.fin_passive && !w.facts.fin_active);
    CHECK_EQ(4, w.facts.acks_frame);
    flow_table_free(&w.table);
}

static const struct {
    const char *client, *server; /* options of SYN and SYN+ACK */
    int32_t client_scale, server_scale;
} scales[] = {
    {NULL, NULL, TCP_SCALE_NONE, TCP_SCALE_NONE},
    {"030307", "030302", 128, 4},
    {"030300", "03030e", 1, 16384},
    {"03030f", "0303ff", 16384, 16384}, /* RFC 7323 2.3: more than 14 counts as 14 */
    {"030307", NULL, TCP_SCALE_NONE, TCP_SCALE_NONE},
    {NULL, "030307", TCP_SCALE_NONE, TCP_SCALE_NONE},
    {"0302", "030307", TCP_SCALE_NONE, TCP_SCALE_NONE}, /* not well formed */
};

static void test_window_scale(void)
{
    for (size_t i = 0; i < sizeof scales / sizeof scales[0]; i++) {
        struct wire w;
        wire_open(&w);
        send_segment(&w, &(struct segment){CLIENT, 0, 0, 0, TCP_SYN, 100, 0, scales[i].client});
        CHECK_EQ(100, w.facts.window); /* never scaled in a SYN */
        send_segment(&w,
                     &(struct segment){SERVER, 1, 0, 1, TCP_SYN | ACK, 100, 0, scales[i].server});
        CHECK_EQ(100, w.facts.window);
        send_segment(&w, &(struct segment)BARE(CLIENT, 2, 1, 1, 100));
        CHECK_EQ(scales[i].client_scale, w.facts.scale);
        CHECK_EQ(scales[i].client_scale > 0 ? scales[i].client_scale * 100 : 100, w.facts.window);
        send_segment(&w, &(struct segment)BARE(SERVER, 3, 1, 1, 100));
        CHECK_EQ(scales[i].server_scale, w.facts.scale);
        CHECK_EQ(scales[i].server_scale > 0 ? scales[i].server_scale * 100 : 100, w.facts.window);
        flow_table_free(&w.table);
    }
}

/* Options that the capture cuts behind the window scale: it counts; before it, nobody knows. */
static void test_window_scale_of_cut_options(void)
{
    static const struct {
        size_t captured;
        int32_t scale;
    } cuts[] = {{20 + 3, 128}, {20 + 2, TCP_SCALE_UNKNOWN}, {20 + 12, 128}};
    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
        struct wire w;
        wire_open(&w);
        for (int from = CLIENT; from <= SERVER; from++) {
            unsigned flags = from == CLIENT ? TCP_SYN : TCP_SYN | TCP_ACK;
            build(&w, &(struct segment){from, from, 0, (uint32_t)from, (uint16_t)flags, 100, 0,
                                        "0303070402020101080a0000"});
            CHECK(feed(&w, from, from, cuts[i].captured));
        }
        send_segment(&w, &(struct segment)BARE(CLIENT, 2, 1, 1, 100));
        CHECK_EQ(cuts[i].scale, w.facts.scale);
        flow_table_free(&w.table);
    }
}

/* Completeness that the segment after the steps shows. */
static const struct {
    struct segment steps[8];
    uint8_t want;
} completeness[] = {
    {{{CLIENT, 0, 0, 0, TCP_SYN, 1000, 0, NULL}}, TCP_SAW_SYN},
    {{{CLIENT, 0, 0, 0, TCP_SYN, 1000, 0, NULL}, {SERVER, 1, 0, 1, TCP_SYN | ACK, 1000, 0, NULL}},
     TCP_SAW_SYN | TCP_SAW_SYN_ACK},
    {{{CLIENT, 0, 0, 0, TCP_SYN, 1000, 0, NULL}, {SERVER, 1, 0, 1, TCP_RST | ACK, 0, 0, NULL}},
     TCP_SAW_SYN | TCP_SAW_ACK | TCP_SAW_RST},
    {{{CLIENT, 0, 0, 0, TCP_SYN, 1000, 0, NULL},
      {SERVER, 1, 0, 1, TCP_SYN | ACK, 1000, 0, NULL},
      BARE(CLIENT, 2, 1, 1, 1000)},
     7},
    {{{CLIENT, 0, 0, 0, TCP_SYN, 1000, 0, NULL},
      {SERVER, 1, 0, 1, TCP_SYN | ACK, 1000, 0, NULL},
      BARE(CLIENT, 2, 1, 1, 1000),
      DATA(CLIENT, 3, 1, 1, 5),
      {CLIENT, 4, 6, 1, TCP_FIN | ACK, 1000, 0, NULL}},
     31},
    {{{CLIENT, 0, 0, 0, TCP_SYN, 1000, 0, NULL},
      {SERVER, 1, 0, 1, TCP_SYN | ACK, 1000, 0, NULL},
      BARE(CLIENT, 2, 1, 1, 1000),
      DATA(CLIENT, 3, 1, 1, 5),
      {CLIENT, 4, 6, 1, TCP_FIN | ACK, 1000, 0, NULL},
      {SERVER, 5, 1, 6, TCP_RST, 0, 0, NULL}},
     63},
    {{BARE(CLIENT, 0, 1, 1, 1000), DATA(CLIENT, 1, 1, 1, 5)}, TCP_SAW_DATA},
};

static void test_completeness(void)
{
    for (size_t i = 0; i < sizeof completeness / sizeof completeness[0]; i++) {
        struct wire w;
        wire_open(&w);
        uint8_t before = 0;
        for (size_t k = 0; k < 8 && completeness[i].steps[k].flags; k++) {
            send_segment(&w, &completeness[i].steps[k]);
            CHECK_EQ(before, w.facts.completeness & before); /* it only grows */
            before = w.facts.completeness;
        }
        send_segment(&w, &(struct segment){SERVER, 9, 1, 6, TCP_RST, 1000, 0, NULL});
        CHECK_EQ(completeness[i].want, w.facts.completeness);
        flow_table_free(&w.table);
    }
}

/* ---- options ------------------------------------------------------------------------------------
 */

/* What follows "Len=0"; the reference is tshark 4.0.17. */
static const struct {
    const char *hex, *info;
} option_rows[] = {
    {"", ""},
    {"020405b4", " MSS=1460"},
    {"020405b401030307", " MSS=1460 WS=128"},
    {"020305b4", ""},
    {"03030f00", " WS=16384"},
    {"03020000", ""},
    {"02040000", " MSS=0"},
    {"02000000", ""},
    {"02010000", ""},
    {"04020000", " SACK_PERM"},
    {"0403aa00", " SACK_PERM"},
    {"080a0000000100000002", " TSval=1 TSecr=2"},
    {"0809000000010000000200", ""},
    {"0101080affffffff00000000", " TSval=4294967295 TSecr=0"},
    {"050a000003e9000003f3", " SLE=0 SRE=10"},
    {"0512000003e9000003f3000007d1000007db", " SLE=0 SRE=10 SLE=1000 SRE=1010"},
    {"22020000", " TFO=R"},
    {"2206aabbccdd", " TFO=C"},
    {"fe04f989", " TFO=R"},
    {"fe08f989aabbccdd", " TFO=C"},
    {"fd041234", " ExID=1234"},
    {"fd06123411", " ExID=1234"},
    {"fe0600ac0b", ""},
    {"fd0300", ""},
    {"1c048003", " USER_TO=3"},
    {"060600000001", " ECHO=1"},
    {"0b0600000005", " CC=5"},
    {"13120102030405060708090a0b0c0d0e0f10", " MD5"},
    {"1312010203", ""},
    {"1d100102030405060708090a0b0c0d0e", "TCP AO"},
    {"ac0b000001000002000003", " EE0B=1 ECEB=2 EE1B=3"},
    {"ae05000001", " EE1B=1"},
    {"ac02", " AccECN"},
    {"00020405b4", ""}, /* nothing counts after the end */
    {"ff02", ""},
    {"010101ff", ""}, /* a kind without its length */
    {"01010101010101010101010101010101010101010101010101010101010101010101010101010101", ""},
};

static void test_options(void)
{
    for (size_t i = 0; i < sizeof option_rows / sizeof option_rows[0]; i++) {
        struct wire w;
        wire_open(&w);
        w.isn[SERVER] = CLIENT_ISN; /* so that SACK edges are small in the table */
        send_segment(&w, &(struct segment){CLIENT, 0, 1, 2, ACK, 1000, 0, option_rows[i].hex});
        struct buf out = {0};
        info_tcp(&out, &w.facts);
        buf_char(&out, '\0');
        const char *at = strstr((const char *)out.data, "Len=0");
        if (!at || strcmp(at + 5, option_rows[i].info) != 0)
            printf("# options %s\n", option_rows[i].hex);
        CHECK_STR(option_rows[i].info, at ? at + 5 : NULL);
        buf_free(&out);
        flow_table_free(&w.table);
    }
}

static const struct {
    const char *sack;
    bool repeats;
} sacks[] = {
    {"050a0000044c000004b0", false},                 /* 100 to 200, above the ACK */
    {"050a000003de000003e9", true},                  /* ends at the ACK */
    {"050a000003de000003ea", false},                 /* ends above it */
    {"05120000044c000004b00000044c000004b0", true},  /* the second block again */
    {"05120000044c000004b000000442000004b0", true},  /* inside the second block */
    {"05120000044c000004b00000044d000004ba", false}, /* begins before it */
    {"05120000044c000004b000000442000004af", false}, /* ends after it */
};

static void test_repeated_sack(void)
{
    for (size_t i = 0; i < sizeof sacks / sizeof sacks[0]; i++) {
        struct wire w;
        wire_open(&w);
        w.isn[SERVER] = CLIENT_ISN;
        handshake(&w);
        send_segment(&w, &(struct segment){CLIENT, 30, 1, 1, ACK, 1000, 0, sacks[i].sack});
        CHECK_EQ(sacks[i].repeats, w.facts.sack_duplicate);
        flow_table_free(&w.table);
    }
}

/* Cut anywhere, in the capture or by the IP length: no event may stand outside of what is there. */
static void test_every_prefix(void)
{
    static uint8_t want[FIELD_COUNT];
    memset(want, 1, sizeof want);
    struct tape t;
    CHECK(tape_init(&t));
    for (size_t i = 0; i < 2 * sizeof option_rows / sizeof option_rows[0]; i++) {
        struct segment s = {CLIENT, 0, 1, 2, ACK, 1000, 7, option_rows[i / 2].hex};
        struct wire w;
        wire_open(&w);
        build(&w, &s);
        size_t whole = w.len;
        for (size_t cut = 0; cut <= whole; cut++) {
            w.len = i % 2 ? whole : cut;
            bool followed = feed(&w, CLIENT, 0, cut);
            CHECK_EQ(cut >= 16, followed);
            CHECK_EQ(cut >= 16, w.flow != NULL);
            CHECK_EQ(cut, w.facts.captured);
            tape_reset(&t, want);
            tape_source(&t, slice_of(w.bytes, cut), "Frame");
            uint32_t at = tcp_emit(&t, 0, 0, &w.facts);
            tcp_emit_payload(&t, 0, w.facts.header_len, &w.facts);
            tape_close(&t, at);
            for (uint32_t k = 0; k < t.count; k++)
                CHECK(t.events[k].offset + t.events[k].length <= cut);
        }
        flow_table_free(&w.table);
    }
    tape_free(&t);
}

static void test_bogus_header(void)
{
    struct wire w;
    wire_open(&w);
    build(&w, &(struct segment){CLIENT, 0, 1, 2, ACK, 1000, 7, NULL});
    w.bytes[12] = 4 << 4;
    CHECK(feed(&w, CLIENT, 0, w.len));
    CHECK(w.facts.bogus_header_len);
    CHECK_EQ(16, w.facts.header_len);
    CHECK_EQ(0, w.facts.payload.len);
    flow_table_free(&w.table);
}

/* ---- the flow table -----------------------------------------------------------------------------
 */

static void test_keys(void)
{
    struct address a = {ADDRESS_IPV4, {10, 0, 0, 1}}, b = {ADDRESS_IPV4, {10, 0, 0, 2}};
    struct address six = {ADDRESS_IPV6, {0}};
    six.bytes[15] = 1;
    int there, back;
    struct flow_key x = flow_key_of(&a, &b, 1, 2, &there), y = flow_key_of(&b, &a, 2, 1, &back);
    CHECK(memcmp(&x, &y, sizeof x) == 0);
    CHECK_EQ(0, there);
    CHECK_EQ(1, back);
    y = flow_key_of(&a, &b, 2, 1, &back); /* the ports belong to the addresses */
    CHECK(memcmp(&x, &y, sizeof x) != 0);
    x = flow_key_of(&a, &a, 9, 5, &there); /* one host: the ports decide */
    y = flow_key_of(&a, &a, 5, 9, &back);
    CHECK(memcmp(&x, &y, sizeof x) == 0);
    CHECK_EQ(1, there);
    CHECK_EQ(0, back);
    x = flow_key_of(&six, &six, 5, 9, &there);
    y = flow_key_of(&(struct address){ADDRESS_IPV4, {0, 0, 0, 1}},
                    &(struct address){ADDRESS_IPV4, {0, 0, 0, 1}}, 5, 9, &there);
    CHECK(memcmp(&x, &y, sizeof x) != 0);
}

static void test_many_flows(void)
{
    struct flow_table t;
    flow_table_init(&t, 12345);
    enum { COUNT = 5000 };
    int direction;
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < COUNT; i++) {
            struct flow_key key =
                flow_key_of(&addresses[0], &addresses[1], (uint16_t)(1000 + i), 443, &direction);
            struct flow *f = flow_find(&t, &key);
            CHECK(round ? f && f->stream == i : !f);
            if (!f)
                CHECK_EQ(i, flow_add(&t, &key)->stream);
        }
    }
    CHECK_EQ(COUNT, t.streams);
    unsigned listed = 0;
    for (struct flow *f = t.flows; f; f = f->next)
        listed++;
    CHECK_EQ(COUNT, listed);
    flow_table_free(&t);
    CHECK(t.flows == NULL && t.count == 0);
    flow_table_free(&t);
}

static void test_reused_ports(void)
{
    struct wire w;
    wire_open(&w);
    handshake(&w);
    struct flow *first = w.flow;
    CHECK_EQ(0, w.facts.stream);
    send_segment(&w, &(struct segment){CLIENT, 30, 0, 0, TCP_SYN, 1000, 0, NULL});
    CHECK_EQ(0, w.facts.stream); /* the same SYN again */
    w.isn[CLIENT] += 1000000;
    w.isn[SERVER] += 9000000;
    handshake(&w);
    CHECK_EQ(1, w.facts.stream);
    CHECK(w.flow != first);
    CHECK_EQ(1, w.facts.seq);
    w.client_port++;
    handshake(&w);
    CHECK_EQ(2, w.facts.stream);
    w.client_port--;
    send_segment(&w, &(struct segment)DATA(SERVER, 99, 1, 1, 10));
    CHECK_EQ(1, w.facts.stream);
    CHECK_EQ(1, w.facts.seq);
    flow_table_free(&w.table);
}

static void test_limits(void)
{
    struct wire w;
    wire_open(&w);
    handshake(&w);
    for (uint32_t i = 0; i < TCP_MAX_UNACKED + 100; i++)
        send_segment(&w, &(struct segment)DATA(CLIENT, 30, 1 + i, 1, 1));
    CHECK_EQ(TCP_MAX_UNACKED, w.flow->side[w.direction].unacked_count);
    send_segment(&w, &(struct segment)BARE(SERVER, 40, 1, TCP_MAX_UNACKED + 101, 1000));
    CHECK_EQ(0, w.flow->side[!w.direction].unacked_count);
    flow_table_free(&w.table);

    wire_open(&w); /* no memory for a flow: the segment is read all the same */
    w.table.arena.ceiling = 1;
    build(&w, &(struct segment)DATA(CLIENT, 0, 1, 1, 5));
    CHECK(!feed(&w, CLIENT, 0, w.len));
    CHECK(w.flow == NULL);
    CHECK_EQ(443, w.facts.destination_port);
    flow_table_free(&w.table);
}

int main(void)
{
    static const struct unit_test tests[] = {
        {"every judgement of the sequence analysis", test_judgements},
        {"numbers of the analysis", test_numbers_of_the_analysis},
        {"relative numbers across the wrap", test_wraparound},
        {"a stream joined late", test_joined_late},
        {"SYN and FIN count as one byte", test_syn_and_fin_count},
        {"window scale", test_window_scale},
        {"window scale of cut options", test_window_scale_of_cut_options},
        {"completeness", test_completeness},
        {"options", test_options},
        {"repeated SACK blocks", test_repeated_sack},
        {"every prefix of a segment", test_every_prefix},
        {"bogus header length", test_bogus_header},
        {"flow keys", test_keys},
        {"many flows", test_many_flows},
        {"reused ports", test_reused_ports},
        {"limits", test_limits},
    };
    return UNIT_RUN(tests);
}
