/* The ladder: a golden one of a capture, one of a decrypted TLS 1.3 connection made by hand on the
 * tape, failures, escapes, widths, colours, and every bound. */
#include "packets.h"
#include "unit.h"

#include "print/ladder.h"
#include "stream/tls_verdict.h"

static struct dissection d;
static struct packet frame;
static uint8_t want[FIELD_COUNT];
static struct buf out;
static struct ladder *ladder;
static uint32_t stream;
static uint32_t record_at;
static uint8_t plain[512]; /* the bytes that events point to; filled from the front */
static size_t plain_len;

static const struct ladder_options usual = {.width = 80, .ascii = true};

static const char *text(void)
{
    buf_char(&out, '\0');
    out.len -= !out.failed;
    return out.failed ? "buffer failed" : (const char *)out.data;
}

static void begin(const struct ladder_options *options)
{
    memset(want, 1, sizeof want);
    if (!d.tape.events && !tape_init(&d.tape))
        abort();
    ladder_free(ladder);
    ladder = ladder_new(options);
    buf_clear(&out);
    frame = (struct packet){.has_time = true};
    stream = 0;
}

static const char *end(void)
{
    ladder_end(ladder, &out);
    return text();
}

/* ---- packets with a tape made by hand ---- */

static void packet(int from, unsigned flags, unsigned len)
{
    static const struct address ends[2] = {{ADDRESS_IPV4, {192, 0, 2, 1}},
                                           {ADDRESS_IPV4, {192, 0, 2, 2}}};
    frame.number++;
    frame.time_ns += 1000000;
    d.packet = &frame;
    tape_reset(&d.tape, want);
    plain_len = 0;
    tape_source(&d.tape, slice_of(plain, sizeof plain), "Frame");
    tape_source(&d.tape, slice_of(plain, sizeof plain), "Decrypted TLS");
    d.columns.has_tcp = true;
    d.columns.source = ends[from];
    d.columns.destination = ends[1 - from];
    d.tcp = (struct tcp_facts){.source_port = (uint16_t)(from ? 443 : 50000),
                               .destination_port = (uint16_t)(from ? 50000 : 443),
                               .stream = stream,
                               .direction = from,
                               .flags = (uint16_t)flags,
                               .len = len};
}

static void send_packet(void)
{
    ladder_packet(ladder, &out, &d);
}

static void tcp(int from, unsigned flags)
{
    packet(from, flags, 0);
    send_packet();
}

static void number(enum field_id field, uint64_t value)
{
    tape_add(&d.tape, field, 0, 0, 2, value, 0);
}

static void bytes(enum field_id field, uint8_t source, const char *value, size_t len)
{
    if (len > sizeof plain - plain_len)
        abort();
    memcpy(plain + plain_len, value, len);
    tape_add(&d.tape, field, source, (uint32_t)plain_len, (uint32_t)len, 0, 0);
    plain_len += len;
}

/* OPENED: a record of TLS 1.3 that was decrypted. */
static void open_record(unsigned type, unsigned length, bool opened)
{
    record_at = tape_open(&d.tape, F_tls_record, 0, 0, length + 5, 0, 0);
    if (opened)
        number(F_tls_record_opaque_type, 23);
    number(F_tls_record_content_type, type);
    number(F_tls_record_length, length);
}

static void close_record(void)
{
    tape_close(&d.tape, record_at);
}

static uint32_t open_message(unsigned type, unsigned length, bool opened)
{
    uint32_t at = tape_open(&d.tape, F_tls_handshake, opened, 0, length, 0, 0);
    number(F_tls_handshake_type, type);
    return at;
}

/* A record with a message that says nothing of itself. */
static void message(unsigned type, unsigned length, bool opened)
{
    open_record(22, length + 17, opened);
    tape_close(&d.tape, open_message(type, length, opened));
    close_record();
}

static void alert(unsigned level, unsigned code, bool opened)
{
    open_record(21, 2, opened);
    uint32_t at = tape_open(&d.tape, F_tls_alert_message, opened, 0, 2, 0, 0);
    number(F_tls_alert_message_level, level);
    number(F_tls_alert_message_desc, code);
    tape_close(&d.tape, at);
    close_record();
}

