/* pcapng (draft-ietf-opsawg-pcapng): sections of typed, length-framed blocks. */
#include "capture/reader_private.h"

#include <limits.h>
#include <stdlib.h>

enum {
    BLOCK_MIN = 12,
    SECTION_MIN = 28,
    BLOCK_SECTION = 0x0a0d0d0a,
    BYTE_ORDER_MAGIC = 0x1a2b3c4d,
    OPTION_IF_NAME = 2,
    OPTION_IF_DESCRIPTION = 3,
    OPTION_IF_TSRESOL = 9,
    OPTION_IF_FCSLEN = 13,
    OPTION_IF_TSOFFSET = 14,
    MAX_INTERFACES = 65536,
    MAX_INTERFACE_NAME = 255,
    BLOCK_MOST = 134348832, /* a packet of D-Bus, and its options: tshark's ceiling */
};

/* A block whose body is in hand. */
struct block {
    struct slice body;
    uint64_t offset;  /* of the block */
    size_t size;      /* all of it, rounded up to a multiple of 4 */
    const char *name; /* "an EPB" */
    bool big;
};

/* What a block comes to: a packet, or go on, or damage. */
enum block_result { BLOCK_GO_ON, BLOCK_PACKET, BLOCK_DAMAGED };

typedef enum block_result read_block(struct reader *r, struct block *b, struct packet *p);

struct option {
    uint16_t code;
    struct slice value;
};

static enum read_result pcapng_next(struct reader *r, struct packet *p);

static size_t padded(size_t size)
{
    return (size + 3) & ~(size_t)3;
}

static bool next_option(struct slice *list, bool big, struct option *o)
{
    return packet_next_option(list, big, &o->code, &o->value);
}

bool packet_comment(const struct packet *p, size_t index, struct slice *comment)
{
    return packet_option(p, PACKET_OPTION_COMMENT, index, comment);
}

static enum block_result damaged(struct reader *r, const struct block *b, const char *what)
{
    (void)reader_damaged(r, b->offset, "pcapng: %s", what);
    return BLOCK_DAMAGED;
}

/* The header of a section has been framed; its byte order is known. */
static enum block_result read_section(struct reader *r, struct block *b, struct packet *p)
{
    (void)p;
    (void)slice_skip(&b->body, 4);
    uint16_t major = read_u16(&b->body, b->big);
    uint16_t minor = read_u16(&b->body, b->big);
    if (b->body.failed || major != 1 || (minor != 0 && minor != 2)) {
        (void)reader_unsupported(r, "pcapng: unknown SHB version %u.%u", major, minor);
        return BLOCK_DAMAGED;
    }
    r->info.big_endian = b->big;
    r->info.sections++;
    r->section_first = r->info.interfaces;
    return BLOCK_GO_ON;
}

static const char *keep_name(struct reader *r, struct slice text)
{
    struct slice name = slice_sub(text, 0, MAX_INTERFACE_NAME);
    char *copy = arena_zalloc(&r->names, name.len + 1);
    for (size_t i = 0; copy && i < name.len; i++)
        copy[i] = (char)slice_at(name, i);
    return copy;
}

static bool interface_room(struct reader *r)
{
    if (r->info.interfaces < r->interface_capacity)
        return true;
    size_t capacity = r->interface_capacity ? r->interface_capacity * 2 : 8;
    void *grown = capacity <= MAX_INTERFACES
                      ? realloc(r->interfaces, capacity * sizeof *r->interfaces)
                      : NULL;
    if (!grown)
        return false;
    r->interfaces = grown;
    r->interface_capacity = capacity;
    return true;
}

static enum block_result read_interface(struct reader *r, struct block *b, struct packet *p)
{
    (void)p;
    struct capture_interface made = {.fcs_bytes = -1};
    made.link_type = read_u16(&b->body, b->big);
    (void)slice_skip(&b->body, 2);
    made.snaplen = read_u32(&b->body, b->big);
    if (b->body.failed)
        return damaged(r, b, "an interface description of less than 20 bytes");
    if (!interface_room(r))
        return damaged(r, b, "more than 65536 interfaces");
    made.max_caplen = max_caplen_of(made.link_type);
    uint8_t tsresol = 6;
    uint64_t tsoffset = 0;
    struct option o;
    while (next_option(&b->body, b->big, &o)) {
        if (o.code == OPTION_IF_NAME)
            made.name = keep_name(r, o.value);
        else if (o.code == OPTION_IF_DESCRIPTION)
            made.description = keep_name(r, o.value);
        else if (o.code == OPTION_IF_TSRESOL && o.value.len == 1)
            tsresol = slice_u8(&o.value);
        else if (o.code == OPTION_IF_TSOFFSET && o.value.len == 8)
            tsoffset = read_u64(&o.value, b->big);
        else if (o.code == OPTION_IF_FCSLEN && o.value.len == 1)
            made.fcs_bytes = (int8_t)(slice_at(o.value, 0) & 0x7f);
    }
    clock_init(&made.clock, tsresol, (int64_t)tsoffset);
    if (r->info.interfaces == 0) {
        r->info.link_type = made.link_type;
        r->info.snaplen = made.snaplen;
    }
    r->info.multiple_links |= made.link_type != r->info.link_type;
    r->interfaces[r->info.interfaces++] = made;
    return BLOCK_GO_ON;
}

