#include "crypto/keylog.h"

#define XXH_INLINE_ALL
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define MAX_COUNT     ((size_t)4 << 20)
#define ARENA_CEILING ((size_t)512 << 20)
#define FIRST_SLOTS   ((size_t)64)

/* Which secret lengths a label may have, in bytes. */
enum secret_form {
    FORM_MASTER,  /* 48 */
    FORM_TRAFFIC, /* a TLS 1.3 hash: 32, 48 or 64 */
    FORM_ANY,     /* at least 1 */
};

struct label_row {
    const char *name;
    uint8_t name_len;
    uint8_t id_min, id_max;
    enum secret_form form;
};

#define LABEL(text, min, max, secret)            \
    {                                            \
        text, sizeof(text) - 1, min, max, secret \
    }

static const struct label_row labels[KEY_LABEL_COUNT] = {
    [KEY_CLIENT_RANDOM] = LABEL("CLIENT_RANDOM", 32, 32, FORM_MASTER),
    [KEY_CLIENT_EARLY_TRAFFIC_SECRET] = LABEL("CLIENT_EARLY_TRAFFIC_SECRET", 32, 32, FORM_TRAFFIC),
    [KEY_CLIENT_HANDSHAKE_TRAFFIC_SECRET] =
        LABEL("CLIENT_HANDSHAKE_TRAFFIC_SECRET", 32, 32, FORM_TRAFFIC),
    [KEY_SERVER_HANDSHAKE_TRAFFIC_SECRET] =
        LABEL("SERVER_HANDSHAKE_TRAFFIC_SECRET", 32, 32, FORM_TRAFFIC),
    [KEY_CLIENT_TRAFFIC_SECRET_0] = LABEL("CLIENT_TRAFFIC_SECRET_0", 32, 32, FORM_TRAFFIC),
    [KEY_SERVER_TRAFFIC_SECRET_0] = LABEL("SERVER_TRAFFIC_SECRET_0", 32, 32, FORM_TRAFFIC),
    [KEY_EXPORTER_SECRET] = LABEL("EXPORTER_SECRET", 32, 32, FORM_TRAFFIC),
    [KEY_EARLY_EXPORTER_SECRET] = LABEL("EARLY_EXPORTER_SECRET", 32, 32, FORM_TRAFFIC),
    [KEY_PMS_CLIENT_RANDOM] = LABEL("PMS_CLIENT_RANDOM", 32, 32, FORM_ANY),
    [KEY_ECH_SECRET] = LABEL("ECH_SECRET", 32, 32, FORM_ANY),
    [KEY_ECH_CONFIG] = LABEL("ECH_CONFIG", 32, 32, FORM_ANY),
    [KEY_RSA] = LABEL("RSA", 8, 8, FORM_MASTER),
    [KEY_SESSION_ID] = LABEL("RSA Session-ID", 1, 32, FORM_MASTER),
};

/* ---- the table ---- */

void key_table_init(struct key_table *table)
{
    *table = (struct key_table){.arena = {.ceiling = ARENA_CEILING}, .max_count = MAX_COUNT};
}

void key_table_free(struct key_table *table)
{
    for (struct key_secret *s = table->first; s; s = s->next)
        explicit_bzero(s->bytes, s->room);
    arena_free(&table->arena);
    free(table->slots);
    explicit_bzero(table, sizeof *table);
    key_table_init(table);
}

static uint64_t key_hash(enum key_label label, struct slice id)
{
    return XXH3_64bits_withSeed(id.data, id.len, (XXH64_hash_t)label);
}

/* The slot that holds the key, or the empty one where it belongs; slot_count must not be 0. */
static struct key_slot *find_slot(const struct key_table *table, uint64_t hash,
                                  enum key_label label, struct slice id)
{
    size_t mask = table->slot_count - 1;
    /* Ends: the table always has empty slots. */
    for (size_t i = (size_t)hash & mask;; i = (i + 1) & mask) {
        struct key_slot *slot = &table->slots[i];
        if (!slot->secret || (slot->hash == hash && slot->secret->label == label &&
                              slice_equal(slice_of(slot->secret->id, slot->secret->id_len), id)))
            return slot;
    }
}

