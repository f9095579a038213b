/* Reading from interfaces and pipes as packets come. */
#include "capture/live.h"
#include "capture/reader.h"
#include "cli/reading_private.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define WAIT_MS 100
#define TURN    64 /* packets taken from one input before the next has its turn */
#define PIPE_INDEX(i) \
    (1000 * ((i) + 1)) /* where the interfaces of a pipe's pcapng are numbered from */

/* One input: one of the two is set while it is open. */
struct input {
    const struct capture_input *from;
    struct live *live;
    struct reader *reader;
    const char *name; /* as messages and packets have it */
    uint64_t packets;
};

struct session {
    struct run *run;
    struct input inputs[READING_INPUTS];
    size_t count;
    double end;       /* -a duration:, by seconds_now(); 0: none */
    int64_t start_ns; /* since 1970 */
    double shown;     /* when the count was last on the terminal */
    bool counts;      /* the count goes to the terminal */
    bool enough;      /* a rule of -a is met */
};

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int64_t clock_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* ---- what is said ---- */

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

/* "'eth0', 'Loopback: lo', and 'any'" */
static void announce(const struct session *s)
{
    if (s->run->reading->silent)
        return;
    fputs("Capturing on ", stderr);
    for (size_t i = 0; i < s->count; i++) {
        const char *name = s->inputs[i].name;
        struct buf shown = {.ceiling = 1024};
        buf_escaped(&shown, slice_of_str(name));
        fprintf(stderr, "%s%s'%s%.*s'", i > 0 && s->count > 2 ? "," : "",
                i == 0              ? ""
                : i + 1 == s->count ? " and "
                                    : " ",
                s->inputs[i].live && is_loopback(name) ? "Loopback: " : "", (int)shown.len,
                shown.data ? (const char *)shown.data : "");
        buf_free(&shown);
    }
    fputc('\n', stderr);
}

static void show_count(struct session *s)
{
    double now = s->counts ? seconds_now() : 0;
    if (!s->counts || s->run->packets == 0 || now - s->shown < 0.2)
        return;
    s->shown = now;
    fprintf(stderr, "\r%llu ", (unsigned long long)s->run->packets);
    fflush(stderr);
}

static void conclude(struct session *s)
{
    unsigned long long packets = s->run->packets;
    if (s->run->reading->silent)
        return;
    fprintf(stderr, "%s%llu packet%s captured\n", s->counts ? "\r" : "", packets,
            packets == 1 ? "" : "s");
    for (size_t i = 0; i < s->count; i++) {
        struct live_stats stats;
        if (s->inputs[i].live && live_stats(s->inputs[i].live, &stats) && stats.dropped > 0)
            fprintf(stderr, "%llu packet%s dropped from %s\n", (unsigned long long)stats.dropped,
                    stats.dropped == 1 ? "" : "s", s->inputs[i].name);
    }
}

/* ---- opening ---- */

/* A pipe, or standard input: a capture as it is made by another program. */
static bool open_pipe(struct session *s, struct input *in, struct error *error)
{
    const char *path = in->from->interface;
    struct reader_options options = {.secrets = reading_secrets,
                                     .name = reading_name,
                                     .context = s->run,
                                     .stop = &reading_stopped};
    int fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_set(error, ERROR_FILE,
                         "The capture session could not be initiated due to error getting "
                         "information on pipe/socket: %s.",
                         strerror(errno));
    in->name = path;
    in->reader = reader_open_fd(fd, fd != STDIN_FILENO,
                                fd == STDIN_FILENO ? "standard input" : path, &options, error);
    if (!in->reader)
        return false;
    if (strcmp(reader_info(in->reader).format, "empty") != 0 || reading_stopped)
        return true;
    return error_set(error, ERROR_FILE, "End of file on pipe magic during open.");
}

static bool open_interface(struct session *s, struct input *in, struct error *error)
{
    const struct capture_input *from = in->from;
    struct live_options options = {.interface = from->interface,
                                   .filter = from->filter,
                                   .link_type = from->link_type,
                                   .time_type = from->time_type,
                                   .snaplen = from->snaplen,
                                   .buffer_bytes = from->buffer_bytes,
                                   .no_promiscuous = from->no_promiscuous,
                                   .monitor = from->monitor,
                                   .immediate = s->run->reading->line_buffered};
    in->live = live_open(&options, error);
    if (in->live)
        in->name = live_interface(in->live);
    return in->live != NULL;
}

