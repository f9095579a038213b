#include "capture/live_private.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
    DEFAULT_SNAPLEN = 262144,
    DEFAULT_BUFFER = 2 << 20,
    GATHER_MS = 100,
    STOP_CHECK_MS = 250,
    DLT_RAW_HERE = 12,
};

struct live {
    pcap_t *pcap;
    char *interface;
    uint64_t packets;
    uint32_t link_type;
    uint8_t decimals;
    volatile sig_atomic_t stopped;
};

/* LINKTYPE_ numbers are DLT_ numbers but for a few that differ by system. */
static uint32_t link_type_of(int dlt)
{
    return dlt == DLT_RAW_HERE ? LINK_RAW : (uint32_t)dlt;
}

/* ---- opening ---- */

static void explain_refusal(const struct live *l, int status, struct error *e)
{
    const char *detail = pcap_geterr(l->pcap);
    switch (status) {
    case PCAP_ERROR_PERM_DENIED:
    case PCAP_ERROR_PROMISC_PERM_DENIED:
        error_set(e, ERROR_PERMISSION,
                  "cannot capture on %.60s: permission denied\n"
                  "  you are uid %u without CAP_NET_RAW\n"
                  "  do one of:  sudo setcap cap_net_raw=ep $(command -v tlswire)\n"
                  "              sudo tlswire ...\n"
                  "              tlswire lab --no-capture           "
                  "(reads the bytes from the sockets, no privilege)",
                  l->interface, (unsigned)geteuid());
        break;
    case PCAP_ERROR_IFACE_NOT_UP:
        error_set(e, ERROR_NETWORK,
                  "cannot capture on %.60s: it is down; try: ip link set %.60s up", l->interface,
                  l->interface);
        break;
    case PCAP_ERROR_NO_SUCH_DEVICE:
        live_no_interface(l->interface, e);
        break;
    case PCAP_ERROR_RFMON_NOTSUP:
        error_set(e, ERROR_NETWORK,
                  "Capturing in monitor mode is not supported on device \"%.60s\".\n"
                  "(That device doesn't support monitor mode)",
                  l->interface);
        break;
    default:
        error_set(e, ERROR_NETWORK, "cannot capture on %.60s: %s%s%.200s", l->interface,
                  pcap_statustostr(status), detail && *detail ? ": " : "", detail ? detail : "");
        break;
    }
}

static bool set_filter(struct live *l, const char *filter, struct error *e)
{
    if (!filter || !*filter)
        return true;
    struct bpf_program program;
    if (pcap_compile(l->pcap, &program, filter, 1, PCAP_NETMASK_UNKNOWN) != 0)
        return error_set(e, ERROR_USAGE,
                         "Invalid capture filter \"%.150s\" for interface '%.60s'.\n\n"
                         "That string isn't a valid capture filter (%.150s).\n"
                         "  the language is libpcap's (man pcap-filter): tcp port 443",
                         filter, l->interface, pcap_geterr(l->pcap));
    bool ok = pcap_setfilter(l->pcap, &program) == 0;
    pcap_freecode(&program);
    if (!ok)
        return error_set(e, ERROR_NETWORK, "the kernel refuses the capture filter: %.200s",
                         pcap_geterr(l->pcap));
    return true;
}

static bool set_link_type(struct live *l, const char *name, struct error *e)
{
    int dlt = name ? pcap_datalink_name_to_val(name) : -1;
    if (!name || pcap_set_datalink(l->pcap, dlt) == 0)
        return true;
    return error_set(e, ERROR_USAGE,
                     "Unable to set data link type on interface '%.60s' (%.200s).\n"
                     "  tlswire -L -i %.60s lists those that can be set",
                     l->interface, pcap_geterr(l->pcap), l->interface);
}

static bool activate(struct live *l, const struct live_options *o, struct error *e)
{
    uint32_t snaplen = o->snaplen && o->snaplen < INT32_MAX ? o->snaplen : DEFAULT_SNAPLEN;
    uint32_t buffer =
        o->buffer_bytes && o->buffer_bytes < INT32_MAX ? o->buffer_bytes : DEFAULT_BUFFER;
    (void)pcap_set_snaplen(l->pcap, (int)snaplen);
    (void)pcap_set_promisc(l->pcap, !o->no_promiscuous);
    (void)pcap_set_buffer_size(l->pcap, (int)buffer);
    (void)pcap_set_timeout(l->pcap, GATHER_MS);
    (void)pcap_set_immediate_mode(l->pcap, o->immediate);
    if (o->monitor)
        (void)pcap_set_rfmon(l->pcap, 1);
    if (o->time_type)
        (void)pcap_set_tstamp_type(l->pcap, pcap_tstamp_type_name_to_val(o->time_type));
    (void)pcap_set_tstamp_precision(l->pcap, PCAP_TSTAMP_PRECISION_NANO); /* or it stays micro */
    int status = pcap_activate(l->pcap);
    if (status < 0) {
        explain_refusal(l, status, e);
        return false;
    }
    if (!set_link_type(l, o->link_type, e))
        return false;
    l->decimals = pcap_get_tstamp_precision(l->pcap) == PCAP_TSTAMP_PRECISION_NANO ? 9 : 6;
    l->link_type = link_type_of(pcap_datalink(l->pcap));
    char text[PCAP_ERRBUF_SIZE] = "";
    if (pcap_setnonblock(l->pcap, 1, text) != 0)
        return error_set(e, ERROR_NETWORK, "cannot capture on %.60s: %s", l->interface, text);
    return set_filter(l, o->filter, e);
}

