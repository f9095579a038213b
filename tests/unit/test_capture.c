/* src/capture: readers against files made by hand and by the writer, the writer, synthetic packets.
 */
#include "unit.h"

#include "base/buf.h"
#include "capture/reader.h"
#include "capture/synth.h"
#include "capture/writer.h"

#include <fcntl.h>
#include <lz4frame.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

/* ---- making files ---- */

static void put(struct buf *b, uint64_t v, size_t n, bool big)
{
    for (size_t i = 0; i < n; i++)
        buf_char(b, (char)(uint8_t)(v >> (8 * (big ? n - 1 - i : i))));
}

static void put_pcap(struct buf *b, uint32_t magic, bool big, uint32_t link)
{
    put(b, magic, 4, big);
    put(b, 2, 2, big);
    put(b, 4, 2, big);
    put(b, 0, 8, big);
    put(b, 65535, 4, big);
    put(b, link, 4, big);
}

static void put_record(struct buf *b, bool big, uint32_t seconds, uint32_t fraction,
                       uint32_t caplen, uint32_t len)
{
    put(b, seconds, 4, big);
    put(b, fraction, 4, big);
    put(b, caplen, 4, big);
    put(b, len, 4, big);
}

static void put_block(struct buf *b, uint32_t type, struct slice body, bool big)
{
    size_t size = 12 + (body.len + 3) / 4 * 4;
    put(b, type, 4, big);
    put(b, size, 4, big);
    buf_slice_put(b, body);
    buf_fill(b, '\0', size - 12 - body.len);
    put(b, size, 4, big);
}

static void put_section(struct buf *b, bool big)
{
    struct buf body = {0};
    put(&body, 0x1a2b3c4d, 4, big);
    put(&body, 1, 2, big);
    put(&body, 0, 2, big);
    put(&body, UINT64_MAX, 8, big);
    put_block(b, 0x0a0d0d0a, buf_slice(&body), big);
    buf_free(&body);
}

static void put_option(struct buf *b, uint16_t code, const void *value, size_t len, bool big)
{
    put(b, code, 2, big);
    put(b, len, 2, big);
    buf_put(b, value, len);
    buf_fill(b, '\0', (4 - len % 4) % 4);
}

struct idb {
    uint16_t link;
    uint32_t snaplen;
    const char *name;
    int tsresol; /* -1: none */
    int64_t tsoffset;
};

static void put_interface(struct buf *b, struct idb i, bool big)
{
    struct buf body = {0};
    put(&body, i.link, 2, big);
    put(&body, 0, 2, big);
    put(&body, i.snaplen, 4, big);
    if (i.name)
        put_option(&body, 2, i.name, strlen(i.name), big);
    if (i.tsresol >= 0) {
        uint8_t tsresol = (uint8_t)i.tsresol;
        put_option(&body, 9, &tsresol, 1, big);
    }
    if (i.tsoffset != 0) {
        put(&body, 14, 2, big);
        put(&body, 8, 2, big);
        put(&body, (uint64_t)i.tsoffset, 8, big);
    }
    put(&body, 0, 4, big);
    put_block(b, 1, buf_slice(&body), big);
    buf_free(&body);
}

static void put_packet(struct buf *b, uint32_t interface, uint64_t ticks, const char *text,
                       const char *comment, bool big)
{
    struct buf body = {0};
    size_t len = strlen(text);
    put(&body, interface, 4, big);
    put(&body, ticks >> 32, 4, big);
    put(&body, ticks & UINT32_MAX, 4, big);
    put(&body, len, 4, big);
    put(&body, len + 1, 4, big);
    buf_put(&body, text, len);
    buf_fill(&body, '\0', (4 - len % 4) % 4);
    if (comment) {
        put_option(&body, 1, comment, strlen(comment), big);
        put_option(&body, 1, "second", 6, big);
        put(&body, 0, 4, big);
    }
    put_block(b, 6, buf_slice(&body), big);
    buf_free(&body);
}

static void put_secrets(struct buf *b, const char *text, bool big)
{
    struct buf body = {0};
    put(&body, SECRETS_TLS_KEY_LOG, 4, big);
    put(&body, strlen(text), 4, big);
    buf_str(&body, text);
    put_block(b, 10, buf_slice(&body), big);
    buf_free(&body);
}

/* ---- reading them ---- */

static struct reader *open_buf(const struct buf *b, const struct reader_options *o, struct error *e)
{
    struct slice s = buf_slice(b);
    return reader_open_memory(s.data, s.len, "test", o, e);
}

/* Packets until the end; the result that ended it, or READ_ERROR when it does not open. */
static enum read_result count_packets(struct slice file, uint64_t *count, struct error *e)
{
    *count = 0;
    struct reader *r = reader_open_memory(file.data, file.len, "test", NULL, e);
    if (!r)
        return READ_ERROR;
    struct packet p;
    enum read_result result;
    while ((result = reader_next(r, &p, e)) == READ_PACKET)
        (*count)++;
    struct error again = {0};
    CHECK_EQ(result, reader_next(r, &p, &again));
    CHECK_EQ(e->code, again.code);
    reader_close(r);
    return result;
}

