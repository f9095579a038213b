#include "cli/help.h"

#include "cli/reading.h"
#include "cli/tshark_options.h"

#include <openssl/crypto.h>
#include <pcap/pcap.h>
#include <uv.h>

static void put_option(FILE *out, const struct option_row *row)
{
    char usage[96];
    char letter[3] = {'-', row->letter, '\0'};
    const char *argument = row->argument ? row->argument : "", *space = row->argument ? " " : "";
    int used = row->letter
                   ? snprintf(usage, sizeof usage, "  %s%s%s%s%s", letter, space, argument,
                              row->name ? ", --" : "", row->name ? row->name : "")
                   : snprintf(usage, sizeof usage, "  --%s%s%s", row->name, space, argument);
    if (used > 26)
        fprintf(out, "%s\n%27s%s\n", usage, "", row->help);
    else
        fprintf(out, "%-27s%s\n", usage, row->help);
}

int help_print(FILE *out)
{
    fputs(
        "tlswire " TLSWIRE_VERSION ": runs, captures, reads, decrypts and explains TLS.\n"
        "\n"
        "Usage: tlswire lab [options]              a TLS server and client, and what they said\n"
        "       tlswire serve [options]            a TLS server\n"
        "       tlswire connect [options] host:port\n"
        "       tlswire run [options] command      any program: its connections, with its keys\n"
        "       tlswire read [options] file        a hex dump, TLS records or a certificate\n"
        "       tlswire keys match|inject|strip    which keys open a capture; into it, out of it\n"
        "       tlswire ca show|path|new|issue     the local CA that serve's certificates come "
        "from\n"
        "       tlswire [tshark's options]         reads a capture file or an interface\n"
        "\n"
        "tlswire lab --help, serve --help, connect --help, read --help, keys --help, ca --help "
        "tell "
        "more.  As tshark:\n",
        out);
    for (const struct option_row *row = tshark_options; row->letter || row->name || row->help;
         row++) {
        if (row->take)
            put_option(out, row);
        else if (row->help && !row->letter && !row->name)
            fprintf(out, "\n%s:\n", row->help);
    }
    fputs("\nOther options of tshark are refused, and say why.\n", out);
    return fflush(out) == 0 ? READING_OK : READING_FAILED;
}

int help_statistics(FILE *out)
{
    for (size_t i = 0; stats_name(i); i++)
        fprintf(out, "     %s\n", stats_name(i));
    return fflush(out) == 0 ? READING_OK : READING_FAILED;
}

int help_hexdump(FILE *out)
{
    fputs("tlswire " TLSWIRE_VERSION "\n\n"
          "tlswire: Valid --hexdump <hexoption> values include:\n\n"
          "Data source options:\n"
          "  all                      add hexdump, dump all data sources (-x default)\n"
          "  frames                   add hexdump, dump only frame data source\n\n"
          "ASCII options:\n"
          "  ascii                    add hexdump, include ASCII dump text (-x default)\n"
          "  delimit                  add hexdump, delimit ASCII dump text with '|' characters\n"
          "  noascii                  add hexdump, exclude ASCII dump text\n\n"
          "Miscellaneous:\n"
          "  help                     display this help and exit\n\n"
          "Example:\n\n"
          "    $ tlswire ... --hexdump frames --hexdump delimit ...\n\n",
          out);
    return fflush(out) == 0 ? READING_OK : READING_FAILED;
}

int help_version(FILE *out)
{
    fprintf(out, "tlswire %s\n%s, libuv %s, %s\n", TLSWIRE_VERSION,
            OpenSSL_version(OPENSSL_VERSION), uv_version_string(), pcap_lib_version());
    return fflush(out) == 0 ? READING_OK : READING_FAILED;
}
