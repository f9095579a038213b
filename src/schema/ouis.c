#include "schema/ouis.h"

const char *oui_name(uint32_t value)
{
    size_t low = 0, high = oui_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ouis[middle].value < value)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == oui_count || ouis[low].value != value)
        return NULL;
    return &oui_names[ouis[low].name >> 12][ouis[low].name & 4095];
}
