#include "stream/tls_ech.h"

#include "crypto/hpke.h"
#include "crypto/schedule.h"

#include <stdlib.h>

enum { CLIENT_HELLO = 1, SERVER_HELLO = 2 };
enum { SERVER_NAME = 0, ALPN = 16, ECH_OUTER_EXTENSIONS = 0xfd00, ECH = 0xfe0d };

#define HELLO_RETRY  0xcf21ad74u /* first bytes of the random (RFC 9846 4.1.3) */
#define CONFIRMATION 8           /* bytes at the end of the server's random */
#define CONFIRMED_AT 30          /* where they stand in the message */

void tls_ech_free(struct tls_ech *e)
{
    if (e)
        buf_wipe(&e->transcript);
    free(e);
}

/* ---- the outer hello ---- */

/* The parts of a ClientHello's body that matter here. */
struct hello {
    struct slice random, session_id, suites, compressions, extensions, rest;
    size_t extensions_at; /* in the body */
    bool broken;
};

static struct hello read_hello(struct slice body)
{
    struct hello h;
    size_t size = body.len;
    slice_skip(&body, 2);
    h.random = slice_take(&body, 32);
    h.session_id = slice_take(&body, slice_u8(&body));
    h.suites = slice_take(&body, slice_u16(&body));
    h.compressions = slice_take(&body, slice_u8(&body));
    uint16_t len = slice_u16(&body);
    h.extensions_at = size - body.len;
    h.extensions = slice_take(&body, len);
    h.rest = body;
    h.broken = body.failed;
    return h;
}

/* The extension of TYPE at or after the front of *FROM, which is moved behind it; AT gets how far it was. */
static struct slice find(struct slice *from, uint16_t type, size_t *at)
{
    size_t size = from->len;
    while (from->len > 0) {
        uint16_t is = slice_u16(from);
        uint16_t len = slice_u16(from);
        *at = size - from->len;
        struct slice value = slice_take(from, len);
        if (is == type && !from->failed)
            return value;
    }
    return (struct slice){.failed = true};
}

/* The extension encrypted_client_hello of an outer hello (RFC 9849 5). */
struct sealed {
    uint16_t kdf, aead;
    struct slice enc, payload;
    size_t payload_at; /* in the hello's body */
    bool there;
};

static struct sealed read_sealed(const struct hello *h)
{
    struct sealed s = {0};
    struct slice all = h->extensions;
    size_t at = 0;
    struct slice value = find(&all, ECH, &at);
    size_t size = value.len;
    if (h->broken || value.failed || slice_u8(&value) != 0)
        return s;
    s.kdf = slice_u16(&value);
    s.aead = slice_u16(&value);
    slice_skip(&value, 1);
    s.enc = slice_take(&value, slice_u16(&value));
    uint16_t len = slice_u16(&value);
    s.payload_at = h->extensions_at + at + (size - value.len);
    s.payload = slice_take(&value, len);
    s.there = !value.failed && value.len == 0;
    return s;
}

/* ---- the inner hello ---- */

/* Extensions of the inner hello, those that it takes from the outer one in their place (RFC 9849 5.1). */
static bool put_extensions(struct buf *out, struct slice inner, struct slice outer)
{
    while (inner.len > 0) {
        struct slice whole = inner;
        uint16_t type = slice_u16(&inner);
        struct slice value = slice_take(&inner, slice_u16(&inner));
        if (inner.failed)
            return false;
        if (type != ECH_OUTER_EXTENSIONS) {
            buf_slice_put(out, slice_sub(whole, 0, 4 + value.len));
            continue;
        }
        struct slice types = slice_take(&value, slice_u8(&value));
        while (types.len > 0) { /* in the outer's order, none twice */
            uint16_t wanted = slice_u16(&types);
            size_t at = 0;
            struct slice taken = find(&outer, wanted, &at);
            if (types.failed || taken.failed || wanted == ECH)
                return false;
            uint8_t head[4] = {(uint8_t)(wanted >> 8), (uint8_t)wanted, (uint8_t)(taken.len >> 8),
                               (uint8_t)taken.len};
            buf_put(out, head, sizeof head);
            buf_slice_put(out, taken);
        }
    }
    return true;
}

