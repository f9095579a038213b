/* JA4 against the vectors that its specification gives (FoxIO, "JA4 Technical Details"). */
#include "stream/ja4.h"
#include "unit.h"

static struct arena memory;
static struct crypto_provider crypto;

static void put(struct buf *out, uint64_t number, size_t size)
{
    while (size-- > 0)
        buf_char(out, (char)(number >> 8 * size));
}

static void put_list(struct buf *out, size_t prefix, const uint16_t *numbers, size_t count)
{
    put(out, count * 2, prefix);
    for (size_t i = 0; i < count; i++)
        put(out, numbers[i], 2);
}

static void put_extension(struct buf *out, uint16_t type, const struct buf *body)
{
    put(out, type, 2);
    put(out, body ? body->len : 0, 2);
    if (body)
        buf_slice_put(out, buf_slice(body));
}

/* The ClientHello of the specification's example, with this ALPN name; NULL: without ALPN and SNI. */
static void make_hello(struct buf *out, const char *protocol, bool plain)
{
    static const uint16_t suites[] = {0x4a4a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f,
                                      0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014,
                                      0x009c, 0x009d, 0x002f, 0x0035};
    static const uint16_t types[] = {0x1b,   0x33, 0x2d, 0x23, 0x17, 0x05,
                                     0xff01, 0x12, 0x0b, 0x0a, 0x15, 0x4469};
    static const uint16_t algorithms[] = {0x0403, 0x0804, 0x0401, 0x0503,
                                          0x0805, 0x0501, 0x0806, 0x0601};
    static const uint16_t versions[] = {0xdada, 0x0303, 0x0304};
    struct buf body = {0}, extensions = {0};
    put(out, 0x0303, 2);
    buf_fill(out, 'r', 32);
    put(out, 0, 1);
    put_list(out, 2, suites, plain ? 0 : sizeof suites / sizeof suites[0]);
    put(out, 0x0100, 2);
    if (!plain) {
        put_extension(&extensions, 0x1a1a, NULL);
        if (protocol)
            put_extension(&extensions, 0, NULL);
        for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
            put_extension(&extensions, types[i], NULL);
        put_list(&body, 2, algorithms, sizeof algorithms / sizeof algorithms[0]);
        put_extension(&extensions, 13, &body);
        buf_clear(&body);
        put_list(&body, 1, versions, sizeof versions / sizeof versions[0]);
        put_extension(&extensions, 43, &body);
        if (protocol) {
            buf_clear(&body);
            put(&body, strlen(protocol) + 1, 2);
            put(&body, strlen(protocol), 1);
            buf_str(&body, protocol);
            put_extension(&extensions, 16, &body);
        }
    }
    put(out, extensions.len, 2);
    buf_slice_put(out, buf_slice(&extensions));
    buf_free(&extensions);
    buf_free(&body);
}

static void check(const char *want, const char *protocol, bool plain, bool hashed)
{
    struct buf hello = {0}, text = {0};
    make_hello(&hello, protocol, plain);
    CHECK(ja4_client(&text, buf_slice(&hello), &memory, hashed ? &crypto : NULL));
    buf_char(&text, '\0');
    CHECK_STR(want, (const char *)text.data);
    buf_free(&hello);
    buf_free(&text);
}

static void test_vector(void)
{
    check("t13d1516h2_8daaf6152771_e5627efa2ab1", "h2", false, true);
    check("t13d1516h2_002f,0035,009c,009d,1301,1302,1303,c013,c014,c02b,c02c,c02f,c030,cca8,cca9_"
          "0005,000a,000b,000d,0012,0015,0017,001b,0023,002b,002d,0033,4469,ff01_"
          "0403,0804,0401,0503,0805,0501,0806,0601",
          "h2", false, false);
}

static void test_edges(void)
{
    check("t13i151400_8daaf6152771_e5627efa2ab1", NULL, false, true);
    check("t12i000000_000000000000_000000000000", NULL, true, true);
    check("t13d1516a1_8daaf6152771_e5627efa2ab1",
          "\xab\xcd"
          "1",
          false, true);
    check("t13d1516h1_8daaf6152771_e5627efa2ab1", "http/1.1", false, true);
    check("t13d1516xx_8daaf6152771_e5627efa2ab1", "x", false, true);
}

/* Every front of a hello gives something or nothing, and reads no byte that is not there. */
static void test_prefixes(void)
{
    struct buf hello = {0}, text = {0};
    make_hello(&hello, "h2", false);
    for (size_t n = 0; n <= hello.len; n++) {
        buf_clear(&text);
        CHECK(ja4_client(&text, slice_sub(buf_slice(&hello), 0, n), &memory, &crypto));
        CHECK_EQ(36, text.len);
    }
    buf_free(&hello);
    buf_free(&text);
}

int main(void)
{
    static const struct unit_test tests[] = {
        {"the specification's vector", test_vector},
        {"without names, without anything, with odd protocols", test_edges},
        {"every front of a hello", test_prefixes},
    };
    crypto_provider_init(&crypto);
    int status = UNIT_RUN(tests);
    crypto_provider_free(&crypto);
    arena_free(&memory);
    return status;
}
