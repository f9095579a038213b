/* Handshake messages: several in a record, or one over several. */
#include "crypto/digest.h"
#include "dissect/walk.h"
#include "stream/ja3.h"
#include "stream/ja4.h"
#include "stream/tls_ech.h"
#include "stream/tls_exchange.h"
#include "stream/tls_session.h"
#include "stream/tls_verify.h"

#include <string.h>

#define HELLO_RETRY    0xcf21ad74u /* first bytes of the random (RFC 9846 4.1.3) */
#define LEAST_OVERHEAD 16          /* bytes that any protection adds to a message */
#define MOST_LENGTH    0x10000     /* longer messages are taken for encrypted ones */

enum {
    CLIENT_HELLO = 1,
    SERVER_HELLO = 2,
    OLD_HELLO_RETRY = 6,
    CERTIFICATE = 11,
    SERVER_KEY_EXCHANGE = 12,
    CLIENT_KEY_EXCHANGE = 16,
    COMPRESSED_CERTIFICATE = 25
};

/* How the name of a suite begins that exchanges keys in this way; the first that fits counts. */
static const struct {
    const char *prefix;
    unsigned context;
} exchanges[] = {
    {"TLS_ECDHE_PSK_", KEY_ECDHE | KEY_WITH_PSK},
    {"TLS_ECDHE_", KEY_ECDHE | KEY_SIGNED},
    {"TLS_CECPQ1_", KEY_ECDHE | KEY_SIGNED},
    {"TLS_ECDH_", KEY_ECDHE},
    {"TLS_DHE_PSK_", KEY_DHE | KEY_WITH_PSK},
    {"TLS_PSK_DHE_", KEY_DHE | KEY_WITH_PSK},
    {"TLS_DHE_", KEY_DHE | KEY_SIGNED},
    {"TLS_DH_", KEY_DHE},
    {"TLS_RSA_PSK_", KEY_RSA_EXCHANGE | KEY_WITH_PSK},
    {"TLS_RSA_", KEY_RSA_EXCHANGE},
    {"SSL_RSA_", KEY_RSA_EXCHANGE},
    {"TLS_PSK_", KEY_PSK},
    {"TLS_SRP_SHA_WITH_", KEY_SRP},
    {"TLS_SRP_", KEY_SRP | KEY_SIGNED},
    {"TLS_KRB5_", KEY_KRB5},
    {"TLS_GOST", KEY_GOST},
    {"TLS_ECCPWD_", KEY_PWD},
    {"TLS_ECJPAKE_", KEY_JPAKE},
    {"ECC_SM", KEY_SM2},
};

unsigned tls_key_context(uint16_t suite)
{
    const char *name = registry_name(REG_CIPHER_SUITES, suite);
    for (size_t i = 0; name && i < sizeof exchanges / sizeof exchanges[0]; i++)
        if (strncmp(name, exchanges[i].prefix, strlen(exchanges[i].prefix)) == 0)
            return exchanges[i].context;
    return 0;
}

/* What drafts of TLS 1.3 left out; VERSION as it stands in a hello. */
static unsigned draft_context(unsigned version)
{
    unsigned draft = version >> 8 == 0x7f ? version & 0xff : 99;
    return (draft < 22 ? IN_DRAFT_21 : 0u) | (draft < 21 ? IN_DRAFT_20 : 0u) |
           (draft < 19 ? IN_DRAFT_18 : 0u);
}

/* What the sender's Certificate holds, as it was negotiated.  A raw key of TLS 1.2 is told by its tag as well: a
 * list would begin with a length of which this was the first byte. */
static unsigned certificate_context(const struct tls_reader *r, uint8_t type, struct slice body)
{
    const struct tls_session *s = r->session;
    if (type != CERTIFICATE && type != COMPRESSED_CERTIFICATE)
        return 0;
    uint8_t is = s->certificate_types[s->client == (int8_t)r->d->tcp.direction];
    bool key = slice_at(body, 3) == 0x30 && (is == CERTIFICATE_RAW_KEY || !s->has_server_random);
    if (is == CERTIFICATE_OPENPGP && s->version != VERSION_TLS13)
        return IN_OPENPGP;
    if (is == CERTIFICATE_OPENPGP || is > CERTIFICATE_RAW_KEY)
        return IN_OTHER_CERTIFICATE;
    bool raw = s->version == VERSION_TLS13 ? is == CERTIFICATE_RAW_KEY : key;
    return raw && type == CERTIFICATE ? IN_RAW_KEY : 0;
}

