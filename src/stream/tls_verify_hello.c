/* Whether the hellos fit each other. */
#include "stream/tls_verify_private.h"

#define EMPTY_RENEGOTIATION 0x00ff /* a suite that stands for an extension (RFC 5746 3.3) */

struct hello hello_read(struct slice body, bool client)
{
    struct hello h = {.version = slice_u16(&body)};
    /* Drafts of TLS 1.3 before the 22nd left two things out of the ServerHello. */
    h.short_form = !client && h.version >> 8 == 0x7f && (h.version & 0xff) < 22;
    h.random = slice_take(&body, 32);
    h.session_id = slice_take(&body, h.short_form ? 0 : slice_u8(&body));
    h.suites = slice_take(&body, client ? slice_u16(&body) : 2);
    h.compressions = slice_take(&body, client ? slice_u8(&body) : h.short_form ? 0 : 1);
    h.broken = body.failed;
    h.extensions = body.len > 0 ? slice_take(&body, slice_u16(&body)) : slice_empty();
    return h;
}

struct slice hello_extension(struct slice extensions, uint16_t type)
{
    struct slice none = {.failed = true};
    while (extensions.len > 0) {
        uint16_t is = slice_u16(&extensions);
        struct slice value = slice_take(&extensions, slice_u16(&extensions));
        if (is == type && !extensions.failed)
            return value;
    }
    return none;
}

struct hello verify_hello_of(const struct verifying *x)
{
    const struct place *p = &x->v->hello;
    if (x->v->old_form)
        return (struct hello){.broken = true};
    return hello_read(slice_sub(buf_slice(&x->v->messages), p->at, p->len), true);
}

/* Whether a list of numbers of two bytes has the number. */
static bool lists(struct slice numbers, uint16_t number)
{
    while (numbers.len >= 2)
        if (slice_u16(&numbers) == number)
            return true;
    return false;
}

static bool has_byte(struct slice bytes, uint8_t byte)
{
    while (bytes.len > 0)
        if (slice_u8(&bytes) == byte)
            return true;
    return false;
}

static uint16_t number_of(struct slice s)
{
    return slice_u16(&s);
}

/* ---- a ClientHello that answers a HelloRetryRequest ---- */

/* What may change (RFC 9846 4.1.2, RFC 9849 6.1.5). */
static bool may_change(uint16_t type)
{
    static const uint16_t types[] = {EXT_KEY_SHARE,      EXT_EARLY_DATA, EXT_COOKIE,
                                     EXT_PRE_SHARED_KEY, EXT_PADDING,    EXT_ENCRYPTED_CLIENT_HELLO,
                                     EXT_DRAFT_KEY_SHARE};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (types[i] == type)
            return true;
    return false;
}

/* The first extension of A that B has not, or not the same; false when there is none. */
static bool differs(struct slice a, struct slice b, uint16_t *which)
{
    while (a.len > 0) {
        *which = slice_u16(&a);
        struct slice value = slice_take(&a, slice_u16(&a));
        struct slice other = hello_extension(b, *which);
        if (!may_change(*which) && (other.failed || !slice_equal(value, other)))
            return true;
    }
    return false;
}

/* The HelloRetryRequest: it follows the hash that stands for the first hello. */
static struct hello retry_request(const struct verifying *x)
{
    struct slice all = buf_slice(&x->v->messages);
    size_t hash = slice_at(all, 3);
    slice_skip(&all, 4 + hash + 1);
    return hello_read(slice_take(&all, slice_u24(&all)), false);
}

static const char *key_share_change(const struct hello *request, struct slice before,
                                    struct slice after)
{
    struct slice asked = hello_extension(request->extensions, EXT_KEY_SHARE);
    if (asked.failed)
        return slice_equal(before, after) ? NULL : "the key shares changed, and nobody asked";
    slice_skip(&after, 2);
    uint16_t group = slice_u16(&after);
    slice_skip(&after, slice_u16(&after));
    if (after.failed || group != number_of(asked) || after.len > 0)
        return "its key share is not the one that was asked for";
    return NULL;
}

