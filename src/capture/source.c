#include "capture/source.h"

#include "capture/inflate.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FIRST_BUFFER = 1 << 17 };

void source_from_memory(struct source *s, const void *data, size_t size)
{
    *s = (struct source){.fd = -1, .at_end = true};
    s->window = s->whole = size ? slice_of(data, size) : slice_empty();
}

static bool stopped(const struct source *s)
{
    return s->stop && *s->stop;
}

static ptrdiff_t fetch_fd(struct source *s, uint8_t *target, size_t size)
{
    while (!stopped(s)) {
        ssize_t n = read(s->fd, target, size);
        if (n >= 0)
            return n;
        if (errno == EAGAIN) {
            struct pollfd wait = {.fd = s->fd, .events = POLLIN};
            (void)poll(&wait, 1, -1); /* an interruption shows in `stop` */
        } else if (errno != EINTR) {
            error_set(&s->error, ERROR_FILE, "cannot read on: %s", strerror(errno));
            return -1;
        }
    }
    return 0;
}

static ptrdiff_t fetch_inflated(struct source *s, uint8_t *target, size_t size)
{
    struct source *up = s->upstream;
    for (;;) {
        bool more = source_need(up, 2) || up->window.len > 0; /* 2: a magic number in one piece */
        size_t before = up->window.len;
        struct inflate_step step = inflate_step(s->inflater, up->window, !more, target, size);
        (void)source_take(up, step.used);
        if (step.error) {
            s->cut = step.cut;
            error_set(&s->error, ERROR_DAMAGED, "%s: %s, at byte %llu of the compressed data",
                      inflater_name(s->inflater), step.error, (unsigned long long)up->offset);
            return -1;
        }
        if (step.made > 0)
            return (ptrdiff_t)step.made;
        if (up->error.code != ERROR_NONE) {
            s->error = up->error;
            return -1;
        }
        if (!more || (step.used == 0 && before > 0))
            return 0;
    }
}

void source_from_fd(struct source *s, int fd, bool owned)
{
    *s = (struct source){.fd = fd, .owns_fd = owned, .fetch = fetch_fd, .window = slice_empty()};
    struct stat st;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || lseek(fd, 0, SEEK_CUR) != 0)
        return; /* a pipe, or a file that somebody has read a part of */
    if (st.st_size == 0 || (uint64_t)st.st_size > SIZE_MAX)
        return; /* files under /proc say 0 and have bytes all the same */
    size_t size = (size_t)st.st_size;
    void *map = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (map == MAP_FAILED)
        return;
    (void)madvise(map, size, MADV_SEQUENTIAL);
    s->map = map;
    s->map_size = size;
    s->gives_back = true;
    s->fetch = NULL;
    s->at_end = true;
    s->window = s->whole = slice_of(map, size);
}

const char *source_decompress(struct source *s)
{
    (void)source_need(s, 4);
    struct inflater *inflater = inflater_for(s->window, &s->error);
    if (!inflater)
        return NULL;
    struct source *up = malloc(sizeof *up);
    if (!up) {
        inflater_free(inflater);
        error_set(&s->error, ERROR_MEMORY, "out of memory");
        return NULL;
    }
    *up = *s;
    *s = (struct source){.fd = -1,
                         .fetch = fetch_inflated,
                         .upstream = up,
                         .inflater = inflater,
                         .stop = up->stop,
                         .whole = up->whole,
                         .window = slice_empty()};
    return inflater_name(inflater);
}

/* Moves what is left to the front, or to a larger buffer, so that SIZE bytes fit. */
static bool make_room(struct source *s, size_t size)
{
    size_t capacity = s->capacity ? s->capacity : FIRST_BUFFER;
    while (capacity < size)
        capacity *= 2;
    uint8_t *target = s->buffer;
    if (capacity != s->capacity) {
        target = malloc(capacity);
        if (!target)
            return error_set(&s->error, ERROR_MEMORY, "out of memory for a block of %zu bytes",
                             size);
    }
    if (s->window.len > 0)
        memmove(target, s->window.data, s->window.len);
    if (target != s->buffer) {
        free(s->buffer);
        s->buffer = target;
        s->capacity = capacity;
    }
    s->start = 0;
    s->window = slice_of(target, s->window.len);
    return true;
}

bool source_fill(struct source *s, size_t size)
{
    if (!s->fetch || size > SOURCE_CEILING)
        return false;
    if (s->capacity - s->start < size && !make_room(s, size))
        return false;
    while (s->window.len < size && !s->at_end) {
        size_t end = s->start + s->window.len;
        ptrdiff_t n = s->fetch(s, s->buffer + end, s->capacity - end);
        if (n <= 0)
            s->at_end = true;
        else
            s->window = slice_of(s->buffer + s->start, s->window.len + (size_t)n);
    }
    return s->window.len >= size;
}

void source_release(struct source *s)
{
    /* Whole pages, and one step less than was read: what was just taken is about to be looked at. */
    uint64_t end = s->offset - s->offset % SOURCE_RELEASE_STEP - SOURCE_RELEASE_STEP;
    struct slice read = slice_sub(s->whole, (size_t)s->released, (size_t)(end - s->released));
    (void)madvise((void *)(uintptr_t)read.data, read.len, MADV_DONTNEED);
    s->released = end;
}

void source_close(struct source *s)
{
    if (s->upstream) {
        source_close(s->upstream);
        free(s->upstream);
    }
    inflater_free(s->inflater);
    free(s->buffer);
    if (s->map)
        (void)munmap(s->map, s->map_size);
    if (s->owns_fd && s->fd >= 0)
        (void)close(s->fd);
    *s = (struct source){.fd = -1, .at_end = true, .window = slice_empty()};
}
