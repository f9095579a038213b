/* Private keys in files of any form, passwords and pre-shared keys: what is taken is found again, and what an
 * exchange encrypts to a key that is known is read without a fault. */
#include "crypto/key_ring.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A copy of its own, so that a sanitizer sees a read outside it. */
static uint8_t *copy_of(struct slice s)
{
    uint8_t *copy = malloc(s.len + 1);
    if (!copy)
        abort();
    memcpy(copy, s.data, s.len);
    copy[s.len] = 0;
    return copy;
}

static void files(struct key_ring *ring, struct slice input)
{
    struct slice word = slice_take(&input, slice_u8(&input) % 16);
    uint8_t *password = copy_of(word), *file = copy_of(input);
    size_t before = key_ring_private_count(ring);
    enum ring_result result =
        key_ring_private(ring, slice_of(file, input.len), word.len > 0 ? (char *)password : NULL);
    if (result == RING_TAKEN && key_ring_private_count(ring) == before)
        abort();
    uint8_t premaster[PREMASTER_SIZE];
    (void)key_ring_premaster(ring, slice_sub(slice_of(file, input.len), 0, 256), 0x0303, 0x0303,
                             premaster);
    free(password);
    free(file);
}

static void shared(struct key_ring *ring, struct slice input)
{
    for (unsigned i = 0; i < 64 && input.len > 0; i++) {
        uint8_t flags = slice_u8(&input);
        struct slice identity = slice_take(&input, flags & 31),
                     key = slice_take(&input, flags >> 5);
        bool any = (flags & 31) == 0;
        if (key_ring_psk(ring, any ? NULL : &identity, key) &&
            !slice_equal(key_ring_find_psk(ring, identity), key) && !any)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice input = slice_of(data, size);
    struct key_ring *ring = key_ring_new();
    if (!ring)
        abort();
    if (slice_u8(&input) & 1)
        shared(ring, input);
    else
        files(ring, input);
    key_ring_free(ring);
    return 0;
}
