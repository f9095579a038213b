#include "cli/halves.h"

#include "cli/lanes.h"
#include "filter/filter.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define CHUNKS        8                   /* that may be ahead */
#define CHUNK_PACKETS 512                 /* of the file, whosever they are, at most */
#define CHUNK_BYTES   ((size_t)256 << 10) /* after so many of them it ends, too */
#define WORTH_WAKING  (CHUNKS / 2)

struct chunk {
    struct buf text;
    size_t ends[CHUNK_PACKETS]; /* of each packet's text */
    unsigned count, printed;    /* packets of the second thread; those handed on */
};

/* How far a thread has come in the present chunk; both end it at the same packet. */
struct place {
    unsigned packets;
    size_t bytes;
};

struct halves {
    struct reader *reader;
    struct engine *engine;
    const struct printer *printer;
    struct print_options print;
    struct print_state state;
    struct filter *filter;   /* owned; NULL: none */
    struct field_list *list; /* owned; NULL: none */
    struct halves_said said;
    uint64_t after;
    pthread_t thread;
    bool runs;                   /* the thread was started */
    struct chunk chunks[CHUNKS]; /* number n is chunks[n % CHUNKS] */
    /* Chunks since the start, used <= made <= used + CHUNKS: each is written by one thread.  The lock is for sleeping. */
    atomic_uint_least64_t made, used;
    atomic_bool over, ended; /* the first thread wants no more; the second has no more */
    atomic_bool awaits_work, awaits_room;
    pthread_mutex_t lock;
    pthread_cond_t work, room;
    struct place first; /* the first thread's */
};

static struct chunk *chunk_of(struct halves *h, uint64_t number)
{
    return &h->chunks[number % CHUNKS];
}

/* True when the packet is the last of its chunk. */
static bool step(struct place *at, const struct packet *packet)
{
    at->packets++;
    at->bytes += packet->bytes.len;
    if (at->packets < CHUNK_PACKETS && at->bytes < CHUNK_BYTES)
        return false;
    *at = (struct place){0};
    return true;
}

/* ---- the second thread --------------------------------------------------------------------------
 */

/* Sleeps until there is room for several chunks, unless there is room for one. */
static void await_room(struct halves *h)
{
    if (h->made - h->used < CHUNKS)
        return;
    pthread_mutex_lock(&h->lock);
    h->awaits_room = true;
    while (h->made - h->used > CHUNKS - WORTH_WAKING && !h->over)
        pthread_cond_wait(&h->room, &h->lock);
    h->awaits_room = false;
    pthread_mutex_unlock(&h->lock);
}

/* Wakes the first thread when it sleeps and has enough to do now. */
static void wake_first(struct halves *h)
{
    if (!h->awaits_work || (!h->ended && h->made - h->used < WORTH_WAKING))
        return;
    pthread_mutex_lock(&h->lock);
    pthread_cond_signal(&h->work);
    pthread_mutex_unlock(&h->lock);
}

static struct chunk *begin_chunk(struct halves *h)
{
    await_room(h);
    struct chunk *c = chunk_of(h, h->made);
    c->count = c->printed = 0;
    buf_clear(&c->text);
    return c;
}

static bool passes(struct halves *h, const struct dissection *d, uint64_t number)
{
    if (!h->filter || filter_match(h->filter, &d->tape))
        return true;
    if (filter_exhausted(h->filter) && h->said.given_up++ == 0)
        h->said.first_given_up = number;
    return false;
}

static void *run(void *context)
{
    struct halves *h = context;
    struct packet packet;
    struct error ignored = {0}; /* the first thread tells of it */
    struct chunk *c = NULL;
    struct place at = {0};
    for (uint64_t n = 1; !h->over; n++) {
        if (reader_next(h->reader, &packet, &ignored) != READ_PACKET)
            break;
        const struct dissection *d = engine_packet(h->engine, &packet);
        engine_displayed(h->engine);
        if (n <= h->after)
            continue;
        if (at.packets == 0)
            c = begin_chunk(h);
        if (d) {
            if (passes(h, d, n))
                h->printer->packet(&c->text, &h->print, d);
            c->ends[c->count++] = c->text.len;
        }
        if (step(&at, &packet)) {
            h->made++;
            wake_first(h);
        }
    }
    h->made += at.packets > 0;
    h->ended = true;
    wake_first(h);
    return NULL;
}

