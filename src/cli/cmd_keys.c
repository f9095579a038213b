#include "cli/cmd_keys.h"

#include "capture/reader.h"
#include "capture/writer.h"
#include "cli/common.h"
#include "cli/keys_file.h"
#include "engine.h"
#include "stream/tls_verdict.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#define MOST_CONNECTIONS 100000
#define SECRETS_CEILING  ((size_t)64 << 20)

enum { KEYS_OK, KEYS_NONE, KEYS_FAILED }; /* exit statuses, as grep has them */

struct connection {
    bool tls, has_random;
    uint8_t random[32];
    char client[64], server[64], verdict[160];
    uint8_t status;
};

struct job {
    const char *words[2]; /* the capture, the key log */
    size_t word_count;
    const char *output;
    bool all;
    struct key_wishes wishes; /* the names that the capture's connections look for */
    struct key_table table;   /* the lines of the log that are of use */
    struct engine *engine;
    struct connection *connections; /* by tcp.stream */
    size_t count;
    uint8_t want[FIELD_COUNT];
    struct error error;
};

typedef void each_packet(struct job *j, const struct packet *packet);

static bool read_capture(struct job *j, reader_secrets *secrets, each_packet *each)
{
    struct reader_options options = {.secrets = secrets, .context = j};
    struct reader *reader = reader_open(j->words[0], &options, &j->error);
    struct packet packet;
    if (!reader)
        return false;
    if (secrets)
        (void)reader_scan_secrets(reader, secrets, j);
    while (reader_next(reader, &packet, &j->error) == READ_PACKET)
        each(j, &packet);
    reader_close(reader);
    return j->error.code == ERROR_NONE;
}

static bool new_engine(struct job *j, bool survey)
{
    struct engine_options options = {
        .want = j->want, .survey = survey ? &j->wishes : NULL, .seed = j->wishes.seed};
    engine_free(j->engine);
    j->engine = engine_new(&options);
    return j->engine || error_set(&j->error, ERROR_MEMORY, "out of memory");
}

static void look(struct job *j, const struct packet *packet)
{
    (void)engine_packet(j->engine, packet);
}

static void take_line(void *context, struct slice text)
{
    struct job *j = context;
    keylog_feed(&j->table, text);
}

/* Names first, then the log: of a large one only what is of use is kept. */
static bool learn(struct job *j)
{
    uint64_t seed = 0;
    struct keys_file file;
    if (getrandom(&seed, sizeof seed, 0) < 0)
        seed = 1;
    key_wishes_init(&j->wishes, seed);
    key_table_init(&j->table);
    if (!new_engine(j, true) || !read_capture(j, NULL, look))
        return false;
    j->table.wishes = j->all ? NULL : &j->wishes;
    keys_file_open(&file, j->words[1], false, take_line, j);
    bool there = file.fd >= 0;
    keys_file_close(&file);
    return there || error_set(&j->error, ERROR_FILE, "the key log cannot be read");
}

/* The line that the secret was written in, in the usual form. */
static void put_line(struct buf *out, const struct key_secret *s)
{
    bool session = s->label == KEY_SESSION_ID;
    buf_str(out, session ? "RSA Session-ID:" : key_label_name(s->label));
    if (!session)
        buf_char(out, ' ');
    buf_hex_bytes(out, slice_of(s->id, s->id_len), '\0');
    buf_str(out, session ? " Master-Key:" : " ");
    buf_hex_bytes(out, key_secret_slice(s), '\0');
    buf_char(out, '\n');
}

static bool is_needed(const struct job *j, const struct key_secret *s)
{
    return j->all || key_wishes_has(&j->wishes, slice_of(s->id, s->id_len));
}

/* ---- match ---- */

static void put_end(char out[64], const struct address *a, uint16_t port)
{
    char text[INET6_ADDRSTRLEN] = "?";
    bool v6 = a->kind == ADDRESS_IPV6;
    if (v6 || a->kind == ADDRESS_IPV4)
        (void)inet_ntop(v6 ? AF_INET6 : AF_INET, a->bytes, text, sizeof text);
    snprintf(out, 64, v6 ? "[%s]:%u" : "%s:%u", text, (unsigned)port);
}

static struct connection *connection_of(struct job *j, uint32_t stream)
{
    if (stream >= MOST_CONNECTIONS)
        return NULL;
    if (stream >= j->count) {
        size_t count = (size_t)stream + 64;
        struct connection *more = realloc(j->connections, count * sizeof *more);
        if (!more)
            return NULL;
        memset(more + j->count, 0, (count - j->count) * sizeof *more);
        j->connections = more;
        j->count = count;
    }
    return &j->connections[stream];
}

