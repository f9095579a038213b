/* `tlswire run`: any program with SSLKEYLOGFILE set, its connections captured with the keys, and its
 * exit status passed on. */
#include "cli/cmd_run.h"

#include "capture/live.h"
#include "cli/common.h"
#include "cli/recording.h"
#include "cli/run_flows.h"
#include "cli/views.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define WAIT_MS     50   /* between two looks at whether the program has ended */
#define QUIET_MS    100  /* of no packet, after the program */
#define SETTLE_MOST 5000 /* packets to take then */
#define NOT_RUN     127  /* as shells have it */
#define NOT_ALLOWED 126

#ifdef __linux__
#define ALL_INTERFACES "any"
#else
#define ALL_INTERFACES "lo0"
#endif

struct running {
    const char *write_file, *interface, *color;
    bool quiet, all, ascii, help;
    char **command;
    char folder[512], keys_path[600];
    struct live *live;
    struct recording recording, chosen;
    struct flows flows;
    pid_t child;
    int status;
};

static int usage(void)
{
    puts("usage: tlswire run [options] [--] command [arguments]\n"
         "Runs the command with SSLKEYLOGFILE set, captures its TCP connections, shows them as\n"
         "ladders on stderr when it has ended, and exits with its exit status.\n\n"
         "  -w file                  keep the capture there: pcapng, with the keys, 0600\n"
         "  -i interface             capture there only (any)\n"
         "  -all                     keep other programs' connections, too\n"
         "  -quiet                   no ladders\n"
         "  -color when              auto, always or never\n"
         "  -ascii                   no characters outside ASCII\n"
         "  -help                    this text\n\n"
         "Exit status: the command's; 128 + N when signal N ended it; 127 when it cannot be run, "
         "126\n"
         "when it may not be; 2 wrong usage; 1 when capturing is not allowed: then nothing is "
         "run.\n\n"
         "Examples:\n"
         "  tlswire run curl https://example.com/\n"
         "  tlswire run -w it.pcapng -- python3 client.py --verbose");
    return EXIT_OK;
}

static bool parse(int argc, char **argv, struct running *r, struct error *e)
{
    const struct {
        const char *name;
        bool *flag;
        const char **value;
    } options[] = {
        {"w", NULL, &r->write_file}, {"i", NULL, &r->interface}, {"color", NULL, &r->color},
        {"quiet", &r->quiet, NULL},  {"all", &r->all, NULL},     {"ascii", &r->ascii, NULL},
        {"help", &r->help, NULL},    {"h", &r->help, NULL},
    };
    int i = 1;
    for (; i < argc && argv[i][0] == '-' && strcmp(argv[i], "--") != 0; i++) {
        const char *name = argv[i] + (argv[i][1] == '-' ? 2 : 1);
        size_t at = 0, count = sizeof(options) / sizeof(options[0]);
        while (at < count && strcmp(options[at].name, name) != 0)
            at++;
        if (at == count)
            return error_set(e, ERROR_USAGE,
                             "'%.60s' is not an option of 'tlswire run'   see: tlswire run --help",
                             argv[i]);
        if (options[at].flag)
            *options[at].flag = true;
        else if (++i >= argc)
            return error_set(e, ERROR_USAGE, "-%s needs a value", options[at].name);
        else
            *options[at].value = argv[i];
    }
    if (i < argc && strcmp(argv[i], "--") == 0)
        i++;
    r->command = argv + i;
    if (strcmp(r->color, "auto") != 0 && strcmp(r->color, "always") != 0 &&
        strcmp(r->color, "never") != 0)
        return error_set(e, ERROR_USAGE, "-color: want auto, always or never");
    return r->help || i < argc ||
           error_set(e, ERROR_USAGE, "what to run?   try: tlswire run curl https://example.com/");
}

/* ---- the program ---- */

