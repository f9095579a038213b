/* Packets of any bytes through the whole engine, with every field wanted; each event's label is
 * written, and so are the summary line and the tree.  The first byte chooses the link type, then
 * comes key-log text behind two bytes of length, then packets, each behind two bytes of length.
 * The high bit of the length stands for a cut capture: one more byte says how much longer the
 * packet was on the wire. */
#include "base/buf.h"
#include "engine.h"
#include "print/label.h"
#include "print/print.h"
#include "schema/schema.h"

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
    struct engine *e = engine_new(&(struct engine_options){.want = want, .seed = 1});
    if (e)
        engine_keys(e, keys);
    struct packet p = {.link_type = link_types[link],
                       .has_time = true,
                       .time_decimals = 6,
                       .fcs_bytes = -1,
                       .interface = PACKET_NO_INTERFACE};
    struct buf out = {0};
    for (unsigned i = 0; e && i < MOST_PACKETS && next_packet(&input, &p); i++) {
        const struct dissection *d = engine_packet(e, &p);
        check_tape(&out, &d->tape);
        for (size_t k = 0; k < sizeof formats / sizeof formats[0]; k++)
            print(&out, printer_find(formats[k]), d);
    }
    buf_free(&out);
    engine_free(e);
    return 0;
}
