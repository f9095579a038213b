/* Secrets of TLS 1.3 from a pre-shared key alone: a binder proves the key, then the schedule goes on by itself. */
#include "crypto/key_ring.h"
#include "crypto/schedule.h"
#include "stream/tls_exchange_private.h"

#include <openssl/crypto.h>

#define BINDERS_TRIED 8

enum { EXTENSION_PSK = 41, EXTENSION_KEY_SHARE = 51 };

static bool derive(const struct tls_reader *r, enum hash_id hash, struct slice secret,
                   const char *label, struct slice context, uint8_t *out)
{
    return hkdf_expand_label(r->tools->crypto, hash, secret, label, context, out, hash_size(hash));
}

/* The next secret of the schedule, from the one before and nothing else: there is no (EC)DHE. */
static bool next_stage(const struct tls_reader *r, struct tls_exchange *e)
{
    static const uint8_t zeros[HASH_MAX_SIZE];
    enum hash_id hash = (enum hash_id)e->psk_hash;
    size_t size = hash_size(hash);
    uint8_t empty[HASH_MAX_SIZE], derived[HASH_MAX_SIZE];
    bool ok =
        provider_hash(r->tools->crypto, hash, NULL, 0, empty) &&
        derive(r, hash, slice_of(e->secret, size), "derived", slice_of(empty, size), derived) &&
        hkdf_extract(r->tools->crypto, hash, slice_of(derived, size), slice_of(zeros, size),
                     e->secret);
    OPENSSL_cleanse(derived, sizeof derived);
    return ok;
}

/* Puts a traffic secret where those of logs are. */
static void note_secret(const struct tls_reader *r, const struct tls_exchange *e,
                        const char *derivation, struct slice transcript, enum key_label label)
{
    enum hash_id hash = (enum hash_id)e->psk_hash;
    uint8_t secret[HASH_MAX_SIZE];
    if (derive(r, hash, slice_of(e->secret, hash_size(hash)), derivation, transcript, secret))
        (void)key_table_add(r->tools->keys, label, random_of(r->session->client_random),
                            slice_of(secret, hash_size(hash)));
    OPENSSL_cleanse(secret, sizeof secret);
}

/* The hash of everything up to the first LEN bytes of the last ClientHello. */
static bool hash_hello(const struct tls_reader *r, const struct tls_exchange *e, enum hash_id hash,
                       size_t len, uint8_t *out)
{
    struct slice all = buf_slice(&e->messages);
    uint8_t first[HEADER + HASH_MAX_SIZE] = {254, 0, 0, (uint8_t)hash_size(hash)};
    struct slice retried = slice_sub(all, 0, e->retried);
    if (e->retried == 0) {
        struct slice only = slice_sub(all, e->hello, len);
        return provider_hash(r->tools->crypto, hash, &only, 1, out);
    }
    struct slice parts[] = {slice_of(first, HEADER + hash_size(hash)),
                            slice_sub(all, e->retried, e->hello + len - e->retried)};
    return provider_hash(r->tools->crypto, hash, &retried, 1, first + HEADER) &&
           provider_hash(r->tools->crypto, hash, parts, 2, out);
}

/* Whether BINDER is that of the key, which then becomes the early secret (RFC 9846 4.2.11.2). */
static bool try_binder(const struct tls_reader *r, struct tls_exchange *e, enum hash_id hash,
                       struct slice key, const char *label, struct slice binder, size_t hello_len)
{
    static const uint8_t zeros[HASH_MAX_SIZE];
    size_t size = hash_size(hash);
    uint8_t empty[HASH_MAX_SIZE], base[HASH_MAX_SIZE], finished[HASH_MAX_SIZE];
    uint8_t hello[HASH_MAX_SIZE];
    struct suite any = {.hash = hash};
    if (binder.len != size)
        return false;
    bool ok = hkdf_extract(r->tools->crypto, hash, slice_of(zeros, size), key, e->secret) &&
              provider_hash(r->tools->crypto, hash, NULL, 0, empty) &&
              derive(r, hash, slice_of(e->secret, size), label, slice_of(empty, size), base) &&
              hash_hello(r, e, hash, hello_len, hello) &&
              schedule_finished_13(r->tools->crypto, &any, slice_of(base, size),
                                   slice_of(hello, size), finished) &&
              slice_equal(binder, slice_of(finished, size));
    OPENSSL_cleanse(base, sizeof base);
    return ok;
}

/* Looks for an identity that we have the key of, and proves it. */
static void follow_binders(const struct tls_reader *r, struct tls_exchange *e, struct slice body)
{
    static const enum hash_id hashes[] = {HASH_SHA256, HASH_SHA384};
    struct slice value;
    e->offers_psk = tls_find_extension(tls_hello_extensions(body, true), EXTENSION_PSK, &value);
    if (!e->offers_psk)
        return;
    struct slice identities = slice_take(&value, slice_u16(&value));
    size_t hello_len = HEADER + body.len - value.len; /* up to and without the binders */
    struct slice binders = slice_take(&value, slice_u16(&value));
    for (uint16_t i = 0; i < BINDERS_TRIED && identities.len > 0 && !e->proven; i++) {
        struct slice identity = slice_take(&identities, slice_u16(&identities));
        slice_skip(&identities, 4);
        struct slice binder = slice_take(&binders, slice_u8(&binders));
        const char *label;
        struct slice key = tls_known_psk(r, identity, &label);
        for (size_t h = 0; key.len > 0 && h < 2 && !e->proven; h++) {
            e->proven = try_binder(r, e, hashes[h], key, label, binder, hello_len);
            e->psk_hash = (uint8_t)hashes[h];
        }
        e->identity = i;
    }
}

