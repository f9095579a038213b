#include "cli/keeper.h"

#include "cli/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define KEEPER_SOCKET 3 /* the first after the standard ones */

/* What goes back: an error number, or 0 with a descriptor beside it. */
static bool answer(int to, int error, int fd)
{
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(sizeof(int))];
    } room;
    struct iovec data = {.iov_base = &error, .iov_len = sizeof(error)};
    struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};
    memset(&room, 0, sizeof(room));
    if (fd >= 0) {
        message.msg_control = room.bytes;
        message.msg_controllen = sizeof(room.bytes);
        struct cmsghdr *c = CMSG_FIRSTHDR(&message);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(c), &fd, sizeof(fd));
    }
    return sendmsg(to, &message, MSG_NOSIGNAL) == sizeof(error);
}

static void keep(int from, const struct confinement *files)
{
    unsigned index;
    while (recv(from, &index, sizeof(index), 0) == sizeof(index)) {
        bool known = index < files->readable_count;
        int fd = known ? open(files->readable[index], O_RDONLY | O_CLOEXEC | O_NOCTTY) : -1;
        int error = fd >= 0 ? 0 : known ? errno : EPERM;
        bool sent = answer(from, error, fd);
        if (fd >= 0)
            close(fd);
        if (!sent)
            break;
    }
}

static void be_keeper(int from, const struct confinement *files)
{
    struct confinement own = *files;
    struct error e = {.code = ERROR_NONE};
    own.keep_root = true;
    own.programs = own.connects = false;
    own.sandbox = own.sandbox == SANDBOX_OFF ? SANDBOX_OFF : SANDBOX_TRY;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)signal(SIGINT, SIG_IGN); /* the terminal's Ctrl-C is the server's to act on */
    (void)signal(SIGHUP, SIG_IGN);
    (void)signal(SIGTERM, SIG_DFL);
    /* The server's sockets and files are not its business. */
    if (dup2(from, KEEPER_SOCKET) >= 0 && close_range(KEEPER_SOCKET + 1, ~0U, 0) == 0 &&
        confine(&own, &e))
        keep(KEEPER_SOCKET, files);
    _exit(0);
}

bool keeper_start(struct keeper *k, const struct confinement *files, struct error *e)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return error_set(e, ERROR_MEMORY, "cannot make a socket pair: %s", strerror(errno));
    pid_t child = fork();
    if (child == 0)
        be_keeper(ends[1], files);
    close(ends[1]);
    if (child < 0) {
        close(ends[0]);
        return error_set(e, ERROR_MEMORY, "cannot make a process: %s", strerror(errno));
    }
    *k = (struct keeper){.socket = ends[0], .process = child, .files = files};
    return true;
}

/* The descriptor of a message, or -1. */
static int descriptor_of(struct msghdr *message)
{
    int fd = -1;
    const struct cmsghdr *c = CMSG_FIRSTHDR(message);
    if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
        c->cmsg_len == CMSG_LEN(sizeof(int)))
        memcpy(&fd, CMSG_DATA(c), sizeof(fd));
    return fd;
}

static int ask(const struct keeper *k, unsigned index)
{
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(sizeof(int))];
    } room;
    int error = EIO;
    struct iovec data = {.iov_base = &error, .iov_len = sizeof(error)};
    struct msghdr message = {.msg_iov = &data,
                             .msg_iovlen = 1,
                             .msg_control = room.bytes,
                             .msg_controllen = sizeof(room.bytes)};
    if (send(k->socket, &index, sizeof(index), MSG_NOSIGNAL) != sizeof(index) ||
        recvmsg(k->socket, &message, MSG_CMSG_CLOEXEC) != sizeof(error)) {
        errno = EIO;
        return -1;
    }
    int fd = descriptor_of(&message);
    errno = error;
    return fd;
}

int keeper_open(void *user, const char *path)
{
    const struct keeper *k = user;
    if (k->socket < 0)
        return open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    for (unsigned i = 0; i < k->files->readable_count; i++)
        if (strcmp(k->files->readable[i], path) == 0)
            return ask(k, i);
    errno = EACCES;
    return -1;
}

void keeper_stop(struct keeper *k)
{
    if (k->socket < 0)
        return;
    close(k->socket); /* it ends by itself then */
    (void)waitpid(k->process, NULL, 0);
    k->socket = -1;
}
