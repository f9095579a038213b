/* What came of a handshake, in words: the server's chain, whether it is trusted and why not, what was
 * agreed on. */
#include "cli/connect.h"

#include "cli/common.h"
#include "endpoint/authority.h"
#include "endpoint/tls_pipe.h"

#include <openssl/ct.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

#define CHAIN_LINES 10 /* of a longer chain the rest is counted */

/* ---- pieces ---- */

static void put_bio(FILE *out, BIO *text)
{
    char *data = NULL;
    long len = text ? BIO_get_mem_data(text, &data) : 0;
    struct buf shown = {.ceiling = 4096};
    buf_escaped(&shown, len > 0 ? slice_of(data, (size_t)len) : slice_empty());
    fwrite(shown.data ? (const char *)shown.data : "", 1, shown.len, out);
    buf_free(&shown);
    BIO_free(text);
}

static void put_name(FILE *out, const X509_NAME *name)
{
    BIO *text = BIO_new(BIO_s_mem());
    if (text)
        X509_NAME_print_ex(text, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
    if (text && BIO_pending(text) == 0)
        BIO_puts(text, "(no name)");
    put_bio(out, text);
}

static void date_text(const ASN1_TIME *time, char *text, size_t size)
{
    struct tm date;
    if (!time || ASN1_TIME_to_tm(time, &date) != 1 || strftime(text, size, "%Y-%m-%d", &date) == 0)
        snprintf(text, size, "?");
}

static void put_until(FILE *out, const ASN1_TIME *time)
{
    char text[32];
    int days = 0, seconds = 0;
    date_text(time, text, sizeof(text));
    fprintf(out, "until %s", text);
    if (time && ASN1_TIME_diff(&days, &seconds, NULL, time) == 1)
        fprintf(out, days < 0 || seconds < 0 ? " (%d days ago)" : " (%d days)",
                days < 0 ? -days : days);
}

static void put_key(FILE *out, const X509 *x509)
{
    EVP_PKEY *key = X509_get0_pubkey(x509);
    const char *name = key ? OBJ_nid2sn(EVP_PKEY_get_base_id(key)) : "?";
    if (key && EVP_PKEY_get_base_id(key) == EVP_PKEY_EC)
        name = "EC";
    else if (key && EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA)
        name = "RSA";
    fprintf(out, "%s %d", name, key ? EVP_PKEY_get_bits(key) : 0);
}

static void put_alternative_names(FILE *out, X509 *x509)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(x509, NID_subject_alt_name, NULL, NULL);
    int count = names ? sk_GENERAL_NAME_num(names) : 0;
    for (int i = 0; i < count && i < 6; i++) {
        BIO *text = BIO_new(BIO_s_mem());
        if (text)
            GENERAL_NAME_print(text, sk_GENERAL_NAME_value(names, i));
        fputs(i ? ", " : "", out);
        put_bio(out, text);
    }
    if (count > 6)
        fprintf(out, " and %d more", count - 6);
    if (count == 0)
        fputs("no name at all in a subjectAltName", out);
    GENERAL_NAMES_free(names);
}

/* ---- the chain ---- */

static void put_chain(FILE *out, SSL *ssl)
{
    STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);
    int count = chain ? sk_X509_num(chain) : 0;
    for (int i = 0; i < count && i < CHAIN_LINES; i++) {
        X509 *x509 = sk_X509_value(chain, i);
        fprintf(out, "%s %d  ", i ? "           " : "certificate", i);
        put_name(out, X509_get_subject_name(x509));
        fputs("  ", out);
        put_key(out, x509);
        fputs(", ", out);
        put_until(out, X509_get0_notAfter(x509));
        if (i + 1 == count &&
            X509_NAME_cmp(X509_get_subject_name(x509), X509_get_issuer_name(x509)) != 0) {
            fputs(", by ", out);
            put_name(out, X509_get_issuer_name(x509));
        }
        fputc('\n', out);
    }
    if (count > CHAIN_LINES)
        fprintf(out, "              and %d more\n", count - CHAIN_LINES);
}