static unsigned message_context(const struct tls_session *s, uint8_t type, struct slice body)
{
    static const uint8_t bits[32] = {
        [1] = IN_CLIENT_HELLO,         [2] = IN_SERVER_HELLO, [4] = IN_TICKET,
        [8] = IN_ENCRYPTED_EXTENSIONS, [11] = IN_CERTIFICATE, [13] = IN_CERTIFICATE_REQUEST};
    unsigned context =
        (type < sizeof bits ? bits[type] : 0) |
        (type == SERVER_KEY_EXCHANGE || type == CLIENT_KEY_EXCHANGE ? tls_key_context(s->suite)
                                                                    : 0u);
    uint16_t version = slice_u16(&body);
    if (type == SERVER_HELLO || type == OLD_HELLO_RETRY)
        context |= draft_context(version);
    else
        context |= draft_context(s->draft ? 0x7f00u | s->draft : 0);
    if (type == OLD_HELLO_RETRY)
        context |= IN_HELLO_RETRY_REQUEST;
    if (type == SERVER_HELLO && slice_u32(&body) == HELLO_RETRY)
        context = (context & ~(unsigned)IN_SERVER_HELLO) | IN_HELLO_RETRY_REQUEST;
    if (s->version == VERSION_TLS13)
        return context | IN_TLS13;
    return context | IN_CLOCK | (s->version == VERSION_TLS12 ? IN_TLS12 : 0u) |
           (s->version == VERSION_SSL3 ? IN_SSL3 : 0u);
}

/* The fingerprint of a hello, as text and as MD5, after its extensions. */
static void fingerprint(struct tls_reader *r, const struct tls_content *c, uint8_t type,
                        uint32_t body, struct slice bytes)
{
    struct tape *t = &r->d->tape;
    bool client = type == CLIENT_HELLO;
    enum field_id full = client ? F_tls_handshake_ja3_full : F_tls_handshake_ja3s_full;
    enum field_id hash = client ? F_tls_handshake_ja3 : F_tls_handshake_ja3s;
    if (!tape_wants(t, full) && !tape_wants(t, hash))
        return;
    struct buf *text = r->tools->scratch;
    char digest[33];
    buf_clear(text);
    uint32_t place = body + (client ? ja3_client(text, bytes) : ja3_server(text, bytes));
    tape_set_text(t, tape_add(t, full, c->source, place, 0, 0, EVENT_GENERATED), buf_slice(text));
    if (!tape_wants(t, hash))
        return;
    digest_md5_hex(buf_slice(text), digest);
    tape_set_text(t, tape_add(t, hash, c->source, place, 0, 0, EVENT_GENERATED),
                  slice_of_str(digest));
}

/* JA4, hashed or raw, when somebody asks for it. */
static void fingerprint_4(struct tls_reader *r, const struct tls_content *c, enum field_id field,
                          uint32_t body, struct slice bytes)
{
    struct tape *t = &r->d->tape;
    struct buf *text = r->tools->scratch;
    struct crypto_provider *crypto = field == F_tls_handshake_ja4 ? r->tools->crypto : NULL;
    if (!tape_wants(t, field))
        return;
    buf_clear(text);
    if (ja4_client(text, bytes, r->tools->plaintext, crypto))
        tape_set_text(t, tape_add(t, field, c->source, body, 0, 0, EVENT_GENERATED),
                      buf_slice(text));
}

/* What the record's line says of its messages; the first wins unless another follows. */
struct titles {
    const char *first, *mark;
    bool several;
};

static void title(struct titles *names, const char *name, const char *mark)
{
    names->several = names->first != NULL || !name;
    if (!names->first) {
        names->first = name ? name : "";
        names->mark = mark;
    }
}

