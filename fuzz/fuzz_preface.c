/* What stands before TLS, of arbitrary bytes: its length stays inside them, and does not depend on what lies behind them. */
#include "stream/preface.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* Its own allocation, so that a read past the end is seen. */
    uint8_t *copy = malloc(size ? size : 1);
    if (!copy)
        return 0;
    if (size)
        memcpy(copy, data, size);
    struct slice bytes = slice_of(copy, size);
    for (int asked = 0; asked < 2; asked++)
        if (preface_length(bytes, asked != 0) > size)
            abort();
    if (preface_asks(bytes) && size < 8)
        abort();
    if (preface_is_http(bytes) && size < 4)
        abort();
    free(copy);
    return 0;
}
