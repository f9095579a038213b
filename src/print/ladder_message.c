/* What matters of each handshake message. */
#include "dissect/x509.h"
#include "print/ladder_private.h"

#define HELLO_RETRY 0xcf21ad74u /* first bytes of the random (RFC 9846 4.1.3) */
#define SHOWN_NAMES 4           /* of a list; the rest is a number */
#define NAME_WIDTH  64          /* columns of a name from the wire */

/* ---- words ---- */

static struct buf *text_of(struct reader *r)
{
    return &r->connection->text;
}

static void end_item(struct reader *r)
{
    buf_char(text_of(r), ITEM_END);
}

static void put_item(struct reader *r, const char *text)
{
    buf_str(text_of(r), text);
    end_item(r);
}

static struct piece piece_from(const struct connection *c, size_t start)
{
    return (struct piece){(uint32_t)start, (uint32_t)(c->text.len - start)};
}

/* Values that stand for nothing, to keep servers tolerant (RFC 8701). */
static bool is_grease(uint64_t value)
{
    return (value & 0x0f0f) == 0x0a0a && value >> 8 == (value & 0xff);
}

/* ---- the tape ---- */

/* The next event of FIELD from AT on; TAPE_NONE. */
static uint32_t next(const struct reader *r, uint32_t at, enum field_id field)
{
    for (; at < r->to; at++)
        if (r->tape->events[at].field == field)
            return at;
    return TAPE_NONE;
}

static const struct event *find(const struct reader *r, enum field_id field)
{
    uint32_t at = next(r, r->from, field);
    return at == TAPE_NONE ? NULL : &r->tape->events[at];
}

static bool number(const struct reader *r, enum field_id field, uint16_t *value)
{
    const struct event *e = find(r, field);
    if (e)
        *value = (uint16_t)e->value;
    return e != NULL;
}

static bool has_extension(const struct reader *r, uint16_t type)
{
    for (uint32_t at = next(r, r->from, F_tls_handshake_extension_type); at != TAPE_NONE;
         at = next(r, at + 1, F_tls_handshake_extension_type))
        if (r->tape->events[at].value == type)
            return true;
    return false;
}

static unsigned count(const struct reader *r, enum field_id field)
{
    unsigned n = 0;
    for (uint32_t at = next(r, r->from, field); at != TAPE_NONE; at = next(r, at + 1, field))
        n += !is_grease(r->tape->events[at].value);
    return n;
}

/* "TLS 1.3", or "1.3" where it is clear. */
static void list_version(struct buf *out, uint16_t version, bool later)
{
    size_t start = out->len;
    ladder_version(out, version);
    if (!later || !slice_is(slice_sub(buf_slice(out), start, 4), "TLS "))
        return;
    out->len = start;
    buf_printf(out, "1.%u", version - 0x0301u);
}

/* One item: LABEL and the names of all events of FIELD; returns it.  Nothing when there are none. */
static struct piece list(struct reader *r, const char *label, enum field_id field,
                         enum registry registry)
{
    struct buf *out = text_of(r);
    size_t start = out->len;
    unsigned total = count(r, field), shown = 0;
    if (total == 0)
        return piece_from(r->connection, start);
    buf_str(out, label);
    for (uint32_t at = next(r, r->from, field); at != TAPE_NONE; at = next(r, at + 1, field)) {
        const struct event *e = &r->tape->events[at];
        if (is_grease(e->value))
            continue;
        if (shown == SHOWN_NAMES && total > SHOWN_NAMES + 1) {
            buf_printf(out, " +%u", total - shown);
            break;
        }
        buf_str(out, shown > 0 ? ", " : *label ? " " : "");
        shown++;
        if (registry == REG_VERSIONS)
            list_version(out, (uint16_t)e->value, shown > 1);
        else if (registry != REG_NONE)
            ladder_name(out, registry, (uint16_t)e->value);
        else
            ladder_escape(out, event_bytes(r->tape, e), NAME_WIDTH, r->ladder->options.ascii);
    }
    end_item(r);
    return piece_from(r->connection, start);
}

/* ---- hellos ---- */

static void session_id(struct reader *r)
{
    struct connection *c = r->connection;
    const struct event *e = find(r, F_tls_handshake_session_id);
    struct slice id = e ? event_bytes(r->tape, e) : slice_empty();
    id = slice_sub(id, 0, sizeof c->session_id);
    c->session_id_len = (uint8_t)id.len;
    for (size_t i = 0; i < id.len; i++)
        c->session_id[i] = slice_at(id, i);
}

