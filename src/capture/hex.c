#include "capture/hex.h"

enum {
    LINE_BYTES = 16,
    MOST_LINE = 1 << 16,      /* bytes that one line may give */
    MOST_REPEATED = 16 << 20, /* bytes that "*" may stand for, in all */
    CHANGE_CIPHER_SPEC = 20,
    ALERT = 21,
    HANDSHAKE = 22,
    APPLICATION_DATA = 23,
};

/* How a chunk of the text came to be, by the line before it. */
enum origin {
    FROM_NOWHERE, /* nothing said */
    FROM_FRAME,   /* "Frame (74 bytes):" */
    FROM_DEBUG,   /* "write to 0x…" of openssl -debug: the stream itself */
    FROM_MSG,     /* ">>> TLS 1.3, Handshake" of openssl -msg */
    FROM_CURL,    /* "=> Send SSL data" of curl: records' headers and messages, one at a time */
    FROM_OTHER,   /* what repeats, or is no TLS: passed over */
};

struct hex {
    hex_emit *emit;
    void *context;
    struct buf bytes; /* of the chunk */
    enum origin origin;
    bool from_server;
    uint8_t content_type; /* FROM_MSG */
    uint8_t curl_type[2]; /* FROM_CURL: of the record that is open, by side */
    bool repeat;          /* "*": the last line goes on up to the next offset */
    bool any;
    size_t repeated;
    bool octal;      /* offsets are */
    struct buf line; /* the bytes of a line */
};

static bool is_digit(uint8_t c)
{
    return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'f');
}

static uint8_t digit(uint8_t c)
{
    return (uint8_t)(c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
}

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static bool starts(struct slice line, const char *text)
{
    return slice_equal(slice_sub(line, 0, strlen(text)), slice_of_str(text));
}

static bool contains(struct slice line, const char *text)
{
    for (size_t len = strlen(text); line.len >= len; (void)slice_skip(&line, 1))
        if (starts(line, text))
            return true;
    return false;
}

static struct slice take_line(struct slice *text)
{
    size_t len = 0;
    while (len < text->len && slice_at(*text, len) != '\n')
        len++;
    struct slice line = slice_take(text, len);
    (void)slice_skip(text, text->len > 0);
    return line;
}

static struct slice trimmed(struct slice line)
{
    while (line.len > 0 && is_space(slice_at(line, 0)))
        (void)slice_skip(&line, 1);
    while (line.len > 0 && is_space(slice_at(line, line.len - 1)))
        line = slice_sub(line, 0, line.len - 1);
    return line;
}

/* ---- chunks ---- */

/* curl shows the header of a record, the type inside a record of TLS 1.3, and the message, each as a
 * piece of its own. */
static bool take_curl(struct hex *h, struct slice piece, struct hex_chunk *chunk)
{
    uint8_t first = slice_at(piece, 0);
    bool type = first >= CHANGE_CIPHER_SPEC && first <= APPLICATION_DATA;
    if ((piece.len == 5 && type && slice_at(piece, 1) == 3) || (piece.len == 1 && type)) {
        h->curl_type[h->from_server] = first;
        return false;
    }
    uint8_t open = h->curl_type[h->from_server];
    chunk->content_type = open ? open : HANDSHAKE;
    return true;
}

static void end_chunk(struct hex *h)
{
    struct hex_chunk chunk = {.bytes = buf_slice(&h->bytes), .from_server = h->from_server};
    bool wanted = chunk.bytes.len > 0 && h->origin != FROM_OTHER;
    if (h->origin == FROM_DEBUG)
        chunk.kind = HEX_STREAM;
    if (h->origin == FROM_MSG || h->origin == FROM_CURL) {
        chunk.kind = HEX_MESSAGE;
        chunk.content_type = h->content_type;
        wanted = wanted && (h->origin == FROM_MSG || take_curl(h, chunk.bytes, &chunk));
    }
    if (wanted) {
        h->emit(h->context, &chunk);
        h->any = true;
    }
    buf_clear(&h->bytes);
    h->repeat = false;
}

static void begin_chunk(struct hex *h, enum origin origin, bool from_server)
{
    end_chunk(h);
    h->origin = origin;
    h->from_server = from_server;
}

/* What openssl -msg calls the content of ">>> TLS 1.3, Handshake [length 0200], ClientHello". */
static void begin_message(struct hex *h, struct slice line)
{
    static const struct {
        const char *name;
        uint8_t content_type;
    } names[] = {{", Handshake", HANDSHAKE},
                 {", ChangeCipherSpec", CHANGE_CIPHER_SPEC},
                 {", Alert", ALERT},
                 {", ApplicationData", APPLICATION_DATA}};
    begin_chunk(h, FROM_OTHER, slice_at(line, 0) == '<');
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (!contains(line, names[i].name))
            continue;
        h->origin = FROM_MSG;
        h->content_type = names[i].content_type;
    }
}

