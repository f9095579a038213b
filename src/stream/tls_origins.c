#include "stream/tls_origins.h"

#define XXH_INLINE_ALL
#include <openssl/crypto.h>
#include <stdlib.h>
#include <xxhash.h>

struct origin_name tls_origin_name(const struct tls_origins *o, enum origin_kind kind,
                                   struct slice name)
{
    if (name.len == 0 || name.failed)
        return (struct origin_name){0};
    XXH128_hash_t hash = XXH3_128bits_withSeed(name.data, name.len, o->seed + (uint64_t)kind);
    return (struct origin_name){.low = hash.low64, .high = hash.high64 | 1};
}

static struct tls_origin *row_of(const struct tls_origins *o, struct origin_name name)
{
    return &o->rows[(name.low & (ORIGIN_ROWS - 1)) * ORIGIN_ROW];
}

static bool is_same(struct origin_name a, struct origin_name b)
{
    return a.low == b.low && a.high == b.high;
}

const struct tls_origin *tls_origins_find(const struct tls_origins *o, struct origin_name name)
{
    if (!o->rows || !tls_origin_is(name))
        return NULL;
    const struct tls_origin *row = row_of(o, name);
    for (unsigned i = 0; i < ORIGIN_ROW; i++)
        if (is_same(row[i].name, name))
            return &row[i];
    return NULL;
}

void tls_origins_note(struct tls_origins *o, const struct tls_origin *what)
{
    if (!tls_origin_is(what->name))
        return;
    if (!o->rows)
        o->rows = calloc((size_t)ORIGIN_ROWS * ORIGIN_ROW, sizeof *o->rows);
    if (!o->rows)
        return;
    struct tls_origin *row = row_of(o, what->name), *to = row;
    for (unsigned i = 0; i < ORIGIN_ROW; i++) {
        if (is_same(row[i].name, what->name)) {
            to = &row[i];
            break;
        }
        if (row[i].age < to->age)
            to = &row[i];
    }
    *to = *what;
    to->age = ++o->clock;
}

void tls_origins_free(struct tls_origins *o)
{
    if (o->rows)
        OPENSSL_cleanse(o->rows, (size_t)ORIGIN_ROWS * ORIGIN_ROW * sizeof *o->rows);
    free(o->rows);
    o->rows = NULL;
}
