/* The grammar: from tokens to steps, tests and operand trees, names not yet looked up.
 *
 *   or         = and { ("or" | "||") and }
 *   and        = not { ("and" | "&&") not }
 *   not        = ("not" | "!") not | "(" or ")" | relation
 *   relation   = ["any" | "all"] operand [ compare operand { compare operand } | "contains" operand
 *                | "matches" operand | ["not"] "in" "{" element { "," element } "}" ]
 *   operand    = sum { "&" sum }       sum = product { ("+" | "-") product }
 *   product    = unary { ("*" | "/" | "%") unary }
 *   unary      = ["-" | "+"] ( "{" operand "}" | entity )
 *   entity     = (word | string | character | function "(" operands ")") { "#" layers | "[" ranges
 * "]" } */
#include "filter/program.h"

#include <stdlib.h>

static bool parse_or(struct compiler *c, unsigned nesting);
static bool parse_operand(struct compiler *c, unsigned nesting, uint32_t *out);

static bool is_mark(const struct compiler *c, char mark)
{
    return c->token.kind == TOKEN_MARK && c->token.mark == mark;
}

static bool expect_mark(struct compiler *c, char mark)
{
    return is_mark(c, mark) ? lex_next(c) : fail_unexpected(c);
}

static bool too_deep(struct compiler *c, unsigned nesting)
{
    return nesting > MAX_NESTING &&
           !fail_at(c, c->token.at, c->token.length, "This filter is nested more than %d deep.",
                    MAX_NESTING);
}

/* Room for one more in a growing array; sets *ITEMS. */
static bool room(struct compiler *c, void **items, uint32_t count, uint32_t *have, size_t size)
{
    if (count < *have)
        return true;
    uint32_t more = *have ? *have * 2 : 16;
    if (more > MAX_ITEMS)
        return fail(c, "This filter is too long: it has more than %d parts.", MAX_ITEMS);
    void *grown = realloc(*items, more * size);
    if (!grown)
        return fail_memory(c);
    *items = grown;
    *have = more;
    return true;
}

static bool add_node(struct compiler *c, struct node node, uint32_t *out)
{
    struct filter *f = c->filter;
    void *items = f->nodes;
    bool ok = room(c, &items, f->node_count, &c->node_room, sizeof *f->nodes);
    f->nodes = items;
    if (!ok)
        return false;
    uint32_t below[2] = {node.left, node.right};
    for (unsigned i = 0; i < 2; i++)
        if (below[i] != NODE_NOTHING && f->nodes[below[i]].depth >= node.depth)
            node.depth = (uint8_t)(f->nodes[below[i]].depth + 1);
    if (node.depth > MAX_NESTING)
        return fail_at(c, node.at, node.length, "This filter is nested more than %d deep.",
                       MAX_NESTING);
    f->nodes[f->node_count] = node;
    *out = f->node_count++;
    return true;
}

static bool add_step(struct compiler *c, enum step_op op, uint32_t arg)
{
    struct filter *f = c->filter;
    void *items = f->steps;
    bool ok = room(c, &items, f->step_count, &c->step_room, sizeof *f->steps);
    f->steps = items;
    if (ok)
        f->steps[f->step_count++] = (struct step){.op = (uint8_t)op, .arg = arg};
    return ok;
}

static bool add_test(struct compiler *c, struct test test)
{
    struct filter *f = c->filter;
    void *items = f->tests;
    bool ok = room(c, &items, f->test_count, &c->test_room, sizeof *f->tests);
    f->tests = items;
    if (!ok)
        return false;
    f->tests[f->test_count] = test;
    return add_step(c, STEP_TEST, f->test_count++);
}

static struct node node_at_token(const struct compiler *c, enum node_kind kind)
{
    return (struct node){.kind = (uint8_t)kind,
                         .left = NODE_NOTHING,
                         .right = NODE_NOTHING,
                         .next = NODE_NOTHING,
                         .at = c->token.at,
                         .length = c->token.length,
                         .bytes = c->token.bytes,
                         .byte_count = c->token.byte_count};
}

