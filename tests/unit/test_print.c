/* The printers: text of every kind of value, ceilings, escapes, XML, hex dumps, cells and columns.
 */
#include "unit.h"

#include "print/clock_text.h"
#include "print/columns.h"
#include "print/hexdump.h"
#include "print/label.h"
#include "print/print.h"
#include "print/text.h"
#include "print/value.h"

#include <stdlib.h>

#define FFFD "\xef\xbf\xbd"

static uint8_t want[FIELD_COUNT];
static struct dissection d;
static struct packet packet;
static struct buf out;

/* What the buffer holds, as a string. */
static const char *text(void)
{
    buf_char(&out, '\0');
    return out.failed ? "buffer failed" : (const char *)out.data;
}

static void start(void)
{
    memset(want, 1, sizeof want);
    if (!d.tape.events && !tape_init(&d.tape))
        abort();
    tape_reset(&d.tape, want);
    memset(&d.columns, 0, sizeof d.columns);
    packet =
        (struct packet){.number = 1, .len = 60, .caplen = 60, .has_time = true, .time_decimals = 6};
    d.packet = &packet;
    buf_clear(&out);
}

static void bytes(const void *data, size_t len)
{
    tape_source(&d.tape, slice_of(data, len), "Frame");
}

static enum field_id id(const char *abbrev)
{
    enum field_id field = field_find(abbrev, strlen(abbrev));
    if (field == F_NONE)
        printf("# no field %s\n", abbrev);
    CHECK(field != F_NONE);
    return field;
}

static enum expert_id expert(const char *abbrev)
{
    for (enum expert_id i = 1; i < EXPERT_COUNT; i++)
        if (strcmp(fields[experts[i].field].abbrev, abbrev) == 0)
            return i;
    CHECK(abbrev[0] == '\0'); /* no such expert */
    return EXPERT_NONE;
}

/* The label of a number field with the usual text. */
static const char *number_label(const char *abbrev, uint64_t value)
{
    start();
    uint32_t at = tape_add(&d.tape, id(abbrev), 0, 0, 0, value, 0);
    label_write(&out, &d.tape, at);
    return text();
}

static const char *bytes_label(const char *abbrev, const void *data, size_t len)
{
    start();
    bytes(data, len);
    uint32_t at = tape_add(&d.tape, id(abbrev), 0, 0, (uint32_t)len, 0, 0);
    label_write(&out, &d.tape, at);
    return text();
}

static void test_labels_of_numbers(void)
{
    CHECK_STR("Type: IPv4 (0x0800)", number_label("eth.type", 0x800));
    CHECK_STR("Type: Unknown (0x1234)", number_label("eth.type", 0x1234));
    CHECK_STR("Identification: 0xa781 (42881)", number_label("ip.id", 0xa781));
    CHECK_STR("...0 0000 0000 1010 = Fragment Offset: 80", number_label("ip.frag_offset", 10));
    CHECK_STR("Source Port: 443", number_label("tcp.srcport", 443));
    CHECK_STR(".... .... ..1. = Syn: Set", number_label("tcp.flags.syn", 1));
    CHECK_STR(".... .... ..0. = Syn: Not set", number_label("tcp.flags.syn", 0));
    CHECK_STR("Content Type: Handshake (22)", number_label("tls.record.content_type", 22));
    CHECK_STR("Cipher Suite: TLS_AES_128_GCM_SHA256 (0x1301)",
              number_label("tls.handshake.ciphersuite", 0x1301));
    CHECK_STR("Frame is marked: False", number_label("frame.marked", 0));
    CHECK_STR("Frame Length: 74 bytes (592 bits)", number_label("frame.len", 74));
    CHECK_STR("Frame Length: 1 byte (8 bits)", number_label("frame.len", 1));
    CHECK_STR("Severity level: Chat", number_label("_ws.expert.severity", SEVERITY_CHAT));
    CHECK_STR("Severity level: Unknown", number_label("_ws.expert.severity", 5));
}

