#include "crypto/rc4.h"

static void swap(struct rc4 *r)
{
    uint8_t s = r->s[r->i];
    r->s[r->i] = r->s[r->j];
    r->s[r->j] = s;
}

void rc4_init(struct rc4 *r, struct slice key)
{
    for (unsigned n = 0; n < 256; n++)
        r->s[n] = (uint8_t)n;
    r->j = 0;
    for (unsigned n = 0; n < 256; n++) {
        r->i = (uint8_t)n;
        r->j = (uint8_t)(r->j + r->s[n] + slice_at(key, n % key.len));
        swap(r);
    }
    r->i = r->j = 0;
}

static uint8_t next(struct rc4 *r)
{
    r->i++;
    r->j = (uint8_t)(r->j + r->s[r->i]);
    swap(r);
    return r->s[(uint8_t)(r->s[r->i] + r->s[r->j])];
}

void rc4_crypt(struct rc4 *r, struct slice in, uint8_t *out)
{
    while (in.len > 0)
        *out++ = slice_u8(&in) ^ next(r);
}

void rc4_skip(struct rc4 *r, uint64_t n)
{
    while (n-- > 0)
        (void)next(r);
}

void rc4_back(struct rc4 *r, uint64_t n)
{
    while (n-- > 0) {
        swap(r);
        r->j = (uint8_t)(r->j - r->s[r->i]);
        r->i--;
    }
}
