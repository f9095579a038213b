/* SSL 2.0: records with a header of two or three bytes, and the messages that go in the clear.
 *
 * What is left of it in the world is the hello in its form by which old clients offer SSL 3.0 and TLS
 * (RFC 5246 E.2), and servers that were never turned off. */
#include "dissect/walk.h"
#include "stream/tls_session.h"
#include "stream/tls_verify.h"

enum { SSL2_CLIENT_HELLO = 1, SSL2_CLIENT_MASTER_KEY = 2, SSL2_SERVER_HELLO = 4 };

/* Types that a PCT or SSL 2.0 message in the clear begins with; PCT's are not read any further. */
static bool is_ssl2_type(uint8_t type)
{
    return type <= SSL2_CLIENT_MASTER_KEY || type == SSL2_SERVER_HELLO || type == 3 || type == 6;
}

bool ssl2_looks(struct slice s)
{
    return s.len >= 3 && slice_at(s, 0) >= 0x80 && is_ssl2_type(slice_at(s, 2));
}

static uint32_t header_size(uint8_t first)
{
    return first & 0x80 ? 2 : 3;
}

uint32_t ssl2_size(struct slice s)
{
    uint8_t first = slice_at(s, 0), mask = first & 0x80 ? 0x7f : 0x3f;
    uint32_t length = (uint32_t)(first & mask) << 8 | slice_at(s, 1);
    return s.len < 3 ? 0 : header_size(first) + length;
}

static bool is_version(uint16_t version)
{
    return version == VERSION_SSL2 || (version >= VERSION_SSL3 && version <= VERSION_TLS12);
}

/* Whether a message of LENGTH bytes in the clear can begin with S; what else has its type is encrypted. */
static bool is_plain(struct slice s, uint32_t length)
{
    uint8_t type = slice_u8(&s);
    if (type == SSL2_CLIENT_HELLO)
        return is_version(slice_u16(&s));
    if (type == SSL2_CLIENT_MASTER_KEY) {
        slice_skip(&s, 3);
        return slice_u16(&s) + (uint32_t)slice_u16(&s) + slice_u16(&s) <= length;
    }
    slice_skip(&s, 2);
    return type == SSL2_SERVER_HELLO && is_version(slice_u16(&s));
}

/* LEN bytes as one item. */
static void bytes(struct walk *w, enum field_id field, uint64_t len)
{
    if (len > w->end - w->at)
        w->failed = true;
    if (len == 0 || w->failed)
        return;
    tape_add(w->tape, field, w->source, w->at, (uint32_t)len, 0, 0);
    w->at += (uint32_t)len;
}

static void specs(struct walk *w, uint64_t len)
{
    uint32_t end = w->at + (uint32_t)len, at;
    if (len > w->end - w->at)
        w->failed = true;
    if (w->failed)
        return;
    at = tape_open(w->tape, F_ssl2_cipherspecs, w->source, w->at, (uint32_t)len, 0, 0);
    while (end - w->at >= 3)
        walk_number(w, F_ssl2_cipherspec, 3, NULL);
    tape_close(w->tape, at);
    w->at = end;
}

/* The challenge stands for the client random, zeros before it (RFC 5246 E.2). */
static void follow_client(struct tls_reader *r, struct slice challenge)
{
    struct tls_session *s = r->session;
    size_t len = challenge.len < sizeof s->client_random ? challenge.len : sizeof s->client_random;
    s->client = (int8_t)r->d->tcp.direction;
    memset(s->client_random, 0, sizeof s->client_random);
    s->has_client_random =
        slice_read(&challenge, s->client_random + sizeof s->client_random - len, len);
}

static void client_hello(struct tls_reader *r, struct walk *w)
{
    uint64_t spec_len = 0, id_len = 0, challenge_len = 0;
    walk_number(w, F_tls_handshake_version, 2, NULL);
    walk_number(w, F_ssl2_cipher_spec_len, 2, &spec_len);
    walk_number(w, F_ssl2_session_id_length, 2, &id_len);
    walk_number(w, F_ssl2_challenge_length, 2, &challenge_len);
    specs(w, spec_len);
    bytes(w, F_tls_handshake_session_id, id_len);
    struct slice challenge = slice_sub(w->bytes, w->at, challenge_len);
    bytes(w, F_ssl2_challenge, challenge_len);
    if (!w->failed)
        follow_client(r, challenge);
}

