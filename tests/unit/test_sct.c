/* Certificate timestamps: a log of our own signs, and a byte that is changed is noticed. */
#include "unit.h"

#include "crypto/verify.h"
#include "schema/oids.h"

#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#define BEFORE 1700000000000u /* milliseconds */
#define NOW    INT64_C(1700000001000000000)

static EVP_PKEY *log_key, *issuer_key, *leaf_key;
static X509 *issuer, *leaf;
static unsigned char *spki;
static uint8_t log_id[32];
static struct buf why, list;

static X509 *make(const char *name, EVP_PKEY *own)
{
    X509 *x = X509_new();
    X509_NAME *n = X509_NAME_new();
    X509_NAME_add_entry_by_txt(n, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 7);
    X509_set_subject_name(x, n);
    X509_NAME_free(n);
    n = X509_NAME_new();
    X509_NAME_add_entry_by_txt(n, "CN", MBSTRING_ASC, (const unsigned char *)"issuer", -1, -1, 0);
    X509_set_issuer_name(x, n);
    X509_NAME_free(n);
    X509_gmtime_adj(X509_getm_notBefore(x), 0);
    X509_gmtime_adj(X509_getm_notAfter(x), 1000);
    X509_set_pubkey(x, own);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:sct.example");
    X509_add_ext(x, e, -1);
    X509_EXTENSION_free(e);
    return x;
}

static void number(struct buf *b, uint64_t value, unsigned bytes)
{
    while (bytes-- > 0)
        buf_char(b, (char)(value >> 8 * bytes));
}

/* A list of one timestamp over ENTRY, as a log makes it (RFC 6962 3.2). */
static void sign(struct slice entry, uint64_t milliseconds)
{
    struct buf text = {0}, sct = {0};
    uint8_t signature[128];
    size_t len = sizeof signature;
    number(&text, 0, 2);
    number(&text, milliseconds, 8);
    buf_slice_put(&text, entry);
    number(&text, 0, 2);
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    EVP_DigestSignInit(c, NULL, EVP_sha256(), NULL, log_key);
    CHECK(EVP_DigestSign(c, signature, &len, text.data, text.len) == 1);
    EVP_MD_CTX_free(c);
    number(&sct, 0, 1);
    buf_put(&sct, log_id, 32);
    number(&sct, milliseconds, 8);
    number(&sct, 0, 2);
    number(&sct, 0x0403, 2);
    number(&sct, len, 2);
    buf_put(&sct, signature, len);
    buf_clear(&list);
    number(&list, sct.len + 2, 2);
    number(&list, sct.len, 2);
    buf_slice_put(&list, buf_slice(&sct));
    buf_free(&text);
    buf_free(&sct);
}

static struct slice der(X509 *x)
{
    unsigned char *out = NULL;
    int size = i2d_X509(x, &out);
    return slice_of(out, size > 0 ? (size_t)size : 0);
}

static enum verdict verdict(struct certificate_chain *chain, bool embedded, struct slice key)
{
    struct buf in = {.ceiling = 65536};
    struct sct_subject subject = {.chain = chain, .log_key = key, .embedded = embedded};
    buf_clear(&why);
    struct slice all = embedded ? verify_embedded_scts(chain, &in) : buf_slice(&list);
    enum verdict v = verify_scts(&subject, all, NOW, &why);
    buf_free(&in);
    return v;
}

static struct slice own_log(void)
{
    return slice_of(spki, 91);
}

static void setup(void)
{
    log_key = EVP_EC_gen("P-256");
    issuer_key = EVP_EC_gen("P-256");
    leaf_key = EVP_EC_gen("P-256");
    CHECK_EQ(91, i2d_PUBKEY(log_key, &spki));
    EVP_Digest(spki, 91, log_id, NULL, EVP_sha256(), NULL);
    issuer = make("issuer", issuer_key);
    X509_sign(issuer, issuer_key, EVP_sha256());
    leaf = make("leaf", leaf_key);
    X509_sign(leaf, issuer_key, EVP_sha256());
}

static void test_whole(void)
{
    struct buf entry = {0};
    struct slice own = der(leaf);
    struct certificate_chain chain = {.certificates = {own}, .count = 1};
    number(&entry, 0, 2);
    number(&entry, own.len, 3);
    buf_slice_put(&entry, own);
    sign(buf_slice(&entry), BEFORE);
    CHECK_EQ(VERDICT_OK, verdict(&chain, false, own_log()));
    CHECK_EQ(VERDICT_UNCHECKABLE, verdict(&chain, false, slice_empty()));
    for (size_t at = 38; at < list.len;
         at++) { /* after lengths, version and log: each byte counts */
        list.data[at] ^= 1;
        CHECK_EQ(VERDICT_FAILED, verdict(&chain, false, own_log()));
        list.data[at] ^= 1;
    }
    sign(buf_slice(&entry), BEFORE + 100000);
    CHECK_EQ(VERDICT_FAILED, verdict(&chain, false, own_log()));
    buf_free(&entry);
    free((void *)(uintptr_t)own.data);
}