/* "Reassembled TCP (1460 bytes):" */
static bool is_source_heading(struct slice line)
{
    return contains(line, " bytes):") && slice_at(line, line.len - 1) == ':';
}

/* "20:08:28.457751 IP 192.0.2.1.54804 > 192.0.2.2.443: Flags [S], …" of tcpdump -x, and what -v adds to it. */
static bool is_tcpdump_heading(struct slice line)
{
    return contains(line, " IP (tos 0x") || contains(line, " IP6 (") ||
           (contains(line, " > ") &&
            (contains(line, " IP ") || contains(line, " IP6 ") || contains(line, ": Flags [")));
}

/* Lines that say what comes next. */
static bool take_heading(struct hex *h, struct slice line)
{
    if (starts(line, ">>> ") || starts(line, "<<< "))
        begin_message(h, line);
    else if (starts(line, "write to 0x") || starts(line, "read from 0x"))
        begin_chunk(h, FROM_DEBUG, starts(line, "read"));
    else if (contains(line, "=> Send SSL data,") || contains(line, "<= Recv SSL data,"))
        begin_chunk(h, FROM_CURL, contains(line, "<= Recv"));
    else if (contains(line, "=> Send ") || contains(line, "<= Recv ") || contains(line, "== Info:"))
        begin_chunk(h, FROM_OTHER, h->from_server);
    else if (is_tcpdump_heading(line))
        begin_chunk(h, FROM_NOWHERE, false);
    else if (is_source_heading(line))
        begin_chunk(h, starts(line, "Frame (") ? FROM_FRAME : FROM_OTHER, false);
    else
        return false;
    return true;
}

/* ---- lines with an offset ---- */

struct offset {
    struct slice digits;
    bool colon, dash; /* what stands behind it */
};

/* Takes the offset that a line of a dump begins with.  A line of bytes alone has none. */
static bool take_offset(struct slice *line, struct offset *o)
{
    size_t len = 0;
    if (starts(*line, "0x") && slice_at(*line, 6) == ':')
        (void)slice_skip(line, 2); /* tcpdump's "0x0010:" */
    while (is_digit(slice_at(*line, len)))
        len++;
    uint8_t after = slice_at(*line, len), next = slice_at(*line, len + 1);
    *o = (struct offset){.digits = slice_sub(*line, 0, len),
                         .colon = after == ':',
                         .dash = after == ' ' && next == '-' && is_space(slice_at(*line, len + 2))};
    if (len < 4 || len > 16 || len == 5)
        return false;
    bool wide = (after == ' ' && is_space(next)) || after == '\t';
    bool plain = after == ' ' && is_digit(next) && /* od and hexdump; od -A x */
                 (len == 7 || (len == 6 && slice_at(*line, 0) == '0'));
    if (!(o->colon && (is_space(next) || len + 1 == line->len)) && !o->dash && !wide && !plain)
        return false;
    (void)slice_skip(line, len + o->colon + (o->dash ? 2 : 0));
    return true;
}

static uint64_t number(struct slice digits, unsigned base)
{
    uint64_t value = 0;
    while (digits.len > 0)
        value = value * base + digit(slice_u8(&digits));
    return value;
}

/* The spaces before the next bytes; more than a dump has between bytes ends them. */
static size_t take_gap(struct slice *line)
{
    size_t gap = 0;
    while (line->len > 0 && is_space(slice_at(*line, 0))) {
        gap += slice_at(*line, 0) == '\t' ? 8 : 1;
        (void)slice_skip(line, 1);
    }
    return gap;
}

static size_t digits_ahead(struct slice line)
{
    size_t count = 0;
    while (is_digit(slice_at(line, count)))
        count++;
    return count;
}

/* Bytes that stand together.  hexdump and od -x show words of the machine: the low byte is the first. */
static void take_group(struct hex *h, struct slice *line, size_t count, bool word)
{
    uint8_t low = 0;
    for (size_t i = 0; i + 1 < count; i += 2) {
        uint8_t high = digit(slice_u8(line)), byte = (uint8_t)(high << 4 | digit(slice_u8(line)));
        if (word && i == 0) {
            low = byte;
            continue;
        }
        buf_char(&h->line, (char)byte);
        if (word)
            buf_char(&h->line, (char)low);
    }
}

