#include "cli/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <linux/landlock.h>
#include <pwd.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LAST_CAPABILITY 63

/* The checkers of memory use calls that a server never needs. */
#if defined(__SANITIZE_ADDRESS__)
#define CHECKED_BUILD true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define CHECKED_BUILD true
#endif
#endif
#ifndef CHECKED_BUILD
#define CHECKED_BUILD false
#endif

void confine_readable(struct confinement *c, const char *path)
{
    if (path && c->readable_count < CONFINE_PATHS)
        c->readable[c->readable_count++] = path;
}

bool confine_drops_root(const struct confinement *c)
{
    return geteuid() == 0 && !c->keep_root;
}

/* ---- the user ---- */

static bool drop_root(const char *name, struct error *e)
{
    const char *wanted = name ? name : "nobody";
    errno = 0;
    const struct passwd *user = getpwnam(wanted);
    if (!user)
        return error_set(e, ERROR_PERMISSION,
                         "cannot give up root: there is no user '%s'; see --user and --no-drop",
                         wanted);
    if (user->pw_uid == 0)
        return error_set(e, ERROR_USAGE, "--user %s: that is root; --no-drop stays root", wanted);
    /* The bounding set first: it needs a capability that the change of user takes away. */
    for (unsigned long i = 0; i <= LAST_CAPABILITY; i++)
        (void)prctl(PR_CAPBSET_DROP, i, 0, 0, 0);
    if (setgroups(0, NULL) != 0 || setresgid(user->pw_gid, user->pw_gid, user->pw_gid) != 0 ||
        setresuid(user->pw_uid, user->pw_uid, user->pw_uid) != 0)
        return error_set(e, ERROR_PERMISSION, "cannot become user '%s': %s", wanted,
                         strerror(errno));
    if (setuid(0) == 0 || seteuid(0) == 0)
        return error_set(e, ERROR_PERMISSION, "root could be had back after giving it up");
    return true;
}

/* ---- Landlock: files ---- */

#define READ_FILE   LANDLOCK_ACCESS_FS_READ_FILE
#define READ_FOLDER LANDLOCK_ACCESS_FS_READ_DIR
/* All that version 1 of Landlock can refuse: the thirteen rights from EXECUTE to MAKE_SYM. */
#define ALL_RIGHTS ((UINT64_C(1) << 13) - 1)

static int landlock(long call, long a, const void *b, size_t c, unsigned flags)
{
    if (call == SYS_landlock_create_ruleset)
        return (int)syscall(call, b, c, flags);
    if (call == SYS_landlock_add_rule)
        return (int)syscall(call, a, LANDLOCK_RULE_PATH_BENEATH, b, flags);
    return (int)syscall(call, a, flags);
}

static bool allow_reading(int rules, const char *path)
{
    struct stat info;
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &info) != 0) {
        if (fd >= 0)
            close(fd);
        return true; /* it is not there, or not for us: nothing to allow */
    }
    struct landlock_path_beneath_attr rule = {
        .allowed_access = S_ISDIR(info.st_mode) ? READ_FILE | READ_FOLDER : READ_FILE,
        .parent_fd = fd,
    };
    int done = landlock(SYS_landlock_add_rule, rules, &rule, 0, 0);
    close(fd);
    return done == 0;
}

static bool allow_path(int rules, const char *path)
{
    struct stat info;
    char copy[4096];
    if (stat(path, &info) != 0 || S_ISDIR(info.st_mode) || strlen(path) >= sizeof(copy))
        return allow_reading(rules, path);
    snprintf(copy, sizeof(copy), "%s", path);
    return allow_reading(rules, dirname(copy));
}

static bool limit_files(const struct confinement *c)
{
    /* The resolver's and OpenSSL's configuration, time zones, random numbers. */
    static const char *const common[] = {"/etc", "/usr/share/zoneinfo", "/usr/lib",
                                         "/lib", "/dev/urandom",        "/dev/null"};
    struct landlock_ruleset_attr attr = {.handled_access_fs = ALL_RIGHTS};
    int rules = landlock(SYS_landlock_create_ruleset, 0, &attr, sizeof(attr.handled_access_fs), 0);
    bool good = rules >= 0;
    for (size_t i = 0; good && i < sizeof(common) / sizeof(common[0]); i++)
        good = allow_reading(rules, common[i]);
    for (unsigned i = 0; good && i < c->readable_count; i++)
        good = allow_path(rules, c->readable[i]);
    good = good && landlock(SYS_landlock_restrict_self, rules, NULL, 0, 0) == 0;
    if (rules >= 0)
        close(rules);
    return good;
}

