#include "capture/made.h"

#include "base/buf.h"

#include <stdlib.h>

enum {
    CLIENT_PORT = 49152,
    SERVER_PORT = 443,
    HEADERS = 14 + 20 + 20, /* of the packets that synth.c makes for IPv4 without options */
    RECORD_HEADER = 5,
    MOST_FRAGMENT = 16384,
    CHANGE_CIPHER_SPEC = 20,
    HANDSHAKE = 22,
    HEARTBEAT = 24,
    CLIENT_HELLO = 1,
    SERVER_HELLO_DONE = 14,
    CERTIFICATE = 11,
    MADE_CEILING = 48 << 20,
};

struct entry {
    size_t offset, len;
    uint32_t link_type;
};

struct made {
    struct buf bytes, entries, certificates, scratch;
    struct buf stream[2]; /* by side: bytes of a record that is not whole */
    struct synth_flow flow;
    size_t next;
    bool full;
};

static void add(struct made *m, uint32_t link_type, struct slice bytes)
{
    struct entry entry = {.offset = m->bytes.len, .len = bytes.len, .link_type = link_type};
    buf_slice_put(&m->bytes, bytes);
    if (!m->bytes.failed)
        buf_put(&m->entries, &entry, sizeof entry);
    m->full |= m->bytes.failed || m->entries.failed;
    m->bytes.failed = m->entries.failed = false;
}

/* Packets that carry nothing are left out: nobody saw them. */
static void take_packet(void *context, const struct packet *packet)
{
    if (packet->bytes.len > HEADERS)
        add(context, packet->link_type, packet->bytes);
}

struct made *made_new(void)
{
    struct made *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    m->bytes.ceiling = MADE_CEILING;
    struct synth_options options = {.address = {{.ip = {192, 0, 2, 1}, .port = CLIENT_PORT},
                                                {.ip = {192, 0, 2, 2}, .port = SERVER_PORT}},
                                    .no_timestamps = true,
                                    .first_sequence = {1, 1},
                                    .interface = PACKET_NO_INTERFACE,
                                    .emit = take_packet,
                                    .context = m};
    synth_init(&m->flow, &options);
    m->flow.open = true; /* as it is when a capture starts in the middle */
    m->flow.end[0].window = m->flow.end[1].window = UINT32_MAX;
    m->flow.end[0].acknowledged = m->flow.end[1].acknowledged = 1;
    return m;
}

void made_free(struct made *m)
{
    if (!m)
        return;
    synth_free(&m->flow);
    buf_free(&m->bytes);
    buf_free(&m->entries);
    buf_free(&m->certificates);
    buf_free(&m->scratch);
    buf_free(&m->stream[0]);
    buf_free(&m->stream[1]);
    free(m);
}

void made_data(struct made *m, enum synth_side from, struct slice bytes)
{
    synth_data(&m->flow, from, bytes, 0);
}

void made_frame(struct made *m, uint32_t link_type, struct slice bytes)
{
    add(m, link_type, bytes);
}

static void put_u24(struct buf *b, size_t value)
{
    for (int shift = 16; shift >= 0; shift -= 8)
        buf_char(b, (char)(uint8_t)(value >> shift));
}

void made_message(struct made *m, enum synth_side from, uint8_t content_type, struct slice bytes)
{
    struct buf *b = &m->scratch;
    buf_clear(b);
    do {
        struct slice piece =
            slice_take(&bytes, bytes.len < MOST_FRAGMENT ? bytes.len : MOST_FRAGMENT);
        buf_char(b, (char)content_type);
        put_u24(b, 0x030300 | piece.len >> 8);
        buf_char(b, (char)(uint8_t)piece.len);
        buf_slice_put(b, piece);
    } while (bytes.len > 0);
    made_data(m, from, buf_slice(b));
}

/* ---- records ---- */

static bool is_record(struct slice at)
{
    uint8_t type = slice_u8(&at), major = slice_u8(&at), minor = slice_u8(&at);
    uint16_t len = slice_u16(&at);
    return !at.failed && type >= CHANGE_CIPHER_SPEC && type <= HEARTBEAT && major == 3 &&
           minor <= 4 && len <= MOST_FRAGMENT + 2048;
}

/* Takes a record, or all that is left when there is no whole one. */
static struct slice take_record(struct slice *bytes)
{
    struct slice head = *bytes;
    (void)slice_skip(&head, 3);
    size_t len = (size_t)slice_u16(&head) + RECORD_HEADER;
    if (head.failed || !is_record(*bytes) || len > bytes->len)
        len = bytes->len;
    return slice_take(bytes, len);
}

