/* Display filters: what compiles, what it matches on packets made here, and what the errors say. */
#include "filter/filter.h"

#include "unit.h"

#include <stdlib.h>
#include <time.h>

static uint8_t everything[FIELD_COUNT];

static enum field_id field(const char *name)
{
    enum field_id id = field_find(name, strlen(name));
    if (id == F_NONE)
        printf("# no field %s\n", name);
    CHECK(id != F_NONE);
    return id;
}

static void number(struct tape *t, const char *name, uint64_t value)
{
    tape_add(t, field(name), 0, 0, 0, value, 0);
}

static void bytes(struct tape *t, const char *name, const char *value, size_t len)
{
    uint32_t at = tape_add(t, field(name), 0, 0, 0, 0, EVENT_HIDDEN);
    tape_set_text(t, at, slice_of((const uint8_t *)value, len));
}

#define TEXT(t, name, value) bytes((t), (name), (value), sizeof(value) - 1)

static const uint8_t frame_bytes[] = "\x00\x01\x02\x03\x04\x05\x06\x07\x16\x03\x01\x00\x05hello";

/* A ClientHello from 10.0.0.1:50000 to 192.168.1.9:443, with frame, tcp and tls at 0, 4 and 8. */
static void hello(struct tape *t, const uint8_t *want)
{
    tape_reset(t, want);
    tape_source(t, slice_of(frame_bytes, sizeof frame_bytes - 1), "Frame");
    tape_add(t, field("frame"), 0, 0, 18, 0, 0);
    number(t, "frame.number", 7);
    number(t, "frame.len", 18);
    number(t, "frame.time", 1577836800500000000);
    number(t, "frame.time_relative", 1500000000);
    TEXT(t, "frame.protocols", "eth:ethertype:ip:tcp:tls");
    tape_add(t, field("eth"), 0, 0, 2, 0, 0);
    TEXT(t, "eth.src", "\x00\x11\x22\x33\x44\x55");
    tape_add(t, field("ip"), 0, 2, 2, 0, 0);
    TEXT(t, "ip.src", "\x0a\x00\x00\x01");
    TEXT(t, "ip.addr", "\x0a\x00\x00\x01");
    TEXT(t, "ip.addr", "\xc0\xa8\x01\x09");
    tape_add(t, field("tcp"), 0, 4, 4, 0, 0);
    number(t, "tcp.srcport", 50000);
    number(t, "tcp.dstport", 443);
    number(t, "tcp.port", 50000);
    number(t, "tcp.port", 443);
    number(t, "tcp.len", 10);
    number(t, "tcp.flags.syn", 0);
    number(t, "tcp.flags", 0x18);
    TEXT(t, "tcp.payload", "\x16\x03\x01\x00\x05hello");
    tape_add(t, field("tls"), 0, 8, 10, 0, 0);
    tape_add(t, field("tls.handshake"), 0, 8, 10, 0, 0);
    number(t, "tls.handshake.type", 1);
    number(t, "tls.record.version", 0x0301);
    number(t, "tls.handshake.ciphersuite", 0x1301);
    number(t, "tls.handshake.ciphersuite", 0xc02f);
    TEXT(t, "tls.handshake.extensions_server_name", "www.Example.com");
}

