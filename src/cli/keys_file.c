#include "cli/keys_file.h"

#include "cli/common.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK 65536

static void complain(const char *path, const char *what)
{
    fputs("tlswire: the key log \"", stderr);
    common_put_escaped(stderr, path);
    fprintf(stderr, "\" %s; reading on without it, see tls.keylog_file\n", what);
}

/* Adds to the line without an end; one that grows too long is handed on cut, to be counted as off. */
static void keep(struct keys_file *k, struct slice part)
{
    size_t room = KEYLOG_LINE_MAX + 1 - k->pending;
    size_t n = part.len < room ? part.len : room;
    if (slice_read(&part, k->line + k->pending, n))
        k->pending += n;
}

/* Hands on the kept line: as it is for now, or because it is whole. */
static void hand_line(struct keys_file *k)
{
    if (k->pending == 0)
        return;
    k->line[k->pending] = '\n';
    k->take(k->context, slice_of(k->line, k->pending + 1));
}

/* Files do not wait for each other: what is handed on ends with a line, whatever a file ends with. */
static void hand_on(struct keys_file *k, struct slice text)
{
    if (k->pending > 0) {
        const uint8_t *end = memchr(text.data, '\n', text.len);
        keep(k, slice_take(&text, end ? (size_t)(end - text.data) : text.len));
        if (!end)
            return;
        slice_skip(&text, 1);
        hand_line(k);
        k->pending = 0;
    }
    const uint8_t *last = text.len > 0 ? memrchr(text.data, '\n', text.len) : NULL;
    struct slice lines = slice_take(&text, last ? (size_t)(last - text.data) + 1 : 0);
    if (lines.len > 0)
        k->take(k->context, lines);
    keep(k, text);
}

/* Hands on all there is and, until a key was found, to SEEN.  False when it cannot be read. */
static bool feed(struct keys_file *k, struct key_table *seen)
{
    char chunk[CHUNK];
    bool any = false;
    ssize_t n;
    while ((n = read(k->fd, chunk, sizeof chunk)) > 0) {
        any = true;
        k->seen += n;
        hand_on(k, slice_of(chunk, (size_t)n));
        if (seen && keylog_stats(seen)->valid == 0)
            keylog_feed(seen, slice_of(chunk, (size_t)n));
    }
    int why = errno;
    if (any)
        hand_line(k); /* it may be a whole one without its end */
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

static bool open_file(struct keys_file *k, int flags)
{
    struct stat is;
    k->fd = open(k->path, O_RDONLY | O_CLOEXEC | flags);
    if (k->fd < 0)
        return false;
    if (fstat(k->fd, &is) == 0) {
        k->device = is.st_dev;
        k->node = is.st_ino;
    }
    k->seen = 0;
    k->pending = 0;
    return true;
}

void keys_file_open(struct keys_file *k, const char *path, bool live, keys_taker *take,
                    void *context)
{
    *k = (struct keys_file){.take = take, .context = context, .path = path, .fd = -1};
    if (!path || !*path)
        return;
    if (open_file(k, live ? O_NONBLOCK : 0))
        first_read(k);
    else if (!live || errno != ENOENT)
        complain(path, errno == ENOENT   ? "is not there"
                       : errno == EACCES ? "may not be read by you"
                                         : strerror(errno));
}

/* A log that was emptied begins anew; one that was replaced is another file. */
static void look_for_change(struct keys_file *k)
{
    struct stat is;
    if (fstat(k->fd, &is) == 0 && S_ISREG(is.st_mode) && is.st_size < k->seen &&
        lseek(k->fd, 0, SEEK_SET) == 0) {
        k->seen = 0;
        k->pending = 0;
    }
    if (stat(k->path, &is) != 0 || (is.st_dev == k->device && is.st_ino == k->node))
        return;
    (void)feed(k, NULL); /* the last lines of the old one */
    (void)close(k->fd);
    (void)open_file(k, O_NONBLOCK);
}

void keys_file_poll(struct keys_file *k)
{
    if (!k->path || !*k->path)
        return;
    if (k->fd >= 0)
        look_for_change(k);
    else
        (void)open_file(k, O_NONBLOCK);
    if (k->fd >= 0)
        (void)feed(k, NULL);
}

void keys_file_again(struct keys_file *k)
{
    if (k->fd < 0 || lseek(k->fd, 0, SEEK_SET) != 0)
        return;
    k->seen = 0;
    k->pending = 0;
    (void)feed(k, NULL);
}

void keys_file_close(struct keys_file *k)
{
    if (k->path && k->fd >= 0)
        (void)close(k->fd);
    explicit_bzero(k, sizeof *k);
    k->fd = -1;
}
