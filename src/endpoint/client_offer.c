#include "endpoint/client_offer.h"

#include "crypto/provider.h"
#include "stream/ja3.h"
#include "stream/ja4.h"

#include <openssl/evp.h>

static const struct {
    const char *label, *key;
    enum registry registry;
} kinds[OFFER_COUNT] = {
    [OFFER_VERSIONS] = {"Versions", "versions", REG_VERSIONS},
    [OFFER_SUITES] = {"Cipher suites", "cipher_suites", REG_CIPHER_SUITES},
    [OFFER_GROUPS] = {"Groups", "groups", REG_SUPPORTED_GROUPS},
    [OFFER_SHARES] = {"Key shares", "key_shares", REG_SUPPORTED_GROUPS},
    [OFFER_SCHEMES] = {"Signatures", "signature_schemes", REG_SIGNATURE_SCHEMES},
    [OFFER_EXTENSIONS] = {"Extensions", "extensions", REG_EXTENSION_TYPES},
};

const char *client_offer_label(enum offer_kind kind)
{
    return kinds[kind].label;
}

const char *client_offer_key(enum offer_kind kind)
{
    return kinds[kind].key;
}

void client_offer_name(struct buf *out, enum offer_kind kind, uint16_t number)
{
    const char *name = registry_name(kinds[kind].registry, number);
    if (!name)
        name = registry_compat(kinds[kind].registry, number);
    if ((number & 0x0f0f) == 0x0a0a && number >> 8 == (number & 0xff))
        buf_str(out, "GREASE"); /* RFC 8701 */
    else if (name)
        buf_str(out, name);
    else
        buf_printf(out, "0x%04x", number);
}

static void add(struct offer_list *list, uint16_t number)
{
    if (list->count < OFFER_MOST)
        list->numbers[list->count++] = number;
}

static void read_numbers(struct offer_list *list, struct slice numbers)
{
    while (numbers.len >= 2)
        add(list, slice_u16(&numbers));
}

static void read_shares(struct offer_list *list, struct slice body)
{
    struct slice shares = slice_take(&body, slice_u16(&body));
    while (shares.len >= 4) {
        add(list, slice_u16(&shares));
        slice_skip(&shares, slice_u16(&shares));
    }
}

static void read_alpn(struct client_offer *o, struct slice body)
{
    struct slice names = slice_take(&body, slice_u16(&body));
    size_t len = 0;
    while (names.len > 0) {
        struct slice name = slice_take(&names, slice_u8(&names));
        if (name.failed || len + name.len + 2 > sizeof(o->alpn))
            break;
        if (len > 0)
            o->alpn[len++] = ',';
        size_t size = name.len;
        (void)slice_read(&name, o->alpn + len, size);
        len += size;
    }
    o->alpn[len] = '\0';
}

static void read_extension(struct client_offer *o, uint16_t type, struct slice body)
{
    add(&o->lists[OFFER_EXTENSIONS], type);
    if (type == 10)
        read_numbers(&o->lists[OFFER_GROUPS], slice_take(&body, slice_u16(&body)));
    else if (type == 13)
        read_numbers(&o->lists[OFFER_SCHEMES], slice_take(&body, slice_u16(&body)));
    else if (type == 16)
        read_alpn(o, body);
    else if (type == 43)
        read_numbers(&o->lists[OFFER_VERSIONS], slice_take(&body, slice_u8(&body)));
    else if (type == 51)
        read_shares(&o->lists[OFFER_SHARES], body);
}

static void fingerprint(struct client_offer *o, struct slice body)
{
    struct buf text = {.ceiling = 16384}, digits = {.ceiling = 64};
    unsigned char md5[16];
    size_t len = sizeof(md5);
    ja3_client(&text, body);
    if (!text.failed && EVP_Q_digest(NULL, "MD5", NULL, text.data, text.len, md5, &len) == 1)
        buf_hex_bytes(&digits, slice_of(md5, sizeof(md5)), '\0');
    snprintf(o->ja3, sizeof(o->ja3), "%.*s", (int)digits.len, (const char *)digits.data);
    buf_free(&digits);
    buf_clear(&text);
    struct crypto_provider crypto;
    struct arena memory = {.ceiling = (size_t)1 << 20};
    crypto_provider_init(&crypto);
    if (ja4_client(&text, body, &memory, &crypto) && text.len < sizeof(o->ja4))
        snprintf(o->ja4, sizeof(o->ja4), "%.*s", (int)text.len, (const char *)text.data);
    arena_free(&memory);
    crypto_provider_free(&crypto);
    buf_free(&text);
}

void client_offer_read(struct client_offer *o, struct slice hello)
{
    *o = (struct client_offer){.alpn = ""};
    slice_skip(&hello, 4);
    struct slice body = hello;
    uint16_t version = slice_u16(&hello);
    slice_skip(&hello, 32);
    slice_skip(&hello, slice_u8(&hello));
    read_numbers(&o->lists[OFFER_SUITES], slice_take(&hello, slice_u16(&hello)));
    slice_skip(&hello, slice_u8(&hello));
    struct slice extensions = slice_take(&hello, slice_u16(&hello));
    while (extensions.len >= 4) {
        uint16_t type = slice_u16(&extensions);
        read_extension(o, type, slice_take(&extensions, slice_u16(&extensions)));
    }
    if (o->lists[OFFER_VERSIONS].count == 0)
        add(&o->lists[OFFER_VERSIONS], version);
    if (body.len > 0)
        fingerprint(o, body);
}
