#include "endpoint/prologue.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* What must come before the next step. */
enum wait_for {
    WAIT_NOTHING,
    WAIT_REPLY,  /* lines; the last begins with three digits and a space: `text` are the digits */
    WAIT_LINE,   /* lines until one begins with `text`; `refusal` is how the others begin */
    WAIT_WORDS,  /* bytes with `text` in them, or with `refusal` */
    WAIT_LETTER, /* one byte, the one of `text` */
    WAIT_LDAP,   /* ExtendedResponse, success (RFC 4511 4.12) */
    WAIT_MYSQL,  /* the server's greeting, with its flag that it can do TLS */
    WAIT_END,    /* the last row */
};

struct prologue_step {
    enum wait_for wait;
    const char *text, *refusal;
    const char *offer; /* what the reply must have in it, or the server does not offer TLS */
    const char *send;  /* "%s": the name */
    size_t send_len;   /* of bytes that are no text; 0: text */
};

#define SEND(text)  .send = (text)
#define BYTES(text) .send = (text), .send_len = sizeof(text) - 1
#define TLS_IS_NEXT      \
    {                    \
        .wait = WAIT_END \
    }

/* RFC 3207 */
static const struct prologue_step smtp[] = {
    {.wait = WAIT_REPLY, .text = "220", SEND("EHLO %s\r\n")},
    {.wait = WAIT_REPLY, .text = "250", .offer = "STARTTLS", SEND("STARTTLS\r\n")},
    {.wait = WAIT_REPLY, .text = "220"},
    TLS_IS_NEXT,
};
static const struct prologue_step lmtp[] = {
    {.wait = WAIT_REPLY, .text = "220", SEND("LHLO %s\r\n")},
    {.wait = WAIT_REPLY, .text = "250", .offer = "STARTTLS", SEND("STARTTLS\r\n")},
    {.wait = WAIT_REPLY, .text = "220"},
    TLS_IS_NEXT,
};
/* RFC 2595 */
static const struct prologue_step pop3[] = {
    {.wait = WAIT_LINE, .text = "+OK", .refusal = "-ERR", SEND("STLS\r\n")},
    {.wait = WAIT_LINE, .text = "+OK", .refusal = "-ERR"},
    TLS_IS_NEXT,
};
static const struct prologue_step imap[] = {
    {.wait = WAIT_LINE, .text = "* OK", .refusal = "* BYE", SEND("a CAPABILITY\r\n")},
    {.wait = WAIT_LINE,
     .text = "a OK",
     .refusal = "a ",
     .offer = "STARTTLS",
     SEND("b STARTTLS\r\n")},
    {.wait = WAIT_LINE, .text = "b OK", .refusal = "b "},
    TLS_IS_NEXT,
};
/* RFC 4217 */
static const struct prologue_step ftp[] = {
    {.wait = WAIT_REPLY, .text = "220", SEND("AUTH TLS\r\n")},
    {.wait = WAIT_REPLY, .text = "234"},
    TLS_IS_NEXT,
};
/* RFC 4642 */
static const struct prologue_step nntp[] = {
    {.wait = WAIT_REPLY, .text = "20", SEND("STARTTLS\r\n")},
    {.wait = WAIT_REPLY, .text = "382"},
    TLS_IS_NEXT,
};
/* RFC 5804 */
static const struct prologue_step sieve[] = {
    {.wait = WAIT_LINE, .text = "OK", .refusal = "BYE", .offer = "STARTTLS", SEND("STARTTLS\r\n")},
    {.wait = WAIT_LINE, .text = "OK", .refusal = "NO"},
    TLS_IS_NEXT,
};
/* 670 and 691 are what IRC servers with STARTTLS answer. */
static const struct prologue_step irc[] = {
    {.wait = WAIT_NOTHING, SEND("STARTTLS\r\n")},
    {.wait = WAIT_WORDS, .text = " 670 ", .refusal = " 691 "},
    TLS_IS_NEXT,
};
/* RFC 6120 5 */
#define XMPP_TLS "urn:ietf:params:xml:ns:xmpp-tls"
#define XMPP_STREAM(ns)                                                         \
    "<stream:stream xmlns:stream='http://etherx.jabber.org/streams' xmlns='" ns \
    "' to='%s' version='1.0'>"
#define XMPP_STEPS(ns)                                                                   \
    {                                                                                    \
        {.wait = WAIT_NOTHING, SEND(XMPP_STREAM(ns))},                                   \
            {.wait = WAIT_WORDS,                                                         \
             .text = "</stream:features>",                                               \
             .refusal = "<stream:error",                                                 \
             .offer = "<starttls",                                                       \
             SEND("<starttls xmlns='" XMPP_TLS "'/>")},                                  \
            {.wait = WAIT_WORDS, .text = "<proceed", .refusal = "<failure"}, TLS_IS_NEXT \
    }
