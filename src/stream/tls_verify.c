#include "stream/tls_ech.h"
#include "stream/tls_verify_private.h"

#include <stdlib.h>

static const enum field_id checks[VERIFY_CHECKS] = {
    [VERIFY_FINISHED] = F_tlswire_verify_finished,
    [VERIFY_CERTIFICATE_VERIFY] = F_tlswire_verify_certificate_verify,
    [VERIFY_KEY_EXCHANGE] = F_tlswire_verify_key_exchange,
    [VERIFY_PSK_BINDER] = F_tlswire_verify_psk_binder,
    [VERIFY_CHAIN] = F_tlswire_verify_chain,
    [VERIFY_HOST_NAME] = F_tlswire_verify_host_name,
    [VERIFY_DATES] = F_tlswire_verify_dates,
    [VERIFY_OCSP] = F_tlswire_verify_ocsp,
    [VERIFY_SCT] = F_tlswire_verify_sct,
    [VERIFY_RENEGOTIATION_INFO] = F_tlswire_verify_renegotiation_info,
    [VERIFY_DOWNGRADE] = F_tlswire_verify_downgrade,
    [VERIFY_SESSION_ID] = F_tlswire_verify_session_id,
    [VERIFY_EXTENDED_MASTER_SECRET] = F_tlswire_verify_extended_master_secret,
    [VERIFY_HELLO_RETRY] = F_tlswire_verify_hello_retry,
    [VERIFY_GREASE] = F_tlswire_verify_grease,
    [VERIFY_OFFERED] = F_tlswire_verify_offered,
    [VERIFY_ECH] = F_tlswire_verify_ech,
};

bool tls_verify_wanted(const uint8_t *want)
{
    bool wanted = want[F_tlswire_verify_reason] || want[F_tlswire_verify_failed];
    for (size_t i = 0; i < VERIFY_CHECKS; i++)
        wanted |= want[checks[i]] != 0;
    return wanted;
}

/* ---- what is said ---- */

bool verify_wants(const struct verifying *x, enum verify_check check)
{
    const struct tape *t = &x->r->d->tape;
    return tape_wants(t, checks[check]) || tape_wants(t, F_tlswire_verify_reason) ||
           tape_wants(t, F_tlswire_verify_failed);
}

void verify_say(struct verifying *x, enum verify_check check, enum verdict verdict,
                struct slice why)
{
    static const char *const words[] = {
        [VERDICT_OK] = "ok", [VERDICT_FAILED] = "failed", [VERDICT_UNCHECKABLE] = "not checkable"};
    struct tape *t = &x->r->d->tape;
    enum field_id field = checks[check];
    uint8_t source = x->content->source;
    if (verdict == VERDICT_NONE)
        return;
    uint32_t item = tape_open(t, field, source, x->at, x->end - x->at, 0, EVENT_GENERATED);
    tape_set_text(t, item, slice_of_str(words[verdict]));
    tape_set_text(
        t, tape_add(t, F_tlswire_verify_reason, source, x->at, x->end - x->at, 0, EVENT_GENERATED),
        why);
    if (verdict == VERDICT_FAILED)
        tape_set_text(t,
                      tape_add(t, F_tlswire_verify_failed, source, x->at, x->end - x->at, 0,
                               EVENT_GENERATED | EVENT_HIDDEN),
                      slice_of_str(fields[field].label));
    tape_close(t, item);
}

const char *verify_obstacle(const struct verifying *x)
{
    if (x->v->hello.len == 0)
        return "the handshake's beginning was not read";
    return x->v->full ? "the handshake is longer than what is kept of it" : NULL;
}

void verify_say_transcript(struct verifying *x, enum verify_check check, enum verdict verdict,
                           struct slice why)
{
    struct hello hello = verify_hello_of(x);
    struct slice ech = hello_extension(hello.extensions, EXT_ENCRYPTED_CLIENT_HELLO);
    if (verdict == VERDICT_FAILED && x->v->gap)
        verify_tell(x, check, VERDICT_UNCHECKABLE, "a part of the handshake was not read");
    else if (verdict == VERDICT_FAILED && ech.len > 1)
        verify_tell(x, check, VERDICT_UNCHECKABLE,
                    "it fits not the ClientHello that was sent in the clear: the server may have "
                    "taken the encrypted one");
    else
        verify_say(x, check, verdict, why);
}

/* ---- what is kept ---- */

/* Counts the memory that is held now. */
static void recount(struct tls_verify *v)
{
    size_t now = v->messages.cap + v->first_hello.cap;
    *v->memory += now - v->counted;
    v->counted = now;
}

static struct tls_verify *state_of(struct tls_reader *r)
{
    struct tls_session *s = r->session;
    if (!s->verify) {
        s->verify = calloc(1, sizeof *s->verify);
        if (!s->verify)
            return NULL;
        s->verify->messages.ceiling = s->verify->first_hello.ceiling = VERIFY_TRANSCRIPT_MAX;
        s->verify->memory = r->tools->verify_memory;
    }
    return s->verify;
}

