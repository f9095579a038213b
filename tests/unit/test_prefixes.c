/* Every prefix of every handshake message: cut off by the message's own length, by a record that
 * ends too early, and by a capture that kept only the front of the packet.
 *
 * Whatever the bytes say, the tape must be well formed and every printer must give clean text.  Run
 * under the sanitizers this also shows that nothing is read that is not there. */
#include "packets.h"
#include "unit.h"

static const char *const golden[] = {"tests/golden/seed_verbose.pcap",
                                     "tests/golden/seed_hexdump.pcap"};

/* Messages that the golden captures do not have: type, body. */
static const struct {
    uint8_t type;
    const char *hex;
} messages[] = {
    {0, ""}, /* HelloRequest */
    {4, "00001c20"
        "0a0b0c0d"
        "02"
        "0000"
        "0008"
        "a0a1a2a3a4a5a6a7"
        "0008"
        "002a"
        "0004"
        "00004000"}, /* NewSessionTicket, TLS 1.3 */
    {5, ""},         /* EndOfEarlyData */
    {8, "0020"
        "0000"
        "0000"
        "0010"
        "0005"
        "0003"
        "02"
        "6832"
        "000a"
        "0008"
        "0006"
        "001d"
        "0017"
        "0018"
        "001c"
        "0002"
        "4001"}, /* EncryptedExtensions */
    {11, "00"
         "000010"
         "00000b"
         "3009020101300506032a0304"
         "0000"}, /* Certificate, TLS 1.3 */
    {13, "03"
         "014002"
         "000e"
         "0403"
         "0503"
         "0603"
         "0804"
         "0805"
         "0806"
         "0401"
         "0015"
         "0013"
         "3011310f300d06035504030c067465737443"}, /* CertificateRequest, TLS 1.2 */
    {13, "00"
         "000e"
         "000d"
         "000a"
         "0008"
         "0403"
         "0804"
         "0401"
         "0807"}, /* the same of TLS 1.3 */
    {15, "0403"
         "0008"
         "3006020101020102"},         /* CertificateVerify */
    {20, "000102030405060708090a0b"}, /* Finished */
    {22, "01"
         "000008"
         "3006020101020102"}, /* CertificateStatus */
    {24, "01"},               /* KeyUpdate */
    {25, "0001"
         "000100"
         "000008"
         "789c030000000001"}, /* CompressedCertificate */
    {67, "02"
         "6832"
         "06"
         "000000000000"}, /* NextProtocol */
    {254, "03001122"},
};

static struct buf bytes, text;
static uint64_t packets;

static void hex_bytes(struct buf *out, const char *hex)
{
    for (unsigned value; *hex && sscanf(hex, "%2x", &value) == 1; hex += 2)
        buf_char(out, (char)value);
}

static bool well_formed(const struct tape *t)
{
    for (uint32_t i = 0; i < t->count; i++) {
        const struct event *e = &t->events[i];
        bool nests = i + 1 >= t->count || t->events[i + 1].depth <= e->depth + 1;
        bool known = e->field > F_NONE && e->field < FIELD_COUNT && e->label < LABEL_COUNT;
        if (!nests || !known || e->next <= i || e->next > t->count || e->source >= t->source_count)
            return false;
        for (uint32_t child = i + 1; child < e->next; child = t->events[child].next)
            if (t->events[child].depth <= e->depth || t->events[child].next > e->next)
                return false;
    }
    return true;
}

/* No control bytes but line ends. */
static bool clean(const struct buf *b)
{
    for (size_t i = 0; i < b->len; i++)
        if ((b->data[i] < ' ' && b->data[i] != '\n' && b->data[i] != '\t') || b->data[i] == 0x7f)
            return false;
    return !b->failed && b->len > 0;
}

static bool feed(struct engine *e, size_t captured)
{
    struct packet p = packet_of(&bytes, ++packets);
    p.caplen = (uint32_t)captured;
    p.bytes.len = captured;
    const struct dissection *d = engine_packet(e, &p);
    bool good = well_formed(&d->tape) && !d->tape.full;
    if (!good)
        printf("# the tape is not well formed\n");
    static struct print_state state;
    struct print_options options = {.time_decimals = TIME_DECIMALS_AUTO,
                                    .summary = true,
                                    .tree = true,
                                    .hex = true,
                                    .state = &state};
    static const char *const names[] = {"text", "pdml"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        buf_clear(&text);
        printer_find(names[i])->packet(&text, &options, d);
        if (!good || clean(&text))
            continue;
        printf("# %s is not clean: %.*s\n", names[i], text.len < 2000 ? (int)text.len : 2000,
               (const char *)text.data);
        good = false;
    }
    return good;
}

