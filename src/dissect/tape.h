/* The tape: what dissecting one packet gave, as a flat array of small events in pre-order.
 *
 * It is emptied for each packet and keeps its memory, so that a packet costs no allocation.
 * Filters, printers and explanations read the tape and never the bytes' format.  Values: numbers,
 * booleans, frame numbers     `value` times                                `value`, signed
 * nanoseconds bytes, strings, addresses, OIDs      the bytes at offset…offset+length of source
 * `source`, unless EVENT_IN_TEXT: then value>>32 bytes at (uint32_t)value of `text` headings,
 * protocols                  none (a label may use `value` and `extra`) Length may be 0 or differ
 * from the value's width: it is what a hex view would highlight. */
#ifndef TLSWIRE_DISSECT_TAPE_H
#define TLSWIRE_DISSECT_TAPE_H

#include "base/buf.h"
#include "base/names.h"
#include "base/slice.h"
#include "schema/schema.h"

enum event_flags {
    EVENT_GENERATED = 1, /* derived, not on the wire: [in brackets] */
    EVENT_HIDDEN = 2,    /* for filters; not in the tree */
    EVENT_IN_TEXT = 4,   /* the value's bytes are in the tape's `text` */
    EVENT_TRUNCATED = 8, /* the packet ended inside this item */
};

struct event {
    uint16_t field; /* enum field_id */
    uint16_t label; /* enum label_id; LABEL_USUAL means the field's own */
    uint8_t depth;  /* 0 for a protocol */
    uint8_t flags;  /* enum event_flags */
    uint8_t source; /* index into `sources` */
    uint8_t spare;
    uint32_t offset; /* in the source */
    uint32_t length;
    uint32_t next;  /* index of the first event after this one's subtree */
    uint32_t extra; /* second number for the label; for an expert, enum expert_id */
    uint64_t value;
};

/* A run of bytes that offsets refer to: the frame itself, a reassembled stream, a decrypted record.
 */
struct source {
    struct slice bytes;
    const char *name; /* "Frame", "Reassembled TCP", "Decrypted TLS" */
};

#define TAPE_NONE        UINT32_MAX
#define TAPE_MAX_EVENTS  1000000 /* as many as tshark's own ceiling */
#define TAPE_MAX_SOURCES 255

struct tape {
    struct event *events; /* owned */
    uint32_t count, capacity;
    struct source sources[TAPE_MAX_SOURCES];
    uint32_t source_count;
    struct buf text;           /* bytes of generated values */
    const uint8_t *want;       /* one byte a field id: not 0 when somebody asks for it */
    const struct names *names; /* of addresses; borrowed; NULL: none */
    bool makers;               /* adapters are called by their makers */
    uint32_t depth;            /* of the next event; stored up to 255 */
    bool more;                 /* numbers get the names that tshark 4.0.17 does not know, too */
    bool full;                 /* a ceiling was hit: events are missing, the output says so */
};

bool tape_init(struct tape *t);
void tape_free(struct tape *t);
/* Empties it for the next packet.  WANT is borrowed and has FIELD_COUNT bytes. */
static inline void tape_reset(struct tape *t, const uint8_t *want)
{
    t->count = 0;
    t->source_count = 0;
    t->depth = 0;
    t->full = false;
    t->want = want;
    buf_clear(&t->text);
}

/* Adds a source and returns its index; past the ceiling the last one is returned and `full` set. */
static inline uint8_t tape_source(struct tape *t, struct slice bytes, const char *name)
{
    if (t->source_count == TAPE_MAX_SOURCES) {
        t->full = true;
        return TAPE_MAX_SOURCES - 1;
    }
    t->sources[t->source_count] = (struct source){.bytes = bytes, .name = name};
    return (uint8_t)t->source_count++;
}

/* Out of line: makes room. */
struct event *tape_grow(struct tape *t);

