/* The Internet checksum (RFC 1071). */
#ifndef TLSWIRE_BASE_SUM_H
#define TLSWIRE_BASE_SUM_H

#include "base/slice.h"

/* Adds BYTES to SUM, which is not complemented yet; all but the last piece have even lengths. */
uint32_t internet_sum(uint32_t sum, struct slice bytes);
/* Folds and complements. */
uint16_t internet_sum_end(uint32_t sum);

#endif