static const struct {
    const char *text;
    bool match;
} cases[] = {
    {"", true},
    {"tls", true},
    {"ssl", true},
    {".tls", true},
    {"ssl.handshake.type == 1", true},
    {"ipv6", false},
    {"!ipv6", true},
    {"not not tls", true},
    {"tls and tcp", true},
    {"tls && ipv6", false},
    {"ipv6 || tls", true},
    {"ipv6 or ipv6 or tcp", true},
    {"tls or ipv6 and ipv6", true},
    {"(tls or ipv6) and ipv6", false},
    {"!(tls and ipv6) and !(ipv6)", true},
    {"tls xor tcp", false},
    {"tls xor ipv6", true},
    {"ipv6 ^^ ipv6", false},
    {"tls xor ipv6 xor tcp", false},
    {"ipv6 or tls xor tcp", false},
    {"tls or ipv6 xor ipv6", true},
    {"not tls xor tcp and ipv6", false},
    {"tls xor (tls xor (tls xor (ipv6 xor tls)))", false},
    /* the bytes of a field, whatever its type */
    {"@tcp == 04:05:06:07", true},
    {"@tcp[1:2] == 05:06", true},
    {"@ip contains 03", true},
    {"@tls matches \"HELLO\"", true},
    /* references are of a packet chosen in a window, and here none is */
    {"tcp.port == ${tcp.port}", false},
    {"tcp.port != ${tcp.port}", false},
    {"not tcp.port == ${tcp.port}", true},
    {"${tcp.port} == 443", false},
    {"tcp.port in {${tcp.port}, 443}", true},
    {"max(tcp.port, ${tcp.port}) == 50000", true},
    {"tcp.port in {1, tls.handshake.type, 443}", true},
    {"tcp.port in {443, ipv6.hlim}", true},
    {"tcp.port in {ipv6.hlim .. 500, 1}", false},
    {"tcp.port in {tls.handshake.type .. tcp.len}", false},
    {"tcp.port in {tcp.len .. tcp.dstport}", true},
    /* several occurrences */
    {"tcp.port == 443", true},
    {"tcp.port != 443", false},
    {"tcp.port ~= 443", true},
    {"any tcp.port != 443", true},
    {"tcp.port === 443", false},
    {"tcp.port !== 443", true},
    {"all tcp.port > 400", true},
    {"all tcp.port > 443", false},
    {"tcp.port != 80", true},
    {"tcp.port all_eq 443", false},
    {"!(tcp.port == 443)", false},
    {"ipv6.addr != ::1", false},
    {"tcp.port == tcp.srcport", true},
    {"tcp.srcport == tcp.port == 50000", true},
    {"tcp.srcport == tcp.port == 443", true},
    {"500 gt tcp.len", false},
    /* numbers */
    {"frame.number == 0x7", true},
    {"frame.number == 07", true},
    {"frame.number == 0b111", true},
    {"frame.number eq 7 and frame.number ge 7 and frame.number le 7", true},
    {"frame.number ne 7 or frame.number gt 7 or frame.number lt 7", false},
    {"tcp.len > -1", true},
    {"frame.number == '\\x07'", true},
    {"tcp.flags.syn == 0", true},
    {"tcp.flags.syn == False", true},
    {"tcp.flags.syn != TRUE", true},
    {"tls.handshake.type == \"Client Hello\"", true},
    {"tls.handshake.type == \"client hello\"", true},
    {"tls.handshake.type in {\"Server Hello\", 2..5}", false},
    {"tls.handshake.ciphersuite == TLS_AES_128_GCM_SHA256", true},
    /* arithmetic */
    {"tcp.flags & 0x10", true},
    {"tcp.flags & 0x02", false},
    {"tcp.flags & 0x18 == 0x18", true},
    {"tcp.flags & 7 + 1", true},
    {"tcp.len * 2 > 19", true},
    {"tcp.len + 1 * 2 == 12", true},
    {"{tcp.len + 1} * 2 == 22", true},
    {"tcp.len - 11 < 0", true},
    {"tcp.len - 11 == -1", true},
    {"-tcp.len == -10", true},
    {"tcp.len / 0 == 1", false},
    {"tcp.len % 3 == 1", true},
    {"tcp.len * 4000000000 > 1", false},
    {"frame.time_relative + 1.5 == 3", true},
    {"tcp.srcport - tcp.dstport == 49557", true},
    /* functions */
    {"len(tls.handshake.extensions_server_name) == 15", true},
    {"len(frame) == 18 and len(tcp.port) == 2", true},
    {"count(tls.handshake.ciphersuite) == 2", true},
    {"count(ipv6.addr) == 0", false},
    {"upper(tls.handshake.extensions_server_name) contains \"EXAMPLE\"", true},
    {"lower(tls.handshake.extensions_server_name) == \"www.example.com\"", true},
    {"string(tcp.dstport) matches \"^44\"", true},
    {"string(ip.src) == \"10.0.0.1\"", true},
    {"max(tcp.srcport, tcp.dstport) == 50000", true},
    {"min(tcp.port, 80) == 80", true},
    {"max(tls.handshake.ciphersuite) == 0xc02f", true},
    {"abs(tcp.len - 12) == 2", true},
    {"upper(frame.protocols)[0:3] == \"ETH\"", true},
    /* strings and bytes */
    {"tls.handshake.extensions_server_name contains \"Example\"", true},
    {"tls.handshake.extensions_server_name contains \"example\"", false},
    {"tls.handshake.extensions_server_name matches \"EXAMPLE\\\\.com$\"", true},
    {"tls.handshake.extensions_server_name ~ r\"\\.com$\"", true},
    {"tls.handshake.extensions_server_name contains \"\"", false},
    {"frame.protocols > \"eth\" and frame.protocols < \"f\"", true},
    {"frame contains \"hello\"", true},
    {"eth contains 16:03:01", true},
    {"tls contains 02", false},
    {"tls contains 1603", true},
    {"tls[0] == 16 and tls[0] == 0x16", true},
    {"tcp[4:1] == 16", false}, /* behind the header */
    {"tcp.payload[0:2] == 16:03", true},
    {"tcp.payload[0:2] == 16-03 and tcp.payload[:2] == 16.03", true},
    {"tcp.payload[5:] == \"hello\"", true},
    {"tcp.payload[-5:2] == \"he\"", true},
    {"tcp.payload[5-6] == \"he\"", true},
    {"tcp.payload[-2--1] == \"lo\"", true},
    {"tcp.payload[0,-1] == 16:6f", true},
    {"tcp.payload[40] == 00", false},
    {"tcp.payload[0] & 02", true},
    {"tcp.payload > ff", true},
    /* addresses */
    {"ip.addr == 192.168.1.9", true},
    {"ip.addr == 192.168.0.0/16", true},
    {"ip.addr == 192.168.0.0/24", false},
    {"ip.addr == 0.0.0.0/0", true},
    {"ip.src == 10.0.0.1/32", true},
    {"ip.addr != 10.0.0.0/8", false},
    {"ip.src in {10.0.0.0 .. 10.0.0.255}", true},
    {"ip.src in {10.0.0.2..10.0.0.9, 192.168.0.0/16}", false},
    {"ip.src[0:2] == 0a:00", true},
    {"eth.src == 00:11:22:33:44:55", true},
    {"eth.src == 00-11-22-33-44-55", true},
    {"eth.src == 0011.2233.4455", true},
    {"eth.src[0:3] == 00:11:22", true},
    {"eth.src contains 22:33", true},
    /* sets */
    {"tcp.port in {80, 443}", true},
    {"tcp.port in {400..500}", true},
    {"tcp.port not in {80}", true},
    {"all tcp.port in {443}", false},
    {"frame.time_relative in {1.4 .. 1.6}", true},
    /* times */
    {"frame.time > \"2020-01-01 00:00:00\"", true},
    {"frame.time == \"2020-01-01 00:00:00.5\"", true},
    {"frame.time == \"2020-01-01T01:00:00.5+01:00\"", true},
    {"frame.time == \"Jan  1, 2020 00:00:00.500 UTC\"", true},
    {"frame.time < 2020-01-01", false},
    {"frame.time >= \"2020-02-30\"", false},
    {"frame.time_relative == 1.5", true},
    {"-frame.time_relative == -1.5", true},
    /* layers */
    {"ip#1", true},
    {"ip#2", false},
    {"ip.src#[-1] == 10.0.0.1", true},
    {"ip.src#[1-2] == 10.0.0.1", true},
    {"tls#1", true},
};

