/* -o and -t: options whose argument has a form of its own. */
#include "cli/nearest.h"
#include "cli/tshark_options.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- -o name:value
 * ------------------------------------------------------------------------------- */

struct preference {
    const char *name;
    const char *value; /* the one that holds here, or the usual one; NULL: any */
    size_t flag;       /* where in struct reading the other value is noted; 0: it is refused */
};

#define FLAG(member) offsetof(struct reading, member)

static const struct preference preferences[] = {
    {"tls.keylog_file", NULL, 0},
    {"tlswire.dissect_more", NULL, 0},
    {"tls.desegment_ssl_records", "TRUE", FLAG(split_records)},
    {"tls.desegment_ssl_application_data", "TRUE", FLAG(split_data)},
    {"tls.ignore_ssl_mac_failed", "FALSE", 0},
    {"tls.keys_list", "", 0}, /* this and the others of keys: for names that are nearly theirs */
    {"tlswire.psk", "", 0},
    {"tlswire.psk_file", "", 0},
    {"tlswire.key_password_file", "", 0},
    {"tls.debug_file", "", 0},
    {"tls.psk", "", 0},
    {"tcp.desegment_tcp_streams", "TRUE", FLAG(tcp.no_desegment)},
    {"tcp.reassemble_out_of_order", "TRUE", FLAG(tcp.no_reorder)},
    {"tcp.analyze_sequence_numbers", "TRUE", FLAG(tcp.no_analysis)},
    {"tcp.relative_sequence_numbers", "TRUE", FLAG(tcp.absolute)},
    {"tcp.track_bytes_in_flight", "TRUE", FLAG(tcp.no_flight)},
    {"tcp.calculate_timestamps", "TRUE", FLAG(tcp.no_times)},
    {"tcp.check_checksum", "FALSE", FLAG(tcp.check)},
    {"tcp.summary_in_tree", "TRUE", FLAG(tcp.plain_title)},
    {"tcp.try_heuristic_first", "FALSE", 0},
    {"tcp.ignore_tcp_timestamps", "FALSE", FLAG(tcp.no_info_stamps)},
    {"tcp.no_subdissector_on_error", "TRUE", 0},
    {"ip.check_checksum", "FALSE", FLAG(lower.check_ip)},
    {"ip.defragment", "TRUE", FLAG(lower.keep_ipv4)},
    {"ipv6.defragment", "TRUE", FLAG(lower.keep_ipv6)},
    {"ip.decode_tos_as_diffserv", "TRUE", 0},
    {"ip.summary_in_tree", "TRUE", FLAG(lower.plain_ipv4)},
    {"ip.tso_support", "TRUE", 0},
    {"ipv6.summary_in_tree", "TRUE", FLAG(lower.plain_ipv6)},
    {"eth.check_fcs", "FALSE", 0},
    {"frame.generate_epoch_time", "TRUE", 0},
    {"frame.generate_md5_hash", "FALSE", 0},
    {"vlan.summary_in_tree", "TRUE", 0},
};

#define PREFERENCES (sizeof preferences / sizeof preferences[0])

/* Keys of datagrams' TLS have nothing to open here; tshark takes them with any capture. */
static bool unused_key(const char *argument)
{
    static const char dtls[] = "dtls.psk:";
    if (strncmp(argument, dtls, sizeof dtls - 1) != 0)
        return false;
    fputs("tlswire: -o dtls.psk: DTLS is not decrypted; going on without\n", stderr);
    return true;
}

/* ssl.… is the old name of tls.…. */
static bool named(const char *wanted, size_t len, const char *name)
{
    if (len != strlen(name))
        return false;
    return strncmp(wanted, name, len) == 0 ||
           (strncmp(wanted, "ssl.", 4) == 0 && strncmp(name, "tls.", 4) == 0 &&
            strncmp(wanted + 4, name + 4, len - 4) == 0);
}

static bool unknown_preference(struct front *f, const char *argument, size_t len)
{
    char name[64] = "";
    memcpy(name, argument, len < sizeof name ? len : sizeof name - 1);
    struct nearest near = {.wanted = name};
    for (size_t i = 0; i < PREFERENCES; i++)
        nearest_offer(&near, preferences[i].name);
    if (near.best)
        return front_refuse(f, "-o flag \"%s\" specifies unknown preference; did you mean %s?",
                            front_shown(f, argument), near.best);
    return front_refuse(f, "-o flag \"%s\" specifies unknown preference", front_shown(f, argument));
}

