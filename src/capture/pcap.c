/* The classic format (draft-ietf-opsawg-pcap): a 24-byte header, then records of 16 bytes and data.
 */
#include "capture/reader_private.h"

enum { FILE_HEADER = 24, PLAIN_RECORD = 16, MODIFIED_RECORD = 24 };

static const struct pcap_magic {
    uint32_t magic;
    const char *format;
    uint32_t ns_per_fraction;
    uint8_t record_header;
} magics[] = {
    {0xa1b2c3d4, "pcap", 1000, PLAIN_RECORD},
    {0xa1b23c4d, "nanosecond pcap", 1, PLAIN_RECORD},
    /* Kuznetsov's patched libpcap: records also hold interface, protocol and packet type. */
    {0xa1b2cd34, "modified pcap", 1000, MODIFIED_RECORD},
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
        r->pcap.record_header = magic->record_header;
        r->pcap.ns_per_fraction = magic->ns_per_fraction;
        return true;
    }
    return false;
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
        return error_set(&r->failure, ERROR_FORMAT, "%s: pcap version %u.%u is not read; 2.x is",
                         r->name, major, minor);
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
    r->next = pcap_next;
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
        return reader_damaged(r, s->offset, "packet %llu claims %u bytes, and %u is the most",
                              (unsigned long long)r->info.packets + 1, caplen,
                              r->single.max_caplen);
    if (!source_need(s, header_len + caplen))
        return reader_cut_short(r, "a packet", header_len + caplen);
    (void)source_take(s, header_len);
    *p = (struct packet){
        .bytes = source_take(s, caplen),
        .time_ns = (int64_t)seconds * 1000000000 + (int64_t)fraction * r->pcap.ns_per_fraction,
        .number = ++r->info.packets,
        .caplen = caplen,
        .len = len,
        .link_type = r->single.link_type,
        .interface = PACKET_NO_INTERFACE,
        .section = 1,
        .time_decimals = r->single.clock.decimals,
        .fcs_bytes = r->single.fcs_bytes,
        .has_time = true,
        .big_endian = big,
    };
    return READ_PACKET;
}
