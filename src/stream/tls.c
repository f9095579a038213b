#include "stream/tls.h"

#include "crypto/digest.h"
#include "crypto/suite.h"
#include "dissect/walk.h"
#include "stream/ja3.h"

#define HEADER      5
#define MAX_RECORD  (16384 + 2048) /* RFC 5246 6.2.3 */
#define HELLO_RETRY 0xcf21ad74u    /* first bytes of the random (RFC 9846 4.1.3) */

enum { CHANGE_CIPHER_SPEC = 20, ALERT, HANDSHAKE, APPLICATION_DATA, HEARTBEAT };

struct tls_side {
    struct buf pending; /* owned: the beginning of a record */
    uint32_t next_seq;
    uint32_t
        consumed; /* bytes of `pending` that were read; the tape may refer to them till the next packet */
    bool started, protected;
};

struct tls_session {
    uint16_t version, suite;
    struct tls_side side[2];
};

/* One run of bytes being read: a segment, or the record that it completed. */
struct run {
    struct tls_session *session;
    struct tls_side *side;
    struct dissection *d;
    struct buf *protocols, *scratch;
    struct crypto_provider *crypto;
    struct slice bytes; /* the whole source */
    uint32_t at, end;
    uint8_t source;
};

static bool is_header(struct slice s)
{
    uint8_t type = slice_u8(&s), major = slice_u8(&s), minor = slice_u8(&s);
    uint16_t length = slice_u16(&s);
    return !s.failed && type >= CHANGE_CIPHER_SPEC && type <= HEARTBEAT && major == 3 &&
           minor <= 4 && length <= MAX_RECORD;
}

bool tls_claims(const struct flow *f, struct slice payload, bool port)
{
    return payload.len > 0 && (f->tls || port || is_header(payload));
}

void tls_free(struct flow *f)
{
    struct tls_session *s = f->tls;
    for (size_t i = 0; s && i < 2; i++)
        buf_free(&s->side[i].pending);
    f->tls = NULL;
}

static void note(struct tape *t, uint32_t at, const char *a, const char *b)
{
    if (at == TAPE_NONE)
        return;
    size_t start = t->text.len;
    buf_str(&t->text, a);
    buf_str(&t->text, b);
    t->events[at].value = (uint64_t)(t->text.len - start) << 32 | (uint32_t)start;
}

static void info(struct run *r, struct info_item item)
{
    struct columns *c = &r->d->columns;
    if (c->item_count < INFO_ITEMS)
        c->items[c->item_count++] = item;
}

static const char *version_name(const struct run *r, uint16_t record)
{
    uint16_t version = r->session->version ? r->session->version : record;
    const char *name = registry_compat(REG_TLS_VERSIONS_SHORT, version);
    return name ? name : "TLS";
}

static unsigned key_context(uint16_t id)
{
    static const uint32_t contexts[] = {
        [KX_ECDHE_ECDSA] = KEY_ECDHE | KEY_SIGNED,
        [KX_ECDHE_RSA] = KEY_ECDHE | KEY_SIGNED,
        [KX_ECDH_ANON] = KEY_ECDHE,
        [KX_DHE_DSS] = KEY_DHE | KEY_SIGNED,
        [KX_DHE_RSA] = KEY_DHE | KEY_SIGNED,
        [KX_DH_ANON] = KEY_DHE,
        [KX_RSA] = KEY_RSA_EXCHANGE,
        [KX_PSK] = KEY_PSK,
        [KX_DHE_PSK] = KEY_DHE | KEY_WITH_PSK,
        [KX_RSA_PSK] = KEY_RSA_EXCHANGE | KEY_WITH_PSK,
        [KX_ECDHE_PSK] = KEY_ECDHE | KEY_WITH_PSK,
    };
    const struct suite *suite = suite_find(id);
    size_t kind = suite ? suite->key_exchange : KX_TLS13;
    return kind < sizeof contexts / sizeof contexts[0] ? contexts[kind] : 0;
}

