/* The life of a filter: compile, ask what it wants, judge, free. */
#include "filter/filter.h"

#include "filter/program.h"

#include <stdlib.h>

#define BUDGET            4000000 /* steps for one packet */
#define MATCH_LIMIT       1000000 /* of a regular expression, in PCRE2's own units */
#define MATCH_HEAP_KB     4096
#define CONSTANTS_CEILING ((size_t)1 << 20)

static bool make_scratch(struct compiler *c)
{
    struct filter *f = c->filter;
    struct scratch *s = calloc(1, sizeof *s);
    f->scratch = s;
    if (!s)
        return fail_memory(c);
    s->slots = calloc(f->node_count + 1, sizeof *s->slots);
    s->cursors = calloc(f->node_count + 1, sizeof *s->cursors);
    s->match = pcre2_match_data_create(1, NULL);
    s->context = pcre2_match_context_create(NULL);
    if (!s->slots || !s->cursors || !s->match || !s->context)
        return fail_memory(c);
    pcre2_set_match_limit(s->context, MATCH_LIMIT);
    pcre2_set_depth_limit(s->context, MATCH_LIMIT);
    pcre2_set_heap_limit(s->context, MATCH_HEAP_KB);
    return true;
}

/* Several fields may have one name, shown in different ways: a filter means them all. */
static bool find_twins(struct compiler *c)
{
    struct filter *f = c->filter;
    uint32_t count = 0;
    for (unsigned pass = 0; pass < 2; pass++) {
        if (pass == 1 && !(f->twins = calloc(count + 1, sizeof *f->twins)))
            return fail_memory(c);
        count = 0;
        for (uint32_t i = 0; i < f->node_count; i++) {
            struct node *n = &f->nodes[i];
            n->twins = count;
            enum field_id id = n->kind == NODE_FIELD ? field_same_name(n->field) : F_NONE;
            for (; id != F_NONE; id = field_same_name(id), count++)
                if (pass == 1)
                    f->twins[count] = (uint16_t)id;
            n->twin_count = count - n->twins;
        }
    }
    return true;
}

/* The bytes of a protocol above TCP go on to the end of what it was given; those of TCP and the layers
 * below it, except when they are searched, are their headers. */
static void find_extents(struct filter *f)
{
    enum field_id above = field_find("tcp", 3);
    for (uint32_t i = 0; i < f->node_count; i++) {
        struct node *n = &f->nodes[i];
        n->whole =
            n->kind == NODE_FIELD && n->type == TYPE_PROTOCOL && (n->whole || n->field > above);
    }
}

void filter_open_ended(struct filter *f)
{
    static const char *const names[] = {"tcp",    "ipv6", "ipv6.routing", "gre",
                                        "geneve", "llc",  "ppp"};
    for (uint32_t i = 0; i < f->node_count; i++) {
        struct node *n = &f->nodes[i];
        for (size_t k = 0; n->kind == NODE_FIELD && k < sizeof names / sizeof *names; k++)
            n->whole |= n->type == TYPE_PROTOCOL && strcmp(fields[n->field].abbrev, names[k]) == 0;
    }
}

/* A protocol's layers are those of tunnels, IP in IP, and the runs of TLS in a packet that ends one
 * message and holds others.  Above TLS, in certificates, all is one layer.  The schema's order is from
 * the link up. */
static void find_layers(struct filter *f)
{
    enum field_id above = field_find("tls", 3);
    for (uint32_t i = 0; i < f->node_count; i++)
        if (f->nodes[i].kind == NODE_FIELD && above != F_NONE)
            f->nodes[i].one_layer = field_protocol(f->nodes[i].field) > above;
}

