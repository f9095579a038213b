/* Values of operands: read from the tape, computed, compared. */
#include "filter/program.h"
#include "schema/oids.h"

#include <arpa/inet.h>

#define MAX_MADE_BYTES ((size_t)1 << 20) /* of a value put together: upper(), several ranges */

/* The node's own buffer, emptied. */
static struct buf *slot_of(struct run *r, const struct node *n)
{
    struct buf *slot = &r->scratch->slots[n - r->filter->nodes];
    buf_clear(slot);
    slot->ceiling = MAX_MADE_BYTES;
    return slot;
}

static struct value number_value(uint64_t number)
{
    return (struct value){.kind = VALUE_UINT, .number = number};
}

static struct value bytes_value(struct slice bytes)
{
    return (struct value){.kind = VALUE_BYTES, .bytes = bytes};
}

static struct value text_value(struct slice bytes)
{
    return (struct value){.kind = VALUE_BYTES, .text = true, .bytes = bytes};
}

static struct value signed_value(int64_t number, enum field_type type)
{
    return (struct value){
        .kind = type == TYPE_RELATIVE_TIME || type == TYPE_ABSOLUTE_TIME ? VALUE_TIME : VALUE_SINT,
        .number = (uint64_t)number};
}

/* ---- fields and constants
 * ---------------------------------------------------------------------------- */

/* A protocol's bytes to the end of its source: what a search in it covers. */
static struct slice whole_bytes(const struct tape *t, const struct event *e)
{
    if (e->source >= t->source_count)
        return slice_empty();
    return slice_sub(t->sources[e->source].bytes, e->offset, SIZE_MAX);
}

/* The value that NUMBER or BYTES are for a field of this type. */
static struct value typed(enum field_type type, uint64_t number, struct slice bytes)
{
    switch (type) {
    case TYPE_BOOLEAN:
        return number_value(number != 0);
    case TYPE_UINT8:
    case TYPE_UINT16:
    case TYPE_UINT24:
    case TYPE_UINT32:
    case TYPE_UINT64:
    case TYPE_FRAMENUM:
        return number_value(number);
    case TYPE_INT8:
    case TYPE_INT16:
    case TYPE_INT32:
    case TYPE_INT64:
    case TYPE_ABSOLUTE_TIME:
    case TYPE_RELATIVE_TIME:
        return signed_value((int64_t)number, type);
    case TYPE_NONE:
    case TYPE_PROTOCOL:
    case TYPE_STRING:
    case TYPE_BYTES:
    case TYPE_IPV4:
    case TYPE_IPV6:
    case TYPE_ETHER:
    case TYPE_OID:
    case TYPE_COUNT:
        break;
    }
    struct value v = bytes_value(bytes);
    v.text = type == TYPE_STRING;
    return v;
}

static struct value field_value(struct run *r, const struct node *n)
{
    const struct event *e = &r->tape->events[r->scratch->cursors[n - r->filter->nodes]];
    struct slice bytes = n->raw                     ? event_covers(r->tape, e)
                         : n->type != TYPE_PROTOCOL ? event_bytes(r->tape, e)
                         : n->whole                 ? whole_bytes(r->tape, e)
                                                    : event_covers(r->tape, e);
    return typed(n->type, e->value, bytes);
}

static struct value constant_value(const struct filter *f, const struct node *n)
{
    struct slice bytes = slice_sub(buf_slice(&f->constants), n->bytes, n->byte_count);
    struct value v = typed(n->type, n->number, bytes);
    v.prefix = n->prefix;
    return v;
}

/* ---- slices
 * ------------------------------------------------------------------------------------------ */

/* The bytes of one range; nothing when any of them is not there. */
static struct slice range_of(const struct range *range, struct slice bytes)
{
    int64_t len = (int64_t)bytes.len;
    int64_t start = range->start < 0 ? len + range->start : range->start;
    int64_t last = range->end < 0 ? len + range->end : range->end;
    int64_t count = range->kind == RANGE_LENGTH ? range->end
                    : range->kind == RANGE_LAST ? last - start + 1
                                                : len - start;
    if (start < 0 || count <= 0 || start + count > len)
        return slice_empty();
    return slice_sub(bytes, (size_t)start, (size_t)count);
}

