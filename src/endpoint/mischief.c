#include "endpoint/mischief.h"

#include "endpoint/mischief_edit.h"
#include "endpoint/sealer.h"

#include <stdlib.h>
#include <string.h>

#define NAMED_RECORDS  1024                /* between two writes; those past it count as data */
#define OUT_CEILING    ((size_t)16 << 20)  /* of one write */
#define PIECE          5                   /* bytes of a record or segment that is a small one */
#define SMALL_SEGMENTS ((size_t)64 * 1024) /* after as many bytes no more segments are cut */
#define RECORD_MOST    16384

enum { CHANGE_CIPHER_SPEC = 20, ALERT = 21, HANDSHAKE = 22, APPLICATION_DATA = 23 };

/* One record, as OpenSSL made it. */
struct unit {
    enum spoken spoken;
    struct slice header, fragment;
    uint8_t type;       /* the inner one, where it was opened */
    struct slice plain; /* the fragment, where it is not protected or was opened */
    bool protected, opened;
};

struct mischief {
    struct breakage_choice choice;
    SSL *ssl;
    struct sealer sealer;
    bool seals, started, final;        /* whether it protects anew; keys are there; the last ones */
    uint8_t secrets[2][HASH_MAX_SIZE]; /* TLS 1.3: of the handshake, of data */
    size_t secret_lens[2];
    uint8_t named[NAMED_RECORDS];
    size_t named_count;
    bool protecting; /* TLS 1.2: its ChangeCipherSpec went by */
    struct buf out, held, scratch;
    bool holding, held_protected; /* a message that waits in HELD */
    uint8_t held_type;
    size_t at, cut_from, cut_to, cut; /* in OUT: handed out; what goes in small segments */
    bool acted, over;
    enum mischief_end end;
    char text[160];
};

/* ---- which message is in which record ---- */

static enum spoken spoken_of(int content_type, struct slice bytes)
{
    static const uint8_t retry[] = {/* RFC 9846 4.1.3 */
                                    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11,
                                    0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
                                    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e,
                                    0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};
    static const struct {
        uint8_t type, spoken;
    } messages[] = {
        {4, SPOKEN_NEW_SESSION_TICKET},   {8, SPOKEN_ENCRYPTED_EXTENSIONS},
        {11, SPOKEN_CERTIFICATE},         {12, SPOKEN_SERVER_KEY_EXCHANGE},
        {13, SPOKEN_CERTIFICATE_REQUEST}, {14, SPOKEN_SERVER_HELLO_DONE},
        {15, SPOKEN_CERTIFICATE_VERIFY},  {20, SPOKEN_FINISHED},
        {22, SPOKEN_CERTIFICATE_STATUS},  {24, SPOKEN_KEY_UPDATE},
    };
    if (content_type == CHANGE_CIPHER_SPEC)
        return SPOKEN_CHANGE_CIPHER_SPEC;
    if (content_type == ALERT)
        return slice_at(bytes, 1) == 0 ? SPOKEN_CLOSE_NOTIFY : SPOKEN_ALERT;
    if (slice_at(bytes, 0) == 2)
        return slice_equal(slice_sub(bytes, 6, 32), slice_of(retry, sizeof(retry)))
                   ? SPOKEN_HELLO_RETRY_REQUEST
                   : SPOKEN_SERVER_HELLO;
    for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++)
        if (messages[i].type == slice_at(bytes, 0))
            return messages[i].spoken;
    return SPOKEN_ANYTHING;
}

/* OpenSSL tells of each record's header first, then, with TLS 1.3, of its inner type, and of a message
 * when the last of its records was written. */
void mischief_listen(struct mischief *m, int content_type, struct slice what)
{
    if (content_type == SSL3_RT_HEADER) {
        if (m->named_count < NAMED_RECORDS)
            m->named[m->named_count++] =
                slice_at(what, 0) == APPLICATION_DATA ? SPOKEN_APPLICATION_DATA : SPOKEN_ANYTHING;
    } else if (content_type == SSL3_RT_INNER_CONTENT_TYPE) {
        if (m->named_count > 0)
            m->named[m->named_count - 1] =
                slice_at(what, 0) == APPLICATION_DATA ? SPOKEN_APPLICATION_DATA : SPOKEN_ANYTHING;
    } else if (content_type == CHANGE_CIPHER_SPEC || content_type == ALERT ||
               content_type == HANDSHAKE) {
        for (size_t i = m->named_count; i > 0 && m->named[i - 1] == SPOKEN_ANYTHING; i--)
            m->named[i - 1] = (uint8_t)spoken_of(content_type, what);
    }
}

