/* What is noteworthy about a connection beyond its bytes: rules that an end breaks, and what can be guessed of what
 * stays encrypted. */
#include "stream/tls_session.h"

enum { SERVER_HELLO = 2 };
enum { SUPPORTED_VERSIONS = 43, COOKIE = 44, KEY_SHARE = 51 };
enum { SUITE_CCM_8 = 0x1305, SUITES_13 = 0x13 };

#define ALERT_PROTECTED 19 /* two bytes, the type, a tag of 16 bytes (RFC 9846 5.2) */
#define ALERT_SHORT_TAG 11 /* with a tag of 8 bytes */

static void remark(struct tape *t, uint8_t source, uint32_t at, uint32_t len, const char *text)
{
    tape_set_text(t, tape_add(t, F_tlswire_remark, source, at, len, 0, EVENT_GENERATED),
                  slice_of_str(text));
}

static uint16_t extension_number(struct slice extensions, uint16_t type, bool *there)
{
    struct slice value;
    *there = tls_find_extension(extensions, type, &value);
    return *there ? slice_u16(&value) : 0;
}

/* RFC 9846 4.1.4: what a ServerHello may not have changed since the HelloRetryRequest. */
static const char *against_retry(const struct tls_retry *asked, const struct tls_retry *now)
{
    if (asked->suite != now->suite)
        return "the ServerHello has another cipher suite than the HelloRetryRequest";
    if (asked->version != now->version)
        return "the ServerHello has another version than the HelloRetryRequest";
    if (asked->has_group && now->has_group && asked->group != now->group)
        return "the key share is of another group than the HelloRetryRequest asked for";
    return NULL;
}

void tls_remark_hello(struct tls_reader *r, uint8_t type, bool is_retry, struct slice body,
                      const struct tls_content *c, uint32_t at)
{
    if (type != SERVER_HELLO || r->session->version != VERSION_TLS13 ||
        !tape_wants(&r->d->tape, F_tlswire_remark))
        return;
    struct tls_retry *asked = &r->session->retry, now = {.seen = true};
    struct slice extensions = tls_hello_extensions(body, false), cookie;
    const char *text = NULL;
    bool has_version;
    now.version = extension_number(extensions, SUPPORTED_VERSIONS, &has_version);
    now.group = extension_number(extensions, KEY_SHARE, &now.has_group);
    now.suite = r->session->suite;
    if (is_retry && asked->seen)
        text = "a second HelloRetryRequest in one handshake";
    else if (is_retry && !now.has_group && !tls_find_extension(extensions, COOKIE, &cookie))
        text = "a HelloRetryRequest that asks for no change";
    else if (!is_retry && asked->seen)
        text = against_retry(asked, &now);
    if (text)
        remark(&r->d->tape, c->source, at, (uint32_t)body.len, text);
    *asked = is_retry ? now : (struct tls_retry){.seen = false};
}

void tls_remark_closed_record(struct tls_reader *r, const struct tls_content *c)
{
    if (!tape_wants(&r->d->tape, F_tlswire_remark))
        return;
    uint32_t length = c->end - c->at;
    uint32_t alert = r->session->suite == SUITE_CCM_8 ? ALERT_SHORT_TAG : ALERT_PROTECTED;
    if (length == alert && r->cut == 0 && r->session->suite >> 8 == SUITES_13)
        remark(&r->d->tape, c->source, c->at, length, "as long as an alert: probably one");
}

/* Whether an alert of this direction would have been seen: nothing is missing, and what is encrypted was opened where
 * the content's type is encrypted, too. */
static bool would_see_alerts(const struct tls_session *s, const struct tls_side *side)
{
    if (s->version == VERSION_TLS13)
        return side->epoch == EPOCH_APPLICATION && side->has_opened && side->failed == 0;
    return s->version >= VERSION_SSL3 && side->changed && side->lost == 0;
}

void tls_end(const struct flow *f, struct dissection *d, uint8_t source, uint32_t offset)
{
    const struct tls_session *s = f->tls;
    const struct tls_side *side = s ? &s->side[d->tcp.direction] : NULL;
    if (!s || !tape_wants(&d->tape, F_tlswire_remark) || side->closed ||
        s->side[!d->tcp.direction].closed || !would_see_alerts(s, side))
        return;
    remark(&d->tape, source, offset, 0,
           "the stream ends without close_notify: it may have been cut");
}
