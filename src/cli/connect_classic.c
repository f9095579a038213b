/* What openssl s_client prints, for programs that read it: the same lines, in the same order.
 * The master key of a session is a secret and stays out. */
#include "cli/connect.h"

#include "base/buf.h"
#include "cli/common.h"
#include "endpoint/tls_pipe.h"

#include <inttypes.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

/* Names as the tools print them, but nothing that a terminal would act on. */
#define NAME_FLAGS                                                                 \
    (XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB & ~XN_FLAG_SPC_EQ) | XN_FLAG_SPC_EQ | \
        ASN1_STRFLGS_ESC_CTRL

static void put_name(BIO *out, const char *label, const X509_NAME *name)
{
    BIO_puts(out, label);
    X509_NAME_print_ex(out, name, 0, NAME_FLAGS);
    BIO_puts(out, "\n");
}

static void put_time(BIO *out, const char *label, const ASN1_TIME *time)
{
    BIO_puts(out, label);
    ASN1_TIME_print(out, time);
}

static void put_chain(BIO *out, SSL *ssl, bool all)
{
    STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);
    BIO_puts(out, "---\nCertificate chain\n");
    for (int i = 0; i < sk_X509_num(chain); i++) {
        X509 *x509 = sk_X509_value(chain, i);
        EVP_PKEY *key = X509_get0_pubkey(x509);
        BIO_printf(out, "%2d s:", i);
        put_name(out, "", X509_get_subject_name(x509));
        put_name(out, "   i:", X509_get_issuer_name(x509));
        if (key)
            BIO_printf(out, "   a:PKEY: %s, %d (bit); sigalg: %s\n",
                       OBJ_nid2sn(EVP_PKEY_get_base_id(key)), EVP_PKEY_get_bits(key),
                       OBJ_nid2sn(X509_get_signature_nid(x509)));
        put_time(out, "   v:NotBefore: ", X509_get0_notBefore(x509));
        put_time(out, "; NotAfter: ", X509_get0_notAfter(x509));
        BIO_puts(out, "\n");
        if (all)
            PEM_write_bio_X509(out, x509);
    }
}

static void put_certificate(BIO *out, SSL *ssl, bool all)
{
    X509 *x509 = SSL_get0_peer_certificate(ssl);
    BIO_puts(out, "---\n");
    if (!x509) {
        BIO_puts(out, "no peer certificate available\n");
        return;
    }
    BIO_puts(out, "Server certificate\n");
    if (!all)
        PEM_write_bio_X509(out, x509);
    put_name(out, "subject=", X509_get_subject_name(x509));
    put_name(out, "issuer=", X509_get_issuer_name(x509));
}

static void put_ca_names(BIO *out, SSL *ssl)
{
    const STACK_OF(X509_NAME) *names = SSL_get0_peer_CA_list(ssl);
    int count = names ? sk_X509_NAME_num(names) : 0;
    BIO_puts(out, "---\n");
    BIO_puts(out, count ? "Acceptable client certificate CA names\n"
                        : "No client certificate CA names sent\n");
    for (int i = 0; i < count; i++)
        put_name(out, "", sk_X509_NAME_value(names, i));
}

static const char *signature_type(int nid)
{
    switch (nid) {
    case EVP_PKEY_RSA:
        return "RSA";
    case EVP_PKEY_RSA_PSS:
        return "RSA-PSS";
    case EVP_PKEY_DSA:
        return "DSA";
    case EVP_PKEY_EC:
        return "ECDSA";
    default:
        return OBJ_nid2sn(nid);
    }
}

static void put_signature(BIO *out, SSL *ssl, const char *digest, const char *type)
{
    int nid;
    if (SSL_get_peer_signature_nid(ssl, &nid) && nid != NID_undef)
        BIO_printf(out, "%s: %s\n", digest, OBJ_nid2sn(nid));
    if (SSL_get_peer_signature_type_nid(ssl, &nid))
        BIO_printf(out, "%s: %s\n", type, signature_type(nid));
}

static void put_temporary_key(BIO *out, SSL *ssl)
{
    EVP_PKEY *key = NULL;
    char group[80] = "?";
    if (!SSL_get_peer_tmp_key(ssl, &key))
        return;
    BIO_puts(out, "Server Temp Key: ");
    int kind = EVP_PKEY_get_base_id(key);
    if (kind == EVP_PKEY_EC) {
        EVP_PKEY_get_utf8_string_param(key, "group", group, sizeof(group), NULL);
        BIO_printf(out, "ECDH, %s, %d bits\n", group, EVP_PKEY_get_bits(key));
    } else {
        BIO_printf(out, "%s, %d bits\n", kind == EVP_PKEY_DH ? "DH" : OBJ_nid2sn(kind),
                   EVP_PKEY_get_bits(key));
    }
    EVP_PKEY_free(key);
}