static const struct prologue_step xmpp[] = XMPP_STEPS("jabber:client");
static const struct prologue_step xmpp_server[] = XMPP_STEPS("jabber:server");
/* PostgreSQL's SSLRequest: length 8, code 80877103 */
static const struct prologue_step postgres[] = {
    {.wait = WAIT_NOTHING, BYTES("\0\0\0\x08\x04\xd2\x16\x2f")},
    {.wait = WAIT_LETTER, .text = "S", .refusal = "N"},
    TLS_IS_NEXT,
};
/* MySQL's SSLRequest: 32 bytes, number 1; PROTOCOL_41, SSL, SECURE_CONNECTION; 16 MiB; utf8 */
static const struct prologue_step mysql[] = {
    {.wait = WAIT_MYSQL,
     BYTES("\x20\0\0\x01\x85\xae\x7f\0\0\0\0\x01\x21"
           "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0")},
    TLS_IS_NEXT,
};
/* RFC 4511 4.14.1 */
static const struct prologue_step ldap[] = {
    {.wait = WAIT_NOTHING,
     BYTES("\x30\x1d\x02\x01\x01\x77\x18\x80\x16"
           "1.3.6.1.4.1.1466.20037")},
    {.wait = WAIT_LDAP},
    TLS_IS_NEXT,
};

static const struct {
    const char *name;
    const struct prologue_step *steps;
} protocols[] = {
    {"smtp", smtp},         {"pop3", pop3},   {"imap", imap},        {"ftp", ftp},
    {"ldap", ldap},         {"xmpp", xmpp},   {"irc", irc},          {"xmpp-server", xmpp_server},
    {"postgres", postgres}, {"mysql", mysql}, {"lmtp", lmtp},        {"nntp", nntp},
    {"sieve", sieve},       {"imap4", imap},  {"xmpp-client", xmpp},
};

#define PROTOCOLS (sizeof(protocols) / sizeof(protocols[0]))
#define SHOWN     13 /* the rest are other spellings */

static const struct prologue_step *find(const char *name)
{
    for (size_t i = 0; name && i < PROTOCOLS; i++)
        if (strcasecmp(name, protocols[i].name) == 0)
            return protocols[i].steps;
    return NULL;
}

bool prologue_knows(const char *protocol)
{
    return find(protocol) != NULL;
}

void prologue_names(char *text, size_t size)
{
    size_t at = 0;
    *text = '\0';
    for (size_t i = 0; i < SHOWN && at < size; i++)
        at += (size_t)snprintf(text + at, size - at, "%s%s", i ? ", " : "", protocols[i].name);
}

/* ---- what came ---- */

static enum prologue_state refuse(struct prologue *p, const char *what, struct slice said)
{
    size_t end = 0;
    while (end < said.len && end < 120 && slice_at(said, end) != '\r' &&
           slice_at(said, end) != '\n')
        end++;
    snprintf(p->error, sizeof(p->error), "%s%s%.*s", what, end ? ": " : "", (int)end,
             (const char *)said.data);
    return PROLOGUE_REFUSED;
}

static bool has(struct slice bytes, const char *text)
{
    size_t len = strlen(text);
    for (size_t i = 0; i + len <= bytes.len; i++)
        if (strncasecmp((const char *)slice_sub(bytes, i, len).data, text, len) == 0)
            return true;
    return false;
}

static bool begins(struct slice line, const char *text)
{
    return line.len >= strlen(text) &&
           strncasecmp((const char *)line.data, text, strlen(text)) == 0;
}

/* Takes a line without its end; false when there is no whole one. */
static bool take_line(struct slice *bytes, struct slice *line)
{
    size_t end = 0;
    while (end < bytes->len && slice_at(*bytes, end) != '\n')
        end++;
    if (end == bytes->len)
        return false;
    *line = slice_take(bytes, end);
    slice_skip(bytes, 1);
    if (line->len > 0 && slice_at(*line, line->len - 1) == '\r')
        line->len--;
    return true;
}

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

/* Lines such as "250-SIZE" until one without the hyphen. */
static enum prologue_state take_reply(struct prologue *p, struct slice *bytes)
{
    struct slice line;
    while (take_line(bytes, &line)) {
        bool last = line.len == 3 || slice_at(line, 3) == ' ';
        bool coded = line.len >= 3 && is_digit(slice_at(line, 0)) && is_digit(slice_at(line, 1)) &&
                     is_digit(slice_at(line, 2));
        if (coded && last)
            return begins(line, p->step->text) ? PROLOGUE_READY
                                               : refuse(p, "the server refuses", line);
    }
    return PROLOGUE_MORE;
}

