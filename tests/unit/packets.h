/* Packets for tests: built from their parts, or read from a golden capture into memory. */
#ifndef TLSWIRE_TESTS_PACKETS_H
#define TLSWIRE_TESTS_PACKETS_H

#include "base/buf.h"
#include "base/packet.h"
#include "capture/reader.h"
#include "engine.h"
#include "print/print.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PACKET_BYTES 2048
#define HEADER_BYTES (14 + 20 + 20)

enum packet_flag { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };

/* One side of a connection's segment; numbers are absolute. */
struct segment {
    bool from_server;
    uint16_t client_port, server_port;
    uint32_t seq, ack;
    uint8_t flags;
    struct slice data;
};

static inline void put_number(struct buf *b, uint64_t value, unsigned bytes)
{
    while (bytes-- > 0)
        buf_char(b, (char)(value >> (8 * bytes) & 0xff));
}

/* Ethernet, IPv4 and TCP around the data, checksums zero.  OUT is cleared first. */
static inline void put_segment(struct buf *out, const struct segment *s)
{
    static const uint8_t client[4] = {192, 0, 2, 1}, server[4] = {192, 0, 2, 2};
    buf_clear(out);
    buf_fill(out, '\0', 12);
    put_number(out, 0x0800, 2);
    put_number(out, 0x4500, 2);
    put_number(out, 40 + s->data.len, 2);
    put_number(out, 0x00004000, 4);
    put_number(out, 0x4006, 2);
    put_number(out, 0, 2);
    buf_put(out, s->from_server ? server : client, 4);
    buf_put(out, s->from_server ? client : server, 4);
    put_number(out, s->from_server ? s->server_port : s->client_port, 2);
    put_number(out, s->from_server ? s->client_port : s->server_port, 2);
    put_number(out, s->seq, 4);
    put_number(out, s->ack, 4);
    put_number(out, 0x50, 1);
    put_number(out, s->flags, 1);
    put_number(out, 512, 2);
    put_number(out, 0, 4);
    buf_slice_put(out, s->data);
}

static inline struct packet packet_of(const struct buf *bytes, uint64_t number)
{
    return (struct packet){.bytes = buf_slice(bytes),
                           .time_ns = (int64_t)number * 1000000,
                           .number = number,
                           .caplen = (uint32_t)bytes->len,
                           .len = (uint32_t)bytes->len,
                           .link_type = LINK_ETHERNET,
                           .interface = PACKET_NO_INTERFACE,
                           .time_decimals = 9,
                           .fcs_bytes = -1,
                           .has_time = true};
}

/* ---- a capture in memory ----------------------------------------------------------------------
 */

struct kept_packet {
    struct packet packet;
    uint8_t *bytes;
};

struct kept_capture {
    struct kept_packet *packets;
    size_t count;
    struct buf keys;
};

static inline void keep_secrets(void *context, uint32_t type, struct slice text)
{
    struct kept_capture *c = context;
    if (type == SECRETS_TLS_KEY_LOG)
        buf_slice_put(&c->keys, text);
}

/* False, with a note, when it cannot be read. */
static inline bool keep_capture(struct kept_capture *c, const char *path)
{
    struct error e = {.code = ERROR_NONE};
    struct packet p;
    memset(c, 0, sizeof *c);
    struct reader_options options = {.secrets = keep_secrets, .context = c};
    struct reader *reader = reader_open(path, &options, &e);
    while (reader && reader_next(reader, &p, &e) == READ_PACKET) {
        c->packets = realloc(c->packets, (c->count + 1) * sizeof *c->packets);
        uint8_t *bytes = malloc(p.caplen ? p.caplen : 1);
        memcpy(bytes, p.bytes.data, p.caplen);
        p.bytes = slice_of(bytes, p.caplen);
        p.comment = p.options = slice_empty();
        p.interface_name = NULL;
        c->packets[c->count++] = (struct kept_packet){p, bytes};
    }
    reader_close(reader);
    if (e.code != ERROR_NONE)
        printf("# %s\n", e.text);
    return e.code == ERROR_NONE;
}

static inline void drop_capture(struct kept_capture *c)
{
    for (size_t i = 0; i < c->count; i++)
        free(c->packets[i].bytes);
    free(c->packets);
    buf_free(&c->keys);
}

/* What TCP carries in a packet of Ethernet and IP without extension headers.  FROM_SERVER: the
 * lower port is the sender's. */
static inline struct slice tcp_payload(const struct packet *p, bool *from_server)
{
    struct slice s = p->bytes;
    slice_skip(&s, 12);
    uint16_t type = slice_u16(&s);
    size_t header = type == 0x86dd ? 40 : (size_t)(slice_at(s, 0) & 15) * 4;
    slice_skip(&s, header);
    uint16_t from = (uint16_t)(slice_at(s, 0) << 8 | slice_at(s, 1));
    uint16_t to = (uint16_t)(slice_at(s, 2) << 8 | slice_at(s, 3));
    *from_server = from < to;
    slice_skip(&s, (size_t)(slice_at(s, 12) >> 4) * 4);
    return s;
}

/* ---- an engine that shows everything ----------------------------------------------------------
 */

static inline struct engine *new_engine(const uint8_t *want)
{
    static uint8_t all[FIELD_COUNT];
    memset(all, 1, sizeof all);
    struct engine_options options = {.want = want ? want : all, .seed = 1};
    return engine_new(&options);
}

#endif
