/* The interfaces there are, and what they can be set to. */
#include "capture/live_private.h"

#include <stdlib.h>
#include <string.h>

static pcap_if_t *all_interfaces(struct error *e)
{
    pcap_if_t *all = NULL;
    char text[PCAP_ERRBUF_SIZE] = "";
    if (pcap_findalldevs(&all, text) != 0)
        error_set(e, ERROR_NETWORK, "cannot list the interfaces: %s", text);
    return all;
}

bool live_list(struct buf *out, struct error *e)
{
    pcap_if_t *all = all_interfaces(e);
    if (!all)
        return error_set(e, ERROR_PERMISSION,
                         "there is no interface to capture on; try it as root, or see ip link");
    uint64_t number = 1;
    for (const pcap_if_t *i = all; i; i = i->next) {
        buf_dec(out, number++);
        buf_str(out, ". ");
        buf_escaped(out, slice_of_str(i->name));
        buf_str(out, i->flags & PCAP_IF_LOOPBACK ? " (Loopback)\n" : "\n");
    }
    pcap_freealldevs(all);
    return true;
}

static const pcap_if_t *default_of(const pcap_if_t *all)
{
    for (const pcap_if_t *i = all; i; i = i->next)
        if (!(i->flags & PCAP_IF_LOOPBACK))
            return i;
    return all;
}

static const pcap_if_t *by_number(const pcap_if_t *all, const char *text)
{
    char *end = NULL;
    unsigned long number = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || number == 0)
        return NULL;
    while (all && number-- > 1)
        all = all->next;
    return all;
}

static const pcap_if_t *by_name(const pcap_if_t *all, const char *name)
{
    while (all && strcmp(all->name, name) != 0)
        all = all->next;
    return all;
}

/* A number that names no interface is told as tshark does, too. */
static void unknown_interface(const pcap_if_t *all, const char *wanted, struct error *e)
{
    struct buf names = {.ceiling = 300};
    struct buf shown = {.ceiling = 200};
    for (const pcap_if_t *i = all; i; i = i->next) {
        if (i != all)
            buf_str(&names, ", ");
        buf_escaped(&names, slice_of_str(i->name));
    }
    if (names.len == 0)
        buf_str(&names, "none that you may see");
    buf_escaped(&shown, slice_sub(slice_of_str(wanted), 0, 40));
    buf_char(&shown, '\0');
    if (wanted[strspn(wanted, "0123456789")] == '\0')
        error_set(e, ERROR_NETWORK,
                  "There is no interface with that adapter index\n  there are: %.*s",
                  (int)names.len, (const char *)names.data);
    else
        error_set(e, ERROR_NETWORK,
                  "There is no device named \"%s\".\n(No such device exists)\n  there are: %.*s",
                  shown.failed ? "" : (const char *)shown.data, (int)names.len,
                  (const char *)names.data);
    buf_free(&names);
    buf_free(&shown);
}

void live_no_interface(const char *wanted, struct error *e)
{
    struct error ignored = {0};
    pcap_if_t *all = all_interfaces(&ignored);
    unknown_interface(all, wanted, e);
    if (all)
        pcap_freealldevs(all);
}

bool live_is_interface(const char *name)
{
    struct error ignored = {0};
    pcap_if_t *all = all_interfaces(&ignored);
    bool found = by_name(all, name) || by_number(all, name);
    if (all)
        pcap_freealldevs(all);
    return found;
}

/* The name to open, owned by the caller; NULL with E set. */
char *live_choose(const char *wanted, struct error *e)
{
    struct error listing = {0};
    pcap_if_t *all = all_interfaces(&listing);
    const pcap_if_t *found = NULL;
    if (!wanted)
        found = default_of(all);
    else if (!(found = by_name(all, wanted)))
        found = by_number(all, wanted);
    char *name = found ? strdup(found->name) : NULL;
    if (!found && !wanted)
        error_set(e, ERROR_NETWORK, "there is no interface to capture on; name one with -i");
    else if (!found)
        unknown_interface(all, wanted, e);
    else if (!name)
        error_set(e, ERROR_MEMORY, "out of memory");
    if (all)
        pcap_freealldevs(all);
    return name;
}

