/* Finished messages, signatures of the key exchange, binders: what proves that the two sides saw the same
 * handshake and hold the keys that they say they hold. */
#include "stream/tls_verify_private.h"

#include <inttypes.h>
#include <openssl/crypto.h>

#define FINISHED_SSL3   36 /* MD5 and SHA-1 (RFC 6101 5.6.9) */
#define FINISHED_12     12
#define BINDERS_CHECKED 8

static struct slice transcript_of(const struct verifying *x)
{
    return buf_slice(&x->v->messages);
}

/* ---- Finished ---- */

/* SSL 3.0: hash(secret + pad2 + hash(messages + sender + secret + pad1)) (RFC 6101 5.6.9). */
static bool ssl3_hash(const struct verifying *x, enum hash_id hash, size_t pad, struct slice master,
                      uint8_t *out)
{
    uint8_t pad1[48], pad2[48], inner[HASH_MAX_SIZE];
    memset(pad1, 0x36, sizeof pad1);
    memset(pad2, 0x5c, sizeof pad2);
    struct slice first[] = {transcript_of(x), slice_of_str(x->side == CLIENT ? "CLNT" : "SRVR"),
                            master, slice_of(pad1, pad)};
    struct slice second[] = {master, slice_of(pad2, pad), slice_of(inner, hash_size(hash))};
    return provider_hash(x->r->tools->crypto, hash, first, 4, inner) &&
           provider_hash(x->r->tools->crypto, hash, second, 3, out);
}

/* Bytes of the code that is expected in OUT; 0 when it cannot be made. */
static size_t finished_from_master(const struct verifying *x, const struct suite *suite,
                                   struct slice master, uint8_t *out)
{
    struct crypto_provider *p = x->r->tools->crypto;
    uint16_t version = x->r->session->version;
    struct slice messages = transcript_of(x);
    uint8_t hash[HASH_MAX_SIZE];
    size_t size = 36;
    if (version == VERSION_SSL3)
        return ssl3_hash(x, HASH_MD5, 48, master, out) &&
                       ssl3_hash(x, HASH_SHA1, 40, master, out + 16)
                   ? FINISHED_SSL3
                   : 0;
    bool ok;
    if (schedule_has_own_hash((enum tls_version)version)) {
        size = hash_size(suite->hash);
        ok = provider_hash(p, suite->hash, &messages, 1, hash);
    } else {
        ok = provider_hash(p, HASH_MD5, &messages, 1, hash) &&
             provider_hash(p, HASH_SHA1, &messages, 1, hash + 16);
    }
    ok = ok && schedule_finished_12(p, (enum tls_version)version, suite, master, x->side == CLIENT,
                                    slice_of(hash, size), out);
    return ok ? FINISHED_12 : 0;
}

/* The same for TLS 1.3, where a client that authenticates later uses its present traffic secret. */
static size_t finished_13(const struct verifying *x, const struct suite *suite, struct slice secret,
                          bool later, uint8_t *out)
{
    struct crypto_provider *p = x->r->tools->crypto;
    struct slice messages = transcript_of(x);
    uint8_t hash[HASH_MAX_SIZE], own[HASH_MAX_SIZE];
    size_t size = hash_size(suite->hash);
    if (secret.len != size || !slice_read(&secret, own, size))
        return 0;
    bool ok = provider_hash(p, suite->hash, &messages, 1, hash);
    for (uint32_t i = 0; ok && later && i < x->v->updates; i++)
        ok = schedule_next_secret(p, suite, slice_of(own, size), own);
    ok = ok && schedule_finished_13(p, suite, slice_of(own, size), slice_of(hash, size), out);
    OPENSSL_cleanse(own, sizeof own);
    return ok ? size : 0;
}

static const char finished_ok[] = "fits all messages before it";
static const char finished_bad[] = "does not fit the messages before it";

static void judge(struct verifying *x, const uint8_t *expected, size_t size)
{
    bool fits = size > 0 && slice_equal(x->body, slice_of(expected, size));
    if (size == 0)
        verify_tell(x, VERIFY_FINISHED, VERDICT_UNCHECKABLE, "it cannot be computed");
    else
        verify_say_transcript(x, VERIFY_FINISHED, fits ? VERDICT_OK : VERDICT_FAILED,
                              slice_of_str(fits ? finished_ok : finished_bad));
}