/* ---- what was stapled ---- */

/* The certificate that is in question: at DEPTH of what the server sent. */
static X509 *certificate_at(SSL *ssl, int depth)
{
    STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);
    return chain && depth < sk_X509_num(chain) ? sk_X509_value(chain, depth) : NULL;
}

/* A stapled OCSP response (RFC 6066 8), as far as it goes. */
struct staple {
    bool sent, about_it, genuine, current;
    int response, status, reason; /* RESPONSE: -1 when it cannot be read */
    char revoked[32];             /* the day */
};

static void read_status(struct staple *s, SSL *ssl, OCSP_BASICRESP *basic)
{
    STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl), *verified = SSL_get0_verified_chain(ssl);
    X509 *leaf = certificate_at(ssl, 0), *issuer = certificate_at(ssl, 1);
    ASN1_GENERALIZEDTIME *revoked = NULL, *from = NULL, *until = NULL;
    if (!issuer && verified && sk_X509_num(verified) > 1)
        issuer = sk_X509_value(verified, 1);
    if (!issuer)
        issuer = leaf; /* it is its own */
    OCSP_CERTID *id = leaf ? OCSP_cert_to_id(NULL, leaf, issuer) : NULL;
    s->about_it = id && OCSP_resp_find_status(basic, id, &s->status, &s->reason, &revoked, &from,
                                              &until) == 1;
    OCSP_CERTID_free(id);
    if (!s->about_it)
        return;
    X509_STORE *store = SSL_CTX_get_cert_store(SSL_get_SSL_CTX(ssl));
    s->genuine = OCSP_basic_verify(basic, chain, store, 0) > 0;
    s->current = OCSP_check_validity(from, until, 300, -1) == 1;
    date_text(revoked, s->revoked, sizeof(s->revoked));
    ERR_clear_error();
}

static struct staple read_staple(SSL *ssl)
{
    struct staple s = {.response = -1};
    const unsigned char *bytes = NULL;
    long len = SSL_get_tlsext_status_ocsp_resp(ssl, &bytes);
    if (!bytes || len <= 0)
        return s;
    s.sent = true;
    OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &bytes, len);
    OCSP_BASICRESP *basic = response ? OCSP_response_get1_basic(response) : NULL;
    if (response)
        s.response = OCSP_response_status(response);
    if (basic)
        read_status(&s, ssl, basic);
    OCSP_BASICRESP_free(basic);
    OCSP_RESPONSE_free(response);
    return s;
}

static bool is_revoked(SSL *ssl)
{
    struct staple s = read_staple(ssl);
    return s.about_it && s.genuine && s.status == V_OCSP_CERTSTATUS_REVOKED;
}

static void put_stapled(FILE *out, SSL *ssl)
{
    struct staple s = read_staple(ssl);
    fputs("OCSP        ", out);
    if (!s.sent)
        fputs("no response was stapled\n", out);
    else if (s.response < 0)
        fputs("what was stapled is no OCSP response\n", out);
    else if (s.response != OCSP_RESPONSE_STATUS_SUCCESSFUL)
        fprintf(out, "the response is an error: %s\n", OCSP_response_status_str(s.response));
    else if (!s.about_it)
        fputs("not about this certificate\n", out);
    else
        fprintf(out, "%s%s%s%s%s, %s, %s\n", OCSP_cert_status_str(s.status),
                s.status == V_OCSP_CERTSTATUS_REVOKED ? " on " : "",
                s.status == V_OCSP_CERTSTATUS_REVOKED ? s.revoked : "", s.reason > 0 ? ", " : "",
                s.reason > 0 ? OCSP_crl_reason_str(s.reason) : "",
                s.genuine ? "its signature is right" : "its signature is NOT trusted",
                s.current ? "current" : "NOT current");
}

/* ---- trusted or not ---- */

bool connect_is_trusted(const struct tls_pipe *tls)
{
    const SSL_CIPHER *cipher = SSL_get_current_cipher(tls->ssl);
    bool anonymous = !SSL_get0_peer_certificate(tls->ssl) && cipher &&
                     SSL_CIPHER_get_auth_nid(cipher) == NID_auth_null;
    return SSL_get_verify_result(tls->ssl) == X509_V_OK && tls->problem_count == 0 && !anonymous &&
           !is_revoked(tls->ssl);
}

