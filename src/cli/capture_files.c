#include "cli/capture_files.h"

#include "base/buf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NUMBER_MODULUS 100000 /* numbers in names have five digits */

struct capture_files {
    struct capture_files_options options;
    struct writer *writer;
    FILE *names;      /* NULL: the names of files are not wanted */
    char **kept;      /* owned: paths of the files that are there, a ring of change.files */
    char *path;       /* owned: of the file that is written now */
    uint32_t number;  /* of that file, from 1 */
    uint64_t packets; /* in it */
    double start;     /* of it */
    int64_t turn;     /* when `interval` is over, in seconds since 1970 */
};

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* "base_00001_20261125081838.pcapng" of "base.pcapng"; without a dot, nothing stands behind. */
static char *name_file(const struct capture_files *f)
{
    const char *path = f->options.path, *slash = strrchr(path, '/'), *dot = strrchr(path, '.');
    size_t stem = dot && (!slash || dot > slash) ? (size_t)(dot - path) : strlen(path);
    char when[32] = "", *name = NULL;
    time_t now = time(NULL);
    struct tm parts;
    if (!f->options.many)
        return strdup(path);
    if (localtime_r(&now, &parts))
        (void)strftime(when, sizeof when, "%Y%m%d%H%M%S", &parts);
    unsigned number = f->number % NUMBER_MODULUS;
    int length =
        f->options.time_first
            ? asprintf(&name, "%.*s_%s_%05u%s", (int)stem, path, when, number, path + stem)
            : asprintf(&name, "%.*s_%05u_%s%s", (int)stem, path, number, when, path + stem);
    return length < 0 ? NULL : name;
}

/* Makes room in the ring: the oldest file goes. */
static void keep_file(struct capture_files *f)
{
    uint32_t most = f->options.change.files;
    if (!f->kept || most == 0)
        return;
    char **place = &f->kept[(f->number - 1) % most];
    if (*place && strcmp(*place, f->path) != 0)
        (void)unlink(*place);
    free(*place);
    *place = strdup(f->path);
}

static bool open_next(struct capture_files *f, struct error *e)
{
    f->number++;
    free(f->path);
    f->path = name_file(f);
    if (!f->path)
        return error_set(e, ERROR_MEMORY, "out of memory");
    f->writer = writer_open(f->path, &f->options.writer, e);
    if (!f->writer)
        return false;
    keep_file(f);
    f->packets = 0;
    f->start = seconds_now();
    int64_t interval = (int64_t)f->options.change.interval, now = (int64_t)time(NULL);
    f->turn = interval > 0 ? now - now % interval + interval : 0;
    return f->options.begin(f->options.context, f->writer, e);
}

static bool close_current(struct capture_files *f, struct error *e)
{
    if (!f->writer)
        return true;
    bool good = f->options.end(f->options.context, f->writer, e);
    good = writer_close(f->writer, e) && good;
    f->writer = NULL;
    if (good && f->names && (fprintf(f->names, "%s\n", f->path) < 0 || fflush(f->names) != 0))
        return error_set(e, ERROR_FILE, "%s: cannot write: %s", f->options.print_names,
                         strerror(errno));
    return good;
}

static bool open_names(struct capture_files *f, struct error *e)
{
    const char *where = f->options.print_names;
    if (!where)
        return true;
    f->names = strcmp(where, "stdout") == 0 || strcmp(where, "-") == 0 ? stdout
               : strcmp(where, "stderr") == 0                          ? stderr
                                                                       : fopen(where, "we");
    return f->names || error_set(e, ERROR_FILE, "-b printname: %s cannot be opened: %s", where,
                                 strerror(errno));
}

struct capture_files *capture_files_open(const struct capture_files_options *options,
                                         struct error *e)
{
    struct capture_files *f = calloc(1, sizeof *f);
    if (!f) {
        error_set(e, ERROR_MEMORY, "out of memory");
        return NULL;
    }
    f->options = *options;
    uint32_t most = options->change.files;
    f->kept = most > 0 ? calloc(most, sizeof *f->kept) : NULL;
    if (most > 0 && !f->kept)
        error_set(e, ERROR_MEMORY, "out of memory");
    else if (open_names(f, e) && open_next(f, e))
        return f;
    (void)capture_files_close(f, e);
    return NULL;
}

struct writer *capture_files_writer(const struct capture_files *f)
{
    return f->writer;
}

/* Whether a rule for files of their own says that this one is complete. */
static bool is_complete(const struct capture_files *f, const struct file_rules *rules)
{
    return (rules->packets > 0 && f->packets >= rules->packets) ||
           (rules->bytes > 0 && f->packets > 0 && writer_bytes(f->writer) >= rules->bytes);
}

static bool is_over(const struct capture_files *f, const struct file_rules *rules)
{
    return (rules->seconds > 0 && seconds_now() - f->start >= rules->seconds) ||
           (rules->interval > 0 && (int64_t)time(NULL) >= f->turn);
}

bool capture_files_step(struct capture_files *f, bool packet, struct error *e)
{
    const struct file_rules *change = &f->options.change, *stop = &f->options.stop;
    f->packets += packet;
    if (!f->options.many)
        return !is_complete(f, stop);
    /* -a filesize: and -b filesize: both name the size of a file; so they do in tshark. */
    bool full = is_complete(f, change) || (stop->bytes > 0 && is_complete(f, stop));
    if (!full && !is_over(f, change))
        return true;
    if (stop->files > 0 && f->number >= stop->files)
        return false;
    return close_current(f, e) && open_next(f, e);
}

bool capture_files_close(struct capture_files *f, struct error *e)
{
    if (!f)
        return true;
    bool good = close_current(f, e);
    if (f->names && f->names != stdout && f->names != stderr && fclose(f->names) != 0)
        good = error_set(e, ERROR_FILE, "%s: cannot write: %s", f->options.print_names,
                         strerror(errno));
    for (uint32_t i = 0; f->kept && i < f->options.change.files; i++)
        free(f->kept[i]);
    free(f->kept);
    free(f->path);
    free(f);
    return good;
}
