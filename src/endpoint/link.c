#include "endpoint/link.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DRAIN_CEILING ((size_t)4 << 20) /* bytes of a peer that does not stop */
#define WRITE_MS      30000
#define KEY_UPDATES   1000              /* each makes us work more than the peer */
#define QUEUE_CEILING ((size_t)8 << 20) /* bytes for a peer that does not read */

struct write_request {
    uv_write_t request;
    struct link *link;
    uint8_t bytes[];
};

static void lost(struct link *, const char *what, int status);

static void handle_closed(uv_handle_t *handle)
{
    struct link *l = handle->data;
    if (--l->open_handles > 0)
        return;
    tls_pipe_free(&l->tls);
    mischief_free(l->mischief);
    l->owner->gone(l);
}

bool link_init(struct link *l, uv_loop_t *loop, struct error *e)
{
    int status = uv_tcp_init(loop, &l->tcp);
    if (status != 0)
        return error_set(e, ERROR_NETWORK, "cannot make a socket: %s", uv_strerror(status));
    uv_timer_init(loop, &l->timer);
    l->tcp.data = l->timer.data = l;
    l->open_handles = 2;
    l->state = LINK_IDLE;
    return true;
}

void link_abort(struct link *l, bool reset)
{
    if (l->state == LINK_CLOSED)
        return;
    int64_t now = endpoint_now_ns();
    l->state = LINK_CLOSED;
    if (l->opened && reset && l->hooks->on_end)
        l->hooks->on_end(l->hooks->user, l->report.id,
                         l->resets ? ENDPOINT_SENT : ENDPOINT_RECEIVED, true, now);
    if (l->opened && l->hooks->on_close)
        l->hooks->on_close(l->hooks->user, &l->report, now);
    /* A peer that does not read keeps what was sent to it in the kernel, unless the end is abrupt. */
    if (!reset || uv_tcp_close_reset(&l->tcp, handle_closed) != 0)
        uv_close((uv_handle_t *)&l->tcp, handle_closed);
    uv_close((uv_handle_t *)&l->timer, handle_closed);
}

static void time_is_up(uv_timer_t *);

static uint64_t write_limit(const struct link *l)
{
    return l->limits.write_ms ? l->limits.write_ms : WRITE_MS;
}

/* A peer that reads slowly is waited for, one that does not read is not. */
static void look_at_open(struct link *l)
{
    uint64_t quiet = uv_now(l->timer.loop) - l->active, wait = l->limits.idle_ms - quiet;
    size_t queued = link_queued(l);
    if (queued > 0 && queued >= l->left) {
        lost(l, "the peer does not read", UV_ETIMEDOUT);
    } else if (queued > 0) {
        l->left = queued;
        uv_timer_start(&l->timer, time_is_up, write_limit(l), 0);
    } else if (l->limits.idle_ms > 0 && quiet >= l->limits.idle_ms) {
        tls_pipe_close(&l->tls);
        link_fail(l, "nothing came for too long");
    } else if (l->limits.idle_ms > 0) {
        uv_timer_start(&l->timer, time_is_up, wait, 0);
    }
}

static void time_is_up(uv_timer_t *timer)
{
    struct link *l = timer->data;
    if (l->held) {
        link_abort(l, false);
    } else if (l->state == LINK_HANDSHAKE || l->state == LINK_PLAIN) {
        char text[96];
        snprintf(text, sizeof(text), "the peer did not %s within %llu s",
                 l->state == LINK_PLAIN ? "agree to TLS" : "finish the handshake",
                 (unsigned long long)l->limits.handshake_ms / 1000);
        link_fail(l, text);
    } else if (l->state == LINK_OPEN) {
        look_at_open(l);
    } else if (link_queued(l) > 0 && link_queued(l) < l->left) {
        l->left = link_queued(l); /* slow, but it moves: nothing that was written gets lost */
        link_touch(l);
    } else {
        link_abort(l, false);
    }
}

void link_touch(struct link *l)
{
    l->active = uv_now(l->timer.loop);
    bool beginning = l->state == LINK_HANDSHAKE || l->state == LINK_PLAIN;
    uint64_t ms = beginning               ? l->limits.handshake_ms
                  : l->state == LINK_OPEN ? l->limits.idle_ms
                                          : l->limits.linger_ms;
    if (l->state == LINK_CLOSED || l->held)
        return;
    if (ms > 0)
        uv_timer_start(&l->timer, time_is_up, ms, 0);
    else
        uv_timer_stop(&l->timer);
}

size_t link_queued(const struct link *l)
{
    return uv_stream_get_write_queue_size((const uv_stream_t *)&l->tcp);
}

static void give_scratch(uv_handle_t *, size_t, uv_buf_t *);
static void arrived(uv_stream_t *, ssize_t, const uv_buf_t *);
static void read_plain(struct link *);

