/* Compressed files of arbitrary bytes, given in pieces of arbitrary sizes: what comes out stays in its room, every step
 * goes on or ends, and a small input makes no endless output. */
#include "capture/inflate.h"

#include <stdlib.h>

#define MOST_OUT ((size_t)4 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t room[4096];
    if (size < 2)
        return 0;
    size_t piece = (size_t)data[0] + 1, target = (size_t)data[1] * 8 + 1;
    struct slice rest = slice_of(data + 2, size - 2);
    struct error e = {0};
    struct inflater *in = inflater_for(rest, &e);
    size_t all = 0;
    if (!in)
        return 0;
    if (!inflater_name(in))
        abort();
    while (all < MOST_OUT) {
        struct slice input = slice_sub(rest, 0, piece < rest.len ? piece : rest.len);
        bool last = input.len == rest.len;
        struct inflate_step step = inflate_step(in, input, last, room, target);
        if (step.used > input.len || step.made > target)
            abort();
        slice_skip(&rest, step.used);
        all += step.made;
        if (step.error || (step.made == 0 && step.used == 0 && last))
            break;
        if (step.made == 0 && step.used == 0 && piece >= rest.len)
            break;
        if (step.made == 0 && step.used == 0)
            piece *= 2; /* it waits for more than the piece has */
    }
    inflater_free(in);
    return 0;
}
