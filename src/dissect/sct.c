#include "dissect/sct.h"

#include "schema/oids.h"

#define NS_PER_MS   1000000u
#define NAME_OF_LOG "Unknown Log"

/* A view that is read from its front, as a slice is. */
struct reader {
    struct tape *tape;
    struct der_view rest;
    uint8_t source;
    bool broken; /* a value was cut short */
};

static struct der_view take(struct reader *r, size_t n)
{
    struct der_view head = der_sub(r->rest, 0, n);
    r->rest = der_sub(r->rest, n, SIZE_MAX);
    return head;
}

static uint64_t number(struct reader *r, enum field_id field, size_t size)
{
    struct der_view v = take(r, size);
    struct slice s = v.bytes;
    uint64_t value = slice_uint(&s, s.len);
    if (s.failed || v.bytes.len < size)
        r->broken = true;
    else
        tape_add(r->tape, field, r->source, v.at, (uint32_t)size, value, 0);
    return value;
}

static void bytes(struct reader *r, enum field_id field, size_t size)
{
    struct der_view v = take(r, size);
    if (r->broken || v.bytes.len < size)
        r->broken = true;
    else
        tape_add(r->tape, field, r->source, v.at, (uint32_t)v.bytes.len, 0, 0);
}

static void signature_algorithm(struct reader *r)
{
    struct der_view v = take(r, 2);
    if (r->broken || v.bytes.len < 2) {
        r->broken = true;
        return;
    }
    struct slice s = v.bytes;
    uint8_t hash = slice_u8(&s), kind = slice_u8(&s);
    uint64_t both = (uint64_t)hash << 8 | kind;
    uint32_t at = tape_open(r->tape, F_tls_handshake_sig_hash_alg, r->source, v.at, 2, both, 0);
    tape_add(r->tape, F_tls_handshake_sig_hash_hash, r->source, v.at, 1, hash, 0);
    tape_add(r->tape, F_tls_handshake_sig_hash_sig, r->source, v.at + 1, 1, kind, 0);
    tape_close(r->tape, at);
}

static void timestamp(struct reader *r)
{
    struct der_view v = take(r, 8);
    struct slice s = v.bytes;
    uint64_t ms = slice_uint(&s, s.len);
    if (r->broken || v.bytes.len < 8)
        r->broken = true;
    else
        tape_add(r->tape, F_tls_sct_sct_timestamp, r->source, v.at, 8, ms * NS_PER_MS, 0);
}

void sct_note_log(struct tape *t, uint32_t at, struct slice id)
{
    if (at == TAPE_NONE)
        return;
    if (id.len < 32)
        return;
    const char *name = ct_log_name(id);
    size_t start = t->text.len;
    buf_str(&t->text, name ? name : NAME_OF_LOG);
    t->events[at].value = (uint64_t)(t->text.len - start) << 32 | (uint32_t)start;
    if (t->text.failed)
        t->full = true;
}

static bool one(struct tape *t, uint8_t source, struct der_view v)
{
    struct reader r = {.tape = t, .rest = v, .source = source};
    uint32_t at = tape_open(t, F_tls_sct, source, v.at, (uint32_t)v.bytes.len, 0, 0);
    sct_note_log(t, at, slice_sub(v.bytes, 3, 32));
    number(&r, F_tls_sct_sct_length, 2);
    number(&r, F_tls_sct_sct_version, 1);
    bytes(&r, F_tls_sct_sct_logid, 32);
    timestamp(&r);
    uint64_t extensions = number(&r, F_tls_sct_sct_extensions_length, 2);
    if (extensions > 0)
        bytes(&r, F_tls_sct_sct_extensions, extensions);
    signature_algorithm(&r);
    bytes(&r, F_tls_sct_sct_signature, number(&r, F_tls_sct_sct_signature_length, 2));
    tape_close(t, at);
    return !r.broken;
}

bool sct_list(struct tape *t, uint8_t source, struct der_view v)
{
    struct reader r = {.tape = t, .rest = v, .source = source};
    uint64_t length = number(&r, F_tls_sct_scts_length, 2);
    r.rest = der_sub(r.rest, 0, length);
    while (!r.broken && r.rest.bytes.len >= 2) {
        struct slice s = r.rest.bytes;
        r.broken = !one(t, source, take(&r, 2u + slice_u16(&s)));
    }
    return !r.broken;
}