/* Whether the hello asks to resume, and by what. */
static void resumption(struct reader *r)
{
    const struct event *e = NULL;
    unsigned identities = count(r, F_tls_handshake_extensions_psk_identity_obfuscated_ticket_age);
    for (uint32_t at = next(r, r->from, F_tls_handshake_extension_type); at != TAPE_NONE;
         at = next(r, at + 1, F_tls_handshake_extension_type))
        if (r->tape->events[at].value == 35) /* session_ticket (RFC 5077 3.2) */
            e = &r->tape->events[at];
    uint32_t at =
        e ? next(r, (uint32_t)(e - r->tape->events), F_tls_handshake_extension_len) : TAPE_NONE;
    bool offers_13 = find(r, F_tls_handshake_extensions_key_share_client_length) != NULL;
    if (identities > 0)
        put_item(r, has_extension(r, 42) ? "resumes by PSK, sends early data" : "resumes by PSK");
    else if (at != TAPE_NONE && r->tape->events[at].value > 0)
        put_item(r, "resumes by ticket");
    else if (r->connection->session_id_len > 0 && !offers_13)
        put_item(r, "resumes by session ID");
}

static void client_hello(struct reader *r, struct rung *rung)
{
    struct connection *c = r->connection;
    struct buf *out = text_of(r);
    (void)rung;
    c->hello_time = c->hello ? c->hello_time : r->time;
    c->hello = true;
    c->client = (uint8_t)r->end;
    session_id(r);
    uint16_t version = 0;
    if (count(r, F_tls_handshake_extensions_supported_version) > 0) {
        list(r, "offers", F_tls_handshake_extensions_supported_version, REG_VERSIONS);
    } else if (number(r, F_tls_handshake_version, &version)) {
        buf_str(out, "offers ");
        ladder_version(out, version);
        buf_str(out, " at most");
        end_item(r);
    }
    buf_printf(out, "%u suites", count(r, F_tls_handshake_ciphersuite));
    end_item(r);
    list(r, "groups", F_tls_handshake_extensions_supported_group, REG_SUPPORTED_GROUPS);
    list(r, "key share", F_tls_handshake_extensions_key_share_group, REG_SUPPORTED_GROUPS);
    c->server_name = list(r, "SNI", F_tls_handshake_extensions_server_name, REG_NONE);
    if (c->server_name.len == 0)
        put_item(r, "no SNI");
    list(r, "ALPN", F_tls_handshake_extensions_alpn_str, REG_NONE);
    resumption(r);
}

static void retry_request(struct reader *r, struct rung *rung)
{
    rung->name = "HelloRetryRequest";
    r->connection->retried = true;
    list(r, "asks for a key share of", F_tls_handshake_extensions_key_share_selected_group,
         REG_SUPPORTED_GROUPS);
    if (has_extension(r, 44))
        put_item(r, "with a cookie");
}

static bool echoes_session(const struct reader *r)
{
    const struct connection *c = r->connection;
    const struct event *e = find(r, F_tls_handshake_session_id);
    return e && c->session_id_len > 0 &&
           slice_equal(event_bytes(r->tape, e), slice_of(c->session_id, c->session_id_len));
}

static void server_hello(struct reader *r, struct rung *rung)
{
    struct connection *c = r->connection;
    struct buf *out = text_of(r);
    const struct event *random = find(r, F_tls_handshake_random);
    struct slice magic = random ? event_bytes(r->tape, random) : slice_empty();
    if (c->client == NOBODY)
        c->client = (uint8_t)(1 - r->end);
    if (!number(r, F_tls_handshake_extensions_supported_version, &c->version))
        number(r, F_tls_handshake_version, &c->version);
    if (slice_u32(&magic) == HELLO_RETRY) {
        retry_request(r, rung);
        return;
    }
    c->server_hello = true;
    buf_str(out, "picks ");
    ladder_version(out, c->version);
    end_item(r);
    if (number(r, F_tls_handshake_ciphersuite, &c->suite))
        list(r, "", F_tls_handshake_ciphersuite, REG_CIPHER_SUITES);
    c->named_group |= number(r, F_tls_handshake_extensions_key_share_group, &c->group);
    list(r, "", F_tls_handshake_extensions_key_share_group, REG_SUPPORTED_GROUPS);
    c->psk_taken = find(r, F_tls_handshake_extensions_psk_identity_selected) != NULL;
    c->session_echoed = c->version < TLS13 && echoes_session(r);
    if (c->psk_taken || c->session_echoed)
        put_item(r, c->psk_taken ? "resumed by PSK" : "resumed");
    c->alpn = list(r, "ALPN", F_tls_handshake_extensions_alpn_str, REG_NONE);
}

