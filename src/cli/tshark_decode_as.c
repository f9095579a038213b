/* -d layer==selector,protocol: which ports are TLS, and which are not whatever their bytes look like. */
#include "cli/tshark_options.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name, *title;
    uint8_t says; /* TLS_PORT_… */
    bool listed;
} protocols[] = {
    {"data", "Data", TLS_PORT_NO, true},
    {"tls", "Transport Layer Security", TLS_PORT_YES, true},
    {"ssl", "Transport Layer Security", TLS_PORT_YES, false}, /* its name until 2018 */
};

#define PROTOCOLS (sizeof protocols / sizeof protocols[0])

/* Decimal, octal or hexadecimal, as in C.  False when there is no number. */
static bool number(const char **text, unsigned long *value)
{
    char *end = NULL;
    if (**text < '0' || **text > '9')
        return false;
    *value = strtoul(*text, &end, 0);
    *text = end;
    return true;
}

/* "443", "1-5", "4433:2" (two ports from 4433).  False with the error set. */
static bool selector(struct front *f, const char *text, unsigned long *first, unsigned long *last)
{
    const char *at = text;
    unsigned long more = 0;
    bool good = number(&at, first);
    char mark = *at;
    *last = *first;
    if (!good || (mark != '-' && mark != ':' && mark != '\0'))
        return front_refuse(f, "Invalid selector number \"%s\"", front_shown(f, text));
    if (mark == '\0')
        return true;
    at++;
    good = number(&at, &more) && *at == '\0' && (mark == '-' || more > 0);
    *last = mark == '-' ? more : *first + more - 1;
    return (good && *last >= *first) ||
           front_refuse(f, "Invalid selector numeric range \"%s\"", front_shown(f, text));
}

/* The protocols that may follow, as tshark lists them below its error. */
static bool refuse_protocol(struct front *f, const char *message)
{
    struct buf text = {.ceiling = sizeof f->error.text - 1};
    buf_str(&text, message);
    buf_str(&text, "\ntlswire: Valid protocols for layer type \"tcp.port\" are:");
    for (size_t i = 0; i < PROTOCOLS; i++)
        if (protocols[i].listed)
            buf_printf(&text, "\n\t%s (%s)", protocols[i].name, protocols[i].title);
    front_refuse(f, "%.*s", (int)text.len, text.data ? (const char *)text.data : "");
    buf_free(&text);
    return false;
}

static bool refuse_layer(struct front *f, const char *message)
{
    return front_refuse(f, "%s\ntlswire: Valid layer types are:\n\ttcp.port (TCP port)", message);
}

static bool set_ports(struct front *f, const char *selected, const char *name)
{
    unsigned long first = 0, last = 0;
    char message[160];
    if (!selector(f, selected, &first, &last))
        return false;
    for (size_t i = 0; i < PROTOCOLS; i++) {
        if (strcmp(name, protocols[i].name) != 0)
            continue;
        for (unsigned long port = first; port <= last && port < sizeof f->ports.says; port++)
            f->ports.says[port] = protocols[i].says;
        return true;
    }
    snprintf(message, sizeof message, "Unknown protocol -- \"%s\"", front_shown(f, name));
    return refuse_protocol(f, *name ? message : "No protocol name specified");
}

bool take_decode_as(struct front *f, const struct option_row *row, const char *argument)
{
    (void)row;
    char text[128], message[300];
    size_t len = strlen(argument), layer_len = strcspn(argument, "=");
    snprintf(message, sizeof message,
             "Parameter \"%s\" doesn't follow the template "
             "\"<layer_type>==<selector>,<decode_as_protocol>\"",
             front_shown(f, argument));
    if (len >= sizeof text)
        return front_refuse(f, "%s", message);
    memcpy(text, argument, len + 1);
    bool has_equals = layer_len < len;
    char *selected = text + layer_len;
    if (has_equals)
        *selected++ = '\0';
    if (strcmp(text, "tcp.port") != 0) {
        size_t used = has_equals ? 0 : strlen(message);
        snprintf(message + used, sizeof message - used, "%sUnknown layer type -- %s",
                 has_equals ? "" : "\ntlswire: ", front_shown(f, text));
        return refuse_layer(f, message);
    }
    if (!has_equals)
        return front_refuse(f, "%s", message);
    if (*selected == '=')
        selected++;
    else
        fprintf(stderr,
                "tlswire: WARNING: -d requires \"==\" instead of \"=\". Option will be treated as "
                "\"tcp.port==%s\"\n",
                front_shown(f, selected));
    char *comma = strchr(selected, ',');
    if (!comma)
        return refuse_protocol(f, message);
    *comma = '\0';
    return set_ports(f, selected, comma + 1);
}
