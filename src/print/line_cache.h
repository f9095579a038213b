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
#define LINE_CACHE_MOST 64 /* bytes of nearly all lines */

struct kept_line {
    uint64_t head;   /* line_cache_head(); 0: nothing is kept here, for F_NONE has no events */
    uint64_t number; /* the value, or the bytes of a short one */
    uint32_t extra;
    uint8_t len;
    char text[LINE_CACHE_TEXT];
};
_Static_assert(offsetof(struct event, source) == 6 && offsetof(struct event, offset) == 8,
               "the head of an event");

/* Field, label, depth and flags of an event, without its source, as one number. */
static inline uint64_t line_cache_head(const struct event *e)
{
    static const uint8_t counted[8] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0};
    uint64_t head, mask;
    memcpy(&head, e, sizeof head);
    memcpy(&mask, counted, sizeof mask);
    return head & mask;
}

/* What the line of a field is kept under. */
enum line_fit {
    LINE_NOT_KEPT,
    LINE_BY_NUMBER,
    LINE_BY_NOTHING,
    LINE_BY_ADDRESS,
    LINE_LEFT_OUT, /* there is none, nor of what is below */
};

struct line_cache {
    bool ready;
    bool makers;      /* adapters are called by them */
    bool more, names; /* fields, and names of numbers, are those that tshark does not know, too */
    uint8_t fields[FIELD_COUNT]; /* enum line_fit */
    bool labels[LABEL_COUNT];    /* label_is_own() */
    struct kept_line lines[1 << LINE_CACHE_BITS];
};

/* Before the lines of a tape; MORE as print_options has it. */
void line_cache_begin(struct line_cache *cache, const struct tape *t, bool more);
void line_cache_keep(struct kept_line *line, const struct event *e, uint64_t number,
                     struct slice text);

/* The rare cases of the function below. */
bool line_cache_number(const struct tape *t, const struct event *e, enum line_fit fit,
                       uint64_t *number);
enum line_fit line_cache_fit(const struct line_cache *cache, const struct event *e);

/* Where the line of E is, or would be, kept, and the NUMBER that it is kept under; NULL when it depends on more than
 * the event, or hardly comes twice.  FIT is that of its field. */
static inline struct kept_line *line_cache_place(struct line_cache *cache, enum line_fit fit,
                                                 const struct tape *t, const struct event *e,
                                                 uint64_t *number)
{
    if (e->label)
        fit = line_cache_fit(cache, e);
    *number = e->value;
    if (fit == LINE_NOT_KEPT || (fit != LINE_BY_NUMBER && !line_cache_number(t, e, fit, number)))
        return NULL;
    uint64_t hash = *number + e->extra * UINT64_C(0x9e3779b1) + e->field * UINT64_C(0x85ebca6b);
    hash *= UINT64_C(0x9e3779b97f4a7c15);
    return &cache->lines[hash >> (64 - LINE_CACHE_BITS)];
}

static inline bool line_cache_has(const struct kept_line *line, const struct event *e,
                                  uint64_t number)
{
    return line->number == number && line->extra == e->extra && line->head == line_cache_head(e);
}

/* TO has room for LINE_CACHE_TEXT bytes. */
static inline uint8_t *line_cache_copy(uint8_t *to, const struct kept_line *line)
{
    memcpy(to, line->text, LINE_CACHE_MOST);
    if (line->len > LINE_CACHE_MOST)
        memcpy(to + LINE_CACHE_MOST, line->text + LINE_CACHE_MOST,
               LINE_CACHE_TEXT - LINE_CACHE_MOST);
    return to + line->len;
}

#endif