static enum prologue_state take_lines(struct prologue *p, struct slice *bytes)
{
    struct slice line;
    while (take_line(bytes, &line)) {
        if (begins(line, p->step->text))
            return PROLOGUE_READY;
        if (p->step->refusal && begins(line, p->step->refusal))
            return refuse(p, "the server refuses", line);
    }
    return PROLOGUE_MORE;
}

static enum prologue_state take_words(struct prologue *p, struct slice *bytes)
{
    struct slice all = *bytes;
    if (has(all, p->step->refusal))
        return refuse(p, "the server refuses", all);
    if (!has(all, p->step->text))
        return PROLOGUE_MORE;
    /* They end with a line, or with a tag. */
    bool tag = strchr(p->step->text, '<') != NULL;
    if (slice_at(all, all.len - 1) != (tag ? '>' : '\n'))
        return PROLOGUE_MORE;
    slice_skip(bytes, bytes->len);
    return PROLOGUE_READY;
}

static enum prologue_state take_letter(struct prologue *p, struct slice *bytes)
{
    uint8_t letter = slice_u8(bytes);
    if (bytes->failed)
        return PROLOGUE_MORE;
    if (letter == (uint8_t)p->step->text[0])
        return PROLOGUE_READY;
    return refuse(p, "the server does not do TLS, it answers", slice_of(&letter, 1));
}

/* BER lengths of one byte, or of up to four behind 0x81 to 0x84. */
static size_t ber_length(struct slice *bytes)
{
    uint8_t first = slice_u8(bytes);
    if (first < 0x80)
        return first;
    if (first > 0x84 || first == 0x80) {
        bytes->failed = true;
        return 0;
    }
    return (size_t)slice_uint(bytes, first & 0x0fu);
}

static enum prologue_state take_ldap(struct prologue *p, struct slice *bytes)
{
    struct slice message = *bytes;
    bool sequence = slice_u8(&message) == 0x30;
    struct slice body = slice_take(&message, ber_length(&message));
    if (bytes->len > 0 && !sequence)
        return refuse(p, "the server does not speak LDAP", slice_empty());
    if (body.failed || message.failed)
        return PROLOGUE_MORE;
    *bytes = message;
    bool right = slice_u8(&body) == 2;
    slice_skip(&body, ber_length(&body)); /* the message's number */
    right = right && slice_u8(&body) == 0x78;
    (void)ber_length(&body);
    right = right && slice_u8(&body) == 0x0a && slice_u8(&body) == 1;
    unsigned code = slice_u8(&body);
    char text[64];
    if (!right || body.failed)
        return refuse(p, "the server does not answer as LDAP does", slice_empty());
    snprintf(text, sizeof(text), "the server refuses TLS with LDAP's result code %u", code);
    return code == 0 ? PROLOGUE_READY : refuse(p, text, slice_empty());
}

static enum prologue_state take_mysql(struct prologue *p, struct slice *bytes)
{
    struct slice packet = *bytes;
    uint8_t low = slice_u8(&packet), middle = slice_u8(&packet), high = slice_u8(&packet);
    slice_skip(&packet, 1); /* its number */
    struct slice body = slice_take(&packet, (size_t)low | (size_t)middle << 8 | (size_t)high << 16);
    if (body.failed || packet.failed)
        return PROLOGUE_MORE;
    *bytes = packet;
    uint8_t version = slice_u8(&body);
    if (version == 0xff)
        return refuse(p, "the server refuses", slice_sub(body, 2, SIZE_MAX));
    while (body.len > 0 && slice_u8(&body) != 0)
        ;                         /* the server's version, in words */
    slice_skip(&body, 4 + 8 + 1); /* the thread, random bytes, a zero */
    uint16_t flags = slice_le16(&body);
    if (version != 10 || body.failed)
        return refuse(p, "the server does not greet as MySQL does", slice_empty());
    return flags & 0x0800u ? PROLOGUE_READY
                           : refuse(p, "the server does not offer TLS", slice_empty());
}

static enum prologue_state take_step(struct prologue *p, struct slice *bytes)
{
    switch (p->step->wait) {
    case WAIT_NOTHING:
        return PROLOGUE_READY;
    case WAIT_REPLY:
        return take_reply(p, bytes);
    case WAIT_LINE:
        return take_lines(p, bytes);
    case WAIT_WORDS:
        return take_words(p, bytes);
    case WAIT_LETTER:
        return take_letter(p, bytes);
    case WAIT_LDAP:
        return take_ldap(p, bytes);
    case WAIT_MYSQL:
        return take_mysql(p, bytes);
    case WAIT_END:
        break;
    }
    return PROLOGUE_READY;
}

