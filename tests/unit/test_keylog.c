#include "crypto/keylog.h"
#include "unit.h"

#include <stdlib.h>

struct bytes {
    uint8_t data[1024];
    size_t len;
};

static struct bytes unhex(const char *text)
{
    struct bytes b = {.len = 0};
    for (; text[0] && text[1] && b.len < sizeof b.data; text += 2) {
        const char pair[3] = {text[0], text[1], '\0'};
        b.data[b.len++] = (uint8_t)strtoul(pair, NULL, 16);
    }
    return b;
}

static struct slice of(const struct bytes *b)
{
    return slice_of(b->data, b->len);
}

#define R32 "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define S32 "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100"
#define S48 S32 "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf"

static void feed(struct key_table *t, const char *text)
{
    keylog_feed(t, slice_of_str(text));
}

static const struct key_secret *find(const struct key_table *t, enum key_label label)
{
    struct bytes id = unhex(label == KEY_RSA          ? "0011223344556677"
                            : label == KEY_SESSION_ID ? "c0ffee"
                                                      : R32);
    return key_table_find(t, label, of(&id));
}

static void test_keylog_labels(void)
{
    static struct key_table t;
    char line[512];
    key_table_init(&t);
    CHECK(find(&t, KEY_CLIENT_RANDOM) == NULL);
    for (unsigned i = 0; i < KEY_RSA; i++) {
        enum key_label label = (enum key_label)i;
        bool master = label == KEY_CLIENT_RANDOM;
        snprintf(line, sizeof line, "%s %s %s\n", key_label_name(label), R32, master ? S48 : S32);
        feed(&t, line);
    }
    feed(&t, "RSA 0011223344556677 " S48 "\nRSA Session-ID:c0ffee Master-Key:" S48 "\n");
    CHECK_EQ(KEY_LABEL_COUNT, keylog_stats(&t)->valid);
    CHECK_EQ(KEY_LABEL_COUNT, keylog_stats(&t)->lines);
    size_t seen = 0;
    for (const struct key_secret *s = key_table_next(&t, NULL); s; s = key_table_next(&t, s))
        CHECK_EQ(seen++, s->label);
    CHECK_EQ(KEY_LABEL_COUNT, seen);
    struct bytes want = unhex(S48);
    CHECK(slice_equal(of(&want), key_secret_slice(find(&t, KEY_CLIENT_RANDOM))));
    CHECK(slice_equal(of(&want), key_secret_slice(find(&t, KEY_SESSION_ID))));
    CHECK(slice_equal(of(&want), key_secret_slice(find(&t, KEY_RSA))));
    CHECK_EQ(32, find(&t, KEY_EXPORTER_SECRET)->secret_len);
    key_table_free(&t);
    CHECK(find(&t, KEY_CLIENT_RANDOM) == NULL);
    key_table_free(&t);
}