void verify_finished(struct verifying *x)
{
    const struct tls_session *s = x->r->session;
    const struct suite *suite = suite_find(s->suite);
    const char *obstacle = verify_obstacle(x);
    bool is_13 = s->version == VERSION_TLS13;
    uint8_t expected[HASH_MAX_SIZE], master[MASTER_SECRET_SIZE];
    if (!verify_wants(x, VERIFY_FINISHED))
        return;
    if (!obstacle && !suite)
        obstacle = "the cipher suite's hash is not known";
    bool later = x->side == CLIENT && x->v->finished[CLIENT];
    struct slice secret = slice_empty();
    if (!obstacle && is_13)
        secret = tls_traffic_secret(x->r, later ? EPOCH_APPLICATION : EPOCH_HANDSHAKE,
                                    x->side == CLIENT);
    if (!obstacle && is_13 && secret.len == 0)
        obstacle = "the side's traffic secret is not known";
    if (!obstacle && !is_13 && !tls_master_secret(x->r, master))
        obstacle = "the master secret is not known";
    if (obstacle) {
        verify_tell(x, VERIFY_FINISHED, VERDICT_UNCHECKABLE, obstacle);
        return;
    }
    size_t size = is_13 ? finished_13(x, suite, secret, later, expected)
                        : finished_from_master(x, suite, slice_of(master, sizeof master), expected);
    OPENSSL_cleanse(master, sizeof master);
    judge(x, expected, size);
}

/* ---- signatures ---- */

/* Why the sender's key is not at hand; NULL when it is. */
static const char *no_key(const struct verifying *x)
{
    if (x->v->keys[x->side])
        return NULL;
    if (x->v->compressed[x->side])
        return "the certificate that holds the key is compressed in a way that cannot be undone";
    return x->v->certificate[x->side]
               ? "the certificate's key is of a kind that OpenSSL cannot read"
               : "the certificate that holds the key was not read";
}

static void check_signature(struct verifying *x, enum verify_check check, struct slice signed_,
                            struct slice message)
{
    WHY(why);
    bool named = x->r->session->version >= VERSION_TLS12;
    uint16_t scheme = named ? slice_u16(&signed_) : SCHEME_BEFORE_12;
    struct slice signature = slice_take(&signed_, slice_u16(&signed_));
    const char *obstacle = no_key(x);
    enum verdict v = VERDICT_UNCHECKABLE;
    if (obstacle) {
        buf_str(&why, obstacle);
    } else if (signed_.failed || signed_.len > 0) {
        buf_str(&why, "the signature's length does not fit its message");
        v = VERDICT_FAILED;
    } else {
        v = verify_signature(x->v->keys[x->side], scheme, message, signature, &why);
    }
    verify_say_transcript(x, check, v, buf_slice(&why));
}

static const char tlcp_signs[] = "the form that TLCP has for it is not computed";

void verify_certificate_verify(struct verifying *x)
{
    static const char *const contexts[] = {"TLS 1.3, server CertificateVerify",
                                           "TLS 1.3, client CertificateVerify"};
    const struct suite *suite = suite_find(x->r->session->suite);
    const char *obstacle = verify_obstacle(x);
    struct slice messages = transcript_of(x);
    if (!verify_wants(x, VERIFY_CERTIFICATE_VERIFY))
        return;
    if (!obstacle && x->r->session->version == VERSION_SSL3)
        obstacle = "the form that SSL 3.0 has for it is not computed";
    if (!obstacle && x->r->session->version == VERSION_TLCP)
        obstacle = tlcp_signs;
    if (!obstacle && x->r->session->version == VERSION_TLS13 && !suite)
        obstacle = "the cipher suite's hash is not known";
    if (obstacle) {
        verify_tell(x, VERIFY_CERTIFICATE_VERIFY, VERDICT_UNCHECKABLE, obstacle);
        return;
    }
    uint8_t text[64 + 33 + 1 + HASH_MAX_SIZE]; /* RFC 9846 4.4.3 */
    if (x->r->session->version == VERSION_TLS13) {
        memset(text, ' ', 64);
        memcpy(text + 64, contexts[x->side], 34);
        if (!provider_hash(x->r->tools->crypto, suite->hash, &messages, 1, text + 98))
            return;
        messages = slice_of(text, 98 + hash_size(suite->hash));
    }
    check_signature(x, VERIFY_CERTIFICATE_VERIFY, x->body, messages);
}

static void skip_vectors(struct slice *s, unsigned count)
{
    while (count-- > 0)
        slice_skip(s, slice_u16(s));
}

/* The parameters that are signed, at the front of BODY; empty when they are of no known form. */
static struct slice take_parameters(struct slice *body, unsigned exchange)
{
    enum { NAMED_CURVE = 3 };
    struct slice start = *body;
    if (exchange & KEY_ECDHE && slice_at(start, 0) == NAMED_CURVE) {
        slice_skip(body, 3);
        slice_skip(body, slice_u8(body));
    } else if (exchange & KEY_DHE) {
        skip_vectors(body, 3);
    } else if (exchange & KEY_RSA_EXCHANGE) { /* a short key, for export */
        skip_vectors(body, 2);
    } else if (exchange & KEY_SRP) {
        skip_vectors(body, 2);
        slice_skip(body, slice_u8(body));
        skip_vectors(body, 1);
    } else {
        return slice_empty();
    }
    return slice_sub(start, 0, body->failed ? 0 : start.len - body->len);
}

