#include "capture/writer.h"

#include "base/buf.h"
#include "capture/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    FLUSH_AT = 1 << 17,
    DEFAULT_SNAPLEN = 262144,
    MAX_SECRETS = 4 << 20, /* bytes in one block: readers stop at blocks of 16 MiB */
    MAX_OPTION = 65532,
    MAX_INTERFACES = 65536,
    NOT_DECLARED = -1,
};

/* How the kinds of pcap differ. */
static const struct pcap_kind {
    uint32_t magic, ns_per_fraction;
    uint8_t extra; /* bytes at the end of a record's header */
} kinds[] = {
    [WRITE_PCAP] = {0xa1b2c3d4, 1000, 0},          [WRITE_PCAP_NANOSECOND] = {0xa1b23c4d, 1, 0},
    [WRITE_PCAP_MODIFIED] = {0xa1b2cd34, 1000, 8}, [WRITE_PCAP_NOKIA] = {0xa1b2c3d4, 1000, 4},
    [WRITE_PCAP_REDHAT] = {0xa1b2c3d4, 1000, 8},   [WRITE_PCAP_SUSE] = {0xa1b2cd34, 1000, 12},
};

const struct writer_type writer_types[] = {
    {WRITE_PCAP, "pcap", "Wireshark/tcpdump/... - pcap"},
    {WRITE_PCAPNG, "pcapng", "Wireshark/... - pcapng"},
    {WRITE_PCAP_MODIFIED, "modpcap", "Modified tcpdump - pcap"},
    {WRITE_PCAP_NOKIA, "nokiapcap", "Nokia tcpdump - pcap"},
    {WRITE_PCAP_NANOSECOND, "nsecpcap", "Wireshark/tcpdump/... - nanosecond pcap"},
    {WRITE_PCAP_REDHAT, "rh6_1pcap", "RedHat 6.1 tcpdump - pcap"},
    {WRITE_PCAP_SUSE, "suse6_3pcap", "SuSE 6.3 tcpdump - pcap"},
    {WRITE_PCAPNG, NULL, NULL},
};

struct declared {
    int64_t id; /* in the file, or NOT_DECLARED */
    uint32_t link_type;
    uint8_t decimals;
};

struct writer {
    struct buf out;
    struct writer_options options;
    struct declared *interfaces; /* owned; by the packets' interface, 0 being "none" */
    size_t interface_count;
    uint32_t next_id;
    uint32_t pcap_link;
    uint64_t bytes, packets;
    int fd;
    bool owned;
    bool started; /* the header of a pcap is written */
    bool broken;  /* a write failed: nothing more is tried */
    char name[160];
};

/* ---- little-endian output ---- */

static void put_u16(struct buf *b, uint16_t v)
{
    uint8_t bytes[2] = {(uint8_t)v, (uint8_t)(v >> 8)};
    buf_put(b, bytes, sizeof bytes);
}

static void put_u32(struct buf *b, uint32_t v)
{
    put_u16(b, (uint16_t)v);
    put_u16(b, (uint16_t)(v >> 16));
}

static void put_padding(struct buf *b, size_t len)
{
    buf_fill(b, '\0', (4 - len % 4) % 4);
}

static void put_option(struct buf *b, uint16_t code, struct slice value)
{
    value = slice_sub(value, 0, MAX_OPTION);
    put_u16(b, code);
    put_u16(b, (uint16_t)value.len);
    buf_slice_put(b, value);
    put_padding(b, value.len);
}

static void put_text_option(struct buf *b, uint16_t code, const char *text)
{
    if (text)
        put_option(b, code, slice_of_str(text));
}

static size_t begin_block(struct buf *b, uint32_t type)
{
    size_t start = b->len;
    put_u32(b, type);
    put_u32(b, 0); /* the length, known at the end */
    return start;
}

static void end_block(struct buf *b, size_t start)
{
    uint32_t size = (uint32_t)(b->len - start) + 4;
    put_u32(b, size);
    if (b->failed)
        return;
    for (unsigned i = 0; i < 4; i++)
        b->data[start + 4 + i] = (uint8_t)(size >> (8 * i));
}

/* ---- opening, flushing, closing ---- */

static bool write_failed(struct writer *w, int why, struct error *e)
{
    w->broken = true;
    if (why == ENOSPC || why == EDQUOT)
        return error_set(e, ERROR_FILE,
                         "%s: the disk is full after %llu packets; what is there is good", w->name,
                         (unsigned long long)w->packets);
    return error_set(e, ERROR_FILE, "%s: cannot write: %s", w->name, strerror(why));
}

