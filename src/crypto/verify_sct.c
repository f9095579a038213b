/* Signed certificate timestamps (RFC 6962 3.2). */
#include "base/buf.h"
#include "crypto/verify.h"
#include "schema/oids.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#define NS_PER_S  INT64_C(1000000000)
#define ENTRY_MAX ((size_t)1 << 20) /* bytes that a log signed */

static X509 *certificate_of(struct slice der)
{
    const unsigned char *at = der.data;
    return der.len > 0 && der.len <= LONG_MAX ? d2i_X509(NULL, &at, (long)der.len) : NULL;
}

/* ---- what the log signed ---- */

static void put_number(struct buf *out, uint64_t number, unsigned bytes)
{
    while (bytes-- > 0)
        buf_char(out, (char)(number >> 8 * bytes));
}

/* SHA-256 of the key that signed SUBJECT, as far as its certificate was sent. */
static bool put_issuer(struct buf *out, const struct certificate_chain *chain, X509 *subject)
{
    bool found = false;
    for (size_t i = 1; i < chain->count && !found; i++) {
        X509 *x = certificate_of(chain->certificates[i]);
        unsigned char *spki = NULL;
        uint8_t hash[EVP_MAX_MD_SIZE];
        int size = x && X509_check_issued(x, subject) == X509_V_OK
                       ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &spki)
                       : 0;
        found = size > 0 && EVP_Digest(spki, (size_t)size, hash, NULL, EVP_sha256(), NULL) == 1;
        if (found)
            buf_put(out, hash, 32);
        OPENSSL_free(spki);
        X509_free(x);
    }
    return found;
}

/* The certificate as the log saw it: whole, or before the timestamps were put into it (RFC 6962 3.2).  False when
 * that cannot be told. */
static bool put_entry(struct buf *out, const struct certificate_chain *chain, bool embedded)
{
    struct slice whole = chain->count > 0 ? chain->certificates[0] : slice_empty();
    unsigned char *tbs = NULL;
    put_number(out, embedded, 2);
    if (!embedded) {
        put_number(out, whole.len, 3);
        buf_slice_put(out, whole);
        return whole.len > 0;
    }
    X509 *x = certificate_of(whole);
    int at = x ? X509_get_ext_by_NID(x, NID_ct_precert_scts, -1) : -1;
    bool ok = at >= 0 && put_issuer(out, chain, x);
    if (ok)
        X509_EXTENSION_free(X509_delete_ext(x, at));
    int size = ok ? i2d_re_X509_tbs(x, &tbs) : 0;
    if (size > 0) {
        put_number(out, (uint64_t)size, 3);
        buf_put(out, tbs, (size_t)size);
    }
    OPENSSL_free(tbs);
    X509_free(x);
    return size > 0;
}

/* ---- one timestamp ---- */

struct timestamp {
    struct slice log, extensions, signature;
    uint64_t milliseconds;
    uint8_t version, hash, algorithm;
    bool broken;
};

static struct timestamp read_timestamp(struct slice s)
{
    struct timestamp t;
    t.version = slice_u8(&s);
    t.log = slice_take(&s, 32);
    t.milliseconds = slice_u64(&s);
    t.extensions = slice_take(&s, slice_u16(&s));
    t.hash = slice_u8(&s);
    t.algorithm = slice_u8(&s);
    t.signature = slice_take(&s, slice_u16(&s));
    t.broken = t.version == 0 ? s.failed || s.len > 0 : t.log.failed;
    return t;
}

/* The log's key: from the table, or the one that the caller has. */
static EVP_PKEY *key_of(const struct sct_subject *subject, struct slice log)
{
    static const uint8_t p256[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                   0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                   0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};
    uint8_t spki[sizeof p256 + CT_KEY_SIZE], hash[EVP_MAX_MD_SIZE];
    struct slice given = subject->log_key, point = ct_log_key(log);
    const unsigned char *at = given.data;
    if (given.len > 0 && given.len <= LONG_MAX &&
        EVP_Digest(given.data, given.len, hash, NULL, EVP_sha256(), NULL) == 1 &&
        slice_equal(slice_of(hash, 32), log))
        return d2i_PUBKEY(NULL, &at, (long)given.len);
    if (point.len != CT_KEY_SIZE)
        return NULL;
    memcpy(spki, p256, sizeof p256);
    slice_read(&point, spki + sizeof p256, CT_KEY_SIZE);
    at = spki;
    return d2i_PUBKEY(NULL, &at, sizeof spki);
}

