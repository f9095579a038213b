/* The capture reader over any bytes: pcap, pcapng, either of them compressed.  The first byte
 * chooses whether the secrets are scanned first, and whether what was read is written again and
 * read back. */
#include "base/buf.h"
#include "base/names.h"
#include "capture/reader.h"
#include "capture/writer.h"

#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SCAN = 1, REWRITE = 2, MOST_PACKETS = 4096 };

static volatile uint32_t sink; /* so that every byte is looked at */

static void look_at(struct slice s)
{
    uint32_t sum = 0;
    while (s.len > 0)
        sum += slice_u8(&s);
    sink += sum;
}

static void on_secrets(void *context, uint32_t type, struct slice text)
{
    (void)context;
    sink += type;
    look_at(text);
}

static void on_name(void *context, struct slice address, struct slice name)
{
    names_add(context, address, name);
    names_hosts(context, name);
}

static void look_at_packet(const struct packet *p)
{
    struct slice comment;
    if (p->bytes.len != p->caplen)
        abort();
    look_at(p->bytes);
    for (size_t i = 0; packet_comment(p, i, &comment); i++)
        look_at(comment);
    if (p->interface_name)
        look_at(slice_of_str(p->interface_name));
}

/* Through a pipe, whose other end is the reader on a descriptor: small captures only. */
static void rewrite(struct reader *r)
{
    int ends[2];
    struct error e = {0};
    if (pipe(ends) != 0)
        return;
    struct writer *w = writer_open_fd(ends[1], true, "pipe", NULL, &e);
    struct packet p;
    uint64_t written = 0, seen = 0;
    while (w && writer_bytes(w) < 30000 && reader_next(r, &p, &e) == READ_PACKET &&
           p.caplen < 20000 && p.options.len < 10000)
        written += writer_packet(w, &p, &e);
    if (!writer_close(w, &(struct error){0}))
        abort();
    struct error again = {0};
    struct reader *back = reader_open_fd(ends[0], true, "pipe", NULL, &again);
    while (back && reader_next(back, &p, &again) == READ_PACKET)
        seen++;
    reader_close(back);
    if (again.code != ERROR_NONE || seen != written)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice input = slice_of(data, size);
    uint8_t mode = slice_u8(&input);
    struct names names = {0};
    struct reader_options options = {.secrets = on_secrets, .name = on_name, .context = &names};
    struct error e = {0};
    names_hosts(&names, slice_sub(input, 0, 256));
    struct reader *r = reader_open_memory(input.data, input.len, "fuzz", &options, &e);
    if (!r)
        names_free(&names);
    if (!r)
        return e.code == ERROR_NONE ? (abort(), 0) : 0;
    if (mode & SCAN)
        (void)reader_scan_secrets(r, on_secrets, NULL);
    if (mode & REWRITE) {
        rewrite(r);
    } else {
        struct packet p;
        for (int i = 0; i < MOST_PACKETS && reader_next(r, &p, &e) == READ_PACKET; i++)
            look_at_packet(&p);
    }
    sink += reader_info(r).interfaces;
    reader_close(r);
    names_free(&names);
    return 0;
}