/* Application data; its plaintext follows as a protocol of its own when there is some. */
static void data(const char *value)
{
    size_t len = value ? strlen(value) : 100;
    open_record(23, (unsigned)len + 17, value != NULL);
    tape_add(&d.tape, F_tls_app_data, 0, 0, (uint32_t)len + 17, 0, 0);
    close_record();
    if (value)
        bytes(F_data_data, 1, value, len);
}

static void client_hello(const char *name, size_t name_len)
{
    packet(0, TCP_ACK | TCP_PSH, 200);
    open_record(22, 200, false);
    uint32_t at = open_message(1, 200, false);
    number(F_tls_handshake_version, 0x0303);
    number(F_tls_handshake_ciphersuite, 0x3a3a); /* GREASE is not counted */
    number(F_tls_handshake_ciphersuite, 0x1301);
    number(F_tls_handshake_ciphersuite, 0x1302);
    number(F_tls_handshake_extensions_supported_version, 0x0304);
    number(F_tls_handshake_extensions_supported_version, 0x0303);
    if (name)
        bytes(F_tls_handshake_extensions_server_name, 0, name, name_len);
    number(F_tls_handshake_extensions_key_share_client_length, 38);
    number(F_tls_handshake_extensions_key_share_group, 29);
    number(F_tls_handshake_extensions_psk_identity_obfuscated_ticket_age, 7);
    tape_close(&d.tape, at);
    close_record();
    send_packet();
}

static void server_hello(bool resumed)
{
    open_record(22, 122, false);
    uint32_t at = open_message(2, 122, false);
    number(F_tls_handshake_version, 0x0303);
    number(F_tls_handshake_ciphersuite, 0x1301);
    number(F_tls_handshake_extensions_supported_version, 0x0304);
    number(F_tls_handshake_extensions_key_share_group, 29);
    if (resumed)
        number(F_tls_handshake_extensions_psk_identity_selected, 0);
    tape_close(&d.tape, at);
    close_record();
}

/* Everything up to the client's Finished. */
static void handshake(void)
{
    tcp(0, TCP_SYN);
    tcp(1, TCP_SYN | TCP_ACK);
    tcp(0, TCP_ACK);
    client_hello("example.org", 11);
    packet(1, TCP_ACK, 700);
    server_hello(true);
    open_record(22, 30, true);
    uint32_t at = open_message(8, 13, true);
    bytes(F_tls_handshake_extensions_alpn_str, 1, "h2", 2);
    tape_close(&d.tape, at);
    close_record();
    message(20, 52, true);
    send_packet();
    packet(0, TCP_ACK, 80);
    message(20, 52, true);
    send_packet();
}

static void test_decrypted(void)
{
    begin(&(struct ladder_options){.width = 80, .ascii = true, .keys_from = "the key log k"});
    handshake();
    packet(1, TCP_ACK, 300);
    for (unsigned i = 0; i < 2; i++) {
        open_record(22, 200, true);
        uint32_t at = open_message(4, 183, true);
        number(F_tls_handshake_session_ticket_lifetime_hint, 7200);
        tape_close(&d.tape, at);
        close_record();
    }
    data("test\n");
    alert(1, 0, true);
    send_packet();
    tcp(1, TCP_FIN | TCP_ACK);
    packet(0, TCP_ACK, 24);
    alert(1, 0, true);
    send_packet();
    tcp(0, TCP_FIN | TCP_ACK);
    CHECK_STR(
        "#1  192.0.2.1:50000 -> 192.0.2.2:443\n"
        "    OK: resumed in 2.00 ms | closed by the server\n"
        "    TLS 1.3 | TLS_AES_128_GCM_SHA256 | x25519\n"
        "    SNI example.org | ALPN h2\n"
        "    decrypted with the keys from the key log k (* was encrypted)\n"
        "\n"
        "       ms  frame  client                                         server    bytes\n"
        "     0.00      1  -- SYN --------------------------------------------->\n"
        "     1.00      2  <---------------------------------------- SYN, ACK --\n"
        "     3.00      4  -- ClientHello ------------------------------------->      200\n"
        "                     offers TLS 1.3, 1.2 | 2 suites | key share x25519\n"
        "                     SNI example.org | resumes by PSK\n"
        "     4.00      5  <------------------------------------- ServerHello --      122\n"
        "                     picks TLS 1.3 | TLS_AES_128_GCM_SHA256 | x25519\n"
        "                     resumed by PSK\n"
        "                  |=============== from here encrypted ===============|\n"
        "               5  <------------------ * EncryptedExtensions  ALPN h2 --       13\n"
        "               5  <-------------------------------------- * Finished --       52\n"
        "     5.00      6  -- * Finished -------------------------------------->       52\n"
        "     6.00      7  <---------- * NewSessionTicket x2  good for 7200 s --      366\n"
        "               7  <-------------------- * application data  \"test\\n\" --        5\n"
        "               7  <--------------------------- * Alert  close_notify --        2\n"
        "     7.00      8  <--------------------------------------------- FIN --\n"
        "     8.00      9  -- * Alert  close_notify --------------------------->        2\n"
        "     9.00     10  -- FIN --------------------------------------------->\n",
        end());
}