void made_stream(struct made *m, enum synth_side from, struct slice bytes)
{
    struct buf *b = &m->stream[from];
    buf_slice_put(b, bytes);
    m->full |= b->failed;
    struct slice left = buf_slice(b), whole = left;
    while (left.len > 0) {
        struct slice at = left, head = left;
        (void)slice_skip(&head, 3);
        size_t len = (size_t)slice_u16(&head) + RECORD_HEADER;
        if (head.failed || (is_record(left) && len > left.len))
            break; /* more will come */
        (void)take_record(&at);
        left = at;
    }
    made_data(m, from, slice_sub(whole, 0, whole.len - left.len));
    struct buf rest = {0};
    buf_slice_put(&rest, left);
    buf_free(b);
    *b = rest;
}

void made_stream_end(struct made *m)
{
    for (int side = 0; side < 2; side++) {
        made_data(m, (enum synth_side)side, buf_slice(&m->stream[side]));
        buf_clear(&m->stream[side]);
    }
}

/* The type of a record's first handshake message; 0 when it is something else. */
static uint8_t first_message(struct slice record)
{
    return slice_at(record, 0) == HANDSHAKE ? slice_at(record, RECORD_HEADER) : 0;
}

/* Who sends messages of this type (RFC 5246 7.4, RFC 9846 4); -1: both do. */
static int sender_of(uint8_t message)
{
    static const uint8_t clients[] = {1, 5, 16, 21}, servers[] = {2, 4, 6, 8, 12, 13, 14, 22};
    for (size_t i = 0; i < sizeof clients; i++)
        if (clients[i] == message)
            return SYNTH_CLIENT;
    for (size_t i = 0; i < sizeof servers; i++)
        if (servers[i] == message)
            return SYNTH_SERVER;
    return -1;
}

void made_records(struct made *m, struct slice bytes)
{
    int side = -1;
    struct slice ahead = bytes;
    while (ahead.len > 0 && side < 0) /* the first that tells says it for those before, too */
        side = sender_of(first_message(take_record(&ahead)));
    while (bytes.len > 0) {
        struct slice record = take_record(&bytes);
        int sender = sender_of(first_message(record));
        side = sender >= 0 ? sender : side;
        made_data(m, side == SYNTH_SERVER ? SYNTH_SERVER : SYNTH_CLIENT, record);
    }
}

/* Whether a record holds the message that ends the server's first flight of TLS 1.2: as the last, or
 * the only one. */
static bool ends_flight(struct slice record)
{
    uint8_t last = slice_at(record, record.len >= 4 ? record.len - 4 : 0);
    return slice_at(record, 0) == HANDSHAKE && record.len >= RECORD_HEADER + 4 &&
           last == SERVER_HELLO_DONE && slice_at(record, record.len - 1) == 0;
}

void made_two_sides(struct made *m, struct slice client, struct slice server)
{
    bool hello = false, done = false;
    while (client.len > 0 && !hello) {
        struct slice record = take_record(&client);
        hello = first_message(record) == CLIENT_HELLO;
        made_data(m, SYNTH_CLIENT, record);
    }
    while (server.len > 0 && !done) {
        struct slice record = take_record(&server);
        done = ends_flight(record);
        made_data(m, SYNTH_SERVER, record);
    }
    while (client.len > 0)
        made_data(m, SYNTH_CLIENT, take_record(&client));
    while (server.len > 0)
        made_data(m, SYNTH_SERVER, take_record(&server));
}

/* ---- certificates ---- */

enum { DER_INTEGER = 0x02, DER_SEQUENCE = 0x30, DER_SET = 0x31 };

/* Enters the SEQUENCE that AT begins with; false when there is none of a length that fits. */
static bool enter_sequence(struct slice *at, size_t *len)
{
    uint8_t tag = slice_u8(at), first = slice_u8(at);
    *len = first;
    if (first == 0x81)
        *len = slice_u8(at);
    else if (first == 0x82)
        *len = slice_u16(at);
    else if (first == 0x83)
        *len = slice_u24(at);
    return !at->failed && tag == DER_SEQUENCE && first != 0x80 && first <= 0x83 && *len <= at->len;
}

/* A version of 0 and a name, where a certificate has its number and an algorithm (RFC 2986 4.1). */
bool made_is_request(struct slice der)
{
    size_t len;
    if (!enter_sequence(&der, &len) || !enter_sequence(&der, &len) ||
        slice_u8(&der) != DER_INTEGER || slice_u16(&der) != 0x0100)
        return false;
    return enter_sequence(&der, &len) && (len == 0 || slice_at(der, 0) == DER_SET);
}

