/* -T fields: one line a packet, one cell for each -e, in the manner that -E asks for. */
#ifndef TLSWIRE_PRINT_FIELDS_H
#define TLSWIRE_PRINT_FIELDS_H

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

/* Between the values of a cell that field_list_fill() made; no value holds it. */
#define FIELD_VALUE_END '\0'

struct field_list;
struct dissection;
struct print_options;

/* NULL when there is no memory.  Owned by the caller, freed by field_list_free(). */
struct field_list *field_list_new(void);
void field_list_free(struct field_list *list);
/* Another list that asks for the same, for another thread; NULL when there is no memory. */
struct field_list *field_list_copy(const struct field_list *list);

/* Adds a cell: a field's or protocol's abbreviation, or "_ws.col.<column>".  False when there is no
 * such field, or no memory; that there is such a column is for field_list_stray_column() to say. */
bool field_list_add(struct field_list *list, const char *name);
/* One argument of -E: "header=y", "separator=/t", "occurrence=f", "aggregator=,", "quote=d",
 * "bom=y". False when it is none of these. */
bool field_list_option(struct field_list *list, const char *option);
/* 0 for NULL. */
size_t field_list_count(const struct field_list *list);
/* Whether there is no room for one more. */
bool field_list_full(const struct field_list *list);
const char *field_list_name(const struct field_list *list, size_t cell);
/* Of a column's cell; NULL for a field's. */
const char *field_list_title(const struct field_list *list, size_t cell);
/* True when the field's values are asked for in this cell. */
bool field_list_is_of(const struct field_list *list, size_t cell, uint16_t field);

/* The first "_ws.col.<title>" whose title no column has; NULL when there is none. */
const char *field_list_stray_column(const struct print_options *options);

/* For formats that write each value apart: fills the cells from a packet, then one asks for the
 * values of each. */
void field_list_fill(const struct print_options *options, const struct dissection *d);

struct field_values {
    struct slice rest;
    uint32_t left; /* values to come */
};

struct field_values field_list_values(const struct field_list *list, size_t cell);
bool field_values_next(struct field_values *values, struct slice *text);

void fields_header(struct buf *out, const struct print_options *options);
void fields_packet(struct buf *out, const struct print_options *options,
                   const struct dissection *d);
void fields_footer(struct buf *out, const struct print_options *options);
void fields_want(const struct print_options *options, uint8_t *want);

/* Whether the list names a column of the summary line. */
bool field_list_has_columns(const struct print_options *options);

#endif
