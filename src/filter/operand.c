/* What stands on the sides of a test: its type, and whether its parts fit together. */
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
    [TYPE_INT8] = {GROUP_INT, CAN_COUNT},
    [TYPE_INT16] = {GROUP_INT, CAN_COUNT},
    [TYPE_INT32] = {GROUP_INT, CAN_COUNT},
    [TYPE_INT64] = {GROUP_INT, CAN_COUNT},
    [TYPE_ABSOLUTE_TIME] = {GROUP_DATE, CAN_COMPARE},
    [TYPE_RELATIVE_TIME] = {GROUP_SPAN, CAN_COMPARE | CAN_ADD},
    [TYPE_STRING] = {GROUP_STRING, CAN_COMPARE | CAN_CONTAIN | CAN_MATCH | CAN_SLICE},
    [TYPE_BYTES] = {GROUP_OCTETS, CAN_OCTETS},
    [TYPE_IPV4] = {GROUP_V4, CAN_COMPARE | CAN_SLICE | CAN_AND},
    [TYPE_IPV6] = {GROUP_V6, CAN_COMPARE | CAN_SLICE | CAN_AND},
    [TYPE_ETHER] = {GROUP_OCTETS, CAN_OCTETS},
    [TYPE_OID] = {GROUP_OCTETS, CAN_COMPARE | CAN_CONTAIN | CAN_SLICE | CAN_AND},
    [TYPE_FRAMENUM] = {GROUP_INT, CAN_COUNT},
};

unsigned type_can(enum field_type type)
{
    return traits[type].can;
}

bool types_compare(enum field_type left, enum field_type right)
{
    unsigned ours = traits[left].group, theirs = traits[right].group;
    /* A flag is set against flags alone, a number against both. */
    return ours != GROUP_NO && ours == theirs && (left != TYPE_BOOLEAN || right == TYPE_BOOLEAN);
}

/* ---- how an error shows an operand
 * ------------------------------------------------------------------------------- */

static void show_ranges(const struct compiler *c, const struct node *n, struct buf *out)
{
    for (uint32_t i = 0; i < n->range_count; i++) {
        const struct range *range = &c->filter->ranges[n->ranges + i];
        buf_str(out, i > 0 ? "," : "");
        buf_sdec(out, range->start);
        buf_str(out, range->kind == RANGE_LAST ? "-" : ":");
        if (range->kind != RANGE_REST)
            buf_sdec(out, range->end);
    }
}

/* A string as it could be typed. */
void show_string(const struct compiler *c, uint32_t at, uint32_t count, struct buf *out)
{
    struct slice text = slice_sub(buf_slice(&c->filter->constants), at, count);
    buf_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        char ch = (char)slice_at(text, i);
        buf_str(out, ch == '"' || ch == '\\' ? "\\" : "");
        buf_char(out, ch);
    }
    buf_char(out, '"');
}

/* A field as it was typed; with its type when it has layers or is a reference. */
static void show_field(const struct compiler *c, const struct node *n, struct buf *out)
{
    uint32_t dot = c->text[n->at] == '.';
    bool layers = n->range_count > 0;
    buf_str(out, n->raw ? "@" : "");
    if (layers)
        buf_str(out, fields[n->field].abbrev);
    else
        buf_put(out, c->text + n->at + dot, n->length - dot);
    if (layers) {
        buf_str(out, "#[");
        show_ranges(c, n, out);
        buf_char(out, ']');
    }
    if (layers || n->kind == NODE_REFERENCE) {
        buf_str(out, " <");
        buf_str(out, type_code(n->type));
        buf_char(out, '>');
    }
}

static void show(const struct compiler *c, uint32_t id, struct buf *out)
{
    const struct node *n = &c->filter->nodes[id];
    if (n->kind == NODE_SLICE) {
        show(c, n->left, out);
        buf_char(out, '[');
        show_ranges(c, n, out);
        buf_char(out, ']');
        return;
    }
    if (n->kind == NODE_FIELD || n->kind == NODE_REFERENCE) {
        show_field(c, n, out);
    } else if (n->kind == NODE_STRING) {
        show_string(c, n->bytes, n->byte_count, out);
    } else {
        buf_put(out, c->text + n->at, n->length);
    }
}

const char *node_text(struct compiler *c, uint32_t id)
{
    struct buf *out = &c->shown[c->shown_next++ % 2];
    buf_clear(out);
    out->ceiling = SHOWN_CEILING;
    show(c, id, out);
    buf_char(out, '\0');
    if (out->failed)
        return "...";
    return (const char *)out->data;
}

