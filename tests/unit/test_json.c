/* The formats made of JSON: escapes, bytes and places, filters of protocols, names that repeat; and
 * the columns that people choose. */
#include "unit.h"

#include "print/columns.h"
#include "print/json_text.h"
#include "print/print.h"

#include <stdlib.h>

#define SNI "tls.handshake.extensions_server_name"

static uint8_t want[FIELD_COUNT];
static struct dissection d;
static struct packet packet;
static struct buf out;
static struct print_state state;

static const char *text(void)
{
    buf_char(&out, '\0');
    return out.failed ? "buffer failed" : (const char *)out.data;
}

static void start(const void *data, size_t len)
{
    memset(want, 1, sizeof want);
    if (!d.tape.events && !tape_init(&d.tape))
        abort();
    tape_reset(&d.tape, want);
    memset(&d.columns, 0, sizeof d.columns);
    packet = (struct packet){.number = 1,
                             .len = 60,
                             .caplen = 60,
                             .has_time = true,
                             .time_ns = 1500000000123456789,
                             .time_decimals = 6};
    d.packet = &packet;
    buf_clear(&out);
    tape_source(&d.tape, slice_of(data, len), "Frame");
}

static enum field_id id(const char *abbrev)
{
    enum field_id field = field_find(abbrev, strlen(abbrev));
    CHECK(field != F_NONE);
    return field;
}

static const char *printed(const char *format, struct print_options options)
{
    buf_clear(&out);
    options.state = &state;
    printer_find(format)->packet(&out, &options, &d);
    return text();
}

/* What stands between the layers' braces. */
static const char *layers(const char *format, struct print_options options)
{
    char *from = strstr(printed(format, options), "\"layers\"");
    if (!from)
        return "no layers";
    static char copy[4096];
    size_t len = 0;
    for (; *from && len < sizeof copy - 1; from++)
        if (*from != '\n' && *from != ' ')
            copy[len++] = *from;
    copy[len] = '\0';
    return copy;
}

static void test_escapes(void)
{
    buf_clear(&out);
    json_string(&out, slice_of("\x01\x1f\b\t\n\f\r\"\\/</a\x7f\xc3\xa9", 16));
    CHECK_STR("\"\\u0001\\u001f\\b\\t\\n\\f\\r\\\"\\\\/<\\/a\x7f\xc3\xa9\"", text());
    buf_clear(&out);
    buf_str(&out, "kept\"");
    json_escape_from(&out, 5);
    buf_str(&out, "a\"b");
    json_escape_from(&out, 5);
    CHECK_STR("kept\"a\\\"b", text());
    buf_clear(&out);
    json_string(&out, slice_empty());
    CHECK_STR("\"\"", text());
}

/* Bytes that are no UTF-8 become U+FFFD; a NUL ends the text, as tshark has it. */
static void test_hostile_strings(void)
{
    start("a\xff</\"\0b", 7);
    tape_add(&d.tape, id(SNI), 0, 0, 7, 0, 0);
    CHECK_STR("\"layers\":{\"" SNI "\":\"a\xef\xbf\xbd<\\/\\\"\"}}}",
              layers("json", (struct print_options){0}));
    CHECK(strstr(printed("ek", (struct print_options){.tree = true}),
                 "{\"tls_tls_handshake_extensions_server_name\":\"a\xef\xbf\xbd<\\/\\\"\"}}\n"));
}

static void a_tree(void)
{
    start("\x16\x03\x01\x02", 4);
    uint32_t top = tape_open(&d.tape, id("tls"), 0, 0, 4, 0, 0);
    uint32_t flags = tape_open(&d.tape, id("tcp.flags"), 0, 0, 2, 0x12, 0);
    tape_add(&d.tape, id("tcp.flags.syn"), 0, 1, 1, 1, EVENT_HIDDEN);
    tape_close(&d.tape, flags);
    tape_add(&d.tape, id("tcp.port"), 0, 0, 2, 1, 0);
    tape_add(&d.tape, id("tcp.port"), 0, 2, 2, 2, 0);
    tape_add(&d.tape, id("tcp.len"), 0, 2, 0, 5, EVENT_GENERATED);
    tape_add(&d.tape, id("tcp.stream"), 0, 3, 9, 6, 0);
    tape_close(&d.tape, top);
    tape_add(&d.tape, id("ip"), 0, 0, 1, 0, 0);
}

