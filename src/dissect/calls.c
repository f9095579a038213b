/* The escape hatches: what the layout rows cannot say. */
#include "dissect/der.h"
#include "dissect/expand.h"
#include "dissect/sct.h"
#include "dissect/walk.h"
#include "dissect/x509.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

static void extension_body(struct walk *w);

/* Whether nothing of the extension that ends at END matters.  What is wrong inside of it harms nobody else, unless it
 * is the last that there is: walk_too_short(). */
static bool is_nothing(const struct walk *w, uint16_t type, uint32_t end)
{
    enum block_id block = block_of_extension(type);
    return w->silent && w->silent[block == BLOCK_NONE ? BLOCK_unknown_extension : block] &&
           end < w->bytes.len;
}

void walk_pass_extensions(struct walk *w)
{
    if (!w->silent || !w->silent[BLOCK_extension])
        return;
    while (w->end - w->at >= 4) {
        struct slice head = slice_sub(w->bytes, w->at, 4);
        uint16_t type = slice_u16(&head);
        uint32_t next = w->at + 4u + slice_u16(&head);
        if (next > w->end || !is_nothing(w, type, next))
            return;
        w->at = next;
    }
}

/* BLOCK_extension, when nobody asks for the fields of its rows.  LEN bytes follow the head. */
static void pass_extension(struct walk *w, uint32_t len)
{
    uint32_t end = w->end;
    w->tape->depth++;
    w->depth++;
    w->value = len;
    w->at += 4;
    w->end = w->at + len;
    extension_body(w);
    if (!w->failed)
        walk_trailing(w);
    w->end = end;
    w->depth--;
    tape_close(w->tape, TAPE_NONE);
}

static void extension(struct walk *w)
{
    const struct tape *t = w->tape;
    struct slice s = slice_sub(w->bytes, w->at + 2, 2);
    uint32_t len = slice_u16(&s);
    uint32_t left = w->end - w->at - 4;
    if (len > left && len > w->bytes.len - w->at - 4)
        w->failed = true;
    else if (len > left)
        walk_block(w, BLOCK_extension_cut);
    else if (!tape_wants(t, F_tls_extension) && !tape_wants(t, F_tls_handshake_extension_type) &&
             !tape_wants(t, F_tls_handshake_extension_len))
        pass_extension(w, len);
    else
        walk_block(w, BLOCK_extension);
    if (!w->failed)
        walk_pass_extensions(w);
}

static void extension_body(struct walk *w)
{
    uint32_t end = w->end;
    uint8_t depth = w->depth;
    /* The type stands before the two bytes of length that have just been read. */
    struct slice s = slice_sub(w->bytes, w->at - 4, 2);
    uint16_t type = slice_u16(&s);
    enum block_id block = block_of_extension(type);
    if (is_nothing(w, type, end)) {
        w->at = end;
        return;
    }
    w->lacks = 0;
    walk_block(w, block == BLOCK_NONE ? BLOCK_unknown_extension : block);
    w->depth = depth;
    if (w->failed && end < w->bytes.len)
        walk_too_short(w, end);
}

bool walk_wants_signature_algorithm(const uint8_t *want)
{
    return want[F_tls_handshake_sig_hash_alg] || want[F_tls_handshake_sig_hash_hash] ||
           want[F_tls_handshake_sig_hash_sig];
}

static void signature_algorithm(struct walk *w)
{
    if (w->end - w->at < 2) {
        w->lacks = 2 - (w->end - w->at);
        w->failed = true;
        return;
    }
    if (!walk_wants_signature_algorithm(w->tape->want)) {
        w->at += 2;
        return;
    }
    struct slice s = slice_sub(w->bytes, w->at, 2);
    uint64_t value = slice_u16(&s);
    uint32_t at = tape_open(w->tape, F_tls_handshake_sig_hash_alg, w->source, w->at, 2, value, 0);
    if (!tape_name(w->tape, REG_SIGNATURE_SCHEMES, value))
        tape_set_label(w->tape, at, LABEL_TLS_SIGNATURE_PAIR);
    walk_number(w, F_tls_handshake_sig_hash_hash, 1, NULL);
    walk_number(w, F_tls_handshake_sig_hash_sig, 1, NULL);
    tape_close(w->tape, at);
}

