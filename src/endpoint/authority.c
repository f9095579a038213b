#include "endpoint/authority.h"

#include "base/slice.h"
#include "endpoint/tls_pipe.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LABEL_MOST         63 /* RFC 1035 2.3.4 */
#define NAME_MOST          253
#define RENEW_SECONDS      (30L * 24 * 60 * 60)
#define NAMES_TEXT         320
#define LOCALHOST_NAMES    "DNS:localhost,IP:127.0.0.1,IP:::1"
#define ECDSA_SECP256R1    0x0403 /* RFC 9846 4.2.3 */
#define SIGNATURES_AT_MOST 128

struct kept {
    char names[NAMES_TEXT]; /* of its subjectAltName */
    bool rsa;
    time_t made;
    struct leaf leaf;
};

struct authority {
    pthread_mutex_t lock; /* of all but the root: servers on several threads share it */
    struct certificate root;
    bool rsa_only;
    EVP_PKEY *keys[2]; /* by whether it is RSA; made when first needed, of all leaves */
    const struct leaf_twist *twist; /* borrowed; NULL: they are good */
    struct kept leaves[AUTHORITY_NAMES];
    unsigned count, next; /* the oldest goes when there are too many */
};

struct authority *authority_new(struct certificate *root, bool rsa, struct error *e)
{
    struct authority *a = calloc(1, sizeof(*a));
    if (!a) {
        certificate_free(root);
        error_set(e, ERROR_MEMORY, "no memory for a CA");
        return NULL;
    }
    pthread_mutex_init(&a->lock, NULL);
    a->root = *root;
    a->rsa_only = rsa;
    *root = (struct certificate){NULL, NULL};
    return a;
}

struct authority *authority_new_temporary(bool rsa, struct error *e)
{
    struct certificate root = {NULL, NULL};
    if (certificate_make_authority(&root, CERTIFICATE_ECDSA_P256, "tlswire temporary CA", 90, e))
        return authority_new(&root, rsa, e);
    certificate_free(&root);
    return NULL;
}

void authority_free(struct authority *a)
{
    if (!a)
        return;
    for (unsigned i = 0; i < a->count; i++)
        leaf_free(&a->leaves[i].leaf);
    EVP_PKEY_free(a->keys[0]);
    EVP_PKEY_free(a->keys[1]);
    certificate_free(&a->root);
    pthread_mutex_destroy(&a->lock);
    free(a);
}

const struct certificate *authority_root(const struct authority *a)
{
    return &a->root;
}

/* ---- names ---- */

/* A host name as RFC 1123 2.1 has it (and the underscore that some use), in lower case into TEXT.
 * Anything else is not put into a certificate: the text goes through a little language of its own.
 */
static bool host_name(const char *name, char *text)
{
    size_t len = strlen(name), label = 0;
    if (len == 0 || len > NAME_MOST)
        return false;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)name[i];
        bool edge = label == 0 || i + 1 == len || name[i + 1] == '.';
        if (c == '.' ? label == 0 : !isalnum(c) && c != '_' && (c != '-' || edge))
            return false;
        label = c == '.' ? 0 : label + 1;
        if (label > LABEL_MOST || c >= 0x80)
            return false;
        text[i] = (char)tolower(c);
    }
    text[len - (name[len - 1] == '.')] = '\0';
    text[len] = '\0';
    return true;
}

