#include "print/fields.h"

#include "print/columns.h"
#include "print/label.h"
#include "print/text.h"
#include "print/value.h"

#include <stdlib.h>

#define CELLS_MAX     16384
#define COLUMN_PREFIX "_ws.col."

struct cell {
    char *name;        /* as the user wrote it; owned */
    const char *title; /* of a column, in `name`; NULL for a field */
    uint16_t field;
    uint32_t count; /* values of this packet */
    struct buf text;
};

struct field_list {
    struct cell *cells; /* owned */
    size_t count, capacity;
    uint16_t cell_of[FIELD_COUNT]; /* 1 + index into cells; 0: not asked for */
    char separator, aggregator;
    char quote;      /* '\0': none */
    char occurrence; /* f, l, a */
    bool header, bom;
    struct buf scratch;
};

struct field_list *field_list_new(void)
{
    struct field_list *list = calloc(1, sizeof *list);
    if (list) {
        list->separator = '\t';
        list->aggregator = ',';
        list->occurrence = 'a';
    }
    return list;
}

void field_list_free(struct field_list *list)
{
    if (!list)
        return;
    for (size_t i = 0; i < list->count; i++) {
        free(list->cells[i].name);
        buf_free(&list->cells[i].text);
    }
    free(list->cells);
    buf_free(&list->scratch);
    free(list);
}

size_t field_list_count(const struct field_list *list)
{
    return list ? list->count : 0;
}

bool field_list_full(const struct field_list *list)
{
    return list->count == CELLS_MAX;
}

const char *field_list_name(const struct field_list *list, size_t cell)
{
    return list->cells[cell].name;
}

static struct cell *new_cell(struct field_list *list, const char *name)
{
    if (list->count == CELLS_MAX)
        return NULL;
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 16;
        struct cell *cells = realloc(list->cells, capacity * sizeof *cells);
        if (!cells)
            return NULL;
        list->cells = cells;
        list->capacity = capacity;
    }
    char *copy = strdup(name);
    if (!copy)
        return NULL;
    struct cell *cell = &list->cells[list->count++];
    *cell = (struct cell){.name = copy};
    return cell;
}

/* The title behind "_ws.col."; NULL when the name is a field's. */
static const char *title_in(const char *name)
{
    size_t prefix = sizeof COLUMN_PREFIX - 1;
    return strncmp(name, COLUMN_PREFIX, prefix) == 0 ? name + prefix : NULL;
}

bool field_list_add(struct field_list *list, const char *name)
{
    const char *title = title_in(name);
    enum field_id field = title ? F_NONE : field_find(name, strlen(name));
    if (!title && field == F_NONE)
        return false;
    struct cell *cell = new_cell(list, name);
    if (!cell)
        return false;
    cell->title = title ? cell->name + (title - name) : NULL;
    cell->field = (uint16_t)field;
    /* A name asked for twice fills its last cell only, as users of the format expect. */
    for (; field != F_NONE; field = field_same_name(field))
        list->cell_of[field] = (uint16_t)list->count;
    return true;
}

struct field_list *field_list_copy(const struct field_list *list)
{
    struct field_list *copy = field_list_new();
    for (size_t i = 0; copy && i < list->count; i++) {
        if (!field_list_add(copy, list->cells[i].name)) {
            field_list_free(copy);
            copy = NULL;
        }
    }
    if (!copy)
        return NULL;
    copy->separator = list->separator;
    copy->aggregator = list->aggregator;
    copy->quote = list->quote;
    copy->occurrence = list->occurrence;
    copy->header = list->header;
    copy->bom = list->bom;
    return copy;
}

/* ---- -E -----------------------------------------------------------------------------------------
 */

static bool set_flag(bool *flag, const char *value)
{
    bool yes = *value == 'y' || *value == 'Y';
    bool no = *value == 'n' || *value == 'N';
    if (yes || no)
        *flag = yes;
    return yes || no;
}

/* "/t" is a tab and "/s" a space, for the sake of shells. */
static bool set_character(char *to, const char *value)
{
    if (value[0] == '\0')
        return false;
    if (value[0] == '/' && value[1] != '\0')
        *to = value[1] == 't' ? '\t' : value[1] == 's' ? ' ' : '\\';
    else
        *to = value[0];
    return true;
}

