#define ZLIB_CONST
#include "capture/inflate.h"

#include <limits.h>
#include <lz4frame.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

struct inflater {
    const char *name;
    z_stream gzip;
    ZSTD_DStream *zstd;
    LZ4F_dctx *lz4;     /* neither this nor zstd: gzip */
    const char *broken; /* what is wrong, once something is */
    bool between;       /* a member has ended, and the next has not begun */
};

static const uint8_t gzip_magic[] = {0x1f, 0x8b};
static const uint8_t zstd_magic[] = {0x28, 0xb5, 0x2f, 0xfd};
static const uint8_t lz4_magic[] = {0x04, 0x22, 0x4d, 0x18};
static const uint8_t xz_magic[] = {0xfd, '7', 'z', 'X'};
static const uint8_t bzip2_magic[] = {'B', 'Z', 'h'};

enum kind { KIND_GZIP, KIND_ZSTD, KIND_LZ4, KIND_REFUSED };

static const struct magic {
    const uint8_t *bytes;
    size_t len;
    enum kind kind;
    const char *name, *command;
} magics[] = {
    {gzip_magic, sizeof gzip_magic, KIND_GZIP, "gzip", NULL},
    {zstd_magic, sizeof zstd_magic, KIND_ZSTD, "zstd", NULL},
    {lz4_magic, sizeof lz4_magic, KIND_LZ4, "lz4", NULL},
    {xz_magic, sizeof xz_magic, KIND_REFUSED, "xz", "xz -dc"},
    {bzip2_magic, sizeof bzip2_magic, KIND_REFUSED, "bzip2", "bzip2 -dc"},
};

/* 15 bits of window, and "gzip wrapper" as zlib spells it. */
enum { GZIP_WINDOW = 15 + 16, ZSTD_WINDOW_LOG_MAX = 27 };

static const struct magic *find_magic(struct slice first)
{
    for (size_t i = 0; i < sizeof magics / sizeof magics[0]; i++)
        if (first.len >= magics[i].len && memcmp(first.data, magics[i].bytes, magics[i].len) == 0)
            return &magics[i];
    return NULL;
}

static bool start(struct inflater *in, enum kind kind)
{
    if (kind == KIND_GZIP)
        return inflateInit2(&in->gzip, GZIP_WINDOW) == Z_OK;
    if (kind == KIND_LZ4)
        return !LZ4F_isError(LZ4F_createDecompressionContext(&in->lz4, LZ4F_VERSION));
    in->zstd = ZSTD_createDStream();
    return in->zstd && !ZSTD_isError(ZSTD_DCtx_setParameter(in->zstd, ZSTD_d_windowLogMax,
                                                            ZSTD_WINDOW_LOG_MAX));
}

struct inflater *inflater_for(struct slice first, struct error *e)
{
    const struct magic *magic = find_magic(first);
    if (!magic)
        return NULL;
    if (magic->kind == KIND_REFUSED) {
        error_set(e, ERROR_FORMAT,
                  "it is compressed with %s, which is not read here; try: %s FILE | tlswire -r -",
                  magic->name, magic->command);
        return NULL;
    }
    struct inflater *in = calloc(1, sizeof *in);
    if (!in || !start(in, magic->kind)) {
        free(in);
        error_set(e, ERROR_MEMORY, "out of memory");
        return NULL;
    }
    in->name = magic->name;
    return in;
}

const char *inflater_name(const struct inflater *in)
{
    return in->name;
}

static struct inflate_step step_gzip(struct inflater *in, struct slice input, uint8_t *target,
                                     size_t size)
{
    z_stream *z = &in->gzip;
    if (in->between) { /* members may follow each other; anything else after one is padding */
        if (input.len < 2 || memcmp(input.data, gzip_magic, 2) != 0)
            return (struct inflate_step){.used = input.len};
        (void)inflateReset(z);
        in->between = false;
    }
    uInt given = input.len > UINT_MAX ? UINT_MAX : (uInt)input.len;
    uInt room = size > UINT_MAX ? UINT_MAX : (uInt)size;
    z->next_in = input.data;
    z->avail_in = given;
    z->next_out = target;
    z->avail_out = room;
    int result = inflate(z, Z_NO_FLUSH);
    struct inflate_step step = {.used = given - z->avail_in, .made = room - z->avail_out};
    if (result == Z_STREAM_END)
        in->between = true;
    else if (result != Z_OK && result != Z_BUF_ERROR)
        step.error = z->msg ? z->msg : "not valid";
    return step;
}

static struct inflate_step step_zstd(struct inflater *in, struct slice input, uint8_t *target,
                                     size_t size)
{
    ZSTD_inBuffer source = {.src = input.data, .size = input.len};
    ZSTD_outBuffer out = {.dst = target, .size = size};
    size_t result = ZSTD_decompressStream(in->zstd, &out, &source);
    struct inflate_step step = {.used = source.pos, .made = out.pos};
    if (ZSTD_isError(result))
        step.error = ZSTD_getErrorName(result);
    in->between = result == 0;
    return step;
}

/* Frames may follow each other, as the lz4 program has it. */
static struct inflate_step step_lz4(struct inflater *in, struct slice input, uint8_t *target,
                                    size_t size)
{
    struct inflate_step step = {.used = input.len, .made = size};
    size_t result = LZ4F_decompress(in->lz4, target, &step.made, input.data, &step.used, NULL);
    if (LZ4F_isError(result))
        step.error = LZ4F_getErrorName(result);
    in->between = result == 0;
    return step;
}

struct inflate_step inflate_step(struct inflater *in, struct slice input, bool last,
                                 uint8_t *target, size_t size)
{
    struct inflate_step step = {.error = in->broken};
    if (in->broken || (last && in->between))
        return step;
    step = in->zstd  ? step_zstd(in, input, target, size)
           : in->lz4 ? step_lz4(in, input, target, size)
                     : step_gzip(in, input, target, size);
    if (last && step.made == 0 && !in->between && !step.error) {
        step.cut = true;
        step.error = "it is cut short";
    }
    in->broken = step.error;
    if (step.made > 0) /* what came out before the damage is good; the error waits */
        step.error = NULL;
    return step;
}

void inflater_free(struct inflater *in)
{
    if (!in)
        return;
    if (in->zstd)
        (void)ZSTD_freeDStream(in->zstd);
    else if (in->lz4)
        (void)LZ4F_freeDecompressionContext(in->lz4);
    else
        (void)inflateEnd(&in->gzip);
    free(in);
}
