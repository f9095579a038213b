/* The meaning of a parsed filter: names become fields, literals the constants of the field's type,
 * and every operation must be one that its types can do. */
#include "filter/program.h"

/* Which values can be set against each other. */
enum group {
    GROUP_NO,
    GROUP_INT,
    GROUP_DATE,
    GROUP_SPAN,
    GROUP_STRING,
    GROUP_OCTETS,
    GROUP_V4,
    GROUP_V6,
    GROUP_PROTO
};

enum can {
    CAN_COMPARE = 1,
    CAN_CONTAIN = 2,
    CAN_MATCH = 4,
    CAN_SLICE = 8,
    CAN_AND = 16,
    CAN_ADD = 32,
    CAN_TIMES = 64
};

#define CAN_COUNT  (CAN_COMPARE | CAN_AND | CAN_ADD | CAN_TIMES)
#define CAN_OCTETS (CAN_COMPARE | CAN_CONTAIN | CAN_MATCH | CAN_SLICE | CAN_AND)

static const struct {
    uint8_t group, can;
} traits[TYPE_COUNT] = {
    [TYPE_NONE] = {GROUP_NO, 0},
    [TYPE_PROTOCOL] = {GROUP_PROTO, CAN_COMPARE | CAN_CONTAIN | CAN_MATCH | CAN_SLICE},
    [TYPE_BOOLEAN] = {GROUP_INT, CAN_COMPARE},
    [TYPE_UINT8] = {GROUP_INT, CAN_COUNT},
    [TYPE_UINT16] = {GROUP_INT, CAN_COUNT},
    [TYPE_UINT24] = {GROUP_INT, CAN_COUNT},
    [TYPE_UINT32] = {GROUP_INT, CAN_COUNT},
    [TYPE_UINT64] = {GROUP_INT, CAN_COUNT},
    [TYPE_INT32] = {GROUP_INT, CAN_COUNT},
    [TYPE_INT64] = {GROUP_INT, CAN_COUNT},
    [TYPE_ABSOLUTE_TIME] = {GROUP_DATE, CAN_COMPARE},
    [TYPE_RELATIVE_TIME] = {GROUP_SPAN, CAN_COMPARE | CAN_ADD},
    [TYPE_STRING] = {GROUP_STRING, CAN_COMPARE | CAN_CONTAIN | CAN_MATCH | CAN_SLICE},
    [TYPE_BYTES] = {GROUP_OCTETS, CAN_OCTETS},
    [TYPE_IPV4] = {GROUP_V4, CAN_COMPARE | CAN_SLICE | CAN_AND},
    [TYPE_IPV6] = {GROUP_V6, CAN_COMPARE | CAN_SLICE | CAN_AND},
    [TYPE_ETHER] = {GROUP_OCTETS, CAN_OCTETS},
    [TYPE_OID] = {GROUP_OCTETS, CAN_COMPARE | CAN_CONTAIN | CAN_SLICE},
    [TYPE_FRAMENUM] = {GROUP_INT, CAN_COUNT},
};

static bool check_entity(struct compiler *c, uint32_t id, enum field_type constants);

static int shown(const struct node *n)
{
    return (int)(n->length < 90 ? n->length : 90);
}

static const char *text_of(const struct compiler *c, const struct node *n)
{
    return c->text + n->at;
}

/* Words that name a field become that field. */
static bool resolve(struct compiler *c, struct node *n)
{
    if (n->kind != NODE_WORD || n->literal)
        return n->kind != NODE_WORD;
    uint32_t skip = n->dotted ? 1 : 0;
    enum field_id id = field_find(c->text + n->at + skip, n->length - skip);
    if (id == F_NONE)
        return false;
    n->kind = NODE_FIELD;
    n->field = (uint16_t)id;
    n->type = fields[id].type;
    return true;
}

static bool is_constant(const struct node *n)
{
    return n->kind == NODE_WORD || n->kind == NODE_STRING || n->kind == NODE_CHAR ||
           n->kind == NODE_CONSTANT;
}

static bool resolve_dotted(struct compiler *c, struct node *n)
{
    if (resolve(c, n) || !n->dotted)
        return true;
    return fail_name(c, n, "\"%.*s\" is not a valid protocol or protocol field.", shown(n) - 1,
                     text_of(c, n) + 1);
}

/* ---- what stands inside an operand
 * ------------------------------------------------------------------- */