static bool judge(struct tape *t, const char *text, bool *compiled)
{
    struct error error = {0};
    uint8_t want[FIELD_COUNT] = {0};
    struct filter *f = filter_compile(text, &error);
    *compiled = f != NULL;
    if (!f)
        return false;
    hello(t, everything);
    bool answer = filter_match(f, t);
    CHECK(!filter_exhausted(f));
    filter_wants(f, want);
    hello(t, want);
    if (filter_match(f, t) != answer)
        printf("# its own want-set changes: %s\n", text);
    CHECK(filter_match(f, t) == answer);
    filter_free(f);
    return answer;
}

/* Where tshark shows no tree, what TCP carries counts as TCP's. */
static void test_open_ended(void)
{
    struct tape t;
    struct error e = {.code = ERROR_NONE};
    uint8_t want[FIELD_COUNT] = {0};
    struct filter *f = filter_compile("tcp[4:1] == 16", &e);
    CHECK(f && tape_init(&t));
    filter_wants(f, want);
    hello(&t, want);
    CHECK(!filter_match(f, &t));
    filter_open_ended(f);
    CHECK(filter_match(f, &t));
    filter_free(f);
    tape_free(&t);
}

/* A time without a zone is in that of TZ, as frame.time is shown. */
static void test_zones(void)
{
    static const struct {
        const char *zone, *text;
    } times[] = {
        {"UTC", "2020-01-01 00:00:00.5"},
        {"EST5EDT,M3.2.0,M11.1.0", "2019-12-31 19:00:00.5"},
        {"EST5EDT,M3.2.0,M11.1.0", "Dec 31, 2019 19:00:00.5"},
        {"EST5EDT,M3.2.0,M11.1.0", "2020-01-01 00:00:00.5 UTC"},
        {"EST5EDT,M3.2.0,M11.1.0", "2020-01-01T00:00:00.5Z"},
        {"EST5EDT,M3.2.0,M11.1.0", "2020-01-01 02:00:00,5+02:00"},
        {"<+0530>-5:30", "2020-01-01 05:30:00.5"},
    };
    struct tape t;
    CHECK(tape_init(&t));
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        char text[96];
        struct error e = {.code = ERROR_NONE};
        setenv("TZ", times[i].zone, 1);
        tzset();
        snprintf(text, sizeof text, "frame.time == \"%s\"", times[i].text);
        struct filter *f = filter_compile(text, &e);
        hello(&t, everything);
        CHECK(f && filter_match(f, &t));
        filter_free(f);
    }
    setenv("TZ", "UTC", 1);
    tzset();
    tape_free(&t);
}

