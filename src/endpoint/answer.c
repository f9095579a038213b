#include "endpoint/answer.h"

#include "endpoint/upstream.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct answer_kind *const kinds[ANSWER_COUNT] = {
    [ANSWER_TEST] = &answer_test,
    [ANSWER_ECHO] = &answer_echo,
    [ANSWER_REV] = &answer_rev,
    [ANSWER_WWW] = &answer_www,
    [ANSWER_FILES] = &answer_files,
    [ANSWER_RESPONSES] = &answer_responses,
    [ANSWER_EXEC] = &answer_exec,
    [ANSWER_PROXY] = &answer_proxy,
    [ANSWER_PROXY_TLS] = &answer_proxy_tls,
};

bool answers_prepare(struct answers *a, const struct answer_config *config, uv_loop_t *loop,
                     struct error *e)
{
    *a = (struct answers){
        .config = *config, .kind = kinds[config->name], .loop = loop, .folder = -1};
    return !a->kind->prepare || a->kind->prepare(a, e);
}

void answers_free(struct answers *a)
{
    if (a->kind && a->folder >= 0)
        close(a->folder);
    a->folder = -1;
    upstream_free(a->upstream);
    a->upstream = NULL;
}

void answer_open(struct answer *a, struct answers *answers, struct link *link)
{
    *a = (struct answer){.answers = answers, .link = link};
    link->tls.keep_hello = answers->kind->wants_hello;
}

void *answer_state(struct answer *a, size_t size)
{
    a->state = calloc(1, size);
    if (!a->state)
        link_fail(a->link, "no memory");
    return a->state;
}

void answer_ready(struct answer *a)
{
    bool h2 = strcmp(a->link->report.alpn, "h2") == 0;
    a->kind = h2 && a->answers->kind->http2 ? a->answers->kind->http2 : a->answers->kind;
    a->kind->ready(a);
}

void answer_data(struct answer *a, struct slice plain)
{
    if (a->kind && a->kind->data)
        a->kind->data(a, plain);
}

void answer_peer_closed(struct answer *a)
{
    if (a->kind && a->kind->peer_closed)
        a->kind->peer_closed(a);
    else
        link_close(a->link);
}

void answer_writable(struct answer *a)
{
    if (a->kind && a->kind->writable)
        a->kind->writable(a);
}

bool answer_busy(const struct answer *a)
{
    return a->kind && a->kind->busy && a->kind->busy(a);
}

void answer_free(struct answer *a)
{
    if (a->kind && a->kind->free)
        a->kind->free(a);
    a->state = NULL;
}