bool writer_flush(struct writer *w, struct error *e)
{
    if (w->out.failed && !w->broken) {
        w->broken = true;
        return error_set(e, ERROR_MEMORY, "%s: out of memory while writing", w->name);
    }
    struct slice left = buf_slice(&w->out);
    while (left.len > 0 && !w->broken) {
        ssize_t n = write(w->fd, left.data, left.len);
        if (n > 0) {
            w->bytes += (size_t)n;
            (void)slice_skip(&left, (size_t)n);
        } else if (n < 0 && errno != EINTR) {
            write_failed(w, errno, e);
        }
    }
    buf_clear(&w->out);
    if (w->broken)
        return error_set(e, ERROR_FILE, "%s: an earlier write failed", w->name);
    return true;
}

static bool after_put(struct writer *w, bool flush, struct error *e)
{
    if (w->out.failed || w->broken || flush || w->out.len >= FLUSH_AT)
        return writer_flush(w, e);
    return true;
}

static void put_section(struct writer *w)
{
    struct buf *b = &w->out;
    size_t start = begin_block(b, 0x0a0d0d0a);
    put_u32(b, 0x1a2b3c4d);
    put_u16(b, 1);
    put_u16(b, 0);
    put_u32(b, UINT32_MAX); /* section length: not said */
    put_u32(b, UINT32_MAX);
    put_text_option(b, 2, w->options.hardware);
    put_text_option(b, 3, w->options.os);
    put_text_option(b, 4, w->options.application);
    for (size_t i = 0; i < WRITER_COMMENTS && w->options.comments[i]; i++)
        put_text_option(b, 1, w->options.comments[i]);
    put_u32(b, 0); /* end of options */
    end_block(b, start);
}

static void put_pcap_header(struct writer *w, uint32_t link_type)
{
    struct buf *b = &w->out;
    put_u32(b, kinds[w->options.format].magic);
    put_u16(b, 2);
    put_u16(b, 4);
    put_u32(b, 0);
    put_u32(b, 0);
    put_u32(b, w->options.snaplen);
    put_u32(b, link_type);
    w->pcap_link = link_type;
    w->started = true;
}

struct writer *writer_open_fd(int fd, bool owned, const char *name,
                              const struct writer_options *options, struct error *e)
{
    struct writer *w = calloc(1, sizeof *w);
    if (!w) {
        if (owned)
            (void)close(fd);
        error_set(e, ERROR_MEMORY, "out of memory");
        return NULL;
    }
    if (options)
        w->options = *options;
    if (w->options.snaplen == 0)
        w->options.snaplen = DEFAULT_SNAPLEN;
    w->fd = fd;
    w->owned = owned;
    struct buf shown = {.ceiling = 4096};
    buf_escaped(&shown, slice_of_str(name));
    (void)snprintf(w->name, sizeof w->name, "%.*s", (int)(shown.len < 150 ? shown.len : 150),
                   shown.data ? (const char *)shown.data : "");
    buf_free(&shown);
    if (w->options.format == WRITE_PCAPNG)
        put_section(w);
    return w;
}

struct writer *writer_open(const char *path, const struct writer_options *options, struct error *e)
{
    if (strcmp(path, "-") == 0)
        return writer_open_fd(STDOUT_FILENO, false, "standard output", options, e);
    bool exclusive = options && options->exclusive;
    bool restricted = options && (options->private_mode || options->group_read);
    mode_t mode = !restricted ? 0666 : options->group_read ? 0640 : 0600;
    int flags = O_WRONLY | O_CREAT | O_CLOEXEC | (exclusive ? O_EXCL : O_TRUNC);
    int fd = open(path, flags, mode);
    if (fd >= 0) {
        /* The mode given to open() does nothing for a file that is there already. */
        if (restricted)
            (void)fchmod(fd, mode);
        return writer_open_fd(fd, true, path, options, e);
    }
    int why = errno;
    struct buf shown = {.ceiling = 4096};
    buf_escaped(&shown, slice_of_str(path));
    buf_char(&shown, '\0');
    error_set(e, why == EACCES || why == EPERM ? ERROR_PERMISSION : ERROR_FILE,
              "%.300s: cannot be created: %s; choose another place with -w",
              shown.data && !shown.failed ? (const char *)shown.data : "file", strerror(why));
    buf_free(&shown);
    return NULL;
}

