/* -z proto,colinfo: values of a field behind the Info column of the packets that pass a filter. */
#include "print/clock_text.h"
#include "print/value.h"
#include "stats/stats_private.h"

#include <stdlib.h>
#include <string.h>

#define SECOND_NS 1000000000

struct colinfo {
    enum field_id field;
    char filter[]; /* its text, for the errors that name it */
};

/* The filter may have commas itself: the last one is before the field. */
bool colinfo_open(struct stat *s, struct error *error)
{
    const char *rest = stat_rest(s), *comma = strrchr(rest, ',');
    if (!comma || comma[1] == '\0')
        return error_set(error, ERROR_USAGE,
                         "invalid \"-z proto,colinfo,<filter>,<field>\" argument");
    size_t len = (size_t)(comma - rest);
    struct colinfo *c = stat_state(s, sizeof *c + len + 1, error);
    if (!c)
        return false;
    memcpy(c->filter, rest, len);
    c->field = field_find(comma + 1, strlen(comma + 1));
    if (c->field == F_NONE) {
        struct buf name = {.ceiling = 256};
        buf_escaped(&name, slice_of_str(comma + 1));
        error_set(error, ERROR_USAGE, "Field \"%.*s\" doesn't exist.", (int)name.len,
                  name.data ? (const char *)name.data : "");
        buf_free(&name);
        return false;
    }
    return stat_filter(s, c->filter, "proto,colinfo tap", error);
}

void colinfo_want(const struct stat *s, uint8_t *want)
{
    const struct colinfo *c = s->state;
    for (enum field_id id = c->field; id != F_NONE; id = field_same_name(id))
        want[id] = 1;
}

/* In quotes, as a filter has it: what stands there can be pasted into one. */
static void put_quoted(struct buf *out, struct slice text)
{
    static const char special[] = "\"\\\t\n\r", letters[] = "\"\\tnr";
    buf_char(out, '"');
    for (size_t at = 0, from = 0; at <= text.len; at++) {
        const char *found = at < text.len && text.data[at] ? strchr(special, text.data[at]) : NULL;
        if (at < text.len && !found)
            continue;
        buf_escaped(out, slice_sub(text, from, at - from));
        from = at + 1;
        if (found) {
            buf_char(out, '\\');
            buf_char(out, letters[found - special]);
        }
    }
    buf_char(out, '"');
}

static void put_time(struct buf *out, int64_t ns)
{
    buf_char(out, '"');
    clock_text_date(out, ns, false, ns % SECOND_NS != 0 ? 9 : 0);
    clock_text_offset(out, ns);
    buf_char(out, '"');
}

/* A number that is shown by its name alone. */
static bool is_word(const struct field *field)
{
    return field->registry == REG_CHECKSUM_STATUS ||
           (field->registry != REG_NONE && field->display == SHOW_NONE &&
            field->type != TYPE_BOOLEAN);
}

/* Masked numbers have as many digits as their bits need. */
static void put_plain(struct buf *out, const struct tape *t, const struct event *e)
{
    const struct field *field = &fields[e->field];
    if (is_word(field)) {
        const char *name = registry_compat(field->registry, e->value);
        buf_str(out, name ? name : "");
    } else if (field->mask != 0 && field->display == SHOW_HEX) {
        buf_str(out, "0x");
        buf_hex(out, e->value, ((size_t)__builtin_popcountll(field->mask) + 3) / 4);
    } else {
        value_show(out, t, e);
    }
}

static void put_value(struct stat *s, struct buf *out, const struct tape *t, const struct event *e)
{
    struct buf *scratch = &s->shared->scratch;
    enum field_type type = fields[e->field].type;
    buf_str(out, "  ");
    buf_str(out, fields[e->field].abbrev);
    if (type == TYPE_PROTOCOL || type == TYPE_NONE)
        return;
    buf_str(out, " == ");
    if (type == TYPE_ABSOLUTE_TIME) {
        put_time(out, (int64_t)e->value);
        return;
    }
    buf_clear(scratch);
    put_plain(scratch, t, e);
    if (type == TYPE_STRING || scratch->len == 0 || is_word(&fields[e->field]))
        put_quoted(out, buf_slice(scratch));
    else
        buf_slice_put(out, buf_slice(scratch));
}

void colinfo_packet(struct stat *s, const struct dissection *d)
{
    const struct colinfo *c = s->state;
    const struct tape *t = &d->tape;
    for (uint32_t i = 0; i < t->count; i++)
        if (t->events[i].field == c->field ||
            strcmp(fields[t->events[i].field].abbrev, fields[c->field].abbrev) == 0)
            put_value(s, &s->shared->info_tail, t, &t->events[i]);
}

void colinfo_end(struct stat *s, struct buf *out)
{
    (void)s, (void)out;
}

void colinfo_close(struct stat *s)
{
    free(s->state);
}
