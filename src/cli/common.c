#include "cli/common.h"

#include "base/buf.h"
#include "endpoint/breakage.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

void common_prepare(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY) != fd)
            abort(); /* descriptors are given out lowest first */
    signal(SIGPIPE, SIG_IGN);
}

bool common_color(const char *when, FILE *out)
{
    const char *no = getenv("NO_COLOR"), *terminal = getenv("TERM");
    if (strcmp(when, "auto") != 0)
        return strcmp(when, "always") == 0;
    return isatty(fileno(out)) && !(no && *no) && terminal && strcmp(terminal, "dumb") != 0;
}

bool common_ascii(bool asked)
{
    const char *names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && !asked; i++) {
        const char *locale = getenv(names[i]);
        if (locale && *locale)
            return !strcasestr(locale, "utf-8") && !strcasestr(locale, "utf8");
    }
    return true;
}

void common_put_escaped(FILE *out, const char *text)
{
    struct buf shown = {.ceiling = 8192};
    buf_escaped(&shown, slice_of_str(text));
    fwrite(shown.data ? shown.data : (const uint8_t *)"", 1, shown.len, out);
    buf_free(&shown);
}

int common_fail(const struct error *e, int code)
{
    fprintf(stderr, "tlswire: %s\n", e->text);
    return code;
}

int common_put_breakages(void)
{
    struct buf text = {.ceiling = 65536};
    breakage_list(&text);
    fwrite(text.data, 1, text.len, stdout);
    buf_free(&text);
    return fflush(stdout) == 0 ? EXIT_OK : EXIT_RUNTIME;
}

int common_keylog_open(const char *path, struct error *e)
{
    struct stat status;
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600);
    if (fd < 0) {
        error_set(e, ERROR_FILE, "cannot open the key log %s: %s", path, strerror(errno));
        return -1;
    }
    if (fstat(fd, &status) != 0 || S_ISDIR(status.st_mode)) {
        error_set(e, ERROR_FILE, "the key log %s is not a file", path);
        close(fd);
        return -1;
    }
    return fd;
}

void common_keylog_line(int fd, const char *line)
{
    struct buf text = {.ceiling = 4096};
    buf_str(&text, line);
    buf_char(&text, '\n');
    /* One write: lines of several programs that share the file do not mix. */
    if (write(fd, text.data, text.len) != (ssize_t)text.len)
        fprintf(stderr, "tlswire: cannot write the key log: %s\n", strerror(errno));
    buf_wipe(&text);
}