bool writer_close(struct writer *w, struct error *e)
{
    if (!w)
        return true;
    if (w->options.format != WRITE_PCAPNG && !w->started)
        put_pcap_header(w, w->options.link_type);
    bool ok = writer_flush(w, e);
    if (w->owned && close(w->fd) != 0 && ok)
        ok = write_failed(w, errno, e);
    buf_wipe(&w->out); /* it may have held secrets */
    free(w->interfaces);
    free(w);
    return ok;
}

/* ---- blocks ---- */

static struct declared *find_interface(struct writer *w, uint32_t index)
{
    size_t slot = index == PACKET_NO_INTERFACE ? 0 : (size_t)index + 1;
    if (slot > MAX_INTERFACES)
        return NULL;
    if (slot >= w->interface_count) {
        size_t count = slot + 8;
        struct declared *grown = realloc(w->interfaces, count * sizeof *grown);
        if (!grown)
            return NULL;
        w->interfaces = grown;
        for (size_t i = w->interface_count; i < count; i++)
            grown[i] = (struct declared){.id = NOT_DECLARED};
        w->interface_count = count;
    }
    return &w->interfaces[slot];
}

static void put_ticks(struct buf *b, uint64_t ticks)
{
    put_u32(b, (uint32_t)(ticks >> 32));
    put_u32(b, (uint32_t)ticks);
}

bool writer_interface(struct writer *w, const struct writer_interface *interface, struct error *e)
{
    struct declared *on = find_interface(w, interface->index);
    if (!on)
        return error_set(e, ERROR_MEMORY, "%s: too many interfaces, or no memory", w->name);
    on->id = w->next_id++;
    on->link_type = interface->link_type;
    on->decimals = interface->decimals > 6 ? 9 : 6;
    if (w->options.format != WRITE_PCAPNG)
        return true;
    struct buf *b = &w->out;
    size_t start = begin_block(b, 1);
    put_u16(b, (uint16_t)interface->link_type);
    put_u16(b, 0);
    put_u32(b, interface->snaplen ? interface->snaplen : w->options.snaplen);
    put_text_option(b, 2, interface->name);
    put_text_option(b, 3, interface->description);
    put_option(b, 9, slice_of(&on->decimals, 1));
    if (interface->filter) { /* 0: the filter as text */
        size_t len = strlen(interface->filter) + 1;
        put_u16(b, 11);
        put_u16(b, (uint16_t)(len < MAX_OPTION ? len : MAX_OPTION));
        buf_char(b, '\0');
        buf_slice_put(b, slice_sub(slice_of_str(interface->filter), 0, MAX_OPTION - 1));
        put_padding(b, len < MAX_OPTION ? len : MAX_OPTION);
    }
    put_text_option(b, 12, interface->os);
    put_u32(b, 0);
    end_block(b, start);
    return after_put(w, false, e);
}

static void put_number_option(struct buf *b, uint16_t code, uint64_t number, bool high_first)
{
    put_u16(b, code);
    put_u16(b, 8);
    put_u32(b, (uint32_t)(high_first ? number >> 32 : number));
    put_u32(b, (uint32_t)(high_first ? number : number >> 32));
}

bool writer_statistics(struct writer *w, const struct writer_statistics *of, struct error *e)
{
    struct declared *on = find_interface(w, of->index);
    if (w->options.format != WRITE_PCAPNG || !on || on->id == NOT_DECLARED)
        return true;
    struct buf *b = &w->out;
    int64_t unit = on->decimals == 9 ? 1 : 1000;
    size_t start = begin_block(b, 5);
    put_u32(b, (uint32_t)on->id);
    put_ticks(b, (uint64_t)(of->end_ns / unit));
    put_number_option(b, 2, (uint64_t)(of->start_ns / unit), true);
    put_number_option(b, 3, (uint64_t)(of->end_ns / unit), true);
    put_number_option(b, 4, of->received, false);
    put_number_option(b, 5, of->dropped, false);
    put_u32(b, 0);
    end_block(b, start);
    return after_put(w, false, e);
}

/* Neither format can say times before 1970: they become 1970. */
static uint64_t time_of(const struct packet *p)
{
    return p->has_time && p->time_ns > 0 ? (uint64_t)p->time_ns : 0;
}

static bool write_pcap(struct writer *w, const struct packet *p, struct error *e)
{
    if (!w->started)
        put_pcap_header(w, p->link_type);
    if (p->link_type != w->pcap_link)
        return error_set(
            e, ERROR_FORMAT,
            "%s: a pcap file holds one link type, and packet %llu is of another (%u, not "
            "%u); write pcapng",
            w->name, (unsigned long long)p->number, p->link_type, w->pcap_link);
    struct buf *b = &w->out;
    uint64_t time = time_of(p);
    put_u32(b, (uint32_t)(time / 1000000000));
    put_u32(b, (uint32_t)(time % 1000000000 / kinds[w->options.format].ns_per_fraction));
    put_u32(b, (uint32_t)p->bytes.len);
    put_u32(b, p->len);
    buf_fill(b, '\0', kinds[w->options.format].extra);
    buf_slice_put(b, p->bytes);
    return true;
}