static void check_retry(struct verifying *x, const struct hello *second)
{
    struct hello first = hello_read(buf_slice(&x->v->first_hello), true);
    struct hello request = retry_request(x);
    struct slice cookie = hello_extension(request.extensions, EXT_COOKIE);
    struct slice answer = hello_extension(second->extensions, EXT_COOKIE);
    const char *share = key_share_change(&request, hello_extension(first.extensions, EXT_KEY_SHARE),
                                         hello_extension(second->extensions, EXT_KEY_SHARE));
    uint16_t which = 0;
    WHY(why);
    if (first.version != second->version || !slice_equal(first.random, second->random))
        buf_str(&why, "version or random changed");
    else if (!slice_equal(first.session_id, second->session_id))
        buf_str(&why, "the session ID changed");
    else if (!slice_equal(first.suites, second->suites) ||
             !slice_equal(first.compressions, second->compressions))
        buf_str(&why, "the suites or compression methods changed");
    else if (differs(first.extensions, second->extensions, &which) ||
             differs(second->extensions, first.extensions, &which))
        buf_printf(&why, "extension %u changed", which);
    else if (share)
        buf_str(&why, share);
    else if (cookie.failed != answer.failed || (!cookie.failed && !slice_equal(cookie, answer)))
        buf_str(&why, "the cookie is not the server's");
    else if (!hello_extension(second->extensions, EXT_EARLY_DATA).failed)
        buf_str(&why, "it announces early data again");
    bool bad = why.len > 0;
    if (!bad)
        buf_str(&why, "it differs from the first only as it may");
    verify_say(x, VERIFY_HELLO_RETRY, bad ? VERDICT_FAILED : VERDICT_OK, buf_slice(&why));
}

/* ---- secure renegotiation (RFC 5746) ---- */

/* Whether the extension holds the codes of the last handshake: the client's, and the server's when it is the
 * one who says it. */
static bool holds_codes(const struct verifying *x, struct slice value)
{
    const struct tls_verify *v = x->v;
    struct slice codes = slice_take(&value, slice_u8(&value));
    struct slice client = slice_take(&codes, v->code_len[CLIENT]);
    struct slice server = slice_take(&codes, x->side == SERVER ? v->code_len[SERVER] : 0);
    return !value.failed && !codes.failed && value.len == 0 && codes.len == 0 &&
           slice_equal(client, slice_of(v->codes[CLIENT], v->code_len[CLIENT])) &&
           (x->side == CLIENT ||
            slice_equal(server, slice_of(v->codes[SERVER], v->code_len[SERVER])));
}

static void renegotiation(struct verifying *x, struct slice value, bool by_suite)
{
    bool empty = value.len == 1 && slice_at(value, 0) == 0;
    enum verdict verdict = VERDICT_OK;
    const char *why = NULL;
    if (x->v->again && !value.failed) {
        bool fits = holds_codes(x, value);
        why = fits ? "a new handshake, tied to the one before it"
                   : "a new handshake that is not tied to the one before it";
        verdict = fits ? VERDICT_OK : VERDICT_FAILED;
    } else if (x->v->again && x->v->secure) {
        why = "a new handshake does not say which it follows";
        verdict = VERDICT_FAILED;
    } else if (!value.failed && !empty) {
        bool first = !x->content->opened;
        why = first ? "a first handshake that claims to follow another"
                    : "a new handshake, and the one before it was not read";
        verdict = first ? VERDICT_FAILED : VERDICT_UNCHECKABLE;
    } else if (!value.failed || by_suite) {
        why = "the first handshake, and secure renegotiation is known";
    } else {
        why = x->side == CLIENT ? "the client does not know secure renegotiation"
                                : "the server does not know secure renegotiation";
        verdict = VERDICT_UNCHECKABLE;
    }
    verify_tell(x, VERIFY_RENEGOTIATION_INFO, verdict, why);
}

static bool offers_13(const struct hello *client)
{
    struct slice versions = hello_extension(client->extensions, EXT_SUPPORTED_VERSIONS);
    bool offers = false;
    slice_skip(&versions, 1);
    while (versions.len >= 2)
        offers |= tls_version_of(slice_u16(&versions)) == VERSION_TLS13;
    return offers;
}

void verify_client_hello(struct verifying *x)
{
    struct hello h = hello_read(x->body, true);
    if (h.broken)
        return;
    struct slice info = hello_extension(h.extensions, EXT_RENEGOTIATION_INFO);
    bool by_suite = lists(h.suites, EMPTY_RENEGOTIATION);
    if (x->v->second)
        check_retry(x, &h);
    if (!info.failed || by_suite || !offers_13(&h) || x->v->again)
        renegotiation(x, info, by_suite);
    verify_psk_binders(x);
}

/* ---- a ServerHello ---- */