static void lost(struct link *l, const char *what, int status)
{
    /* Clients that have all they wanted close without reading close_notify, which is an RST. */
    bool over = l->state == LINK_CLOSED || (l->state == LINK_DRAINING && link_queued(l) == 0);
    if (!l->report.error[0] && !over) {
        l->report.truncated =
            status == UV_ECONNRESET && l->state == LINK_OPEN && !l->report.peer_said_close;
        snprintf(l->report.error, sizeof(l->report.error), "%s: %s", what, uv_strerror(status));
        if (l->hooks->on_error)
            l->hooks->on_error(l->hooks->user, l->report.id, l->report.error);
    }
    link_abort(l, true);
}

static void written(uv_write_t *request, int status)
{
    struct write_request *w = (struct write_request *)(void *)request;
    struct link *l = w->link;
    free(w);
    if (status != 0 && status != UV_ECANCELED)
        lost(l, "the connection broke while sending", status);
    if (status != 0 || l->state != LINK_OPEN)
        return;
    l->active = uv_now(l->timer.loop);
    if (l->full && link_queued(l) < LINK_LOW) {
        l->full = false;
        if (l->owner->writable)
            l->owner->writable(l);
    }
}

/* What the socket did not take at once waits in a copy of its own. */
static int queue(struct link *l, struct slice rest)
{
    size_t before = link_queued(l);
    struct write_request *w =
        before + rest.len > QUEUE_CEILING ? NULL : malloc(sizeof(*w) + rest.len);
    if (!w)
        return UV_ENOBUFS;
    if (before == 0 && l->state == LINK_OPEN) {
        l->left = SIZE_MAX;
        uv_timer_start(&l->timer, time_is_up, write_limit(l), 0);
    }
    w->link = l;
    memcpy(w->bytes, rest.data, rest.len);
    uv_buf_t buffer = uv_buf_init((char *)w->bytes, (unsigned)rest.len);
    int status = uv_write(&w->request, (uv_stream_t *)&l->tcp, &buffer, 1, written);
    if (status != 0)
        free(w);
    else
        l->full = l->full || link_queued(l) >= LINK_LOW;
    return status;
}

static void to_socket(struct link *l, struct slice out)
{
    int64_t now = endpoint_now_ns();
    uv_buf_t buffer = uv_buf_init((char *)(uintptr_t)out.data, (unsigned)out.len);
    int sent = uv_try_write((uv_stream_t *)&l->tcp, &buffer, 1);
    int status = sent < 0 && sent != UV_EAGAIN ? sent : 0;
    size_t gone = sent > 0 ? (size_t)sent : 0;
    if (gone > 0 && l->state == LINK_OPEN)
        l->active = uv_now(l->timer.loop);
    if (status == 0 && gone < out.len)
        status = queue(l, slice_sub(out, gone, SIZE_MAX));
    if (status == UV_ENOBUFS)
        lost(l, "the peer does not read", status);
    else if (status != 0)
        lost(l, "the connection broke while sending", status);
    else if (l->hooks->on_bytes)
        l->hooks->on_bytes(l->hooks->user, l->report.id, ENDPOINT_SENT, out, now);
}

/* What mischief makes of it, and the end of the connection when that is what it wants. */
static void to_mischief(struct link *l, struct slice out)
{
    struct slice piece;
    mischief_take(l->mischief, out);
    tls_pipe_output_taken(&l->tls);
    while (l->state != LINK_CLOSED && mischief_next(l->mischief, &piece))
        to_socket(l, piece);
    enum mischief_end end = mischief_verdict(l->mischief);
    if (l->state == LINK_CLOSED || end == MISCHIEF_GOES_ON)
        return;
    if (end == MISCHIEF_ENDS) {
        link_fail(l, mischief_text(l->mischief));
        return;
    }
    snprintf(l->report.error, sizeof(l->report.error), "%s", mischief_text(l->mischief));
    tls_pipe_report(&l->tls, &l->report);
    if (l->hooks->on_error)
        l->hooks->on_error(l->hooks->user, l->report.id, l->report.error);
    l->held = end == MISCHIEF_HOLDS;
    l->resets = end == MISCHIEF_RESETS;
    if (l->resets)
        link_abort(l, true);
    else
        uv_timer_start(&l->timer, time_is_up, l->limits.handshake_ms, 0);
}

/* Moves what TLS has to say to the socket. */
static void flush(struct link *l)
{
    struct slice out = tls_pipe_output(&l->tls);
    if (l->state == LINK_CLOSED || out.len == 0)
        return;
    if (l->mischief)
        to_mischief(l, out);
    else
        to_socket(l, out);
    tls_pipe_output_taken(&l->tls);
}