static bool open_input(struct session *s, struct input *in, struct error *error)
{
    const char *name = in->from->interface;
    struct stat status;
    if (!name || (strcmp(name, "-") != 0 && (live_is_interface(name) || stat(name, &status) != 0)))
        return open_interface(s, in, error);
    if (strcmp(name, "-") == 0 || S_ISFIFO(status.st_mode))
        return open_pipe(s, in, error);
    return error_set(error, ERROR_NETWORK,
                     "The capture session could not be initiated because\n"
                     "\"%.200s\" is neither an interface nor a socket nor a pipe.\n"
                     "  to read a file: tlswire -r FILE",
                     name);
}

static bool open_inputs(struct session *s, struct error *error)
{
    const struct reading *reading = s->run->reading;
    for (; s->count < reading->input_count; s->count++) {
        s->inputs[s->count].from = &reading->inputs[s->count];
        if (!open_input(s, &s->inputs[s->count], error)) {
            s->count++;
            return false;
        }
    }
    return true;
}

static void close_inputs(struct session *s)
{
    for (size_t i = 0; i < s->count; i++) {
        live_close(s->inputs[i].live);
        reader_close(s->inputs[i].reader);
    }
}

/* ---- the files ---- */

/* Interfaces are declared at the start of each file; those of a pipe by their first packet. */
static bool begin_file(void *context, struct writer *w, struct error *error)
{
    struct session *s = context;
    for (size_t i = 0; i < s->count; i++) {
        struct live *live = s->inputs[i].live;
        if (!live)
            continue;
        struct writer_interface interface = {.name = live_interface(live),
                                             .filter = s->inputs[i].from->filter,
                                             .os = s->run->os,
                                             .index = (uint32_t)i,
                                             .link_type = live_link_type(live),
                                             .snaplen = live_snaplen(live),
                                             .decimals = live_decimals(live)};
        if (!writer_interface(w, &interface, error))
            return false;
    }
    return true;
}

static bool end_file(void *context, struct writer *w, struct error *error)
{
    struct session *s = context;
    for (size_t i = 0; i < s->count; i++) {
        struct live_stats stats;
        if (!s->inputs[i].live || !live_stats(s->inputs[i].live, &stats))
            continue;
        struct writer_statistics counted = {.index = (uint32_t)i,
                                            .start_ns = s->start_ns,
                                            .end_ns = clock_now(),
                                            .received = stats.received,
                                            .dropped = stats.dropped};
        if (!writer_statistics(w, &counted, error))
            return false;
    }
    return true;
}

static bool open_files(struct session *s, struct error *error)
{
    struct run *r = s->run;
    const struct reading *reading = r->reading;
    if (!reading->write_file)
        return true;
    struct capture_files_options options = {.path = reading->write_file,
                                            .writer = reading_writer_options(r),
                                            .many = reading->many_files,
                                            .time_first = reading->time_first,
                                            .print_names = reading->print_names,
                                            .change = reading->change,
                                            .stop = reading->stop,
                                            .begin = begin_file,
                                            .end = end_file,
                                            .context = s};
    r->files = capture_files_open(&options, error);
    if (r->files)
        r->writer = capture_files_writer(r->files);
    return r->files != NULL;
}

/* ---- the packets ---- */

static bool step_files(struct session *s, bool packet, struct error *error)
{
    struct run *r = s->run;
    if (!r->files)
        return true;
    bool more = capture_files_step(r->files, packet, error);
    r->writer = capture_files_writer(r->files);
    s->enough |= !more;
    return more;
}

static bool finished(const struct session *s)
{
    return reading_stopped || s->enough || reading_complete(s->run) ||
           (s->end > 0 && seconds_now() >= s->end);
}