static void test_matches(void)
{
    struct tape t;
    CHECK(tape_init(&t));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool compiled = false, left_literal = cases[i].text[0] == '5';
        bool answer = judge(&t, cases[i].text, &compiled);
        if (compiled == left_literal || answer != cases[i].match)
            printf("# %s\n", cases[i].text);
        CHECK(compiled != left_literal);
        CHECK(answer == cases[i].match);
    }
    tape_free(&t);
}

static const struct {
    const char *text, *error;
} mistakes[] = {
    {"tls.handshake.typ == 1",
     "Left side of \"==\" expression must be a field or function, not tls.handshake.typ.\n"
     "    tls.handshake.typ == 1\n    ^~~~~~~~~~~~~~~~~\ndid you mean tls.handshake.type?"},
    {"tls.handshake.type == \"Client Helo\"",
     "\"Client Helo\" cannot be found among the possible values for tls.handshake.type.\n"
     "    tls.handshake.type == \"Client Helo\"\n"
     "                          ^~~~~~~~~~~~~\ndid you mean \"Client Hello\"?"},
    {"tls.xyzzy",
     "tls.xyzzy is neither a field nor a protocol name.\n    tls.xyzzy\n    ^~~~~~~~~"},
    {"tcp and .tlz",
     "\"tlz\" is not a valid protocol or protocol field.\n    tcp and .tlz\n            ^~~~"},
    {"tcp.port ==", "Unexpected end of filter expression."},
    {"tcp.port = 443", "\"=\" was unexpected in this context.\n    tcp.port = 443\n             ^"},
    {"(tcp", "Unexpected end of filter expression."},
    {"tcp)", "\")\" was unexpected in this context.\n    tcp)\n       ^"},
    {"tcp.port == abc", "\"abc\" is not a valid number.\n    tcp.port == abc\n                ^~~"},
    {"tcp.port == 99999", "\"99999\" too big for this field, maximum 65535.\n"
                          "    tcp.port == 99999\n                ^~~~~"},
    {"tcp.port == \"x\"", "Unsigned integer (2 bytes) cannot be converted from a string (\"x\").\n"
                          "    tcp.port == \"x\"\n                ^~~"},
    {"tls.handshake.type == \"Bogus\"",
     "\"Bogus\" cannot be found among the possible values for tls.handshake.type.\n"
     "    tls.handshake.type == \"Bogus\"\n                          ^~~~~~~"},
    {"ip.addr == 300.1.1.1", "\"300.1.1.1\" is not a valid hostname or IPv4 address.\n"
                             "    ip.addr == 300.1.1.1\n               ^~~~~~~~~"},
    {"ip.addr == 10.0.0.0/33", "Netmask bits in a CIDR IPv4 address should be <= 32, not 33\n"
                               "    ip.addr == 10.0.0.0/33\n               ^~~~~~~~~~~"},
    {"tcp.port contains 1",
     "tcp.port (type=Unsigned integer (2 bytes)) cannot participate in contains comparison.\n"
     "    tcp.port contains 1\n    ^~~~~~~~"},
    {"tls.handshake == 1", "tls.handshake (type=Label) cannot participate in == comparison.\n"
                           "    tls.handshake == 1\n    ^~~~~~~~~~~~~"},
    {"tcp.port[0] == 1",
     "\"tcp.port\" is a Unsigned integer (2 bytes) and cannot be sliced into a sequence of bytes.\n"
     "    tcp.port[0] == 1\n    ^~~~~~~~"},
    {"tcp.payload[0:0] == 1", "Range 0:0 isn't valid because length 0 isn't positive\n"
                              "    tcp.payload[0:0] == 1\n                ^~~"},
    {"frame.protocols matches \"(\"", "Regex compilation error: missing closing parenthesis."},
    {"frame.protocols matches x", "Matches requires a double quoted string on the right side.\n"
                                  "    frame.protocols matches x\n                            ^"},
    {"foo(tcp)", "Function 'foo' does not exist\n    foo(tcp)\n    ^~~"},
    {"len(tcp)", "You cannot test whether a function is present.\n    len(tcp)\n    ^~~"},
    {"count() == 1", "Function count needs at least 1 arguments.\n    count() == 1\n    ^~~~~"},
    {"1 + tcp.len == 1", "Constant arithmetic expression on the LHS is invalid.\n"
                         "    1 + tcp.len == 1\n    ^"},
    {"\"abc", "The final quote was missing from a quoted string.\n    \"abc\n        ^"},
    {"frame.protocols == \"\\q\"", "\\q is not a valid character escape sequence\n"
                                   "    frame.protocols == \"\\q\"\n                        ^~"},
    {"frame.number == ip.src", "frame.number and ip.src are not of compatible types.\n"
                               "    frame.number == ip.src\n                    ^~~~~~"},
    {"frame.time == \"2020\"",
     "\"2020\" is not a valid absolute time. Example: \"Nov 12, 1999 08:55:44.123\" or "
     "\"2011-07-04 12:34:56\"\n    frame.time == \"2020\"\n                  ^~~~~~"},
};