/* Keeps at least a third of the slots empty. */
static bool make_room(struct key_table *table)
{
    if ((table->count + 1) * 3 <= table->slot_count * 2)
        return true;
    size_t old_count = table->slot_count, count = old_count ? old_count * 2 : FIRST_SLOTS;
    struct key_slot *old = table->slots, *slots = calloc(count, sizeof *slots);
    if (!slots)
        return false;
    for (size_t i = 0; i < old_count; i++) {
        size_t at = (size_t)old[i].hash & (count - 1);
        while (old[i].secret && slots[at].secret)
            at = (at + 1) & (count - 1);
        if (old[i].secret)
            slots[at] = old[i];
    }
    free(old);
    table->slots = slots;
    table->slot_count = count;
    return true;
}

/* An entry with room for a secret of LEN bytes, linked in after the last; NULL when there is no
 * room. */
static struct key_secret *new_secret(struct key_table *table, size_t len)
{
    if (table->count >= table->max_count)
        return NULL;
    struct key_secret *s = arena_alloc(&table->arena, sizeof *s + len);
    if (!s)
        return NULL;
    *s = (struct key_secret){.room = (uint16_t)len};
    if (table->last)
        table->last->next = s;
    else
        table->first = s;
    table->last = s;
    table->count++;
    return s;
}

static void set_secret(struct key_table *table, struct key_secret *s, struct slice secret)
{
    memcpy(s->bytes, secret.data, secret.len);
    s->secret_len = (uint16_t)secret.len;
    s->line = table->stats.lines;
    table->generation++;
}

/* A secret of another length needs another entry, as addresses must not change: the old one is left
 * in the list, emptied, with label KEY_LABEL_COUNT that nobody asks for. */
static bool replace_secret(struct key_table *table, struct key_slot *slot, struct slice secret)
{
    struct key_secret *old = slot->secret;
    /* An unfinished line that keylog_finish has taken already is no duplicate when it is whole. */
    bool same_line = old->line == table->stats.lines;
    if (slice_equal(key_secret_slice(old), secret)) {
        table->stats.duplicates += !same_line;
        return true;
    }
    if (secret.len > old->room) {
        struct key_secret *s = new_secret(table, secret.len);
        if (!s)
            return false;
        s->label = old->label;
        s->seen = old->seen;
        s->id_len = old->id_len;
        memcpy(s->id, old->id, sizeof s->id);
        old->label = KEY_LABEL_COUNT;
        slot->secret = s;
    }
    explicit_bzero(old->bytes, old->room);
    old->secret_len = 0;
    set_secret(table, slot->secret, secret);
    table->stats.replaced += !same_line;
    return true;
}

static bool insert(struct key_table *table, enum key_label label, struct slice id,
                   struct slice secret)
{
    if (!make_room(table))
        return false;
    uint64_t hash = key_hash(label, id);
    struct key_slot *slot = find_slot(table, hash, label, id);
    if (slot->secret)
        return replace_secret(table, slot, secret);
    struct key_secret *s = new_secret(table, secret.len);
    if (!s)
        return false;
    s->label = label;
    s->id_len = (uint8_t)id.len;
    memcpy(s->id, id.data, id.len);
    *slot = (struct key_slot){.hash = hash, .secret = s};
    table->premasters += label == KEY_RSA || label == KEY_PMS_CLIENT_RANDOM;
    set_secret(table, s, secret);
    return true;
}

static bool lengths_fit(enum key_label label, size_t id_len, size_t secret_len)
{
    const struct label_row *row = &labels[label];
    if (id_len < row->id_min || id_len > row->id_max)
        return false;
    switch (row->form) {
    case FORM_MASTER:
        return secret_len == 48;
    case FORM_TRAFFIC:
        return secret_len == 32 || secret_len == 48 || secret_len == 64;
    case FORM_ANY:
        return secret_len > 0 && secret_len <= KEYLOG_SECRET_MAX;
    }
    return false;
}

bool key_table_add(struct key_table *table, enum key_label label, struct slice id,
                   struct slice secret)
{
    return lengths_fit(label, id.len, secret.len) && insert(table, label, id, secret);
}