/* ---- a capture of the tests ---- */

static void read_capture(const char *path)
{
    struct kept_capture capture;
    static uint8_t wanted[FIELD_COUNT];
    ladder_want(wanted);
    struct engine *engine = new_engine(wanted);
    CHECK(keep_capture(&capture, path));
    engine_keys(engine, buf_slice(&capture.keys));
    for (size_t i = 0; i < capture.count; i++)
        ladder_packet(ladder, &out, engine_packet(engine, &capture.packets[i].packet));
    engine_free(engine);
    drop_capture(&capture);
}

static void test_capture(void)
{
    begin(&(struct ladder_options){.width = 80, .ascii = false});
    read_capture("tests/golden/seed_verbose.pcap");
    CHECK_STR("#1  127.0.0.1:45992 → 127.0.0.1:4433\n"
              "    OK: full handshake in 65.61 ms · closed by the server · reset by the server\n"
              "    TLS 1.2 · TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 · secp256r1\n"
              "    rsa_pkcs1_sha512\n"
              "    certificate CN=Default Company Ltd, RSA 2048, self-signed\n"
              "    no keys: what is encrypted is shown as such\n"
              "    NOT AS IT SHOULD BE: key exchange ✗ · chain ✓ · host ? · dates ✓\n"
              "\n"
              "       ms  frame  client                                         server    bytes\n"
              "     0.00      3  ── SYN ─────────────────────────────────────────────▶\n"
              "     0.10      4  ◀──────────────────────────────────────── SYN, ACK ──\n"
              "     1.92      6  ── ClientHello ─────────────────────────────────────▶      284\n"
              "                     offers TLS 1.2 at most · 86 suites\n"
              "                     groups secp256r1, secp521r1, secp384r1, secp256k1 · no SNI\n"
              "    61.74      8  ◀───────────────────────────────────── ServerHello ──       66\n"
              "                     picks TLS 1.2 · TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384\n"
              "               8  ◀───────────────────────────────────── Certificate ──      782\n"
              "                     CN=Default Company Ltd · RSA 2048 · self-signed\n"
              "               8  ◀─ ServerKeyExchange  secp256r1 · rsa_pkcs1_sha512 ──      333\n"
              "               8  ◀───────────────────────────────── ServerHelloDone ──        4\n"
              "    63.14     10  ── ClientKeyExchange  ECDHE public key ─────────────▶       70\n"
              "              10  ── ChangeCipherSpec ────────────────────────────────▶        1\n"
              "                  ╞═══════════════ from here encrypted ═══════════════╡\n"
              "              10  ── encrypted handshake record ──────────────────────▶       40\n"
              "    67.54     12  ◀──────────────── NewSessionTicket  good for 300 s ──      170\n"
              "              12  ◀──────────────────────────────── ChangeCipherSpec ──        1\n"
              "              12  ◀────────────────────── encrypted handshake record ──       40\n"
              "    67.60     13  ◀────────────────────── encrypted application data ──       29\n"
              "              13  ◀───────────────────────────────────────────── FIN ──\n"
              "    69.32     15  ── encrypted alert ─────────────────────────────────▶       26\n"
              "    69.34     16  ◀───────────────────────────────────────────── RST ──\n",
              end());
}

/* ---- failures ---- */

