#include "crypto/key_ring.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#define BLOCKS_MAX 256  /* private keys looked for in one file */
#define RSA_BYTES  2048 /* of the longest modulus that is tried */

struct psk {
    uint8_t *bytes; /* owned: the identity, then the key */
    size_t identity_len, key_len;
};

struct key_ring {
    /* Old PKCS #12 files need ciphers of the legacy provider; a context of our own leaves the
     * process's default one as it is. */
    OSSL_LIB_CTX *context;
    OSSL_PROVIDER *usual, *legacy;
    EVP_PKEY *privates[RING_PRIVATE_MAX];
    size_t private_count;
    struct psk *psks; /* sorted by nothing: few, and asked once a connection */
    size_t psk_count, psk_room;
    struct psk any; /* the one for every identity; bytes NULL: none */
};

struct key_ring *key_ring_new(void)
{
    struct key_ring *ring = calloc(1, sizeof *ring);
    return ring;
}

static void free_psk(struct psk *psk)
{
    if (psk->bytes)
        OPENSSL_cleanse(psk->bytes, psk->identity_len + psk->key_len);
    free(psk->bytes);
    *psk = (struct psk){0};
}

void key_ring_free(struct key_ring *ring)
{
    if (!ring)
        return;
    for (size_t i = 0; i < ring->private_count; i++)
        EVP_PKEY_free(ring->privates[i]); /* cleanses its numbers */
    for (size_t i = 0; i < ring->psk_count; i++)
        free_psk(&ring->psks[i]);
    free_psk(&ring->any);
    free(ring->psks);
    if (ring->legacy)
        OSSL_PROVIDER_unload(ring->legacy);
    if (ring->usual)
        OSSL_PROVIDER_unload(ring->usual);
    OSSL_LIB_CTX_free(ring->context);
    free(ring);
}

size_t key_ring_private_count(const struct key_ring *ring)
{
    return ring ? ring->private_count : 0;
}

size_t key_ring_psk_count(const struct key_ring *ring)
{
    return ring ? ring->psk_count + (ring->any.bytes != NULL) : 0;
}

/* ---- private keys ---- */

static bool open_context(struct key_ring *ring)
{
    if (ring->context)
        return true;
    ring->context = OSSL_LIB_CTX_new();
    if (!ring->context)
        return false;
    ring->usual = OSSL_PROVIDER_load(ring->context, "default");
    ring->legacy =
        OSSL_PROVIDER_load(ring->context, "legacy"); /* does without, where there is none */
    return ring->usual != NULL;
}

/* What the password callback is asked, and whether it was. */
struct asked {
    const char *password;
    bool was;
};

static int give_password(char *out, int size, int writing, void *context)
{
    struct asked *asked = context;
    size_t len = asked->password ? strlen(asked->password) : 0;
    (void)writing;
    asked->was = true;
    if (!asked->password || len > (size_t)size)
        return -1;
    memcpy(out, asked->password, len);
    return (int)len;
}

/* Takes KEY over when it is of use. */
static enum ring_result add_private(struct key_ring *ring, EVP_PKEY *key)
{
    enum ring_result result = RING_NOT_RSA;
    if (EVP_PKEY_is_a(key, "RSA") && EVP_PKEY_get_size(key) <= RSA_BYTES)
        result = ring->private_count < RING_PRIVATE_MAX ? RING_TAKEN : RING_FULL;
    for (size_t i = 0; i < ring->private_count && result == RING_TAKEN; i++) {
        if (EVP_PKEY_eq(ring->privates[i], key) == 1) { /* named twice */
            EVP_PKEY_free(key);
            return RING_TAKEN;
        }
    }
    if (result == RING_TAKEN)
        ring->privates[ring->private_count++] = key;
    else
        EVP_PKEY_free(key);
    return result;
}

