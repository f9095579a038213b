/* Counts allocations: once warm, a packet costs none, whether it is dissected, filtered or printed.
 *
 * Every malloc, calloc and realloc of the code under test comes here (the linker's --wrap), and
 * those of OpenSSL too.  With arguments, each is a capture that is played over and over as well. */
#include "filter/filter.h"
#include "packets.h"
#include "unit.h"

#include <openssl/crypto.h>

#define PASSES      20
#define RECORD      (5 + 16384 + 16)
#define SEGMENT     1448
#define CONNECTIONS 4000
/* State of a connection may need memory of its own; it must stay this rare. */
#define MOST_PER_CONNECTION 8

static uint64_t allocations;
static const char *const *captures;
static int capture_count;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

void *__wrap_malloc(size_t size)
{
    allocations++;
    return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    allocations++;
    return __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    allocations++;
    return __real_realloc(old, size);
}

static void *crypto_malloc(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    allocations++;
    return __real_malloc(size);
}

static void *crypto_realloc(void *old, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    allocations++;
    return __real_realloc(old, size);
}

static void crypto_free(void *old, const char *file, int line)
{
    (void)file;
    (void)line;
    free(old);
}

/* One reading with everything on: all fields, a filter, text and PDML.  Proofs alone are left out: OpenSSL
 * takes and gives back memory for each signature and certificate, a few times in a connection. */
struct reading {
    struct engine *engine;
    struct filter *filter;
    struct buf out;
    uint64_t packets;
};

static void start(struct reading *r)
{
    struct error e = {.code = ERROR_NONE};
    memset(r, 0, sizeof *r);
    static uint8_t want[FIELD_COUNT];
    memset(want, 1, sizeof want);
    for (enum field_id id = F_tlswire_verify_finished; id <= F_tlswire_verify_failed; id++)
        want[id] = 0;
    r->engine = new_engine(want);
    r->filter = filter_compile(
        "tcp.port == 443 xor frame contains 16:03:01 or tcp.port in {1, tcp.srcport .. 5} or "
        "upper(frame.protocols)[0:2,-1] == 00 or string(ip.src) matches \"^9\" or @tcp[0,2] == 00 "
        "or "
        "max(tcp.len + 1, abs(tcp.len - 9)) == count(tls.record) or ip.src & 255.0.0.0 == 9.0.0.0 "
        "or "
        "any tls.record.length#[-1] * 2 < len(tls) or tls",
        &e);
    CHECK(r->engine && r->filter);
}

static void stop(struct reading *r)
{
    engine_free(r->engine);
    filter_free(r->filter);
    buf_free(&r->out);
}

static void feed(struct reading *r, struct packet p)
{
    static struct print_state state;
    static const struct print_options options = {.time_decimals = TIME_DECIMALS_AUTO,
                                                 .summary = true,
                                                 .tree = true,
                                                 .hex = true,
                                                 .state = &state};
    p.number = ++r->packets;
    const struct dissection *d = engine_packet(r->engine, &p);
    filter_match(r->filter, &d->tape);
    buf_clear(&r->out);
    printer_find("text")->packet(&r->out, &options, d);
    static const char *const formats[] = {"pdml", "psml", "json", "jsonraw", "ek", "jsonl"};
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        buf_clear(&r->out);
        printer_find(formats[i])->packet(&r->out, &options, d);
    }
}

static void play(struct reading *r, const struct kept_capture *c)
{
    for (size_t i = 0; i < c->count; i++)
        feed(r, c->packets[i].packet);
}

/* The same packets again and again. */
static void repeat(const char *path)
{
    struct kept_capture c;
    struct reading r;
    CHECK(keep_capture(&c, path));
    start(&r);
    engine_keys(r.engine, buf_slice(&c.keys));
    play(&r, &c);
    play(&r, &c);
    uint64_t before = allocations;
    for (int pass = 0; pass < PASSES; pass++)
        play(&r, &c);
    if (allocations != before)
        printf("# %s\n", path);
    CHECK_EQ(0, allocations - before);
    CHECK(c.count > 0);
    stop(&r);
    drop_capture(&c);
}

static void test_repeated(void)
{
    repeat("tests/golden/seed_verbose.pcap");
    repeat("tests/golden/seed_hexdump.pcap");
    for (int i = 0; i < capture_count; i++)
        repeat(captures[i]);
}

static void send(struct reading *r, struct segment *s, struct buf *bytes)
{
    put_segment(bytes, s);
    feed(r, packet_of(bytes, 0));
    s->seq += (uint32_t)s->data.len;
}

/* Records of the largest size, each over a dozen segments, and acknowledgements. */
static void send_record(struct reading *r, struct segment *server, struct segment *client,
                        struct slice record, struct buf *bytes)
{
    while (record.len > 0) {
        server->data = slice_take(&record, record.len < SEGMENT ? record.len : SEGMENT);
        send(r, server, bytes);
        client->ack = server->seq;
        send(r, client, bytes);
    }
}

static void test_bulk(void)
{
    struct reading r;
    struct buf bytes = {0}, record = {0};
    struct segment server = {
        .from_server = true, .client_port = 50000, .server_port = 443, .flags = ACK};
    struct segment client = {.client_port = 50000, .server_port = 443, .flags = ACK};
    put_number(&record, 0x170303, 3);
    put_number(&record, RECORD - 5, 2);
    buf_fill(&record, 'x', RECORD - 5);
    start(&r);
    for (int i = 0; i < 20; i++)
        send_record(&r, &server, &client, buf_slice(&record), &bytes);
    uint64_t before = allocations;
    for (int i = 0; i < 200; i++)
        send_record(&r, &server, &client, buf_slice(&record), &bytes);
    CHECK_EQ(0, allocations - before);
    CHECK(r.packets > 5000);
    stop(&r);
    buf_free(&bytes);
    buf_free(&record);
}

/* The golden connection from ever new ports. */
static void test_connections(void)
{
    struct kept_capture c;
    struct reading r;
    CHECK(keep_capture(&c, "tests/golden/seed_verbose.pcap"));
    start(&r);
    uint64_t before = 0;
    for (unsigned n = 0; n < 2 * CONNECTIONS; n++) {
        if (n == CONNECTIONS)
            before = allocations;
        for (size_t i = 0; i < c.count; i++) {
            struct packet p = c.packets[i].packet;
            bool from_server, ipv6 = c.packets[i].bytes[12] == 0x86;
            tcp_payload(&p, &from_server);
            uint8_t *port = c.packets[i].bytes + 14 + (ipv6 ? 40 : 20) + (from_server ? 2 : 0);
            port[0] = (uint8_t)((n + 20000) >> 8);
            port[1] = (uint8_t)(n + 20000);
            feed(&r, p);
        }
    }
    uint64_t per_thousand = (allocations - before) * 1000 / CONNECTIONS;
    printf("# %llu allocations for 1000 new connections\n", (unsigned long long)per_thousand);
    CHECK(per_thousand <= 1000 * MOST_PER_CONNECTION);
    stop(&r);
    drop_capture(&c);
}

int main(int argc, char **argv)
{
    static const struct unit_test tests[] = {
        {"the same packets over and over", test_repeated},
        {"bulk data on one connection", test_bulk},
        {"ever new connections", test_connections},
    };
    if (!CRYPTO_set_mem_functions(crypto_malloc, crypto_realloc, crypto_free))
        return 1;
    captures = (const char *const *)argv + 1;
    capture_count = argc - 1;
    return UNIT_RUN(tests);
}
