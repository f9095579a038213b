/* tshark's command line: the same options, output and exit codes, for what is dissected. */
#ifndef TLSWIRE_CLI_TSHARK_FRONT_H
#define TLSWIRE_CLI_TSHARK_FRONT_H

#include "capture/material.h"

/* ARGV[0] is the program.  Returns the exit status: 0, 1 or 2 as tshark. */
int tshark_front(int argc, char **argv);

/* The same for a file that need not be a capture: the words that are no options name it, or with
 * MATERIAL_RECORDS two of them. */
int tshark_front_read(int argc, char **argv, enum material_kind kind);

#endif
