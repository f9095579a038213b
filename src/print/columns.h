/* The columns of the summary line.  As they come: No., Time, Source, Destination, Protocol, Length,
 * Info; others with -o gui.column.format. */
#ifndef TLSWIRE_PRINT_COLUMNS_H
#define TLSWIRE_PRINT_COLUMNS_H

#include "print/print.h"

enum column {
    COLUMN_NUMBER,
    COLUMN_TIME, /* as -t says */
    COLUMN_SOURCE,
    COLUMN_DESTINATION,
    COLUMN_PROTOCOL,
    COLUMN_LENGTH,
    COLUMN_INFO,
    COLUMN_SOURCE_PORT,
    COLUMN_DESTINATION_PORT,
    COLUMN_LINK_SOURCE,
    COLUMN_LINK_DESTINATION,
    COLUMN_NET_SOURCE,
    COLUMN_NET_DESTINATION,
    COLUMN_SOURCE_ADDRESS, /* the same four without names */
    COLUMN_DESTINATION_ADDRESS,
    COLUMN_NET_SOURCE_ADDRESS,
    COLUMN_NET_DESTINATION_ADDRESS,
    COLUMN_TIME_ABSOLUTE,
    COLUMN_TIME_DATE,
    COLUMN_TIME_DAY_OF_YEAR,
    COLUMN_TIME_UTC,
    COLUMN_TIME_UTC_DATE,
    COLUMN_TIME_UTC_DAY_OF_YEAR,
    COLUMN_TIME_RELATIVE,
    COLUMN_TIME_DELTA,
    COLUMN_TIME_DELTA_DISPLAYED,
    COLUMN_VLAN,
    COLUMN_SEVERITY,
    COLUMN_CUSTOM, /* values of fields */
    COLUMN_EMPTY,  /* of a protocol that is not dissected here */
    COLUMN_COUNT
};

#define COLUMN_FIELDS 16 /* that one column may be made of */

struct column_spec {
    enum column kind;
    const char *title;
    uint16_t fields[COLUMN_FIELDS]; /* of COLUMN_CUSTOM; F_NONE after the last */
    int occurrence;                 /* 0: all; 1: the first; -1: the last */
    bool plain;                     /* numbers without their names */
};

/* Text of one column, without padding. */
void column_write(struct buf *out, enum column column, const struct print_options *options,
                  const struct dissection *d);
/* The summary line with its line feed. */
void summary_write(struct buf *out, const struct print_options *options,
                   const struct dissection *d);

/* The columns that OPTIONS name, or the usual ones. */
size_t columns_count(const struct print_options *options);
const char *columns_title(const struct print_options *options, size_t index);
void columns_write(struct buf *out, size_t index, const struct print_options *options,
                   const struct dissection *d);
/* Index of the column with this title; columns_count() when there is none. */
size_t columns_find(const struct print_options *options, const char *title);
/* Marks the fields that the columns are made of. */
void columns_want(const struct print_options *options, uint8_t *want);

/* In column_list.c: '"No.","%m","SNI","%Cus:tls.handshake.extensions_server_name:0:R"'.  NULL when
 * it cannot be read, or there is no memory; freed by column_list_free(). */
struct column_list *column_list_new(const char *format);
void column_list_free(struct column_list *list);
size_t column_list_count(const struct column_list *list);
const struct column_spec *column_list_at(const struct column_list *list, size_t index);
/* Calls PUT for every format and what it is. */
void column_formats(void (*put)(void *to, const char *format, const char *what), void *to);

#endif
