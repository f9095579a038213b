#include "cli/recording.h"

#include "capture/reader.h"
#include "capture/writer.h"

#include <netinet/in.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#define KEYS_CEILING ((size_t)4 << 20)

void recording_init(struct recording *r)
{
    *r = (struct recording){
        .bytes = {.ceiling = RECORDING_CEILING},
        .keys = {.ceiling = KEYS_CEILING},
        .packets = {.ceiling = RECORDING_CEILING},
        .link_type = LINK_ETHERNET,
        .decimals = 9,
    };
    snprintf(r->interface, sizeof(r->interface), "tlswire");
}

void recording_free(struct recording *r)
{
    while (r->flows) {
        struct recorded_flow *flow = r->flows;
        r->flows = flow->next;
        synth_free(&flow->synth);
        free(flow);
    }
    buf_free(&r->bytes);
    buf_free(&r->packets);
    buf_wipe(&r->keys);
}

size_t recording_count(const struct recording *r)
{
    return r->packets.len / sizeof(struct recorded_packet);
}

void recording_packet(struct recording *r, const struct packet *p)
{
    struct recorded_packet entry = {
        .offset = r->bytes.len, .time_ns = p->time_ns, .caplen = p->caplen, .len = p->len};
    if (r->full)
        return;
    buf_slice_put(&r->bytes, p->bytes);
    if (!r->bytes.failed)
        buf_put(&r->packets, &entry, sizeof(entry));
    r->full = r->bytes.failed || r->packets.failed;
}

void recording_key(struct recording *r, const char *line)
{
    buf_str(&r->keys, line);
    buf_char(&r->keys, '\n');
}

/* ---- packets from our own sockets ---- */

static void emitted(void *context, const struct packet *packet)
{
    struct recording *r = context;
    if (r->sink)
        r->sink(r->sink_context, packet);
    else
        recording_packet(r, packet);
}

static bool to_synth(const struct sockaddr_storage *from, struct synth_address *to)
{
    const struct sockaddr_in *v4 = (const void *)from;
    const struct sockaddr_in6 *v6 = (const void *)from;
    to->port = endpoint_port(from);
    if (from->ss_family == AF_INET)
        memcpy(to->ip, &v4->sin_addr, 4);
    else if (from->ss_family == AF_INET6)
        memcpy(to->ip, &v6->sin6_addr, 16);
    return from->ss_family == AF_INET6;
}

void recording_open(struct recording *r, const struct endpoint_report *report, enum synth_side own,
                    int64_t time_ns)
{
    struct recorded_flow *flow = r->full ? NULL : calloc(1, sizeof(*flow));
    if (!flow)
        return;
    struct synth_options options = {.interface_name = r->interface, .emit = emitted, .context = r};
    enum synth_side other = own == SYNTH_CLIENT ? SYNTH_SERVER : SYNTH_CLIENT;
    options.ipv6 = to_synth(&report->local, &options.address[own]);
    to_synth(&report->peer, &options.address[other]);
    RAND_bytes((unsigned char *)options.first_sequence, sizeof(options.first_sequence));
    flow->id = report->id;
    flow->own = own;
    flow->next = r->flows;
    r->flows = flow;
    synth_init(&flow->synth, &options);
    synth_open(&flow->synth, time_ns);
}

static struct recorded_flow *find_flow(struct recording *r, uint64_t id)
{
    struct recorded_flow *flow = r->flows;
    while (flow && flow->id != id)
        flow = flow->next;
    return flow;
}

static enum synth_side sender(const struct recorded_flow *flow, enum endpoint_direction direction)
{
    if (direction == ENDPOINT_SENT)
        return flow->own;
    return flow->own == SYNTH_CLIENT ? SYNTH_SERVER : SYNTH_CLIENT;
}

void recording_bytes(struct recording *r, uint64_t id, enum endpoint_direction direction,
                     struct slice bytes, int64_t time_ns)
{
    struct recorded_flow *flow = find_flow(r, id);
    if (flow)
        synth_data(&flow->synth, sender(flow, direction), bytes, time_ns);
}

void recording_end(struct recording *r, uint64_t id, enum endpoint_direction direction, bool reset,
                   int64_t time_ns)
{
    struct recorded_flow *flow = find_flow(r, id);
    if (flow && reset)
        synth_rst(&flow->synth, sender(flow, direction), time_ns);
    else if (flow)
        synth_fin(&flow->synth, sender(flow, direction), time_ns);
}

void recording_at(const struct recording *r, size_t i, struct packet *p)
{
    struct recorded_packet entry;
    struct slice entries = slice_sub(buf_slice(&r->packets), i * sizeof(entry), sizeof(entry));
    if (!slice_read(&entries, &entry, sizeof(entry)))
        return;
    *p = (struct packet){.bytes = slice_sub(buf_slice(&r->bytes), entry.offset, entry.caplen),
                         .time_ns = entry.time_ns,
                         .caplen = entry.caplen,
                         .len = entry.len,
                         .interface_name = r->interface};
}

/* ---- the file ---- */

static bool write_all(const struct recording *r, struct writer *w, struct error *e)
{
    struct slice entries = buf_slice(&r->packets);
    struct writer_interface interface = {
        .name = r->interface, .link_type = r->link_type, .decimals = r->decimals};
    if (!writer_interface(w, &interface, e))
        return false;
    if (r->keys.len > 0 && !writer_secrets(w, SECRETS_TLS_KEY_LOG, buf_slice(&r->keys), e))
        return false;
    for (uint64_t number = 1; entries.len > 0; number++) {
        struct recorded_packet entry;
        memcpy(&entry, slice_take(&entries, sizeof(entry)).data, sizeof(entry));
        struct packet p = {
            .bytes = slice_sub(buf_slice(&r->bytes), entry.offset, entry.caplen),
            .time_ns = entry.time_ns,
            .number = number,
            .caplen = entry.caplen,
            .len = entry.len,
            .link_type = r->link_type,
            .section = 1,
            .interface_name = r->interface,
            .comment = slice_empty(),
            .options = slice_empty(),
            .time_decimals = r->decimals,
            .fcs_bytes = -1,
            .has_time = true,
        };
        if (!writer_packet(w, &p, e))
            return false;
    }
    return true;
}

void recording_system(char os[SYSTEM_NAME_SIZE])
{
    struct utsname system;
    os[0] = '\0';
    if (uname(&system) == 0)
        snprintf(os, SYSTEM_NAME_SIZE, "%.64s %.64s", system.sysname, system.release);
}

bool recording_write(const struct recording *r, const char *path, int fd, const char *comment,
                     struct error *e)
{
    char os[SYSTEM_NAME_SIZE];
    recording_system(os);
    struct writer_options options = {
        .format = WRITE_PCAPNG,
        .comments = {comment},
        .os = os,
        .application = "tlswire " TLSWIRE_VERSION,
        .link_type = r->link_type,
        .private_mode = true,
        .exclusive = true,
    };
    struct writer *w =
        fd >= 0 ? writer_open_fd(fd, false, path, &options, e) : writer_open(path, &options, e);
    if (!w)
        return false;
    bool ok = write_all(r, w, e);
    return writer_close(w, e) && ok;
}
