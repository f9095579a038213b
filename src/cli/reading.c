#include "cli/reading.h"

#include "capture/reader.h"
#include "cli/common.h"
#include "cli/keys_export.h"
#include "cli/progress.h"
#include "cli/reading_private.h"
#include "print/fields.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>

#define FLUSH_AT ((size_t)32 * 1024) /* less than lanes hand out at a time: it is not gathered */
/* Packets after which a second thread is started, and those that are left to the first while it starts; bytes to come. */
#define HALVED_AT    500
#define HALVED_FROM  1500
#define HALVED_LEAST (HALVED_AT / 10) /* packets of either half among the first */
#define HALVED_BYTES ((uint64_t)1 << 20)
#define ALONE_UNTIL  200 /* packets: few are printed sooner than a thread has started */

volatile sig_atomic_t reading_stopped;

static void on_signal(int number)
{
    reading_stopped = number;
}

bool reading_flush(struct run *r, struct error *error)
{
    FILE *out = r->reading->out;
    bool lost = r->out.failed;
    bool good = r->out.len == 0 || fwrite(r->out.data, 1, r->out.len, out) == r->out.len;
    good = fflush(out) == 0 && good;
    buf_clear(&r->out);
    if (good && !lost)
        return true;
    r->reader_gone = !good && errno == EPIPE;
    if (r->reader_gone)
        return false;
    return error_set(error, ERROR_FILE, "not all the packets could be printed: %s",
                     lost              ? "out of memory"
                     : errno == ENOSPC ? "there is no space left on the file system"
                                       : strerror(errno));
}

/* -M: all connections are forgotten, and frames are counted anew. */
static void reset_session(struct run *r)
{
    if (!r->reading->silent)
        fputs("resetting session.\n", stderr);
    engine_reset(r->engine);
    r->since_reset = 0;
}

/* -M counts packets anew, and those that the second pass leaves out are not counted: the number of the packet then. */
static uint64_t number_anew(struct run *r, bool passed_over)
{
    uint64_t number = 0;
    if (r->reading->reset_after > 0 && r->since_reset >= r->reading->reset_after)
        reset_session(r);
    if (r->reading->reset_after > 0)
        number = ++r->since_reset;
    if (r->kept.len > 0) {
        number = r->shown + 1;
        r->shown += !passed_over;
    }
    return number;
}

static bool flush_when_full(struct run *r, struct error *error)
{
    if (r->out.len < FLUSH_AT && !r->reading->line_buffered && r->reading->file)
        return true;
    return reading_flush(r, error);
}

static bool passes(struct run *r, const struct dissection *d)
{
    if (!r->filter || filter_match(r->filter, &d->tape))
        return true;
    if (filter_exhausted(r->filter) && r->given_up++ == 0)
        r->first_given_up = r->packets;
    return false;
}

/* One half of the packets are printed here, the others were printed by the second thread. */
static bool halved_packet(struct run *r, const struct packet *packet, struct error *error)
{
    if (r->packets == HALVED_FROM + 1)
        engine_share(r->engine, SHARE_FIRST);
    halves_packet(r->halves);
    const struct dissection *d = engine_packet(r->engine, packet);
    engine_displayed(r->engine);
    if (!d)
        r->out.failed |= !halves_print(r->halves, &r->out);
    else if (passes(r, d))
        r->reading->printer->packet(&r->out, &r->print, d);
    halves_past(r->halves, packet);
    return flush_when_full(r, error);
}

bool reading_packet(struct run *r, const struct packet *packet, struct error *error)
{
    const struct reading *reading = r->reading;
    struct packet renumbered;
    bool passed_over = r->kept.len > 0 && slice_at(buf_slice(&r->kept), r->packets) == 0;
    r->packets++;
    if (reading->reset_after > 0 || r->kept.len > 0) {
        renumbered = *packet;
        renumbered.number = number_anew(r, passed_over);
        packet = &renumbered;
    }
    if (!reading->no_output || r->filter || reading->stats || reading->export_keys ||
        reading->write_names || r->kept.len > 0) {
        if (r->lanes)
            engine_into(r->engine, lanes_place(r->lanes));
        if (r->halves && r->packets > HALVED_FROM)
            return halved_packet(r, packet, error);
        const struct dissection *d = engine_packet(r->engine, packet);
        if (r->packets <= HALVED_AT && d->columns.has_tcp)
            r->seconds += share_of(&d->columns.source, &d->columns.destination, d->tcp.source_port,
                                   d->tcp.destination_port) == SHARE_SECOND;
        if (passed_over) {
            engine_passed_over(r->engine);
            return true;
        }
        if (reading->stats)
            stats_packet(reading->stats, d);
        if (!passes(r, d))
            return true;
        if (reading->write_names)
            reading_meet_names(reading, d);
        if (!reading->no_output) {
            r->print.ink = r->colors ? colors_of(r->colors, &d->tape) : NULL;
            if (r->lanes)
                lanes_put(r->lanes, &r->print, &r->out);
            else
                reading->printer->packet(&r->out, &r->print, d);
        }
        r->print.printed++;
        engine_displayed(r->engine);
    }
    if (r->writer && !writer_packet(r->writer, packet, error))
        return false;
    return flush_when_full(r, error);
}