static void encrypted_extensions(struct reader *r, struct rung *rung)
{
    (void)rung;
    r->connection->alpn = list(r, "ALPN", F_tls_handshake_extensions_alpn_str, REG_NONE);
    if (has_extension(r, 42))
        put_item(r, "takes early data");
}

/* ---- certificates ---- */

/* How many names the certificate before event TO is for (RFC 5280 4.2.1.6). */
static bool alternative_names(const struct reader *r, uint32_t at, uint32_t to, uint64_t *names)
{
    bool here = false;
    for (; at < to; at++) {
        const struct event *e = &r->tape->events[at];
        if (e->field == F_x509af_extension_id)
            here = slice_is(event_bytes(r->tape, e), "\x55\x1d\x11"); /* 2.5.29.17 */
        *names = e->value;
        if (here && e->field == F_x509ce_GeneralNames)
            return true;
    }
    return false;
}

static void put_name(struct reader *r, const char *label, const char *name)
{
    buf_str(text_of(r), label);
    ladder_escape(text_of(r), slice_of_str(name), NAME_WIDTH, r->ladder->options.ascii);
    end_item(r);
}

static void certificate(struct reader *r, struct rung *rung)
{
    struct connection *c = r->connection;
    struct buf *out = text_of(r);
    uint32_t at = next(r, r->from, F_tls_handshake_certificate);
    unsigned chain = 0;
    for (uint32_t i = at; i != TAPE_NONE; i = next(r, i + 1, F_tls_handshake_certificate))
        chain++;
    struct x509_facts facts;
    if (at == TAPE_NONE) {
        put_item(r, "none");
        return;
    }
    if (!x509_read(event_bytes(r->tape, &r->tape->events[at]), &facts)) {
        put_item(r, "cannot be read");
        return;
    }
    if (facts.subject[0])
        put_name(r, "CN=", facts.subject);
    else
        put_item(r, "no name");
    put_name(r, "", facts.key);
    if (facts.self_issued)
        put_item(r, "self-signed");
    else
        put_name(r, "signed by ", facts.issuer);
    if (r->end != c->client && c->certificate.len == 0)
        c->certificate = piece_from(c, rung->details.start);
    uint64_t names = 0;
    uint32_t end = next(r, at + 1, F_tls_handshake_certificate);
    if (alternative_names(r, at + 1, end == TAPE_NONE ? r->to : end, &names))
        buf_printf(out, "%llu SAN%c", (unsigned long long)names, ITEM_END);
    if (chain > 1)
        buf_printf(out, "chain of %u%c", chain, ITEM_END);
}

static void compressed_certificate(struct reader *r, struct rung *rung)
{
    uint16_t length = 0;
    (void)rung;
    list(r, "", F_tls_compress_certificate_algorithm, REG_CERTIFICATE_COMPRESSION);
    if (number(r, F_tls_compress_certificate_uncompressed_length, &length))
        buf_printf(text_of(r), "%u B unpacked%c", length, ITEM_END);
}

static void certificate_request(struct reader *r, struct rung *rung)
{
    (void)rung;
    put_item(r, "asks for the client's certificate");
}

/* ---- keys and proofs ---- */

static void scheme(struct reader *r)
{
    uint16_t value;
    if (!number(r, F_tls_handshake_sig_hash_alg, &value))
        return;
    if (r->end != r->connection->client)
        r->connection->scheme = value;
    list(r, "", F_tls_handshake_sig_hash_alg, REG_SIGNATURE_SCHEMES);
}

static void certificate_verify(struct reader *r, struct rung *rung)
{
    (void)rung;
    scheme(r);
}

static void server_key_exchange(struct reader *r, struct rung *rung)
{
    struct connection *c = r->connection;
    const struct event *prime = find(r, F_tls_handshake_p);
    (void)rung;
    c->named_group |= number(r, F_tls_handshake_server_named_curve, &c->group);
    list(r, "", F_tls_handshake_server_named_curve, REG_SUPPORTED_GROUPS);
    if (prime)
        buf_printf(text_of(r), "DH %u bits%c", prime->length * 8, ITEM_END);
    scheme(r);
}