static const struct {
    const char *text;
    int valid, comments, unknown, malformed;
} odd_lines[] = {
    {"CLIENT_RANDOM " R32 " " S48 "\r\n", 1, 0, 0, 0},
    {"  CLIENT_RANDOM\t" R32 "   " S48 "  \r\n", 1, 0, 0, 0},
    {"\xef\xbb\xbf"
     "CLIENT_RANDOM " R32 " " S48 "\n",
     1, 0, 0, 0},
    {"CLIENT_RANDOM " R32 " " S48, 1, 0, 0, 0}, /* no newline */
    {"CLIENT_RANDOM " R32 " " S32 "A0A1a2A3A4A5A6A7A8A9AAABACADAEAF\n", 1, 0, 0, 0},
    {"QUIC_CLIENT_TRAFFIC_SECRET_0 " R32 " " S32 "\n", 1, 0, 0, 0},
    {"# hello\n\n \t\r\n#", 0, 4, 0, 0},
    {"CLIENT_RANDOM\n", 0, 0, 0, 1},
    {"CLIENT_RANDOM " R32 "\n", 0, 0, 0, 1},
    {"CLIENT_RANDOM " R32 " " S32 "\n", 0, 0, 0, 1},
    {"CLIENT_RANDOM " R32 " " S48 "0\n", 0, 0, 0, 1},
    {"CLIENT_RANDOM " R32 " " S48 " 00\n", 0, 0, 0, 1},
    {"CLIENT_RANDOM " R32 "00 " S48 "\n", 0, 0, 0, 1},
    {"CLIENT_RANDOM " R32 " " S32 "a0a1a2a3a4a5a6a7a8a9aaabacadaexf\n", 0, 0, 0, 1},
    {"CLIENT_TRAFFIC_SECRET_0 " R32 " " S32 "00\n", 0, 0, 0, 1},
    {"RSA 00112233445566 " S48 "\n", 0, 0, 0, 1},
    {"RSA Session-ID: Master-Key:" S48 "\n", 0, 0, 0, 1},
    {"RSA Session-ID:c0ffee Master-Key:" S32 "\n", 0, 0, 0, 1},
    {"RSA Session-ID:c0ffee Master-Key:" S48 " x\n", 0, 0, 0, 1},
    {"client_random " R32 " " S48 "\n", 0, 0, 1, 0},
    {"SERVER_TRAFFIC_SECRET_1 " R32 " " S32 "\nGET / HTTP/1.1\n", 0, 0, 2, 0},
};

static void test_keylog_odd_lines(void)
{
    static struct key_table t;
    for (size_t i = 0; i < sizeof odd_lines / sizeof odd_lines[0]; i++) {
        unsigned before = unit_failures;
        key_table_init(&t);
        feed(&t, odd_lines[i].text);
        keylog_finish(&t);
        CHECK_EQ(odd_lines[i].valid, keylog_stats(&t)->valid);
        CHECK_EQ(odd_lines[i].comments, keylog_stats(&t)->comments);
        CHECK_EQ(odd_lines[i].unknown, keylog_stats(&t)->unknown_label);
        CHECK_EQ(odd_lines[i].malformed, keylog_stats(&t)->malformed);
        CHECK_EQ(odd_lines[i].valid, t.count);
        if (unit_failures > before)
            printf("# in line %zu: %s\n", i, odd_lines[i].text);
        key_table_free(&t);
    }
}

static void test_keylog_replace(void)
{
    static struct key_table t;
    key_table_init(&t);
    feed(&t, "PMS_CLIENT_RANDOM " R32 " " S32 "\n");
    const struct key_secret *first = find(&t, KEY_PMS_CLIENT_RANDOM);
    uint64_t generation = key_table_generation(&t);
    feed(&t, "PMS_CLIENT_RANDOM " R32 " " S32 "\n");
    CHECK_EQ(1, keylog_stats(&t)->duplicates);
    CHECK_EQ(generation, key_table_generation(&t));
    feed(&t, "PMS_CLIENT_RANDOM " R32 " abcd\n");
    CHECK(find(&t, KEY_PMS_CLIENT_RANDOM) == first && first->secret_len == 2);
    CHECK_EQ(1, keylog_stats(&t)->replaced);
    CHECK(generation != key_table_generation(&t));
    feed(&t, "PMS_CLIENT_RANDOM " R32 " " S48 "\n"); /* grows: the old address stays readable */
    CHECK_EQ(48, find(&t, KEY_PMS_CLIENT_RANDOM)->secret_len);
    CHECK_EQ(0, first->secret_len);
    CHECK_EQ(2, keylog_stats(&t)->replaced);
    CHECK(key_table_next(&t, key_table_next(&t, NULL)) == NULL);
    CHECK(key_table_next(&t, NULL) == find(&t, KEY_PMS_CLIENT_RANDOM));
    key_table_free(&t);
}

