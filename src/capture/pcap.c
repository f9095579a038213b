/* The classic format (draft-ietf-opsawg-pcap): a 24-byte header, then records of 16 bytes and data.
 */
#include "capture/reader_private.h"

enum {
    FILE_HEADER = 24,
    PLAIN_RECORD = 16,
    NOKIA_RECORD = 20,    /* 4 bytes of their own */
    MODIFIED_RECORD = 24, /* interface, protocol and packet type */
    SUSE_RECORD = 28,     /* the same, and two processors */
    TRIED_RECORDS = 4,
};

/* Files of one magic number may have one of several record headers; see choose_form(). */
static const struct pcap_magic {
    uint32_t magic;
    const char *format;
    uint32_t ns_per_fraction;
    uint8_t after_header;      /* bytes between the file header and the first record */
    uint8_t record_headers[3]; /* the usual one first; 0: no more */
} magics[] = {
    {0xa1b2c3d4, "pcap", 1000, 0, {PLAIN_RECORD, MODIFIED_RECORD, NOKIA_RECORD}},
    {0xa1b23c4d, "nanosecond pcap", 1, 0, {PLAIN_RECORD}},
    /* Kuznetsov's patched libpcap, and SuSE's of 1999. */
    {0xa1b2cd34, "modified pcap", 1000, 0, {MODIFIED_RECORD, SUSE_RECORD}},
    /* Ixia's, from hardware and software: the size of all records comes first. */
    {0x1c0001ac, "Ixia pcap", 1000, 4, {PLAIN_RECORD}},
    {0x1c0001ab, "Ixia pcap", 1000, 4, {PLAIN_RECORD}},
};

static enum read_result pcap_next(struct reader *r, struct packet *p);

static const struct pcap_magic *find_magic(uint32_t magic)
{
    for (size_t i = 0; i < sizeof magics / sizeof magics[0]; i++)
        if (magics[i].magic == magic)
            return &magics[i];
    return NULL;
}

bool pcap_detect(struct reader *r, struct slice first)
{
    for (int big = 0; big <= 1; big++) {
        struct slice at = first;
        const struct pcap_magic *magic = find_magic(read_u32(&at, big));
        if (!magic)
            continue;
        r->info.format = magic->format;
        r->info.big_endian = big;
        r->pcap.kind = (uint8_t)(magic - magics);
        r->pcap.record_header = magic->record_headers[0];
        r->pcap.ns_per_fraction = magic->ns_per_fraction;
        return true;
    }
    return false;
}

/* How many of the first records make sense with headers of SIZE bytes; -1 when one does not. */
static int sensible_records(const struct reader *r, size_t size)
{
    struct slice at = r->source.window;
    bool big = r->info.big_endian;
    int seen = 0;
    for (; seen < TRIED_RECORDS; seen++) {
        struct slice header = slice_take(&at, size);
        if (header.failed)
            break;
        (void)slice_skip(&header, 4);
        uint32_t fraction = read_u32(&header, big), caplen = read_u32(&header, big);
        uint32_t len = read_u32(&header, big);
        if (caplen > r->single.max_caplen || len > r->single.max_caplen || fraction >= 1000000000)
            return -1;
        if (caplen > len && !r->pcap.swapped_lengths && !r->pcap.guess_swapped)
            return -1;
        if (!slice_skip(&at, caplen))
            break; /* the rest may be on its way */
    }
    return seen;
}

/* The same magic number stands before records of several layouts.  The usual one is taken unless it
 * makes no sense and another does.  Nothing is waited for: a pipe may have one record only. */
static void choose_form(struct reader *r)
{
    const uint8_t *sizes = magics[r->pcap.kind].record_headers;
    if (sensible_records(r, sizes[0]) >= 0)
        return;
    for (size_t i = 1; i < 3 && sizes[i]; i++) {
        if (sensible_records(r, sizes[i]) < 2)
            continue;
        r->pcap.record_header = sizes[i];
        return;
    }
}

