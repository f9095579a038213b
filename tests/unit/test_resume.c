/* TLS is found again behind a hole, and where the capture begins in the middle of a record. */
#include "packets.h"
#include "stream/tls_resume.h"
#include "unit.h"

static uint8_t want[FIELD_COUNT];
static struct engine *engine;
static struct buf stream, packet_bytes;
static uint64_t number;

#define RECORDS 40
#define RECORD  700

/* Application data whose bytes cannot be taken for headers. */
static void make_stream(void)
{
    buf_clear(&stream);
    for (unsigned i = 0; i < RECORDS; i++) {
        put_number(&stream, 0x170303, 3);
        put_number(&stream, RECORD, 2);
        for (unsigned k = 0; k < RECORD; k++)
            put_number(&stream, 0x40 + (i * 7 + k * 13) % 100, 1);
    }
}

static const struct dissection *send(bool from_server, uint32_t seq, uint32_t ack, uint8_t flags,
                                     struct slice data)
{
    struct segment s = {.from_server = from_server,
                        .client_port = 1000,
                        .server_port = 443,
                        .seq = seq,
                        .ack = ack,
                        .flags = flags,
                        .data = data};
    put_segment(&packet_bytes, &s);
    struct packet p = packet_of(&packet_bytes, ++number);
    return engine_packet(engine, &p);
}

static unsigned records_in(const struct dissection *d)
{
    unsigned count = 0;
    for (uint32_t i = 0; i < d->tape.count; i++)
        count += d->tape.events[i].field == F_tls_record_content_type;
    return count;
}

static void begin(bool syn)
{
    memset(want, 1, sizeof want);
    make_stream();
    number = 0;
    engine = engine_new(&(struct engine_options){.want = want});
    if (syn)
        send(false, 999, 0, SYN, slice_empty());
    if (syn)
        send(true, 4999, 1000, SYN | ACK, slice_empty());
}

/* Sends SIZE bytes at a time from FIRST on, without segment MISSING; the peer acknowledges all.  How many
 * records come out. */
static unsigned send_all(uint32_t first, uint32_t size, uint32_t missing)
{
    unsigned found = 0, segment = 0;
    for (uint32_t at = first; at < stream.len; at += size, segment++) {
        struct slice part = slice_sub(buf_slice(&stream), at, size);
        if (segment != missing)
            found += records_in(send(false, 1000 + at, 5000, PSH | ACK, part));
        send(true, 5000, 1000 + at + (uint32_t)part.len, ACK, slice_empty());
    }
    return found;
}

static void all_records_are_read(void)
{
    begin(true);
    CHECK_EQ(RECORDS, send_all(0, 500, UINT32_MAX));
    engine_free(engine);
}

static void a_missing_segment_costs_its_records_alone(void)
{
    begin(true);
    CHECK_EQ(RECORDS - 1, send_all(0, 350, 5)); /* inside one record */
    engine_free(engine);
    begin(true);
    CHECK_EQ(RECORDS - 3, send_all(0, 1400, 5)); /* the third one is cut at its front and its end */
    engine_free(engine);
}

/* Too little comes behind it to give it up before; a packet without data brings what was held. */
static void the_end_of_a_stream_gives_a_hole_up(void)
{
    enum { WHOLE = RECORD + 5 };
    for (unsigned acknowledged = 0; acknowledged < 2; acknowledged++) {
        unsigned found = 0;
        begin(true);
        for (uint32_t i = 0; i < 5; i++)
            if (i != 2)
                found += records_in(send(false, 1000 + i * WHOLE, 5000, PSH | ACK,
                                         slice_sub(buf_slice(&stream), i * WHOLE, WHOLE)));
        CHECK_EQ(2, found);
        if (acknowledged)
            send(true, 5000, 1000 + 5 * WHOLE, ACK, slice_empty());
        CHECK_EQ(0, records_in(send(false, 1000 + 5 * WHOLE, 5000, ACK, slice_empty())));
        found = records_in(send(false, 1000 + 5 * WHOLE, 5000, FIN | ACK, slice_empty()));
        CHECK_EQ(acknowledged ? 2 : 0, found);
        /* What nobody acknowledged may come all the same. */
        found = records_in(send(false, 1000 + 2 * WHOLE, 5000, PSH | ACK,
                                slice_sub(buf_slice(&stream), 2 * WHOLE, WHOLE)));
        CHECK_EQ(acknowledged ? 0 : 3, found);
        engine_free(engine);
    }
}

static void a_late_beginning_is_found(void)
{
    for (uint32_t first = 1; first < RECORD; first += 97) {
        begin(false);
        CHECK_EQ(RECORDS - 1, send_all(first, 1460, UINT32_MAX));
        engine_free(engine);
    }
}

/* Headers are never in one segment with the next: the place is remembered. */
static void small_segments_are_enough(void)
{
    begin(false);
    unsigned found = send_all(50, 400, UINT32_MAX);
    CHECK(found >= RECORDS - 3 && found < RECORDS);
    engine_free(engine);
}

static void other_bytes_are_left_alone(void)
{
    struct tcp_lost lost = {.is_lost = true};
    uint8_t noise[4096];
    uint32_t state = 1;
    for (unsigned round = 0; round < 200; round++) {
        for (size_t i = 0; i < sizeof noise; i++)
            noise[i] = (uint8_t)((state = state * 1664525 + 1013904223) >> 24);
        CHECK_EQ(sizeof noise, tls_resume(&lost, slice_of(noise, sizeof noise), round * 4096, 0));
    }
}

int main(void)
{
    static const struct unit_test tests[] = {
        {"resume: all records are read", all_records_are_read},
        {"resume: a missing segment costs its records alone",
         a_missing_segment_costs_its_records_alone},
        {"resume: the end of a stream gives a hole up", the_end_of_a_stream_gives_a_hole_up},
        {"resume: a late beginning is found", a_late_beginning_is_found},
        {"resume: small segments are enough", small_segments_are_enough},
        {"resume: other bytes are left alone", other_bytes_are_left_alone},
    };
    int status = UNIT_RUN(tests);
    buf_free(&stream);
    buf_free(&packet_bytes);
    return status;
}