/* What was asked and answered stands above, and instead of the bytes; in neither place is a cookie. */
static void test_http(void)
{
    struct ladder_options options = usual;
    options.width = 140;
    begin(&options);
    read_capture("tests/golden/http.pcapng");
    const char *shown = end();
    CHECK(strstr(shown, "\n    GET /first?a=b -> 200, text/html, 5,120 bytes\n"));
    CHECK(strstr(shown, "\n    HEAD /\\x1b[31m -> 404, 0 bytes\n"));
    CHECK(strstr(shown, "\n    POST /form -> 500, 10 bytes\n"));
    CHECK(strstr(shown, "\n    GET /chat -> 101\n"));
    CHECK(strstr(shown, " application data  GET /first?a=b "));
    CHECK(strstr(shown, " application data x2  200 text/html | content, 1000 bytes "));
    CHECK(strstr(shown, "HEAD /\\x1b[31m | POST /form | content, 3 bytes"));
    CHECK(strstr(shown, "SETTINGS | GET /"));
    CHECK(!strstr(shown, "hidden") && !strstr(shown, "\033"));
}

static void test_alert(void)
{
    begin(&usual);
    client_hello(NULL, 0);
    packet(1, TCP_ACK, 7);
    alert(2, 40, false);
    send_packet();
    const char *shown = end();
    CHECK(strstr(shown, "FAILED: the server sent alert fatal handshake_failure (40) after "
                        "ClientHello"));
    CHECK(strstr(shown, "Alert  fatal handshake_failure (40) --        2\n"));
    CHECK(strstr(shown, " | no SNI"));
}

static void test_stopped(void)
{
    begin(&usual);
    client_hello(NULL, 0);
    tcp(1, TCP_RST);
    CHECK(strstr(end(), "FAILED: handshake not finished, last message ClientHello\n"
                        "    reset by the server\n"));
}

static void test_no_keys(void)
{
    begin(&usual);
    client_hello(NULL, 0);
    packet(1, TCP_ACK, 300);
    server_hello(false);
    record_at = tape_open(&d.tape, F_tls_record, 0, 0, 105, 0, 0);
    number(F_tls_record_opaque_type, 23);
    number(F_tls_record_length, 57);
    tape_add(&d.tape, F_tls_app_data, 0, 0, 57, 0, 0);
    close_record();
    send_packet();
    const char *shown = end();
    CHECK(strstr(shown, "what follows the ServerHello is encrypted"));
    CHECK(strstr(shown, "    no keys: what is encrypted is shown as such\n"));
    CHECK(strstr(shown, "- encrypted record --       57\n"));
    CHECK(!strstr(shown, "OK"));

    begin(&(struct ladder_options){.width = 80, .ascii = true, .keys_from = "k"});
    client_hello(NULL, 0);
    packet(0, TCP_ACK, 300);
    data(NULL);
    send_packet();
    CHECK(strstr(end(), "    not decrypted: its keys are not in k\n"));
}

/* Why nothing, or not all, was decrypted; and whose session it is. */
static void test_decryption(void)
{
    struct tls_verdict v = {.status = DECRYPT_WRONG_KEY, .closed = 1};
    begin(&(struct ladder_options){.width = 80, .ascii = true, .keys_from = "k"});
    client_hello(NULL, 0);
    d.verdict = &v;
    packet(0, TCP_ACK, 300);
    data(NULL);
    send_packet();
    CHECK(strstr(end(),
                 "    not decrypted: key present but wrong: the tag of record 0 does not match\n"));

    begin(&usual);
    d.verdict = &v;
    v = (struct tls_verdict){
        .status = DECRYPT_RESYNCED, .opened = 9, .lost_bytes = 1460, .origin = 8};
    handshake();
    const char *shown = end();
    CHECK(strstr(shown, "resynchronised after 1460 bytes lost\n"));
    CHECK(strstr(shown, "| session of tcp.stream 7\n"));

    begin(&usual);
    v = (struct tls_verdict){.status = DECRYPT_OPENED, .opened = 9};
    handshake();
    shown = end();
    CHECK(!strstr(shown, "opened\n") && !strstr(shown, "tcp.stream"));
    d.verdict = NULL;
}

static void test_only_tls(void)
{
    begin(&usual);
    tcp(0, TCP_SYN);
    CHECK_STR("no TLS connection\n", end());
    begin(&(struct ladder_options){.width = 80, .ascii = true, .tls_port = 443});
    tcp(0, TCP_SYN);
    CHECK(strstr(end(), "192.0.2.1:50000 -> 192.0.2.2:443   no TLS seen\n"));
}

