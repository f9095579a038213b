#include "base/buf.h"
#include "cli/lab.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

/* The command with {port}, {dir} and {cert} replaced; the caller frees it. */
static char *expand(const struct lab *lab)
{
    const char *certificate =
        lab->options->tls.own.cert ? lab->options->tls.own.cert : lab->certificate_path;
    char port[8];
    snprintf(port, sizeof(port), "%u", lab->port);
    const struct {
        const char *name, *value;
    } words[] = {{"{port}", port}, {"{dir}", lab->directory}, {"{cert}", certificate}};
    struct buf out = {.ceiling = 128 * 1024}; /* the most that Linux takes as one argument */
    for (const char *at = lab->options->client; *at;) {
        size_t i = 0, count = sizeof(words) / sizeof(words[0]);
        while (i < count && strncmp(at, words[i].name, strlen(words[i].name)) != 0)
            i++;
        if (i < count) {
            buf_str(&out, words[i].value);
            at += strlen(words[i].name);
        } else {
            buf_char(&out, *at++);
        }
    }
    buf_char(&out, '\0');
    if (out.failed) {
        buf_free(&out);
        return NULL;
    }
    return (char *)out.data;
}

/* The line of the client's output that says best what went wrong, into WORDS. */
static void find_words(const struct lab *lab, char *words, size_t size)
{
    char line[512], error[512] = "", last[512] = "";
    FILE *log = fopen(lab->client_log_path, "re");
    *words = '\0';
    for (unsigned n = 0; log && n < 10000 && !*words && fgets(line, sizeof(line), log); n++) {
        line[strcspn(line, "\r\n")] = '\0';
        if (strcasestr(line, "alert"))
            snprintf(words, size, "%.*s", (int)size - 1, line);
        if (strcasestr(line, "error"))
            memcpy(error, line, sizeof(error));
        if (*line)
            memcpy(last, line, sizeof(last));
    }
    if (log)
        fclose(log);
    if (!*words)
        snprintf(words, size, "%.*s", (int)size - 1, *error ? error : last);
}

static void child_failed(struct lab *lab, int status)
{
    char words[160];
    find_words(lab, words, sizeof(words));
    snprintf(lab->client_error, sizeof(lab->client_error), "exit status %d%s%s", status,
             *words ? ": " : "", words);
}

static void child_ended(uv_process_t *process, int64_t status, int signal)
{
    struct lab *lab = process->data;
    if (lab->client_stopped)
        snprintf(lab->client_error, sizeof(lab->client_error), "stopped after %d s",
                 LAB_CLIENT_SECONDS);
    else if (signal)
        snprintf(lab->client_error, sizeof(lab->client_error), "ended by signal %d", signal);
    else if (status)
        child_failed(lab, (int)status);
    lab->outcome = CLIENT_FINISHED;
    lab->client_done = true;
}

/* The environment with SSLKEYLOGFILE set; NULL without memory.  Only the array and its first entry
 * are owned: free both. */
static char **environment(const struct lab *lab)
{
    static const char name[] = "SSLKEYLOGFILE=";
    size_t count = 0, at = 0, len = sizeof(name) + strlen(lab->client_keys_path);
    while (environ[count])
        count++;
    char **list = calloc(count + 2, sizeof(*list));
    char *entry = malloc(len);
    if (!list || !entry) {
        free(list);
        free(entry);
        return NULL;
    }
    snprintf(entry, len, "%s%s", name, lab->client_keys_path);
    list[at++] = entry;
    for (size_t i = 0; i < count; i++)
        if (strncmp(environ[i], name, strlen(name)) != 0)
            list[at++] = environ[i];
    return list;
}

static int spawn(struct lab *lab, char *command, char **env, int log)
{
    char shell[] = "/bin/sh", flag[] = "-c";
    char *arguments[] = {shell, flag, command, NULL};
    uv_stdio_container_t stdio[] = {
        {.flags = UV_IGNORE}, /* /dev/null */
        {.flags = UV_INHERIT_FD, .data.fd = log},
        {.flags = UV_INHERIT_FD, .data.fd = log},
    };
    uv_process_options_t options = {
        .exit_cb = child_ended,
        .file = shell,
        .args = arguments,
        .env = env,
        .flags = UV_PROCESS_DETACHED, /* a process group of its own, to end all of it */
        .stdio_count = 3,
        .stdio = stdio,
    };
    lab->process.data = lab;
    lab->process_live = true; /* the handle is made even when it fails */
    return uv_spawn(&lab->loop, &lab->process, &options);
}

bool lab_client_start(struct lab *lab, struct error *e)
{
    int log = open(lab->client_log_path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0644);
    if (log < 0)
        return error_set(e, ERROR_FILE, "cannot write %s: %s", lab->client_log_path,
                         strerror(errno));
    char *command = expand(lab), **env = environment(lab);
    int status = command && env ? spawn(lab, command, env, log) : UV_ENOMEM;
    close(log);
    free(command);
    free(env ? env[0] : NULL);
    free(env);
    return status == 0 ||
           error_set(e, ERROR_FILE, "cannot run the client: %s", uv_strerror(status));
}

void lab_client_kill(struct lab *lab, int signal)
{
    if (lab->process_live && lab->process.pid > 0)
        kill(-lab->process.pid, signal);
}