/* ---- the proxy ---- */

static void ask_proxy(const struct prologue_config *c, struct buf *out)
{
    char where[300];
    bool v6 = strchr(c->host, ':') != NULL;
    snprintf(where, sizeof(where), "%s%.255s%s:%u", v6 ? "[" : "", c->host, v6 ? "]" : "", c->port);
    buf_printf(out, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n", where, where);
    if (c->proxy_user) {
        struct buf plain = {.ceiling = 1024};
        unsigned char coded[1400];
        buf_str(&plain, c->proxy_user);
        buf_char(&plain, ':');
        buf_str(&plain, c->proxy_password ? c->proxy_password : "");
        if (!plain.failed) {
            EVP_EncodeBlock(coded, plain.data, (int)plain.len);
            buf_printf(out, "Proxy-Authorization: Basic %s\r\n", (const char *)coded);
        }
        buf_wipe(&plain);
    }
    buf_str(out, "\r\n");
}

/* A status line, header lines, an empty line. */
static enum prologue_state take_proxy(struct prologue *p, struct slice *bytes)
{
    struct slice rest = *bytes, status, line;
    if (!take_line(&rest, &status))
        return PROLOGUE_MORE;
    if (!begins(status, "HTTP/1."))
        return refuse(p, "the proxy does not speak HTTP", status);
    do {
        if (!take_line(&rest, &line))
            return PROLOGUE_MORE;
    } while (line.len > 0);
    *bytes = rest;
    struct slice code = slice_sub(status, 8, SIZE_MAX);
    return begins(code, " 2") ? PROLOGUE_READY : refuse(p, "the proxy refuses", status);
}

/* ---- the talk ---- */

bool prologue_is_needed(const struct prologue_config *config)
{
    return config->proxy || config->protocol;
}

void prologue_init(struct prologue *p, const struct prologue_config *config)
{
    *p = (struct prologue){.config = *config, .step = find(config->protocol)};
    p->in.ceiling = PROLOGUE_CEILING;
    p->proxy_done = !config->proxy;
}

void prologue_free(struct prologue *p)
{
    buf_free(&p->in);
}

static void say(const struct prologue *p, struct buf *out)
{
    const char *text = p->step->send,
               *name = text && !p->step->send_len ? strstr(text, "%s") : NULL;
    if (!text)
        return;
    if (!name) {
        buf_put(out, text, p->step->send_len ? p->step->send_len : strlen(text));
        return;
    }
    buf_put(out, text, (size_t)(name - text));
    buf_str(out, p->config.name ? p->config.name : "localhost");
    buf_str(out, name + 2);
}

/* One step of the proxy's or the protocol's. */
static enum prologue_state go_on(struct prologue *p, struct slice *bytes, struct buf *out)
{
    if (!p->proxy_done) {
        enum prologue_state state = take_proxy(p, bytes);
        p->proxy_done = state == PROLOGUE_READY;
        return state;
    }
    struct slice before = *bytes;
    enum prologue_state state = take_step(p, bytes);
    if (state != PROLOGUE_READY)
        return state;
    before.len -= bytes->len;
    if (p->step->offer && !has(before, p->step->offer))
        return refuse(p, "the server does not offer TLS", slice_empty());
    say(p, out);
    p->step++;
    return PROLOGUE_READY;
}

enum prologue_state prologue_take(struct prologue *p, struct slice bytes, struct buf *out)
{
    bool first = p->total == 0 && bytes.len == 0;
    p->total += bytes.len;
    buf_slice_put(&p->in, bytes);
    if (p->in.failed || p->total > PROLOGUE_CEILING)
        return refuse(p, "the peer says too much before TLS", slice_empty());
    if (first && !p->proxy_done) {
        ask_proxy(&p->config, out);
        return PROLOGUE_MORE;
    }
    struct slice rest = buf_slice(&p->in);
    enum prologue_state state = PROLOGUE_READY;
    while (state == PROLOGUE_READY && (!p->proxy_done || (p->step && p->step->wait != WAIT_END))) {
        struct slice before = rest;
        state = go_on(p, &rest, out);
        if (state == PROLOGUE_MORE)
            rest = before; /* from the start of the step, with more bytes */
    }
    struct buf kept = {.ceiling = PROLOGUE_CEILING};
    buf_slice_put(&kept, rest);
    buf_free(&p->in);
    p->in = kept;
    /* Whatever stands in front of TLS here could be read as if TLS had protected it. */
    if (state == PROLOGUE_READY && p->in.len > 0)
        return refuse(p, "the peer goes on in the clear after it agreed to TLS", buf_slice(&p->in));
    return state;
}
