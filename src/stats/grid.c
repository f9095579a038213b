#include "stats/grid.h"

#include <string.h>

#define MOST_BYTES ((size_t)32 << 20)

/* Columns that a terminal takes: characters of UTF-8, not bytes. */
static size_t width_of(struct slice text)
{
    size_t width = 0;
    for (size_t i = 0; i < text.len; i++)
        width += (slice_at(text, i) & 0xc0) != 0x80;
    return width;
}

struct buf *grid_cell(struct grid *g)
{
    return &g->cells;
}

static size_t start_of_cell(const struct grid *g)
{
    size_t start = g->cells.len;
    while (start > 0 && slice_at(buf_slice(&g->cells), start - 1) != '\0')
        start--;
    return start;
}

void grid_next(struct grid *g)
{
    size_t start = start_of_cell(g);
    if (g->cells.len == start)
        buf_char(&g->cells, '-');
    size_t width = width_of(slice_sub(buf_slice(&g->cells), start, g->cells.len - start));
    if (width > g->widths[g->at])
        g->widths[g->at] = width;
    buf_char(&g->cells, '\0');
    g->at = (g->at + 1) % g->columns;
}

void grid_text(struct grid *g, const char *text)
{
    buf_str(&g->cells, text ? text : "");
    grid_next(g);
}

void grid_number(struct grid *g, uint64_t number)
{
    buf_dec(&g->cells, number);
    grid_next(g);
}

void grid_init(struct grid *g, const char *titles)
{
    *g = (struct grid){.columns = 1, .cells = {.ceiling = MOST_BYTES}};
    for (const char *c = titles; *c; c++)
        g->columns += *c == '|';
    for (unsigned i = 0; i < g->columns; i++) {
        size_t len = strcspn(titles, "|");
        g->right[i] = *titles == '>';
        for (size_t c = g->right[i]; c < len; c++)
            buf_char(&g->cells, titles[c]);
        grid_next(g);
        titles += len + (titles[len] == '|');
    }
}

void grid_free(struct grid *g)
{
    buf_free(&g->cells);
}

void grid_write(struct grid *g, struct buf *out)
{
    struct slice rest = buf_slice(&g->cells);
    unsigned column = 0;
    while (rest.len > 0) {
        size_t len = strnlen((const char *)rest.data, rest.len);
        struct slice cell = slice_take(&rest, len);
        slice_skip(&rest, 1);
        size_t width = width_of(cell), missing = 0;
        if (g->widths[column] > width)
            missing = g->widths[column] - width;
        bool last = column + 1 == g->columns;
        if (g->right[column])
            buf_fill(out, ' ', missing);
        buf_slice_put(out, cell);
        if (!g->right[column] && !last)
            buf_fill(out, ' ', missing);
        buf_str(out, last ? "\n" : "  ");
        column = last ? 0 : column + 1;
    }
    if (g->cells.failed)
        buf_str(out, "[rows are missing: the table is too large]\n");
    buf_clear(&g->cells);
}
