/* The keys of one reading: key logs, of any size, and what is said when they do not serve. */
#include "cli/common.h"
#include "cli/key_options.h"
#include "cli/reading_private.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>

#define LARGE ((off_t)16 << 20) /* bytes of key logs that are worth a look at the capture first */

static void take_keys(void *context, struct slice text)
{
    engine_keys(context, text);
}

void reading_open_keys(struct run *r)
{
    const struct reading *reading = r->reading;
    if (reading->keylog_count > 0)
        r->keys = calloc(reading->keylog_count, sizeof *r->keys);
    for (size_t i = 0; r->keys && i < reading->keylog_count; i++)
        keys_file_open(&r->keys[r->key_count++], reading->keylog_files[i], !reading->file,
                       take_keys, r->engine);
}

void reading_poll_keys(struct run *r)
{
    for (size_t i = 0; i < r->key_count; i++)
        keys_file_poll(&r->keys[i]);
}

void reading_close_keys(struct run *r)
{
    for (size_t i = 0; i < r->key_count; i++)
        keys_file_close(&r->keys[i]);
    free(r->keys);
    r->keys = NULL;
    r->key_count = 0;
}

static void read_again(void *context)
{
    struct run *r = context;
    for (size_t i = 0; i < r->key_count; i++)
        keys_file_again(&r->keys[i]);
}

static bool is_worth_it(const struct reading *reading)
{
    struct stat is;
    off_t total = 0;
    if (!reading->file || reading->made || strcmp(reading->file, "-") == 0 ||
        stat(reading->file, &is) != 0 || !S_ISREG(is.st_mode))
        return false;
    for (size_t i = 0; i < reading->keylog_count; i++)
        if (stat(reading->keylog_files[i], &is) == 0 && S_ISREG(is.st_mode))
            total += is.st_size;
    return total > LARGE;
}

static bool survey_packet(struct run *r, const struct packet *packet, struct error *error)
{
    (void)error;
    r->packets++;
    (void)engine_packet(r->engine, packet);
    return true;
}

void reading_survey_keys(struct run *r)
{
    static const uint8_t nothing[FIELD_COUNT];
    struct error ignored = {0}; /* whoever reads the packets in earnest meets it again */
    if (!is_worth_it(r->reading))
        return;
    struct engine_options options = reading_engine_options(r, nothing);
    key_wishes_init(&r->wishes, options.seed);
    options.survey = &r->wishes;
    r->engine = engine_new(&options);
    if (r->engine) {
        (void)reading_file(r, survey_packet, &ignored);
        r->surveyed = true;
        r->wishes.fetch = read_again;
        r->wishes.context = r;
    }
    engine_free(r->engine);
    r->engine = NULL;
    r->packets = 0;
    r->has_secrets = false;
}

static void put_date(const char *before, time_t at)
{
    struct tm when;
    char text[32];
    if (localtime_r(&at, &when) && strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &when) > 0)
        fprintf(stderr, "%s%s", before, text);
}

/* What there is of keys, of what time, and what most likely is the matter. */
static void tell_of_strangers(const struct run *r, const struct keys_file *log)
{
    size_t sessions = engine_key_sessions(r->engine), lines = engine_key_count(r->engine);
    int64_t first;
    struct stat is;
    bool dated = engine_first_time(r->engine, &first) && log && stat(log->path, &is) == 0;
    fputs("; they are for ", stderr);
    if (sessions > 0)
        fprintf(stderr, "%zu other%s", sessions, sessions == 1 ? "" : "s");
    else
        fprintf(stderr, "others (%zu lines)", lines);
    if (dated) {
        put_date(", last written ", is.st_mtime);
        put_date(", first packet ", (time_t)(first / 1000000000));
    }
    if (dated && is.st_mtime < first / 1000000000)
        fputs(": the log of an earlier run", stderr);
    else
        fputs(": is this the log of another run, or of the other side of a proxy?", stderr);
}

/* Keys that open nothing would leave the user with bare "Application Data" and no reason. */
void reading_tell_of_keys(const struct run *r)
{
    const struct tls_key_stats *stats = engine_key_stats(r->engine);
    const struct keys_file *log = NULL;
    for (size_t i = 0; i < r->key_count && !log; i++)
        log = r->keys[i].fd >= 0 ? &r->keys[i] : NULL;
    key_options_tell(stats);
    uint64_t connections = stats->opened + stats->missing + stats->wrong;
    if ((!log && !r->has_secrets) || engine_key_count(r->engine) == 0 ||
        (stats->wrong == 0 && (stats->opened > 0 || connections == 0)))
        return;
    fputs(log ? "tlswire: the keys in \"" : "tlswire: the secrets in \"", stderr);
    common_put_escaped(stderr, log                ? log->path
                               : r->reading->file ? r->reading->file
                                                  : "the capture");
    if (stats->wrong > 0) {
        fprintf(stderr,
                "\" name the client random of %" PRIu64 " of %" PRIu64
                " connections, but open none of their records: the secrets are wrong",
                stats->wrong, connections);
    } else {
        fprintf(stderr, "\" open 0 of %" PRIu64 " connections", connections);
        tell_of_strangers(r, log);
    }
    fputs(" (first client random ", stderr);
    for (size_t i = 0; i < sizeof stats->first_random; i++)
        fprintf(stderr, "%02x", stats->first_random[i]);
    fputs(")\n", stderr);
}