static void forget_handshake(struct tls_verify *v)
{
    buf_free(&v->messages);
    buf_free(&v->first_hello);
    v->messages.ceiling = v->first_hello.ceiling = VERIFY_TRANSCRIPT_MAX;
    v->hello = v->certificates = (struct place){0};
    for (size_t i = 0; i < 2; i++) {
        verify_key_free(v->keys[i]);
        v->keys[i] = NULL;
    }
    recount(v);
}

void tls_verify_free(struct tls_session *s)
{
    if (s->verify)
        forget_handshake(s->verify);
    free(s->verify);
    s->verify = NULL;
}

void tls_verify_gap(struct tls_reader *r)
{
    if (r->session->verify)
        r->session->verify->gap = true;
}

static void append(struct verifying *x)
{
    struct tls_verify *v = x->v;
    v->full |= *v->memory > VERIFY_MEMORY_MAX;
    if (!v->full)
        buf_slice_put(&v->messages, x->whole);
    v->full |= v->messages.failed;
    recount(v);
}

/* Where the body of the message that is appended next stands. */
static struct place place_of(const struct verifying *x)
{
    return (struct place){.at = (uint32_t)x->v->messages.len + 4, .len = (uint32_t)x->body.len};
}

/* ---- the course of a handshake ---- */

/* A ClientHello begins a handshake, unless it answers a HelloRetryRequest. */
static void begin(struct verifying *x)
{
    struct tls_verify *v = x->v;
    v->second = v->retried && !v->second && !v->finished[SERVER];
    if (!v->second) {
        forget_handshake(v);
        v->again = v->finished[SERVER] && v->finished[CLIENT];
        v->finished[SERVER] = v->finished[CLIENT] = false;
        v->gap = v->full = v->retried = false;
        v->compressed[SERVER] = v->compressed[CLIENT] = false;
        v->certificate[SERVER] = v->certificate[CLIENT] = false;
        v->old_form = v->server_hello = v->server_done = v->early = false;
        v->handshake_len = v->updates = 0;
        v->retry_suite = v->retry_group = 0;
    }
    v->hello = place_of(x);
    append(x);
    if (v->full)
        v->hello = (struct place){0};
}

/* The first ClientHello counts as its hash alone (RFC 9846 4.4.1). */
static void retry(struct verifying *x)
{
    struct tls_verify *v = x->v;
    const struct suite *suite = suite_find(x->r->session->suite);
    struct slice all = buf_slice(&v->messages);
    uint8_t hash[HASH_MAX_SIZE] = {0};
    size_t size = suite ? hash_size(suite->hash) : 0;
    buf_clear(&v->first_hello);
    buf_slice_put(&v->first_hello, slice_sub(all, v->hello.at, v->hello.len));
    v->gap |= v->hello.len == 0 || !suite ||
              !provider_hash(x->r->tools->crypto, suite->hash, &all, 1, hash);
    buf_clear(&v->messages);
    buf_char(&v->messages, (char)254);
    buf_fill(&v->messages, '\0', 2);
    buf_char(&v->messages, (char)size);
    buf_put(&v->messages, hash, size);
    v->retried = true;
}

/* The server took the inner hello: the handshake is about that one (RFC 9849 6.1). */
static void take_inner(struct verifying *x)
{
    struct tls_verify *v = x->v;
    const struct tls_ech *e = x->r->session->ech;
    if (x->type != MSG_SERVER_HELLO || !e || v->hello.len == 0)
        return;
    if (e->status == ECH_REJECTED)
        verify_tell(x, VERIFY_ECH, VERDICT_FAILED, "the server did not take the inner hello");
    if (e->status != ECH_ACCEPTED)
        return;
    verify_tell(x, VERIFY_ECH, VERDICT_OK, "the server took the inner hello");
    buf_clear(&v->messages);
    buf_slice_put(&v->messages, buf_slice(&e->transcript));
    v->hello =
        (struct place){.at = e->hello_at + 4, .len = (uint32_t)e->transcript.len - e->hello_at - 4};
    v->full |= v->messages.failed;
    recount(v);
}

static bool is_retry(const struct verifying *x)
{
    struct slice random = slice_sub(x->body, 2, 4);
    return x->type == MSG_SERVER_HELLO && slice_u32(&random) == HELLO_RETRY;
}

/* Once both have finished, only what authenticates a client later needs the messages (RFC 9846 4.6.2). */
static void finished(struct verifying *x)
{
    struct tls_verify *v = x->v;
    struct slice data = slice_sub(x->body, 0, HASH_MAX_SIZE);
    v->code_len[x->side] = (uint8_t)data.len;
    slice_read(&data, v->codes[x->side], data.len);
    v->finished[x->side] = true;
    if (!v->finished[SERVER] || !v->finished[CLIENT])
        return;
    struct hello hello = verify_hello_of(x);
    bool later = x->r->session->version == VERSION_TLS13 &&
                 !hello_extension(hello.extensions, EXT_POST_HANDSHAKE_AUTH).failed;
    if (!later)
        forget_handshake(v);
    else if (v->handshake_len == 0)
        v->handshake_len = (uint32_t)v->messages.len;
    v->messages.len = v->handshake_len;
}