static BIO *bio_of(struct slice bytes)
{
    return bytes.len <= INT32_MAX ? BIO_new_mem_buf(bytes.data, (int)bytes.len) : NULL;
}

/* PEM: every key that is in it; there may be certificates between. */
static enum ring_result take_pem(struct key_ring *ring, struct slice file, struct asked *asked)
{
    BIO *in = bio_of(file);
    enum ring_result result = RING_NO_KEY;
    for (unsigned i = 0; in && i < BLOCKS_MAX; i++) {
        EVP_PKEY *key =
            PEM_read_bio_PrivateKey_ex(in, NULL, give_password, asked, ring->context, NULL);
        if (!key)
            break;
        enum ring_result one = add_private(ring, key);
        if (result != RING_TAKEN)
            result = one;
    }
    BIO_free(in);
    return result == RING_NO_KEY && asked->was ? RING_BAD_PASSWORD : result;
}

static enum ring_result take_pkcs12(struct key_ring *ring, struct slice file, const char *password)
{
    const unsigned char *at = file.data;
    PKCS12 *store = PKCS12_init_ex(NID_pkcs7_data, ring->context, NULL);
    EVP_PKEY *key = NULL;
    enum ring_result result = RING_NO_KEY;
    if (!store || !d2i_PKCS12(&store, &at, (long)file.len)) {
        PKCS12_free(store); /* NULL when d2i freed it */
        return RING_NO_KEY;
    }
    if (!PKCS12_mac_present(store) || PKCS12_verify_mac(store, password, -1) == 1 ||
        (!password && PKCS12_verify_mac(store, "", 0) == 1)) {
        X509 *certificate = NULL;
        if (PKCS12_parse(store, password ? password : "", &key, &certificate, NULL) == 1 && key)
            result = add_private(ring, key);
        X509_free(certificate);
    } else {
        result = RING_BAD_PASSWORD;
    }
    PKCS12_free(store);
    return result;
}

/* DER: PKCS #1, PKCS #8, or PKCS #8 under a password. */
static enum ring_result take_der(struct key_ring *ring, struct slice file, struct asked *asked)
{
    const unsigned char *at = file.data;
    EVP_PKEY *key = d2i_AutoPrivateKey_ex(NULL, &at, (long)file.len, ring->context, NULL);
    if (!key) {
        BIO *in = bio_of(file);
        X509_SIG *sealed = in ? d2i_PKCS8_bio(in, NULL) : NULL;
        BIO_free(in);
        if (!sealed)
            return RING_NO_KEY;
        const char *password = asked->password ? asked->password : "";
        PKCS8_PRIV_KEY_INFO *info =
            PKCS8_decrypt_ex(sealed, password, (int)strlen(password), ring->context, NULL);
        X509_SIG_free(sealed);
        if (!info)
            return RING_BAD_PASSWORD;
        key = EVP_PKCS82PKEY_ex(info, ring->context, NULL);
        PKCS8_PRIV_KEY_INFO_free(info);
    }
    return key ? add_private(ring, key) : RING_NO_KEY;
}

enum ring_result key_ring_private(struct key_ring *ring, struct slice file, const char *password)
{
    struct asked asked = {.password = password && *password ? password : NULL};
    if (!open_context(ring))
        return RING_FULL;
    enum ring_result result = take_pem(ring, file, &asked);
    if (result == RING_NO_KEY)
        result = take_pkcs12(ring, file, asked.password);
    if (result == RING_NO_KEY)
        result = take_der(ring, file, &asked);
    ERR_clear_error();
    return result;
}

/* The number under the padding of PKCS #1 (RFC 8017 7.2.2), taken off here and not by OpenSSL: newer
 * ones answer a wrong key with made-up bytes, where we need to be told. */