static bool is_padding(struct slice rest)
{
    bool zero = true;
    while (rest.len > 0)
        zero &= slice_u8(&rest) == 0;
    return zero;
}

static void put_length(struct buf *out, size_t at, size_t bytes)
{
    size_t len = out->len - at - bytes;
    for (size_t i = 0; i < bytes; i++)
        out->data[at + i] = (uint8_t)(len >> 8 * (bytes - 1 - i));
}

/* The inner hello as a message, from its encoded form; empty when that is broken. */
static struct slice decode(struct arena *arena, struct slice encoded, const struct hello *outer)
{
    struct hello inner = read_hello(encoded);
    size_t most = encoded.len + outer->extensions.len + 64;
    struct buf out = {.data = arena_alloc(arena, most), .cap = most, .ceiling = most};
    if (!out.data || inner.broken || inner.session_id.len > 0 || !is_padding(inner.rest))
        return slice_empty();
    buf_char(&out, CLIENT_HELLO);
    buf_fill(&out, '\0', 3);
    buf_slice_put(&out, slice_sub(encoded, 0, 34));
    buf_char(&out, (char)outer->session_id.len);
    buf_slice_put(&out, outer->session_id);
    buf_slice_put(&out, slice_sub(encoded, 35, 2 + inner.suites.len + 1 + inner.compressions.len));
    size_t at = out.len;
    buf_fill(&out, '\0', 2);
    if (!put_extensions(&out, inner.extensions, outer->extensions) || out.failed)
        return slice_empty();
    put_length(&out, at, 2);
    put_length(&out, 1, 3);
    return buf_slice(&out);
}

/* "tls ech", a zero, the ECHConfig (RFC 9849 6.1.1). */
static struct slice info_of(struct arena *arena, struct slice config)
{
    size_t size = config.len + 8;
    struct buf out = {.data = arena_alloc(arena, size), .cap = size, .ceiling = size};
    if (!out.data)
        return slice_empty();
    buf_put(&out, "tls ech", 8);
    buf_slice_put(&out, config);
    return buf_slice(&out);
}

/* Opens the payload: what was authenticated with it is the hello with zeros in its place (RFC 9849 5.2). */
static struct slice open_payload(struct tls_reader *r, struct tls_ech *e, struct slice body,
                                 const struct sealed *s, struct slice shared, struct slice config)
{
    struct arena *arena = r->tools->plaintext;
    uint8_t *extra = arena_alloc(arena, body.len), *out = arena_alloc(arena, s->payload.len);
    struct slice form = slice_sub(config, 5, 2), copied = body;
    struct hpke h = {.kem = slice_u16(&form),
                     .kdf = e->kdf,
                     .aead = e->aead,
                     .shared = shared,
                     .info = info_of(arena, config)};
    size_t size = body.len;
    if (!extra || !out || s->payload.len < HPKE_TAG || !slice_read(&copied, extra, size))
        return slice_empty();
    memset(extra + s->payload_at, 0, s->payload.len);
    if (!hpke_open(r->tools->crypto, &h, e->hellos, slice_of(extra, size), s->payload, out))
        return slice_empty();
    return slice_of(out, s->payload.len - HPKE_TAG);
}

/* ---- the course of a handshake ---- */

static struct tls_ech *state_of(struct tls_session *s)
{
    if (!s->ech)
        s->ech = calloc(1, sizeof *s->ech);
    return s->ech;
}

/* Whether the hello is the second one, after a HelloRetryRequest: sealed under the same key (RFC 9849 6.1.5). */
static bool is_second(const struct tls_ech *e, const struct sealed *s)
{
    return e->status == ECH_OPENED && s->enc.len == 0 && e->transcript.len > e->hello_at;
}

