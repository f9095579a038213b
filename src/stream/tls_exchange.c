#include "crypto/key_ring.h"
#include "crypto/schedule.h"
#include "stream/tls_exchange_private.h"

#include <openssl/crypto.h>
#include <stdlib.h>

#define MESSAGES_MAX ((size_t)256 << 10) /* of a handshake, up to the key exchange */
#define EXCHANGE_MAX (2 + RING_IDENTITY_MAX + 2 + 2048)

#define HELLO_RETRY 0xcf21ad74u /* first bytes of the random (RFC 9846 4.1.3) */

void tls_exchange_free(struct tls_exchange *e)
{
    if (!e)
        return;
    buf_free(&e->messages);
    buf_free(&e->client);
    transcript_free(&e->transcript);
    OPENSSL_cleanse(e, sizeof *e);
    free(e);
}

static void begin(struct tls_exchange *e)
{
    buf_clear(&e->messages);
    buf_clear(&e->client);
    transcript_free(&e->transcript);
    OPENSSL_cleanse(e->secret, sizeof e->secret);
    e->retried = e->hello = 0;
    OPENSSL_cleanse(e->resumption, sizeof e->resumption);
    e->hashed = e->proven = e->offers_psk = e->shares_key = e->served = e->resumable = false;
}

/* The value of extension WANTED of a hello's extensions; false when it is not there. */
bool tls_find_extension(struct slice extensions, uint16_t wanted, struct slice *value)
{
    while (extensions.len > 0) {
        uint16_t type = slice_u16(&extensions);
        *value = slice_take(&extensions, slice_u16(&extensions));
        if (type == wanted && !value->failed)
            return true;
    }
    return false;
}

/* The extensions of a ClientHello or ServerHello, from its body. */
struct slice tls_hello_extensions(struct slice body, bool client)
{
    slice_skip(&body, 2 + RANDOM);
    slice_skip(&body, slice_u8(&body));
    slice_skip(&body, client ? slice_u16(&body) : 2);
    slice_skip(&body, client ? slice_u8(&body) : 1);
    return slice_take(&body, slice_u16(&body));
}

/* ---- up to TLS 1.2 ---- */

/* The hash over the messages up to and with the ClientKeyExchange (RFC 7627 3). */
static void hash_session(const struct tls_reader *r, struct tls_exchange *e)
{
    const struct suite *suite = suite_find(r->session->suite);
    struct slice all = buf_slice(&e->messages);
    struct crypto_provider *p = r->tools->crypto;
    if (!e->whole || e->messages.failed || !suite)
        return;
    e->hashed =
        schedule_has_own_hash((enum tls_version)r->session->version)
            ? provider_hash(p, suite->hash, &all, 1, e->session_hash)
            : provider_hash(p, HASH_MD5, &all, 1, e->session_hash) &&
                  provider_hash(p, HASH_SHA1, &all, 1, e->session_hash + hash_size(HASH_MD5));
}

static struct slice session_hash(const struct tls_reader *r, const struct suite *suite)
{
    const struct tls_exchange *e = r->session->exchange;
    size_t old = hash_size(HASH_MD5) + hash_size(HASH_SHA1);
    bool own = schedule_has_own_hash((enum tls_version)r->session->version);
    return slice_of(e->session_hash, own ? hash_size(suite->hash) : old);
}

/* ---- messages ---- */

/* A hello that is not the first of its handshake follows a HelloRetryRequest. */
static void take_hello(struct tls_exchange *e)
{
    if (e->retried == 0 || e->hello >= e->retried || e->messages.failed)
        begin(e);
    e->hello = e->messages.len;
    e->whole = true;
}

static void take_retry(struct tls_exchange *e, size_t before)
{
    e->retried = before;
    e->proven = false;
}

/* Whether somebody gave keys that this file can make something of. */
static bool is_asked(const struct tls_reader *r)
{
    return key_ring_private_count(r->tools->ring) + key_ring_psk_count(r->tools->ring) > 0 ||
           r->tools->keys->premasters > 0;
}