static void test_mistakes(void)
{
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        struct error error = {0};
        struct filter *f = filter_compile(mistakes[i].text, &error);
        CHECK(f == NULL);
        CHECK_EQ(ERROR_USAGE, error.code);
        CHECK_STR(mistakes[i].error, error.text);
        filter_free(f);
    }
}

static void test_wants(void)
{
    struct error error = {0};
    uint8_t want[FIELD_COUNT] = {0};
    struct filter *f =
        filter_compile("tls and tcp.port in {1, 2} or len(ip.src) > max(tcp.len)", &error);
    CHECK(f != NULL);
    if (!f)
        return;
    filter_wants(f, want);
    static const char *const wanted[] = {"tls", "tcp.port", "ip.src", "tcp.len"};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        for (enum field_id id = field(wanted[i]); id != F_NONE; id = field_same_name(id)) {
            CHECK_EQ(1, want[id]);
            want[id] = 0;
        }
    }
    for (size_t i = 0; i < FIELD_COUNT; i++)
        CHECK_EQ(0, want[i]);
    filter_free(f);
}

/* Deep and long texts end in an error or a filter, never in a crash. */
static void test_limits(void)
{
    static const char *const pieces[] = {"(",       "!(",         "{",           "-",
                                         "tls or ", "tcp.len + ", "tcp.len == ", "max("};
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        struct error error = {0};
        size_t len = strlen(pieces[i]), count = 60000 / len;
        char *text = calloc(1, count * len + 20);
        CHECK(text != NULL);
        if (!text)
            return;
        for (size_t n = 0; n < count; n++)
            memcpy(text + n * len, pieces[i], len);
        memcpy(text + count * len, "tls", 3);
        struct filter *f = filter_compile(text, &error);
        CHECK(f != NULL || error.text[0] != '\0');
        filter_free(f);
        free(text);
    }
    struct error error = {0};
    char *text = calloc(1, 70001);
    CHECK(text != NULL);
    if (!text)
        return;
    memset(text, 'a', 70000);
    CHECK(filter_compile(text, &error) == NULL);
    free(text);
}

/* A comparison of six fields of ten thousand occurrences each must give up, not go through all. */
static void test_budget(void)
{
    struct error error = {0};
    struct tape t;
    CHECK(tape_init(&t));
    tape_reset(&t, everything);
    for (unsigned i = 0; i < 10000; i++)
        number(&t, "tcp.len", i % 100);
    struct filter *f =
        filter_compile("tcp.len + tcp.len + tcp.len + tcp.len == tcp.len + 5000", &error);
    CHECK(f != NULL);
    if (f) {
        CHECK(!filter_match(f, &t));
        CHECK(filter_exhausted(f));
        filter_free(f);
    }
    tape_free(&t);
}

int main(void)
{
    static const struct unit_test tests[] = {
        {"filters match as tshark's do", test_matches},
        {"TCP's bytes where no tree is shown", test_open_ended},
        {"times in the zone of TZ", test_zones},
        {"mistakes are told", test_mistakes},
        {"wants what it reads, and only that", test_wants},
        {"deep and long texts", test_limits},
        {"budget of steps", test_budget},
    };
    memset(everything, 1, sizeof everything);
    setenv("TZ", "UTC", 1);
    return UNIT_RUN(tests);
}
