/* Files below one folder, and nothing else: the kernel keeps the path beneath it (openat2), whatever
 * dots and symbolic links it has, and only regular files are read. */
#include "endpoint/http.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int open_beneath(int folder, const char *path, int flags)
{
    struct open_how how = {.flags = (unsigned)(flags | O_CLOEXEC),
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    long fd;
    do
        fd = syscall(SYS_openat2, folder, path, &how, sizeof(how));
    while (fd < 0 && errno == EAGAIN); /* something on the way was renamed */
    return (int)fd;
}

bool http_files_prepare(struct answers *a, struct error *e)
{
    const char *path = a->config.argument;
    a->folder = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (a->folder < 0)
        return error_set(e, ERROR_FILE, "cannot serve the folder '%.300s': %s", path,
                         strerror(errno));
    int probe = open_beneath(a->folder, ".", O_PATH);
    if (probe < 0)
        return error_set(e, ERROR_FILE,
                         "cannot serve the folder '%.300s': this needs openat2 (Linux 5.6): %s",
                         path, strerror(errno));
    close(probe);
    return true;
}

static const char *type_of(const char *path)
{
    static const struct {
        const char *ending, *type;
    } types[] = {
        {".html", "text/html; charset=utf-8"},
        {".htm", "text/html; charset=utf-8"},
        {".txt", "text/plain; charset=utf-8"},
        {".md", "text/plain; charset=utf-8"},
        {".log", "text/plain; charset=utf-8"},
        {".css", "text/css; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"},
        {".json", "application/json"},
        {".xml", "application/xml"},
        {".pdf", "application/pdf"},
        {".svg", "image/svg+xml"},
        {".png", "image/png"},
        {".jpg", "image/jpeg"},
        {".jpeg", "image/jpeg"},
        {".gif", "image/gif"},
        {".ico", "image/x-icon"},
        {".webp", "image/webp"},
        {".wasm", "application/wasm"},
        {".pcap", "application/vnd.tcpdump.pcap"},
        {".pem", "application/x-pem-file"},
        {".crt", "application/x-x509-ca-cert"},
    };
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot && i < sizeof(types) / sizeof(types[0]); i++)
        if (strcasecmp(dot, types[i].ending) == 0)
            return types[i].type;
    return "application/octet-stream";
}

/* Opens PATH when it is a regular file: 200, or the status to refuse it with; 301 for a folder.
 * Looked at before it is opened, because opening a device may already do something. */
static unsigned open_file(int folder, const char *path, struct http_response *r)
{
    struct stat status;
    int look = open_beneath(folder, path, O_PATH);
    if (look < 0)
        return errno == EXDEV || errno == EACCES || errno == ELOOP ? 403 : 404;
    bool fine = fstat(look, &status) == 0;
    close(look);
    if (fine && S_ISDIR(status.st_mode))
        return 301;
    if (!fine || !S_ISREG(status.st_mode))
        return 403;
    r->fd = open_beneath(folder, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (r->fd < 0)
        return errno == EACCES ? 403 : 404;
    if (fstat(r->fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        close(r->fd);
        r->fd = -1;
        return 403;
    }
    r->size = (uint64_t)status.st_size;
    return 200;
}

void http_files_respond(struct answer *a, const struct http_request *request,
                        struct http_response *r)
{
    char path[sizeof(request->path) + 16];
    size_t len = strlen(request->path);
    bool folder = request->path[len - 1] == '/';
    /* "/a/b" is a/b; "/a/" is a/index.html */
    snprintf(path, sizeof(path), "%s%s", request->path + strspn(request->path, "/"),
             folder ? "index.html" : "");
    unsigned status = open_file(a->answers->folder, path, r);
    if (status == 301 && !folder) {
        http_refuse(r, 301);
        for (size_t i = 0, at = 0; i < len && at + 5 < sizeof(r->location); i++) {
            unsigned char c = (unsigned char)request->path[i];
            bool plain = c > ' ' && c < 0x7f && !strchr("\"<>\\^`{|}%?#", c);
            at += (size_t)snprintf(r->location + at, sizeof(r->location) - at,
                                   plain ? "%c" : "%%%02X", c);
            if (i + 1 == len)
                snprintf(r->location + at, sizeof(r->location) - at, "/");
        }
        /* "//host" would be another host's address */
        if (r->location[1] == '/')
            http_refuse(r, 404);
        return;
    }
    if (status != 200) {
        http_refuse(r, status == 301 ? 404 : status);
        return;
    }
    r->status = 200;
    r->type = type_of(path);
    r->raw = a->answers->config.name == ANSWER_RESPONSES;
}