/* The names that secrets of this connection may be logged under. */
static void survey(const struct tls_reader *r, struct key_wishes *w, uint8_t type,
                   struct slice body)
{
    const struct tls_session *s = r->session;
    if (type == CLIENT_HELLO || type == SERVER_HELLO)
        (void)key_wishes_add(w, random_of(s->client_random));
    if (type == SERVER_HELLO && s->session_id_len > 0)
        (void)key_wishes_add(w, slice_of(s->session_id, s->session_id_len));
    if (type == CLIENT_KEY_EXCHANGE)
        (void)key_wishes_add(w, slice_sub(body, 2, 8));
}

void tls_exchange_message(struct tls_reader *r, uint8_t type, struct slice message)
{
    struct tls_exchange *e = r->session->exchange;
    struct slice body = message;
    slice_skip(&body, HEADER);
    if (r->tools->keys->survey)
        survey(r, r->tools->keys->survey, type, body);
    /* A hello in the form of SSL 2.0 is none of these messages. */
    if (!e && (type == CLIENT_HELLO || type == SERVER_HELLO) && is_asked(r))
        e = r->session->exchange = calloc(1, sizeof *e);
    if (!e || type == HELLO_REQUEST)
        return;
    e->messages.ceiling = MESSAGES_MAX;
    e->client.ceiling = EXCHANGE_MAX;
    bool new = r->session->version == VERSION_TLS13;
    if (new &&type != CLIENT_HELLO && type != SERVER_HELLO) {
        tls_exchange_13(r, e, type, message);
        return;
    }
    if (type == CLIENT_HELLO)
        take_hello(e);
    if (e->client.len > 0)
        return; /* what follows the exchange is not needed */
    size_t before = e->messages.len;
    buf_slice_put(&e->messages, message);
    if (type == CLIENT_HELLO) {
        tls_exchange_client_hello(r, e, message);
    } else if (type == SERVER_HELLO && new) {
        slice_skip(&body, 2);
        if (slice_u32(&body) == HELLO_RETRY)
            take_retry(e, before);
        else
            tls_exchange_server_hello(r, e, message), buf_free(&e->messages);
    } else if (type == CLIENT_KEY_EXCHANGE && !new) {
        buf_slice_put(&e->client, body);
        hash_session(r, e);
        buf_free(&e->messages);
    }
}

/* ---- the master secret ---- */

static bool has_psk(enum key_exchange kx)
{
    return kx == KX_PSK || kx == KX_DHE_PSK || kx == KX_RSA_PSK || kx == KX_ECDHE_PSK;
}

/* Takes a ClientKeyExchange apart: the identity of a pre-shared key, and an encrypted premaster secret. */
static void read_exchange(const struct tls_exchange *e, enum key_exchange kx,
                          struct slice *identity, struct slice *encrypted)
{
    struct slice body = buf_slice(&e->client);
    *identity = *encrypted = slice_empty();
    if (has_psk(kx))
        *identity = slice_take(&body, slice_u16(&body));
    if (kx != KX_RSA && kx != KX_RSA_PSK)
        return;
    struct slice rest = body;
    *encrypted = slice_take(&rest, slice_u16(&rest));
    if (rest.len > 0 || rest.failed)
        *encrypted = body; /* SSL 3.0 puts no length before it */
}

/* The 48 bytes of an RSA key exchange: logged, or by a private key. */
static bool rsa_premaster(const struct tls_reader *r, struct slice encrypted,
                          uint8_t out[PREMASTER_SIZE])
{
    const struct tls_exchange *e = r->session->exchange;
    const struct key_secret *logged =
        key_table_find(r->tools->keys, KEY_RSA, slice_sub(encrypted, 0, 8));
    if (logged && encrypted.len >= 8) {
        struct slice secret = key_secret_slice(logged);
        return slice_read(&secret, out, PREMASTER_SIZE);
    }
    return encrypted.len > 0 && key_ring_premaster(r->tools->ring, encrypted, e->hello_version,
                                                   r->session->version, out);
}

static void put_u16(struct buf *b, size_t value)
{
    buf_char(b, (char)(value >> 8));
    buf_char(b, (char)value);
}

/* A premaster secret with a pre-shared key: the other secret and the key, each after its length
 * (RFC 4279 2). */
static void join_psk(struct buf *out, struct slice other, struct slice key)
{
    put_u16(out, other.len);
    buf_slice_put(out, other);
    put_u16(out, key.len);
    buf_slice_put(out, key);
}

