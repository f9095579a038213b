/* The files that `tlswire connect` leaves: its connections as a capture, the session. */
#include "cli/common.h"
#include "cli/connect.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool write_capture(const struct connecting *c, const char *path, int fd, struct error *e)
{
    return recording_write(&c->recording, path, fd,
                           "synthetic TCP: made from the bytes of the client's socket", e);
}

void connect_show_view(const struct connecting *c, enum lab_view view)
{
    struct error e = {.code = ERROR_NONE};
    const char *folder = getenv("TMPDIR");
    char path[512];
    snprintf(path, sizeof(path), "%.400s/tlswire-XXXXXX.pcapng",
             folder && *folder ? folder : "/tmp");
    struct view_request request = {
        .capture_path = path,
        .view = view,
        .tls_port = c->options.port,
        .color = common_color(c->options.color, stderr),
        .ascii = common_ascii(c->options.ascii),
        .out = stderr,
        .keys_from = c->recording.keys.len > 0 ? "this client" : NULL,
    };
    int fd = mkstemps(path, 7); /* mode 0600 */
    if (fd < 0)
        error_set(&e, ERROR_FILE, "cannot write %s: %s", path, strerror(errno));
    else if (write_capture(c, path, fd, &e))
        (void)view_render(&request, &e);
    if (e.code != ERROR_NONE)
        common_fail(&e, EXIT_RUNTIME);
    fflush(stderr);
    if (fd >= 0) {
        close(fd);
        unlink(path);
    }
}

/* A file of an earlier run is overwritten, as tshark does; it gets mode 0600, for the keys inside. */
bool connect_keep_capture(const struct connecting *c, struct error *e)
{
    const char *path = c->options.capture;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    struct stat status;
    if (fd < 0)
        return error_set(e, ERROR_FILE, "cannot write -capture %s: %s", path, strerror(errno));
    bool ok = fstat(fd, &status) == 0 && (!S_ISREG(status.st_mode) || fchmod(fd, 0600) == 0) &&
              write_capture(c, path, fd, e);
    close(fd);
    if (ok && !c->options.quiet)
        fprintf(stderr, "recorded: %zu packets, with the keys, in %s%s\n",
                recording_count(&c->recording), path,
                c->recording.full ? " (not all: more than 256 MiB)" : "");
    return ok || error_set(e, ERROR_FILE, "cannot write -capture %s", path);
}

bool connect_keep_session(const struct connecting *c, struct error *e)
{
    const char *path = c->options.connect.session_out;
    if (!c->session)
        return error_set(e, ERROR_CRYPTO, "-sess_out %s: the server has given no session", path);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    bool ok = file && fchmod(fd, 0600) == 0 && PEM_write_SSL_SESSION(file, c->session) == 1;
    int problem = errno;
    if (file)
        ok = fclose(file) == 0 && ok;
    else if (fd >= 0)
        close(fd);
    return ok || error_set(e, ERROR_FILE, "cannot write -sess_out %s: %s", path, strerror(problem));
}