static void test_pcap_forms(void)
{
    static const struct {
        uint32_t magic, extra;
        int64_t ns;
        uint8_t decimals;
    } forms[] = {{0xa1b2c3d4, 0, 7000008000, 6},
                 {0xa1b23c4d, 0, 7000000008, 9},
                 {0xa1b2cd34, 8, 7000008000, 6}};
    for (size_t i = 0; i < 6; i++) {
        bool big = i % 2;
        struct buf b = {0};
        put_pcap(&b, forms[i / 2].magic, big, LINK_LINUX_SLL2);
        for (int n = 0; n < 2; n++) {
            put_record(&b, big, 7, 8, 3, 5);
            buf_fill(&b, 'x', forms[i / 2].extra);
            buf_str(&b, "abc");
        }
        struct error e = {0};
        struct packet p;
        struct reader *r = open_buf(&b, NULL, &e);
        CHECK(r != NULL);
        CHECK_EQ(READ_PACKET, reader_next(r, &p, &e));
        CHECK_EQ(READ_PACKET, reader_next(r, &p, &e));
        CHECK_EQ(2, p.number);
        CHECK_EQ(forms[i / 2].ns, p.time_ns);
        CHECK_EQ(forms[i / 2].decimals, p.time_decimals);
        CHECK_EQ(3, p.caplen);
        CHECK_EQ(5, p.len);
        CHECK_EQ(276, p.link_type);
        CHECK(p.has_time && slice_is(p.bytes, "abc") && p.big_endian == big);
        CHECK_EQ(READ_END, reader_next(r, &p, &e));
        reader_close(r);
        buf_free(&b);
    }
}

static void test_pcap_tolerance(void)
{
    struct buf b = {0};
    put_pcap(&b, 0xa1b2c3d4, false, 0x54000000 | LINK_ETHERNET);
    put_record(&b, false, UINT32_MAX, 2000000, 3,
               1); /* two seconds of microseconds, caplen > len */
    buf_str(&b, "abc");
    put_record(&b, false, 0, 0, 0, 0);
    struct error e = {0};
    struct packet p;
    struct reader *r = open_buf(&b, NULL, &e);
    CHECK_EQ(READ_PACKET, reader_next(r, &p, &e));
    CHECK_EQ(4294967297LL * 1000000000, p.time_ns);
    CHECK_EQ(3, p.bytes.len);
    CHECK_EQ(1, p.len);
    CHECK_EQ(LINK_ETHERNET, p.link_type);
    CHECK_EQ(10, p.fcs_bytes);
    CHECK_EQ(READ_PACKET, reader_next(r, &p, &e));
    CHECK_EQ(0, p.bytes.len);
    CHECK_EQ(READ_END, reader_next(r, &p, &e));
    reader_close(r);
    buf_free(&b);
}

static void test_pcap_absurd_length(void)
{
    static const uint32_t lengths[] = {262145, 0x7fffffff, UINT32_MAX};
    for (size_t i = 0; i < 3; i++) {
        struct buf b = {0};
        struct error e = {0};
        uint64_t count;
        put_pcap(&b, 0xa1b2c3d4, true, 1);
        put_record(&b, true, 1, 1, 3, 3);
        buf_str(&b, "abc");
        put_record(&b, true, 1, 1, lengths[i], lengths[i]);
        CHECK_EQ(READ_ERROR, count_packets(buf_slice(&b), &count, &e));
        CHECK_EQ(1, count);
        CHECK_EQ(ERROR_DAMAGED, e.code);
        CHECK(strstr(e.text, "at byte 43;") && strstr(e.text, "1 packet was read before") &&
              strstr(e.text, "bigger than"));
        buf_free(&b);
    }
}

/* Two sections of different byte order, every kind of packet block. */
static void make_pcapng(struct buf *b)
{
    put_section(b, false);
    put_interface(b, (struct idb){1, 0, "eth0", -1, 0}, false);
    put_packet(b, 0, 1500000, "first", NULL, false);
    put_interface(b, (struct idb){101, 4, "tun\x1b", 9, 0}, false);
    put_packet(b, 1, 2000000001, "second", "note", false);
    put_block(b, 0x7777, slice_of_str("unknown"), false);
    put_block(b, 4, slice_of_str("\0\0\0\0"), false);
    put_section(b, true);
    put_interface(b, (struct idb){113, 4, NULL, 0x80 | 10, -100}, true);
    put_packet(b, 0, 200 * 1024 + 512, "third", NULL, true);
    put_secrets(b, "CLIENT_RANDOM 00 11\n", true);
    struct buf simple = {0};
    put(&simple, 9, 4, true);
    buf_str(&simple, "four");
    put_block(b, 3, buf_slice(&simple), true);
    buf_clear(&simple);
    put(&simple, 0, 2, true);
    put(&simple, 77, 2, true);
    put(&simple, 0, 4, true);
    put(&simple, 1024 * 101, 4, true);
    put(&simple, 5, 4, true);
    put(&simple, 6, 4, true);
    buf_str(&simple, "fifth");
    put_block(b, 2, buf_slice(&simple), true);
    buf_free(&simple);
}