/* Secrets inside the capture are used, and kept in a copy of it. */
void reading_secrets(void *context, uint32_t type, struct slice text)
{
    struct run *r = context;
    struct error ignored = {0}; /* the next packet written fails the same way */
    if (type == SECRETS_TLS_KEY_LOG) {
        engine_keys(r->engine, text);
        if (slice_at(text, text.len - 1) != '\n') /* the next block does not go on with this line */
            engine_keys(r->engine, slice_of_str("\n"));
        r->has_secrets = true;
    }
    if (r->writer && r->reading->format == WRITE_PCAPNG)
        (void)writer_secrets(r->writer, type, text, &ignored);
}

static int read_made(struct run *r, reading_each *each, struct error *error)
{
    struct packet packet;
    made_rewind(r->reading->made);
    while (!reading_stopped && !reading_complete(r) && made_next(r->reading->made, &packet) &&
           each(r, &packet, error))
        ;
    return error->code == ERROR_NONE ? READING_OK : READING_FAILED;
}

/* Whether nothing of one connection shows in another's lines, and nobody else looks at the packets. */
static bool halvable(const struct run *r)
{
    const struct reading *reading = r->reading;
    bool joined = r->filter && (reading->print.time == TIME_DELTA_DISPLAYED ||
                                r->want[F_frame_time_delta_displayed]);
    return !reading->no_output && printer_by_halves(reading->printer, &reading->print) && !joined &&
           !reading->line_buffered && !reading->stats && !r->colors && !r->writer &&
           !reading->two_pass && !reading->export_keys && !reading->print.names &&
           reading->reset_after == 0 && reading->packet_limit == 0 && r->key_count == 0 &&
           !r->has_secrets && engine_may_share(r->engine);
}

/* Reading by halves is worth a thread when much is to come, and may be done when the packets' bytes stay. */
static void start_halves(struct run *r, const struct reader *reader, reading_each *each)
{
    uint64_t least = r->seconds < HALVED_AT - r->seconds ? r->seconds : HALVED_AT - r->seconds;
    if (each != reading_packet || r->packets != HALVED_AT || least < HALVED_LEAST || !halvable(r))
        return;
    struct reader_info info = reader_info(reader);
    struct engine_options engine = reading_engine_options(r, r->want);
    struct halves_options options = {.reader = reader,
                                     .engine = &engine,
                                     .printer = r->reading->printer,
                                     .print = &r->print,
                                     .filter = r->reading->display_filter,
                                     .after = HALVED_FROM};
    if (info.stays && info.left >= HALVED_BYTES)
        r->halves = halves_new(&options);
}

static void end_halves(struct run *r)
{
    if (!r->halves)
        return;
    struct halves_said said = halves_end(r->halves);
    if (said.given_up > 0 && (r->given_up == 0 || said.first_given_up < r->first_given_up))
        r->first_given_up = said.first_given_up;
    r->given_up += said.given_up;
    r->halves = NULL;
}

/* Printing beside reading is worth a thread when there are many packets, and may be done when their bytes stay. */
static void start_lanes(struct run *r, const struct reader *reader, reading_each *each)
{
    const struct reading *reading = r->reading;
    if (each == reading_packet && r->packets == ALONE_UNTIL && !reading->no_output &&
        !reading->line_buffered && !reading->print.names && reader_info(reader).stays &&
        printer_apart(reading->printer, &r->print))
        r->lanes = lanes_new(reading->printer);
}

static void end_lanes(struct run *r)
{
    if (!r->lanes)
        return;
    lanes_finish(r->lanes, &r->out);
    engine_into(r->engine, NULL);
    lanes_free(r->lanes);
    r->lanes = NULL;
}

int reading_file(struct run *r, reading_each *each, struct error *error)
{
    if (r->reading->made)
        return read_made(r, each, error);
    bool known = r->reading->two_pass && each == reading_packet; /* by the first pass */
    struct reader_options options = {.secrets = reading_secrets,
                                     .name = known ? NULL : reading_name,
                                     .context = r,
                                     .stop = &reading_stopped};
    struct reader *reader = reader_open(reading_path(r), &options, error);
    if (!reader)
        return READING_FAILED;
    /* Keys may stand behind the packets that need them: in a file they can be had first. */
    (void)reader_scan_secrets(reader, reading_secrets, r);
    struct progress progress;
    progress_start(&progress, r->reading->file);
    struct packet packet;
    while (!reading_stopped && !reading_complete(r) &&
           reader_next(reader, &packet, error) == READ_PACKET) {
        if (!each(r, &packet, error))
            break;
        start_lanes(r, reader, each);
        start_halves(r, reader, each);
        if (progress_due(&progress))
            progress_show(&progress, reader_info(reader).offset);
    }
    end_lanes(r);
    end_halves(r);
    progress_end(&progress);
    reader_close(reader);
    return error->code == ERROR_NONE ? READING_OK : READING_FAILED;
}

