#include "cli/keys_file.h"

#include "cli/common.h"
#include "crypto/keylog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNK 16384

static void complain(const char *path, const char *what)
{
    fputs("tlswire: the key log \"", stderr);
    common_put_escaped(stderr, path);
    fprintf(stderr, "\" %s; reading on without it, see tls.keylog_file\n", what);
}

/* Hands on all there is and, until a key was found, to SEEN.  False when it cannot be read. */
static bool feed(struct keys_file *k, struct key_table *seen)
{
    char chunk[CHUNK];
    ssize_t n;
    while ((n = read(k->fd, chunk, sizeof chunk)) > 0) {
        k->take(k->context, slice_of(chunk, (size_t)n));
        if (seen && keylog_stats(seen)->valid == 0)
            keylog_feed(seen, slice_of(chunk, (size_t)n));
    }
    int why = errno;
    explicit_bzero(chunk, sizeof chunk);
    errno = why;
    return n == 0 || why == EAGAIN || why == EINTR;
}

static void first_read(struct keys_file *k)
{
    struct key_table *seen = calloc(1, sizeof *seen);
    if (seen)
        key_table_init(seen);
    if (!feed(k, seen)) {
        complain(k->path, strerror(errno));
    } else if (seen) {
        keylog_finish(seen);
        const struct keylog_stats *stats = keylog_stats(seen);
        if (stats->valid == 0 && stats->lines > stats->comments)
            complain(k->path, "has no line \"<label> <client random> <secret>\"");
    }
    if (seen)
        key_table_free(seen);
    free(seen);
}

void keys_file_open(struct keys_file *k, const char *path, bool live, keys_taker *take,
                    void *context)
{
    *k = (struct keys_file){.take = take, .context = context, .path = path, .fd = -1};
    if (!path || !*path)
        return;
    k->fd = open(path, O_RDONLY | O_CLOEXEC | (live ? O_NONBLOCK : 0));
    if (k->fd >= 0)
        first_read(k);
    else if (!live || errno != ENOENT)
        complain(path, errno == ENOENT   ? "is not there"
                       : errno == EACCES ? "may not be read by you"
                                         : strerror(errno));
}

void keys_file_poll(struct keys_file *k)
{
    if (!k->path || !*k->path)
        return;
    if (k->fd < 0)
        k->fd = open(k->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (k->fd >= 0)
        (void)feed(k, NULL);
}

void keys_file_close(struct keys_file *k)
{
    if (k->path && k->fd >= 0)
        (void)close(k->fd);
    *k = (struct keys_file){.fd = -1};
}
