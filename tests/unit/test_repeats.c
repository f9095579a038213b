/* Segments that come again with other bytes are told; those that come again the same are not. */
#include "packets.h"
#include "unit.h"

static uint8_t want[FIELD_COUNT];
static struct engine *engine;
static struct buf bytes;
static uint64_t number;

static const struct dissection *send(uint16_t port, uint32_t seq, const char *data)
{
    struct segment s = {.client_port = port,
                        .server_port = 9999,
                        .seq = seq,
                        .ack = 1,
                        .flags = PSH | ACK,
                        .data = slice_of_str(data)};
    put_segment(&bytes, &s);
    struct packet p = packet_of(&bytes, ++number);
    return engine_packet(engine, &p);
}

/* Index of the byte that differs; -1 when nothing does. */
static int conflict(const struct dissection *d)
{
    for (uint32_t i = 0; i < d->tape.count; i++)
        if (d->tape.events[i].field == F_tlswire_tcp_conflict) {
            CHECK_EQ(d->tcp.conflict_frame, d->tape.events[i].value);
            CHECK_EQ(F__ws_expert, d->tape.events[i + 1].field);
            return (int)d->tcp.conflict_offset;
        }
    return -1;
}

static void begin(void)
{
    memset(want, 1, sizeof want);
    engine = engine_new(&(struct engine_options){.want = want});
    number = 0;
}

static void other_bytes_are_told(void)
{
    begin();
    CHECK_EQ(-1, conflict(send(1000, 1, "0123456789")));
    CHECK_EQ(-1, conflict(send(1000, 1, "0123456789")));
    CHECK_EQ(3, conflict(send(1000, 1, "012x456789")));
    CHECK_EQ(-1, conflict(send(1000, 11, "abcdefghij")));
    CHECK_EQ(-1, conflict(send(1000, 20, "jX")));
    CHECK_EQ(1, conflict(send(1000, 9, "8Y")));
    engine_free(engine);
}

static void pieces_are_compared_where_they_overlap(void)
{
    begin();
    send(1000, 1, "0123456789");
    send(1000, 11, "abcdefghij");
    CHECK_EQ(-1, conflict(send(1000, 6, "56789abcde")));
    CHECK_EQ(7, conflict(send(1000, 6, "56789abXde")));
    CHECK_EQ(-1, conflict(send(1000, 16, "fghijklm"))); /* goes on behind what was there */
    CHECK_EQ(4, conflict(send(1000, 16, "fghiJklm")));
    engine_free(engine);
}

static void what_came_early_counts_as_first(void)
{
    begin();
    send(1000, 1, "01234");
    send(1000, 11, "abcde"); /* a hole before it */
    CHECK_EQ(6, conflict(send(1000, 6, "56789aBcde")));
    engine_free(engine);
}

static void a_keep_alive_is_none(void)
{
    begin();
    send(1000, 1, "0123456789");
    CHECK_EQ(-1, conflict(send(1000, 10, "\x01")));
    engine_free(engine);
}

static bool remarks(const struct dissection *d, const char *text)
{
    bool found = false;
    for (unsigned i = 0; i < d->columns.item_count; i++)
        found |= d->columns.items[i].text && strcmp(d->columns.items[i].text, text) == 0;
    return found;
}

static unsigned count(const struct dissection *d, uint16_t field)
{
    unsigned n = 0;
    for (uint32_t i = 0; i < d->tape.count; i++)
        n += d->tape.events[i].field == field;
    return n;
}

/* A record of four bytes in pieces; the second piece comes again as SECOND_TIME. */
static const struct dissection *record_in_pieces(const char *second_time)
{
    begin();
    struct segment s = {.client_port = 1000, .server_port = 443, .seq = 1, .ack = 1};
    s.flags = PSH | ACK;
    const struct slice pieces[] = {slice_of("\x17\x03\x03\x00\x04", 5), slice_of_str("ab"),
                                   slice_of_str(second_time), slice_of_str("cd")};
    static const uint32_t places[] = {1, 6, 6, 8};
    const struct dissection *d = NULL;
    for (unsigned i = 0; i < 4; i++) {
        s.data = pieces[i];
        s.seq = places[i];
        put_segment(&bytes, &s);
        struct packet p = packet_of(&bytes, ++number);
        d = engine_packet(engine, &p);
    }
    return d;
}