static bool set_separator(struct field_list *list, const char *value)
{
    return *value != '\0' && set_character(&list->separator, value);
}

static bool set_aggregator(struct field_list *list, const char *value)
{
    return *value != '\0' && set_character(&list->aggregator, value);
}

static bool set_header(struct field_list *list, const char *value)
{
    return set_flag(&list->header, value);
}

static bool set_bom(struct field_list *list, const char *value)
{
    return set_flag(&list->bom, value);
}

static bool set_quote(struct field_list *list, const char *value)
{
    static const char quotes[128] = {['d'] = '"', ['s'] = '\'', ['n'] = '\1'};
    char quote = quotes[*value & 127];
    list->quote = quote == '\1' ? '\0' : quote;
    return quote != '\0';
}

static bool set_occurrence(struct field_list *list, const char *value)
{
    bool known = *value == 'f' || *value == 'l' || *value == 'a';
    if (known)
        list->occurrence = *value;
    return known;
}

bool field_list_option(struct field_list *list, const char *option)
{
    static const struct {
        const char *name;
        bool (*set)(struct field_list *list, const char *value);
    } settings[] = {
        {"header=", set_header},         {"bom=", set_bom},     {"separator=", set_separator},
        {"aggregator=", set_aggregator}, {"quote=", set_quote}, {"occurrence=", set_occurrence},
    };
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        size_t len = strlen(settings[i].name);
        if (strncmp(option, settings[i].name, len) == 0)
            return settings[i].set(list, option + len);
    }
    return false;
}

/* ---- printing -----------------------------------------------------------------------------------
 */

const char *field_list_title(const struct field_list *list, size_t cell)
{
    return list->cells[cell].title;
}

bool field_list_is_of(const struct field_list *list, size_t cell, uint16_t field)
{
    uint16_t own = list->cells[cell].field;
    return own == field ||
           (own != F_NONE && list->cell_of[own] > 0 && list->cell_of[own] == list->cell_of[field]);
}

static void separator(struct buf *out, const struct field_list *list, size_t cell)
{
    if (cell > 0 && list->separator != '\0')
        buf_char(out, list->separator);
}

const char *field_list_stray_column(const struct print_options *options)
{
    const struct field_list *list = options->list;
    for (size_t i = 0; i < list->count; i++) {
        const struct cell *cell = &list->cells[i];
        if (cell->title && columns_find(options, cell->title) == columns_count(options))
            return cell->name;
    }
    return NULL;
}

bool field_list_has_columns(const struct print_options *options)
{
    const struct field_list *list = options->list;
    for (size_t i = 0; i < list->count; i++)
        if (list->cells[i].title)
            return true;
    return false;
}

void fields_header(struct buf *out, const struct print_options *options)
{
    const struct field_list *list = options->list;
    if (list->bom)
        buf_str(out, "\xef\xbb\xbf");
    if (!list->header)
        return;
    for (size_t i = 0; i < list->count; i++) {
        separator(out, list, i);
        buf_str(out, list->cells[i].name);
    }
    buf_char(out, '\n');
}

void fields_footer(struct buf *out, const struct print_options *options)
{
    (void)out, (void)options;
}

void fields_want(const struct print_options *options, uint8_t *want)
{
    const struct field_list *list = options->list;
    for (size_t i = 0; i < list->count; i++)
        if (list->cells[i].title)
            columns_want(options, want);
    for (unsigned i = 0; i < FIELD_COUNT; i++) {
        if (list->cell_of[i] == 0)
            continue;
        want[i] = 1;
        if (fields[i].type == TYPE_PROTOCOL)
            label_want((enum field_id)i, want);
    }
}

/* Numbers and addresses have nothing to escape. */
static bool is_text(const struct field *field)
{
    return field->type == TYPE_STRING || field->type == TYPE_PROTOCOL;
}

