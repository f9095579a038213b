/* -j and -J: which protocols and items keep what is in them. */
#ifndef TLSWIRE_PRINT_KEEP_H
#define TLSWIRE_PRINT_KEEP_H

#include "base/slice.h"

#include <stdbool.h>

struct keep {
    const char *names; /* with spaces between; NULL: everything is kept; borrowed */
    bool children;     /* -J: and all below them */
};

/* True when NAME is one of the names, letter for letter. */
bool keep_has(const struct keep *keep, struct slice name);
/* The filter that holds inside of an item that was kept. */
struct keep keep_inside(const struct keep *keep);

#endif