static bool take_padding_off(struct slice block, uint16_t hello_version, uint16_t version,
                             uint8_t out[PREMASTER_SIZE])
{
    enum { LEAST = 2 + 8 + 1 };
    if (block.len < LEAST + PREMASTER_SIZE || slice_u8(&block) != 0 || slice_u8(&block) != 2)
        return false;
    struct slice filler = slice_take(&block, block.len - PREMASTER_SIZE - 1);
    if (memchr(filler.data, 0, filler.len) || slice_u8(&block) != 0)
        return false;
    struct slice peek = block;
    uint16_t stated = slice_u16(&peek);
    bool known = hello_version ? stated == hello_version : stated >> 8 == 3;
    return (known || stated == version) && slice_read(&block, out, PREMASTER_SIZE);
}

static bool try_private(EVP_PKEY *key, struct slice encrypted, uint8_t *block, size_t *len)
{
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    *len = RSA_BYTES;
    bool ok = c && EVP_PKEY_decrypt_init(c) == 1 &&
              EVP_PKEY_CTX_set_rsa_padding(c, RSA_NO_PADDING) == 1 &&
              EVP_PKEY_decrypt(c, block, len, encrypted.data, encrypted.len) == 1;
    EVP_PKEY_CTX_free(c);
    return ok;
}

bool key_ring_premaster(const struct key_ring *ring, struct slice encrypted, uint16_t hello_version,
                        uint16_t version, uint8_t out[PREMASTER_SIZE])
{
    uint8_t block[RSA_BYTES];
    bool found = false;
    for (size_t i = 0; ring && i < ring->private_count && !found; i++) {
        size_t len;
        if ((size_t)EVP_PKEY_get_size(ring->privates[i]) == encrypted.len &&
            try_private(ring->privates[i], encrypted, block, &len))
            found = take_padding_off(slice_of(block, len), hello_version, version, out);
    }
    OPENSSL_cleanse(block, sizeof block);
    ERR_clear_error();
    return found;
}

/* ---- pre-shared keys ---- */

static bool fill_psk(struct psk *psk, struct slice identity, struct slice key)
{
    uint8_t *bytes = malloc(identity.len + key.len + 1);
    if (!bytes)
        return false;
    free_psk(psk);
    *psk = (struct psk){.bytes = bytes, .identity_len = identity.len, .key_len = key.len};
    slice_read(&identity, bytes, identity.len);
    slice_read(&key, bytes + psk->identity_len, key.len);
    return true;
}

static struct psk *psk_of(const struct key_ring *ring, struct slice identity)
{
    for (size_t i = 0; i < ring->psk_count; i++)
        if (slice_equal(slice_of(ring->psks[i].bytes, ring->psks[i].identity_len), identity))
            return &ring->psks[i];
    return NULL;
}

bool key_ring_psk(struct key_ring *ring, const struct slice *identity, struct slice key)
{
    if (key.len == 0 || key.len > RING_SECRET_MAX ||
        (identity && identity->len > RING_IDENTITY_MAX))
        return false;
    if (!identity)
        return fill_psk(&ring->any, slice_empty(), key);
    struct psk *old = psk_of(ring, *identity);
    if (old)
        return fill_psk(old, *identity, key);
    if (ring->psk_count == ring->psk_room) {
        size_t room = ring->psk_room ? 2 * ring->psk_room : 16;
        struct psk *more = room <= RING_PSK_MAX ? realloc(ring->psks, room * sizeof *more) : NULL;
        if (!more)
            return false;
        ring->psks = more;
        ring->psk_room = room;
    }
    ring->psks[ring->psk_count] = (struct psk){0};
    if (!fill_psk(&ring->psks[ring->psk_count], *identity, key))
        return false;
    ring->psk_count++;
    return true;
}

struct slice key_ring_find_psk(const struct key_ring *ring, struct slice identity)
{
    if (!ring)
        return slice_empty();
    const struct psk *psk = psk_of(ring, identity);
    if (!psk)
        psk = &ring->any;
    return psk->bytes ? slice_of(psk->bytes + psk->identity_len, psk->key_len) : slice_empty();
}
