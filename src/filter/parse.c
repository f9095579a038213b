/* The grammar: from tokens to steps, tests and operand trees, names not yet looked up.
 *
 *   or         = xor { ("or" | "||") xor }
 *   xor        = and { ("xor" | "^^") and }
 *   and        = not { ("and" | "&&") not }
 *   not        = ("not" | "!") not | "(" or ")" | relation
 *   relation   = ["any" | "all"] operand { compare operand }
 *                | ["any" | "all"] entity ( "contains" entity | "matches" entity
 *                | ["not"] "in" "{" element { "," element } "}" )
 *   operand    = sum { "&" sum }       sum = product { ("+" | "-") product }
 *   product    = unary { ("*" | "/" | "%") unary }
 *   unary      = "{" operand "}" | ["-" | "+"] entity
 *   entity     = (word ["#" layers] | "@" word ["#" layers] | "${" word ["#" layers] "}" | string
 *                | character | function "(" operands ")") { "[" ranges "]" } */
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

static bool parse_arguments(struct compiler *c, unsigned nesting, struct node *n)
{
    unsigned count = 0;
    uint32_t last = NODE_NOTHING, argument = NODE_NOTHING;
    n->kind = NODE_FUNCTION;
    n->op = (uint8_t)function_find(c->text + n->at, n->length);
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
    return expect_mark(c, ')') &&
           (n->op != FN_NONE || fail_at(c, n->at, n->length, "Function '%.*s' does not exist",
                                        (int)(n->length < 100 ? n->length : 100), c->text + n->at));
}

/* Makes a field of a word that must be one. */
static bool be_field(struct compiler *c, struct node *n)
{
    if (n->kind == NODE_FIELD)
        return true;
    enum field_id id = n->literal ? F_NONE : field_find(c->text + n->at, n->length);
    if (id == F_NONE)
        return fail_name(c, n->at, n->length, "%.*s is not a valid field",
                         (int)(n->length < 100 ? n->length : 100), c->text + n->at);
    n->kind = NODE_FIELD;
    n->field = (uint16_t)id;
    return true;
}

static bool parse_layers(struct compiler *c, struct node *n)
{
    return (n->kind == NODE_FIELD || n->kind == NODE_WORD || fail_unexpected(c)) &&
           lex_layers(c, &n->ranges, &n->range_count) && be_field(c, n);
}

/* What stands after '@': a field, whose bytes are meant. */
static bool parse_raw(struct compiler *c, struct node *n)
{
    if (!lex_next(c))
        return false;
    if (c->token.kind != TOKEN_WORD && c->token.kind != TOKEN_DOTTED)
        return fail_unexpected(c);
    bool dotted = c->token.kind == TOKEN_DOTTED;
    *n = node_at_token(c, NODE_WORD);
    n->at += dotted;
    n->length -= dotted;
    n->raw = true;
    return be_field(c, n) && lex_next(c) && (!is_mark(c, '#') || parse_layers(c, n));
}

/* ${field}, at the '$'. */
static bool parse_reference(struct compiler *c, struct node *n)
{
    if (!lex_next(c) || !expect_mark(c, '{'))
        return false;
    bool dotted = c->token.kind == TOKEN_DOTTED;
    if (c->token.kind != TOKEN_WORD && c->token.kind != TOKEN_LITERAL && !dotted)
        return fail_unexpected(c);
    *n = node_at_token(c, NODE_WORD);
    n->literal = c->token.kind == TOKEN_LITERAL;
    struct node name = *n;
    name.at += dotted;
    name.length -= dotted;
    if (!be_field(c, &name) || !lex_next(c) || (is_mark(c, '#') && !parse_layers(c, &name)))
        return false;
    *n = name;
    n->at -= dotted;
    n->length += dotted;
    n->kind = NODE_REFERENCE;
    return expect_mark(c, '}');
}

static bool parse_slices(struct compiler *c, uint32_t *out)
{
    while (is_mark(c, '[')) {
        struct node slice = node_at_token(c, NODE_SLICE);
        slice.left = *out;
        slice.length = 0;
        if (!lex_ranges(c, &slice.ranges, &slice.range_count) || !add_node(c, slice, out))
            return false;
    }
    return true;
}