/* ---- seccomp: system calls ---- */

static const char *const calls[] = {
    /* memory and threads */
    "brk",
    "mmap",
    "mprotect",
    "mremap",
    "munmap",
    "madvise",
    "futex",
    "set_robust_list",
    "rseq",
    "sched_yield",
    "sched_getaffinity",
    "membarrier",
    "exit",
    "exit_group",
    "gettid",
    "getpid",
    "tgkill",
    "restart_syscall",
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigreturn",
    "sigaltstack",
    "prlimit64",
    "sysinfo",
    "uname",
    "getrandom",
    "getuid",
    "geteuid",
    "getgid",
    "getegid",
    /* time */
    "clock_gettime",
    "clock_getres",
    "clock_nanosleep",
    "nanosleep",
    "gettimeofday",
    "time",
    /* files that are open, or that Landlock lets it read */
    "read",
    "readv",
    "pread64",
    "preadv",
    "preadv2",
    "write",
    "writev",
    "pwrite64",
    "close",
    "lseek",
    "fstat",
    "newfstatat",
    "stat",
    "lstat",
    "statx",
    "access",
    "faccessat",
    "faccessat2",
    "openat",
    "openat2",
    "open",
    "getdents64",
    "readlink",
    "readlinkat",
    "fcntl",
    "flock",
    "ftruncate",
    "fsync",
    "fdatasync",
    "dup",
    "dup2",
    "dup3",
    "pipe2",
    "eventfd2",
    "ioctl",
    "umask",
    "sendfile",
    /* sockets that are open */
    "listen", /* on sockets that are bound: each worker has its own of them */
    "accept",
    "accept4",
    "recvfrom",
    "recvmsg",
    "recvmmsg",
    "sendto",
    "sendmsg",
    "sendmmsg",
    "shutdown",
    "getsockname",
    "getpeername",
    "getsockopt",
    "setsockopt",
    "poll",
    "ppoll",
    "select",
    "pselect6",
    "epoll_create1",
    "epoll_ctl",
    "epoll_wait",
    "epoll_pwait",
    "epoll_pwait2",
};

/* For outgoing connections and the name service. */
static const char *const connecting_calls[] = {"socket", "connect", "bind"};

static bool allow_calls(scmp_filter_ctx filter, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int number = seccomp_syscall_resolve_name(names[i]);
        if (number != __NR_SCMP_ERROR && seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0) != 0)
            return false;
    }
    return true;
}

/* A thread is a clone with CLONE_THREAD; a process is one without.  clone3 has its flags where a
 * filter cannot look: without it the C library falls back to clone. */
static bool allow_threads(scmp_filter_ctx filter)
{
    static const uint64_t thread = 0x10000; /* CLONE_THREAD */
    return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                            SCMP_A0(SCMP_CMP_MASKED_EQ, thread, thread)) == 0 &&
           seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) == 0;
}

static bool limit_calls(const struct confinement *c)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    bool good = filter && allow_calls(filter, calls, sizeof(calls) / sizeof(calls[0])) &&
                allow_threads(filter);
    if (good && c->connects)
        good = allow_calls(filter, connecting_calls,
                           sizeof(connecting_calls) / sizeof(connecting_calls[0]));
    good = good && seccomp_load(filter) == 0;
    if (filter)
        seccomp_release(filter);
    return good;
}

bool confine(const struct confinement *c, struct error *e)
{
    bool required = c->sandbox == SANDBOX_REQUIRE;
    if (confine_drops_root(c) && !drop_root(c->user, e))
        return false;
    if (c->sandbox == SANDBOX_OFF)
        return true;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 && required)
        return error_set(e, ERROR_PERMISSION, "--sandbox require: the kernel has no NO_NEW_PRIVS");
    if (c->programs)
        return !required || error_set(e, ERROR_USAGE,
                                      "--sandbox require: not together with --exec, whose programs "
                                      "need files and system calls");
    if (!limit_files(c) && required)
        return error_set(e, ERROR_PERMISSION, "--sandbox require: the kernel has no Landlock");
    if (!CHECKED_BUILD && !limit_calls(c) && required)
        return error_set(e, ERROR_PERMISSION,
                         "--sandbox require: the kernel has no seccomp filters");
    return true;
}
