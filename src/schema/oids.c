#include "schema/oids.h"

#include "schema/oids_private.h"

/* As memcmp, a beginning of the other one first. */
static int compare(const struct named_bytes *row, struct slice key)
{
    size_t common = row->len < key.len ? row->len : key.len;
    int order = memcmp(row->bytes, key.data, common);
    return order ? order : (row->len > key.len) - (row->len < key.len);
}

static const char *find(const struct named_bytes *table, size_t count, struct slice key)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare(&table[middle], key);
        if (order == 0)
            return table[middle].name;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const char *oid_name(struct slice oid)
{
    return oid.len > 0 ? find(oid_table, oid_table_count, oid) : NULL;
}

const char *ct_log_name(struct slice id)
{
    return find(ct_log_table, ct_log_table_count, id);
}

struct slice ct_log_key(struct slice id)
{
    const char *key = find(ct_key_table, ct_key_table_count, id);
    return key ? slice_of(key, CT_KEY_SIZE) : slice_empty();
}

/* Takes one arc; false when it is cut short or too large. */
static bool take_arc(struct slice *s, uint64_t *arc)
{
    *arc = 0;
    for (unsigned n = 0; n < 9 && s->len > 0; n++) {
        uint8_t b = slice_u8(s);
        *arc = *arc << 7 | (b & 0x7f);
        if (!(b & 0x80))
            return true;
    }
    return false;
}

static void put_arcs(struct buf *out, struct slice rest)
{
    uint64_t arc;
    while (rest.len > 0 && take_arc(&rest, &arc)) {
        buf_char(out, '.');
        buf_dec(out, arc);
    }
}

/* First arc of all, which shares its bytes with the second. */
static unsigned root_of(uint64_t both)
{
    return both < 80 ? (unsigned)(both / 40) : 2;
}

void oid_dotted(struct buf *out, struct slice oid)
{
    uint64_t both;
    if (!take_arc(&oid, &both))
        return;
    buf_dec(out, root_of(both));
    buf_char(out, '.');
    buf_dec(out, both - root_of(both) * 40u);
    put_arcs(out, oid);
}

/* Length without the last arc. */
static size_t without_last(struct slice oid)
{
    size_t n = oid.len;
    if (n > 0)
        n--;
    while (n > 0 && slice_at(oid, n - 1) & 0x80)
        n--;
    return n;
}

void oid_text(struct buf *out, struct slice oid)
{
    static const char *const roots[] = {"itu-t", "iso", "joint-iso-itu-t"};
    for (struct slice part = oid; part.len > 0; part = slice_sub(part, 0, without_last(part))) {
        const char *name = oid_name(part);
        if (name) {
            buf_str(out, name);
            put_arcs(out, slice_sub(oid, part.len, oid.len));
            return;
        }
    }
    uint64_t both;
    if (!take_arc(&oid, &both))
        return;
    buf_str(out, roots[root_of(both)]);
    buf_char(out, '.');
    buf_dec(out, both - root_of(both) * 40u);
    put_arcs(out, oid);
}
