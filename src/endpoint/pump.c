#include "endpoint/pump.h"

#include <stdlib.h>
#include <string.h>

struct write_request {
    uv_write_t request;
    struct pump *pump;
    uint8_t bytes[];
};

void pump_init(struct pump *p, struct answer *answer, uv_stream_t *to, uv_stream_t *from,
               void (*ended)(struct pump *, int status))
{
    *p = (struct pump){.answer = answer, .to = to, .from = from, .ended = ended};
    to->data = from->data = p;
}

static void give_scratch(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    struct pump *p = handle->data;
    (void)suggested;
    *buffer = p->answer ? uv_buf_init((char *)p->answer->link->scratch, LINK_SCRATCH)
                        : uv_buf_init(NULL, 0);
}

static void arrived(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    struct pump *p = stream->data;
    if (count == 0 || !p->answer)
        return;
    if (count < 0) {
        uv_read_stop(stream);
        p->reading = false;
        p->ended(p, count == UV_EOF ? 0 : (int)count);
        return;
    }
    struct link *l = p->answer->link;
    if (!link_write(l, slice_of(buffer->base, (size_t)count)) || link_queued(l) >= LINK_HIGH) {
        uv_read_stop(stream);
        p->reading = false;
    }
}

void pump_start(struct pump *p)
{
    p->reading = uv_read_start(p->from, give_scratch, arrived) == 0;
}

void pump_writable(struct pump *p)
{
    if (!p->reading && !uv_is_closing((uv_handle_t *)p->from) && uv_is_readable(p->from))
        pump_start(p);
}

static void written(uv_write_t *request, int status)
{
    struct write_request *w = (struct write_request *)(void *)request;
    struct pump *p = w->pump;
    free(w);
    if (!p->answer || status == UV_ECANCELED)
        return;
    if (status != 0)
        p->over = true; /* what it still says is read to its end */
    if (status != 0 || uv_stream_get_write_queue_size(p->to) < LINK_LOW)
        link_resume(p->answer->link);
}

bool pump_send(struct pump *p, struct slice bytes)
{
    uv_buf_t buffer = uv_buf_init((char *)(uintptr_t)bytes.data, (unsigned)bytes.len);
    if (p->over || uv_is_closing((uv_handle_t *)p->to))
        return false;
    int sent = uv_try_write(p->to, &buffer, 1);
    if (sent < 0 && sent != UV_EAGAIN) {
        p->over = true;
        return false;
    }
    bytes = slice_sub(bytes, sent > 0 ? (size_t)sent : 0, SIZE_MAX);
    if (bytes.len == 0)
        return true;
    struct write_request *w = malloc(sizeof(*w) + bytes.len);
    if (!w)
        return false;
    w->pump = p;
    buffer = uv_buf_init((char *)w->bytes, (unsigned)bytes.len);
    (void)slice_read(&bytes, w->bytes, bytes.len);
    if (uv_write(&w->request, p->to, &buffer, 1, written) != 0) {
        free(w);
        return false;
    }
    if (uv_stream_get_write_queue_size(p->to) >= LINK_HIGH)
        link_pause(p->answer->link);
    return true;
}

static void shut(uv_shutdown_t *request, int status)
{
    (void)status;
    free(request);
}

void pump_finish(struct pump *p)
{
    uv_shutdown_t *request = p->over ? NULL : malloc(sizeof(*request));
    p->over = true;
    if (request && uv_shutdown(request, p->to, shut) != 0)
        free(request);
}
