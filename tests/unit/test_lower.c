/* What lies below TCP: where tshark does not go, and what is bounded.  The rest is in the golden
 * captures of tests/golden/layers.py. */
#include "dissect/fragments.h"
#include "packets.h"
#include "schema/ouis.h"
#include "unit.h"

static struct fragments *pieces;

static bool add(uint32_t id, uint32_t offset, bool more, const char *text, int64_t seconds,
                struct joined *out)
{
    struct fragment_key key = {.id = id, .protocol = 6};
    struct fragment f = {.bytes = slice_of_str(text),
                         .offset = offset,
                         .more = more,
                         .frame = 1,
                         .time = seconds * INT64_C(1000000000)};
    fragments_packet(pieces);
    return fragment_add(pieces, &key, &f, out);
}

static void fragments_come_together_in_any_order(void)
{
    static const char *const parts[] = {"01234567", "89abcdef", "ghi"};
    static const unsigned orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                         {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    for (uint32_t i = 0; i < 6; i++) {
        struct joined whole;
        for (unsigned k = 0; k < 3; k++) {
            unsigned part = orders[i][k];
            CHECK_EQ(k == 2, add(i, part * 8, part < 2, parts[part], 0, &whole));
        }
        CHECK(slice_is(whole.bytes, "0123456789abcdefghi"));
        CHECK_EQ(3 * sizeof(struct piece), whole.pieces.len);
    }
    CHECK_EQ(0, fragments_held(pieces));
}

/* Of bytes that come twice those of the lower offset count, then those that came first. */
static void overlaps_are_marked(void)
{
    struct joined whole;
    CHECK(!add(1, 0, true, "01234567", 0, &whole));
    CHECK(!add(1, 0, true, "0123456X", 0, &whole));
    CHECK(add(1, 8, false, "89", 0, &whole));
    CHECK(slice_is(whole.bytes, "0123456789"));
    struct slice list = whole.pieces;
    struct piece p;
    CHECK(slice_read(&list, &p, sizeof p) && p.flags == 0);
    CHECK(slice_read(&list, &p, sizeof p) && p.flags == (PIECE_OVERLAP | PIECE_CONFLICT));
    CHECK(slice_read(&list, &p, sizeof p) && p.flags == 0);
}

static void old_fragments_are_forgotten(void)
{
    struct joined whole;
    CHECK(!add(7, 0, true, "01234567", 100, &whole));
    CHECK(!add(7, 8, false, "old", 161, &whole));
    CHECK(add(7, 0, true, "76543210", 162, &whole));
    CHECK(slice_is(whole.bytes, "76543210old"));
}

static void memory_for_fragments_is_bounded(void)
{
    static char text[60001];
    struct joined whole;
    memset(text, 'x', sizeof text - 1);
    for (uint32_t id = 0; id < 1000; id++)
        CHECK(!add(id, 8, true, text, 0, &whole));
    CHECK(fragments_held(pieces) <= (size_t)64 * 128 * 1024);
    CHECK(!add(1, 0, true, "01234567", 0, &whole)); /* its rest was given up long ago */
    for (unsigned i = 0; i < 100; i++)
        CHECK(!add(5000, 8, true, text, 0, &whole));
    CHECK(fragments_held(pieces) <= (size_t)64 * 128 * 1024);
    CHECK(!add(6000, 60000, false, text, 0, &whole)); /* would pass 65535 bytes */
}

/* ---- through the engine ------------------------------------------------------------------------
 */

static uint8_t want[FIELD_COUNT];

static struct event *first_event(struct dissection *d, enum field_id field)
{
    for (uint32_t i = 0; i < d->tape.count; i++)
        if (d->tape.events[i].field == field)
            return &d->tape.events[i];
    return NULL;
}

static void each_packet_shows_its_segment(void)
{
    struct kept_capture c;
    size_t with_hello = 0, pads = 0;
    CHECK(keep_capture(&c, "tests/golden/beyond.pcap"));
    struct engine *e = engine_new(&(struct engine_options){.want = want});
    for (size_t i = 0; i < c.count; i++) {
        struct dissection *d =
            (struct dissection *)(uintptr_t)engine_packet(e, &c.packets[i].packet);
        with_hello += first_event(d, F_tls_handshake_type) != NULL;
        struct event *pad = first_event(d, F_ipv6_opt_pad1);
        if (pad) {
            CHECK_EQ(1, pad->length);
            pads++;
        }
    }
    CHECK_EQ(4, with_hello);
    CHECK_EQ(1, pads);
    engine_free(e);
    drop_capture(&c);
}

/* Tunnels in tunnels without end cost no stack and no time: they are not gone through. */
static void depth_is_bounded(void)
{
    struct buf bytes = {0};
    struct engine *e = engine_new(&(struct engine_options){.want = want});
    buf_fill(&bytes, '\0', 12);
    put_number(&bytes, 0x0800, 2);
    for (unsigned left = 1000; left > 0; left--) {
        put_number(&bytes, 0x4500, 2);
        put_number(&bytes, 20 * (left < 3000 ? left : 3000), 2);
        put_number(&bytes, 0, 4);
        put_number(&bytes, 0x4004, 2);
        buf_fill(&bytes, '\1', 10);
    }
    struct packet p = packet_of(&bytes, 1);
    const struct dissection *d = engine_packet(e, &p);
    unsigned headers = 0;
    for (uint32_t i = 0; i < d->tape.count; i++)
        headers += d->tape.events[i].field == F_ip;
    CHECK(headers > 16 && headers < 40);
    CHECK(!d->columns.has_tcp);
    engine_free(e);
    buf_free(&bytes);
}

static void makers_are_known(void)
{
    CHECK_STR("Apple, Inc.", oui_name(0x001b63));
    CHECK(oui_name(0x020000) == NULL);
    const struct {
        const struct oui_row *rows;
        size_t count;
    } tables[] = {{ouis, ouis_count}, {ouis_28, ouis_28_count}, {ouis_36, ouis_36_count}};
    for (size_t k = 0; k < sizeof tables / sizeof tables[0]; k++)
        for (size_t i = 1; i < tables[k].count; i++)
            CHECK(tables[k].rows[i - 1].value < tables[k].rows[i].value);
    /* Nobody but the authority gives parts of its numbers to others: ether_name() relies on it. */
    for (size_t k = 1; k < 3; k++)
        for (size_t i = 0; i < tables[k].count; i++) {
            const char *whole = oui_name((uint32_t)(tables[k].rows[i].value >> (k == 1 ? 4 : 12)));
            CHECK(!whole || strcmp(whole, "IEEE Registration Authority") == 0);
        }
}

/* As tshark 4.0.17 calls them, but for 01:00:5e:80:00:01: only half of that block is IPv4's (RFC 1112 6.4). */
static void adapters_are_called_by_groups_and_makers(void)
{
    static const struct {
        uint64_t address;
        const char *name; /* NULL: none */
    } rows[] = {
        {0x8c859065858f, "Apple_65:85:8f"},
        {0x0c5cb5712345, "Energybo_01:23:45"}, /* 28 bits */
        {0x001bc5000123, "Convergi_01:23"},    /* 36 bits */
        {0x011b19000000, "IEEEI&MS_00:00:00"}, /* a group of a maker */
        {0x000000000001, "00:00:00_00:00:01"},
        {0x080027010203, "PcsCompu_01:02:03"},
        {0x020000000001, NULL},
        {0xffffffffffff, "Broadcast"},
        {0xfffffffffffe, NULL},
        {0x01005e7ffffa, "IPv4mcast_7f:ff:fa"},
        {0x01005e0000fb, "IPv4mcast_fb"},
        {0x01005e800001, "ICANNIAN_80:00:01"},
        {0x333300000001, "IPv6mcast_01"},
        {0x333301000000, "IPv6mcast_01:00:00:00"},
        {0x0180c2000000, "Spanning-tree-(for-bridges)_00"},
        {0x0180c200000e, "LLDP_Multicast"},
        {0x00005e000105, "IETF-VRRP-VRID_05"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf out = {.ceiling = 64};
        uint8_t bytes[6];
        for (unsigned k = 0; k < 6; k++)
            bytes[k] = (uint8_t)(rows[i].address >> (40 - 8 * k));
        CHECK(ether_name(&out, slice_of(bytes, 6)) == (rows[i].name != NULL));
        buf_put(&out, "", 1);
        CHECK_STR(rows[i].name ? rows[i].name : "", (const char *)out.data);
        buf_free(&out);
    }
}

static void setup(void)
{
    memset(want, 1, sizeof want);
    pieces = fragments_new();
}

int main(void)
{
    static const struct unit_test tests[] = {
        {"lower: fragments come together in any order", fragments_come_together_in_any_order},
        {"lower: overlaps are marked", overlaps_are_marked},
        {"lower: old fragments are forgotten", old_fragments_are_forgotten},
        {"lower: memory for fragments is bounded", memory_for_fragments_is_bounded},
        {"lower: each packet shows its segment", each_packet_shows_its_segment},
        {"lower: depth is bounded", depth_is_bounded},
        {"lower: makers are known", makers_are_known},
        {"lower: adapters are called by groups and makers",
         adapters_are_called_by_groups_and_makers},
    };
    setup();
    int status = UNIT_RUN(tests);
    fragments_free(pieces);
    return status;
}