static void test_json(void)
{
    a_tree();
    CHECK_STR("\n  {\n    \"_index\": \"packets-2017-07-14\",\n    \"_type\": \"doc\",\n"
              "    \"_score\": null,\n    \"_source\": {\n      \"layers\": {\n"
              "        \"tls\": {\n"
              "          \"tcp.flags\": \"0x0012\",\n"
              "          \"tcp.flags_tree\": {\n"
              "            \"tcp.flags.syn\": \"1\"\n"
              "          },\n"
              "          \"tcp.port\": \"1\",\n"
              "          \"tcp.port\": \"2\",\n"
              "          \"tcp.len\": \"5\",\n"
              "          \"tcp.stream\": \"6\"\n"
              "        },\n"
              "        \"ip\": \"Internet Protocol Version 4, Src: , Dst: \"\n"
              "      }\n    }\n  }",
              printed("json", (struct print_options){0}));
    CHECK(strncmp(printed("json", (struct print_options){.printed = 1}), ",\n  {", 5) == 0);
    CHECK_STR("\"layers\":{\"tls\":{\"tcp.flags\":\"0x0012\",\"tcp.flags_tree\":{\"tcp.flags.syn\":"
              "\"1\"},\"tcp.port\":[\"1\",\"2\"],\"tcp.len\":\"5\",\"tcp.stream\":\"6\"},\"ip\":"
              "\"InternetProtocolVersion4,Src:,Dst:\"}}}",
              layers("json", (struct print_options){.unique_keys = true}));
}

/* Items without bytes have no bytes with -x; items that the packet cuts off say so. */
static void test_bytes(void)
{
    a_tree();
    CHECK_STR("\"layers\":{\"tls_raw\":[\"16030102\",0,4,0,1],\"tls\":{"
              "\"tcp.flags_raw\":[\"12\",0,2,4095,5],\"tcp.flags\":\"0x0012\",\"tcp.flags_tree\":{"
              "\"tcp.flags.syn_raw\":[\"1\",1,1,2,2],\"tcp.flags.syn\":\"1\"},"
              "\"tcp.port_raw\":[\"1603\",0,2,0,5],\"tcp.port\":\"1\","
              "\"tcp.port_raw\":[\"0102\",2,2,0,5],\"tcp.port\":\"2\",\"tcp.len\":\"5\","
              "\"tcp.stream_raw\":[\"fieldlengthinvalid!\",3,9,0,7],\"tcp.stream\":\"6\"},"
              "\"ip_raw\":[\"16\",0,1,0,1],\"ip\":\"InternetProtocolVersion4,Src:,Dst:\"}}}",
              layers("json", (struct print_options){.hex = true}));
    const char *raw = layers("jsonraw", (struct print_options){.unique_keys = true});
    CHECK(strstr(raw, "\"tcp.port_raw\":[[\"1603\",0,2,0,5],[\"0102\",2,2,0,5]],"
                      "\"tcp.len_raw\":[\"\",2,0,0,7]"));
    CHECK(!strstr(raw, "\"tcp.len\":"));
}

