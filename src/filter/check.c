/* The meaning of a parsed filter: names become fields, literals the constants of the field's type,
 * and every test must be one that the types on its sides can do. */
#include "filter/program.h"

static bool slice_in_set(struct compiler *c)
{
    return fail(c, "A slice may not appear inside a set.");
}

static bool check_left(struct compiler *c, const struct test *t, unsigned can)
{
    uint32_t id = t->left;
    const struct node *n = &c->filter->nodes[id];
    const char *sign = c->text + t->at; /* as it was typed */
    int sign_length = (int)t->length;
    const char *quote = t->kind == TEST_COMPARE ? "\"" : "";
    resolve(c, id);
    if (t->kind == TEST_IN && n->kind != NODE_FIELD)
        return fail_node(c, id, "Only a field may be tested for membership in a set.");
    if (t->kind == TEST_IN && c->filter->nodes[c->filter->nodes[t->right].left].kind == NODE_SLICE)
        return slice_in_set(c);
    if (is_constant(n))
        return fail_node(c, id,
                         "Left side of %s%.*s%s expression must be a field or function, not %s.",
                         quote, sign_length, sign, quote, node_text(c, id));
    if (!check_entity(c, id, TYPE_NONE))
        return false;
    if (type_can(n->type) & can)
        return true;
    const char *what = n->kind == NODE_FUNCTION ? "Function " : "";
    const char *name = n->kind == NODE_REFERENCE || n->kind == NODE_FIELD ? fields[n->field].abbrev
                                                                          : node_text(c, id);
    return fail_node(c, id, "%s%s (type=%s) cannot participate in %.*s comparison.", what, name,
                     type_name(n->type), sign_length, sign);
}

/* The leftmost operand: what an error calls an expression on the left. */
static uint32_t leftmost(const struct filter *f, uint32_t id)
{
    while (f->nodes[id].kind == NODE_ARITHMETIC || f->nodes[id].kind == NODE_NEGATE)
        id = f->nodes[id].left;
    return id;
}

/* A slice on one side needs something that can be cut into bytes on the other. */
static bool check_slice_against(struct compiler *c, uint32_t id, bool on_left)
{
    const struct node *n = &c->filter->nodes[id];
    if (n->kind == NODE_SLICE || (type_can(n->type) & CAN_SLICE))
        return true;
    const char *what = n->kind != NODE_FUNCTION ? ""
                       : on_left                ? "Function "
                                                : "Return value of function ";
    return fail_node(c, id, "%s\"%s\" is a %s and cannot be converted into a sequence of bytes.",
                     what, node_text(c, id), type_name(n->type));
}

static bool not_compatible(struct compiler *c, uint32_t left_id, uint32_t id)
{
    const struct node *n = &c->filter->nodes[id];
    enum field_type type = c->filter->nodes[left_id].type;
    bool sum = left_id != leftmost(c->filter, left_id);
    left_id = leftmost(c->filter, left_id);
    const struct node *left = &c->filter->nodes[left_id];
    bool function = left->kind == NODE_FUNCTION;
    bool plain = left->kind == NODE_FIELD || left->kind == NODE_REFERENCE;
    /* Against an expression tshark shows a field with its layers, else its name alone. */
    const char *name =
        plain && n->kind != NODE_ARITHMETIC ? fields[left->field].abbrev : node_text(c, left_id);
    if (n->kind == NODE_FUNCTION && function && !sum)
        return fail_node(c, id,
                         "Return values of function %s (type=%s) and function %s (type=%s) are not "
                         "of compatible types.",
                         name, type_name(type), node_text(c, id), type_name(n->type));
    if (n->kind == NODE_FUNCTION)
        return fail_node(c, id,
                         "%s (type=%s) and return value of %s() (type=%s) are not of compatible "
                         "types.",
                         name, type_name(type), node_text(c, id), type_name(n->type));
    return fail_node(c, id, "%s%s and %s are not of compatible types.",
                     function && !sum && n->kind != NODE_ARITHMETIC ? "Function " : "", name,
                     node_text(c, id));
}

static bool check_right(struct compiler *c, const struct test *t, uint32_t id)
{
    const struct node *left = &c->filter->nodes[t->left];
    struct node *n = &c->filter->nodes[id];
    /* The names of values are those of the field that the left side begins with. */
    const struct node *first = &c->filter->nodes[leftmost(c->filter, t->left)];
    bool named = (first->kind == NODE_FIELD || first->kind == NODE_REFERENCE) && !first->raw;
    enum field_id field = named ? first->field : F_NONE;
    resolve(c, id);
    if (is_constant(n))
        return n->kind == NODE_CONSTANT ||
               literal_convert(c, n, left->type, field, t->kind == TEST_CONTAINS);
    if (t->kind == TEST_IN && n->kind == NODE_SLICE)
        return slice_in_set(c);
    if (!check_entity(c, id, left->type))
        return false;
    bool sum = n->kind == NODE_ARITHMETIC || n->kind == NODE_NEGATE;
    if (left->kind == NODE_SLICE && !sum)
        return check_slice_against(c, id, false);
    if (n->kind == NODE_SLICE)
        return check_slice_against(c, leftmost(c->filter, t->left), true);
    return types_compare(left->type, n->type) || not_compatible(c, t->left, id);
}