/* ---- what is untrusted, and what is limited ---- */

static void test_escapes(void)
{
    static const char name[] = "a\x1b[31m\n\x00\xe2\x80\xae\xff\xc3\xa9\\z";
    for (unsigned ascii = 0; ascii < 2; ascii++) {
        begin(&(struct ladder_options){.width = 80, .ascii = ascii});
        client_hello(name, sizeof name - 1);
        const char *shown = end();
        CHECK(strstr(shown, ascii ? "SNI a\\033[31m\\n\\x00\\u{202e}\\xff\\u{e9}\\\\z"
                                  : "SNI a\\033[31m\\n\\x00\\u202E\\xff\xc3\xa9\\\\z"));
        for (const char *c = shown; *c; c++)
            CHECK(*c == '\n' || ((unsigned char)*c >= 0x20 && *c != 0x7f));
        for (const char *c = shown; *c && ascii; c++)
            CHECK((unsigned char)*c < 0x80);
    }
}

static void test_preview(void)
{
    begin(&usual);
    handshake();
    packet(0, TCP_ACK, 10);
    data("\x01\x02\x03\x04\x05\x06\x07\x08\x09");
    send_packet();
    packet(1, TCP_ACK, 10);
    data("GET / HTTP/1.1\r\nHost: a host with a name that does not end soon\r\n");
    send_packet();
    const char *shown = end();
    CHECK(strstr(shown, "* application data  01 02 03 04 05 06 07 08 ... -"));
    CHECK(strstr(shown,
                 "\n                     \"GET / HTTP/1.1\\r\\nHost: a host with a name t...\"\n"));
}

/* TLS 1.0's empty records leave nothing on the tape. */
static void test_empty_records(void)
{
    begin(&usual);
    packet(1, TCP_ACK, 100);
    open_record(22, 60, false);
    uint32_t at = open_message(2, 60, false);
    number(F_tls_handshake_version, 0x0301);
    tape_close(&d.tape, at);
    close_record();
    open_record(22, 40, false);
    tape_close(&d.tape, open_message(20, 16, true)); /* Finished, decrypted */
    close_record();
    for (unsigned i = 0; i < 3; i++) {
        open_record(23, 32, false);
        tape_add(&d.tape, F_tls_app_data, 0, 0, 32, 0, 0);
        close_record();
    }
    open_record(23, 48, false);
    tape_add(&d.tape, F_tls_app_data, 0, 0, 48, 0, 0);
    close_record();
    bytes(F_data_data, 1, "a message of thirty-three letters", 33);
    send_packet();
    const char *shown = end();
    CHECK(strstr(shown, "* application data x4"));
    CHECK(strstr(shown, "\"a message of thirty-three letters\""));
    CHECK(strstr(shown, "    decrypted (* was encrypted)\n"));
}

static void test_widths(void)
{
    for (unsigned width = 0; width <= 200; width += 4) {
        unsigned limit = width < 60 ? 60 : width > 140 ? 140 : width;
        begin(&(struct ladder_options){.width = width, .ascii = true});
        handshake();
        client_hello("a-name-of-more-than-sixty-four-letters-that-must-be-cut-somewhere.example",
                     73);
        for (const char *line = end(), *next; *line; line = next + 1) {
            next = strchr(line, '\n');
            CHECK((size_t)(next - line) <= limit);
        }
    }
}

static void test_colours(void)
{
    struct buf plain_text = {0}, stripped = {0};
    begin(&usual);
    handshake();
    buf_str(&plain_text, end());
    CHECK(!strchr(text(), '\033'));
    begin(&(struct ladder_options){.width = 80, .ascii = true, .color = true});
    handshake();
    const char *shown = end();
    CHECK(strstr(shown, "\033[32mOK: resumed"));
    for (const char *c = shown; *c; c++) {
        if (*c == '\033')
            c = strchr(c, 'm');
        else
            buf_char(&stripped, *c);
    }
    CHECK(slice_equal(buf_slice(&plain_text), buf_slice(&stripped)));
    buf_free(&plain_text);
    buf_free(&stripped);
}

static unsigned lines(const char *shown)
{
    unsigned n = 0;
    for (; *shown; shown++)
        n += *shown == '\n';
    return n;
}

