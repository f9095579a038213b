/* Lines of failed connections: so many in a second, and a count of the others. */
#include "cli/flood.c" /* the program is in no library */
#include "unit.h"

static unsigned told(struct flood *f, unsigned lines, int64_t time_ns)
{
    unsigned n = 0;
    while (lines--)
        n += flood_admits(f, time_ns);
    return n;
}

static void test_flood(void)
{
    struct flood f = {.limit = 200};
    CHECK_EQ(200, told(&f, 200, 7 * (int64_t)SECOND_NS));
    CHECK_EQ(0, flood_take(&f));
    CHECK_EQ(0, told(&f, 1000, 8 * (int64_t)SECOND_NS - 1));
    CHECK_EQ(1000, flood_take(&f));
    CHECK_EQ(0, flood_take(&f)); /* told once */
    CHECK_EQ(200, told(&f, 200 + 3, 8 * (int64_t)SECOND_NS));
    CHECK_EQ(3, flood_take(&f));
    CHECK_EQ(1, told(&f, 1, 5 * (int64_t)SECOND_NS)); /* the clock was put back */
    CHECK_EQ(0, flood_take(&f));
}

int main(void)
{
    static const struct unit_test tests[] = {
        {"lines of failed connections in a second", test_flood},
    };
    return UNIT_RUN(tests);
}