static void note(struct job *j, const struct packet *packet)
{
    const struct dissection *d = engine_packet(j->engine, packet);
    if (!d->columns.has_tcp || !d->verdict)
        return;
    struct connection *c = connection_of(j, d->tcp.stream);
    struct buf text = {.ceiling = sizeof c->verdict - 1};
    if (!c)
        return;
    if (!c->tls) {
        put_end(c->client, &d->columns.source, d->tcp.source_port);
        put_end(c->server, &d->columns.destination, d->tcp.destination_port);
    }
    for (uint32_t i = 0; i < d->tape.count && !c->has_random; i++) {
        const struct event *e = &d->tape.events[i];
        struct slice random = slice_sub(d->tape.sources[e->source].bytes, e->offset, e->length);
        if (e->field == F_tls_handshake_random)
            c->has_random = slice_read(&random, c->random, sizeof c->random);
    }
    c->tls = true;
    struct tls_verdict verdict = tls_verdict_settled(d->verdict);
    c->status = verdict.status;
    tls_verdict_put(&text, &verdict);
    snprintf(c->verdict, sizeof c->verdict, "%.*s", (int)text.len,
             text.data ? (const char *)text.data : "");
    buf_free(&text);
}

static size_t lines_of(const struct job *j, const struct connection *c)
{
    size_t lines = 0;
    for (const struct key_secret *s = key_table_next(&j->table, NULL); s && c->has_random;
         s = key_table_next(&j->table, s))
        lines += slice_equal(slice_of(s->id, s->id_len), slice_of(c->random, sizeof c->random));
    return lines;
}

static bool is_open(const struct connection *c)
{
    return c->status >= DECRYPT_OPENED && c->status <= DECRYPT_NO_EARLY_KEY;
}

static void put_connection(const struct job *j, size_t stream)
{
    const struct connection *c = &j->connections[stream];
    size_t lines = lines_of(j, c);
    printf("#%zu  %s → %s  %s", stream + 1, c->client, c->server,
           *c->verdict ? c->verdict : "nothing protected");
    if (lines > 0)
        printf(" · %zu line%s", lines, lines == 1 ? "" : "s");
    if (!is_open(c) && c->has_random) {
        fputs(" · client random ", stdout);
        for (size_t i = 0; i < sizeof c->random; i++)
            printf("%02x", c->random[i]);
    }
    putchar('\n');
}

static void count_lines(const struct job *j)
{
    const struct keylog_stats *stats = keylog_stats(&j->table);
    uint64_t useless = stats->unwanted,
             odd = stats->malformed + stats->unknown_label + stats->too_long;
    for (const struct key_secret *s = key_table_next(&j->table, NULL); s;
         s = key_table_next(&j->table, s))
        useless += !is_needed(j, s);
    printf("  %" PRIu64 " of %" PRIu64
           " key lines are for connections that are not in this capture\n",
           useless, stats->valid);
    if (odd > 0)
        printf("  %" PRIu64 " lines are no key lines\n", odd);
}

static int match(struct job *j)
{
    struct buf lines = {.ceiling = SECRETS_CEILING};
    size_t connections = 0, opened = 0;
    if (!learn(j))
        return KEYS_FAILED;
    j->want[F_tls_handshake_random] = 1;
    j->want[F_data_data] = 1; /* so that records are opened */
    if (!new_engine(j, false))
        return KEYS_FAILED;
    for (const struct key_secret *s = key_table_next(&j->table, NULL); s;
         s = key_table_next(&j->table, s))
        put_line(&lines, s);
    engine_keys(j->engine, buf_slice(&lines));
    buf_wipe(&lines);
    if (!read_capture(j, NULL, note))
        return KEYS_FAILED;
    for (size_t i = 0; i < j->count; i++) {
        connections += j->connections[i].tls;
        opened += j->connections[i].tls && is_open(&j->connections[i]);
    }
    common_put_escaped(stdout, j->words[1]);
    printf(" opens %zu of %zu connections\n", opened, connections);
    for (size_t i = 0; i < j->count; i++)
        if (j->connections[i].tls)
            put_connection(j, i);
    count_lines(j);
    if (fflush(stdout) != 0)
        return KEYS_FAILED;
    return opened > 0 ? KEYS_OK : KEYS_NONE;
}

/* ---- inject and strip ---- */

struct copy {
    struct job *job;
    struct writer *writer;
    bool keeps_secrets;
};

static void keep_secrets(void *context, uint32_t type, struct slice text)
{
    struct copy *c = context;
    (void)writer_secrets(c->writer, type, text, &c->job->error);
}

/* Onto itself a capture would be lost before it is read. */
static bool check_output(struct job *j)
{
    struct stat from, to;
    if (!j->output)
        return error_set(&j->error, ERROR_USAGE, "keys: name the new capture with -w FILE");
    if (stat(j->words[0], &from) == 0 && stat(j->output, &to) == 0 && from.st_dev == to.st_dev &&
        from.st_ino == to.st_ino)
        return error_set(&j->error, ERROR_USAGE,
                         "keys: the new capture would overwrite the old one");
    return true;
}

