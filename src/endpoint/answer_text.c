/* Answers without a protocol: the note's line, an echo, lines backwards. */
#include "endpoint/answer.h"

#include "base/buf.h"

#include <stdlib.h>

#define LINE_CEILING ((size_t)64 << 10) /* longer lines are turned in pieces */

/* The note's server speaks first and does not wait for a request. */
static void say_test(struct answer *a)
{
    link_write(a->link, slice_of_str("test\n"));
    link_close(a->link);
}

const struct answer_kind answer_test = {.name = "test", .ready = say_test};

/* ---- echo ---- */

static void nothing_yet(struct answer *a)
{
    (void)a;
}

/* Much waits for a peer that does not read: do not read from it, either. */
static void hold_back(struct answer *a)
{
    if (link_queued(a->link) >= LINK_HIGH)
        link_pause(a->link);
}

static void go_on(struct answer *a)
{
    link_resume(a->link);
}

static void send_back(struct answer *a, struct slice plain)
{
    link_write(a->link, plain);
    hold_back(a);
}

const struct answer_kind answer_echo = {
    .name = "echo", .ready = nothing_yet, .data = send_back, .writable = go_on};

/* ---- lines backwards ---- */

static void put_reversed(struct buf *out, struct slice line)
{
    /* "abc\r\n" becomes "cba\r\n", as s_server does it. */
    size_t len = line.len;
    while (len > 0 && (slice_at(line, len - 1) == '\n' || slice_at(line, len - 1) == '\r'))
        len--;
    for (size_t i = len; i > 0; i--)
        buf_char(out, (char)slice_at(line, i - 1));
    buf_slice_put(out, slice_sub(line, len, SIZE_MAX));
}

static void turn_lines(struct answer *a, struct slice plain)
{
    struct buf *line = a->state;
    struct buf out = {.ceiling = 2 * LINE_CEILING};
    bool over = false;
    while (plain.len > 0 && !over) {
        char c = (char)slice_u8(&plain);
        buf_char(line, c);
        if (c != '\n' && line->len < LINE_CEILING)
            continue;
        over = slice_is(buf_slice(line), "CLOSE\n"); /* s_server's word for the end */
        if (!over)
            put_reversed(&out, buf_slice(line));
        buf_clear(line);
    }
    link_write(a->link, buf_slice(&out));
    buf_free(&out);
    if (over)
        link_close(a->link);
    else
        hold_back(a);
}

static void begin_lines(struct answer *a)
{
    struct buf *line = calloc(1, sizeof(*line));
    if (!line) {
        link_fail(a->link, "no memory");
        return;
    }
    line->ceiling = LINE_CEILING;
    a->state = line;
}

static void free_line(struct answer *a)
{
    struct buf *line = a->state;
    if (line)
        buf_free(line);
    free(line);
}

static void last_line(struct answer *a)
{
    struct buf *line = a->state, out = {.ceiling = LINE_CEILING};
    put_reversed(&out, buf_slice(line));
    link_write(a->link, buf_slice(&out));
    buf_free(&out);
    link_close(a->link);
}

const struct answer_kind answer_rev = {
    .name = "rev",
    .ready = begin_lines,
    .data = turn_lines,
    .peer_closed = last_line,
    .writable = go_on,
    .free = free_line,
};
