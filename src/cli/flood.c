#include "cli/flood.h"

#define SECOND_NS 1000000000

bool flood_admits(struct flood *f, int64_t time_ns)
{
    int64_t second = time_ns / SECOND_NS;
    if (second != f->second) { /* also when the clock was put back */
        f->second = second;
        f->told = 0;
    }
    if (f->told < f->limit) {
        f->told++;
        return true;
    }
    atomic_fetch_add(&f->skipped, 1);
    return false;
}

unsigned long long flood_take(struct flood *f)
{
    return atomic_exchange(&f->skipped, 0);
}