void tls_exchange_client_hello(const struct tls_reader *r, struct tls_exchange *e,
                               struct slice message)
{
    struct slice body = message;
    uint8_t hash[HASH_MAX_SIZE];
    slice_skip(&body, HEADER);
    struct slice version = body;
    e->hello_version = slice_u16(&version);
    if (key_ring_psk_count(r->tools->ring) == 0)
        return;
    follow_binders(r, e, body);
    if (e->proven && r->session->asks_early_data && e->identity == 0 &&
        hash_hello(r, e, (enum hash_id)e->psk_hash, message.len, hash))
        note_secret(r, e, "c e traffic", slice_of(hash, hash_size((enum hash_id)e->psk_hash)),
                    KEY_CLIENT_EARLY_TRAFFIC_SECRET);
}

/* The server took the key and wants no (EC)DHE with it: the schedule goes on by itself. */
void tls_exchange_server_hello(const struct tls_reader *r, struct tls_exchange *e,
                               struct slice message)
{
    struct slice body = message, value, all = buf_slice(&e->messages);
    slice_skip(&body, HEADER);
    struct slice extensions = tls_hello_extensions(body, false);
    enum hash_id hash = (enum hash_id)e->psk_hash;
    const struct suite *suite = suite_find(r->session->suite);
    e->shares_key = tls_find_extension(extensions, EXTENSION_KEY_SHARE, &value);
    bool taken =
        tls_find_extension(extensions, EXTENSION_PSK, &value) && slice_u16(&value) == e->identity;
    e->proven &= taken && !e->shares_key && suite && suite->hash == hash;
    if (!e->proven || !transcript_init(&e->transcript, r->tools->crypto, hash))
        return;
    (void)transcript_add(&e->transcript, slice_sub(all, 0, e->retried ? e->retried : all.len));
    if (e->retried) {
        (void)transcript_retry(&e->transcript);
        (void)transcript_add(&e->transcript, slice_sub(all, e->retried, SIZE_MAX));
    }
    uint8_t now[HASH_MAX_SIZE];
    struct slice transcript = slice_of(now, hash_size(hash));
    if (!transcript_peek(&e->transcript, now) || !next_stage(r, e))
        return;
    note_secret(r, e, "c hs traffic", transcript, KEY_CLIENT_HANDSHAKE_TRAFFIC_SECRET);
    note_secret(r, e, "s hs traffic", transcript, KEY_SERVER_HANDSHAKE_TRAFFIC_SECRET);
}

static void follow_finished(const struct tls_reader *r, struct tls_exchange *e)
{
    uint8_t now[HASH_MAX_SIZE];
    struct slice transcript = slice_of(now, hash_size((enum hash_id)e->psk_hash));
    if (transcript_peek(&e->transcript, now) && next_stage(r, e)) {
        note_secret(r, e, "c ap traffic", transcript, KEY_CLIENT_TRAFFIC_SECRET_0);
        note_secret(r, e, "s ap traffic", transcript, KEY_SERVER_TRAFFIC_SECRET_0);
        note_secret(r, e, "exp master", transcript, KEY_EXPORTER_SECRET);
        e->served = true;
    } else {
        transcript_free(&e->transcript);
    }
}

/* What tickets of this connection are made from; needs the master secret, which no log holds. */
static void follow_client_finished(const struct tls_reader *r, struct tls_exchange *e)
{
    enum hash_id hash = (enum hash_id)e->psk_hash;
    size_t size = hash_size(hash);
    uint8_t now[HASH_MAX_SIZE];
    e->resumable = transcript_peek(&e->transcript, now) &&
                   derive(r, hash, slice_of(e->secret, size), "res master", slice_of(now, size),
                          e->resumption);
    transcript_free(&e->transcript);
}

uint8_t tls_exchange_ticket_psk(const struct tls_reader *r, struct slice nonce, uint8_t *hash,
                                uint8_t out[HASH_MAX_SIZE])
{
    const struct tls_exchange *e = r->session->exchange;
    if (!e || !e->resumable)
        return 0;
    size_t size = hash_size((enum hash_id)e->psk_hash);
    *hash = e->psk_hash;
    return derive(r, (enum hash_id)e->psk_hash, slice_of(e->resumption, size), "resumption", nonce,
                  out)
               ? (uint8_t)size
               : 0;
}

/* The messages that come after the ServerHello of TLS 1.3: the server's up to its Finished, then the client's. */
void tls_exchange_13(const struct tls_reader *r, struct tls_exchange *e, uint8_t type,
                     struct slice message)
{
    bool client = r->session->client == r->d->tcp.direction;
    if (!e->transcript.running || client != e->served)
        return;
    (void)transcript_add(&e->transcript, message);
    if (type == FINISHED && client)
        follow_client_finished(r, e);
    else if (type == FINISHED)
        follow_finished(r, e);
}