/* Whether DER begins with a SEQUENCE of a length that fits, and a SEQUENCE in it. */
static bool is_certificate(struct slice der, size_t *size)
{
    struct slice at = der;
    size_t len;
    if (!enter_sequence(&at, &len))
        return false;
    *size = der.len - at.len + len;
    return len >= 32 && slice_at(at, 0) == DER_SEQUENCE && !made_is_request(der);
}

bool made_certificate(struct made *m, struct slice der)
{
    size_t size = 0;
    if (!is_certificate(der, &size))
        return false;
    put_u24(&m->certificates, size);
    buf_slice_put(&m->certificates, slice_sub(der, 0, size));
    return true;
}

void made_certificates_end(struct made *m)
{
    size_t len = m->certificates.len;
    struct buf message = {.ceiling = 1 << 24};
    if (len == 0)
        return;
    buf_char(&message, CERTIFICATE);
    put_u24(&message, len + 3);
    put_u24(&message, len);
    buf_slice_put(&message, buf_slice(&m->certificates));
    m->full |= message.failed;
    made_message(m, SYNTH_SERVER, HANDSHAKE, buf_slice(&message));
    buf_free(&message);
    buf_clear(&m->certificates);
}

/* ---- what bytes look like ---- */

static uint32_t link_of(struct slice bytes)
{
    struct slice ether = bytes, ip = bytes;
    (void)slice_skip(&ether, 12);
    uint16_t type = slice_u16(&ether);
    uint8_t version = slice_at(ether, 0) >> 4;
    if ((type == 0x0800 && version == 4) || (type == 0x86dd && version == 6) || type == 0x8100)
        return LINK_ETHERNET;
    (void)slice_skip(&ip, 2);
    uint16_t total = slice_u16(&ip);
    if (slice_at(bytes, 0) == 0x45 && total >= 20 && total <= bytes.len)
        return LINK_RAW;
    (void)slice_skip(&ip, 2);
    bool fits = !ip.failed && slice_at(bytes, 0) >> 4 == 6 &&
                (size_t)slice_at(bytes, 4) * 256 + slice_at(bytes, 5) + 40 <= bytes.len;
    return fits ? LINK_RAW : UINT32_MAX;
}

static bool is_message(struct slice bytes)
{
    uint8_t type = slice_u8(&bytes);
    size_t len = slice_u24(&bytes);
    return !bytes.failed && len == bytes.len && type <= 24;
}

bool made_guess(struct made *m, struct slice bytes)
{
    uint32_t link = link_of(bytes);
    size_t size = 0;
    if (is_record(bytes)) {
        made_records(m, bytes);
    } else if (link != UINT32_MAX) {
        made_frame(m, link, bytes);
    } else if (is_certificate(bytes, &size)) {
        for (; made_certificate(m, bytes) && is_certificate(bytes, &size);)
            (void)slice_skip(&bytes, size);
        made_certificates_end(m);
    } else if (is_message(bytes)) {
        int side = sender_of(slice_at(bytes, 0));
        made_message(m,
                     side == SYNTH_SERVER || slice_at(bytes, 0) == CERTIFICATE ? SYNTH_SERVER
                                                                               : SYNTH_CLIENT,
                     HANDSHAKE, bytes);
    } else {
        return false;
    }
    return true;
}

/* ---- what came of it ---- */

size_t made_count(const struct made *m)
{
    return m->entries.len / sizeof(struct entry);
}

bool made_complete(const struct made *m)
{
    return !m->full && !m->scratch.failed && !m->certificates.failed;
}

void made_rewind(struct made *m)
{
    m->next = 0;
}

bool made_next(struct made *m, struct packet *p)
{
    struct entry entry;
    struct slice at = slice_sub(buf_slice(&m->entries), m->next * sizeof entry, sizeof entry);
    if (!slice_read(&at, &entry, sizeof entry))
        return false;
    m->next++;
    *p = (struct packet){.bytes = slice_sub(buf_slice(&m->bytes), entry.offset, entry.len),
                         .number = m->next,
                         .caplen = (uint32_t)entry.len,
                         .len = (uint32_t)entry.len,
                         .link_type = entry.link_type,
                         .interface = PACKET_NO_INTERFACE,
                         .section = 1,
                         .comment = slice_empty(),
                         .options = slice_empty(),
                         .time_decimals = 6,
                         .fcs_bytes = -1};
    return true;
}
