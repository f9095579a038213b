/* Which key opens a record: from the table of secrets to an opener for each direction. */
#include "stream/tls_ech.h"
#include "stream/tls_exchange.h"
#include "stream/tls_session.h"

#include <stdlib.h>

void tls_drop_keys(struct tls_side *side)
{
    if (side->opener)
        opener_free(side->opener);
    free(side->opener);
    tls_unpack_free(side->inflate);
    side->opener = NULL;
    side->inflate = NULL;
    side->tried = 0;
    side->has_opened = false;
    side->failed = 0;
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
    const struct tls_session *s = r->session;
    const struct key_secret *found =
        key_table_find(r->tools->keys, label, random_of(s->client_random));
    if (found || !s->ech || s->ech->status != ECH_OPENED)
        return found;
    return key_table_find(r->tools->keys, label, random_of(s->ech->inner_random)); /* early data */
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

#define SUITE_CHOICES 4

/* Early data goes before the server has chosen a suite, and its hello may be missing: the secret's length tells
 * which it can be, CHOICE says which of them (RFC 9846 B.4); 0: no more. */
static uint16_t suite_of(const struct tls_session *s, struct slice secret, unsigned choice)
{
    static const uint16_t short_ones[SUITE_CHOICES] = {0x1301, 0x1303, 0x1304, 0x1305};
    if (s->suite)
        return choice == 0 ? s->suite : 0;
    if (secret.len == 48)
        return choice == 0 ? 0x1302 : 0;
    return short_ones[choice];
}

static bool init_13(const struct tls_reader *r, struct opener *o, enum tls_epoch epoch,
                    unsigned choice)
{
    const struct key_secret *found = secret_13(r, epoch, from_client(r));
    if (!found)
        return false;
    struct slice secret = key_secret_slice(found);
    key_table_see(r->tools->keys, found->label, random_of(r->session->client_random));
    uint16_t suite = suite_of(r->session, secret, choice);
    if (!opener_init_13(o, r->tools->crypto, suite_find(suite), secret))
        return false;
    opener_set_draft(o, r->session->draft);
    return true;
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
    if (!found && s->lineage && s->lineage->known)
        found = key_table_find(r->tools->keys, KEY_CLIENT_RANDOM, random_of(s->lineage->random));
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

/* Whatever the master secret came from: it is one of the keys of the session, which was seen. */
static void see_master(const struct tls_reader *r, const uint8_t master[MASTER_SECRET_SIZE])
{
    struct slice random = random_of(r->session->client_random);
    if (!find(r, KEY_CLIENT_RANDOM))
        (void)key_table_add(r->tools->keys, KEY_CLIENT_RANDOM, random,
                            slice_of(master, MASTER_SECRET_SIZE));
    key_table_see(r->tools->keys, KEY_CLIENT_RANDOM, random);
    /* The log may have only a resumed connection's line: others of the same session find it there. */
    const struct tls_lineage *lineage = r->session->lineage;
    if (!lineage || !lineage->known)
        return;
    random = random_of(lineage->random);
    if (!key_table_find(r->tools->keys, KEY_CLIENT_RANDOM, random))
        (void)key_table_add(r->tools->keys, KEY_CLIENT_RANDOM, random,
                            slice_of(master, MASTER_SECRET_SIZE));
}

static unsigned features_of(const struct tls_session *s)
{
    return (s->encrypt_then_mac ? OPENER_ENCRYPT_THEN_MAC : 0u) |
           (s->truncated_hmac ? OPENER_TRUNCATED_HMAC : 0u);
}

static bool init_12(const struct tls_reader *r, struct opener *o)
{
    const struct tls_session *s = r->session;
    const struct suite *suite = suite_find(s->suite);
    uint8_t master[MASTER_SECRET_SIZE];
    if (!suite || !s->has_server_random || !master_secret(r, suite, master))
        return false;
    see_master(r, master);
    struct key_block block;
    bool ok =
        schedule_key_block(r->tools->crypto, s->version, suite, slice_of(master, sizeof master),
                           random_of(s->client_random), random_of(s->server_random), &block) &&
        opener_init_12(o, r->tools->crypto, s->version, suite,
                       from_client(r) ? &block.client : &block.server, features_of(s));
    key_block_wipe(&block);
    return ok;
}

/* The direction's opener, made when it is first needed; NULL when no key is known. */
static struct opener *opener_of(const struct tls_reader *r, unsigned choice)
{
    struct tls_side *side = r->side;
    uint32_t generation = (uint32_t)key_table_generation(r->tools->keys) + 1;
    if (side->opener)
        return side->opener;
    if (!r->session->has_client_random || r->session->client < 0 || side->tried == generation)
        return NULL;
    struct opener *o = calloc(1, sizeof *o);
    if (o && (side->epoch == EPOCH_12 ? init_12(r, o) : init_13(r, o, side->epoch, choice))) {
        side->opener = o;
        return o;
    }
    if (choice == 0)
        side->tried = generation;
    free(o);
    return NULL;
}

bool tls_try_epoch(struct tls_reader *r, struct slice header, struct slice fragment,
                   struct opened *out)
{
    struct tls_side *side = r->side;
    bool several = side->epoch != EPOCH_12 && !r->session->suite && !side->has_opened;
    for (unsigned choice = 0; choice < (several ? SUITE_CHOICES : 1); choice++) {
        if (several && side->opener)
            tls_drop_keys(side);
        struct opener *o = opener_of(r, choice);
        if (o && tls_try(r, o, header, fragment, out))
            return true;
    }
    return false;
}

/* The same record under the keys of another epoch, which is kept when it fits. */
static bool try_other(struct tls_reader *r, struct slice header, struct slice fragment,
                      enum tls_epoch epoch, struct opened *out)
{
    struct tls_side before = *r->side;
    r->side->opener = NULL;
    r->side->inflate = NULL;
    r->side->tried = 0;
    r->side->has_opened = false;
    r->side->epoch = (uint8_t)epoch;
    if (tls_try_epoch(r, header, fragment, out)) {
        tls_drop_keys(&before);
        return true;
    }
    uint32_t effort = r->side->effort;
    tls_drop_keys(r->side);
    *r->side = before;
    r->side->effort = effort < before.effort ? effort : before.effort;
    return false;
}

/* Early data may have been refused, and the message that ends an epoch may not have been captured. */
static bool find_13(struct tls_reader *r, struct slice header, struct slice fragment,
                    struct opened *out)
{
    enum tls_epoch epoch = r->side->epoch;
    if (epoch != EPOCH_PLAIN && tls_try_epoch(r, header, fragment, out))
        return true;
    if (tls_try_updated(r, header, fragment, out))
        return true;
    bool lost_hello = epoch == EPOCH_PLAIN || !r->session->suite;
    if (((epoch == EPOCH_EARLY && r->session->suite) || lost_hello) &&
        try_other(r, header, fragment, EPOCH_HANDSHAKE, out))
        return true;
    return (epoch == EPOCH_HANDSHAKE || lost_hello) &&
           try_other(r, header, fragment, EPOCH_APPLICATION, out);
}

static bool open_13(struct tls_reader *r, struct slice header, struct slice fragment,
                    struct opened *out)
{
    bool opened = find_13(r, header, fragment, out);
    if (opened)
        r->session->version =
            VERSION_TLS13; /* whatever records say: these secrets are of no other */
    return opened;
}

static bool open_12(struct tls_reader *r, struct slice header, struct slice fragment,
                    struct opened *out)
{
    struct tls_side *side = r->side;
    bool gap = side->lost > 0 || side->failed > 0;
    if (!tls_try_epoch(r, header, fragment, out))
        return false;
    return tls_unpack(side, r->session->compression, r->tools->plaintext, gap, &out->plaintext);
}

static void count(struct tls_reader *r, enum tls_keys_state state)
{
    uint8_t *before = &r->session->keys;
    if (*before >= state)
        return;
    struct tls_key_stats *stats = r->tools->stats;
    uint64_t *const counters[] = {NULL, &stats->missing, &stats->wrong, &stats->opened};
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

/* What the connection comes to, as far as is known; tls_verdict_settled() knows more. */
static void judge(struct tls_reader *r, bool opened, bool early)
{
    struct tls_session *s = r->session;
    struct tls_verdict *v = &s->verdict;
    uint32_t frame = (uint32_t)r->d->packet->number;
    v->crypto = r->tools->crypto;
    ++*(opened ? &v->opened : &v->closed);
    v->early_closed += !opened && early;
    v->suite = s->suite;
    if (opened && v->first_opened == 0)
        v->first_opened = frame;
    if (!opened && v->first_closed == 0)
        v->first_closed = frame;
    if (v->opened > 0)
        v->status = v->resyncs > 0                 ? DECRYPT_RESYNCED
                    : v->closed == 0               ? DECRYPT_OPENED
                    : v->closed == v->early_closed ? DECRYPT_NO_EARLY_KEY
                                                   : DECRYPT_PARTLY;
    else if (r->side->opener)
        v->status = DECRYPT_WRONG_KEY;
    else if (!s->has_client_random || (!s->has_server_random && s->version != VERSION_TLS13))
        v->status = DECRYPT_NO_HANDSHAKE;
    else if (v->status != DECRYPT_WRONG_KEY)
        v->status = early ? DECRYPT_NO_EARLY_KEY : DECRYPT_NO_KEY;
}

/* The message that changes the keys may be missing, and the hellos, too. */
static enum tls_epoch epoch_of(const struct tls_reader *r, bool data)
{
    const struct tls_session *s = r->session;
    bool old = s->version && s->version != VERSION_TLS13;
    /* Without the server's hello a ChangeCipherSpec looks like TLS 1.2's, also that of TLS 1.3. */
    bool unknown = r->side->epoch == EPOCH_12 && !s->has_server_random;
    if ((r->side->epoch != EPOCH_PLAIN && !unknown) || !data)
        return r->side->epoch;
    return old && s->suite && s->has_server_random ? EPOCH_12 : EPOCH_PLAIN;
}

/* A record that is not whole is as good as lost. */
static bool is_cut(struct slice header, struct slice fragment)
{
    slice_skip(&header, 3);
    return fragment.len < slice_u16(&header);
}

static void failed(struct tls_reader *r, struct slice header, struct slice fragment, bool old)
{
    struct tls_side *side = r->side;
    slice_skip(&header, 3);
    uint16_t stated = slice_u16(&header);
    if (fragment.len < stated) {
        side->lost += TLS_HEADER + (uint32_t)stated;
        side->failed++;
    } else if (side->opener && old && opener_chains(side->opener)) {
        opener_pass(side->opener, fragment);
    } else {
        side->failed++;
    }
}

static bool open_any(struct tls_reader *r, struct slice header, struct slice fragment, bool old,
                     struct opened *out)
{
    if (is_cut(header, fragment))
        return false;
    if (r->session->has_client_random)
        return old ? open_12(r, header, fragment, out) : open_13(r, header, fragment, out);
    return tls_try_secrets(r, header, fragment, out);
}

/* Nothing is encrypted, and no key is there to tell whether it was changed. */
static bool read_bare(struct tls_reader *r, struct slice header, struct slice fragment,
                      struct opened *out)
{
    const struct tls_session *s = r->session;
    enum tls_epoch epoch = r->side->epoch;
    if (!s->bare || r->side->opener || epoch == EPOCH_PLAIN || epoch == EPOCH_EARLY ||
        is_cut(header, fragment))
        return false;
    bool old = epoch == EPOCH_12;
    enum tls_version version = old ? (enum tls_version)s->version : VERSION_TLS13;
    if (!opener_read_bare(suite_find(s->suite), version, features_of(s), slice_at(header, 0),
                          fragment, out))
        return false;
    return !old || tls_unpack(r->side, s->compression, r->tools->plaintext, r->side->lost > 0,
                              &out->plaintext);
}

/* Whether the record can go by unopened: nobody looks at what is in it, and the next one does not need it. */
static bool may_pass(const struct tls_reader *r, struct slice header, struct slice fragment)
{
    const struct tls_side *side = r->side;
    return r->tools->no_data && slice_at(header, 0) == TLS_APPLICATION_DATA &&
           side->epoch == EPOCH_12 && side->opener && side->has_opened && side->failed == 0 &&
           side->lost == 0 && r->session->compression == 0 && !opener_chains(side->opener) &&
           !is_cut(header, fragment);
}

bool tls_open(struct tls_reader *r, struct slice header, struct slice fragment, struct opened *out)
{
    bool data = slice_at(header, 0) == TLS_APPLICATION_DATA;
    enum tls_epoch epoch = epoch_of(r, data);
    bool old = epoch == EPOCH_12;
    r->resync.found = false;
    if (r->tools->blind || (!data && !old))
        return false;
    if (epoch != r->side->epoch)
        tls_change_keys(r->side, epoch);
    if (may_pass(r, header, fragment)) {
        opener_skip(r->side->opener, 1);
        return false;
    }
    bool logged = keylog_stats(r->tools->keys)->valid > 0 || r->tools->keys->count > 0;
    if (!r->side->opener && !logged && key_ring_private_count(r->tools->ring) == 0 &&
        key_ring_psk_count(r->tools->ring) == 0) {
        bool bare = read_bare(r, header, fragment, out);
        count(r, bare ? KEYS_OPEN : KEYS_MISSING);
        judge(r, bare, epoch == EPOCH_EARLY);
        return bare;
    }
    bool opened = open_any(r, header, fragment, old, out) || read_bare(r, header, fragment, out);
    count(r, opened ? KEYS_OPEN : r->side->opener ? KEYS_WRONG : KEYS_MISSING);
    if (opened)
        r->side->has_opened = true;
    else
        failed(r, header, fragment, old);
    judge(r, opened, epoch == EPOCH_EARLY);
    return opened;
}
