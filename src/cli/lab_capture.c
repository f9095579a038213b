#include "capture/live.h"
#include "cli/lab.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUIET_MS   60     /* longer than a delayed ACK (40 ms) */
#define DRAIN_MOST 100000 /* packets to take at the end, each within QUIET_MS */

#ifdef __linux__
#define LOOPBACK "lo"
#else
#define LOOPBACK "lo0"
#endif

static void drain(struct lab *lab, int timeout_ms, unsigned most)
{
    struct error e = {.code = ERROR_NONE};
    struct packet packet;
    while (most-- > 0 && live_next(lab->live, &packet, timeout_ms, &e) == LIVE_PACKET)
        recording_packet(&lab->recording, &packet);
}

static void packets_wait(uv_poll_t *poll, int status, int events)
{
    struct lab *lab = poll->data;
    (void)status, (void)events;
    drain(lab, 0, 4096);
}

void lab_capture_start(struct lab *lab)
{
    char filter[96];
    struct error e = {.code = ERROR_NONE};
    lab->source = LAB_NOT_ASKED;
    if (lab->options->no_capture)
        return;
    lab->source = LAB_NOT_ALLOWED;
    snprintf(filter, sizeof(filter), "tcp port %u", lab->port);
    struct live_options options = {.interface = LOOPBACK,
                                   .filter = filter,
                                   .buffer_bytes = 8u << 20,
                                   .no_promiscuous = true,
                                   .immediate = true};
    lab->live = live_open(&options, &e);
    if (!lab->live)
        return;
    fcntl(live_fd(lab->live), F_SETFD, FD_CLOEXEC); /* not for the client's eyes */
    if (uv_poll_init(&lab->loop, &lab->live_ready, live_fd(lab->live)) != 0) {
        live_close(lab->live);
        lab->live = NULL;
        return;
    }
    lab->live_watched = true;
    lab->live_ready.data = lab;
    uv_poll_start(&lab->live_ready, UV_READABLE, packets_wait);
    lab->source = LAB_CAPTURED;
    snprintf(lab->recording.interface, sizeof(lab->recording.interface), "%s",
             live_interface(lab->live));
    lab->recording.link_type = live_link_type(lab->live);
    lab->recording.decimals = live_decimals(lab->live);
}

void lab_capture_stop(struct lab *lab)
{
    if (lab->live_watched && !uv_is_closing((uv_handle_t *)&lab->live_ready))
        uv_close((uv_handle_t *)&lab->live_ready, NULL);
    if (lab->live)
        drain(lab, QUIET_MS, DRAIN_MOST);
}

bool lab_capture_write(struct lab *lab, struct error *e)
{
    const char *comment =
        lab->source == LAB_CAPTURED
            ? "tlswire lab: captured on " LOOPBACK ", TLS keys inside"
            : "tlswire lab: synthetic TCP: TCP/IP headers made around the bytes of the "
              "server's sockets, not captured; TLS keys inside";
    return recording_write(&lab->recording, lab->capture_path, -1, comment, e);
}

static void on_open(void *user, const struct endpoint_report *report, int64_t time_ns)
{
    struct lab *lab = user;
    lab->connections++;
    if (lab->source != LAB_CAPTURED)
        recording_open(&lab->recording, report, SYNTH_SERVER, time_ns);
}

static void on_bytes(void *user, uint64_t id, enum endpoint_direction direction, struct slice bytes,
                     int64_t time_ns)
{
    struct lab *lab = user;
    if (lab->source != LAB_CAPTURED)
        recording_bytes(&lab->recording, id, direction, bytes, time_ns);
}

static void on_end(void *user, uint64_t id, enum endpoint_direction direction, bool reset,
                   int64_t time_ns)
{
    struct lab *lab = user;
    if (lab->source != LAB_CAPTURED)
        recording_end(&lab->recording, id, direction, reset, time_ns);
}

static void on_keylog(void *user, uint64_t id, const char *line)
{
    struct lab *lab = user;
    (void)id;
    recording_key(&lab->recording, line);
}

void lab_capture_hooks(struct lab *lab, struct endpoint_hooks *hooks)
{
    hooks->user = lab;
    hooks->on_open = on_open;
    hooks->on_bytes = on_bytes;
    hooks->on_end = on_end;
    hooks->on_keylog = on_keylog;
}