static bool check_slice(struct compiler *c, struct node *n)
{
    struct node *of = &c->filter->nodes[n->left];
    if (!check_entity(c, n->left, TYPE_NONE))
        return false;
    if (!(traits[of->type].can & CAN_SLICE))
        return fail_at(c, of->at, of->length,
                       "\"%.*s\" is a %s and cannot be sliced into a sequence of bytes.", shown(of),
                       text_of(c, of), type_name(of->type));
    n->type = TYPE_BYTES;
    return true;
}

static bool can_be_text(const struct node *n)
{
    switch ((enum field_type)n->type) {
    case TYPE_UINT8:
    case TYPE_UINT16:
    case TYPE_UINT24:
    case TYPE_UINT32:
    case TYPE_UINT64:
    case TYPE_INT32:
    case TYPE_INT64:
    case TYPE_FRAMENUM:
    case TYPE_IPV4:
    case TYPE_IPV6:
    case TYPE_ETHER:
        return true;
    case TYPE_NONE:
    case TYPE_PROTOCOL:
    case TYPE_BOOLEAN:
    case TYPE_ABSOLUTE_TIME:
    case TYPE_RELATIVE_TIME:
    case TYPE_STRING:
    case TYPE_BYTES:
    case TYPE_OID:
    case TYPE_COUNT:
        break;
    }
    return false;
}

/* The argument of lower, upper, len, count and string: a field. */
static bool check_field_argument(struct compiler *c, struct node *n, struct node *argument)
{
    static const char *const names[] = {"lower", "upper", "len", "count", "string"};
    bool is_field = argument->kind == NODE_FIELD;
    enum field_type type = argument->type;
    if (n->op == FN_LOWER || n->op == FN_UPPER) {
        n->type = TYPE_STRING;
        return (is_field && type == TYPE_STRING) ||
               fail_name(c, argument, "Only string type fields can be used as parameter for %s()",
                         names[n->op]);
    }
    if (!is_field)
        return fail_name(c, argument, "Only fields can be used as parameter for %s()",
                         names[n->op]);
    n->type = n->op == FN_STRING ? TYPE_STRING : TYPE_UINT32;
    return n->op != FN_STRING || can_be_text(argument) ||
           fail_at(c, argument->at, argument->length,
                   "String conversion for field \"%.*s\" is not supported", shown(argument),
                   text_of(c, argument));
}

static bool bad_extreme(struct compiler *c, const struct node *n, const struct node *argument)
{
    return fail_name(c, argument, "Argument '%.*s' is not valid for %.*s()", shown(argument),
                     text_of(c, argument), shown(n), text_of(c, n));
}

/* max and min: the first argument gives the type; constants take it on. */
static bool check_extreme(struct compiler *c, struct node *n)
{
    struct node *nodes = c->filter->nodes;
    for (uint32_t i = n->left; i != NODE_NOTHING; i = nodes[i].next) {
        struct node *argument = &nodes[i];
        if (!resolve_dotted(c, argument))
            return false;
        bool first = i == n->left;
        if (is_constant(argument)) {
            bool quoted = argument->kind == NODE_STRING;
            if (first || quoted)
                return bad_extreme(c, n, argument);
            if (!literal_convert(c, argument, n->type, F_NONE, false))
                return false;
            continue;
        }
        if (!check_entity(c, i, first ? TYPE_NONE : (enum field_type)n->type))
            return false;
        if (!(traits[argument->type].can & CAN_COMPARE))
            return bad_extreme(c, n, argument);
        if (first)
            n->type = argument->type;
        else if (argument->type != n->type)
            return fail_at(c, argument->at, argument->length,
                           "Arguments to '%.*s' must have the same type (expected %s, got %s)",
                           shown(n), text_of(c, n), type_code(n->type), type_code(argument->type));
    }
    return true;
}

static bool check_function(struct compiler *c, struct node *n)
{
    struct node *argument = &c->filter->nodes[n->left];
    if (n->op == FN_MAX || n->op == FN_MIN)
        return check_extreme(c, n);
    if (!resolve_dotted(c, argument))
        return false;
    if (n->op != FN_ABS)
        return check_field_argument(c, n, argument);
    if (is_constant(argument) || !check_entity(c, n->left, TYPE_NONE) ||
        !(traits[argument->type].can & CAN_ADD))
        return fail_name(c, argument, "'%.*s' is not a valid argument to 'abs'()", shown(argument),
                         text_of(c, argument));
    n->type = argument->type;
    return true;
}