/* Fills in the packet, whose bytes come next in the body, and its options after them. */
static enum block_result finish_packet(struct reader *r, struct block *b, struct packet *p,
                                       uint32_t id, uint32_t caplen)
{
    size_t index = r->section_first + id;
    if (id >= r->info.interfaces - r->section_first) {
        (void)reader_damaged(
            r, b->offset, "pcapng: interface index %u is not less than section interface count %zu",
            id, r->info.interfaces - r->section_first);
        return BLOCK_DAMAGED;
    }
    const struct capture_interface *on = &r->interfaces[index];
    if (caplen > on->max_caplen || caplen > b->body.len) {
        if (caplen > b->body.len)
            (void)reader_damaged(
                r, b->offset,
                "pcapng: total block length %zu of %s is too small for %u bytes of "
                "packet data",
                b->size, b->name, caplen);
        else
            (void)reader_damaged(r, b->offset,
                                 "pcapng: %s has %u-byte packet, bigger than maximum of %u",
                                 b->name, caplen, on->max_caplen);
        return BLOCK_DAMAGED;
    }
    p->bytes = slice_take(&b->body, caplen);
    p->caplen = caplen;
    p->number = ++r->info.packets;
    p->link_type = on->link_type;
    p->interface = (uint32_t)index;
    p->interface_in_section = id;
    p->interface_name = on->name;
    p->interface_description = on->description;
    p->section = r->info.sections;
    p->time_decimals = on->clock.decimals;
    p->fcs_bytes = on->fcs_bytes;
    p->big_endian = b->big;
    return BLOCK_PACKET;
}

static void read_packet_options(struct block *b, struct packet *p)
{
    size_t padding = padded(p->caplen) - p->caplen;
    p->comment = p->options = slice_empty();
    if (b->body.len < padding + 4)
        return;
    (void)slice_skip(&b->body, padding);
    p->options = b->body;
    struct option o;
    bool commented = false;
    while (next_option(&b->body, b->big, &o)) {
        if (o.code == PACKET_OPTION_COMMENT && !commented) {
            p->comment = o.value;
            commented = true;
        } else if (o.code == PACKET_OPTION_FLAGS && o.value.len == 4) {
            uint32_t fcs = read_u32(&o.value, b->big) >> 5 & 0xf;
            if (fcs != 0) /* 0: not known */
                p->fcs_bytes = (int8_t)fcs;
        }
    }
}

/* The fields that an Enhanced Packet and the Packet Block before it have in common. */
static enum block_result read_timed(struct reader *r, struct block *b, struct packet *p,
                                    uint32_t id)
{
    uint64_t high = read_u32(&b->body, b->big);
    uint64_t ticks = high << 32 | read_u32(&b->body, b->big);
    uint32_t caplen = read_u32(&b->body, b->big);
    p->len = read_u32(&b->body, b->big);
    if (b->body.failed)
        return damaged(r, b, "a packet block shorter than its own header");
    enum block_result result = finish_packet(r, b, p, id, caplen);
    if (result == BLOCK_PACKET) {
        p->has_time = true;
        p->time_ns = clock_ns(&r->interfaces[p->interface].clock, ticks);
        read_packet_options(b, p);
    }
    return result;
}

static enum block_result read_enhanced(struct reader *r, struct block *b, struct packet *p)
{
    if (r->scanning)
        return BLOCK_GO_ON;
    uint32_t id = read_u32(&b->body, b->big);
    return read_timed(r, b, p, id);
}

static enum block_result read_old_packet(struct reader *r, struct block *b, struct packet *p)
{
    if (r->scanning)
        return BLOCK_GO_ON;
    uint32_t id = read_u16(&b->body, b->big);
    (void)slice_skip(&b->body, 2); /* drops */
    return read_timed(r, b, p, id);
}

