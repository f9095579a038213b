/* The box of -z io,stat. */
#include "print/clock_text.h"
#include "stats/io_stat.h"

#define LEAST_WHOLE 33  /* columns inside the box when all of the time is one interval */
#define MOST_TEXT   100 /* columns inside, that a filter's text may widen it to */

/* The box as it is laid out. */
struct box {
    const struct stat *s;
    const struct io_stat *io;
    struct buf *out;
    uint64_t interval; /* as shown */
    unsigned decimals;
    bool whole;
    size_t digits; /* of the seconds */
    size_t first;  /* columns of the first column, inside its bars */
    size_t widths[IO_COLUMNS], frames[IO_COLUMNS];
    size_t table, inner;
    size_t line; /* where the present line began in `out` */
};

static size_t digits_of(uint64_t number)
{
    size_t digits = 1;
    while (number >= 10) {
        number /= 10;
        digits++;
    }
    return digits;
}

/* Microseconds as seconds with so many decimals, rounded. */
static void put_seconds(struct buf *out, uint64_t us, unsigned decimals, size_t width)
{
    uint64_t unit = 1000000;
    for (unsigned i = 0; i < decimals; i++)
        unit /= 10;
    uint64_t units = (us + unit / 2) / unit, scale = 1000000 / unit;
    buf_dec_pad(out, units / scale, width, ' ');
    if (decimals > 0) {
        buf_char(out, '.');
        buf_dec_pad(out, units % scale, decimals, '0');
    }
}

static unsigned decimals_of(uint64_t us)
{
    unsigned decimals = 6;
    while (decimals > 0 && us % 10 == 0) {
        us /= 10;
        decimals--;
    }
    return decimals;
}

static size_t value_width(const struct io_column *c, int64_t value)
{
    uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    bool time = c->is_time;
    return digits_of(time ? size / 1000000 : size) + (time ? 7 : 0) + (value < 0);
}

static size_t rows_of(const struct io_stat *io)
{
    if (io->duration == 0)
        return 0;
    uint64_t rows = io->interval == 0 ? 1 : (io->duration + io->interval - 1) / io->interval;
    uint64_t most = io->dropped ? io->intervals : IO_CELLS / io->column_count;
    return (size_t)(rows < most ? rows : most);
}

static uint64_t row_end(const struct box *b, size_t row)
{
    uint64_t end = b->whole ? b->io->duration : (row + 1) * b->interval;
    return end > b->io->duration ? b->io->duration : end;
}

static const struct io_cell *cell_at(const struct io_stat *io, size_t row, size_t column)
{
    static const struct io_cell none;
    return row < io->intervals ? &io->cells[row * io->column_count + column] : &none;
}

static int64_t value_at(const struct box *b, size_t row, size_t column)
{
    uint64_t length = row_end(b, row) - (b->whole ? 0 : row * b->interval);
    return io_value(&b->io->columns[column], cell_at(b->io, row, column), length);
}

static void widest(size_t *width, size_t other)
{
    *width = other > *width ? other : *width;
}

/* Columns that a column takes, without the bar before it. */
static size_t taken(const struct box *b, size_t column)
{
    bool both = b->io->columns[column].calculation == IO_FRAMES_BYTES;
    return b->widths[column] + 2 + (both ? b->frames[column] + 3 : 0);
}

static bool is_date(const struct box *b)
{
    enum time_format t = b->s->options->time;
    return t == TIME_DATE || t == TIME_DAY_OF_YEAR || t == TIME_UTC_DATE ||
           t == TIME_UTC_DAY_OF_YEAR;
}

static void measure(struct box *b)
{
    const struct io_stat *io = b->io;
    size_t rows = rows_of(io);
    b->table = b->first;
    for (size_t i = 0; i < io->column_count; i++) {
        const struct io_column *c = &io->columns[i];
        b->widths[i] = c->calculation == IO_FRAMES_BYTES ? 5 : strlen(io_names[c->calculation]);
        b->frames[i] = 6;
        if (c->calculation >= IO_SUM)
            widest(&b->widths[i], value_width(c, c->largest));
        for (size_t row = 0; row < rows; row++) {
            widest(&b->widths[i], value_width(c, value_at(b, row, i)));
            widest(&b->frames[i], digits_of(cell_at(io, row, i)->frames));
        }
        b->table += 1 + taken(b, i);
    }
    b->inner = b->table;
    if (b->whole)
        widest(&b->inner, LEAST_WHOLE);
    for (size_t i = 0; i < io->column_count; i++) {
        size_t text =
            io->columns[i].text.len ? io->columns[i].text.len : strlen("Frames and bytes");
        text += digits_of(i + 1) > 1 ? 10 : 9;
        widest(&b->inner, text < MOST_TEXT ? text : MOST_TEXT);
    }
}