static unsigned needed(uint8_t op)
{
    return op == '&' ? CAN_AND : op == '+' || op == '-' ? CAN_ADD : CAN_TIMES;
}

/* One side of an arithmetic sign.  CONSTANTS: the type that literals take on, TYPE_NONE where none
 * may be. */
static bool check_side(struct compiler *c, uint32_t id, uint8_t op, enum field_type constants)
{
    struct node *n = &c->filter->nodes[id];
    if (!resolve_dotted(c, n))
        return false;
    if (is_constant(n)) {
        if (constants == TYPE_NONE)
            return fail_name(c, n, "Constant arithmetic expression on the LHS is invalid.");
        if (n->kind == NODE_STRING && constants != TYPE_BYTES)
            return fail_at(c, n->at, n->length, "%.*s is not a valid arithmetic operand.", shown(n),
                           text_of(c, n));
        if (!literal_convert(c, n, constants, F_NONE, false))
            return false;
    } else if (!check_entity(c, id, constants)) {
        return false;
    }
    return (traits[n->type].can & needed(op)) ||
           fail_at(c, n->at, n->length, "%s cannot %c.", type_code(n->type), op);
}

static bool check_arithmetic(struct compiler *c, struct node *n, enum field_type constants)
{
    struct node *nodes = c->filter->nodes;
    if (n->kind == NODE_NEGATE) {
        if (!check_side(c, n->left, '-', constants))
            return false;
        n->type = nodes[n->left].type;
        return true;
    }
    if (!check_side(c, n->left, n->op, constants))
        return false;
    n->type = nodes[n->left].type;
    if (!check_side(c, n->right, n->op, n->type))
        return false;
    const struct node *right = &nodes[n->right];
    return traits[right->type].group == traits[n->type].group ||
           fail_at(c, right->at, right->length, "%.*s and %.*s are not of compatible types.",
                   shown(&nodes[n->left]), text_of(c, &nodes[n->left]), shown(right),
                   text_of(c, right));
}

/* Everything but a bare literal; literals inside get the type CONSTANTS. */
static bool check_entity(struct compiler *c, uint32_t id, enum field_type constants)
{
    struct node *n = &c->filter->nodes[id];
    if (n->checked)
        return true;
    n->checked = true;
    if (!resolve_dotted(c, n))
        return false;
    switch ((enum node_kind)n->kind) {
    case NODE_SLICE:
        return check_slice(c, n);
    case NODE_FUNCTION:
        return check_function(c, n);
    case NODE_NEGATE:
    case NODE_ARITHMETIC:
        return check_arithmetic(c, n, constants);
    case NODE_FIELD:
        return true;
    case NODE_WORD:
    case NODE_STRING:
    case NODE_CHAR:
    case NODE_CONSTANT:
        break;
    }
    return fail_name(c, n, "%.*s is neither a field nor a protocol name.", shown(n), text_of(c, n));
}

/* ---- tests
 * ------------------------------------------------------------------------------------------- */

static const char *test_sign(const struct compiler *c, const struct test *t)
{
    static const char *const signs[] = {"==", "!=", "<", "<=", ">", ">="};
    static const char *const names[] = {
        [TEST_CONTAINS] = "contains", [TEST_MATCHES] = "matches", [TEST_IN] = "in"};
    if (t->kind != TEST_COMPARE)
        return names[t->kind];
    bool triple = t->length == 3 && c->text[t->at] != 'a';
    return triple ? (t->cmp == CMP_EQ ? "===" : "!==") : signs[t->cmp];
}

static bool check_left(struct compiler *c, const struct test *t, unsigned can)
{
    struct node *n = &c->filter->nodes[t->left];
    const char *sign = test_sign(c, t);
    if (!resolve_dotted(c, n))
        return false;
    if (t->kind == TEST_IN && n->kind != NODE_FIELD)
        return fail_name(c, n, "Only a field may be tested for membership in a set.");
    if (is_constant(n))
        return fail_name(c, n,
                         "Left side of \"%s\" expression must be a field or function, not %.*s.",
                         sign, shown(n), text_of(c, n));
    if (!check_entity(c, t->left, TYPE_NONE))
        return false;
    return (traits[n->type].can & can) ||
           fail_at(c, n->at, n->length, "%.*s (type=%s) cannot participate in %s comparison.",
                   shown(n), text_of(c, n), type_name(n->type), sign);
}

