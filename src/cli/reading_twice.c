/* Two passes over a capture (-2): the first finds how everything ends, the second prints. */
#include "capture/reader.h"
#include "cli/reading_private.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SPOOL_LIMIT ((uint64_t)4 << 30) /* bytes of a pipe that are kept for the second pass */

static bool out_of_memory(struct error *error)
{
    return error_set(error, ERROR_MEMORY,
                     "out of memory: two passes (-2) keep some bytes for each packet");
}

static bool learn_packet(struct run *r, const struct packet *packet, struct error *error)
{
    r->packets++;
    const struct dissection *d = engine_packet(r->engine, packet);
    if (!r->filter)
        return true;
    buf_char(&r->kept, filter_match(r->filter, &d->tape) ? 1 : 0);
    return !r->kept.failed || out_of_memory(error);
}

const char *reading_path(const struct run *r)
{
    return *r->spool ? r->spool : r->reading->file;
}

/* Writes all of BYTES; false when that cannot be done. */
static bool write_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, bytes, len);
        if (n < 0 && errno != EINTR)
            return false;
        size_t done = n > 0 ? (size_t)n : 0;
        bytes += done;
        len -= done;
    }
    return true;
}

/* A pipe can be read once: its bytes are kept in a file without a name. */
static bool spool(struct run *r, int from, struct error *error)
{
    static const char in[] = "what came through the pipe cannot be kept for the second pass (-2)";
    char bytes[65536];
    uint64_t total = 0;
    FILE *copy = tmpfile();
    if (!copy)
        return error_set(error, ERROR_FILE, "%s: %s; read a file, or leave -2 out", in,
                         strerror(errno));
    r->spool_fd = dup(fileno(copy));
    (void)fclose(copy);
    for (ssize_t n; r->spool_fd >= 0 && !reading_stopped; total += (uint64_t)n) {
        n = read(from, bytes, sizeof bytes);
        if (n < 0 && errno == EINTR) {
            n = 0;
            continue;
        }
        if (n <= 0)
            break;
        if (total > SPOOL_LIMIT)
            return error_set(error, ERROR_FILE,
                             "%s: it is more than 4 GiB; read a file, or leave -2 out", in);
        if (!write_all(r->spool_fd, bytes, (size_t)n))
            return error_set(error, ERROR_FILE, "%s: %s; read a file, or leave -2 out", in,
                             strerror(errno));
    }
    if (r->spool_fd < 0)
        return error_set(error, ERROR_FILE, "%s: %s", in, strerror(errno));
    snprintf(r->spool, sizeof r->spool, "/dev/fd/%d", r->spool_fd);
    return true;
}

/* Makes sure that the packets can be read twice. */
static bool settle(struct run *r, struct error *error)
{
    struct stat is;
    bool standard = strcmp(r->reading->file, "-") == 0;
    if (standard ? fstat(STDIN_FILENO, &is) != 0 : stat(r->reading->file, &is) != 0)
        return true; /* the reader says what is wrong */
    if (standard && S_ISREG(is.st_mode)) {
        snprintf(r->spool, sizeof r->spool, "/dev/fd/%d", STDIN_FILENO);
        return true;
    }
    if (!standard && !S_ISFIFO(is.st_mode))
        return true;
    FILE *pipe = standard ? stdin : fopen(r->reading->file, "rb");
    if (!pipe)
        return true;
    bool good = spool(r, fileno(pipe), error);
    if (!standard)
        (void)fclose(pipe);
    return good;
}

int reading_learn(struct run *r, struct error *error)
{
    static const uint8_t nothing[FIELD_COUNT];
    uint8_t want[FIELD_COUNT] = {0};
    struct filter *display = r->filter;
    r->filter = NULL;
    if (r->reading->read_filter) {
        r->filter = filter_compile(r->reading->read_filter, error);
        if (r->filter) {
            filter_open_ended(r->filter);
            filter_wants(r->filter, want);
        }
    }
    struct engine_options options = reading_engine_options(r, r->filter ? want : nothing);
    options.learns = &r->foresight;
    int status = READING_FAILED;
    if (error->code == ERROR_NONE && settle(r, error)) {
        r->engine = engine_new(&options);
        if (r->engine) {
            reading_open_keys(r);
            status = reading_file(r, learn_packet, error);
            engine_learned(r->engine);
            reading_close_keys(r);
        }
        if (!r->engine || foresight_failed(&r->foresight)) {
            out_of_memory(error);
            status = READING_FAILED;
        }
    }
    engine_free(r->engine);
    filter_free(r->filter);
    r->engine = NULL;
    r->filter = display;
    r->packets = 0;
    return status;
}

void reading_forget(struct run *r)
{
    foresight_free(&r->foresight);
    buf_free(&r->kept);
    if (r->spool_fd >= 0)
        (void)close(r->spool_fd);
}
