/* The escape hatches: what the layout rows cannot say. */
#include "dissect/sct.h"
#include "dissect/walk.h"
#include "dissect/x509.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

static void extension_body(struct walk *w)
{
    /* The type stands before the two bytes of length that have just been read. */
    struct slice s = slice_sub(w->bytes, w->at - 4, 2);
    enum block_id block = block_of_extension(slice_u16(&s));
    walk_block(w, block == BLOCK_NONE ? BLOCK_unknown_extension : block);
}

static void signature_algorithm(struct walk *w)
{
    const struct tape *t = w->tape;
    if (w->end - w->at < 2) {
        w->failed = true;
        return;
    }
    if (!tape_wants(t, F_tls_handshake_sig_hash_alg) &&
        !tape_wants(t, F_tls_handshake_sig_hash_hash) &&
        !tape_wants(t, F_tls_handshake_sig_hash_sig)) {
        w->at += 2;
        return;
    }
    struct slice s = slice_sub(w->bytes, w->at, 2);
    uint64_t value = slice_u16(&s);
    uint32_t at = tape_open(w->tape, F_tls_handshake_sig_hash_alg, w->source, w->at, 2, value, 0);
    if (!registry_compat(REG_SIGNATURE_SCHEMES, value))
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

static void certificate(struct walk *w)
{
    uint32_t len = w->end - w->at;
    uint64_t hash = 0;
    uint64_t *place = place_of(w, &hash);
    if (!place || *place != hash) {
        uint32_t at = tape_open(w->tape, F_tls_handshake_certificate, w->source, w->at, len, 0, 0);
        bool broken = x509_certificate(w->tape, at, w->source, w->at, len, w->protocols) != F_NONE;
        w->failed |= broken;
        tape_close(w->tape, at);
        if (place && !broken)
            *place = hash;
    }
    w->at = w->end;
}

static void distinguished_name(struct walk *w)
{
    uint32_t len = w->end - w->at;
    w->failed |= x509_distinguished_name(w->tape, F_tls_handshake_dname, w->source, w->at, len,
                                         w->protocols) != F_NONE;
    w->at = w->end;
}

static void ocsp_response(struct walk *w)
{
    uint64_t hash = 0;
    uint64_t *place = place_of(w, &hash);
    if (!place || *place != hash) {
        bool broken =
            x509_ocsp_response(w->tape, w->source, w->at, w->end - w->at, w->protocols) != F_NONE;
        w->failed |= broken;
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

void walk_call(struct walk *w, enum call_id call)
{
    static void (*const calls[CALL_COUNT])(struct walk *) = {
        [CALL_extension_body] = extension_body,   [CALL_signature_algorithm] = signature_algorithm,
        [CALL_certificate] = certificate,         [CALL_distinguished_name] = distinguished_name,
        [CALL_ocsp_response] = ocsp_response,     [CALL_sct] = sct,
        [CALL_quic_parameters] = quic_parameters,
    };
    calls[call](w);
}