/* ---- the first ----------------------------------------------------------------------------------
 */

static void await_work(struct halves *h)
{
    if (h->made > h->used)
        return;
    pthread_mutex_lock(&h->lock);
    h->awaits_work = true;
    while (h->made - h->used < WORTH_WAKING && !h->ended)
        pthread_cond_wait(&h->work, &h->lock);
    h->awaits_work = false;
    pthread_mutex_unlock(&h->lock);
}

/* Gives the present chunk back; wakes the second thread when it sleeps and has enough to do now. */
static void give_back(struct halves *h)
{
    uint64_t used = ++h->used;
    if (!h->awaits_room || h->made - used > CHUNKS - WORTH_WAKING)
        return;
    pthread_mutex_lock(&h->lock);
    pthread_cond_signal(&h->room);
    pthread_mutex_unlock(&h->lock);
}

void halves_packet(struct halves *h)
{
    if (h->first.packets == 0)
        await_work(h);
}

void halves_past(struct halves *h, const struct packet *packet)
{
    if (step(&h->first, packet))
        give_back(h);
}

bool halves_print(struct halves *h, struct buf *out)
{
    struct chunk *c = chunk_of(h, h->used);
    if (c->printed >= c->count || c->text.failed)
        return false;
    size_t start = c->printed > 0 ? c->ends[c->printed - 1] : 0;
    buf_slice_put(out, slice_sub(buf_slice(&c->text), start, c->ends[c->printed] - start));
    c->printed++;
    return true;
}

static void drop(struct halves *h)
{
    for (unsigned i = 0; i < CHUNKS; i++)
        buf_free(&h->chunks[i].text);
    buf_free(&h->state.scratch);
    field_list_free(h->list);
    filter_free(h->filter);
    engine_free(h->engine);
    reader_close(h->reader);
    pthread_cond_destroy(&h->work);
    pthread_cond_destroy(&h->room);
    pthread_mutex_destroy(&h->lock);
    free(h);
}

/* What the second thread needs for itself; false when there is no memory. */
static bool prepare(struct halves *h, const struct halves_options *options)
{
    struct error ignored = {0};
    h->printer = options->printer;
    h->print = *options->print;
    h->print.state = &h->state;
    h->after = options->after;
    h->reader = reader_open_again(options->reader, NULL, &ignored);
    h->engine = engine_new(options->engine);
    if (h->engine)
        engine_share(h->engine, SHARE_SECOND);
    if (options->filter)
        h->filter = filter_compile(options->filter, &ignored);
    if (h->print.list)
        h->print.list = h->list = field_list_copy(h->print.list);
    return h->reader && h->engine && !h->filter == !options->filter &&
           !h->list == !options->print->list;
}

struct halves *halves_new(const struct halves_options *options)
{
    struct halves *h = lanes_second_processor() ? calloc(1, sizeof *h) : NULL;
    if (!h)
        return NULL;
    pthread_mutex_init(&h->lock, NULL);
    pthread_cond_init(&h->work, NULL);
    pthread_cond_init(&h->room, NULL);
    if (prepare(h, options) && pthread_create(&h->thread, NULL, run, h) == 0)
        return h;
    drop(h);
    return NULL;
}

struct halves_said halves_end(struct halves *h)
{
    pthread_mutex_lock(&h->lock);
    h->over = true;
    pthread_cond_signal(&h->room);
    pthread_mutex_unlock(&h->lock);
    pthread_join(h->thread, NULL);
    struct halves_said said = h->said;
    drop(h);
    return said;
}