static void layout(struct box *b)
{
    const struct io_stat *io = b->io;
    b->whole = io->interval == 0 || io->interval >= io->duration;
    b->interval = b->whole ? io->duration : io->interval;
    b->decimals = !b->whole ? decimals_of(io->interval) : io->duration > 10 * 1000000 ? 1 : 3;
    b->digits = digits_of(io->duration / 1000000);
    b->first = 2 * (b->digits + (b->decimals ? 1 + b->decimals : 0)) + 6;
    widest(&b->first, 10);
    if (is_date(b))
        b->first = 21;
    measure(b);
}

/* ---- lines ---- */

static void start_line(struct box *b)
{
    b->line = b->out->len;
    buf_char(b->out, '|');
}

static void end_line(struct box *b)
{
    size_t used = b->out->len - b->line - 1;
    buf_fill(b->out, ' ', used < b->inner ? b->inner - used : 0);
    buf_str(b->out, "|\n");
}

/* The table may be narrower than the box: its last bar, then the box's. */
static void end_row(struct box *b)
{
    if (b->table < b->inner)
        buf_char(b->out, '|');
    end_line(b);
}

static void put_line(struct box *b, const char *text)
{
    start_line(b);
    buf_str(b->out, text);
    end_line(b);
}

static void put_rule(struct box *b, char c, size_t len)
{
    buf_fill(b->out, c, len);
}

static void put_span(struct box *b, const char *title, uint64_t us, bool exact)
{
    start_line(b);
    buf_printf(b->out, " %s: ", title);
    if (exact) {
        buf_printf(b->out, "%llu.", (unsigned long long)(us / 1000000));
        if (us % 1000000)
            buf_printf(b->out, "%06llu", (unsigned long long)(us % 1000000));
    } else {
        put_seconds(b->out, us, b->decimals, 0);
    }
    buf_str(b->out, " secs");
    end_line(b);
}

/* The filter's text, on as many lines as it needs, broken after blanks. */
static void put_filter(struct box *b, size_t column)
{
    struct slice text = b->io->columns[column].text;
    char number[16];
    struct buf label = {.ceiling = sizeof number};
    if (text.len == 0)
        text = slice_of_str("Frames and bytes");
    buf_printf(&label, "%*zu: ", column < 9 ? 1 : 2, column + 1);
    bool first = true;
    while (text.len > 0) {
        size_t room = b->inner - 9 - (label.len > 3), len = text.len;
        if (len > room) {
            len = room;
            while (len > 0 && slice_at(text, len - 1) != ' ')
                len--;
            len = len ? len : room;
        }
        start_line(b);
        buf_str(b->out, first && column == 0 ? " Col " : "     ");
        if (first)
            buf_slice_put(b->out, buf_slice(&label));
        else
            buf_fill(b->out, ' ', label.len);
        buf_escaped(b->out, slice_take(&text, len));
        end_line(b);
        first = false;
    }
    buf_free(&label);
}

static void put_centred(struct box *b, const char *text, size_t width)
{
    size_t len = strlen(text), missing = width - len;
    buf_str(b->out, "| ");
    buf_fill(b->out, ' ', (missing + 1) / 2);
    buf_str(b->out, text);
    buf_fill(b->out, ' ', missing / 2 + 1);
}

static void put_titles(struct box *b)
{
    const struct io_stat *io = b->io;
    buf_char(b->out, '|');
    put_rule(b, '-', b->inner);
    buf_str(b->out, "|\n");
    start_line(b);
    buf_fill(b->out, ' ', b->first);
    for (size_t i = 0; i < io->column_count; i++) {
        size_t start = b->out->len;
        buf_printf(b->out, "|%zu", i + 1);
        buf_fill(b->out, ' ', taken(b, i) + 1 - (b->out->len - start));
    }
    end_row(b);
    start_line(b);
    const char *title = is_date(b)                             ? "Date and time"
                        : b->s->options->time == TIME_RELATIVE ? "Interval"
                                                               : "Time";
    buf_printf(b->out, " %s", title);
    buf_fill(b->out, ' ', b->first - 1 - strlen(title));
    for (size_t i = 0; i < io->column_count; i++) {
        const struct io_column *c = &io->columns[i];
        if (c->calculation == IO_FRAMES_BYTES)
            put_centred(b, "Frames", b->frames[i]);
        put_centred(b, c->calculation == IO_FRAMES_BYTES ? "Bytes" : io_names[c->calculation],
                    b->widths[i]);
    }
    end_row(b);
    start_line(b);
    put_rule(b, '-', b->table);
    end_row(b);
}

