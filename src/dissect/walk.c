#include "dissect/walk.h"

#define MAX_DEPTH  16 /* blocks inside blocks; the schema needs 5 */
#define MAX_SCOPES 8  /* scopes and items open at once in one block */

struct frame {
    uint32_t ends[MAX_SCOPES]; /* of the scopes outside */
    uint32_t items[MAX_SCOPES], starts[MAX_SCOPES];
    bool fixed[MAX_SCOPES]; /* the item's length was set when it was opened */
    const struct row *loop;
    uint32_t loop_at;
    unsigned scopes, open;
    bool stopped; /* a length cannot be: the rest of the block is passed over */
};

static inline uint64_t peek(const struct walk *w, uint32_t size)
{
    struct slice s = slice_sub(w->bytes, w->at, size);
    switch (size) {
    case 1:
        return slice_u8(&s);
    case 2:
        return slice_u16(&s);
    default:
        return slice_uint(&s, size);
    }
}

static inline bool has(struct walk *w, uint32_t size)
{
    uint32_t left = w->end - w->at;
    if (left < size) {
        w->lacks = size - left;
        w->failed = true;
    }
    return !w->failed;
}

/* Times on the wire are seconds in four bytes or milliseconds in eight. */
static uint64_t field_value(enum field_id field, uint32_t size, uint64_t value)
{
    if (fields[field].type != TYPE_ABSOLUTE_TIME)
        return value;
    return size == 8 ? value * 1000000 : value * 1000000000;
}

/* The number at the front as an event, when somebody wants it. */
static uint32_t add_number(struct walk *w, enum field_id field, uint32_t size)
{
    return tape_add(w->tape, field, w->source, w->at, size, field_value(field, size, peek(w, size)),
                    0);
}

/* A number that nobody needs is not even read. */
static inline uint32_t number(struct walk *w, enum field_id field, uint32_t size, uint64_t *value)
{
    if (!has(w, size))
        return TAPE_NONE;
    if (value)
        *value = peek(w, size);
    uint32_t at = tape_wants(w->tape, field) ? add_number(w, field, size) : TAPE_NONE;
    w->at += size;
    return at;
}

uint32_t walk_number(struct walk *w, enum field_id field, uint32_t size, uint64_t *value)
{
    return number(w, field, size, value);
}

static void show_trailing(struct walk *w)
{
    uint32_t left = w->end - w->at;
    uint32_t at = tape_open(w->tape, F_tls_trailing, w->source, w->at, left, left, 0);
    tape_expert(w->tape, EXPERT_tls_trailing, w->source, w->at, left, left);
    tape_close(w->tape, at);
}

void walk_trailing(struct walk *w)
{
    if (w->at != w->end && !w->failed)
        show_trailing(w);
    w->at = w->end;
}

void walk_too_short(struct walk *w, uint32_t end)
{
    uint32_t lacks = w->lacks > 0 ? w->lacks : 1;
    uint32_t at = tape_open(w->tape, F_tls_too_much, w->source, end, 0, lacks, 0);
    tape_expert(w->tape, EXPERT_tls_too_much, w->source, end, 0, lacks);
    tape_close(w->tape, at);
    w->failed = false;
    w->at = w->end = end;
}

static void open_item(struct walk *w, struct frame *f, const struct row *row)
{
    if (f->open == MAX_SCOPES || (row->op == OP_OPEN_BYTES && !has(w, row->size))) {
        w->failed = true;
        return;
    }
    f->starts[f->open] = w->at;
    f->fixed[f->open] = row->op == OP_OPEN_BYTES;
    f->items[f->open++] = tape_open(w->tape, row->field, w->source, w->at,
                                    row->op == OP_OPEN_BYTES ? row->size : 0, 0, 0);
}

static void close_item(struct walk *w, struct frame *f, uint32_t size)
{
    if (f->open == 0)
        return;
    uint32_t item = f->items[--f->open];
    uint32_t start = f->starts[f->open];
    if (!f->fixed[f->open])
        tape_set_length(w->tape, item, w->at - start);
    else if (w->at == start)
        w->at += item == TAPE_NONE ? size : w->tape->events[item].length;
    tape_close(w->tape, item);
}

static void open_scope(struct walk *w, struct frame *f, uint64_t length)
{
    if (f->scopes == MAX_SCOPES) {
        w->failed = true;
        return;
    }
    uint32_t left = w->end - w->at;
    if (length > left) {
        w->lacks = (uint32_t)length - left;
        w->failed = true;
        return;
    }
    f->ends[f->scopes++] = w->end;
    w->end = w->at + (uint32_t)length;
}

