/* Telling the user what is wrong with a filter: the line, a mark under the place, the name that was
 * meant. */
#include "filter/program.h"

#include <stdarg.h>
#include <stdio.h>

#define SHOWN_TEXT   1600 /* longest piece of the filter that an error shows */
#define NAME_MAX_LEN 64
#define HINT_NAMES   3
#define HINT_SIZE    (HINT_NAMES * (NAME_MAX_LEN + 4) + 60)

struct near_name {
    const char *name;
    unsigned distance;
};

static const struct {
    const char *name, *code;
} types[TYPE_COUNT] = {
    [TYPE_NONE] = {"Label", "FT_NONE"},
    [TYPE_PROTOCOL] = {"Protocol", "FT_PROTOCOL"},
    [TYPE_BOOLEAN] = {"Boolean", "FT_BOOLEAN"},
    [TYPE_UINT8] = {"Unsigned integer (1 byte)", "FT_UINT8"},
    [TYPE_UINT16] = {"Unsigned integer (2 bytes)", "FT_UINT16"},
    [TYPE_UINT24] = {"Unsigned integer (3 bytes)", "FT_UINT24"},
    [TYPE_UINT32] = {"Unsigned integer (4 bytes)", "FT_UINT32"},
    [TYPE_UINT64] = {"Unsigned integer (8 bytes)", "FT_UINT64"},
    [TYPE_INT8] = {"Signed integer (1 byte)", "FT_INT8"},
    [TYPE_INT16] = {"Signed integer (2 bytes)", "FT_INT16"},
    [TYPE_INT32] = {"Signed integer (4 bytes)", "FT_INT32"},
    [TYPE_INT64] = {"Signed integer (8 bytes)", "FT_INT64"},
    [TYPE_ABSOLUTE_TIME] = {"Date and time", "FT_ABSOLUTE_TIME"},
    [TYPE_RELATIVE_TIME] = {"Time offset", "FT_RELATIVE_TIME"},
    [TYPE_STRING] = {"Character string", "FT_STRING"},
    [TYPE_BYTES] = {"Byte sequence", "FT_BYTES"},
    [TYPE_IPV4] = {"IPv4 address", "FT_IPv4"},
    [TYPE_IPV6] = {"IPv6 address", "FT_IPv6"},
    [TYPE_ETHER] = {"Ethernet or other MAC address", "FT_ETHER"},
    [TYPE_OID] = {"ASN.1 object identifier", "FT_OID"},
    [TYPE_FRAMENUM] = {"Frame number", "FT_FRAMENUM"},
};

const char *type_name(enum field_type type)
{
    return types[type].name;
}

const char *type_code(enum field_type type)
{
    return types[type].code;
}

bool fail_memory(struct compiler *c)
{
    c->failed = true;
    return error_set(c->error, ERROR_MEMORY, "Not enough memory for this filter.");
}

/* ---- names that are nearly right
 * --------------------------------------------------------------------- */

static unsigned least(unsigned a, unsigned b, unsigned c)
{
    unsigned m = a < b ? a : b;
    return m < c ? m : c;
}

/* How many letters must be changed, added or taken away to make one name of the other. */
static unsigned distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    unsigned row[NAME_MAX_LEN + 1];
    for (size_t j = 0; j <= b_len; j++)
        row[j] = (unsigned)j;
    for (size_t i = 0; i < a_len; i++) {
        unsigned corner = row[0];
        row[0] = (unsigned)i + 1;
        for (size_t j = 0; j < b_len; j++) {
            char left = a[i] >= 'A' && a[i] <= 'Z' ? (char)(a[i] + 32) : a[i];
            char right = b[j] >= 'A' && b[j] <= 'Z' ? (char)(b[j] + 32) : b[j];
            unsigned changed = corner + (left != right);
            corner = row[j + 1];
            row[j + 1] = least(row[j] + 1, row[j + 1] + 1, changed);
        }
    }
    return row[b_len];
}

static bool ends_with(const char *name, size_t name_len, const char *tail, size_t tail_len)
{
    return name_len > tail_len && name[name_len - tail_len - 1] == '.' &&
           memcmp(name + name_len - tail_len, tail, tail_len) == 0;
}

/* Keeps the nearest names, the nearest first. */
static void keep_name(struct near_name *best, const char *name, unsigned distance)
{
    for (unsigned i = 0; i < HINT_NAMES; i++) {
        if (best[i].name && strcmp(best[i].name, name) == 0)
            return;
        if (best[i].name && best[i].distance <= distance)
            continue;
        for (unsigned k = HINT_NAMES - 1; k > i; k--)
            best[k] = best[k - 1];
        best[i] = (struct near_name){name, distance};
        return;
    }
}