static void test_filters(void)
{
    a_tree();
    struct print_options options = {.keep = {.names = "tls frame"}};
    CHECK_STR("\"layers\":{\"tls\":{\"tcp.flags\":\"0x0012\",\"tcp.flags_tree\":{\"filtered\":"
              "\"tcp.flags\"},\"tcp.port\":\"1\",\"tcp.port\":\"2\",\"tcp.len\":\"5\","
              "\"tcp.stream\":\"6\"},\"ip\":\"InternetProtocolVersion4,Src:,Dst:\"}}}",
              layers("json", options));
    options.keep.children = true;
    CHECK(strstr(layers("json", options), "\"tcp.flags_tree\":{\"tcp.flags.syn\":\"1\"}"));
    CHECK(keep_has(&options.keep, slice_of_str("frame")));
    CHECK(!keep_has(&options.keep, slice_of_str("fram")));
    CHECK(!keep_has(&options.keep, slice_of_str("tls ")));
    options.keep.names = "ip";
    CHECK_STR("\"layers\":{\"tls\":{\"filtered\":\"tls\"},\"ip\":\"InternetProtocolVersion4,Src:,"
              "Dst:\"}}}",
              layers("json", options));
}

static void test_ek(void)
{
    a_tree();
    CHECK_STR("{\"index\":{\"_index\":\"packets-2017-07-14\",\"_type\":\"doc\"}}\n"
              "{\"timestamp\":\"1500000000123\",\"layers\":{\"tls\":{\"tcp_tcp_flags\":\"0x0012\","
              "\"tcp_tcp_flags_syn\":true,\"tcp_tcp_port\":[\"1\",\"2\"],\"tcp_tcp_len\":\"5\","
              "\"tcp_tcp_stream\":\"6\"},\"ip\":{}}}\n",
              printed("ek", (struct print_options){.tree = true}));
    CHECK(strstr(printed("ek", (struct print_options){.tree = true, .hex = true}),
                 "\"tcp_tcp_flags_syn_raw\":\"1\",\"tcp_tcp_flags_syn\":true,"
                 "\"tcp_tcp_port_raw\":[\"1603\",\"0102\"],\"tcp_tcp_port\":[\"1\",\"2\"],"
                 "\"tcp_tcp_len\":\"5\""));
    CHECK(strstr(printed("ek", (struct print_options){.summary = true}),
                 ",\"no_\":\"1\",\"time\":\"0\",\"source\":\"N/A\""));
    struct print_options options = {.tree = true, .keep = {.names = "tls"}};
    CHECK(strstr(printed("ek", options), "{\"tls\":{\"tcp_tcp_flags\":{\"filtered\":\"tcp.flags\"},"
                                         "\"tcp_tcp_port\":[{\"filtered\":\"tcp.port\"},"));
}

/* Deeper than any printer goes, wider than its tables: no harm done, and still JSON. */
static void test_deep(void)
{
    start("", 0);
    enum { DEEP = 400 };
    uint32_t open[DEEP];
    for (int i = 0; i < DEEP; i++)
        open[i] = tape_open(&d.tape, i % 2 ? id("tls") : id("tcp.flags"), 0, 0, 0, 0, 0);
    for (int i = DEEP; i-- > 0;)
        tape_close(&d.tape, open[i]);
    static const char *const formats[] = {"json", "ek", "pdml", "jsonraw"};
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        int depth = 0, deepest = 0;
        for (const char *c = printed(formats[i], (struct print_options){.tree = true}); *c; c++) {
            depth += *c == '{' ? 1 : *c == '}' ? -1 : 0;
            deepest = depth > deepest ? depth : deepest;
        }
        CHECK_EQ(0, depth);
        CHECK(deepest < DEEP);
    }
}