static void test_keylog_unfinished(void)
{
    static struct key_table t;
    key_table_init(&t);
    feed(&t, "CLIENT_TRAFFIC_SECRET_0 " R32 " " S32);
    CHECK(find(&t, KEY_CLIENT_TRAFFIC_SECRET_0) == NULL);
    keylog_finish(&t);
    keylog_finish(&t);
    CHECK_EQ(32, find(&t, KEY_CLIENT_TRAFFIC_SECRET_0)->secret_len);
    feed(&t, "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf"); /* the line was not at its end after all */
    keylog_finish(&t);
    feed(&t, "\n");
    CHECK_EQ(48, find(&t, KEY_CLIENT_TRAFFIC_SECRET_0)->secret_len);
    CHECK_EQ(1, keylog_stats(&t)->lines);
    CHECK_EQ(1, keylog_stats(&t)->valid);
    CHECK_EQ(0, keylog_stats(&t)->duplicates);
    key_table_free(&t);
}

static void test_keylog_limits(void)
{
    static struct key_table t;
    static char text[3 * KEYLOG_LINE_MAX];
    memset(text, 'x', sizeof text);
    key_table_init(&t);
    text[KEYLOG_LINE_MAX] = '\n'; /* just fits */
    keylog_feed(&t, slice_of(text, KEYLOG_LINE_MAX + 1));
    CHECK_EQ(1, keylog_stats(&t)->unknown_label);
    text[KEYLOG_LINE_MAX] = 'x';
    for (int i = 0; i < 100; i++)
        keylog_feed(&t, slice_of(text, sizeof text));
    feed(&t, "\nCLIENT_RANDOM " R32 " " S48 "\n");
    CHECK_EQ(1, keylog_stats(&t)->too_long);
    CHECK_EQ(1, keylog_stats(&t)->valid);
    CHECK_EQ(3, keylog_stats(&t)->lines);
    t.max_count = 1;
    feed(&t, "RSA 0011223344556677 " S48 "\n");
    CHECK_EQ(1, keylog_stats(&t)->dropped);
    CHECK(find(&t, KEY_RSA) == NULL && find(&t, KEY_CLIENT_RANDOM) != NULL);
    key_table_free(&t);
}

static void test_key_table_many(void)
{
    static struct key_table t;
    uint8_t id[32] = {0}, secret[32] = {0};
    key_table_init(&t);
    for (unsigned i = 0; i < 100000; i++) {
        id[i % 7] = (uint8_t)i, id[8] = (uint8_t)(i >> 8), id[9] = (uint8_t)(i >> 16);
        id[10] = (uint8_t)i, secret[0] = (uint8_t)(i * 31);
        CHECK(key_table_add(&t, KEY_EXPORTER_SECRET, slice_of(id, 32), slice_of(secret, 32)));
        const struct key_secret *s = key_table_find(&t, KEY_EXPORTER_SECRET, slice_of(id, 32));
        CHECK(s && s->bytes[0] == secret[0]);
    }
    CHECK_EQ(100000, t.count);
    CHECK(key_table_find(&t, KEY_CLIENT_RANDOM, slice_of(id, 32)) == NULL);
    CHECK(!key_table_add(&t, KEY_CLIENT_RANDOM, slice_of(id, 32), slice_of(secret, 32)));
    CHECK(!key_table_add(&t, KEY_EXPORTER_SECRET, slice_of(id, 31), slice_of(secret, 32)));
    key_table_free(&t);
}

static void test_keylog_write(void)
{
    static struct key_table t;
    struct buf out = {0};
    struct bytes id = unhex(R32), short_secret = unhex(S32), long_secret = unhex(S48);
    key_table_init(&t);
    feed(&t, "EXPORTER_SECRET " R32 " " S32 "\nCLIENT_RANDOM " S32 " " S48 "\n"
             "PMS_CLIENT_RANDOM " R32 " " S32 "\nECH_SECRET " R32 " " S32 "\n");
    keylog_write(&t, &out);
    CHECK_EQ(0, out.len); /* nothing was seen */
    key_table_see(&t, KEY_SERVER_TRAFFIC_SECRET_0, of(&id));
    keylog_write(&t, &out);
    CHECK_EQ(0, out.len); /* there is no such secret */
    CHECK(key_table_add(&t, KEY_SERVER_TRAFFIC_SECRET_0, of(&id), of(&short_secret)));
    key_table_see(&t, KEY_SERVER_TRAFFIC_SECRET_0, of(&id));
    CHECK(key_table_add(&t, KEY_SERVER_TRAFFIC_SECRET_0, of(&id), of(&long_secret)));
    keylog_write(&t, &out); /* one secret was seen: all of the session; the longer one holds */
    buf_char(&out, 0);
    CHECK_STR("EXPORTER_SECRET " R32 " " S32 "\nSERVER_TRAFFIC_SECRET_0 " R32 " " S48 "\n",
              (const char *)out.data);
    buf_wipe(&out);
    key_table_free(&t);
}