struct expected {
    const char *text, *name, *comment;
    int64_t ns;
    uint32_t len, link, interface, in_section, section;
    uint8_t decimals;
    bool has_time;
};

static const struct expected expected[] = {
    {"first", "eth0", "", 1500000000, 6, 1, 0, 0, 1, 6, true},
    {"second", "tun\x1b", "note", 2000000001, 7, 101, 1, 1, 1, 9, true},
    {"third", NULL, "", 100500000000, 6, 113, 2, 0, 2, 3, true},
    {"four", NULL, "", 0, 9, 113, 2, 0, 2, 3, false},
    {"fifth", NULL, "", 1000000000, 6, 113, 2, 0, 2, 3, true},
};

enum { EXPECTED = sizeof expected / sizeof expected[0] };

static void check_packet(const struct packet *p, const struct expected *want, uint64_t number)
{
    CHECK_EQ(number, p->number);
    CHECK(slice_is(p->bytes, want->text));
    CHECK_EQ(want->ns, p->time_ns);
    CHECK_EQ(strlen(want->text), p->caplen);
    CHECK_EQ(want->len, p->len);
    CHECK_EQ(want->link, p->link_type);
    CHECK_EQ(want->interface, p->interface);
    CHECK_EQ(want->in_section, p->interface_in_section);
    CHECK_EQ(want->section, p->section);
    CHECK_EQ(want->decimals, p->time_decimals);
    CHECK_EQ(want->has_time, p->has_time);
    CHECK(slice_is(p->comment, want->comment));
    if (want->name)
        CHECK_STR(want->name, p->interface_name);
    else
        CHECK(p->interface_name == NULL);
}

static void check_pcapng(struct reader *r)
{
    struct packet p;
    struct error e = {0};
    for (size_t i = 0; i < EXPECTED; i++) {
        CHECK_EQ(READ_PACKET, reader_next(r, &p, &e));
        check_packet(&p, &expected[i], i + 1);
        struct slice comment = slice_empty();
        CHECK_EQ(i == 1, packet_comment(&p, 1, &comment) && slice_is(comment, "second"));
        CHECK(!packet_comment(&p, 2, &comment));
    }
    CHECK_EQ(READ_END, reader_next(r, &p, &e));
    struct reader_info info = reader_info(r);
    CHECK_STR("pcapng", info.format);
    CHECK_EQ(3, info.interfaces);
    CHECK_EQ(2, info.sections);
    CHECK_EQ(EXPECTED, info.packets);
    CHECK(info.big_endian && info.multiple_links);
}

static void keep_secrets(void *context, uint32_t type, struct slice text)
{
    CHECK_EQ(SECRETS_TLS_KEY_LOG, type);
    buf_slice_put(context, text);
}

static void test_pcapng(void)
{
    struct buf b = {0}, secrets = {0};
    make_pcapng(&b);
    struct reader_options o = {.secrets = keep_secrets, .context = &secrets};
    struct error e = {0};
    struct reader *r = open_buf(&b, &o, &e);
    CHECK(r != NULL);
    check_pcapng(r);
    reader_close(r);
    CHECK(slice_is(buf_slice(&secrets), "CLIENT_RANDOM 00 11\n"));
    /* Scanned first, they come before any packet, and once only. */
    buf_clear(&secrets);
    r = open_buf(&b, &o, &e);
    CHECK(reader_scan_secrets(r, keep_secrets, &secrets));
    CHECK(slice_is(buf_slice(&secrets), "CLIENT_RANDOM 00 11\n"));
    check_pcapng(r);
    reader_close(r);
    CHECK(slice_is(buf_slice(&secrets), "CLIENT_RANDOM 00 11\n"));
    buf_free(&b);
    buf_free(&secrets);
}

/* Read, not mapped; and no second pass for the secrets. */
static void test_pipe(void)
{
    struct buf b = {0};
    make_pcapng(&b);
    int ends[2];
    CHECK_EQ(0, pipe(ends));
    CHECK_EQ(b.len, write(ends[1], b.data, b.len));
    close(ends[1]);
    struct error e = {0};
    struct reader *r = reader_open_fd(ends[0], true, "pipe", NULL, &e);
    CHECK(r != NULL);
    CHECK(!reader_scan_secrets(r, keep_secrets, NULL));
    check_pcapng(r);
    reader_close(r);
    buf_free(&b);
}

/* A packet's LEN bytes, told apart by number and place. */
static uint8_t byte_of(size_t number, size_t at)
{
    return (uint8_t)(number * 31 + at * 7 + (at >> 8));
}

static size_t length_of(size_t number)
{
    return number == 1500 ? 262144 : number * 37 % 1500;
}

/* A file read from its second byte on cannot be mapped: the sliding buffer is filled, moved, and
 * made larger for one packet that it does not hold. */
