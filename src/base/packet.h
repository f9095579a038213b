/* One captured packet, as every source of packets hands it on: a file, an interface, our own
 * sockets.
 *
 * All pointers are borrowed, and good until the source is asked for its next packet. */
#ifndef TLSWIRE_BASE_PACKET_H
#define TLSWIRE_BASE_PACKET_H

#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

/* LINKTYPE_ numbers (https://www.tcpdump.org/linktypes.html) that this program looks into. */
enum link_type {
    LINK_NULL = 0, /* BSD loopback, family in the byte order of the machine that captured */
    LINK_ETHERNET = 1,
    LINK_PPP = 9,
    LINK_PPP_HDLC = 50, /* PPP with address and control */
    LINK_RAW_BSD = 12,  /* DLT_RAW of most systems, found in files by mistake */
    LINK_RAW_OPENBSD = 14,
    LINK_RAW = 101,
    LINK_LOOP = 108,      /* OpenBSD loopback, family in network order */
    LINK_LINUX_SLL = 113, /* "cooked" capture */
    LINK_IPV4 = 228,
    LINK_IPV6 = 229,
    LINK_LINUX_SLL2 = 276,
};

#define PACKET_NO_INTERFACE UINT32_MAX

struct packet {
    struct slice bytes; /* the captured bytes; bytes.len == caplen */
    int64_t time_ns;    /* since the epoch, may be negative; 0 when !has_time */
    uint64_t number;    /* from 1 */
    uint32_t caplen;    /* bytes captured */
    uint32_t len;       /* bytes on the wire; a broken writer may say less than caplen */
    uint32_t link_type; /* enum link_type, or any other LINKTYPE_ number */
    uint32_t interface; /* index over all interfaces of the source, PACKET_NO_INTERFACE in a pcap */
    uint32_t
        interface_in_section;   /* index within its pcapng section: what frame.interface_id says */
    uint32_t section;           /* pcapng section, from 1 */
    const char *interface_name; /* not escaped; NULL if unknown */
    const char *interface_description; /* the same */
    struct slice comment;              /* the first comment, UTF-8 not checked, not escaped */
    struct slice options;              /* all raw pcapng options; see packet_option() */
    uint8_t time_decimals;             /* precision that the source states: 0, 1, 2, 3, 6 or 9 */
    int8_t fcs_bytes;                  /* check bytes at the end of `bytes`; -1 unknown */
    bool has_time;
    bool big_endian; /* byte order of the file; BSD loopback headers follow it */
};

/* Codes of pcapng packet options (draft-ietf-opsawg-pcapng 4.3). */
enum packet_option_code {
    PACKET_OPTION_END = 0,
    PACKET_OPTION_COMMENT = 1,
    PACKET_OPTION_FLAGS = 2,      /* 4 bytes */
    PACKET_OPTION_DROP_COUNT = 4, /* 8 */
    PACKET_OPTION_ID = 5,         /* 8 */
    PACKET_OPTION_QUEUE = 6,      /* 4 */
};

/* Takes the next option from a LIST of them; false at its end, or where it is broken. */
bool packet_next_option(struct slice *list, bool big_endian, uint16_t *code, struct slice *value);
/* Option number INDEX of this CODE; false when there are no more.  VALUE is borrowed as the packet.
 */
bool packet_option(const struct packet *p, uint16_t code, size_t index, struct slice *value);
/* The same for a number of SIZE (4 or 8) bytes; false when it is missing or of another size. */
bool packet_option_number(const struct packet *p, uint16_t code, size_t size, uint64_t *number);

#endif