/* ---- operands
 * ---------------------------------------------------------------------------------------- */

static enum function_id function_find(const char *name, size_t len)
{
    static const char *const names[] = {"lower",  "upper", "len", "count",
                                        "string", "max",   "min", "abs"};
    for (unsigned i = 0; i < FN_NONE; i++)
        if (strlen(names[i]) == len && memcmp(names[i], name, len) == 0)
            return (enum function_id)i;
    return FN_NONE;
}

static bool check_argument_count(struct compiler *c, const struct node *n, unsigned count)
{
    int len = (int)(n->length < 60 ? n->length : 60);
    const char *name = c->text + n->at;
    bool many = n->op == FN_MAX || n->op == FN_MIN;
    if (count == 0)
        return fail_at(c, n->at, n->length, "Function %.*s needs at least 1 arguments.", len, name);
    return many || count == 1 ||
           fail_at(c, n->at, n->length, "Function %.*s can only accept 1 arguments.", len, name);
}

static bool parse_arguments(struct compiler *c, unsigned nesting, struct node *n)
{
    unsigned count = 0;
    uint32_t last = NODE_NOTHING, argument = NODE_NOTHING;
    n->kind = NODE_FUNCTION;
    n->op = (uint8_t)function_find(c->text + n->at, n->length);
    if (n->op == FN_NONE)
        return fail_at(c, n->at, n->length, "Function '%.*s' does not exist",
                       (int)(n->length < 100 ? n->length : 100), c->text + n->at);
    if (!lex_next(c))
        return false;
    while (!is_mark(c, ')') || count > 0) {
        if (!parse_operand(c, nesting + 1, &argument))
            return false;
        struct node *nodes = c->filter->nodes;
        if (last == NODE_NOTHING)
            n->left = argument;
        else
            nodes[last].next = argument;
        last = argument;
        count++;
        if (nodes[argument].depth >= n->depth)
            n->depth = (uint8_t)(nodes[argument].depth + 1);
        if (!is_mark(c, ','))
            break;
        if (!lex_next(c))
            return false;
    }
    return expect_mark(c, ')') && check_argument_count(c, n, count);
}

static bool parse_suffixes(struct compiler *c, uint32_t *out)
{
    if (is_mark(c, '#')) {
        struct node *n = &c->filter->nodes[*out];
        uint32_t first = 0, count = 0;
        if (n->kind != NODE_WORD || n->literal)
            return fail_unexpected(c);
        if (!lex_layers(c, &first, &count))
            return false;
        n->ranges = first;
        n->range_count = count;
    }
    while (is_mark(c, '[')) {
        struct node slice = node_at_token(c, NODE_SLICE);
        slice.left = *out;
        slice.at = c->filter->nodes[*out].at;
        slice.length = c->filter->nodes[*out].length;
        if (!lex_ranges(c, &slice.ranges, &slice.range_count) || !add_node(c, slice, out))
            return false;
    }
    return true;
}

static bool parse_entity(struct compiler *c, unsigned nesting, uint32_t *out)
{
    struct node n;
    switch (c->token.kind) {
    case TOKEN_WORD:
    case TOKEN_LITERAL:
    case TOKEN_DOTTED:
        n = node_at_token(c, NODE_WORD);
        n.literal = c->token.kind == TOKEN_LITERAL;
        n.dotted = c->token.kind == TOKEN_DOTTED;
        break;
    case TOKEN_STRING:
        n = node_at_token(c, NODE_STRING);
        break;
    case TOKEN_CHAR:
        n = node_at_token(c, NODE_CHAR);
        break;
    case TOKEN_END:
    case TOKEN_MARK:
    case TOKEN_COMPARE:
    case TOKEN_CONTAINS:
    case TOKEN_MATCHES:
    case TOKEN_IN:
    case TOKEN_AND:
    case TOKEN_OR:
    case TOKEN_NOT:
    case TOKEN_ANY:
    case TOKEN_ALL:
    case TOKEN_STRANGE:
    default:
        return fail_unexpected(c);
    }
    bool word = c->token.kind == TOKEN_WORD;
    if (!lex_next(c))
        return false;
    if (word && is_mark(c, '(') && !parse_arguments(c, nesting, &n))
        return false;
    return add_node(c, n, out) && parse_suffixes(c, out);
}

