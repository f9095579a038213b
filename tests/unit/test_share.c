/* Two engines that share a capture: each packet is one's and not the other's, both directions of a connection are the
 * same one's, and what each gives is what one engine gives that has all connections. */
#include "packets.h"
#include "print/columns.h"
#include "stream/share.h"
#include "unit.h"

static const char *const captures[] = {
    "seed_verbose.pcap", "pieces.pcap",      "layers.pcap", "fragments.pcap", "link_ipv6.pcap",
    "link_raw.pcap",     "lab_tls13.pcapng", "beyond.pcap", "records.pcap",   "certificates.pcap",
};

static struct buf bytes, expected, got;

static struct engine *sharing(enum share share)
{
    static const uint8_t nothing[FIELD_COUNT];
    struct engine *e = engine_new(
        &(struct engine_options){.want = nothing, .no_bytes = true, .seed = (uint64_t)share});
    engine_share(e, share);
    return e;
}

static void line(struct buf *out, const struct dissection *d)
{
    const struct print_options options = {.time_decimals = TIME_DECIMALS_AUTO};
    buf_clear(out);
    summary_write(out, &options, d);
    buf_char(out, '\0');
}

static void one_capture(const char *name)
{
    char path[128];
    struct kept_capture c;
    struct engine *engines[] = {sharing(SHARE_FIRST), sharing(SHARE_SECOND)};
    struct engine *whole = sharing(SHARE_UNKNOWN);
    snprintf(path, sizeof path, "tests/golden/%s", name);
    CHECK(keep_capture(&c, path));
    for (size_t i = 0; i < c.count; i++) {
        const struct packet *p = &c.packets[i].packet;
        const struct dissection *d = engine_packet(whole, p);
        unsigned takers = 0;
        line(&expected, d);
        for (unsigned k = 0; k < 2; k++) {
            d = engine_packet(engines[k], p);
            takers += d != NULL;
            if (!d)
                continue;
            line(&got, d);
            CHECK_STR((const char *)expected.data, (const char *)got.data);
        }
        CHECK_EQ(1, takers);
    }
    drop_capture(&c);
    engine_free(engines[0]);
    engine_free(engines[1]);
    engine_free(whole);
}

static void test_captures(void)
{
    for (size_t i = 0; i < sizeof captures / sizeof captures[0]; i++)
        one_capture(captures[i]);
}

static void test_directions(void)
{
    unsigned seconds = 0;
    for (uint16_t i = 0; i < 1000; i++) {
        struct segment s = {.client_port = (uint16_t)(40000 + i), .server_port = 443};
        put_segment(&bytes, &s);
        struct packet there = packet_of(&bytes, 1);
        enum share share = share_of_packet(&there);
        s.from_server = true;
        put_segment(&bytes, &s);
        struct packet back = packet_of(&bytes, 1);
        CHECK_EQ(share, share_of_packet(&back));
        CHECK(share != SHARE_UNKNOWN);
        CHECK_EQ(share,
                 share_of(&(struct address){ADDRESS_IPV4, {192, 0, 2, 2}},
                          &(struct address){ADDRESS_IPV4, {192, 0, 2, 1}}, 443, s.client_port));
        seconds += share == SHARE_SECOND;
    }
    CHECK(seconds > 400 && seconds < 600);
}

static void test_what_is_not_plain(void)
{
    static const struct {
        unsigned at, value;
    } changes[] = {{13, 1}, {14, 0x46}, {16, 255}, {17, 39}, {20, 0x20}, {21, 1}, {23, 17}};
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        put_segment(&bytes, &(struct segment){.client_port = 40000, .server_port = 443});
        bytes.data[changes[i].at] = (uint8_t)changes[i].value;
        struct packet p = packet_of(&bytes, 1);
        CHECK_EQ(SHARE_UNKNOWN, share_of_packet(&p));
    }
    put_segment(&bytes, &(struct segment){.client_port = 40000, .server_port = 443});
    bytes.len--;
    struct packet cut = packet_of(&bytes, 1);
    CHECK_EQ(SHARE_UNKNOWN, share_of_packet(&cut));
}

int main(void)
{
    static const struct unit_test tests[] = {
        {"one of two takes each packet", test_captures},
        {"both directions are the same one's", test_directions},
        {"packets that have to be read first", test_what_is_not_plain},
    };
    int status = UNIT_RUN(tests);
    buf_free(&bytes);
    buf_free(&expected);
    buf_free(&got);
    return status;
}
