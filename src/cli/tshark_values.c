/* -o and -t: options whose argument has a form of its own. */
#include "cli/nearest.h"
#include "cli/reports.h"
#include "cli/tshark_options.h"

#include <assert.h>
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
    const char *meaning;
};

#define FLAG(member) offsetof(struct reading, member)
#define OWN          (SIZE_MAX - 1) /* taken by a function of its own */
#define EITHER       SIZE_MAX       /* any value is taken: it makes no difference */

static const struct preference preferences[] = {
    {"tls.keylog_file", NULL, 0,
     "Key log with the secrets of sessions (RFC 9850); each of them when given more "
     "than once"},
    {"tlswire.dissect_more", NULL, 0,
     "Show in the tree what tshark 4.0 leaves as bytes or calls unknown"},
    {"tls.desegment_ssl_records", "TRUE", FLAG(split_records),
     "Put TLS records together that lie in several TCP segments"},
    {"tls.desegment_ssl_application_data", "TRUE", FLAG(split_data),
     "Put the data of several TLS records together for what they carry"},
    {"tls.ignore_ssl_mac_failed", "FALSE", 0,
     "Show what was decrypted although its authentication failed"},
    {"tls.keys_list", "", 0,
     "RSA private keys, as address,port,protocol,file,password with semicolons "
     "between"},
    {"tlswire.psk", "", 0, "A pre-shared key for one identity, as identity=key in hexadecimal"},
    {"tlswire.psk_file", "", 0, "File of pre-shared keys, a line identity:key for each"},
    {"tlswire.key_password_file", "", 0,
     "File of the passwords that private keys are encrypted with"},
    {"tls.debug_file", "", 0, "Log of decryption; what came of it is told by -z tls,sessions"},
    {"tls.psk", "", 0, "Pre-shared key in hexadecimal, for any identity"},
    {"tcp.desegment_tcp_streams", "TRUE", FLAG(tcp.no_desegment),
     "Put together what lies in several segments"},
    {"tcp.reassemble_out_of_order", "TRUE", FLAG(tcp.no_reorder),
     "Put segments in order before they are read"},
    {"tcp.analyze_sequence_numbers", "TRUE", FLAG(tcp.no_analysis),
     "Tell retransmissions, lost segments and their kin"},
    {"tcp.relative_sequence_numbers", "TRUE", FLAG(tcp.absolute),
     "Count sequence numbers from the connection's first"},
    {"tcp.track_bytes_in_flight", "TRUE", FLAG(tcp.no_flight),
     "Count bytes that are sent and not acknowledged"},
    {"tcp.calculate_timestamps", "TRUE", FLAG(tcp.no_times),
     "Times since the connection's first segment and the one before"},
    {"tcp.check_checksum", "FALSE", FLAG(tcp.check), "Compute TCP checksums"},
    {"tcp.summary_in_tree", "TRUE", FLAG(tcp.plain_title),
     "Ports, numbers and length in TCP's title line"},
    {"tcp.try_heuristic_first", "FALSE", EITHER, "Ask heuristics before ports"},
    {"tcp.ignore_tcp_timestamps", "FALSE", FLAG(tcp.no_info_stamps),
     "Leave TCP's timestamps out of the Info column"},
    {"tcp.no_subdissector_on_error", "TRUE", 0,
     "Read nothing in segments that are marked as faulty"},
    {"mptcp.analyze_mptcp", "TRUE", 0, "Tell which connections are subflows of one"},
    {"mptcp.relative_sequence_numbers", "TRUE", 0, "Count numbers of multipath TCP from the first"},
    {"mptcp.analyze_mappings", "FALSE", 0, "Find the mapping that each segment belongs to"},
    {"mptcp.intersubflows_retransmission", "FALSE", 0,
     "Find data that is sent on another subflow again"},
    {"ip.check_checksum", "FALSE", FLAG(lower.check_ip), "Compute IPv4 header checksums"},
    {"ip.defragment", "TRUE", FLAG(lower.keep_ipv4), "Put fragments of IPv4 together"},
    {"ipv6.defragment", "TRUE", FLAG(lower.keep_ipv6), "Put fragments of IPv6 together"},
    {"ip.decode_tos_as_diffserv", "TRUE", 0, "Read the TOS byte as DiffServ and ECN"},
    {"ip.summary_in_tree", "TRUE", FLAG(lower.plain_ipv4), "Addresses in IPv4's title line"},
    {"ip.tso_support", "TRUE", 0, "Take the captured length where the length of IPv4 is 0"},
    {"ipv6.summary_in_tree", "TRUE", FLAG(lower.plain_ipv6), "Addresses in IPv6's title line"},
    {"eth.check_fcs", "FALSE", 0, "Compute frame check sequences"},
    {"frame.generate_epoch_time", "TRUE", 0, "frame.time_epoch in the tree"},
    {"frame.generate_md5_hash", "FALSE", 0, "frame.md5_hash in the tree"},
    {"vlan.summary_in_tree", "TRUE", 0, "Priority and number in the title line of a VLAN tag"},

    /* What makes no difference here takes any value. */
    {"tcp.display_process_info_from_ipfix", "FALSE", EITHER,
     "Programs of flows, which IPFIX packets tell of"},
    {"ip.use_geoip", "TRUE", EITHER, "Places of addresses: there is no data base of them"},
    {"ipv6.use_geoip", "TRUE", EITHER, "Places of addresses: there is no data base of them"},
    {"ip.try_heuristic_first", "FALSE", EITHER, "Ask heuristics before the protocol's number"},
    {"ipv6.try_heuristic_first", "FALSE", EITHER, "Ask heuristics before the protocol's number"},
    {"udp.try_heuristic_first", "FALSE", EITHER, "Ask heuristics before ports"},
    {"udp.process_info", "FALSE", EITHER, "Programs of flows, which IPFIX packets tell of"},
    {"nameres.dns_pkt_addr_resolution", "TRUE", EITHER,
     "Names from packets of DNS, which is not dissected"},
    {"nameres.vlan_name", "FALSE", EITHER, "Names of VLANs: there is no list of them"},
    {"nameres.name_resolve_concurrency", "500", EITHER,
     "Questions to name servers at a time: none are asked"},
    {"nameres.load_smi_modules", "FALSE", EITHER, "Names of SNMP"},
    {"nameres.suppress_smi_errors", "FALSE", EITHER, "Errors in names of SNMP"},
    {"statistics.update_interval", "3000", EITHER, "How often a window is drawn: there is none"},
    {"name_resolve", "FALSE", 0, "Names of addresses, by its old name"},
    {"nameres.mac_name", "TRUE", OWN, "Names of the makers of adapters in addresses"},
    {"nameres.network_name", "FALSE", OWN, "Names of addresses; -N n"},
    {"nameres.transport_name", "FALSE", 0, "Names of ports"},
    {"nameres.use_external_name_resolver", "FALSE", 0, "Ask name servers"},
    {"nameres.hosts_file_handling", "FALSE", 0, "Names from the profile's hosts file only"},
    {"protocols.display_hidden_proto_items", "FALSE", 0, "Hidden items in the tree"},
    {"protocols.display_byte_fields_with_spaces", "FALSE", 0, "Spaces between bytes"},
    {"tcp.bif_seq_based", "FALSE", 0, "Bytes in flight by sequence numbers alone"},
    {"tcp.fastrt_supersedes_ooo", "TRUE", 0,
     "A fast retransmission is told rather than that it is out of order"},
    {"tcp.dissect_experimental_options_rfc6994", "TRUE", 0,
     "Names of experimental options by their magic number"},
    {"tcp.read_seq_as_syn_cookie", "FALSE", 0, "Sequence numbers as SYN cookies"},
    {"ip.security_flag", "FALSE", 0, "The reserved flag as the one of RFC 3514"},
    {"ipv6.perform_strict_rpl_srh_rfc_checking", "FALSE", 0, "Remarks on RPL source routes"},
    {"ipv6.exthdr_under_root_protocol_tree", "FALSE", 0,
     "Extension headers beside IPv6 in the tree"},
    {"ipv6.exthdr_hide_len_oct_field", "FALSE", 0,
     "Lengths of extension headers in octets are hidden"},
    {"eth.padding", "Zeros", 0, "What pads a short frame"},
    {"eth.trailer_length", "0", 0, "Bytes of a trailer of fixed length"},
    {"eth.fcs", "According to heuristic", 0, "Whether frames end with a check sequence"},
    {"eth.interpret_as_fw1_monitor", "FALSE", 0, "Addresses as those of a FireWall-1 monitor"},
    {"eth.deduplicate_dmac", "FALSE", 0, "Addresses that stand twice"},
    {"frame.show_file_off", "FALSE", 0, "Where the packet lies in the file"},
    {"frame.force_docsis_encap", "FALSE", 0, "All frames are DOCSIS"},
    {"frame.generate_bits_field", "TRUE", 0, "The length in bits too"},
    {"frame.disable_packet_size_limited_in_summary", "FALSE", 0,
     "No remark on packets that are cut"},
    {"udp.summary_in_tree", "TRUE", 0, "Ports in UDP's title line"},
    {"udp.check_checksum", "FALSE", 0, "Compute UDP checksums"},
    {"udp.calculate_timestamps", "TRUE", 0,
     "Times since the stream's first datagram and the one before"},
    {"vlan.qinq_ethertype", "0x9100", 0, "Type of a frame with a second VLAN tag"},
    {"vlan.version", "IEEE 802.1Q-2011", 0, "Edition of the standard"},
    {"mpls.flowlabel_in_mpls_header", "FALSE", 0, "The last label is a flow label"},
};

