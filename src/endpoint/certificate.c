#include "endpoint/certificate.h"

#include "endpoint/context.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#define SERIAL_BYTES 16 /* RFC 5280 4.1.2.2: at most 20 */
#define DAY_SECONDS  (24L * 60 * 60)

const char *certificate_kind_text(enum certificate_kind kind)
{
    return kind == CERTIFICATE_RSA_2048 ? "RSA-2048" : "ECDSA P-256";
}

void certificate_free(struct certificate *c)
{
    X509_free(c->x509);
    EVP_PKEY_free(c->key);
    c->x509 = NULL;
    c->key = NULL;
}

static bool set_serial(X509 *x509)
{
    unsigned char bytes[SERIAL_BYTES];
    if (RAND_bytes(bytes, sizeof(bytes)) != 1)
        return false;
    bytes[0] &= 0x7f; /* positive … */
    bytes[0] |= 0x40; /* … and never shortened by leading zeros */
    BIGNUM *number = BN_bin2bn(bytes, sizeof(bytes), NULL);
    bool ok = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x509));
    BN_free(number);
    return ok;
}

static bool add_extension(X509 *x509, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, x509, x509, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    bool ok = extension && X509_add_ext(x509, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return ok;
}

static bool add_extensions(X509 *x509, enum certificate_kind kind)
{
    /* keyEncipherment is for the RSA key exchange of TLS 1.2 and older (RFC 5246 7.4.2). */
    const char *usage = kind == CERTIFICATE_RSA_2048 ? "critical,digitalSignature,keyEncipherment"
                                                     : "critical,digitalSignature";
    const struct {
        int nid;
        const char *value;
    } extensions[] = {
        {NID_basic_constraints, "critical,CA:FALSE"},
        {NID_key_usage, usage},
        {NID_ext_key_usage, "serverAuth"},
        {NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1,IP:::1"},
        {NID_subject_key_identifier, "hash"},
    };
    for (size_t i = 0; i < sizeof(extensions) / sizeof(extensions[0]); i++)
        if (!add_extension(x509, extensions[i].nid, extensions[i].value))
            return false;
    return true;
}

static bool fill(struct certificate *c, enum certificate_kind kind)
{
    X509 *x509 = c->x509;
    X509_NAME *name = X509_get_subject_name(x509); /* owned by x509 */
    return X509_set_version(x509, X509_VERSION_3) && set_serial(x509) &&
           X509_gmtime_adj(X509_getm_notBefore(x509), -DAY_SECONDS) &&
           X509_gmtime_adj(X509_getm_notAfter(x509), 30 * DAY_SECONDS) &&
           X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost",
                                      -1, -1, 0) &&
           X509_set_issuer_name(x509, name) && X509_set_pubkey(x509, c->key) &&
           add_extensions(x509, kind) && X509_sign(x509, c->key, EVP_sha256()) > 0;
}

bool certificate_make(struct certificate *c, enum certificate_kind kind, struct error *e)
{
    c->key = kind == CERTIFICATE_RSA_2048 ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");
    c->x509 = X509_new();
    if (!c->key || !c->x509 || !fill(c, kind)) {
        char reason[128];
        context_reason(reason, sizeof(reason));
        return error_set(e, ERROR_CRYPTO, "cannot make a certificate: %s", reason);
    }
    return true;
}

bool certificate_write(const struct certificate *c, const char *path, struct error *e)
{
    FILE *file = fopen(path, "wxe");
    if (!file)
        return error_set(e, ERROR_FILE, "cannot write %s: %s", path, strerror(errno));
    bool ok = PEM_write_X509(file, c->x509) == 1;
    if (fclose(file) != 0 || !ok)
        return error_set(e, ERROR_FILE, "cannot write %s: %s", path, strerror(errno));
    return true;
}
