/* Bytes out of text, and packets out of bytes that came without any: capture/hex.c and capture/made.c. */
#include "unit.h"

#include "capture/hex.h"
#include "capture/made.h"

#include <stdlib.h>

/* An alert: close_notify, in a record. */
static const uint8_t alert[] = {21, 3, 3, 0, 2, 1, 0};

struct seen {
    unsigned chunks;
    struct buf bytes; /* of all chunks */
    struct hex_chunk last;
};

static void take(void *context, const struct hex_chunk *chunk)
{
    struct seen *seen = context;
    seen->chunks++;
    seen->last = *chunk;
    buf_put(&seen->bytes, chunk->bytes.data, chunk->bytes.len);
}

/* Whether TEXT holds nothing but WANT. */
static bool holds(const char *text, const void *want, size_t len)
{
    struct seen seen = {.bytes = {.ceiling = 1 << 20}};
    bool found = hex_read(slice_of_str(text), take, &seen);
    bool same = found && seen.bytes.len == len && memcmp(seen.bytes.data, want, len) == 0;
    buf_free(&seen.bytes);
    return same;
}

static void test_forms(void)
{
    static const char *const texts[] = {
        "15030300020100",
        "15 03 03 00 02 01 00\n",
        "15:03:03:00:02:01:00",
        "0x15, 0x03, 0x03, 0x00, 0x02, 0x01, 0x00",
        "\\x15\\x03\\x03\\x00\\x02\\x01\\x00",
        "00000000: 1503 0300 0201 00                        .......\n", /* xxd */
        "00000000  15 03 03 00 02 01 00                              |.......|\n00000007\n",
        "0000  15 03 03 00 02 01 00                              .......\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        bool read = holds(texts[i], alert, sizeof alert);
        if (!read)
            printf("# %s\n", texts[i]);
        CHECK(read);
    }
}

static void test_no_bytes(void)
{
    struct seen seen = {.bytes = {.ceiling = 1 << 20}};
    CHECK(!hex_read(slice_empty(), take, &seen));
    CHECK(!hex_read(slice_of_str("\n \t\n"), take, &seen));
    CHECK(!hex_read(slice_of_str("nobody says anything here\n"), take, &seen));
    CHECK_EQ(0, seen.chunks);
    buf_free(&seen.bytes);
}

static void test_trace(void)
{
    static const char text[] = "write to 0x55d0 [0x55d1] (7 bytes => 7 (0x7))\n"
                               "0000 - 15 03 03 00 02 01 00                              .......\n";
    struct seen seen = {.bytes = {.ceiling = 1 << 20}};
    CHECK(hex_is_trace(slice_of_str(text)));
    CHECK(!hex_is_trace(slice_of_str("15 03 03")));
    CHECK(hex_read(slice_of_str(text), take, &seen));
    CHECK_EQ(HEX_STREAM, seen.last.kind);
    CHECK(!seen.last.from_server);
    CHECK_EQ(sizeof alert, seen.bytes.len);
    buf_free(&seen.bytes);
}

static void test_base64(void)
{
    struct buf out = {.ceiling = 1 << 10};
    CHECK(base64_read(slice_of_str("FQMD\nAAIBAA==\n"), &out));
    CHECK(out.len == sizeof alert && memcmp(out.data, alert, sizeof alert) == 0);
    buf_clear(&out);
    CHECK(!base64_read(slice_of_str("FQMD*AAI"), &out));
    buf_free(&out);
}

/* How many packets M has, all numbered in order; -1 when they are not. */
static int packets(struct made *m)
{
    struct packet p;
    int n = 0;
    made_rewind(m);
    while (made_next(m, &p))
        if (p.number != (uint64_t)++n || p.bytes.len != p.caplen || p.len != p.caplen)
            return -1;
    return (size_t)n == made_count(m) ? n : -1;
}

static void test_stream(void)
{
    struct made *m = made_new();
    CHECK(m != NULL);
    /* Two records in three pieces: each record is a packet. */
    made_stream(m, SYNTH_CLIENT, slice_of(alert, 3));
    CHECK_EQ(0, packets(m));
    made_stream(m, SYNTH_CLIENT, slice_of(alert + 3, 4));
    made_stream(m, SYNTH_CLIENT, slice_of(alert, 5));
    made_stream_end(m);
    CHECK_EQ(2, packets(m));
    CHECK_EQ(2, packets(m)); /* made_rewind() begins again */
    CHECK(made_complete(m));
    made_free(m);
}

static void test_message(void)
{
    static uint8_t big[40000];
    struct made *m = made_new();
    CHECK(m != NULL);
    made_message(m, SYNTH_SERVER, 22, slice_of(big, sizeof big));
    struct packet p;
    made_rewind(m);
    size_t bytes = 0;
    while (made_next(m, &p))
        bytes += p.caplen;
    CHECK(bytes >= sizeof big + (size_t)3 * 5); /* three records, as none holds more than 2^14 */
    CHECK(packets(m) > 0);
    made_free(m);
}

static void test_guess(void)
{
    static const uint8_t nothing[] = {0xff, 0xfe, 0xfd, 0xfc, 0xfb};
    struct made *m = made_new();
    CHECK(m != NULL);
    CHECK(made_guess(m, slice_of(alert, sizeof alert)));
    CHECK_EQ(1, packets(m));
    CHECK(!made_guess(m, slice_of(nothing, sizeof nothing)));
    CHECK(!made_guess(m, slice_empty()));
    CHECK_EQ(1, packets(m));
    made_free(m);
}

int main(void)
{
    static const struct unit_test tests[] = {
        {"forms of text", test_forms},       {"text without bytes", test_no_bytes},
        {"openssl's trace", test_trace},     {"base64", test_base64},
        {"a stream in pieces", test_stream}, {"a message gets its records", test_message},
        {"bytes as they look", test_guess},
    };
    return UNIT_RUN(tests);
}
