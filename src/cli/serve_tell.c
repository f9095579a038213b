#include "cli/serve_tell.h"

#include "base/buf.h"
#include "cli/common.h"

#include <openssl/crypto.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put_line(uint64_t id, const char *label, const char *value)
{
    fprintf(stderr, "#%llu %s: ", (unsigned long long)id, label);
    common_put_escaped(stderr, value);
    fputc('\n', stderr);
}

static void put_ciphers(uint64_t id, SSL *ssl)
{
    struct buf text = {.ceiling = 16384};
    STACK_OF(SSL_CIPHER) *offered = SSL_get_client_ciphers(ssl);
    for (int i = 0; i < sk_SSL_CIPHER_num(offered); i++) {
        if (i > 0)
            buf_char(&text, ':');
        buf_str(&text, SSL_CIPHER_get_name(sk_SSL_CIPHER_value(offered, i)));
    }
    buf_char(&text, '\0');
    if (text.len > 1)
        put_line(id, "Client cipher list", (const char *)text.data);
    buf_free(&text);
}

static void put_peer(const struct endpoint_report *r, SSL *ssl)
{
    int digest = 0, type = 0;
    if (!r->peer_name[0]) {
        fprintf(stderr, "#%llu No peer certificate\n", (unsigned long long)r->id);
        return;
    }
    put_line(r->id, "Peer certificate", r->peer_name);
    if (SSL_get_peer_signature_nid(ssl, &digest))
        put_line(r->id, "Hash used", OBJ_nid2sn(digest));
    if (SSL_get_peer_signature_type_nid(ssl, &type))
        put_line(r->id, "Signature type", OBJ_nid2sn(type));
    put_line(r->id, "Verification", r->verified ? "OK" : r->verify_result);
}

void serve_tell_brief(const struct endpoint_report *r, struct ssl_st *ssl)
{
    put_line(r->id, "Protocol version", r->version);
    put_ciphers(r->id, ssl);
    put_line(r->id, "Ciphersuite", r->cipher);
    put_peer(r, ssl);
    if (r->group[0])
        put_line(r->id, "Group", r->group);
    if (r->server_name[0])
        put_line(r->id, "Server name", r->server_name);
    if (r->alpn[0])
        put_line(r->id, "ALPN protocol selected", r->alpn);
    put_line(r->id, "Session", r->resumed ? "reused" : "new");
}

void serve_tell_bytes(uint64_t id, enum endpoint_direction direction, struct slice bytes)
{
    fprintf(stderr, "#%llu %s %zu bytes\n", (unsigned long long)id,
            direction == ENDPOINT_SENT ? "write" : "read", bytes.len);
    BIO_dump_fp(stderr, bytes.data, (int)bytes.len);
}

void serve_tell_exported(uint64_t id, struct ssl_st *ssl, const char *label, unsigned len)
{
    unsigned char *secret = malloc(len);
    struct buf text = {.ceiling = 16384};
    if (!secret ||
        SSL_export_keying_material(ssl, secret, len, label, strlen(label), NULL, 0, 0) != 1) {
        put_line(id, "Keying material", "OpenSSL exports none");
    } else {
        buf_hex_bytes(&text, slice_of(secret, len), '\0');
        buf_char(&text, '\0');
        put_line(id, "Keying material exporter label", label);
        fprintf(stderr, "#%llu Keying material: %s\n", (unsigned long long)id,
                (const char *)text.data);
    }
    if (secret)
        OPENSSL_cleanse(secret, len);
    free(secret);
    buf_wipe(&text);
}