struct mischief *mischief_new(const struct breakage_choice *choice, SSL *ssl)
{
    struct mischief *m = choice->row->act == ACT_NONE ? NULL : calloc(1, sizeof(*m));
    if (!m)
        return NULL;
    m->choice = *choice;
    m->ssl = ssl;
    m->seals = breakage_protects_anew(choice->row);
    m->out.ceiling = OUT_CEILING;
    m->held.ceiling = m->scratch.ceiling = 65536;
    sealer_init(&m->sealer);
    snprintf(m->text, sizeof(m->text), "broken on purpose: %s%s%s", choice->row->name,
             choice->row->family ? ":" : "", choice->row->family ? spoken_name(choice->at) : "");
    return m;
}

void mischief_free(struct mischief *m)
{
    if (!m)
        return;
    sealer_free(&m->sealer);
    OPENSSL_cleanse(m->secrets, sizeof(m->secrets));
    buf_wipe(&m->held);
    buf_wipe(&m->scratch);
    buf_free(&m->out);
    free(m);
}

/* ---- keys ---- */

void mischief_keylog(struct mischief *m, const char *line)
{
    static const char *const labels[] = {"SERVER_HANDSHAKE_TRAFFIC_SECRET ",
                                         "SERVER_TRAFFIC_SECRET_0 "};
    const char *secret = strrchr(line, ' ');
    for (size_t i = 0; secret && i < 2; i++) {
        if (strncmp(line, labels[i], strlen(labels[i])) != 0)
            continue;
        size_t len = 0;
        if (OPENSSL_hexstr2buf_ex(m->secrets[i], sizeof(m->secrets[i]), &len, secret + 1, '\0') ==
            1)
            m->secret_lens[i] = len;
    }
}

static const struct suite *suite_now(SSL *ssl)
{
    const SSL_CIPHER *cipher = SSL_get_current_cipher(ssl);
    if (!cipher)
        cipher = SSL_get_pending_cipher(ssl);
    return cipher ? suite_find(SSL_CIPHER_get_protocol_id(cipher)) : NULL;
}

static bool use_secret(struct mischief *m, size_t which)
{
    return sealer_key_13(&m->sealer, suite_now(m->ssl),
                         slice_of(m->secrets[which], m->secret_lens[which]));
}

static bool first_keys(struct mischief *m)
{
    uint8_t client[32], server[32], master[MASTER_SECRET_SIZE];
    if (SSL_version(m->ssl) >= TLS1_3_VERSION)
        return use_secret(m, 0);
    size_t len = SSL_SESSION_get_master_key(SSL_get0_session(m->ssl), master, sizeof(master));
    bool ok = SSL_get_client_random(m->ssl, client, sizeof(client)) == sizeof(client) &&
              SSL_get_server_random(m->ssl, server, sizeof(server)) == sizeof(server) &&
              sealer_key_12(&m->sealer, suite_now(m->ssl), slice_of(master, len),
                            slice_of(client, sizeof(client)), slice_of(server, sizeof(server)));
    OPENSSL_cleanse(master, sizeof(master));
    return ok;
}

static void finish(struct mischief *m, enum mischief_end end)
{
    m->over = true;
    m->end = end;
}

static void open_unit(struct mischief *m, struct unit *u)
{
    struct opened opened;
    if (!m->started)
        m->started = first_keys(m);
    u->opened = m->started && sealer_open(&m->sealer, u->header, u->fragment, &opened);
    if (u->opened) {
        u->plain = opened.plaintext;
        u->type = opened.type;
        return;
    }
    snprintf(m->text, sizeof(m->text),
             "--break %s: records of %s cannot be protected anew   try: -cipher AESGCM",
             m->choice.row->name, SSL_get_cipher_name(m->ssl));
    finish(m, MISCHIEF_ENDS);
}

/* ---- records ---- */

static void put_plain(struct mischief *m, uint8_t type, struct slice plain)
{
    /* RFC 9846 5.1 */
    uint8_t header[] = {type, 3, 3, (uint8_t)(plain.len >> 8), (uint8_t)plain.len};
    buf_put(&m->out, header, sizeof(header));
    buf_slice_put(&m->out, plain);
}

/* A record of ours, protected as U is. */
static void put_like(struct mischief *m, bool protected, uint8_t type, struct slice plain)
{
    /* RFC 9846 5: ChangeCipherSpec goes unprotected there. */
    bool open = !protected || (type == CHANGE_CIPHER_SPEC && m->sealer.version == VERSION_TLS13);
    if (open)
        put_plain(m, type, plain);
    else if (!sealer_seal(&m->sealer, type, plain, &m->out))
        finish(m, MISCHIEF_ENDS);
}

