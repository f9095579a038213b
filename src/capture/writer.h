/* Writing capture files: pcapng, with interfaces, comments and decryption secrets; or plain pcap.
 *
 * Bytes are gathered and written in large pieces; writer_flush() makes them visible at once. */
#ifndef TLSWIRE_CAPTURE_WRITER_H
#define TLSWIRE_CAPTURE_WRITER_H

#include "base/error.h"
#include "base/packet.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

struct writer;

enum writer_format { WRITE_PCAPNG, WRITE_PCAP, WRITE_PCAP_NANOSECOND };

struct writer_options {
    enum writer_format format;
    const char *comment;     /* of the section; the strings may be NULL. Only pcapng has them. */
    const char *hardware;    /* "AMD Ryzen …" */
    const char *os;          /* "Linux 6.1.0" */
    const char *application; /* "tlswire 1.0" */
    uint32_t snaplen;        /* said in the file; 0 means 262144 */
    uint32_t link_type;      /* of a pcap without packets */
    bool private_mode;       /* create with mode 0600: it will hold secrets */
    bool exclusive;          /* refuse to overwrite */
    bool flush_each;         /* after each packet, for a reader at the other end of a pipe */
};

/* Creates PATH, or cuts it to nothing; "-" is standard output. OPTIONS may be NULL. NULL with E set
 * (ERROR_FILE, ERROR_PERMISSION, ERROR_MEMORY). */
struct writer *writer_open(const char *path, const struct writer_options *options, struct error *e);
/* The same on an open descriptor, closed at the end when OWNED.  NAME is for messages. */
struct writer *writer_open_fd(int fd, bool owned, const char *name,
                              const struct writer_options *options, struct error *e);

/* Declares interface INDEX (as in packet.interface) before its first packet.  Without this call,
 * the first packet declares it.  DECIMALS: 6 or 9. */
bool writer_interface(struct writer *w, uint32_t index, const char *name, uint32_t link_type,
                      uint8_t decimals, struct error *e);
/* Writes the packet, with all its comments.  A pcap takes packets of one link type only
 * (ERROR_FORMAT). */
bool writer_packet(struct writer *w, const struct packet *p, struct error *e);
/* Writes a Decryption Secrets Block, SECRETS_TLS_KEY_LOG being the usual TYPE.  A pcap has no place
 * for it (ERROR_FORMAT).  Put it before the packets that need it: most readers want that. */
bool writer_secrets(struct writer *w, uint32_t type, struct slice text, struct error *e);
bool writer_flush(struct writer *w, struct error *e);
/* Flushes, closes and frees, in any case; false when bytes did not reach the file. */
bool writer_close(struct writer *w, struct error *e);

uint64_t writer_bytes(const struct writer *w);
uint64_t writer_packets(const struct writer *w);

#endif
