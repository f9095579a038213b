/* Preloaded: the allocation whose number stands in the file SCARCE_COUNT fails, counted from when it is
 * written there; 0: none.  The file is shared with the test. */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);

static atomic_long none, *left = &none;

__attribute__((constructor)) static void attach(void)
{
    const char *path = getenv("SCARCE_COUNT");
    int fd = path ? open(path, O_RDWR) : -1;
    void *page = fd < 0 ? MAP_FAILED : mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (page != MAP_FAILED)
        left = page;
    if (fd >= 0)
        close(fd);
}

static int refused(void)
{
    return atomic_load(left) > 0 && atomic_fetch_sub(left, 1) == 1;
}

void *malloc(size_t size)
{
    return refused() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return refused() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    return refused() ? NULL : __libc_realloc(old, size);
}
