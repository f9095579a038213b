/* What a server reads of its clients by itself: heads of HTTP requests, and the hello. */
#include "endpoint/client_offer.h"
#include "endpoint/http.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_requests(struct slice all)
{
    struct http_request r;
    size_t len = 0;
    while (http_head(all, &len) == REQUEST_COMPLETE) {
        if (len == 0 || len > all.len)
            abort();
        http_read_head(&r, slice_take(&all, len));
        if (r.status == 0 && r.path[0] != '/')
            abort();
    }
    (void)http_read_target(&r, all);
}

static void read_offer(struct slice hello)
{
    struct client_offer o;
    struct buf names = {.ceiling = 1 << 16};
    client_offer_read(&o, hello);
    for (enum offer_kind kind = 0; kind < OFFER_COUNT; kind++)
        for (unsigned i = 0; i < o.lists[kind].count; i++)
            client_offer_name(&names, kind, o.lists[kind].numbers[i]);
    if (o.alpn[sizeof(o.alpn) - 1] != '\0' || strlen(o.ja3) > 32)
        abort();
    buf_free(&names);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_requests(slice_of(data, size));
    read_offer(slice_of(data, size));
    return 0;
}
