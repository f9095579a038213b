/* Records that were compressed before they were protected (RFC 3749): one DEFLATE stream for each direction. */
#include "stream/tls_session.h"

#include <stdlib.h>
#include <zlib.h>

#define DEFLATE      1
#define LARGEST_ROOM (TLS_MAX_PLAIN + 1024) /* what a record may come to (RFC 5246 6.2.2) */

struct tls_inflate {
    z_stream zlib;
    bool broken; /* a record is missing: what follows refers to it */
};

void tls_unpack_free(struct tls_inflate *u)
{
    if (u)
        (void)inflateEnd(&u->zlib);
    free(u);
}

static struct tls_inflate *unpacker(void)
{
    struct tls_inflate *u = calloc(1, sizeof *u);
    if (u && inflateInit(&u->zlib) == Z_OK)
        return u;
    free(u);
    return NULL;
}

bool tls_unpack(struct tls_side *side, uint8_t method, struct arena *arena, bool gap,
                struct slice *text)
{
    if (method != DEFLATE)
        return method == 0;
    if (!side->inflate && !(side->inflate = unpacker()))
        return false;
    struct tls_inflate *u = side->inflate;
    uint8_t *out = arena_alloc(arena, LARGEST_ROOM);
    u->broken |= gap;
    if (!out || u->broken)
        return false;
    u->zlib.next_in = (unsigned char *)(uintptr_t)text->data; /* zlib does not write there */
    u->zlib.avail_in = (unsigned)text->len;
    u->zlib.next_out = out;
    u->zlib.avail_out = LARGEST_ROOM;
    int state = inflate(&u->zlib, Z_SYNC_FLUSH);
    bool good = (state == Z_OK || state == Z_BUF_ERROR) && u->zlib.avail_in == 0;
    u->broken = !good;
    *text = slice_of(out, LARGEST_ROOM - u->zlib.avail_out);
    return good;
}
