/* HTTP: a page about the connection. */
#include "endpoint/answer.h"

#include "base/buf.h"
#include "endpoint/status_page.h"

#include <stdlib.h>

static void answer_request(struct answer *a, enum request_state state)
{
    struct buf page = {.ceiling = 512 * 1024}, *request = a->state;
    struct slice head = buf_slice(request);
    bool head_only = slice_is(slice_sub(head, 0, 5), "HEAD ");
    if (state == REQUEST_BAD)
        status_refusal(&page, 400);
    else if (!head_only && !slice_is(slice_sub(head, 0, 4), "GET "))
        status_refusal(&page, 405);
    else
        status_page(&page, a->link->tls.ssl, &a->link->report, head_only);
    link_write(a->link, buf_slice(&page));
    link_close(a->link);
    buf_free(&page);
}

static void begin(struct answer *a)
{
    struct buf *request = calloc(1, sizeof(*request));
    if (!request) {
        link_fail(a->link, "no memory");
        return;
    }
    request->ceiling = REQUEST_CEILING;
    a->state = request;
}

static void take(struct answer *a, struct slice plain)
{
    struct buf *request = a->state;
    buf_slice_put(request, slice_sub(plain, 0, REQUEST_CEILING - request->len));
    enum request_state state = status_request(buf_slice(request));
    if (state != REQUEST_UNFINISHED)
        answer_request(a, state);
}

static void forget(struct answer *a)
{
    struct buf *request = a->state;
    if (request)
        buf_free(request);
    free(request);
}

const struct answer_kind answer_www = {.name = "www", .ready = begin, .data = take, .free = forget};
