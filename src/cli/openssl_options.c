#include "cli/openssl_options_private.h"

#include "base/buf.h"
#include "endpoint/hooks.h"

#include <ctype.h>
#include <openssl/x509_vfy.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#define ALL          (FOR_SERVE | FOR_CONNECT | FOR_LAB)
#define MEMBER(name) offsetof(struct endpoint_options, name)
#define NO_MEMBER    0
#define OPTION(name, commands, kind, offset, value, value_name, help) \
    {name, commands, kind, offset, value, value_name, help},
static const struct option_row option_rows[] = {
#include "cli/connect_options.def"
#include "cli/openssl_options.def"
#include "cli/serve_options.def"
};
#undef OPTION

#define NAME(name) name,
static const char *const known[] = {
#include "cli/openssl_known.def"
};
#undef NAME

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NAME_MOST    32 /* no option's name is longer */

static const struct option_row *find_row(struct slice name, unsigned command)
{
    for (size_t i = 0; i < COUNT(option_rows); i++)
        if ((option_rows[i].commands & command) && slice_is(name, option_rows[i].name))
            return &option_rows[i];
    return NULL;
}

/* How many letters must change to make one name of the other (Levenshtein). */
static size_t distance(struct slice a, const char *b)
{
    size_t row[NAME_MOST + 1], b_len = strlen(b);
    if (a.len > NAME_MOST || b_len > NAME_MOST)
        return NAME_MOST;
    for (size_t j = 0; j <= b_len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            bool same = tolower(slice_at(a, i - 1)) == tolower((unsigned char)b[j - 1]);
            size_t best = diagonal + (same ? 0 : 1);
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            diagonal = row[j];
            row[j] = best;
        }
    }
    return row[b_len];
}

static bool unknown_option(const char *command_name, const char *argument, struct slice name,
                           unsigned command, struct error *e)
{
    const char *nearest = NULL;
    size_t best = name.len / 2 + 1;
    if (find_row(name, ALL))
        return error_set(e, ERROR_USAGE,
                         "'%.*s' is for another subcommand, not for 'tlswire %s'   see: tlswire %s "
                         "--help",
                         (int)(name.len + (size_t)((const char *)name.data - argument)), argument,
                         command_name, command_name);
    for (size_t i = 0; i < COUNT(known); i++)
        if (slice_is(name, known[i]))
            return error_set(e, ERROR_USAGE,
                             "'-%s' is an option of OpenSSL that is not there yet in 'tlswire %s'"
                             "   see: tlswire %s --help",
                             known[i], command_name, command_name);
    for (size_t i = 0; i < COUNT(option_rows); i++) {
        size_t far = option_rows[i].commands & command ? distance(name, option_rows[i].name) : best;
        if (far < best) {
            best = far;
            nearest = option_rows[i].name;
        }
    }
    struct buf shown = {.ceiling = 256};
    buf_escaped(&shown, slice_sub(slice_of_str(argument), 0, 60));
    error_set(e, ERROR_USAGE, "'%.*s' is not an option of 'tlswire %s'   %s%s%s", (int)shown.len,
              (const char *)shown.data, command_name, nearest ? "did you mean -" : "see: tlswire ",
              nearest ? nearest : command_name, nearest ? "?" : " --help");
    buf_free(&shown);
    return false;
}

bool option_bad_value(const struct option_row *row, const char *value, const char *want,
                      struct error *e)
{
    struct buf shown = {.ceiling = 256};
    buf_escaped(&shown, slice_sub(slice_of_str(value), 0, 60));
    error_set(e, ERROR_USAGE, "-%s '%.*s': want %s", row->name, (int)shown.len,
              shown.data ? (const char *)shown.data : "", want);
    buf_free(&shown);
    return false;
}

static int version_number(const char *text)
{
    static const struct {
        const char *name;
        int version;
    } names[] = {
        {"TLSv1", VERSION_TLS1_0},   {"TLSv1.0", VERSION_TLS1_0}, {"TLSv1.1", VERSION_TLS1_1},
        {"TLSv1.2", VERSION_TLS1_2}, {"TLSv1.3", VERSION_TLS1_3}, {"None", 0},
    };
    for (size_t i = 0; i < COUNT(names); i++)
        if (strcasecmp(text, names[i].name) == 0)
            return names[i].version;
    return -1;
}

