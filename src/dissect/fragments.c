#include "dissect/fragments.h"

#include <stdlib.h>

#define PACKETS    64                  /* incomplete at a time */
#define LENT       4                   /* complete, shown with the present packet */
#define MAX_BYTES  ((size_t)128 << 10) /* kept of one: twice the largest packet */
#define MAX_PIECES (1024 * sizeof(struct piece))
#define LARGEST    65535u                     /* RFC 791 3.1 */
#define PATIENCE   (60 * INT64_C(1000000000)) /* RFC 8200 4.5 */
#define KEPT_SPACE ((size_t)16 << 10)         /* larger buffers are not kept for the next packet */

struct kept {
    struct fragment_key key;
    bool has_end;
    uint32_t end; /* length of the whole, when the last piece was seen */
    int64_t first_time;
    uint64_t turn;     /* when it was begun */
    struct buf bytes;  /* of all pieces, one after the other */
    struct buf pieces; /* array of struct piece, by offset */
    struct buf whole;
};

struct fragments {
    struct kept *kept[PACKETS]; /* the slots that are in use first */
    struct kept *idle[PACKETS + LENT];
    struct kept *lent[LENT];
    unsigned kept_count, idle_count, lent_count;
    uint64_t turn;
};

struct fragments *fragments_new(void)
{
    return calloc(1, sizeof(struct fragments));
}

static void kept_free(struct kept *k)
{
    buf_free(&k->bytes);
    buf_free(&k->pieces);
    buf_free(&k->whole);
    free(k);
}

void fragments_free(struct fragments *f)
{
    if (!f)
        return;
    for (unsigned i = 0; i < f->kept_count; i++)
        kept_free(f->kept[i]);
    for (unsigned i = 0; i < f->idle_count; i++)
        kept_free(f->idle[i]);
    for (unsigned i = 0; i < f->lent_count; i++)
        kept_free(f->lent[i]);
    free(f);
}

size_t fragments_held(const struct fragments *f)
{
    size_t bytes = 0;
    for (unsigned i = 0; i < f->kept_count; i++)
        bytes += f->kept[i]->bytes.len;
    return bytes;
}

static void give_back(struct fragments *f, struct kept *k)
{
    if (k->bytes.cap + k->whole.cap > KEPT_SPACE || f->idle_count == PACKETS + LENT)
        kept_free(k);
    else
        f->idle[f->idle_count++] = k;
}

void fragments_packet(struct fragments *f)
{
    while (f->lent_count > 0)
        give_back(f, f->lent[--f->lent_count]);
}

static void forget(struct fragments *f, unsigned at)
{
    give_back(f, f->kept[at]);
    f->kept[at] = f->kept[--f->kept_count];
}

static void forget_oldest(struct fragments *f)
{
    unsigned oldest = 0;
    for (unsigned i = 1; i < f->kept_count; i++)
        if (f->kept[i]->turn < f->kept[oldest]->turn)
            oldest = i;
    forget(f, oldest);
}

static bool same_key(const struct fragment_key *a, const struct fragment_key *b)
{
    return a->id == b->id && a->protocol == b->protocol &&
           memcmp(a->addresses, b->addresses, sizeof a->addresses) == 0;
}

static struct kept *begin(struct fragments *f, const struct fragment_key *key, int64_t time)
{
    if (f->kept_count == PACKETS)
        forget_oldest(f);
    struct kept *k = f->idle_count > 0 ? f->idle[--f->idle_count] : calloc(1, sizeof *k);
    if (!k)
        return NULL;
    buf_clear(&k->bytes);
    buf_clear(&k->pieces);
    buf_clear(&k->whole);
    k->bytes.ceiling = k->whole.ceiling = MAX_BYTES;
    k->pieces.ceiling = MAX_PIECES;
    k->key = *key;
    k->has_end = false;
    k->end = 0;
    k->first_time = time;
    k->turn = f->turn++;
    f->kept[f->kept_count++] = k;
    return k;
}

