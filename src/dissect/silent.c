/* Which blocks come to nothing that anybody asks for. */
#include "dissect/walk.h"

#define MAX_DEPTH 8 /* of blocks that run each other, some of them themselves */

struct wishes {
    const uint8_t *want;
    bool certificates; /* somebody asks for what DER holds */
};

static bool is_silent(const struct wishes *w, enum block_id block, unsigned depth);

/* What the escape hatches show is not in rows; those that stand in few extensions count as asked for. */
static bool is_silent_call(const struct wishes *w, enum call_id call, unsigned depth)
{
    if (call == CALL_signature_algorithm)
        return !walk_wants_signature_algorithm(w->want);
    if (call == CALL_key_share)
        return !w->want[F_tls_parts] && is_silent(w, BLOCK_key_share_bytes, depth);
    if (call == CALL_ocsp_response)
        return !w->certificates;
    return call == CALL_extension_body; /* which asks for the block of each */
}

static bool is_silent(const struct wishes *w, enum block_id block, unsigned depth)
{
    bool silent = depth < MAX_DEPTH;
    for (const struct row *row = blocks[block]; silent && row->op != OP_END; row++) {
        if (row->op == OP_CALL)
            silent = is_silent_call(w, row->arg, depth + 1);
        else if (row->op == OP_RUN || row->op == OP_PARTS)
            silent = is_silent(w, row->arg, depth + 1);
        else
            silent = !w->want[row->field];
    }
    return silent;
}

static bool wants_remarks(const uint8_t *want)
{
    for (enum expert_id id = EXPERT_NONE + 1; id < EXPERT_COUNT; id++)
        if (want[experts[id].field])
            return true;
    for (enum field_id id = F__ws_expert; id <= F__ws_malformed; id++)
        if (want[id])
            return true;
    return want[F_tls_trailing] || want[F_tls_no_room] || want[F_tls_too_much];
}

void walk_find_silent(const uint8_t *want, bool certificates, bool silent[BLOCK_COUNT])
{
    const struct wishes wishes = {.want = want, .certificates = certificates};
    bool remarks = wants_remarks(want);
    for (enum block_id block = BLOCK_NONE + 1; block < BLOCK_COUNT; block++)
        silent[block] = !remarks && is_silent(&wishes, block, 0);
}
