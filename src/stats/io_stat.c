/* -z io,stat: what passed in each interval of time. */
#include "stats/io_stat.h"

#include <math.h>
#include <stdlib.h>

const char *const io_names[IO_CALCULATIONS] = {
    [IO_FRAMES_BYTES] = "", [IO_FRAMES] = "FRAMES", [IO_BYTES] = "BYTES",
    [IO_COUNT] = "COUNT",   [IO_SUM] = "SUM",       [IO_MIN] = "MIN",
    [IO_MAX] = "MAX",       [IO_AVG] = "AVG",       [IO_LOAD] = "LOAD"};

/* ---- the argument ---- */

static bool take_field(struct io_column *c, struct slice name, struct error *error)
{
    const char *what = io_names[c->calculation];
    if (c->calculation <= IO_BYTES)
        return name.len == 0 ||
               error_set(error, ERROR_USAGE,
                         "%s does not require or allow a field name within the parens.", what);
    if (name.len == 0)
        return error_set(error, ERROR_USAGE, "You didn't specify a field name for %s(*).", what);
    c->field = field_find((const char *)name.data, name.len);
    if (c->field == F_NONE)
        return error_set(error, ERROR_USAGE, "There is no field named '%.*s'.",
                         (int)(name.len < 100 ? name.len : 100), (const char *)name.data);
    for (enum field_id id = c->field; id != F_NONE; id = field_same_name(id))
        c->fields[id / 8] |= (uint8_t)(1u << id % 8);
    uint8_t type = fields[c->field].type;
    c->is_time = type == TYPE_RELATIVE_TIME;
    c->is_signed = type >= TYPE_INT8 && type <= TYPE_INT64;
    bool number = (type >= TYPE_UINT8 && type <= TYPE_INT64) || c->is_time;
    if (c->calculation == IO_LOAD && !c->is_time)
        return error_set(error, ERROR_USAGE,
                         "LOAD() is only supported for relative-time fields such as smb.time");
    if (c->calculation > IO_COUNT && !number)
        return error_set(error, ERROR_USAGE,
                         "%.*s doesn't have integral values, so %s(*) calculations are not "
                         "supported on it.",
                         (int)(name.len < 100 ? name.len : 100), (const char *)name.data, what);
    c->is_time &= c->calculation != IO_COUNT;
    return true;
}

/* "SUM(tcp.len)" and what follows it; false when TEXT begins otherwise. */
static bool is_calculation(struct slice text, struct io_column *c)
{
    for (size_t i = IO_FRAMES; i < IO_CALCULATIONS; i++) {
        size_t len = strlen(io_names[i]);
        bool named = slice_is(slice_sub(text, 0, len), io_names[i]);
        bool alone = (i == IO_FRAMES || i == IO_BYTES) && text.len == len;
        if (named && (alone || slice_at(text, len) == '(')) {
            c->calculation = (enum io_calculation)i;
            return true;
        }
    }
    return false;
}

static bool take_column(struct io_stat *io, struct slice text, struct error *error)
{
    struct io_column *c = &io->columns[io->column_count];
    struct slice rest = text;
    if (io->column_count == IO_COLUMNS)
        return error_set(error, ERROR_USAGE, "io,stat takes %d filters at most", IO_COLUMNS);
    io->column_count++;
    c->text = text;
    if (is_calculation(text, c)) {
        slice_skip(&rest, strlen(io_names[c->calculation]));
        size_t close = 0;
        while (close < rest.len && slice_at(rest, close) != ')')
            close++;
        if (rest.len > 0 && close == rest.len)
            return error_set(error, ERROR_USAGE,
                             "Closing parenthesis missing from calculated expression.");
        if (!take_field(c, slice_sub(rest, 1, close > 0 ? close - 1 : 0), error))
            return false;
        slice_skip(&rest, rest.len > 0 ? close + 1 : 0);
    }
    char filter[512];
    if (rest.len >= sizeof filter)
        return error_set(error, ERROR_USAGE, "this filter of io,stat is too long");
    memset(filter, 0, sizeof filter);
    size_t len = rest.len;
    (void)slice_read(&rest, filter, len);
    struct error wrong = {0};
    if (len > 0 && !(c->filter = filter_compile(filter, &wrong)))
        return error_set(error, wrong.code,
                         "Couldn't register io,stat tap: Filter \"%.100s\" is invalid - %s", filter,
                         wrong.text);
    return true;
}