static void client_master_key(struct tls_reader *r, struct walk *w)
{
    uint64_t clear = 0, encrypted = 0, argument = 0;
    walk_number(w, F_ssl2_cipherspec, 3, NULL);
    walk_number(w, F_ssl2_clear_key_length, 2, &clear);
    walk_number(w, F_ssl2_encrypted_key_length, 2, &encrypted);
    walk_number(w, F_ssl2_key_arg_length, 2, &argument);
    bytes(w, F_ssl2_clear_key_data, clear);
    bytes(w, F_ssl2_encrypted_key, encrypted);
    bytes(w, F_ssl2_key_arg, argument);
    if (!r->session->version)
        r->session->version = VERSION_SSL2;
}

static void server_hello(struct tls_reader *r, struct walk *w)
{
    uint64_t version = 0, certificate_len = 0, spec_len = 0, id_len = 0;
    walk_number(w, F_ssl2_session_id_hit, 1, NULL);
    walk_number(w, F_ssl2_cert_type, 1, NULL);
    walk_number(w, F_tls_handshake_version, 2, &version);
    walk_number(w, F_ssl2_certificate_length, 2, &certificate_len);
    walk_number(w, F_ssl2_cipher_spec_len, 2, &spec_len);
    walk_number(w, F_ssl2_connection_id_length, 2, &id_len);
    if (certificate_len > w->end - w->at)
        w->failed = true;
    if (certificate_len > 0 && !w->failed) {
        uint32_t end = w->end;
        w->end = w->at + (uint32_t)certificate_len;
        walk_call(w, CALL_certificate);
        w->end = end;
    }
    specs(w, spec_len);
    bytes(w, F_ssl2_connection_id, id_len);
    if (!r->session->version)
        r->session->version = VERSION_SSL2;
}

void ssl2_record(struct tls_reader *r, uint32_t size)
{
    static void (*const messages[])(struct tls_reader *,
                                    struct walk *) = {[SSL2_CLIENT_HELLO] = client_hello,
                                                      [SSL2_CLIENT_MASTER_KEY] = client_master_key,
                                                      [SSL2_SERVER_HELLO] = server_hello};
    struct tape *t = &r->d->tape;
    uint8_t first = slice_at(r->bytes, r->at);
    uint32_t header = header_size(first), body = r->at + header, length = size - header;
    uint8_t type = slice_at(r->bytes, body);
    bool plain = length > 0 && is_plain(slice_sub(r->bytes, body, length), length);
    const char *name = plain ? registry_compat(REG_SSLV2_MESSAGE_TYPES, type) : "Encrypted Data";
    r->d->columns.protocol = "SSLv2";
    tls_info(r, (struct info_item){.kind = INFO_TEXT, .text = name});
    uint32_t item = tape_open(t, F_tls_record, r->source, r->at, size, 0, 0);
    TLS_NOTE(t, item, "SSLv2 Record Layer: ", name);
    tape_add(t, F_tls_record_version, r->source, r->at, 0, VERSION_SSL2, EVENT_GENERATED);
    if (plain) {
        struct walk w = {.tape = t,
                         .bytes = r->bytes,
                         .protocols = r->tools->protocols,
                         .at = body,
                         .end = body + length,
                         .source = r->source};
        tape_add(t, F_tls_record_length, r->source, r->at, header, length, 0);
        if (header == 3) {
            tape_add(t, F_ssl2_record_is_escape, r->source, r->at, 1, first >> 6 & 1, 0);
            tape_add(t, F_tls_record_padding_length, r->source, r->at + 2, 1,
                     slice_at(r->bytes, r->at + 2), 0);
        }
        walk_number(&w, F_ssl2_type, 1, NULL);
        messages[type](r, &w);
        r->failed |= w.failed;
        if (type == SSL2_CLIENT_HELLO)
            tls_verify_old_hello(r, slice_sub(r->bytes, body, length));
    }
    tape_close(t, item);
    r->at += size;
}
