#include "stream/preface.h"

#define MAX_TEXT   8192 /* bytes of talk that may precede TLS in a segment */
#define MAX_STEPS  4    /* protocols one behind the other, as PROXY and then SMTP */
#define HELLO_SIZE 11   /* bytes by which a hello is known: three headers and a version */

/* The first message of TLS: a ClientHello, or the server's answer to it.  Lengths have to fit each other, so that
 * nothing else looks like it. */
static bool is_hello(struct slice s)
{
    if (s.len < HELLO_SIZE)
        return false;
    uint8_t content = slice_u8(&s), major = slice_u8(&s), minor = slice_u8(&s);
    uint32_t record = slice_u16(&s);
    uint8_t type = slice_u8(&s);
    uint32_t message = slice_u24(&s);
    uint16_t version = slice_u16(&s);
    return content == 22 && major == 3 && minor <= 3 && record >= 6 && record <= 16384 + 2048 &&
           (type == 1 || type == 2) && message >= 38 && message < 65536 && version >> 8 == 3;
}

/* Lines of text with TLS right behind them: STARTTLS of mail, news and chat protocols, HTTP's CONNECT, PROXY of
 * version 1. */
static size_t text(struct slice s)
{
    size_t at = 0, end = s.len < MAX_TEXT ? s.len : MAX_TEXT;
    for (; at < end; at++) {
        uint8_t c = slice_at(s, at);
        if ((c < ' ' && c != '\t' && c != '\r' && c != '\n') || c == 0x7f)
            break;
    }
    return at > 0 && is_hello(slice_sub(s, at, SIZE_MAX)) ? at : 0;
}

/* PROXY of version 2, as HAProxy has it: a signature, four bytes, addresses. */
static size_t proxy(struct slice s)
{
    static const uint8_t signature[] = {'\r', '\n', '\r', '\n', 0,   '\r',
                                        '\n', 'Q',  'U',  'I',  'T', '\n'};
    struct slice rest = s;
    if (!slice_equal(slice_take(&rest, sizeof signature), slice_of(signature, sizeof signature)))
        return 0;
    slice_skip(&rest, 2);
    size_t size = sizeof signature + 4 + slice_u16(&rest);
    return rest.failed ? 0 : size;
}

/* PostgreSQL: eight bytes, the second four a number that is no version. */
bool preface_asks(struct slice s)
{
    uint32_t size = slice_u32(&s), code = slice_u32(&s);
    return !s.failed && size == 8 && (code == 80877103 || code == 80877104);
}

static size_t postgres(struct slice s)
{
    return preface_asks(s) ? 8 : 0;
}

/* MySQL: the client's short packet with the capability "TLS", after the server's greeting. */
static size_t mysql(struct slice s)
{
    uint32_t size = slice_u8(&s), high = slice_u16(&s);
    uint8_t number = slice_u8(&s);
    uint32_t capabilities = slice_le32(&s);
    slice_skip(&s, 5);
    struct slice zeros = slice_take(&s, 19);
    if (s.failed || size != 32 || high != 0 || number == 0 || number > 3 || !(capabilities & 0x800))
        return 0;
    while (zeros.len > 0)
        if (slice_u8(&zeros) != 0)
            return 0;
    return 36;
}

/* Remote desktop: a TPKT with a connection request or confirm of X.224 (RFC 1006, MS-RDPBCGR 2.2.1). */
static size_t remote_desktop(struct slice s)
{
    uint8_t version = slice_u8(&s), reserved = slice_u8(&s);
    size_t size = slice_u16(&s);
    slice_skip(&s, 1);
    uint8_t code = slice_u8(&s);
    return !s.failed && version == 3 && reserved == 0 && size >= 7 && (code == 0xe0 || code == 0xd0)
               ? size
               : 0;
}

/* SOCKS 5 (RFC 1928): a greeting, a request, their answers; SOCKS 4: a request. */
static size_t socks(struct slice s)
{
    struct slice all = s;
    uint8_t version = slice_u8(&s), second = slice_u8(&s);
    if (version == 4 && (second == 1 || second == 2)) {
        for (size_t at = 8; at < all.len && at < 264; at++)
            if (slice_at(all, at) == 0)
                return at + 1;
        return 0;
    }
    if (version != 5)
        return 0;
    uint8_t third = slice_u8(&s), kind = slice_u8(&s), length = slice_u8(&s);
    size_t address = kind == 1 ? 4 : kind == 4 ? 16 : kind == 3 ? 1 + (size_t)length : 0;
    if (!s.failed && third == 0 && address > 0 && all.len >= 6 + address)
        return 6 + address;
    return second > 0 && second < 16 ? 2 + (size_t)second : 2;
}

/* LDAP: one message in BER, the request for StartTLS or its answer (RFC 4511 4.14). */
static size_t ldap(struct slice s)
{
    uint8_t tag = slice_u8(&s);
    size_t size = slice_u8(&s), head = 2;
    if (size > 0x80 && size <= 0x84) {
        head += size - 0x80;
        size = (size_t)slice_uint(&s, size - 0x80);
    }
    uint8_t integer = slice_u8(&s), number = slice_u8(&s);
    slice_skip(&s, number);
    uint8_t operation = slice_u8(&s);
    return !s.failed && tag == 0x30 && integer == 2 && number <= 4 &&
                   (operation == 0x77 || operation == 0x78)
               ? head + size
               : 0;
}

size_t preface_length(struct slice bytes, bool asked)
{
    static size_t (*const kinds[])(struct slice) = {text,           proxy, postgres, mysql,
                                                    remote_desktop, socks, ldap};
    size_t at = 0;
    if (asked && bytes.len == 1 && (slice_at(bytes, 0) == 'S' || slice_at(bytes, 0) == 'N'))
        return 1;
    for (unsigned step = 0; step < MAX_STEPS; step++) {
        struct slice rest = slice_sub(bytes, at, SIZE_MAX);
        size_t size = 0;
        if (rest.len == 0 || is_hello(rest))
            return at;
        for (size_t i = 0; size == 0 && i < sizeof kinds / sizeof kinds[0]; i++)
            size = kinds[i](rest);
        if (size == 0 || size > rest.len)
            return 0;
        at += size;
    }
    return 0;
}

bool preface_is_http(struct slice s)
{
    static const char *const starts[] = {"GET ",    "POST ",    "HEAD ",       "PUT ",
                                         "DELETE ", "OPTIONS ", "CONNECT ",    "PATCH ",
                                         "TRACE /", "HTTP/1.",  "PRI * HTTP/2"};
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++)
        if (slice_is(slice_sub(s, 0, strlen(starts[i])), starts[i]))
            return true;
    return false;
}
