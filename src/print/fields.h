/* -T fields: one line a packet, one cell for each -e, in the manner that -E asks for. */
#ifndef TLSWIRE_PRINT_FIELDS_H
#define TLSWIRE_PRINT_FIELDS_H

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

struct field_list;
struct dissection;
struct print_options;

/* NULL when there is no memory.  Owned by the caller, freed by field_list_free(). */
struct field_list *field_list_new(void);
void field_list_free(struct field_list *list);

/* Adds a cell: a field's or protocol's abbreviation, or "_ws.col.<column>".  False when there is no
 * such field, or no memory. */
bool field_list_add(struct field_list *list, const char *name);
/* One argument of -E: "header=y", "separator=/t", "occurrence=f", "aggregator=,", "quote=d",
 * "bom=y". False when it is none of these. */
bool field_list_option(struct field_list *list, const char *option);
size_t field_list_count(const struct field_list *list);

void fields_header(struct buf *out, const struct print_options *options);
void fields_packet(struct buf *out, const struct print_options *options,
                   const struct dissection *d);
void fields_footer(struct buf *out, const struct print_options *options);
void fields_want(const struct print_options *options, uint8_t *want);

#endif
