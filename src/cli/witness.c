#include "cli/witness.h"

#include "capture/reader.h"
#include "capture/writer.h"
#include "cli/recording.h"
#include "engine.h"
#include "print/columns.h"
#include "print/ladder.h"

#include <openssl/rand.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS        1024
#define LADDER_CEILING ((size_t)256 << 10) /* bytes of a connection that its ladder is made of */

struct connection {
    uint64_t id;
    struct witness *witness;
    struct connection *next;
    struct recording recording; /* its flow, and the packets for a ladder */
};

struct witness {
    struct witness_options options;
    pthread_mutex_t lock;
    struct connection *buckets[BUCKETS];
    /* the capture */
    struct writer *writer;
    struct buf keys; /* to be written before the next packet */
    struct error error;
    /* the reader */
    struct engine *engine;
    uint8_t *want;
    const struct printer *printer;
    struct print_options print;
    struct print_state state; /* that trees are printed in */
    uint64_t packets;
    uint64_t now; /* the connection and direction of the packet that is being read */
    bool sent;
    struct buf text;
};

static struct packet whole(const struct packet *from, uint64_t number)
{
    struct packet p = *from;
    p.number = number;
    p.link_type = LINK_ETHERNET;
    p.section = 1;
    p.comment = p.options = slice_empty();
    p.time_decimals = 9;
    p.fcs_bytes = -1;
    p.has_time = true;
    return p;
}

/* ---- the capture ---- */

static bool start_capture(struct witness *w, struct error *e)
{
    char os[SYSTEM_NAME_SIZE];
    recording_system(os);
    struct writer_options options = {
        .format = WRITE_PCAPNG,
        .comments = {"synthetic TCP: made from the bytes of the server's sockets"},
        .os = os,
        .application = "tlswire " TLSWIRE_VERSION,
        .link_type = LINK_ETHERNET,
        .private_mode = true,
    };
    struct writer_interface interface = {
        .name = "tlswire", .link_type = LINK_ETHERNET, .decimals = 9};
    w->writer = writer_open(w->options.capture, &options, e);
    return w->writer && writer_interface(w->writer, &interface, e) && writer_flush(w->writer, e);
}

static void capture_packet(struct witness *w, const struct packet *p)
{
    if (w->error.code != ERROR_NONE)
        return;
    if (w->keys.len > 0) {
        (void)writer_secrets(w->writer, SECRETS_TLS_KEY_LOG, buf_slice(&w->keys), &w->error);
        buf_wipe(&w->keys);
    }
    if (w->error.code == ERROR_NONE)
        (void)writer_packet(w->writer, p, &w->error);
    if (w->error.code != ERROR_NONE)
        fprintf(stderr, "tlswire: the capture ends here: %s\n", w->error.text);
}

/* ---- the reader ---- */

static bool start_reader(struct witness *w, struct error *e)
{
    const uint16_t ports[] = {w->options.port};
    w->printer = printer_find("text");
    w->print =
        (struct print_options){.tree = w->options.trees, .terminal = true, .state = &w->state};
    w->want = calloc(FIELD_COUNT, 1);
    if (!w->want)
        return error_set(e, ERROR_MEMORY, "out of memory");
    if (w->options.trees)
        w->printer->want(&w->print, w->want);
    columns_want(&w->print, w->want);
    field_want_parts(w->want);
    struct engine_options options = {
        .want = w->want, .tls_ports = ports, .tls_port_count = ports[0] ? 1 : 0};
    RAND_bytes((unsigned char *)&options.seed, sizeof(options.seed));
    w->engine = engine_new(&options);
    return w->engine || error_set(e, ERROR_MEMORY, "out of memory");
}

/* Of the packet's tree the part that is TLS: headings of protocols stand at the margin. */
static void put_tls_tree(struct witness *w)
{
    struct slice rest = buf_slice(&w->text);
    bool shown = false;
    while (rest.len > 0) {
        size_t len = 0;
        while (len < rest.len && slice_at(rest, len) != '\n')
            len++;
        struct slice line = slice_take(&rest, len);
        if (rest.len > 0)
            slice_skip(&rest, 1);
        if (line.len > 0 && slice_at(line, 0) != ' ')
            shown = slice_is(slice_sub(line, 0, 24), "Transport Layer Security");
        if (shown && line.len > 0)
            fprintf(stderr, "    %.*s\n", (int)line.len, (const char *)line.data);
    }
}

static void read_packet(struct witness *w, const struct packet *p)
{
    const struct dissection *d = engine_packet(w->engine, p);
    if (d->columns.item_count == 0)
        return; /* TCP's own */
    buf_clear(&w->text);
    column_write(&w->text, COLUMN_PROTOCOL, &w->print, d);
    buf_str(&w->text, "  ");
    column_write(&w->text, COLUMN_INFO, &w->print, d);
    fprintf(stderr, "#%llu %s %.*s\n", (unsigned long long)w->now, w->sent ? ">>>" : "<<<",
            (int)w->text.len, (const char *)w->text.data);
    if (!w->options.trees)
        return;
    buf_clear(&w->text);
    w->printer->packet(&w->text, &w->print, d);
    put_tls_tree(w);
}

/* ---- packets ---- */

static void see_packet(void *context, const struct packet *packet)
{
    struct connection *c = context;
    struct witness *w = c->witness;
    struct packet p = whole(packet, ++w->packets);
    if (w->options.ladders)
        recording_packet(&c->recording, packet);
    if (w->writer)
        capture_packet(w, &p);
    if (w->engine)
        read_packet(w, &p);
}

