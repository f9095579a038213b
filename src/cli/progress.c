#include "cli/progress.h"

#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { FIRST_AFTER_MS = 500, EVERY_MS = 200 };

static int64_t now_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void progress_start(struct progress *p, const char *path)
{
    *p = (struct progress){0};
    struct stat status;
    if (!isatty(STDERR_FILENO) || isatty(STDOUT_FILENO))
        return;
    if (stat(path, &status) != 0 || !S_ISREG(status.st_mode))
        return;
    p->size = (uint64_t)status.st_size;
    p->next_ms = now_ms() + FIRST_AFTER_MS;
}

void progress_show(struct progress *p, uint64_t offset)
{
    int64_t now = now_ms();
    /* A compressed file's offset passes its size: then nobody knows. */
    if (now < p->next_ms || offset > p->size)
        return;
    p->next_ms = now + EVERY_MS;
    p->shown = true;
    fprintf(stderr, "\r%3d %%", (int)((double)offset * 100 / (double)p->size));
}

void progress_end(struct progress *p)
{
    if (p->shown)
        fputs("\r     \r", stderr);
    p->shown = false;
}
