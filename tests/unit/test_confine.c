/* What a confined process may no longer do; each case in a process of its own. */
#include "cli/confine.c" /* the program is in no library */
#include "unit.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>

/* Runs WHAT in a confined child: its answer, or 90 when it could not be confined, 91 when it died. */
static int in_child(const struct confinement *c, int (*what)(void))
{
    int status = 0;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        struct error e = {.code = ERROR_NONE};
        _exit(confine(c, &e) ? what() : 90);
    }
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status))
        return 91;
    return WEXITSTATUS(status);
}

/* The error number of a call that failed, 0 when it worked. */
static int outcome(long result)
{
    return result < 0 ? errno : 0;
}

static int open_shadow(void)
{
    return outcome(open("/etc/../etc/passwd", O_RDWR));
}

static int open_elsewhere(void)
{
    return outcome(open("/proc/self/mem", O_RDONLY));
}

static int make_file(void)
{
    return outcome(open("/tmp/confined", O_WRONLY | O_CREAT, 0600));
}

static int read_allowed(void)
{
    return outcome(open("/bin/sh", O_RDONLY));
}

static int run_program(void)
{
    char *none[] = {NULL};
    return outcome(execve("/bin/true", none, none));
}

static int make_process(void)
{
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    return outcome(child);
}

static int trace(void)
{
    return outcome(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

static int make_socket(void)
{
    return outcome(socket(AF_INET, SOCK_STREAM, 0));
}

static int mount_something(void)
{
    return outcome(mount("none", "/mnt", "tmpfs", 0, NULL));
}

static int become_root(void)
{
    return outcome(setuid(0));
}

static int remove_file(void)
{
    return outcome(unlink("/tmp/does-not-matter"));
}

static int kill_others(void)
{
    return outcome(kill(getppid(), 0));
}

static void *thread_body(void *user)
{
    return user;
}

static int make_thread(void)
{
    pthread_t thread;
    void *result = NULL;
    int status = pthread_create(&thread, NULL, thread_body, NULL);
    return status ? status : pthread_join(thread, &result);
}

static int who(void)
{
    uid_t real, effective, saved;
    return getresuid(&real, &effective, &saved) == 0
               ? real == 65534 && effective == 65534 && saved == 65534
               : 92;
}

static int groups(void)
{
    return getgroups(0, NULL);
}

static void test_probes(void)
{
    static const struct {
        const char *name;
        int (*probe)(void);
        int want;
    } probes[] = {
        {"write a system file", open_shadow, EACCES},
        {"read a file not named", open_elsewhere, EACCES},
        {"make a file", make_file, EACCES},
        {"read a file named", read_allowed, 0},
        {"run a program", run_program, EPERM},
        {"make a process", make_process, EPERM},
        {"trace", trace, EPERM},
        {"make a socket", make_socket, EPERM},
        {"mount", mount_something, EPERM},
        {"become root", become_root, EPERM},
        {"remove a file", remove_file, EPERM},
        {"signal another process", kill_others, EPERM},
        {"make a thread", make_thread, 0},
    };
    struct confinement c = {.sandbox = SANDBOX_REQUIRE, .keep_root = geteuid() != 0};
    confine_readable(&c, "/bin/sh");
    confine_readable(&c, "/does/not/exist");
    confine_readable(&c, NULL);
    for (size_t i = 0; i < sizeof(probes) / sizeof(probes[0]); i++) {
        if (CHECKED_BUILD)
            break; /* no filter there: see confine.c */
        int got = in_child(&c, probes[i].probe);
        if (got != probes[i].want)
            printf("# %s: want %d got %d\n", probes[i].name, probes[i].want, got);
        CHECK(got == probes[i].want);
    }
}

static void test_exceptions(void)
{
    struct confinement connecting = {.sandbox = SANDBOX_TRY, .keep_root = true, .connects = true};
    struct confinement programs = {.sandbox = SANDBOX_TRY, .keep_root = true, .programs = true};
    struct confinement off = {.sandbox = SANDBOX_OFF, .keep_root = true};
    CHECK_EQ(0, in_child(&connecting, make_socket));
    CHECK_EQ(0, in_child(&programs, make_process));
    CHECK_EQ(0, in_child(&off, open_elsewhere));
    programs.sandbox = SANDBOX_REQUIRE;
    CHECK_EQ(90, in_child(&programs, make_process));
}

static void test_user(void)
{
    struct confinement nobody = {.sandbox = SANDBOX_OFF};
    struct confinement unknown = {.sandbox = SANDBOX_OFF, .user = "no such user"};
    struct confinement root = {.sandbox = SANDBOX_OFF, .user = "root"};
    if (geteuid() != 0) {
        CHECK_EQ(0, in_child(&unknown, make_thread)); /* nothing to give up */
        return;
    }
    CHECK(confine_drops_root(&nobody));
    CHECK_EQ(1, in_child(&nobody, who));
    CHECK_EQ(0, in_child(&nobody, groups));
    CHECK_EQ(EPERM, in_child(&nobody, become_root));
    CHECK_EQ(90, in_child(&unknown, who));
    CHECK_EQ(90, in_child(&root, who));
}

int main(void)
{
    static const struct unit_test tests[] = {
        {"a confined process tries to get out", test_probes},
        {"what some servers need is left", test_exceptions},
        {"root is given up", test_user},
    };
    return UNIT_RUN(tests);
}
