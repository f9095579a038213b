#include "base/packet.h"

static size_t padded(size_t size)
{
    return (size + 3) & ~(size_t)3;
}

bool packet_next_option(struct slice *list, bool big_endian, uint16_t *code, struct slice *value)
{
    if (list->len < 4)
        return false;
    *code = big_endian ? slice_u16(list) : slice_le16(list);
    uint16_t len = big_endian ? slice_u16(list) : slice_le16(list);
    if (*code == PACKET_OPTION_END || len > list->len)
        return false;
    *value = slice_sub(*list, 0, len);
    return slice_skip(list, padded(len) < list->len ? padded(len) : list->len);
}

bool packet_option(const struct packet *p, uint16_t code, size_t index, struct slice *value)
{
    struct slice list = p->options;
    uint16_t found;
    while (packet_next_option(&list, p->big_endian, &found, value))
        if (found == code && index-- == 0)
            return true;
    return false;
}

bool packet_option_number(const struct packet *p, uint16_t code, size_t size, uint64_t *number)
{
    struct slice value;
    if (!packet_option(p, code, 0, &value) || value.len != size)
        return false;
    if (size == 4)
        *number = p->big_endian ? slice_u32(&value) : slice_le32(&value);
    else
        *number = p->big_endian ? slice_u64(&value) : slice_le64(&value);
    return true;
}