static bool parse_unary(struct compiler *c, unsigned nesting, uint32_t *out)
{
    if (too_deep(c, nesting))
        return false;
    if (is_mark(c, '{'))
        return lex_next(c) && parse_operand(c, nesting + 1, out) && expect_mark(c, '}');
    if (is_mark(c, '-') || is_mark(c, '+')) {
        struct node n = node_at_token(c, NODE_NEGATE);
        bool negative = is_mark(c, '-');
        if (!lex_next(c))
            return false;
        if (is_mark(c, '-') || is_mark(c, '+'))
            return fail_unexpected(c);
        if (!parse_unary(c, nesting + 1, out))
            return false;
        n.left = *out;
        return !negative || add_node(c, n, out);
    }
    return parse_entity(c, nesting, out);
}

/* Left to right, the signs of one strength each: `marks` by level. */
static bool parse_binary(struct compiler *c, unsigned level, unsigned nesting, uint32_t *out)
{
    static const char *const marks[] = {"&", "+-", "*/%"};
    if (level == sizeof marks / sizeof *marks)
        return parse_unary(c, nesting, out);
    if (!parse_binary(c, level + 1, nesting, out))
        return false;
    while (c->token.kind == TOKEN_MARK && strchr(marks[level], c->token.mark)) {
        struct node n = node_at_token(c, NODE_ARITHMETIC);
        n.op = (uint8_t)c->token.mark;
        n.left = *out;
        if (!lex_next(c) || !parse_binary(c, level + 1, nesting, &n.right))
            return false;
        if (!add_node(c, n, out))
            return false;
    }
    return true;
}

static bool parse_operand(struct compiler *c, unsigned nesting, uint32_t *out)
{
    return parse_binary(c, 0, nesting, out);
}

/* ---- tests
 * ------------------------------------------------------------------------------------------- */

/* An element of a set: a value with an optional sign. */
static bool parse_element_value(struct compiler *c, unsigned nesting, uint32_t *out)
{
    return parse_unary(c, nesting + 1, out);
}

static bool parse_set(struct compiler *c, unsigned nesting, struct test *test)
{
    uint32_t last = NODE_NOTHING, element = NODE_NOTHING;
    if (!lex_next(c) || !expect_mark(c, '{'))
        return false;
    for (;;) {
        uint32_t high = NODE_NOTHING;
        if (!parse_element_value(c, nesting, &element))
            return false;
        if (is_mark(c, '.') && (!lex_next(c) || !parse_element_value(c, nesting, &high)))
            return false;
        /* The pair is a node of its own, so that one value can stand at both of its ends. */
        struct node pair = node_at_token(c, NODE_CONSTANT);
        pair.left = element;
        pair.right = high;
        if (!add_node(c, pair, &element))
            return false;
        if (last == NODE_NOTHING)
            test->right = element;
        else
            c->filter->nodes[last].next = element;
        last = element;
        if (!is_mark(c, ','))
            return expect_mark(c, '}');
        if (!lex_next(c))
            return false;
    }
}

/* Chained comparisons, a < b < c, are a < b and b < c. */
static bool parse_comparisons(struct compiler *c, unsigned nesting, struct test test,
                              bool quantified)
{
    struct filter *f = c->filter;
    uint32_t first_jump = f->step_count + 1;
    bool all = test.all;
    while (c->token.kind == TOKEN_COMPARE) {
        test.kind = TEST_COMPARE;
        test.cmp = (uint8_t)c->token.cmp;
        test.all = quantified ? all : c->token.all;
        test.at = c->token.at;
        test.length = c->token.length;
        if (!lex_next(c) || !parse_operand(c, nesting, &test.right) || !add_test(c, test))
            return false;
        test.left = test.right;
        if (c->token.kind == TOKEN_COMPARE && !add_step(c, STEP_JUMP_FALSE, 0))
            return false;
    }
    for (uint32_t i = first_jump; i < f->step_count; i += 2)
        f->steps[i].arg = f->step_count;
    return true;
}

