/* Packets of any bytes through the whole engine, with every field wanted; each event's label is
 * written, and so are the summary line and the tree, and every statistic sees it.  The first byte chooses the link type, then
 * comes key-log text behind two bytes of length, then packets, each behind two bytes of length.
 * The high bit of the length stands for a cut capture: one more byte says how much longer the
 * packet was on the wire. */
#include "base/buf.h"
#include "crypto/key_ring.h"
#include "engine.h"
#include "print/label.h"
#include "print/print.h"
#include "schema/schema.h"
#include "stats/stats.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CUT = 0x8000, MOST_PACKETS = 256 };

static const uint32_t link_types[] = {
    LINK_ETHERNET, LINK_RAW,  LINK_NULL,    LINK_LOOP,        LINK_LINUX_SLL, LINK_LINUX_SLL2,
    LINK_IPV4,     LINK_IPV6, LINK_RAW_BSD, LINK_RAW_OPENBSD, LINK_PPP,
};

static void check_tape(struct buf *out, const struct tape *t)
{
    for (uint32_t i = 0; i < t->count; i++) {
        const struct event *e = &t->events[i];
        if (e->field >= FIELD_COUNT || e->next <= i || e->next > t->count)
            abort();
        out->len = 0;
        label_write(out, t, i);
    }
}

static void print(struct buf *out, const struct printer *printer, const struct dissection *d)
{
    static struct print_state state;
    struct print_options options = {.summary = true, .tree = true, .hex = true, .state = &state};
    out->len = 0;
    printer->packet(out, &options, d);
    if (out->failed)
        abort();
}

/* Arguments for those that want some; the others go by their name alone. */
static const char *const asked[] = {
    "flow,any,standard",
    "flow,tcp,network",
    "follow,tcp,ascii,0",
    "follow,tcp,hex,1",
    "follow,tls,ascii,0",
    "follow,tls,yaml,0",
    "follow,ssl,utf-8,1",
    "follow,tls,raw,0",
    "io,stat,0.01,tcp,SUM(tcp.len)tcp.len",
    "tls,sessions,zeek",
    "tls,sessions,json",
    "expert,note,tcp",
    "proto,colinfo,tcp,tls.handshake.extensions_server_name",
};

static struct stats *all_statistics(const struct print_options *options)
{
    struct stats *stats = stats_new();
    struct error error = {0};
    if (!stats)
        return NULL;
    for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++)
        if (!stats_add(stats, asked[i]))
            abort();
    for (size_t i = 0; stats_name(i); i++)
        if (strncmp(stats_name(i), "follow,", 7) != 0 && strncmp(stats_name(i), "flow,", 5) != 0 &&
            strcmp(stats_name(i), "io,stat") != 0 && strcmp(stats_name(i), "proto,colinfo") != 0 &&
            !stats_add(stats, stats_name(i)))
            abort();
    if (!stats_open(stats, options, &error))
        abort();
    return stats;
}

static bool next_packet(struct slice *input, struct packet *p)
{
    if (input->len < 3)
        return false;
    uint16_t head = slice_u16(input);
    uint32_t more = head & CUT ? slice_u8(input) : 0;
    p->bytes = slice_sub(*input, 0, head & 0x7fff);
    slice_skip(input, p->bytes.len);
    p->caplen = (uint32_t)p->bytes.len;
    p->len = p->caplen + more;
    p->time_ns += 1000000 * (int64_t)(head % 50);
    p->number++;
    return true;
}

/* A pre-shared key for every identity, so that key exchanges are followed, too. */
static const struct key_ring *shared_keys(void)
{
    static struct key_ring *ring;
    static const uint8_t key[16] = {0x00, 0x11, 0x22, 0x33};
    if (!ring) {
        ring = key_ring_new();
        if (!ring || !key_ring_psk(ring, NULL, slice_of(key, sizeof key)))
            abort();
    }
    return ring;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t want[FIELD_COUNT];
    memset(want, 1, sizeof want);
    static const char *const formats[] = {"text", "pdml", "json", "ek", "jsonl"};
    struct slice input = slice_of(data, size);
    size_t link = slice_u8(&input) % (sizeof link_types / sizeof link_types[0]);
    uint16_t key_bytes = slice_u16(&input);
    struct slice keys = slice_sub(input, 0, key_bytes);
    slice_skip(&input, keys.len);
    struct engine *e =
        engine_new(&(struct engine_options){.want = want, .seed = 1, .ring = shared_keys()});
    if (e)
        engine_keys(e, keys);
    struct packet p = {.link_type = link_types[link],
                       .has_time = true,
                       .time_decimals = 6,
                       .fcs_bytes = -1,
                       .interface = PACKET_NO_INTERFACE};
    struct buf out = {0};
    static struct print_state state;
    struct print_options options = {.state = &state};
    struct stats *stats = all_statistics(&options);
    for (unsigned i = 0; e && stats && i < MOST_PACKETS && next_packet(&input, &p); i++) {
        const struct dissection *d = engine_packet(e, &p);
        stats_packet(stats, d);
        check_tape(&out, &d->tape);
        for (size_t k = 0; k < sizeof formats / sizeof formats[0]; k++)
            print(&out, printer_find(formats[k]), d);
    }
    out.len = 0;
    if (stats)
        stats_end(stats, &out, NULL, NULL);
    stats_free(stats);
    if (out.failed)
        abort();
    out.len = 0;
    if (e)
        engine_export_keys(e, &out);
    buf_free(&out);
    engine_free(e);
    return 0;
}
