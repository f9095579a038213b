/* The bytes of a stream come out in order and once, whatever the segments do; what waits is bounded. */
#include "stream/reassembly.h"
#include "unit.h"

#include <stdlib.h>

#define RECORD 10 /* the scanner of these tests: every ten bytes are a record */

static struct flow_table table;
static struct tcp_pool pool;
static struct flow *flow;
static struct buf read_bytes;
static uint32_t next_frame;

static struct tcp_wish scan_tens(void *context, const struct flow *f, struct slice bytes)
{
    (void)context;
    (void)f;
    uint32_t whole = (uint32_t)(bytes.len / RECORD * RECORD), rest = (uint32_t)bytes.len - whole;
    return (struct tcp_wish){.offset = whole, .more = rest ? RECORD - rest : 0};
}

/* Like a header that is cut: below three bytes nothing is known. */
static struct tcp_wish scan_headers(void *context, const struct flow *f, struct slice bytes)
{
    struct tcp_wish wish = scan_tens(context, f, bytes);
    if (wish.more > 0 && bytes.len - wish.offset < 3)
        wish.more = TCP_NEXT_SEGMENT;
    return wish;
}

/* Like a header that announced too little: a record of eight bytes, which turns out to be one of sixteen. */
static struct tcp_wish scan_growing(void *context, const struct flow *f, struct slice bytes)
{
    (void)context;
    (void)f;
    uint32_t len = bytes.len < 8 ? 8 : 16;
    return (struct tcp_wish){.more = len - (uint32_t)bytes.len};
}

static void begin(uint32_t first_seq, bool syn)
{
    const struct flow_key key = {.low_port = 1, .high_port = 2, .kind = ADDRESS_IPV4};
    buf_clear(&read_bytes);
    next_frame = 1;
    flow_table_init(&table, 1);
    flow = flow_add(&table, &key);
    flow->side[0].base_seq = first_seq - 1;
    flow->completeness = syn ? TCP_SAW_SYN : 0;
}

static void end(void)
{
    tcp_reassembly_free(&pool, flow);
    CHECK_EQ(0, pool.held);
    tcp_pool_free(&pool);
    flow_table_free(&table);
}

static struct tcp_plan send(uint32_t seq, struct slice data, uint32_t len, tcp_scan *scan)
{
    static const struct tcp_options usual = {.absolute = false};
    struct tcp_facts facts = {.seq_raw = seq, .len = len, .payload = data, .options_of = &usual};
    struct tcp_plan plan;
    tcp_reassemble(&table, &pool, flow, &facts, next_frame++, scan, NULL, NULL, &plan);
    for (unsigned i = 0; i < plan.run_count; i++) {
        struct slice bytes = plan.runs[i].bytes;
        uint32_t whole = scan_tens(NULL, flow, bytes).offset;
        buf_slice_put(&read_bytes, slice_sub(bytes, 0, plan.runs[i].missing ? bytes.len : whole));
    }
    return plan;
}

static struct tcp_plan text(uint32_t seq, const char *data)
{
    return send(seq, slice_of_str(data), (uint32_t)strlen(data), scan_tens);
}

#define READ(expected) CHECK(slice_is(buf_slice(&read_bytes), expected))

static void whole_records_stay_where_they_lie(void)
{
    begin(100, true);
    struct tcp_plan plan = text(100, "0123456789abcdefghij");
    CHECK_EQ(1, plan.run_count);
    CHECK(!plan.runs[0].joined && !plan.segment_of_pdu);
    CHECK_EQ(0, plan.waiting_count);
    READ("0123456789abcdefghij");
    end();
}

static void records_over_segments_are_joined(void)
{
    begin(100, true);
    struct tcp_plan plan = text(100, "0123");
    CHECK(plan.segment_of_pdu && plan.runs[0].idle);
    plan = text(104, "45");
    CHECK(plan.segment_of_pdu && plan.run_count == 0);
    plan = text(106, "6789abcdefghijKL");
    CHECK_EQ(2, plan.run_count);
    CHECK(plan.runs[0].joined && !plan.runs[1].joined);
    CHECK_EQ(4, plan.runs[1].offset);
    CHECK_EQ(3 * sizeof(struct tcp_part), plan.parts.len);
    CHECK_EQ(2, plan.waiting_count);
    READ("0123456789abcdefghij");
    text(122, "MNOPQRST");
    READ("0123456789abcdefghijKLMNOPQRST");
    end();
}