/* ---- operands
 * ------------------------------------------------------------------------------------------ */

/* Words that name a field become that field. */
void resolve(struct compiler *c, uint32_t id)
{
    struct node *n = &c->filter->nodes[id];
    if (n->kind == NODE_WORD && !n->literal) {
        enum field_id field = field_find(c->text + n->at, n->length);
        n->kind = field == F_NONE ? NODE_WORD : NODE_FIELD;
        n->field = (uint16_t)field;
    }
    if (n->kind == NODE_FIELD || n->kind == NODE_REFERENCE)
        n->type = n->raw ? TYPE_BYTES : fields[n->field].type;
}

bool is_constant(const struct node *n)
{
    return n->kind == NODE_WORD || n->kind == NODE_STRING || n->kind == NODE_CHAR ||
           n->kind == NODE_CONSTANT;
}

static bool check_slice(struct compiler *c, struct node *n)
{
    uint32_t id = n->left;
    const struct node *of = &c->filter->nodes[id];
    resolve(c, id);
    if (is_constant(of) || of->kind == NODE_REFERENCE)
        return fail_node(c, id, "Range is not supported for entity %s", node_text(c, id));
    if (!check_entity(c, id, TYPE_NONE))
        return false;
    n->type = TYPE_BYTES;
    if (type_can(of->type) & CAN_SLICE)
        return true;
    return of->kind == NODE_FUNCTION
               ? fail_node(c, id,
                           "Return value of function \"%s\" is a %s and cannot be converted into a "
                           "sequence of bytes.",
                           node_text(c, id), type_name(of->type))
               : fail_node(c, id, "\"%s\" is a %s and cannot be sliced into a sequence of bytes.",
                           node_text(c, id), type_name(of->type));
}

static bool can_be_text(enum field_type type)
{
    bool number = (type_can(type) & CAN_TIMES) != 0;
    return number || type == TYPE_IPV4 || type == TYPE_IPV6 || type == TYPE_ETHER ||
           type == TYPE_OID;
}

/* The argument of lower, upper, len, count and string: a field. */
static bool check_field_argument(struct compiler *c, struct node *n)
{
    static const char *const names[] = {"lower", "upper", "len", "count", "string"};
    uint32_t id = n->left;
    const struct node *argument = &c->filter->nodes[id];
    bool is_field = argument->kind == NODE_FIELD;
    enum field_type type = argument->type;
    n->type = n->op == FN_LEN || n->op == FN_COUNT ? TYPE_UINT32 : TYPE_STRING;
    if (n->op == FN_LOWER || n->op == FN_UPPER)
        return (is_field && type == TYPE_STRING) ||
               fail_node(c, id, "Only string type fields can be used as parameter for %s()",
                         names[n->op]);
    if (!is_field)
        return fail_node(c, id, "Only fields can be used as parameter for %s()", names[n->op]);
    return n->op != FN_STRING || can_be_text(type) ||
           fail_node(c, id, "String conversion for field \"%s\" is not supported",
                     fields[argument->field].abbrev);
}

/* max and min: the first argument gives the type; constants take it on. */
static bool check_extreme(struct compiler *c, struct node *n, enum field_type constants)
{
    struct node *nodes = c->filter->nodes;
    const char *name = n->op == FN_MAX ? "max" : "min";
    for (uint32_t i = n->left; i != NODE_NOTHING; i = nodes[i].next) {
        const struct node *argument = &nodes[i];
        enum field_type type = i == n->left ? constants : (enum field_type)n->type;
        resolve(c, i);
        bool word = argument->kind == NODE_WORD && type != TYPE_NONE;
        if ((is_constant(argument) && !word) || argument->kind == NODE_SLICE)
            return fail_node(c, i, "Argument '%s' is not valid for %s()", node_text(c, i), name);
        if (word && !literal_convert(c, &nodes[i], type, F_NONE, false))
            return false;
        if (!word && !check_entity(c, i, type))
            return false;
        if (i == n->left)
            n->type = argument->type;
        else if (argument->type != n->type)
            return fail_node(c, i,
                             "Arguments to '%s' must have the same type (expected %s, got %s)",
                             name, type_code(n->type), type_code(argument->type));
    }
    return true;
}

