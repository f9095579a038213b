/* TCP may cut a stream anywhere: wherever each flight of the golden connection is cut in two, and
 * whether the pieces come in order, swapped, or the first one twice, the same TLS fields come out.
 */
#include "packets.h"
#include "print/value.h"
#include "unit.h"

#define FLIGHTS 16

struct flight {
    bool from_server;
    struct slice data;
};

enum order { IN_ORDER, SWAPPED, FIRST_TWICE };

static struct flight flights[FLIGHTS];
static size_t flight_count;
static struct buf bytes, whole, split;

/* Fields that tell how the bytes came rather than what they said. */
static bool about_pieces(const struct event *e)
{
    const char *name = fields[e->field].abbrev;
    return fields[e->field].type == TYPE_PROTOCOL || fields[e->field].type == TYPE_FRAMENUM ||
           strncmp(name, "tls.segment", 11) == 0 || strncmp(name, "tls.reassembled", 15) == 0;
}

/* Adds what the packet holds of TLS: names and values, in order. */
static void take_fields(struct buf *out, const struct tape *t)
{
    enum field_id tls = field_find("tls", 3);
    uint32_t end = 0;
    for (uint32_t i = 0; i < t->count; i++) {
        const struct event *e = &t->events[i];
        if (e->depth == 0 && e->field == tls)
            end = e->next;
        if (i >= end || about_pieces(e))
            continue;
        buf_str(out, fields[e->field].abbrev);
        buf_char(out, '=');
        value_cell(out, t, e);
        buf_char(out, '\n');
    }
}

struct stream {
    struct engine *engine;
    uint64_t packets;
    uint32_t next[2]; /* sequence number, client's and server's */
    struct buf *out;
};

static void send(struct stream *s, bool from_server, uint8_t flags, uint32_t seq, struct slice data)
{
    struct segment segment = {.from_server = from_server,
                              .client_port = 40000,
                              .server_port = 443,
                              .seq = seq,
                              .ack = s->next[!from_server],
                              .flags = flags,
                              .data = data};
    put_segment(&bytes, &segment);
    struct packet p = packet_of(&bytes, ++s->packets);
    take_fields(s->out, &engine_packet(s->engine, &p)->tape);
}

static void send_flight(struct stream *s, const struct flight *f, size_t cut, enum order order)
{
    uint32_t seq = s->next[f->from_server];
    struct slice first = slice_sub(f->data, 0, cut), second = slice_sub(f->data, cut, SIZE_MAX);
    uint32_t second_seq = seq + (uint32_t)cut;
    if (order == SWAPPED)
        send(s, f->from_server, PSH | ACK, second_seq, second);
    if (cut > 0)
        send(s, f->from_server, PSH | ACK, seq, first);
    if (cut > 0 && order == FIRST_TWICE)
        send(s, f->from_server, PSH | ACK, seq, first);
    if (order != SWAPPED)
        send(s, f->from_server, PSH | ACK, second_seq, second);
    s->next[f->from_server] += (uint32_t)f->data.len;
}

/* The whole connection with flight WHICH cut; CUT 0: not at all. */
static void play(struct buf *out, size_t which, size_t cut, enum order order)
{
    struct stream s = {.engine = new_engine(NULL), .next = {1000, 5000}, .out = out};
    buf_clear(out);
    send(&s, false, SYN, s.next[0]++, slice_empty());
    send(&s, true, SYN | ACK, s.next[1]++, slice_empty());
    send(&s, false, ACK, s.next[0], slice_empty());
    for (size_t i = 0; i < flight_count; i++)
        send_flight(&s, &flights[i], i == which ? cut : 0, i == which ? order : IN_ORDER);
    engine_free(s.engine);
}

static void show_difference(size_t which, size_t cut)
{
    size_t at = 0;
    while (at < whole.len && at < split.len && whole.data[at] == split.data[at])
        at++;
    while (at > 0 && whole.data[at - 1] != '\n')
        at--;
    struct slice want = slice_sub(buf_slice(&whole), at, 120),
                 got = slice_sub(buf_slice(&split), at, 120);
    printf("# flight %zu cut after %zu bytes:\n# want %.*s\n# got  %.*s\n", which, cut,
           (int)want.len, (const char *)want.data, (int)got.len, (const char *)got.data);
}

static void every_cut(enum order order)
{
    size_t bad = 0;
    play(&whole, SIZE_MAX, 0, IN_ORDER);
    for (size_t which = 0; which < flight_count; which++)
        for (size_t cut = 1; cut < flights[which].data.len; cut++) {
            play(&split, which, cut, order);
            if (slice_equal(buf_slice(&whole), buf_slice(&split)))
                continue;
            if (bad++ == 0)
                show_difference(which, cut);
        }
    CHECK_EQ(0, bad);
}

static void test_whole(void)
{
    play(&whole, SIZE_MAX, 0, IN_ORDER);
    buf_char(&whole, '\0');
    const char *text = (const char *)whole.data;
    CHECK(strstr(text, "tls.handshake.type=1\n") != NULL);
    CHECK(strstr(text, "tls.handshake.type=11\n") != NULL);
    CHECK(strstr(text, "tls.record.content_type=23\n") != NULL);
    CHECK_EQ(6, flight_count);
}

static void test_in_order(void)
{
    every_cut(IN_ORDER);
}

static void test_swapped(void)
{
    every_cut(SWAPPED);
}

static void test_twice(void)
{
    every_cut(FIRST_TWICE);
}

int main(void)
{
    static const struct unit_test tests[] = {
        {"the golden connection has its fields", test_whole},
        {"two pieces in order", test_in_order},
        {"two pieces swapped", test_swapped},
        {"the first piece twice", test_twice},
    };
    struct kept_capture c;
    if (!keep_capture(&c, "tests/golden/seed_verbose.pcap"))
        return 1;
    for (size_t i = 0; i < c.count; i++) {
        struct flight f;
        f.data = tcp_payload(&c.packets[i].packet, &f.from_server);
        if (f.data.len > 0 && flight_count < FLIGHTS)
            flights[flight_count++] = f;
    }
    int status = UNIT_RUN(tests);
    drop_capture(&c);
    buf_free(&bytes);
    buf_free(&whole);
    buf_free(&split);
    return status;
}