void verify_server_key_exchange(struct verifying *x)
{
    const struct tls_session *s = x->r->session;
    unsigned exchange = tls_key_context(s->suite);
    bool export = exchange & KEY_RSA_EXCHANGE && !(exchange & KEY_WITH_PSK);
    struct slice body = x->body;
    if (!(exchange & KEY_SIGNED || export) || !verify_wants(x, VERIFY_KEY_EXCHANGE))
        return;
    struct slice parameters = take_parameters(&body, exchange);
    if (s->version == VERSION_TLCP) {
        verify_tell(x, VERIFY_KEY_EXCHANGE, VERDICT_UNCHECKABLE, tlcp_signs);
        return;
    }
    if (parameters.len == 0 || !s->has_client_random || !s->has_server_random) {
        verify_tell(x, VERIFY_KEY_EXCHANGE, VERDICT_UNCHECKABLE,
                    parameters.len == 0 ? "its parameters are of a form that is not known"
                                        : "the hellos were not read");
        return;
    }
    struct buf *message = x->r->tools->scratch;
    buf_clear(message);
    buf_put(message, s->client_random, sizeof s->client_random);
    buf_put(message, s->server_random, sizeof s->server_random);
    buf_slice_put(message, parameters);
    check_signature(x, VERIFY_KEY_EXCHANGE, body, buf_slice(message));
}

/* ---- binders ---- */

/* Whether BINDER is made with KEY over the messages up to the binders (RFC 9846 4.2.11.2). */
static bool binds(const struct verifying *x, enum hash_id hash, struct slice key, const char *label,
                  struct slice messages, struct slice binder)
{
    static const uint8_t zeros[HASH_MAX_SIZE];
    struct crypto_provider *p = x->r->tools->crypto;
    struct suite any = {.hash = hash};
    size_t size = hash_size(hash);
    uint8_t early[HASH_MAX_SIZE], base[HASH_MAX_SIZE], now[HASH_MAX_SIZE], code[HASH_MAX_SIZE];
    bool ok =
        binder.len == size && hkdf_extract(p, hash, slice_of(zeros, size), key, early) &&
        provider_hash(p, hash, NULL, 0, now) &&
        hkdf_expand_label(p, hash, slice_of(early, size), label, slice_of(now, size), base, size) &&
        provider_hash(p, hash, &messages, 1, now) &&
        schedule_finished_13(p, &any, slice_of(base, size), slice_of(now, size), code) &&
        slice_equal(binder, slice_of(code, size));
    OPENSSL_cleanse(early, sizeof early);
    OPENSSL_cleanse(base, sizeof base);
    return ok;
}

/* The binders of the identities whose keys are known. */
static enum verdict check_binders(struct verifying *x, struct slice offer, struct buf *why)
{
    struct slice identities = slice_take(&offer, slice_u16(&offer)), all = transcript_of(x);
    struct slice binders = slice_take(&offer, slice_u16(&offer));
    /* They are the last thing in the message. */
    struct slice before = slice_sub(all, 0, all.len - (binders.len + 2));
    unsigned known = 0, number = 0;
    int64_t origin = -1;
    while (identities.len > 0 && number++ < BINDERS_CHECKED) {
        struct slice identity = slice_take(&identities, slice_u16(&identities));
        slice_skip(&identities, 4);
        struct slice binder = slice_take(&binders, slice_u8(&binders));
        const char *label;
        struct slice key = tls_known_psk(x->r, identity, &label);
        if (key.len == 0) {
            if (origin < 0)
                origin = tls_ticket_origin(x->r, identity);
            continue;
        }
        known++;
        if (!binds(x, HASH_SHA256, key, label, before, binder) &&
            !binds(x, HASH_SHA384, key, label, before, binder)) {
            buf_printf(why, "binder %u does not fit the key and the hello", number);
            return VERDICT_FAILED;
        }
    }
    if (known > 0)
        buf_printf(why, "%u of %u binders checked", known, number);
    else if (origin >= 0)
        buf_printf(why,
                   "a ticket of connection %" PRId64 ", whose resumption secret no key log holds",
                   origin);
    else
        buf_str(why, "the pre-shared key is not known");
    return known > 0 ? VERDICT_OK : VERDICT_UNCHECKABLE;
}

void verify_psk_binders(struct verifying *x)
{
    struct hello h = hello_read(x->body, true);
    struct slice offer = hello_extension(h.extensions, EXT_PRE_SHARED_KEY);
    if (offer.failed || !verify_wants(x, VERIFY_PSK_BINDER))
        return;
    if (verify_obstacle(x)) {
        verify_tell(x, VERIFY_PSK_BINDER, VERDICT_UNCHECKABLE, verify_obstacle(x));
        return;
    }
    WHY(why);
    enum verdict v = check_binders(x, offer, &why);
    verify_say_transcript(x, VERIFY_PSK_BINDER, v, buf_slice(&why));
}
