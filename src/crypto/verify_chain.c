#include "crypto/verify.h"

#include "dissect/x509.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string.h>

#define SIGNATURES_CHECKED 64
#define HOST_MAX           256 /* bytes of a name with a final NUL; DNS has 255 */

static X509 *certificate_of(struct slice der)
{
    const unsigned char *at = der.data;
    X509 *x = der.len > 0 && der.len <= LONG_MAX ? d2i_X509(NULL, &at, (long)der.len) : NULL;
    if (x && at != der.data + der.len) {
        X509_free(x);
        x = NULL;
    }
    return x;
}

/* A number and the name of certificate AT, for a sentence. */
static void put_which(struct buf *why, const struct certificate_chain *chain, size_t at)
{
    struct x509_facts facts;
    buf_printf(why, "certificate %zu", at + 1);
    if (x509_read(chain->certificates[at], &facts) && facts.subject[0])
        buf_printf(why, " (%s)", facts.subject);
}

static void put_issuer(struct buf *why, const struct certificate_chain *chain, size_t at)
{
    struct x509_facts facts;
    if (x509_read(chain->certificates[at], &facts) && facts.issuer[0])
        buf_printf(why, " (%s)", facts.issuer);
}

struct links {
    X509 *certificates[VERIFY_CERTIFICATES];
    size_t checked, unknown, missing, last_missing;
    unsigned left;    /* signatures that may still be computed: many may have one name */
    bool own_missing; /* the issuer of the sender's own certificate */
};

/* The signature of certificate AT, by whichever certificate of the issuer's name fits it. */
static enum verdict check_link(struct links *l, size_t count, size_t at)
{
    bool named = false, cannot = false, itself = false;
    for (size_t i = 0; i < count; i++) {
        X509 *issuer = l->certificates[i];
        if (X509_NAME_cmp(X509_get_issuer_name(l->certificates[at]),
                          X509_get_subject_name(issuer)) != 0)
            continue;
        EVP_PKEY *key = X509_get0_pubkey(issuer);
        int result = key && l->left > 0 ? X509_verify(l->certificates[at], key) : -1;
        l->left -= l->left > 0;
        /* Identifiers of keys may say that its issuer is another of the same name. */
        int fits = i == at ? X509_check_issued(issuer, issuer) : X509_V_OK;
        itself =
            fits == X509_V_ERR_AKID_SKID_MISMATCH || fits == X509_V_ERR_AKID_ISSUER_SERIAL_MISMATCH;
        named |= !itself;
        cannot |= result < 0;
        if (result == 1)
            return VERDICT_OK;
    }
    return !named ? VERDICT_NONE : cannot ? VERDICT_UNCHECKABLE : VERDICT_FAILED;
}

static enum verdict check_links(struct links *l, const struct certificate_chain *chain,
                                struct buf *why)
{
    for (size_t i = 0; i < chain->count; i++) {
        enum verdict v = check_link(l, chain->count, i);
        if (v == VERDICT_FAILED) {
            put_which(why, chain, i);
            buf_str(why, " is not signed with the key of its issuer as sent");
            put_issuer(why, chain, i);
            return v;
        }
        l->checked += v == VERDICT_OK;
        l->unknown += v == VERDICT_UNCHECKABLE;
        if (v == VERDICT_NONE) {
            l->missing++;
            l->last_missing = i;
            l->own_missing |= i == 0;
        }
    }
    if (l->own_missing) {
        buf_str(why, "the issuer was not sent");
        put_issuer(why, chain, 0);
        return VERDICT_UNCHECKABLE;
    }
    if (l->unknown > 0) {
        buf_printf(
            why, "%zu signatures are more than are checked, or of a kind that OpenSSL cannot check",
            l->unknown);
        return VERDICT_UNCHECKABLE;
    }
    buf_printf(why, "%zu of %zu signatures checked", l->checked, chain->count);
    if (l->missing > 0) {
        buf_str(why, ", the issuer of ");
        put_which(why, chain, l->last_missing);
        buf_str(why, " was not sent");
        put_issuer(why, chain, l->last_missing);
    }
    if (chain->more)
        buf_printf(why, ", more than %d certificates: the rest was not looked at",
                   VERIFY_CERTIFICATES);
    return VERDICT_OK;
}