static uint16_t suite_before; /* of the ServerHello that stands before the record; 0: none does */

static void put_server_hello(struct buf *out)
{
    put_number(out, 0x160303002c, 5);
    put_number(out, 0x02000028, 4);
    put_number(out, 0x0303, 2);
    buf_fill(out, 'r', 32);
    put_number(out, 0, 1);
    put_number(out, suite_before, 2);
    put_number(out, 0, 3);
}

/* A record of the message's first N bytes, on a connection of its own.  SAID: the length that the
 * message's header has.  KEPT: bytes of the record that the capture has. */
static bool try_record(struct engine *e, bool from_server, uint8_t type, struct slice body,
                       size_t n, size_t said, size_t kept)
{
    static uint16_t port = 20000;
    struct buf record = {0};
    put_number(&record, 0x160303, 3);
    put_number(&record, 4 + n, 2);
    put_number(&record, type, 1);
    put_number(&record, said, 3);
    buf_slice_put(&record, slice_sub(body, 0, n));
    port = port < 60000 ? (uint16_t)(port + 1) : 20000;
    struct segment s = {.from_server = from_server,
                        .client_port = port,
                        .server_port = 443,
                        .seq = (uint32_t)packets << 16,
                        .flags = PSH | ACK,
                        .data = buf_slice(&record)};
    bool good = true;
    if (suite_before) {
        struct buf hello = {0};
        put_server_hello(&hello);
        struct segment before = s;
        before.from_server = true;
        before.data = buf_slice(&hello);
        put_segment(&bytes, &before);
        good = feed(e, HEADER_BYTES + hello.len);
        s.seq += from_server ? (uint32_t)hello.len : 0;
        buf_free(&hello);
    }
    put_segment(&bytes, &s);
    good &= feed(e, HEADER_BYTES + (kept < record.len ? kept : record.len));
    buf_free(&record);
    return good;
}

static void every_prefix(bool from_server, uint8_t type, struct slice body)
{
    struct engine *e = new_engine(NULL);
    size_t bad = 0;
    for (size_t n = 0; n <= body.len; n++) {
        bad += !try_record(e, from_server, type, body, n, n, SIZE_MAX);
        bad += !try_record(e, from_server, type, body, n, body.len, SIZE_MAX);
        bad += !try_record(e, from_server, type, body, body.len, body.len, n);
    }
    engine_free(e);
    if (bad)
        printf("# message type %u of %zu bytes\n", type, body.len);
    CHECK_EQ(0, bad);
}

/* The handshake messages of one segment's records, those that look encrypted too. */
static size_t messages_of(struct slice stream, bool from_server)
{
    size_t found = 0;
    while (stream.len >= 5) {
        uint8_t content = slice_u8(&stream);
        slice_skip(&stream, 2);
        struct slice record = slice_take(&stream, slice_u16(&stream));
        while (content == 22 && record.len >= 4) {
            uint8_t type = slice_u8(&record);
            size_t length = slice_u24(&record);
            every_prefix(from_server, type, slice_sub(record, 0, length));
            slice_skip(&record, length < record.len ? length : record.len);
            found++;
        }
    }
    return found;
}

static void test_golden_messages(void)
{
    size_t found = 0;
    for (size_t i = 0; i < sizeof golden / sizeof golden[0]; i++) {
        struct kept_capture c;
        CHECK(keep_capture(&c, golden[i]));
        for (size_t at = 0; at < c.count; at++) {
            bool from_server;
            struct slice payload = tcp_payload(&c.packets[at].packet, &from_server);
            found += messages_of(payload, from_server);
        }
        drop_capture(&c);
    }
    CHECK(found >= 9);
}

static void test_other_messages(void)
{
    struct buf body = {0};
    for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++) {
        buf_clear(&body);
        hex_bytes(&body, messages[i].hex);
        every_prefix(true, messages[i].type, buf_slice(&body));
        every_prefix(false, messages[i].type, buf_slice(&body));
    }
    buf_free(&body);
}