/* Whether a logged premaster secret has both halves already. */
static bool is_joined(struct slice s)
{
    slice_skip(&s, slice_u16(&s));
    slice_skip(&s, slice_u16(&s));
    return !s.failed && s.len == 0;
}

static void premaster(const struct tls_reader *r, enum key_exchange kx, struct buf *out)
{
    const struct key_secret *found =
        key_table_find(r->tools->keys, KEY_PMS_CLIENT_RANDOM, random_of(r->session->client_random));
    struct slice logged = found ? key_secret_slice(found) : slice_empty();
    struct slice identity = slice_empty(), encrypted = slice_empty();
    uint8_t rsa[PREMASTER_SIZE];
    static const uint8_t zeros[RING_SECRET_MAX];
    if (r->session->exchange)
        read_exchange(r->session->exchange, kx, &identity, &encrypted);
    if (logged.len > 0 && (!has_psk(kx) || is_joined(logged))) {
        buf_slice_put(out, logged);
        return;
    }
    struct slice psk = has_psk(kx) && r->session->exchange
                           ? key_ring_find_psk(r->tools->ring, identity)
                           : slice_empty();
    if (kx == KX_PSK && psk.len > 0)
        join_psk(out, slice_of(zeros, psk.len), psk);
    else if (logged.len > 0 && psk.len > 0)
        join_psk(out, logged, psk);
    else if (kx == KX_RSA && rsa_premaster(r, encrypted, rsa))
        buf_put(out, rsa, sizeof rsa);
    else if (kx == KX_RSA_PSK && psk.len > 0 && rsa_premaster(r, encrypted, rsa))
        join_psk(out, slice_of(rsa, sizeof rsa), psk);
    OPENSSL_cleanse(rsa, sizeof rsa);
}

bool tls_exchange_master(const struct tls_reader *r, const struct suite *suite,
                         uint8_t master[MASTER_SECRET_SIZE])
{
    const struct tls_session *s = r->session;
    struct buf secret = {.ceiling = 2 * KEYLOG_SECRET_MAX};
    premaster(r, suite->key_exchange, &secret);
    bool ok = secret.len > 0 && !secret.failed;
    if (ok && s->extended_master)
        ok = s->exchange && s->exchange->hashed &&
             schedule_extended_master(r->tools->crypto, s->version, suite, buf_slice(&secret),
                                      session_hash(r, suite), master);
    else if (ok)
        ok = schedule_master(r->tools->crypto, s->version, suite, buf_slice(&secret),
                             random_of(s->client_random), random_of(s->server_random), master);
    buf_wipe(&secret);
    /* Where resumed sessions and whoever exports keys look for it. */
    if (ok)
        (void)key_table_add(r->tools->keys, KEY_CLIENT_RANDOM, random_of(s->client_random),
                            slice_of(master, MASTER_SECRET_SIZE));
    if (ok && s->session_id_len > 0)
        (void)key_table_add(r->tools->keys, KEY_SESSION_ID,
                            slice_of(s->session_id, s->session_id_len),
                            slice_of(master, MASTER_SECRET_SIZE));
    return ok;
}

enum tls_hindrance tls_exchange_hindrance(const struct tls_reader *r)
{
    const struct tls_session *s = r->session;
    const struct tls_exchange *e = s->exchange;
    const struct suite *suite = suite_find(s->suite);
    bool private = key_ring_private_count(r->tools->ring) > 0;
    bool psk = key_ring_psk_count(r->tools->ring) > 0;
    if (!suite || (!private && !psk))
        return HINDRANCE_NONE;
    if (suite->key_exchange == KX_TLS13 && psk && e && e->offers_psk)
        return e->shares_key ? HINDRANCE_PSK_WITH_DH : HINDRANCE_PSK_UNKNOWN;
    if (has_psk(suite->key_exchange) && psk)
        return suite->key_exchange == KX_PSK || suite->key_exchange == KX_RSA_PSK
                   ? HINDRANCE_PSK_UNKNOWN
                   : HINDRANCE_PSK_WITH_DH;
    if (!private)
        return HINDRANCE_NONE;
    if (suite->key_exchange != KX_RSA && suite->key_exchange != KX_RSA_PSK)
        return HINDRANCE_FORWARD_SECRET;
    return e && e->client.len > 0 ? HINDRANCE_OTHER_KEY : HINDRANCE_NO_EXCHANGE;
}
