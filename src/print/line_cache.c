#include "print/line_cache.h"

#include "print/label.h"

/* Types whose value is the event's number.  Times are not among them: they hardly come twice. */
static const bool fit_types[TYPE_COUNT] = {
    [TYPE_NONE] = true,   [TYPE_PROTOCOL] = true, [TYPE_BOOLEAN] = true, [TYPE_UINT8] = true,
    [TYPE_UINT16] = true, [TYPE_UINT24] = true,   [TYPE_UINT32] = true,  [TYPE_UINT64] = true,
    [TYPE_INT32] = true,  [TYPE_INT64] = true,    [TYPE_FRAMENUM] = true};

void line_cache_begin(struct line_cache *cache)
{
    for (unsigned id = 0; id < LABEL_COUNT; id++)
        cache->fit[id] = label_is_own((enum label_id)id);
    cache->ready = true;
}

struct kept_line *line_cache_place(struct line_cache *cache, const struct event *e)
{
    const struct field *field = &fields[e->field];
    if (!fit_types[field->type] || !cache->fit[e->label ? e->label : field->template])
        return NULL;
    uint64_t hash = e->value + e->extra * UINT64_C(0x9e3779b1) + e->field * UINT64_C(0x85ebca6b);
    hash *= UINT64_C(0x9e3779b97f4a7c15);
    return &cache->lines[hash >> (64 - LINE_CACHE_BITS)];
}

void line_cache_keep(struct kept_line *line, const struct tape *t, const struct event *e,
                     struct slice text)
{
    if (text.len > LINE_CACHE_TEXT)
        return;
    *line = (struct kept_line){.value = e->value,
                               .extra = e->extra,
                               .field = e->field,
                               .label = e->label,
                               .depth = e->depth,
                               .flags = e->flags,
                               .more = t->more,
                               .len = (uint8_t)text.len};
    slice_read(&text, line->text, text.len);
}
