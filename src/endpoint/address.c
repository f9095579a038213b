#include "endpoint/hooks.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

void endpoint_address_text(const struct sockaddr_storage *address, char *text, size_t size)
{
    char host[INET6_ADDRSTRLEN] = "?";
    if (address->ss_family == AF_INET) {
        const struct sockaddr_in *v4 = (const void *)address;
        inet_ntop(AF_INET, &v4->sin_addr, host, sizeof(host));
        snprintf(text, size, "%s:%u", host, endpoint_port(address));
    } else if (address->ss_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const void *)address;
        inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof(host));
        snprintf(text, size, "[%s]:%u", host, endpoint_port(address));
    } else {
        snprintf(text, size, "?");
    }
}

uint16_t endpoint_port(const struct sockaddr_storage *address)
{
    const struct sockaddr_in *v4 = (const void *)address;
    const struct sockaddr_in6 *v6 = (const void *)address;
    struct slice port = slice_empty(); /* network order, as on the wire */
    if (address->ss_family == AF_INET)
        port = slice_of(&v4->sin_port, sizeof(v4->sin_port));
    else if (address->ss_family == AF_INET6)
        port = slice_of(&v6->sin6_port, sizeof(v6->sin6_port));
    return slice_u16(&port);
}

static bool parse_port(const char *text, uint16_t *port)
{
    uint32_t value = 0;
    size_t digits = 0;
    for (; text[digits] >= '0' && text[digits] <= '9' && digits < 6; digits++)
        value = value * 10 + (uint32_t)(text[digits] - '0');
    if (digits == 0 || text[digits] != '\0' || value > 65535)
        return false;
    *port = (uint16_t)value;
    return true;
}

bool endpoint_split(const char *text, char *host, size_t host_size, uint16_t *port)
{
    const char *colon = strrchr(text, ':');
    const char *from = text, *to = colon;
    host[0] = '\0';
    if (!colon)
        return parse_port(text, port);
    if (!parse_port(colon + 1, port))
        return false;
    if (text[0] == '[') {
        if (colon == text || colon[-1] != ']')
            return false;
        from++;
        to--;
    } else if (memchr(text, ':', (size_t)(colon - text))) {
        return false; /* an IPv6 address without brackets: where does it end? */
    }
    if ((size_t)(to - from) >= host_size)
        return false;
    snprintf(host, host_size, "%.*s", (int)(to - from), from);
    return true;
}

int64_t endpoint_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}
