/* What one packet came to: its tape, and the short form that a summary line is made of. */
#ifndef TLSWIRE_STREAM_DISSECTION_H
#define TLSWIRE_STREAM_DISSECTION_H

#include "base/arena.h"
#include "base/packet.h"
#include "dissect/tape.h"
#include "stream/tcp_facts.h"

#include <string.h>

enum address_kind { ADDRESS_NONE, ADDRESS_ETHER, ADDRESS_IPV4, ADDRESS_IPV6 };

struct address {
    enum address_kind kind;
    uint8_t bytes[16];
};

/* One thing that the Info column says of a TLS record or message. */
enum info_kind {
    INFO_HANDSHAKE, /* a = handshake type */
    INFO_TEXT,      /* text: "Change Cipher Spec", "Application Data", … */
    INFO_ALERT,     /* a = level, b = description */
    INFO_FRAGMENT,  /* a = handshake type of the message that the fragment begins */
    INFO_HEARTBEAT, /* a = heartbeat type */
};

struct info_item {
    enum info_kind kind;
    uint8_t a, b;
    const char *text; /* static */
};

#define LOWER_INFO 128 /* bytes of the text about a packet without TCP */

#define INFO_ITEMS 384 /* more would pass the column's own ceiling of 4096 bytes */

struct columns {
    struct address source, destination;
    const char *protocol; /* "TCP", "TLSv1.2"; static */
    uint32_t ether_type;  /* shown when nothing above the link is known */
    bool has_tcp;         /* `tcp` below is filled */
    bool segment_of_pdu;  /* " [TCP segment of a reassembled PDU]" follows */
    bool asked; /* the layer above TCP looked at the segment: TCP's own line is not shown */
    uint16_t item_count; /* TLS items; 0: the Info column is TCP's own line */
    uint16_t lower_info_len;
    char lower_info[LOWER_INFO];
    struct info_item items[INFO_ITEMS];
};

/* Nothing above TCP has named the packet yet. */
static inline bool columns_of_tcp(const struct columns *c)
{
    return strcmp(c->protocol, "TCP") == 0 || strcmp(c->protocol, "MPTCP") == 0;
}

struct tls_verdict;

struct dissection {
    const struct packet *packet; /* borrowed */
    struct tape tape;
    struct tcp_facts tcp;
    const struct tls_verdict *verdict; /* of the packet's connection; NULL: no TLS in it */
    int64_t time_relative;             /* ns since the first packet */
    int64_t time_delta;                /* ns since the packet before */
    int64_t time_delta_displayed;      /* ns since the last displayed packet */
    struct dissection_kept {
        struct packet packet;
        struct arena bytes;
        uint8_t tcp_options[TCP_MAX_OPTIONS];
        struct tcp_options tcp_settings;
    } kept;                 /* of one that was kept: what its parts point to */
    struct columns columns; /* last: most of it is hardly ever touched */
};

struct dissection *dissection_new(void);
void dissection_free(struct dissection *d);
/* Gives back what a packet of very many events took; false when memory is out, and then it is of no more use. */
bool dissection_trim(struct dissection *d, uint32_t most_events);
/* Reading the packet ends where MODULE (static) lacks bytes: the capture has CUT them, or they are not what they
 * should be. */
void dissection_stop(struct dissection *d, const char *module, bool cut);
/* TEXT (static) is a judgement on the packet: it follows what the Info column says without a comma. */
void dissection_remark(struct dissection *d, const char *text);
/* Makes D, that the engine filled, good to be looked at while the engine goes on.  What belongs to the packet's source
 * is not copied: the packet's own bytes and the interface's names.  BYTES: those of other sources are looked at, too.
 * False when memory is out. */
bool dissection_keep(struct dissection *d, bool bytes);

#endif
