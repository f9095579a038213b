#include "endpoint/mischief_edit.h"

#define SERVER_HELLO 2
#define CERTIFICATE  11

enum { EXTENSION_KEY_SHARE = 51, EXTENSION_SRTP = 14, EXTENSION_RENEGOTIATION = 0xff01 };

/* RFC 9846 4.1.3, RFC 5246 7.4.1.3. */
struct hello {
    unsigned version;
    struct slice random, session;
    unsigned suite, compression;
    struct slice extensions;
};

static bool read_hello(struct slice message, struct hello *h)
{
    struct slice rest = message;
    slice_skip(&rest, 4);
    h->version = slice_u16(&rest);
    h->random = slice_take(&rest, 32);
    h->session = slice_take(&rest, slice_u8(&rest));
    h->suite = slice_u16(&rest);
    h->compression = slice_u8(&rest);
    h->extensions = rest.len > 0 ? slice_take(&rest, slice_u16(&rest)) : slice_empty();
    return !rest.failed && slice_at(message, 0) == SERVER_HELLO;
}

static void put(struct buf *out, uint64_t number, size_t bytes)
{
    while (bytes-- > 0)
        buf_char(out, (char)(number >> 8 * bytes & 0xff));
}

static void put_hello(struct buf *out, const struct hello *h)
{
    size_t len = 2 + 32 + 1 + h->session.len + 2 + 1 + 2 + h->extensions.len;
    put(out, SERVER_HELLO, 1);
    put(out, len, 3);
    put(out, h->version, 2);
    buf_slice_put(out, h->random);
    put(out, h->session.len, 1);
    buf_slice_put(out, h->session);
    put(out, h->suite, 2);
    put(out, h->compression, 1);
    put(out, h->extensions.len, 2);
    buf_slice_put(out, h->extensions);
}

/* The extensions without one, or with its last bytes zero. */
static void change_extension(struct slice from, unsigned type, bool leave_out, struct buf *out)
{
    while (from.len > 0) {
        unsigned this = slice_u16(&from);
        struct slice body = slice_take(&from, slice_u16(&from));
        if (from.failed || (this == type && leave_out))
            continue;
        put(out, this, 2);
        put(out, body.len, 2);
        if (this == type && body.len > 4) { /* group, length, key */
            buf_slice_put(out, slice_sub(body, 0, 4));
            buf_fill(out, '\0', body.len - 4);
        } else {
            buf_slice_put(out, body);
        }
    }
}

static void edit_hello(enum edit edit, struct hello *h, bool newest, struct buf *part)
{
    static const char no_session[] = "this is not your own session ID.";
    if (edit == EDIT_VERSION) {
        h->version = 0x0300;
    } else if (edit == EDIT_SESSION_ID) {
        h->session = slice_of(no_session, 32);
    } else if (edit == EDIT_SUITE) {
        h->suite =
            newest ? 0x1305 : 0x0005; /* TLS_AES_128_CCM_8_SHA256, TLS_RSA_WITH_RC4_128_SHA */
    } else if (edit == EDIT_COMPRESSION) {
        h->compression = 1;
    } else if (edit == EDIT_SENTINEL) { /* RFC 9846 4.1.3 */
        buf_slice_put(part, slice_sub(h->random, 0, 24));
        buf_put(part, "DOWNGRD\1", 8);
        h->random = buf_slice(part);
    } else if (edit == EDIT_EXTENSION) {
        buf_slice_put(part, h->extensions);
        put(part, EXTENSION_SRTP, 2);
        put(part, 0, 2);
        h->extensions = buf_slice(part);
    } else if (edit == EDIT_KEY_SHARE || edit == EDIT_NO_RENEGOTIATION_INFO) {
        bool share = edit == EDIT_KEY_SHARE;
        change_extension(h->extensions, share ? EXTENSION_KEY_SHARE : EXTENSION_RENEGOTIATION,
                         !share, part);
        h->extensions = buf_slice(part);
    }
}

void mischief_edit(enum edit edit, struct slice message, bool newest, struct buf *out)
{
    struct hello hello;
    struct buf part = {.ceiling = 65536};
    if (edit == EDIT_MESSAGE_LENGTH && message.len >= 4) {
        buf_slice_put(out, slice_sub(message, 0, 1));
        put(out, 0xffffff, 3);
        buf_slice_put(out, slice_sub(message, 4, SIZE_MAX));
    } else if (edit == EDIT_EMPTY_CERTIFICATE && slice_at(message, 0) == CERTIFICATE) {
        put(out, CERTIFICATE, 1);
        put(out, newest ? 4 : 3, 3);
        put(out, 0, newest ? 4 : 3);
    } else if (read_hello(message, &hello)) {
        edit_hello(edit, &hello, newest, &part);
        put_hello(out, &hello);
    } else {
        buf_slice_put(out, message);
    }
    buf_free(&part);
}
