#define ZLIB_CONST
#include "dissect/expand.h"

#include <brotli/decode.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

enum { ZLIB = 1, BROTLI, ZSTD };

/* Chains of certificates shrink to a half, rarely to a tenth. */
#define MOST_EVER  ((uint32_t)1 << 20)
#define MOST_RATIO 64u
#define LEAST      ((uint32_t)16 * 1024)
#define MOST_WORK  ((size_t)8 << 20) /* of a decoder's own memory */

uint32_t expand_most(uint32_t len)
{
    if (len >= (MOST_EVER - LEAST) / MOST_RATIO)
        return MOST_EVER;
    return LEAST + len * MOST_RATIO;
}

static void *take(void *work, size_t size)
{
    return arena_alloc(work, size);
}

static void *take_items(void *work, unsigned count, unsigned size)
{
    return arena_alloc(work, (size_t)count * size);
}

static void give(void *work, void *at)
{
    (void)work; /* all goes at once, before the next certificate */
    (void)at;
}

static enum expand_result expand_zlib(struct expander *x, struct slice in, uint8_t *out,
                                      uint32_t room, uint32_t *made)
{
    z_stream z = {.zalloc = take_items, .zfree = give, .opaque = &x->work};
    z.next_in = in.data;
    z.avail_in = (uInt)in.len;
    z.next_out = out;
    z.avail_out = room;
    if (inflateInit(&z) != Z_OK)
        return EXPAND_TOO_MUCH;
    int result = inflate(&z, Z_FINISH);
    *made = room - z.avail_out;
    (void)inflateEnd(&z);
    if (result == Z_STREAM_END || (result == Z_BUF_ERROR && z.avail_out > 0))
        return EXPAND_DONE;
    return result == Z_BUF_ERROR || result == Z_OK ? EXPAND_TOO_MUCH : EXPAND_DAMAGED;
}

static enum expand_result expand_brotli(struct expander *x, struct slice in, uint8_t *out,
                                        uint32_t room, uint32_t *made)
{
    BrotliDecoderState *d = BrotliDecoderCreateInstance(take, give, &x->work);
    size_t given = in.len, left = room;
    const uint8_t *from = in.data;
    if (!d)
        return EXPAND_TOO_MUCH;
    BrotliDecoderResult result = BrotliDecoderDecompressStream(d, &given, &from, &left, &out, NULL);
    bool memory = BrotliDecoderGetErrorCode(d) <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES;
    BrotliDecoderDestroyInstance(d);
    *made = room - (uint32_t)left;
    if (result == BROTLI_DECODER_RESULT_ERROR)
        return memory ? EXPAND_TOO_MUCH : EXPAND_DAMAGED;
    return result == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT ? EXPAND_TOO_MUCH : EXPAND_DONE;
}

static enum expand_result expand_zstd(struct expander *x, struct slice in, uint8_t *out,
                                      uint32_t room, uint32_t *made)
{
    struct slice first = in;
    if (slice_u32(&first) != 0x28b52ffd) /* the formats before RFC 8878 are not for TLS */
        return EXPAND_DAMAGED;
    if (!x->zstd)
        x->zstd = ZSTD_createDCtx();
    if (!x->zstd)
        return EXPAND_TOO_MUCH;
    size_t result = ZSTD_decompressDCtx(x->zstd, out, room, in.data, in.len);
    if (ZSTD_isError(result))
        return ZSTD_getErrorCode(result) == ZSTD_error_dstSize_tooSmall ? EXPAND_TOO_MUCH
                                                                        : EXPAND_DAMAGED;
    *made = (uint32_t)result;
    return EXPAND_DONE;
}

enum expand_result expand(struct expander *x, unsigned algorithm, struct slice in, uint8_t *out,
                          uint32_t *made)
{
    static enum expand_result (*const decoders[])(struct expander *, struct slice, uint8_t *,
                                                  uint32_t, uint32_t *) = {
        [ZLIB] = expand_zlib, [BROTLI] = expand_brotli, [ZSTD] = expand_zstd};
    *made = 0;
    if (algorithm < ZLIB || algorithm > ZSTD)
        return EXPAND_UNKNOWN;
    x->work.ceiling = MOST_WORK;
    if (x->work.total > MOST_WORK / 2) /* blocks of odd sizes have piled up */
        arena_free(&x->work);
    arena_reset(&x->work);
    return decoders[algorithm](x, in, out, expand_most((uint32_t)in.len), made);
}

void expander_free(struct expander *x)
{
    arena_free(&x->work);
    (void)ZSTD_freeDCtx(x->zstd);
    x->zstd = NULL;
}