static void put_why(FILE *out, SSL *ssl, int error, int depth)
{
    X509 *x509 = certificate_at(ssl, depth);
    char date[32];
    if (!x509)
        return;
    switch (error) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
    case X509_V_ERR_EMAIL_MISMATCH:
        fputs("; it is for ", out);
        put_alternative_names(out, x509);
        break;
    case X509_V_ERR_CERT_HAS_EXPIRED:
        date_text(X509_get0_notAfter(x509), date, sizeof(date));
        fprintf(out, "; it was good until %s", date);
        break;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        date_text(X509_get0_notBefore(x509), date, sizeof(date));
        fprintf(out, "; it is good from %s on", date);
        break;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
        fputs("; neither sent nor known: ", out);
        put_name(out, X509_get_issuer_name(x509));
        break;
    default:
        break;
    }
}

/* Whether the local CA of `tlswire serve` would have been the one to trust. */
static bool local_authority(SSL *ssl, char *path, size_t size)
{
    STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);
    char folder[AUTHORITY_PATH];
    struct error ignored = {.code = ERROR_NONE};
    if (!chain || sk_X509_num(chain) == 0 || !authority_folder(folder, &ignored))
        return false;
    snprintf(path, size, "%.900s/ca.pem", folder);
    FILE *file = fopen(path, "re");
    X509 *root = file ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
    X509 *top = sk_X509_value(chain, sk_X509_num(chain) - 1);
    bool ours =
        root && (X509_cmp(root, top) == 0 || (X509_check_issued(root, top) == X509_V_OK &&
                                              X509_verify(top, X509_get0_pubkey(root)) == 1));
    X509_free(root);
    if (file)
        fclose(file);
    return ours;
}

static void put_advice(FILE *out, SSL *ssl, int error)
{
    char path[1024];
    bool unknown = error == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT ||
                   error == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN ||
                   error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY;
    if (!unknown)
        return;
    if (local_authority(ssl, path, sizeof(path))) {
        fputs("            by this machine's own CA; to trust it: -CAfile ", out);
        common_put_escaped(out, path);
        fputc('\n', out);
    } else {
        fputs("            to trust it: -CAfile with its CA's certificate; not to mind: -k\n", out);
    }
}

static void put_problems(FILE *out, const struct tls_pipe *tls)
{
    for (unsigned i = 0; i < tls->problem_count; i++) {
        const struct tls_problem *problem = &tls->problems[i];
        bool seen = false;
        for (unsigned j = 0; j < i; j++)
            seen = seen || tls->problems[j].error == problem->error;
        if (seen || (problem->error == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE && i > 0))
            continue; /* it follows from the one before */
        fprintf(out, "%s %s (certificate %d",
                i ? "           " : "NOT TRUSTED:", X509_verify_cert_error_string(problem->error),
                problem->depth);
        put_why(out, tls->ssl, problem->error, problem->depth);
        fputs(")\n", out);
    }
    put_advice(out, tls->ssl, tls->problems[0].error);
}

static void put_trust(FILE *out, const struct tls_pipe *tls)
{
    STACK_OF(X509) *chain = SSL_get0_verified_chain(tls->ssl);
    const ASN1_TIME *until = NULL;
    if (!connect_is_trusted(tls) && tls->problem_count > 0) {
        put_problems(out, tls);
        return;
    }
    if (!connect_is_trusted(tls)) {
        long result = SSL_get_verify_result(tls->ssl);
        fprintf(out, "NOT TRUSTED: %s\n",
                is_revoked(tls->ssl)  ? "revoked, says the stapled OCSP response"
                : result == X509_V_OK ? "the server showed no certificate"
                                      : X509_verify_cert_error_string(result));
        return;
    }
    for (int i = 0; chain && i < sk_X509_num(chain); i++) {
        const ASN1_TIME *end = X509_get0_notAfter(sk_X509_value(chain, i));
        if (!until || ASN1_TIME_compare(end, until) < 0)
            until = end;
    }
    if (!until || !SSL_get_peer_cert_chain(tls->ssl)) {
        fprintf(out, "trusted     by the session%s\n",
                SSL_session_reused(tls->ssl) ? " that was resumed" : "'s pre-shared key");
        return;
    }
    fputs("trusted     by ", out);
    put_name(out, X509_get_subject_name(sk_X509_value(chain, sk_X509_num(chain) - 1)));
    fputs(", ", out);
    put_until(out, until);
    fputc('\n', out);
}

