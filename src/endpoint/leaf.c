#include "endpoint/leaf.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>
#include <stdio.h>
#include <string.h>

#define COMMON_NAME_MOST 64 /* RFC 5280 appendix A.1 */
#define NAMES_TEXT       400
#define POINT_MOST       256

void leaf_free(struct leaf *leaf)
{
    X509_free(leaf->x509);
    EVP_PKEY_free(leaf->key);
    sk_X509_pop_free(leaf->chain, X509_free);
    *leaf = (struct leaf){.x509 = NULL};
}

static bool send_too(struct leaf *leaf, X509 *x509)
{
    if (!leaf->chain && !(leaf->chain = sk_X509_new_null()))
        return false;
    if (sk_X509_push(leaf->chain, x509) > 0)
        return X509_up_ref(x509) == 1;
    return false;
}

/* Certificates of CAs below ISSUER.  *LAST is the one that the leaf comes from. */
static bool make_middle(struct leaf *leaf, enum middle middle, const struct certificate *issuer,
                        struct certificate *last, struct error *e)
{
    struct certificate_recipe recipe = {
        .common_name = "tlswire intermediate CA",
        .constraints = middle == MIDDLE_NOT_CA     ? "critical,CA:FALSE"
                       : middle == MIDDLE_TOO_LONG ? "critical,CA:TRUE,pathlen:0"
                                                   : "critical,CA:TRUE",
        .usage = middle == MIDDLE_NO_SIGNING ? "critical,digitalSignature"
                                             : "critical,keyCertSign,cRLSign",
        .name_constraints =
            middle == MIDDLE_CONSTRAINED ? "critical,permitted;DNS:elsewhere.invalid" : NULL,
        .from_days = middle == MIDDLE_EXPIRED ? -LEAF_DAYS : 0,
        .until_days = middle == MIDDLE_EXPIRED ? -1 : LEAF_DAYS,
        .issuer = issuer,
    };
    if (!certificate_issue(last, &recipe, e))
        return false;
    if (middle == MIDDLE_TOO_LONG) {
        struct certificate first = *last;
        *last = (struct certificate){NULL, NULL};
        recipe.common_name = "tlswire second intermediate CA";
        recipe.constraints = "critical,CA:TRUE";
        recipe.issuer = &first;
        bool ok = certificate_issue(last, &recipe, e) && send_too(leaf, last->x509) &&
                  send_too(leaf, first.x509);
        certificate_free(&first);
        return ok;
    }
    return middle == MIDDLE_MISSING || send_too(leaf, last->x509);
}

static bool send_strangers(struct leaf *leaf, unsigned count, EVP_PKEY *key, struct error *e)
{
    for (unsigned i = 0; i < count; i++) {
        char name[40];
        struct certificate made = {NULL, NULL};
        snprintf(name, sizeof(name), "stranger %u of %u", i + 1, count);
        const struct certificate_recipe recipe = {
            .common_name = name,
            .constraints = "critical,CA:TRUE",
            .until_days = LEAF_DAYS,
            .key = key,
        };
        bool ok = certificate_issue(&made, &recipe, e) && send_too(leaf, made.x509);
        certificate_free(&made);
        if (!ok)
            return false;
    }
    return true;
}

/* A key that says it is the public key of CERTIFIED, and signs with another one. */
static EVP_PKEY *mismatched(EVP_PKEY *certified)
{
    unsigned char point[POINT_MOST];
    size_t len = 0;
    BIGNUM *number = NULL;
    EVP_PKEY *other = EVP_EC_gen("P-256"), *key = NULL;
    OSSL_PARAM_BLD *list = OSSL_PARAM_BLD_new();
    OSSL_PARAM *params = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    bool ok = other && list && context &&
              EVP_PKEY_get_octet_string_param(certified, OSSL_PKEY_PARAM_PUB_KEY, point,
                                              sizeof(point), &len) == 1 &&
              EVP_PKEY_get_bn_param(other, OSSL_PKEY_PARAM_PRIV_KEY, &number) == 1 &&
              OSSL_PARAM_BLD_push_utf8_string(list, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) &&
              OSSL_PARAM_BLD_push_octet_string(list, OSSL_PKEY_PARAM_PUB_KEY, point, len) &&
              OSSL_PARAM_BLD_push_BN(list, OSSL_PKEY_PARAM_PRIV_KEY, number) &&
              (params = OSSL_PARAM_BLD_to_param(list)) != NULL &&
              EVP_PKEY_fromdata_init(context) == 1;
    if (ok && EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, params) != 1)
        key = NULL;
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(list);
    EVP_PKEY_CTX_free(context);
    BN_clear_free(number);
    EVP_PKEY_free(other);
    return key;
}

