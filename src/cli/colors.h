/* --color: which colours a packet's line has, by the rules that Wireshark comes with. */
#ifndef TLSWIRE_CLI_COLORS_H
#define TLSWIRE_CLI_COLORS_H

#include "base/error.h"
#include "print/print.h"

#include <stdio.h>

struct colors;

/* True when OUT is a terminal that says that it has all colours, and nobody asked for none. */
bool colors_possible(FILE *out);
/* NULL, and the error set, when there is no memory. */
struct colors *colors_new(struct error *error);
void colors_free(struct colors *);
/* Marks the fields that the rules look at. */
void colors_want(const struct colors *, uint8_t *want);
/* The colours of the first rule that holds; NULL when none does. */
const struct ink *colors_of(const struct colors *, const struct tape *t);

#endif