static void test_sliding(void)
{
    enum { PACKETS = 3000 };
    struct buf b = {0};
    buf_char(&b, 'x');
    put_pcap(&b, 0xa1b2c3d4, false, 1);
    for (size_t i = 0; i < PACKETS; i++) {
        put_record(&b, false, 1, 1, (uint32_t)length_of(i), 1500);
        for (size_t at = 0; at < length_of(i); at++)
            buf_char(&b, (char)byte_of(i, at));
    }
    char name[] = "/tmp/test_capture.XXXXXX";
    int fd = mkstemp(name);
    CHECK_EQ(b.len, write(fd, b.data, b.len));
    CHECK_EQ(1, lseek(fd, 1, SEEK_SET));
    struct error e = {0};
    struct packet p;
    struct reader *r = reader_open_fd(fd, true, name, NULL, &e);
    CHECK(r && !reader_info(r).mapped);
    for (size_t i = 0; i < PACKETS; i++) {
        CHECK_EQ(READ_PACKET, reader_next(r, &p, &e));
        CHECK_EQ(length_of(i), p.bytes.len);
        size_t wrong = 0;
        for (size_t at = 0; at < p.bytes.len; at++)
            wrong += slice_at(p.bytes, at) != byte_of(i, at);
        CHECK_EQ(0, wrong);
    }
    CHECK_EQ(READ_END, reader_next(r, &p, &e));
    reader_close(r);
    unlink(name);
    buf_free(&b);
}

/* A packet is delivered as soon as its last byte has arrived, with the pipe still open. */
static void test_live_pipe(void)
{
    struct buf b = {0};
    put_pcap(&b, 0xa1b2c3d4, false, 1);
    put_record(&b, false, 1, 1, 3, 3);
    buf_str(&b, "abc");
    int ends[2];
    CHECK_EQ(0, pipe(ends));
    CHECK_EQ(b.len, write(ends[1], b.data, b.len));
    struct error e = {0};
    struct packet p;
    volatile sig_atomic_t stop = 0;
    struct reader_options o = {.stop = &stop};
    struct reader *r = reader_open_fd(ends[0], true, "pipe", &o, &e);
    CHECK_EQ(READ_PACKET, reader_next(r, &p, &e)); /* or it waits for ever */
    CHECK(slice_is(p.bytes, "abc"));
    CHECK_EQ(5, write(ends[1], "start", 5)); /* of a packet's header */
    stop = 1;                                /* that it is cut short now is no damage */
    CHECK_EQ(READ_END, reader_next(r, &p, &e));
    CHECK_EQ(ERROR_NONE, e.code);
    close(ends[1]);
    reader_close(r);
    buf_free(&b);
}

/* Cut at every byte: the whole packets before the cut, then an error unless it is between blocks.
 */
static void test_cut_everywhere(void)
{
    struct buf files[2] = {{0}, {0}};
    make_pcapng(&files[0]);
    put_pcap(&files[1], 0xa1b2c3d4, false, 1);
    for (size_t i = 0; i < 4; i++) {
        put_record(&files[1], false, 1, 1, 5, 5);
        buf_str(&files[1], "bytes");
    }
    for (size_t f = 0; f < 2; f++) {
        uint64_t before = 0, clean = 0;
        for (size_t cut = 1; cut <= files[f].len; cut++) {
            struct error e = {0};
            uint64_t count;
            void *copy = malloc(cut); /* so that a sanitizer sees a read past the cut */
            memcpy(copy, files[f].data, cut);
            enum read_result result = count_packets(slice_of(copy, cut), &count, &e);
            free(copy);
            CHECK(count == before || count == before + 1);
            CHECK(count == before || result == READ_END); /* a packet appears with its last byte */
            clean += result == READ_END;
            CHECK(result == READ_END
                      ? e.code == ERROR_NONE
                      : e.code == ERROR_DAMAGED || (cut < 4 && e.code == ERROR_FORMAT));
            before = count;
        }
        CHECK_EQ(f == 0 ? EXPECTED : 4, before);
        CHECK_EQ(f == 0 ? 13 : 5, clean);
        buf_free(&files[f]);
    }
}

/* Every byte of the file set to values that hurt lengths: no crash, no endless loop. */
static void test_broken_everywhere(void)
{
    static const uint8_t values[] = {0x00, 0x7f, 0x80, 0xff};
    struct buf b = {0};
    make_pcapng(&b);
    for (size_t at = 0; at < b.len; at++) {
        uint8_t good = b.data[at];
        for (size_t v = 0; v < sizeof values; v++) {
            struct error e = {0};
            uint64_t count;
            b.data[at] = values[v];
            enum read_result result = count_packets(buf_slice(&b), &count, &e);
            CHECK(count <= EXPECTED + 1);
            CHECK((result == READ_ERROR) == (e.code != ERROR_NONE));
        }
        b.data[at] = good;
    }
    buf_free(&b);
}

