/* libtlswire: packets in, fields out.
 *
 *   struct tlswire_engine *engine = tlswire_engine_new();
 *   struct tlswire_file *file = tlswire_file_open("capture.pcapng", error, sizeof error);
 *   while (tlswire_file_next(file, engine) == TLSWIRE_PACKET)
 *       for (size_t i = 0; i < tlswire_event_count(engine); i++)
 *           puts(tlswire_event_label(engine, i));
 *
 * What a packet holds comes as a flat list of events in the order of the tree that `tlswire -V`
 * prints: each names its field, its depth, the bytes that it covers, and its value.  Fields have
 * the names of Wireshark's display filters.  docs/example.c is a whole program.
 *
 * Rules for everything here
 *  - Objects are made by …_new or …_open and given back to …_free or …_close, which take NULL.
 *  - An object is used by one thread at a time; different objects are independent of each other.
 *  - Text is UTF-8 and ends with a NUL.  It is not escaped: it may hold what a packet held.
 *  - Where a function takes ERROR and SIZE, one line that says what went wrong is written there
 * when it fails; ERROR may be NULL.  256 bytes are enough for nearly all messages.
 *  - No function prints, exits, or keeps state outside of its objects. */
#ifndef TLSWIRE_TLSWIRE_H
#define TLSWIRE_TLSWIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define TLSWIRE_API __attribute__((visibility("default")))
#else
#define TLSWIRE_API
#endif

/* "0.1.0".  Static. */
TLSWIRE_API const char *tlswire_version(void);

/* ---- fields -------------------------------------------------------------------------------------
 *
 * A field is a number from 1 to tlswire_field_count().  Numbers may change from one version of the
 * library to the next, names do not.  Every function here takes any number: for one that is no
 * field the answer is "" or 0. */

enum tlswire_type {
    TLSWIRE_NONE = 0, /* a heading, without a value */
    TLSWIRE_PROTOCOL, /* the heading of a protocol */
    TLSWIRE_BOOLEAN,  /* number: 0 or 1 */
    TLSWIRE_UNSIGNED, /* number */
    TLSWIRE_SIGNED,   /* number, to be read as int64_t */
    TLSWIRE_TIME,     /* number: nanoseconds since 1970-01-01 00:00 UTC, to be read as int64_t */
    TLSWIRE_DURATION, /* number: nanoseconds, to be read as int64_t */
    TLSWIRE_FRAME,    /* number: that of another packet */
    TLSWIRE_STRING,   /* bytes, as they were sent; their encoding is not checked */
    TLSWIRE_BYTES,    /* bytes */
    TLSWIRE_IPV4,     /* bytes: 4 of them */
    TLSWIRE_IPV6,     /* bytes: 16 of them */
    TLSWIRE_ETHER,    /* bytes: 6 of them */
    TLSWIRE_OID       /* bytes: the content octets of the DER encoding (X.690 8.19) */
};

/* How many fields there are; the largest number of a field. */
TLSWIRE_API uint32_t tlswire_field_count(void);
/* The field of this name ("tls.handshake.type"; "ssl" may stand for "tls"), 0 when there is none.
 */
TLSWIRE_API uint32_t tlswire_field_find(const char *name);
/* "tls.handshake.type".  Several numbers may share a name; "" for headings that have none.  Static.
 */
TLSWIRE_API const char *tlswire_field_name(uint32_t field);
/* "Handshake Type".  Static. */
TLSWIRE_API const char *tlswire_field_title(uint32_t field);
/* One sentence on what it means, or "".  Static. */
TLSWIRE_API const char *tlswire_field_description(uint32_t field);
/* Where it is specified ("RFC 9846 4"), or "".  Static. */
TLSWIRE_API const char *tlswire_field_reference(uint32_t field);
TLSWIRE_API enum tlswire_type tlswire_field_type(uint32_t field);

/* ---- display filters ----------------------------------------------------------------------------
 */

struct tlswire_filter;

/* Compiles a display filter ("tls.handshake.type == 1 and tcp.port == 443").  NULL when it is wrong
 * or there is no memory.  The empty text is a filter that every packet passes. */
TLSWIRE_API struct tlswire_filter *tlswire_filter_new(const char *text, char *error, size_t size);
TLSWIRE_API void tlswire_filter_free(struct tlswire_filter *filter);

/* ---- the engine: one reading of packets
 * ----------------------------------------------------------- */

struct tlswire_engine;

/* NULL when there is no memory. */
TLSWIRE_API struct tlswire_engine *tlswire_engine_new(void);
TLSWIRE_API void tlswire_engine_free(struct tlswire_engine *engine);

/* Before the first packet and the first keys, all optional; later they change nothing and return
 * false.  An engine that knows what is wanted skips the rest and is several times as fast. */

/* From now on only wanted fields become events.  False too when FIELD is none. */
TLSWIRE_API bool tlswire_want(struct tlswire_engine *engine, uint32_t field);
/* What the filter reads is wanted too: needed for tlswire_match() once something else is wanted. */
TLSWIRE_API bool tlswire_want_filter(struct tlswire_engine *engine,
                                     const struct tlswire_filter *filter);