bool pcap_open(struct reader *r)
{
    if (!source_need(&r->source, FILE_HEADER)) {
        (void)reader_cut_short(r, "the file header", FILE_HEADER);
        return false;
    }
    bool big = r->info.big_endian;
    struct slice header = source_take(&r->source, FILE_HEADER);
    (void)slice_skip(&header, 4);
    uint16_t major = read_u16(&header, big);
    uint16_t minor = read_u16(&header, big);
    (void)slice_skip(&header, 8); /* time zone and accuracy: always zero */
    uint32_t snaplen = read_u32(&header, big);
    uint32_t link = read_u32(&header, big);
    if (major < 2)
        return reader_unsupported(r, "pcap: major version %u unsupported", major);
    r->pcap.swapped_lengths = major == 2 && minor < 3;
    r->pcap.guess_swapped = major == 2 && minor == 3;
    /* Bits 28-31 count 16-bit words of frame check sequence when bit 26 says so. */
    bool has_fcs = link & 0x04000000u;
    r->single.fcs_bytes = has_fcs ? (int8_t)((link >> 28) * 2) : -1;
    r->single.link_type = link & 0x03ffffffu;
    r->single.max_caplen = max_caplen_of(r->single.link_type);
    r->single.clock.decimals = r->pcap.ns_per_fraction == 1 ? 9 : 6;
    r->info.link_type = r->single.link_type;
    r->info.snaplen = snaplen;
    r->info.interfaces = 1;
    r->info.sections = 1;
    size_t more = magics[r->pcap.kind].after_header;
    if (more > 0 && !source_need(&r->source, more)) {
        (void)reader_cut_short(r, "the file header", more);
        return false;
    }
    (void)source_take(&r->source, more);
    choose_form(r);
    r->pcap.packet = (struct packet){.link_type = r->single.link_type,
                                     .interface = PACKET_NO_INTERFACE,
                                     .section = 1,
                                     .time_decimals = r->single.clock.decimals,
                                     .fcs_bytes = r->single.fcs_bytes,
                                     .has_time = true,
                                     .big_endian = big};
    r->next = pcap_next;
    r->complete = pcap_complete;
    return true;
}

static void swap_lengths(const struct pcap_form *form, uint32_t *caplen, uint32_t *len)
{
    if (form->swapped_lengths || (form->guess_swapped && *caplen > *len)) {
        uint32_t first = *caplen;
        *caplen = *len;
        *len = first;
    }
}

bool pcap_complete(const struct reader *r)
{
    struct slice at = r->source.window;
    struct slice header = slice_take(&at, r->pcap.record_header);
    (void)slice_skip(&header, 8);
    uint32_t caplen = read_u32(&header, r->info.big_endian);
    uint32_t len = read_u32(&header, r->info.big_endian);
    swap_lengths(&r->pcap, &caplen, &len);
    return !at.failed && (caplen <= at.len || caplen > r->single.max_caplen);
}

static enum read_result pcap_next(struct reader *r, struct packet *p)
{
    struct source *s = &r->source;
    size_t header_len = r->pcap.record_header;
    if (!source_need(s, header_len)) {
        if (s->window.len == 0 && s->error.code == ERROR_NONE)
            return READ_END;
        return reader_cut_short(r, "a packet's header", header_len);
    }
    bool big = r->info.big_endian;
    struct slice header = slice_sub(s->window, 0, header_len);
    uint32_t seconds = read_u32(&header, big);
    uint32_t fraction = read_u32(&header, big);
    uint32_t caplen = read_u32(&header, big);
    uint32_t len = read_u32(&header, big);
    swap_lengths(&r->pcap, &caplen, &len);
    if (caplen > r->single.max_caplen)
        return reader_damaged(r, s->offset,
                              "pcap: File has %u-byte packet, bigger than maximum of %u", caplen,
                              r->single.max_caplen);
    if (!source_need(s, header_len + caplen))
        return reader_cut_short(r, "a packet", header_len + caplen);
    (void)source_take(s, header_len);
    *p = r->pcap.packet;
    p->bytes = source_take(s, caplen);
    p->time_ns = (int64_t)seconds * 1000000000 + (int64_t)fraction * r->pcap.ns_per_fraction;
    p->number = ++r->info.packets;
    p->caplen = caplen;
    p->len = len;
    return READ_PACKET;
}