/* The names that end in this, behind a dot. */
static void find_endings(const char *tail, size_t len, struct near_name *best)
{
    for (enum field_id id = 1; len >= 3 && id < FIELD_COUNT; id++)
        if (ends_with(fields[id].abbrev, strlen(fields[id].abbrev), tail, len))
            keep_name(best, fields[id].abbrev, 0);
}

/* The names nearest to what was typed; else those that end in it; else those that end in its last
 * part. */
static void find_near(const char *typed, size_t len, struct near_name *best)
{
    size_t tail = len;
    while (tail > 0 && typed[tail - 1] != '.')
        tail--;
    if (len < 2 || len > NAME_MAX_LEN)
        return;
    for (enum field_id id = 1; id < FIELD_COUNT; id++) {
        size_t have = strlen(fields[id].abbrev);
        unsigned d = have == 0 || have > NAME_MAX_LEN
                         ? NAME_MAX_LEN
                         : distance(typed, len, fields[id].abbrev, have);
        if (d <= len / 4)
            keep_name(best, fields[id].abbrev, d);
    }
    /* Only the nearest, and those as near. */
    for (unsigned i = 1; i < HINT_NAMES; i++)
        if (best[i].name && best[i].distance > best[0].distance)
            best[i].name = NULL;
    if (!best[0].name)
        find_endings(typed, len, best);
    if (!best[0].name)
        find_endings(typed + tail, len - tail, best);
}

/* Protocols that filters of TLS captures name often and that tlswire does not read. */
static bool is_other_protocol(const char *name, size_t len)
{
    static const char others[] =
        " arp bootp data-text-lines dhcp dns dtls esp ftp ftp-data gquic grpc h2 http http2 http3 "
        "icmp"
        " icmpv6 igmp imap ipsec isakmp json kerberos ldap llmnr mdns mime_multipart mqtt mysql "
        "nbns ntp"
        " ocsp_http openvpn pgsql pop quic radius rdp rtp rtcp sctp sip smb smb2 smtp snmp spdy "
        "ssdp ssh"
        " stun syslog telnet tftp tpkt websocket wireguard wlan xmpp xml ";
    char word[32] = " ";
    if (len + 3 > sizeof word)
        return false;
    memcpy(word + 1, name, len);
    memcpy(word + 1 + len, " ", 2);
    return strstr(others, word) != NULL;
}

/* A line for whoever typed a name that is none: what they may have meant. */
static void advice(const char *typed, size_t len, char *out)
{
    struct near_name best[HINT_NAMES] = {{NULL, 0}};
    size_t dotted = len > 0 && typed[0] == '.', used = 0;
    typed += dotted;
    len -= dotted;
    const char *dot = memchr(typed, '.', len);
    size_t first = dot ? (size_t)(dot - typed) : len;
    if (is_other_protocol(typed, first)) {
        snprintf(
            out, HINT_SIZE,
            "\ntlswire reads TLS over TCP and has no fields of %.*s; tlswire -G fields lists those "
            "that it has",
            (int)first, typed);
        return;
    }
    find_near(typed, len, best);
    for (unsigned i = 0; i < HINT_NAMES && best[i].name; i++)
        used += (size_t)snprintf(out + used, HINT_SIZE - used, "%s%s",
                                 i == 0                                   ? "\ndid you mean "
                                 : i + 1 < HINT_NAMES && best[i + 1].name ? ", "
                                                                          : " or ",
                                 best[i].name);
    if (used > 0)
        snprintf(out + used, HINT_SIZE - used, "?");
}

/* ---- the error
 * ------------------------------------------------------------------------------------------ */

/* The piece of the text around the place, and the mark under it; control bytes that could move a
 * terminal's cursor as '?'. */
static void show_place(const struct compiler *c, uint32_t at, uint32_t length, char *line,
                       char *mark)
{
    uint32_t from = 0, len = c->len;
    if (len > SHOWN_TEXT) {
        from = at > SHOWN_TEXT / 2 ? at - SHOWN_TEXT / 2 : 0;
        if (from > c->len - SHOWN_TEXT)
            from = c->len - SHOWN_TEXT;
        len = SHOWN_TEXT;
    }
    for (uint32_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)c->text[from + i];
        bool strange = (byte < 0x20 && byte != '\t' && byte != '\n') || byte == 0x7f;
        line[i] = strange ? '?' : c->text[from + i];
    }
    line[len] = '\0';
    uint32_t column = at - from, n = 0;
    for (; n < column; n++)
        mark[n] = ' ';
    mark[n++] = '^';
    for (uint32_t i = 1; i < length && n < len; i++)
        mark[n++] = '~';
    mark[n] = '\0';
}

