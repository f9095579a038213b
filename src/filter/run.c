/* Judging a tape: the combinations of occurrences that a test goes through. */
#include "filter/program.h"

/* ---- fields on the tape
 * ------------------------------------------------------------------------------ */

static bool spend(struct run *r)
{
    if (r->scratch->budget == 0) {
        r->scratch->exhausted = true;
        return false;
    }
    r->scratch->budget--;
    return true;
}

static bool is_twin(const struct filter *f, const struct node *n, uint16_t field)
{
    for (uint32_t i = 0; i < n->twin_count; i++)
        if (f->twins[n->twins + i] == field)
            return true;
    return false;
}

/* The layer of event AT among those of protocol PROTOCOL, from 1, and how many there are. */
static void layer_of(const struct tape *t, enum field_id protocol, uint32_t at, int64_t *layer,
                     int64_t *count)
{
    *layer = 0;
    *count = 0;
    for (uint32_t i = 0; i < t->count; i++)
        if (t->events[i].field == protocol) {
            ++*count;
            *layer += i <= at;
        }
}

static bool in_layers(struct run *r, const struct node *n, uint32_t at)
{
    int64_t layer = 1, count = 1;
    if (!n->one_layer)
        layer_of(r->tape, field_protocol(n->field), at, &layer, &count);
    for (uint32_t i = 0; i < n->range_count; i++) {
        const struct range *range = &r->filter->ranges[n->ranges + i];
        int64_t first = range->start < 0 ? count + range->start + 1 : range->start;
        int64_t last = range->kind == RANGE_LENGTH ? first + range->end - 1
                       : range->kind == RANGE_REST ? count
                       : range->end < 0            ? count + range->end + 1
                                                   : range->end;
        if (layer >= first && layer <= last)
            return true;
    }
    return false;
}

uint32_t run_find(struct run *r, const struct node *n, uint32_t at)
{
    const struct tape *t = r->tape;
    enum field_id wanted = n->field;
    for (; at < t->count; at++) {
        if (!spend(r))
            return TAPE_NONE;
        uint16_t field = t->events[at].field;
        if ((field == wanted || (n->twin_count > 0 && is_twin(r->filter, n, field))) &&
            (n->range_count == 0 || in_layers(r, n, at)))
            return at;
    }
    return TAPE_NONE;
}

/* ---- one combination
 * --------------------------------------------------------------------------------- */

static bool compare(enum comparison cmp, int order)
{
    switch (cmp) {
    case CMP_EQ:
        return order == 0;
    case CMP_NE:
        return order != 0;
    case CMP_LT:
        return order < 0;
    case CMP_LE:
        return order <= 0;
    case CMP_GT:
        return order > 0;
    case CMP_GE:
        return order >= 0;
    }
    return false;
}

/* As in tshark, nothing but bytes contains the empty text. */
static bool contains(struct slice in, struct slice what, enum field_type type)
{
    if (what.len == 0)
        return in.len > 0 && type == TYPE_BYTES;
    return what.len <= in.len && memmem(in.data, in.len, what.data, what.len) != NULL;
}

static bool matches(struct run *r, const struct test *t, struct slice subject)
{
    const uint8_t *bytes = subject.len > 0 ? subject.data : (const uint8_t *)"";
    int code =
        pcre2_match(t->regex, bytes, subject.len, 0, 0, r->scratch->match, r->scratch->context);
    if (code < 0 && code != PCRE2_ERROR_NOMATCH)
        r->scratch->exhausted = true; /* a limit was hit: the text costs too much */
    return code >= 0;
}

/* Whether V is the element, or in its range, in any combination of the fields that it is made of. */
static bool in_element(struct run *r, const struct node *pair, const struct value *v)
{
    struct value low, high;
    uint32_t ids[MAX_LEAVES];
    unsigned count = value_fields(r->filter, pair->left, ids, 0);
    count = value_fields(r->filter, pair->right, ids, count);
    if (!value_first(r, ids, count))
        return false;
    do {
        if (!spend(r))
            return false;
        if (!value_of(r, pair->left, &low))
            continue;
        if (pair->right == NODE_NOTHING) {
            if (value_order(v, &low) == 0)
                return true;
        } else if (value_of(r, pair->right, &high) && value_order(v, &low) >= 0 &&
                   value_order(v, &high) <= 0) {
            return true;
        }
    } while (value_next(r, ids, count));
    return false;
}

static bool in_set(struct run *r, const struct test *t, const struct value *v)
{
    const struct node *nodes = r->filter->nodes;
    for (uint32_t i = t->right; i != NODE_NOTHING; i = nodes[i].next)
        if (in_element(r, &nodes[i], v))
            return true;
    return false;
}

/* -1: no value, so that the combination does not count. */
static int judge(struct run *r, const struct test *t)
{
    struct value left, right;
    if (t->kind == TEST_EXISTS)
        return 1;
    if (!value_of(r, t->left, &left))
        return -1;
    switch ((enum test_kind)t->kind) {
    case TEST_TRUTH:
        return r->filter->nodes[t->left].kind == NODE_SLICE ? left.bytes.len > 0
                                                            : value_true(&left);
    case TEST_COMPARE:
        return value_of(r, t->right, &right)
                   ? compare((enum comparison)t->cmp, value_order(&left, &right))
                   : -1;
    case TEST_CONTAINS:
        return value_of(r, t->right, &right)
                   ? contains(left.bytes, right.bytes,
                              (enum field_type)r->filter->nodes[t->left].type)
                   : -1;
    case TEST_MATCHES:
        /* No expression matches what is not there; the empty text is there. */
        return (left.bytes.len > 0 || r->filter->nodes[t->left].kind != NODE_SLICE) &&
               matches(r, t, left.bytes);
    case TEST_IN:
        return in_set(r, t, &left);
    case TEST_EXISTS:
        break;
    }
    return -1;
}

bool run_test(struct run *r, const struct test *t)
{
    if (!value_first(r, t->leaves, t->leaf_count))
        return false;
    for (uint32_t i = 0; i < t->whole_count; i++) {
        struct value v;
        if (!value_of(r, t->wholes[i], &v))
            return false;
    }
    do {
        if (!spend(r))
            return false;
        int verdict = judge(r, t);
        if (verdict > 0 && !t->all)
            return true;
        if (verdict == 0 && t->all)
            return false;
    } while (value_next(r, t->leaves, t->leaf_count));
    return t->all && !r->scratch->exhausted;
}