static bool read_address(const struct option_row *row, const char *value,
                         struct endpoint_options *o, struct error *e)
{
    bool server = row->kind == READ_ACCEPT;
    if (!endpoint_split(value, o->host, sizeof(o->host), &o->port) ||
        (!server && (o->host[0] == '\0' || o->port == 0)))
        return option_bad_value(row, value,
                                server ? "[host:]port" : "host:port, or [IPv6 address]:port", e);
    o->port_given = true;
    return true;
}

static bool read_port(const struct option_row *row, const char *value, unsigned command,
                      struct endpoint_options *o, struct error *e)
{
    char host[2];
    if (strchr(value, ':') || !endpoint_split(value, host, sizeof(host), &o->port) ||
        (command == FOR_CONNECT && o->port == 0))
        return option_bad_value(row, value, "a port number up to 65535", e);
    o->port_given = true;
    return true;
}

static bool read_host(const struct option_row *row, const char *value, struct endpoint_options *o,
                      struct error *e)
{
    if (*value == '\0' || strlen(value) >= sizeof(o->host))
        return option_bad_value(row, value, "a host name or address", e);
    snprintf(o->host, sizeof(o->host), "%s", value);
    return true;
}

/* For OpenSSL, as its tools' options are written. */
static bool pass_on(const struct option_row *row, const char *value, struct endpoint_options *o,
                    struct error *e)
{
    static const struct {
        const char *name, *dashed;
    } names[] = {
#define OPTION(name, commands, kind, offset, value, value_name, help) {name, "-" name},
#include "cli/connect_options.def"
#include "cli/openssl_options.def"
#include "cli/serve_options.def"
#undef OPTION
    };
    const char *dashed = names[row - option_rows].dashed;
    if (o->tls.choice_count == TLS_CHOICES)
        return error_set(e, ERROR_USAGE, "-%s: too many options of its kind", row->name);
    o->tls.choices[o->tls.choice_count++] = (struct tls_choice){dashed, value};
    return true;
}

static bool read_form(const struct option_row *row, const char *value, const char **form,
                      struct error *e)
{
    *form = value;
    return strcasecmp(value, "PEM") == 0 || strcasecmp(value, "DER") == 0 ||
           strcasecmp(value, "P12") == 0 || option_bad_value(row, value, "PEM, DER or P12", e);
}

static bool apply(const struct option_row *row, const char *value, unsigned command,
                  struct endpoint_options *o, struct error *e)
{
    void *member = (char *)o + row->offset;
    switch (row->kind) {
    case SET_BOOL:
        *(bool *)member = true;
        return true;
    case SET_INT:
        *(int *)member = row->value;
        return true;
    case SET_TEXT:
        *(const char **)member = value;
        return true;
    case SET_NUMBER:
        return option_number(value, (unsigned long)row->value, member) ||
               option_bad_value(row, value, "a number", e);
    case READ_FORM:
        return read_form(row, value, member, e);
    case SET_FLAG:
        *(unsigned long *)member |= (unsigned long)row->value;
        return true;
    case SET_LEVEL:
        if (!option_number(value, (unsigned long)row->value, member))
            return option_bad_value(row, value, "a small number", e);
        ++*(unsigned *)member;
        return true;
    case NO_EFFECT:
        if (o->connect.without_effect_count < COUNT(o->connect.without_effect))
            o->connect.without_effect[o->connect.without_effect_count++] = row->name;
        return true;
    case REFUSED:
        return error_set(e, ERROR_USAGE, "-%s is not there: %s", row->name, row->value_name);
    case PASS_ON:
        return pass_on(row, value, o, e);
    case SET_ANSWER:
    case SET_FOLDER_ANSWER:
    case READ_VERIFY:
    case READ_SERVER_NAME:
    case READ_SECOND_NAME:
    case READ_SNI:
    case READ_EARLY_DATA:
    case READ_MAX_EARLY_DATA:
    case READ_SANDBOX:
        return serve_option_apply(row, value, o, e);
    case ONLY_VERSION:
        o->tls.min_version = o->tls.max_version = row->value;
        return true;
    case WITHOUT_VERSION:
        o->tls.without_versions |= 1u << (row->value - 0x0300);
        return true;
    case READ_VERSION:
        *(int *)member = version_number(value);
        return *(int *)member >= 0 ||
               option_bad_value(row, value, "TLSv1, TLSv1.1, TLSv1.2 or TLSv1.3", e);
    case READ_ACCEPT:
    case READ_CONNECT:
        return read_address(row, value, o, e);
    case READ_HOST:
        return read_host(row, value, o, e);
    case READ_PORT:
        return read_port(row, value, command, o, e);
    case READ_COLOR:
        *(const char **)member = value;
        return strcmp(value, "auto") == 0 || strcmp(value, "always") == 0 ||
               strcmp(value, "never") == 0 ||
               option_bad_value(row, value, "auto, always or never", e);
    }
    return false;
}