/* The packet that a piece belongs to: one that waits for it, else a new one. */
static struct kept *find(struct fragments *f, const struct fragment_key *key, int64_t time)
{
    for (unsigned i = 0; i < f->kept_count; i++) {
        struct kept *k = f->kept[i];
        if (!same_key(&k->key, key))
            continue;
        int64_t waited = time - k->first_time;
        if (waited <= PATIENCE && waited >= -PATIENCE)
            return k;
        forget(f, i);
        break;
    }
    return begin(f, key, time);
}

/* The pieces are a plain array in memory of ours. */
static struct piece *pieces_of(const struct kept *k, size_t *count)
{
    *count = k->pieces.len / sizeof(struct piece);
    return (struct piece *)(void *)k->pieces.data;
}

/* Puts the piece behind those with the same offset or a lower one. */
static bool insert(struct kept *k, const struct fragment *fragment)
{
    struct piece p = {.offset = fragment->offset,
                      .len = (uint32_t)fragment->bytes.len,
                      .frame = fragment->frame,
                      .at = (uint32_t)k->bytes.len};
    if (!fragment->more) {
        if (k->has_end && k->end != p.offset + p.len)
            p.flags |= PIECE_MULTIPLE_TAILS;
        if (!k->has_end)
            k->end = p.offset + p.len;
        k->has_end = true;
    }
    if (k->has_end && p.offset + p.len > k->end)
        p.flags |= PIECE_TOO_LONG;
    buf_slice_put(&k->bytes, fragment->bytes);
    buf_put(&k->pieces, &p, sizeof p);
    if (k->bytes.failed || k->pieces.failed)
        return false;
    size_t count;
    struct piece *pieces = pieces_of(k, &count);
    for (size_t i = count - 1; i > 0 && pieces[i - 1].offset > p.offset; i--) {
        pieces[i] = pieces[i - 1];
        pieces[i - 1] = p;
    }
    return true;
}

static bool is_whole(const struct kept *k)
{
    size_t count;
    const struct piece *pieces = pieces_of(k, &count);
    uint32_t reached = 0;
    for (size_t i = 0; i < count && pieces[i].offset <= reached; i++)
        if (pieces[i].offset + pieces[i].len > reached)
            reached = pieces[i].offset + pieces[i].len;
    return k->has_end && reached >= k->end;
}

/* Of bytes that come twice the first counts, in the order of offsets. */
static void join(struct kept *k)
{
    size_t count;
    struct piece *pieces = pieces_of(k, &count);
    for (size_t i = 0; i < count; i++) {
        struct piece *p = &pieces[i];
        struct slice bytes = slice_sub(buf_slice(&k->bytes), p->at, p->len);
        uint32_t reached = (uint32_t)k->whole.len, end = p->offset + p->len;
        if (end > k->end) {
            p->flags |= PIECE_TOO_LONG;
            end = k->end;
        }
        if (p->offset < reached && p->len > 0) {
            uint32_t both = (end < reached ? end : reached) - p->offset;
            p->flags |= PIECE_OVERLAP;
            if (!slice_equal(slice_sub(bytes, 0, both),
                             slice_sub(buf_slice(&k->whole), p->offset, both)))
                p->flags |= PIECE_CONFLICT;
        }
        if (end > reached)
            buf_slice_put(&k->whole, slice_sub(bytes, reached - p->offset, end - reached));
    }
}

bool fragment_add(struct fragments *f, const struct fragment_key *key,
                  const struct fragment *fragment, struct joined *out)
{
    if (fragment->bytes.len > LARGEST || fragment->offset + fragment->bytes.len > LARGEST)
        return false;
    struct kept *k = find(f, key, fragment->time);
    if (!k)
        return false;
    unsigned at = 0;
    while (f->kept[at] != k)
        at++;
    if (!insert(k, fragment)) {
        forget(f, at);
        return false;
    }
    if (f->lent_count == LENT || !is_whole(k))
        return false;
    f->kept[at] = f->kept[--f->kept_count];
    f->lent[f->lent_count++] = k;
    join(k);
    *out = (struct joined){.bytes = buf_slice(&k->whole), .pieces = buf_slice(&k->pieces)};
    return !k->whole.failed;
}
