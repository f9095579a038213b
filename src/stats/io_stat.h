/* -z io,stat, shared by its two files; nobody else includes it. */
#ifndef TLSWIRE_STATS_IO_STAT_H
#define TLSWIRE_STATS_IO_STAT_H

#include "stats/stats_private.h"

#define IO_COLUMNS 64
#define IO_CELLS   (1u << 20) /* of all columns together */

enum io_calculation {
    IO_FRAMES_BYTES,
    IO_FRAMES,
    IO_BYTES,
    IO_COUNT,
    IO_SUM,
    IO_MIN,
    IO_MAX,
    IO_AVG,
    IO_LOAD,
    IO_CALCULATIONS
};

extern const char *const io_names[IO_CALCULATIONS];

struct io_column {
    enum io_calculation calculation;
    enum field_id field;
    uint8_t fields[(FIELD_COUNT + 7) / 8]; /* a bit for each field that has its name */
    int64_t largest;                       /* that was the column's for a time: it is as wide */
    bool is_time, is_signed;
    struct slice text;     /* as it was asked for; empty: all packets */
    struct filter *filter; /* owned; NULL: all */
};

/* What a column came to in an interval; times in microseconds. */
struct io_cell {
    uint64_t frames, bytes; /* bytes: of the frames, or occurrences of the field */
    int64_t value;
};

struct io_stat {
    uint64_t interval; /* microseconds; 0: all of the time is one */
    uint64_t duration;
    int64_t first_time;
    bool has_first;
    struct io_column columns[IO_COLUMNS];
    size_t column_count;
    struct io_cell *cells; /* owned; interval by interval */
    size_t intervals, room;
    uint64_t dropped; /* packets past the ceiling */
};

/* The cell's value as it is shown; interval WIDTH in microseconds. */
int64_t io_value(const struct io_column *c, const struct io_cell *cell, uint64_t width);

#endif