static void the_sequence_number_wraps(void)
{
    begin(UINT32_MAX - 4, true);
    text(UINT32_MAX - 4, "01234567");
    text(3, "89abcdefghij");
    READ("0123456789abcdefghij");
    end();
}

/* All orders of four segments, each sent twice, give the same bytes. */
static void any_order_gives_the_same(void)
{
    static const char data[] = "0123456789abcdefghijABCDEFGHIJ";
    static const uint32_t places[] = {0, 7, 12, 25, 30};
    for (unsigned order = 0; order < 256; order++) {
        unsigned picks[] = {order & 3, order >> 2 & 3, order >> 4 & 3, order >> 6 & 3}, seen = 0;
        for (unsigned i = 0; i < 4; i++)
            seen |= 1u << picks[i];
        if (seen != 15)
            continue;
        begin(5000, true);
        for (unsigned i = 0; i < 8; i++) {
            uint32_t from = places[picks[i / 2]], to = places[picks[i / 2] + 1];
            send(5000 + from, slice_of(data + from, to - from), to - from, scan_headers);
        }
        READ(data);
        end();
    }
}

static void overlaps_count_once(void)
{
    begin(1, true);
    text(1, "01234567");
    text(4, "3456789abc");
    text(1, "0123456789abc");
    text(14, "defghij");
    READ("0123456789abcdefghij");
    end();
}

static bool part_is(const struct tcp_plan *plan, unsigned i, struct tcp_part want)
{
    struct slice parts = plan->parts;
    struct tcp_part part;
    slice_skip(&parts, i * sizeof part);
    return slice_read(&parts, &part, sizeof part) && part.frame == want.frame &&
           part.len == want.len && part.offset == want.offset && part.conflict == want.conflict;
}

static void what_comes_again_is_a_part_too(void)
{
    begin(1, true);
    text(1, "01");
    struct tcp_plan plan = text(2, "1"); /* from the middle of what waits */
    CHECK(plan.segment_of_pdu && plan.run_count == 0);
    CHECK(plan.waiting_count == 1 && !plan.waiting[0].repeated);
    plan = text(1, "0x"); /* from its beginning, and other bytes */
    CHECK(plan.segment_of_pdu && !plan.waiting[0].repeated);
    plan = text(2, "123"); /* goes on, too */
    CHECK(plan.segment_of_pdu && plan.waiting[0].len == 3);
    text(6, "567"); /* early, twice */
    text(6, "567");
    plan = text(4, "3456789ab");
    CHECK_EQ(7 * sizeof(struct tcp_part), plan.parts.len);
    CHECK(part_is(&plan, 0, (struct tcp_part){.frame = 1, .len = 2, .offset = 0}));
    CHECK(part_is(&plan, 1, (struct tcp_part){.frame = 3, .len = 2, .conflict = true}));
    CHECK(part_is(&plan, 2, (struct tcp_part){.frame = 2, .len = 1, .offset = 1}));
    CHECK(part_is(&plan, 3, (struct tcp_part){.frame = 4, .len = 3, .offset = 1}));
    CHECK(part_is(&plan, 4, (struct tcp_part){.frame = 7, .len = 9, .offset = 3}));
    CHECK(part_is(&plan, 5, (struct tcp_part){.frame = 5, .len = 3, .offset = 5}));
    CHECK(part_is(&plan, 6, (struct tcp_part){.frame = 6, .len = 3, .offset = 5}));
    CHECK(tcp_parts_conflict(plan.parts));
    READ("0123456789");
    plan = text(1, "0123456789"); /* nothing waits that it could be a part of */
    CHECK(!plan.segment_of_pdu && plan.waiting[0].repeated);
    end();
}

static void an_early_segment_is_parted_where_the_record_ends(void)
{
    begin(1, true);
    text(1, "0123");
    struct tcp_plan plan = text(8, "789abc");
    CHECK(plan.waiting_count == 2 && plan.segment_of_pdu);
    CHECK(plan.waiting[0].len == 3 && plan.waiting[1].offset == 3 && plan.waiting[1].len == 3);
    plan = text(5, "456");
    CHECK_EQ(4 * sizeof(struct tcp_part), plan.parts.len);
    CHECK(part_is(&plan, 2, (struct tcp_part){.frame = 2, .len = 3, .offset = 7}));
    CHECK(part_is(&plan, 3, (struct tcp_part){.frame = 2, .len = 3, .offset = 10}));
    text(14, "defghij");
    READ("0123456789abcdefghij");
    end();
}

