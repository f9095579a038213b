/* The public interface, as a program that has nothing but the header sees it. */
#include "lib.c"

#include "packets.h"
#include "unit.h"

#define SEED "tests/golden/seed_verbose.pcap"

static void test_fields(void)
{
    uint32_t type = tlswire_field_find("ip.ttl");
    CHECK(type > 0 && type <= tlswire_field_count());
    CHECK_STR("ip.ttl", tlswire_field_name(type));
    CHECK_STR("Time to Live", tlswire_field_title(type));
    CHECK_EQ(TLSWIRE_UNSIGNED, tlswire_field_type(type));
    CHECK(*tlswire_field_description(type));
    CHECK_EQ(0, tlswire_field_find("no.such.field"));
    CHECK_EQ(0, tlswire_field_find(""));
    CHECK_EQ(tlswire_field_find("tls"), tlswire_field_find("ssl"));
    CHECK_STR("", tlswire_field_name(0));
    CHECK_STR("", tlswire_field_title(tlswire_field_count() + 1));
    CHECK_STR("", tlswire_field_description(UINT32_MAX));
    CHECK_STR("", tlswire_field_reference(0));
    CHECK_EQ(TLSWIRE_NONE, tlswire_field_type(UINT32_MAX));
    CHECK_EQ(TLSWIRE_IPV4, tlswire_field_type(tlswire_field_find("ip.src")));
    CHECK_STR(TLSWIRE_VERSION, tlswire_version());
}

/* Reads SEED through ENGINE, counting packets and those that pass the filter. */
static void read_all(struct tlswire_engine *engine, const struct tlswire_filter *filter,
                     size_t *packets, size_t *matches)
{
    char error[256] = "";
    struct tlswire_file *file = tlswire_file_open(SEED, error, sizeof error);
    CHECK_STR("", error);
    *packets = *matches = 0;
    enum tlswire_result result;
    while (file && (result = tlswire_file_next(file, engine)) == TLSWIRE_PACKET) {
        ++*packets;
        *matches += filter && tlswire_match(engine, filter);
    }
    CHECK_STR("", file ? tlswire_file_error(file) : "no file");
    CHECK_EQ(TLSWIRE_FILE_END, file ? tlswire_file_next(file, engine) : TLSWIRE_ERROR);
    tlswire_file_close(file);
}

static void test_file(void)
{
    size_t packets, matches;
    struct tlswire_filter *filter = tlswire_filter_new("tcp.flags.syn == 1", NULL, 0);
    struct tlswire_engine *engine = tlswire_engine_new();
    CHECK(filter && engine);
    read_all(engine, filter, &packets, &matches);
    CHECK_EQ(16, packets);
    CHECK_EQ(3, matches);
    tlswire_engine_free(engine);
    tlswire_filter_free(filter);
}

static void test_errors(void)
{
    char error[256] = "", small[8];
    CHECK(tlswire_file_open("no/such/file", error, sizeof error) == NULL);
    CHECK(strstr(error, "no/such/file") != NULL);
    CHECK(tlswire_file_open("no/such/file", small, sizeof small) == NULL);
    CHECK_EQ(7, strlen(small));
    CHECK(tlswire_file_open("no/such/file", NULL, 0) == NULL);
    CHECK(tlswire_filter_new("tcp.port ==", error, sizeof error) == NULL);
    CHECK(*error);
    tlswire_engine_free(NULL);
    tlswire_filter_free(NULL);
    tlswire_file_close(NULL);
}

/* A SYN in memory. */
static struct tlswire_packet syn(struct buf *bytes)
{
    struct segment s = {
        .client_port = 40000, .server_port = 443, .seq = 7, .flags = SYN, .data = slice_empty()};
    put_segment(bytes, &s);
    return (struct tlswire_packet){.bytes = bytes->data,
                                   .size = bytes->len,
                                   .time_ns = 1500000000,
                                   .link_type = TLSWIRE_LINK_ETHERNET};
}

