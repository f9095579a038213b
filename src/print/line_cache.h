/* Lines of the tree that were written before.
 *
 * Most lines of a packet stand in others just so: versions, flags, cipher suites.  Where the text depends on nothing but
 * the event's own numbers, it is kept under them, and copied when they come again.  A line that is not here any more, or
 * is too long to be kept, is written anew: nothing depends on what is kept. */
#ifndef TLSWIRE_PRINT_LINE_CACHE_H
#define TLSWIRE_PRINT_LINE_CACHE_H

#include "base/pen_text.h"
#include "dissect/tape.h"

#define LINE_CACHE_BITS 10
#define LINE_CACHE_TEXT 104

struct kept_line {
    uint64_t value;
    uint32_t extra;
    uint16_t field, label;
    uint8_t depth, flags;
    bool more;   /* the names of numbers were those that tshark does not know, too */
    uint8_t len; /* 0: nothing is kept here */
    char text[LINE_CACHE_TEXT];
};

struct line_cache {
    bool ready;
    bool fit[LABEL_COUNT]; /* label_is_own() */
    struct kept_line lines[1 << LINE_CACHE_BITS];
};

/* Where the line of E is, or would be, kept; NULL when it depends on more than the event. */
struct kept_line *line_cache_place(struct line_cache *cache, const struct event *e);
void line_cache_begin(struct line_cache *cache);
void line_cache_keep(struct kept_line *line, const struct tape *t, const struct event *e,
                     struct slice text);

static inline bool line_cache_has(const struct kept_line *line, const struct tape *t,
                                  const struct event *e)
{
    return line->len > 0 && line->value == e->value && line->extra == e->extra &&
           line->field == e->field && line->label == e->label && line->depth == e->depth &&
           line->flags == e->flags && line->more == t->more;
}

#endif
