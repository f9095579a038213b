#include "endpoint/certificate.h"

#include "endpoint/context.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SERIAL_BYTES 16 /* RFC 5280 4.1.2.2: at most 20 */
#define DAY_SECONDS  (24L * 60 * 60)

const char *certificate_kind_text(enum certificate_kind kind)
{
    static const char *const texts[] = {
        [CERTIFICATE_ECDSA_P256] = "ECDSA P-256",
        [CERTIFICATE_RSA_2048] = "RSA-2048",
        [CERTIFICATE_RSA_1024] = "RSA-1024",
    };
    return texts[kind];
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

static bool add_extension(X509 *x509, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, x509, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    bool ok = extension && X509_add_ext(x509, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return ok;
}

/* An extension that no verifier can know, marked as one that must be understood. */
static bool add_unknown(X509 *x509)
{
    ASN1_OBJECT *name = OBJ_txt2obj("2.25.90210", 1);
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    static const unsigned char null[] = {5, 0};
    bool ok = name && value && ASN1_OCTET_STRING_set(value, null, sizeof(null));
    X509_EXTENSION *extension = ok ? X509_EXTENSION_create_by_OBJ(NULL, name, 1, value) : NULL;
    ok = extension && X509_add_ext(x509, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(value);
    ASN1_OBJECT_free(name);
    return ok;
}

static bool add_extensions(X509 *x509, X509 *issuer, const struct certificate_recipe *recipe)
{
    const struct {
        int nid;
        const char *value;
    } extensions[] = {
        {NID_basic_constraints, recipe->constraints},
        {NID_key_usage, recipe->usage},
        {NID_ext_key_usage, recipe->extended_usage},
        {NID_subject_alt_name, recipe->names},
        {NID_name_constraints, recipe->name_constraints},
        {NID_subject_key_identifier, "hash"},
        {NID_authority_key_identifier, issuer != x509 ? "keyid" : NULL},
    };
    for (size_t i = 0; i < sizeof(extensions) / sizeof(extensions[0]); i++)
        if (extensions[i].value &&
            !add_extension(x509, issuer, extensions[i].nid, extensions[i].value))
            return false;
    return !recipe->unknown_critical || add_unknown(x509);
}

static bool set_names(X509 *x509, X509 *issuer, const char *common_name)
{
    X509_NAME *name = X509_get_subject_name(x509); /* owned by x509 */
    return (!common_name ||
            X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)common_name,
                                       -1, -1, 0)) &&
           X509_set_issuer_name(x509, X509_get_subject_name(issuer));
}

/* Turns over a bit of the signature, behind the lengths that its DER may have. */
static void damage(X509 *x509)
{
    const ASN1_BIT_STRING *signature = NULL;
    X509_get0_signature(&signature, NULL, x509);
    size_t last = (size_t)ASN1_STRING_length(signature) - 1;
    unsigned char *bytes = (unsigned char *)(uintptr_t)ASN1_STRING_get0_data(signature);
    bytes[last] ^= 1;
}

static bool fill(struct certificate *c, const struct certificate_recipe *recipe)
{
    X509 *x509 = c->x509, *issuer = recipe->issuer ? recipe->issuer->x509 : x509;
    const EVP_MD *digest = recipe->digest ? EVP_get_digestbyname(recipe->digest) : EVP_sha256();
    bool ok = digest &&
              X509_set_version(x509, recipe->version_1 ? X509_VERSION_1 : X509_VERSION_3) &&
              set_serial(x509) &&
              X509_gmtime_adj(X509_getm_notBefore(x509), recipe->from_days * DAY_SECONDS - 3600) &&
              X509_gmtime_adj(X509_getm_notAfter(x509), recipe->until_days * DAY_SECONDS) &&
              set_names(x509, issuer, recipe->common_name) && X509_set_pubkey(x509, c->key) &&
              (recipe->version_1 || add_extensions(x509, issuer, recipe)) &&
              X509_sign(x509, recipe->issuer ? recipe->issuer->key : c->key, digest) > 0;
    if (ok && recipe->damaged)
        damage(x509);
    return ok;
}

EVP_PKEY *certificate_key(enum certificate_kind kind)
{
    return kind == CERTIFICATE_ECDSA_P256 ? EVP_EC_gen("P-256")
                                          : EVP_RSA_gen(kind == CERTIFICATE_RSA_1024 ? 1024 : 2048);
}

bool certificate_issue(struct certificate *c, const struct certificate_recipe *recipe,
                       struct error *e)
{
    if (recipe->key && EVP_PKEY_up_ref(recipe->key) == 1)
        c->key = recipe->key;
    else
        c->key = certificate_key(recipe->kind);
    c->x509 = X509_new();
    if (!c->key || !c->x509 || !fill(c, recipe)) {
        char reason[128];
        context_reason(reason, sizeof(reason));
        return error_set(e, ERROR_CRYPTO, "cannot make a certificate: %s", reason);
    }
    return true;
}

bool certificate_make(struct certificate *c, enum certificate_kind kind, struct error *e)
{
    const struct certificate_recipe recipe = {
        .common_name = "localhost",
        .names = "DNS:localhost,IP:127.0.0.1,IP:::1",
        .constraints = "critical,CA:FALSE",
        /* keyEncipherment is for the RSA key exchange of TLS 1.2 and older (RFC 5246 7.4.2). */
        .usage = kind == CERTIFICATE_ECDSA_P256 ? "critical,digitalSignature"
                                                : "critical,digitalSignature,keyEncipherment",
        .extended_usage = "serverAuth",
        .from_days = -1,
        .until_days = 30,
        .kind = kind,
    };
    return certificate_issue(c, &recipe, e);
}

bool certificate_make_authority(struct certificate *c, enum certificate_kind kind, const char *name,
                                int days, struct error *e)
{
    const struct certificate_recipe recipe = {
        .common_name = name,
        .constraints = "critical,CA:TRUE",
        .usage = "critical,keyCertSign,cRLSign,digitalSignature",
        .until_days = days,
        .kind = kind,
    };
    return certificate_issue(c, &recipe, e);
}

static bool write_new(const struct certificate *c, const char *path, mode_t mode, bool with_key,
                      struct error *e)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (!file) {
        error_set(e, ERROR_FILE, "cannot write %s: %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return false;
    }
    bool ok =
        PEM_write_X509(file, c->x509) == 1 &&
        (!with_key || PEM_write_PKCS8PrivateKey(file, c->key, NULL, NULL, 0, NULL, NULL) == 1);
    if (fclose(file) != 0 || !ok)
        return error_set(e, ERROR_FILE, "cannot write %s: %s", path, strerror(errno));
    return true;
}

bool certificate_write(const struct certificate *c, const char *path, struct error *e)
{
    return write_new(c, path, 0666, false, e);
}

bool certificate_write_both(const struct certificate *c, const char *path, struct error *e)
{
    return write_new(c, path, 0600, true, e);
}
