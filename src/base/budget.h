/* Memory that several owners share: each takes what it holds, and gives it back. */
#ifndef TLSWIRE_BASE_BUDGET_H
#define TLSWIRE_BASE_BUDGET_H

#include <stdbool.h>
#include <stddef.h>

struct budget {
    size_t left;
    bool refused; /* somebody asked for more than was left */
};

/* False when N bytes are not left.  No budget at all is one without an end. */
static inline bool budget_take(struct budget *b, size_t n)
{
    if (b && n > b->left) {
        b->refused = true;
        return false;
    }
    if (b)
        b->left -= n;
    return true;
}

static inline void budget_give(struct budget *b, size_t n)
{
    if (b)
        b->left += n;
}

#endif
