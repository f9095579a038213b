#include "print/line_cache.h"

#include "print/label.h"

static const uint8_t fit_types[TYPE_COUNT] = {
    [TYPE_NONE] = LINE_BY_NUMBER,
    [TYPE_PROTOCOL] = LINE_BY_NUMBER,
    [TYPE_BOOLEAN] = LINE_BY_NUMBER,
    [TYPE_UINT8] = LINE_BY_NUMBER,
    [TYPE_UINT16] = LINE_BY_NUMBER,
    [TYPE_UINT24] = LINE_BY_NUMBER,
    [TYPE_UINT32] = LINE_BY_NUMBER,
    [TYPE_UINT64] = LINE_BY_NUMBER,
    [TYPE_INT8] = LINE_BY_NUMBER,
    [TYPE_INT16] = LINE_BY_NUMBER,
    [TYPE_INT32] = LINE_BY_NUMBER,
    [TYPE_INT64] = LINE_BY_NUMBER,
    [TYPE_FRAMENUM] = LINE_BY_NUMBER,
    [TYPE_RELATIVE_TIME] = LINE_BY_NOTHING, /* no time but 0 comes twice */
    [TYPE_ETHER] = LINE_BY_ADDRESS,
    [TYPE_IPV4] = LINE_BY_ADDRESS,
};

void line_cache_begin(struct line_cache *cache, const struct tape *t, bool more)
{
    if (cache->ready && cache->more == more && cache->names == t->more &&
        cache->makers == t->makers)
        return;
    for (unsigned id = 0; id < LABEL_COUNT; id++)
        cache->labels[id] = label_is_own((enum label_id)id);
    for (unsigned id = 0; id < FIELD_COUNT; id++) {
        const struct field *field = &fields[id];
        uint8_t fit = cache->labels[field->template] ? fit_types[field->type] : LINE_NOT_KEPT;
        cache->fields[id] = field->more && !more ? LINE_LEFT_OUT : fit;
    }
    if (cache->ready)
        memset(cache->lines, 0, sizeof cache->lines);
    cache->more = more;
    cache->names = t->more;
    cache->makers = t->makers;
    cache->ready = true;
}

enum line_fit line_cache_fit(const struct line_cache *cache, const struct event *e)
{
    return cache->labels[e->label] ? fit_types[fields[e->field].type] : LINE_NOT_KEPT;
}

bool line_cache_number(const struct tape *t, const struct event *e, enum line_fit fit,
                       uint64_t *number)
{
    if (fit == LINE_BY_NOTHING)
        return e->value == 0;
    if (fit != LINE_BY_ADDRESS)
        return false;
    struct slice bytes = event_bytes(t, e);
    bool adapter = fields[e->field].type == TYPE_ETHER;
    size_t size = adapter ? 6 : 4;
    if (bytes.len != size || (!adapter && t->names)) /* names of hosts may come to be known later */
        return false;
    *number = slice_uint(&bytes, size);
    return true;
}

void line_cache_keep(struct kept_line *line, const struct event *e, uint64_t number,
                     struct slice text)
{
    if (text.len > LINE_CACHE_TEXT)
        return;
    line->head = line_cache_head(e);
    line->extra = e->extra;
    line->number = number;
    line->len = (uint8_t)text.len;
    slice_read(&text, line->text, text.len);
}