static void check_downgrade(struct verifying *x, const struct hello *client,
                            const struct hello *server)
{
    struct slice mark = slice_sub(server->random, 24, 7);
    bool marked = slice_is(mark, "DOWNGRD") && slice_at(server->random, 31) <= 1;
    bool knows_13 = slice_at(server->random, 31) == 1;
    uint16_t chosen = x->r->session->version;
    if (chosen == VERSION_TLS13)
        verify_tell(x, VERIFY_DOWNGRADE, VERDICT_OK, "TLS 1.3 was chosen");
    else if (marked && knows_13 && offers_13(client))
        verify_tell(x, VERIFY_DOWNGRADE, VERDICT_FAILED,
                    "both know TLS 1.3, and it was not chosen: somebody changed the hellos");
    else if (marked && client->version >= VERSION_TLS12 && chosen < VERSION_TLS12)
        verify_tell(x, VERIFY_DOWNGRADE, VERDICT_FAILED,
                    "both know TLS 1.2, and it was not chosen: somebody changed the hellos");
    else
        verify_tell(x, VERIFY_DOWNGRADE, VERDICT_OK,
                    marked ? "the server knows a newer version, which the client did not offer"
                           : "the server's random has no mark of a downgrade");
}

static void check_session_id(struct verifying *x, const struct hello *client,
                             const struct hello *server)
{
    bool same = slice_equal(client->session_id, server->session_id);
    if (server->short_form)
        return;
    if (x->r->session->version == VERSION_TLS13)
        verify_tell(x, VERIFY_SESSION_ID, same ? VERDICT_OK : VERDICT_FAILED,
                    same ? "the client's, sent back" : "not the client's sent back");
    else if (server->session_id.len > 32)
        verify_tell(x, VERIFY_SESSION_ID, VERDICT_FAILED, "longer than 32 bytes");
    else if (server->session_id.len == 0)
        verify_tell(x, VERIFY_SESSION_ID, VERDICT_OK, "none: this session has no name");
    else
        verify_tell(x, VERIFY_SESSION_ID, VERDICT_OK,
                    same ? "the session that the client named" : "of a new session");
}

static void check_extended_master(struct verifying *x, const struct hello *client,
                                  const struct hello *server)
{
    bool asked = !hello_extension(client->extensions, EXT_EXTENDED_MASTER_SECRET).failed;
    bool taken = !hello_extension(server->extensions, EXT_EXTENDED_MASTER_SECRET).failed;
    if (x->r->session->version == VERSION_TLS13)
        return; /* always so there */
    if (taken)
        verify_tell(x, VERIFY_EXTENDED_MASTER_SECRET, asked ? VERDICT_OK : VERDICT_FAILED,
                    asked ? "both sides use it" : "the server answers what nobody offered");
    else
        verify_tell(x, VERIFY_EXTENDED_MASTER_SECRET, VERDICT_UNCHECKABLE,
                    asked ? "the server does not use it" : "the client does not offer it");
}

/* RFC 8701 2. */
static bool is_grease(uint16_t number)
{
    return (number & 0x0f0f) == 0x0a0a && number >> 8 == (number & 0xff);
}

static void check_grease(struct verifying *x, const struct hello *server)
{
    struct slice version = hello_extension(server->extensions, EXT_SUPPORTED_VERSIONS);
    struct slice share = hello_extension(server->extensions, EXT_KEY_SHARE);
    struct slice rest = server->extensions;
    const struct {
        const char *what;
        uint16_t number;
    } chosen[] = {{"suite", number_of(server->suites)},
                  {"version", number_of(version)},
                  {"group", number_of(share)}};
    WHY(why);
    for (size_t i = 0; i < sizeof chosen / sizeof chosen[0] && why.len == 0; i++)
        if (is_grease(chosen[i].number))
            buf_printf(&why, "the server chose the %s 0x%04x, which is GREASE", chosen[i].what,
                       chosen[i].number);
    while (rest.len > 0 && why.len == 0) {
        uint16_t type = slice_u16(&rest);
        slice_skip(&rest, slice_u16(&rest));
        if (is_grease(type))
            buf_printf(&why, "the server sent the extension 0x%04x, which is GREASE", type);
    }
    bool bad = why.len > 0;
    if (!bad)
        buf_str(&why, "the server chose none");
    verify_say(x, VERIFY_GREASE, bad ? VERDICT_FAILED : VERDICT_OK, buf_slice(&why));
}

/* The first extension of the server's that the client did not ask for. */
static bool unasked_extension(const struct hello *client, struct slice extensions, bool retry,
                              uint16_t *which)
{
    while (extensions.len > 0) {
        *which = slice_u16(&extensions);
        slice_skip(&extensions, slice_u16(&extensions));
        bool asked = !hello_extension(client->extensions, *which).failed;
        bool allowed =
            (*which == EXT_COOKIE && retry) ||
            (*which == EXT_RENEGOTIATION_INFO && lists(client->suites, EMPTY_RENEGOTIATION));
        if (!asked && !allowed)
            return true;
    }
    return false;
}