static void put_unit(struct mischief *m, const struct unit *u)
{
    if (u->opened) {
        put_like(m, true, u->type, u->plain);
    } else {
        buf_slice_put(&m->out, u->header);
        buf_slice_put(&m->out, u->fragment);
    }
}

static void hold(struct mischief *m, const struct unit *u)
{
    buf_slice_put(&m->held, u->plain);
    m->holding = true;
    m->held_type = u->type;
    m->held_protected = u->protected;
}

static void put_held(struct mischief *m)
{
    if (m->holding)
        put_like(m, m->held_protected, m->held_type, buf_slice(&m->held));
    m->holding = false;
    buf_clear(&m->held);
}

/* ---- what is done to them ---- */

static void corrupt(struct mischief *m, struct unit *u)
{
    struct slice what = u->plain.len > 0 ? u->plain : u->fragment;
    buf_clear(&m->scratch);
    buf_slice_put(&m->scratch, slice_sub(what, 0, what.len - 1));
    buf_char(&m->scratch, (char)(slice_at(what, what.len - 1) ^ 1));
    if (u->opened) {
        put_like(m, true, u->type, buf_slice(&m->scratch));
    } else {
        buf_slice_put(&m->out, u->header);
        buf_slice_put(&m->out, buf_slice(&m->scratch));
    }
}

static void split(struct mischief *m, const struct unit *u)
{
    struct slice rest = u->plain;
    /* RFC 9846 5.1: alerts are not to be split. */
    if (u->type == ALERT || rest.len > RECORD_MOST)
        put_unit(m, u);
    else
        while (rest.len > 0)
            put_like(m, u->protected, u->type,
                     slice_take(&rest, rest.len < PIECE ? rest.len : PIECE));
}

static void join(struct mischief *m, const struct unit *u)
{
    if (m->holding && (m->held_type != u->type || m->held_protected != u->protected ||
                       m->held.len + u->plain.len > RECORD_MOST))
        put_held(m);
    if (u->type == HANDSHAKE)
        hold(m, u);
    else
        put_unit(m, u);
}

static void insert(struct mischief *m, const struct unit *u)
{
    const struct breakage *row = m->choice.row;
    for (unsigned i = 0; i < row->count && !m->acted; i++) {
        struct slice text = row->text ? slice_of(row->text, row->text_len) : slice_empty();
        put_like(m, u->protected, row->type, text);
        if (row->type == HANDSHAKE && text.len > 0 && !sealer_update(&m->sealer))
            finish(m, MISCHIEF_ENDS); /* the only message that is inserted changes the keys */
    }
    m->acted = true;
    put_unit(m, u);
}

static void edit(struct mischief *m, struct unit *u)
{
    enum edit field = m->choice.row->edit;
    if (field == EDIT_RECORD_VERSION || field == EDIT_RECORD_LENGTH) {
        bool version = field == EDIT_RECORD_VERSION;
        buf_slice_put(&m->out, slice_sub(u->header, 0, 1));
        buf_str(&m->out, version ? "\11\11" : "\3\3");
        if (version)
            buf_slice_put(&m->out, slice_sub(u->header, 3, 2));
        else
            buf_str(&m->out, "\177\377");
        buf_slice_put(&m->out, u->fragment);
        return;
    }
    buf_clear(&m->scratch);
    mischief_edit(field, u->plain, SSL_version(m->ssl) >= TLS1_3_VERSION, &m->scratch);
    put_like(m, u->protected, u->type, buf_slice(&m->scratch));
}

static void end_with(struct mischief *m, const struct unit *u)
{
    const struct breakage *row = m->choice.row;
    uint8_t alert[] = {2, m->choice.alert};
    enum mischief_end end = row->act == ACT_STALL   ? MISCHIEF_HOLDS
                            : row->act == ACT_RESET ? MISCHIEF_RESETS
                                                    : MISCHIEF_ENDS;
    if (row->act == ACT_ALERT) {
        put_like(m, u->protected, ALERT, slice_of(alert, sizeof(alert)));
    } else if (row->act == ACT_TEXT) {
        buf_put(&m->out, row->text, row->text_len);
    } else if (row->act == ACT_CUT) {
        buf_slice_put(&m->out, u->header);
        buf_slice_put(&m->out, slice_sub(u->fragment, 0, u->fragment.len / 2));
    }
    finish(m, end);
}