static struct value slice_value(struct run *r, const struct node *n, struct slice bytes)
{
    const struct range *ranges = &r->filter->ranges[n->ranges];
    if (n->range_count == 1)
        return bytes_value(range_of(ranges, bytes));
    struct buf *slot = slot_of(r, n);
    for (uint32_t i = 0; i < n->range_count; i++) {
        struct slice part = range_of(&ranges[i], bytes);
        if (part.len == 0)
            break; /* the ranges behind one that is not there are left out too */
        buf_slice_put(slot, part);
    }
    return bytes_value(buf_slice(slot));
}

/* ---- functions
 * --------------------------------------------------------------------------------------- */

static struct value cased(struct run *r, const struct node *n, struct slice text)
{
    struct buf *slot = slot_of(r, n);
    char from = n->op == FN_UPPER ? 'a' : 'A', to = n->op == FN_UPPER ? 'z' : 'Z';
    for (size_t i = 0; i < text.len; i++) {
        char ch = (char)slice_at(text, i);
        buf_char(slot, ch >= from && ch <= to ? (char)(ch ^ 0x20) : ch);
    }
    return text_value(buf_slice(slot));
}

static struct value as_text(struct run *r, const struct node *n, enum field_type type,
                            const struct value *v)
{
    struct buf *slot = slot_of(r, n);
    char address[INET6_ADDRSTRLEN];
    uint8_t raw[16] = {0};
    for (size_t i = 0; i < sizeof raw; i++)
        raw[i] = slice_at(v->bytes, i);
    if (type == TYPE_ETHER)
        buf_hex_bytes(slot, v->bytes, ':');
    else if (type == TYPE_OID)
        oid_dotted(slot, v->bytes);
    else if (type == TYPE_IPV4 || type == TYPE_IPV6)
        buf_str(slot,
                inet_ntop(type == TYPE_IPV4 ? AF_INET : AF_INET6, raw, address, sizeof address)
                    ? address
                    : "");
    else if (v->kind == VALUE_SINT)
        buf_sdec(slot, (int64_t)v->number);
    else
        buf_dec(slot, v->number);
    return text_value(buf_slice(slot));
}

static uint64_t length_of(enum field_type type, const struct value *v)
{
    static const uint8_t widths[TYPE_COUNT] = {
        [TYPE_BOOLEAN] = 0, [TYPE_UINT8] = 1,  [TYPE_UINT16] = 2,   [TYPE_UINT24] = 3,
        [TYPE_UINT32] = 4,  [TYPE_UINT64] = 8, [TYPE_INT8] = 1,     [TYPE_INT16] = 2,
        [TYPE_INT32] = 4,   [TYPE_INT64] = 8,  [TYPE_FRAMENUM] = 4,
    };
    return v->kind == VALUE_BYTES && type != TYPE_NONE ? v->bytes.len : widths[type];
}

static bool absolute(struct value *v)
{
    int64_t number = (int64_t)v->number;
    if (v->kind == VALUE_UINT)
        return true;
    if (number == INT64_MIN)
        return false;
    v->number = (uint64_t)(number < 0 ? -number : number);
    return true;
}

static bool count_value(struct run *r, const struct node *field, struct value *out)
{
    uint64_t count = 0;
    for (uint32_t at = run_find(r, field, 0); at != TAPE_NONE; at = run_find(r, field, at + 1))
        count++;
    *out = number_value(count);
    return count > 0;
}

unsigned value_fields(const struct filter *f, uint32_t id, uint32_t *out, unsigned count)
{
    if (id == NODE_NOTHING || count == MAX_LEAVES)
        return count;
    const struct node *n = &f->nodes[id];
    if (n->kind == NODE_FIELD) {
        out[count] = id;
        return count + 1;
    }
    if (n->kind == NODE_FUNCTION && (n->op == FN_COUNT || n->op == FN_MAX || n->op == FN_MIN))
        return count;
    return value_fields(f, n->right, out, value_fields(f, n->left, out, count));
}

