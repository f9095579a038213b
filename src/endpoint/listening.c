#include "endpoint/listening.h"

#include "endpoint/hooks.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#define BACKLOG    4096
#define PORT_TRIES 32 /* for a port that is free in both families */

static void set_port(struct sockaddr_storage *address, uint16_t port)
{
    struct sockaddr_in *v4 = (void *)address;
    struct sockaddr_in6 *v6 = (void *)address;
    uint8_t bytes[2] = {(uint8_t)(port >> 8), (uint8_t)port};
    memcpy(address->ss_family == AF_INET6 ? &v6->sin6_port : &v4->sin_port, bytes, 2);
}

void listening_close(struct listening *l)
{
    for (unsigned i = 0; i < l->count; i++) {
        int fd = atomic_exchange(&l->sockets[i], -1);
        if (fd >= 0)
            close(fd);
    }
}

/* A socket that listens, or a negative error number. */
static int listen_on(struct sockaddr_storage *address)
{
    int on = 1;
    socklen_t len =
        address->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    int fd = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (address->ss_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    if (bind(fd, (struct sockaddr *)address, len) != 0 || listen(fd, BACKLOG) != 0 ||
        getsockname(fd, (struct sockaddr *)address, &len) != 0) {
        int status = -errno;
        close(fd);
        return status;
    }
    return fd;
}

static bool missing_family(int status)
{
    return status == -EADDRNOTAVAIL || status == -EAFNOSUPPORT;
}

/* One try at all the addresses.  A family that this machine lacks is left out while another works.
 * 0, or the error of address *CULPRIT. */
static int listen_on_all(struct listening *l, const struct sockaddr_storage *addresses,
                         unsigned count, uint16_t port, unsigned *culprit)
{
    int missing = 0;
    for (unsigned i = 0; i < count; i++) {
        struct sockaddr_storage address = addresses[i];
        set_port(&address, port);
        int fd = listen_on(&address);
        if (fd < 0) {
            *culprit = i;
            if (!missing_family(fd) || count == 1)
                return fd;
            missing = fd;
            continue;
        }
        atomic_store(&l->sockets[l->count], fd);
        l->addresses[l->count++] = address;
        port = endpoint_port(&address);
    }
    return l->count > 0 ? 0 : missing;
}

static unsigned resolve(const char *host, int family, struct sockaddr_storage *addresses,
                        struct error *e)
{
    static const char *const loopback[] = {"127.0.0.1", "::1"}, *const any[] = {"0.0.0.0", "::"};
    const char *const *fixed = host[0] == '\0' ? loopback : strcmp(host, "*") == 0 ? any : NULL;
    unsigned names = fixed ? 2 : 1, count = 0;
    for (unsigned i = 0; i < names; i++) {
        struct addrinfo hints = {.ai_family = family, .ai_socktype = SOCK_STREAM};
        struct addrinfo *found = NULL;
        if (fixed) {
            int its_family = i == 0 ? AF_INET : AF_INET6;
            if (family != AF_UNSPEC && family != its_family)
                continue;
            hints.ai_flags = AI_NUMERICHOST;
        }
        const char *name = fixed ? fixed[i] : host;
        int status = getaddrinfo(name, NULL, &hints, &found);
        if (status != 0) {
            error_set(e, ERROR_NETWORK, "cannot listen on '%s': %s", name, gai_strerror(status));
            return 0;
        }
        for (struct addrinfo *a = found; a && count < LISTENING_MAX; a = a->ai_next)
            memcpy(&addresses[count++], a->ai_addr, a->ai_addrlen);
        freeaddrinfo(found);
    }
    return count;
}

bool listening_open(struct listening *l, const char *host, int family, uint16_t port, bool *in_use,
                    struct error *e)
{
    struct sockaddr_storage addresses[LISTENING_MAX] = {{.ss_family = AF_UNSPEC}};
    unsigned count = resolve(host, family, addresses, e), culprit = 0;
    *l = (struct listening){.count = 0};
    *in_use = false;
    if (count == 0)
        return false;
    int status = -EADDRINUSE;
    /* With port 0 the port that the first family got may be taken in the second: take another. */
    for (unsigned try = 0; try < PORT_TRIES && status == -EADDRINUSE; try++) {
        status = listen_on_all(l, addresses, count, port, &culprit);
        if (status == 0)
            return true;
        listening_close(l);
        l->count = 0;
        if (port != 0)
            break;
    }
    char text[64];
    set_port(&addresses[culprit], port);
    endpoint_address_text(&addresses[culprit], text, sizeof(text));
    *in_use = status == -EADDRINUSE;
    return error_set(e, status == -EACCES ? ERROR_PERMISSION : ERROR_NETWORK,
                     "cannot listen on %s: %s", text, strerror(-status));
}
