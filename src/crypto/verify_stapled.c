/* What comes with certificates: OCSP responses. */
#include "crypto/verify.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

#define NS_PER_S INT64_C(1000000000)

static X509 *certificate_of(struct slice der)
{
    const unsigned char *at = der.data;
    return der.len > 0 && der.len <= LONG_MAX ? d2i_X509(NULL, &at, (long)der.len) : NULL;
}

/* All that is needed to judge one response; everything owned. */
struct stapled {
    OCSP_RESPONSE *response;
    OCSP_BASICRESP *basic;
    X509 *subject, *issuer;
    STACK_OF(X509) * sent;
};

static void release(struct stapled *s)
{
    sk_X509_pop_free(s->sent, X509_free);
    X509_free(s->subject);
    OCSP_BASICRESP_free(s->basic);
    OCSP_RESPONSE_free(s->response);
    ERR_clear_error();
}

/* The certificates of the message; the issuer is the one whose key made the subject's signature. */
static bool take_certificates(struct stapled *s, const struct certificate_chain *chain, size_t at)
{
    s->sent = sk_X509_new_null();
    s->subject = at < chain->count ? certificate_of(chain->certificates[at]) : NULL;
    for (size_t i = 0; s->sent && s->subject && i < chain->count; i++) {
        X509 *x = certificate_of(chain->certificates[i]);
        if (!x || sk_X509_push(s->sent, x) == 0) {
            X509_free(x);
            continue;
        }
        EVP_PKEY *key = X509_get0_pubkey(x);
        if (!s->issuer && key && X509_check_issued(x, s->subject) == X509_V_OK &&
            X509_verify(s->subject, key) == 1)
            s->issuer = x;
    }
    return s->sent && s->subject;
}

/* The one answer for the subject; NULL when there is none.  Without the issuer the number alone tells. */
static OCSP_SINGLERESP *answer_for(const struct stapled *s)
{
    int count = OCSP_resp_count(s->basic);
    for (int i = 0; i < count; i++) {
        OCSP_SINGLERESP *single = OCSP_resp_get0(s->basic, i);
        OCSP_CERTID *id = (OCSP_CERTID *)OCSP_SINGLERESP_get0_id(single); /* read only */
        ASN1_INTEGER *serial = NULL;
        ASN1_OBJECT *digest = NULL;
        OCSP_id_get0_info(NULL, &digest, NULL, &serial, id);
        if (ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(s->subject)) != 0)
            continue;
        const EVP_MD *md = EVP_get_digestbyobj(digest);
        if (!s->issuer || !md)
            return single;
        OCSP_CERTID *own = OCSP_cert_to_id(md, s->subject, s->issuer);
        bool same = own && OCSP_id_cmp(own, id) == 0;
        OCSP_CERTID_free(own);
        if (same)
            return single;
    }
    return NULL;
}

/* Who signed: the issuer itself, or whom it appointed for that (RFC 6960 4.2.2.2). */
static enum verdict check_signer(struct stapled *s, struct buf *why)
{
    X509 *signer = NULL;
    if (OCSP_resp_get0_signer(s->basic, &signer, s->sent) != 1) {
        buf_str(why, "the certificate of the OCSP response's signer was not sent");
        return VERDICT_UNCHECKABLE;
    }
    if (OCSP_basic_verify(s->basic, s->sent, NULL, OCSP_NOVERIFY) != 1) {
        buf_str(why, "the OCSP response's signature does not fit");
        return VERDICT_FAILED;
    }
    if (!s->issuer) {
        buf_str(why, "the OCSP response is signed, but its signer's right to do so cannot be told: "
                     "the issuer was not sent");
        return VERDICT_UNCHECKABLE;
    }
    if (X509_cmp(signer, s->issuer) == 0)
        return VERDICT_OK;
    bool appointed = (X509_get_extended_key_usage(signer) & XKU_OCSP_SIGN) != 0 &&
                     X509_get_extension_flags(signer) & EXFLAG_XKUSAGE &&
                     X509_verify(signer, X509_get0_pubkey(s->issuer)) == 1;
    if (!appointed)
        buf_str(why, "the OCSP response's signer is neither the issuer nor appointed by it");
    return appointed ? VERDICT_OK : VERDICT_FAILED;
}

static enum verdict check_answer(OCSP_SINGLERESP *single, int64_t now, struct buf *why)
{
    ASN1_GENERALIZEDTIME *from = NULL, *until = NULL;
    int status = OCSP_single_get0_status(single, NULL, NULL, &from, &until);
    time_t seconds = (time_t)(now / NS_PER_S);
    if (!from || ASN1_TIME_cmp_time_t(from, seconds) > 0) {
        buf_str(why, "the OCSP response was made after the capture");
        return VERDICT_FAILED;
    }
    if (until && ASN1_TIME_cmp_time_t(until, seconds) < 0) {
        buf_str(why, "the OCSP response had expired when captured");
        return VERDICT_FAILED;
    }
    if (status != V_OCSP_CERTSTATUS_GOOD) {
        buf_str(why, status == V_OCSP_CERTSTATUS_REVOKED
                         ? "the certificate is revoked"
                         : "the OCSP responder does not know the certificate");
        return VERDICT_FAILED;
    }
    buf_str(why, "good, signed, and not expired when captured");
    return VERDICT_OK;
}

enum verdict verify_ocsp(const struct certificate_chain *chain, size_t at, struct slice response,
                         int64_t now, struct buf *why)
{
    struct stapled s = {.response = NULL};
    const unsigned char *bytes = response.data;
    enum verdict v = VERDICT_FAILED;
    if (response.len > 0 && response.len <= LONG_MAX)
        s.response = d2i_OCSP_RESPONSE(NULL, &bytes, (long)response.len);
    if (s.response)
        s.basic = OCSP_response_get1_basic(s.response);
    if (!s.response) {
        buf_str(why, "the OCSP response is none that OpenSSL reads");
    } else if (OCSP_response_status(s.response) != OCSP_RESPONSE_STATUS_SUCCESSFUL || !s.basic) {
        buf_printf(why, "the OCSP responder gave no answer: %s",
                   OCSP_response_status_str(OCSP_response_status(s.response)));
    } else if (!take_certificates(&s, chain, at)) {
        buf_str(why, "the certificate that the OCSP response is for was not read");
        v = VERDICT_UNCHECKABLE;
    } else {
        OCSP_SINGLERESP *single = answer_for(&s);
        if (!single)
            buf_str(why, "the OCSP response is for another certificate");
        else if ((v = check_signer(&s, why)) == VERDICT_OK)
            v = check_answer(single, now, why);
    }
    release(&s);
    return v;
}
