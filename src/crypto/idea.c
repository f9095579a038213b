#include "crypto/idea.h"

#include <openssl/crypto.h>
#include <string.h>

enum { ROUNDS = 8, SUBKEYS = 6 * ROUNDS + 4 };

static uint16_t read_u16(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

/* Multiplication modulo 65537, where 0 stands for 65536. */
static uint16_t times(uint16_t a, uint16_t b)
{
    uint32_t x = a ? a : 0x10000, y = b ? b : 0x10000;
    return (uint16_t)((uint64_t)x * y % 0x10001);
}

/* a to the power of 65535 is its inverse. */
static uint16_t inverse(uint16_t a)
{
    uint16_t result = 1;
    for (unsigned i = 0; i < 16; i++) {
        result = times(result, a);
        a = times(a, a);
    }
    return result;
}

static uint16_t negative(uint16_t a)
{
    return (uint16_t)(0x10000u - a);
}

/* The key, turned by 25 bits for each eight subkeys. */
static void expand(const uint8_t key[IDEA_KEY], uint16_t out[SUBKEYS])
{
    for (unsigned i = 0; i < SUBKEYS; i++) {
        unsigned bit = (25 * (i / 8) + 16 * (i % 8)) % 128;
        uint32_t window = 0;
        for (unsigned k = 0; k < 3; k++)
            window = window << 8 | key[(bit / 8 + k) % IDEA_KEY];
        out[i] = (uint16_t)(window >> (8 - bit % 8));
    }
}

static void invert(const uint16_t in[SUBKEYS], uint16_t out[SUBKEYS])
{
    for (unsigned round = 0; round <= ROUNDS; round++) {
        const uint16_t *from = in + 6 * (ROUNDS - round);
        uint16_t *to = out + 6 * round;
        bool outer = round == 0 || round == ROUNDS;
        to[0] = inverse(from[0]);
        to[1] = negative(from[outer ? 1 : 2]);
        to[2] = negative(from[outer ? 2 : 1]);
        to[3] = inverse(from[3]);
        if (round < ROUNDS) {
            to[4] = in[6 * (ROUNDS - 1 - round) + 4];
            to[5] = in[6 * (ROUNDS - 1 - round) + 5];
        }
    }
}

static void block(const uint16_t k[SUBKEYS], const uint8_t in[IDEA_BLOCK], uint8_t out[IDEA_BLOCK])
{
    uint16_t a = read_u16(in), b = read_u16(in + 2), c = read_u16(in + 4), d = read_u16(in + 6);
    for (unsigned round = 0; round < ROUNDS; round++, k += 6) {
        a = times(a, k[0]);
        b = (uint16_t)(b + k[1]);
        c = (uint16_t)(c + k[2]);
        d = times(d, k[3]);
        uint16_t s = times(a ^ c, k[4]);
        uint16_t t = times((uint16_t)((b ^ d) + s), k[5]);
        s = (uint16_t)(s + t);
        uint16_t old = b;
        a ^= t;
        b = c ^ t;
        c = old ^ s;
        d ^= s;
    }
    uint16_t last[4] = {times(a, k[0]), (uint16_t)(c + k[1]), (uint16_t)(b + k[2]), times(d, k[3])};
    for (unsigned i = 0; i < 4; i++) {
        out[2 * i] = (uint8_t)(last[i] >> 8);
        out[2 * i + 1] = (uint8_t)last[i];
    }
}

void idea_cbc_decrypt(const uint8_t key[IDEA_KEY], const uint8_t iv[IDEA_BLOCK], const uint8_t *in,
                      uint8_t *out, size_t len)
{
    uint16_t forwards[SUBKEYS], backwards[SUBKEYS];
    uint8_t previous[IDEA_BLOCK], sealed[IDEA_BLOCK];
    expand(key, forwards);
    invert(forwards, backwards);
    memcpy(previous, iv, sizeof previous);
    for (size_t at = 0; at + IDEA_BLOCK <= len; at += IDEA_BLOCK) {
        memcpy(sealed, in + at, sizeof sealed);
        block(backwards, sealed, out + at);
        for (unsigned i = 0; i < IDEA_BLOCK; i++)
            out[at + i] ^= previous[i];
        memcpy(previous, sealed, sizeof previous);
    }
    OPENSSL_cleanse(forwards, sizeof forwards);
    OPENSSL_cleanse(backwards, sizeof backwards);
}