static bool judge(const struct filter *f, const struct tape *tape)
{
    struct run run = {.filter = f, .tape = tape, .scratch = f->scratch};
    bool answer = true;
    uint64_t kept[MAX_NESTING / 64 + 2] = {0}; /* first operands of `xor`, one a nesting */
    unsigned depth = 0;
    f->scratch->budget = BUDGET;
    f->scratch->exhausted = false;
    for (uint32_t i = 0; i < f->step_count;) {
        const struct step *step = &f->steps[i++];
        switch ((enum step_op)step->op) {
        case STEP_TEST:
            answer = run_test(&run, &f->tests[step->arg]);
            break;
        case STEP_NOT:
            answer = !answer;
            break;
        case STEP_KEEP:
            kept[depth / 64] &= ~(UINT64_C(1) << depth % 64);
            kept[depth / 64] |= (uint64_t)answer << depth % 64;
            depth++;
            break;
        case STEP_XOR:
            depth--;
            answer ^= (kept[depth / 64] >> depth % 64 & 1) != 0;
            break;
        case STEP_JUMP_TRUE:
            i = answer ? step->arg : i;
            break;
        case STEP_JUMP_FALSE:
            i = answer ? i : step->arg;
            break;
        }
    }
    return answer && !f->scratch->exhausted;
}

struct filter *filter_compile(const char *text, struct error *error)
{
    struct compiler c = {.text = text, .error = error};
    size_t len = strlen(text);
    if (len > MAX_TEXT) {
        error_set(error, ERROR_USAGE, "This filter is too long: %zu bytes, the most are %d.", len,
                  MAX_TEXT);
        return NULL;
    }
    c.len = (uint32_t)len;
    c.filter = calloc(1, sizeof *c.filter);
    if (!c.filter) {
        error_set(error, ERROR_MEMORY, "Not enough memory for this filter.");
        return NULL;
    }
    c.filter->constants.ceiling = CONSTANTS_CEILING;
    bool good = check_macros(&c) && parse_filter(&c) && check_filter(&c) && find_twins(&c) &&
                make_scratch(&c);
    buf_free(&c.shown[0]);
    buf_free(&c.shown[1]);
    if (!good) {
        filter_free(c.filter);
        return NULL;
    }
    find_layers(c.filter);
    find_extents(c.filter);
    c.filter->passes_empty = judge(c.filter, &(const struct tape){.count = 0});
    c.filter->knows_empty = !c.filter->scratch->exhausted;
    return c.filter;
}

static void free_scratch(struct scratch *s, uint32_t slots)
{
    if (!s)
        return;
    for (uint32_t i = 0; s->slots && i < slots; i++)
        buf_free(&s->slots[i]);
    free(s->slots);
    free(s->cursors);
    pcre2_match_data_free(s->match);
    pcre2_match_context_free(s->context);
    free(s);
}

void filter_free(struct filter *f)
{
    if (!f)
        return;
    for (uint32_t i = 0; i < f->test_count; i++)
        pcre2_code_free(f->tests[i].regex);
    free_scratch(f->scratch, f->node_count);
    buf_free(&f->constants);
    free(f->steps);
    free(f->tests);
    free(f->nodes);
    free(f->ranges);
    free(f->twins);
    free(f);
}

void filter_wants(const struct filter *f, uint8_t *want)
{
    for (uint32_t i = 0; i < f->node_count; i++) {
        const struct node *n = &f->nodes[i];
        if (n->kind != NODE_FIELD)
            continue;
        want[n->field] = 1;
        for (uint32_t twin = 0; twin < n->twin_count; twin++)
            want[f->twins[n->twins + twin]] = 1;
        if (n->range_count > 0 && !n->one_layer)
            want[field_protocol(n->field)] = 1;
    }
}

/* Of packets with nothing that the filter asks for there are many; they are all the same to it. */
bool filter_match(const struct filter *f, const struct tape *tape)
{
    if (tape->count > 0 || !f->knows_empty)
        return judge(f, tape);
    f->scratch->exhausted = false;
    return f->passes_empty;
}

bool filter_exhausted(const struct filter *f)
{
    return f->scratch->exhausted;
}
