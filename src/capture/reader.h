/* Reading capture files: pcap and pcapng in all their forms, from a file, a pipe or memory, and the
 * same compressed with gzip or zstd.  Written here because libpcap's reader has no decryption
 * secrets, no comments and no second section.
 *
 * Packets that come before damage are always delivered; the error that follows says at which byte
 * the file went wrong and how many packets were read. */
#ifndef TLSWIRE_CAPTURE_READER_H
#define TLSWIRE_CAPTURE_READER_H

#include "base/error.h"
#include "base/packet.h"
#include "base/slice.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reader;

enum read_result { READ_PACKET, READ_END, READ_ERROR };

/* Types of a pcapng Decryption Secrets Block. */
#define SECRETS_TLS_KEY_LOG 0x544c534bu

/* Called for each Decryption Secrets Block, before the next packet is delivered.  TEXT is borrowed
 * for the time of the call. */
typedef void reader_secrets(void *context, uint32_t type, struct slice text);

/* Called for each name in a Name Resolution Block; ADDRESS has 4 or 16 bytes. */
typedef void reader_name(void *context, struct slice address, struct slice name);

struct reader_options {
    reader_secrets *secrets; /* NULL: they are skipped */
    reader_name *name;       /* the same */
    void *context;           /* for both */
    /* Non-zero ends the input, also while waiting for a pipe (the signal handler must not be
     * SA_RESTART).  May be NULL. */
    const volatile sig_atomic_t *stop;
};

struct reader_info {
    const char *format;      /* "pcap", "nanosecond pcap", "modified pcap", "pcapng", "empty" */
    const char *compression; /* "gzip", "zstd" or NULL */
    bool big_endian;         /* of the current section */
    bool mapped;             /* the bytes are all in memory: reader_scan_secrets() works */
    bool stays;              /* packets are good until reader_close(): they are not decompressed */
    bool multiple_links;     /* interfaces of different link types have been seen */
    uint32_t link_type;      /* of the first interface; UINT32_MAX before there is one */
    uint32_t snaplen;        /* of the first interface; 0 means no limit */
    uint32_t interfaces;     /* seen until now, over all sections */
    uint32_t sections;       /* pcapng sections seen until now */
    uint64_t packets;        /* delivered until now */
    uint64_t offset;         /* bytes consumed, after decompression */
    uint64_t left;           /* bytes that are known to come */
};

/* PATH "-" is standard input.  OPTIONS may be NULL.  Reads the header, and so waits for it.  NULL
 * with E set: ERROR_FILE (cannot be opened), ERROR_FORMAT (no capture, or of a kind that is not
 * read), ERROR_DAMAGED (the header is cut short). An empty file opens, and has no packets: tshark
 * sees it so. */
struct reader *reader_open(const char *path, const struct reader_options *options, struct error *e);
/* The same from an open descriptor, which is closed with the reader when OWNED, also on errors.
 * NAME is for messages. */
struct reader *reader_open_fd(int fd, bool owned, const char *name,
                              const struct reader_options *options, struct error *e);
/* The same from memory, which must stay until reader_close(). */
struct reader *reader_open_memory(const void *data, size_t size, const char *name,
                                  const struct reader_options *options, struct error *e);
/* A second reader of the same bytes from their start, which R keeps for it; where info.stays. */
struct reader *reader_open_again(const struct reader *r, const struct reader_options *options,
                                 struct error *e);
void reader_close(struct reader *r);

/* The next packet; what it points to is good until the next call.  No allocation, and no copy when
 * the file is mapped.  READ_ERROR: ERROR_DAMAGED or ERROR_FILE; every later call says the same. */
enum read_result reader_next(struct reader *r, struct packet *p, struct error *e);

/* Whether reader_next() will not wait: a packet is there, or the end.  Takes up what a pipe has, without
 * waiting.  Of compressed input nobody knows: true. */
bool reader_ready(struct reader *r);
/* The descriptor to wait on for more; -1 when there is none. */
int reader_fd(const struct reader *r);

/* Hands out all secrets of the file first, also those that stand after the packets that need them,
 * by walking the block headers; reader_next() then does not hand them out again.  False when the
 * input is a pipe, which can be read once only.  Damage is not reported here: reader_next() will
 * come to it. */
bool reader_scan_secrets(struct reader *r, reader_secrets *secrets, void *context);

struct reader_info reader_info(const struct reader *r);

/* Comment number INDEX of the packet; false when it has no more.  COMMENT is borrowed as the
 * packet. */
bool packet_comment(const struct packet *p, size_t index, struct slice *comment);

#endif