static bool copy_capture(struct job *j, struct slice secrets, bool keeps)
{
    struct copy c = {.job = j};
    struct reader_options from = {.secrets = keeps ? keep_secrets : NULL, .context = &c};
    struct writer_options to = {.application = "tlswire " TLSWIRE_VERSION, .private_mode = keeps};
    struct reader *reader = reader_open(j->words[0], &from, &j->error);
    struct packet packet;
    if (!reader)
        return false;
    c.writer = writer_open(j->output, &to, &j->error);
    bool good = c.writer != NULL;
    if (good && secrets.len > 0)
        good = writer_secrets(c.writer, SECRETS_TLS_KEY_LOG, secrets, &j->error);
    while (good && reader_next(reader, &packet, &j->error) == READ_PACKET)
        good = writer_packet(c.writer, &packet, &j->error);
    if (c.writer)
        (void)writer_close(c.writer, &j->error);
    reader_close(reader);
    return j->error.code == ERROR_NONE;
}

static int inject(struct job *j)
{
    struct buf lines = {.ceiling = SECRETS_CEILING};
    size_t count = 0;
    if (!check_output(j) || !learn(j))
        return KEYS_FAILED;
    for (const struct key_secret *s = key_table_next(&j->table, NULL); s;
         s = key_table_next(&j->table, s)) {
        if (!is_needed(j, s))
            continue;
        put_line(&lines, s);
        count++;
    }
    if (lines.failed)
        error_set(&j->error, ERROR_FILE, "more than 64 MiB of keys; leave --all out");
    else if (count == 0)
        error_set(&j->error, ERROR_FILE,
                  "no line of the key log is for a connection of this capture; see: tlswire keys "
                  "match");
    bool good = j->error.code == ERROR_NONE && copy_capture(j, buf_slice(&lines), true);
    buf_wipe(&lines);
    return good ? KEYS_OK : count == 0 ? KEYS_NONE : KEYS_FAILED;
}

static int strip(struct job *j)
{
    return check_output(j) && copy_capture(j, slice_empty(), false) ? KEYS_OK : KEYS_FAILED;
}

/* ---- the command line ---- */

static const struct {
    const char *name;
    size_t words;
    int (*run)(struct job *);
} actions[] = {{"match", 2, match}, {"inject", 2, inject}, {"strip", 1, strip}};

static int print_help(void)
{
    fputs(
        "usage: tlswire keys match CAPTURE KEYLOG\n"
        "       tlswire keys inject CAPTURE KEYLOG -w FILE [--all]\n"
        "       tlswire keys strip CAPTURE -w FILE\n"
        "\n"
        "match says which connections a key log opens, and which lines nobody needs; inject makes "
        "a\n"
        "capture (pcapng) with the keys inside; strip makes one without.\n"
        "\n"
        "  -w FILE                  the new capture\n"
        "  --all                    put in all keys, not only those of the capture's connections\n"
        "  -h, --help               print this and exit\n"
        "\n"
        "Exit status: 0, or 1 when no connection is opened, or 2 when something is wrong.\n",
        stdout);
    return fflush(stdout) == 0 ? KEYS_OK : KEYS_FAILED;
}

static bool take_words(struct job *j, int argc, char **argv)
{
    for (int i = 2; i < argc; i++) {
        const char *word = argv[i];
        if (strcmp(word, "--all") == 0)
            j->all = true;
        else if (strcmp(word, "-w") == 0 && i + 1 < argc)
            j->output = argv[++i];
        else if ((word[0] == '-' && word[1]) || j->word_count == 2)
            return error_set(&j->error, ERROR_USAGE,
                             "keys: a word too many or an option that is not there; "
                             "tlswire keys --help lists them");
        else
            j->words[j->word_count++] = word;
    }
    return true;
}

static int run(struct job *j, int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < sizeof actions / sizeof actions[0]; i++) {
        if (strcmp(argv[1], actions[i].name) != 0)
            continue;
        if (!take_words(j, argc, argv))
            return KEYS_FAILED;
        if (j->word_count == actions[i].words)
            return actions[i].run(j);
        break;
    }
    error_set(&j->error, ERROR_USAGE,
              "keys: match CAPTURE KEYLOG, inject CAPTURE KEYLOG -w FILE, or strip CAPTURE "
              "-w FILE; tlswire keys --help tells more");
    return KEYS_FAILED;
}

int cmd_keys(int argc, char **argv)
{
    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
        return print_help();
    struct job *j = calloc(1, sizeof *j);
    if (!j)
        return KEYS_FAILED;
    int status = run(j, argc, argv);
    engine_free(j->engine);
    key_table_free(&j->table);
    key_wishes_free(&j->wishes);
    free(j->connections);
    if (j->error.code != ERROR_NONE)
        status = common_fail(&j->error, status);
    free(j);
    return status;
}