static void test_asked_fields(void)
{
    a_tree();
    struct field_list *list = field_list_new();
    CHECK(list && field_list_add(list, "tcp.port") && field_list_add(list, "ip.src") &&
          field_list_add(list, "tls") && field_list_add(list, "_ws.col.No."));
    struct print_options options = {.list = list, .tree = true};
    CHECK_STR("\"layers\":{\"tcp.port\":[\"1\",\"2\"],\"tls\":[\"tls\"],\"_ws.col.No.\":[\"1\"]}}}",
              layers("json", options));
    CHECK(strstr(printed("ek", options), "\"layers\":{\"tcp_port\":[\"1\",\"2\"],\"tls\":[\"tls\"],"
                                         "\"_ws_col_No_\":[\"1\"]}}\n"));
    CHECK(strstr(printed("pdml", options), "  <field name=\"tcp.port\" value=\"2\"/>\n"));
    CHECK(field_list_stray_column(&options) == NULL);
    CHECK(field_list_add(list, "_ws.col.Nope"));
    CHECK_STR("_ws.col.Nope", field_list_stray_column(&options));
    CHECK(field_list_option(list, "occurrence=l"));
    CHECK_STR("\"layers\":{\"tcp.port\":[\"2\"],\"tls\":[\"tls\"],\"_ws.col.No.\":[\"1\"]}}}",
              layers("json", options));
    field_list_free(list);
}

static void test_psml(void)
{
    a_tree();
    struct column_list *columns =
        column_list_new("\"<A>\",\"%m\", b c, %L ,\"\\\"d\",\"%Cus:tcp.port:0:U\"");
    CHECK(columns != NULL);
    struct print_options options = {.columns = columns, .summary = true};
    buf_clear(&out);
    printer_find("psml")->header(&out, &options);
    printer_find("psml")->packet(&out, &options, &d);
    printer_find("psml")->footer(&out, &options);
    CHECK(strstr(text(), "<section>&lt;A&gt;</section>\n<section>bc</section>\n"
                         "<section>&quot;d</section>\n</structure>\n\n<packet>\n"
                         "<section>1</section>\n<section>60</section>\n<section>1,2</section>\n"
                         "</packet>\n\n</psml>\n"));
    column_list_free(columns);
}

static void test_bad_columns(void)
{
    static const char *const bad[] = {
        "", "\"No.\"", "\"No.\",\"%zz\"", "\"No.\",\"%Cus\"", "\"No.\",\"%Cus:\"", "\"a\"b,\"%m\""};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK(column_list_new(bad[i]) == NULL);
}

static void test_custom_columns(void)
{
    static const struct {
        const char *custom, *shown;
    } cases[] = {
        {"tcp.port", "1,2"},        {"tcp.port:1:R", "1"},
        {"tcp.port:-1:R", "2"},     {"tcp.port:3:R", ""},
        {"tcp.flags", "0x012"},     {"tcp.flags.syn:0:R", "Set"},
        {"tcp.flags.syn:0:U", "1"}, {"tls", "\xe2\x9c\x93"},
        {"no.such:0:R", ""},        {"tcp.len || tcp.port or no.such:0:R", "5,1,2"},
    };
    a_tree();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char format[128];
        snprintf(format, sizeof format, "\"X\",\"%%Cus:%s\"", cases[i].custom);
        struct column_list *columns = column_list_new(format);
        CHECK(columns != NULL);
        struct print_options options = {.columns = columns, .summary = true};
        uint8_t asked[FIELD_COUNT] = {0};
        columns_want(&options, asked);
        CHECK_EQ(strstr(format, "tcp.port") != NULL, asked[id("tcp.port")]);
        buf_clear(&out);
        columns_write(&out, 0, &options, &d);
        CHECK_STR(cases[i].shown, text());
        column_list_free(columns);
    }
}

int main(void)
{
    static const struct unit_test tests[] = {
        {"escapes", test_escapes},
        {"hostile strings", test_hostile_strings},
        {"json", test_json},
        {"bytes", test_bytes},
        {"filters of protocols", test_filters},
        {"ek", test_ek},
        {"deep trees", test_deep},
        {"fields that are asked for", test_asked_fields},
        {"psml", test_psml},
        {"columns that are none", test_bad_columns},
        {"custom columns", test_custom_columns},
    };
    setenv("TZ", "UTC", 1);
    int failed = UNIT_RUN(tests);
    tape_free(&d.tape);
    buf_free(&out);
    buf_free(&state.scratch);
    return failed;
}