/* One extension in a hello: KIND is the first column of extensions.tsv. */
static void put_hello(struct buf *out, const char *kind, struct slice extension)
{
    static const char retry[] = "cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c";
    buf_clear(out);
    put_number(out, 0x0303, 2);
    if (strcmp(kind, "HRR") == 0)
        hex_bytes(out, retry);
    else
        buf_fill(out, 'r', 32);
    hex_bytes(out, strcmp(kind, "CH") == 0 ? "00"
                                             "00021301"
                                             "0100"
                                           : "00"
                                             "1301"
                                             "00");
    put_number(out, extension.len, 2);
    buf_slice_put(out, extension);
}

static void extensions_of(const char *path)
{
    FILE *file = fopen(path, "re");
    CHECK(file != NULL);
    char *line = NULL;
    size_t room = 0, count = 0;
    struct buf extension = {0}, hello = {0};
    struct engine *e = new_engine(NULL);
    while (file && getline(&line, &room, file) > 0) {
        char *rest = line, *kind = strsep(&rest, "\t"), *hex = strsep(&rest, "\t\n");
        bool hello_kind = strlen(kind) <= 3 && !strpbrk(kind, "0123456789");
        if (*line == '#' || !hex || !hello_kind)
            continue;
        buf_clear(&extension);
        hex_bytes(&extension, hex);
        bool from_server = strcmp(kind, "CH") != 0;
        for (size_t n = 0; n <= extension.len; n++) {
            put_hello(&hello, kind, slice_sub(buf_slice(&extension), 0, n));
            CHECK(try_record(e, from_server, from_server ? 2 : 1, buf_slice(&hello), hello.len,
                             hello.len, SIZE_MAX));
        }
        count++;
    }
    CHECK(count > 30);
    engine_free(e);
    free(line);
    if (file)
        fclose(file);
    buf_free(&extension);
    buf_free(&hello);
}

static void test_extensions(void)
{
    extensions_of("tests/golden/extensions.tsv");
    extensions_of("tests/golden/more.tsv");
}

/* The lines of messages: "S12@c02f" is the server's message of type 12 after a ServerHello with that suite, which
 * stands in front on the same connection. */
static void test_lines(void)
{
    static const char *const paths[] = {"tests/golden/messages.tsv", "tests/golden/more.tsv"};
    struct buf body = {0};
    char *line = NULL;
    size_t room = 0, count = 0;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        FILE *file = fopen(paths[i], "re");
        CHECK(file != NULL);
        while (file && getline(&line, &room, file) > 0) {
            char *rest = line, *kind = strsep(&rest, "\t"), *hex = strsep(&rest, "\t\n");
            if (!hex || !strchr("SC", *kind) || kind[1] < '0' || kind[1] > '9')
                continue;
            buf_clear(&body);
            hex_bytes(&body, hex);
            suite_before = (uint16_t)strtoul(kind + strcspn(kind, "@") + 1, NULL, 16);
            every_prefix(*kind == 'S', (uint8_t)strtoul(kind + 1, NULL, 10), buf_slice(&body));
            suite_before = 0;
            count++;
        }
        if (file)
            fclose(file);
    }
    CHECK(count > 40);
    free(line);
    buf_free(&body);
}

/* Every prefix of every golden packet, as a snap length would cut it. */
static void test_packets(void)
{
    size_t bad = 0;
    for (size_t i = 0; i < sizeof golden / sizeof golden[0]; i++) {
        struct kept_capture c;
        CHECK(keep_capture(&c, golden[i]));
        struct engine *e = new_engine(NULL);
        for (size_t at = 0; at < c.count; at++) {
            buf_clear(&bytes);
            buf_slice_put(&bytes, c.packets[at].packet.bytes);
            for (size_t n = 0; n <= bytes.len; n++)
                bad += !feed(e, n);
        }
        engine_free(e);
        drop_capture(&c);
    }
    CHECK_EQ(0, bad);
}

int main(void)
{
    static const struct unit_test tests[] = {
        {"every prefix of every message of the golden captures", test_golden_messages},
        {"every prefix of the other messages", test_other_messages},
        {"every prefix of every golden extension", test_extensions},
        {"every prefix of every golden message line", test_lines},
        {"every prefix of every golden packet", test_packets},
    };
    int status = UNIT_RUN(tests);
    buf_free(&bytes);
    buf_free(&text);
    return status;
}