static bool put_comments(struct buf *b, const struct packet *p)
{
    struct slice comment;
    size_t i = 0;
    for (; packet_comment(p, i, &comment); i++)
        put_option(b, 1, comment);
    if (i == 0 && p->comment.len > 0) { /* a packet that we made, not one that we read */
        put_option(b, 1, p->comment);
        i++;
    }
    return i > 0;
}

static bool write_enhanced(struct writer *w, const struct packet *p, struct error *e)
{
    struct declared *on = find_interface(w, p->interface);
    struct writer_interface declared = {.name = p->interface_name,
                                        .description = p->interface_description,
                                        .index = p->interface,
                                        .link_type = p->link_type,
                                        .decimals = p->time_decimals};
    if ((!on || on->id == NOT_DECLARED || on->link_type != p->link_type) &&
        !writer_interface(w, &declared, e))
        return false;
    on = find_interface(w, p->interface);
    if (!on)
        return false;
    struct buf *b = &w->out;
    uint64_t ticks = time_of(p) / (on->decimals == 9 ? 1 : 1000);
    size_t start = begin_block(b, 6);
    put_u32(b, (uint32_t)on->id);
    put_ticks(b, ticks);
    put_u32(b, (uint32_t)p->bytes.len);
    put_u32(b, p->len);
    buf_slice_put(b, p->bytes);
    put_padding(b, p->bytes.len);
    if (put_comments(b, p))
        put_u32(b, 0);
    end_block(b, start);
    return true;
}

bool writer_packet(struct writer *w, const struct packet *p, struct error *e)
{
    bool ok = w->options.format == WRITE_PCAPNG ? write_enhanced(w, p, e) : write_pcap(w, p, e);
    if (!ok)
        return false;
    w->packets++;
    return after_put(w, w->options.flush_each, e);
}

/* As much of TEXT as one block takes, to the end of a line where there is one. */
static struct slice secrets_piece(struct slice *text)
{
    size_t len = text->len;
    if (len > MAX_SECRETS) {
        len = MAX_SECRETS;
        while (len > 0 && slice_at(*text, len - 1) != '\n')
            len--;
        if (len == 0)
            len = MAX_SECRETS;
    }
    return slice_take(text, len);
}

bool writer_secrets(struct writer *w, uint32_t type, struct slice text, struct error *e)
{
    if (w->options.format != WRITE_PCAPNG)
        return error_set(e, ERROR_FORMAT, "%s: a pcap file has no place for secrets; write pcapng",
                         w->name);
    while (text.len > 0) {
        struct slice piece = secrets_piece(&text);
        size_t start = begin_block(&w->out, 10);
        put_u32(&w->out, type);
        put_u32(&w->out, (uint32_t)piece.len);
        buf_slice_put(&w->out, piece);
        put_padding(&w->out, piece.len);
        end_block(&w->out, start);
        if (!after_put(w, w->options.flush_each, e))
            return false;
    }
    return true;
}

struct names_block {
    struct buf *out;
    size_t start; /* of the block */
    bool begun;
};

static void put_name(void *context, const struct named *named)
{
    struct names_block *n = context;
    size_t len = strlen(named->name) + 1;
    if (!named->met)
        return;
    if (!n->begun)
        n->start = begin_block(n->out, 4);
    n->begun = true;
    put_u16(n->out, named->size == 4 ? 1 : 2);
    put_u16(n->out, (uint16_t)(named->size + len));
    buf_put(n->out, named->address, named->size);
    buf_put(n->out, named->name, len);
    put_padding(n->out, named->size + len);
}

bool writer_names(struct writer *w, const struct names *names, struct error *e)
{
    struct names_block n = {.out = &w->out};
    if (w->options.format != WRITE_PCAPNG)
        return true;
    names_each(names, put_name, &n);
    if (n.begun) {
        put_u32(n.out, 0); /* the last record */
        end_block(n.out, n.start);
    }
    return after_put(w, w->options.flush_each, e);
}

uint64_t writer_bytes(const struct writer *w)
{
    return w->bytes + w->out.len;
}

uint64_t writer_packets(const struct writer *w)
{
    return w->packets;
}