static void test_clocks(void)
{
    static const struct {
        int tsresol;
        int64_t offset;
        uint64_t ticks;
        int64_t ns;
        uint8_t decimals;
    } clocks[] = {
        {-1, 0, 1500000, 1500000000, 6},
        {0, 0, 7, 7000000000, 0},
        {3, 5, 1500, 6500000000, 3},
        {5, 0, 150000, 1500000000, 3},
        {12, 0, 1500000000999, 1500000000, 9},
        {19, 0, 15000000000000000000u, 1500000000, 9},
        {20, 0, UINT64_MAX, 1000000000, 9}, /* finer than 64 bits: the finest there is */
        {127, 0, 1, 0, 9},
        {0x80, 0, 3, 3000000000, 0},
        {0x80 | 30, 0, 3u << 29, 1500000000, 9},
        {0x80 | 63, 0, 3ull << 62, 1500000000, 9},
        {0x80 | 127, 0, 1, 0, 9},
        {6, -2, 500000, -1500000000, 6},
        {9, 0, UINT64_MAX, INT64_MAX, 9},
        {6, INT64_MAX, UINT64_MAX, INT64_MAX, 6},
        {6, INT64_MIN, 0, INT64_MIN, 6},
    };
    for (size_t i = 0; i < sizeof clocks / sizeof clocks[0]; i++) {
        struct buf b = {0};
        struct error e = {0};
        struct packet p = {0};
        put_section(&b, false);
        put_interface(&b, (struct idb){1, 0, NULL, clocks[i].tsresol, clocks[i].offset}, false);
        put_packet(&b, 0, clocks[i].ticks, "x", NULL, false);
        struct reader *r = open_buf(&b, NULL, &e);
        CHECK_EQ(READ_PACKET, reader_next(r, &p, &e));
        CHECK_EQ(clocks[i].ns, p.time_ns);
        CHECK_EQ(clocks[i].decimals, p.time_decimals);
        reader_close(r);
        buf_free(&b);
    }
}

static void test_bad_blocks(void)
{
    static const struct {
        uint32_t size, again;
        const char *says;
    } sizes[] = {
        {0, 0, "minimum block size 12"},    {8, 8, "minimum block size 12"},
        {13, 20, "first 16 and second 20"}, {16, 20, "first 16 and second 20"},
        {134348836, 0, "too large"},        {(16u << 20) + 4, 0, "needs 16777220 bytes"},
    };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct buf b = {0};
        struct error e = {0};
        uint64_t count;
        put_section(&b, false);
        put_interface(&b, (struct idb){1, 0, NULL, -1, 0}, false);
        put_packet(&b, 0, 1, "x", NULL, false);
        put(&b, 5, 4, false);
        put(&b, sizes[i].size, 4, false);
        put(&b, 0, 4, false);
        put(&b, sizes[i].again, 4, false);
        buf_fill(&b, 'x', 64);
        CHECK_EQ(READ_ERROR, count_packets(buf_slice(&b), &count, &e));
        CHECK_EQ(1, count);
        CHECK_EQ(ERROR_DAMAGED, e.code);
        CHECK(strstr(e.text, sizes[i].says) != NULL);
        buf_free(&b);
    }
}

/* A file of version 2.3: header, one Ethernet frame of 14 bytes with its trailer, the table. */
static void test_network_monitor(void)
{
    uint8_t file[0x48 + 16 + 14 + 15 + 4] = {'G', 'M', 'B', 'U', 3,    2, 1,  0, 0xe5, 7,
                                             6,   0,   2,   0,   15,   0, 17, 0, 56,   0,
                                             55,  0,   0,   0,   0x75, 0, 0,  0, 4};
    uint8_t *frame = file + 0x48, *trailer = frame + 16 + 14;
    frame[8] = 60;  /* bytes on the wire */
    frame[12] = 14; /* captured */
    memset(frame + 16, 0xaa, 14);
    trailer[0] = 1; /* Ethernet */
    static const uint8_t second_of_1970[] = {0x80, 0x16, 0xd7, 0xd5, 0xde,
                                             0xb1, 0x9d, 0x01}; /* 1 s, as 100 ns since 1601 */
    memcpy(trailer + 6, second_of_1970, 8);
    file[0x75] = 0x48;
    file[0x75 + 1] = 0;
    struct error e = {.code = ERROR_NONE};
    struct reader *r = reader_open_memory(file, sizeof file, "file", NULL, &e);
    struct packet p;
    CHECK(r != NULL);
    if (!r)
        return;
    CHECK_EQ(READ_PACKET, reader_next(r, &p, &e));
    CHECK_EQ(14, p.caplen);
    CHECK_EQ(60, p.len);
    CHECK_EQ(LINK_ETHERNET, p.link_type);
    CHECK_EQ(1, p.time_ns / 1000000000);
    CHECK_EQ(READ_END, reader_next(r, &p, &e));
    reader_close(r);
    file[4] = 1; /* version 2.1: the time is that of the header and an offset; its month is none */
    file[10] = file[11] = 0xff;
    r = reader_open_memory(file, sizeof file, "file", NULL, &e);
    CHECK(r && reader_next(r, &p, &e) == READ_PACKET && p.time_ns == 0);
    reader_close(r);
    frame[12] = 200; /* more than there is */
    r = reader_open_memory(file, sizeof file, "file", NULL, &e);
    CHECK(r && reader_next(r, &p, &e) == READ_ERROR && e.code == ERROR_DAMAGED);
    reader_close(r);
    file[0x1c] = 200; /* a table that ends behind the file */
    e = (struct error){.code = ERROR_NONE};
    CHECK(!reader_open_memory(file, sizeof file, "file", NULL, &e) && e.code == ERROR_DAMAGED);
}