static void parts_that_differ_are_told(void)
{
    const struct dissection *d = record_in_pieces("ab");
    CHECK_EQ(4, count(d, F_tcp_segment));
    CHECK_EQ(1, count(d, F_tcp_segment_overlap));
    CHECK(!remarks(d, "[Illegal Segments]"));
    engine_free(engine);
    d = record_in_pieces("aX");
    CHECK_EQ(3, count(d, F_tcp_segment));
    CHECK_EQ(1, count(d, F_tcp_segment_error));
    CHECK_EQ(1, count(d, F_tcp_segment_overlap_conflict));
    CHECK(remarks(d, "[Illegal Segments]"));
    engine_free(engine);
    d = record_in_pieces("b"); /* at the place of "a": no keep-alive, which repeats the last byte */
    CHECK(remarks(d, "[Illegal Segments]"));
    engine_free(engine);
}

/* RFC 9293 3.8.4: the byte repeats the last one's number, whatever it is. */
static void a_keep_alive_is_no_conflict(void)
{
    begin();
    struct segment s = {.client_port = 1000, .server_port = 443, .seq = 1, .ack = 1};
    const struct slice pieces[] = {slice_of("\x17\x03\x03\x00\x04", 5), slice_of_str("ab"),
                                   slice_of_str("X"), slice_of_str("cd")};
    static const uint32_t places[] = {1, 6, 7, 8};
    const struct dissection *d = NULL;
    for (unsigned i = 0; i < 4; i++) {
        s.flags = i == 2 ? ACK : PSH | ACK;
        s.data = pieces[i];
        s.seq = places[i];
        put_segment(&bytes, &s);
        struct packet p = packet_of(&bytes, ++number);
        d = engine_packet(engine, &p);
    }
    CHECK_EQ(4, count(d, F_tcp_segment));
    CHECK_EQ(1, count(d, F_tcp_segment_overlap));
    CHECK(!remarks(d, "[Illegal Segments]"));
    engine_free(engine);
}

/* The capture ends where a record does, and the segment goes on. */
static void a_cut_between_records_is_told(void)
{
    static const uint8_t ccs[] = {0x14, 3, 3, 0, 1, 1};
    static const uint8_t more[sizeof ccs + 20] = {0x14, 3, 3, 0, 1, 1, 0x17, 3, 3, 0, 15};
    begin();
    struct segment s = {.client_port = 1000, .server_port = 443, .seq = 1, .ack = 1};
    s.flags = PSH | ACK;
    s.data = slice_of(more, sizeof more);
    put_segment(&bytes, &s);
    struct packet p = packet_of(&bytes, ++number);
    p.bytes = slice_sub(p.bytes, 0, p.bytes.len - 20);
    const struct dissection *d = engine_packet(engine, &p);
    CHECK_EQ(1, count(d, F_tls_record));
    CHECK_EQ(1, count(d, F__ws_short));
    CHECK(remarks(d, "[Packet size limited during capture]"));
    for (uint32_t i = 0; i < d->tape.count; i++)
        if (d->tape.events[i].field == F__ws_short)
            CHECK_EQ(0, d->tape.events[i].offset);
    engine_free(engine);
}

static void connections_are_apart(void)
{
    begin();
    send(1000, 1, "0123456789");
    send(1001, 1, "9876543210");
    CHECK_EQ(-1, conflict(send(1000, 1, "0123456789")));
    CHECK_EQ(0, conflict(send(1001, 1, "0123456789")));
    engine_free(engine);
}

static void old_bytes_are_forgotten(void)
{
    static char text[1401];
    memset(text, 'x', sizeof text - 1);
    begin();
    send(1000, 1, "0123456789");
    for (uint32_t i = 0; i < 5000; i++)
        send(1000, 11 + i * 1400, text);
    CHECK_EQ(-1, conflict(send(1000, 1, "9876543210")));
    CHECK_EQ(0, conflict(send(1000, 11 + 4990 * 1400, "yxx")));
    engine_free(engine);
}

int main(void)
{
    static const struct unit_test tests[] = {
        {"repeats: other bytes are told", other_bytes_are_told},
        {"repeats: pieces are compared where they overlap", pieces_are_compared_where_they_overlap},
        {"repeats: what came early counts as first", what_came_early_counts_as_first},
        {"repeats: a keep-alive is none", a_keep_alive_is_none},
        {"repeats: parts that differ are told", parts_that_differ_are_told},
        {"repeats: a keep-alive is no conflict", a_keep_alive_is_no_conflict},
        {"repeats: a cut between records is told", a_cut_between_records_is_told},
        {"repeats: connections are apart", connections_are_apart},
        {"repeats: old bytes are forgotten", old_bytes_are_forgotten},
    };
    int status = UNIT_RUN(tests);
    buf_free(&bytes);
    return status;
}
