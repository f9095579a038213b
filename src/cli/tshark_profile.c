/* -C, and which protocols are dissected. */
#include "cli/tshark_options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

/* ---- -C: a folder with a file of preferences ----
 *
 * $XDG_CONFIG_HOME/tlswire/profiles/NAME/preferences holds lines "name: value", as -o takes them, and
 * comments behind "#".  What the command line says comes later, and so counts. */

enum { MAX_LINES = 10000, MAX_PREFERENCE_LINE = 4096 };

bool front_config_folder(char *path, size_t size)
{
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    int length = config && *config ? snprintf(path, size, "%s/tlswire", config)
                 : home && *home   ? snprintf(path, size, "%s/.config/tlswire", home)
                                   : -1;
    return length > 0 && (size_t)length < size;
}

static bool take_line(struct front *f, const char *path, unsigned number, char *line)
{
    char *text = line + strspn(line, " \t"), *end = text + strlen(text);
    while (end > text && strchr(" \t\r\n", end[-1]))
        *--end = '\0';
    if (*text == '\0' || *text == '#')
        return true;
    char *kept = strdup(text); /* preferences keep what they are handed, as those of argv */
    if (!kept || f->kept_count == FRONT_KEPT) {
        free(kept);
        return front_refuse(f, "%.200s: line %u: too many preferences", path, number);
    }
    f->kept[f->kept_count++] = kept;
    if (take_preference(f, NULL, kept))
        return true;
    struct error why = f->error;
    f->error = (struct error){0};
    return front_refuse(f, "%.200s, line %u: %.280s", path, number, why.text);
}

static bool read_preferences(struct front *f, const char *path)
{
    char line[MAX_PREFERENCE_LINE];
    FILE *file = fopen(path, "re");
    if (!file && errno == ENOENT)
        return true; /* a profile may be empty */
    if (!file)
        return front_refuse(f, "%.300s cannot be read: %s", path, strerror(errno));
    bool good = true;
    for (unsigned number = 1; good && number <= MAX_LINES && fgets(line, sizeof line, file);
         number++)
        good = take_line(f, path, number, line);
    (void)fclose(file);
    return good;
}

bool take_profile(struct front *f, const struct option_row *row, const char *argument)
{
    (void)row;
    char folder[3072], path[4096];
    struct stat status;
    const char *shown = front_shown(f, argument);
    if (strchr(argument, '/') || *argument == '\0' || argument[0] == '.')
        return front_refuse(f, "Configuration Profile \"%s\" does not exist", shown);
    if (!front_config_folder(folder, sizeof folder))
        return front_refuse(f,
                            "Configuration Profile \"%s\" does not exist\n"
                            "  neither XDG_CONFIG_HOME nor HOME says where to look",
                            shown);
    (void)snprintf(path, sizeof path, "%s/profiles/%.200s", folder, argument);
    if (stat(path, &status) != 0 || !S_ISDIR(status.st_mode))
        return strcmp(argument, "Default") == 0 ||
               front_refuse(f,
                            "Configuration Profile \"%s\" does not exist\n"
                            "  it would be the folder %.200s",
                            shown, path);
    (void)snprintf(path, sizeof path, "%s/profiles/%.200s/preferences", folder, argument);
    return read_preferences(f, path);
}

/* ---- protocols ---- */

static bool is_dissected(const char *name)
{
    enum field_id id = field_find(name, strlen(name));
    return id != F_NONE && fields[id].type == TYPE_PROTOCOL;
}

/* All that there are are always dissected but for multipath TCP, and of the others none: only to turn one of
 * them off cannot be had. */
bool take_protocol(struct front *f, const struct option_row *row, const char *argument)
{
    bool enable = strncmp(row->name, "enable", 6) == 0;
    if (strcmp(argument, "mptcp") == 0) {
        f->reading.tcp.no_multipath = !enable;
        return true;
    }
    if (enable == is_dissected(argument))
        return true;
    if (enable)
        return front_refuse(f,
                            "--enable-protocol %s: it is not dissected here; -G protocols lists "
                            "those that are",
                            front_shown(f, argument));
    return front_refuse(f, "--disable-protocol %s: it is always dissected here",
                        front_shown(f, argument));
}

/* The heuristic that there is: TLS is known by its bytes on any port. */
bool take_heuristic(struct front *f, const struct option_row *row, const char *argument)
{
    bool enable = strncmp(row->name, "enable", 6) == 0, tls = strcmp(argument, "tls_tcp") == 0;
    if (enable == tls)
        return true;
    if (enable)
        return front_refuse(f, "No such protocol %s, can't enable; tls_tcp is there",
                            front_shown(f, argument));
    return front_refuse(f, "--disable-heuristic tls_tcp: TLS is always known by its bytes");
}

/* What is said on stderr is of these levels, and always said. */
bool take_log_level(struct front *f, const struct option_row *row, const char *argument)
{
    (void)row;
    static const char *const said[] = {"critical", "error", "warning", "message"};
    static const char *const finer[] = {"info", "debug", "noisy"};
    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++)
        if (strcasecmp(argument, said[i]) == 0)
            return true;
    for (size_t i = 0; i < sizeof finer / sizeof finer[0]; i++)
        if (strcasecmp(argument, finer[i]) == 0)
            return front_refuse(f, "--log-level %s: there is no log as fine as that", finer[i]);
    return front_refuse(f, "Invalid log level \"%s\".", front_shown(f, argument));
}
