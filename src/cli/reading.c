#include "cli/reading.h"

#include "capture/live.h"
#include "capture/reader.h"
#include "capture/writer.h"
#include "cli/common.h"
#include "engine.h"
#include "filter/filter.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define FLUSH_AT ((size_t)64 * 1024)

struct run {
    const struct reading *reading;
    struct engine *engine;
    struct filter *filter;
    struct writer *writer;
    struct buf out;
    uint8_t want[FIELD_COUNT];
    uint64_t packets;
};

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

static bool flush(struct run *r, struct error *error)
{
    if (r->out.len > 0 && fwrite(r->out.data, 1, r->out.len, r->reading->out) != r->out.len)
        return error_set(error, ERROR_FILE, "cannot write the output: %s", strerror(errno));
    buf_clear(&r->out);
    if (r->reading->line_buffered || r->reading->file == NULL)
        fflush(r->reading->out);
    return true;
}

static bool take(struct run *r, const struct packet *packet, struct error *error)
{
    const struct reading *reading = r->reading;
    const struct dissection *d = engine_packet(r->engine, packet);
    r->packets++;
    if (r->filter && !filter_match(r->filter, &d->tape))
        return true;
    if (!reading->no_output)
        reading->printer->packet(&r->out, &reading->print, d);
    engine_displayed(r->engine);
    if (r->writer && !writer_packet(r->writer, packet, error))
        return false;
    if (r->out.len < FLUSH_AT && !reading->line_buffered && reading->file)
        return true;
    return flush(r, error);
}

static void take_secrets(void *context, uint32_t type, struct slice text)
{
    struct run *r = context;
    if (type == SECRETS_TLS_KEY_LOG)
        engine_keys(r->engine, text);
}

static int read_file(struct run *r, struct error *error)
{
    struct reader_options options = {.secrets = take_secrets, .context = r, .stop = &interrupted};
    struct reader *reader = reader_open(r->reading->file, &options, error);
    if (!reader)
        return EXIT_USAGE;
    struct packet packet;
    enum read_result result = READ_PACKET;
    uint64_t limit = r->reading->packet_limit;
    while (!interrupted && (limit == 0 || r->packets < limit) &&
           (result = reader_next(reader, &packet, error)) == READ_PACKET)
        if (!take(r, &packet, error))
            break;
    reader_close(reader);
    return error->code == ERROR_NONE ? EXIT_OK : EXIT_USAGE;
}

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int read_live(struct run *r, struct error *error)
{
    const struct reading *reading = r->reading;
    struct live_options options = {.interface = reading->interface,
                                   .filter = reading->capture_filter,
                                   .immediate = reading->line_buffered};
    struct live *live = live_open(&options, error);
    if (!live)
        return EXIT_RUNTIME;
    fprintf(stderr, "Capturing on '%s'\n", live_interface(live));
    double end = reading->duration > 0 ? seconds_now() + reading->duration : 0;
    enum live_result result = LIVE_NONE;
    struct packet packet;
    while (!interrupted && (reading->packet_limit == 0 || r->packets < reading->packet_limit)) {
        if (end > 0 && seconds_now() >= end)
            break;
        result = live_next(live, &packet, 100, error);
        if (result == LIVE_ERROR || result == LIVE_END)
            break;
        if (result == LIVE_PACKET && !take(r, &packet, error))
            break;
    }
    live_close(live);
    flush(r, error);
    if (!reading->quiet)
        fprintf(stderr, "%llu packet%s captured\n", (unsigned long long)r->packets,
                r->packets == 1 ? "" : "s");
    return error->code == ERROR_NONE ? EXIT_OK : EXIT_RUNTIME;
}

static bool load_keys(struct run *r, struct error *error)
{
    const char *path = r->reading->keylog_file;
    FILE *file = path ? fopen(path, "re") : NULL;
    if (path && !file)
        return error_set(error, ERROR_FILE,
                         "cannot open the key log file \"%s\": %s; check tls.keylog_file", path,
                         strerror(errno));
    char chunk[16384];
    for (size_t n; file && (n = fread(chunk, 1, sizeof chunk, file)) > 0;)
        engine_keys(r->engine, slice_of(chunk, n));
    explicit_bzero(chunk, sizeof chunk);
    if (file)
        fclose(file);
    return true;
}

static int prepare(struct run *r, struct error *error)
{
    const struct reading *reading = r->reading;
    reading->printer->want(&reading->print, r->want);
    if (reading->display_filter) {
        r->filter = filter_compile(reading->display_filter, error);
        if (!r->filter)
            return EXIT_USAGE;
        filter_wants(r->filter, r->want);
    }
    struct engine_options options = {.want = r->want,
                                     .tls_ports = reading->tls_ports,
                                     .tls_port_count = reading->tls_port_count};
    if (getrandom(&options.seed, sizeof options.seed, 0) < 0)
        options.seed = (uint64_t)time(NULL);
    r->engine = engine_new(&options);
    if (!r->engine) {
        error_set(error, ERROR_MEMORY, "out of memory");
        return EXIT_RUNTIME;
    }
    if (!load_keys(r, error))
        return EXIT_USAGE;
    if (reading->write_file) {
        r->writer = writer_open(reading->write_file, NULL, error);
        if (!r->writer)
            return EXIT_USAGE;
    }
    return EXIT_OK;
}

int reading_run(const struct reading *reading, struct error *error)
{
    struct run *r = calloc(1, sizeof *r);
    if (!r)
        return error_set(error, ERROR_MEMORY, "out of memory"), EXIT_RUNTIME;
    r->reading = reading;
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    int status = prepare(r, error);
    if (status == EXIT_OK) {
        if (!reading->no_output)
            reading->printer->header(&r->out, &reading->print);
        status = reading->file ? read_file(r, error) : read_live(r, error);
        if (!reading->no_output)
            reading->printer->footer(&r->out, &reading->print);
        if (!flush(r, error) || fflush(reading->out) != 0)
            status = EXIT_RUNTIME;
    }
    if (r->writer && !writer_close(r->writer, error) && status == EXIT_OK)
        status = EXIT_RUNTIME;
    filter_free(r->filter);
    engine_free(r->engine);
    buf_free(&r->out);
    free(r);
    return status;
}
