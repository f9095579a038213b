/* One error, told once: what went wrong, where, and what to do about it. */
#ifndef TLSWIRE_BASE_ERROR_H
#define TLSWIRE_BASE_ERROR_H

#include <stdbool.h>

enum error_code {
    ERROR_NONE = 0,
    ERROR_USAGE,   /* the caller's words are off */
    ERROR_FILE,    /* a file cannot be opened, read or written */
    ERROR_FORMAT,  /* a file is not what it should be */
    ERROR_DAMAGED, /* a file is cut short or broken part way through */
    ERROR_PERMISSION,
    ERROR_NETWORK, /* a name, address, port or interface */
    ERROR_CRYPTO,  /* keys, certificates, the TLS library */
    ERROR_MEMORY,
};

struct error {
    enum error_code code;
    char text
        [4096]; /* one line, or more with the advice on lines of its own; escaped for a terminal */
};

/* Records the first error; later ones are dropped.  Always returns false, for `return error_set(…)`. */
bool error_set(struct error *e, enum error_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