static void shut(uv_shutdown_t *request, int status)
{
    struct link *l = request->data;
    free(request);
    if (l->state == LINK_CLOSED)
        return;
    if (status != 0) {
        link_abort(l, true); /* an RST came: the peer is gone already */
        return;
    }
    l->fin_sent = true;
    if (l->hooks->on_end)
        l->hooks->on_end(l->hooks->user, l->report.id, ENDPOINT_SENT, false, endpoint_now_ns());
    if (l->fin_received)
        link_abort(l, false);
}

/* FIN after everything that is queued, then wait for the peer's: closing with unread bytes would
 * send an RST, which can destroy the alert or data that the peer has not read yet. */
static void drain(struct link *l)
{
    if (l->state == LINK_CLOSED || l->state == LINK_DRAINING)
        return;
    l->state = LINK_DRAINING;
    l->left = SIZE_MAX;
    link_resume(l); /* what still comes must be read, or an RST is sent */
    if (l->held)
        return;
    uv_shutdown_t *request = malloc(sizeof(*request));
    if (request)
        request->data = l;
    if (!request || uv_shutdown(request, (uv_stream_t *)&l->tcp, shut) != 0) {
        free(request);
        link_abort(l, true);
        return;
    }
    link_touch(l);
}

void link_close(struct link *l)
{
    if (l->state == LINK_OPEN) {
        tls_pipe_close(&l->tls);
        flush(l);
    }
    drain(l);
}

void link_fail(struct link *l, const char *text)
{
    if (l->state == LINK_CLOSED || l->state == LINK_DRAINING)
        return;
    snprintf(l->report.error, sizeof(l->report.error), "%s", text);
    tls_pipe_report(&l->tls, &l->report);
    if (l->hooks->on_error)
        l->hooks->on_error(l->hooks->user, l->report.id, l->report.error);
    flush(l); /* the alert */
    drain(l);
}

static void tls_failed(struct link *l)
{
    char text[256];
    tls_pipe_explain(&l->tls, text, sizeof(text));
    link_fail(l, text);
}

bool link_write(struct link *l, struct slice plain)
{
    if (l->state != LINK_OPEN)
        return false;
    if (!tls_pipe_write(&l->tls, plain)) {
        tls_failed(l);
        return false;
    }
    flush(l);
    return l->state == LINK_OPEN;
}

static void peer_is_done(struct link *l)
{
    if (l->peer_closed)
        return;
    l->peer_closed = true;
    l->owner->peer_closed(l);
}

static void read_plain(struct link *l)
{
    uint8_t plain[16384];
    if (l->reading)
        return;
    l->reading = true;
    while ((l->state == LINK_OPEN && !l->paused) || l->state == LINK_DRAINING) {
        size_t len = 0;
        enum tls_progress progress = tls_pipe_read(&l->tls, plain, sizeof(plain), &len);
        if (l->tls.key_updates > KEY_UPDATES && l->state == LINK_OPEN) {
            link_fail(l, "the peer asked for too many key updates");
            break;
        }
        if (progress == TLS_DONE) {
            if (l->state == LINK_OPEN)
                l->owner->data(l, slice_of(plain, len));
            continue; /* the owner may have changed the state */
        }
        if (progress == TLS_CLOSED) {
            l->report.peer_said_close = true;
            peer_is_done(l);
        } else if (progress == TLS_FAILED && l->state == LINK_OPEN) {
            tls_failed(l);
        }
        break;
    }
    l->reading = false;
    flush(l); /* answers to KeyUpdate and the like */
}

void link_pause(struct link *l)
{
    if (l->state != LINK_OPEN || l->paused)
        return;
    l->paused = true;
    uv_read_stop((uv_stream_t *)&l->tcp);
}

void link_resume(struct link *l)
{
    if (!l->paused)
        return;
    l->paused = false;
    if (l->state == LINK_CLOSED || l->fin_received)
        return;
    uv_read_start((uv_stream_t *)&l->tcp, give_scratch, arrived);
    if (l->state == LINK_OPEN)
        read_plain(l);
}

/* Early data can have been replayed from another connection until the handshake is finished (RFC
 * 9846 8): they wait for that, and the owner is told how many of its first bytes they are. */
static void give_early(struct link *l)
{
    if (l->tls.early.len == 0 || l->state != LINK_OPEN)
        return;
    l->owner->data(l, buf_slice(&l->tls.early));
    buf_free(&l->tls.early);
}