static void test_not_captures(void)
{
    static const struct {
        const char *bytes;
        enum error_code code;
        const char *says;
    } files[] = {
        {"hello, this is text and no capture", ERROR_FORMAT, "looks like text"},
        {"\x04\x22\x4d\x18 lz4 and its bytes ......", ERROR_DAMAGED, "lz4: "},
        {"1603010200010001fc0303ab", ERROR_FORMAT, "read --hex"},
        {"\x16\x03\x01\x02 records of TLS, as it seems", ERROR_FORMAT, "read --raw-records"},
        {"-----BEGIN CERTIFICATE-----", ERROR_FORMAT, "tlswire read FILE"},
        {"\xfd"
         "7zXZ is not read either ......",
         ERROR_FORMAT, "xz -dc"},
        {"RTSS\x01\x01 Network Monitor.......", ERROR_FORMAT, "Network Monitor"},
        {"CLIENT_RANDOM 0011 2233 ........", ERROR_FORMAT, "key log"},
        {"\xd4\xc3\xb2\xa1\x02", ERROR_DAMAGED, "file header"},
        {"\x1f\x8b", ERROR_DAMAGED, "cut short"},
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct error e = {0};
        uint64_t count;
        CHECK_EQ(READ_ERROR, count_packets(slice_of_str(files[i].bytes), &count, &e));
        CHECK_EQ(files[i].code, e.code);
        if (!strstr(e.text, files[i].says))
            CHECK_STR(files[i].says, e.text);
    }
    struct error e = {0};
    uint64_t count;
    CHECK_EQ(READ_END, count_packets(slice_empty(), &count, &e)); /* as tshark: no packets */
    CHECK(reader_open("/nonexistent/file", NULL, &e) == NULL && e.code == ERROR_FILE);
    e = (struct error){0};
    CHECK(reader_open("/", NULL, &e) == NULL && strstr(e.text, "directory"));
}

/* Records with headers that the magic number does not tell apart. */
static void test_record_headers(void)
{
    static const struct {
        uint32_t magic;
        size_t before, extra;
    } forms[] = {
        {0xa1b2c3d4, 0, 0},  {0xa1b2c3d4, 0, 4}, {0xa1b2c3d4, 0, 8}, {0xa1b2cd34, 0, 8},
        {0xa1b2cd34, 0, 12}, {0x1c0001ac, 4, 0}, {0x1c0001ab, 4, 0},
    };
    for (size_t i = 0; i < 2 * sizeof forms / sizeof forms[0]; i++) {
        struct buf b = {0};
        struct error e = {0};
        struct packet p;
        bool big = i % 2;
        put_pcap(&b, forms[i / 2].magic, big, 1);
        buf_fill(&b, 'S', forms[i / 2].before);
        for (uint32_t n = 1; n <= 6; n++) {
            put_record(&b, big, n, 7, 60 + n, 60 + n);
            buf_fill(&b, '\1', forms[i / 2].extra);
            buf_fill(&b, (char)('a' + n), 60 + n);
        }
        struct reader *r = open_buf(&b, NULL, &e);
        for (uint32_t n = 1; n <= 6; n++) {
            CHECK_EQ(READ_PACKET, reader_next(r, &p, &e));
            CHECK_EQ(60 + n, p.caplen);
            CHECK_EQ('a' + n, slice_at(p.bytes, 0));
            CHECK_EQ(n * INT64_C(1000000000) + 7000, p.time_ns);
        }
        CHECK_EQ(READ_END, reader_next(r, &p, &e));
        reader_close(r);
        buf_free(&b);
    }
}

static void test_lz4(void)
{
    struct buf b = {0};
    make_pcapng(&b);
    uint8_t packed[8192];
    size_t size = LZ4F_compressFrame(packed, sizeof packed, b.data, b.len, NULL);
    CHECK(!LZ4F_isError(size));
    struct error e = {0};
    struct reader *r = reader_open_memory(packed, size, "test.lz4", NULL, &e);
    CHECK(r != NULL);
    CHECK_STR("lz4", reader_info(r).compression);
    check_pcapng(r);
    reader_close(r);
    for (size_t cut = 5; cut < size; cut++) {
        uint64_t count;
        struct error cut_error = {0};
        CHECK_EQ(READ_ERROR, count_packets(slice_of(packed, cut), &count, &cut_error));
    }
    buf_free(&b);
}