/* Marks COUNT fields in WANT. */
static inline void want_fields(uint8_t *want, const uint16_t *ids, size_t count)
{
    for (size_t i = 0; i < count; i++)
        want[ids[i]] = 1;
}

static inline bool tape_wants(const struct tape *t, enum field_id field)
{
    return t->want[field] != 0;
}

/* Adds an event at the present depth.  Returns its index, or TAPE_NONE when nobody wants it. */
static inline uint32_t tape_add(struct tape *t, enum field_id field, uint8_t source,
                                uint32_t offset, uint32_t length, uint64_t value, unsigned flags)
{
    if (!t->want[field])
        return TAPE_NONE;
    if (t->count >= t->capacity && !tape_grow(t))
        return TAPE_NONE;
    struct event *e = &t->events[t->count];
    *e = (struct event){.field = (uint16_t)field,
                        .depth = (uint8_t)(t->depth < 255 ? t->depth : 255),
                        .flags = (uint8_t)flags,
                        .source = source,
                        .offset = offset,
                        .length = length,
                        .next = t->count + 1,
                        .value = value};
    return t->count++;
}

/* Adds an event whose children follow until tape_close().  Pass what it returned to tape_close,
 * TAPE_NONE too. */
static inline uint32_t tape_open(struct tape *t, enum field_id field, uint8_t source,
                                 uint32_t offset, uint32_t length, uint64_t value, unsigned flags)
{
    uint32_t at = tape_add(t, field, source, offset, length, value, flags);
    t->depth++;
    return at;
}

static inline void tape_close(struct tape *t, uint32_t at)
{
    if (t->depth > 0)
        t->depth--;
    if (at != TAPE_NONE)
        t->events[at].next = t->count;
}

/* For an event just added or opened; nothing when it is TAPE_NONE. */
static inline struct event *tape_at(struct tape *t, uint32_t at)
{
    return at == TAPE_NONE ? NULL : &t->events[at];
}

static inline void tape_set_length(struct tape *t, uint32_t at, uint32_t length)
{
    if (at != TAPE_NONE)
        t->events[at].length = length;
}

static inline void tape_set_label(struct tape *t, uint32_t at, enum label_id label)
{
    if (at != TAPE_NONE)
        t->events[at].label = (uint16_t)label;
}

static inline void tape_set_extra(struct tape *t, uint32_t at, uint32_t extra)
{
    if (at != TAPE_NONE)
        t->events[at].extra = extra;
}

/* The name of a number as the tape's readers show it; NULL when it has none. */
static inline const char *tape_name(const struct tape *t, enum registry registry, uint64_t number)
{
    const char *name = registry_compat(registry, number);
    return name || !t->more ? name : registry_name(registry, number);
}

/* Copies BYTES into the tape's text and makes them the value of event AT. */
void tape_set_text(struct tape *t, uint32_t at, struct slice bytes);

/* Adds a remark under the event that is open now: _ws.expert with its message, severity and group.
 * NUMBER fills the "%u" of its summary.  The place is the item that it is about. */
void tape_expert(struct tape *t, enum expert_id id, uint8_t source, uint32_t offset,
                 uint32_t length, uint64_t number);

/* The bytes that the event covers in its source. */
static inline struct slice event_covers(const struct tape *t, const struct event *e)
{
    return e->source < t->source_count
               ? slice_sub(t->sources[e->source].bytes, e->offset, e->length)
               : slice_empty();
}

/* The bytes of an event's value (bytes, strings, addresses, OIDs), wherever they are. */
static inline struct slice event_bytes(const struct tape *t, const struct event *e)
{
    if (e->flags & EVENT_IN_TEXT)
        return slice_sub(buf_slice(&t->text), (uint32_t)e->value, (size_t)(e->value >> 32));
    return event_covers(t, e);
}

/* First descendant of AT with this field; TAPE_NONE when there is none. */
uint32_t tape_find(const struct tape *t, uint32_t at, enum field_id field);

#endif