/* The place of the certificate's hash; NULL when it must be read. */
static uint64_t *place_of(const struct walk *w, uint64_t *hash)
{
    if (!w->known)
        return NULL;
    struct slice der = slice_sub(w->bytes, w->at, w->end - w->at);
    *hash = XXH3_64bits_withSeed(der.data, der.len, w->known->seed);
    return &w->known->hashes[*hash % CERTIFICATES_KNOWN];
}

/* Whether a reader of ASN.1 failed, and in which module.  Where it should have ended is known all the same. */
static bool fails(struct walk *w, enum field_id module)
{
    if (module == F_NONE)
        return false;
    w->module = w->module ? w->module : (uint16_t)module;
    return true;
}

/* Bytes behind the certificate that its length counts. */
static void behind_certificate(struct walk *w)
{
    struct der_view v = {.bytes = slice_sub(w->bytes, w->at, w->end - w->at)};
    struct der d;
    if (der_read(v, &d) && !d.cut && d.eaten < v.bytes.len)
        tape_add(w->tape, F_tls_parts_rest, w->source, w->at + (uint32_t)d.eaten,
                 (uint32_t)(v.bytes.len - d.eaten), 0, 0);
}

static void certificate(struct walk *w)
{
    uint32_t len = w->end - w->at;
    uint64_t hash = 0;
    uint64_t *place = place_of(w, &hash);
    if (w->context & IN_OTHER_CERTIFICATE) {
        tape_add(w->tape, F_tls_handshake_certificate, w->source, w->at, len, 0, 0);
    } else if (!place || *place != hash) {
        uint32_t at = tape_open(w->tape, F_tls_handshake_certificate, w->source, w->at, len, 0, 0);
        bool broken = fails(w, x509_certificate(w->tape, at, w->source, w->at, len, w->protocols));
        tape_close(w->tape, at);
        if (tape_wants(w->tape, F_tls_parts_rest))
            behind_certificate(w);
        if (place && !broken)
            *place = hash;
    }
    w->at = w->end;
}

/* The message that was compressed, under the bytes that it was compressed to; and what is wrong with them. */
static enum expert_id expanded(struct walk *w, unsigned algorithm, uint32_t claimed, uint32_t *made)
{
    struct slice in = slice_sub(w->bytes, w->at, w->end - w->at);
    uint32_t most = expand_most((uint32_t)in.len);
    bool fits = claimed <= most && most <= w->expander->left;
    uint8_t *out = fits ? arena_alloc(w->room, most) : NULL;
    enum expand_result result = EXPAND_TOO_MUCH;
    *made = most;
    if (out) {
        w->expander->left -= most;
        result = expand(w->expander, algorithm, in, out, made);
    }
    if (result != EXPAND_DONE)
        return result == EXPAND_UNKNOWN   ? EXPERT_NONE
               : result == EXPAND_DAMAGED ? EXPERT_tls_compressed_damaged
                                          : EXPERT_tls_compressed_limit;
    if (*made != claimed)
        return EXPERT_tls_uncompressed_length;
    struct walk inner = *w;
    inner.bytes = slice_of(out, *made);
    inner.source = tape_source(w->tape, inner.bytes, "Uncompressed certificate(s)");
    inner.at = 0;
    inner.end = *made;
    inner.context |= IN_CERTIFICATE;
    if (walk_block(&inner, BLOCK_msg_certificate))
        walk_trailing(&inner);
    w->failed |= inner.failed;
    w->module = w->module ? w->module : inner.module;
    return EXPERT_NONE;
}

/* RFC 8879 4.  Algorithm, length of what it was and length of what it is have just been read. */
static void compressed_certificate(struct walk *w)
{
    uint32_t len = w->end - w->at, made = 0;
    uint64_t hash = 0;
    uint64_t *place = place_of(w, &hash);
    struct slice head = slice_sub(w->bytes, w->at - 8, 5);
    unsigned algorithm = slice_u16(&head);
    uint32_t claimed = slice_u24(&head);
    enum expert_id wrong = EXPERT_NONE;
    if (w->expander && (!place || *place != hash)) {
        uint32_t at = tape_open(w->tape, F_tls_compress_certificate_compressed_certificate_message,
                                w->source, w->at, len, 0, 0);
        wrong = expanded(w, algorithm, claimed, &made);
        if (wrong != EXPERT_NONE && wrong != EXPERT_tls_uncompressed_length)
            tape_expert(w->tape, wrong, w->source, w->at, len, made);
        tape_close(w->tape, at);
        if (place && !w->failed && !w->module)
            *place = hash;
    }
    if (wrong == EXPERT_tls_uncompressed_length) {
        uint32_t at = tape_open(w->tape, F_tls_uncompressed_length, w->source, w->at, len, made, 0);
        tape_set_extra(w->tape, at, claimed);
        tape_expert(w->tape, wrong, w->source, w->at, 0, (uint64_t)made << 32 | claimed);
        tape_close(w->tape, at);
    }
    w->at = w->end;
}

