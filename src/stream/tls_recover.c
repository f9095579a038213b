/* Opening records when some are missing: the sequence number is found again, keys that changed meanwhile are
 * followed, and where no hello was captured the known secrets are tried.
 *
 * A tag or MAC that fits is the proof; nothing else is ever taken.  What may be decrypted in vain is limited for
 * each direction, and the allowance comes back with each record that opens. */
#include "stream/tls_session.h"

#include <string.h>

#define AHEAD         64    /* records that may be missing without a known gap */
#define AHEAD_MOST    65536 /* with one */
#define LEAST_RECORD  22    /* bytes of a protected record, its header included */
#define GENERATIONS   2     /* KeyUpdates that may be missing */
#define CANDIDATES    256   /* secrets that are tried for one record */
#define TRIED_RECORDS 4     /* records that they are tried on, of a connection */
#define TRIAL_COST    256   /* of trying, in bytes, beside the record's length */

/* How many sequence numbers may be tried for a record of SIZE bytes. */
static unsigned reach(const struct tls_side *side, size_t size)
{
    uint64_t limit = AHEAD + side->failed + side->lost / LEAST_RECORD;
    uint64_t affordable = side->effort / (size + TRIAL_COST);
    limit = limit < AHEAD_MOST ? limit : AHEAD_MOST;
    return (unsigned)(limit < affordable ? limit : affordable);
}

static void spend(struct tls_side *side, size_t size, unsigned tries)
{
    uint64_t cost = (size + TRIAL_COST) * (uint64_t)tries;
    side->effort = side->effort > cost ? side->effort - (uint32_t)cost : 0;
}

/* A record opened after SKIPPED others: those that are not here are missing. */
static void found_again(struct tls_reader *r, unsigned skipped)
{
    struct tls_side *side = r->side;
    struct tls_verdict *v = &r->session->verdict;
    uint32_t missing = skipped > side->failed ? skipped - side->failed : 0;
    if (missing > 0 || side->lost > 0) {
        v->resyncs++;
        v->lost_records += missing;
        v->lost_bytes += side->lost;
        r->resync = (struct tls_resync){.found = true, .records = missing, .bytes = side->lost};
    }
    side->lost = 0;
    side->failed = 0;
    side->effort = TLS_EFFORT;
}

bool tls_try(struct tls_reader *r, struct opener *o, struct slice header, struct slice fragment,
             struct opened *out)
{
    struct tls_side *side = r->side;
    struct arena *arena = r->tools->plaintext;
    unsigned skipped = 0;
    enum open_result result = opener_open(o, header, fragment, arena, out);
    if (result == OPEN_BAD_TAG) {
        unsigned limit = reach(side, fragment.len);
        result = opener_open_gap(o, header, fragment, arena, limit, side->lost, out, &skipped);
        spend(side, fragment.len, result == OPEN_OK ? skipped : limit);
    }
    if (result == OPEN_OK)
        found_again(r, skipped);
    return result == OPEN_OK;
}

/* A KeyUpdate may be among what is missing: the next secrets are tried, from their first record on. */
static bool try_next_keys(struct tls_reader *r, struct slice header, struct slice fragment,
                          struct opened *out)
{
    struct opener *o = r->side->opener;
    struct opener before = *o;
    bool opened = false;
    for (unsigned i = 0; !opened && i < GENERATIONS && opener_update_13(o); i++)
        opened = tls_try(r, o, header, fragment, out);
    if (!opened) {
        struct evp_cipher_ctx_st *context = o->context;
        *o = before;
        o->context = context;
        o->keyed = false;
    }
    opener_wipe(&before);
    return opened;
}

bool tls_try_updated(struct tls_reader *r, struct slice header, struct slice fragment,
                     struct opened *out)
{
    const struct tls_side *side = r->side;
    bool gap = side->lost > 0 || side->failed > 0;
    return side->opener && gap && side->epoch == EPOCH_APPLICATION && side->has_opened &&
           side->effort > 0 && try_next_keys(r, header, fragment, out);
}

static bool is_secret_of(const struct key_secret *k, bool old)
{
    return old ? k->label == KEY_CLIENT_RANDOM || k->label == KEY_PMS_CLIENT_RANDOM
               : k->label == KEY_CLIENT_TRAFFIC_SECRET_0 || k->label == KEY_SERVER_TRAFFIC_SECRET_0;
}

/* Tries the record as if the connection were the one of client random ID. */
static bool try_random(struct tls_reader *r, struct slice header, struct slice fragment,
                       struct slice id, enum tls_epoch epoch, struct opened *out)
{
    struct tls_session *s = r->session;
    struct tls_side *side = r->side;
    s->has_client_random = slice_read(&id, s->client_random, sizeof s->client_random);
    enum tls_epoch last = epoch == EPOCH_12 ? EPOCH_12 : EPOCH_APPLICATION;
    for (; epoch <= last; epoch++) {
        side->epoch = (uint8_t)epoch;
        if (tls_try_epoch(r, header, fragment, out))
            return true;
        tls_drop_keys(side);
    }
    s->has_client_random = false;
    memset(s->client_random, 0, sizeof s->client_random);
    return false;
}

bool tls_try_secrets(struct tls_reader *r, struct slice header, struct slice fragment,
                     struct opened *out)
{
    struct tls_session *s = r->session;
    struct tls_side *side = r->side;
    bool old = s->has_server_random && s->version != VERSION_TLS13 && s->suite;
    bool new = s->version == VERSION_TLS13 || !s->has_server_random;
    uint8_t epoch = side->epoch;
    int8_t client = s->client;
    unsigned tries = 0;
    if (s->has_client_random || (!old && !new) || s->guesses >= TRIED_RECORDS)
        return false;
    s->guesses++;
    for (const struct key_secret *k = key_table_next(r->tools->keys, NULL);
         k && tries < CANDIDATES && side->effort > 0; k = key_table_next(r->tools->keys, k)) {
        if (k->id_len != sizeof s->client_random || !is_secret_of(k, old))
            continue;
        tries++;
        /* Who is who is not known either: a secret says whose it is. */
        if (client < 0)
            s->client = (int8_t)(k->label == KEY_SERVER_TRAFFIC_SECRET_0 ? !r->d->tcp.direction
                                                                         : r->d->tcp.direction);
        if (try_random(r, header, fragment, slice_of(k->id, k->id_len),
                       old ? EPOCH_12 : EPOCH_HANDSHAKE, out)) {
            s->verdict.guessed = true;
            s->version = old ? s->version : VERSION_TLS13;
            if (!old && s->side[!r->d->tcp.direction].epoch == EPOCH_PLAIN)
                tls_change_keys(&s->side[!r->d->tcp.direction], EPOCH_HANDSHAKE);
            return true;
        }
    }
    s->client = client;
    side->epoch = epoch;
    return false;
}