/* Lines for names that nobody looks for are passed over, those of few kinds are read all the same. */
static void test_keylog_wishes(void)
{
    static struct key_table t;
    struct key_wishes w;
    struct bytes wanted = unhex(R32), other = unhex(S32);
    key_table_init(&t);
    key_wishes_init(&w, 7);
    t.wishes = &w;
    CHECK(!key_wishes_has(&w, of(&wanted)));
    CHECK(key_wishes_add(&w, of(&wanted)));
    CHECK(!key_wishes_add(&w, of(&wanted)));
    CHECK(key_wishes_has(&w, of(&wanted)) && !key_wishes_has(&w, of(&other)));
    feed(&t, "CLIENT_RANDOM " R32 " " S48 "\nCLIENT_RANDOM " S32 " " S48
             "\nRSA 0011223344556677 " S48 "\nRSA Session-ID:c0ffee Master-Key:" S48 "\n");
    CHECK_EQ(4, keylog_stats(&t)->valid);
    CHECK_EQ(1, keylog_stats(&t)->unwanted);
    CHECK(find(&t, KEY_CLIENT_RANDOM) && find(&t, KEY_RSA) && find(&t, KEY_SESSION_ID));
    CHECK(key_table_find(&t, KEY_CLIENT_RANDOM, of(&other)) == NULL);
    for (uint64_t i = 1; i < 5000; i++)
        CHECK(key_wishes_add(&w, slice_of(&i, sizeof i)));
    for (uint64_t i = 1; i < 10000; i++)
        CHECK_EQ(i < 5000, key_wishes_has(&w, slice_of(&i, sizeof i)));
    key_table_free(&t);
    key_wishes_free(&w);
}

static void read_again(void *context)
{
    feed(context, "CLIENT_RANDOM " R32 " " S48 "\n");
}

/* A name that is looked for late is fetched, but not for ever. */
static void test_keylog_fetch(void)
{
    static struct key_table t;
    struct key_wishes w;
    key_table_init(&t);
    key_wishes_init(&w, 7);
    t.wishes = &w;
    w.fetch = read_again;
    w.context = &t;
    feed(&t, "CLIENT_RANDOM " R32 " " S48 "\n");
    CHECK_EQ(1, keylog_stats(&t)->unwanted);
    CHECK(find(&t, KEY_CLIENT_RANDOM) != NULL);
    unsigned left = w.fetches;
    CHECK(find(&t, KEY_CLIENT_RANDOM) != NULL);
    CHECK_EQ(left, w.fetches);
    for (uint64_t i = 1; i < 100; i++)
        CHECK(key_table_find(&t, KEY_ECH_SECRET, slice_of(&i, sizeof i)) == NULL);
    CHECK_EQ(0, w.fetches);
    key_table_free(&t);
    key_wishes_free(&w);
}

int main(void)
{
    static const struct unit_test tests[] = {
        {"key log: labels", test_keylog_labels},
        {"key log: odd lines", test_keylog_odd_lines},
        {"key log: later lines replace", test_keylog_replace},
        {"key log: unfinished last line", test_keylog_unfinished},
        {"key log: limits", test_keylog_limits},
        {"key log: written for sessions seen", test_keylog_write},
        {"key table: many secrets", test_key_table_many},
        {"key log: wishes", test_keylog_wishes},
        {"key log: fetched late", test_keylog_fetch},
    };
    return UNIT_RUN(tests);
}