static const char *name_of(uint8_t type)
{
    return registry_compat(REG_HANDSHAKE_TYPES, type);
}

static void message(struct tls_reader *r, const struct tls_content *c, uint32_t at, uint32_t end,
                    struct titles *titles)
{
    struct tape *t = &r->d->tape;
    struct slice s = slice_sub(c->bytes, at, end - at);
    uint8_t type = slice_u8(&s);
    uint32_t length = slice_u24(&s), body = at + 4;
    tls_follow_hello(r, type, s);
    struct slice inner = tls_ech_hello(r, type, slice_sub(c->bytes, at, end - at));
    tls_exchange_message(r, type, slice_sub(c->bytes, at, end - at));
    unsigned context = message_context(r->session, type, s) | certificate_context(r, type, s);
    bool retry = type == SERVER_HELLO && context & IN_HELLO_RETRY_REQUEST;
    const char *name = retry ? "Hello Retry Request" : name_of(type);
    title(titles, name, "");
    tls_info(r, retry ? (struct info_item){.kind = INFO_TEXT, .text = name}
                      : (struct info_item){.kind = INFO_HANDSHAKE, .a = type});
    uint32_t item = tape_open(t, F_tls_handshake, c->source, at, end - at, 0, 0);
    TLS_NOTE(t, item, name ? name : "");
    tape_add(t, F_tls_handshake_type, c->source, at, 1, type, 0);
    tape_add(t, F_tls_handshake_length, c->source, at + 1, 3, length, 0);
    struct walk w = {.tape = t,
                     .bytes = c->bytes,
                     .protocols = r->tools->protocols,
                     .known = r->tools->certificates,
                     .silent = r->tools->silent,
                     .expander = r->tools->expander,
                     .room = r->tools->plaintext,
                     .at = body,
                     .end = end,
                     .context = context,
                     .source = c->source};
    enum block_id block = block_of_message(type);
    if (block != BLOCK_NONE && walk_block(&w, block))
        walk_trailing(&w);
    bool broken = w.failed;
    /* Where the next message or record begins is certain; behind the last there is nothing to go on with. */
    if (broken && (end < c->bytes.len || r->next < r->end))
        walk_too_short(&w, end);
    r->failed |= w.failed;
    if (broken && !w.failed && w.lacks > c->bytes.len - end && !w.module)
        w.module = F_tls; /* it claims bytes that nothing here has */
    r->module = r->module ? r->module : w.module;
    if (!broken && (type == CLIENT_HELLO || type == SERVER_HELLO))
        fingerprint(r, c, type, body, slice_sub(c->bytes, body, end - body));
    if (!broken && type == CLIENT_HELLO) {
        struct slice bytes = slice_sub(c->bytes, body, end - body);
        fingerprint_4(r, c, F_tls_handshake_ja4, body, bytes);
        fingerprint_4(r, c, F_tls_handshake_ja4_r, body, bytes);
    }
    tls_lineage_message(r, type, s, c, body);
    tls_remark_hello(r, type, retry, s, c, body);
    tls_verify_message(r, c, at, end);
    tls_ech_show(r, c, type, inner, context);
    tape_close(t, item);
    if (retry && (context & IN_TLS13) &&
        item != TAPE_NONE) /* its random is a fixed number, which the label says */
        tape_set_extra(t, tape_find(t, item, F_tls_handshake_random), 1);
    tls_follow_message(r, type);
}

/* The length of the message that S begins, with its header; 0 when not even that is there. */
static uint32_t message_size(struct slice s)
{
    slice_skip(&s, 1);
    uint32_t length = slice_u24(&s);
    return s.failed ? 0 : 4 + length;
}

/* Types that hardly anybody sends: they are believed when the message fills its record, and has a length that
 * such a message can have. */
static bool is_doubtful(struct slice s)
{
    static const struct {
        uint8_t type;
        uint32_t least, most;
    } rare[] = {{9, 1, 1}, {10, 3, 0xffff + 3}, {17, 3, 0x10102}, {26, 9, 521}, {254, 16, 64}};
    uint32_t size = message_size(s);
    for (size_t i = 0; i < sizeof rare / sizeof rare[0]; i++)
        if (rare[i].type == slice_at(s, 0))
            return size != s.len || size < 4 + rare[i].least || size > 4 + rare[i].most;
    return false;
}