static void put_timestamps(FILE *out, SSL *ssl)
{
    const STACK_OF(SCT) *list = SSL_get0_peer_scts(ssl);
    const CTLOG_STORE *logs = SSL_CTX_get0_ctlog_store(SSL_get_SSL_CTX(ssl));
    int count = list ? sk_SCT_num(list) : 0;
    if (count == 0)
        fputs("SCT         no signed certificate timestamps came\n", out);
    for (int i = 0; i < count && i < 8; i++) {
        const SCT *sct = sk_SCT_value(list, i);
        unsigned char *id = NULL;
        size_t len = SCT_get0_log_id(sct, &id);
        const CTLOG *log = logs ? CTLOG_STORE_get0_log_by_id(logs, id, len) : NULL;
        time_t seconds = (time_t)(SCT_get_timestamp(sct) / 1000);
        struct tm date;
        char day[16] = "?";
        struct buf hex = {.ceiling = 128};
        if (gmtime_r(&seconds, &date))
            strftime(day, sizeof(day), "%Y-%m-%d", &date);
        buf_hex_bytes(&hex, slice_of(id, len < 8 ? len : 8), '\0');
        fprintf(out, "SCT         %s, log ", day);
        if (log)
            common_put_escaped(out, CTLOG_get0_name(log));
        else
            fprintf(out, "%.*s...", (int)hex.len, (const char *)hex.data);
        fprintf(out, ": %s\n", SCT_validation_status_string(sct));
        buf_free(&hex);
    }
}

/* ---- all of it ---- */

static void put_early(FILE *out, SSL *ssl)
{
    static const char *const words[] = {
        [SSL_EARLY_DATA_NOT_SENT] =
            "not sent: there is no session that takes it (-sess_in, from a server with it)",
        [SSL_EARLY_DATA_REJECTED] = "sent and REJECTED: the server has not seen it",
        [SSL_EARLY_DATA_ACCEPTED] = "sent and accepted",
    };
    int status = SSL_get_early_data_status(ssl);
    if (status >= 0 && status <= SSL_EARLY_DATA_ACCEPTED)
        fprintf(out, "early data  %s\n", words[status]);
}

void connect_talk(const struct connecting *c, const struct tls_pipe *tls,
                  const struct endpoint_report *r)
{
    FILE *out = stderr;
    if (SSL_get0_peer_certificate(tls->ssl) || r->handshake_done) {
        put_chain(out, tls->ssl);
        put_trust(out, tls);
    }
    if (!r->handshake_done)
        return;
    if (c->options.tls.client.status)
        put_stapled(out, tls->ssl);
    if (c->options.tls.client.ct)
        put_timestamps(out, tls->ssl);
    if (c->options.tls.client.early_file)
        put_early(out, tls->ssl);
    fprintf(out, "connected: %s %s%s%s%s, certificate %s", r->version, r->cipher,
            r->group[0] ? " " : "", r->group, r->resumed ? ", resumed" : "",
            connect_is_trusted(tls) ? "trusted" : "not trusted");
    if (r->alpn[0]) {
        fputs(", ALPN ", out);
        common_put_escaped(out, r->alpn);
    }
    fputc('\n', out);
}

void connect_show_certificates(SSL *ssl)
{
    STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);
    for (int i = 0; chain && i < sk_X509_num(chain); i++)
        PEM_write_X509(stdout, sk_X509_value(chain, i));
    fflush(stdout);
}
