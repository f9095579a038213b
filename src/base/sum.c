#include "base/sum.h"

uint32_t internet_sum(uint32_t sum, struct slice bytes)
{
    uint64_t total = sum;
    while (bytes.len >= 4)
        total += slice_u32(&bytes);
    if (bytes.len >= 2)
        total += slice_u16(&bytes);
    if (bytes.len == 1)
        total += (uint32_t)slice_u8(&bytes) << 8;
    total = (total & 0xffffffff) + (total >> 32);
    total = (total & 0xffff) + (total >> 16);
    return (uint32_t)((total & 0xffff) + (total >> 16));
}

uint16_t internet_sum_end(uint32_t sum)
{
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}
