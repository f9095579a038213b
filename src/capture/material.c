#include "capture/material.h"

#include "capture/hex.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define READ_STEP ((size_t)1 << 14)

/* The whole file; false with E set. */
static bool read_all(const char *path, struct buf *bytes, struct error *e)
{
    bool standard = strcmp(path, "-") == 0;
    int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT
                   ? error_set(e, ERROR_FILE, "The file \"%.300s\" doesn't exist.", path)
                   : error_set(e, ERROR_FILE, "The file \"%.300s\" could not be opened: %s.", path,
                               strerror(errno));
    ssize_t got = 1;
    uint8_t piece[READ_STEP];
    while (got > 0 && bytes->len <= MATERIAL_CEILING) {
        do
            got = read(fd, piece, sizeof piece);
        while (got < 0 && errno == EINTR);
        buf_put(bytes, piece, got > 0 ? (size_t)got : 0);
    }
    int why = errno;
    if (!standard)
        (void)close(fd);
    if (got < 0)
        return error_set(e, ERROR_FILE, "%.300s: cannot be read: %s", path, strerror(why));
    return bytes->len <= MATERIAL_CEILING ||
           error_set(e, ERROR_FILE, "%.300s: more than %zu MiB, which only a capture may have",
                     path, MATERIAL_CEILING >> 20);
}

/* ---- text ---- */

static void take_chunk(void *context, const struct hex_chunk *chunk)
{
    struct made *m = context;
    enum synth_side from = chunk->from_server ? SYNTH_SERVER : SYNTH_CLIENT;
    if (chunk->kind == HEX_STREAM)
        made_stream(m, from, chunk->bytes);
    else if (chunk->kind == HEX_MESSAGE)
        made_message(m, from, chunk->content_type, chunk->bytes);
    else
        (void)made_guess(m, chunk->bytes);
}

/* What stands between LABEL and its end in PEM (RFC 7468); the text goes on behind it. */
static bool next_pem(struct slice *text, const char *begin, const char *end, struct slice *body)
{
    size_t at = 0, from = 0, length = strlen(begin);
    while (at + length <= text->len &&
           !slice_equal(slice_sub(*text, at, length), slice_of_str(begin)))
        at++;
    from = at + length;
    if (from > text->len)
        return false;
    for (at = from, length = strlen(end); at + length <= text->len; at++)
        if (slice_equal(slice_sub(*text, at, length), slice_of_str(end)))
            break;
    if (at + length > text->len)
        return false;
    *body = slice_sub(*text, from, at - from);
    (void)slice_skip(text, at + length);
    return true;
}

static void take_pem(struct made *m, struct slice text)
{
    struct slice body;
    while (next_pem(&text, "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----", &body)) {
        struct buf der = {.ceiling = MATERIAL_CEILING};
        if (base64_read(body, &der))
            (void)made_certificate(m, buf_slice(&der));
        buf_free(&der);
    }
    made_certificates_end(m);
}

static void take_hex(struct made *m, struct slice text)
{
    struct buf bytes = {.ceiling = MATERIAL_CEILING};
    (void)hex_read(text, take_chunk, m);
    made_stream_end(m);
    if (made_count(m) == 0 && base64_read(text, &bytes))
        (void)made_guess(m, buf_slice(&bytes));
    buf_free(&bytes);
}

static bool is_text(struct slice bytes)
{
    bytes = slice_sub(bytes, 0, 4096);
    while (bytes.len > 0) {
        uint8_t c = slice_u8(&bytes);
        if (c < ' ' && c != '\n' && c != '\r' && c != '\t' && c != '\f' && c != 0x1b)
            return false;
    }
    return true;
}

