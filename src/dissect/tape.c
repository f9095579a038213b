#include "dissect/tape.h"

#include <stdlib.h>

#define USUAL_TEXT 2048 /* bytes: more than most packets' texts, which get longer as numbers do */

bool tape_init(struct tape *t)
{
    *t = (struct tape){.text = {.ceiling = (size_t)16 << 20}};
    return buf_room(&t->text, USUAL_TEXT) && tape_grow(t) != NULL;
}

void tape_free(struct tape *t)
{
    free(t->events);
    buf_free(&t->text);
    *t = (struct tape){0};
}

struct event *tape_grow(struct tape *t)
{
    uint32_t capacity = t->capacity ? t->capacity * 2 : 64;
    if (capacity > TAPE_MAX_EVENTS)
        capacity = TAPE_MAX_EVENTS;
    struct event *events =
        capacity > t->capacity ? realloc(t->events, capacity * sizeof *events) : NULL;
    if (!events) {
        t->full = true;
        return NULL;
    }
    t->events = events;
    t->capacity = capacity;
    return &t->events[t->count];
}

void tape_set_text(struct tape *t, uint32_t at, struct slice bytes)
{
    if (at == TAPE_NONE)
        return;
    size_t start = t->text.len;
    buf_slice_put(&t->text, bytes);
    struct event *e = &t->events[at];
    e->flags |= EVENT_IN_TEXT;
    e->value = (uint64_t)(t->text.len - start) << 32 | (uint32_t)start;
    if (t->text.failed)
        t->full = true;
}

void tape_expert(struct tape *t, enum expert_id id, uint8_t source, uint32_t offset,
                 uint32_t length, uint64_t number)
{
    const struct expert *expert = &experts[id];
    uint32_t at = tape_open(t, F__ws_expert, source, offset, length, number, EVENT_GENERATED);
    tape_set_extra(t, at, id);
    uint32_t own = tape_add(t, expert->field, 0, 0, 0, number, EVENT_GENERATED);
    tape_set_extra(t, own, id);
    uint32_t message =
        tape_add(t, F__ws_expert_message, 0, 0, 0, 0, EVENT_GENERATED | EVENT_HIDDEN);
    if (message != TAPE_NONE) {
        size_t start = t->text.len;
        expert_text(&t->text, expert, number);
        t->events[message].flags |= EVENT_IN_TEXT;
        t->events[message].value = (uint64_t)(t->text.len - start) << 32 | (uint32_t)start;
    }
    tape_add(t, F__ws_expert_severity, 0, 0, 0, expert->severity, EVENT_GENERATED);
    tape_add(t, F__ws_expert_group, 0, 0, 0, expert->group, EVENT_GENERATED);
    tape_close(t, at);
    if (expert->group == GROUP_MALFORMED) {
        /* For filters: a packet with such a remark is malformed. */
        at = tape_add(t, F__ws_malformed, source, offset, 0, 0, EVENT_HIDDEN);
        tape_set_label(t, at, LABEL_MALFORMED_HIDDEN);
    }
}

uint32_t tape_find(const struct tape *t, uint32_t at, enum field_id field)
{
    const struct event *events = t->events, *end = events + events[at].next;
    for (const struct event *e = events + at + 1; e < end; e++)
        if (e->field == field)
            return (uint32_t)(e - events);
    return TAPE_NONE;
}