/* The version and suite that a ServerHello chooses. */
static void follow_server_hello(struct run *r, struct slice body)
{
    r->session->version = slice_u16(&body);
    slice_skip(&body, 32);
    slice_skip(&body, slice_u8(&body));
    r->session->suite = slice_u16(&body);
    slice_skip(&body, 1);
    struct slice extensions = slice_take(&body, slice_u16(&body));
    while (extensions.len > 0) {
        uint16_t type = slice_u16(&extensions);
        struct slice value = slice_take(&extensions, slice_u16(&extensions));
        if (type == 43)
            r->session->version = slice_u16(&value);
    }
}

static unsigned message_context(uint8_t type)
{
    static const uint8_t bits[32] = {
        [1] = IN_CLIENT_HELLO,         [2] = IN_SERVER_HELLO, [4] = IN_TICKET,
        [8] = IN_ENCRYPTED_EXTENSIONS, [11] = IN_CERTIFICATE, [13] = IN_CERTIFICATE_REQUEST};
    return type < sizeof bits ? bits[type] : 0;
}

/* The fingerprint of a hello, as text and as MD5, after its extensions. */
static void fingerprint(struct run *r, uint8_t type, uint32_t body, struct slice bytes)
{
    struct tape *t = &r->d->tape;
    enum field_id full = type == 1 ? F_tls_handshake_ja3_full : F_tls_handshake_ja3s_full;
    enum field_id hash = type == 1 ? F_tls_handshake_ja3 : F_tls_handshake_ja3s;
    if (!tape_wants(t, full) && !tape_wants(t, hash))
        return;
    struct buf *text = r->scratch;
    char digest[33];
    buf_clear(text);
    uint32_t place = body + (type == 1 ? ja3_client(text, bytes) : ja3_server(text, bytes));
    tape_set_text(t, tape_add(t, full, r->source, place, 0, 0, EVENT_GENERATED), buf_slice(text));
    if (tape_wants(t, hash) && digest_md5_hex(r->crypto, buf_slice(text), digest))
        tape_set_text(t, tape_add(t, hash, r->source, place, 0, 0, EVENT_GENERATED),
                      slice_of_str(digest));
}

static void message(struct run *r, uint32_t at, uint32_t end)
{
    struct tape *t = &r->d->tape;
    struct slice s = slice_sub(r->bytes, at, end - at);
    uint8_t type = slice_u8(&s);
    uint32_t length = slice_u24(&s);
    if (type == 2)
        follow_server_hello(r, s);
    unsigned context = message_context(type) | key_context(r->session->suite);
    struct slice random = slice_sub(s, 2, 4);
    if (type == 2 && slice_u32(&random) == HELLO_RETRY)
        context = (context & ~(unsigned)IN_SERVER_HELLO) | IN_HELLO_RETRY_REQUEST;
    context |= r->session->version == VERSION_TLS13   ? IN_TLS13
               : r->session->version == VERSION_TLS12 ? IN_TLS12
                                                      : 0;
    if (r->session->version != VERSION_TLS13)
        context |= IN_CLOCK;
    const char *name = context & IN_HELLO_RETRY_REQUEST
                           ? "Hello Retry Request"
                           : registry_compat(REG_HANDSHAKE_TYPES, type);
    if (context & IN_HELLO_RETRY_REQUEST)
        info(r, (struct info_item){.kind = INFO_TEXT, .text = name});
    else
        info(r, (struct info_item){.kind = INFO_HANDSHAKE, .a = type});
    uint32_t item = tape_open(t, F_tls_handshake, r->source, at, end - at, 0, 0);
    note(t, item, name ? name : "", "");
    tape_add(t, F_tls_handshake_type, r->source, at, 1, type, 0);
    tape_add(t, F_tls_handshake_length, r->source, at + 1, 3, length, 0);
    struct walk w = {.tape = t,
                     .bytes = r->bytes,
                     .protocols = r->protocols,
                     .at = at + 4,
                     .end = end,
                     .context = context,
                     .source = r->source};
    enum block_id block = block_of_message(type);
    if (block != BLOCK_NONE && walk_block(&w, block))
        walk_trailing(&w);
    if (type == 1 || (type == 2 && !(context & IN_HELLO_RETRY_REQUEST)))
        fingerprint(r, type, at + 4, slice_sub(r->bytes, at + 4, end - at - 4));
    tape_close(t, item);
}

