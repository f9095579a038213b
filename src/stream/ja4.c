#include "stream/ja4.h"

#include "crypto/digest.h"

#include <stdlib.h>

#define HASH_SHOWN 12
#define MOST_SHOWN 99 /* counts have two digits */

enum { SERVER_NAME = 0, SIGNATURE_ALGORITHMS = 13, ALPN = 16, SUPPORTED_VERSIONS = 43 };

/* Numbers of two bytes, GREASE left out. */
struct list {
    uint16_t *numbers;
    size_t count;
};

struct hello {
    struct list suites, extensions; /* extensions without server_name and ALPN */
    struct slice algorithms, versions, protocol;
    size_t extension_count;
    uint16_t version;
    bool has_name;
};

/* RFC 8701 2 */
static bool is_grease(uint16_t value)
{
    return (value & 0x0f0f) == 0x0a0a && value >> 8 == (value & 0xff);
}

static bool list_make(struct list *l, struct arena *memory, size_t most)
{
    l->numbers = arena_alloc(memory, (most + 1) * sizeof *l->numbers);
    return l->numbers != NULL;
}

static void list_add(struct list *l, uint16_t value)
{
    if (!is_grease(value))
        l->numbers[l->count++] = value;
}

static int ascending(const void *a, const void *b)
{
    uint16_t x = *(const uint16_t *)a, y = *(const uint16_t *)b;
    return (x > y) - (x < y);
}

static void read_extension(struct hello *h, uint16_t type, struct slice body)
{
    h->extension_count += !is_grease(type);
    if (type == SERVER_NAME) {
        h->has_name = true;
    } else if (type == ALPN) {
        slice_skip(&body, 2);
        h->protocol = slice_take(&body, slice_u8(&body));
    } else {
        list_add(&h->extensions, type);
    }
    if (type == SIGNATURE_ALGORITHMS)
        h->algorithms = slice_take(&body, slice_u16(&body));
    else if (type == SUPPORTED_VERSIONS)
        h->versions = slice_take(&body, slice_u8(&body));
}

static bool read_hello(struct hello *h, struct slice s, struct arena *memory)
{
    h->version = slice_u16(&s);
    slice_skip(&s, 32);
    slice_skip(&s, slice_u8(&s));
    struct slice suites = slice_take(&s, slice_u16(&s));
    slice_skip(&s, slice_u8(&s));
    struct slice extensions = slice_take(&s, slice_u16(&s));
    if (!list_make(&h->suites, memory, suites.len / 2) ||
        !list_make(&h->extensions, memory, extensions.len / 4))
        return false;
    while (suites.len >= 2)
        list_add(&h->suites, slice_u16(&suites));
    while (extensions.len >= 4) {
        uint16_t type = slice_u16(&extensions);
        read_extension(h, type, slice_take(&extensions, slice_u16(&extensions)));
    }
    /* The highest version offered counts, not the one in front. */
    uint16_t highest = 0;
    for (struct slice v = h->versions; v.len >= 2;) {
        uint16_t version = slice_u16(&v);
        if (!is_grease(version) && version > highest)
            highest = version;
    }
    if (highest)
        h->version = highest;
    return true;
}

static const char *version_text(uint16_t version)
{
    static const struct {
        uint16_t version;
        const char *text;
    } known[] = {{0x0304, "13"}, {0x0303, "12"}, {0x0302, "11"},
                 {0x0301, "10"}, {0x0300, "s3"}, {0x0002, "s2"}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (known[i].version == version)
            return known[i].text;
    return "00";
}

static bool is_alphanumeric(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* First and last character of the first protocol; of its hexadecimal form when they are none. */
static void put_protocol(struct buf *out, struct slice protocol)
{
    static const char digits[] = "0123456789abcdef";
    if (protocol.len == 0) {
        buf_str(out, "00");
        return;
    }
    uint8_t first = slice_at(protocol, 0), last = slice_at(protocol, protocol.len - 1);
    bool plain = is_alphanumeric(first) && is_alphanumeric(last);
    buf_char(out, plain ? (char)first : digits[first >> 4]);
    buf_char(out, plain ? (char)last : digits[last & 15]);
}

static void put_count(struct buf *out, size_t count)
{
    buf_dec_pad(out, count < MOST_SHOWN ? count : MOST_SHOWN, 2, '0');
}

static void put_list(struct buf *out, const struct list *l)
{
    for (size_t i = 0; i < l->count; i++) {
        if (i > 0)
            buf_char(out, ',');
        buf_hex(out, l->numbers[i], 4);
    }
}

/* Signature algorithms stay in their order. */
static void put_algorithms(struct buf *out, struct slice algorithms)
{
    char before = '_';
    while (algorithms.len >= 2) {
        uint16_t value = slice_u16(&algorithms);
        if (is_grease(value))
            continue;
        buf_char(out, before);
        buf_hex(out, value, 4);
        before = ',';
    }
}

/* Replaces what OUT has since START by the front of its hash. */
static bool shorten(struct buf *out, size_t start, bool empty, struct crypto_provider *crypto)
{
    char digest[65] = "";
    struct slice text = slice_sub(buf_slice(out), start, out->len - start);
    bool good = empty || digest_sha256_hex(crypto, text, digest);
    out->len = start;
    if (empty)
        buf_fill(out, '0', HASH_SHOWN);
    else
        buf_put(out, digest, HASH_SHOWN);
    return good;
}

bool ja4_client(struct buf *out, struct slice body, struct arena *memory,
                struct crypto_provider *crypto)
{
    struct hello h = {0};
    if (!read_hello(&h, body, memory))
        return false;
    qsort(h.suites.numbers, h.suites.count, sizeof *h.suites.numbers, ascending);
    qsort(h.extensions.numbers, h.extensions.count, sizeof *h.extensions.numbers, ascending);
    buf_char(out, 't');
    buf_str(out, version_text(h.version));
    buf_char(out, h.has_name ? 'd' : 'i');
    put_count(out, h.suites.count);
    put_count(out, h.extension_count);
    put_protocol(out, h.protocol);
    buf_char(out, '_');
    size_t start = out->len;
    put_list(out, &h.suites);
    bool good = !crypto || shorten(out, start, h.suites.count == 0, crypto);
    buf_char(out, '_');
    start = out->len;
    put_list(out, &h.extensions);
    put_algorithms(out, h.algorithms);
    return (!crypto || shorten(out, start, h.extensions.count == 0, crypto)) && good;
}