/* The bytes between the offset and the letters at the end. */
static void take_dump_line(struct hex *h, struct slice line, const struct offset *o)
{
    size_t width = 0;
    bool words = false;
    while (h->line.len < MOST_LINE) {
        bool first = h->line.len == 0;
        size_t gap = take_gap(&line), count = digits_ahead(line);
        bool middle = h->line.len == LINE_BYTES / 2 && width == 2 && gap == 2;
        bool dash = h->line.len == LINE_BYTES / 2 && gap == 0 && slice_at(line, 0) == '-';
        if (dash) {
            (void)slice_skip(&line, 1);
            count = digits_ahead(line);
        }
        if (count == 0 || count % 2 != 0 || (!first && gap != 1 && !middle && !dash))
            break;
        uint8_t after = slice_at(line, count);
        if ((!first && count > width) || (after && !is_space(after) && after != '-'))
            break;
        if (h->line.len >= LINE_BYTES && (gap > 1 || width == 2))
            break;
        width = first ? count : width;
        words = words || (count == 4 && !o->colon && (o->digits.len == 6 || o->digits.len == 7));
        take_group(h, &line, count, words);
    }
}

/* od counts in octal: its second line is at 20, where others have 10. */
static void notice_base(struct hex *h, const struct offset *o)
{
    bool sixteen = number(o->digits, 16) == h->bytes.len,
         eight = number(o->digits, 8) == h->bytes.len;
    if (sixteen != eight)
        h->octal = eight;
}

/* "*" stood for lines like the last. */
static void fill_repeated(struct hex *h, const struct offset *o)
{
    uint64_t target = number(o->digits, h->octal ? 8 : 16);
    h->repeat = false;
    while (h->bytes.len >= LINE_BYTES && h->bytes.len + LINE_BYTES <= target &&
           h->repeated < MOST_REPEATED) {
        uint8_t last[LINE_BYTES];
        struct slice line = slice_sub(buf_slice(&h->bytes), h->bytes.len - LINE_BYTES, LINE_BYTES);
        for (size_t i = 0; i < LINE_BYTES; i++)
            last[i] = slice_at(line, i);
        buf_put(&h->bytes, last, LINE_BYTES);
        h->repeated += LINE_BYTES;
    }
}

/* The last line of od and hexdump: how many bytes there were. */
static bool is_total(struct hex *h, struct slice line)
{
    if (line.len < 6 || line.len > 8 || digits_ahead(line) != line.len || h->bytes.len == 0)
        return false;
    if (h->repeat)
        fill_repeated(h, &(struct offset){.digits = line});
    /* An odd number of bytes makes words of hexdump and od -x one too many. */
    uint64_t total = number(line, h->octal ? 8 : 16);
    if (total != h->bytes.len && total + 1 != h->bytes.len)
        return false;
    h->bytes.len = (size_t)total;
    return true;
}

static bool take_dump(struct hex *h, struct slice line)
{
    struct offset o;
    if (is_total(h, line))
        return true;
    if (!take_offset(&line, &o))
        return false;
    buf_clear(&h->line);
    if (h->repeat)
        fill_repeated(h, &o);
    else
        notice_base(h, &o);
    take_dump_line(h, line, &o);
    if (h->line.len > 0 && number(o.digits, 16) == 0 && h->bytes.len > 0)
        begin_chunk(h, h->origin == FROM_OTHER ? FROM_OTHER : FROM_NOWHERE, h->from_server);
    buf_slice_put(&h->bytes, buf_slice(&h->line));
    return true;
}

/* ---- lines of bytes alone ---- */

static void take_pair(struct hex *h, struct slice *line)
{
    uint8_t high = slice_u8(line), low = slice_u8(line);
    buf_char(&h->bytes, (char)(uint8_t)(digit(high) << 4 | digit(low)));
}

/* 0x16, 0x03 … of C arrays; all else in the line is passed over. */
static void take_prefixed(struct hex *h, struct slice line)
{
    while (line.len > 2) {
        bool prefix = slice_at(line, 0) == '0' && (slice_at(line, 1) | 32) == 'x';
        size_t count = prefix ? digits_ahead(slice_sub(line, 2, 64)) : 0;
        (void)slice_skip(&line, prefix ? 2 : 1);
        if (count == 1)
            buf_char(&h->bytes, (char)digit(slice_u8(&line)));
        for (; count >= 2; count -= 2)
            take_pair(h, &line);
    }
}

static uint8_t escape(uint8_t c)
{
    static const char names[] = "nrt0abfv", values[] = "\n\r\t\0\a\b\f\v";
    for (size_t i = 0; i < sizeof names - 1; i++)
        if ((uint8_t)names[i] == c)
            return (uint8_t)values[i];
    return c;
}