static struct connection *find(struct witness *w, uint64_t id)
{
    struct connection *c = w->buckets[id % BUCKETS];
    while (c && c->id != id)
        c = c->next;
    return c;
}

void witness_open(struct witness *w, const struct endpoint_report *report, int64_t time_ns)
{
    struct connection *c = calloc(1, sizeof(*c));
    if (!c)
        return;
    pthread_mutex_lock(&w->lock);
    c->id = report->id;
    c->witness = w;
    c->next = w->buckets[c->id % BUCKETS];
    w->buckets[c->id % BUCKETS] = c;
    recording_init(&c->recording);
    c->recording.bytes.ceiling = LADDER_CEILING;
    c->recording.sink = see_packet;
    c->recording.sink_context = c;
    w->now = c->id;
    w->sent = false;
    recording_open(&c->recording, report, SYNTH_SERVER, time_ns);
    pthread_mutex_unlock(&w->lock);
}

void witness_bytes(struct witness *w, uint64_t id, enum endpoint_direction direction,
                   struct slice bytes, int64_t time_ns)
{
    pthread_mutex_lock(&w->lock);
    struct connection *c = find(w, id);
    w->now = id;
    w->sent = direction == ENDPOINT_SENT;
    if (c)
        recording_bytes(&c->recording, id, direction, bytes, time_ns);
    pthread_mutex_unlock(&w->lock);
}

void witness_end(struct witness *w, uint64_t id, enum endpoint_direction direction, bool reset,
                 int64_t time_ns)
{
    pthread_mutex_lock(&w->lock);
    struct connection *c = find(w, id);
    w->now = id;
    if (c)
        recording_end(&c->recording, id, direction, reset, time_ns);
    pthread_mutex_unlock(&w->lock);
}

void witness_key(struct witness *w, uint64_t id, const char *line)
{
    pthread_mutex_lock(&w->lock);
    struct connection *c = find(w, id);
    if (c && w->options.ladders)
        recording_key(&c->recording, line);
    if (w->writer) {
        buf_str(&w->keys, line);
        buf_char(&w->keys, '\n');
    }
    if (w->engine) {
        engine_keys(w->engine, slice_of_str(line));
        engine_keys(w->engine, slice_of_str("\n"));
    }
    pthread_mutex_unlock(&w->lock);
}

void witness_close(struct witness *w, uint64_t id)
{
    pthread_mutex_lock(&w->lock);
    struct connection **at = &w->buckets[id % BUCKETS];
    while (*at && (*at)->id != id)
        at = &(*at)->next;
    struct connection *c = *at;
    if (c) {
        *at = c->next;
        recording_free(&c->recording);
        free(c);
    }
    if (w->writer && w->error.code == ERROR_NONE)
        (void)writer_flush(w->writer, &w->error);
    pthread_mutex_unlock(&w->lock);
}

/* ---- ladders ---- */

static void draw(const struct witness *w, const struct recording *r, struct engine *engine,
                 struct buf *out)
{
    struct ladder_options options = {.width = LADDER_WIDTH,
                                     .keys_from = r->keys.len > 0 ? "this server" : NULL,
                                     .tls_port = w->options.port};
    struct ladder *ladder = ladder_new(&options);
    if (!ladder)
        return;
    engine_keys(engine, buf_slice(&r->keys));
    for (size_t i = 0; i < recording_count(r); i++) {
        struct packet p = {.bytes = slice_empty()};
        recording_at(r, i, &p);
        p = whole(&p, i + 1);
        ladder_packet(ladder, out, engine_packet(engine, &p));
    }
    ladder_end(ladder, out);
    ladder_free(ladder);
}

void witness_ladder(struct witness *w, uint64_t id, struct buf *out)
{
    uint8_t *want = calloc(FIELD_COUNT, 1);
    pthread_mutex_lock(&w->lock);
    struct connection *c = find(w, id);
    if (c && want && w->options.ladders) {
        const uint16_t ports[] = {w->options.port};
        ladder_want(want);
        field_want_parts(want);
        struct engine_options options = {
            .want = want, .tls_ports = ports, .tls_port_count = ports[0] ? 1 : 0};
        RAND_bytes((unsigned char *)&options.seed, sizeof(options.seed));
        struct engine *engine = engine_new(&options);
        if (engine)
            draw(w, &c->recording, engine, out);
        engine_free(engine);
    }
    pthread_mutex_unlock(&w->lock);
    free(want);
}

/* ---- beginning and end ---- */

struct witness *witness_new(const struct witness_options *options, struct error *e)
{
    struct witness *w = calloc(1, sizeof(*w));
    if (!w) {
        error_set(e, ERROR_MEMORY, "out of memory");
        return NULL;
    }
    w->options = *options;
    pthread_mutex_init(&w->lock, NULL);
    if ((options->capture && !start_capture(w, e)) ||
        ((options->messages || options->trees) && !start_reader(w, e))) {
        struct error ignored = {.code = ERROR_NONE};
        (void)witness_free(w, &ignored);
        return NULL;
    }
    return w;
}

bool witness_free(struct witness *w, struct error *e)
{
    if (!w)
        return true;
    for (size_t i = 0; i < BUCKETS; i++)
        while (w->buckets[i])
            witness_close(w, w->buckets[i]->id);
    bool ok = w->error.code == ERROR_NONE || error_set(e, w->error.code, "%s", w->error.text);
    if (w->writer && !writer_close(w->writer, e))
        ok = false;
    engine_free(w->engine);
    buf_wipe(&w->keys);
    buf_free(&w->text);
    buf_free(&w->state.scratch);
    free(w->want);
    pthread_mutex_destroy(&w->lock);
    free(w);
    return ok;
}
