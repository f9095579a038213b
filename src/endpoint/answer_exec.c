/* A program for each connection: what the client says is its input, what it prints is the answer.
 * It ends with the connection, with all that it has started. */
#include "endpoint/pump.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VARIABLES 8

struct program {
    struct pump pump;
    uv_process_t process;
    uv_pipe_t in, out;
    unsigned handles;
    int pid; /* 0: it has ended */
    bool said_all;
};

static void handle_closed(uv_handle_t *handle)
{
    struct program *p = handle->data;
    if (--p->handles == 0)
        free(p);
}

static void close_handle(struct program *p, uv_handle_t *handle)
{
    if (uv_is_closing(handle))
        return;
    handle->data = p; /* the pump is done with it */
    uv_close(handle, handle_closed);
}

/* When the program has ended and all that it printed is sent. */
static void finish(struct program *p)
{
    if (p->pid == 0 && p->said_all && p->pump.answer)
        link_close(p->pump.answer->link);
}

static void ended(struct pump *pump, int status)
{
    struct program *p = (struct program *)(void *)pump;
    (void)status;
    p->said_all = true;
    finish(p);
}

static void exited(uv_process_t *process, int64_t status, int signal)
{
    struct program *p = process->data;
    p->pid = 0;
    if (p->pump.answer) {
        struct endpoint_report *r = &p->pump.answer->link->report;
        if (signal)
            snprintf(r->note, sizeof(r->note), "program=signal %d", signal);
        else
            snprintf(r->note, sizeof(r->note), "program=exit %d", (int)status);
    }
    finish(p);
}

/* ---- its surroundings ---- */

static bool is_printable(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            return false;
    return true;
}

static unsigned add_variables(const struct endpoint_report *r, char texts[VARIABLES][320],
                              char **environment, unsigned count)
{
    char peer[64];
    endpoint_address_text(&r->peer, peer, sizeof(peer));
    const struct {
        const char *name, *value;
    } variables[] = {
        {"PEER", peer},
        {"VERSION", r->version},
        {"CIPHER", r->cipher},
        {"SNI", r->server_name},
        {"ALPN", r->alpn},
        {"CLIENT", r->peer_name},
        {"CLIENT_TRUSTED", r->peer_name[0] ? (r->verified ? "yes" : "no") : ""},
    };
    for (unsigned i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
        /* What peers say stands in no variable when a shell or terminal could stumble over it. */
        if (!is_printable(variables[i].value))
            continue;
        snprintf(texts[i], 320, "TLSWIRE_%s=%s", variables[i].name, variables[i].value);
        environment[count++] = texts[i];
    }
    environment[count] = NULL;
    return count;
}

static char **make_environment(const struct endpoint_report *r, char texts[VARIABLES][320])
{
    unsigned count = 0;
    while (environ[count])
        count++;
    char **all = calloc(count + VARIABLES + 1, sizeof(*all));
    if (!all)
        return NULL;
    for (unsigned i = 0; i < count; i++)
        all[i] = environ[i];
    add_variables(r, texts, all, count);
    return all;
}

static int spawn(struct answer *a, struct program *p)
{
    char shell[] = "/bin/sh", flag[] = "-c", texts[VARIABLES][320];
    char *command = strdup(a->answers->config.argument);
    char *words[] = {shell, flag, command, NULL};
    uv_stdio_container_t streams[] = {
        {.flags = UV_CREATE_PIPE | UV_READABLE_PIPE, .data.stream = (uv_stream_t *)&p->in},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&p->out},
        {.flags = UV_INHERIT_FD, .data.fd = STDERR_FILENO},
    };
    uv_process_options_t options = {
        .file = shell,
        .args = words,
        .env = make_environment(&a->link->report, texts),
        .stdio = streams,
        .stdio_count = 3,
        .flags = UV_PROCESS_DETACHED, /* a group of its own, to be ended as one */
        .exit_cb = exited,
    };
    int status =
        command && options.env ? uv_spawn(a->answers->loop, &p->process, &options) : UV_ENOMEM;
    free(options.env);
    free(command);
    return status;
}

/* ---- the answer ---- */

static void begin(struct answer *a)
{
    struct program *p = answer_state(a, sizeof(*p));
    if (!p)
        return;
    uv_pipe_init(a->answers->loop, &p->in, 0);
    uv_pipe_init(a->answers->loop, &p->out, 0);
    pump_init(&p->pump, a, (uv_stream_t *)&p->in, (uv_stream_t *)&p->out, ended);
    int status = spawn(a, p);
    p->process.data = p;
    p->handles = 3;
    if (status != 0) {
        char text[200];
        snprintf(text, sizeof(text), "cannot start the program: %s", uv_strerror(status));
        link_fail(a->link, text);
        return;
    }
    p->pid = uv_process_get_pid(&p->process);
    pump_start(&p->pump);
}

static void take(struct answer *a, struct slice plain)
{
    struct program *p = a->state;
    (void)pump_send(&p->pump, plain); /* one that reads no more may still have something to say */
}

static void peer_closed(struct answer *a)
{
    struct program *p = a->state;
    if (a->link->report.peer_said_close)
        pump_finish(&p->pump);
    else
        link_close(a->link); /* torn: the program is not told that this was all */
}

static void go_on(struct answer *a)
{
    struct program *p = a->state;
    if (!p->said_all)
        pump_writable(&p->pump);
}

static bool busy(const struct answer *a)
{
    const struct program *p = a->state;
    return p && p->pid > 0;
}

static void forget(struct answer *a)
{
    struct program *p = a->state;
    if (!p)
        return;
    p->pump.answer = NULL;
    if (p->pid > 0)
        kill(-p->pid, SIGKILL);
    close_handle(p, (uv_handle_t *)&p->in);
    close_handle(p, (uv_handle_t *)&p->out);
    close_handle(p, (uv_handle_t *)&p->process);
}

const struct answer_kind answer_exec = {
    .name = "exec",
    .ready = begin,
    .data = take,
    .peer_closed = peer_closed,
    .writable = go_on,
    .busy = busy,
    .free = forget,
};