/* Whether the fragment is protected and could not be opened, as far as can be told from its looks. */
static bool looks_encrypted(const struct tls_reader *r, const struct tls_content *c)
{
    struct slice s = slice_sub(c->bytes, c->at, c->end - c->at);
    if (s.len < LEAST_OVERHEAD)
        return false;
    /* A second ClientHello follows the ChangeCipherSpec that answers a HelloRetryRequest. */
    bool hello = slice_at(s, 0) == CLIENT_HELLO && message_size(s) == s.len;
    if (!c->opened && !hello && r->side->changed && r->session->version != VERSION_TLS13)
        return true;
    if (!name_of(slice_at(s, 0)) || is_doubtful(s))
        return true;
    /* Whoever said hello in the clear and did not change keys goes on in the clear, also at great length. */
    bool clear = r->session->client >= 0 && !r->side->changed;
    return !clear && message_size(s) >= MOST_LENGTH + 4;
}

/* A part of a message that goes on in the next record, or began in one before. */
static void part(struct tls_reader *r, const struct tls_content *c, uint32_t at, uint32_t end,
                 const char *name, const char *mark)
{
    struct tape *t = &r->d->tape;
    uint32_t item = tape_add(t, F_tls_handshake, c->source, at, end - at, 0, 0);
    uint32_t later = strcmp(mark, " (fragment)") == 0
                         ? foresight_message_in(r->tools->known, (uint32_t)r->d->packet->number)
                         : 0;
    TLS_NOTE(t, item, name, mark);
    if (later)
        tape_add(t, F_tls_handshake_reassembled_in, r->source, r->start, 0, later, 0);
}

static void keep(struct tls_reader *r, const struct tls_content *c, uint32_t at, uint32_t end)
{
    struct tcp_gathered **fragment = &r->side->fragment;
    if (!*fragment)
        *fragment = tcp_pool_take(r->tools->pool);
    if (*fragment)
        tcp_gather(*fragment, slice_sub(c->bytes, at, end - at), (uint32_t)r->d->packet->number);
}

static void fragments_tree(struct tape *t, uint8_t source, uint32_t size, struct slice frames)
{
    uint32_t at = tape_open(t, F_tls_handshake_fragments, source, 0, size, 0, EVENT_GENERATED);
    struct tcp_part p;
    uint32_t offset = 0;
    if (at != TAPE_NONE) {
        size_t start = t->text.len;
        tcp_list_parts(&t->text, frames);
        t->events[at].value = (uint64_t)(t->text.len - start) << 32 | (uint32_t)start;
        t->events[at].extra = size;
    }
    for (struct slice s = frames; slice_read(&s, &p, sizeof p); offset += p.len)
        tape_add(t, F_tls_handshake_fragment, source, offset, p.len, p.frame, EVENT_GENERATED);
    tape_add(t, F_tls_handshake_fragment_count, source, 0, 0, frames.len / sizeof p,
             EVENT_GENERATED);
    tape_close(t, at);
}

/* The message that waited is complete: read from a copy that lasts as long as the packet. */
static void complete(struct tls_reader *r, struct titles *titles)
{
    struct tls_side *side = r->side;
    struct slice whole = buf_slice(&side->fragment->bytes);
    uint8_t *copy = arena_alloc(r->tools->plaintext, whole.len);
    if (!copy)
        return;
    uint32_t size = (uint32_t)whole.len;
    slice_read(&whole, copy, size);
    struct tls_content c = {.bytes = slice_of(copy, size), .end = size, .opened = true};
    c.source = tape_source(&r->d->tape, c.bytes, "Reassembled TLS Handshake");
    struct tcp_part p;
    struct slice parts = buf_slice(&side->fragment->parts);
    while (r->tools->learns && slice_read(&parts, &p, sizeof p))
        foresight_message(r->tools->learns, p.frame, (uint32_t)r->d->packet->number);
    fragments_tree(&r->d->tape, c.source, size, buf_slice(&side->fragment->parts));
    tcp_pool_give(r->tools->pool, &side->fragment);
    message(r, &c, 0, size, titles);
}