static struct slice client_hello(struct tls_reader *r, struct slice body)
{
    struct tls_session *session = r->session;
    struct hello outer = read_hello(body);
    struct sealed sealed = read_sealed(&outer);
    if (!sealed.there) {
        tls_ech_free(session->ech);
        session->ech = NULL;
        return slice_empty();
    }
    const struct key_secret *shared = key_table_find(r->tools->keys, KEY_ECH_SECRET, outer.random);
    const struct key_secret *config = key_table_find(r->tools->keys, KEY_ECH_CONFIG, outer.random);
    struct tls_ech *e = shared && config ? state_of(session) : NULL;
    if (!e)
        return slice_empty();
    if (!is_second(e, &sealed)) {
        buf_wipe(&e->transcript);
        *e = (struct tls_ech){
            .transcript.ceiling = ECH_TRANSCRIPT_MAX, .kdf = sealed.kdf, .aead = sealed.aead};
    }
    struct slice encoded =
        open_payload(r, e, body, &sealed, key_secret_slice(shared), key_secret_slice(config));
    struct slice inner =
        encoded.len > 0 ? decode(r->tools->plaintext, encoded, &outer) : slice_empty();
    e->status = encoded.len == 0 ? ECH_WRONG_KEY : inner.len == 0 ? ECH_BROKEN : ECH_OPENED;
    if (e->status != ECH_OPENED)
        return slice_empty();
    key_table_see(r->tools->keys, KEY_ECH_SECRET, outer.random);
    key_table_see(r->tools->keys, KEY_ECH_CONFIG, outer.random);
    e->hellos++;
    e->hello_at = (uint32_t)e->transcript.len;
    buf_slice_put(&e->transcript, inner);
    struct slice random = slice_sub(inner, 6, 32);
    (void)slice_read(&random, e->inner_random, sizeof e->inner_random);
    (void)slice_read(&outer.random, e->outer_random, sizeof e->outer_random);
    return inner;
}

/* What a HelloRetryRequest makes of the hello before it (RFC 9846 4.4.1). */
static void retry(struct tls_reader *r, struct tls_ech *e, const struct suite *suite,
                  struct slice message)
{
    uint8_t hash[HASH_MAX_SIZE];
    struct slice all = buf_slice(&e->transcript);
    uint8_t head[4] = {254, 0, 0, (uint8_t)hash_size(suite->hash)};
    if (!provider_hash(r->tools->crypto, suite->hash, &all, 1, hash))
        return;
    buf_clear(&e->transcript);
    buf_put(&e->transcript, head, sizeof head);
    buf_put(&e->transcript, hash, head[3]);
    e->hello_at = 0;
    buf_slice_put(&e->transcript, message);
}

/* Whether the server's random says that it read the inner hello (RFC 9849 7.2). */
static bool confirms(struct tls_reader *r, struct tls_ech *e, const struct suite *suite,
                     struct slice message)
{
    static const uint8_t zeros[HASH_MAX_SIZE];
    uint8_t hash[HASH_MAX_SIZE], secret[HASH_MAX_SIZE], expected[CONFIRMATION];
    size_t size = hash_size(suite->hash);
    struct slice parts[] = {buf_slice(&e->transcript), slice_sub(message, 0, CONFIRMED_AT),
                            slice_of(zeros, CONFIRMATION),
                            slice_sub(message, CONFIRMED_AT + CONFIRMATION, SIZE_MAX)};
    return !e->transcript.failed && message.len >= CONFIRMED_AT + CONFIRMATION &&
           provider_hash(r->tools->crypto, suite->hash, parts, 4, hash) &&
           hkdf_extract(r->tools->crypto, suite->hash, slice_of(zeros, size),
                        slice_of(e->inner_random, sizeof e->inner_random), secret) &&
           hkdf_expand_label(r->tools->crypto, suite->hash, slice_of(secret, size),
                             "ech accept confirmation", slice_of(hash, size), expected,
                             CONFIRMATION) &&
           slice_equal(slice_of(expected, CONFIRMATION),
                       slice_sub(message, CONFIRMED_AT, CONFIRMATION));
}

