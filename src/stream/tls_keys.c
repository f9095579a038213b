/* Which key opens a record: from the table of secrets to an opener for each direction. */
#include "stream/tls_exchange.h"
#include "stream/tls_session.h"

#include <stdlib.h>

#define AHEAD 64 /* records that may be missing between two that open */

void tls_drop_keys(struct tls_side *side)
{
    if (side->opener)
        opener_free(side->opener);
    free(side->opener);
    side->opener = NULL;
    side->tried = 0;
}

void tls_change_keys(struct tls_side *side, enum tls_epoch epoch)
{
    tls_drop_keys(side);
    side->epoch = (uint8_t)epoch;
}

void tls_update_keys(struct tls_side *side)
{
    if (side->opener)
        (void)opener_update_13(side->opener);
}

static bool from_client(const struct tls_reader *r)
{
    return r->session->client == r->d->tcp.direction;
}

static struct slice random_of(const uint8_t *random)
{
    return slice_of(random, 32);
}

static const struct key_secret *find(const struct tls_reader *r, enum key_label label)
{
    return key_table_find(r->tools->keys, label, random_of(r->session->client_random));
}

static const struct key_secret *secret_13(const struct tls_reader *r, enum tls_epoch epoch,
                                          bool client)
{
    static const enum key_label names[][2] = {
        [EPOCH_EARLY] = {KEY_CLIENT_EARLY_TRAFFIC_SECRET, KEY_CLIENT_EARLY_TRAFFIC_SECRET},
        [EPOCH_HANDSHAKE] = {KEY_SERVER_HANDSHAKE_TRAFFIC_SECRET,
                             KEY_CLIENT_HANDSHAKE_TRAFFIC_SECRET},
        [EPOCH_APPLICATION] = {KEY_SERVER_TRAFFIC_SECRET_0, KEY_CLIENT_TRAFFIC_SECRET_0},
    };
    return find(r, names[epoch][client]);
}

/* Early data goes before the server has chosen a suite: the secret's length tells which it can be. */
static uint16_t suite_of_early(const struct tls_session *s, struct slice secret, bool second)
{
    if (s->suite)
        return s->suite;
    return secret.len == 48 ? 0x1302 : second ? 0x1303 : 0x1301; /* RFC 9846 B.4 */
}

static bool init_13(const struct tls_reader *r, struct opener *o, enum tls_epoch epoch, bool second)
{
    const struct key_secret *found = secret_13(r, epoch, from_client(r));
    if (!found)
        return false;
    struct slice secret = key_secret_slice(found);
    uint16_t suite =
        epoch == EPOCH_EARLY ? suite_of_early(r->session, secret, second) : r->session->suite;
    return opener_init_13(o, r->tools->crypto, suite_find(suite), secret);
}

/* The master secret: logged as such, by the session's name, or to be made of a premaster secret. */
static bool master_secret(const struct tls_reader *r, const struct suite *suite,
                          uint8_t master[MASTER_SECRET_SIZE])
{
    const struct tls_session *s = r->session;
    const struct key_secret *found = find(r, KEY_CLIENT_RANDOM);
    if (!found && s->session_id_len > 0)
        found = key_table_find(r->tools->keys, KEY_SESSION_ID,
                               slice_of(s->session_id, s->session_id_len));
    if (found && found->secret_len == MASTER_SECRET_SIZE) {
        struct slice secret = key_secret_slice(found);
        return slice_read(&secret, master, MASTER_SECRET_SIZE);
    }
    return tls_exchange_master(r, suite, master);
}

bool tls_master_secret(const struct tls_reader *r, uint8_t master[MASTER_SECRET_SIZE])
{
    const struct suite *suite = suite_find(r->session->suite);
    return suite && r->session->has_server_random && master_secret(r, suite, master);
}

struct slice tls_traffic_secret(const struct tls_reader *r, enum tls_epoch epoch, bool client)
{
    const struct key_secret *found = secret_13(r, epoch, client);
    return found ? key_secret_slice(found) : slice_empty();
}

static bool init_12(const struct tls_reader *r, struct opener *o)
{
    const struct tls_session *s = r->session;
    const struct suite *suite = suite_find(s->suite);
    uint8_t master[MASTER_SECRET_SIZE];
    if (!suite || !s->has_server_random || !master_secret(r, suite, master))
        return false;
    struct key_block block;
    bool ok =
        schedule_key_block(r->tools->crypto, s->version, suite, slice_of(master, sizeof master),
                           random_of(s->client_random), random_of(s->server_random), &block) &&
        opener_init_12(o, r->tools->crypto, s->version, suite,
                       from_client(r) ? &block.client : &block.server, s->encrypt_then_mac);
    key_block_wipe(&block);
    return ok;
}