static bool check_regex(struct compiler *c, struct test *t)
{
    struct node *n = &c->filter->nodes[t->right];
    int code = 0;
    PCRE2_SIZE where = 0;
    const uint8_t *pattern = c->filter->constants.data;
    if (n->byte_count == 0)
        pattern = (const uint8_t *)"";
    else
        pattern += n->bytes;
    t->regex = pcre2_compile(pattern, n->byte_count, PCRE2_CASELESS | PCRE2_NEVER_UTF, &code,
                             &where, NULL);
    n->kind = NODE_CONSTANT;
    if (t->regex)
        return true;
    PCRE2_UCHAR message[128];
    if (pcre2_get_error_message(code, message, sizeof message) < 0)
        message[0] = '\0';
    return fail(c, "Regex compilation error: %s.", (const char *)message);
}

static bool check_exists(struct compiler *c, struct test *t)
{
    const struct node *n = &c->filter->nodes[t->left];
    resolve(c, t->left);
    if (n->kind == NODE_FUNCTION)
        return fail_node(c, t->left, "You cannot test whether a function is present.");
    if (n->kind == NODE_REFERENCE)
        return fail_node(c, t->left, "%s is neither a field nor a protocol name.",
                         node_text(c, t->left));
    if (!check_entity(c, t->left, TYPE_NONE))
        return false;
    if (n->kind != NODE_FIELD)
        t->kind = TEST_TRUTH;
    return true;
}

static bool check_test(struct compiler *c, struct test *t)
{
    static const uint8_t needs[] = {[TEST_COMPARE] = CAN_COMPARE,
                                    [TEST_CONTAINS] = CAN_CONTAIN,
                                    [TEST_MATCHES] = CAN_MATCH,
                                    [TEST_IN] = CAN_COMPARE};
    const struct node *nodes = c->filter->nodes;
    if (t->kind == TEST_EXISTS)
        return check_exists(c, t);
    if (t->kind == TEST_MATCHES && nodes[t->right].kind != NODE_STRING)
        return fail_node(c, t->right, "Matches requires a double quoted string on the right side.");
    if (t->kind == TEST_MATCHES && !check_regex(c, t))
        return false;
    if (!check_left(c, t, needs[t->kind]))
        return false;
    if (t->kind == TEST_CONTAINS || t->kind == TEST_MATCHES)
        c->filter->nodes[t->left].whole = true;
    if (t->kind == TEST_MATCHES)
        return true;
    if (t->kind != TEST_IN)
        return check_right(c, t, t->right);
    for (uint32_t i = t->right; i != NODE_NOTHING; i = nodes[i].next)
        if (!check_right(c, t, nodes[i].left) ||
            (nodes[i].right != NODE_NOTHING && !check_right(c, t, nodes[i].right)))
            return false;
    return true;
}

/* ---- leaves
 * ------------------------------------------------------------------------------------------ */

static unsigned fields_in(const struct filter *f, uint32_t id)
{
    if (id == NODE_NOTHING)
        return 0;
    const struct node *n = &f->nodes[id];
    return (n->kind == NODE_FIELD) + fields_in(f, n->left) + fields_in(f, n->right);
}

/* The arguments of max and min, and the elements of a set, go through their own fields. */
static bool few_fields(struct compiler *c, const struct test *t, uint32_t id)
{
    for (; id != NODE_NOTHING; id = c->filter->nodes[id].next)
        if (fields_in(c->filter, id) > MAX_LEAVES)
            return fail_at(c, t->at, t->length, "More than %d fields in one comparison.",
                           MAX_LEAVES);
    return true;
}

static bool find_leaves(struct compiler *c, struct test *t, uint32_t id)
{
    if (id == NODE_NOTHING)
        return true;
    const struct node *n = &c->filter->nodes[id];
    if (n->kind == NODE_FIELD) {
        if (t->leaf_count == MAX_LEAVES)
            return fail_at(c, t->at, t->length, "More than %d fields in one comparison.",
                           MAX_LEAVES);
        t->leaves[t->leaf_count++] = id;
        return true;
    }
    /* Functions over all occurrences go through them by themselves. */
    if (n->kind == NODE_REFERENCE ||
        (n->kind == NODE_FUNCTION && (n->op == FN_COUNT || n->op == FN_MAX || n->op == FN_MIN))) {
        if (t->whole_count == MAX_LEAVES)
            return fail_at(c, t->at, t->length, "More than %d functions in one comparison.",
                           MAX_LEAVES);
        t->wholes[t->whole_count++] = id;
        return few_fields(c, t, n->left);
    }
    return find_leaves(c, t, n->left) && find_leaves(c, t, n->right);
}

bool check_filter(struct compiler *c)
{
    struct filter *f = c->filter;
    for (uint32_t i = 0; i < f->test_count; i++)
        if (!check_test(c, &f->tests[i]))
            return false;
    for (uint32_t i = 0; i < f->test_count; i++) {
        struct test *t = &f->tests[i];
        if (!find_leaves(c, t, t->left))
            return false;
        /* The elements of a set are each looked at for themselves. */
        if (!(t->kind == TEST_IN ? few_fields(c, t, t->right) : find_leaves(c, t, t->right)))
            return false;
    }
    return true;
}
