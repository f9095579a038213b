/* The reader of hex dumps over any text, and what it makes of the bytes: packets whose lengths hold. */
#include "capture/hex.h"
#include "capture/made.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void take(void *context, const struct hex_chunk *chunk)
{
    struct made *m = context;
    enum synth_side from = chunk->from_server ? SYNTH_SERVER : SYNTH_CLIENT;
    if (chunk->bytes.len == 0)
        abort();
    if (chunk->kind == HEX_STREAM)
        made_stream(m, from, chunk->bytes);
    else if (chunk->kind == HEX_MESSAGE)
        made_message(m, from, chunk->content_type, chunk->bytes);
    else if (!made_guess(m, chunk->bytes))
        made_records(m, chunk->bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_of(data, size);
    struct made *m = made_new();
    struct packet p;
    uint64_t number = 0;
    if (!m)
        return 0;
    (void)hex_is_trace(text);
    (void)hex_read(text, take, m);
    made_stream_end(m);
    struct slice client = slice_take(&text, size / 2);
    made_two_sides(m, client, text);
    struct buf decoded = {.ceiling = 1 << 20};
    if (base64_read(client, &decoded))
        (void)made_guess(m, buf_slice(&decoded));
    buf_free(&decoded);
    while (made_next(m, &p))
        if (p.number != ++number || p.bytes.len != p.caplen)
            abort();
    if (number != made_count(m))
        abort();
    made_free(m);
    return 0;
}