static void test_gzip(void)
{
    struct buf b = {0};
    make_pcapng(&b);
    uint8_t packed[4096];
    z_stream z = {
        .next_in = b.data, .avail_in = (uInt)b.len, .next_out = packed, .avail_out = sizeof packed};
    CHECK_EQ(Z_OK, deflateInit2(&z, 9, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY));
    CHECK_EQ(Z_STREAM_END, deflate(&z, Z_FINISH));
    size_t size = sizeof packed - z.avail_out;
    deflateEnd(&z);
    struct error e = {0};
    struct reader *r = reader_open_memory(packed, size, "test.gz", NULL, &e);
    CHECK(r != NULL);
    CHECK_STR("gzip", reader_info(r).compression);
    struct buf secrets = {0};
    CHECK(reader_scan_secrets(r, keep_secrets, &secrets));
    CHECK_EQ(20, secrets.len);
    check_pcapng(r);
    reader_close(r);
    for (size_t cut = 1; cut < size; cut++) { /* cut short, and never taken for whole */
        uint64_t count;
        struct error cut_error = {0};
        CHECK_EQ(READ_ERROR, count_packets(slice_of(packed, cut), &count, &cut_error));
    }
    buf_free(&secrets);
    buf_free(&b);
}

/* ---- writing ---- */

static char path[] = "/tmp/test_capture.XXXXXX";

static struct packet sample(const char *text, int64_t ns)
{
    return (struct packet){.bytes = slice_of_str(text),
                           .caplen = (uint32_t)strlen(text),
                           .len = 60,
                           .time_ns = ns,
                           .has_time = true,
                           .time_decimals = 9,
                           .link_type = LINK_ETHERNET,
                           .interface_name = "lo"};
}

static void check_written(enum writer_format format, const char *name, int64_t ns)
{
    struct writer_options o = {
        .format = format, .comments = {"c"}, .os = "o", .application = "a", .private_mode = true};
    struct error e = {0};
    struct packet p = sample("hello", 1700000000123456789);
    struct buf secrets = {0};
    struct writer *w = writer_open(path, &o, &e);
    CHECK(w != NULL);
    CHECK_EQ(format == WRITE_PCAPNG,
             writer_secrets(w, SECRETS_TLS_KEY_LOG, slice_of_str("# keys\n"), &(struct error){0}));
    p.comment = slice_of_str("remark");
    CHECK(writer_packet(w, &p, &e));
    p = sample("there!", -5);
    p.interface = 1;
    p.link_type = LINK_RAW;
    CHECK_EQ(format == WRITE_PCAPNG, writer_packet(w, &p, &(struct error){0}));
    CHECK(writer_close(w, &e));
    struct stat st;
    CHECK_EQ(0, stat(path, &st));
    CHECK_EQ(0600, st.st_mode & 0777);
    struct reader_options options = {.secrets = keep_secrets, .context = &secrets};
    struct reader *r = reader_open(path, &options, &e);
    CHECK_STR(name, reader_info(r).format);
    CHECK_EQ(READ_PACKET, reader_next(r, &p, &e));
    CHECK_EQ(ns, p.time_ns);
    CHECK(slice_is(p.bytes, "hello") && p.len == 60);
    if (format == WRITE_PCAPNG) {
        CHECK(slice_is(p.comment, "remark"));
        CHECK_STR("lo", p.interface_name);
        CHECK_EQ(READ_PACKET, reader_next(r, &p, &e));
        CHECK_EQ(LINK_RAW, p.link_type);
        CHECK_EQ(0, p.time_ns);
        CHECK_EQ(7, secrets.len);
    }
    CHECK_EQ(READ_END, reader_next(r, &p, &e));
    CHECK_EQ(ERROR_NONE, e.code);
    reader_close(r);
    buf_free(&secrets);
}

static void test_writer(void)
{
    int fd = mkstemp(path);
    close(fd);
    check_written(WRITE_PCAPNG, "pcapng", 1700000000123456789);
    check_written(WRITE_PCAP, "pcap", 1700000000123456000);
    check_written(WRITE_PCAP_NANOSECOND, "nanosecond pcap", 1700000000123456789);
    struct error e = {0};
    CHECK(writer_open(path, &(struct writer_options){.exclusive = true}, &e) == NULL);
    CHECK_EQ(ERROR_FILE, e.code);
    unlink(path);
}

static void test_disk_full(void)
{
    struct error e = {0};
    struct writer *w = writer_open("/dev/full", NULL, &e);
    struct packet p = sample("hello", 1);
    CHECK(w && writer_packet(w, &p, &e));
    CHECK(!writer_flush(w, &e));
    CHECK_EQ(ERROR_FILE, e.code);
    CHECK(strstr(e.text, "disk is full") != NULL);
    CHECK(!writer_close(w, &e));
}

/* ---- synthetic packets ---- */

struct seen {
    uint64_t packets, syn, fin, bytes[2];
    uint32_t next[2], acknowledged[2];
    bool started[2];
    bool ipv6;
};

