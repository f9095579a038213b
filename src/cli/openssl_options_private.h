/* What the readers of openssl_options.c and serve_options.c share. */
#ifndef TLSWIRE_CLI_OPENSSL_OPTIONS_PRIVATE_H
#define TLSWIRE_CLI_OPENSSL_OPTIONS_PRIVATE_H

#include "cli/openssl_options.h"

#include <stddef.h>

enum option_kind {
    SET_BOOL,
    SET_INT,
    SET_TEXT,
    SET_NUMBER, /* an unsigned; `value` is the largest */
    ONLY_VERSION,
    WITHOUT_VERSION,
    READ_VERSION,
    READ_ACCEPT,
    READ_CONNECT,
    READ_HOST,
    READ_PORT,
    READ_COLOR,
    READ_FORM, /* of a file with a certificate or key */
    PASS_ON,   /* OpenSSL knows what to do (SSL_CONF_cmd) */
    SET_FLAG,  /* `value` is added to an unsigned long */
    SET_LEVEL, /* a small number, kept + 1 */
    NO_EFFECT, /* taken and told: there is nothing to change here */
    REFUSED,   /* an error: `help` says what to do instead */
    /* serve_options.c */
    SET_ANSWER,
    SET_FOLDER_ANSWER,
    READ_VERIFY,
    READ_SERVER_NAME,
    READ_SECOND_NAME, /* -cert2 or -key2 */
    READ_SNI,
    READ_EARLY_DATA,
    READ_MAX_EARLY_DATA,
    READ_SANDBOX,
};

struct option_row {
    const char *name;
    unsigned commands;
    enum option_kind kind;
    size_t offset; /* of the member in struct endpoint_options */
    int value;
    const char *value_name; /* NULL: the option takes none */
    const char *help;
};

bool option_bad_value(const struct option_row *, const char *value, const char *want,
                      struct error *);
/* A number up to LARGEST, in decimal digits only. */
bool option_number(const char *text, unsigned long largest, unsigned *number);
/* The kinds that only servers have. */
bool serve_option_apply(const struct option_row *, const char *value, struct endpoint_options *,
                        struct error *);
/* What can only be said when all options are known. */
bool serve_options_finish(struct endpoint_options *, struct error *);

#endif