static void repeated_parts_have_a_ceiling(void)
{
    begin(1, true);
    text(1, "0123");
    for (unsigned i = 0; i < 5000; i++)
        text(2, "12");
    struct tcp_plan plan = text(5, "456789");
    CHECK_EQ((1024 + 2) * sizeof(struct tcp_part), plan.parts.len);
    READ("0123456789");
    end();
}

static void a_capture_that_begins_late_is_read_from_there(void)
{
    begin(100, false);
    text(777, "0123456789");
    READ("0123456789");
    end();
}

static void a_cut_segment_is_read_alone(void)
{
    begin(100, true);
    text(100, "0123");
    struct tcp_plan plan = send(104, slice_of_str("xyz"), 16, scan_tens);
    CHECK_EQ(1, plan.run_count);
    CHECK_EQ(13, plan.runs[0].missing);
    text(120, "abcdefghij");
    READ("xyzabcdefghij");
    end();
}

static void a_hole_that_stays_is_given_up(void)
{
    static uint8_t block[1 << 16];
    begin(100, true);
    uint32_t seq = 200, held = 0;
    while (buf_slice(&read_bytes).len == 0 && held < 1000) {
        send(seq, slice_of(block, sizeof block), sizeof block, scan_tens);
        seq += sizeof block;
        CHECK(pool.held <= (size_t)1 << 22);
        held++;
    }
    CHECK(held < 100);
    CHECK_EQ(0, pool.held);
    end();
}

static void unfilled_memory_goes_back(void)
{
    begin(100, true);
    text(100, "0");
    text(150, "later");
    CHECK(pool.held == 5);
    end();
}

/* What waited and was no whole record after all goes back to the pool before the rest begins to wait. */
static void a_record_longer_than_announced_gives_back(void)
{
    begin(100, true);
    struct tcp_gathered *warm[] = {tcp_pool_take(&pool), tcp_pool_take(&pool)};
    tcp_pool_give(&pool, &warm[0]);
    tcp_pool_give(&pool, &warm[1]);
    unsigned idle = pool.idle_count;
    CHECK(idle >= 2);
    send(100, slice_of_str("0123"), 4, scan_growing);
    CHECK_EQ(idle - 1, pool.idle_count);
    struct tcp_plan plan = send(104, slice_of_str("456789"), 6, scan_growing);
    CHECK(plan.run_count == 2 && plan.runs[0].joined && plan.runs[0].idle);
    CHECK_EQ(idle - 1, pool.idle_count);
    tcp_reassembly_free(&pool, flow);
    CHECK_EQ(idle, pool.idle_count);
    end();
}

int main(void)
{
    static const struct unit_test tests[] = {
        {"reassembly: whole records stay where they lie", whole_records_stay_where_they_lie},
        {"reassembly: records over segments are joined", records_over_segments_are_joined},
        {"reassembly: the sequence number wraps", the_sequence_number_wraps},
        {"reassembly: any order gives the same", any_order_gives_the_same},
        {"reassembly: overlaps count once", overlaps_count_once},
        {"reassembly: what comes again is a part too", what_comes_again_is_a_part_too},
        {"reassembly: an early segment is parted where the record ends",
         an_early_segment_is_parted_where_the_record_ends},
        {"reassembly: repeated parts have a ceiling", repeated_parts_have_a_ceiling},
        {"reassembly: a capture that begins late is read from there",
         a_capture_that_begins_late_is_read_from_there},
        {"reassembly: a cut segment is read alone", a_cut_segment_is_read_alone},
        {"reassembly: a hole that stays is given up", a_hole_that_stays_is_given_up},
        {"reassembly: unfilled memory goes back", unfilled_memory_goes_back},
        {"reassembly: a record longer than announced gives back what waited",
         a_record_longer_than_announced_gives_back},
    };
    int status = UNIT_RUN(tests);
    buf_free(&read_bytes);
    return status;
}