static uint16_t ones_sum(struct slice s, uint32_t sum)
{
    while (s.len >= 2)
        sum += slice_u16(&s);
    if (s.len)
        sum += (uint32_t)slice_u8(&s) << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

static void check_frame(void *context, const struct packet *p)
{
    struct seen *seen = context;
    struct slice s = p->bytes;
    seen->packets++;
    CHECK_EQ(p->len, s.len);
    (void)slice_skip(&s, 12);
    CHECK_EQ(seen->ipv6 ? 0x86dd : 0x0800, slice_u16(&s));
    size_t header = seen->ipv6 ? 40 : 20;
    if (!seen->ipv6)
        CHECK_EQ(0xffff, ones_sum(slice_sub(s, 0, 20), 0));
    struct slice length = slice_sub(s, seen->ipv6 ? 4 : 2, 2);
    CHECK_EQ(seen->ipv6 ? s.len - 40 : s.len, slice_u16(&length));
    struct slice addresses = slice_sub(s, seen->ipv6 ? 8 : 12, seen->ipv6 ? 32 : 8);
    (void)slice_skip(&s, header);
    CHECK_EQ(0xffff, ones_sum(s, 6 + (uint32_t)s.len + ones_sum(addresses, 0)));
    struct slice tcp = s;
    int side = slice_u16(&tcp) == 443;
    (void)slice_skip(&tcp, 2);
    uint32_t sequence = slice_u32(&tcp);
    uint32_t acknowledged = slice_u32(&tcp);
    uint16_t flags = slice_u16(&tcp);
    size_t data = s.len - (size_t)(flags >> 12) * 4;
    if (seen->started[side])
        CHECK_EQ(seen->next[side], sequence);
    if (flags & 16 && seen->started[!side])
        CHECK(seen->next[!side] - acknowledged < (1u << 20)); /* never what was not yet sent */
    (void)slice_skip(&tcp, 4);
    CHECK_EQ(0, slice_u16(&tcp)); /* no urgent pointer */
    seen->acknowledged[side] = acknowledged;
    seen->started[side] = true;
    seen->next[side] = sequence + (uint32_t)data + (flags & 3 ? 1 : 0);
    seen->bytes[side] += data;
    seen->syn += (flags & 2) != 0;
    seen->fin += flags & 1;
}

static void test_synth(void)
{
    static uint8_t bytes[300001];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 7);
    for (int form = 0; form < 4; form++) {
        struct seen seen = {.ipv6 = form & 1};
        struct synth_flow f;
        struct synth_options o = {.address = {{{127, 0, 0, 1}, 40000}, {{127, 0, 0, 2}, 443}},
                                  .ipv6 = form & 1,
                                  .no_timestamps = form & 2,
                                  .first_sequence = {UINT32_MAX - 5, 77},
                                  .emit = check_frame,
                                  .context = &seen};
        synth_init(&f, &o);
        synth_data(&f, SYNTH_CLIENT, slice_of_str("too early"), 1);
        CHECK_EQ(0, seen.packets);
        synth_open(&f, 1000);
        CHECK_EQ(3, seen.packets);
        synth_data(&f, SYNTH_CLIENT, slice_of(bytes, 517), 2000);
        CHECK_EQ(5, seen.packets);
        synth_data(&f, SYNTH_SERVER, slice_of(bytes, sizeof bytes), 3000);
        synth_fin(&f, SYNTH_CLIENT, 4000);
        synth_fin(&f, SYNTH_SERVER, 4000);
        synth_data(&f, SYNTH_SERVER, slice_of_str("too late"), 5000);
        CHECK_EQ(517, seen.bytes[0]);
        CHECK_EQ(sizeof bytes, seen.bytes[1]);
        CHECK_EQ(2, seen.syn);
        CHECK_EQ(2, seen.fin);
        CHECK_EQ(seen.next[0], seen.acknowledged[1]); /* both FINs are acknowledged */
        CHECK_EQ(seen.next[1], seen.acknowledged[0]);
        CHECK_EQ(4000, f.time_ns);
        synth_free(&f);
    }
}

int main(void)
{
    static const struct unit_test tests[] = {
        {"pcap forms", test_pcap_forms},
        {"pcap tolerance", test_pcap_tolerance},
        {"pcap absurd length", test_pcap_absurd_length},
        {"pcapng", test_pcapng},
        {"pipe", test_pipe},
        {"live pipe", test_live_pipe},
        {"sliding buffer", test_sliding},
        {"cut everywhere", test_cut_everywhere},
        {"broken everywhere", test_broken_everywhere},
        {"clocks", test_clocks},
        {"bad blocks", test_bad_blocks},
        {"Network Monitor", test_network_monitor},
        {"not captures", test_not_captures},
        {"gzip", test_gzip},
        {"lz4", test_lz4},
        {"record headers of pcap", test_record_headers},
        {"writer", test_writer},
        {"disk full", test_disk_full},
        {"synthetic packets", test_synth},
    };
    return UNIT_RUN(tests);
}