/* In the child: never returns; what fails goes to REPORT. */
static void become(struct running *r, int report)
{
    signal(SIGPIPE, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    signal(SIGQUIT, SIG_DFL);
    setenv("SSLKEYLOGFILE", r->keys_path, 1);
    execvp(r->command[0], r->command);
    int problem = errno;
    (void)!write(report, &problem, sizeof(problem));
    _exit(NOT_RUN);
}

/* False, and *CODE, when it cannot be run. */
static bool start(struct running *r, int *code)
{
    int ends[2], problem = 0;
    struct error e = {.code = ERROR_NONE};
    if (pipe2(ends, O_CLOEXEC) != 0 || (r->child = fork()) < 0) {
        error_set(&e, ERROR_FILE, "cannot start a program: %s", strerror(errno));
        *code = common_fail(&e, EXIT_RUNTIME);
        return false;
    }
    if (r->child == 0)
        become(r, ends[1]);
    close(ends[1]);
    bool failed = read(ends[0], &problem, sizeof(problem)) == sizeof(problem);
    close(ends[0]);
    if (!failed)
        return true;
    waitpid(r->child, NULL, 0);
    error_set(&e, ERROR_FILE, "cannot run %.300s: %s", r->command[0], strerror(problem));
    *code = common_fail(&e, problem == ENOENT ? NOT_RUN : NOT_ALLOWED);
    return false;
}

static void take(struct running *r, int timeout_ms, unsigned most)
{
    struct packet packet;
    struct error e = {.code = ERROR_NONE};
    while (most-- > 0 && live_next(r->live, &packet, timeout_ms, &e) == LIVE_PACKET) {
        flows_see(&r->flows, &packet, r->child);
        recording_packet(&r->recording, &packet);
    }
}

static int watch(struct running *r)
{
    signal(SIGINT, SIG_IGN); /* it is for the program, which decides what comes of it */
    signal(SIGQUIT, SIG_IGN);
    while (waitpid(r->child, &r->status, WNOHANG) == 0) {
        struct pollfd wait = {.fd = live_fd(r->live), .events = POLLIN};
        poll(&wait, 1, WAIT_MS);
        take(r, 0, SETTLE_MOST);
    }
    take(r, QUIET_MS, SETTLE_MOST);
    return WIFSIGNALED(r->status) ? 128 + WTERMSIG(r->status) : WEXITSTATUS(r->status);
}

/* ---- what came of it ---- */

static void read_keys(struct running *r)
{
    char line[1024];
    FILE *file = fopen(r->keys_path, "re");
    while (file && fgets(line, sizeof(line), file)) {
        line[strcspn(line, "\r\n")] = '\0';
        if (*line)
            recording_key(&r->chosen, line);
        flows_key(&r->flows, line);
    }
    if (file)
        fclose(file);
    OPENSSL_cleanse(line, sizeof(line));
}

static void choose(struct running *r)
{
    r->chosen.link_type = r->recording.link_type;
    r->chosen.decimals = r->recording.decimals;
    r->chosen.full = r->recording.full;
    snprintf(r->chosen.interface, sizeof(r->chosen.interface), "%s", r->recording.interface);
    for (size_t i = 0; i < recording_count(&r->recording); i++) {
        struct packet packet;
        recording_at(&r->recording, i, &packet);
        packet.link_type = r->recording.link_type;
        if (r->all || flows_has(&r->flows, &packet))
            recording_packet(&r->chosen, &packet);
    }
}

static bool write_file(struct running *r, const char *path, struct error *e)
{
    struct stat status;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return error_set(e, ERROR_FILE, "cannot write %.400s: %s", path, strerror(errno));
    bool ok = fstat(fd, &status) == 0 && (!S_ISREG(status.st_mode) || fchmod(fd, 0600) == 0) &&
              recording_write(&r->chosen, path, fd, "tlswire run: captured, TLS keys inside", e);
    close(fd);
    return ok || error_set(e, ERROR_FILE, "cannot write %.400s", path);
}

static void say(const struct running *r)
{
    size_t count = recording_count(&r->chosen);
    if (count == 0)
        fputs("tlswire: the program made no TCP connection that was seen\n", stderr);
    else if (r->chosen.keys.len == 0 && r->flows.tls_port)
        fputs("tlswire: the program wrote no keys: not every program heeds SSLKEYLOGFILE (curl, "
              "Python, browsers, GnuTLS and NSS do)\n",
              stderr);
    if (r->chosen.full)
        fputs("tlswire: not everything was kept: more than 256 MiB\n", stderr);
    if (r->write_file && count > 0)
        fprintf(stderr, "captured: %zu packets of %u connections%s, in %s\n", count,
                flows_count(&r->flows, r->all),
                r->chosen.keys.len ? ", with the keys" : ", without keys", r->write_file);
}

static int show(struct running *r, int code)
{
    struct error e = {.code = ERROR_NONE};
    char path[600];
    read_keys(r);
    choose(r);
    snprintf(path, sizeof(path), "%.500s/run.pcapng", r->folder);
    const char *file = r->write_file ? r->write_file : path;
    if (recording_count(&r->chosen) > 0 || r->write_file) {
        if (!write_file(r, file, &e))
            return common_fail(&e, code ? code : EXIT_RUNTIME);
    }
    if (!r->quiet && recording_count(&r->chosen) > 0) {
        struct view_request request = {
            .capture_path = file,
            .view = VIEW_LADDER,
            .tls_port = r->flows.tls_port ? r->flows.tls_port : 443,
            .color = common_color(r->color, stderr),
            .ascii = common_ascii(r->ascii),
            .out = stderr,
            .keys_from = r->chosen.keys.len > 0 ? "the program" : NULL,
        };
        if (view_render(&request, &e) != 0)
            common_fail(&e, EXIT_RUNTIME);
    }
    if (!r->quiet)
        say(r);
    unlink(path);
    return code;
}

/* ---- the run ---- */

static bool prepare(struct running *r, struct error *e)
{
    const char *temporary = getenv("TMPDIR");
    struct live_options options = {.interface = r->interface,
                                   .filter = "tcp",
                                   .buffer_bytes = 16u << 20,
                                   .no_promiscuous = true,
                                   .immediate = true};
    r->live = live_open(&options, e);
    if (!r->live)
        return false;
    fcntl(live_fd(r->live), F_SETFD, FD_CLOEXEC); /* not for the program's eyes */
    r->recording.link_type = live_link_type(r->live);
    r->recording.decimals = live_decimals(r->live);
    snprintf(r->recording.interface, sizeof(r->recording.interface), "%s", live_interface(r->live));
    snprintf(r->folder, sizeof(r->folder), "%.400s/tlswire-run-XXXXXX",
             temporary && *temporary ? temporary : "/tmp");
    if (!mkdtemp(r->folder)) /* mode 0700 */
        return error_set(e, ERROR_FILE, "cannot make the folder %s: %s", r->folder,
                         strerror(errno));
    snprintf(r->keys_path, sizeof(r->keys_path), "%s/keys.log", r->folder);
    return true;
}

static int run(struct running *r)
{
    struct error e = {.code = ERROR_NONE};
    int code = EXIT_RUNTIME;
    if (!prepare(r, &e)) {
        common_fail(&e, EXIT_RUNTIME);
        if (!r->live)
            fputs(
                "tlswire: nothing was run; for one connection of our own: tlswire connect -capture "
                "file, for one of a program to a server of ours: tlswire lab -client\n",
                stderr);
    } else if (start(r, &code)) {
        code = show(r, watch(r));
    }
    if (r->keys_path[0]) {
        unlink(r->keys_path);
        rmdir(r->folder);
    }
    if (r->live)
        live_close(r->live);
    return code;
}

int cmd_run(int argc, char **argv)
{
    struct running r = {.interface = ALL_INTERFACES, .color = "auto"};
    struct error e = {.code = ERROR_NONE};
    if (!parse(argc, argv, &r, &e))
        return common_fail(&e, EXIT_USAGE);
    if (r.help)
        return usage();
    recording_init(&r.recording);
    recording_init(&r.chosen);
    int code = run(&r);
    flows_free(&r.flows);
    recording_free(&r.recording);
    recording_free(&r.chosen);
    return code;
}
