/* Names of addresses: hosts files, replacing, cutting, escaping, order. */
#include "base/buf.h"
#include "base/names.h"
#include "unit.h"

static const char *name4(const struct names *n, uint8_t last)
{
    uint8_t address[] = {192, 0, 2, last};
    const char *name = names_find(n, slice_of(address, sizeof address));
    return name ? name : "-";
}

static void test_hosts(void)
{
    struct names n = {0};
    names_hosts(&n, slice_of_str("192.0.2.1 one alias\n"
                                 "  192.0.2.2\ttwo#remark\r\n"
                                 "# 192.0.2.3 three\n"
                                 "192.0.2.4\n"
                                 "192.0.2 short\nword\n\n"
                                 "2001:db8::1 six\r\n"
                                 "192.0.2.5 five"));
    CHECK_STR("one", name4(&n, 1));
    CHECK_STR("two", name4(&n, 2));
    CHECK_STR("-", name4(&n, 3));
    CHECK_STR("-", name4(&n, 4));
    CHECK_STR("five", name4(&n, 5));
    CHECK_EQ(4, n.count);
    names_hosts(&n, slice_of_str("192.0.2.1 other\n"));
    CHECK_STR("other", name4(&n, 1));
    CHECK_EQ(4, n.count);
    names_free(&n);
    CHECK(names_find(NULL, slice_of_str("1234")) == NULL);
}

static void test_hostile_names(void)
{
    struct names n = {0};
    uint8_t address[] = {192, 0, 2, 1}, longest[100];
    struct slice at = slice_of(address, sizeof address);
    names_add(&n, at, slice_of("a\x1b[31m\t\"", 8));
    CHECK_STR("a\\x1b[31m\\x09\"", name4(&n, 1));
    memset(longest, 'x', sizeof longest);
    names_add(&n, at, slice_of(longest, sizeof longest));
    CHECK_EQ(NAME_BYTES, strlen(name4(&n, 1)));
    memset(longest, 1, sizeof longest);
    names_add(&n, at, slice_of(longest, sizeof longest));
    CHECK(strlen(name4(&n, 1)) <= NAME_BYTES);
    names_add(&n, slice_of(address, 3), slice_of_str("none"));
    names_add(&n, at, slice_empty());
    CHECK_EQ(1, n.count);
    names_free(&n);
}

static void collect(void *context, const struct named *named)
{
    struct buf *out = context;
    buf_str(out, named->name);
    buf_char(out, ' ');
}

static void test_order(void)
{
    struct names n = {0};
    struct buf out = {0};
    names_hosts(&n, slice_of_str("::1 d\n10.0.0.2 b\n192.0.2.1 c\n10.0.0.1 a\n"));
    names_each(&n, collect, &out);
    CHECK(slice_is(buf_slice(&out), "a b c d "));
    buf_free(&out);
    names_free(&n);
}

static void test_ceiling(void)
{
    struct names n = {0};
    for (uint32_t i = 0; i < 300000 && !n.lost; i++)
        names_add(&n, slice_of((const uint8_t *)&i, sizeof i), slice_of_str("x"));
    CHECK(n.lost);
    CHECK(n.count > 10000 && n.count < 300000);
    names_free(&n);
}

int main(void)
{
    static const struct unit_test tests[] = {
        {"names: of a hosts file", test_hosts},
        {"names: hostile ones", test_hostile_names},
        {"names: by address", test_order},
        {"names: have a ceiling", test_ceiling},
    };
    return UNIT_RUN(tests);
}
