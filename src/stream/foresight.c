#include "stream/foresight.h"

#include <stdlib.h>

void foresight_free(struct foresight *f)
{
    free(f->streams);
    f->streams = NULL;
    buf_free(&f->joined);
    buf_free(&f->messages);
}

/* Sets the number at INDEX, with zeros before it where there was nothing. */
static void set(struct buf *b, uint32_t index, uint32_t value)
{
    size_t end = ((size_t)index + 1) * sizeof value;
    if (b->len < end)
        buf_fill(b, 0, end - b->len);
    if (b->len >= end)
        memcpy(b->data + end - sizeof value, &value, sizeof value);
}

static uint32_t get(const struct buf *b, uint32_t index)
{
    struct slice s = slice_sub(buf_slice(b), (size_t)index * sizeof(uint32_t), sizeof(uint32_t));
    uint32_t value = 0;
    return slice_read(&s, &value, sizeof value) ? value : 0;
}

void foresight_joined(struct foresight *f, uint32_t frame, uint32_t later)
{
    if (frame != later)
        set(&f->joined, frame, later);
}

void foresight_message(struct foresight *f, uint32_t frame, uint32_t later)
{
    set(&f->messages, frame, later);
}

void foresight_streams(struct foresight *f, const struct flow_table *table,
                       uint16_t (*version_of)(const struct flow *))
{
    free(f->streams);
    f->streams = calloc(table->streams ? table->streams : 1, sizeof *f->streams);
    f->stream_count = f->streams ? table->streams : 0;
    f->failed |= !f->streams;
    for (const struct flow *flow = table->flows; flow; flow = flow->next)
        if (flow->stream < f->stream_count)
            f->streams[flow->stream] = (struct stream_end){.initial_rtt = flow->initial_rtt,
                                                           .version = version_of(flow),
                                                           .completeness = flow->completeness};
}

const struct stream_end *foresight_of_stream(const struct foresight *f, uint32_t stream)
{
    return f && stream < f->stream_count ? &f->streams[stream] : NULL;
}

uint32_t foresight_joined_in(const struct foresight *f, uint32_t frame)
{
    return f ? get(&f->joined, frame) : 0;
}

uint32_t foresight_message_in(const struct foresight *f, uint32_t frame)
{
    return f ? get(&f->messages, frame) : 0;
}

bool foresight_failed(const struct foresight *f)
{
    return f->failed || f->joined.failed || f->messages.failed;
}