/* tlswire's own: show what tshark 4.0.17 has no fields for. */
static bool take_more(struct front *f, const char *argument, const char *value)
{
    f->reading.print.more = strcasecmp(value, "TRUE") == 0;
    return f->reading.print.more || strcasecmp(value, "FALSE") == 0 ||
           front_refuse(f, "-o %s: the value is TRUE or FALSE", front_shown(f, argument));
}

/* Each time another file; the empty name takes back those before. */
static bool add_keylog(struct front *f, const char *path)
{
    struct reading *r = &f->reading;
    if (*path == '\0')
        r->keylog_count = 0;
    else if (r->keylog_count == READING_KEYLOGS)
        return front_refuse(f, "more than %d key logs", READING_KEYLOGS);
    else
        r->keylog_files[r->keylog_count++] = path;
    return true;
}

static bool take_columns(struct front *f, const char *format, const char *argument)
{
    column_list_free(f->columns);
    f->columns = column_list_new(format);
    f->reading.print.columns = f->columns;
    return f->columns ||
           front_refuse(f,
                        "Invalid -o flag \"%s\"; tlswire -G column-formats tells the formats; "
                        "example: -o 'gui.column.format:\"No.\",\"%%m\",\"Info\",\"%%i\"'",
                        front_shown(f, argument));
}

/* TRUE or FALSE; the flag says that it is not the usual one. */
static bool take_flag(struct front *f, const struct preference *p, const char *argument,
                      const char *value)
{
    bool *flag = (bool *)(void *)((char *)&f->reading + p->flag);
    *flag = strcasecmp(p->value, value) != 0;
    return strcasecmp(value, "TRUE") == 0 || strcasecmp(value, "FALSE") == 0 ||
           front_refuse(f, "-o %s: the value must be TRUE or FALSE", front_shown(f, argument));
}

bool take_preference(struct front *f, const struct option_row *row, const char *argument)
{
    (void)row;
    static const char columns[] = "gui.column.format:";
    const char *colon = strchr(argument, ':');
    if (!colon)
        return front_refuse(f, "Invalid -o flag \"%s\"; it has the form name:value",
                            front_shown(f, argument));
    if (strncmp(argument, columns, sizeof columns - 1) == 0)
        return take_columns(f, argument + sizeof columns - 1, argument);
    if (unused_key(argument))
        return true;
    enum key_option taken = key_options_take(&f->keys, argument, &f->error);
    if (taken != KEY_OPTION_OTHER)
        return taken == KEY_OPTION_TAKEN;
    size_t len = (size_t)(colon - argument);
    const char *value = colon + 1 + strspn(colon + 1, " ");
    for (size_t i = 0; i < PREFERENCES; i++) {
        const struct preference *p = &preferences[i];
        if (!named(argument, len, p->name))
            continue;
        if (!p->value && i > 0)
            return take_more(f, argument, value);
        if (!p->value)
            return add_keylog(f, value);
        else if (p->flag != 0)
            return take_flag(f, p, argument, value);
        else if (strcasecmp(p->value, value) != 0)
            return front_refuse(f, "-o %s: this value is not there yet; \"%s\" is",
                                front_shown(f, argument), p->value);
        return true;
    }
    return unknown_preference(f, argument, len);
}

/* ---- -t
 * ------------------------------------------------------------------------------------------ */

bool take_time_format(struct front *f, const struct option_row *row, const char *argument)
{
    (void)row;
    /* Decimals after a dot came with tshark 4.2. */
    if (!strchr(argument, '.') && print_time_option(&f->reading.print, argument))
        return true;
    return front_refuse(f,
                        "Invalid time stamp type \"%.40s\"; it must be one of:\n"
                        "\t\"a\"    for absolute\n"
                        "\t\"ad\"   for absolute with YYYY-MM-DD date\n"
                        "\t\"adoy\" for absolute with YYYY/DOY date\n"
                        "\t\"d\"    for delta\n"
                        "\t\"dd\"   for delta displayed\n"
                        "\t\"e\"    for epoch\n"
                        "\t\"r\"    for relative\n"
                        "\t\"u\"    for absolute UTC\n"
                        "\t\"ud\"   for absolute UTC with YYYY-MM-DD date\n"
                        "\t\"udoy\" for absolute UTC with YYYY/DOY date",
                        front_shown(f, argument));
}