static bool parse_entity(struct compiler *c, unsigned nesting, uint32_t *out)
{
    struct node n = node_at_token(c, NODE_WORD);
    enum token_kind kind = c->token.kind;
    if (is_mark(c, '$') || is_mark(c, '@')) {
        if (!(is_mark(c, '$') ? parse_reference(c, &n) : parse_raw(c, &n)))
            return false;
        return add_node(c, n, out) && parse_slices(c, out);
    }
    if (kind == TOKEN_STRING || kind == TOKEN_CHAR)
        n.kind = kind == TOKEN_STRING ? NODE_STRING : NODE_CHAR;
    else if (kind != TOKEN_WORD && kind != TOKEN_LITERAL && kind != TOKEN_DOTTED)
        return fail_unexpected(c);
    n.literal = kind == TOKEN_LITERAL;
    n.number = c->token.number;
    if (kind == TOKEN_DOTTED) {
        n.kind = NODE_FIELD;
        n.field = (uint16_t)field_find(c->text + n.at + 1, n.length - 1);
    }
    if (!lex_next(c))
        return false;
    /* :aa is a literal and nothing else; 01:02 could be a name for all that the grammar knows. */
    bool literal = n.literal && c->text[n.at] == ':' && c->text[n.at + 1] != ':';
    if (literal && (is_mark(c, '#') || is_mark(c, '(')))
        return fail_unexpected(c);
    if (is_mark(c, '#') && !parse_layers(c, &n))
        return false;
    if (n.kind == NODE_WORD && is_mark(c, '(') && !parse_arguments(c, nesting, &n))
        return false;
    return add_node(c, n, out) && parse_slices(c, out);
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
        if (!parse_entity(c, nesting + 1, out))
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
    return is_mark(c, '{') ? fail_unexpected(c) : parse_unary(c, nesting + 1, out);
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
        test.quantified = quantified;
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
    test.all = test.all && !negative; /* all are outside of a set when not any is in it */
    test.at = c->token.at;
    test.length = c->token.length;
    return parse_set(c, nesting, &test) && add_test(c, test) &&
           (!negative || add_step(c, STEP_NOT, 0));
}

static bool parse_relation(struct compiler *c, unsigned nesting)
{
    bool quantified = c->token.kind == TOKEN_ANY || c->token.kind == TOKEN_ALL;
    struct test test = {.all = c->token.kind == TOKEN_ALL, .right = NODE_NOTHING};
    if (quantified && !lex_next(c))
        return false;
    bool sum = is_mark(c, '{') || is_mark(c, '-') || is_mark(c, '+');
    if (!parse_operand(c, nesting, &test.left))
        return false;
    enum token_kind kind = c->token.kind;
    test.at = c->token.at;
    test.length = c->token.length;
    if (kind == TOKEN_COMPARE)
        return parse_comparisons(c, nesting, test, quantified);
    enum node_kind left = (enum node_kind)c->filter->nodes[test.left].kind;
    bool plain = !sum && left != NODE_ARITHMETIC;
    if (plain && (kind == TOKEN_IN || kind == TOKEN_NOT))
        return parse_in(c, nesting, test);
    if (plain && (kind == TOKEN_CONTAINS || kind == TOKEN_MATCHES)) {
        test.kind = kind == TOKEN_CONTAINS ? TEST_CONTAINS : TEST_MATCHES;
        return lex_next(c) && parse_entity(c, nesting, &test.right) && add_test(c, test);
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
 * chained through their targets until that is known.  `xor` stands between the two and needs both
 * of its operands. */
static bool parse_chain(struct compiler *c, enum token_kind kind, unsigned nesting)
{
    struct filter *f = c->filter;
    uint32_t chain = UINT32_MAX;
    for (;;) {
        bool good = kind == TOKEN_OR    ? parse_chain(c, TOKEN_XOR, nesting)
                    : kind == TOKEN_XOR ? parse_chain(c, TOKEN_AND, nesting)
                                        : parse_not(c, nesting);
        if (!good || (kind == TOKEN_XOR && chain == 0 && !add_step(c, STEP_XOR, 0)))
            return false;
        if (c->token.kind != kind)
            break;
        enum step_op op = kind == TOKEN_OR    ? STEP_JUMP_TRUE
                          : kind == TOKEN_XOR ? STEP_KEEP
                                              : STEP_JUMP_FALSE;
        if (!add_step(c, op, chain) || !lex_next(c))
            return false;
        chain = kind == TOKEN_XOR ? 0 : f->step_count - 1;
    }
    while (kind != TOKEN_XOR && chain != UINT32_MAX) {
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