/* What literals opposite N are to be read as. */
static enum field_id field_of(const struct node *n)
{
    return n->kind == NODE_FIELD ? (enum field_id)n->field : F_NONE;
}

static bool check_right(struct compiler *c, uint32_t left_id, uint32_t id, bool partial)
{
    struct node *left = &c->filter->nodes[left_id], *n = &c->filter->nodes[id];
    enum field_id field = field_of(left);
    if (!resolve_dotted(c, n))
        return false;
    if (is_constant(n))
        return n->kind == NODE_CONSTANT || literal_convert(c, n, left->type, field, partial);
    if (!check_entity(c, id, left->type))
        return false;
    unsigned ours = traits[left->type].group, theirs = traits[n->type].group;
    bool octets = left->kind == NODE_SLICE && theirs == GROUP_PROTO;
    return (ours == theirs && ours != GROUP_NO) || octets ||
           fail_at(c, n->at, n->length, "%.*s and %.*s are not of compatible types.", shown(left),
                   text_of(c, left), shown(n), text_of(c, n));
}

static bool check_regex(struct compiler *c, struct test *t)
{
    struct node *n = &c->filter->nodes[t->right];
    int code = 0;
    PCRE2_SIZE where = 0;
    if (n->kind != NODE_STRING)
        return fail_at(c, n->at, n->length,
                       "Matches requires a double quoted string on the right side.");
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
    struct node *n = &c->filter->nodes[t->left];
    if (n->kind == NODE_FUNCTION)
        return fail_at(c, n->at, n->length, "You cannot test whether a function is present.");
    if (!check_entity(c, t->left, TYPE_NONE))
        return false;
    if (n->kind != NODE_FIELD)
        t->kind = TEST_TRUTH;
    return true;
}

/* Protocols are searched, and set against values, from their start to the end of their source. */
static void widen(struct compiler *c, uint32_t id)
{
    struct node *n = &c->filter->nodes[id];
    n->whole = n->kind == NODE_FIELD && n->type == TYPE_PROTOCOL;
}

static bool check_test(struct compiler *c, struct test *t)
{
    static const uint8_t needs[] = {[TEST_COMPARE] = CAN_COMPARE,
                                    [TEST_CONTAINS] = CAN_CONTAIN,
                                    [TEST_MATCHES] = CAN_MATCH,
                                    [TEST_IN] = CAN_COMPARE};
    struct node *nodes = c->filter->nodes;
    if (t->kind == TEST_EXISTS)
        return check_exists(c, t);
    if (!check_left(c, t, needs[t->kind]))
        return false;
    widen(c, t->left);
    if (t->kind == TEST_MATCHES)
        return check_regex(c, t);
    if (t->kind != TEST_IN) {
        if (!check_right(c, t->left, t->right, t->kind == TEST_CONTAINS))
            return false;
        widen(c, t->right);
        return true;
    }
    for (uint32_t i = t->right; i != NODE_NOTHING; i = nodes[i].next)
        if (!check_right(c, t->left, nodes[i].left, false) ||
            (nodes[i].right != NODE_NOTHING && !check_right(c, t->left, nodes[i].right, false)))
            return false;
    return true;
}

/* ---- leaves
 * ------------------------------------------------------------------------------------------ */

static bool find_leaves(struct compiler *c, struct test *t, uint32_t id)
{
    if (id == NODE_NOTHING)
        return true;
    struct node *n = &c->filter->nodes[id];
    if (n->kind == NODE_FIELD) {
        if (t->leaf_count == MAX_LEAVES)
            return fail_at(c, t->at, t->length, "More than %d fields in one comparison.",
                           MAX_LEAVES);
        t->leaves[t->leaf_count++] = id;
        return true;
    }
    /* Functions over all occurrences go through them by themselves. */
    if (n->kind == NODE_FUNCTION && (n->op == FN_COUNT || n->op == FN_MAX || n->op == FN_MIN))
        return true;
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
        for (uint32_t r = t->right; r != NODE_NOTHING; r = f->nodes[r].next)
            if (!find_leaves(c, t, r))
                return false;
    }
    return true;
}
