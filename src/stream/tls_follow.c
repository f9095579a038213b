/* What the messages of a handshake mean for the records that follow them. */
#include "stream/tls_session.h"

enum {
    CLIENT_HELLO = 1,
    SERVER_HELLO,
    END_OF_EARLY_DATA = 5,
    ENCRYPTED_EXTENSIONS = 8,
    CERTIFICATE = 11,
    SERVER_HELLO_DONE = 14,
    FINISHED = 20,
    KEY_UPDATE = 24
};

/* Extension types (RFC 9846 4.2, RFC 7301, RFC 7366, RFC 7627). */
enum {
    TRUNCATED_HMAC = 4,
    CERTIFICATE_TYPE = 9,
    ALPN = 16,
    CLIENT_CERTIFICATE_TYPE = 19,
    SERVER_CERTIFICATE_TYPE = 20,
    ENCRYPT_THEN_MAC = 22,
    EXTENDED_MASTER_SECRET = 23,
    EARLY_DATA = 42,
    SUPPORTED_VERSIONS = 43
};

bool tls_is_version(uint16_t version)
{
    return (version >= VERSION_SSL3 && version <= VERSION_TLS13) || version == VERSION_TLCP;
}

uint16_t tls_version_of(uint16_t version)
{
    bool draft = version >> 8 == 0x7f || version == 0xfb17 || version == 0xfb1a;
    return draft ? VERSION_TLS13 : version;
}

/* The number of a draft whose records differ from the standard's (RFC 9846, and two numbers of Facebook's). */
static uint8_t draft_of(uint16_t version)
{
    return (uint8_t)(version >> 8 == 0x7f ? version
                     : version == 0xfb17  ? 23
                     : version == 0xfb1a  ? 26
                                          : 0);
}

/* Names as shown for data that a record of a known protocol carries. */
static const struct {
    const char *alpn, *name;
    uint8_t inside; /* enum tls_inside */
} applications[] = {
    {"http/1.0", "Hypertext Transfer Protocol", TLS_INSIDE_HTTP1},
    {"http/1.1", "Hypertext Transfer Protocol", TLS_INSIDE_HTTP1},
    {"h2", "HyperText Transfer Protocol 2", TLS_INSIDE_HTTP2},
    {"imap", "Internet Message Access Protocol", TLS_INSIDE_OTHER},
    {"pop3", "Post Office Protocol", TLS_INSIDE_OTHER},
};

static void follow_alpn(struct tls_session *s, struct slice value)
{
    slice_skip(&value, 2);
    struct slice name = slice_take(&value, slice_u8(&value));
    if (name.len > 0)
        s->inside = TLS_INSIDE_OTHER;
    for (size_t i = 0; i < sizeof applications / sizeof applications[0]; i++)
        if (slice_is(name, applications[i].alpn)) {
            s->application = applications[i].name;
            s->inside = applications[i].inside;
        }
}

/* Takes a version that the server chose; one that nobody knows changes nothing. */
static void follow_version(struct tls_session *s, uint16_t chosen)
{
    uint16_t version = tls_version_of(chosen);
    if (tls_is_version(version))
        s->version = version;
    s->draft = draft_of(chosen);
}

/* VERSION gets what the extension supported_versions of a server says. */
static void follow_extensions(struct tls_session *s, bool server, struct slice body,
                              uint16_t *version)
{
    /* What there is: the packet may have been cut. */
    uint16_t len = slice_u16(&body);
    struct slice extensions = slice_sub(body, 0, len);
    while (extensions.len > 0) {
        uint16_t type = slice_u16(&extensions);
        struct slice value = slice_take(&extensions, slice_u16(&extensions));
        if (type == EARLY_DATA && !server)
            s->asks_early_data = true;
        if (!server)
            continue;
        if (type == SUPPORTED_VERSIONS)
            *version = slice_u16(&value);
        else if (type == ALPN)
            follow_alpn(s, value);
        else if (type == CERTIFICATE_TYPE)
            s->certificate_types[0] = s->certificate_types[1] = slice_u8(&value);
        else if (type == SERVER_CERTIFICATE_TYPE)
            s->certificate_types[0] = slice_u8(&value);
        else if (type == CLIENT_CERTIFICATE_TYPE)
            s->certificate_types[1] = slice_u8(&value);
        else if (type == EXTENDED_MASTER_SECRET)
            s->extended_master = true;
        else if (type == TRUNCATED_HMAC)
            s->truncated_hmac = true;
        else if (type == ENCRYPT_THEN_MAC)
            s->encrypt_then_mac = true;
    }
}