static bool positional(const char *command_name, const char *argument, unsigned command,
                       struct endpoint_options *o, struct error *e)
{
    static const struct option_row row = {.name = "connect", .kind = READ_CONNECT};
    if (command == FOR_CONNECT && o->host[0] == '\0')
        return read_address(&row, argument, o, e);
    struct buf shown = {.ceiling = 256};
    buf_escaped(&shown, slice_sub(slice_of_str(argument), 0, 60));
    error_set(e, ERROR_USAGE, "'%.*s' is too much   see: tlswire %s --help", (int)shown.len,
              shown.data ? (const char *)shown.data : "", command_name);
    buf_free(&shown);
    return false;
}

/* Reads the option at argv[*at] and its value, if it takes one. */
static bool read_option(int argc, char **argv, int *at, unsigned command,
                        struct endpoint_options *o, struct error *e)
{
    const char *argument = argv[*at];
    const char *start = argument + (argument[1] == '-' ? 2 : 1);
    const char *equals = strchr(start, '=');
    struct slice name = slice_of(start, equals ? (size_t)(equals - start) : strlen(start));
    const struct option_row *row = find_row(name, command);
    if (!row)
        return unknown_option(argv[0], argument, name, command, e);
    if (!row->value_name || row->kind == REFUSED) {
        if (equals && row->kind != REFUSED)
            return error_set(e, ERROR_USAGE, "-%s takes no value", row->name);
        return apply(row, NULL, command, o, e);
    }
    if (equals)
        return apply(row, equals + 1, command, o, e);
    /* s_server's -WWW has no value and means the folder where it runs. */
    if (row->kind == SET_FOLDER_ANSWER && (*at + 1 >= argc || argv[*at + 1][0] == '-'))
        return apply(row, ".", command, o, e);
    if (++*at >= argc)
        return error_set(e, ERROR_USAGE, "-%s needs a value: %s", row->name, row->value_name);
    return apply(row, argv[*at], command, o, e);
}

bool openssl_options_parse(int argc, char **argv, enum option_command command,
                           struct endpoint_options *o, struct error *e)
{
    *o = (struct endpoint_options){.port = DEFAULT_PORT, .color = "auto", .family = AF_UNSPEC};
    bool options_over = false;
    for (int i = 1; i < argc; i++) {
        if (!options_over && strcmp(argv[i], "--") == 0) {
            options_over = true;
        } else if (!options_over && argv[i][0] == '-' && argv[i][1] != '\0') {
            if (!read_option(argc, argv, &i, command, o, e))
                return false;
        } else if (!positional(argv[0], argv[i], command, o, e)) {
            return false;
        }
    }
    return command != FOR_SERVE || o->help || serve_options_finish(o, e);
}

void openssl_options_help(FILE *out, enum option_command command)
{
    for (size_t i = 0; i < COUNT(option_rows); i++) {
        char left[40];
        if (!(option_rows[i].commands & command) || !option_rows[i].help)
            continue;
        snprintf(left, sizeof(left), "-%s %s", option_rows[i].name,
                 option_rows[i].value_name ? option_rows[i].value_name : "");
        fprintf(out, "  %-24s %s\n", left, option_rows[i].help);
    }
}
