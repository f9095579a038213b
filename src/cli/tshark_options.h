/* tshark's options: what each takes, does and means.  The table of them is parsed by tshark_front.c
 * and printed by help.c; an option that is not there yet has a row too, so that it is refused and
 * never ignored. */
#ifndef TLSWIRE_CLI_TSHARK_OPTIONS_H
#define TLSWIRE_CLI_TSHARK_OPTIONS_H

#include "base/buf.h"
#include "capture/material.h"
#include "cli/key_options.h"
#include "cli/reading.h"
#include "print/columns.h"
#include "schema/schema.h"

enum { FRONT_BAD_FIELDS = 16, FRONT_KEPT = 1024 };

/* A thing to do instead of reading packets. */
enum front_task {
    TASK_READ,
    TASK_HELP,
    TASK_VERSION,
    TASK_INTERFACES,
    TASK_GLOSSARY,
    TASK_LINK_TYPES,
    TASK_TIME_TYPES,
    TASK_STATISTICS,
    TASK_HEXDUMP
};

enum { FRONT_PREFERENCES = 96 };

struct front {
    struct reading reading;
    struct column_list *columns; /* -o gui.column.format: */
    struct key_options keys;     /* private keys and pre-shared ones of -o */
    enum front_task task;
    const char *glossary;       /* -G */
    const char *elastic_filter; /* protocols of -G elastic-mapping; NULL: all */
    const char *preferences
        [FRONT_PREFERENCES];       /* what -o sets those of tshark_values.c to; NULL: nothing */
    struct tls_ports ports;        /* -d */
    uint8_t expanded[FIELD_COUNT]; /* -O */
    const char *bad_fields[FRONT_BAD_FIELDS]; /* -e */
    size_t bad_field_count;
    bool summary;   /* -P */
    bool printing;  /* packets are asked for, whatever -w and -q say */
    bool formatted; /* -T */
    bool quiet;     /* -q */
    bool reads;     /* `tlswire read`: words that are no options name files */
    enum material_kind material;
    const char *files[2];
    size_t file_count;
    bool stops_by_time;
    bool told;                  /* the error is on stderr already: it is longer than a line */
    struct capture_input usual; /* what stands before the first -i */
    struct names names;         /* of addresses */
    bool shows_names;           /* -N n */
    bool shows_makers;          /* -N m; also when there is neither -n nor -N */
    bool wants_names;           /* -W n, and not only -H */
    char *kept[FRONT_KEPT];     /* owned: lines of a profile */
    size_t kept_count;
    bool lists_statistics; /* after the error */
    char shown[128];       /* see front_shown() */
    struct error error;
};

struct option_row;
typedef bool option_take(struct front *f, const struct option_row *row, const char *argument);

struct option_row {
    char letter;          /* '\0': a long name only */
    const char *name;     /* without "--"; NULL: a letter only */
    const char *argument; /* how help calls it; NULL: it takes none */
    option_take *take;    /* false: the error is set.  NULL: it is not there */
    const char *help;     /* or why it is not there; NULL: not yet */
};

/* Ends with a row that has neither letter nor name.  A row with help alone is a heading. */
extern const struct option_row tshark_options[];

/* ARGUMENT without control bytes and not too long, for an error; good until the next call. */
const char *front_shown(struct front *f, const char *argument);
/* Records a usage error; false. */
#define front_refuse(f, ...) error_set(&(f)->error, ERROR_USAGE, __VA_ARGS__)

/* A decimal number above 0, up to MOST, in tshark's words; WHAT as in "packet count". */
bool front_positive(struct front *f, const char *what, const char *argument, uint64_t most,
                    uint64_t *value);

/* In tshark_capture.c: the options for capturing. */
option_take take_interface, take_capture_filter, take_no_promiscuous, take_monitor, take_snaplen,
    take_buffer, take_link_type, take_time_type, take_stop, take_change, take_write, take_format,
    take_comment, take_group_read, take_folder;
/* -F without a type. */
void front_list_formats(struct front *f);
/* Whether the options for capturing make sense together; false with the error. */
bool front_check_capture(struct front *f);

/* In tshark_profile.c: the folder of tlswire's configuration; false when there is no place for one. */
bool front_config_folder(char *path, size_t size);
/* -C, and which protocols are dissected. */
option_take take_profile, take_protocol, take_heuristic, take_log_level;

/* In tshark_decode_as.c and tshark_values.c: the options with a language of their own. */
option_take take_no_names, take_names, take_hosts, take_write_names;
option_take take_decode_as, take_preference, take_time_format;

#endif