/* A protocol is called by its line in the tree, where that says more than its name; "data" is its bytes. */
static void protocol_value(struct buf *out, const struct tape *t, uint32_t at)
{
    const struct event *e = &t->events[at];
    const char *name = fields[e->field].label;
    size_t before = out->len, len = fields[e->field].label_len;
    if (e->field == F_data) {
        value_hex(out, t, e);
        return;
    }
    if (label_has_text(e))
        label_write(out, t, at);
    bool more = out->len > before &&
                (out->len - before != len || memcmp(out->data + before, name, len) != 0);
    if (more)
        return;
    out->len = before;
    buf_str(out, fields[e->field].abbrev);
}

static void raw_value(struct buf *out, const struct tape *t, uint32_t at)
{
    const struct event *e = &t->events[at];
    if (fields[e->field].type == TYPE_PROTOCOL)
        protocol_value(out, t, at);
    else
        value_cell(out, t, e);
}

/* False when the value that comes is not asked for. */
static bool make_place(struct field_list *list, struct cell *cell)
{
    if (list->occurrence == 'f' && cell->count > 0)
        return false;
    if (list->occurrence == 'l') {
        buf_clear(&cell->text);
        cell->count = 0;
    }
    cell->count++;
    return true;
}

static void add_value(struct field_list *list, struct cell *cell, const struct tape *t, uint32_t at,
                      bool terminal)
{
    if (!make_place(list, cell))
        return;
    if (cell->count > 1 && list->aggregator != '\0')
        buf_char(&cell->text, list->aggregator);
    if (!is_text(&fields[t->events[at].field])) {
        raw_value(&cell->text, t, at);
        return;
    }
    buf_clear(&list->scratch);
    raw_value(&list->scratch, t, at);
    text_cell(&cell->text, buf_slice(&list->scratch), terminal);
}

static void fill_columns(const struct print_options *options, const struct dissection *d)
{
    struct field_list *list = options->list;
    for (size_t i = 0; i < list->count; i++) {
        struct cell *cell = &list->cells[i];
        cell->count = 0;
        buf_clear(&cell->text);
        size_t column = cell->title ? columns_find(options, cell->title) : 0;
        if (!cell->title || column >= columns_count(options))
            continue;
        columns_write(&cell->text, column, options, d);
        cell->count = 1;
    }
}

void field_list_fill(const struct print_options *options, const struct dissection *d)
{
    struct field_list *list = options->list;
    const struct tape *t = &d->tape;
    fill_columns(options, d);
    for (uint32_t i = 0; i < t->count; i++) {
        uint16_t at = list->cell_of[t->events[i].field];
        struct cell *cell = &list->cells[at > 0 ? at - 1 : 0];
        if (at == 0 || !make_place(list, cell))
            continue;
        if (cell->count > 1)
            buf_char(&cell->text, FIELD_VALUE_END);
        raw_value(&cell->text, t, i);
    }
}

struct field_values field_list_values(const struct field_list *list, size_t cell)
{
    const struct cell *c = &list->cells[cell];
    return (struct field_values){.rest = buf_slice(&c->text), .left = c->count};
}

bool field_values_next(struct field_values *values, struct slice *text)
{
    size_t len = 0;
    if (values->left == 0)
        return false;
    values->left--;
    while (len < values->rest.len && slice_at(values->rest, len) != FIELD_VALUE_END)
        len++;
    *text = slice_sub(values->rest, 0, len);
    slice_skip(&values->rest, len < values->rest.len ? len + 1 : len);
    return true;
}

void fields_packet(struct buf *out, const struct print_options *options, const struct dissection *d)
{
    struct field_list *list = options->list;
    const struct tape *t = &d->tape;
    fill_columns(options, d);
    for (uint32_t i = 0; i < t->count; i++) {
        uint16_t at = list->cell_of[t->events[i].field];
        if (at > 0)
            add_value(list, &list->cells[at - 1], t, i, options->terminal);
    }
    for (size_t i = 0; i < list->count; i++) {
        const struct cell *cell = &list->cells[i];
        separator(out, list, i);
        if (cell->count == 0)
            continue;
        if (list->quote)
            buf_char(out, list->quote);
        buf_slice_put(out, buf_slice(&cell->text));
        if (list->quote)
            buf_char(out, list->quote);
    }
    buf_char(out, '\n');
}