static const struct key_secret *find_known(const struct key_table *table, enum key_label label,
                                           struct slice id)
{
    if (table->slot_count == 0)
        return NULL;
    return find_slot(table, key_hash(label, id), label, id)->secret;
}

const struct key_secret *key_table_find(const struct key_table *table, enum key_label label,
                                        struct slice id)
{
    const struct key_secret *found = find_known(table, label, id);
    struct key_wishes *w = table->wishes;
    if (found || !w || !w->fetch || w->fetches == 0 || !key_wishes_add(w, id))
        return found;
    w->fetches--;
    w->fetch(w->context); /* feeds this table */
    return find_known(table, label, id);
}

void key_table_see(struct key_table *table, enum key_label label, struct slice id)
{
    struct key_secret *s =
        table->slot_count > 0 ? find_slot(table, key_hash(label, id), label, id)->secret : NULL;
    if (s)
        s->seen = true;
}

const struct key_secret *key_table_next(const struct key_table *table,
                                        const struct key_secret *after)
{
    const struct key_secret *s = after ? after->next : table->first;
    while (s && s->label == KEY_LABEL_COUNT)
        s = s->next;
    return s;
}

uint64_t key_table_generation(const struct key_table *table)
{
    return table->generation;
}

const struct keylog_stats *keylog_stats(const struct key_table *table)
{
    return &table->stats;
}

const char *key_label_name(enum key_label label)
{
    return label < KEY_LABEL_COUNT ? labels[label].name : "";
}

/* ---- lines ---- */

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* Takes blanks, then the word up to the next blank or STOP; the blank or STOP is left. */
static struct slice take_word(struct slice *line, uint8_t stop)
{
    size_t start = 0, end;
    while (start < line->len && is_blank(line->data[start]))
        start++;
    for (end = start; end < line->len && !is_blank(line->data[end]); end++) {
        if (line->data[end] == stop)
            break;
    }
    slice_skip(line, start);
    return slice_take(line, end - start);
}

/* One past the value, so that the 0 of every other entry means "not a digit". */
static const uint8_t digit_values[256] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
    ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

/* Decodes an even number of digits, at most 2 * ROOM; *LEN is the bytes. */
static bool decode_hex(struct slice text, uint8_t *out, size_t room, size_t *len)
{
    if (text.len % 2 != 0 || text.len / 2 > room)
        return false;
    *len = text.len / 2;
    for (size_t i = 0; i < *len; i++) {
        unsigned high = digit_values[text.data[2 * i]], low = digit_values[text.data[2 * i + 1]];
        if (high == 0 || low == 0)
            return false;
        out[i] = (uint8_t)((high - 1) << 4 | (low - 1));
    }
    return true;
}

static bool find_label(struct slice word, enum key_label *out)
{
    struct slice prefix = slice_sub(word, 0, 5);
    if (slice_is(prefix, "QUIC_"))
        slice_skip(&word, 5);
    for (unsigned i = 0; i < KEY_SESSION_ID; i++) {
        if (labels[i].name_len == word.len && memcmp(labels[i].name, word.data, word.len) == 0) {
            *out = (enum key_label)i;
            return true;
        }
    }
    return false;
}

/* "Session-ID:<hex> Master-Key:<hex>" after "RSA": finds the two numbers. */
static bool split_session_line(struct slice line, struct slice *id, struct slice *secret)
{
    struct slice name = take_word(&line, ':');
    if (!slice_is(name, "Session-ID") || slice_u8(&line) != ':')
        return false;
    *id = take_word(&line, ':');
    name = take_word(&line, ':');
    if (!slice_is(name, "Master-Key") || slice_u8(&line) != ':')
        return false;
    *secret = take_word(&line, ':');
    return take_word(&line, 0).len == 0 && line.len == 0;
}

/* The rest of a line whose label is known. */
static bool parse_values(struct key_table *table, enum key_label label, struct slice line,
                         bool *no_room)
{
    uint8_t id[KEYLOG_ID_MAX];
    size_t id_len = 0, secret_len = 0;
    struct slice id_text, secret_text;
    if (label == KEY_RSA && split_session_line(line, &id_text, &secret_text)) {
        label = KEY_SESSION_ID;
    } else {
        id_text = take_word(&line, ' ');
        secret_text = take_word(&line, ' ');
        if (take_word(&line, ' ').len > 0)
            return false;
    }
    if (!decode_hex(id_text, id, sizeof id, &id_len) ||
        !decode_hex(secret_text, table->secret, sizeof table->secret, &secret_len) ||
        !lengths_fit(label, id_len, secret_len))
        return false;
    *no_room = !insert(table, label, slice_of(id, id_len), slice_of(table->secret, secret_len));
    return true;
}