static void step(struct link *l)
{
    if (l->state == LINK_HANDSHAKE) {
        enum tls_progress progress = tls_pipe_handshake(&l->tls);
        if (progress == TLS_FAILED) {
            tls_failed(l);
            return;
        }
        if (progress == TLS_CLOSED) {
            link_fail(l, "the peer said close_notify during the handshake");
            return;
        }
        flush(l);
        if (progress == TLS_AGAIN || l->state != LINK_HANDSHAKE || l->report.error[0])
            return;
        l->state = LINK_OPEN;
        tls_pipe_report(&l->tls, &l->report);
        link_touch(l);
        if (l->hooks->on_handshake)
            l->hooks->on_handshake(l->hooks->user, &l->report);
        if (l->hooks->on_tls)
            l->hooks->on_tls(l->hooks->user, &l->report, l->tls.ssl);
        l->owner->ready(l);
        give_early(l);
    }
    if (!l->report.error[0])
        read_plain(l);
}

static void ended(struct link *l)
{
    l->fin_received = true;
    if (l->hooks->on_end)
        l->hooks->on_end(l->hooks->user, l->report.id, ENDPOINT_RECEIVED, false, endpoint_now_ns());
    uv_read_stop((uv_stream_t *)&l->tcp);
    if (l->held)
        link_abort(l, false);
    else if (l->state == LINK_HANDSHAKE)
        link_fail(l, "the peer closed the connection during the handshake");
    else if (l->state == LINK_PLAIN)
        link_fail(l, "the peer closed the connection before it agreed to TLS");
    else if (l->state == LINK_OPEN) {
        l->report.truncated = !l->report.peer_said_close;
        peer_is_done(l);
    }
    if (l->state == LINK_DRAINING && l->fin_sent)
        link_abort(l, false);
}

static void give_scratch(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    (void)suggested;
    struct link *l = handle->data;
    *buffer = uv_buf_init((char *)l->scratch, LINK_SCRATCH);
}

static void arrived(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    struct link *l = stream->data;
    if (count == 0)
        return;
    if (count == UV_EOF) {
        ended(l);
        return;
    }
    if (count < 0) {
        lost(l, "the connection broke", (int)count);
        return;
    }
    struct slice bytes = slice_of(buffer->base, (size_t)count);
    if (l->hooks->on_bytes)
        l->hooks->on_bytes(l->hooks->user, l->report.id, ENDPOINT_RECEIVED, bytes,
                           endpoint_now_ns());
    if (l->state == LINK_DRAINING && (l->drained += bytes.len) > DRAIN_CEILING) {
        link_abort(l, true);
        return;
    }
    if (l->report.error[0])
        return; /* TLS is over; the bytes are only read so that no RST is sent */
    if (l->state == LINK_PLAIN) {
        l->owner->plain(l, bytes);
        return;
    }
    if (!tls_pipe_feed(&l->tls, bytes)) {
        link_fail(l, "no memory");
        return;
    }
    l->active = uv_now(l->timer.loop);
    step(l);
}

static void keylog(void *user, const char *line)
{
    struct link *l = user;
    if (l->mischief)
        mischief_keylog(l->mischief, line);
    if (l->hooks->on_keylog)
        l->hooks->on_keylog(l->hooks->user, l->report.id, line);
}

static void message_sent(void *user, int content_type, struct slice what)
{
    struct link *l = user;
    if (l->mischief)
        mischief_listen(l->mischief, content_type, what);
}

static void state_changed(void *user, const char *text)
{
    struct link *l = user;
    l->hooks->on_state(l->hooks->user, l->report.id, text);
}

/* The TCP connection stands: it has ends, and a place in the record. */
static void open_for(struct link *l, enum link_state next)
{
    int local_len = sizeof(l->report.local), peer_len = sizeof(l->report.peer);
    l->state = next;
    if (!l->opened) {
        uv_tcp_getsockname(&l->tcp, (struct sockaddr *)&l->report.local, &local_len);
        uv_tcp_getpeername(&l->tcp, (struct sockaddr *)&l->report.peer, &peer_len);
        uv_tcp_nodelay(&l->tcp, 1);
        l->tls.on_keylog = keylog;
        l->tls.on_state = l->hooks->on_state ? state_changed : NULL;
        l->tls.on_sent = message_sent;
        l->tls.user = l;
        l->tls.local = &l->report.local;
        l->opened = true;
        if (l->hooks->on_open)
            l->hooks->on_open(l->hooks->user, &l->report, endpoint_now_ns());
        int status = uv_read_start((uv_stream_t *)&l->tcp, give_scratch, arrived);
        if (status != 0)
            lost(l, "cannot read from the connection", status);
    }
    link_touch(l);
}

void link_start(struct link *l)
{
    open_for(l, LINK_HANDSHAKE);
    if (l->state == LINK_HANDSHAKE)
        step(l);
}

void link_start_plain(struct link *l)
{
    open_for(l, LINK_PLAIN);
}

bool link_write_plain(struct link *l, struct slice bytes)
{
    if (l->state != LINK_PLAIN)
        return false;
    buf_slice_put(&l->tls.out, bytes);
    flush(l);
    return l->state == LINK_PLAIN;
}