struct live *live_open(const struct live_options *options, struct error *e)
{
    char *name = live_choose(options->interface, e);
    if (!name)
        return NULL;
    char text[PCAP_ERRBUF_SIZE] = "";
    struct live *l = calloc(1, sizeof *l);
    if (!l) {
        free(name);
        error_set(e, ERROR_MEMORY, "out of memory");
        return NULL;
    }
    l->interface = name;
    l->pcap = pcap_create(name, text);
    if (!l->pcap)
        error_set(e, ERROR_NETWORK, "cannot capture on %.60s: %s", name, text);
    else if (activate(l, options, e))
        return l;
    live_close(l);
    return NULL;
}

/* ---- reading ---- */

static int64_t now_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* One try, without waiting. */
static enum live_result try_next(struct live *l, struct packet *p, struct error *e)
{
    struct pcap_pkthdr *header;
    const u_char *data;
    int status = pcap_next_ex(l->pcap, &header, &data);
    if (status == 0)
        return LIVE_NONE;
    if (status == PCAP_ERROR_BREAK)
        return LIVE_END;
    if (status < 0) {
        error_set(e, ERROR_NETWORK, "capture on %.60s ended: %.200s", l->interface,
                  pcap_geterr(l->pcap));
        return LIVE_ERROR;
    }
    int64_t fraction = header->ts.tv_usec * (l->decimals == 9 ? 1 : 1000);
    *p = (struct packet){
        .bytes = slice_of(data, header->caplen),
        .time_ns = (int64_t)header->ts.tv_sec * 1000000000 + fraction,
        .number = ++l->packets,
        .caplen = header->caplen,
        .len = header->len,
        .link_type = l->link_type,
        .interface_name = l->interface,
        .section = 1,
        .comment = slice_empty(),
        .options = slice_empty(),
        .time_decimals = l->decimals,
        .fcs_bytes = -1,
        .has_time = true,
        .big_endian = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__,
    };
    return LIVE_PACKET;
}

enum live_result live_next(struct live *l, struct packet *p, int timeout_ms, struct error *e)
{
    int64_t end = timeout_ms > 0 ? now_ms() + timeout_ms : 0;
    while (!l->stopped) {
        enum live_result result = try_next(l, p, e);
        if (result != LIVE_NONE || timeout_ms == 0)
            return result;
        int64_t left = timeout_ms < 0 ? STOP_CHECK_MS : end - now_ms();
        if (left <= 0)
            return LIVE_NONE;
        struct pollfd wait = {.fd = live_fd(l), .events = POLLIN};
        /* Wakes now and then: a live_stop() from another thread interrupts nothing. */
        (void)poll(&wait, 1, (int)(left < STOP_CHECK_MS ? left : STOP_CHECK_MS));
    }
    return LIVE_END;
}

void live_stop(struct live *l)
{
    l->stopped = 1;
    pcap_breakloop(l->pcap);
}

int live_fd(const struct live *l)
{
    return pcap_get_selectable_fd(l->pcap);
}

const char *live_interface(const struct live *l)
{
    return l->interface;
}

uint32_t live_link_type(const struct live *l)
{
    return l->link_type;
}

uint8_t live_decimals(const struct live *l)
{
    return l->decimals;
}

uint32_t live_snaplen(const struct live *l)
{
    int snaplen = pcap_snapshot(l->pcap);
    return snaplen > 0 ? (uint32_t)snaplen : 0;
}

bool live_stats(struct live *l, struct live_stats *stats)
{
    struct pcap_stat s = {0};
    if (pcap_stats(l->pcap, &s) != 0)
        return false;
    *stats = (struct live_stats){s.ps_recv, s.ps_drop, s.ps_ifdrop};
    return true;
}

void live_close(struct live *l)
{
    if (!l)
        return;
    if (l->pcap)
        pcap_close(l->pcap);
    free(l->interface);
    free(l);
}

bool live_check_filter(const char *filter, uint32_t link_type, struct error *e)
{
    pcap_t *dead =
        pcap_open_dead((int)(link_type == LINK_RAW ? DLT_RAW_HERE : link_type), DEFAULT_SNAPLEN);
    if (!dead)
        return error_set(e, ERROR_MEMORY, "out of memory");
    struct bpf_program program;
    bool ok = pcap_compile(dead, &program, filter, 1, PCAP_NETMASK_UNKNOWN) == 0;
    if (ok)
        pcap_freecode(&program);
    else
        error_set(e, ERROR_USAGE, "the capture filter \"%.150s\" is not valid: %.150s", filter,
                  pcap_geterr(dead));
    pcap_close(dead);
    return ok;
}
