#include "schema/ouis.h"

#include <string.h>

static const char *find(const struct oui_row *rows, size_t count, uint64_t value)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (rows[middle].value < value)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == count || rows[low].value != value)
        return NULL;
    return &oui_names[rows[low].name >> 12][rows[low].name & 4095];
}

const char *oui_name(uint32_t value)
{
    const char *names = find(ouis, ouis_count, value);
    return names ? names + strlen(names) + 1 : NULL;
}

/* Addresses that stand for no single adapter: BITS of them are what all of the group have in common (IEEE Std 802.1Q tables
 * 8-1 to 8-3, RFC 1112 6.4, RFC 2464 7, RFC 9568 7.3, and the vendors' own). */
static const struct group_row {
    uint64_t address;
    uint8_t bits;
    const char *name;
} groups[] = {
    {0xffffffffffff, 48, "Broadcast"},
    {0x01005e000000, 25, "IPv4mcast"},
    {0x333300000000, 16, "IPv6mcast"},
    {0x0180c2000001, 48, "MAC-specific-ctrl-proto-01"},
    {0x0180c2000002, 48, "Slow-Protocols"},
    {0x0180c2000003, 48, "Nearest-non-TPMR-bridge"},
    {0x0180c2000008, 48, "Provider-Bridge"},
    {0x0180c200000d, 48, "Provider-Bridge-MVRP"},
    {0x0180c200000e, 48, "LLDP_Multicast"},
    {0x0180c2000000, 44, "Spanning-tree-(for-bridges)"},
    {0x00005e000100, 40, "IETF-VRRP-VRID"},
    {0x00000c07ac00, 40, "All-HSRP-routers"},
    {0x01000ccccccc, 48, "CDP/VTP/DTP/PAgP/UDLD"},
    {0x01000ccccccd, 48, "PVST+"},
    {0x01000c000000, 40, "ISL-Frame"},
};

#define ADDRESS_BITS 48
#define GROUP_BIT \
    (UINT64_C(1) << 40) /* a maker's groups begin with its number, too (IEEE Std 802-2014 8.2.2) */

/* How many bits ADDRESS shares with the GROUP's, as far as the group's own are not 0: fewer than the group asks for when
 * it is none of it. */
static unsigned shared_bits(const struct group_row *group, uint64_t address)
{
    uint64_t other = address ^ group->address;
    unsigned free_bits = other ? 64 - (unsigned)__builtin_clzll(other) : 0;
    if (group->address & ((UINT64_C(1) << free_bits) - 1))
        return 0;
    return ADDRESS_BITS - free_bits;
}

/* "_" and REST, as so many bytes. */
static void put_rest(struct buf *out, uint64_t rest, unsigned bytes)
{
    for (unsigned i = bytes; i-- > 0;) {
        buf_char(out, i + 1 == bytes ? '_' : ':');
        buf_hex(out, rest >> (8 * i) & 0xff, 2);
    }
}

static bool put_group(struct buf *out, uint64_t address)
{
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
        const struct group_row *group = &groups[i];
        unsigned shared = shared_bits(group, address);
        if (shared < group->bits)
            continue;
        buf_str(out, group->name);
        if (group->bits < ADDRESS_BITS) /* as many bytes as hold what is not shared: at least one */
            put_rest(out, address, shared == ADDRESS_BITS ? 1 : (ADDRESS_BITS - shared + 7) / 8);
        return true;
    }
    return false;
}

/* Whose numbers of 24 bits are given on in parts of 28 and 36: no other maker's are, and few makers are unknown. */
#define AUTHORITY "IEEERegi"

bool ether_name(struct buf *out, struct slice address)
{
    static const struct {
        const struct oui_row *rows;
        const size_t *count;
        uint8_t bits; /* of the number */
    } tables[] = {
        {ouis_36, &ouis_36_count, 36}, {ouis_28, &ouis_28_count, 28}, {ouis, &ouis_count, 24}};
    uint64_t value = slice_uint(&address, 6);
    if (put_group(out, value))
        return true;
    const char *maker = find(ouis, ouis_count, (value & ~GROUP_BIT) >> 24);
    bool whole = maker && strcmp(maker, AUTHORITY) != 0;
    for (size_t i = whole ? 2 : 0; i < sizeof tables / sizeof tables[0]; i++) {
        unsigned rest = ADDRESS_BITS - tables[i].bits;
        const char *names =
            rest == 24 ? maker
                       : find(tables[i].rows, *tables[i].count, (value & ~GROUP_BIT) >> rest);
        if (!names)
            continue;
        buf_str(out, names);
        put_rest(out, value & ((UINT64_C(1) << rest) - 1), (rest + 7) / 8);
        return true;
    }
    return false;
}