static bool issue(struct leaf *leaf, const struct certificate *issuer, const char *names,
                  EVP_PKEY *key, const struct leaf_twist *twist, struct error *e)
{
    const char *first = strchr(names, ':') + 1;
    char common_name[NAMES_TEXT], alternative[NAMES_TEXT];
    snprintf(common_name, sizeof(common_name), "%.*s", (int)strcspn(first, ","), first);
    bool named = strncmp(names, "IP:", 3) != 0 && strlen(common_name) <= COMMON_NAME_MOST;
    /* RFC 5280 4.2.1.6: critical where the subject is empty. */
    snprintf(alternative, sizeof(alternative), "%s%s", named ? "" : "critical,", names);
    bool rsa = EVP_PKEY_is_a(key, "RSA"), dated = twist->from_days || twist->until_days;
    const struct certificate_recipe recipe = {
        .common_name = named ? common_name : NULL,
        .names = twist->no_names ? NULL : alternative,
        .constraints = "critical,CA:FALSE",
        /* keyEncipherment is for the RSA key exchange of TLS 1.2 and older (RFC 5246 7.4.2). */
        .usage = twist->usage ? twist->usage
                 : rsa        ? "critical,digitalSignature,keyEncipherment"
                              : "critical,digitalSignature",
        .extended_usage = twist->extended_usage ? twist->extended_usage : "serverAuth",
        .from_days = twist->from_days,
        .until_days = dated ? twist->until_days : LEAF_DAYS,
        .digest = twist->digest,
        .version_1 = twist->version_1,
        .unknown_critical = twist->unknown_critical,
        .damaged = twist->damaged,
        .issuer = issuer,
        .key = key,
    };
    struct certificate made = {NULL, NULL};
    bool ok = certificate_issue(&made, &recipe, e);
    leaf->x509 = made.x509;
    leaf->key = made.key;
    return ok;
}

static void reverse(STACK_OF(X509) * chain)
{
    int count = sk_X509_num(chain);
    for (int i = 0; i < count / 2; i++) {
        X509 *swapped = sk_X509_value(chain, i);
        sk_X509_set(chain, i, sk_X509_value(chain, count - 1 - i));
        sk_X509_set(chain, count - 1 - i, swapped);
    }
}

static bool make(struct leaf *leaf, const struct certificate *root, const char *names,
                 EVP_PKEY *key, const struct leaf_twist *twist, struct certificate *stranger,
                 struct certificate *middle, struct error *e)
{
    const struct certificate *issuer = twist->self_signed ? NULL : root;
    if (twist->stranger) {
        if (!certificate_make_authority(stranger, CERTIFICATE_ECDSA_P256, "tlswire untrusted root",
                                        LEAF_DAYS, e))
            return false;
        issuer = stranger;
    }
    if (twist->middle != MIDDLE_NONE) {
        if (!make_middle(leaf, twist->middle, issuer, middle, e))
            return false;
        issuer = middle;
    }
    if (!issue(leaf, issuer, twist->names ? twist->names : names, key, twist, e) ||
        (twist->root_sent && !send_too(leaf, root->x509)) ||
        !send_strangers(leaf, twist->strangers_sent, key, e))
        return false;
    if (twist->reversed)
        reverse(leaf->chain);
    if (twist->wrong_key) {
        EVP_PKEY *wrong = mismatched(key);
        EVP_PKEY_free(leaf->key);
        leaf->key = wrong;
    }
    return leaf->key != NULL;
}

bool leaf_make(struct leaf *leaf, const struct certificate *root, const char *names, EVP_PKEY *key,
               const struct leaf_twist *twist, struct error *e)
{
    struct certificate stranger = {NULL, NULL}, middle = {NULL, NULL};
    EVP_PKEY *other = twist->short_rsa ? certificate_key(CERTIFICATE_RSA_1024) : NULL;
    *leaf = (struct leaf){.x509 = NULL};
    bool ok = make(leaf, root, names, other ? other : key, twist, &stranger, &middle, e);
    EVP_PKEY_free(other);
    certificate_free(&stranger);
    certificate_free(&middle);
    return ok || error_set(e, ERROR_CRYPTO, "cannot make a certificate");
}