static bool offers_share(const struct hello *client, uint16_t group)
{
    struct slice shares = hello_extension(client->extensions, EXT_KEY_SHARE);
    shares = slice_take(&shares, slice_u16(&shares));
    while (shares.len > 0) {
        uint16_t is = slice_u16(&shares);
        slice_skip(&shares, slice_u16(&shares));
        if (is == group)
            return true;
    }
    return false;
}

static const char *wrong_group(const struct verifying *x, const struct hello *client,
                               struct slice share, bool retry)
{
    struct slice groups = hello_extension(client->extensions, EXT_SUPPORTED_GROUPS);
    uint16_t group = number_of(share);
    slice_skip(&groups, 2);
    if (share.failed)
        return NULL;
    if (!lists(groups, group))
        return "the group was not offered";
    if (retry)
        return offers_share(client, group) ? "the group asked for was there already" : NULL;
    if (x->v->retry_group && group != x->v->retry_group)
        return "the group is another than the HelloRetryRequest's";
    return offers_share(client, group) ? NULL : "no key share was sent for the group";
}

static bool offers_version(const struct hello *client, const struct hello *server)
{
    struct slice chosen = hello_extension(server->extensions, EXT_SUPPORTED_VERSIONS);
    struct slice offered = hello_extension(client->extensions, EXT_SUPPORTED_VERSIONS);
    slice_skip(&offered, 1);
    if (!chosen.failed)
        return lists(offered, number_of(chosen));
    return offered.failed ? server->version <= client->version : lists(offered, server->version);
}

static void check_offered(struct verifying *x, const struct hello *client,
                          const struct hello *server, bool retry)
{
    uint16_t suite = number_of(server->suites), which = 0;
    struct slice share = hello_extension(server->extensions, EXT_KEY_SHARE);
    const char *group = wrong_group(x, client, share, retry);
    WHY(why);
    if (!lists(client->suites, suite))
        buf_printf(&why, "the suite 0x%04x was not offered", suite);
    else if (x->v->retry_suite && suite != x->v->retry_suite)
        buf_printf(&why, "the suite is another than the HelloRetryRequest's");
    else if (!offers_version(client, server))
        buf_str(&why, "the version was not offered");
    else if (!server->short_form &&
             !has_byte(client->compressions, slice_at(server->compressions, 0)))
        buf_str(&why, "the compression method was not offered");
    else if (unasked_extension(client, server->extensions, retry, &which))
        buf_printf(&why, "extension %u was not offered", which);
    else if (group)
        buf_str(&why, group);
    bool bad = why.len > 0;
    if (!bad)
        buf_str(&why, "all that the server chose was offered");
    verify_say(x, VERIFY_OFFERED, bad ? VERDICT_FAILED : VERDICT_OK, buf_slice(&why));
    if (retry) {
        x->v->retry_suite = suite;
        x->v->retry_group = number_of(share);
    }
}

void verify_server_hello(struct verifying *x)
{
    static const enum verify_check needs_client[] = {VERIFY_DOWNGRADE, VERIFY_SESSION_ID,
                                                     VERIFY_EXTENDED_MASTER_SECRET, VERIFY_OFFERED};
    struct hello server = hello_read(x->body, false), client = verify_hello_of(x);
    struct slice info = hello_extension(server.extensions, EXT_RENEGOTIATION_INFO);
    struct slice random = server.random;
    bool retry = slice_u32(&random) == HELLO_RETRY, old = x->r->session->version != VERSION_TLS13;
    if (server.broken)
        return;
    check_grease(x, &server);
    if (old) {
        renegotiation(x, info, false);
        x->v->secure = !info.failed;
    }
    if (retry) /* only its hash is left in the transcript */
        client = hello_read(buf_slice(&x->v->first_hello), true);
    else if (x->v->hello.len == 0 || x->v->old_form) {
        for (size_t i = 0; i < sizeof needs_client / sizeof needs_client[0]; i++)
            verify_tell(x, needs_client[i], VERDICT_UNCHECKABLE,
                        x->v->old_form ? "the ClientHello is of SSL 2.0's form"
                                       : "the ClientHello was not read");
        return;
    }
    check_session_id(x, &client, &server);
    check_offered(x, &client, &server, retry);
    if (retry)
        return;
    check_downgrade(x, &client, &server);
    check_extended_master(x, &client, &server);
}
