/* Reading from an interface. */
#include "capture/live.h"
#include "cli/reading_private.h"

#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define WAIT_MS 100

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static bool is_loopback(const char *interface)
{
    struct ifreq request = {0};
    size_t len = strnlen(interface, IFNAMSIZ);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || len == IFNAMSIZ) {
        if (fd >= 0)
            (void)close(fd);
        return false;
    }
    memcpy(request.ifr_name, interface, len);
    bool ok = ioctl(fd, SIOCGIFFLAGS, &request) == 0;
    (void)close(fd);
    return ok && (request.ifr_flags & IFF_LOOPBACK);
}

static void announce(const struct run *r, const char *interface)
{
    if (!r->reading->silent)
        fprintf(stderr, "Capturing on '%s%s'\n", is_loopback(interface) ? "Loopback: " : "",
                interface);
}

static void follow(struct run *r, struct live *live, struct error *error)
{
    double length = r->reading->duration, end = length > 0 ? seconds_now() + length : 0;
    struct packet packet;
    while (!reading_stopped && !reading_complete(r)) {
        if (end > 0 && seconds_now() >= end)
            return;
        enum live_result result = live_next(live, &packet, WAIT_MS, error);
        if (result == LIVE_ERROR || result == LIVE_END)
            return;
        keys_file_poll(&r->keys);
        if (result == LIVE_PACKET && !reading_packet(r, &packet, error))
            return;
    }
}

int reading_live(struct run *r, struct error *error)
{
    const struct reading *reading = r->reading;
    struct live_options options = {.interface = reading->interface,
                                   .filter = reading->capture_filter,
                                   .snaplen = reading->snaplen,
                                   .buffer_bytes = reading->buffer_bytes,
                                   .no_promiscuous = reading->no_promiscuous,
                                   .monitor = reading->monitor,
                                   .immediate = reading->line_buffered};
    struct live *live = live_open(&options, error);
    if (!live)
        return READING_REFUSED;
    announce(r, live_interface(live));
    if (!r->writer || writer_interface(r->writer, 0, live_interface(live), live_link_type(live),
                                       live_decimals(live), error))
        follow(r, live, error);
    live_close(live);
    (void)reading_flush(r, error);
    if (!reading->silent)
        fprintf(stderr, "%llu packet%s captured\n", (unsigned long long)r->packets,
                r->packets == 1 ? "" : "s");
    return error->code == ERROR_NONE ? READING_OK : READING_FAILED;
}