/* pcap, pcapng, and what is compressed: for the reader of captures. */
static bool is_capture(struct slice bytes)
{
    static const uint8_t magics[][4] = {
        {0xa1, 0xb2, 0xc3, 0xd4}, {0xd4, 0xc3, 0xb2, 0xa1}, {0xa1, 0xb2, 0x3c, 0x4d},
        {0x4d, 0x3c, 0xb2, 0xa1}, {0xa1, 0xb2, 0xcd, 0x34}, {0x34, 0xcd, 0xb2, 0xa1},
        {0x0a, 0x0d, 0x0d, 0x0a}, {0x28, 0xb5, 0x2f, 0xfd}, {0x04, 0x22, 0x4d, 0x18},
    };
    for (size_t i = 0; i < sizeof magics / sizeof magics[0]; i++)
        if (slice_equal(slice_sub(bytes, 0, 4), slice_of(magics[i], 4)))
            return true;
    return slice_at(bytes, 0) == 0x1f && slice_at(bytes, 1) == 0x8b;
}

static bool nothing_found(struct slice bytes, const char *path, enum material_kind kind,
                          struct error *e)
{
    struct slice text = bytes, body;
    const char *shown = strcmp(path, "-") == 0 ? "standard input" : path;
    if (bytes.len == 0)
        return error_set(e, ERROR_FORMAT, "%.300s: it is empty", shown);
    if (kind == MATERIAL_ANY && made_is_request(bytes))
        return error_set(
            e, ERROR_FORMAT,
            "%.300s: a request for a certificate (PKCS #10); certificates are shown here", shown);
    bool pem = kind == MATERIAL_ANY && next_pem(&text, "-----BEGIN ", "-----", &body);
    if (pem && slice_is(body, "CERTIFICATE"))
        return error_set(
            e, ERROR_FORMAT,
            "%.300s: a certificate in PEM that is cut short or damaged: its base64, or "
            "the line \"-----END CERTIFICATE-----\"",
            shown);
    if (pem && body.len < 60)
        return error_set(e, ERROR_FORMAT, "%.300s: PEM with \"%.*s\"; certificates are shown here",
                         shown, (int)body.len, (const char *)body.data);
    return error_set(
        e, ERROR_FORMAT,
        "%.300s: no TLS was found in it: no records, no handshake message, no frame, no "
        "certificate\n  hex dumps, records (--raw-records), PEM and DER are read; it "
        "begins with %02x %02x %02x %02x",
        shown, slice_at(bytes, 0), slice_at(bytes, 1), slice_at(bytes, 2), slice_at(bytes, 3));
}

static void take_material(struct made *m, struct slice bytes, enum material_kind kind)
{
    if (kind == MATERIAL_RECORDS) {
        made_records(m, bytes);
        return;
    }
    if (is_text(bytes) && !hex_is_trace(bytes))
        take_pem(m, bytes);
    if (made_count(m) == 0 && (kind == MATERIAL_HEX || is_text(bytes)))
        take_hex(m, bytes);
    if (made_count(m) == 0 && kind == MATERIAL_ANY)
        (void)made_guess(m, bytes);
}

static struct made *make(struct slice bytes, struct slice second, const char *path,
                         enum material_kind kind, struct error *e)
{
    struct made *m = made_new();
    if (!m) {
        error_set(e, ERROR_MEMORY, "out of memory");
        return NULL;
    }
    if (second.len > 0)
        made_two_sides(m, bytes, second);
    else
        take_material(m, bytes, kind);
    if (made_count(m) == 0)
        (void)nothing_found(bytes, path, kind, e);
    else if (made_complete(m))
        return m;
    error_set(e, ERROR_MEMORY, "%.300s: too much for the memory that is set aside", path);
    made_free(m);
    return NULL;
}

struct made *material_open(const char *path, const char *second, enum material_kind kind,
                           struct error *e)
{
    struct buf bytes = {.ceiling = MATERIAL_CEILING + 2 * READ_STEP}, more = bytes;
    struct made *m = NULL;
    if (read_all(path, &bytes, e) && (!second || read_all(second, &more, e))) {
        bool capture = kind == MATERIAL_ANY && is_capture(buf_slice(&bytes));
        if (capture && strcmp(path, "-") == 0)
            error_set(e, ERROR_FORMAT, "standard input: this is a capture: tlswire -r - reads it");
        else if (!capture)
            m = make(buf_slice(&bytes), buf_slice(&more), path, kind, e);
    }
    buf_free(&bytes);
    buf_free(&more);
    return m;
}
