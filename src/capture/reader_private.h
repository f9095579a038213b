/* What reader.c, pcap.c and pcapng.c share.  Nobody else includes this. */
#ifndef TLSWIRE_CAPTURE_READER_PRIVATE_H
#define TLSWIRE_CAPTURE_READER_PRIVATE_H

#include "base/arena.h"
#include "capture/reader.h"
#include "capture/source.h"

typedef enum read_result read_next(struct reader *r, struct packet *p);
typedef bool read_complete(const struct reader *r);

/* How a tick of an interface's clock becomes nanoseconds. */
struct clock {
    uint64_t units_per_second;
    uint64_t ns_per_unit; /* when that is a whole number, else 0 */
    int64_t offset_seconds;
    uint8_t decimals;
};

struct capture_interface {
    struct clock clock;
    const char *name;        /* in the arena, or NULL */
    const char *description; /* the same */
    uint32_t link_type;
    uint32_t snaplen;
    uint32_t max_caplen;
    int8_t fcs_bytes;
};

struct pcap_form {
    uint8_t kind;          /* row of the table in pcap.c */
    uint8_t record_header; /* bytes */
    bool swapped_lengths;  /* before version 2.3: the length on the wire came first */
    bool guess_swapped;    /* version 2.3: either */
    uint32_t ns_per_fraction;
    struct packet packet; /* what all packets have in common */
};

struct netmon_form {
    struct slice table; /* offsets of the frames that were not read yet */
    int64_t start_ns;
    uint16_t media;
    uint8_t minor; /* of version 2 */
};

struct reader {
    struct source source;
    read_next *next;
    read_complete *complete;
    struct reader_options options;
    struct reader_info info;
    struct pcap_form pcap;
    struct netmon_form netmon;
    struct capture_interface single;      /* of a pcap */
    struct capture_interface *interfaces; /* owned, of all sections of a pcapng */
    size_t interface_capacity;
    size_t section_first; /* index of the section's first interface */
    struct arena names;
    struct error failure; /* what went wrong, once it did */
    char name[160];       /* of the file, escaped */
    char subject[176];    /* the file as messages begin with it: The file "x" */
    bool scanning;        /* only secrets are wanted: packets are stepped over */
    bool secrets_done;    /* reader_scan_secrets() has handed them out */
};

/* Bytes a packet may claim: libpcap's ceiling, more for buses whose "packets" are longer. */
uint32_t max_caplen_of(uint32_t link_type);

bool pcap_detect(struct reader *r, struct slice first);
bool pcap_open(struct reader *r);
/* Whether the window holds a whole packet, and what comes before it. */
bool pcap_complete(const struct reader *r);
bool pcapng_complete(const struct reader *r);
bool pcapng_detect(struct slice first);
bool pcapng_open(struct reader *r);
bool netmon_detect(struct slice first);
bool netmon_open(struct reader *r);

void clock_init(struct clock *c, uint8_t tsresol, int64_t offset_seconds);
int64_t clock_ns(const struct clock *c, uint64_t ticks);

/* Reports damage at byte OFFSET: WHAT, a printf format, is the reason, in tshark's words where it has
 * some. Returns READ_ERROR. */
enum read_result reader_damaged(struct reader *r, uint64_t offset, const char *what, ...)
    __attribute__((format(printf, 3, 4)));
/* Reports a file of a kind or version that is not read: WHAT is the reason. False. */
bool reader_unsupported(struct reader *r, const char *what, ...)
    __attribute__((format(printf, 2, 3)));
/* Reports, for input that ends within something NEEDED bytes long that begins at the window's
 * start. READ_ERROR. */
enum read_result reader_cut_short(struct reader *r, const char *in_what, size_t needed);

/* Reports that it is no capture, and what it looks like (foreign.c). False. */
bool reader_not_a_capture(struct reader *r, struct slice first);

static inline uint16_t read_u16(struct slice *s, bool big)
{
    return big ? slice_u16(s) : slice_le16(s);
}

static inline uint32_t read_u32(struct slice *s, bool big)
{
    return big ? slice_u32(s) : slice_le32(s);
}

static inline uint64_t read_u64(struct slice *s, bool big)
{
    return big ? slice_u64(s) : slice_le64(s);
}

#endif