enum { HINT_NONE = -1, HINT_FIELDS = -2 }; /* or a registry, whose names may have been meant */

/* The name in the registry that is nearest to what was typed. */
static void advise_value(int registry, const char *typed, size_t len, char *out)
{
    struct near_name best[HINT_NAMES] = {{NULL, 0}};
    const struct registry_table *table = &registries[registry];
    if (len > 1 && typed[0] == '"') {
        typed++;
        len -= 2;
    }
    if (len < 3 || len > NAME_MAX_LEN)
        return;
    for (size_t i = 0; i < 2 * table->count; i++) {
        const struct code_point *row = &table->rows[i / 2];
        const char *name = i % 2 ? row->name : row->compat;
        size_t have = name ? strlen(name) : 0;
        unsigned d =
            have > 0 && have <= NAME_MAX_LEN ? distance(typed, len, name, have) : NAME_MAX_LEN;
        if (d <= len / 4)
            keep_name(best, name, d);
    }
    if (best[0].name)
        snprintf(out, HINT_SIZE, "\ndid you mean \"%s\"?", best[0].name);
}

/* LENGTH 0: without a place.  HINT: names near the word that stands there. */
__attribute__((format(printf, 5, 0))) static bool fail_list(struct compiler *c, uint32_t at,
                                                            uint32_t length, int hint,
                                                            const char *format, va_list args)
{
    char message[600], line[SHOWN_TEXT + 2], mark[SHOWN_TEXT + 2], names[HINT_SIZE] = "";
    if (c->failed)
        return false;
    c->failed = true;
    int written = vsnprintf(message, sizeof message, format, args);
    if (written < 0)
        return error_set(c->error, ERROR_USAGE, "Bad filter.");
    for (char *p = message; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = '?';
    if (length == 0)
        return error_set(c->error, ERROR_USAGE, "%s", message);
    show_place(c, at, length, line, mark);
    if (hint == HINT_FIELDS)
        advice(c->text + at, length, names);
    else if (hint >= 0)
        advise_value(hint, c->text + at, length, names);
    return error_set(c->error, ERROR_USAGE, "%s\n    %s\n    %s%s", message, line, mark, names);
}

bool fail(struct compiler *c, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fail_list(c, 0, 0, HINT_NONE, format, args);
    va_end(args);
    return false;
}

bool fail_at(struct compiler *c, uint32_t at, uint32_t length, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fail_list(c, at, length, HINT_NONE, format, args);
    va_end(args);
    return false;
}

bool fail_name(struct compiler *c, uint32_t at, uint32_t length, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fail_list(c, at, length, HINT_FIELDS, format, args);
    va_end(args);
    return false;
}

bool fail_value(struct compiler *c, const struct node *n, enum registry registry,
                const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fail_list(c, n->at, n->length, (int)registry, format, args);
    va_end(args);
    return false;
}

bool fail_node(struct compiler *c, uint32_t id, const char *format, ...)
{
    const struct node *n = &c->filter->nodes[id];
    va_list args;
    va_start(args, format);
    fail_list(c, n->at, n->length, n->kind == NODE_WORD && !n->literal ? HINT_FIELDS : HINT_NONE,
              format, args);
    va_end(args);
    return false;
}

bool fail_unexpected(struct compiler *c)
{
    const struct token *t = &c->token;
    if (c->failed)
        return false;
    if (t->kind == TOKEN_END)
        return fail(c, "Unexpected end of filter expression.");
    if (t->kind == TOKEN_STRING) {
        struct buf *text = &c->shown[0];
        buf_clear(text);
        text->ceiling = SHOWN_CEILING;
        show_string(c, t->bytes, t->byte_count, text);
        return fail_at(c, t->at, t->length, "\"%.*s\" was unexpected in this context.",
                       (int)text->len, (const char *)text->data);
    }
    uint32_t dot = t->kind == TOKEN_DOTTED, len = t->length - dot;
    return fail_at(c, t->at, t->length, "\"%.*s\" was unexpected in this context.",
                   (int)(len < 400 ? len : 400), c->text + t->at + dot);
}
