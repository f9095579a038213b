#include "cli/keys_export.h"

#include "base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* A path in an error: without control bytes, and not too long. */
static bool fail(struct error *error, const char *what, const char *path)
{
    struct buf shown = {.ceiling = 160};
    const char *reason = strerror(errno);
    buf_escaped(&shown, slice_of_str(path));
    (void)error_set(error, ERROR_FILE, "%s the file for the session keys, %.*s: %s", what,
                    (int)shown.len, shown.data ? (const char *)shown.data : "", reason);
    buf_free(&shown);
    return false;
}

int keys_export_open(const char *path, struct error *error)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        (void)fail(error, "cannot open", path);
    return fd;
}

static bool write_all(int fd, struct slice text)
{
    while (text.len > 0) {
        ssize_t n = write(fd, text.data, text.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        slice_skip(&text, (size_t)n);
    }
    return true;
}

bool keys_export_write(int fd, const char *path, const struct engine *e, struct error *error)
{
    struct buf text = {0};
    struct stat is;
    engine_export_keys(e, &text);
    bool plain = fstat(fd, &is) == 0 && S_ISREG(is.st_mode);
    if (text.failed)
        errno = ENOMEM;
    /* One that was there keeps its name only: who could read it then shall not read keys. */
    bool good = !text.failed && (!plain || (fchmod(fd, 0600) == 0 && ftruncate(fd, 0) == 0)) &&
                write_all(fd, buf_slice(&text));
    if (close(fd) != 0 || !good)
        good = fail(error, "cannot write", path);
    buf_wipe(&text);
    return good;
}
