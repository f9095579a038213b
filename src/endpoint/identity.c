#include "endpoint/identity.h"

#include "base/buf.h"
#include "endpoint/context.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_CEILING ((size_t)4 << 20)
#define PASSPHRASE   1024

void identity_free(struct identity *c)
{
    X509_free(c->x509);
    EVP_PKEY_free(c->key);
    sk_X509_pop_free(c->chain, X509_free);
    *c = (struct identity){.x509 = NULL};
}

static bool fail(struct error *e, const char *what, const char *path)
{
    char reason[128];
    context_reason(reason, sizeof(reason));
    return error_set(e, ERROR_CRYPTO, "%s '%s': %s", what, path, reason);
}

/* ---- passphrases ---- */

static bool first_line_of(int fd, char *text, size_t size)
{
    size_t len = 0;
    char c;
    while (len + 1 < size && read(fd, &c, 1) == 1 && c != '\n')
        text[len++] = c;
    if (len > 0 && text[len - 1] == '\r')
        len--;
    text[len] = '\0';
    return len > 0;
}

bool identity_passphrase(const char *source, char *text, size_t size, struct error *e)
{
    int fd = -1;
    if (strncmp(source, "pass:", 5) == 0) {
        snprintf(text, size, "%s", source + 5);
        return true;
    }
    if (strncmp(source, "env:", 4) == 0) {
        const char *value = getenv(source + 4);
        if (!value)
            return error_set(e, ERROR_USAGE, "-pass: there is no variable %.60s", source + 4);
        snprintf(text, size, "%s", value);
        return true;
    }
    if (strncmp(source, "file:", 5) == 0) {
        fd = open(source + 5, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            return error_set(e, ERROR_FILE, "cannot read the passphrase in %.300s: %s", source + 5,
                             strerror(errno));
    } else if (strcmp(source, "stdin") == 0) {
        fd = dup(STDIN_FILENO);
    } else if (strncmp(source, "fd:", 3) == 0) {
        fd = dup((int)strtol(source + 3, NULL, 10));
    } else {
        return error_set(e, ERROR_USAGE,
                         "-pass: want pass:TEXT, env:NAME, file:PATH, fd:NUMBER or stdin");
    }
    bool ok = fd >= 0 && first_line_of(fd, text, size);
    if (fd >= 0)
        close(fd);
    return ok || error_set(e, ERROR_FILE, "-pass: nothing there to be read as a passphrase");
}

/* What is asked for a passphrase: never a person at the terminal, where there may be nobody. */
struct asked {
    const char *source; /* NULL: there is none */
    char text[PASSPHRASE];
    bool wanted;
};

static int give_passphrase(char *buffer, int size, int writing, void *user)
{
    struct asked *asked = user;
    (void)writing;
    asked->wanted = true;
    size_t len = strlen(asked->text);
    if (!asked->source || (int)len > size)
        return -1;
    memcpy(buffer, asked->text, len);
    return (int)len;
}

/* ---- files ---- */

static bool read_file(struct buf *out, const struct identity_files *f, const char *path,
                      bool is_key, bool lax, struct error *e)
{
    struct stat status = {.st_mode = 0};
    uint8_t piece[4096];
    ssize_t count = -1;
    int fd = f->opener ? f->opener->open(f->opener->user, path) : open(path, O_RDONLY | O_CLOEXEC);
    out->ceiling = FILE_CEILING;
    if (fd < 0 || fstat(fd, &status) != 0) {
        error_set(e, ERROR_FILE, "cannot read the %s in '%.300s': %s",
                  is_key ? "private key" : "certificate", path, strerror(errno));
    } else if (is_key && !lax && S_ISREG(status.st_mode) && (status.st_mode & 077)) {
        error_set(e, ERROR_PERMISSION,
                  "the private key in '%.300s' is open to others (mode %04o)   try: chmod 600 it, "
                  "or --insecure-key-perms",
                  path, (unsigned)status.st_mode & 07777);
    } else {
        while ((count = read(fd, piece, sizeof(piece))) > 0)
            buf_put(out, piece, (size_t)count);
        OPENSSL_cleanse(piece, sizeof(piece));
        if (count < 0 || out->failed)
            error_set(e, ERROR_FILE, "cannot read '%.300s': %s", path,
                      count < 0 ? strerror(errno) : "it is too large");
    }
    if (fd >= 0)
        close(fd);
    return count == 0 && !out->failed;
}

/* ---- forms ---- */

static BIO *bio_of(const struct buf *b)
{
    return BIO_new_mem_buf(b->len ? b->data : (const uint8_t *)"", (int)b->len);
}

static bool is_pem(const struct buf *b)
{
    struct slice all = buf_slice(b);
    for (size_t i = 0; i + 10 < all.len; i++)
        if (slice_at(all, i) == '-' && slice_is(slice_sub(all, i, 10), "-----BEGIN"))
            return true;
    return false;
}

static bool keep(struct identity *c, X509 *x509)
{
    if (!c->x509) {
        c->x509 = x509;
        return true;
    }
    if (!c->chain)
        c->chain = sk_X509_new_null();
    if (c->chain && sk_X509_push(c->chain, x509) > 0)
        return true;
    X509_free(x509);
    return false;
}

static void read_pem_certificates(struct identity *c, const struct buf *b, struct asked *asked)
{
    BIO *bio = bio_of(b);
    X509 *x509;
    while (bio && (x509 = PEM_read_bio_X509_AUX(bio, NULL, give_passphrase, asked)) != NULL)
        if (!keep(c, x509))
            break;
    if (c->x509)
        ERR_clear_error(); /* that there are no more */
    BIO_free(bio);
}

static bool read_pkcs12(struct identity *c, const struct buf *b, struct asked *asked)
{
    BIO *bio = bio_of(b);
    PKCS12 *p12 = bio ? d2i_PKCS12_bio(bio, NULL) : NULL;
    BIO_free(bio);
    if (!p12)
        return false;
    asked->wanted = PKCS12_verify_mac(p12, NULL, 0) != 1 && PKCS12_verify_mac(p12, "", 0) != 1;
    bool ok = PKCS12_parse(p12, asked->text, &c->key, &c->x509, &c->chain) == 1 && c->x509;
    PKCS12_free(p12);
    return ok;
}

static bool read_der_certificate(struct identity *c, const struct buf *b)
{
    BIO *bio = bio_of(b);
    c->x509 = bio ? d2i_X509_bio(bio, NULL) : NULL;
    BIO_free(bio);
    return c->x509 != NULL;
}

static void read_key(struct identity *c, const struct buf *b, struct asked *asked)
{
    struct identity other = {.x509 = NULL};
    BIO *bio = bio_of(b);
    if (is_pem(b)) {
        c->key = bio ? PEM_read_bio_PrivateKey(bio, NULL, give_passphrase, asked) : NULL;
    } else if (read_pkcs12(&other, b, asked)) {
        c->key = other.key;
        other.key = NULL;
    } else {
        c->key = bio ? d2i_PrivateKey_bio(bio, NULL) : NULL;
    }
    identity_free(&other);
    BIO_free(bio);
}

/* What a form that was named says of the bytes; the bytes themselves would do. */
static bool form_fits(const struct buf *b, const char *form, const char *path, struct error *e)
{
    bool pem = is_pem(b);
    if (!form || (strcasecmp(form, "PEM") == 0) == pem)
        return true;
    return error_set(e, ERROR_FORMAT, "'%.300s' is %s, not %.10s", path,
                     pem ? "PEM" : "no PEM (DER or PKCS #12 by the look of it)", form);
}

static bool read_certificate(struct identity *c, const struct identity_files *f,
                             struct asked *asked, bool lax, struct error *e)
{
    struct buf bytes = {.ceiling = 0};
    bool own_key = !f->key; /* the key is in the same file */
    bool ok = read_file(&bytes, f, f->cert, own_key, lax, e) &&
              form_fits(&bytes, f->cert_form, f->cert, e);
    if (ok && is_pem(&bytes))
        read_pem_certificates(c, &bytes, asked);
    else if (ok && !read_der_certificate(c, &bytes) && !read_pkcs12(c, &bytes, asked) &&
             asked->wanted)
        ok = error_set(e, ERROR_CRYPTO, "'%.300s' needs %s passphrase: -pass", f->cert,
                       asked->source ? "another" : "a");
    if (ok && !c->x509)
        ok = fail(e, "cannot read the certificate in", f->cert);
    if (ok && own_key && !c->key)
        read_key(c, &bytes, asked);
    buf_wipe(&bytes);
    return ok;
}

static bool read_key_file(struct identity *c, const struct identity_files *f, struct asked *asked,
                          bool lax, struct error *e)
{
    struct buf bytes = {.ceiling = 0};
    bool ok =
        read_file(&bytes, f, f->key, true, lax, e) && form_fits(&bytes, f->key_form, f->key, e);
    EVP_PKEY_free(c->key); /* one that a PKCS #12 file had */
    c->key = NULL;
    if (ok)
        read_key(c, &bytes, asked);
    buf_wipe(&bytes);
    return ok;
}

static bool read_chain(struct identity *c, const struct identity_files *f, struct error *e)
{
    struct identity more = {.x509 = NULL};
    struct asked nobody = {.source = NULL};
    struct buf bytes = {.ceiling = 0};
    bool ok = read_file(&bytes, f, f->chain, false, true, e);
    if (ok && is_pem(&bytes))
        read_pem_certificates(&more, &bytes, &nobody);
    else if (ok)
        read_der_certificate(&more, &bytes);
    if (ok && !more.x509)
        ok = fail(e, "cannot read the certificates in", f->chain);
    if (ok) {
        ok = keep(c, more.x509);
        more.x509 = NULL;
        for (X509 *x509; ok && (x509 = sk_X509_shift(more.chain)) != NULL;)
            ok = keep(c, x509);
    }
    identity_free(&more);
    buf_free(&bytes);
    return ok;
}

static bool read_all(struct identity *c, const struct identity_files *f, struct asked *asked,
                     bool lax, struct error *e)
{
    const char *key = f->key ? f->key : f->cert;
    if (f->pass && !identity_passphrase(f->pass, asked->text, sizeof(asked->text), e))
        return false;
    if (!read_certificate(c, f, asked, lax, e) || (f->key && !read_key_file(c, f, asked, lax, e)))
        return false;
    if (!c->key && asked->wanted)
        return error_set(e, ERROR_CRYPTO,
                         "the private key in '%.300s' is encrypted: %s   give -pass file:PATH (or "
                         "pass:TEXT, env:NAME, stdin)",
                         key, asked->source ? "not with this passphrase" : "it needs a passphrase");
    if (!c->key)
        return fail(e, "cannot read the private key in", key);
    if (X509_check_private_key(c->x509, c->key) != 1)
        return error_set(e, ERROR_CRYPTO,
                         "the certificate in '%.300s' does not belong to the key in '%.300s'",
                         f->cert, key);
    return !f->chain || read_chain(c, f, e);
}

bool identity_read(struct identity *c, const struct identity_files *f, bool lax, struct error *e)
{
    struct asked asked = {.source = f->pass};
    *c = (struct identity){.x509 = NULL};
    ERR_clear_error();
    bool ok = read_all(c, f, &asked, lax, e);
    OPENSSL_cleanse(asked.text, sizeof(asked.text));
    ERR_clear_error();
    return ok;
}

bool identity_use(const struct identity *c, SSL_CTX *ctx, struct error *e)
{
    if (SSL_CTX_use_cert_and_key(ctx, c->x509, c->key, c->chain, 1) != 1)
        return fail(e, "cannot use", "the certificate");
    return true;
}