struct writer_options reading_writer_options(struct run *r)
{
    const struct reading *reading = r->reading;
    struct utsname system;
    if (uname(&system) == 0)
        snprintf(r->os, sizeof r->os, "%s %s", system.sysname, system.release);
    struct writer_options options = {.format = reading->format,
                                     .os = *r->os ? r->os : NULL,
                                     .application = "tlswire " TLSWIRE_VERSION,
                                     .private_mode = !reading->file,
                                     .group_read = reading->group_read,
                                     .flush_each = reading->line_buffered};
    for (size_t i = 0; i < WRITER_COMMENTS; i++)
        options.comments[i] = reading->comments[i];
    return options;
}

/* Onto itself a capture would be lost before it is read. */
static bool overwrites_itself(const struct reading *reading)
{
    struct stat from, to;
    return strcmp(reading->file, "-") != 0 && strcmp(reading->write_file, "-") != 0 &&
           stat(reading->file, &from) == 0 && stat(reading->write_file, &to) == 0 &&
           S_ISREG(to.st_mode) && from.st_dev == to.st_dev && from.st_ino == to.st_ino;
}

static bool open_writer(struct run *r, struct error *error)
{
    struct writer_options options = reading_writer_options(r);
    if (!r->reading->write_file || !r->reading->file)
        return true; /* or a capture opens its files itself */
    if (overwrites_itself(r->reading))
        return error_set(error, ERROR_USAGE,
                         "%.300s would be overwritten before it is read; name another file with -w",
                         r->reading->write_file);
    r->writer = writer_open(r->reading->write_file, &options, error);
    return r->writer != NULL;
}

/* Neither columns nor bytes are shown, nor keys wanted: fields without columns, or nothing. */
static bool shows_tapes_alone(const struct reading *reading)
{
    bool list = reading->printer->want == fields_want && !reading->print.summary &&
                !field_list_has_columns(&reading->print);
    return !reading->stats && !reading->export_keys && !reading->write_names &&
           (reading->no_output || list);
}

/* The same of the bytes of sources: the summary lines have none. */
static bool shows_lines_alone(const struct reading *reading)
{
    const struct print_options *print = &reading->print;
    return !reading->stats && printer_is_text(reading->printer) && print->summary && !print->tree &&
           !print->hex;
}

struct engine_options reading_engine_options(struct run *r, const uint8_t *want)
{
    struct engine_options options = {.want = want,
                                     .more = r->reading->print.more,
                                     .lower = r->reading->lower,
                                     .tcp = r->reading->tcp,
                                     .ring = r->reading->ring,
                                     .wishes = r->surveyed ? &r->wishes : NULL,
                                     .ports = r->reading->ports};
    options.no_columns = shows_tapes_alone(r->reading);
    options.no_bytes = shows_lines_alone(r->reading);
    options.no_above = r->reading->stats && r->reading->no_output && !r->reading->export_keys &&
                       stats_end_at_tcp(r->reading->stats);
    options.split_records = r->reading->split_records;
    if (getrandom(&options.seed, sizeof options.seed, 0) < 0)
        options.seed = (uint64_t)time(NULL);
    return options;
}

/* Of two filters that are wrong, tshark tells of the read filter. */
static bool check_read_filter(const struct reading *reading, struct error *error)
{
    if (reading->read_filter)
        filter_free(filter_compile(reading->read_filter, error));
    return error->code == ERROR_NONE;
}