bool value_first(struct run *r, const uint32_t *ids, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        r->scratch->cursors[ids[i]] = run_find(r, &r->filter->nodes[ids[i]], 0);
        if (r->scratch->cursors[ids[i]] == TAPE_NONE)
            return false;
    }
    return true;
}

bool value_next(struct run *r, const uint32_t *ids, unsigned count)
{
    uint32_t *cursors = r->scratch->cursors;
    for (unsigned i = 0; i < count; i++) {
        const struct node *n = &r->filter->nodes[ids[i]];
        cursors[ids[i]] = run_find(r, n, cursors[ids[i]] + 1);
        if (cursors[ids[i]] != TAPE_NONE)
            return true;
        cursors[ids[i]] = run_find(r, n, 0);
        if (cursors[ids[i]] == TAPE_NONE)
            return false;
    }
    return false;
}

static bool extreme_value(struct run *r, const struct node *n, struct value *out)
{
    bool found = false;
    for (uint32_t id = n->left; id != NODE_NOTHING; id = r->filter->nodes[id].next) {
        uint32_t ids[MAX_LEAVES];
        unsigned count = value_fields(r->filter, id, ids, 0);
        if (!value_first(r, ids, count))
            continue;
        do {
            struct value v;
            if (!value_of(r, id, &v))
                continue;
            int order = found ? value_order(&v, out) : 0;
            if (!found || (n->op == FN_MAX ? order > 0 : order < 0))
                *out = v;
            found = true;
        } while (value_next(r, ids, count));
    }
    return found;
}

static bool function_value(struct run *r, const struct node *n, struct value *out)
{
    const struct node *argument = &r->filter->nodes[n->left];
    struct value v;
    if (n->op == FN_COUNT)
        return count_value(r, argument, out);
    if (n->op == FN_MAX || n->op == FN_MIN)
        return extreme_value(r, n, out);
    if (!value_of(r, n->left, &v))
        return false;
    *out = v;
    if (n->op == FN_ABS)
        return absolute(out);
    *out = n->op == FN_LEN      ? number_value(length_of(argument->type, &v))
           : n->op == FN_STRING ? as_text(r, n, argument->type, &v)
                                : cased(r, n, v.bytes);
    return true;
}

/* ---- arithmetic
 * -------------------------------------------------------------------------------------- */

static struct value and_bytes(struct run *r, const struct node *n, struct slice a, struct slice b)
{
    struct buf *slot = slot_of(r, n);
    for (size_t i = 0; i < a.len && i < b.len; i++)
        buf_char(slot, (char)(slice_at(a, i) & slice_at(b, i)));
    return bytes_value(buf_slice(slot));
}

static bool fits_type(enum field_type type, int64_t number)
{
    bool wide = type == TYPE_UINT64 || type == TYPE_INT64 || type == TYPE_RELATIVE_TIME;
    return wide || (number <= (int64_t)UINT32_MAX && number >= -(int64_t)UINT32_MAX);
}

/* In 64 bits with a sign; false on overflow and division by 0, where there is no value. */
static bool compute(uint8_t op, int64_t a, int64_t b, int64_t *out)
{
    switch (op) {
    case '+':
        return !__builtin_add_overflow(a, b, out);
    case '-':
        return !__builtin_sub_overflow(a, b, out);
    case '*':
        return !__builtin_mul_overflow(a, b, out);
    case '/':
    case '%':
        if (b == 0 || (a == INT64_MIN && b == -1))
            return false;
        *out = op == '/' ? a / b : a % b;
        return true;
    default:
        return false;
    }
}