static void public_key(struct walk *w)
{
    uint32_t len = w->end - w->at;
    uint32_t at = tape_open(w->tape, F_tls_handshake_cred_pubkey, w->source, w->at, len, 0, 0);
    fails(w, x509_public_key(w->tape, w->source, w->at, len, w->protocols));
    tape_close(w->tape, at);
    w->at = w->end;
}

static void distinguished_name(struct walk *w)
{
    uint32_t len = w->end - w->at;
    fails(w, x509_distinguished_name(w->tape, F_tls_handshake_dname, w->source, w->at, len,
                                     w->protocols));
    w->at = w->end;
}

static void ocsp_response(struct walk *w)
{
    uint64_t hash = 0;
    uint64_t *place = place_of(w, &hash);
    if (!place || *place != hash) {
        bool broken =
            fails(w, x509_ocsp_response(w->tape, w->source, w->at, w->end - w->at, w->protocols));
        if (place && !broken)
            *place = hash;
    }
    w->at = w->end;
}

static void sct(struct walk *w)
{
    uint32_t left = w->end - w->at;
    struct slice head = slice_sub(w->bytes, w->at, left);
    uint32_t length = slice_u16(&head) + 2u;
    uint32_t at =
        tape_open(w->tape, F_tls_sct, w->source, w->at, length < left ? length : left, 0, 0);
    sct_note_log(w->tape, at, slice_sub(head, 1, 32));
    walk_block(w, BLOCK_sct_body);
    tape_close(w->tape, at);
}

/* RFC 9846 4.2.5 wants the DER of the identifier; some leave tag and length out. */
static void oid(struct walk *w)
{
    struct slice s = slice_sub(w->bytes, w->at, w->end - w->at);
    uint32_t skip = slice_at(s, 0) == 6 && s.len >= 2 && slice_at(s, 1) == s.len - 2 ? 2 : 0;
    w->oid_at = w->at + skip;
    w->oid_len = w->end - w->oid_at;
    tape_add(w->tape, F_tls_extension_oid_filters_oid, w->source, w->oid_at, w->oid_len, 0, 0);
    w->at = w->end;
}

/* What is wrong inside is told there, and has an end: the next filter is read all the same. */
static void oid_value(struct walk *w)
{
    uint32_t len = w->end - w->at;
    uint32_t at = tape_open(w->tape, F_tlswire_oid_filters_values, w->source, w->at, len, 0, 0);
    x509_extension_value(w->tape, slice_sub(w->bytes, w->oid_at, w->oid_len), w->source, w->at, len,
                         w->protocols);
    tape_close(w->tape, at);
    w->at = w->end;
}

/* Keys of two parts, one after the other, and sizes that keys of a group have (RFC 9846 4.2.8.2, FIPS 203).
 * The server answers an encapsulation key with a ciphertext. */
