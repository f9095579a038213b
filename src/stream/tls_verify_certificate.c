/* Certificates, and what comes with them. */
#include "dissect/expand.h"
#include "stream/tls_verify_private.h"

struct certificates {
    struct certificate_chain chain;
    struct slice extensions; /* of the first one, TLS 1.3 */
    bool broken;
};

static struct certificates read_certificates(struct slice body, bool is_13)
{
    struct certificates c = {.extensions = slice_empty()};
    if (is_13)
        slice_skip(&body, slice_u8(&body)); /* the request's context */
    struct slice list = slice_take(&body, slice_u24(&body));
    c.broken = body.failed || body.len > 0;
    while (list.len > 0) {
        struct slice one = slice_take(&list, slice_u24(&list));
        struct slice extensions = is_13 ? slice_take(&list, slice_u16(&list)) : slice_empty();
        c.broken |= list.failed;
        if (c.chain.count == 0)
            c.extensions = extensions;
        c.chain.more |= c.chain.count == VERIFY_CERTIFICATES;
        if (!list.failed && c.chain.count < VERIFY_CERTIFICATES)
            c.chain.certificates[c.chain.count++] = one;
    }
    return c;
}

/* The name of the host in the server_name extension (RFC 6066 3). */
static struct slice host_of(const struct verifying *x)
{
    struct hello hello = verify_hello_of(x);
    struct slice names = hello_extension(hello.extensions, EXT_SERVER_NAME);
    slice_skip(&names, 2);
    bool host = slice_u8(&names) == 0;
    struct slice name = slice_take(&names, slice_u16(&names));
    return host && !names.failed ? name : slice_empty();
}

static void check_ocsp(struct verifying *x, const struct certificate_chain *chain,
                       struct slice status)
{
    enum { OCSP = 1 };
    uint8_t type = slice_u8(&status);
    struct slice response = slice_take(&status, slice_u24(&status));
    WHY(why);
    if (type != OCSP || !verify_wants(x, VERIFY_OCSP))
        return;
    if (chain->count == 0)
        verify_tell(x, VERIFY_OCSP, VERDICT_UNCHECKABLE,
                    "the certificate that the OCSP response is for was not read");
    else
        verify_found(x, VERIFY_OCSP,
                     verify_ocsp(chain, 0, response, x->r->d->packet->time_ns, &why), &why);
}

/* Timestamps that the ServerHello has for the certificate, before TLS 1.3: it follows the client's. */
static struct slice server_scts(const struct verifying *x)
{
    const struct place *p = &x->v->hello;
    struct slice after = slice_sub(buf_slice(&x->v->messages), p->at + p->len, SIZE_MAX);
    if (x->side != SERVER || slice_u8(&after) != MSG_SERVER_HELLO)
        return (struct slice){.failed = true};
    struct hello hello = hello_read(slice_take(&after, slice_u24(&after)), false);
    return hello_extension(hello.extensions, EXT_SCT);
}

static void check_scts(struct verifying *x, const struct certificates *c)
{
    WHY(why);
    struct buf embedded = {.ceiling = 65536};
    struct sct_subject subject = {.chain = &c->chain, .log_key = slice_empty()};
    struct slice list = hello_extension(c->extensions, EXT_SCT);
    if (!verify_wants(x, VERIFY_SCT))
        return;
    if (list.failed && x->r->session->version != VERSION_TLS13)
        list = server_scts(x);
    if (list.failed) {
        list = verify_embedded_scts(&c->chain, &embedded);
        subject.embedded = true;
    }
    if (list.len > 0)
        verify_found(x, VERIFY_SCT, verify_scts(&subject, list, x->r->d->packet->time_ns, &why),
                     &why);
    buf_free(&embedded);
}

static void check_chain(struct verifying *x, const struct certificates *c)
{
    WHY(chain);
    WHY(dates);
    WHY(host);
    if (verify_wants(x, VERIFY_CHAIN))
        verify_found(x, VERIFY_CHAIN, verify_chain(&c->chain, &chain), &chain);
    if (verify_wants(x, VERIFY_DATES))
        verify_found(x, VERIFY_DATES, verify_dates(&c->chain, x->r->d->packet->time_ns, &dates),
                     &dates);
    if (x->side == SERVER && verify_wants(x, VERIFY_HOST_NAME))
        verify_found(x, VERIFY_HOST_NAME, verify_host(&c->chain, host_of(x), &host), &host);
}

/* The Certificate message that was compressed (RFC 8879 4); empty when it cannot be had. */
static struct slice expanded(struct verifying *x)
{
    struct slice body = x->body;
    uint16_t algorithm = slice_u16(&body);
    uint32_t size = slice_u24(&body), made = 0;
    struct slice packed = slice_take(&body, slice_u24(&body));
    uint32_t most = expand_most((uint32_t)packed.len);
    uint8_t *out = body.failed ? NULL : arena_alloc(x->r->tools->plaintext, most);
    bool done = out && x->r->tools->expander &&
                expand(x->r->tools->expander, algorithm, packed, out, &made) == EXPAND_DONE;
    return done && made == size ? slice_of(out, made) : slice_empty();
}

void verify_certificates(struct verifying *x)
{
    struct slice body = x->type == MSG_COMPRESSED_CERTIFICATE ? expanded(x) : x->body;
    bool is_13 = x->r->session->version == VERSION_TLS13, raw = false;
    x->v->compressed[x->side] = x->type == MSG_COMPRESSED_CERTIFICATE && body.len == 0;
    x->v->certificate[x->side] = true;
    if (x->v->compressed[x->side])
        return;
    struct certificates c = read_certificates(body, is_13);
    verify_key_free(x->v->keys[x->side]);
    x->v->keys[x->side] = NULL;
    if (c.broken) {
        verify_tell(x, VERIFY_CHAIN, VERDICT_FAILED, "the list of certificates is broken");
        return;
    }
    if (c.chain.count == 0)
        return; /* a client that has none */
    x->v->keys[x->side] = verify_key(c.chain.certificates[0], &raw);
    if (raw) {
        verify_tell(x, VERIFY_CHAIN, VERDICT_UNCHECKABLE, "a raw public key: there is no chain");
        return;
    }
    check_chain(x, &c);
    struct slice status = hello_extension(c.extensions, EXT_STATUS_REQUEST);
    if (!status.failed)
        check_ocsp(x, &c.chain, status);
    check_scts(x, &c);
}

void verify_certificate_status(struct verifying *x)
{
    const struct place *p = &x->v->certificates;
    struct slice body = slice_sub(buf_slice(&x->v->messages), p->at, p->len);
    struct certificates c = read_certificates(body, false);
    check_ocsp(x, &c.chain, x->body);
}