static void follow_client(struct tls_reader *r, struct slice body)
{
    struct tls_session *s = r->session;
    s->client = (int8_t)r->d->tcp.direction;
    slice_skip(&body, 2);
    s->has_client_random = slice_read(&body, s->client_random, sizeof s->client_random);
    slice_skip(&body, slice_u8(&body));
    slice_skip(&body, slice_u16(&body));
    slice_skip(&body, slice_u8(&body));
    s->asks_early_data = false;
    follow_extensions(s, false, body, NULL);
    if (s->asks_early_data && r->side->epoch == EPOCH_PLAIN)
        tls_change_keys(r->side, EPOCH_EARLY);
}

/* First bytes of the random of a HelloRetryRequest (RFC 9846 4.1.3). */
#define HELLO_RETRY 0xcf21ad74u

static void follow_server(struct tls_reader *r, struct slice body)
{
    struct tls_session *s = r->session;
    struct tls_side *client = &s->side[!r->d->tcp.direction];
    s->client = !r->d->tcp.direction;
    s->side[0].tried = s->side[1].tried = 0; /* what was sought before this may be found now */
    s->extended_master = s->encrypt_then_mac = s->truncated_hmac = false;
    s->certificate_types[0] = s->certificate_types[1] = CERTIFICATE_X509;
    uint16_t version = slice_u16(&body);
    struct slice random = body;
    s->has_server_random = slice_read(&body, s->server_random, sizeof s->server_random);
    /* Drafts before 22 had neither session ID nor compression here. */
    bool brief = draft_of(version) > 0 && draft_of(version) < 22;
    s->session_id_len = brief ? 0 : slice_u8(&body);
    if (s->session_id_len > sizeof s->session_id ||
        !slice_read(&body, s->session_id, s->session_id_len))
        s->session_id_len = 0;
    s->suite = slice_u16(&body);
    s->bare = suite_is_bare(suite_find(s->suite));
    s->compression = brief ? 0 : slice_u8(&body);
    follow_extensions(s, true, body, &version);
    follow_version(s, version);
    s->abbreviated = s->version != VERSION_TLS13;
    if (s->abbreviated)
        return;
    if (slice_u32(&random) == HELLO_RETRY) {
        tls_change_keys(client, EPOCH_PLAIN);
        return;
    }
    tls_change_keys(r->side, EPOCH_HANDSHAKE);
    if (client->epoch != EPOCH_EARLY)
        tls_change_keys(client, EPOCH_HANDSHAKE);
}

void tls_follow_hello(struct tls_reader *r, uint8_t type, struct slice body)
{
    if (type == CLIENT_HELLO)
        follow_client(r, body);
    else if (type == SERVER_HELLO)
        follow_server(r, body);
    else if (type == ENCRYPTED_EXTENSIONS && r->session->version == VERSION_TLS13)
        follow_extensions(r->session, true, body, &r->session->version);
}

void tls_follow_message(struct tls_reader *r, uint8_t type)
{
    if (type >= CERTIFICATE && type <= SERVER_HELLO_DONE)
        r->session->abbreviated = false;
    if (r->session->version != VERSION_TLS13)
        return;
    /* The Finished of post-handshake authentication (RFC 9846 4.7.2) changes no keys. */
    if (type == FINISHED && r->side->epoch != EPOCH_PLAIN && r->side->epoch != EPOCH_APPLICATION) {
        tls_change_keys(r->side, EPOCH_APPLICATION);
    } else if (type == END_OF_EARLY_DATA) {
        tls_change_keys(r->side, EPOCH_HANDSHAKE);
        r->side->early_ended = true;
    } else if (type == KEY_UPDATE) {
        tls_update_keys(r->side);
    }
}