static bool check_times(const struct stat *s, struct error *error)
{
    enum time_format t = s->options->time;
    return (t != TIME_DELTA && t != TIME_DELTA_DISPLAYED && t != TIME_EPOCH) ||
           error_set(error, ERROR_USAGE,
                     "invalid -t operand. io,stat only supports -t <r|a|ad|adoy|u|ud|udoy>");
}

bool io_stat_open(struct stat *s, struct error *error)
{
    struct io_stat *io = stat_state(s, sizeof *io, error);
    const char *rest = stat_rest(s);
    char *end = NULL;
    if (!io || !check_times(s, error))
        return false;
    double seconds = strtod(rest, &end);
    if (end == rest || (*end && *end != ',') || (*end == ',' && end[1] == '\0') ||
        !isfinite(seconds) || seconds > 1e12)
        return error_set(error, ERROR_USAGE,
                         "invalid \"-z io,stat,<interval>[,<filter>][,<filter>]...\" argument");
    if (seconds > 0 && seconds < 0.000001)
        return error_set(error, ERROR_USAGE,
                         "\"-z\" interval must be >=0.000001 seconds or \"0\" for the entire "
                         "capture duration.");
    io->interval = seconds > 0 ? (uint64_t)(seconds * 1000000 + 0.5) : 0;
    for (rest = end; *rest == ',' || io->column_count == 0;) {
        const char *word = rest + (*rest == ',');
        size_t len = strcspn(word, ",");
        if (!take_column(io, slice_of(word, len), error))
            return false;
        rest = word + len;
    }
    return true;
}

static bool is_of(const struct io_column *c, unsigned field)
{
    return c->fields[field / 8] >> field % 8 & 1;
}

void io_stat_want(const struct stat *s, uint8_t *want)
{
    const struct io_stat *io = s->state;
    for (size_t i = 0; i < io->column_count; i++) {
        const struct io_column *c = &io->columns[i];
        if (c->filter)
            filter_wants(c->filter, want);
        for (unsigned id = 0; id < FIELD_COUNT; id++)
            want[id] |= is_of(c, id);
    }
}

/* ---- counting ---- */

static struct io_cell *cells_of(struct stat *s, size_t interval)
{
    struct io_stat *io = s->state;
    if (interval >= IO_CELLS / io->column_count)
        return NULL;
    if (interval >= io->room) {
        size_t room = interval < 32 ? 64 : interval * 2;
        size_t row = io->column_count * sizeof *io->cells;
        struct io_cell *grown = stat_enlarge(s, io->cells, io->room * row, room * row);
        if (!grown)
            return NULL;
        memset(grown + io->room * io->column_count, 0,
               (room - io->room) * io->column_count * sizeof *grown);
        io->cells = grown;
        io->room = room;
    }
    if (interval >= io->intervals)
        io->intervals = interval + 1;
    return io->cells + interval * io->column_count;
}

/* A load is spread over the time before the packet that tells of it. */
static void add_load(struct io_stat *io, size_t column, size_t interval, uint64_t at, int64_t load)
{
    uint64_t here = io->interval ? at % io->interval : at;
    while (load > 0) {
        uint64_t part = (uint64_t)load < here ? (uint64_t)load : here;
        io->cells[interval * io->column_count + column].value += (int64_t)part;
        load -= (int64_t)part;
        if (interval-- == 0 || io->interval == 0)
            return;
        here = io->interval;
    }
}

