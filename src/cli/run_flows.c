#include "cli/run_flows.h"

#include "base/slice.h"

#include <ctype.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ANCESTORS 32 /* between the program and a process that it started */

enum { ETHERNET = 1, RAW = 101, LOOP = 108, COOKED = 113, NULL_LINK = 0, COOKED_2 = 276 };

/* ---- packets ---- */

/* The IP packet inside, by what the link's header says; empty for others. */
static struct slice ip_of(const struct packet *p)
{
    static const struct {
        uint32_t link_type;
        size_t header;
    } links[] = {{ETHERNET, 14}, {RAW, 0}, {LOOP, 4}, {COOKED, 16}, {NULL_LINK, 4}, {COOKED_2, 20}};
    for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
        if (links[i].link_type == p->link_type)
            return slice_sub(p->bytes, links[i].header, SIZE_MAX);
    return slice_empty();
}

/* Addresses, ports, flags and data of a TCP segment; false when it is none. */
static bool read_segment(const struct packet *p, struct flow_ends *ends, uint8_t *flags,
                         struct slice *data)
{
    struct slice ip = ip_of(p), tcp;
    unsigned version = slice_at(ip, 0) >> 4;
    *ends = (struct flow_ends){{{0}, {0}}, {0, 0}};
    if (version == 4) {
        size_t header = (size_t)(slice_at(ip, 0) & 0x0f) * 4;
        tcp = slice_sub(ip, header, SIZE_MAX);
        struct slice addresses = slice_sub(ip, 12, 8);
        if (slice_at(ip, 9) != 6 || !slice_read(&addresses, &ends->address[0][12], 4) ||
            !slice_read(&addresses, &ends->address[1][12], 4))
            return false;
    } else if (version == 6) {
        tcp = slice_sub(ip, 40, SIZE_MAX);
        struct slice addresses = slice_sub(ip, 8, 32);
        if (slice_at(ip, 6) != 6 || !slice_read(&addresses, ends->address[0], 16) ||
            !slice_read(&addresses, ends->address[1], 16))
            return false;
    } else {
        return false;
    }
    struct slice header = tcp;
    ends->port[0] = slice_u16(&header);
    ends->port[1] = slice_u16(&header);
    *flags = slice_at(tcp, 13);
    *data = slice_sub(tcp, (size_t)(slice_at(tcp, 12) >> 4) * 4, SIZE_MAX);
    return tcp.len >= 20;
}

/* The random of a ClientHello that begins here (RFC 9846 4.1.2). */
static bool read_random(struct slice data, uint8_t random[32])
{
    bool hello = slice_u8(&data) == 22 && slice_u8(&data) == 3;
    slice_skip(&data, 3); /* the version's rest, the length */
    hello = hello && slice_u8(&data) == 1;
    slice_skip(&data, 5); /* the message's length and version */
    return hello && slice_read(&data, random, 32);
}

static bool same(const struct flow_ends *a, const struct flow_ends *b, int turned)
{
    return memcmp(a->address[0], b->address[turned], 16) == 0 &&
           memcmp(a->address[1], b->address[!turned], 16) == 0 && a->port[0] == b->port[turned] &&
           a->port[1] == b->port[!turned];
}

/* The newest: ports are used again. */
static struct run_flow *find(const struct flows *f, const struct flow_ends *ends)
{
    for (unsigned i = f->count; i > 0; i--)
        if (same(&f->list[i - 1].ends, ends, 0) || same(&f->list[i - 1].ends, ends, 1))
            return &f->list[i - 1];
    return NULL;
}

/* ---- processes ---- */

static pid_t parent_of(pid_t pid)
{
    char path[64], text[512] = "";
    int parent = 0;
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "re");
    if (file && fgets(text, sizeof(text), file)) {
        const char *end = strrchr(text, ')'); /* names may hold anything */
        if (end && sscanf(end, ") %*c %d", &parent) != 1)
            parent = 0;
    }
    if (file)
        fclose(file);
    return parent;
}

static bool descends(pid_t pid, pid_t from)
{
    for (unsigned i = 0; i < ANCESTORS && pid > 1; i++, pid = parent_of(pid))
        if (pid == from)
            return true;
    return false;
}

