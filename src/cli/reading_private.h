/* What reading.c and reading_live.c share.  Nobody else includes this. */
#ifndef TLSWIRE_CLI_READING_PRIVATE_H
#define TLSWIRE_CLI_READING_PRIVATE_H

#include "base/buf.h"
#include "cli/colors.h"
#include "cli/halves.h"
#include "cli/keys_file.h"
#include "cli/lanes.h"
#include "cli/reading.h"
#include "engine.h"
#include "filter/filter.h"

#include <signal.h>

struct run {
    const struct reading *reading;
    struct engine *engine;
    struct filter *filter;
    struct colors *colors; /* NULL: none */
    struct print_state print_state;
    struct print_options print; /* with what changes from packet to packet */
    struct writer *writer;
    struct capture_files *files; /* whose the writer is, when a capture is written */
    struct keys_file *keys;      /* owned: the key logs */
    size_t key_count;            /* of them */
    struct key_wishes wishes;    /* when they are large: the names that are of use */
    bool surveyed;               /* `wishes` are known */
    int export_fd;               /* -1: keys are not exported */
    struct foresight foresight;  /* of the first of two passes */
    struct buf kept;             /* a byte for each packet of it: 1 when the second reads it */
    char spool[32];              /* path of the copy of a pipe; "": none */
    int spool_fd;
    struct lanes *lanes;   /* NULL: packets are printed as they are read */
    struct halves *halves; /* NULL: this thread follows all connections */
    struct buf out;
    uint8_t want[FIELD_COUNT];
    uint64_t packets;                  /* read */
    uint64_t seconds;                  /* of the first ones, in the second half: cli/halves.h */
    uint64_t given_up, first_given_up; /* those on which the filter spent its budget */
    uint64_t shown;                    /* of them, not left out by -R */
    uint64_t since_reset;              /* -M: read since the connections were forgotten */
    char os[160];                      /* "Linux 6.1.0" */
    bool has_secrets;                  /* the capture holds some */
    bool reader_gone;                  /* nobody reads the output any more */
};

/* The signal that asked to stop; 0. */
extern volatile sig_atomic_t reading_stopped;

/* Dissects, filters, prints, writes; false when it must end. */
bool reading_packet(struct run *r, const struct packet *packet, struct error *error);
/* Hands the printed text on; false when it cannot. */
bool reading_flush(struct run *r, struct error *error);

static inline bool reading_complete(const struct run *r)
{
    return r->reading->packet_limit > 0 && r->packets >= r->reading->packet_limit;
}

/* Secrets that stood in what is read: for the engine, and for the file that is written. CONTEXT is the
 * run. */
void reading_secrets(void *context, uint32_t type, struct slice text);
/* The same for a name of an address. */
/* Notes which addresses the packet has, for those below. */
void reading_meet_names(const struct reading *reading, const struct dissection *d);
/* Writes the names of these addresses into the copy, when that is asked for. */
bool reading_write_names(struct run *r, struct error *error);
void reading_name(void *context, struct slice address, struct slice name);
/* What the writers of this run say of themselves; the strings last as long as the run. */
struct writer_options reading_writer_options(struct run *r);
/* Engine's options as the reading has them. */
struct engine_options reading_engine_options(struct run *r, const uint8_t *want);
/* In reading_keys.c: the key logs, before the first packet; polled; closed. */
void reading_open_keys(struct run *r);
void reading_poll_keys(struct run *r);
void reading_close_keys(struct run *r);
/* Where the key logs are large and the packets can be read twice: finds out which secrets are of use. */
void reading_survey_keys(struct run *r);
/* Says on stderr how the keys served where they did not. */
void reading_tell_of_keys(const struct run *r);
/* Reads the file's packets, each given to EACH until that is false; the status. */
typedef bool reading_each(struct run *r, const struct packet *packet, struct error *error);
int reading_file(struct run *r, reading_each *each, struct error *error);

/* In reading_twice.c: the first of two passes; the status. */
int reading_learn(struct run *r, struct error *error);
/* The path that the packets are read from. */
const char *reading_path(const struct run *r);
/* Frees what the first pass left. */
void reading_forget(struct run *r);

/* The live half; the status. */
int reading_live(struct run *r, struct error *error);

#endif