static int prepare(struct run *r, struct error *error)
{
    const struct reading *reading = r->reading;
    if (!reading->no_output)
        reading->printer->want(&reading->print, r->want);
    if (reading->stats)
        stats_want(reading->stats, r->want);
    if (!check_read_filter(reading, error))
        return READING_FAILED;
    if (reading->display_filter) {
        r->filter = filter_compile(reading->display_filter, error);
        if (!r->filter)
            return READING_FAILED;
        if (reading->no_output || (printer_is_lines(reading->printer) && !reading->print.tree))
            filter_open_ended(r->filter);
        filter_wants(r->filter, r->want);
    }
    if (reading->color && (colors_possible(reading->out) || printer_is_xml(reading->printer))) {
        r->colors = colors_new(error);
        if (!r->colors)
            return READING_FAILED;
        colors_want(r->colors, r->want);
    }
    field_want_parts(r->want);
    reading_survey_keys(r);
    if (reading->two_pass) {
        int status = reading_learn(r, error);
        if (status != READING_OK)
            return status;
    }
    struct engine_options options = reading_engine_options(r, r->want);
    options.known = reading->two_pass ? &r->foresight : NULL;
    r->engine = engine_new(&options);
    if (!r->engine) {
        error_set(error, ERROR_MEMORY, "out of memory");
        return READING_FAILED;
    }
    reading_open_keys(r);
    if (!open_writer(r, error))
        return READING_FAILED;
    if (reading->export_keys)
        r->export_fd = keys_export_open(reading->export_keys, error);
    return error->code == ERROR_NONE ? READING_OK : READING_FAILED;
}

struct draining {
    struct run *run;
    struct error *error;
    bool failed; /* nothing more can be written */
};

/* The text of statistics may be long: it goes out in pieces. */
static void drain(void *context, struct buf *out)
{
    struct draining *d = context;
    if (d->failed)
        buf_clear(out);
    else
        d->failed = !reading_flush(d->run, d->error);
}

static int read_and_print(struct run *r, struct error *error)
{
    const struct reading *reading = r->reading;
    struct draining draining = {.run = r, .error = error};
    if (!reading->no_output)
        reading->printer->header(&r->out, &r->print);
    int status = reading->file ? reading_file(r, reading_packet, error) : reading_live(r, error);
    if (!reading->no_output)
        reading->printer->footer(&r->out, &r->print);
    if (r->colors && !printer_is_xml(reading->printer))
        buf_str(&r->out, "\x1b[0m");
    if (reading->stats)
        stats_end(reading->stats, &r->out, drain, &draining);
    if (!r->reader_gone && !draining.failed)
        (void)reading_flush(r, error);
    return status == READING_OK && (r->reader_gone || error->code != ERROR_NONE) ? READING_FAILED
                                                                                 : status;
}

/* A filter that costs too much is no silent "no". */
static void tell_of_filter(const struct run *r)
{
    if (r->given_up > 0)
        fprintf(stderr,
                "tlswire: the filter was given up on %" PRIu64
                " packets, the first of them frame %" PRIu64
                ": it takes too many steps there; they are left out\n",
                r->given_up, r->first_given_up);
}

/* What is missing is marked where it would stand; this says why. */
static void tell_of_statistics(const struct run *r)
{
    if (r->reading->stats && stats_spent(r->reading->stats))
        fprintf(stderr,
                "tlswire: the statistics hold the %u MiB that they may, so not all is in them; "
                "ask for fewer at a time, or give them a filter\n",
                (unsigned)(STATS_BUDGET >> 20));
}

static void release(struct run *r)
{
    reading_close_keys(r);
    key_wishes_free(&r->wishes);
    reading_forget(r);
    filter_free(r->filter);
    colors_free(r->colors);
    engine_free(r->engine);
    buf_free(&r->out);
    buf_free(&r->print_state.scratch);
    free(r);
}

/* What was seen until an error is exported too. */
static bool export_keys(struct run *r, struct error *error)
{
    struct error failed = {0};
    if (r->export_fd < 0 ||
        keys_export_write(r->export_fd, r->reading->export_keys, r->engine, &failed))
        return true;
    if (error->code == ERROR_NONE)
        *error = failed;
    return false;
}

int reading_run(const struct reading *reading, struct error *error)
{
    struct run *r = calloc(1, sizeof *r);
    if (!r) {
        error_set(error, ERROR_MEMORY, "out of memory");
        return READING_FAILED;
    }
    r->reading = reading;
    r->spool_fd = r->export_fd = -1;
    r->print = reading->print;
    r->print.state = &r->print_state;
    reading_stopped = 0;
    struct sigaction action = {.sa_handler = on_signal}, interrupt, terminate;
    sigaction(SIGINT, &action, &interrupt);
    sigaction(SIGTERM, &action, &terminate);
    int status = prepare(r, error);
    if (status == READING_OK)
        status = read_and_print(r, error);
    if (!reading_write_names(r, error))
        status = READING_FAILED;
    if (!r->files && r->writer && !writer_close(r->writer, error))
        status = READING_FAILED;
    if (!export_keys(r, error))
        status = READING_FAILED;
    if (r->engine) {
        reading_tell_of_keys(r);
    }
    tell_of_filter(r);
    tell_of_statistics(r);
    release(r);
    sigaction(SIGINT, &interrupt, NULL);
    sigaction(SIGTERM, &terminate, NULL);
    /* A file read half is no success: whoever started us sees that we were stopped. */
    if (reading_stopped && reading->file && status == READING_OK)
        (void)raise(reading_stopped);
    return status;
}
