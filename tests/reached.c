/* Which rows of the schema captures reach, and whether the fields of each handshake message cover it.
 *
 * usage: reached [-k KEYLOG] CAPTURE...
 *
 * Prints "unreached <id> <abbrev>" for every field row that no packet had, and for every handshake message
 * whose leaf fields leave a byte out or show one twice "gap" or "overlap" with the capture, the frame, the
 * message type and the place.  tests/run reads it. */
#include "capture/reader.h"
#include "engine.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const ids[FIELD_COUNT] = {
#define PROTOCOL(id, abbrev, name, meaning, section)                              [F_##id] = #id,
#define FIELD(id, abbrev, label, type, display, registry, mask, meaning, section) [F_##id] = #id,
#define FIELD_AS(id, abbrev, label, type, display, registry, mask, template, meaning, section) \
    [F_##id] = #id,
#define HEADING(id, template)                                           [F_##id] = #id,
#define EXPERT_ROW(id, abbrev, severity, group, summary, text, meaning) [F_expert_##id] = #id,
#include "schema/all.def"
};

static bool reached[FIELD_COUNT];
static uint8_t want[FIELD_COUNT];
static unsigned long long messages;

/* The bytes of one message that leaf fields have shown. */
struct cover {
    uint8_t *seen; /* owned; how often each byte */
    size_t cap;
};

/* What another grammar takes apart, whose tags and lengths are no fields. */
static bool is_der(const struct event *e)
{
    return e->field == F_tls_handshake_certificate || e->field == F_ocsp ||
           e->field == F_tls_handshake_cred_pubkey || e->field == F_tls_extension_oid_filters_oid ||
           e->field == F_tls_handshake_dname || e->field == F_tlswire_oid_filters_values;
}

static bool is_leaf(const struct tape *t, uint32_t at)
{
    const struct event *e = &t->events[at];
    if (e->flags & (EVENT_GENERATED | EVENT_HIDDEN) || e->length == 0)
        return false;
    if (is_der(e))
        return true;
    for (uint32_t i = at + 1; i < e->next; i++)
        if (!(t->events[i].flags & (EVENT_GENERATED | EVENT_HIDDEN)) && t->events[i].length > 0 &&
            t->events[i].source == e->source)
            return false;
    return true;
}

static void mark(struct cover *c, const struct tape *t, uint32_t message)
{
    const struct event *m = &t->events[message], *before = m;
    for (uint32_t i = message + 1; i < m->next; i++) {
        const struct event *e = &t->events[i];
        if (e->source != m->source || !is_leaf(t, i))
            continue;
        /* Bytes told once more, as a number or in parts, are no overlap. */
        bool again = before != m && e->offset >= before->offset &&
                     e->offset + e->length <= before->offset + before->length;
        if (again)
            continue;
        before = e;
        bool bits = fields[e->field].mask != 0; /* parts of one byte share it */
        /* Tag and length of a DER value stand before its item. */
        for (uint32_t k = e->offset - m->offset; is_der(e) && k > 0 && !c->seen[k - 1]; k--)
            c->seen[k - 1] = 1;
        for (uint32_t k = 0; k < e->length; k++) {
            uint64_t place = (uint64_t)e->offset + k - m->offset;
            if (place < m->length && (!bits || !c->seen[place]) && c->seen[place] < 2)
                c->seen[place]++;
        }
        if (is_der(e))
            i = e->next - 1;
    }
}

static void check_message(struct cover *c, const struct dissection *d, uint32_t at,
                          const char *capture)
{
    const struct tape *t = &d->tape;
    const struct event *m = &t->events[at];
    if (m->next == at + 1)
        return; /* encrypted, or a fragment: nothing was taken apart */
    if (m->length > c->cap) {
        c->seen = realloc(c->seen, m->length);
        c->cap = m->length;
    }
    if (!c->seen)
        exit(3);
    memset(c->seen, 0, m->length);
    mark(c, t, at);
    messages++;
    uint32_t type = tape_find(t, at, F_tls_handshake_type);
    for (uint32_t i = 0; i < m->length; i++)
        if (c->seen[i] != 1) {
            printf("%s\t%s\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu32 " of %" PRIu32 "\n",
                   c->seen[i] ? "overlap" : "gap", capture, d->packet->number,
                   type == TAPE_NONE ? 999 : t->events[type].value, i, m->length);
            return;
        }
}

static void take_secrets(void *engine, uint32_t type, struct slice text)
{
    if (type == SECRETS_TLS_KEY_LOG)
        engine_keys(engine, text);
}

static void add_keys(struct engine *e, const char *path)
{
    char chunk[4096];
    FILE *in = path ? fopen(path, "rb") : NULL;
    for (size_t n; in && (n = fread(chunk, 1, sizeof chunk, in)) > 0;)
        engine_keys(e, slice_of(chunk, n));
    if (in)
        fclose(in);
}

/* One pass.  LEARNS or KNOWN: what a first pass finds, for a second one. */
static void read_capture(const char *path, const char *keys, struct cover *c, bool check,
                         struct foresight *learns, const struct foresight *known)
{
    struct error error = {.code = ERROR_NONE};
    struct engine_options options = {.want = want, .seed = 1, .learns = learns, .known = known};
    options.lower.check_ip = options.tcp.check = check;
    struct engine *e = engine_new(&options);
    struct reader_options how = {.secrets = take_secrets, .context = e};
    struct reader *r = e ? reader_open(path, &how, &error) : NULL;
    if (!r) {
        fprintf(stderr, "reached: %s: %s\n", path, error.text);
        exit(2);
    }
    add_keys(e, keys);
    struct packet p;
    while (reader_next(r, &p, &error) == READ_PACKET) {
        const struct dissection *d = engine_packet(e, &p);
        bool whole = true; /* what is malformed ends early */
        for (uint32_t i = 0; i < d->tape.count; i++) {
            reached[d->tape.events[i].field] = true;
            whole = whole && d->tape.events[i].field != F__ws_malformed &&
                    d->tape.events[i].field != F__ws_short;
        }
        for (uint32_t i = 0; i < d->tape.count && whole; i++) {
            if (d->tape.events[i].field == F_tls_handshake)
                check_message(c, d, i, path);
        }
    }
    if (learns)
        engine_learned(e);
    reader_close(r);
    engine_free(e);
}

/* As usual, with checksums verified, and in a second pass. */
static void read_all(const char *path, const char *keys, struct cover *c)
{
    struct foresight seen = {0};
    read_capture(path, keys, c, false, NULL, NULL);
    read_capture(path, keys, c, true, NULL, NULL);
    read_capture(path, keys, c, false, &seen, NULL);
    read_capture(path, keys, c, false, NULL, &seen);
    foresight_free(&seen);
}

int main(int argc, char **argv)
{
    struct cover c = {NULL, 0};
    const char *keys = NULL;
    memset(want, 1, sizeof want);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-k") == 0 && i + 1 < argc)
            keys = argv[++i];
        else
            read_all(argv[i], keys, &c);
    }
    for (unsigned id = 1; id < FIELD_COUNT; id++)
        if (reached
                [id]) /* and so is the protocol that it is of, which need not be an item itself */
            reached[field_protocol(id)] = true;
    for (unsigned id = 1; id < FIELD_COUNT; id++)
        if (!reached[id])
            printf("unreached\t%s\t%s\n", ids[id], fields[id].abbrev);
    printf("messages\t%llu\n", messages);
    free(c.seen);
    return 0;
}
