/* What the files of statistics share.  Nobody else includes this. */
#ifndef TLSWIRE_STATS_STATS_PRIVATE_H
#define TLSWIRE_STATS_STATS_PRIVATE_H

#include "filter/filter.h"
#include "stats/stats.h"
#include "stats/tally.h"

struct stat_kind;

/* What all -z of one reading share. */
struct stats_shared {
    struct budget budget;
    stats_drain *drain; /* NULL: the text stays in its buffer */
    void *context;
    struct buf info_tail; /* what stands behind the packet's Info column */
    struct buf scratch;
};

/* One -z. */
struct stat {
    const struct stat_kind *kind;
    const char *argument;    /* what stands after the name, from its comma on; "" */
    const char *filter_text; /* NULL: all packets */
    struct filter *filter;   /* owned */
    const struct print_options *options;
    struct stats_shared *shared;
    void *state; /* owned by the kind */
};

struct stat_kind {
    const char *name;
    unsigned variant; /* for kinds that share their functions */
    /* Reads the argument and makes the state; false: the error is set. */
    bool (*open)(struct stat *s, struct error *error);
    void (*want)(const struct stat *s, uint8_t *want); /* NULL: none */
    void (*packet)(struct stat *s, const struct dissection *d);
    void (*end)(struct stat *s, struct buf *out);
    void (*close)(struct stat *s); /* the state may be NULL or half made */
};

/* Ends with a row without a name. */
extern const struct stat_kind stat_kinds[];

/* Compiles TEXT as the filter of S; "" is none.  WHAT is how an error calls the statistic. */
bool stat_filter(struct stat *s, const char *text, const char *what, struct error *error);
/* The same, with the words of an error that stand before and after WHAT. */
bool stat_tap_filter(struct stat *s, const char *text, const char *before, const char *what,
                     const char *after, struct error *error);
/* The state, cleared; NULL and the error. */
void *stat_state(struct stat *s, size_t size, struct error *error);
/* Memory of S made larger, from OLD_SIZE to SIZE bytes, in the budget of all; NULL when it is spent. */
void *stat_enlarge(struct stat *s, void *old, size_t old_size, size_t size);
/* Frees what has SIZE bytes and was made by stat_enlarge(). */
void stat_release(struct stat *s, void *old, size_t size);
/* Lets go of what is written so far when it is much: call it after each line of what may be long. */
void stat_drain(const struct stat *s, struct buf *out);
/* The argument after its comma; "" when there is none. */
const char *stat_rest(const struct stat *s);
/* Takes the word up to the next comma from *REST; *REST is then after it. */
struct slice stat_word(const char **rest);
/* "12 kB", "883 bytes": from ten of a unit on it is used. */
void stat_size(struct buf *out, uint64_t bytes);
/* TEXT in at least WIDTH columns: to the right when WIDTH is positive, to the left when it is not. */
void stat_pad(struct buf *out, struct slice text, int width);
/* "127.0.0.1", "2001:db8::1", "00:00:00:00:00:00"; nothing when there is none. */
void stat_address(struct buf *out, const struct address *a);
/* The name when there is one and names are asked for; else the address. */
void stat_name(const struct stat *s, struct buf *out, const struct address *a);
/* Says what a ceiling left out, when it left out something. */
void stat_dropped(struct buf *out, const struct tally *tally, const char *what);

/* The functions of each kind. */
#define STAT_DECLARE(kind)                                          \
    bool kind##_open(struct stat *s, struct error *error);          \
    void kind##_want(const struct stat *s, uint8_t *want);          \
    void kind##_packet(struct stat *s, const struct dissection *d); \
    void kind##_end(struct stat *s, struct buf *out);               \
    void kind##_close(struct stat *s)

STAT_DECLARE(conversations);
STAT_DECLARE(expert_info);
STAT_DECLARE(follow);
STAT_DECLARE(hierarchy);
STAT_DECLARE(io_stat);
STAT_DECLARE(tls_table);
STAT_DECLARE(tree);
STAT_DECLARE(flow);
STAT_DECLARE(hosts);
STAT_DECLARE(colinfo);

#endif
