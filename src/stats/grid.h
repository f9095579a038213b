/* A table for people: cells are added row by row, and written in columns as wide as the widest. */
#ifndef TLSWIRE_STATS_GRID_H
#define TLSWIRE_STATS_GRID_H

#include "base/buf.h"

#define GRID_COLUMNS 32

struct grid {
    struct buf cells; /* each ended by a NUL */
    unsigned columns, at;
    size_t widths[GRID_COLUMNS];
    bool right[GRID_COLUMNS]; /* numbers */
};

/* TITLES with '|' between; one that begins with '>' is of numbers, which stand to the right. */
void grid_init(struct grid *g, const char *titles);
void grid_free(struct grid *g);
/* The buffer that takes the text of the next cell; grid_next() ends it.  Nothing is escaped here. */
struct buf *grid_cell(struct grid *g);
void grid_next(struct grid *g);
/* A whole cell; "-" for NULL or "". */
void grid_text(struct grid *g, const char *text);
void grid_number(struct grid *g, uint64_t number);
/* Writes all rows, titles first, and empties it. */
void grid_write(struct grid *g, struct buf *out);

#endif