/* "\x16\x03\x01A" of C and Python: what stands between quotes, or the whole line without any. */
static void take_string(struct hex *h, struct slice line)
{
    uint8_t quote = 0;
    bool quoted = contains(line, "\"") || contains(line, "'");
    while (line.len > 0) {
        uint8_t c = slice_u8(&line);
        if (quoted && quote == 0) {
            quote = c == '"' || c == '\'' ? c : 0;
        } else if (quoted && c == quote) {
            quote = 0;
        } else if (c != '\\') {
            if (quoted || !is_space(c))
                buf_char(&h->bytes, (char)c);
        } else if (slice_at(line, 0) == 'x' && digits_ahead(slice_sub(line, 1, 2)) == 2) {
            (void)slice_skip(&line, 1);
            take_pair(h, &line);
        } else {
            buf_char(&h->bytes, (char)escape(slice_u8(&line)));
        }
    }
}

/* Hexadecimal digits in pairs, with whatever between them. */
static bool take_plain(struct hex *h, struct slice line)
{
    size_t run = 0;
    for (size_t i = 0; i <= line.len; i++) {
        uint8_t c = i < line.len ? slice_at(line, i) : ' ';
        bool separator = is_space(c) || c == ':' || c == ',' || c == '-' || c == ';' || c == '.';
        if (!is_digit(c) && (!separator || run % 2 != 0))
            return false;
        run = is_digit(c) ? run + 1 : 0;
    }
    while (line.len >= 2) {
        if (is_digit(slice_at(line, 0)))
            take_pair(h, &line);
        else
            (void)slice_skip(&line, 1);
    }
    return true;
}

static void take_text_line(struct hex *h, struct slice line)
{
    line = trimmed(line);
    while (starts(line, "> ")) /* quoted in a mail */
        line = trimmed(slice_sub(line, 2, SIZE_MAX));
    if (line.len == 0 || take_heading(h, line))
        return;
    if (line.len == 1 && slice_at(line, 0) == '*')
        h->repeat = h->bytes.len > 0;
    else if (take_dump(h, line))
        return;
    else if (contains(line, "\\x"))
        take_string(h, line);
    else if (contains(line, "0x") || contains(line, "0X"))
        take_prefixed(h, line);
    else if (!take_plain(h, line) && h->origin != FROM_NOWHERE)
        begin_chunk(h, FROM_OTHER, h->from_server); /* what follows belongs to something else */
}

bool hex_is_trace(struct slice text)
{
    while (text.len > 0) {
        struct slice line = trimmed(take_line(&text));
        if (starts(line, ">>> ") || starts(line, "<<< ") || starts(line, "write to 0x") ||
            contains(line, "=> Send SSL data,") || contains(line, "<= Recv SSL data,"))
            return true;
    }
    return false;
}

bool hex_read(struct slice text, hex_emit *emit, void *context)
{
    struct hex h = {.emit = emit, .context = context};
    while (text.len > 0)
        take_text_line(&h, take_line(&text));
    end_chunk(&h);
    buf_free(&h.bytes);
    buf_free(&h.line);
    return h.any;
}

/* ---- base64 ---- */

static int base64_value(uint8_t c)
{
    return c >= 'A' && c <= 'Z'   ? c - 'A'
           : c >= 'a' && c <= 'z' ? c - 'a' + 26
           : c >= '0' && c <= '9' ? c - '0' + 52
           : c == '+' || c == '-' ? 62
           : c == '/' || c == '_' ? 63
                                  : -1;
}

bool base64_read(struct slice text, struct buf *bytes)
{
    uint32_t bits = 0;
    unsigned count = 0, padding = 0;
    while (text.len > 0) {
        uint8_t c = slice_u8(&text);
        int value = base64_value(c);
        if (is_space(c) || c == '\n')
            continue;
        padding += c == '=';
        if (c == '=')
            continue;
        if (value < 0 || padding > 0)
            return false;
        bits = bits << 6 | (uint32_t)value;
        if (++count % 4 == 0)
            for (int shift = 16; shift >= 0; shift -= 8)
                buf_char(bytes, (char)(uint8_t)(bits >> shift));
    }
    if (count % 4 == 1 || padding > 2)
        return false;
    if (count % 4 >= 2)
        buf_char(bytes, (char)(uint8_t)(count % 4 == 2 ? bits >> 4 : bits >> 10));
    if (count % 4 == 3)
        buf_char(bytes, (char)(uint8_t)(bits >> 2));
    return count > 0;
}