/* Notices what must have been there before the message and was not seen: a lost packet does not always leave
 * another mark. */
static void keep_order(struct verifying *x)
{
    struct tls_verify *v = x->v;
    bool is_13 = x->r->session->version == VERSION_TLS13, client = x->side == CLIENT;
    struct slice body = x->body, early = {.failed = true};
    if (x->type == MSG_ENCRYPTED_EXTENSIONS && is_13)
        early = hello_extension(slice_take(&body, slice_u16(&body)), EXT_EARLY_DATA);
    v->early = (v->early || !early.failed) && x->type != MSG_END_OF_EARLY_DATA;
    v->server_hello |= x->type == MSG_SERVER_HELLO;
    v->server_done |= x->type == MSG_SERVER_HELLO_DONE;
    v->gap |= !v->server_hello && x->type > MSG_SERVER_HELLO;
    v->gap |= !is_13 && x->type == MSG_CLIENT_KEY_EXCHANGE && !v->server_done;
    v->gap |= is_13 && client && x->type == MSG_FINISHED && (v->early || !v->finished[SERVER]);
    v->gap |= x->type != MSG_CLIENT_HELLO && x->r->session->side[!x->r->d->tcp.direction].fragment;
    v->gap |= (x->r->d->tcp.analysis & TCP_A_LOST_SEGMENT) != 0 || x->r->missing > 0;
}

/* Whether the message is none of the transcript. */
static bool is_apart(struct verifying *x)
{
    struct tls_verify *v = x->v;
    bool over = v->finished[SERVER] && v->finished[CLIENT];
    if (x->r->session->version != VERSION_TLS13)
        return x->type == MSG_HELLO_REQUEST || (over && x->type != MSG_CLIENT_HELLO);
    if (x->type == MSG_KEY_UPDATE)
        v->updates += x->side == CLIENT;
    return x->type == MSG_KEY_UPDATE || x->type == MSG_NEW_SESSION_TICKET ||
           (over && v->handshake_len == 0);
}

static void check(struct verifying *x)
{
    static void (*const by_type[])(struct verifying *) = {
        [MSG_CLIENT_HELLO] = verify_client_hello,
        [MSG_SERVER_HELLO] = verify_server_hello,
        [MSG_CERTIFICATE] = verify_certificates,
        [MSG_COMPRESSED_CERTIFICATE] = verify_certificates,
        [MSG_CERTIFICATE_STATUS] = verify_certificate_status,
        [MSG_SERVER_KEY_EXCHANGE] = verify_server_key_exchange,
        [MSG_CERTIFICATE_VERIFY] = verify_certificate_verify,
        [MSG_FINISHED] = verify_finished,
    };
    if (x->type < sizeof by_type / sizeof by_type[0] && by_type[x->type])
        by_type[x->type](x);
}

void tls_verify_old_hello(struct tls_reader *r, struct slice message)
{
    struct tls_verify *v = r->tools->verify_memory ? state_of(r) : NULL;
    struct verifying x = {.r = r,
                          .v = v,
                          .whole = message,
                          .body = message,
                          .type = MSG_CLIENT_HELLO,
                          .side = CLIENT};
    if (!v || message.len == 0)
        return;
    begin(&x);
    v->old_form = true;
}

void tls_verify_message(struct tls_reader *r, const struct tls_content *c, uint32_t at,
                        uint32_t end)
{
    if (!r->tools->verify_memory)
        return;
    struct slice whole = slice_sub(c->bytes, at, end - at);
    struct verifying x = {.r = r,
                          .content = c,
                          .at = at,
                          .end = end,
                          .whole = whole,
                          .body = slice_sub(whole, 4, SIZE_MAX),
                          .side = r->session->client == r->d->tcp.direction ? CLIENT : SERVER,
                          .type = slice_at(whole, 0)};
    x.v = state_of(r);
    if (!x.v || is_apart(&x))
        return;
    if (x.type == MSG_CLIENT_HELLO)
        begin(&x);
    keep_order(&x);
    if (is_retry(&x) && !x.v->retried)
        retry(&x);
    take_inner(&x);
    check(&x);
    if (x.v->hello.len == 0 && !x.v->retried)
        return;
    if (x.type == MSG_CERTIFICATE && x.side == SERVER)
        x.v->certificates = place_of(&x);
    if (x.type != MSG_CLIENT_HELLO)
        append(&x);
    if (x.type == MSG_FINISHED)
        finished(&x);
}