static void act_on(struct mischief *m, struct unit *u)
{
    size_t from = m->out.len;
    switch (m->choice.row->act) {
    case ACT_STALL:
    case ACT_FIN:
    case ACT_RESET:
    case ACT_ALERT:
    case ACT_TEXT:
    case ACT_CUT:
        end_with(m, u);
        break;
    case ACT_DROP:
        break;
    case ACT_REPEAT:
        put_unit(m, u);
        put_unit(m, u);
        break;
    case ACT_SWAP:
        hold(m, u);
        break;
    case ACT_CORRUPT:
    case ACT_GARBLE:
        corrupt(m, u);
        break;
    case ACT_SPLIT:
        split(m, u);
        break;
    case ACT_JOIN:
        join(m, u);
        break;
    case ACT_INSERT:
        insert(m, u);
        break;
    case ACT_EDIT:
        edit(m, u);
        break;
    case ACT_SEGMENTS:
        put_unit(m, u);
        if (m->cut_to == 0)
            m->cut_from = from;
        m->cut_to = m->out.len;
        break;
    case ACT_NONE:
        put_unit(m, u);
        break;
    }
}

/* What comes behind this message is protected with other keys. */
static void change_keys(struct mischief *m, const struct unit *u)
{
    bool newest = SSL_version(m->ssl) >= TLS1_3_VERSION;
    if (u->spoken == SPOKEN_CHANGE_CIPHER_SPEC && !newest)
        m->protecting = true;
    if (!m->seals || m->over || !newest || !u->protected)
        return;
    if (u->spoken == SPOKEN_FINISHED && !m->final) {
        if (m->choice.row->act == ACT_JOIN)
            put_held(m);
        m->final = true;
        if (!use_secret(m, 1))
            finish(m, MISCHIEF_ENDS);
    } else if (u->spoken == SPOKEN_KEY_UPDATE) {
        put_held(m);
        sealer_update(&m->sealer);
        sealer_update_opener(&m->sealer);
    }
}

static void take_unit(struct mischief *m, struct unit *u)
{
    u->type = slice_at(u->header, 0);
    u->protected =
        SSL_version(m->ssl) >= TLS1_3_VERSION ? u->type == APPLICATION_DATA : m->protecting;
    u->plain = u->protected ? slice_empty() : u->fragment;
    if (u->protected && m->seals)
        open_unit(m, u);
    if (m->over)
        return;
    bool swapped = m->holding && m->choice.row->act == ACT_SWAP;
    if ((m->choice.at == SPOKEN_ANYTHING || m->choice.at == u->spoken) && !swapped)
        act_on(m, u);
    else
        put_unit(m, u);
    if (swapped)
        put_held(m);
    change_keys(m, u);
}

void mischief_take(struct mischief *m, struct slice records)
{
    size_t number = 0;
    buf_clear(&m->out);
    m->at = m->cut_from = m->cut_to = 0;
    while (records.len > 0 && !m->over) {
        struct slice whole = records;
        slice_skip(&records, 3);
        size_t len = slice_u16(&records);
        struct unit unit = {.header = slice_sub(whole, 0, 5),
                            .fragment = slice_take(&records, len),
                            .spoken = number < m->named_count ? (enum spoken)m->named[number]
                                                              : SPOKEN_APPLICATION_DATA};
        number++;
        if (records.failed)
            finish(m, MISCHIEF_ENDS); /* OpenSSL writes whole records */
        else
            take_unit(m, &unit);
    }
    m->named_count = 0;
    if (m->choice.row->act == ACT_JOIN && !m->over)
        put_held(m);
    if (m->out.failed)
        finish(m, MISCHIEF_ENDS);
}

bool mischief_next(struct mischief *m, struct slice *piece)
{
    struct slice rest = slice_sub(buf_slice(&m->out), m->at, SIZE_MAX);
    size_t most = rest.len;
    if (m->at < m->cut_from) {
        most = m->cut_from - m->at;
    } else if (m->at < m->cut_to && m->cut < SMALL_SEGMENTS) {
        most = m->cut_to - m->at < PIECE ? m->cut_to - m->at : PIECE;
        m->cut += most;
    }
    *piece = slice_sub(rest, 0, most);
    m->at += piece->len;
    return piece->len > 0;
}

enum mischief_end mischief_verdict(struct mischief *m)
{
    enum mischief_end end = m->end;
    m->end = MISCHIEF_GOES_ON;
    return end;
}

const char *mischief_text(const struct mischief *m)
{
    return m->text;
}