/* A remark under item AT, which was just added, on two numbers. */
static void remark(struct walk *w, enum expert_id id, uint32_t at, uint32_t place, uint64_t number,
                   uint32_t limit)
{
    w->tape->depth++;
    tape_expert(w->tape, id, w->source, place, 0, number << 32 | limit);
    tape_close(w->tape, at);
}

/* The length of a vector: what is wrong with it is told, and ends the block when nothing can follow. */
static void vector(struct walk *w, struct frame *f, const struct row *row)
{
    uint32_t place = w->at, left = w->end - w->at, least = row->arg & 0xff, most = row->arg >> 8;
    if (left < row->size) {
        uint32_t at = tape_open(w->tape, F_tls_no_room, w->source, place, left, row->size, 0);
        tape_expert(w->tape, EXPERT_tls_no_room, w->source, place, 0, row->size);
        tape_close(w->tape, at);
        f->stopped = true;
        return;
    }
    uint32_t at = number(w, row->field, row->size, &w->value);
    if (w->value < least)
        remark(w, EXPERT_tls_too_short, at, place, w->value, least);
    if (w->value > most)
        remark(w, EXPERT_tls_too_long, at, place, w->value, most);
    left -= row->size;
    if (w->value > left) {
        remark(w, EXPERT_tls_too_small, at, place, w->value, left);
        f->stopped = true;
    }
}

/* Whether the string that is left goes on after a NUL, where its readers stop. */
static bool has_stray(const struct walk *w)
{
    struct slice s = slice_sub(w->bytes, w->at, w->end - w->at);
    bool ended = false;
    while (s.len > 0) {
        uint8_t byte = slice_u8(&s);
        if (ended && byte)
            return true;
        ended |= !byte;
    }
    return false;
}

static void take_rest(struct walk *w, const struct row *row)
{
    uint32_t left = w->end - w->at;
    if (left > 0 || row->op == OP_REST_OR_EMPTY) {
        uint32_t at = tape_add(w->tape, row->field, w->source, w->at, left, 0, 0);
        if (row->arg)
            tape_set_label(w->tape, at, row->arg);
        if (fields[row->field].type == TYPE_STRING && left > 1 && has_stray(w))
            remark(w, EXPERT_string_trailing_stray_characters, at, w->at, 0, 0);
    }
    w->at = w->end;
}

static bool is_condition(const struct row *row)
{
    const uint32_t conditions = 1u << OP_IF_MORE | 1u << OP_IF_EQ | 1u << OP_UNLESS_EQ |
                                1u << OP_IF_NONZERO | 1u << OP_IF_IN | 1u << OP_UNLESS_IN;
    return conditions >> row->op & 1;
}

/* The row after the ENDIF that belongs to ROW. */
static const struct row *after_endif(const struct row *row)
{
    unsigned depth = 0;
    for (;; row++) {
        if (row->op == OP_END)
            return row;
        if (is_condition(row))
            depth++;
        else if (row->op == OP_ENDIF && --depth == 0)
            return row + 1;
    }
}

static bool condition(const struct walk *w, const struct row *row)
{
    switch (row->op) {
    case OP_IF_MORE:
        return w->end > w->at;
    case OP_IF_EQ:
        return w->value == row->arg;
    case OP_UNLESS_EQ:
        return w->value != row->arg;
    case OP_IF_NONZERO:
        return w->value != 0;
    case OP_IF_IN:
        return (w->context & row->arg) != 0;
    default:
        return (w->context & row->arg) == 0;
    }
}

/* The row after the NEXT of the EACH at ROW. */
static const struct row *after_next(const struct row *row)
{
    while (row->op != OP_NEXT && row->op != OP_END)
        row++;
    return row->op == OP_END ? row : row + 1;
}

/* A list of numbers that nobody asks for is passed over at once, up to what is not a whole number. */
static void pass_list(struct walk *w, const struct row *row)
{
    uint32_t size = 0;
    if (row[2].op != OP_NEXT)
        return;
    if (row[1].op == OP_CALL && row[1].arg == CALL_extension)
        walk_pass_extensions(w);
    else if (row[1].op == OP_NUM && !tape_wants(w->tape, row[1].field))
        size = row[1].size;
    else if (row[1].op == OP_CALL && row[1].arg == CALL_signature_algorithm &&
             !walk_wants_signature_algorithm(w->tape->want))
        size = 2;
    if (size > 0)
        w->at = w->end - (w->end - w->at) % size;
}

/* Whether the EACH at ROW has another turn. */
static bool more(const struct walk *w, const struct row *row)
{
    return w->end - w->at >= (row->size ? row->size : 1u);
}