static bool is_address(const char *text)
{
    unsigned char bytes[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

static bool address_text(const struct sockaddr_storage *address, char *text, size_t size)
{
    const struct sockaddr_in *v4 = (const void *)address;
    const struct sockaddr_in6 *v6 = (const void *)address;
    if (address->ss_family == AF_INET)
        return inet_ntop(AF_INET, &v4->sin_addr, text, (socklen_t)size) != NULL;
    if (address->ss_family != AF_INET6)
        return false;
    if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
        return inet_ntop(AF_INET, &v6->sin6_addr.s6_addr[12], text, (socklen_t)size) != NULL;
    return inet_ntop(AF_INET6, &v6->sin6_addr, text, (socklen_t)size) != NULL;
}

bool authority_host(const char *name, char *text, size_t size)
{
    char lower[NAME_MOST + 1];
    if (!is_address(name) && !host_name(name, lower))
        return false;
    authority_names(name, NULL, text, size);
    return true;
}

void authority_names(const char *name, const struct sockaddr_storage *local, char *text,
                     size_t size)
{
    char lower[NAME_MOST + 1], address[INET6_ADDRSTRLEN];
    if (name && is_address(name) && strlen(name) < sizeof(address)) {
        snprintf(text, size, "IP:%s", name); /* RFC 6066 3 forbids it; some send it all the same */
    } else if (name && host_name(name, lower)) {
        if (strcmp(lower, "localhost") == 0)
            snprintf(text, size, LOCALHOST_NAMES);
        else
            snprintf(text, size, "DNS:%s", lower);
    } else if (local && address_text(local, address, sizeof(address)) &&
               strcmp(address, "127.0.0.1") != 0 && strcmp(address, "::1") != 0) {
        snprintf(text, size, LOCALHOST_NAMES ",IP:%s", address);
    } else {
        snprintf(text, size, LOCALHOST_NAMES);
    }
}

/* ---- certificates ---- */

static struct kept *find(struct authority *a, const char *names, bool rsa)
{
    for (unsigned i = 0; i < a->count; i++)
        if (a->leaves[i].rsa == rsa && strcmp(a->leaves[i].names, names) == 0)
            return &a->leaves[i];
    return NULL;
}

/* A place for a new one. */
static struct kept *take_place(struct authority *a)
{
    struct kept *kept;
    if (a->count < AUTHORITY_NAMES) {
        kept = &a->leaves[a->count++];
    } else {
        kept = &a->leaves[a->next];
        a->next = (a->next + 1) % AUTHORITY_NAMES;
        leaf_free(&kept->leaf);
    }
    *kept = (struct kept){.rsa = false};
    return kept;
}

static bool issue(struct authority *a, struct kept *kept, struct error *e)
{
    static const struct leaf_twist none = {.middle = MIDDLE_NONE};
    struct leaf made;
    if (!a->keys[kept->rsa])
        a->keys[kept->rsa] =
            certificate_key(kept->rsa ? CERTIFICATE_RSA_2048 : CERTIFICATE_ECDSA_P256);
    if (!a->keys[kept->rsa])
        return false;
    if (!leaf_make(&made, &a->root, kept->names, a->keys[kept->rsa], a->twist ? a->twist : &none,
                   e)) {
        leaf_free(&made);
        return false;
    }
    leaf_free(&kept->leaf);
    kept->leaf = made;
    kept->made = time(NULL);
    return true;
}

bool authority_takes_ecdsa(SSL *ssl)
{
    bool scheme = false, suite = SSL_version(ssl) >= TLS1_3_VERSION;
    int count = SSL_get_sigalgs(ssl, 0, NULL, NULL, NULL, NULL, NULL);
    for (int i = 0; i < count && i < SIGNATURES_AT_MOST; i++) {
        unsigned char low = 0, high = 0;
        SSL_get_sigalgs(ssl, i, NULL, NULL, NULL, &low, &high);
        scheme = scheme || (high << 8 | low) == ECDSA_SECP256R1;
    }
    STACK_OF(SSL_CIPHER) *offered = SSL_get_client_ciphers(ssl);
    for (int i = 0; !suite && i < sk_SSL_CIPHER_num(offered); i++)
        suite = SSL_CIPHER_get_auth_nid(sk_SSL_CIPHER_value(offered, i)) == NID_auth_ecdsa;
    /* Without the extension, before TLS 1.3, SHA-1 with each kind of key (RFC 5246 7.4.1.4.1). */
    return suite && (scheme || count == 0);
}

static bool show(struct authority *a, SSL *ssl, const char *names, bool rsa)
{
    struct error e = {.code = ERROR_NONE};
    struct kept *kept = find(a, names, rsa);
    if (!kept) {
        kept = take_place(a);
        kept->rsa = rsa;
        snprintf(kept->names, sizeof(kept->names), "%s", names);
    }
    if ((!kept->leaf.x509 || time(NULL) - kept->made > RENEW_SECONDS) && !issue(a, kept, &e))
        return false;
    return SSL_use_cert_and_key(ssl, kept->leaf.x509, kept->leaf.key, kept->leaf.chain, 1) == 1;
}

static int choose(SSL *ssl, void *user)
{
    struct authority *a = user;
    const struct tls_pipe *pipe = SSL_get_app_data(ssl);
    const char *wanted = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    char names[NAMES_TEXT];
    authority_names(wanted, pipe ? pipe->local : NULL, names, sizeof(names));
    bool ecdsa = authority_takes_ecdsa(ssl);
    pthread_mutex_lock(&a->lock);
    bool ok = show(a, ssl, names, a->rsa_only || !ecdsa);
    pthread_mutex_unlock(&a->lock);
    return ok;
}

void authority_twist(struct authority *a, const struct leaf_twist *twist)
{
    pthread_mutex_lock(&a->lock);
    a->twist = twist;
    a->rsa_only = a->rsa_only || twist->rsa;
    pthread_mutex_unlock(&a->lock);
}

void authority_serve(struct authority *a, SSL_CTX *ctx)
{
    SSL_CTX_set_cert_cb(ctx, choose, a);
    SSL_CTX_set_mode(ctx, SSL_MODE_NO_AUTO_CHAIN); /* what is sent is what was made */
}
