#include "endpoint/authority.h"

#include "endpoint/context.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_FILE         "ca-key.pem"
#define CERTIFICATE_FILE "ca.pem"
#define FILE_CEILING     65536
#define ATTEMPTS         8 /* for a name of a temporary file */

bool authority_folder(char path[AUTHORITY_PATH], struct error *e)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    int len = -1;
    /* The XDG Base Directory Specification: a path that is not absolute is ignored. */
    if (state && *state == '/')
        len = snprintf(path, AUTHORITY_PATH, "%s/tlswire", state);
    else if (home && *home == '/')
        len = snprintf(path, AUTHORITY_PATH, "%s/.local/state/tlswire", home);
    else
        return error_set(e, ERROR_FILE, "no place to keep a local CA: HOME is not set");
    return (len > 0 && len < AUTHORITY_PATH - 32) ||
           error_set(e, ERROR_FILE, "no place to keep a local CA: the path is too long");
}

static bool failed(struct error *e, const char *what, const char *folder, const char *name)
{
    return error_set(e, errno == EACCES || errno == EPERM ? ERROR_PERMISSION : ERROR_FILE,
                     "local CA: cannot %s %.700s%s%s: %s", what, folder, *name ? "/" : "", name,
                     strerror(errno));
}

/* Makes the folder and those above it, each for its owner alone. */
static bool make_folders(const char *folder, struct error *e)
{
    char path[AUTHORITY_PATH];
    size_t len = strlen(folder);
    if (len >= sizeof(path))
        return error_set(e, ERROR_FILE, "local CA: the folder's path is too long");
    for (size_t i = 1; i <= len; i++) {
        if (folder[i] != '/' && folder[i] != '\0')
            continue;
        snprintf(path, sizeof(path), "%.*s", (int)i, folder);
        if (mkdir(path, 0700) != 0 && errno != EEXIST) {
            struct stat status; /* a file system that cannot be written to may have it anyway */
            int reason = errno;
            if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
                continue;
            errno = reason;
            return failed(e, "make the folder", path, "");
        }
    }
    return true;
}

/* The folder's descriptor, or -1 and the error. */
static int open_folder(const char *folder, struct error *e)
{
    struct stat status;
    if (!make_folders(folder, e))
        return -1;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) != 0) {
        failed(e, "open", folder, "");
    } else if (status.st_uid != geteuid()) {
        error_set(e, ERROR_PERMISSION, "local CA: %.700s belongs to somebody else (user %u)",
                  folder, (unsigned)status.st_uid);
    } else if (status.st_mode & 022) {
        error_set(e, ERROR_PERMISSION,
                  "local CA: others may write to %.700s: its keys cannot be trusted   try: chmod "
                  "700 on it, then tlswire ca new",
                  folder);
    } else {
        return fd;
    }
    if (fd >= 0)
        close(fd);
    return -1;
}

static bool check_key_file(int fd, const char *folder, struct error *e)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return failed(e, "read", folder, KEY_FILE);
    if (!S_ISREG(status.st_mode) || status.st_size > FILE_CEILING)
        return error_set(e, ERROR_FORMAT, "local CA: %.700s/" KEY_FILE " is not a key file",
                         folder);
    if (status.st_uid != geteuid())
        return error_set(e, ERROR_PERMISSION,
                         "local CA: %.700s/" KEY_FILE " belongs to somebody else (user %u)", folder,
                         (unsigned)status.st_uid);
    if (status.st_mode & 077)
        return error_set(
            e, ERROR_PERMISSION,
            "local CA: others can read the key %.700s/" KEY_FILE "   try: tlswire ca new", folder);
    return true;
}

/* A key with a passphrase is not one of ours: never a prompt. */
static int no_passphrase(char *buffer, int size, int writing, void *user)
{
    (void)buffer, (void)size, (void)writing, (void)user;
    return 0;
}

static bool read_key_file(int fd, struct certificate *root)
{
    FILE *file = fdopen(fd, "r");
    if (!file) {
        close(fd);
        return false;
    }
    root->key = PEM_read_PrivateKey(file, NULL, no_passphrase, NULL);
    root->x509 = root->key ? PEM_read_X509(file, NULL, no_passphrase, NULL) : NULL;
    fclose(file);
    return root->x509 && X509_check_private_key(root->x509, root->key) == 1 &&
           X509_check_ca(root->x509) == 1;
}

