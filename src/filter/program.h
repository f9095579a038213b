/* What a compiled filter is made of; shared by the files of this folder only.
 *
 * A program is a list of steps with jumps (the `and`, `or` and `not`) over tests.  A test compares
 * values; its operands are small trees of nodes in one array.  The fields in the operands of a test
 * are its leaves: the test is tried for each combination of the occurrences of its leaves. */
#ifndef TLSWIRE_FILTER_PROGRAM_H
#define TLSWIRE_FILTER_PROGRAM_H

#define PCRE2_CODE_UNIT_WIDTH 8

#include "base/buf.h"
#include "filter/filter.h"

#include <pcre2.h>

#define NODE_NOTHING  UINT32_MAX
#define MAX_TEXT      65535 /* bytes of a filter */
#define MAX_NESTING   64    /* parentheses, and operands within operands */
#define MAX_ITEMS     16384 /* nodes, tests, steps, ranges: of each */
#define MAX_LEAVES    16    /* fields in one test */
#define SHOWN_CEILING 200   /* bytes of an operand in an error */

enum node_kind {
    NODE_WORD,   /* a name or an unquoted literal; gone after the check */
    NODE_STRING, /* quoted; gone after the check */
    NODE_CHAR,   /* 'a'; gone after the check */
    NODE_FIELD,
    NODE_REFERENCE, /* ${field}: that of the packet chosen in a window; here nothing is chosen */
    NODE_CONSTANT,
    NODE_SLICE,      /* bytes of `left` */
    NODE_FUNCTION,   /* `op` is enum function_id; arguments: nodes from `left`, chained by `next` */
    NODE_NEGATE,     /* -left */
    NODE_ARITHMETIC, /* left `op` right */
};

