/* Connections are counted, in all and for each peer. */
#include "endpoint/limits.h"
#include "unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>

static struct sockaddr_storage address(const char *text)
{
    struct sockaddr_storage a = {.ss_family = AF_UNSPEC};
    struct sockaddr_in *v4 = (void *)&a;
    struct sockaddr_in6 *v6 = (void *)&a;
    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1)
        a.ss_family = AF_INET;
    else if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1)
        a.ss_family = AF_INET6;
    return a;
}

static enum limits_answer enter(struct limits *l, const char *text)
{
    struct sockaddr_storage a = address(text);
    return limits_enter(l, &a);
}

static void leave(struct limits *l, const char *text)
{
    struct sockaddr_storage a = address(text);
    limits_leave(l, &a);
}

static void test_limits(void)
{
    struct limits *l = limits_new(4, 2);
    CHECK_EQ(LIMITS_FINE, enter(l, "192.0.2.1"));
    CHECK_EQ(LIMITS_FINE, enter(l, "192.0.2.1"));
    CHECK_EQ(LIMITS_PEER_FULL, enter(l, "192.0.2.1"));
    CHECK_EQ(LIMITS_FINE, enter(l, "2001:db8::1"));
    CHECK_EQ(LIMITS_FINE, enter(l, "2001:db8::2")); /* the same network */
    CHECK(limits_full(l));
    CHECK_EQ(LIMITS_FULL, enter(l, "2001:db8:1::1"));
    leave(l, "192.0.2.1");
    CHECK_EQ(LIMITS_PEER_FULL, enter(l, "2001:db8::3"));
    CHECK_EQ(LIMITS_FINE, enter(l, "::1"));
    leave(l, "::1");
    leave(l, "203.0.113.1"); /* never came */
    CHECK_EQ(3, limits_open(l));
    limits_free(l);
}

/* Many peers come and go in another order: the table finds each and ends empty. */
static void test_many(void)
{
    enum { MANY = 5000 };
    struct limits *l = limits_new(MANY, 1);
    char text[32];
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < MANY; i++) {
            snprintf(text, sizeof(text), "10.%u.%u.%u", round, i / 250, i % 250);
            CHECK_EQ(LIMITS_FINE, enter(l, text));
        }
        for (unsigned i = 0; i < MANY; i++) {
            unsigned n = i * 4099u % MANY;
            snprintf(text, sizeof(text), "10.%u.%u.%u", round, n / 250, n % 250);
            leave(l, text);
            CHECK_EQ(MANY - 1 - i, limits_open(l));
        }
    }
    CHECK_EQ(0, limits_open(l));
    limits_free(l);
}

int main(void)
{
    static const struct unit_test tests[] = {
        {"limits in all and for each peer", test_limits},
        {"many peers", test_many},
    };
    return UNIT_RUN(tests);
}