/* The inode of the socket between two ports; 0: none is there. */
static uint64_t socket_inode(const char *table, const struct flow_ends *ends)
{
    char line[512];
    uint64_t found = 0;
    FILE *file = fopen(table, "re");
    while (file && !found && fgets(line, sizeof(line), file)) {
        unsigned local, remote;
        uint64_t inode;
        if (sscanf(line,
                   " %*[^:]: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%x %*x %*s %*s %*s %*s %*s %" SCNu64,
                   &local, &remote, &inode) == 3 &&
            local == ends->port[0] && remote == ends->port[1])
            found = inode;
    }
    if (file)
        fclose(file);
    return found;
}

static bool holds(const char *pid, const char *wanted)
{
    char path[64], target[64];
    bool found = false;
    snprintf(path, sizeof(path), "/proc/%.20s/fd", pid);
    DIR *folder = opendir(path);
    for (struct dirent *entry; folder && !found && (entry = readdir(folder));) {
        ssize_t len = readlinkat(dirfd(folder), entry->d_name, target, sizeof(target) - 1);
        target[len > 0 ? len : 0] = '\0';
        found = strcmp(target, wanted) == 0;
    }
    if (folder)
        closedir(folder);
    return found;
}

static bool is_of(const struct flow_ends *ends, pid_t child)
{
    char wanted[64];
    bool found = false;
    uint64_t inode = socket_inode("/proc/net/tcp", ends);
    if (!inode)
        inode = socket_inode("/proc/net/tcp6", ends);
    if (!inode)
        return false;
    snprintf(wanted, sizeof(wanted), "socket:[%" PRIu64 "]", inode);
    DIR *folder = opendir("/proc");
    for (struct dirent *entry; folder && !found && (entry = readdir(folder));)
        found = isdigit((unsigned char)entry->d_name[0]) &&
                descends((pid_t)strtol(entry->d_name, NULL, 10), child) &&
                holds(entry->d_name, wanted);
    if (folder)
        closedir(folder);
    return found;
}

/* ---- the table ---- */

void flows_free(struct flows *f)
{
    free(f->list);
    *f = (struct flows){.list = NULL};
}

static struct run_flow *add(struct flows *f, const struct flow_ends *ends)
{
    if (f->count == FLOWS_MOST)
        return NULL;
    if (f->count == f->room) {
        unsigned room = f->room ? f->room * 2 : 64;
        struct run_flow *list = realloc(f->list, room * sizeof(*list));
        if (!list)
            return NULL;
        f->list = list;
        f->room = room;
    }
    f->list[f->count] = (struct run_flow){.ends = *ends};
    return &f->list[f->count++];
}

void flows_see(struct flows *f, const struct packet *p, pid_t child)
{
    struct flow_ends ends;
    uint8_t flags = 0;
    struct slice data = slice_empty();
    if (!read_segment(p, &ends, &flags, &data))
        return;
    struct run_flow *flow = find(f, &ends);
    if ((flags & 0x12) == 0x02 && (!flow || flow->has_random)) { /* SYN without ACK: a new one */
        flow = add(f, &ends);
        if (flow)
            flow->own = is_of(&ends, child);
    }
    if (!flow || flow->has_random || !same(&flow->ends, &ends, 0))
        return;
    flow->has_random = read_random(data, flow->random);
    if (flow->has_random && flow->own && !f->tls_port)
        f->tls_port = flow->ends.port[1];
}

static int digit(char c)
{
    return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

void flows_key(struct flows *f, const char *line)
{
    const char *at = strchr(line, ' ');
    uint8_t random[32];
    if (!at || strspn(at + 1, "0123456789abcdefABCDEF") != 64)
        return;
    for (size_t i = 0; i < 32; i++)
        random[i] = (uint8_t)(digit(at[1 + 2 * i]) << 4 | digit(at[2 + 2 * i]));
    for (unsigned i = 0; i < f->count; i++) {
        struct run_flow *flow = &f->list[i];
        if (!flow->has_random || memcmp(flow->random, random, 32) != 0)
            continue;
        flow->own = true;
        if (!f->tls_port)
            f->tls_port = flow->ends.port[1];
    }
}

bool flows_has(const struct flows *f, const struct packet *p)
{
    struct flow_ends ends;
    uint8_t flags;
    struct slice data;
    if (!read_segment(p, &ends, &flags, &data))
        return false;
    for (unsigned i = 0; i < f->count; i++)
        if (f->list[i].own &&
            (same(&f->list[i].ends, &ends, 0) || same(&f->list[i].ends, &ends, 1)))
            return true;
    return false;
}

unsigned flows_count(const struct flows *f, bool all)
{
    unsigned count = 0;
    for (unsigned i = 0; i < f->count; i++)
        count += all || f->list[i].own;
    return count;
}