static bool arithmetic_value(struct run *r, const struct node *n, struct value *out)
{
    struct value a, b;
    int64_t number = 0;
    if (!value_of(r, n->left, &a) || !value_of(r, n->right, &b))
        return false;
    if (n->op == '&') {
        *out = a.kind == VALUE_BYTES ? and_bytes(r, n, a.bytes, b.bytes)
                                     : number_value(a.number & b.number);
        return true;
    }
    if ((a.kind == VALUE_UINT && a.number > INT64_MAX) ||
        (b.kind == VALUE_UINT && b.number > INT64_MAX))
        return false;
    if (!compute(n->op, (int64_t)a.number, (int64_t)b.number, &number) ||
        !fits_type(n->type, number))
        return false;
    bool has_sign = a.kind != VALUE_UINT || b.kind == VALUE_SINT || n->op == '-';
    *out = has_sign ? signed_value(number, n->type) : number_value((uint64_t)number);
    return true;
}

static bool negative_value(struct run *r, const struct node *n, struct value *out)
{
    struct value v;
    if (!value_of(r, n->left, &v))
        return false;
    if (v.kind == VALUE_UINT ? v.number > INT64_MAX : (int64_t)v.number == INT64_MIN)
        return false;
    *out = signed_value(-(int64_t)v.number, n->type);
    return true;
}

bool value_of(struct run *r, uint32_t id, struct value *out)
{
    const struct node *n = &r->filter->nodes[id];
    struct value inner;
    switch ((enum node_kind)n->kind) {
    case NODE_FIELD:
        *out = field_value(r, n);
        return true;
    case NODE_CONSTANT:
        *out = constant_value(r->filter, n);
        return true;
    case NODE_SLICE:
        if (!value_of(r, n->left, &inner))
            return false;
        *out = slice_value(r, n, inner.bytes);
        return true;
    case NODE_FUNCTION:
        return function_value(r, n, out);
    case NODE_NEGATE:
        return negative_value(r, n, out);
    case NODE_ARITHMETIC:
        return arithmetic_value(r, n, out);
    case NODE_REFERENCE:
    case NODE_WORD:
    case NODE_STRING:
    case NODE_CHAR:
        break;
    }
    return false;
}

/* ---- comparing
 * --------------------------------------------------------------------------------------- */

static int order_bytes(struct slice a, struct slice b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    return len > 0 ? memcmp(a.data, b.data, len) : 0;
}

/* The shorter is the less; of strings, only when it is the start of the longer. */
static int order_octets(const struct value *a, const struct value *b)
{
    int order = order_bytes(a->bytes, b->bytes);
    int longer = (a->bytes.len > b->bytes.len) - (a->bytes.len < b->bytes.len);
    if (a->text)
        return order ? order : longer;
    return longer ? longer : order;
}

/* Of addresses: only the first BITS bits. */
static int order_masked(struct slice a, struct slice b, unsigned bits)
{
    for (unsigned i = 0; i * 8 < bits; i++) {
        unsigned mask = bits - i * 8 >= 8 ? 0xff : 0xffu << (8 - (bits - i * 8)) & 0xff;
        int left = (int)(slice_at(a, i) & mask), right = (int)(slice_at(b, i) & mask);
        if (left != right)
            return left - right;
    }
    return 0;
}

int value_order(const struct value *a, const struct value *b)
{
    if (a->kind == VALUE_BYTES) {
        uint8_t prefix = a->prefix ? a->prefix : b->prefix;
        return prefix ? order_masked(a->bytes, b->bytes, prefix - 1u) : order_octets(a, b);
    }
    if (a->kind == VALUE_UINT) {
        if (b->kind != VALUE_UINT && (int64_t)b->number < 0)
            return 1;
        return (a->number > b->number) - (a->number < b->number);
    }
    if (b->kind == VALUE_UINT && b->number > INT64_MAX)
        return -1;
    int64_t left = (int64_t)a->number, right = (int64_t)b->number;
    return (left > right) - (left < right);
}

bool value_true(const struct value *v)
{
    if (v->kind != VALUE_BYTES)
        return v->number != 0;
    for (size_t i = 0; i < v->bytes.len; i++)
        if (slice_at(v->bytes, i) != 0)
            return true;
    return false;
}
