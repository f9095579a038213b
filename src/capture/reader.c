#include "capture/reader.h"

#include "base/buf.h"
#include "capture/reader_private.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define READER_STDIN "standard input"

/* Link types whose records may be longer than libpcap's 262144 bytes, as tshark has them. */
static const struct long_link {
    uint32_t link_type, max;
} long_links[] = {
    {231, 128u << 20}, /* D-Bus */
    {249, 128u << 20}, /* USBPcap */
    {279, 32u << 20},  /* EBHSCR */
};

uint32_t max_caplen_of(uint32_t link_type)
{
    for (size_t i = 0; i < sizeof long_links / sizeof long_links[0]; i++)
        if (long_links[i].link_type == link_type)
            return long_links[i].max;
    return 262144;
}

/* " (decompressed); 7 packets were read before it" */
static void put_progress(const struct reader *r, char *text, size_t size)
{
    uint64_t packets = r->info.packets;
    (void)snprintf(text, size, "%s; %llu packet%s read before it",
                   r->info.compression ? " (decompressed)" : "", (unsigned long long)packets,
                   packets == 1 ? " was" : "s were");
}

enum read_result reader_damaged(struct reader *r, uint64_t offset, const char *what, ...)
{
    char detail[200], progress[80];
    va_list args;
    va_start(args, what);
    (void)vsnprintf(detail, sizeof detail, what, args);
    va_end(args);
    put_progress(r, progress, sizeof progress);
    error_set(&r->failure, ERROR_DAMAGED,
              "%s appears to be damaged or corrupt.\n(%s)\n  at byte %llu%s", r->subject, detail,
              (unsigned long long)offset, progress);
    return READ_ERROR;
}

bool reader_unsupported(struct reader *r, const char *what, ...)
{
    char detail[200];
    va_list args;
    va_start(args, what);
    (void)vsnprintf(detail, sizeof detail, what, args);
    va_end(args);
    return error_set(&r->failure, ERROR_FORMAT,
                     "%s contains record data that tlswire doesn't support.\n(%s)", r->subject,
                     detail);
}

/* What kept the bytes from coming: a failed read, or compressed data that makes no sense. */
static enum read_result source_failed(struct reader *r)
{
    const struct error *why = &r->source.error;
    char progress[80];
    put_progress(r, progress, sizeof progress);
    if (why->code == ERROR_DAMAGED)
        error_set(&r->failure, why->code,
                  "%s cannot be decompressed; it may be damaged or corrupt.\n(%s)\n"
                  "  at byte %llu%s",
                  r->subject, why->text, (unsigned long long)r->source.offset, progress);
    else
        error_set(&r->failure, why->code, "%s %s\n  at byte %llu%s", r->subject, why->text,
                  (unsigned long long)r->source.offset, progress);
    return READ_ERROR;
}

enum read_result reader_cut_short(struct reader *r, const char *in_what, size_t needed)
{
    struct source *s = &r->source;
    char progress[80];
    if (s->stop && *s->stop && s->error.code == ERROR_NONE)
        return READ_END; /* the user cut it short */
    if (s->error.code != ERROR_NONE && !s->cut)
        return source_failed(r);
    put_progress(r, progress, sizeof progress);
    error_set(&r->failure, ERROR_DAMAGED,
              "%s appears to have been cut short in the middle of a packet%s.\n"
              "  at byte %llu%s; %s needs %zu bytes, and %zu are there",
              r->subject, r->next ? "" : " or other data", (unsigned long long)s->offset, progress,
              in_what, needed, s->window.len);
    return READ_ERROR;
}

static void set_name(struct reader *r, const char *name)
{
    struct buf b = {.ceiling = 4096};
    buf_escaped(&b, slice_of_str(name));
    (void)snprintf(r->name, sizeof r->name, "%.*s", (int)(b.len < 150 ? b.len : 150),
                   b.data ? (const char *)b.data : "");
    buf_free(&b);
    if (strcmp(name, READER_STDIN) == 0)
        (void)snprintf(r->subject, sizeof r->subject, "The standard input");
    else
        (void)snprintf(r->subject, sizeof r->subject, "The file \"%s\"", r->name);
}

static enum read_result next_of_empty(struct reader *r, struct packet *p)
{
    (void)p;
    return r->failure.code ? READ_ERROR : READ_END;
}

static bool open_by_content(struct reader *r)
{
    struct source *s = &r->source;
    (void)source_need(s, 24);
    struct slice first = slice_sub(s->window, 0, 24);
    if (pcapng_detect(first))
        return pcapng_open(r);
    if (pcap_detect(r, first))
        return pcap_open(r);
    if (netmon_detect(first))
        return netmon_open(r);
    if (s->error.code != ERROR_NONE) {
        (void)reader_cut_short(r, "a file header", 24);
        return false;
    }
    if (first.len == 0) {
        r->info.format = "empty";
        r->next = next_of_empty;
        return true;
    }
    return reader_not_a_capture(r, first);
}