static const struct key_size {
    uint16_t group, first, second;           /* fields; F_NONE: there is no second part */
    uint16_t size, client_size, server_size; /* of a curve's or field's key; of ML-KEM's */
} key_sizes[] = {
    {23, F_tlswire_key_share_ecdh, F_NONE, 65, 0, 0},
    {24, F_tlswire_key_share_ecdh, F_NONE, 97, 0, 0},
    {25, F_tlswire_key_share_ecdh, F_NONE, 133, 0, 0},
    {29, F_tlswire_key_share_ecdh, F_NONE, 32, 0, 0},
    {30, F_tlswire_key_share_ecdh, F_NONE, 56, 0, 0},
    {31, F_tlswire_key_share_ecdh, F_NONE, 65, 0, 0},
    {32, F_tlswire_key_share_ecdh, F_NONE, 97, 0, 0},
    {33, F_tlswire_key_share_ecdh, F_NONE, 129, 0, 0},
    {41, F_tlswire_key_share_ecdh, F_NONE, 65, 0, 0},
    {256, F_tlswire_key_share_ffdh, F_NONE, 256, 0, 0},
    {257, F_tlswire_key_share_ffdh, F_NONE, 384, 0, 0},
    {258, F_tlswire_key_share_ffdh, F_NONE, 512, 0, 0},
    {259, F_tlswire_key_share_ffdh, F_NONE, 768, 0, 0},
    {260, F_tlswire_key_share_ffdh, F_NONE, 1024, 0, 0},
    {512, F_tlswire_key_share_mlkem, F_NONE, 0, 800, 768},
    {513, F_tlswire_key_share_mlkem, F_NONE, 0, 1184, 1088},
    {514, F_tlswire_key_share_mlkem, F_NONE, 0, 1568, 1568},
    {4587, F_tlswire_key_share_ecdh, F_tlswire_key_share_mlkem, 65, 1184, 1088},
    {4588, F_tlswire_key_share_mlkem, F_tlswire_key_share_ecdh, 32, 1184, 1088},
    {4589, F_tlswire_key_share_ecdh, F_tlswire_key_share_mlkem, 97, 1568, 1568},
    {4590, F_tlswire_key_share_ecdh, F_tlswire_key_share_mlkem, 65, 1184, 1088},
    {25497, F_tlswire_key_share_ecdh, F_tlswire_key_share_mlkem, 32, 1184, 1088},
    {25498, F_tlswire_key_share_ecdh, F_tlswire_key_share_mlkem, 65, 1184, 1088},
    {65072, F_tlswire_key_share_ecdh, F_tlswire_key_share_mlkem, 32, 800, 768},
    {65073, F_tlswire_key_share_ecdh, F_tlswire_key_share_mlkem, 32, 1184, 1088},
};

/* What the LENGTH bytes at START are made of. */
static void key_parts(struct walk *w, const struct key_size *k, uint32_t start, uint32_t length)
{
    uint32_t kem = w->context & IN_CLIENT_HELLO ? k->client_size : k->server_size;
    uint32_t expected = k->size + kem;
    uint32_t first = k->first == F_tlswire_key_share_mlkem ? kem : k->size;
    uint32_t at = tape_open(w->tape, F_tls_parts, w->source, start, length, 0, EVENT_GENERATED);
    if (length != expected) {
        tape_add(w->tape, F_tlswire_key_share_expected, w->source, start, length, expected,
                 EVENT_GENERATED);
        tape_add(w->tape, F_tls_parts_rest, w->source, start, length, 0, 0);
    } else {
        tape_add(w->tape, k->first, w->source, start, first, 0, 0);
        if (k->second != F_NONE)
            tape_add(w->tape, k->second, w->source, start + first, length - first, 0, 0);
    }
    tape_close(w->tape, at);
}

static void key_share(struct walk *w)
{
    uint64_t group = w->value;
    uint32_t start = w->at + 2;
    walk_block(w, BLOCK_key_share_bytes);
    if (!tape_wants(w->tape, F_tls_parts) || w->failed || w->at <= start)
        return;
    for (size_t i = 0; i < sizeof key_sizes / sizeof key_sizes[0]; i++)
        if (key_sizes[i].group == group)
            key_parts(w, &key_sizes[i], start, w->at - start);
}

static void pairs(struct walk *w)
{
    w->value *= 2;
}

void walk_call(struct walk *w, enum call_id call)
{
    static void (*const calls[CALL_COUNT])(struct walk *) = {
        [CALL_extension] = extension,
        [CALL_extension_body] = extension_body,
        [CALL_signature_algorithm] = signature_algorithm,
        [CALL_certificate] = certificate,
        [CALL_compressed_certificate] = compressed_certificate,
        [CALL_distinguished_name] = distinguished_name,
        [CALL_ocsp_response] = ocsp_response,
        [CALL_sct] = sct,
        [CALL_oid] = oid,
        [CALL_oid_value] = oid_value,
        [CALL_public_key] = public_key,
        [CALL_key_share] = key_share,
        [CALL_quic_parameters] = quic_parameters,
        [CALL_pairs] = pairs,
    };
    calls[call](w);
}
