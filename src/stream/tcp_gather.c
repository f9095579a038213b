#include "stream/reassembly.h"

#include "stream/tcp.h"

#include <stdlib.h>

#define MAX_PDU     ((size_t)1 << 20)
#define MAX_PARTS   (64 * 1024 * sizeof(struct tcp_part))
#define MAX_REPEATS 1024              /* parts in one record that repeat bytes of others */
#define KEPT_SPACE  ((size_t)1 << 17) /* larger buffers are not kept in the pool */

struct tcp_gathered *tcp_pool_take(struct tcp_pool *pool)
{
    struct tcp_gathered *g =
        pool->idle_count > 0 ? pool->idle[--pool->idle_count] : calloc(1, sizeof *g);
    if (!g)
        return NULL;
    buf_clear(&g->bytes);
    buf_clear(&g->parts);
    g->repeats = 0;
    g->bytes.ceiling = MAX_PDU;
    g->parts.ceiling = MAX_PARTS;
    return g;
}

static void gathered_free(struct tcp_gathered *g)
{
    if (g) {
        buf_free(&g->bytes);
        buf_free(&g->parts);
        free(g);
    }
}

void tcp_pool_give(struct tcp_pool *pool, struct tcp_gathered **gathered)
{
    struct tcp_gathered *g = *gathered;
    if (g && pool->idle_count < TCP_POOL && g->bytes.cap + g->parts.cap <= KEPT_SPACE)
        pool->idle[pool->idle_count++] = g;
    else
        gathered_free(g);
    *gathered = NULL;
}

void tcp_pool_free(struct tcp_pool *pool)
{
    for (unsigned i = 0; i < pool->idle_count; i++)
        gathered_free(pool->idle[i]);
    gathered_free(pool->lent);
    *pool = (struct tcp_pool){0};
}

/* Adds a part where its offset says, behind those of the same offset. */
static void add_part(struct buf *parts, const struct tcp_part *part)
{
    size_t count = parts->len / sizeof *part;
    buf_put(parts, part, sizeof *part);
    if (parts->len / sizeof *part == count)
        return;
    struct tcp_part *list = (struct tcp_part *)(void *)parts->data;
    for (; count > 0 && list[count - 1].offset > part->offset; count--) {
        list[count] = list[count - 1];
        list[count - 1] = *part;
    }
}

void tcp_gather(struct tcp_gathered *to, struct slice bytes, uint32_t frame)
{
    struct tcp_part part = {
        .frame = frame, .len = (uint32_t)bytes.len, .offset = (uint32_t)to->bytes.len};
    if (bytes.len == 0)
        return;
    buf_slice_put(&to->bytes, bytes);
    add_part(&to->parts, &part);
}

void tcp_gather_again(struct tcp_gathered *to, uint32_t at, struct slice segment, uint32_t frame,
                      bool stray)
{
    uint32_t had = (uint32_t)to->bytes.len;
    struct slice repeated = slice_sub(segment, 0, had - at);
    struct tcp_part part = {.frame = frame, .len = (uint32_t)segment.len, .offset = at};
    if (repeated.len == 0) {
        tcp_gather(to, segment, frame);
        return;
    }
    part.conflict =
        !stray && !slice_equal(repeated, slice_sub(buf_slice(&to->bytes), at, repeated.len));
    buf_slice_put(&to->bytes, slice_sub(segment, repeated.len, SIZE_MAX));
    if (to->repeats < MAX_REPEATS) {
        to->repeats++;
        add_part(&to->parts, &part);
    } else if (part.len > repeated.len) {
        part.offset = had;
        part.len -= (uint32_t)repeated.len;
        add_part(&to->parts, &part);
    }
}

void tcp_keep_parts(struct tcp_gathered *to, struct slice parts, uint32_t from)
{
    struct tcp_part part;
    while (slice_read(&parts, &part, sizeof part)) {
        uint32_t passed = part.offset >= from ? 0 : from - part.offset;
        if (part.len <= passed)
            continue;
        part.offset += passed;
        part.offset -= from;
        part.len -= passed;
        add_part(&to->parts, &part);
    }
}
