/* Options that only servers have, and that are more than a member to set. */
#include "cli/openssl_options_private.h"

#include <stdlib.h>
#include <string.h>

bool option_number(const char *text, unsigned long largest, unsigned *number)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 10 || text[digits] != '\0' || strtoul(text, NULL, 10) > largest)
        return false;
    *number = (unsigned)strtoul(text, NULL, 10);
    return true;
}

static bool set_answer(const struct option_row *row, const char *argument,
                       struct endpoint_options *o, struct error *e)
{
    if (o->answer_from)
        return error_set(e, ERROR_USAGE, "-%s and -%s are two answers: give one", o->answer_from,
                         row->name);
    o->answer.name = (enum answer_name)row->value;
    o->answer.argument = argument;
    o->answer_from = row->name;
    return true;
}

static bool read_verify(const struct option_row *row, const char *value, struct endpoint_options *o,
                        struct error *e)
{
    unsigned depth;
    if (!option_number(value, 100, &depth))
        return option_bad_value(row, value, "how many certificates deep, up to 100", e);
    o->tls.server.ask = true;
    o->tls.server.demand = o->tls.server.demand || row->value != 0;
    o->tls.server.depth = (int)depth;
    return true;
}

static bool read_sandbox(const struct option_row *row, const char *value,
                         struct endpoint_options *o, struct error *e)
{
    static const char *const names[] = {"try", "require", "off"};
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(value, names[i]) == 0) {
            o->sandbox = (enum sandbox)i;
            return true;
        }
    return option_bad_value(row, value, "try, require or off", e);
}

/* ---- names ---- */

static struct tls_name *new_name(struct endpoint_options *o, struct error *e)
{
    if (o->tls.server.name_count == TLS_NAMES) {
        error_set(e, ERROR_USAGE, "more than %d server names", TLS_NAMES);
        return NULL;
    }
    return &o->tls.server.names[o->tls.server.name_count++];
}

/* The name whose certificate -cert2 and -key2 are: s_server's one. */
static struct tls_name *second_name(struct endpoint_options *o, struct error *e)
{
    if (!o->second_name)
        o->second_name = new_name(o, e);
    return o->second_name;
}

static bool set_second_name(const struct option_row *row, const char *value,
                            struct endpoint_options *o, struct error *e)
{
    struct tls_name *name = second_name(o, e);
    if (!name)
        return false;
    if (row->kind == READ_SERVER_NAME)
        name->name = value;
    else if (strcmp(row->name, "cert2") == 0)
        name->files.cert = value;
    else
        name->files.key = value;
    return true;
}

/* "name=cert" or "name=cert,key", cut into its parts where it stands: argv is the program's own. */
static bool read_sni(const struct option_row *row, const char *value, struct endpoint_options *o,
                     struct error *e)
{
    char *text = (char *)(uintptr_t)value, *cert = strchr(text, '=');
    if (!cert || cert == text || cert[1] == '\0' || cert[1] == ',')
        return option_bad_value(row, value, "NAME=CERTIFICATE-FILE,KEY-FILE", e);
    struct tls_name *name = new_name(o, e);
    if (!name)
        return false;
    *cert++ = '\0';
    char *key = strchr(cert, ',');
    if (key)
        *key++ = '\0';
    *name = (struct tls_name){.name = text, .files = {.cert = cert, .key = key}};
    return true;
}

/* ---- early data ---- */

#define EARLY_DATA_USUAL 16384

static bool read_max_early_data(const struct option_row *row, const char *value,
                                struct endpoint_options *o, struct error *e)
{
    return option_number(value, EARLY_DATA_USUAL, &o->tls.server.max_early_data) ||
           option_bad_value(row, value, "a number of bytes up to 16384", e);
}

bool serve_option_apply(const struct option_row *row, const char *value, struct endpoint_options *o,
                        struct error *e)
{
    if (row->kind == SET_ANSWER || row->kind == SET_FOLDER_ANSWER)
        return set_answer(row, value, o, e);
    if (row->kind == READ_VERIFY)
        return read_verify(row, value, o, e);
    if (row->kind == READ_SERVER_NAME || row->kind == READ_SECOND_NAME)
        return set_second_name(row, value, o, e);
    if (row->kind == READ_SNI)
        return read_sni(row, value, o, e);
    if (row->kind == READ_SANDBOX)
        return read_sandbox(row, value, o, e);
    if (row->kind == READ_MAX_EARLY_DATA)
        return read_max_early_data(row, value, o, e);
    if (row->kind == READ_EARLY_DATA && o->tls.server.max_early_data == 0)
        o->tls.server.max_early_data = EARLY_DATA_USUAL;
    return true;
}

bool serve_options_finish(struct endpoint_options *o, struct error *e)
{
    const struct tls_name *second = o->second_name;
    if (!o->tls.alpn && (o->answer.name == ANSWER_WWW || o->answer.name == ANSWER_FILES)) {
        o->tls.alpn = "h2,http/1.1";
        o->tls.alpn_soft = true;
    }
    if (second && !second->name)
        return error_set(e, ERROR_USAGE, "-cert2 and -key2 are for a name: -servername");
    if (second && second->files.key && !second->files.cert)
        return error_set(e, ERROR_USAGE, "-key2 was given without -cert2");
    if (o->status && !o->tls.server.status_file)
        return error_set(e, ERROR_USAGE,
                         "-status needs -status_file: no OCSP responder is asked from here");
    if (o->tls.server.no_certificate && (o->tls.own.cert || o->tls.second.cert))
        return error_set(e, ERROR_USAGE, "-nocert and a certificate: give one of them");
    if (o->export_length && !o->export_label)
        return error_set(e, ERROR_USAGE, "-keymatexportlen needs -keymatexport");
    return true;
}