/* Simple Packet Blocks belong to the first interface, and have neither time nor captured length. */
static enum block_result read_simple(struct reader *r, struct block *b, struct packet *p)
{
    if (r->scanning)
        return BLOCK_GO_ON;
    p->len = read_u32(&b->body, b->big);
    if (b->body.failed)
        return damaged(r, b, "a simple packet block shorter than its own header");
    uint32_t caplen = p->len;
    if (r->info.interfaces == r->section_first)
        return damaged(r, b, "SPB appeared before any IDBs in the section");
    uint32_t snaplen = r->interfaces[r->section_first].snaplen;
    if (snaplen != 0 && caplen > snaplen)
        caplen = snaplen;
    p->has_time = false;
    p->time_ns = 0;
    p->comment = p->options = slice_empty();
    return finish_packet(r, b, p, 0, caplen);
}

static enum block_result read_secrets(struct reader *r, struct block *b, struct packet *p)
{
    (void)p;
    uint32_t type = read_u32(&b->body, b->big);
    uint32_t len = read_u32(&b->body, b->big);
    if (b->body.failed || len > b->body.len)
        return damaged(r, b, "decryption secrets longer than their block");
    if (r->options.secrets && !r->secrets_done)
        r->options.secrets(r->options.context, type, slice_take(&b->body, len));
    return BLOCK_GO_ON;
}

enum { NAMES_END = 0, NAMES_IPV4 = 1, NAMES_IPV6 = 2 };

/* The names of one record: an address, then names that each end with a zero. */
static bool read_record(struct reader *r, struct slice record, size_t address_size)
{
    struct slice address = slice_take(&record, address_size);
    if (record.failed || record.len == 0 || slice_at(record, record.len - 1) != '\0')
        return false;
    while (record.len > 0) {
        size_t len = 0;
        while (slice_at(record, len) != '\0')
            len++;
        struct slice name = slice_take(&record, len);
        slice_skip(&record, 1);
        r->options.name(r->options.context, address, name);
    }
    return true;
}

static enum block_result read_names(struct reader *r, struct block *b, struct packet *p)
{
    (void)p;
    if (r->scanning || !r->options.name)
        return BLOCK_GO_ON;
    while (b->body.len >= 4) {
        uint16_t type = read_u16(&b->body, b->big), len = read_u16(&b->body, b->big);
        struct slice record = slice_take(&b->body, len);
        if (type == NAMES_END)
            return BLOCK_GO_ON;
        if (b->body.failed)
            return damaged(r, b, "a record of names longer than its block");
        if ((type == NAMES_IPV4 || type == NAMES_IPV6) &&
            !read_record(r, record, type == NAMES_IPV4 ? 4 : 16))
            return damaged(r, b, "NRB record has non-null-terminated host name");
        slice_skip(&b->body, (4 - len % 4u) % 4 < b->body.len ? (4 - len % 4u) % 4 : b->body.len);
    }
    return BLOCK_GO_ON;
}

/* Not network packets, but tshark numbers them as frames; so that our numbers agree, so do we. */
static enum block_result count_only(struct reader *r, struct block *b, struct packet *p)
{
    (void)b;
    (void)p;
    r->info.packets++;
    return BLOCK_GO_ON;
}

static const struct block_type {
    uint32_t type;
    uint32_t least; /* bytes of the whole block */
    const char *name;
    read_block *read;
} block_types[] = {
    {6, 32, "an EPB", read_enhanced},
    {BLOCK_SECTION, SECTION_MIN, "an SHB", read_section},
    {1, 20, "an IDB", read_interface},
    {3, 16, "an SPB", read_simple},
    {4, BLOCK_MIN, "an NRB", read_names},
    {2, 32, "a PB", read_old_packet},
    {10, 20, "a DSB", read_secrets},
    {9, BLOCK_MIN, "a systemd journal export block", count_only},
    {0x00000bad, 16, "a CB", count_only},
    {0x40000bad, 16, "a CB", count_only},
    {0x204, BLOCK_MIN, "a Sysdig event block", count_only},
    {0x208, BLOCK_MIN, "a Sysdig event block", count_only},
    {0x216, BLOCK_MIN, "a Sysdig event block", count_only},
};

/* NULL: statistics, what is not known. They are stepped over. */
static const struct block_type *block_type_of(uint32_t type)
{
    for (size_t i = 0; i < sizeof block_types / sizeof block_types[0]; i++)
        if (block_types[i].type == type)
            return &block_types[i];
    return NULL;
}

