#include "base/names.h"

#include "base/buf.h"

#include <arpa/inet.h>
#include <stdlib.h>

#define SLOTS         4096u
#define ARENA_CEILING ((size_t)16 << 20)

void names_free(struct names *n)
{
    arena_free(&n->arena);
    free(n->slots);
    *n = (struct names){0};
}

static struct named **slot_of(const struct names *n, struct slice address)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < address.len; i++)
        hash = (hash ^ slice_at(address, i)) * 16777619u;
    return &n->slots[(hash ^ hash >> 15) % SLOTS];
}

static struct named *named_of(const struct names *n, struct slice address)
{
    for (struct named *at = n->slots ? *slot_of(n, address) : NULL; at; at = at->next)
        if (slice_equal(slice_of(at->address, at->size), address))
            return at;
    return NULL;
}

void names_add(struct names *n, struct slice address, struct slice name)
{
    struct buf text = {.ceiling = 4 * NAME_BYTES + 1};
    if ((address.len != 4 && address.len != 16) || name.len == 0)
        return;
    if (!n->slots) {
        n->slots = calloc(SLOTS, sizeof(struct named *));
        n->arena.ceiling = ARENA_CEILING;
    }
    struct named *at = named_of(n, address);
    if (!at && n->slots && (at = arena_zalloc(&n->arena, sizeof *at))) {
        struct named **slot = slot_of(n, address);
        struct slice copy = address;
        at->size = (uint8_t)address.len;
        (void)slice_read(&copy, at->address, address.len);
        at->next = *slot;
        *slot = at;
        n->count++;
    }
    buf_escaped(&text, slice_sub(name, 0, NAME_BYTES));
    size_t len = text.len < NAME_BYTES ? text.len : NAME_BYTES;
    while (len < text.len && len > 0 && (slice_at(buf_slice(&text), len) & 0xc0) == 0x80)
        len--; /* not amid a character */
    if (at && !text.failed) {
        memset(at->name, 0, sizeof at->name);
        struct slice kept = slice_sub(buf_slice(&text), 0, len);
        (void)slice_read(&kept, at->name, len);
    }
    n->lost |= !at || text.failed;
    buf_free(&text);
}

const char *names_find(const struct names *n, struct slice address)
{
    const struct named *at = n && n->count > 0 ? named_of(n, address) : NULL;
    return at ? at->name : NULL;
}

void names_meet(const struct names *n, struct slice address)
{
    struct named *at = n->count > 0 ? named_of(n, address) : NULL;
    if (at)
        at->met = true;
}

/* ---- hosts ---- */

static struct slice take_word(struct slice *line)
{
    while (line->len > 0 && (slice_at(*line, 0) == ' ' || slice_at(*line, 0) == '\t'))
        slice_skip(line, 1);
    size_t len = 0;
    while (len < line->len && slice_at(*line, len) != ' ' && slice_at(*line, len) != '\t')
        len++;
    return slice_take(line, len);
}

/* False when the line names nothing. */
static bool read_line(struct names *n, struct slice line)
{
    uint8_t address[16];
    char text[64] = {0};
    size_t len = 0;
    while (len < line.len && slice_at(line, len) != '#' && slice_at(line, len) != '\r')
        len++;
    line = slice_sub(line, 0, len);
    struct slice word = take_word(&line), name = take_word(&line);
    if (word.len == 0 || word.len >= sizeof text || name.len == 0)
        return false;
    len = word.len;
    (void)slice_read(&word, text, len);
    if (inet_pton(AF_INET, text, address) == 1)
        names_add(n, slice_of(address, 4), name);
    else if (inet_pton(AF_INET6, text, address) == 1)
        names_add(n, slice_of(address, 16), name);
    else
        return false;
    return true;
}

bool names_hosts(struct names *n, struct slice text)
{
    bool any = false;
    while (text.len > 0) {
        const uint8_t *end = memchr(text.data, '\n', text.len);
        size_t len = end ? (size_t)(end - text.data) : text.len;
        any |= read_line(n, slice_take(&text, len));
        slice_skip(&text, text.len > 0);
    }
    return any;
}

/* ---- all ---- */

static int by_address(const void *a, const void *b)
{
    const struct named *x = *(const struct named *const *)a, *y = *(const struct named *const *)b;
    return x->size != y->size ? (int)x->size - y->size : memcmp(x->address, y->address, x->size);
}

void names_each(const struct names *n, void (*each)(void *context, const struct named *named),
                void *context)
{
    const struct named **all = n->count > 0 ? calloc(n->count, sizeof(struct named *)) : NULL;
    uint32_t count = 0;
    for (uint32_t i = 0; all && i < SLOTS; i++)
        for (const struct named *at = n->slots[i]; at; at = at->next)
            all[count++] = at;
    if (count > 0)
        qsort(all, count, sizeof(struct named *), by_address);
    for (uint32_t i = 0; i < count; i++)
        each(context, all[i]);
    free(all);
}
