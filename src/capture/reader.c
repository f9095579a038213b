#include "capture/reader.h"

#include "base/buf.h"
#include "capture/reader_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* Kinds of capture that are recognised only to say what to do with them. */
static const struct foreign {
    uint8_t bytes[8], len;
    const char *name;
} foreigners[] = {
    {{'s', 'n', 'o', 'o', 'p', 0, 0, 0}, 8, "a snoop capture (RFC 1761)"},
    {{'G', 'M', 'B', 'U'}, 4, "a Microsoft Network Monitor 2 capture"},
    {{'R', 'T', 'S', 'S'}, 4, "a Microsoft Network Monitor 1 capture"},
    {{'T', 'R', 'S', 'N', 'I', 'F', 'F', ' '}, 8, "a NetXRay or Sniffer capture"},
    {{'X', 'C', 'P', 0}, 4, "a NetXRay capture"},
    {{0x50, 0x4b, 3, 4}, 4, "a zip archive"},
    {{0x54, 0x52, 0x00, 0x64}, 4, "a Tektronix capture"},
    {{0x7f, 'E', 'L', 'F'}, 4, "a program, not a capture"},
    {{'#', ' ', 'S', 'S', 'L'},
     5,
     "a key log, not a capture: give it with -o tls.keylog_file:FILE"},
    {{'C', 'L', 'I', 'E', 'N', 'T', '_'},
     7,
     "a key log, not a capture: give it with -o tls.keylog_file:FILE"},
};

static const char *foreign_name(struct slice first)
{
    for (size_t i = 0; i < sizeof foreigners / sizeof foreigners[0]; i++)
        if (first.len >= foreigners[i].len &&
            memcmp(first.data, foreigners[i].bytes, foreigners[i].len) == 0)
            return foreigners[i].name;
    /* Endace ERF has no magic number: a 64-bit little-endian time, a type, flags, two lengths. */
    struct slice erf = first;
    (void)slice_skip(&erf, 8);
    uint8_t type = slice_u8(&erf) & 0x7f;
    (void)slice_skip(&erf, 1);
    uint16_t record = slice_u16(&erf);
    (void)slice_skip(&erf, 2);
    uint16_t wire = slice_u16(&erf);
    if (!erf.failed && type >= 1 && type <= 27 && record >= 16 && wire > 0 && wire < record + 16u)
        return "perhaps an Endace ERF capture";
    return NULL;
}

enum read_result reader_damaged(struct reader *r, uint64_t offset, const char *what, ...)
{
    char detail[200];
    va_list args;
    va_start(args, what);
    (void)vsnprintf(detail, sizeof detail, what, args);
    va_end(args);
    error_set(&r->failure, ERROR_DAMAGED,
              "%s: damaged at byte %llu%s: %s\n"
              "  %llu packet%s before it could be read; later ones are lost",
              r->name, (unsigned long long)offset, r->info.compression ? " (decompressed)" : "",
              detail, (unsigned long long)r->info.packets, r->info.packets == 1 ? "" : "s");
    return READ_ERROR;
}

enum read_result reader_cut_short(struct reader *r, const char *in_what, size_t needed)
{
    struct source *s = &r->source;
    if (s->stop && *s->stop && s->error.code == ERROR_NONE)
        return READ_END; /* the user cut it short */
    if (s->error.code != ERROR_NONE) {
        error_set(&r->failure, s->error.code, "%s: %s\n  %llu packets were read before it", r->name,
                  s->error.text, (unsigned long long)r->info.packets);
        return READ_ERROR;
    }
    error_set(
        &r->failure, ERROR_DAMAGED,
        "%s: cut short in %s, which begins at byte %llu%s and needs %zu bytes: %zu are there\n"
        "  %llu packet%s before it could be read; was the disk full, or is it still written?",
        r->name, in_what, (unsigned long long)s->offset,
        r->info.compression ? " (decompressed)" : "", needed, s->window.len,
        (unsigned long long)r->info.packets, r->info.packets == 1 ? "" : "s");
    return READ_ERROR;
}

static void set_name(struct reader *r, const char *name)
{
    struct buf b = {.ceiling = 4096};
    buf_escaped(&b, slice_of_str(name));
    (void)snprintf(r->name, sizeof r->name, "%.*s", (int)(b.len < 150 ? b.len : 150),
                   b.data ? (const char *)b.data : "");
    buf_free(&b);
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
    if (s->error.code != ERROR_NONE)
        return error_set(&r->failure, s->error.code, "%s: %s", r->name, s->error.text);
    if (first.len == 0) {
        r->info.format = "empty";
        r->next = next_of_empty;
        return true;
    }
    const char *foreign = foreign_name(first);
    if (foreign)
        return error_set(&r->failure, ERROR_FORMAT,
                         "%s: this is %s; pcap and pcapng are read here"
                         "\n  of a capture: editcap -F pcapng FILE NEW.pcapng makes one",
                         r->name, foreign);
    return error_set(
        &r->failure, ERROR_FORMAT,
        "%s: not a capture: it begins with %02x %02x %02x %02x, and neither pcap, pcapng "
        "nor a compressed one does\n  text2pcap makes captures of hex dumps",
        r->name, slice_at(first, 0), slice_at(first, 1), slice_at(first, 2), slice_at(first, 3));
}

/* Opens R's source, already set, or gives the error and frees all. */
static struct reader *finish_open(struct reader *r, struct error *e)
{
    r->source.stop = r->options.stop;
    r->info.link_type = UINT32_MAX;
    r->info.compression = source_decompress(&r->source);
    r->info.mapped = r->source.whole.data != NULL;
    bool ok = r->source.error.code == ERROR_NONE;
    if (!ok)
        error_set(&r->failure, r->source.error.code, "%s: %s", r->name, r->source.error.text);
    if (ok && open_by_content(r))
        return r;
    error_set(&r->failure, ERROR_FILE, "%s: stopped before its header had come", r->name);
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
        error_set(e, ERROR_FILE, "%s: is a directory; name a capture file in it", r->name);
        reader_close(r);
        return NULL;
    }
    return finish_open(r, e);
}

struct reader *reader_open(const char *path, const struct reader_options *options, struct error *e)
{
    if (strcmp(path, "-") == 0)
        return reader_open_fd(STDIN_FILENO, false, "standard input", options, e);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0)
        return reader_open_fd(fd, true, path, options, e);
    int why = errno;
    struct reader shown = {0};
    set_name(&shown, path);
    if (why == ENOENT)
        error_set(e, ERROR_FILE, "%s: no such file; check the name and the directory", shown.name);
    else if (why == EACCES)
        error_set(e, ERROR_FILE, "%s: you may not read this file; see ls -l, or use sudo",
                  shown.name);
    else
        error_set(e, ERROR_FILE, "%s: cannot be opened: %s", shown.name, strerror(why));
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
    return info;
}
