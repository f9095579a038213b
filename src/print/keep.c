#include "print/keep.h"

#include <string.h>

bool keep_has(const struct keep *keep, struct slice name)
{
    if (!keep->names)
        return true;
    for (const char *at = keep->names;; at++) {
        size_t len = strcspn(at, " ");
        if (len == name.len && memcmp(at, name.data, len) == 0)
            return true;
        at += len;
        if (*at == '\0')
            return false;
    }
}

struct keep keep_inside(const struct keep *keep)
{
    return keep->children ? (struct keep){0} : *keep;
}