static bool parse_in(struct compiler *c, unsigned nesting, struct test test)
{
    bool negative = c->token.kind == TOKEN_NOT;
    if (negative && !lex_next(c))
        return false;
    if (c->token.kind != TOKEN_IN)
        return fail_unexpected(c);
    test.kind = TEST_IN;
    test.at = c->token.at;
    test.length = c->token.length;
    return parse_set(c, nesting, &test) && add_test(c, test) &&
           (!negative || add_step(c, STEP_NOT, 0));
}

static bool parse_relation(struct compiler *c, unsigned nesting)
{
    bool quantified = c->token.kind == TOKEN_ANY || c->token.kind == TOKEN_ALL;
    struct test test = {.all = c->token.kind == TOKEN_ALL, .right = NODE_NOTHING};
    if ((quantified && !lex_next(c)) || !parse_operand(c, nesting, &test.left))
        return false;
    enum token_kind kind = c->token.kind;
    test.at = c->token.at;
    test.length = c->token.length;
    if (kind == TOKEN_COMPARE)
        return parse_comparisons(c, nesting, test, quantified);
    enum node_kind left = (enum node_kind)c->filter->nodes[test.left].kind;
    bool plain = left != NODE_ARITHMETIC && left != NODE_NEGATE;
    if (plain && (kind == TOKEN_IN || kind == TOKEN_NOT))
        return parse_in(c, nesting, test);
    if (kind == TOKEN_CONTAINS || kind == TOKEN_MATCHES) {
        test.kind = kind == TOKEN_CONTAINS ? TEST_CONTAINS : TEST_MATCHES;
        return lex_next(c) && parse_operand(c, nesting, &test.right) && add_test(c, test);
    }
    if (quantified)
        return fail_unexpected(c);
    test.kind = TEST_EXISTS;
    return add_test(c, test);
}

static bool parse_not(struct compiler *c, unsigned nesting)
{
    bool negate = false;
    while (c->token.kind == TOKEN_NOT) {
        negate = !negate;
        if (!lex_next(c))
            return false;
    }
    if (too_deep(c, nesting))
        return false;
    bool ok = is_mark(c, '(') ? lex_next(c) && parse_or(c, nesting + 1) && expect_mark(c, ')')
                              : parse_relation(c, nesting);
    return ok && (!negate || add_step(c, STEP_NOT, 0));
}

/* Operands of `and` or of `or`, each but the last followed by a jump to the end: the jumps are
 * chained through their targets until that is known. */
static bool parse_chain(struct compiler *c, enum token_kind kind, unsigned nesting)
{
    struct filter *f = c->filter;
    uint32_t chain = UINT32_MAX;
    for (;;) {
        if (!(kind == TOKEN_OR ? parse_chain(c, TOKEN_AND, nesting) : parse_not(c, nesting)))
            return false;
        if (c->token.kind != kind)
            break;
        if (!add_step(c, kind == TOKEN_OR ? STEP_JUMP_TRUE : STEP_JUMP_FALSE, chain) ||
            !lex_next(c))
            return false;
        chain = f->step_count - 1;
    }
    while (chain != UINT32_MAX) {
        uint32_t before = f->steps[chain].arg;
        f->steps[chain].arg = f->step_count;
        chain = before;
    }
    return true;
}

static bool parse_or(struct compiler *c, unsigned nesting)
{
    return parse_chain(c, TOKEN_OR, nesting);
}

bool parse_filter(struct compiler *c)
{
    if (!lex_next(c))
        return false;
    if (c->token.kind == TOKEN_END)
        return true;
    return parse_or(c, 0) && (c->token.kind == TOKEN_END || fail_unexpected(c));
}