static bool is_signed(EVP_PKEY *key, const struct timestamp *t, struct slice entry)
{
    enum { WITH_SHA256 = 4, WITH_RSA = 1, WITH_ECDSA = 3 }; /* RFC 5246 7.4.1.4.1 */
    struct buf text = {.ceiling = ENTRY_MAX};
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    int kind = EVP_PKEY_get_base_id(key);
    put_number(&text, 0, 2); /* version, certificate_timestamp */
    put_number(&text, t->milliseconds, 8);
    buf_slice_put(&text, entry);
    put_number(&text, t->extensions.len, 2);
    buf_slice_put(&text, t->extensions);
    bool ok = c && !text.failed && t->hash == WITH_SHA256 &&
              t->algorithm == (kind == EVP_PKEY_RSA ? WITH_RSA : WITH_ECDSA) &&
              EVP_DigestVerifyInit(c, NULL, EVP_sha256(), NULL, key) == 1 &&
              EVP_DigestVerify(c, t->signature.data, t->signature.len, text.data, text.len) == 1;
    EVP_MD_CTX_free(c);
    buf_free(&text);
    return ok;
}

/* ---- the list ---- */

struct findings {
    size_t count, right, wrong;
    bool early, odd;
    const char *first; /* name of the first log */
};

static void check(const struct sct_subject *subject, struct slice entry, struct slice sct,
                  int64_t now, struct findings *f)
{
    struct timestamp t = read_timestamp(sct);
    f->odd |= t.broken;
    if (f->count++ == 0 && !t.broken)
        f->first = ct_log_name(t.log);
    if (t.broken || t.version != 0)
        return;
    f->early |= t.milliseconds / 1000 > (uint64_t)(now > 0 ? now / NS_PER_S : 0);
    EVP_PKEY *key = entry.len > 0 ? key_of(subject, t.log) : NULL;
    if (!key)
        return;
    ++*(is_signed(key, &t, entry) ? &f->right : &f->wrong);
    EVP_PKEY_free(key);
}

static enum verdict judge(const struct findings *f, bool entry, struct buf *why)
{
    const char *bad = f->odd || f->count == 0 ? "the list of timestamps is broken"
                      : f->wrong > 0 ? "a timestamp's signature is not of the log that it names"
                      : f->early     ? "a timestamp is later than the capture"
                                     : NULL;
    if (bad) {
        buf_str(why, bad);
        return VERDICT_FAILED;
    }
    if (f->right > 0) {
        buf_printf(why, "%zu of %zu timestamps signed by logs that are known, before the capture",
                   f->right, f->count);
        return VERDICT_OK;
    }
    buf_printf(why, "%s (%zu timestamps, the first from %s), their times precede the capture",
               entry ? "log key not known" : "the issuer's certificate was not sent", f->count,
               f->first ? f->first : "an unknown log");
    return VERDICT_UNCHECKABLE;
}

enum verdict verify_scts(const struct sct_subject *subject, struct slice list, int64_t now,
                         struct buf *why)
{
    struct buf entry = {.ceiling = ENTRY_MAX};
    struct slice all = slice_take(&list, slice_u16(&list));
    struct findings f = {.odd = list.len > 0};
    if (!put_entry(&entry, subject->chain, subject->embedded) || entry.failed)
        buf_clear(&entry);
    while (all.len > 0 && !f.odd) {
        struct slice sct = slice_take(&all, slice_u16(&all));
        f.odd |= all.failed;
        check(subject, buf_slice(&entry), sct, now, &f);
    }
    enum verdict v = judge(&f, entry.len > 0, why);
    buf_free(&entry);
    ERR_clear_error();
    return v;
}

struct slice verify_embedded_scts(const struct certificate_chain *chain, struct buf *out)
{
    X509 *x = chain->count > 0 ? certificate_of(chain->certificates[0]) : NULL;
    int at = x ? X509_get_ext_by_NID(x, NID_ct_precert_scts, -1) : -1;
    if (at >= 0) {
        const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(X509_get_ext(x, at));
        const unsigned char *bytes = ASN1_STRING_get0_data(value);
        ASN1_OCTET_STRING *inner = d2i_ASN1_OCTET_STRING(NULL, &bytes, ASN1_STRING_length(value));
        if (inner)
            buf_put(out, ASN1_STRING_get0_data(inner), (size_t)ASN1_STRING_length(inner));
        ASN1_OCTET_STRING_free(inner);
    }
    X509_free(x);
    ERR_clear_error();
    return buf_slice(out);
}