static const struct row *loop(struct walk *w, struct frame *f, const struct row *row)
{
    if (row->op == OP_EACH) {
        pass_list(w, row);
        f->loop = row;
        f->loop_at = w->at;
        return more(w, row) ? row + 1 : after_next(row);
    }
    bool moved = w->at > f->loop_at; /* a turn that reads nothing is the last */
    f->loop_at = w->at;
    return moved && f->loop && more(w, f->loop) ? f->loop + 1 : row + 1;
}

/* One row that is neither frequent nor changes the order of the rows. */
static void step(struct walk *w, struct frame *f, const struct row *row)
{
    switch (row->op) {
    case OP_PEEK:
        if (has(w, row->size))
            tape_add(w->tape, row->field, w->source, w->at, row->size, peek(w, row->size), 0);
        break;
    case OP_REST_SCOPE:
        open_scope(w, f, w->end - w->at);
        break;
    case OP_OPEN:
    case OP_OPEN_BYTES:
        open_item(w, f, row);
        break;
    case OP_CLOSE:
        close_item(w, f, 32);
        break;
    case OP_BYTES:
        if (has(w, row->size)) {
            tape_add(w->tape, row->field, w->source, w->at, row->size, 0, 0);
            w->at += row->size;
        }
        break;
    case OP_REST:
    case OP_REST_OR_EMPTY:
        take_rest(w, row);
        break;
    case OP_SKIP:
        if (has(w, row->size))
            w->at += row->size;
        break;
    case OP_SKIP_REST:
        w->at = w->end;
        break;
    case OP_CALL:
        walk_call(w, row->arg);
        break;
    case OP_RUN: {
        uint64_t kept = w->value; /* for the conditions that follow */
        walk_block(w, row->arg);
        w->value = kept;
        break;
    }
    case OP_WHOLE:
        tape_add(w->tape, row->field, w->source, w->at, w->end - w->at, 0, 0);
        break;
    case OP_PARTS:
        walk_parts(w, row->arg);
        break;
    default:
        break;
    }
}

void walk_parts(struct walk *w, enum block_id block)
{
    if (!tape_wants(w->tape, F_tls_parts) || w->at == w->end)
        return;
    struct walk inner = *w;
    uint32_t at =
        tape_open(w->tape, F_tls_parts, w->source, w->at, w->end - w->at, 0, EVENT_GENERATED);
    walk_block(&inner, block);
    if (inner.at < w->end)
        tape_add(w->tape, F_tls_parts_rest, w->source, inner.at, w->end - inner.at, 0, 0);
    tape_close(w->tape, at);
}

/* Runs one row, and returns the one that comes next; NULL at the end. */
static inline const struct row *advance(struct walk *w, struct frame *f, const struct row *row)
{
    switch (row->op) {
    case OP_END:
        return NULL;
    case OP_NUM:
        number(w, row->field, row->size, NULL);
        break;
    case OP_KEEP:
    case OP_LEN:
        number(w, row->field, row->size, &w->value);
        break;
    case OP_VECTOR:
        vector(w, f, row);
        break;
    case OP_SCOPE:
        open_scope(w, f, w->value);
        break;
    case OP_UNSCOPE:
        walk_trailing(w);
        if (f->scopes > 0)
            w->end = f->ends[--f->scopes];
        break;
    case OP_EACH:
    case OP_NEXT:
        return loop(w, f, row);
    case OP_IF_MORE:
    case OP_IF_EQ:
    case OP_UNLESS_EQ:
    case OP_IF_NONZERO:
    case OP_IF_IN:
    case OP_UNLESS_IN:
        return condition(w, row) ? row + 1 : after_endif(row);
    case OP_ENDIF:
        break;
    default:
        step(w, f, row);
        break;
    }
    return row + 1;
}

/* Passes over what is left behind a length that cannot be; it is from AT on, and shown as bytes. */
static void stop(struct walk *w, uint32_t at)
{
    if (at < w->end)
        tape_add(w->tape, F_tls_parts_rest, w->source, at, w->end - at, 0, 0);
    w->at = w->end;
}

bool walk_block(struct walk *w, enum block_id block)
{
    struct frame f; /* the arrays are filled as far as the counts say */
    f.scopes = f.open = 0;
    f.stopped = false;
    f.loop = NULL;
    f.loop_at = 0;
    const struct row *row = blocks[block];
    if (!row || ++w->depth > MAX_DEPTH)
        return !(w->failed = true);
    while (row && !w->failed && !f.stopped)
        row = advance(w, &f, row);
    uint32_t at = w->at;
    if (f.stopped)
        w->at = w->end;
    while (f.open > 0)
        close_item(w, &f, 0);
    if (f.scopes > 0)
        w->end = f.ends[0];
    if (f.stopped)
        stop(w, at);
    w->depth--;
    return !w->failed;
}