static void put_time(struct box *b, size_t row)
{
    int64_t at = b->io->first_time + (int64_t)(row * b->interval) * 1000;
    bool utc = b->s->options->time >= TIME_UTC;
    enum time_format t = b->s->options->time;
    size_t start = b->out->len;
    buf_char(b->out, ' ');
    if (t == TIME_ABSOLUTE || t == TIME_UTC) {
        clock_text_time(b->out, at, utc, 0);
    } else if (t == TIME_DATE || t == TIME_UTC_DATE) {
        clock_text_date(b->out, at, utc, 0);
    } else if (t == TIME_DAY_OF_YEAR || t == TIME_UTC_DAY_OF_YEAR) {
        clock_text_day_of_year(b->out, at, utc, 0);
    } else if (b->decimals > 0) {
        put_seconds(b->out, row * b->interval, b->decimals, b->digits);
        buf_str(b->out, " <> ");
        put_seconds(b->out, row_end(b, row), b->decimals, b->digits);
    } else {
        bool last = (row + 1) * b->interval > b->io->duration || row + 1 == rows_of(b->io);
        buf_str(b->out, b->digits == 1 ? " " : "");
        buf_dec_pad(b->out, row * b->interval / 1000000, b->digits, ' ');
        buf_str(b->out, " <> ");
        if (last)
            buf_str(b->out, "Dur");
        else
            buf_dec_pad(b->out, (row + 1) * b->interval / 1000000, b->digits, ' ');
    }
    size_t used = b->out->len - start;
    buf_fill(b->out, ' ', used < b->first ? b->first - used : 0);
}

static void put_value(struct box *b, size_t row, size_t i)
{
    const struct io_column *c = &b->io->columns[i];
    int64_t value = value_at(b, row, i);
    if (c->calculation == IO_FRAMES_BYTES) {
        buf_str(b->out, "| ");
        buf_dec_pad(b->out, cell_at(b->io, row, i)->frames, b->frames[i], ' ');
        buf_char(b->out, ' ');
    }
    buf_str(b->out, "| ");
    size_t width = value_width(c, value);
    buf_fill(b->out, ' ', b->widths[i] - width);
    if (value < 0)
        buf_char(b->out, '-');
    uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    if (c->is_time) {
        buf_dec(b->out, size / 1000000);
        buf_char(b->out, '.');
        buf_dec_pad(b->out, size % 1000000, 6, '0');
    } else {
        buf_dec(b->out, size);
    }
    buf_char(b->out, ' ');
}

void io_stat_end(struct stat *s, struct buf *out)
{
    struct box b = {.s = s, .io = s->state, .out = out};
    layout(&b);
    buf_char(out, '\n');
    put_rule(&b, '=', b.inner + 2);
    buf_char(out, '\n');
    put_line(&b, " IO Statistics");
    put_line(&b, "");
    put_span(&b, "Duration", b.io->duration, b.decimals == 0);
    start_line(&b);
    buf_str(out, " Interval: ");
    put_seconds(out, b.interval, b.decimals, b.decimals == 0 ? b.digits : 0);
    buf_str(out, " secs");
    end_line(&b);
    put_line(&b, "");
    for (size_t i = 0; i < b.io->column_count; i++)
        put_filter(&b, i);
    put_titles(&b);
    for (size_t row = 0; row < rows_of(b.io); row++) {
        start_line(&b);
        put_time(&b, row);
        for (size_t i = 0; i < b.io->column_count; i++)
            put_value(&b, row, i);
        end_row(&b);
        stat_drain(s, out);
    }
    put_rule(&b, '=', b.inner + 2);
    buf_char(out, '\n');
    if (b.io->dropped > 0)
        buf_printf(out, "[%llu packets came in intervals past the %llu values that are kept]\n",
                   (unsigned long long)b.io->dropped,
                   (unsigned long long)(b.io->intervals * b.io->column_count));
}
