/* Which connection a session comes from: the names it was given there are kept, and those that a client offers
 * are looked up.  A name counts only when the server takes it. */
#include "crypto/key_ring.h"
#include "stream/tls_exchange.h"
#include "stream/tls_session.h"

#include <openssl/crypto.h>
#include <stdlib.h>

enum { CLIENT_HELLO = 1, SERVER_HELLO = 2, NEW_SESSION_TICKET = 4 };
enum { SESSION_TICKET = 35, PRE_SHARED_KEY = 41 };
enum { RANDOM = 32 };

static struct slice session_id_of(struct slice body)
{
    slice_skip(&body, 2 + RANDOM);
    return slice_take(&body, slice_u8(&body));
}

/* NULL when there is no memory. */
static struct tls_lineage *lineage_of(const struct tls_reader *r)
{
    struct tls_session *s = r->session;
    if (!s->lineage)
        s->lineage = calloc(1, sizeof *s->lineage);
    return s->lineage;
}

/* This connection takes up the session of that name; C and AT are where it shows. */
static bool take(struct tls_reader *r, struct origin_name name, const struct tls_content *c,
                 uint32_t at)
{
    struct tls_lineage *l = lineage_of(r);
    const struct tls_origin *from = tls_origins_find(r->tools->origins, name);
    if (!from || !l)
        return false;
    struct slice random = slice_of(from->random, RANDOM);
    l->known = slice_read(&random, l->random, RANDOM);
    r->session->verdict.origin = from->stream + 1;
    tape_add(&r->d->tape, F_tlswire_resumes, c->source, at, 0, from->stream, EVENT_GENERATED);
    return true;
}

static void note(struct tls_reader *r, enum origin_kind kind, struct slice name,
                 struct tls_origin *what)
{
    const struct tls_session *s = r->session;
    const struct tls_lineage *l = s->lineage;
    struct slice random = slice_of(l && l->known ? l->random : s->client_random, RANDOM);
    if (!s->has_client_random)
        return;
    what->name = tls_origin_name(r->tools->origins, kind, name);
    what->stream = r->d->tcp.stream;
    (void)slice_read(&random, what->random, RANDOM);
    tls_origins_note(r->tools->origins, what);
}

static void client_hello(struct tls_reader *r, struct slice body)
{
    const struct tls_origins *o = r->tools->origins;
    struct tls_lineage *l = lineage_of(r);
    struct slice extensions = tls_hello_extensions(body, true), value;
    if (!l)
        return;
    *l = (struct tls_lineage){.id = tls_origin_name(o, ORIGIN_SESSION_ID, session_id_of(body))};
    if (tls_find_extension(extensions, SESSION_TICKET, &value))
        l->ticket = tls_origin_name(o, ORIGIN_TICKET, value);
    if (!tls_find_extension(extensions, PRE_SHARED_KEY, &value))
        return;
    struct slice identities = slice_take(&value, slice_u16(&value));
    for (unsigned i = 0; i < OFFERED_MAX && identities.len > 0; i++) {
        struct slice identity = slice_take(&identities, slice_u16(&identities));
        slice_skip(&identities, 4);
        l->identities[i] = tls_origin_name(o, ORIGIN_TICKET, identity);
    }
}

static void server_hello(struct tls_reader *r, struct slice body, const struct tls_content *c,
                         uint32_t at)
{
    const struct tls_lineage *l = lineage_of(r);
    struct slice value, id = session_id_of(body);
    if (!l)
        return;
    if (r->session->version == VERSION_TLS13) {
        if (!tls_find_extension(tls_hello_extensions(body, false), PRE_SHARED_KEY, &value))
            return;
        uint16_t chosen = slice_u16(&value);
        if (!value.failed && chosen < OFFERED_MAX)
            (void)take(r, l->identities[chosen], c, at);
        return;
    }
    struct origin_name name = tls_origin_name(r->tools->origins, ORIGIN_SESSION_ID, id);
    if (!tls_origin_is(name))
        return;
    bool echoed = name.low == l->id.low && name.high == l->id.high;
    /* With a ticket the client makes an ID up, for the server to send back (RFC 5077 3.4). */
    if (echoed && !take(r, l->ticket, c, at))
        (void)take(r, l->id, c, at);
    else if (!echoed)
        note(r, ORIGIN_SESSION_ID, id, &(struct tls_origin){0});
}

static void new_ticket(struct tls_reader *r, struct slice body)
{
    struct tls_origin what = {0};
    slice_skip(&body, 4);
    if (r->session->version == VERSION_TLS13) {
        slice_skip(&body, 4);
        struct slice nonce = slice_take(&body, slice_u8(&body));
        what.psk_len = tls_exchange_ticket_psk(r, nonce, &what.psk_hash, what.psk);
    }
    note(r, ORIGIN_TICKET, slice_take(&body, slice_u16(&body)), &what);
    OPENSSL_cleanse(&what, sizeof what);
}

void tls_lineage_message(struct tls_reader *r, uint8_t type, struct slice body,
                         const struct tls_content *c, uint32_t at)
{
    if (!r->tools->origins)
        return;
    if (type == CLIENT_HELLO)
        client_hello(r, body);
    else if (type == SERVER_HELLO)
        server_hello(r, body, c, at);
    else if (type == NEW_SESSION_TICKET)
        new_ticket(r, body);
}

void tls_lineage_taken(struct tls_reader *r, const struct tls_content *c)
{
    const struct tls_lineage *l = r->tools->origins ? lineage_of(r) : NULL;
    if (l && !l->known && r->session->version < VERSION_TLS13)
        (void)take(r, l->ticket, c, c->at);
}

static const struct tls_origin *ticket(const struct tls_reader *r, struct slice identity)
{
    const struct tls_origins *o = r->tools->origins;
    return o ? tls_origins_find(o, tls_origin_name(o, ORIGIN_TICKET, identity)) : NULL;
}

struct slice tls_known_psk(const struct tls_reader *r, struct slice identity, const char **label)
{
    const struct tls_origin *from = ticket(r, identity);
    *label = from ? "res binder" : "ext binder";
    if (from && from->psk_len > 0)
        return slice_of(from->psk, from->psk_len);
    /* A key for every identity is none for a ticket that this capture shows. */
    return from ? slice_empty() : key_ring_find_psk(r->tools->ring, identity);
}

int64_t tls_ticket_origin(const struct tls_reader *r, struct slice identity)
{
    const struct tls_origin *from = ticket(r, identity);
    return from ? (int64_t)from->stream : -1;
}