/* The end of the message at AT, 0 when the record does not hold it whole. */
static uint32_t message_end(const struct run *r, uint32_t at, uint32_t end)
{
    struct slice s = slice_sub(r->bytes, at, end - at);
    uint8_t type = slice_u8(&s);
    uint32_t length = slice_u24(&s);
    bool known = registry_compat(REG_HANDSHAKE_TYPES, type) != NULL;
    return known && !s.failed && length <= end - at - 4 ? at + 4 + length : 0;
}

static void handshake(struct run *r, uint32_t record, uint32_t at, uint32_t end,
                      const char *version)
{
    struct tape *t = &r->d->tape;
    uint32_t first = r->side->protected ? 0 : message_end(r, at, end);
    if (first == 0) {
        note(t, record, version, " Record Layer: Handshake Protocol: Encrypted Handshake Message");
        uint32_t item = tape_add(t, F_tls_handshake, r->source, at, end - at, 0, 0);
        note(t, item, "Encrypted Handshake Message", "");
        info(r, (struct info_item){.kind = INFO_TEXT, .text = "Encrypted Handshake Message"});
        return;
    }
    for (uint32_t next = first; next != 0; next = at < end ? message_end(r, at, end) : 0) {
        message(r, at, next);
        at = next;
    }
    struct info_item last = r->d->columns.items[r->d->columns.item_count - 1];
    const char *name =
        last.kind == INFO_TEXT ? last.text : registry_compat(REG_HANDSHAKE_TYPES, last.a);
    note(t, record, version, " Record Layer: Handshake Protocol: ");
    if (record != TAPE_NONE) {
        name = first < end ? "Multiple Handshake Messages" : name;
        buf_str(&t->text, name);
        t->events[record].value += (uint64_t)strlen(name) << 32;
    }
}

static void alert(struct run *r, uint32_t record, uint32_t at, uint32_t end, const char *version)
{
    struct tape *t = &r->d->tape;
    struct slice s = slice_sub(r->bytes, at, end - at);
    uint8_t level = slice_at(s, 0), description = slice_at(s, 1);
    const char *a = registry_compat(REG_ALERT_LEVELS, level),
               *b = registry_compat(REG_ALERTS, description);
    bool plain = s.len == 2 && a && b;
    uint32_t item = tape_open(t, F_tls_alert_message, r->source, at, end - at, 0, 0);
    if (plain) {
        tape_add(t, F_tls_alert_message_level, r->source, at, 1, level, 0);
        tape_add(t, F_tls_alert_message_desc, r->source, at + 1, 1, description, 0);
        info(r, (struct info_item){.kind = INFO_ALERT, .a = level, .b = description});
        size_t start = t->text.len;
        buf_str(&t->text, version);
        buf_str(&t->text, " Record Layer: Alert (Level: ");
        buf_str(&t->text, a);
        buf_str(&t->text, ", Description: ");
        buf_str(&t->text, b);
        buf_char(&t->text, ')');
        if (record != TAPE_NONE)
            t->events[record].value = (uint64_t)(t->text.len - start) << 32 | (uint32_t)start;
    } else {
        tape_set_label(t, item, LABEL_TLS_ENCRYPTED_ALERT);
        info(r, (struct info_item){.kind = INFO_TEXT, .text = "Encrypted Alert"});
        note(t, record, version, " Record Layer: Encrypted Alert");
    }
    tape_close(t, item);
}

static void record(struct run *r, uint32_t length)
{
    struct tape *t = &r->d->tape;
    uint32_t at = r->at, body = at + HEADER, end = body + length;
    struct slice s = slice_sub(r->bytes, at, HEADER);
    uint8_t type = slice_u8(&s);
    uint16_t stated = slice_u16(&s);
    bool hello = type == HANDSHAKE && slice_at(r->bytes, body) == 1;
    if (!r->session->version && !hello)
        r->session->version = stated;
    const char *version = version_name(r, stated);
    uint32_t item = tape_open(t, F_tls_record, r->source, at, HEADER + length, 0, 0);
    bool opaque = type == APPLICATION_DATA && r->session->version == VERSION_TLS13;
    tape_add(t, opaque ? F_tls_record_opaque_type : F_tls_record_content_type, r->source, at, 1,
             type, 0);
    tape_add(t, F_tls_record_version, r->source, at + 1, 2, stated, 0);
    tape_add(t, F_tls_record_length, r->source, at + 3, 2, length, 0);
    if (type == HANDSHAKE) {
        handshake(r, item, body, end, version);
    } else if (type == ALERT) {
        alert(r, item, body, end, version);
    } else if (type == CHANGE_CIPHER_SPEC) {
        note(t, item, version, " Record Layer: Change Cipher Spec Protocol: Change Cipher Spec");
        tape_add(t, F_tls_change_cipher_spec, r->source, body, length, 0, 0);
        info(r, (struct info_item){.kind = INFO_TEXT, .text = "Change Cipher Spec"});
        r->side->protected = true;
    } else {
        note(t, item, version, " Record Layer: Application Data Protocol: Application Data");
        tape_add(t, F_tls_app_data, r->source, body, length, 0, 0);
        info(r, (struct info_item){.kind = INFO_TEXT, .text = "Application Data"});
    }
    tape_close(t, item);
    r->d->columns.protocol = version_name(r, stated);
    r->at = end;
}

