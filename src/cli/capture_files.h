/* The file or files that a capture is written to: one after the other by the rules of -b, and until
 * those of -a say that it is enough. */
#ifndef TLSWIRE_CLI_CAPTURE_FILES_H
#define TLSWIRE_CLI_CAPTURE_FILES_H

#include "base/error.h"
#include "capture/writer.h"

/* What -a and -b name; 0: no such rule. */
struct file_rules {
    double seconds;    /* duration: */
    uint64_t interval; /* seconds, at whole multiples of which the file changes (-b) */
    uint64_t bytes;    /* filesize: */
    uint64_t packets;
    uint32_t files; /* -b: so many are kept; -a: so many are written */
};

/* Hands the writer of a new file what stands at its start. */
typedef bool capture_file_begin(void *context, struct writer *w, struct error *e);
/* The same for its end. */
typedef bool capture_file_end(void *context, struct writer *w, struct error *e);

struct capture_files_options {
    const char *path;
    struct writer_options writer;
    bool many;                      /* -b: names get a number and a time */
    bool time_first;                /* -b nametimenum:2: the time stands before the number */
    const char *print_names;        /* -b printname: where the names of complete files go */
    struct file_rules change, stop; /* -b, -a */
    capture_file_begin *begin;
    capture_file_end *end;
    void *context; /* for both */
};

struct capture_files;

/* Opens the first file; NULL with E set. OPTIONS are kept, the strings borrowed. */
struct capture_files *capture_files_open(const struct capture_files_options *options,
                                         struct error *e);
struct writer *capture_files_writer(const struct capture_files *f);
/* Says that a packet was written, or (PACKET false) that time went by.  Changes the file when a rule
 * says so.  False when it is enough, or with E set. */
bool capture_files_step(struct capture_files *f, bool packet, struct error *e);
/* Closes and frees; false with E set when bytes did not reach a file. */
bool capture_files_close(struct capture_files *f, struct error *e);

#endif