/* Opens R's source, already set, or gives the error and frees all. */
static struct reader *finish_open(struct reader *r, struct error *e)
{
    r->source.stop = r->options.stop;
    r->info.link_type = UINT32_MAX;
    r->info.compression = source_decompress(&r->source);
    r->info.mapped = r->source.whole.data != NULL;
    r->info.stays = r->info.mapped && !r->source.fetch;
    bool ok = r->source.error.code == ERROR_NONE;
    if (!ok && r->source.error.code == ERROR_FORMAT)
        error_set(&r->failure, ERROR_FORMAT,
                  "%s isn't a capture file in a format tlswire understands.\n  %s", r->subject,
                  r->source.error.text);
    else if (!ok)
        (void)source_failed(r);
    if (ok && open_by_content(r))
        return r;
    error_set(&r->failure, ERROR_FILE, "%s: stopped before its header had come", r->subject);
    error_set(e, r->failure.code, "%s", r->failure.text);
    reader_close(r);
    return NULL;
}

static struct reader *new_reader(const char *name, const struct reader_options *options,
                                 struct error *e)
{
    struct reader *r = calloc(1, sizeof *r);
    if (!r) {
        error_set(e, ERROR_MEMORY, "out of memory");
        return NULL;
    }
    if (options)
        r->options = *options;
    set_name(r, name);
    return r;
}

struct reader *reader_open_memory(const void *data, size_t size, const char *name,
                                  const struct reader_options *options, struct error *e)
{
    struct reader *r = new_reader(name, options, e);
    if (!r)
        return NULL;
    source_from_memory(&r->source, data, size);
    return finish_open(r, e);
}

struct reader *reader_open_fd(int fd, bool owned, const char *name,
                              const struct reader_options *options, struct error *e)
{
    struct reader *r = new_reader(name, options, e);
    if (!r) {
        if (owned)
            (void)close(fd);
        return NULL;
    }
    source_from_fd(&r->source, fd, owned);
    struct stat st;
    if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
        error_set(e, ERROR_FILE, "\"%s\" is a directory (folder), not a file.", r->name);
        reader_close(r);
        return NULL;
    }
    return finish_open(r, e);
}

struct reader *reader_open(const char *path, const struct reader_options *options, struct error *e)
{
    if (strcmp(path, "-") == 0)
        return reader_open_fd(STDIN_FILENO, false, READER_STDIN, options, e);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0)
        return reader_open_fd(fd, true, path, options, e);
    int why = errno;
    struct reader shown = {0};
    set_name(&shown, path);
    if (why == ENOENT)
        error_set(e, ERROR_FILE, "%s doesn't exist.", shown.subject);
    else if (why == EACCES)
        error_set(e, ERROR_FILE, "You don't have permission to read the file \"%s\".", shown.name);
    else
        error_set(e, ERROR_FILE, "%s could not be opened: %s.", shown.subject, strerror(why));
    return NULL;
}

void reader_close(struct reader *r)
{
    if (!r)
        return;
    source_close(&r->source);
    arena_free(&r->names);
    free(r->interfaces);
    free(r);
}

enum read_result reader_next(struct reader *r, struct packet *p, struct error *e)
{
    enum read_result result = READ_ERROR;
    if (r->failure.code == ERROR_NONE)
        result = r->next(r, p);
    if (result == READ_ERROR)
        error_set(e, r->failure.code, "%s", r->failure.text);
    return result;
}

int reader_fd(const struct reader *r)
{
    return r->source.upstream ? r->source.upstream->fd : r->source.fd;
}

bool reader_ready(struct reader *r)
{
    struct source *s = &r->source;
    while (r->failure.code == ERROR_NONE && s->fetch && !s->upstream && !s->at_end && r->complete) {
        if (r->complete(r))
            return true;
        struct pollfd more = {.fd = s->fd, .events = POLLIN};
        if (s->window.len >= SOURCE_CEILING || poll(&more, 1, 0) == 0)
            return s->window.len >= SOURCE_CEILING;
        (void)source_fill(s, s->window.len + 1);
    }
    return true;
}

struct reader *reader_open_again(const struct reader *r, const struct reader_options *options,
                                 struct error *e)
{
    return reader_open_memory(r->source.whole.data, r->source.whole.len, r->name, options, e);
}

bool reader_scan_secrets(struct reader *r, reader_secrets *secrets, void *context)
{
    if (!r->info.mapped)
        return false;
    r->secrets_done = true;
    if (strcmp(r->info.format, "pcapng") != 0)
        return true;
    struct reader_options options = {
        .secrets = secrets, .context = context, .stop = r->options.stop};
    struct error ignored = {0};
    struct reader *scan =
        reader_open_memory(r->source.whole.data, r->source.whole.len, r->name, &options, &ignored);
    if (!scan)
        return true;
    scan->scanning = true;
    struct source *file = r->source.upstream ? r->source.upstream : &r->source;
    struct source *again = scan->source.upstream ? scan->source.upstream : &scan->source;
    again->gives_back = file->gives_back;
    struct packet unused;
    while (reader_next(scan, &unused, &ignored) == READ_PACKET) {
    }
    reader_close(scan);
    return true;
}

struct reader_info reader_info(const struct reader *r)
{
    struct reader_info info = r->info;
    info.offset = r->source.offset;
    info.left = r->source.window.len;
    return info;
}