/* Goes on with the message that waits.  Returns where in the record it ends. */
static uint32_t go_on(struct tls_reader *r, const struct tls_content *c, struct titles *titles)
{
    struct slice old = buf_slice(&r->side->fragment->bytes);
    uint32_t at = c->at, left = c->end - c->at;
    uint32_t had = (uint32_t)old.len, known = had < 4 ? had : 4;
    struct slice begin = slice_sub(c->bytes, at, 4 - known);
    uint8_t header[4];
    slice_read(&old, header, known);
    uint32_t size = 0;
    if (known + begin.len == 4 && slice_read(&begin, header + known, 4 - known))
        size = message_size(slice_of(header, 4));
    const char *name = name_of(header[0]) ? name_of(header[0]) : "Unknown";
    bool whole = size > 0 && size <= had + left;
    uint32_t end = whole ? at + (size - had) : c->end;
    keep(r, c, at, end);
    part(r, c, at, end, name, whole ? " (last fragment)" : " (fragment)");
    if (whole)
        complete(r, titles);
    else
        titles->several = true;
    return end;
}

/* A hello of which the capture's packets hold only the beginning still says whose keys are meant. */
static void follow_cut(struct tls_reader *r, const struct tls_content *c)
{
    struct slice rest = slice_sub(c->bytes, c->at, c->end - c->at);
    while (rest.len >= 4) {
        uint32_t size = message_size(rest);
        uint8_t type = slice_at(rest, 0);
        struct slice body = slice_take(&rest, size < rest.len ? size : rest.len);
        slice_skip(&body, 4);
        if ((type == CLIENT_HELLO || type == SERVER_HELLO) && body.len >= 34)
            tls_follow_hello(r, type, body);
        else
            tls_follow_message(r, type);
    }
    tls_verify_gap(r);
}

static void write_title(const struct tls_reader *r, const struct tls_content *c,
                        const struct titles *titles)
{
    bool several = titles->several || !titles->first;
    if (!titles->first && !titles->several) { /* cut before anything could be read */
        tape_set_label(&r->d->tape, c->record, LABEL_TLS_RECORD);
        return;
    }
    TLS_NOTE(&r->d->tape, c->record, c->version, " Record Layer: Handshake Protocol: ",
             several ? "Multiple Handshake Messages" : titles->first, several ? "" : titles->mark);
}

void tls_handshake(struct tls_reader *r, const struct tls_content *c)
{
    struct titles titles = {0};
    uint32_t at = c->at;
    bool waits = r->side->fragment != NULL;
    if (waits)
        at = go_on(r, c, &titles);
    uint8_t first = slice_at(slice_sub(c->bytes, c->at, 1), 0);
    bool hello = first == CLIENT_HELLO || first == SERVER_HELLO;
    if (r->cut > 0 && !waits && !c->opened && hello && !r->side->changed)
        follow_cut(r, c);
    if (at == c->at && !waits && looks_encrypted(r, c)) {
        static const char text[] = "Encrypted Handshake Message";
        title(&titles, text, "");
        tls_verify_gap(r);
        part(r, c, at, c->end, text, "");
        tls_info(r, (struct info_item){.kind = INFO_TEXT, .text = text});
        at = c->end;
    }
    while (at < c->end && !r->failed) {
        struct slice rest = slice_sub(c->bytes, at, c->end - at);
        uint32_t size = message_size(rest);
        uint8_t type = slice_at(rest, 0);
        const char *name = name_of(type);
        if (size == 0 || size > rest.len) {
            if (!titles.first)
                tls_info(r, (struct info_item){.kind = INFO_FRAGMENT, .a = type});
            title(&titles, name ? name : "Unknown", " (fragment)");
            part(r, c, at, c->end, name ? name : "Unknown", " (fragment)");
            keep(r, c, at, c->end);
            break;
        }
        message(r, c, at, at + size, &titles);
        at += size;
    }
    write_title(r, c, &titles);
}
