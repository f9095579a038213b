/* Writing capture files: pcapng, with interfaces, comments and decryption secrets; or plain pcap.
 *
 * Bytes are gathered and written in large pieces; writer_flush() makes them visible at once. */
#ifndef TLSWIRE_CAPTURE_WRITER_H
#define TLSWIRE_CAPTURE_WRITER_H

#include "base/error.h"
#include "base/names.h"
#include "base/packet.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

struct writer;

enum writer_format {
    WRITE_PCAPNG,
    WRITE_PCAP,
    WRITE_PCAP_NANOSECOND,
    /* pcap with more in its records, all zeros here: as patched libpcaps of the nineties wrote it. */
    WRITE_PCAP_MODIFIED,
    WRITE_PCAP_NOKIA,
    WRITE_PCAP_REDHAT,
    WRITE_PCAP_SUSE,
};

/* A format as -F names it. */
struct writer_type {
    enum writer_format format;
    const char *name, *description;
};

/* All of them in the order that tshark lists them; the last has no name. */
extern const struct writer_type writer_types[];

#define WRITER_COMMENTS 16

struct writer_options {
    enum writer_format format;
    /* Of the section; the strings may be NULL. Only pcapng has them. */
    const char *comments[WRITER_COMMENTS]; /* up to the first that is NULL */
    const char *hardware;                  /* "AMD Ryzen …" */
    const char *os;                        /* "Linux 6.1.0" */
    const char *application;               /* "tlswire 1.0" */
    uint32_t snaplen;                      /* said in the file; 0 means 262144 */
    uint32_t link_type;                    /* of a pcap without packets */
    bool private_mode;                     /* create with mode 0600: it will hold secrets */
    bool group_read;                       /* create with mode 0640 */
    bool exclusive;                        /* refuse to overwrite */
    bool flush_each; /* after each packet, for a reader at the other end of a pipe */
};

/* Creates PATH, or cuts it to nothing; "-" is standard output. OPTIONS may be NULL. NULL with E set
 * (ERROR_FILE, ERROR_PERMISSION, ERROR_MEMORY). */
struct writer *writer_open(const char *path, const struct writer_options *options, struct error *e);
/* The same on an open descriptor, closed at the end when OWNED.  NAME is for messages. */
struct writer *writer_open_fd(int fd, bool owned, const char *name,
                              const struct writer_options *options, struct error *e);

/* What a pcapng says of an interface; the strings may be NULL. */
struct writer_interface {
    const char *name, *description, *filter, *os;
    uint32_t index; /* as in packet.interface */
    uint32_t link_type;
    uint32_t snaplen; /* 0: that of the options */
    uint8_t decimals; /* of its times: 6 or 9 */
};

/* Declares an interface before its first packet.  Without this call, the first packet declares it. */
bool writer_interface(struct writer *w, const struct writer_interface *interface, struct error *e);
/* What an interface counted until now (an Interface Statistics Block); nothing in a pcap. */
struct writer_statistics {
    uint32_t index; /* as in packet.interface */
    int64_t start_ns, end_ns;
    uint64_t received, dropped;
};
bool writer_statistics(struct writer *w, const struct writer_statistics *, struct error *e);
/* Writes the packet, with all its comments.  A pcap takes packets of one link type only
 * (ERROR_FORMAT). */
bool writer_packet(struct writer *w, const struct packet *p, struct error *e);
/* Writes a Decryption Secrets Block, SECRETS_TLS_KEY_LOG being the usual TYPE.  A pcap has no place
 * for it (ERROR_FORMAT).  Put it before the packets that need it: most readers want that. */
bool writer_secrets(struct writer *w, uint32_t type, struct slice text, struct error *e);
/* Writes the names of addresses that packets had (a Name Resolution Block); nothing in a pcap. */
bool writer_names(struct writer *w, const struct names *names, struct error *e);
bool writer_flush(struct writer *w, struct error *e);
/* Flushes, closes and frees, in any case; false when bytes did not reach the file. */
bool writer_close(struct writer *w, struct error *e);

uint64_t writer_bytes(const struct writer *w);
uint64_t writer_packets(const struct writer *w);

#endif