static void test_number_forms(void)
{
    static const struct {
        enum field_type type;
        enum field_display display;
        uint64_t value;
        const char *expected;
    } rows[] = {
        {TYPE_UINT8, SHOW_DEC, 5, "5"},
        {TYPE_UINT8, SHOW_HEX, 5, "0x05"},
        {TYPE_UINT16, SHOW_HEX, 5, "0x0005"},
        {TYPE_UINT24, SHOW_HEX, 5, "0x000005"},
        {TYPE_UINT32, SHOW_HEX, 5, "0x00000005"},
        {TYPE_UINT64, SHOW_HEX, 5, "0x0000000000000005"},
        {TYPE_UINT8, SHOW_DEC_HEX, 1, "1 (0x01)"},
        {TYPE_UINT16, SHOW_HEX_DEC, 42881, "0xa781 (42881)"},
        {TYPE_UINT8, SHOW_OCT, 8, "010"},
        {TYPE_INT32, SHOW_DEC, (uint64_t)(int64_t)-2, "-2"},
        {TYPE_INT64, SHOW_DEC, (uint64_t)INT64_MIN, "-9223372036854775808"},
        {TYPE_UINT64, SHOW_DEC, UINT64_MAX, "18446744073709551615"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct field field = {.type = (uint8_t)rows[i].type, .display = (uint8_t)rows[i].display};
        start();
        CHECK(buf_room(&out, VALUE_ROOM));
        out.len = (size_t)(value_number_at(out.data, &field, rows[i].value) - out.data);
        CHECK_STR(rows[i].expected, text());
    }
}

static void test_bit_pictures(void)
{
    static const struct {
        uint64_t number, mask;
        unsigned width;
        const char *expected;
    } rows[] = {
        {1, 0x2, 12, ".... .... ..1. = "},
        {0, 0x020000, 24, ".... ..0. .... .... .... .... = "},
        {0x1fff, 0x1fff, 16, "...1 1111 1111 1111 = "},
        {3, 0xc0000000, 32, "11.. .... .... .... .... .... .... .... = "},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        start();
        CHECK(buf_room(&out, VALUE_ROOM));
        uint8_t *end = value_bits_at(out.data, rows[i].number, rows[i].mask, rows[i].width);
        out.len = (size_t)(end - out.data);
        CHECK_STR(rows[i].expected, text());
    }
}

static void test_labels_of_times(void)
{
    CHECK_STR("Arrival Time: Nov 22, 2017 17:47:29.378755399 UTC",
              number_label("frame.time", 1511372849378755399));
    CHECK_STR("Arrival Time: Jan  1, 1970 00:00:00.000000000 UTC", number_label("frame.time", 0));
    CHECK_STR("Arrival Time: Dec 31, 1969 23:59:59.999999999 UTC",
              number_label("frame.time", (uint64_t)-1));
    CHECK_STR("Epoch Time: 1511372849.378755399 seconds",
              number_label("frame.time_epoch", 1511372849378755399));
    CHECK_STR("Time since reference or first frame: -0.100000000 seconds",
              number_label("frame.time_relative", (uint64_t)-100000000));
}

static void test_labels_of_addresses(void)
{
    CHECK_STR("Source Address: 192.0.2.7", bytes_label("ip.src", "\xc0\0\2\7", 4));
    CHECK_STR("Destination: 00:1b:21:00:0f:ff", bytes_label("eth.dst", "\0\x1b\x21\0\x0f\xff", 6));
    static const struct {
        uint8_t bytes[16];
        const char *expected;
    } rows[] = {
        {{0}, "::"},
        {{[15] = 1}, "::1"},
        {{0x20, 1, 0xd, 0xb8, [15] = 1}, "2001:db8::1"},
        {{0x20, 1, 0, 0, 0, 0, 0, 1, [15] = 1}, "2001:0:0:1::1"},
        {{0x20, 1, 0xd, 0xb8, 0, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1}, "2001:db8:0:1:1:1:1:1"},
        {{0xfe, 0x80, [8] = 0xab, 0xcd}, "fe80::abcd:0:0:0"},
        {{0x20, 1, 0xd, 0xb8, 0, 1, 0, 1, 0, 1, 0, 1}, "2001:db8:1:1:1:1::"},
        {{[10] = 0xff, 0xff, 1, 2, 3, 4}, "::ffff:1.2.3.4"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        start();
        value_ipv6(&out, slice_of(rows[i].bytes, 16));
        CHECK_STR(rows[i].expected, text());
    }
}

static void test_labels_of_bytes(void)
{
    uint8_t many[40];
    memset(many, 0xab, sizeof many);
    CHECK_STR("Session ID: <MISSING>", bytes_label("tls.handshake.session_id", "", 0));
    CHECK_STR("Session ID: 00ff", bytes_label("tls.handshake.session_id", "\0\xff", 2));
    const char *label = bytes_label("tls.handshake.session_id", many, 36);
    CHECK_EQ(12 + 72, strlen(label));
    label = bytes_label("tls.handshake.session_id", many, 37);
    CHECK_EQ(12 + 72 + 3, strlen(label));
    CHECK_STR("\xe2\x80\xa6", label + 12 + 72);
}

static void test_oids(void)
{
    static const struct {
        const char *der;
        size_t len;
        const char *expected;
    } rows[] = {
        {"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b", 9, "1.2.840.113549.1.1.11"},
        {"\x55\x1d\x11", 3, "2.5.29.17"},
        {"\x88\x37", 2, "2.999"},
        {"\x2a\x86", 2, "1.2"},
        {"", 0, ""},
        {"\x2a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 11, "1.2"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        start();
        value_oid(&out, slice_of(rows[i].der, rows[i].len));
        CHECK_STR(rows[i].expected, text());
    }
    /* A name that nobody knows is made of the first arc's. */
    CHECK_STR("Algorithm Id: 1.3.6.1.4.1.49791.1.2 (iso.3.6.1.4.1.49791.1.2)",
              bytes_label("x509af.algorithm.id", "\x2b\6\1\4\1\x83\x84\x7f\1\2", 10));
}

static void test_hostile_strings(void)
{
#define SNI "tls.handshake.extensions_server_name"
    CHECK_STR("Server Name: a\\tb\\nc\\r", bytes_label(SNI, "a\tb\nc\r\0z", 8));
    CHECK_STR("Server Name: e\\033[31m\\a\\177\\001\"\\'<>&",
              bytes_label(SNI, "e\033[31m\a\177\001\"\\'<>&", 16));
    CHECK_STR("Server Name: caf" FFFD FFFD, bytes_label(SNI, "caf\xc3\xa9", 5));
    CHECK_STR("Server Name: ", bytes_label(SNI, "", 0));
    start();
    text_label(&out, slice_of_str("bad\xff\xc3(\xed\xa0\x80"), false);
    CHECK_STR("bad" FFFD FFFD "(" FFFD FFFD FFFD, text());
    start();
    text_label(&out, slice_of_str("\xc2\x80\xc2\x9f\xc2\xa0\xe2\x80\xae\xe2\x80\xa8\xef\xbb\xbf"),
               false);
    CHECK_STR("\\u0080\\u009F\xc2\xa0\\u202E\xe2\x80\xa8\\uFEFF", text());
    start();
    text_label(&out, slice_of_str("\xe2\x82x\xf0\x9f\x98\x80\xf4\x90\x80\x80\xe2\x82"), false);
    CHECK_STR(FFFD "x\xf0\x9f\x98\x80" FFFD FFFD FFFD FFFD FFFD, text());
}

static void test_label_ceiling(void)
{
    char name[400];
    memset(name, 'q', sizeof name);
    CHECK_EQ(239, strlen(bytes_label(SNI, name, 226)));
    for (size_t len = 227; len < sizeof name; len += 57) {
        const char *label = bytes_label(SNI, name, len);
        CHECK_EQ(238, strlen(label));
        CHECK(strncmp(label, "Server Name [truncated]: qqq", 28) == 0);
    }
    /* A character is never cut in two. */
    memset(name, 0xff, sizeof name);
    const char *label = bytes_label(SNI, name, 150);
    CHECK_EQ(25 + 71 * 3, strlen(label));
    name[0] = 'z';
    label = bytes_label(SNI, name, 150);
    CHECK_EQ(26 + 70 * 3, strlen(label));
}

static void test_experts(void)
{
    start();
    tape_expert(&d.tape, expert("tcp.connection.syn"), 0, 47, 0, 4433);
    label_write(&out, &d.tape, 0);
    CHECK_STR("Expert Info (Chat/Sequence): Connection establish request (SYN): server port 4433",
              text());
    buf_clear(&out);
    label_write(&out, &d.tape, 1);
    CHECK_STR("Connection establish request (SYN): server port 4433", text());
}

static void test_templates(void)
{
    CHECK_STR("Flags: 0x018 (PSH, ACK)", number_label("tcp.flags", 0x18));
    CHECK_STR("Flags: 0x000 (<None>)", number_label("tcp.flags", 0));
    CHECK_STR("Flags: 0xe02 (SYN, Reserved)", number_label("tcp.flags", 0xe02));
    start();
    uint32_t at = tape_add(&d.tape, id("tcp.hdr_len"), 0, 46, 1, 32, 0);
    tape_set_extra(&d.tape, at, 0x80);
    label_write(&out, &d.tape, at);
    CHECK_STR("1000 .... = Header Length: 32 bytes (8)", text());
    CHECK_STR("Checksum: 0xfe30 [unverified]", number_label("tcp.checksum", 0xfe30));
    /* Values of descendants, wherever they are; what is missing leaves no trace. */
    start();
    uint32_t top = tape_open(&d.tape, id("tcp.options.timestamp"), 0, 0, 10, 0, 0);
    tape_close(&d.tape, top);
    label_write(&out, &d.tape, top);
    CHECK_STR("TCP Option - Timestamps", text());
    start();
    top = tape_open(&d.tape, id("tcp.options.timestamp"), 0, 0, 10, 0, 0);
    tape_add(&d.tape, id("tcp.options.timestamp.tsval"), 0, 0, 4, 7, 0);
    tape_add(&d.tape, id("tcp.options.timestamp.tsecr"), 0, 0, 4, 8, 0);
    tape_close(&d.tape, top);
    label_write(&out, &d.tape, top);
    CHECK_STR("TCP Option - Timestamps: TSval 7, TSecr 8", text());
}

static void test_tree(void)
{
    start();
    bytes("\x16", 1);
    uint32_t top = tape_open(&d.tape, id("tls"), 0, 0, 1, 0, 0);
    tape_add(&d.tape, id("tls.record.content_type"), 0, 0, 1, 22, 0);
    tape_add(&d.tape, id("tcp.srcport"), 0, 0, 1, 1, EVENT_HIDDEN);
    tape_add(&d.tape, id("tls.record.content_type"), 0, 0, 1, 23, EVENT_GENERATED);
    tape_close(&d.tape, top);
    static struct print_state state;
    struct print_options options = {.tree = true, .state = &state};
    const struct printer *printer = printer_find("text");
    CHECK(printer != NULL);
    printer->packet(&out, &options, &d);
    CHECK_STR("Transport Layer Security\n    Content Type: Handshake (22)\n"
              "    [Content Type: Application Data (23)]\n\n",
              text());
    /* -O another: only the line of the protocol; -S; and the bytes below. */
    buf_clear(&out);
    uint8_t expanded[FIELD_COUNT] = {0};
    options = (struct print_options){
        .tree = true, .hex = true, .state = &state, .expanded = expanded, .separator = "SEP"};
    printer->packet(&out, &options, &d);
    CHECK_STR("Transport Layer Security\n\n"
              "0000  16                                                .\nSEP\n",
              text());
}

/* A record that holds nothing when it is opened has no dump, and no heading for one. */
static void test_hexdump_empty_source(void)
{
    start();
    tape_source(&d.tape, slice_of("abc", 3), "Frame");
    tape_source(&d.tape, slice_empty(), "Decrypted TLS");
    hexdump_tape(&out, &d.tape, (struct hexdump_form){0});
    CHECK_STR("0000  61 62 63                                          abc\n", text());
    buf_clear(&out);
    tape_source(&d.tape, slice_of("d", 1), "Decrypted TLS");
    hexdump_tape(&out, &d.tape, (struct hexdump_form){0});
    CHECK_STR(
        "Frame (3 bytes):\n0000  61 62 63                                          abc\n"
        "Decrypted TLS (1 byte):\n0000  64                                                d\n",
        text());
}

static void test_hexdump(void)
{
    start();
    hexdump_bytes(&out, slice_of("\0\x1f ~\x7f\xff\"abcdefghij", 17));
    CHECK_STR("0000  00 1f 20 7e 7f ff 22 61 62 63 64 65 66 67 68 69   .. ~..\"abcdefghi\n"
              "0010  6a                                                j\n",
              text());
    buf_clear(&out);
    hexdump_bytes(&out, slice_empty());
    CHECK_EQ(0, out.len);
    static uint8_t big[65537];
    hexdump_bytes(&out, slice_of(big, 65536));
    CHECK(memcmp(out.data, "0000  ", 6) == 0);
    buf_clear(&out);
    hexdump_bytes(&out, slice_of(big, 65537));
    CHECK(memcmp(out.data, "00000  ", 7) == 0);
    start();
    bytes("a", 1);
    tape_source(&d.tape, slice_of("bc", 2), "Decrypted TLS");
    hexdump_tape(&out, &d.tape, (struct hexdump_form){0});
    CHECK_STR("Frame (1 byte):\n0000  61                                                a\n"
              "Decrypted TLS (2 bytes):\n"
              "0000  62 63                                             bc\n",
              text());
}

static void test_pdml(void)
{
    start();
    bytes("a<&\"'>\x1b", 7);
    uint32_t top = tape_open(&d.tape, id("tls"), 0, 0, 7, 0, 0);
    tape_add(&d.tape, id(SNI), 0, 0, 7, 0, 0);
    tape_add(&d.tape, id("ip.frag_offset"), 0, 0, 1, 10, 0);
    uint32_t remark = tape_add(&d.tape, id("tcp.connection.syn"), 0, 1, 0, 80, EVENT_HIDDEN);
    tape_set_extra(&d.tape, remark, expert("tcp.connection.syn"));
    tape_close(&d.tape, top);
    uint32_t data = tape_open(&d.tape, id("data"), 0, 5, 1, 0, 0);
    tape_add(&d.tape, id("data.data"), 0, 3, 2, 0, 0);
    tape_close(&d.tape, data);
    tape_add(&d.tape, id("tcp.srcport"), 0, 6, 9, 5, 0);
    const struct print_options options = {0};
    printer_find("pdml")->packet(&out, &options, &d);
    const char *body = strstr(text(), "<proto name=\"tls\"");
    CHECK_STR(
        "<proto name=\"tls\" showname=\"Transport Layer Security\" size=\"7\" pos=\"0\">\n"
        "    <field name=\"" SNI "\" showname=\"Server Name: a&lt;&amp;&quot;&#x27;&gt;\\033\" "
        "size=\"7\" pos=\"0\" show=\"a&lt;&amp;&quot;&#x27;&gt;\\x1b\" value=\"613c2622273e1b\"/>\n"
        "    <field name=\"ip.frag_offset\" showname=\"...0 0000 0000 1010 = Fragment Offset: 80\" "
        "size=\"1\" pos=\"0\" "
        "show=\"10\" value=\"A\" unmaskedvalue=\"61\"/>\n"
        "    <field name=\"tcp.connection.syn\" showname=\"Connection establish request (SYN): "
        "server port 80\" hide=\"yes\" size=\"0\" pos=\"1\" "
        "show=\"\" value=\"\"/>\n"
        "  </proto>\n"
        "  <proto name=\"fake-field-wrapper\">\n"
        "    <field name=\"data\" value=\"3e\">\n"
        "      <field name=\"data.data\" showname=\"Data: 2227\" size=\"2\" pos=\"8\" "
        "show=\"22:27\" value=\"2227\"/>\n"
        "  </field>\n"
        "  </proto>\n"
        "  <proto name=\"fake-field-wrapper\">\n"
        "    <field name=\"tcp.srcport\" showname=\"Source Port: 5\" size=\"9\" pos=\"6\" "
        "show=\"5\" value=\"field length invalid!\"/>\n"
        "  </proto>\n"
        "</packet>\n\n\n",
        body);
}

static const char *cells(const char *const *names, const char *const *settings, bool terminal)
{
    struct field_list *list = field_list_new();
    for (; list && *names; names++)
        CHECK(field_list_add(list, *names));
    for (; list && *settings; settings++)
        CHECK(field_list_option(list, *settings));
    const struct print_options options = {.list = list, .terminal = terminal};
    buf_clear(&out);
    fields_header(&out, &options);
    fields_packet(&out, &options, &d);
    field_list_free(list);
    return text();
}

#define LIST(...)         \
    (const char *const[]) \
    {                     \
        __VA_ARGS__, NULL \
    }
#define NO_SETTINGS ((const char *const[]){NULL})

static void test_fields(void)
{
    start();
    bytes("a\tb\n\033\x0b\x08", 7);
    uint32_t top = tape_open(&d.tape, id("tls"), 0, 0, 7, 0, 0);
    tape_add(&d.tape, id(SNI), 0, 0, 7, 0, 0);
    tape_add(&d.tape, id("tcp.srcport"), 0, 0, 1, 7, 0);
    tape_add(&d.tape, id("tcp.srcport"), 0, 0, 1, 8, EVENT_HIDDEN);
    tape_add(&d.tape, id("tls.handshake.session_id"), 0, 0, 2, 0, 0);
    tape_add(&d.tape, id("tls.record"), 0, 0, 2, 0, 0);
    tape_close(&d.tape, top);
    CHECK_STR(
        "7,8\ta\\tb\\n\033\v\\b\t\ttls\t6109\t1\n",
        cells(LIST("tcp.srcport", SNI, "ip.src", "tls", "tls.handshake.session_id", "tls.record"),
              NO_SETTINGS, false));
    CHECK_STR("a\\tb\\n\\x1b\\x0b\\b\n", cells(LIST(SNI), NO_SETTINGS, true));
    CHECK_STR("tcp.srcport,ip.src,_ws.col.No.\n\"7 8\",,\"1\"\n",
              cells(LIST("tcp.srcport", "ip.src", "_ws.col.No."),
                    LIST("header=y", "quote=d", "separator=,", "aggregator=/s"), false));
    CHECK_STR("\xef\xbb\xbf'7'\n",
              cells(LIST("tcp.srcport"), LIST("occurrence=f", "quote=s", "bom=y"), false));
    CHECK_STR("8\n", cells(LIST("tcp.srcport"), LIST("occurrence=l"), false));
    CHECK_STR("\t7,8\n", cells(LIST("tcp.srcport", "tcp.srcport"), NO_SETTINGS, false));
    struct field_list *list = field_list_new();
    CHECK(!field_list_add(list, "tls.no_such_field"));
    CHECK(!field_list_option(list, "quote=x"));
    CHECK(!field_list_option(list, "nothing=y"));
    CHECK(field_list_add(list, "ssl"));
    uint8_t wanted[FIELD_COUNT] = {0};
    fields_want(&(struct print_options){.list = list}, wanted);
    CHECK_EQ(1, wanted[id("tls")]);
    CHECK_EQ(0, wanted[id("tcp")]);
    field_list_free(list);
}

/* The usual line is the same when it is made as a list of these columns asks for it. */
static const char *summary(const struct print_options *options)
{
    struct column_list *columns = column_list_new("\"No.\",\"%m\",\"T\",\"%t\",\"S\",\"%s\",\"D\","
                                                  "\"%d\",\"P\",\"%p\",\"L\",\"%L\",\"I\",\"%i\"");
    struct print_options listed = *options;
    listed.columns = columns;
    buf_clear(&out);
    summary_write(&out, &listed, &d);
    char *expected = strdup(text());
    buf_clear(&out);
    summary_write(&out, options, &d);
    CHECK_STR(expected, text());
    free(expected);
    column_list_free(columns);
    return text();
}

static void test_summary(void)
{
    struct print_options options = {.time_decimals = TIME_DECIMALS_AUTO};
    start();
    struct columns *c = &d.columns;
    c->source = (struct address){ADDRESS_IPV4, {127, 0, 0, 1}};
    c->destination = (struct address){ADDRESS_IPV4, {127, 0, 0, 1}};
    c->protocol = "TLSv1.2";
    c->item_count = 3;
    c->items[0] = (struct info_item){.kind = INFO_HANDSHAKE, .a = 1};
    c->items[1] = (struct info_item){.kind = INFO_TEXT, .text = "Change Cipher Spec"};
    c->items[2] = (struct info_item){.kind = INFO_ALERT, .a = 2, .b = 40};
    d.time_relative = 113999;
    CHECK_STR("    1   0.000113    127.0.0.1 → 127.0.0.1    TLSv1.2 60 Client Hello, "
              "Change Cipher Spec, Alert (Level: Fatal, Description: Handshake Failure)\n",
              summary(&options));
    packet.number = 123456;
    packet.time_decimals = 9;
    d.time_relative = -1482369608783267898;
    c->source = (struct address){ADDRESS_IPV6, {0x20, 1, 0xd, 0xb8, [15] = 1}};
    c->items[0] = (struct info_item){.kind = INFO_ALERT, .a = 9, .b = 238};
    c->item_count = 1;
    c->segment_of_pdu = true; /* said only when there is nothing else to say */
    CHECK_STR("123456 -1482369608.783267898  2001:db8::1 → 127.0.0.1    TLSv1.2 60 "
              "Alert (Level: Unknown, Description: Unknown)\n",
              summary(&options));
    c->item_count = 0;
    c->asked = true;
    CHECK_STR("123456 -1482369608.783267898  2001:db8::1 → 127.0.0.1    TLSv1.2 60 "
              "[TCP segment of a reassembled PDU]\n",
              summary(&options));
    start();
    c->source = (struct address){ADDRESS_ETHER, {0, 1, 2, 3, 4, 5}};
    c->ether_type = 0x806;
    CHECK_STR("    1   0.000000 00:01:02:03:04:05 → N/A          0x0806 60 ARP\n",
              (d.time_relative = 0, summary(&options)));
    c->protocol = "a name of more than thirty-two bytes";
    options.delimiter = '\t';
    options.time = TIME_EPOCH;
    CHECK_STR(
        "    1\t  0.000000\t00:01:02:03:04:05\t→\tN/A         \ta name of more than thirty-two "
        "bytes\t60\t\n",
        (packet.time_ns = 0, packet.time_decimals = 6, summary(&options)));
}

static void test_info_of_tcp(void)
{
    const struct print_options options = {.time_decimals = 0};
    start();
    d.tcp = (struct tcp_facts){.source_port = 4433,
                               .destination_port = 5,
                               .captured = 20,
                               .flags = TCP_ACK,
                               .scale = TCP_SCALE_UNKNOWN,
                               .analysis = TCP_A_RETRANSMISSION};
    d.columns.protocol = "TCP";
    d.columns.has_tcp = true;
    column_write(&out, COLUMN_INFO, &options, &d);
    CHECK_STR("[TCP Retransmission] 4433 → 5 [ACK] Seq=0 Ack=0 Win=0 Len=0", text());
    /* TLS takes the line over, but not what was said of the segment. */
    d.columns.protocol = "TLSv1.3";
    buf_clear(&out);
    column_write(&out, COLUMN_INFO, &options, &d);
    CHECK_STR("[TCP Retransmission] ", text());
    d.columns.item_count = 2;
    d.columns.items[0] = (struct info_item){.kind = INFO_HANDSHAKE, .a = 2};
    d.columns.items[1] = (struct info_item){.kind = INFO_TEXT, .text = "[Malformed Packet]"};
    buf_clear(&out);
    column_write(&out, COLUMN_INFO, &options, &d);
    CHECK_STR("[TCP Retransmission] , Server Hello[Malformed Packet]", text());
}

static void test_info_ceiling(void)
{
    const struct print_options options = {.time_decimals = 0};
    start();
    d.columns.protocol = "TLSv1.2";
    d.columns.item_count = INFO_ITEMS;
    for (size_t i = 0; i < INFO_ITEMS; i++)
        d.columns.items[i] = (struct info_item){.kind = INFO_TEXT, .text = "Application Data"};
    column_write(&out, COLUMN_INFO, &options, &d);
    CHECK_EQ(4095, out.len);
}

static void test_times(void)
{
    static const struct {
        const char *option, *expected;
    } rows[] = {
        {"r", "7291.250000"},
        {"d", "60.000005"},
        {"dd", "-0.100000"},
        {"e", "1795432708.328850"},
        {"u", "11:18:28.328850"},
        {"ud", "2026-11-23 11:18:28.328850"},
        {"udoy", "2026/327 11:18:28.328850"},
        {"ud.0", "2026-11-23 11:18:28"},
        {"e.9", "1795432708.328850000"},
        {".1", "7291.2"},
    };
    start();
    packet.time_ns = 1795432708328850000;
    d.time_relative = 7291250000000;
    d.time_delta = 60000005000;
    d.time_delta_displayed = -100000000;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct print_options options = {.time_decimals = TIME_DECIMALS_AUTO};
        CHECK(print_time_option(&options, rows[i].option));
        buf_clear(&out);
        column_write(&out, COLUMN_TIME, &options, &d);
        CHECK_STR(rows[i].expected, text());
    }
    struct print_options options = {0};
    CHECK(!print_time_option(&options, "x"));
    CHECK(!print_time_option(&options, ""));
    CHECK(!print_time_option(&options, "e.12"));
    CHECK(!print_time_option(&options, "."));
}

static void test_spans(void)
{
    static const struct {
        int64_t ns;
        const char *expected;
    } rows[] = {
        {0, "0.000000s"},
        {60000005000, "1m  0.000005s"},
        {7291250000000, "2h  1m 31.250000s"},
        {199990000001000, "55h 33m 10.000001s"},
        {-4600000000, "- 4.600000s"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        start();
        clock_text_span(&out, rows[i].ns, 6);
        CHECK_STR(rows[i].expected, text());
    }
}

/* Every length of number, at both of its ends, against the C library. */
static void test_numbers(void)
{
    char expected[32];
    uint64_t power = 1;
    for (unsigned digits = 1; digits <= 20; digits++, power *= 10) {
        uint64_t most = digits == 20 ? UINT64_MAX : power * 10 - 1;
        uint64_t values[] = {power, power + 1, power + power / 7, most};
        for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
            start();
            buf_dec(&out, values[i]);
            snprintf(expected, sizeof expected, "%" PRIu64, values[i]);
            CHECK_STR(expected, text());
        }
    }
    uint64_t value = 1;
    for (unsigned i = 0; i < 20000; i++) {
        value = value * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        start();
        buf_dec(&out, value >> i % 60);
        snprintf(expected, sizeof expected, "%" PRIu64, value >> i % 60);
        CHECK_STR(expected, text());
    }
    start();
    buf_dec(&out, 0);
    buf_char(&out, ' ');
    buf_dec(&out, UINT32_MAX);
    buf_char(&out, ' ');
    buf_dec(&out, (uint64_t)UINT32_MAX + 1);
    CHECK_STR("0 4294967295 4294967296", text());
}

static void test_octets(void)
{
    char expected[32];
    for (unsigned i = 0; i < 256; i++) {
        uint8_t address[4] = {(uint8_t)i, 0, (uint8_t)(255 - i), (uint8_t)i};
        start();
        buf_ipv4(&out, slice_of(address, sizeof address));
        snprintf(expected, sizeof expected, "%u.0.%u.%u", i, 255 - i, i);
        CHECK_STR(expected, text());
    }
}

int main(void)
{
    static const struct unit_test tests[] = {
        {"labels of numbers", test_labels_of_numbers},
        {"number forms", test_number_forms},
        {"bit pictures", test_bit_pictures},
        {"labels of times", test_labels_of_times},
        {"labels of addresses", test_labels_of_addresses},
        {"labels of bytes", test_labels_of_bytes},
        {"object identifiers", test_oids},
        {"hostile strings", test_hostile_strings},
        {"label ceiling", test_label_ceiling},
        {"experts", test_experts},
        {"templates", test_templates},
        {"tree", test_tree},
        {"hex dump", test_hexdump},
        {"hex dump of an empty source", test_hexdump_empty_source},
        {"pdml", test_pdml},
        {"fields", test_fields},
        {"summary", test_summary},
        {"info of tcp", test_info_of_tcp},
        {"info ceiling", test_info_ceiling},
        {"numbers", test_numbers},
        {"octets", test_octets},
        {"times", test_times},
        {"spans", test_spans},
    };
    setenv("TZ", "UTC", 1);
    int failed = UNIT_RUN(tests);
    tape_free(&d.tape);
    buf_free(&out);
    return failed;
}