/* *FOUND false: there is none, and that is no error. */
static bool load(int folder_fd, const char *folder, struct certificate *root, bool *found,
                 struct error *e)
{
    int fd = openat(folder_fd, KEY_FILE, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    *found = fd >= 0;
    if (fd < 0)
        return errno == ENOENT || failed(e, "open", folder, KEY_FILE);
    if (!check_key_file(fd, folder, e)) {
        close(fd);
        return false;
    }
    if (!read_key_file(fd, root)) {
        char reason[128];
        context_reason(reason, sizeof(reason));
        return error_set(e, ERROR_FORMAT,
                         "local CA: %.700s/" KEY_FILE " does not hold a CA and its key (%s)   "
                         "try: tlswire ca new",
                         folder, reason);
    }
    if (X509_cmp_current_time(X509_get0_notAfter(root->x509)) < 0)
        return error_set(e, ERROR_CRYPTO,
                         "local CA: its time in %.700s is over   try: tlswire ca new", folder);
    return true;
}

/* Writes a file under a name of its own, which goes to TEMPORARY; the caller links or renames it. */
static bool write_aside(int folder_fd, const struct certificate *root, bool with_key,
                        char temporary[32])
{
    int fd = -1;
    for (int i = 0; fd < 0 && i < ATTEMPTS; i++) {
        snprintf(temporary, 32, ".new-%ld-%d", (long)getpid(), i);
        fd = openat(folder_fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0 && errno != EEXIST)
            return false;
    }
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (!file) {
        if (fd >= 0)
            close(fd);
        return false;
    }
    bool ok =
        (!with_key || PEM_write_PKCS8PrivateKey(file, root->key, NULL, NULL, 0, NULL, NULL) == 1) &&
        PEM_write_X509(file, root->x509) == 1 && fflush(file) == 0 && fsync(fd) == 0;
    int reason = errno;
    if (fclose(file) != 0 || !ok) {
        unlinkat(folder_fd, temporary, 0);
        errno = reason;
        return false;
    }
    return true;
}

/* The certificate alone, for those who trust it; it is written again whenever it is not this one. */
static bool publish(int folder_fd, const char *folder, const struct certificate *root,
                    struct error *e)
{
    char temporary[32];
    int fd = openat(folder_fd, CERTIFICATE_FILE, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    FILE *file = fd >= 0 ? fdopen(fd, "r") : NULL;
    X509 *there = file ? PEM_read_X509(file, NULL, no_passphrase, NULL) : NULL;
    bool same = there && X509_cmp(there, root->x509) == 0;
    X509_free(there);
    if (file)
        fclose(file);
    else if (fd >= 0)
        close(fd);
    if (same)
        return true;
    if (!write_aside(folder_fd, root, false, temporary))
        return failed(e, "write", folder, CERTIFICATE_FILE);
    if (renameat(folder_fd, temporary, folder_fd, CERTIFICATE_FILE) != 0) {
        failed(e, "write", folder, CERTIFICATE_FILE);
        unlinkat(folder_fd, temporary, 0);
        return false;
    }
    return true;
}

static bool make_root(struct certificate *root, struct error *e)
{
    char host[40] = "", name[64];
    /* Who trusts it in a browser must be able to tell it from that of another machine. */
    if (gethostname(host, sizeof(host) - 1) != 0)
        host[0] = '\0';
    for (char *c = host; *c; c++)
        if (*c < ' ' || *c > '~')
            *c = '?';
    snprintf(name, sizeof(name), "tlswire local CA%s%s", *host ? " of " : "", host);
    return certificate_make_authority(root, CERTIFICATE_RSA_2048, name, AUTHORITY_DAYS, e);
}

/* Makes one; *LOST: another program was quicker. */
static bool make(int folder_fd, const char *folder, bool replace, struct certificate *root,
                 bool *lost, struct error *e)
{
    char temporary[32];
    *lost = false;
    if (!make_root(root, e))
        return false;
    if (!write_aside(folder_fd, root, true, temporary))
        return failed(e, "write", folder, KEY_FILE);
    bool ok = replace ? renameat(folder_fd, temporary, folder_fd, KEY_FILE) == 0
                      : linkat(folder_fd, temporary, folder_fd, KEY_FILE, 0) == 0;
    *lost = !ok && !replace && errno == EEXIST;
    if (!ok && !*lost)
        failed(e, "write", folder, KEY_FILE);
    unlinkat(folder_fd, temporary, 0);
    return ok || *lost;
}

bool authority_load(const char *folder, struct certificate *root, struct error *e)
{
    bool found = false, lost = false;
    *root = (struct certificate){NULL, NULL};
    int fd = open_folder(folder, e);
    if (fd < 0)
        return false;
    bool ok = load(fd, folder, root, &found, e);
    if (ok && !found)
        ok = make(fd, folder, false, root, &lost, e);
    if (ok && lost) {
        certificate_free(root);
        ok = load(fd, folder, root, &found, e) &&
             (found || error_set(e, ERROR_FILE, "local CA: %.700s changes all the time", folder));
    }
    ok = ok && publish(fd, folder, root, e);
    close(fd);
    return ok;
}

bool authority_renew(const char *folder, struct certificate *root, struct error *e)
{
    bool lost = false;
    *root = (struct certificate){NULL, NULL};
    int fd = open_folder(folder, e);
    if (fd < 0)
        return false;
    bool ok = make(fd, folder, true, root, &lost, e) && publish(fd, folder, root, e);
    close(fd);
    return ok;
}
