/* -n, -N, -H: which names are shown, and where they come from. */
#include "cli/tshark_options.h"

#include <stdio.h>
#include <string.h>

#define HOSTS_CEILING ((size_t)64 << 20)

bool take_no_names(struct front *f, const struct option_row *row, const char *argument)
{
    (void)row, (void)argument;
    f->shows_names = f->shows_makers = false;
    return true;
}

/* What packets of DNS tell, and the names of VLANs, are none for what is dissected here;
 * asking others, and the names of ports, are not there. */
bool take_names(struct front *f, const struct option_row *row, const char *argument)
{
    (void)row;
    char stray = argument[strspn(argument, "dmnNtv")];
    if (stray != '\0')
        return front_refuse(f,
                            "-N specifies unknown resolving option '%s'; valid options are:\n"
                            "\t'd' to enable address resolution from captured DNS packets\n"
                            "\t'm' to enable MAC address resolution\n"
                            "\t'n' to enable network address resolution\n"
                            "\t'N' to enable using external resolvers (e.g., DNS)\n"
                            "\t    for network address resolution\n"
                            "\t't' to enable transport-layer port number resolution\n"
                            "\t'v' to enable VLAN IDs to names resolution",
                            front_shown(f, (const char[]){stray, '\0'}));
    if (strchr(argument, 't'))
        return front_refuse(f, "-N %s: names of ports (t) are not there yet",
                            front_shown(f, argument));
    if (strchr(argument, 'N'))
        fputs("tlswire: -N N: nobody is asked for names; those of -H and of the capture are shown "
              "with n\n",
              stderr);
    f->shows_names = strchr(argument, 'n') != NULL;
    f->shows_makers = strchr(argument, 'm') != NULL;
    return true;
}

bool take_write_names(struct front *f, const struct option_row *row, const char *argument)
{
    (void)row;
    f->reading.write_names = f->wants_names = true;
    return strcmp(argument, "n") == 0 ||
           front_refuse(f,
                        "Invalid -W argument \"%s\"; it must be one of:\n"
                        "\t'n' write network address resolution information (pcapng only)",
                        front_shown(f, argument));
}

bool take_hosts(struct front *f, const struct option_row *row, const char *argument)
{
    (void)row;
    struct buf text = {.ceiling = HOSTS_CEILING};
    char room[65536];
    size_t got;
    FILE *file = fopen(argument, "rb");
    while (file && (got = fread(room, 1, sizeof room, file)) > 0)
        buf_put(&text, room, got);
    bool good = file && !ferror(file) && !text.failed;
    if (file)
        (void)fclose(file);
    if (good)
        good = names_hosts(&f->names, buf_slice(&text));
    buf_free(&text);
    f->reading.write_names = true;
    return good || front_refuse(f, "Can't read host entries from \"%s\"", front_shown(f, argument));
}