static void add_value(struct io_stat *io, size_t column, size_t interval, uint64_t at, int64_t v)
{
    struct io_cell *cell = &io->cells[interval * io->column_count + column];
    struct io_column *c = &io->columns[column];
    bool first = cell->bytes++ == 0;
    bool better = c->calculation == IO_MIN ? v < cell->value : v > cell->value;
    if (c->calculation == IO_SUM || c->calculation == IO_AVG)
        cell->value = (int64_t)((uint64_t)cell->value + (uint64_t)v);
    else if (c->calculation == IO_MIN || c->calculation == IO_MAX)
        cell->value = first || better ? v : cell->value;
    else if (c->calculation == IO_LOAD)
        add_load(io, column, interval, at, (v + 500) / 1000);
    int64_t now = c->calculation == IO_LOAD ? 0 : io_value(c, cell, 0);
    if (now > c->largest)
        c->largest = now;
}

static void add_packet(struct io_stat *io, size_t column, size_t interval, uint64_t at,
                       const struct dissection *d)
{
    const struct io_column *c = &io->columns[column];
    const struct tape *t = &d->tape;
    if (c->calculation <= IO_BYTES) {
        struct io_cell *cell = &io->cells[interval * io->column_count + column];
        cell->frames++;
        cell->bytes += d->packet->len;
        return;
    }
    for (uint32_t i = 0; i < t->count; i++) {
        const struct event *e = &t->events[i];
        if (!is_of(c, e->field))
            continue;
        int64_t value = (int64_t)e->value;
        add_value(io, column, interval, at, value);
    }
}

void io_stat_packet(struct stat *s, const struct dissection *d)
{
    struct io_stat *io = s->state;
    if (!io->has_first) {
        io->has_first = true;
        io->first_time = d->packet->time_ns - d->time_relative;
    }
    /* What is older than the first packet counts with it. */
    uint64_t at = d->time_relative < 0 ? 0 : ((uint64_t)d->time_relative + 500) / 1000;
    if (at > io->duration)
        io->duration = at;
    size_t interval = io->interval ? (size_t)(at / io->interval) : 0;
    if (!cells_of(s, interval)) {
        io->dropped++;
        return;
    }
    for (size_t i = 0; i < io->column_count; i++)
        if (!io->columns[i].filter || filter_match(io->columns[i].filter, &d->tape))
            add_packet(io, i, interval,
                       d->time_relative < 0 ? 0 : (uint64_t)d->time_relative / 1000, d);
}

/* Times are kept in nanoseconds, loads in microseconds. */
static int64_t value_of(const struct io_column *c, const struct io_cell *cell, uint64_t width)
{
    switch (c->calculation) {
    case IO_FRAMES:
        return (int64_t)cell->frames;
    case IO_FRAMES_BYTES:
    case IO_BYTES:
    case IO_COUNT:
        return (int64_t)cell->bytes;
    case IO_AVG:
        return cell->bytes == 0             ? 0
               : c->is_signed || c->is_time ? cell->value / (int64_t)cell->bytes
                                            : (int64_t)((uint64_t)cell->value / cell->bytes);
    case IO_LOAD:
        return width == 0 ? 0 : (int64_t)((double)cell->value * 1e9 / (double)width);
    case IO_SUM:
    case IO_MIN:
    case IO_MAX:
    case IO_CALCULATIONS:
        break;
    }
    return cell->value;
}

int64_t io_value(const struct io_column *c, const struct io_cell *cell, uint64_t width)
{
    int64_t value = value_of(c, cell, width);
    return c->is_time ? (value + (c->calculation == IO_LOAD ? 0 : 500)) / 1000 : value;
}

void io_stat_close(struct stat *s)
{
    struct io_stat *io = s->state;
    for (size_t i = 0; io && i < io->column_count; i++)
        filter_free(io->columns[i].filter);
    if (io)
        stat_release(s, io->cells, io->room * io->column_count * sizeof *io->cells);
    free(io);
}