static void client_key_exchange(struct reader *r, struct rung *rung)
{
    (void)rung;
    if (find(r, F_tls_handshake_epms_len))
        put_item(r, "RSA-encrypted secret");
    else if (find(r, F_tls_handshake_client_point_len))
        put_item(r, "ECDHE public key");
    else if (find(r, F_tls_handshake_yc_len))
        put_item(r, "DHE public key");
    else if (find(r, F_tls_handshake_identity_len))
        put_item(r, "PSK identity");
}

static void server_hello_done(struct reader *r, struct rung *rung)
{
    (void)rung;
    r->connection->server_done = true;
}

static void ticket(struct reader *r, struct rung *rung)
{
    const struct event *e = find(r, F_tls_handshake_session_ticket_lifetime_hint);
    (void)rung;
    if (e)
        buf_printf(text_of(r), "good for %u s%c", (unsigned)e->value, ITEM_END);
    e = find(r, F_tls_early_data_max_early_data_size);
    if (e)
        buf_printf(text_of(r), "early data up to %u B%c", (unsigned)e->value, ITEM_END);
}

static void key_update(struct reader *r, struct rung *rung)
{
    const struct event *e = find(r, F_tls_handshake_key_update_request_update);
    (void)rung;
    if (e && e->value == 1)
        put_item(r, "asks for the same");
}

/* ---- the table ---- */

struct message {
    uint8_t type;
    bool repeats; /* neighbours become one rung */
    const char *name;
    void (*describe)(struct reader *r, struct rung *rung);
};

static const struct message messages[] = {
    {0, true, "HelloRequest", NULL},
    {1, false, "ClientHello", client_hello},
    {2, false, "ServerHello", server_hello},
    {4, true, "NewSessionTicket", ticket},
    {5, false, "EndOfEarlyData", NULL},
    {8, false, "EncryptedExtensions", encrypted_extensions},
    {11, false, "Certificate", certificate},
    {12, false, "ServerKeyExchange", server_key_exchange},
    {13, false, "CertificateRequest", certificate_request},
    {14, false, "ServerHelloDone", server_hello_done},
    {15, false, "CertificateVerify", certificate_verify},
    {16, false, "ClientKeyExchange", client_key_exchange},
    {20, false, "Finished", NULL},
    {22, false, "CertificateStatus", NULL},
    {24, true, "KeyUpdate", key_update},
    {25, false, "CompressedCertificate", compressed_certificate},
    {67, false, "NextProtocol", NULL},
};

void ladder_message(struct reader *r, uint8_t type, struct rung *rung)
{
    struct connection *c = r->connection;
    rung->name = "handshake message";
    rung->details.start = (uint32_t)c->text.len;
    const struct message *m = NULL;
    for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++)
        if (messages[i].type == type)
            m = &messages[i];
    if (!m) {
        buf_printf(&c->text, "of unknown type %u%c", type, ITEM_END);
    } else {
        rung->name = m->name;
        rung->key = m->repeats ? (uint16_t)(KEY_MESSAGE + type) : 0;
        if (m->describe)
            m->describe(r, rung);
    }
    rung->details = piece_from(c, rung->details.start);
}

void ladder_message_want(uint8_t *want)
{
    static const uint16_t wanted[] = {
        F_tls_handshake_version,
        F_tls_handshake_random,
        F_tls_handshake_session_id,
        F_tls_handshake_ciphersuite,
        F_tls_handshake_extension_type,
        F_tls_handshake_extension_len,
        F_tls_handshake_extensions_supported_version,
        F_tls_handshake_extensions_supported_group,
        F_tls_handshake_extensions_key_share_client_length,
        F_tls_handshake_extensions_key_share_group,
        F_tls_handshake_extensions_key_share_selected_group,
        F_tls_handshake_extensions_server_name,
        F_tls_handshake_extensions_alpn_str,
        F_tls_handshake_extensions_psk_identity_obfuscated_ticket_age,
        F_tls_handshake_extensions_psk_identity_selected,
        F_tls_handshake_certificate,
        F_x509af_extension_id,
        F_x509ce_GeneralNames,
        F_tls_compress_certificate_algorithm,
        F_tls_compress_certificate_uncompressed_length,
        F_tls_handshake_sig_hash_alg,
        F_tls_handshake_server_named_curve,
        F_tls_handshake_p,
        F_tls_handshake_epms_len,
        F_tls_handshake_client_point_len,
        F_tls_handshake_yc_len,
        F_tls_handshake_identity_len,
        F_tls_handshake_session_ticket_lifetime_hint,
        F_tls_early_data_max_early_data_size,
        F_tls_handshake_key_update_request_update,
    };
    want_fields(want, wanted, sizeof wanted / sizeof wanted[0]);
}
