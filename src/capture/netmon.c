/* Microsoft Network Monitor 2: a header, frames, and a table of where each frame begins.  As the table stands behind
 * the frames, the whole file must be in memory.  All numbers are little-endian. */
#include "capture/reader_private.h"

#include <time.h>

enum {
    FILE_HEADER = 0x48,
    FRAME_HEADER = 16,
    MEDIA_PCAP = 0xe000, /* and above: a LINKTYPE_ is added to it */
    MEDIA_SPECIAL = 0xffe0,
    MEDIA_ETHERNET = 1,
    MEDIA_RAW_IP = 8,
};

#define FILETIME_1970  INT64_C(116444736000000000) /* 100 ns since 1601 */
#define LINK_NOT_KNOWN UINT32_MAX
#define LATEST         INT64_C(7289654400) /* seconds from 1970 to 2201 */

static enum read_result netmon_next(struct reader *r, struct packet *p);

bool netmon_detect(struct slice first)
{
    struct slice magic = slice_take(&first, 4);
    (void)slice_skip(&first, 1);
    return slice_is(magic, "GMBU") && slice_u8(&first) == 2;
}

static bool complete(const struct reader *r)
{
    (void)r;
    return true;
}

/* The start of the capture, a SYSTEMTIME.  It is the clock of the machine that captured, taken for UTC. */
static int64_t start_of(struct slice s)
{
    struct tm tm = {.tm_year = slice_le16(&s) - 1900, .tm_mon = slice_le16(&s) - 1};
    (void)slice_skip(&s, 2);
    tm.tm_mday = slice_le16(&s);
    tm.tm_hour = slice_le16(&s);
    tm.tm_min = slice_le16(&s);
    tm.tm_sec = slice_le16(&s);
    int64_t milliseconds = slice_le16(&s);
    /* Months and days that are none are counted on, so it is the result that must be in bounds: no time
     * that nanoseconds since 1970 can hold, with a frame's offset added. */
    int64_t seconds = (int64_t)timegm(&tm);
    if (seconds < 0 || seconds > LATEST)
        return 0;
    return seconds * 1000000000 + milliseconds * 1000000;
}

bool netmon_open(struct reader *r)
{
    struct slice header = slice_sub(r->source.whole, 0, FILE_HEADER);
    if (!r->info.mapped)
        return reader_unsupported(
            r, "netmon: a Network Monitor capture is read from an uncompressed file only");
    if (header.len < FILE_HEADER) {
        (void)reader_cut_short(r, "the file header", FILE_HEADER);
        return false;
    }
    (void)slice_skip(&header, 4);
    r->netmon.minor = slice_u8(&header);
    (void)slice_skip(&header, 1);
    r->netmon.media = slice_le16(&header);
    r->netmon.start_ns = start_of(slice_take(&header, 16));
    uint32_t table = slice_le32(&header), length = slice_le32(&header);
    r->netmon.table = slice_sub(r->source.whole, table, length);
    if (r->netmon.table.len != length) {
        (void)reader_damaged(r, table, "netmon: frame table of %u bytes is not there", length);
        return false;
    }
    r->info.format = "Network Monitor 2";
    r->info.interfaces = r->info.sections = 1;
    r->info.link_type = r->netmon.media == MEDIA_ETHERNET ? LINK_ETHERNET : LINK_NOT_KNOWN;
    r->next = netmon_next;
    r->complete = complete;
    return true;
}

static uint32_t link_of(uint16_t media)
{
    if (media >= MEDIA_PCAP && media < MEDIA_SPECIAL)
        return media - MEDIA_PCAP;
    return media == MEDIA_ETHERNET ? LINK_ETHERNET
           : media == MEDIA_RAW_IP ? LINK_RAW
                                   : LINK_NOT_KNOWN;
}

/* Since version 2.1 each frame says what it is, since 2.3 also its time in UTC, with a finer clock. */
static void read_trailer(const struct reader *r, struct slice s, struct packet *p)
{
    if (r->netmon.minor >= 1)
        p->link_type = link_of(slice_le16(&s));
    if (r->netmon.minor < 3)
        return;
    (void)slice_skip(&s, 4); /* the process that it belongs to */
    uint64_t filetime = slice_le64(&s);
    int64_t since = (int64_t)(filetime % INT64_MAX) - FILETIME_1970;
    if (!s.failed && since >= 0 && since < INT64_MAX / 100)
        p->time_ns = since * 100;
}

static enum read_result netmon_next(struct reader *r, struct packet *p)
{
    if (r->netmon.table.len < 4)
        return READ_END;
    uint32_t at = slice_le32(&r->netmon.table);
    struct slice rest = slice_sub(r->source.whole, at, SIZE_MAX),
                 header = slice_take(&rest, FRAME_HEADER);
    uint64_t microseconds = slice_le64(&header);
    uint32_t len = slice_le32(&header), caplen = slice_le32(&header);
    struct slice bytes = slice_take(&rest, caplen);
    if (header.failed || bytes.failed)
        return reader_damaged(r, at, "netmon: frame of %u bytes is not there", caplen);
    *p = (struct packet){
        .bytes = bytes,
        .number = ++r->info.packets,
        .caplen = caplen,
        .len = len,
        .link_type = link_of(r->netmon.media),
        .interface = PACKET_NO_INTERFACE,
        .section = 1,
        .time_decimals = 9,
        .fcs_bytes = -1,
        .has_time = true,
        .time_ns = r->netmon.start_ns + (int64_t)(microseconds % (UINT64_C(1) << 50)) * 1000,
    };
    read_trailer(r, rest, p);
    r->info.offset = at;
    return READ_PACKET;
}