bool pcapng_detect(struct slice first)
{
    if (slice_u32(&first) != BLOCK_SECTION)
        return false;
    (void)slice_skip(&first, 4);
    struct slice magic = slice_take(&first, 4);
    struct slice other = magic;
    return magic.failed || slice_u32(&magic) == BYTE_ORDER_MAGIC ||
           slice_le32(&other) == BYTE_ORDER_MAGIC;
}

bool pcapng_open(struct reader *r)
{
    r->info.format = "pcapng";
    r->next = pcapng_next;
    r->complete = pcapng_complete;
    if (!source_need(&r->source, SECTION_MIN)) {
        (void)reader_cut_short(r, "the section header", SECTION_MIN);
        return false;
    }
    return true;
}

/* Byte order of the block at the window's start: a section header brings its own. */
static bool block_order(const struct reader *r, struct slice at, bool *big)
{
    *big = r->info.big_endian;
    if (slice_u32(&at) != BLOCK_SECTION)
        return true;
    (void)slice_skip(&at, 4);
    struct slice magic = slice_take(&at, 4);
    struct slice other = magic;
    *big = slice_u32(&magic) == BYTE_ORDER_MAGIC;
    return *big || slice_le32(&other) == BYTE_ORDER_MAGIC;
}

/* Frames the next block.  READ_PACKET: it is in B; else why not. */
static enum read_result next_block(struct reader *r, struct block *b, uint32_t *type)
{
    struct source *s = &r->source;
    if (!source_need(s, BLOCK_MIN)) {
        if (s->window.len == 0 && s->error.code == ERROR_NONE)
            return READ_END;
        return reader_cut_short(r, "a block's header", BLOCK_MIN);
    }
    b->offset = s->offset;
    if (!block_order(r, s->window, &b->big))
        return reader_damaged(r, b->offset, "pcapng: a section header without byte order");
    struct slice head = slice_sub(s->window, 0, 8);
    *type = read_u32(&head, b->big);
    uint32_t size = read_u32(&head, b->big);
    const struct block_type *known = block_type_of(*type);
    b->name = known ? known->name : "a block";
    b->size = padded(size); /* writers that forget the padding are forgiven */
    uint32_t least = known ? known->least : BLOCK_MIN;
    if (b->size < least)
        return reader_damaged(
            r, b->offset,
            "pcapng: total block length %zu of %s is less than the minimum %s size %u", b->size,
            b->name, known ? strchr(b->name, ' ') + 1 : "block", least);
    if (b->size > BLOCK_MOST)
        return reader_damaged(r, b->offset, "pcapng: total block length %u is too large (> %u)",
                              size, BLOCK_MOST);
    if (!source_need(s, b->size)) {
        if (b->size > SOURCE_CEILING && s->fetch)
            return reader_damaged(r, b->offset,
                                  "a block of %zu bytes; %zu are the most that are read of a pipe",
                                  b->size, SOURCE_CEILING);
        return reader_cut_short(r, "a block", b->size);
    }
    struct slice whole = source_take(s, b->size);
    (void)slice_skip(&whole, 8);
    b->body = slice_take(&whole, b->size - BLOCK_MIN);
    size_t again = padded(read_u32(&whole, b->big));
    if (again != b->size)
        return reader_damaged(r, b->offset,
                              "pcapng: total block lengths (first %zu and second %zu) don't match",
                              b->size, again);
    return READ_PACKET;
}

bool pcapng_complete(const struct reader *r)
{
    struct slice at = r->source.window;
    bool big = r->info.big_endian;
    while (at.len >= BLOCK_MIN) {
        struct slice head = at;
        bool order;
        if (!block_order(r, head, &order))
            return true; /* damage, which reader_next() will tell */
        uint32_t type = slice_u32(&head) == BLOCK_SECTION ? BLOCK_SECTION : 0;
        big = type ? order : big;
        head = at;
        type = read_u32(&head, big);
        size_t size = padded(read_u32(&head, big));
        if (size < BLOCK_MIN || size > BLOCK_MOST)
            return true;
        if (!slice_skip(&at, size))
            return false;
        if (type == 6 || type == 3 || type == 2)
            return true;
    }
    return false;
}

static enum read_result pcapng_next(struct reader *r, struct packet *p)
{
    for (;;) {
        struct block b;
        uint32_t type = 0;
        enum read_result framed = next_block(r, &b, &type);
        if (framed != READ_PACKET)
            return framed;
        const struct block_type *known = block_type_of(type);
        enum block_result result = known ? known->read(r, &b, p) : BLOCK_GO_ON;
        if (result == BLOCK_PACKET)
            return READ_PACKET;
        if (result == BLOCK_DAMAGED)
            return READ_ERROR;
    }
}