/* TCP port PORT carries TLS, whatever its bytes look like.  At most 256 of them. */
TLSWIRE_API bool tlswire_tls_port(struct tlswire_engine *engine, uint16_t port);

/* Key log text (RFC 9850: "CLIENT_RANDOM …"), in pieces of any size, at any time before the packets
 * that it opens.  Lines of other kinds are passed over.  False when there is no memory. */
TLSWIRE_API bool tlswire_keys(struct tlswire_engine *engine, const void *text, size_t size);

enum tlswire_link {
    TLSWIRE_LINK_NULL = 0,
    TLSWIRE_LINK_ETHERNET = 1,
    TLSWIRE_LINK_RAW = 101,
    TLSWIRE_LINK_LINUX_SLL = 113,
    TLSWIRE_LINK_IPV4 = 228,
    TLSWIRE_LINK_IPV6 = 229,
    TLSWIRE_LINK_LINUX_SLL2 = 276
};

/* One packet as it was captured. */
struct tlswire_packet {
    const void *bytes; /* borrowed: read until the next packet is given */
    size_t size;       /* bytes captured, at most 2^31 - 1 */
    size_t wire_size;  /* bytes that were on the wire; 0 means `size` */
    int64_t time_ns;   /* since 1970-01-01 00:00 UTC */
    uint32_t
        link_type; /* enum tlswire_link, or another LINKTYPE_ number: then nothing is seen in it */
};

/* Dissects the next packet: they are numbered from 1 and belong in the order of their capture. What
 * the functions below return is of this packet, until the next.  False when there is no memory or a
 * size is out of its range. */
TLSWIRE_API bool tlswire_packet(struct tlswire_engine *engine, const struct tlswire_packet *packet);

/* Whether the packet passes the filter. */
TLSWIRE_API bool tlswire_match(const struct tlswire_engine *engine,
                               const struct tlswire_filter *filter);

/* ---- events: what a packet holds
 * ------------------------------------------------------------------ */

struct tlswire_event {
    uint32_t field;
    enum tlswire_type type; /* says which of the values below is there */
    uint32_t depth;         /* 0 for a protocol; at most 255 */
    size_t next;            /* index of the first event after this one and all below it */
    bool generated;         /* derived, not on the wire */
    bool hidden;            /* for filters; not in the tree */
    uint32_t source;        /* which bytes `offset` counts in; see tlswire_source() */
    size_t offset, length;  /* the bytes that it covers; length may be 0 */
    uint64_t number;        /* the value, where the type is a number */
    const uint8_t *bytes;   /* the value, where the type is bytes; borrowed from the engine */
    size_t size;            /* bytes there */
};

#define TLSWIRE_END ((size_t)-1)

/* 0 before the first packet. */
TLSWIRE_API size_t tlswire_event_count(const struct tlswire_engine *engine);
/* Fills EVENT with the event of this index, from 0; false past the last. */
TLSWIRE_API bool tlswire_event(const struct tlswire_engine *engine, size_t index,
                               struct tlswire_event *event);
/* Index of the next event, from index START on, whose field has the name of FIELD; TLSWIRE_END when
 * there is none. */
TLSWIRE_API size_t tlswire_find(const struct tlswire_engine *engine, uint32_t field, size_t start);
/* The line of the tree, without indentation: "Handshake Type: Client Hello (1)".  Good until the
 * next call of this function; "" past the last event. */
TLSWIRE_API const char *tlswire_event_label(struct tlswire_engine *engine, size_t index);
/* The value alone, as `-T fields` prints it: "1", "127.0.0.1", "160303".  Good until the next call
 * of this function; "" past the last event. */
TLSWIRE_API const char *tlswire_event_text(struct tlswire_engine *engine, size_t index);
/* The bytes that offsets count in: source 0 is the packet, others are reassembled or decrypted.
 * NULL past the last.  SIZE and NAME ("Frame", "Decrypted TLS") may be NULL. */
TLSWIRE_API const uint8_t *tlswire_source(const struct tlswire_engine *engine, uint32_t source,
                                          size_t *size, const char **name);
/* Whether a ceiling was hit, so that events of this packet are missing. */
TLSWIRE_API bool tlswire_overflowed(const struct tlswire_engine *engine);

/* ---- capture files
 * --------------------------------------------------------------------------------- */

struct tlswire_file;

enum tlswire_result { TLSWIRE_PACKET = 1, TLSWIRE_FILE_END = 0, TLSWIRE_ERROR = -1 };

/* pcap and pcapng, plain or compressed with gzip or zstd; "-" is standard input.  NULL when it
 * cannot be opened or is no capture. */
TLSWIRE_API struct tlswire_file *tlswire_file_open(const char *path, char *error, size_t size);
TLSWIRE_API void tlswire_file_close(struct tlswire_file *file);
/* Reads the next packet and dissects it; keys that stand in the file go to the engine as they come.
 * After TLSWIRE_ERROR, tlswire_file_error() says what was wrong and where; the packets before it
 * were good. */
TLSWIRE_API enum tlswire_result tlswire_file_next(struct tlswire_file *file,
                                                  struct tlswire_engine *engine);
/* "" when there was no error.  Good until the file is closed. */
TLSWIRE_API const char *tlswire_file_error(const struct tlswire_file *file);

#ifdef __cplusplus
}
#endif

#endif
