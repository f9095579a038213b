/* The name that was probably meant. */
#ifndef TLSWIRE_CLI_NEAREST_H
#define TLSWIRE_CLI_NEAREST_H

#include <stddef.h>

/* Best of the names offered so far; start with {.wanted = …}. */
struct nearest {
    const char *wanted;
    const char *best; /* NULL: none is near */
    size_t distance;
};

/* NAME is borrowed. */
void nearest_offer(struct nearest *n, const char *name);
/* The field or protocol nearest to WANTED; NULL when none is near. */
const char *nearest_field(const char *wanted);

#endif