/* Bytes of the whole record at the front of S, 0 when its header is not there or is none. */
static uint32_t record_size(struct slice s)
{
    if (!is_header(s))
        return 0;
    slice_skip(&s, 3);
    return HEADER + (uint32_t)slice_u16(&s);
}

/* Reads all whole records; r->at is then where the incomplete one begins. */
static void records(struct run *r)
{
    struct slice s = slice_sub(r->bytes, r->at, r->end - r->at);
    uint32_t size = record_size(s);
    if (size == 0 || size > s.len)
        return;
    uint32_t item = tape_open(&r->d->tape, F_tls, r->source, r->at, r->end - r->at, 0, 0);
    while (size > 0 && size <= s.len) {
        record(r, size - HEADER);
        s = slice_sub(r->bytes, r->at, r->end - r->at);
        size = record_size(s);
    }
    tape_close(&r->d->tape, item);
}

static void keep(struct run *r)
{
    struct slice rest = slice_sub(r->bytes, r->at, r->end - r->at);
    if (rest.len > 0 && (rest.len < HEADER || is_header(rest))) {
        buf_slice_put(&r->side->pending, rest);
        r->d->columns.segment_of_pdu = r->d->columns.item_count == 0;
    }
}

static void drop_consumed(struct tls_side *side)
{
    struct slice rest = slice_sub(buf_slice(&side->pending), side->consumed, SIZE_MAX);
    if (side->consumed > 0) {
        memmove(side->pending.data, rest.data, rest.len);
        side->pending.len = rest.len;
        side->consumed = 0;
    }
}

void tls_segment(struct flow_table *table, struct flow *f, struct dissection *d, uint32_t offset,
                 struct slice payload, const struct tls_tools *tools)
{
    if (!f->tls)
        f->tls = arena_zalloc(&table->arena, sizeof(struct tls_session));
    struct tls_session *session = f->tls;
    if (!session)
        return;
    struct tls_side *side = &session->side[d->tcp.direction];
    side->pending.ceiling = 2 * MAX_RECORD;
    drop_consumed(side);
    if (side->started && (int32_t)(d->tcp.seq_raw - side->next_seq) < 0)
        return; /* seen before */
    if (side->started && d->tcp.seq_raw != side->next_seq)
        buf_clear(&side->pending); /* a gap: what was waiting cannot be completed */
    side->started = true;
    side->next_seq = d->tcp.seq_raw + d->tcp.len;
    struct run r = {.session = session,
                    .side = side,
                    .d = d,
                    .protocols = tools->protocols,
                    .scratch = tools->scratch,
                    .crypto = tools->crypto,
                    .bytes = d->tape.sources[0].bytes,
                    .at = offset,
                    .end = offset + (uint32_t)payload.len};
    if (side->pending.len > 0) {
        buf_slice_put(&side->pending, payload);
        r.bytes = buf_slice(&side->pending);
        r.at = 0;
        r.end = (uint32_t)r.bytes.len;
        r.source = tape_source(&d->tape, r.bytes, "Reassembled TCP");
        records(&r);
        /* The bytes stay until the next segment: the tape refers to them. */
        if (r.at == 0)
            d->columns.segment_of_pdu = true;
        d->columns.segment_of_pdu &= d->columns.item_count == 0;
        side->consumed = r.at;
        return;
    }
    records(&r);
    keep(&r);
}
