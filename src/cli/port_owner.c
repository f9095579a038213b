#include "cli/port_owner.h"

#include "base/buf.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define STATE_LISTEN 0x0a /* in the st column of /proc/net/tcp */

/* The inode of the socket that listens on PORT in one of the kernel's tables; 0 when none does. */
static uint64_t listening_inode(const char *table, uint16_t port)
{
    char line[512];
    uint64_t found = 0;
    FILE *file = fopen(table, "re");
    while (file && !found && fgets(line, sizeof(line), file)) {
        unsigned local, state;
        uint64_t inode;
        /* sl local:port remote:port st tx:rx tr:when retrnsmt uid timeout inode */
        if (sscanf(line,
                   " %*[^:]: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*s %*s %*s %*s %*s %" SCNu64,
                   &local, &state, &inode) == 3 &&
            local == port && state == STATE_LISTEN)
            found = inode;
    }
    if (file)
        fclose(file);
    return found;
}

static bool holds_socket(const char *pid, const char *wanted)
{
    char path[64];
    bool found = false;
    snprintf(path, sizeof(path), "/proc/%.20s/fd", pid);
    DIR *folder = opendir(path);
    for (struct dirent *entry; folder && !found && (entry = readdir(folder));) {
        char target[64];
        ssize_t len = readlinkat(dirfd(folder), entry->d_name, target, sizeof(target) - 1);
        if (len <= 0)
            continue;
        target[len] = '\0';
        found = strcmp(target, wanted) == 0;
    }
    if (folder)
        closedir(folder);
    return found;
}

static void describe(const char *pid, char *text, size_t size)
{
    char path[64], name[64] = "?";
    struct buf shown = {.ceiling = 512};
    snprintf(path, sizeof(path), "/proc/%.20s/comm", pid);
    FILE *file = fopen(path, "re");
    if (file && fgets(name, sizeof(name), file))
        name[strcspn(name, "\n")] = '\0';
    if (file)
        fclose(file);
    buf_escaped(&shown, slice_of_str(name));
    snprintf(text, size, "%.*s (pid %.20s)", (int)shown.len,
             shown.data ? (const char *)shown.data : "", pid);
    buf_free(&shown);
}

bool port_owner(uint16_t port, char *text, size_t size)
{
    char wanted[64];
    bool found = false;
    uint64_t inode = listening_inode("/proc/net/tcp", port);
    if (!inode)
        inode = listening_inode("/proc/net/tcp6", port);
    if (!inode)
        return false;
    snprintf(wanted, sizeof(wanted), "socket:[%" PRIu64 "]", inode);
    DIR *folder = opendir("/proc");
    for (struct dirent *entry; folder && !found && (entry = readdir(folder));) {
        if (entry->d_name[0] < '0' || entry->d_name[0] > '9')
            continue;
        found = holds_socket(entry->d_name, wanted);
        if (found)
            describe(entry->d_name, text, size);
    }
    if (folder)
        closedir(folder);
    return found;
}

void port_owner_explain(struct error *e, uint16_t port, const char *subcommand)
{
    char owner[160] = "another program";
    port_owner(port, owner, sizeof(owner));
    *e = (struct error){.code = ERROR_NONE};
    error_set(e, ERROR_NETWORK, "port %u is in use by %s      try: tlswire %s --port 0", port,
              owner, subcommand);
}