static void put_verification(BIO *out, SSL *ssl, bool strict)
{
    long result = SSL_get_verify_result(ssl);
    const char *peer = SSL_get0_peername(ssl);
    if (result == X509_V_OK)
        BIO_puts(out, "Verification: OK\n");
    else if (SSL_get0_peer_certificate(ssl) || strict)
        BIO_printf(out, "Verification error: %s\n", X509_verify_cert_error_string(result));
    if (result == X509_V_OK && peer)
        BIO_printf(out, "Verified peername: %s\n", peer);
}

static void put_status(BIO *out, SSL *ssl)
{
    const unsigned char *bytes = NULL;
    long len = SSL_get_tlsext_status_ocsp_resp(ssl, &bytes);
    BIO_puts(out, "OCSP response: ");
    OCSP_RESPONSE *response = bytes && len > 0 ? d2i_OCSP_RESPONSE(NULL, &bytes, len) : NULL;
    if (!bytes || len <= 0) {
        BIO_puts(out, "no response sent\n");
    } else if (!response) {
        BIO_puts(out, "response parse error\n");
    } else {
        BIO_puts(out, "\n======================================\n");
        OCSP_RESPONSE_print(out, response, 0);
        BIO_puts(out, "======================================\n");
    }
    OCSP_RESPONSE_free(response);
}

static void put_hex(BIO *out, const unsigned char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        BIO_printf(out, "%02X", bytes[i]);
    BIO_puts(out, "\n");
}

static void put_session(BIO *out, SSL *ssl, const SSL_SESSION *session)
{
    unsigned len = 0;
    const unsigned char *id = SSL_SESSION_get_id(session, &len);
    const SSL_CIPHER *cipher = SSL_SESSION_get0_cipher(session);
    bool v3 = SSL_SESSION_get_protocol_version(session) == TLS1_3_VERSION;
    BIO_puts(out, "SSL-Session:\n");
    BIO_printf(out, "    Protocol  : %s\n", SSL_get_version(ssl));
    BIO_printf(out, "    Cipher    : %s\n", cipher ? SSL_CIPHER_get_name(cipher) : "(NONE)");
    BIO_puts(out, "    Session-ID: ");
    put_hex(out, id, len);
    BIO_puts(out, "    Session-ID-ctx: \n");
    BIO_printf(out, "    %s (not shown: use -keylogfile)\n",
               v3 ? "Resumption PSK:" : "Master-Key:");
    BIO_puts(out, "    PSK identity: None\n    PSK identity hint: None\n    SRP username: None\n");
    if (SSL_SESSION_has_ticket(session)) {
        const unsigned char *ticket = NULL;
        size_t ticket_len = 0;
        BIO_printf(out, "    TLS session ticket lifetime hint: %lu (seconds)\n",
                   SSL_SESSION_get_ticket_lifetime_hint(session));
        SSL_SESSION_get0_ticket(session, &ticket, &ticket_len);
        BIO_puts(out, "    TLS session ticket:\n");
        BIO_dump_indent(out, (const char *)ticket, (int)ticket_len, 4);
        BIO_puts(out, "\n");
    }
    BIO_printf(out, "    Start Time: %ld\n", (long)SSL_SESSION_get_time(session));
    BIO_printf(out, "    Timeout   : %ld (sec)\n", (long)SSL_SESSION_get_timeout(session));
    long result = SSL_get_verify_result(ssl);
    BIO_printf(out, "    Verify return code: %ld (%s)\n", result,
               X509_verify_cert_error_string(result));
    BIO_printf(out, "    Extended master secret: %s\n",
               SSL_get_extms_support(ssl) > 0 ? "yes" : "no");
    if (v3)
        BIO_printf(out, "    Max Early Data: %u\n", SSL_SESSION_get_max_early_data(session));
}