enum verdict verify_chain(const struct certificate_chain *chain, struct buf *why)
{
    struct links l = {.left = SIGNATURES_CHECKED};
    enum verdict v = VERDICT_NONE;
    for (size_t i = 0; i < chain->count && v == VERDICT_NONE; i++) {
        l.certificates[i] = certificate_of(chain->certificates[i]);
        if (!l.certificates[i]) {
            put_which(why, chain, i);
            buf_str(why, " is none that OpenSSL reads");
            v = VERDICT_FAILED;
        }
    }
    if (v == VERDICT_NONE)
        v = check_links(&l, chain, why);
    for (size_t i = 0; i < chain->count; i++)
        X509_free(l.certificates[i]);
    ERR_clear_error();
    return v;
}

static void put_date(struct buf *out, int64_t ns)
{
    int64_t days = ns / 1000000000 / 86400;
    if (ns < 0 && ns % (86400 * INT64_C(1000000000)) != 0)
        days--;
    /* Civil date of a day number, from the era of 400 years that it is in. */
    int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097, day = z - era * 146097;
    int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    int64_t rest = day - (365 * year + year / 4 - year / 100), month = (5 * rest + 2) / 153;
    int64_t shown = month < 10 ? month + 3 : month - 9;
    buf_printf(out, "%04lld-%02lld-%02lld", (long long)(year + era * 400 + (shown <= 2)),
               (long long)shown, (long long)(rest - (153 * month + 2) / 5 + 1));
}

enum verdict verify_dates(const struct certificate_chain *chain, int64_t now, struct buf *why)
{
    struct x509_facts facts;
    for (size_t i = 0; i < chain->count; i++) {
        if (!x509_read(chain->certificates[i], &facts) || !facts.has_times) {
            put_which(why, chain, i);
            buf_str(why, " has no dates that can be read");
            return VERDICT_FAILED;
        }
        bool early = now < facts.not_before;
        /* The last second counts whole (RFC 5280 4.1.2.5). */
        if (!early && now / 1000000000 <= facts.not_after / 1000000000)
            continue;
        put_which(why, chain, i);
        buf_str(why, early ? " was not valid before " : " expired on ");
        put_date(why, early ? facts.not_before : facts.not_after);
        buf_str(why, ", the capture is of ");
        put_date(why, now);
        return VERDICT_FAILED;
    }
    buf_str(why, "all valid when captured, on ");
    put_date(why, now);
    return VERDICT_OK;
}

enum verdict verify_host(const struct certificate_chain *chain, struct slice name, struct buf *why)
{
    char text[HOST_MAX];
    size_t len = name.len;
    if (len == 0) {
        buf_str(why, "the client named no host");
        return VERDICT_UNCHECKABLE;
    }
    if (len >= sizeof text || memchr(name.data, '\0', len)) {
        buf_str(why, "the name that the client asked for is none of a host");
        return VERDICT_FAILED;
    }
    memcpy(text, name.data, len);
    text[len] = '\0';
    if (len > 1 && text[len - 1] == '.')
        text[--len] = '\0';
    X509 *x = chain->count > 0 ? certificate_of(chain->certificates[0]) : NULL;
    if (!x) {
        buf_str(why, "there is no certificate that names a host");
        return VERDICT_UNCHECKABLE;
    }
    bool fits = X509_check_host(x, text, len, 0, NULL) == 1 || X509_check_ip_asc(x, text, 0) == 1;
    X509_free(x);
    ERR_clear_error();
    buf_printf(why, fits ? "the certificate is for %s" : "the certificate is not for %s", text);
    return fits ? VERDICT_OK : VERDICT_FAILED;
}
