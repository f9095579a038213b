/* `tlswire -h` and `tlswire -v`. */
#ifndef TLSWIRE_CLI_HELP_H
#define TLSWIRE_CLI_HELP_H

#include <stdio.h>

/* Both return an exit status. */
int help_print(FILE *out);
int help_version(FILE *out);
/* What --hexdump takes. */
int help_hexdump(FILE *out);
/* The names that may follow -z. */
int help_statistics(FILE *out);

#endif
