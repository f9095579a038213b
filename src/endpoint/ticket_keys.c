#include "endpoint/ticket_keys.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct key {
    uint8_t name[16], cipher[32], mac[32];
};
static_assert(sizeof(struct key) == TICKET_KEY_BYTES, "the file holds these bytes and no others");

struct ticket_keys {
    pthread_mutex_t lock;
    struct key keys[TICKET_KEYS]; /* the newest first */
    unsigned count;
    uint64_t seconds; /* 0: they stay */
    time_t made;      /* CLOCK_MONOTONIC, of the newest */
};

static time_t seconds_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec;
}

static bool add_key(struct ticket_keys *r)
{
    struct key fresh;
    if (RAND_bytes((unsigned char *)&fresh, sizeof(fresh)) != 1)
        return false;
    for (unsigned i = TICKET_KEYS - 1; i > 0; i--)
        r->keys[i] = r->keys[i - 1];
    r->keys[0] = fresh;
    r->count += r->count < TICKET_KEYS;
    r->made = seconds_now();
    OPENSSL_cleanse(&fresh, sizeof(fresh));
    return true;
}

struct ticket_keys *ticket_keys_new(uint64_t seconds, struct error *e)
{
    struct ticket_keys *r = calloc(1, sizeof(*r));
    if (!r || !add_key(r)) {
        free(r);
        error_set(e, ERROR_CRYPTO, "cannot make a key for session tickets");
        return NULL;
    }
    r->seconds = seconds;
    pthread_mutex_init(&r->lock, NULL);
    return r;
}

void ticket_keys_free(struct ticket_keys *r)
{
    if (!r)
        return;
    pthread_mutex_destroy(&r->lock);
    OPENSSL_cleanse(r->keys, sizeof(r->keys));
    free(r);
}

bool ticket_keys_rotate(struct ticket_keys *r)
{
    pthread_mutex_lock(&r->lock);
    bool done = add_key(r);
    pthread_mutex_unlock(&r->lock);
    return done;
}

/* The bytes of a whole file that nobody but its owner may read; 0 and an error when it is none. */
static size_t read_keys(const char *path, const struct file_opener *opener,
                        struct key keys[TICKET_KEYS], struct error *e)
{
    struct stat info;
    int fd =
        opener ? opener->open(opener->user, path) : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0 || fstat(fd, &info) != 0) {
        error_set(e, ERROR_FILE, "cannot read the ticket keys in '%s': %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return 0;
    }
    ssize_t len = read(fd, keys, TICKET_KEYS * sizeof(struct key));
    close(fd);
    if (info.st_mode & (S_IRWXG | S_IRWXO))
        error_set(e, ERROR_PERMISSION, "the ticket keys in '%s' can be read by others: chmod 600",
                  path);
    else if (!S_ISREG(info.st_mode) || len < TICKET_KEY_BYTES || info.st_size != len ||
             len % TICKET_KEY_BYTES != 0)
        error_set(e, ERROR_FORMAT, "'%s' is no file of ticket keys: want 80, 160 or 240 bytes",
                  path);
    else
        return (size_t)len / TICKET_KEY_BYTES;
    return 0;
}

bool ticket_keys_load(struct ticket_keys *r, const char *path, const struct file_opener *opener,
                      struct error *e)
{
    struct key keys[TICKET_KEYS] = {{{0}, {0}, {0}}};
    size_t count = read_keys(path, opener, keys, e);
    if (count > 0) {
        pthread_mutex_lock(&r->lock);
        for (size_t i = 0; i < count; i++)
            r->keys[i] = keys[i];
        r->count = (unsigned)count;
        r->seconds = 0;
        pthread_mutex_unlock(&r->lock);
    }
    OPENSSL_cleanse(keys, sizeof(keys));
    return count > 0;
}

/* Nobody may have come for a while: the keys that would have been forgotten are.  Without randomness
 * the old ones serve on. */
static void add_due_keys(struct ticket_keys *r)
{
    uint64_t passed = (uint64_t)(seconds_now() - r->made);
    uint64_t due = r->seconds > 0 ? passed / r->seconds : 0;
    for (unsigned i = 0; i < TICKET_KEYS && i < due; i++)
        (void)add_key(r);
}

/* Looks for the key of a ticket, or takes the newest for a new one; *OLD when it is not the newest.
 * KEY is a copy: another thread may add one meanwhile. */
static bool find_key(struct ticket_keys *r, const unsigned char *name, struct key *key, bool *old)
{
    bool found = false;
    pthread_mutex_lock(&r->lock);
    add_due_keys(r);
    for (unsigned i = 0; i < r->count && !found; i++)
        if (!name || CRYPTO_memcmp(r->keys[i].name, name, sizeof(r->keys[i].name)) == 0) {
            *key = r->keys[i];
            *old = i > 0;
            found = true;
        }
    pthread_mutex_unlock(&r->lock);
    return found;
}

static bool set_mac(EVP_MAC_CTX *mac, struct key *key)
{
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key->mac, sizeof(key->mac)),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char[]){"SHA256"}, 0),
        OSSL_PARAM_construct_end(),
    };
    return EVP_MAC_CTX_set_params(mac, params) == 1;
}

/* What OpenSSL wants back: -1 for an error, 0 for an unknown key (a full handshake follows), 1 for
 * good, 2 for good but give the client a new one. */
static int ticket_key(SSL *ssl, unsigned char name[16], unsigned char iv[EVP_MAX_IV_LENGTH],
                      EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int sealing)
{
    struct ticket_keys *r = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    struct key key;
    bool old = false, good;
    if (!r || !find_key(r, sealing ? NULL : name, &key, &old))
        return 0;
    if (sealing) {
        memcpy(name, key.name, sizeof(key.name));
        good = RAND_bytes(iv, 16) == 1 &&
               EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, key.cipher, iv) == 1;
    } else {
        good = EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, key.cipher, iv) == 1;
    }
    good = good && set_mac(mac, &key);
    OPENSSL_cleanse(&key, sizeof(key));
    return !good ? -1 : old ? 2 : 1;
}

bool ticket_keys_use(struct ticket_keys *r, SSL_CTX *ctx)
{
    SSL_CTX_set_app_data(ctx, r);
    return SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, r ? ticket_key : NULL) == 1;
}
