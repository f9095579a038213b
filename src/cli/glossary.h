/* -G: what the schema knows, in tshark's tab-separated form. */
#ifndef TLSWIRE_CLI_GLOSSARY_H
#define TLSWIRE_CLI_GLOSSARY_H

#include "base/error.h"

#include <stdio.h>

struct front;

/* WHAT: "fields", "protocols" …; "help" lists them.  An exit status, with the error set unless it is 0. */
int glossary_print(FILE *out, const char *what, const struct front *f, struct error *error);

#endif
