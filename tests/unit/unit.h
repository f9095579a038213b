/* The unit tests' whole framework: a table of named functions, and checks that say what they saw.
 *
 *   static void test_something(void) { CHECK_EQ(2, 1 + 1); }
 *   int main(void) { static const struct unit_test tests[] = {{"something", test_something}};
 *                    return UNIT_RUN(tests); }
 *
 * Prints TAP (one `ok` or `not ok` line a test), which Meson and tests/run read. */
#ifndef TLSWIRE_TESTS_UNIT_H
#define TLSWIRE_TESTS_UNIT_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct unit_test {
    const char *name;
    void (*run)(void);
};

static unsigned unit_failures;

static inline bool unit_fail(const char *file, int line, const char *what)
{
    unit_failures++;
    printf("# %s:%d: %s\n", file, line, what);
    return false;
}

#define CHECK(condition)                               \
    do {                                               \
        if (!(condition))                              \
            unit_fail(__FILE__, __LINE__, #condition); \
    } while (0)

#define CHECK_EQ(want, got)                                                   \
    do {                                                                      \
        long long unit_want = (long long)(want), unit_got = (long long)(got); \
        if (unit_want != unit_got) {                                          \
            unit_fail(__FILE__, __LINE__, #got);                              \
            printf("#   want %lld got %lld\n", unit_want, unit_got);          \
        }                                                                     \
    } while (0)

#define CHECK_STR(want, got)                                                                       \
    do {                                                                                           \
        const char *unit_want = (want), *unit_got = (got);                                         \
        if (!unit_got || strcmp(unit_want, unit_got) != 0) {                                       \
            unit_fail(__FILE__, __LINE__, #got);                                                   \
            printf("#   want \"%s\"\n#   got  \"%s\"\n", unit_want, unit_got ? unit_got : "NULL"); \
        }                                                                                          \
    } while (0)

static inline int unit_run(const struct unit_test *tests, size_t count)
{
    int failed = 0;
    printf("1..%zu\n", count);
    for (size_t i = 0; i < count; i++) {
        unit_failures = 0;
        tests[i].run();
        failed += unit_failures > 0;
        printf("%s %zu - %s\n", unit_failures ? "not ok" : "ok", i + 1, tests[i].name);
    }
    return failed ? 1 : 0;
}

#define UNIT_RUN(tests) unit_run((tests), sizeof(tests) / sizeof((tests)[0]))

#endif