#define PREFERENCES (sizeof preferences / sizeof preferences[0])
static_assert(PREFERENCES <= FRONT_PREFERENCES, "more preferences than the front has room for");

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

/* nameres.network_name, nameres.mac_name: as the letters n and m of -N. */
static bool take_shown_names(struct front *f, const struct preference *p, const char *argument,
                             const char *value)
{
    bool *shown = strcmp(p->name, "nameres.mac_name") == 0 ? &f->shows_makers : &f->shows_names;
    *shown = strcasecmp(value, "TRUE") == 0;
    return *shown || strcasecmp(value, "FALSE") == 0 ||
           front_refuse(f, "-o %s: the value must be TRUE or FALSE", front_shown(f, argument));
}

static bool set_preference(struct front *f, const char *argument)
{
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
        else if (p->flag == EITHER)
            return true;
        else if (p->flag == OWN)
            return take_shown_names(f, p, argument, value);
        else if (p->flag != 0)
            return take_flag(f, p, argument, value);
        else if (strcasecmp(p->value, value) != 0)
            return front_refuse(f, "-o %s: this value is not there yet; \"%s\" is",
                                front_shown(f, argument), p->value);
        return true;
    }
    return unknown_preference(f, argument, len);
}

bool take_preference(struct front *f, const struct option_row *row, const char *argument)
{
    (void)row;
    if (!set_preference(f, argument))
        return false;
    size_t len = strcspn(argument, ":");
    for (size_t i = 0; i < PREFERENCES; i++)
        if (named(argument, len, preferences[i].name))
            f->preferences[i] = argument + len + 1 + strspn(argument + len + 1, " ");
    return true;
}