static bool check_absolute(struct compiler *c, struct node *n, enum field_type constants)
{
    static const char *const kinds[] = {[NODE_STRING] = "STRING",
                                        [NODE_CHAR] = "CHARCONST",
                                        [NODE_SLICE] = "SLICE",
                                        [NODE_REFERENCE] = "REFERENCE"};
    uint32_t id = n->left;
    const struct node *argument = &c->filter->nodes[id];
    if (argument->kind == NODE_WORD)
        return fail_node(c, id, "Need a field or field-like value on the LHS.");
    if (argument->kind < sizeof kinds / sizeof *kinds && kinds[argument->kind])
        return fail_node(c, id, "Type %s is not valid for abs", kinds[argument->kind]);
    if (!check_entity(c, id, constants))
        return false;
    if (argument->type == TYPE_NONE)
        return fail_node(c, id, "Type FIELD is not valid for abs");
    n->type = argument->type;
    return (type_can(n->type) & CAN_ADD) ||
           fail_node(c, id, "'%s' is not a valid argument to 'abs'()", node_text(c, id));
}

static bool check_function(struct compiler *c, uint32_t id, enum field_type constants)
{
    struct node *n = &c->filter->nodes[id];
    bool many = n->op == FN_MAX || n->op == FN_MIN;
    if (n->left == NODE_NOTHING)
        return fail_node(c, id, "Function %s needs at least 1 arguments.", node_text(c, id));
    if (!many && c->filter->nodes[n->left].next != NODE_NOTHING)
        return fail_node(c, id, "Function %s can only accept 1 arguments.", node_text(c, id));
    resolve(c, n->left);
    return many              ? check_extreme(c, n, constants)
           : n->op == FN_ABS ? check_absolute(c, n, constants)
                             : check_field_argument(c, n);
}

static unsigned needed(uint8_t op)
{
    return op == '&' ? CAN_AND : op == '+' || op == '-' ? CAN_ADD : CAN_TIMES;
}

/* One side of an arithmetic sign.  CONSTANTS: the type that literals take on, TYPE_NONE where none
 * may be. */
static bool check_side(struct compiler *c, const struct node *of, uint32_t id,
                       enum field_type constants)
{
    uint8_t op = of->kind == NODE_NEGATE ? '-' : of->op;
    struct node *n = &c->filter->nodes[id];
    resolve(c, id);
    if (is_constant(n)) {
        if (constants == TYPE_NONE)
            return fail_node(c, id, "Constant arithmetic expression on the LHS is invalid.");
        if (n->kind != NODE_WORD)
            return fail_node(c, id, "%s is not a valid arithmetic operand.", node_text(c, id));
        if (!literal_convert(c, n, constants, F_NONE, false))
            return false;
    } else if (!check_entity(c, id, constants)) {
        return false;
    }
    return (type_can(n->type) & needed(op)) ||
           fail_node(c, id, "%s cannot %.*s.", type_code(n->type), (int)of->length,
                     c->text + of->at);
}

static bool check_arithmetic(struct compiler *c, struct node *n, enum field_type constants)
{
    const struct node *nodes = c->filter->nodes;
    bool negate = n->kind == NODE_NEGATE;
    if (!check_side(c, n, n->left, constants))
        return false;
    n->type = nodes[n->left].type;
    if (negate)
        return nodes[n->left].kind != NODE_CONSTANT || literal_negative(c, &nodes[n->left]);
    return check_side(c, n, n->right, n->type) &&
           (types_compare(n->type, nodes[n->right].type) ||
            fail_node(c, n->right, "%s and %s are not type compatible.", node_text(c, n->left),
                      node_text(c, n->right)));
}

/* Everything but a bare literal; literals inside get the type CONSTANTS. */
bool check_entity(struct compiler *c, uint32_t id, enum field_type constants)
{
    struct node *n = &c->filter->nodes[id];
    if (n->checked)
        return true;
    n->checked = true;
    resolve(c, id);
    switch ((enum node_kind)n->kind) {
    case NODE_SLICE:
        return check_slice(c, n);
    case NODE_FUNCTION:
        return check_function(c, id, constants);
    case NODE_NEGATE:
    case NODE_ARITHMETIC:
        return check_arithmetic(c, n, constants);
    case NODE_FIELD:
    case NODE_REFERENCE:
        return true;
    case NODE_WORD:
    case NODE_STRING:
    case NODE_CHAR:
    case NODE_CONSTANT:
        break;
    }
    return fail_node(c, id, "%s is neither a field nor a protocol name.", node_text(c, id));
}
