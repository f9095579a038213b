#include "cli/lanes.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#define BATCHES     4
#define BATCH_SLOTS 16
#define FULL_EVENTS 640 /* in a batch: trees of so many are work enough, and take memory */
#define KEPT_EVENTS 256 /* a tape that has grown beyond is not kept */
/* Looks for work before going to sleep: batches come faster than threads wake up. */
#define SPINS 4000

struct slot {
    struct dissection *packet; /* owned; NULL until first needed */
    struct print_options options;
};

struct batch {
    struct slot slots[BATCH_SLOTS];
    unsigned count;
    uint32_t events;
    atomic_bool printed;
    struct buf text;
};

struct lanes {
    const struct printer *printer;
    struct print_state state; /* of the second thread; the reader has its own */
    pthread_t thread;
    /* For what follows, but not for what is inside a batch that somebody works on.  The atomic ones change with the
     * lock held, and may be looked at without it. */
    pthread_mutex_t lock;
    pthread_cond_t full, printed;
    bool over;
    /* Batches since the start: handed <= taken <= filled <= handed + BATCHES.  Number n is batches[n % BATCHES]. */
    atomic_uint_least64_t filled; /* and so the number of the one that takes results */
    atomic_uint_least64_t taken;  /* by those who print */
    uint64_t handed;              /* texts given to the reader */
    struct batch batches[BATCHES];
};

/* Tells the processor that a loop waits for the other one. */
static inline void pause_briefly(void)
{
#if defined __x86_64__ || defined __i386__
    __builtin_ia32_pause();
#elif defined __aarch64__
    __asm__ volatile("yield");
#endif
}

bool lanes_second_processor(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 1;
}

static struct batch *batch_of(struct lanes *l, uint64_t number)
{
    return &l->batches[number % BATCHES];
}

/* With the lock held: takes the oldest batch that waits and prints it, without the lock, working in STATE or, when
 * that is NULL, in the reader's.  False when none waits. */
static bool print_next(struct lanes *l, struct print_state *state)
{
    if (l->taken == l->filled)
        return false;
    struct batch *b = batch_of(l, l->taken++);
    pthread_mutex_unlock(&l->lock);
    for (unsigned i = 0; i < b->count; i++) {
        struct print_options *options = &b->slots[i].options;
        if (state)
            options->state = state;
        l->printer->packet(&b->text, options, b->slots[i].packet);
    }
    pthread_mutex_lock(&l->lock);
    b->printed = true;
    pthread_cond_signal(&l->printed);
    return true;
}

/* Without the lock: looks for a batch for a while. */
static void look_for_batch(struct lanes *l)
{
    for (unsigned i = 0; i < SPINS && l->taken == l->filled; i++)
        pause_briefly();
}

static void *run(void *context)
{
    struct lanes *l = context;
    pthread_mutex_lock(&l->lock);
    while (!l->over) {
        if (print_next(l, &l->state))
            continue;
        pthread_mutex_unlock(&l->lock);
        look_for_batch(l);
        pthread_mutex_lock(&l->lock);
        if (l->taken == l->filled && !l->over)
            pthread_cond_wait(&l->full, &l->lock);
    }
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

struct lanes *lanes_new(const struct printer *printer)
{
    if (!lanes_second_processor())
        return NULL;
    struct lanes *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    l->printer = printer;
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->full, NULL);
    pthread_cond_init(&l->printed, NULL);
    if (pthread_create(&l->thread, NULL, run, l) != 0) {
        free(l);
        return NULL;
    }
    return l;
}

void lanes_free(struct lanes *l)
{
    if (!l)
        return;
    pthread_mutex_lock(&l->lock);
    l->over = true;
    pthread_cond_signal(&l->full);
    pthread_mutex_unlock(&l->lock);
    pthread_join(l->thread, NULL);
    for (unsigned i = 0; i < BATCHES; i++) {
        for (unsigned k = 0; k < BATCH_SLOTS; k++)
            dissection_free(l->batches[i].slots[k].packet);
        buf_free(&l->batches[i].text);
    }
    buf_free(&l->state.scratch);
    pthread_cond_destroy(&l->full);
    pthread_cond_destroy(&l->printed);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

/* A packet with many events must not keep their memory in every slot that it comes through. */
static void empty(struct batch *b)
{
    for (unsigned i = 0; i < b->count; i++) {
        struct dissection **packet = &b->slots[i].packet;
        if (!dissection_trim(*packet, KEPT_EVENTS)) {
            dissection_free(*packet);
            *packet = NULL;
        }
    }
    b->count = 0;
    b->events = 0;
    buf_clear(&b->text);
    b->printed = false;
}

/* The batch's text follows what is in OUT; it becomes OUT when nothing is there. */
static void hand_out(struct batch *b, struct buf *out)
{
    bool failed = out->failed || b->text.failed;
    if (out->len == 0) {
        struct buf text = b->text;
        b->text = *out;
        *out = text;
    } else {
        buf_slice_put(out, buf_slice(&b->text));
    }
    out->failed |= failed;
}

/* With the lock held: hands out texts until at most LEFT batches are not handed out; when there was none, the next one too if it is
 * ready. */
static void collect(struct lanes *l, uint64_t left, struct buf *out)
{
    while (l->handed < l->filled) {
        struct batch *b = batch_of(l, l->handed);
        if (out->len > 0 && l->filled - l->handed <= left)
            return;
        if (b->printed) {
            hand_out(b, out);
            empty(b);
            l->handed++;
        } else if (l->filled - l->handed <= left) {
            return;
        } else if (!print_next(l, NULL)) {
            pthread_cond_wait(&l->printed, &l->lock);
        }
    }
}

/* Gives the batch that was filled to the printers, and sees to it that there is another to fill. */
static void pass_on(struct lanes *l, uint64_t left, struct buf *out)
{
    pthread_mutex_lock(&l->lock);
    l->filled++;
    pthread_cond_signal(&l->full);
    collect(l, left, out);
    pthread_mutex_unlock(&l->lock);
}

struct dissection *lanes_place(struct lanes *l)
{
    struct batch *b = batch_of(l, l->filled);
    struct slot *slot = &b->slots[b->count];
    if (!slot->packet)
        slot->packet = dissection_new();
    return slot->packet;
}

void lanes_put(struct lanes *l, const struct print_options *options, struct buf *out)
{
    struct batch *b = batch_of(l, l->filled);
    struct slot *slot = &b->slots[b->count];
    uint32_t events = slot->packet ? slot->packet->tape.count : 0;
    if (!slot->packet || !dissection_keep(slot->packet, events > 0 || options->hex)) {
        out->failed = true;
        return;
    }
    slot->options = *options;
    b->events += events;
    if (++b->count == BATCH_SLOTS || b->events >= FULL_EVENTS)
        pass_on(l, BATCHES - 1, out);
}

void lanes_finish(struct lanes *l, struct buf *out)
{
    pass_on(l, 0, out);
}