/* The next packet of an input, without waiting.  An input that has ended is closed. */
static bool next_packet(struct session *s, size_t index, struct packet *packet, struct error *error)
{
    struct input *in = &s->inputs[index];
    if (in->live) {
        enum live_result result = live_next(in->live, packet, 0, error);
        packet->interface = packet->interface_in_section = (uint32_t)index;
        return result == LIVE_PACKET;
    }
    if (!in->reader || !reader_ready(in->reader))
        return false;
    enum read_result result = reader_next(in->reader, packet, error);
    if (result != READ_PACKET) {
        reader_close(in->reader);
        in->reader = NULL;
        return false;
    }
    if (packet->interface == PACKET_NO_INTERFACE) {
        packet->interface = packet->interface_in_section = (uint32_t)index;
        packet->interface_name = in->name;
    } else if (s->count > 1) {
        packet->interface += (uint32_t)PIPE_INDEX(index);
    }
    return true;
}

/* Takes what an input has; false when nothing was there. */
static bool take_turn(struct session *s, size_t index, struct error *error)
{
    struct packet packet;
    unsigned taken = 0;
    while (taken < TURN && !finished(s) && error->code == ERROR_NONE &&
           next_packet(s, index, &packet, error)) {
        taken++;
        packet.number = s->run->packets + 1;
        if (!reading_packet(s->run, &packet, error) || !step_files(s, true, error))
            s->enough = true;
    }
    return taken > 0;
}

/* Waits until one of the inputs has something; false when all have ended. */
static bool wait_for_more(struct session *s)
{
    struct pollfd wait[READING_INPUTS];
    nfds_t count = 0;
    for (size_t i = 0; i < s->count; i++) {
        const struct input *in = &s->inputs[i];
        if (in->live || in->reader)
            wait[count++] = (struct pollfd){
                .fd = in->live ? live_fd(in->live) : reader_fd(in->reader), .events = POLLIN};
    }
    if (count > 0)
        (void)poll(wait, count, WAIT_MS);
    return count > 0;
}

static void follow(struct session *s, struct error *error)
{
    while (!finished(s) && error->code == ERROR_NONE) {
        bool any = false;
        reading_poll_keys(s->run);
        for (size_t i = 0; i < s->count; i++)
            any |= take_turn(s, i, error);
        show_count(s);
        if (!any && (!step_files(s, false, error) || !wait_for_more(s)))
            return;
    }
}

static void on_alarm(int number)
{
    reading_stopped = number;
}

/* A program that waits for a pipe to open, or for its header, is woken when its time is over. */
static void set_alarm(double seconds)
{
    struct sigaction action = {.sa_handler = on_alarm};
    struct itimerval timer = {.it_interval.tv_usec = 100000};
    timer.it_value.tv_sec = (time_t)seconds;
    timer.it_value.tv_usec = (suseconds_t)((seconds - (double)(time_t)seconds) * 1e6) + 1;
    sigaction(SIGALRM, &action, NULL);
    (void)setitimer(ITIMER_REAL, &timer, NULL);
}

static void clear_alarm(void)
{
    struct itimerval timer = {0};
    (void)setitimer(ITIMER_REAL, &timer, NULL);
    (void)signal(SIGALRM, SIG_DFL);
}

static int capture(struct session *s, struct error *error)
{
    struct run *r = s->run;
    if (!open_inputs(s, error) || !open_files(s, error))
        return READING_REFUSED;
    announce(s);
    s->start_ns = clock_now();
    s->counts = r->reading->write_file && r->reading->no_output && !r->reading->quiet &&
                isatty(STDERR_FILENO);
    follow(s, error);
    if (!capture_files_close(r->files, error))
        s->enough = true;
    r->writer = NULL;
    (void)reading_flush(r, error);
    conclude(s);
    return error->code == ERROR_NONE ? READING_OK : READING_FAILED;
}

int reading_live(struct run *r, struct error *error)
{
    struct session *s = calloc(1, sizeof *s);
    if (!s) {
        error_set(error, ERROR_MEMORY, "out of memory");
        return READING_FAILED;
    }
    double duration = r->reading->stop.seconds;
    s->run = r;
    if (duration > 0) {
        s->end = seconds_now() + duration;
        set_alarm(duration);
    }
    int status = capture(s, error);
    if (duration > 0)
        clear_alarm();
    close_inputs(s);
    free(s);
    return status;
}