/* The direction's opener, made when it is first needed; NULL when no key is known. */
static struct opener *opener_of(const struct tls_reader *r, bool second)
{
    struct tls_side *side = r->side;
    uint32_t generation = (uint32_t)key_table_generation(r->tools->keys) + 1;
    if (side->opener)
        return side->opener;
    if (!r->session->has_client_random || r->session->client < 0 || side->tried == generation)
        return NULL;
    struct opener *o = calloc(1, sizeof *o);
    if (o && (side->epoch == EPOCH_12 ? init_12(r, o) : init_13(r, o, side->epoch, second))) {
        side->opener = o;
        return o;
    }
    if (!second)
        side->tried = generation;
    free(o);
    return NULL;
}

static bool try_open(struct tls_reader *r, struct slice header, struct slice fragment, bool second,
                     struct opened *out)
{
    struct opener *o = opener_of(r, second);
    unsigned skipped = 0;
    return o && opener_open_ahead(o, header, fragment, r->tools->plaintext,
                                  r->side->epoch == EPOCH_12 ? 0 : AHEAD, out, &skipped) == OPEN_OK;
}

/* The same record under the keys of another epoch, which is kept when it fits. */
static bool try_epoch(struct tls_reader *r, struct slice header, struct slice fragment,
                      enum tls_epoch epoch, struct opened *out)
{
    struct tls_side before = *r->side;
    r->side->opener = NULL;
    r->side->tried = 0;
    r->side->epoch = (uint8_t)epoch;
    if (try_open(r, header, fragment, false, out)) {
        tls_drop_keys(&before);
        return true;
    }
    tls_drop_keys(r->side);
    *r->side = before;
    return false;
}

/* Early data may have been refused, and the message that ends an epoch may not have been captured. */
static bool open_13(struct tls_reader *r, struct slice header, struct slice fragment,
                    struct opened *out)
{
    enum tls_epoch epoch = r->side->epoch;
    if (try_open(r, header, fragment, false, out))
        return true;
    if (epoch == EPOCH_EARLY && !r->session->suite && r->side->opener) {
        tls_drop_keys(r->side);
        if (try_open(r, header, fragment, true, out))
            return true;
        tls_drop_keys(r->side);
    }
    if (epoch == EPOCH_EARLY && r->session->suite &&
        try_epoch(r, header, fragment, EPOCH_HANDSHAKE, out))
        return true;
    return epoch == EPOCH_HANDSHAKE && try_epoch(r, header, fragment, EPOCH_APPLICATION, out);
}

static void count(struct tls_reader *r, enum tls_keys_state state)
{
    struct tls_key_stats *stats = r->tools->stats;
    uint64_t *const counters[] = {NULL, &stats->missing, &stats->wrong, &stats->opened};
    uint8_t *before = &r->session->keys;
    if (*before >= state)
        return;
    if (stats->missing + stats->wrong == 0)
        memcpy(stats->first_random, r->session->client_random, sizeof stats->first_random);
    if (counters[*before])
        --*counters[*before];
    ++*counters[state];
    if (state == KEYS_MISSING) {
        r->session->hindrance = (uint8_t)tls_exchange_hindrance(r);
        stats->hindered[r->session->hindrance]++;
    } else if (*before == KEYS_MISSING) {
        stats->hindered[r->session->hindrance]--;
    }
    *before = (uint8_t)state;
}

bool tls_open(struct tls_reader *r, struct slice header, struct slice fragment, struct opened *out)
{
    bool data = slice_at(header, 0) == TLS_APPLICATION_DATA;
    if (r->missing || r->side->epoch == EPOCH_PLAIN)
        return false;
    bool old = r->side->epoch == EPOCH_12;
    if (!old && !data)
        return false;
    bool logged = keylog_stats(r->tools->keys)->valid > 0 || r->tools->keys->count > 0;
    if (!r->side->opener && !logged && key_ring_private_count(r->tools->ring) == 0 &&
        key_ring_psk_count(r->tools->ring) == 0) {
        count(r, KEYS_MISSING);
        return false;
    }
    bool opened =
        old ? try_open(r, header, fragment, false, out) : open_13(r, header, fragment, out);
    count(r, opened ? KEYS_OPEN : r->side->opener ? KEYS_WRONG : KEYS_MISSING);
    if (!opened && old && r->side->opener)
        opener_pass(r->side->opener, fragment);
    return opened;
}
