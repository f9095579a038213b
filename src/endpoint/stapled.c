#include "endpoint/stapled.h"

#include <openssl/err.h>
#include <openssl/ocsp.h>

#define CLOCK_SECONDS 300 /* that two clocks may differ */

/* The result of X509_verify_cert that says what is wrong; X509_V_OK when nothing is. */
static int judge(OCSP_BASICRESP *basic, STACK_OF(X509) * chain, X509_STORE *store)
{
    X509 *leaf = sk_X509_value(chain, 0), *issuer = sk_X509_value(chain, 1);
    const EVP_MD *digests[] = {EVP_sha1(), EVP_sha256()};
    int status = -1, reason = 0, found = 0;
    ASN1_GENERALIZEDTIME *revoked = NULL, *from = NULL, *until = NULL;
    if (OCSP_basic_verify(basic, chain, store, 0) <= 0)
        return X509_V_ERR_OCSP_VERIFY_FAILED;
    for (int i = 0; i < 2 && !found; i++) {
        OCSP_CERTID *id = OCSP_cert_to_id(digests[i], leaf, issuer);
        found =
            id && OCSP_resp_find_status(basic, id, &status, &reason, &revoked, &from, &until) == 1;
        OCSP_CERTID_free(id);
    }
    if (!found)
        return X509_V_ERR_OCSP_CERT_UNKNOWN;
    if (status == V_OCSP_CERTSTATUS_REVOKED)
        return X509_V_ERR_CERT_REVOKED;
    if (OCSP_check_validity(from, until, CLOCK_SECONDS, -1) != 1)
        return X509_V_ERR_OCSP_VERIFY_FAILED;
    return status == V_OCSP_CERTSTATUS_GOOD ? X509_V_OK : X509_V_ERR_OCSP_CERT_UNKNOWN;
}

int stapled_check(SSL *ssl, void *user)
{
    const unsigned char *der = NULL;
    STACK_OF(X509) *chain = SSL_get0_verified_chain(ssl);
    long len = SSL_get_tlsext_status_ocsp_resp(ssl, &der);
    (void)user;
    /* A certificate that is trusted by itself needs no word of its issuer's. */
    if (!der || len <= 0 || !(SSL_get_verify_mode(ssl) & SSL_VERIFY_PEER) || sk_X509_num(chain) < 2)
        return 1;
    OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &der, len);
    OCSP_BASICRESP *basic = response ? OCSP_response_get1_basic(response) : NULL;
    int result = basic ? judge(basic, chain, SSL_CTX_get_cert_store(SSL_get_SSL_CTX(ssl)))
                       : X509_V_ERR_OCSP_VERIFY_FAILED;
    OCSP_BASICRESP_free(basic);
    OCSP_RESPONSE_free(response);
    if (result == X509_V_OK)
        return 1;
    SSL_set_verify_result(ssl, result);
    ERR_clear_error();
    ERR_raise(ERR_LIB_SSL, SSL_R_CERTIFICATE_VERIFY_FAILED);
    return 0; /* OpenSSL sends bad_certificate_status_response */
}