/* ---- what an interface can be set to ---- */

bool live_knows_link_type(const char *name)
{
    return pcap_datalink_name_to_val(name) >= 0;
}

bool live_knows_time_type(const char *name)
{
    return pcap_tstamp_type_name_to_val(name) >= 0;
}

static bool no_capabilities(const char *name, const char *call, const char *why, struct error *e)
{
    return error_set(e, ERROR_NETWORK,
                     "The capabilities of the capture device \"%.60s\" could not be obtained "
                     "(%s() failed: %.200s)",
                     name, call, why);
}

/* An interface that is ready to be asked; the caller closes it.  NULL with E set. */
static pcap_t *open_to_ask(const char *name, const struct live_options *options, bool *monitor,
                           struct error *e)
{
    char text[PCAP_ERRBUF_SIZE] = "";
    pcap_t *pcap = pcap_create(name, text);
    if (!pcap) {
        no_capabilities(name, "pcap_create", text, e);
        return NULL;
    }
    *monitor = pcap_can_set_rfmon(pcap) == 1;
    if (*monitor && options->monitor)
        (void)pcap_set_rfmon(pcap, 1);
    int status = pcap_activate(pcap);
    if (status >= 0)
        return pcap;
    no_capabilities(name, "pcap_activate", pcap_statustostr(status), e);
    pcap_close(pcap);
    return NULL;
}

static void put_name(struct buf *out, const char *name, const char *description)
{
    buf_printf(out, "  %s", name);
    if (description)
        buf_printf(out, " (%s)", description);
    buf_char(out, '\n');
}

/* WANTED as it is when it names no interface: then asking it tells why not. */
static char *interface_to_ask(const char *wanted, struct error *e)
{
    struct error unknown = {0};
    char *name = live_choose(wanted, &unknown);
    if (!name && wanted)
        name = strdup(wanted);
    if (!name)
        error_set(e, ERROR_NETWORK, "%s", unknown.text);
    return name;
}

bool live_list_link_types(const struct live_options *options, struct buf *out, struct error *e)
{
    bool monitor = false;
    int *types = NULL;
    char *name = interface_to_ask(options->interface, e);
    pcap_t *pcap = name ? open_to_ask(name, options, &monitor, e) : NULL;
    int count = pcap ? pcap_list_datalinks(pcap, &types) : 0;
    if (count < 0)
        no_capabilities(name, "pcap_list_datalinks", pcap_geterr(pcap), e);
    if (count > 0)
        buf_printf(out, "Data link types of interface %s %s(use option -y to set):\n", name,
                   !monitor           ? ""
                   : options->monitor ? "when in monitor mode "
                                      : "when not in monitor mode ");
    for (int i = 0; i < count; i++) {
        const char *known = pcap_datalink_val_to_name(types[i]);
        if (known)
            put_name(out, known, pcap_datalink_val_to_description(types[i]));
        else
            buf_printf(out, "  DLT %d (not supported)\n", types[i]);
    }
    if (count > 0)
        pcap_free_datalinks(types);
    if (pcap)
        pcap_close(pcap);
    free(name);
    return count > 0;
}

bool live_list_time_types(const struct live_options *options, struct buf *out, struct error *e)
{
    bool monitor = false;
    int *types = NULL;
    char *name = interface_to_ask(options->interface, e);
    pcap_t *pcap = name ? open_to_ask(name, options, &monitor, e) : NULL;
    int count = pcap ? pcap_list_tstamp_types(pcap, &types) : -1;
    if (pcap && count < 0)
        no_capabilities(name, "pcap_list_tstamp_types", pcap_geterr(pcap), e);
    if (count >= 0)
        buf_str(out, "Timestamp types of the interface (use option --time-stamp-type to set):\n");
    if (count == 0)
        put_name(out, "host", "Host");
    for (int i = 0; i < count; i++) {
        const char *known = pcap_tstamp_type_val_to_name(types[i]);
        if (known)
            put_name(out, known, pcap_tstamp_type_val_to_description(types[i]));
    }
    if (count > 0)
        pcap_free_tstamp_types(types);
    if (pcap)
        pcap_close(pcap);
    free(name);
    return count >= 0;
}