static void test_embedded(void)
{
    struct buf entry = {0};
    unsigned char *tbs = NULL, *key = NULL;
    uint8_t hash[32];
    X509 *with = X509_dup(leaf);
    int size = i2d_re_X509_tbs(with, &tbs),
        key_size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(issuer), &key);
    EVP_Digest(key, (size_t)key_size, hash, NULL, EVP_sha256(), NULL);
    number(&entry, 1, 2);
    buf_put(&entry, hash, 32);
    number(&entry, (uint64_t)size, 3);
    buf_put(&entry, tbs, (size_t)size);
    sign(buf_slice(&entry), BEFORE);
    ASN1_OCTET_STRING *inner = ASN1_OCTET_STRING_new(), *outer = ASN1_OCTET_STRING_new();
    unsigned char *bytes = NULL;
    ASN1_OCTET_STRING_set(inner, list.data, (int)list.len);
    int len = i2d_ASN1_OCTET_STRING(inner, &bytes);
    ASN1_OCTET_STRING_set(outer, bytes, len);
    X509_EXTENSION *e = X509_EXTENSION_create_by_NID(NULL, NID_ct_precert_scts, 0, outer);
    X509_add_ext(with, e, -1);
    X509_sign(with, issuer_key, EVP_sha256());
    struct certificate_chain chain = {.certificates = {der(with), der(issuer)}, .count = 2};
    CHECK_EQ(VERDICT_OK, verdict(&chain, true, own_log()));
    CHECK(why.len > 0 && strncmp((const char *)why.data, "1 of 1 timestamps", 17) == 0);
    CHECK_EQ(VERDICT_UNCHECKABLE, verdict(&chain, true, slice_empty()));
    chain.count = 1;
    CHECK_EQ(VERDICT_UNCHECKABLE, verdict(&chain, true, own_log())); /* the issuer is not there */
    chain.count = 2;
    ASN1_INTEGER_set(X509_get_serialNumber(with), 8); /* another certificate than the log saw */
    X509_sign(with, issuer_key, EVP_sha256());
    free((void *)(uintptr_t)chain.certificates[0].data);
    chain.certificates[0] = der(with);
    CHECK_EQ(VERDICT_FAILED, verdict(&chain, true, own_log()));
    free((void *)(uintptr_t)chain.certificates[0].data);
    free((void *)(uintptr_t)chain.certificates[1].data);
    ASN1_OCTET_STRING_free(inner);
    ASN1_OCTET_STRING_free(outer);
    X509_EXTENSION_free(e);
    X509_free(with);
    OPENSSL_free(bytes);
    OPENSSL_free(tbs);
    OPENSSL_free(key);
    buf_free(&entry);
}

/* Every key of the table is one, and found by its hash. */
static void test_table(void)
{
    static const uint8_t known[] = {0xd7, 0x6d, 0x7d, 0x10, 0xd1, 0xa7, 0xf5, 0x77,
                                    0xc2, 0xc7, 0xe9, 0x5f, 0xd7, 0x00, 0xbf, 0xf9,
                                    0x82, 0xc9, 0x33, 0x5a, 0x65, 0xe1, 0xd0, 0xb3,
                                    0x01, 0x73, 0x17, 0xc0, 0xc8, 0xc5, 0x69, 0x77};
    CHECK_EQ(CT_KEY_SIZE, ct_log_key(slice_of(known, 32)).len);
    CHECK_EQ(4, slice_at(ct_log_key(slice_of(known, 32)), 0));
    CHECK_EQ(0, ct_log_key(slice_of(known, 31)).len);
}

int main(void)
{
    static const struct unit_test tests[] = {
        {"timestamps of a whole certificate", test_whole},
        {"timestamps inside a certificate", test_embedded},
        {"keys of logs", test_table},
    };
    setup();
    int status = UNIT_RUN(tests);
    X509_free(issuer);
    X509_free(leaf);
    EVP_PKEY_free(log_key);
    EVP_PKEY_free(issuer_key);
    EVP_PKEY_free(leaf_key);
    OPENSSL_free(spki);
    buf_free(&why);
    buf_free(&list);
    return status;
}
