/* The counting of statistics: tallies and their ceiling. */
#include "base/buf.h"
#include "stats/tally.h"
#include "unit.h"

struct item {
    uint32_t count;
};

static int more(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    return x->count > y->count ? 1 : x->count < y->count ? -1 : 0;
}

static void test_tally_counts(void)
{
    struct tally t;
    tally_init(&t, sizeof(struct item), 1000, NULL);
    for (uint32_t i = 0; i < 3000; i++) {
        uint32_t key = i % 300;
        struct item *item = tally_item(&t, slice_of(&key, sizeof key));
        if (item)
            item->count += key == 7 ? 5 : 1;
    }
    CHECK_EQ(300, t.count);
    CHECK_EQ(0, t.dropped);
    tally_sort(&t, more);
    uint32_t first = 7, second = 0;
    CHECK(slice_equal(tally_key(&t, 0), slice_of(&first, sizeof first)));
    CHECK_EQ(50, ((struct item *)tally_at(&t, 0))->count);
    CHECK(slice_equal(tally_key(&t, 1), slice_of(&second, sizeof second)));
    CHECK_EQ(10, ((struct item *)tally_at(&t, 1))->count);
    CHECK(tally_find(&t, slice_of(&first, 3)) == NULL);
    tally_free(&t);
}

static void test_tally_has_a_ceiling(void)
{
    struct tally t;
    tally_init(&t, sizeof(struct item), 10, NULL);
    for (uint32_t i = 0; i < 12; i++)
        CHECK((tally_item(&t, slice_of(&i, sizeof i)) != NULL) == (i < 10));
    CHECK_EQ(10, t.count);
    CHECK_EQ(2, t.dropped);
    CHECK(tally_item(&t, slice_empty()) == NULL);
    tally_free(&t);
}

static void test_tallies_share_a_budget(void)
{
    struct budget budget = {.left = 300000};
    struct tally a, b;
    tally_init(&a, sizeof(struct item), 100000, &budget);
    tally_init(&b, sizeof(struct item), 100000, &budget);
    for (uint32_t i = 0; i < 2000; i++)
        CHECK(tally_item(&a, slice_of(&i, sizeof i)) != NULL);
    CHECK(!budget.refused);
    for (uint32_t i = 0; i < 2000; i++)
        (void)tally_item(&b, slice_of(&i, sizeof i));
    CHECK(budget.refused);
    CHECK(b.count > 0 && b.count < 2000);
    CHECK_EQ(2000 - b.count, b.dropped);
    uint32_t first = 0;
    CHECK(tally_find(&b, slice_of(&first, sizeof first)) != NULL);
    tally_free(&a);
    CHECK(budget.left > 0);
    tally_free(&b);
    CHECK_EQ(300000, budget.left);
}

static void test_buffers_share_a_budget(void)
{
    struct budget budget = {.left = 1000};
    struct buf a = {.budget = &budget}, b = {.budget = &budget};
    buf_fill(&a, 'a', 500);
    CHECK(!a.failed);
    buf_fill(&b, 'b', 600);
    CHECK(b.failed && b.len == 0 && budget.refused);
    buf_free(&a);
    buf_clear(&b);
    buf_fill(&b, 'b', 900);
    CHECK(b.failed); /* it would grow to 1024 */
    buf_clear(&b);
    buf_fill(&b, 'b', 500);
    CHECK_EQ(500, b.len);
    buf_free(&b);
    CHECK_EQ(1000, budget.left);
}

int main(void)
{
    static const struct unit_test tests[] = {
        {"tally: counts and sorts", test_tally_counts},
        {"tally: has a ceiling", test_tally_has_a_ceiling},
        {"tally: several share a budget", test_tallies_share_a_budget},
        {"buf: several share a budget", test_buffers_share_a_budget},
    };
    return UNIT_RUN(tests);
}
