/* What is printed of a packet, and how.
 *
 * A printer writes text into a buffer and knows no file; whoever owns the sink flushes it.  The
 * choices of -T are the rows of the table in print.c: a new one is a file with three functions and
 * a row. */
#ifndef TLSWIRE_PRINT_PRINT_H
#define TLSWIRE_PRINT_PRINT_H

#include "print/clock_text.h"
#include "print/fields.h"
#include "print/hexdump.h"
#include "print/keep.h"
#include "print/line_cache.h"
#include "stream/dissection.h"

/* -t */
enum time_format {
    TIME_RELATIVE,        /* r: since the first packet */
    TIME_ABSOLUTE,        /* a */
    TIME_DATE,            /* ad */
    TIME_DAY_OF_YEAR,     /* adoy */
    TIME_DELTA,           /* d: since the packet before */
    TIME_DELTA_DISPLAYED, /* dd: since the packet shown before */
    TIME_EPOCH,           /* e */
    TIME_UTC,             /* u */
    TIME_UTC_DATE,        /* ud */
    TIME_UTC_DAY_OF_YEAR, /* udoy */
};

#define TIME_DECIMALS_AUTO 10 /* as many as the capture states */

struct column_list;

#define EK_KEY_BYTES 120

/* A field's key in -T ek, made when the field is met first. */
struct ek_key {
    uint16_t same; /* the first field of its name: what is grouped by name is grouped by it */
    bool made;
    uint8_t len; /* 0: it is too long to be kept */
    char text[EK_KEY_BYTES];
};

/* What a printer keeps from packet to packet, so that nothing is allocated for one. */
struct print_state {
    struct buf scratch;
    struct clock_cache clock;
    struct line_cache lines;
    struct ek_key keys[FIELD_COUNT];
};

/* Colours of a line: red, green and blue. */
struct ink {
    uint8_t letters[3], ground[3];
};

struct print_options {
    enum time_format time;
    uint8_t time_decimals;        /* 0 to 9, or TIME_DECIMALS_AUTO */
    bool spans_in_hours;          /* -u hms */
    bool summary;                 /* -P, or nothing else asked for */
    bool tree;                    /* -V, -O, or a format that is nothing else */
    bool hex;                     /* -x */
    struct hexdump_form hex_form; /* --hexdump */
    const uint8_t
        *expanded;    /* -O: FIELD_COUNT bytes, not 0 at protocols to show in full; NULL: all */
    struct keep keep; /* -j, -J */
    bool unique_keys; /* --no-duplicate-keys */
    uint64_t printed; /* packets printed before */
    const struct ink *ink; /* of the next packet's line; NULL: as the terminal has it */
    const struct buf
        *info_tail;        /* what stands behind the next packet's Info column; NULL: nothing */
    const char *separator; /* -S: the line after a packet's tree or bytes; NULL means "" */
    const struct column_list *columns; /* of the summary line; NULL: the usual ones */
    char delimiter;                    /* between columns; '\0': a space */
    struct print_state *state;       /* that trees, ek and jsonl work in; may be NULL for others */
    struct field_list *list;         /* -e and -E, for -T fields */
    struct ladder *ladder;           /* what the ladder keeps between packets (print/ladder.h) */
    const struct names *names;       /* of addresses, to be shown; NULL: none are */
    bool makers;                     /* adapters are called by their makers */
    const struct names *known_names; /* those that were met, shown or not; may be NULL */
    const char *capture_name;        /* for headers that name the capture; not escaped */
    int64_t started_ns;              /* when the program started, since 1970: for headers */
    bool
        more; /* -o tlswire.dissect_more: show what tshark 4.0.17 does not, and call it by its name */
    bool terminal; /* the text goes to a terminal: no control bytes, whatever the format says */
};

struct printer {
    const char *name; /* after -T */
    void (*header)(struct buf *out, const struct print_options *options);
    void (*packet)(struct buf *out, const struct print_options *options,
                   const struct dissection *d);
    void (*footer)(struct buf *out, const struct print_options *options);
    /* Marks the fields that the packets' tapes must hold, in WANT of FIELD_COUNT bytes. */
    void (*want)(const struct print_options *options, uint8_t *want);
};

/* Whether the formats that are tshark's leave the event out, and what is below it. */
static inline bool print_omits(const struct print_options *options, const struct event *e)
{
    return fields[e->field].more && !options->more;
}

/* NULL when there is none of this name. */
const struct printer *printer_find(const char *name);
/* True when two threads may print packets at a time, and it is work enough to be worth it. */
bool printer_apart(const struct printer *printer, const struct print_options *options);
/* True when it keeps nothing from packet to packet but in the list of fields, and its text of each stands alone: two
 * threads, each with a list, may print the packets of one capture. */
bool printer_by_halves(const struct printer *printer, const struct print_options *options);
/* True when it has no header and shows what -P, -V and -x say. */
bool printer_is_text(const struct printer *printer);
/* Whether it prints the summary's columns, in whatever dress, and details only with print_options.tree. */
bool printer_is_lines(const struct printer *printer);
/* True when it is XML, where colours are attributes. */
bool printer_is_xml(const struct printer *printer);
/* The names, in the order of the table; NULL after the last. */
const char *printer_name(size_t index);

/* Reads "ad", "r", "udoy" and, after a dot, decimals: "e.3", ".6". False when it is none of them.
 */
bool print_time_option(struct print_options *options, const char *text);

#endif
