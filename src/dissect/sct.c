#include "dissect/sct.h"

#include "dissect/walk.h"
#include "schema/oids.h"

#define NAME_OF_LOG "Unknown Log"

void sct_note_log(struct tape *t, uint32_t at, struct slice id)
{
    if (at == TAPE_NONE || id.len < 32)
        return;
    const char *name = ct_log_name(id);
    size_t start = t->text.len;
    buf_str(&t->text, name ? name : NAME_OF_LOG);
    t->events[at].value = (uint64_t)(t->text.len - start) << 32 | (uint32_t)start;
    if (t->text.failed)
        t->full = true;
}

bool sct_list(struct tape *t, uint8_t source, struct der_view v)
{
    /* Its signatures are written as those of TLS 1.2, wherever it stands (RFC 6962 3.2). */
    struct walk w = {.tape = t,
                     .bytes = t->sources[source].bytes,
                     .source = source,
                     .context = IN_TLS12,
                     .at = v.at,
                     .end = v.at + (uint32_t)v.bytes.len};
    return walk_block(&w, BLOCK_sct_list) && !w.failed;
}
