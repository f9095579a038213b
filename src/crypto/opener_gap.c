/* Openers behind a gap: which sequence number a record has, when those before it are missing. */
#include "crypto/opener.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

enum open_result opener_open_ahead(struct opener *o, struct slice header, struct slice fragment,
                                   struct arena *arena, unsigned limit, struct opened *out,
                                   unsigned *skipped)
{
    uint64_t expected = o->seq;
    *skipped = 0;
    enum open_result result = opener_open(o, header, fragment, arena, out);
    for (unsigned i = 1; result == OPEN_BAD_TAG && i <= limit; i++) {
        o->seq = expected + i;
        result = opener_open(o, header, fragment, arena, out);
        if (result == OPEN_OK)
            *skipped = i;
    }
    if (result != OPEN_OK)
        o->seq = expected;
    return result;
}

bool opener_chains(const struct opener *o)
{
    enum cipher_kind kind = o->suite ? cipher_info(o->suite->cipher)->kind : KIND_NULL;
    return kind == KIND_STREAM || (kind == KIND_BLOCK && schedule_chains_iv(o->version));
}

bool opener_can(struct crypto_provider *p, const struct suite *suite)
{
    return !cipher_info(suite->cipher)->evp_name || provider_cipher(p, suite->cipher);
}

void opener_wipe(struct opener *copy)
{
    OPENSSL_cleanse(copy, sizeof *copy);
}

/* Lets SIZE bytes of the key stream go by. */
static bool pass_stream(EVP_CIPHER_CTX *context, uint64_t size)
{
    static const uint8_t zeros[512];
    uint8_t waste[sizeof zeros];
    bool ok = true;
    while (ok && size > 0) {
        int n = 0, part = (int)(size < sizeof zeros ? size : sizeof zeros);
        ok = EVP_DecryptUpdate(context, waste, &n, zeros, part) == 1;
        size -= (uint64_t)part;
    }
    OPENSSL_cleanse(waste, sizeof waste);
    return ok;
}

enum open_result opener_open_gap(struct opener *o, struct slice header, struct slice fragment,
                                 struct arena *arena, unsigned limit, uint64_t lost,
                                 struct opened *out, unsigned *skipped)
{
    uint64_t expected = o->seq;
    bool stream = o->suite && cipher_info(o->suite->cipher)->kind == KIND_STREAM;
    enum open_result result =
        opener_open_ahead(o, header, fragment, arena, stream ? 0 : limit, out, skipped);
    if (result != OPEN_BAD_TAG || !stream || !o->context)
        return result;
    EVP_CIPHER_CTX *base = EVP_CIPHER_CTX_new();
    bool ok = base && EVP_CIPHER_CTX_copy(base, o->context) == 1;
    for (unsigned i = 1; ok && result == OPEN_BAD_TAG && i <= limit; i++) {
        uint64_t headers = (uint64_t)i * RECORD_HEADER_SIZE;
        if (headers >= lost)
            break;
        ok = EVP_CIPHER_CTX_copy(o->context, base) == 1 && pass_stream(o->context, lost - headers);
        o->seq = expected + i;
        result = ok ? opener_open(o, header, fragment, arena, out) : OPEN_NO_MEMORY;
        *skipped = i;
    }
    if (result != OPEN_OK) {
        o->seq = expected;
        *skipped = 0;
        if (base)
            (void)EVP_CIPHER_CTX_copy(o->context, base);
    }
    EVP_CIPHER_CTX_free(base);
    return result;
}
