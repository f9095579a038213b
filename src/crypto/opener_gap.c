/* Openers behind a gap: which sequence number a record has, when those before it are missing. */
#include "crypto/opener.h"

#include "crypto/rc4.h"

#include <openssl/crypto.h>

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

enum open_result opener_open_gap(struct opener *o, struct slice header, struct slice fragment,
                                 struct arena *arena, unsigned limit, uint64_t lost,
                                 struct opened *out, unsigned *skipped)
{
    uint64_t expected = o->seq;
    enum open_result result =
        opener_open_ahead(o, header, fragment, arena, o->stream ? 0 : limit, out, skipped);
    if (result != OPEN_BAD_TAG || !o->stream || lost <= RECORD_HEADER_SIZE)
        return result;
    /* The more records are missing, the more of the bytes were headers, which are not encrypted. */
    uint64_t most = (lost - 1) / RECORD_HEADER_SIZE, ahead = lost;
    rc4_skip(o->stream, ahead);
    for (unsigned i = 1; result == OPEN_BAD_TAG && i <= limit && i <= most; i++) {
        rc4_back(o->stream, RECORD_HEADER_SIZE);
        ahead -= RECORD_HEADER_SIZE;
        o->seq = expected + i;
        result = opener_open(o, header, fragment, arena, out);
        *skipped = i;
    }
    if (result != OPEN_OK) {
        rc4_back(o->stream, ahead);
        o->seq = expected;
        *skipped = 0;
    }
    return result;
}