enum function_id {
    FN_LOWER,
    FN_UPPER,
    FN_LEN,
    FN_COUNT,
    FN_STRING,
    FN_MAX,
    FN_MIN,
    FN_ABS,
    FN_NONE
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

/* A part of a slice, or of the layers after '#'. */
struct range {
    int32_t start;
    int32_t end; /* a length, a last index, or nothing */
    enum { RANGE_LENGTH, RANGE_LAST, RANGE_REST } kind;
};

struct value {
    enum { VALUE_UINT, VALUE_SINT, VALUE_TIME, VALUE_BYTES } kind;
    uint8_t prefix;  /* 1 + bits that count in an address with a mask; 0: all */
    bool text;       /* bytes in the order of words: letter by letter, not the shorter first */
    uint64_t number; /* of VALUE_SINT and VALUE_TIME: as int64_t */
    struct slice bytes;
};

struct node {
    uint8_t kind;   /* enum node_kind */
    uint8_t op;     /* arithmetic: the character; function: enum function_id */
    uint8_t type;   /* enum field_type, after the check */
    uint8_t depth;  /* of the tree below it */
    uint8_t prefix; /* constant address: as in struct value */
    bool literal;   /* a word that can be no field: 16:03 */
    bool raw;       /* @field: the bytes that it covers, whatever its type */
    bool whole;     /* protocol: its bytes go on to the end of its source, as `contains` sees it */
    bool checked;
    bool one_layer; /* field of a protocol that never stands inside itself */
    uint16_t field;
    uint32_t left, right, next;
    uint32_t ranges, range_count; /* of a slice or of layers */
    uint32_t twins, twin_count;   /* field: other fields of its name, in `twins` */
    uint32_t at, length;          /* place in the text; length 0: an error shows none */
    uint32_t word, word_length;   /* its own text, without what follows it in brackets */
    uint64_t number;              /* constant */
    uint32_t bytes, byte_count;   /* constant or string: in `constants` */
};

enum test_kind { TEST_EXISTS, TEST_TRUTH, TEST_COMPARE, TEST_CONTAINS, TEST_MATCHES, TEST_IN };
enum comparison { CMP_EQ, CMP_NE, CMP_LT, CMP_LE, CMP_GT, CMP_GE };

struct test {
    uint8_t kind;         /* enum test_kind */
    uint8_t cmp;          /* enum comparison */
    bool all;             /* must hold for all combinations, not for any one */
    bool quantified;      /* by `any` or `all`, not by the sign */
    uint32_t left, right; /* nodes; TEST_IN: elements from `right`, chained by `next` */
    uint32_t at, length;  /* the operator in the text */
    uint32_t leaf_count;
    uint32_t leaves[MAX_LEAVES]; /* field nodes */
    uint32_t whole_count;
    uint32_t wholes[MAX_LEAVES]; /* count, max and min: without a value the test fails */
    pcre2_code *regex;           /* owned */
};

enum step_op {
    STEP_TEST,
    STEP_NOT,
    STEP_JUMP_TRUE,
    STEP_JUMP_FALSE,
    STEP_KEEP, /* the answer is the first operand of the STEP_XOR to come */
    STEP_XOR,
};

struct step {
    uint8_t op;
    uint32_t arg; /* test, or step to jump to */
};

/* What judging writes to. */
struct scratch {
    struct buf *slots; /* one a node: text made by functions, cut from several ranges */
    uint32_t *cursors; /* one a node: the event that a field stands at */
    pcre2_match_data *match;
    pcre2_match_context *context;
    uint64_t budget; /* steps left for this packet */
    bool exhausted;
};

struct filter {
    struct step *steps;
    struct test *tests;
    struct node *nodes;
    struct range *ranges;
    uint32_t step_count, test_count, node_count, range_count;
    struct buf constants;
    uint16_t *twins;   /* owned, like all the arrays */
    bool passes_empty; /* the answer for a tape without events, */
    bool knows_empty;  /* when it was found within the budget */
    struct scratch *scratch;
};

/* ---- compiling
 * ---------------------------------------------------------------------------------------- */

enum token_kind {
    TOKEN_END,
    TOKEN_WORD,
    TOKEN_LITERAL, /* with colons or a mask: no name */
    TOKEN_DOTTED,
    TOKEN_STRING,
    TOKEN_CHAR,
    TOKEN_MARK, /* ( ) { } [ ] , .. # and the arithmetic signs */
    TOKEN_COMPARE,
    TOKEN_CONTAINS,
    TOKEN_MATCHES,
    TOKEN_IN,
    TOKEN_AND,
    TOKEN_XOR,
    TOKEN_OR,
    TOKEN_NOT,
    TOKEN_ANY,
    TOKEN_ALL,
    TOKEN_STRANGE, /* nothing of the language */
};

struct token {
    enum token_kind kind;
    uint32_t at, length;
    char mark; /* TOKEN_MARK: the character, '.' for ".." */
    enum comparison cmp;
    bool all;
    uint32_t bytes, byte_count; /* strings, unescaped, in the constants */
    uint32_t number;            /* TOKEN_CHAR */
};

struct compiler {
    struct filter *filter;
    const char *text;
    uint32_t len, pos;
    struct token token;
    struct error *error;
    bool failed;
    struct buf shown[2]; /* texts of operands, for an error */
    unsigned shown_next;
    uint32_t step_room, test_room, node_room, range_room;
};

static inline char text_at(const struct compiler *c, uint32_t i)
{
    return i < c->len ? c->text[i] : '\0';
}

static inline bool is_digit(char ch)
{
    return ch >= '0' && ch <= '9';
}

static inline bool is_hex(char ch)
{
    return is_digit(ch) || (ch >= 'a' && ch <= 'f') || (ch >= 'A' && ch <= 'F');
}

/* lex.c: reads the next token into c->token. */
bool lex_next(struct compiler *c);
/* range.c: the ranges up to the bracket that closes, c->pos behind the one that opens; then the next
 * token. */
bool lex_ranges(struct compiler *c, uint32_t *first, uint32_t *count);
/* range.c: a whole number of layers after '#', or a list in brackets. */
bool lex_layers(struct compiler *c, uint32_t *first, uint32_t *count);

/* macro.c */
bool check_macros(struct compiler *c);

/* parse.c */
bool parse_filter(struct compiler *c);

/* check.c: gives every node its type, turns words into fields and constants. */
bool check_filter(struct compiler *c);

/* operand.c */
unsigned type_can(enum field_type type);
bool types_compare(enum field_type left, enum field_type right);
bool is_constant(const struct node *n);
/* Makes a field of a word that names one. */
void resolve(struct compiler *c, uint32_t id);
bool check_entity(struct compiler *c, uint32_t id, enum field_type constants);
/* A string from the constants as it could be typed. */
void show_string(const struct compiler *c, uint32_t at, uint32_t count, struct buf *out);
/* The operand as an error shows it; good for two calls. */
const char *node_text(struct compiler *c, uint32_t id);

/* literal.c: whether a constant may have a sign before it. */
bool literal_negative(struct compiler *c, const struct node *n);
/* literal.c: makes node N the constant that its text means for a field of type TYPE (FIELD, F_NONE
 * when none). */
bool literal_convert(struct compiler *c, struct node *n, enum field_type type, enum field_id field,
                     bool partial);

/* time.c: seconds with up to nine decimals; an absolute time, with *REST at what follows it. */
bool literal_span(const char *text, int64_t *ns);
bool literal_date(const char *text, int64_t *ns, const char **rest);

/* fail.c: tell the one error, return false. */
bool fail(struct compiler *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool fail_at(struct compiler *c, uint32_t at, uint32_t length, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* The same for a name that is none: with the names that are near it. */
bool fail_name(struct compiler *c, uint32_t at, uint32_t length, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* At a node that names none of the registry's values: with the name that is near it. */
bool fail_value(struct compiler *c, const struct node *n, enum registry registry,
                const char *format, ...) __attribute__((format(printf, 4, 5)));
/* At a node; with names that are near when it is a word. */
bool fail_node(struct compiler *c, uint32_t id, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool fail_memory(struct compiler *c);
bool fail_unexpected(struct compiler *c);
const char *type_name(enum field_type type);
const char *type_code(enum field_type type);

/* ---- judging
 * ------------------------------------------------------------------------------------------ */

/* A judgement in progress. */
struct run {
    const struct filter *filter;
    const struct tape *tape;
    struct scratch *scratch;
};

/* run.c: whether the packet passes test T. */
bool run_test(struct run *r, const struct test *t);
/* run.c: index of the first event from AT on that field node N stands for; TAPE_NONE when there is
 * none, or the budget is spent. */
uint32_t run_find(struct run *r, const struct node *n, uint32_t at);

/* value.c: the value of a node with its fields at their cursors; false when it has none (a division
 * by 0). */
bool value_of(struct run *r, uint32_t node, struct value *out);
/* value.c: the fields of a tree, at most MAX_LEAVES, behind the COUNT that are in OUT; how many there
 * are now. */
unsigned value_fields(const struct filter *f, uint32_t id, uint32_t *out, unsigned count);
/* value.c: sets the cursors of these fields to their first occurrences; false when one has none. */
bool value_first(struct run *r, const uint32_t *ids, unsigned count);
/* value.c: moves on to the next combination of occurrences; false after the last. */
bool value_next(struct run *r, const uint32_t *ids, unsigned count);
/* value.c: less than, equal to or greater than 0, as A is less than, equal to or greater than B. */
int value_order(const struct value *a, const struct value *b);
/* value.c: whether a number is not 0, or any byte is not. */
bool value_true(const struct value *v);

#endif