static void server_hello(struct tls_reader *r, struct slice message)
{
    struct tls_session *s = r->session;
    struct tls_ech *e = s->ech;
    const struct suite *suite = suite_find(s->suite);
    struct slice random = slice_sub(message, 6, 4);
    if (!e || e->status != ECH_OPENED || !suite)
        return;
    if (slice_u32(&random) == HELLO_RETRY) {
        retry(r, e, suite, message);
        return;
    }
    if (!confirms(r, e, suite, message)) {
        e->status = ECH_REJECTED;
        return;
    }
    e->status = ECH_ACCEPTED;
    struct slice inner = slice_of(e->inner_random, sizeof e->inner_random);
    (void)slice_read(&inner, s->client_random, sizeof s->client_random);
}

struct slice tls_ech_hello(struct tls_reader *r, uint8_t type, struct slice message)
{
    const struct key_table *table = r->tools->keys;
    bool keys = table->count > 0 || table->survey || table->wishes;
    if (r->tools->blind || (!keys && !r->session->ech))
        return slice_empty();
    if (type == CLIENT_HELLO)
        return client_hello(r, slice_sub(message, 4, SIZE_MAX));
    if (type == SERVER_HELLO)
        server_hello(r, message);
    return slice_empty();
}

/* ---- onto the tape ---- */

static void put_text(struct tls_reader *r, enum field_id field, uint8_t source, uint32_t at,
                     struct slice text)
{
    struct tape *t = &r->d->tape;
    if (text.len == 0 || !tape_wants(t, field))
        return;
    buf_clear(r->tools->scratch);
    buf_escaped(r->tools->scratch, text);
    tape_set_text(t, tape_add(t, field, source, at, 0, 0, EVENT_GENERATED),
                  buf_slice(r->tools->scratch));
}

static void show_inner(struct tls_reader *r, struct slice message, unsigned context)
{
    struct tape *t = &r->d->tape;
    struct hello h = read_hello(slice_sub(message, 4, SIZE_MAX));
    struct slice extensions = h.extensions, again = h.extensions;
    size_t at = 0;
    uint8_t source = tape_source(t, message, "Decrypted ECH");
    uint32_t size = (uint32_t)message.len;
    uint32_t item = tape_open(t, F_tlswire_ech_inner, source, 0, size, 0, EVENT_GENERATED);
    tape_add(t, F_tlswire_ech_inner_random, source, 6, 32, 0, EVENT_GENERATED);
    struct slice name = find(&extensions, SERVER_NAME, &at);
    slice_skip(&name, 3);
    put_text(r, F_tlswire_ech_inner_server_name, source, 0, slice_take(&name, slice_u16(&name)));
    struct slice names = find(&again, ALPN, &at);
    names = slice_take(&names, slice_u16(&names));
    while (names.len > 0)
        put_text(r, F_tlswire_ech_inner_alpn, source, 0, slice_take(&names, slice_u8(&names)));
    struct walk w = {.tape = t,
                     .bytes = message,
                     .protocols = r->tools->scratch,
                     .room = r->tools->plaintext,
                     .at = 4,
                     .end = size,
                     .context = context,
                     .source = source};
    if (item != TAPE_NONE)
        (void)walk_block(&w, block_of_message(CLIENT_HELLO));
    tape_close(t, item);
}

void tls_ech_show(struct tls_reader *r, const struct tls_content *c, uint8_t type,
                  struct slice message, unsigned context)
{
    static const char *const words[] = {[ECH_OPENED] = "opened",
                                        [ECH_ACCEPTED] = "accepted",
                                        [ECH_REJECTED] = "rejected: the outer hello counts",
                                        [ECH_WRONG_KEY] = "not opened: the keys do not fit",
                                        [ECH_BROKEN] = "broken: no hello is inside"};
    struct tls_ech *e = r->session->ech;
    struct tape *t = &r->d->tape;
    bool wanted = false;
    if (!e || e->status == ECH_NONE || (type != CLIENT_HELLO && type != SERVER_HELLO))
        return;
    if (e->status != ECH_OPENED)
        buf_wipe(&e->transcript); /* whoever needs it has had it */
    for (unsigned id = F_tlswire_ech_status; id <= F_tlswire_ech_inner_alpn; id++)
        wanted |= t->want[id] != 0;
    if (!wanted)
        return;
    put_text(r, F_tlswire_ech_status, c->source, c->at, slice_of_str(words[e->status]));
    if (message.len > 0)
        show_inner(r, message, context);
}