static void put_agreed(BIO *out, SSL *ssl)
{
    const SSL_CIPHER *cipher = SSL_get_current_cipher(ssl);
    X509 *x509 = SSL_get0_peer_certificate(ssl);
    EVP_PKEY *key = x509 ? X509_get0_pubkey(x509) : NULL;
    const unsigned char *alpn = NULL;
    unsigned alpn_len = 0;
    static const char *const early[] = {"was not sent", "was rejected", "was accepted"};
    BIO_printf(out, "---\n%s, %s, Cipher is %s\n", SSL_session_reused(ssl) ? "Reused" : "New",
               cipher ? SSL_CIPHER_get_version(cipher) : "(NONE)", SSL_CIPHER_get_name(cipher));
    if (key)
        BIO_printf(out, "Server public key is %d bit\n", EVP_PKEY_get_bits(key));
    BIO_printf(out, "Secure Renegotiation IS%s supported\n",
               SSL_get_secure_renegotiation_support(ssl) ? "" : " NOT");
    BIO_puts(out, "Compression: NONE\nExpansion: NONE\n");
    SSL_get0_alpn_selected(ssl, &alpn, &alpn_len);
    if (alpn_len > 0) {
        struct buf shown = {.ceiling = 2048};
        buf_escaped(&shown, slice_of(alpn, alpn_len));
        BIO_printf(out, "ALPN protocol: %.*s\n", (int)shown.len, (const char *)shown.data);
        buf_free(&shown);
    } else {
        BIO_puts(out, "No ALPN negotiated\n");
    }
    int status = SSL_get_early_data_status(ssl);
    if (SSL_version(ssl) == TLS1_3_VERSION && status >= 0 && status <= 2)
        BIO_printf(out, "Early data %s\n", early[status]);
}

/* ASCII on stdout; what peers chose to call themselves was escaped by OpenSSL (NAME_FLAGS). */
void connect_classic(const struct connecting *c, const struct tls_pipe *tls)
{
    SSL *ssl = tls->ssl;
    BIO *out = BIO_new_fp(stdout, BIO_NOCLOSE);
    if (!out)
        return;
    bool all = c->options.connect.showcerts;
    for (unsigned i = 0; i < tls->problem_count; i++)
        fprintf(stderr, "depth=%d\nverify error:num=%d:%s\n", tls->problems[i].depth,
                tls->problems[i].error, X509_verify_cert_error_string(tls->problems[i].error));
    BIO_puts(out, "CONNECTED(00000003)\n");
    if (c->options.tls.client.status)
        put_status(out, ssl);
    if (SSL_get_peer_cert_chain(ssl))
        put_chain(out, ssl, all);
    put_certificate(out, ssl, all);
    put_ca_names(out, ssl);
    put_signature(out, ssl, "Peer signing digest", "Peer signature type");
    put_temporary_key(out, ssl);
    BIO_printf(out, "---\nSSL handshake has read %" PRIu64 " bytes and written %" PRIu64 " bytes\n",
               c->received, c->sent);
    put_verification(out, ssl, true);
    put_agreed(out, ssl);
    const SSL_SESSION *session = SSL_get0_session(ssl);
    long result = SSL_get_verify_result(ssl);
    if (SSL_version(ssl) != TLS1_3_VERSION && session)
        put_session(out, ssl, session);
    else
        BIO_printf(out, "Verify return code: %ld (%s)\n", result,
                   X509_verify_cert_error_string(result));
    BIO_puts(out, "---\n");
    (void)BIO_flush(out);
    BIO_free(out);
}

void connect_classic_session(SSL *ssl, const SSL_SESSION *session)
{
    BIO *out = SSL_version(ssl) == TLS1_3_VERSION ? BIO_new_fp(stdout, BIO_NOCLOSE) : NULL;
    if (!out)
        return;
    BIO_puts(out, "---\nPost-Handshake New Session Ticket arrived:\n");
    put_session(out, ssl, session);
    BIO_puts(out, "---\nread R BLOCK\n");
    (void)BIO_flush(out);
    BIO_free(out);
}

void connect_brief(const struct tls_pipe *tls)
{
    SSL *ssl = tls->ssl;
    X509 *x509 = SSL_get0_peer_certificate(ssl);
    BIO *out = BIO_new_fp(stderr, BIO_NOCLOSE);
    if (!out)
        return;
    BIO_puts(out, "CONNECTION ESTABLISHED\n");
    BIO_printf(out, "Protocol version: %s\nCiphersuite: %s\n", SSL_get_version(ssl),
               SSL_get_cipher_name(ssl));
    if (x509)
        put_name(out, "Peer certificate: ", X509_get_subject_name(x509));
    else
        BIO_puts(out, "No peer certificate\n");
    put_signature(out, ssl, "Hash used", "Signature type");
    put_verification(out, ssl, x509 != NULL);
    put_temporary_key(out, ssl);
    (void)BIO_flush(out);
    BIO_free(out);
}