/* ---- -G currentprefs, -G defaultprefs
 * ------------------------------------------------------------ */

static bool is_flag(const struct preference *p)
{
    return p->value ? strcmp(p->value, "TRUE") == 0 || strcmp(p->value, "FALSE") == 0
                    : strcmp(p->name, "tlswire.dissect_more") == 0;
}

static void put_preference(FILE *out, const struct preference *p, const char *set)
{
    const char *usual = p->value ? p->value : is_flag(p) ? "FALSE" : "";
    size_t len = strlen(p->name);
    bool file = len > 5 && strcmp(p->name + len - 5, "_file") == 0;
    bool changed = set && strcasecmp(set, usual) != 0;
    fprintf(out, "# %s\n# %s\n", p->meaning,
            is_flag(p) ? "TRUE or FALSE (case-insensitive)"
            : file     ? "A path to a file"
                       : "A string");
    if (is_flag(p) && p->value && p->flag == 0)
        fputs("# No other value is there\n", out);
    struct buf value = {.ceiling = 65536};
    buf_escaped(&value, slice_of_str(changed ? set : usual));
    fprintf(out, "%s%s: %.*s\n\n", changed ? "" : "#", p->name, (int)value.len,
            value.data ? (const char *)value.data : "");
    buf_free(&value);
}

static void put_preferences(FILE *out, const char *const *set)
{
    fputs("# Preferences of tlswire " TLSWIRE_VERSION ".\n#\n"
          "# A file like this is what a profile (-C) is made of. Those behind \"#\" have their "
          "usual value.\n\n####### Protocols ########\n\n",
          out);
    for (size_t i = 0; i < PREFERENCES; i++)
        put_preference(out, &preferences[i], set ? set[i] : NULL);
}

void report_preferences(FILE *out, const struct front *f)
{
    put_preferences(out, f->preferences);
}

void report_usual_preferences(FILE *out, const struct front *f)
{
    (void)f;
    put_preferences(out, NULL);
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
