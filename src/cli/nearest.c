#include "cli/nearest.h"

#include "schema/schema.h"

#include <string.h>

#define LONGEST 96

static size_t smallest(size_t a, size_t b, size_t c)
{
    size_t less = a < b ? a : b;
    return less < c ? less : c;
}

/* How many letters must be changed, added or removed to turn A into B (Levenshtein). */
static size_t distance(const char *a, const char *b)
{
    size_t a_len = strlen(a), b_len = strlen(b);
    size_t row[LONGEST + 1];
    if (a_len > LONGEST || b_len > LONGEST)
        return LONGEST;
    for (size_t j = 0; j <= b_len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        size_t corner = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t above = row[j];
            row[j] = smallest(above + 1, row[j - 1] + 1, corner + (a[i - 1] != b[j - 1]));
            corner = above;
        }
    }
    return row[b_len];
}

void nearest_offer(struct nearest *n, const char *name)
{
    size_t len = strlen(n->wanted);
    size_t allowed = len < 3 ? 1 : len < 9 ? 2 : len / 4;
    if (n->best)
        allowed = n->distance > 0 ? n->distance - 1 : 0;
    if (*name == '\0' || (n->best && n->distance == 0))
        return;
    size_t found = distance(n->wanted, name);
    if (found > allowed)
        return;
    n->best = name;
    n->distance = found;
}

const char *nearest_field(const char *wanted)
{
    struct nearest n = {.wanted = wanted};
    for (enum field_id id = 1; id < FIELD_COUNT; id++)
        nearest_offer(&n, fields[id].abbrev);
    return n.best;
}