static void test_bulk_data(void)
{
    begin(&usual);
    handshake();
    for (int i = 0; i < 10000; i++) {
        packet(i % 2, TCP_ACK, 100);
        data("0123456789");
        send_packet();
    }
    tcp(0, TCP_FIN | TCP_ACK);
    const char *shown = end();
    CHECK(lines(shown) <= 30);
    CHECK(strstr(shown, "... 9994 more records with data: 49970 B ->, 49970 B <-\n"));
    CHECK(strstr(shown, "-- FIN -"));
}

static void test_many_messages(void)
{
    begin(&usual);
    handshake();
    for (unsigned i = 0; i < 1000; i++) {
        packet(0, TCP_ACK, 100);
        message(100 + i % 2, 4, false);
        send_packet();
    }
    packet(1, TCP_ACK, 7);
    alert(2, 10, false);
    send_packet();
    const char *shown = end();
    CHECK(lines(shown) < 75);
    CHECK(strstr(shown, " more messages are not shown: at most 64 lines a connection\n"));
    CHECK(strstr(shown, "of unknown type 100"));
    CHECK(strstr(shown, "FAILED: the server sent alert fatal unexpected_message (10)"));
}

static void test_many_connections(void)
{
    begin(&usual);
    for (stream = 0; stream < 1500; stream++)
        client_hello(NULL, 0);
    const char *shown = end();
    unsigned marks = 0, connections = 0;
    for (const char *at = shown; (at = strstr(at, "more than 1024 connections")); at++)
        marks++;
    for (const char *at = shown; (at = strstr(at, "192.0.2.1:50000")); at++)
        connections++;
    CHECK_EQ(1500 - 1024, marks);
    CHECK_EQ(1500, connections);
}

/* Connections that are over go out on their own, one second later, those that last do not. */
static void test_order(void)
{
    begin(&usual);
    client_hello("first", 5);
    stream = 1;
    client_hello("second", 6);
    tcp(0, TCP_RST);
    CHECK_EQ(0, out.len);
    stream = 0;
    frame.time_ns += 2000000000;
    tcp(0, TCP_ACK);
    CHECK(strstr(text(), "#2  ") && strstr(text(), "SNI second") && !strstr(text(), "SNI first"));
    CHECK(strstr(end(), "\n\n#1  "));
}

/* Clocks jump, connections last: the column keeps its width. */
static void test_times(void)
{
    static const struct {
        int64_t ns;
        const char *shown;
    } rows[] = {
        {1234567, "\n     1.23      2  "},
        {INT64_C(999999990000), "\n999999.99      2  "},
        {INT64_C(86400000000000), "\n 86400000      2  "},
        {INT64_C(8640000000000000), "\n8640000 s      2  "},
        {INT64_C(-5000000), "\n    -5.00      2  "},
        {INT64_C(-1482369608783000000), "\n        ?      2  "},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        begin(&usual);
        client_hello(NULL, 0);
        frame.time_ns += rows[i].ns - 1000000;
        packet(1, TCP_ACK, 100);
        server_hello(false);
        send_packet();
        CHECK(strstr(end(), rows[i].shown));
    }
}

static void test_gap(void)
{
    begin(&usual);
    client_hello(NULL, 0);
    packet(1, TCP_ACK, 300);
    d.tcp.analysis = TCP_A_LOST_SEGMENT;
    server_hello(false);
    send_packet();
    CHECK(strstr(end(), "= packets are missing here ="));
}

int main(void)
{
    static const struct unit_test tests[] = {
        {"a decrypted connection", test_decrypted},
        {"a capture", test_capture},
        {"HTTP inside", test_http},
        {"a fatal alert", test_alert},
        {"a connection that stops", test_stopped},
        {"without keys", test_no_keys},
        {"what came of decrypting", test_decryption},
        {"only TLS is shown", test_only_tls},
        {"text from the wire is escaped", test_escapes},
        {"the preview of data", test_preview},
        {"empty records of TLS 1.0", test_empty_records},
        {"lines fit the width", test_widths},
        {"colours change nothing else", test_colours},
        {"bulk data is one line", test_bulk_data},
        {"the lines of a connection are limited", test_many_messages},
        {"the connections are limited", test_many_connections},
        {"connections come out when they are over", test_order},
        {"times of every size", test_times},
        {"a gap in the capture is marked", test_gap},
    };
    return UNIT_RUN(tests);
}