static void test_events(void)
{
    struct buf bytes = {0};
    struct tlswire_packet packet = syn(&bytes);
    struct tlswire_engine *engine = tlswire_engine_new();
    struct tlswire_event e;
    CHECK_EQ(0, tlswire_event_count(engine));
    CHECK(!tlswire_event(engine, 0, &e));
    CHECK_STR("", tlswire_event_text(engine, 0));
    CHECK(tlswire_source(engine, 0, NULL, NULL) == NULL);
    CHECK(tlswire_packet(engine, &packet));

    size_t at = tlswire_find(engine, tlswire_field_find("tcp.srcport"), 0);
    CHECK(tlswire_event(engine, at, &e));
    CHECK_EQ(40000, e.number);
    CHECK_EQ(34, e.offset);
    CHECK_EQ(2, e.length);
    CHECK(!e.generated);
    CHECK_STR("Source Port: 40000", tlswire_event_label(engine, at));
    CHECK_STR("40000", tlswire_event_text(engine, at));

    at = tlswire_find(engine, tlswire_field_find("ip.dst"), 0);
    CHECK(tlswire_event(engine, at, &e));
    CHECK_EQ(4, e.size);
    CHECK(e.bytes && e.bytes[3] == 2);
    CHECK_STR("192.0.2.2", tlswire_event_text(engine, at));

    at = tlswire_find(engine, tlswire_field_find("tcp"), 0);
    CHECK(tlswire_event(engine, at, &e));
    CHECK_EQ(TLSWIRE_PROTOCOL, e.type);
    CHECK_EQ(0, e.depth);
    CHECK_EQ(tlswire_event_count(engine), e.next);

    size_t size = 0;
    const char *name = NULL;
    CHECK(tlswire_source(engine, 0, &size, &name) == bytes.data);
    CHECK_EQ(bytes.len, size);
    CHECK_STR("Frame", name);
    CHECK(tlswire_source(engine, 99, NULL, NULL) == NULL);
    CHECK(!tlswire_overflowed(engine));
    CHECK_EQ(TLSWIRE_END, tlswire_find(engine, 0, 0));
    CHECK_EQ(TLSWIRE_END, tlswire_find(engine, tlswire_field_find("ipv6"), 0));
    tlswire_engine_free(engine);
    buf_free(&bytes);
}

static void test_want(void)
{
    struct buf bytes = {0};
    struct tlswire_packet packet = syn(&bytes);
    struct tlswire_engine *engine = tlswire_engine_new();
    CHECK(tlswire_want(engine, tlswire_field_find("tcp.dstport")));
    CHECK(!tlswire_want(engine, 0));
    CHECK(tlswire_tls_port(engine, 4433));
    CHECK(tlswire_packet(engine, &packet));
    CHECK_EQ(1, tlswire_event_count(engine));
    CHECK_STR("443", tlswire_event_text(engine, 0));
    CHECK(!tlswire_want(engine, tlswire_field_find("tcp.srcport")));
    CHECK(!tlswire_tls_port(engine, 4434));
    tlswire_engine_free(engine);
    buf_free(&bytes);
}

static void test_odd_packets(void)
{
    struct tlswire_engine *engine = tlswire_engine_new();
    struct tlswire_packet none = {.bytes = NULL, .size = 0, .link_type = TLSWIRE_LINK_ETHERNET};
    struct tlswire_packet strange = {.bytes = "x", .size = 1, .link_type = 4711};
    struct tlswire_packet huge = {.bytes = "x", .size = (size_t)INT32_MAX + 1};
    CHECK(tlswire_keys(engine, "# nothing\n", 10));
    CHECK(tlswire_packet(engine, &none));
    CHECK(tlswire_packet(engine, &strange));
    CHECK(!tlswire_packet(engine, &huge));
    CHECK(tlswire_event_count(engine) > 0);
    tlswire_engine_free(engine);
}

int main(void)
{
    static const struct unit_test tests[] = {
        {"fields", test_fields},           {"a capture file and a filter", test_file},
        {"errors", test_errors},           {"events of a packet", test_events},
        {"wanted fields only", test_want}, {"odd packets", test_odd_packets},
    };
    return UNIT_RUN(tests);
}