/* A line by its looks for a connection that nobody wishes to open.  Eight bytes of its name are
 * looked at; others of our labels are few, and read in full. */
static bool is_unwanted(const struct key_wishes *w, struct slice line)
{
    uint8_t head[8];
    size_t len;
    struct slice id = take_word(&line, ' ');
    return id.len == 2 * KEYLOG_ID_MAX && line.len > 2 * sizeof head &&
           decode_hex(slice_sub(id, 0, 2 * sizeof head), head, sizeof head, &len) &&
           !key_wishes_has(w, slice_of(head, sizeof head));
}

static void parse_line(struct key_table *table, struct slice line)
{
    struct keylog_stats *stats = &table->stats;
    enum key_label label;
    stats->lines++;
    if (stats->lines == 1 && slice_is(slice_sub(line, 0, 3), "\xef\xbb\xbf"))
        slice_skip(&line, 3); /* a byte-order mark, as some editors leave */
    struct slice word = take_word(&line, ' ');
    if (word.len == 0 || slice_at(word, 0) == '#') {
        stats->comments++;
        return;
    }
    if (!find_label(word, &label)) {
        stats->unknown_label++;
        return;
    }
    if (table->wishes && is_unwanted(table->wishes, line)) {
        stats->valid++;
        stats->unwanted++;
        return;
    }
    bool no_room = false;
    if (!parse_values(table, label, line, &no_room)) {
        stats->malformed++;
        return;
    }
    stats->valid++;
    stats->dropped += no_room;
}

/* ---- chunks ---- */

/* The part up to the next newline; *ENDED says whether one was there, and it is taken too. */
static struct slice take_line(struct slice *text, bool *ended)
{
    const uint8_t *end = text->len > 0 ? memchr(text->data, '\n', text->len) : NULL;
    *ended = end != NULL;
    struct slice line = slice_take(text, end ? (size_t)(end - text->data) : text->len);
    if (end)
        slice_skip(text, 1);
    return line;
}

static void end_too_long(struct key_table *table)
{
    table->stats.lines++;
    table->stats.too_long++;
}

/* Adds to the unfinished line; a line that grows too long is forgotten but for that. */
static void keep_part(struct key_table *table, struct slice part)
{
    if (table->skipping || part.len > KEYLOG_LINE_MAX - table->pending) {
        table->skipping = true;
        table->pending = 0;
        return;
    }
    if (part.len > 0)
        memcpy(table->line + table->pending, part.data, part.len);
    table->pending += part.len;
}

static void end_kept_line(struct key_table *table)
{
    if (table->skipping)
        end_too_long(table);
    else
        parse_line(table, slice_of(table->line, table->pending));
}

/* The unfinished line goes on: what keylog_finish counted for it no longer holds. */
static void reopen_line(struct key_table *table)
{
    if (table->finished)
        table->stats = table->stats_before;
    table->finished = false;
}

void keylog_feed(struct key_table *table, struct slice chunk)
{
    bool ended;
    if (chunk.len == 0)
        return;
    reopen_line(table);
    if (table->pending > 0 || table->skipping) {
        struct slice part = take_line(&chunk, &ended);
        keep_part(table, part);
        if (!ended)
            return;
        end_kept_line(table);
        table->pending = 0;
        table->skipping = false;
    }
    while (chunk.len > 0) {
        struct slice line = take_line(&chunk, &ended);
        if (!ended)
            keep_part(table, line);
        else if (line.len > KEYLOG_LINE_MAX)
            end_too_long(table);
        else
            parse_line(table, line);
    }
}

void keylog_finish(struct key_table *table)
{
    if (table->finished || (table->pending == 0 && !table->skipping))
        return;
    table->stats_before = table->stats;
    end_kept_line(table);
    table->finished = true;
}
